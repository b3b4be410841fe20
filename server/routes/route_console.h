/* route_console.h - the page /console/, whose files are in the program.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"
#include "lib/http_server.h"

#define ROUTE_CONSOLE_PATH "/console/"
#define ROUTE_CONSOLE_TAG  35 /* 32 hex digits in quotes, and the NUL */

struct route_console {
	char tags[4][ROUTE_CONSOLE_TAG]; /* of the bytes of each file: its ETag */
};

/* Before the route is made; false: no memory for a hash. */
bool route_console_init(struct route_console *console, struct err *err) MUST_USE;

/*
 * GET of what begins with ROUTE_CONSOLE_PATH.  The files are public: what they show comes from /v1.
 * Each is sent compressed with gzip, whatever the request accepts, as every browser does.  A
 * browser keeps it and asks each time whether it is still the one (ETag), so that a page never
 * meets a server of another version.  The headers of its safety are sent with every answer: where a
 * proxy sets them too, it has to hide these (nginx/nginx.conf).
 */
struct http_route route_console(struct route_console *console);
