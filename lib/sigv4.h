/* sigv4.h - signs one request as AWS's Signature Version 4 has it for S3.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html.  The whole body is one
 * payload, whose hash is signed.
 */
#pragma once

#include "lib/base.h"

struct buf;

#define SIGV4_ACCESS_KEY_MAX	128
#define SIGV4_SECRET_KEY_MAX	256
#define SIGV4_TOKEN_MAX		4096
#define SIGV4_REGION_MAX	63
#define SIGV4_AUTHORIZATION_MAX 1024
#define SIGV4_HEADERS_MAX	16 /* signed ones, with the four that are made here */

struct sigv4_credentials {
	const char *access_key;
	const char *secret_key;
	const char *token; /* of a session; NULL or "": there is none */
};

struct sigv4_request {
	const char *method;
	const char *host;	    /* as it is sent: with its port, if not the scheme's */
	const char *path;	    /* as it is sent: encoded, from its '/' on */
	const char *query;	    /* as it is sent, in any order; NULL or "": none */
	const char *const *headers; /* to be signed too: "Name: value"; NULL: none */
	const char *payload;	    /* SHA-256 of the body, 64 digits in lower case */
	const char *region;
	int64_t at;		    /* wall ms */
};

/* Lines that must be sent with it, beside Host and the request's own headers. */
struct sigv4_lines {
	char date[32];	  /* x-amz-date */
	char payload[96]; /* x-amz-content-sha256 */
	char token[SIGV4_TOKEN_MAX + 32]; /* x-amz-security-token; "": it is not sent */
	char authorization[SIGV4_AUTHORIZATION_MAX]; /* Authorization */
};

/* False: OpenSSL had no memory; keys, region or headers are longer, more or of another form than
 * they may be; no secret stands in *err. */
bool sigv4_sign(const struct sigv4_request *request, const struct sigv4_credentials *credentials,
    struct sigv4_lines *ret, struct err *err) MUST_USE;

/* Appends a text of a path or of one name or value of a query as it must be sent: all but
 * A-Z a-z 0-9 - . _ ~ as %XX, and '/' too where it does not part a path. */
void sigv4_encode(struct buf *out, const char *text, bool is_path);
