/* order_check.h - is this order the server's, for us, for now, and for the first time?  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * No clock is trusted and nothing is remembered of orders: whoever wants to order asks for a
 * challenge, which one order may answer, within ORDER_WAIT_MS, on the connection that asked.  An
 * order that is repeated, or held back, names none that is valid.
 */
#pragma once

#include "lib/order_bytes.h"
#include "lib/order_keys.h"

#define ORDER_WAIT_MS	    30000
#define ORDER_CHALLENGE_HEX 32

/* Of one connection, all zero at first. */
struct order_challenge {
	char hex[ORDER_CHALLENGE_HEX + 1]; /* "": none is valid */
	int64_t due;			   /* monotonic ms: then it is void */
};

/* An order as it came; who it is for is not among that. */
struct order_shown {
	struct order_bytes bytes;
	const char *signature; /* hex */
	uint64_t lowest;       /* the epoch below which nothing is taken any more */
};

/* A new one, which makes the one before void. */
bool order_challenge_draw(struct order_challenge *ret, struct err *err) MUST_USE;

/* Takes the challenge, whatever the answer. */
bool order_check(struct order_challenge *challenge, const struct order_shown *shown,
    const struct order_keys *keys, struct err *err) MUST_USE;

/* Has one of the keys made this signature (hex) of that order? */
bool order_is_signed(const char *text, const struct order_bytes *order,
    const struct order_keys *keys) MUST_USE;
