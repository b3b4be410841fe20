/* decide_previous.c - which release a deployment replaces, and whether a rollback goes forward.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/queue/decide_previous.h"

#include "lib/text.h"
#include "store/row_environment.h"
#include "store/row_job.h"
#include "store/row_run.h"

#define EARLIER_LOOKED_AT 8

struct release
decide_previous(struct tx *tx, const struct deployment *deployment)
{
	struct environment environment;

	row_environment_get(tx, deployment->environment, &environment);
	/* The same once more: what was live before it. */
	return strcmp(environment.current.commit, deployment->commit) == 0 ? environment.previous :
									     environment.current;
}

static void
set(struct deployment *deployment, const struct release *back)
{
	deployment->previous_source = back->source;
	text_set(deployment->previous, back->commit);
	text_set(deployment->previous_image, back->image);
}

void
decide_set_previous(struct tx *tx, struct deployment *deployment)
{
	struct release back = decide_previous(tx, deployment);

	set(deployment, &back);
}

void
decide_set_previous_live(struct tx *tx, struct deployment *deployment)
{
	struct environment environment;

	set(deployment, &row_environment_get(tx, deployment->environment, &environment)->current);
}

size_t
decide_list_earlier(
    struct tx *tx, const struct environment *environment, struct release *ret, size_t max)
{
	return row_release_list_earlier(tx, environment->name,
	    environment_is_in_doubt(environment) ? "" : environment->current.commit, ret, max);
}

/* What was brought back there last, was not healthy then, and answers healthy now; "": nothing. */
static void
find_well_again(struct tx *tx, const struct environment *environment, char ret[static LIMIT_COMMIT])
{
	struct deployment last = { 0 };
	int64_t id;

	if (environment_is_in_doubt(environment) &&
	    row_deployment_list_down(tx, environment->name, environment->current.at, &id, 1) == 1)
		row_deployment_get(tx, id, &last);
	ret[0] = '\0';
	if (!deployment_is_looked_well(&last) || row_run_end(tx, last.run) != RUN_SUCCEEDED)
		return;
	if (deployment_is_rollback(&last))
		(void)text_copy(ret, LIMIT_COMMIT, last.commit);
	else if (last.state == DEPLOY_ROLLBACK_FAILED)
		(void)text_copy(ret, LIMIT_COMMIT, last.previous);
}

struct release
decide_choose_earlier(struct tx *tx, const struct environment *environment)
{
	struct release found[EARLIER_LOOKED_AT] = { environment->current };
	char well[LIMIT_COMMIT];
	size_t n = 0;

	/* It may be blocked, as it is where what was deployed and failed was the same commit. */
	if (environment_is_in_doubt(environment) && environment->current.id != 0)
		n = 1;
	n += decide_list_earlier(tx, environment, found + n, COUNT(found) - n);
	find_well_again(tx, environment, well);
	for (size_t i = 0; i < n; i++)
		if (strcmp(found[i].commit, well) == 0)
			return found[i];
	for (size_t i = 0; i < n; i++)
		if (row_deployment_failed_since(tx, &found[i]) == 0)
			return found[i];
	return n > 0 ? found[0] : (struct release){ 0 };
}

struct release
decide_advise_earlier(struct tx *tx, const struct environment *environment)
{
	struct release to = decide_choose_earlier(tx, environment);
	char well[LIMIT_COMMIT];

	find_well_again(tx, environment, well);
	return row_deployment_failed_since(tx, &to) == 0 || strcmp(to.commit, well) == 0 ?
	    to :
	    (struct release){ 0 };
}

void
decide_set_direction(struct tx *tx, struct deployment *deployment)
{
	struct environment environment;

	row_environment_get(tx, deployment->environment, &environment);
	deployment->is_forward =
	    row_release_get(tx, deployment->to_release).origin > environment.current.origin;
}

const char *
decide_live(struct tx *tx, const struct deployment *work, const struct environment *environment,
    char ret[LIMIT_COMMIT])
{
	struct last_gate gate;

	(void)text_copy(ret, LIMIT_COMMIT, environment->current.commit);
	if (deployment_is_gate(work) &&
	    row_job_last_gate(tx, work->environment, true, &gate)->ended_at >
		environment->current.at)
		(void)text_copy(ret, LIMIT_COMMIT, gate.commit);
	return ret;
}

const char *
decide_git_base(struct tx *tx, const struct deployment *work, const struct environment *environment,
    char ret[LIMIT_COMMIT])
{
	(void)decide_live(tx, work, environment, ret);
	if (strcmp(ret, environment->current.commit) == 0 &&
	    !commit_is_git(environment->current.source, ret))
		ret[0] = '\0';
	return ret;
}
