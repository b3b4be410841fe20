/* run_verdict.h - turns an exit record into the event of a deployment's life.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "deployment/deployment.h"

struct run_verdict {
	enum deploy_event event;
	enum deploy_why why;	/* NONE: keep the one that the deployment has */
	bool target_changed;	/* the target may have changed */
	char detail[LIMIT_LINE];	/* "" : keep the one that the deployment has */
};

/*
 * What the record means for the deployment in the state it is in.  attempts_max: runs that are
 * ordered for one program before it is given up.  A run that never said `==> release` has not
 * touched the target, whatever it exits with, nor has a first release that has said that nothing
 * of it runs; one that was lost after its gate opened counts as having touched it, unless its
 * record says that it had begun a migration, and no release yet.
 */
struct run_verdict run_verdict(const struct deployment *deployment, const struct run_ended *ended,
    int attempts_max);

/* What it left is not known: nothing is started there before a person has looked. */
bool run_verdict_is_unknown(const struct run_ended *ended);

/* Its script ran, and exited with 0. */
bool run_verdict_is_success(const struct run_ended *ended);

/* How it ended, as a line; what its script said last is in it. */
void run_verdict_describe(const struct run_ended *ended, char out[LIMIT_LINE]);

/* Repository or target could not be reached: what runs there is not known. */
bool run_verdict_is_unreachable(const struct run_times *times);

/* Its script never ran: refused, its gate stayed shut, or it could not be executed. */
bool run_verdict_never_began(const struct run_ended *ended);
