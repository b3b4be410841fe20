/* rate_summary.c - counts what may happen often and reports it at most once a period.  Knows no clock.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "lib/rate_summary.h"

int64_t
rate_summary_add(struct rate_summary *summary, int64_t period_ms, int64_t now)
{
	if (summary->count < INT64_MAX)
		summary->count++;
	return rate_summary_due(summary, period_ms, now);
}

int64_t
rate_summary_due(struct rate_summary *summary, int64_t period_ms, int64_t now)
{
	int64_t count = summary->count;

	/* A clock that jumped back must not silence it for longer than a period. */
	if (summary->next_at - now > period_ms)
		summary->next_at = now + period_ms;
	if (count == 0 || now < summary->next_at)
		return 0;
	summary->count = 0;
	summary->next_at = now + period_ms;
	return count;
}

int64_t
rate_summary_take(struct rate_summary *summary)
{
	int64_t count = summary->count;

	summary->count = 0;
	return count;
}

int64_t
rate_summary_wait_ms(const struct rate_summary *summary, int64_t now)
{
	if (summary->count == 0)
		return -1;
	return summary->next_at > now ? summary->next_at - now : 0;
}

void
rate_summary_put_back(struct rate_summary *summary, int64_t count)
{
	summary->count = summary->count > INT64_MAX - count ? INT64_MAX : summary->count + count;
}
