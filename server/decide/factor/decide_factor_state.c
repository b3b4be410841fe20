/* decide_factor_state.c - what this decision knows of a code: is one wanted, for what, was it typed?  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/factor/decide_factor_state.h"

#include "decide/factor/decide_factor_state_inside.h"
#include "lib/mem.h"
#include "lib/text.h"

struct tx_factor *
decide_factor_state(struct tx *tx)
{
	if (tx->factor == NULL)
		tx->factor = mem_new(1, sizeof(*tx->factor));
	return tx->factor;
}

bool
decide_factor_is_wanted(const struct tx *tx)
{
	return tx->factor != NULL && tx->factor->is_wanted;
}

void
decide_factor_drop(struct tx *tx)
{
	if (tx->factor != NULL)
		tx->factor->is_wanted = false;
}

const char *
decide_factor_for(const struct tx *tx)
{
	return tx->factor != NULL ? tx->factor->what : "";
}

void
decide_factor_set_work(struct tx *tx, int64_t work)
{
	decide_factor_state(tx)->work = work;
}

int64_t
decide_factor_work(const struct tx *tx)
{
	return tx->factor != NULL ? tx->factor->work : 0;
}

void
decide_factor_set_typed(struct tx *tx, const char *code)
{
	struct tx_factor *factor = decide_factor_state(tx);

	text_set(factor->typed, code);
}

const char *
decide_factor_typed(const struct tx *tx)
{
	return tx->factor != NULL ? tx->factor->typed : "";
}

bool
decide_factor_is_trial(const struct tx *tx)
{
	return tx->factor != NULL && tx->factor->is_trial;
}

bool
decide_factor_is_counted(const struct tx *tx)
{
	return tx->factor != NULL && tx->factor->is_counted;
}
