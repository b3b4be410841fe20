/* decide_barrier.c - which barriers a rollback would go past: releases that bar it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/queue/decide_barrier.h"

#include "lib/text.h"
#include "store/row_environment.h"
#include "store/row_past.h"

static void
add(struct barrier ret[BARRIERS_SHOWN], size_t *n, const struct deployment *of, const char *reason)
{
	struct barrier *barrier = &ret[*n];

	if (reason[0] == '\0')
		return;
	*barrier = (struct barrier){ 0 };
	if (of != NULL) {
		barrier->source = of->source;
		text_set(barrier->commit, of->commit);
	}
	text_set(barrier->reason, reason);
	(*n)++;
}

/* The release that is live, or, of the same commit once more, the one before it: as
 * decide_set_previous() finds it. */
static struct release
find_target(struct tx *tx, const struct deployment *work, const struct environment *environment)
{
	if (work->program == PROGRAM_ROLLBACK)
		return work->to_release != 0 ?
		    row_release_get(tx, work->to_release) :
		    row_release_find(tx, work->environment, work->commit);
	return strcmp(environment->current.commit, work->commit) == 0 ? environment->previous :
									environment->current;
}

size_t
decide_list_barriers(
    struct tx *tx, const struct deployment *work, struct barrier ret[BARRIERS_SHOWN])
{
	struct environment environment;
	struct release to;
	struct barrier of_releases[BARRIERS_SHOWN];
	struct deployment last;
	size_t n = 0, more = 0;

	row_environment_get(tx, work->environment, &environment);
	to = find_target(tx, work, &environment);
	if (deployment_is_action(work))
		return 0;
	add(ret, &n, NULL, work->barrier);
	row_deployment_last_changed(tx, work->environment, &last);
	if (environment_is_in_doubt(&environment) && last.id != work->id &&
	    (last.state == DEPLOY_FAILED || last.state == DEPLOY_ROLLBACK_FAILED))
		add(ret, &n, &last, last.barrier);
	/* What is newer than the live one is no rollback. */
	if (to.id != 0 && to.id != environment.current.id &&
	    to.origin <= environment.current.origin)
		more = row_release_list_barriers(tx, &to, &environment.current, of_releases);
	for (size_t i = 0; i < more && n < BARRIERS_SHOWN; i++)
		ret[n++] = of_releases[i];
	return n;
}

bool
decide_is_barred(struct tx *tx, const struct deployment *work)
{
	struct barrier barriers[BARRIERS_SHOWN];

	return !(work->program == PROGRAM_ROLLBACK && work->is_past_barrier) &&
	    decide_list_barriers(tx, work, barriers) > 0;
}

size_t
decide_list_past(struct tx *tx, const struct deployment *work, struct barrier ret[BARRIERS_SHOWN])
{
	return work->program == PROGRAM_DEPLOY ? row_past_list(tx, work->id, ret) : 0;
}

bool
decide_is_past_unshown(struct tx *tx, const struct deployment *work)
{
	struct barrier past[BARRIERS_SHOWN];

	return !work->is_past_barrier && decide_list_past(tx, work, past) > 0;
}
