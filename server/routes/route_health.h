/* route_health.h - /healthz: does the loop turn?  /readyz: can work be taken?  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/http_server.h"

/* A header of what /readyz answers while Telegram's updates do not come: `doctor` looks for it. */
#define ROUTE_HEALTH_MISSES "X-Telegram-Updates"

struct health_watch;

/* GET and HEAD, always 200 "ok". */
struct http_route route_health_live(void);

/* GET and HEAD: 200 "ready" (and whether the runner is disconnected, and updates of Telegram are
 * not received), or 503 with the reason.
 * watch lives as long as the server. */
struct http_route route_health_ready(struct health_watch *watch);
