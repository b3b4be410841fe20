/* rate_summary.c - counts what may happen often and reports it at most once a period.  Knows no clock.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "lib/rate_summary.h"

int64_t
rate_summary_add(struct rate_summary *note, int64_t period_ms, int64_t now)
{
	if (note->count < INT64_MAX)
		note->count++;
	return rate_summary_due(note, period_ms, now);
}

int64_t
rate_summary_due(struct rate_summary *note, int64_t period_ms, int64_t now)
{
	int64_t count = note->count;

	/* A clock that jumped back must not silence it for longer than a period. */
	if (note->next_at - now > period_ms)
		note->next_at = now + period_ms;
	if (count == 0 || now < note->next_at)
		return 0;
	note->count = 0;
	note->next_at = now + period_ms;
	return count;
}

int64_t
rate_summary_wait_ms(const struct rate_summary *note, int64_t now)
{
	if (note->count == 0)
		return -1;
	return note->next_at > now ? note->next_at - now : 0;
}

void
rate_summary_put_back(struct rate_summary *note, int64_t count)
{
	note->count = note->count > INT64_MAX - count ? INT64_MAX : note->count + count;
}
