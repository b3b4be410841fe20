/* http_client.h - HTTP calls to others: bounded, with a deadline, in the loop.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * curl multi, driven by our loop.  One client for each trust zone: connections, names and TLS
 * sessions are never shared between two.  No redirects, no cookies, no netrc, no proxy from the
 * environment; TLS 1.2 or later with the peer checked.  Names are looked up in curl's threads.
 *
 * curl_global_init() runs in the first http_client_new(), which must come before other threads.
 */
#pragma once

#include <sys/socket.h>

#include "lib/base.h"
#include "lib/err.h"
#include "lib/loop.h"

struct http_client;
struct http_client_call;
struct http_client_result;

/* Whether a connection may be made to that address; asked for the very address connected to,
 * so that a name cannot change in between.  With a proxy that is the proxy's. */
typedef bool http_client_address_fn(const struct sockaddr *address, const void *ctx);

/* 0 or NULL means the default that stands behind each.  Strings are copied. */
struct http_client_config {
	unsigned connections_max;	/* 4 kept or in use */
	unsigned in_flight_max;		/* 4; further calls wait, their deadline running */
	unsigned queue_max;		/* 64 waiting; further ones are refused */
	const char *protocols;		/* "http,https" */
	const char *proxy;		/* none; "http://…" or "socks5h://…" */
	const char *user_agent;		/* none is sent */
	const char *ca_file;		/* the system's */
	http_client_address_fn *address_is_allowed;	/* has to be given */
	const void *address_ctx;
	/* Only looks at what a peer shows: nobody is checked, each call is a connection and a
	 * handshake of its own, and its result has certificate_expires_at, also where no answer
	 * came behind the handshake.  Send nothing that matters, believe nothing. */
	bool reads_certificates;
	bool tls13;			/* no TLS 1.2 */
};

/* Called for up to `size` bytes of a part.  Returns how many it gave, 0 at the end, -1 to fail
 * the call.  Must not call this module. */
typedef ssize_t http_client_read_fn(void *ctx, char *buffer, size_t size);

/* Called for each piece of an answer's body of status 200, which is not gathered then.  False fails
 * the call.  Must not call this module. */
typedef bool http_client_piece_fn(void *ctx, const void *data, size_t size);

/* One part of a multipart/form-data body: either a text or a stream of a known size. */
struct http_client_part {
	const char *name;
	const char *value;		/* a text; NULL: a stream */
	size_t value_size;		/* 0: strlen(value) */
	const char *filename;		/* NULL: none */
	const char *type;		/* NULL: none */
	http_client_read_fn *read;
	void *read_ctx;			/* must live until on_done or cancel */
	int64_t read_size;		/* bytes; the call fails when `read` gives fewer */
};

/* A message of mail, instead of body and parts: of a client whose protocols are smtp and smtps.
 * TLS is required, or the call fails, unless it is_in_clear.  A status of 250 alone is its end. */
struct http_client_mail {
	const char *from, *to;	/* addresses */
	const char *subject;	/* one line of UTF-8 */
	const char *id;		/* Message-ID, without <> */
	const char *text;	/* UTF-8 */
	int64_t at;		/* wall ms: Date */
	bool is_in_clear;
};

struct http_client_request {
	const char *label;		/* names the call in errors, without secrets; borrowed */
	const char *method;		/* NULL: GET, or POST with a body or parts */
	const char *url;		/* never appears in an error text */
	const char *const *headers;	/* "Name: value", NULL-terminated; NULL: none */
	const void *body;		/* copied; NULL: none */
	size_t body_size;
	const struct http_client_part *parts;	/* instead of body */
	size_t part_count;
	const struct http_client_mail *mail;	/* instead of both; NULL: it is none */
	int64_t timeout_ms;		/* for all of it, waiting too; 0: 10,000 */
	int64_t connect_timeout_ms;	/* 0: 5,000 */
	size_t answer_max;		/* bytes of the answer's body (0: 1 MB); more fails it */
	http_client_piece_fn *on_piece;	/* of ctx; NULL: the body is gathered */
	bool connects_only;		/* nothing is sent behind TLS, and a login where there is
					 * one: status is 0, or that of the login */
	bool is_once;			/* on a connection of its own: what is sent on a kept one
					 * that dies unanswered, curl sends again */
	void (*on_done)(void *ctx, const struct http_client_result *result);
	void *ctx;
};

struct http_client_result {
	enum err_code code;	/* ERR_NONE: an answer came, whatever its status */
	const char *text;	/* why not, led by the label; "" with an answer */
	const char *why;	/* the same without the label */
	bool is_refused;	/* nobody listens there */
	int status;		/* 0 without an answer */
	const char *body;	/* with a NUL behind it; never NULL */
	size_t body_size;
	int64_t total_ms;
	int64_t certificate_expires_at;	/* seconds since 1970; 0: not looked for, or not seen */
	const char *certificate;	/* that one in PEM; "": the same */
	struct http_client_call *call;	/* for the functions below */
};

/* NULL and *err when curl has no memory or the proxy, protocols or CA file cannot be used. */
struct http_client *http_client_new(struct loop *loop, const struct http_client_config *config,
    struct err *err) MUST_USE;

/* Cancels what is in progress and closes every connection.  NULL is fine.  Not inside on_done. */
void http_client_free(struct http_client *client);

/*
 * Starts a call.  NULL and *err when the queue is full (ERR_BUSY), curl has no memory or the
 * request cannot be made; on_done is not called then.  Otherwise it is called exactly once,
 * from the loop and never in here, unless the call is cancelled.  The request and what it
 * points at may go at once, but for the label, ctx and read_ctx.
 */
struct http_client_call *http_client_start(struct http_client *client,
    const struct http_client_request *request, struct err *err) MUST_USE;

/* Have bytes of it gone out, so that it may have been done whatever comes back?  In flight, and in
 * on_done of its result->call. */
bool http_client_was_sent(const struct http_client_call *call);

/* Ends a call without on_done.  NULL is fine.  Not for a call whose on_done has begun. */
void http_client_cancel(struct http_client_call *call);

/* In on_done: the moment of the answer's Date, in seconds since 1970; -1: it has none, or a wrong
 * one. */
int64_t http_client_date(const struct http_client_result *result);

/* In on_done: so many seconds of Retry-After, rounded up, a number or a date; 0: there is none. */
int64_t http_client_retry_after(const struct http_client_result *result);

/* In on_done: the value of a header of the answer, its name compared without case; NULL when
 * there is none, the last one when there are several. */
const char *http_client_header(const struct http_client_result *result, const char *name);
