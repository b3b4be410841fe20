/* outbound_client.h - the HTTP client of a place that the server itself connects to.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/http_client.h"
#include "types/outbound.h"

/* Of `outbound` (outbound_of()) alone, with so many calls at once and so many waiting (0: what
 * http_client.h says).  A trust zone of its own: it shares no connection, session or name. */
struct http_client *outbound_client(struct loop *loop, const void *outbound, unsigned at_once,
    unsigned waiting, struct err *err) MUST_USE;
