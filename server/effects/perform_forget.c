/* perform_forget.c - removes the folder of a run that is long past.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "effects/perform.h"
#include "lib/err.h"
#include "lib/log.h"
#include "runs/run_files.h"
#include "runs/runs.h"

void
perform_forget(struct perform *perform, struct effect *effect)
{
	struct err err;

	/* What stays today is no harm, and no reason to ask again: its row is gone either way. */
	if (!run_files_remove(runs_state_directory(perform->runs), effect->u.forget.run, &err))
		log_warning("an old run's log stays: %s", err.text);
	perform_report(perform, effect);
}

void
again_forget(struct perform *perform, struct effect *effect)
{
	perform_forget(perform, effect);
}
