/* perform_timer.c - a deadline: the row keeps wall time, the timer what is left.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "effects/perform_inside.h"
#include "lib/clock.h"
#include "lib/log.h"

static void
on_due(struct perform_job *job)
{
	perform_report(perform_job_free(job));
}

void
perform_timer(struct perform *perform, struct effect *effect)
{
	struct perform_job *job = perform_job_new(sizeof(*job), perform, effect, on_due);

	if (job == NULL) {
		/* Too early is the safe side: a question closes, git is asked once more. */
		log_warning("no memory for a deadline: it passes now");
		perform_report(effect);
		return;
	}
	perform_job_wait(job, effect->due - clock_wall_ms());
}

void
recover_timer(struct perform *perform, struct effect *effect)
{
	perform_timer(perform, effect);
}

void
withdraw_timer(struct perform_job *job)
{
	effect_free(perform_job_free(job));
}
