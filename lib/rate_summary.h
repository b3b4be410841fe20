/* rate_summary.h - counts what may happen often and reports it at most once a period.  Knows no clock.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

/* All zero: nothing happened yet. */
struct rate_summary {
	int64_t count;		/* not yet reported */
	int64_t next_at;	/* not reported before; 0: at once */
};

/* It happened once more at `now` (any clock in ms that the caller stays with).  Returns how many
 * to report now, 0: not now; ask rate_summary_due() later. */
int64_t rate_summary_add(struct rate_summary *summary, int64_t period_ms, int64_t now);

/* How many to report now, though nothing new happened; 0: none, or not yet. */
int64_t rate_summary_due(struct rate_summary *summary, int64_t period_ms, int64_t now);

/* All that is not yet reported, whatever the period says; 0: none. */
int64_t rate_summary_take(struct rate_summary *summary);

/* ms until rate_summary_due() will have something; -1: nothing waits. */
int64_t rate_summary_wait_ms(const struct rate_summary *summary, int64_t now);

/* What was to be reported could not be: keep it for the next time. */
void rate_summary_put_back(struct rate_summary *summary, int64_t count);
