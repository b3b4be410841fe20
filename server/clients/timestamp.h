/* timestamp.h - asks an authority for an RFC 3161 timestamp of a hash: one try.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/crypto_ts.h"
#include "lib/err.h"
#include "lib/http_client.h"
#include "lib/loop.h"

struct timestamp_call;

/* answer NULL: *err says why not; else it is granted, of that hash and nonce, and signed by whom ca
 * trusts; size bytes in DER. */
typedef void timestamp_done_fn(void *ctx, const void *answer, size_t size,
    const struct crypto_ts *stamp, const struct err *err);

struct timestamp_request {
	const char *url;	/* AUDIT_TIMESTAMP_URL */
	const char *ca_file;	/* AUDIT_TIMESTAMP_CA; NULL: the signature is not looked at */
	uint8_t hash[CRYPTO_SHA256_SIZE];
	timestamp_done_fn *on_done;
	void *ctx;
};

/* A trust zone of its own. */
struct http_client *timestamp_client(struct loop *loop, struct err *err) MUST_USE;

/* on_done comes exactly once, from the loop and never in here, unless it is cancelled.  What the
 * request points at may go at once, but for ctx.  NULL: could not be started; *err says why. */
struct timestamp_call *timestamp_start(
    struct http_client *client, const struct timestamp_request *request, struct err *err) MUST_USE;

/* Without on_done.  NULL is fine. */
void timestamp_cancel(struct timestamp_call *call);
