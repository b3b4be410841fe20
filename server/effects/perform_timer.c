/* perform_timer.c - a deadline: the row keeps wall time, the timer what is left.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "effects/perform_inside.h"
#include "lib/clock.h"
#include "lib/column.h"
#include "types/repository.h"
#include "types/settings.h"

/* The longest that a timer of its kind ever waits, in ms: a row that says more was written by a
 * clock that was ahead. */
static int64_t
longest_ms(const struct effect *effect)
{
	static const int longest_s[] = { TIMERS(COLUMN_THIRD) };
	int seconds = longest_s[effect->u.timer.kind];

	if (effect->u.timer.kind == TIMER_POLL && effect->settings != NULL &&
	    repository_poll_seconds(effect->settings) < seconds)
		seconds = repository_poll_seconds(effect->settings);
	return seconds * INT64_C(1000);
}

static void
on_due(struct perform_job *job)
{
	perform_report(perform_job_free(job));
}

void
perform_timer(struct perform *perform, struct effect *effect)
{
	struct perform_job *job =
	    perform_job_new(sizeof(*job), perform, effect, on_due, perform_job_drop);
	int64_t left = effect->due - clock_wall_ms(), longest = longest_ms(effect);

	perform_job_wait(job, left < longest ? left : longest);
}
