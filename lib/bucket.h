/* bucket.h - a token bucket as a value.  Knows no clock.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

/* `capacity` tokens at most, a new one every `token_ms`. */
struct bucket_rate {
	int64_t capacity;
	int64_t token_ms;
};

/* The whole state, fit for a row; all zero is a full one.  Any clock in ms that the caller stays
 * with; one that jumps back costs no more than one emptied bucket. */
struct bucket {
	int64_t full_at;       /* when it will be full again */
	int64_t blocked_until; /* bucket_block; 0 where that is not used */
};

/* Takes n tokens if they are there. */
MUST_USE bool bucket_take(struct bucket *b, struct bucket_rate rate, int64_t now, int64_t n);

/* ms until n tokens (at most capacity) will be there; 0 when they are. */
int64_t bucket_wait_ms(const struct bucket *b, struct bucket_rate rate, int64_t now, int64_t n);

/* Nothing for the next ms: what a peer's "retry after" says. */
void bucket_block(struct bucket *b, int64_t now, int64_t ms);
