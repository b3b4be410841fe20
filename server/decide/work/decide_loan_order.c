/* decide_loan_order.c - what Vault is asked for a loan, and when.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "decide/work/decide_loan_inside.h"
#include "lib/text.h"
#include "store/row_effect.h"
#include "store/row_job.h"
#include "types/loan.h"
#include "types/settings.h"

#define SECOND_MS INT64_C(1000)

void
decide_loan_order_revoke(struct tx *tx, const struct loan_row *row, int tries, int64_t in_ms)
{
	struct effect effect = { .kind = EFFECT_VAULT_REVOKE, .subject = row->work };

	effect.u.vault.tries = tries;
	effect.u.vault.not_before = tx->at + in_ms;
	text_set(effect.u.vault.accessor, row->accessor);
	(void)row_effect_order(tx, &effect);
}

bool
decide_loan_is_by_value(struct tx *tx, const struct deployment *work, const struct loan *loan)
{
	return loan->is_value && row_job_get(tx, work->id, &(struct row_job){ 0 })->work != 0;
}

void
decide_loan_order_lend(struct tx *tx, const struct deployment *work, const struct loan *loan)
{
	struct effect effect = { .kind = EFFECT_VAULT_LEND, .subject = work->id };
	char *slash;

	/* Two applications may have secrets of one name, and no policy is for both. */
	text_set(effect.u.vault.name, loan->id);
	slash = strchr(effect.u.vault.name, '/');
	if (slash != NULL)
		*slash = '.';
	effect.u.vault.ttl_s = loan->ttl_ms / SECOND_MS;
	text_set(effect.u.vault.principal, work->requester);
	if (decide_loan_is_by_value(tx, work, loan))
		text_set(effect.u.vault.value, loan->path); /* it fits */
	(void)row_effect_order(tx, &effect);
}

/* So long after Vault has made it Vault is asked whether it was used: it keeps what it wraps for no
 * longer, and then says of what nobody has used what it says of what somebody has. */
static const int looks_s[] = { 30, 60, 90, LOAN_LOOK_SURE_S - 5, LOAN_LOOK_LAST_S };

_Static_assert(LOAN_LOOK_SURE_S - 5 > 90, "each look is later than the one before");
_Static_assert(COUNT(looks_s) == DECIDE_LOAN_LOOKS + 1, "the last one is known");

/* Now, where that is not known: its secret's _TTL has changed meanwhile. */
static int64_t
made_at(struct tx *tx, const struct deployment *work, const struct loan_row *row)
{
	struct loan loan;
	int64_t at = loan_of(tx->settings, work->argument, work->environment, &loan) ?
	    row->until - loan.ttl_ms :
	    0;

	return at <= tx->at && at > tx->at - 2 * SECOND_MS * looks_s[DECIDE_LOAN_LOOKS] ? at :
											  tx->at;
}

bool
decide_loan_look_is_in_time(
    struct tx *tx, const struct deployment *work, const struct loan_row *row)
{
	return tx->at < made_at(tx, work, row) + SECOND_MS * LOAN_LOOK_SURE_S;
}

void
decide_loan_order_look(
    struct tx *tx, const struct deployment *work, const struct loan_row *row, int tries)
{
	struct effect effect = { .kind = EFFECT_VAULT_LOOK, .subject = row->work };
	int64_t made = made_at(tx, work, row);

	while (tries < DECIDE_LOAN_LOOKS && made + SECOND_MS * looks_s[tries] <= tx->at)
		tries++;
	effect.u.vault.tries = tries;
	effect.u.vault.not_before = made + SECOND_MS * looks_s[tries];
	(void)row_effect_order(tx, &effect);
}
