/* decide_history.c - what became of what a deployment has released, or of what was lent.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/git/decide_history.h"

#include "chat/chat_hosts.h"
#include "decide/decide_reply.h"
#include "decide/work/decide_promotion.h"
#include "store/row_environment.h"
#include "store/row_host_list.h"
#include "store/row_loan.h"

/* Where it was not given Vault has something to end at most. */
static void
find_loan(struct tx *tx, const struct deployment *work, struct chat_history *ret)
{
	const struct loan_row row = row_loan_get(tx, work->id);
	bool is_bad = work->state == DEPLOY_DONE && work->why == DEPLOY_WHY_INTERRUPTED;

	ret->until = row.until;
	ret->loan = row.accessor[0] == '\0' ? CHAT_LOAN_NONE :
	    row.state == LOAN_GIVEN	    ? CHAT_LOAN_LENT :
	    row.state == LOAN_ENDING	    ? CHAT_LOAN_REVOKING :
	    row.state != LOAN_OVER	    ? CHAT_LOAN_NONE :
	    is_bad			    ? CHAT_LOAN_ENDED_BADLY :
	    row.until == 0		    ? CHAT_LOAN_REVOKED :
					      CHAT_LOAN_ENDED;
}

struct chat_history
decide_history(struct tx *tx, const struct deployment *work)
{
	struct chat_history is = { .clock = decide_clock(tx, work->environment), .at = tx->at };
	struct environment environment;
	struct promotion promotion;
	struct deployment active;
	struct host_mix mix;
	bool is_current;

	is.is_promotion = decide_promotion_of(tx, work, &promotion)->from[0] != '\0';
	is.is_to_hosts = promotion_is_own(&promotion, work->environment);
	is.is_promotion &= !is.is_to_hosts;
	if (deployment_is_loan(work))
		find_loan(tx, work, &is);
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
	if (is.serves && work->waves > 0) {
		row_host_mix(tx, work->environment, &mix);
		is.hosts = chat_host_share(&mix, work->commit);
	}
	return is;
}
