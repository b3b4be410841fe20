/* s3_read.h - one GET of a bucket or of an object's version, signed; tries once.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/* For an auditor's machine: the server itself never reads the bucket. */
#pragma once

#include "lib/err.h"
#include "lib/http_client.h"
#include "lib/sigv4.h"

struct s3_read_call;

struct s3_read_place {
	const char *endpoint; /* "https://HOST[:PORT]", no path */
	const char *region;
	const char *bucket;
	struct sigv4_credentials keys;
};

struct s3_read_answer {
	enum err_code code; /* ERR_NONE: an answer came */
	const char *text;   /* why not */
	int status;
	const char *body;
	size_t body_size;
	const char *version;	/* x-amz-version-id; NULL: it has none, as the others */
	const char *lock_mode;	/* x-amz-object-lock-mode */
	const char *lock_until; /* x-amz-object-lock-retain-until-date */
};

typedef void s3_read_fn(void *ctx, const struct s3_read_answer *answer);

/* Not to an address of a link. */
struct http_client *s3_read_client(
    struct loop *loop, const char *ca_file, unsigned calls, struct err *err) MUST_USE;

struct s3_read {
	const struct s3_read_place *place; /* must live until on_done; the rest may go at once */
	const char *key;	/* NULL: the bucket itself */
	const char *query;	/* encoded */
	size_t answer_max;
	s3_read_fn *on_done;	/* comes once, from the loop and never in s3_read_start() */
	void *ctx;
};

/* NULL: *err says why. */
struct s3_read_call *s3_read_start(
    struct http_client *client, const struct s3_read *read, struct err *err) MUST_USE;

/* Without on_done.  NULL is fine. */
void s3_read_cancel(struct s3_read_call *call);
