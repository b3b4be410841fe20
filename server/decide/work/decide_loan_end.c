/* decide_loan_end.c - a job is over, or a grant: what was lent by it ends.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_loan_end.h"

#include "decide/hold/decide_refusal.h"
#include "decide/work/decide_loan_inside.h"
#include "store/row_deployment.h"
#include "store/row_job.h"
#include "store/row_loan.h"
#include "types/repository.h"
#include "types/settings.h"

/* By the secret of the application in whose file the name stands, its own or the main one. */
static bool
is_signed_for(struct tx *tx, const char *name, const struct delivery *delivery)
{
	const struct settings *application = settings_clock(tx->settings, name);

	return delivery->by_app ?
	    application->github.app_webhook_secret != NULL :
	    strcmp(repository_hook(application, delivery->forge), delivery->hook) == 0;
}

void
decide_loan_over(struct tx *tx, const struct delivery *delivery)
{
	int64_t number = INT64_MAX;
	struct deployment work;
	struct row_job of;

	while ((number = row_loan_over(tx, delivery->job, number)) != 0 && !tx->failed) {
		row_deployment_get(tx, number, &work);
		row_job_get(tx, number, &of);
		if (is_signed_for(tx, work.environment, delivery) ||
		    is_signed_for(tx, of.job.workflow, delivery))
			decide_loan_drop(tx, number, LOAN_END_JOB_OVER);
	}
}

/* What may be granted by a file that cannot be read now. */
static bool
is_unread(struct tx *tx, int64_t number)
{
	struct deployment work;
	struct row_job of;

	row_deployment_get(tx, number, &work);
	row_job_get(tx, number, &of);
	return decide_keeps_waiting(tx, work.environment) ||
	    settings_is_unread(tx->settings, of.job.workflow);
}

/* Of what has ended in its queue nothing was made: it is looked at once. */
void
decide_loans_look(struct tx *tx)
{
	static const enum loan_state open[] = { LOAN_ASKED, LOAN_KEPT, LOAN_GIVEN };

	for (size_t i = 0; i < COUNT(open); i++) {
		int64_t number = 0;

		while ((number = row_loan_next(tx, open[i], number)) != 0 && !tx->failed)
			if (!is_unread(tx, number))
				decide_loan_check(tx, number);
	}
}
