/* http_request.h - one request that our HTTP server received, until it is answered.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * A route's callbacks (http_server.h) get it.  From on_request on it belongs to the route,
 * until http_request_answer() gives it back; that call is made exactly once, inside the
 * callback or any time later, whatever became of the client and of the deadline.
 *
 * What the accessors borrow (strings) is valid while on_begin, on_piece or on_request runs,
 * and afterwards "" or NULL may be all there is: copy what is needed later.
 */
#pragma once

#include <sys/types.h>

#include "lib/base.h"
#include "lib/http_guard.h"

struct http_request;

/* A header of an answer.  Lists end with a name of NULL. */
struct http_header {
	const char *name;
	const char *value;
};

/* The value of a header, its name compared without case; NULL when there is none or more than
 * one, or it is no UTF-8: a header that decides something must not be read one way here and another
 * elsewhere. */
const char *http_request_header(const struct http_request *request, const char *name);

/* Its path, without a query. */
const char *http_request_path(const struct http_request *request);

/* The declared size of the body, in bytes. */
size_t http_request_body_size(const struct http_request *request);

/* The other end of the socket, an address without port or "unix"; or, when that is a proxy
 * (is_proxy of the server's config) and there is one X-Real-IP with an address, that. */
const char *http_request_client(const struct http_request *request);

/* The user that has connected, as the kernel says (SO_PEERCRED: of connect(), as this process's
 * user namespace shows it); false where the server's config does not ask for it. */
bool http_request_user_id(const struct http_request *request, uid_t *ret_uid) MUST_USE;

/* In on_request: the body, once; the caller frees it with free().  There is a NUL behind its
 * *ret_size bytes.  NULL only for a request without a body.  It counts against the server's
 * budget until the request is answered: answer when it has been freed or is about to be. */
char *http_request_take_body(struct http_request *request, size_t *ret_size) MUST_USE;

/* One pointer of the route's own, e.g. a running HMAC.  free_user (or NULL) is called with it
 * when the request goes, however it goes; setting NULL removes it without that. */
void http_request_set_user(struct http_request *request, void *user, void (*free_user)(void *));
void *http_request_user(const struct http_request *request);

/*
 * Answers and gives the request back: the handle is dead afterwards (inside a callback: when
 * that returns).  headers may be NULL; body may be NULL with size 0 and is copied.
 * Sent in this turn; where the client is gone or the deadline has answered, nothing is.
 */
void http_request_answer(struct http_request *request, int status,
    const struct http_header *headers, const void *body, size_t size);

/* The same with a text of that Content-Type, which nobody may store, and one header more (NULL:
 * none). */
void http_request_answer_text(struct http_request *request, int status, const char *type,
    const struct http_header *more, const char *text);
