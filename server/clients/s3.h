/* s3.h - one object is put into a bucket, once: one try, nothing about when or why.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/* No key stands in a log, an error or an answer. */
#pragma once

#include "clients/s3_answer.h"
#include "lib/http_client.h"
#include "lib/loop.h"
#include "lib/sigv4.h"

struct s3_call;

/* is_refused: the credentials are, as such. */
typedef void s3_done_fn(void *ctx, const struct witness_answer *answer, bool is_refused);

struct s3_put {
	struct s3_place place;
	const struct sigv4_credentials *credentials;
	const char *key;
	const void *body;
	size_t body_size;
	bool is_repeated; /* it may have been put before, by us */
	s3_done_fn *on_done;
	void *ctx;
};

/* on_done comes exactly once, from the loop and never in here, unless it is cancelled.  What the
 * request points at may go at once, but for ctx.  NULL: could not be started; *err says why. */
struct s3_call *
s3_put_start(struct http_client *client, const struct s3_put *put, struct err *err) MUST_USE;

/* Without on_done.  NULL is fine. */
void s3_cancel(struct s3_call *call);
