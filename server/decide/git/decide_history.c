/* decide_history.c - what became of what a deployment has released.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/git/decide_history.h"

#include "decide/decide_reply.h"
#include "store/row_environment.h"

struct chat_history
decide_history(struct tx *tx, const struct deployment *work)
{
	struct chat_history is = { .clock = decide_clock(tx, work->environment), .at = tx->at };
	struct environment environment;
	struct deployment active;
	bool is_current;

	if (work->state != DEPLOY_LIVE)
		return is;
	row_environment_get(tx, work->environment, &environment);
	row_deployment_active(tx, work->environment, &active);
	is_current = environment.current.deployment == work->id;
	is.release = row_release_number(tx, work);
	is.since = is_current ? environment.current.at : work->ended_at;
	is.until = row_release_until(tx, work);
	is.is_left = row_release_is_left(tx, work);
	is.serves = is_current && environment_is_serving(&environment, &active);
	return is;
}
