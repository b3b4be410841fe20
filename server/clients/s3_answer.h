/* s3_answer.h - where an object of S3 is put, and what an answer to that comes to.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"
#include "types/limits.h"
#include "types/witness.h"

#define S3_ANSWER_MAX 65536 /* bytes; an error is some hundred */
#define S3_HOST	      (LIMIT_URL + 1)
#define S3_PATH	      512

/* Where a bucket is. */
struct s3_place {
	const char *endpoint; /* NULL: Amazon's, of that region */
	const char *bucket;
	const char *region;
};

struct s3_address {
	char host[S3_HOST]; /* as it is sent and signed, with its port */
	char path[S3_PATH]; /* encoded */
	char url[LIMIT_URL + S3_PATH];
};

/* key: "" is the bucket itself.  At an endpoint, and of a bucket with a dot in its name (whose host
 * no certificate of Amazon's has), the bucket stands in the path.  False: it is too long. */
bool s3_address(const struct s3_place *place, const char *key, struct s3_address *ret,
    struct err *err) MUST_USE;

/* What of an answer to a PUT with If-None-Match: * counts. */
struct s3_put_answer {
	int status;	      /* 0: none came */
	const char *checksum; /* x-amz-checksum-sha256; NULL: none, as below */
	const char *version;  /* x-amz-version-id */
	const char *body;
	size_t body_size;
};

/*
 * Confirmed is a 200 with that very checksum, a version and nothing else in it, or a 412 to what
 * was put before by us: is_repeated.  Nothing else is, whatever it says.
 */
struct witness_answer
s3_judge_put(const struct s3_put_answer *answer, const char *checksum, bool is_repeated);

/* Does this refuse the credentials, so that others are worth a try? */
bool s3_refuses_credentials(const struct s3_put_answer *answer);
