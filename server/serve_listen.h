/* serve_listen.h - where the network and this machine's users reach the server.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

struct err;
struct http_server_config;
struct serve;

/* serve->http is of that config from now on; the first time it listens.  False: it cannot. */
bool serve_listen(
    struct serve *serve, const struct http_server_config *config, struct err *err) MUST_USE;
void serve_listen_say(const struct serve *serve); /* in the log, where it does */

/* serve->local_http; NULL: no LOCAL_SOCKET, or *err says why not.  given: the service manager's
 * socket; -1: none. */
void serve_listen_local(
    struct serve *serve, const struct http_server_config *config, int given, struct err *err);
