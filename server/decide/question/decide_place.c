/* decide_place.c - where the rows of a target stand: a client that is an environment is in its queue.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/question/decide_place.h"

#include "store/row_deployment.h"
#include "store/row_loan.h"
#include "store/row_queue.h"
#include "store/row_work_pipeline.h"

const char *
decide_place_rows(const struct tx *tx, const char *target)
{
	const char *id = environment_client(target);
	const struct client_settings *client =
	    id != NULL ? settings_client(tx->settings, id) : NULL;

	return client != NULL ? client->target : target;
}

bool
decide_place_has(const struct deployment *work, const char *target)
{
	return strcmp(work->environment, target) == 0 ||
	    strcmp(deployment_target_here(work), target) == 0;
}

/* Of all that there is. */
static struct deployment *
find_any(struct tx *tx, const char *name, struct deployment *ret)
{
	row_deployment_active(tx, name, ret);
	if (ret->id == 0)
		row_deployment_get(tx, row_work_pipeline_next(tx, name, 0), ret);
	if (ret->id == 0)
		row_deployment_queued(tx, name, ret);
	if (ret->id == 0)
		row_deployment_asking(tx, name, ret);
	return ret->id != 0 ? ret : row_deployment_get(tx, row_loan_open(tx, name, 0), ret);
}

static bool
is_meant(const struct deployment *work, const char *target, int64_t person)
{
	return work->id != 0 && decide_place_has(work, target) &&
	    (person == 0 || deployment_is_own_place(work, person));
}

struct deployment *
decide_place_open(struct tx *tx, const char *target, int64_t person, struct deployment *ret)
{
	const char *rows = decide_place_rows(tx, target);
	int64_t ids[ROW_QUEUE_LIST];
	size_t n;

	if (person == 0 && strcmp(rows, target) == 0)
		return find_any(tx, target, ret);
	if (is_meant(row_deployment_active(tx, rows, ret), target, person))
		return ret;
	n = row_queue_list(tx, rows, ids);
	for (size_t i = 0; i < n; i++)
		if (is_meant(row_deployment_get(tx, ids[i], ret), target, person))
			return ret;
	for (int64_t id = 0; (id = row_deployment_next_asked(tx, rows, id)) != 0;)
		if (is_meant(row_deployment_get(tx, id, ret), target, person))
			return ret;
	*ret = (struct deployment){ 0 };
	return ret;
}

bool
decide_place_has_more(
    struct tx *tx, const struct environment *environment, const struct deployment *work)
{
	int64_t loan;

	if (deployment_is_pipeline(work) && deploy_flow_class(work->state) == DEPLOY_CLASS_ACTIVE)
		return row_work_pipeline_next(tx, work->environment,
			   row_work_pipeline_next(tx, work->environment, 0)) != 0;
	if (deployment_is_loan(work) && environment_push_waits(environment))
		return true;
	if (!deployment_is_loan(work) && deploy_flow_class(work->state) != DEPLOY_CLASS_OPEN)
		return false;
	loan = row_loan_open(tx, work->environment, 0);
	return loan != 0 && (loan != work->id || row_loan_open(tx, work->environment, loan) != 0);
}
