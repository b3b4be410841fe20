/* command_revoke.c - /revoke <number>: what was lent is revoked.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "commands/commands.h"
#include "decide/decide_reply.h"
#include "decide/question/decide_where.h"
#include "decide/who/decide_allowed.h"
#include "decide/work/decide_loan.h"
#include "store/row_deployment.h"

static void
say_which(struct tx *tx, const struct update *update, int64_t number)
{
	decide_answer_no(tx, update);
	if (!decide_may_begin(tx, update, POLICY_CANCEL, ""))
		return;
	if (number == 0)
		(void)decide_sendf(tx, &update->address,
		    "Which one? " MARK_CODE "/revoke 12" MARK_CODE
		    " revokes what #12 was lent: the number stands in its message.");
	else
		(void)decide_sendf(tx, &update->address,
		    "#%" PRId64 " is no secret that was lent: " MARK_CODE "/show %" PRId64 MARK_CODE
		    " says what it is.",
		    number, number);
}

/* Whoever has it may give it up. */
static bool
is_own(struct tx *tx, const struct update *update, const struct deployment *work)
{
	return work->requested_by == update->person && !decide_is_stranger(tx, update->person);
}

void
command_revoke(struct tx *tx, const struct update *update, const struct request *request)
{
	struct deployment work;
	char rest[LIMIT_REF];
	int64_t number = decide_work(tx, update, request, rest, &work);

	if (work.id == 0 || !deployment_is_loan(&work))
		say_which(tx, update, number);
	else if (is_own(tx, update, &work) ||
	    decide_may(tx, update, POLICY_CANCEL, work.environment))
		decide_loan_revoke(tx, update, &work);
}
