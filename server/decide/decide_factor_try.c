/* decide_factor_try.c - a code is asked for, and taken, only for what is done with it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_factor_try.h"

#include "decide/decide_factor.h"
#include "decide/decide_factor_inside.h"
#include "store/tx_try.h"

struct trial {
	const struct update *update;
	decide_factor_fn *act;
	void *arg;
	bool only_asks;
};

static void
on_tried(struct tx *tx, void *arg)
{
	struct trial *trial = arg;

	tx->factor_of = trial->update->person;
	trial->act(tx, trial->update, trial->arg);
	trial->only_asks = tx->only_asks;
	tx->factor_of = 0; /* none was given */
}

enum decide_factor_end
decide_factor_try(struct tx *tx, const struct update *update, decide_factor_fn *act, void *arg)
{
	struct trial trial = { .update = update, .act = act, .arg = arg };
	bool was_again = tx->is_again;
	bool would_do;

	tx->wants_factor = tx->only_asks = false;
	tx->is_again = true;
	would_do = tx_try(tx, on_tried, &trial);
	tx->is_again = was_again;
	tx->may_take_code = would_do && !trial.only_asks;
	return !would_do ? FACTOR_REFUSED : trial.only_asks ? FACTOR_ASKS_FIRST : FACTOR_WANTED;
}

bool
decide_factor_asks(struct tx *tx, const struct update *update, decide_factor_fn *act, void *arg)
{
	act(tx, update, arg);
	tx->wants_factor =
	    tx->wants_factor && decide_factor_try(tx, update, act, arg) != FACTOR_REFUSED;
	tx->may_take_code = tx->wants_factor;
	return tx->wants_factor;
}

bool
decide_factor_give(
    struct tx *tx, const struct update *update, const char *code, char why[LIMIT_LINE])
{
	bool is_taken;

	assert(tx->may_take_code); /* what it is for was tried */
	is_taken = totp_is_code(code) ?
	    decide_factor_take(tx, update, code, why) :
	    decide_factor_recover(tx, update, update->person, code, why);
	tx->may_take_code = tx->wants_factor = false;
	tx->is_again = tx->is_again || is_taken;
	return is_taken;
}
