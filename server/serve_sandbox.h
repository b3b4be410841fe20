/* serve_sandbox.h - what the server cannot do from its start on, and who does it for it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/http_server.h"
#include "lib/loop.h"

struct serve;

struct serve_sandbox {
	char said[80];		   /* of it, for people */
	struct loop_timer warning; /* while it is off */
};

/* The process that starts the runner, where that is no service: before anything else is made. */
bool serve_sandbox_fork(struct serve *serve, struct err *err) MUST_USE;

/* Behind the last thing that needs more, and before the first thread. */
bool serve_sandbox_enter(struct serve *serve, struct err *err) MUST_USE;

void serve_sandbox_stop(struct serve *serve);

/* LOCAL_SOCKET's /healthz: that we live, and in which sandbox. */
struct http_route serve_sandbox_route(struct serve *serve);
