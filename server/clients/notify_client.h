/* notify_client.h - one message to one of NOTIFY_<NAME>_TO: one try, nothing about when.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/err.h"
#include "lib/loop.h"
#include "types/notify.h"

struct http_client;
struct notify_clients;
struct notify_call;

typedef void notify_done_fn(void *ctx, const struct notify_said *said);

struct notify_request {
	const struct notify *to;
	const char *word; /* of types/notify.h */
	const char *key;  /* the same at each try */
	const char *text; /* marked */
	const char *data; /* JSON */
	int64_t at;	  /* wall ms of what is told */
	notify_done_fn *on_done;
	void *ctx;
};

/* A client for each kind: they share no connection.  NULL: *err says why. */
struct notify_clients *notify_clients_new(struct loop *loop, struct err *err) MUST_USE;
void notify_clients_free(struct notify_clients *clients); /* takes NULL */

/* on_done comes exactly once within 15 s, from the loop and never in here, unless it is cancelled.
 * What the request points at may go at once, but for ctx.  NULL: not sent; *err says why. */
struct notify_call *notify_start(struct notify_clients *clients,
    const struct notify_request *request, struct err *err) MUST_USE;

/* What is asked of a room at Matrix. */
#define NOTIFY_URL 2048
void notify_matrix_url(const struct notify *to, const char *rest, char ret[NOTIFY_URL]);

/* The client of that kind, to look whether it is there; and how its mail server is talked to. */
struct http_client *notify_client_of(const struct notify_clients *clients, enum notify_kind kind);
bool notify_is_in_clear(const struct notify *to);

/* Without on_done.  NULL is fine. */
void notify_cancel(struct notify_call *call);
