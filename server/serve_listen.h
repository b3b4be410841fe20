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
bool serve_listen_room(void *ctx);	   /* on_few of such a config; ctx: serve */
void serve_listen_say(const struct serve *serve); /* in the log, where it does */

/* LOCAL_SOCKET's, of one user and of all together; idle ones give way to whoever comes, and the
 * command line needs none for long. */
#define SERVE_LOCAL_OF_USER	4
#define SERVE_LOCAL_CONNECTIONS 32
#define SERVE_LOCAL_IDLE_MS	10000

/* serve->local_http; NULL: no LOCAL_SOCKET, or *err says why not.  given: the service manager's
 * socket; -1: none. */
void serve_listen_local(
    struct serve *serve, const struct http_server_config *config, int given, struct err *err);

/* So many descriptors as all its places need, where the system lets it: with the usual 1,024 it
 * works too. */
void serve_listen_allow(void);
