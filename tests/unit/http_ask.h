/* http_ask.h - one request to a server inside this test's loop, and its answer.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct loop;

struct http_asked {
	int status;
	char text[65536];	/* the whole answer, with its NUL */
	const char *body;	/* in text */
};

/* Sends the bytes, turns the loop until the server closes or `Content-Length` bytes of a body
 * came, and reads what was answered.  status 0: nothing. */
void http_ask(struct loop *loop, uint16_t port, const void *request, size_t size,
    struct http_asked *ret);
