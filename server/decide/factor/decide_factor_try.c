/* decide_factor_try.c - a code is asked for, and taken, only for what is done with it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/factor/decide_factor_try.h"

#include "decide/factor/decide_factor.h"
#include "decide/factor/decide_factor_inside.h"
#include "decide/factor/decide_factor_state_inside.h"
#include "decide/decide_reply.h"
#include "lib/text.h"
#include "store/tx_try.h"

struct trial {
	const struct update *update;
	decide_factor_fn *act;
	void *arg;
	bool only_asks;
	int64_t work; /* that a code would be about */
};

static void
on_tried(struct tx *tx, void *arg)
{
	struct trial *trial = arg;

	tx->factor_of = trial->update->person;
	trial->act(tx, trial->update, trial->arg);
	trial->only_asks = decide_factor_state(tx)->only_asks;
	trial->work = decide_factor_work(tx);
	tx->factor_of = 0; /* none was given */
}

static enum decide_factor_end
try_with(struct tx *tx, struct trial *trial)
{
	struct tx_factor *factor = decide_factor_state(tx), before;
	bool would_do;

	assert(!factor->is_trial);
	factor->is_wanted = factor->only_asks = false;
	before = *factor;
	factor->is_counted = factor->is_trial = true;
	would_do = tx_try(tx, on_tried, trial);
	if (would_do)
		*factor = before;
	factor->is_counted = before.is_counted;
	factor->is_trial = false;
	factor->may_take_code = would_do && !trial->only_asks;
	return !would_do ? FACTOR_REFUSED : trial->only_asks ? FACTOR_ASKS_FIRST : FACTOR_WANTED;
}

enum decide_factor_end
decide_factor_try(struct tx *tx, const struct update *update, decide_factor_fn *act, void *arg)
{
	struct trial trial = { .update = update, .act = act, .arg = arg };

	return try_with(tx, &trial);
}

bool
decide_factor_asks(struct tx *tx, const struct update *update, decide_factor_fn *act, void *arg)
{
	bool is_wanted;

	act(tx, update, arg);
	is_wanted = decide_factor_is_wanted(tx) &&
	    decide_factor_try(tx, update, act, arg) != FACTOR_REFUSED;
	if (tx->factor != NULL)
		tx->factor->is_wanted = tx->factor->may_take_code = is_wanted;
	return is_wanted;
}

bool
decide_factor_proves(
    struct tx *tx, const struct update *update, const char *what, decide_factor_fn *act, void *arg)
{
	struct trial trial = { .update = update, .act = act, .arg = arg };
	bool would_do = try_with(tx, &trial) != FACTOR_REFUSED;
	struct tx_factor *factor = decide_factor_state(tx);

	factor->work = would_do ? trial.work : factor->work;
	factor->is_wanted = factor->may_take_code = would_do;
	text_setf(factor->what, "%s", what); /* cut is fine */
	return would_do;
}

bool
decide_factor_give(
    struct tx *tx, const struct update *update, const char *code, char why[LIMIT_LINE])
{
	struct tx_factor *factor = decide_factor_state(tx);
	bool is_taken;

	assert(factor->may_take_code); /* what it is for was tried */
	is_taken = totp_is_code(code) ?
	    decide_factor_take(tx, update, code, why) :
	    decide_factor_recover(tx, update, update->person, code, why);
	factor->may_take_code = factor->is_wanted = false;
	factor->is_counted = factor->is_counted || is_taken;
	return is_taken;
}

void
decide_factor_refuse_program(
    struct tx *tx, const struct update *update, const struct request *request)
{
	decide_factor_drop(tx);
	decide_audit_denied(tx, update, AUDIT_CODE_CODE_IMPOSSIBLE, request->action,
	    request->target, "needs a code");
	decide_refusef(tx, 403,
	    "%s needs a code of the second factor (REQUIRE_OTP), which no %s has: let <ENV>_CONFIRM ask a person",
	    decide_factor_for(tx), principal_is_hook(update->person) ? "hook" : "workflow");
}
