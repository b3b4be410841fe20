/* http_guard.h - is a request's head framed so that nobody can read it otherwise?  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * libmicrohttpd 0.9.75 lets pass what request smuggling is made of: two Content-Lengths,
 * Content-Length with Transfer-Encoding, blanks in names.  This looks at the fields it parsed
 * and refuses (RFC 9112, sections 5.1, 6.1 and 6.3) before a byte of the body is read.  What it
 * hid from its fields (NUL, folded lines) http_request.c notices.
 */
#pragma once

#include "lib/base.h"

/* One header field; the pointers are borrowed, the texts end with NUL. */
struct http_field {
	const char *name;
	const char *value;
	size_t name_size;
	size_t value_size;
};

/* More fields than any honest sender has; an array of them is kept for each open request. */
#define HTTP_GUARD_FIELDS_MAX 100

struct http_guard_verdict {
	int status;		/* 0: pass; else the answer's status: 400, 411, 413 or 431 */
	const char *why;	/* a constant sentence; NULL when it passes */
	uint64_t body_size;	/* the declared length, 0 without a body; valid when it passes */
};

/*
 * may_have_body: the route takes one, and then Content-Length must be there.  Otherwise a
 * Content-Length of 0 or none is wanted.  body_max: bytes, the largest that passes.
 */
struct http_guard_verdict http_guard_check(const struct http_field *fields, size_t count,
    bool may_have_body, uint64_t body_max) MUST_USE;

/* Whether a Content-Type value names one of the media types of a NULL-terminated list, without
 * regard to case and parameters.  A value of NULL names none. */
bool http_guard_type_is_in(const char *value, const char *const *types) MUST_USE;
