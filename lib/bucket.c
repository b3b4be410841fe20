/* bucket.c - the generic cell rate algorithm: one number is the whole state.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "lib/bucket.h"

/* ms from empty to full. */
static int64_t
whole(struct bucket_rate rate)
{
	assert(rate.capacity > 0 && rate.token_ms > 0);
	assert(rate.capacity <= INT64_MAX / 4 / rate.token_ms);
	return rate.capacity * rate.token_ms;
}

/* ms of refill that are missing now; more than all means that the clock jumped back. */
static int64_t
missing(const struct bucket *b, struct bucket_rate rate, int64_t now)
{
	int64_t ms = b->full_at > now ? b->full_at - now : 0;

	return ms < whole(rate) ? ms : whole(rate);
}

static int64_t
blocked(const struct bucket *b, int64_t now)
{
	return b->blocked_until > now ? b->blocked_until - now : 0;
}

int64_t
bucket_wait_ms(const struct bucket *b, struct bucket_rate rate, int64_t now, int64_t n)
{
	int64_t wait;

	if (n > rate.capacity)
		n = rate.capacity;
	wait = missing(b, rate, now) + n * rate.token_ms - whole(rate);
	return wait > blocked(b, now) ? wait : blocked(b, now);
}

bool
bucket_take(struct bucket *b, struct bucket_rate rate, int64_t now, int64_t n)
{
	if (n > rate.capacity || bucket_wait_ms(b, rate, now, n) > 0)
		return false;
	b->full_at = now + missing(b, rate, now) + n * rate.token_ms;
	return true;
}

void
bucket_block(struct bucket *b, int64_t now, int64_t ms)
{
	if (b->blocked_until < now + ms)
		b->blocked_until = now + ms;
}
