/* decide_loan_say.c - what people read of a loan: it waits, is open, is over.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_loan_say.h"

#include <inttypes.h>
#include <stdio.h>

#include "decide/decide_limit.h"
#include "decide/decide_reply.h"
#include "decide/factor/decide_factor.h"
#include "decide/tell/decide_tell.h"
#include "decide/work/decide_loan_list.h"
#include "lib/text.h"
#include "store/row_deployment.h"
#include "store/row_loan.h"
#include "store/row_message.h"
#include "store/row_rate_limit.h"
#include "types/loan.h"

void
decide_loan_say_waits(struct tx *tx, struct deployment *work, const char *why)
{
	bool may_say = work->state == DEPLOY_DONE || work->state == DEPLOY_RUNNING;

	if (!may_say || (work->detail[0] == '\0') == (why[0] == '\0'))
		return;
	text_set(work->detail, why); /* cut is fine */
	decide_tell(tx, work, NULL);
	row_deployment_save(tx, work);
}

void
decide_loan_say_over(struct tx *tx, struct deployment *work, const char *how)
{
	size_t size = strlen(work->note);

	(void)snprintf(work->note + size, sizeof(work->note) - size, "%s%s",
	    size > 0 && how[0] != '\0' ? "; " : "", how); /* cut is fine */
	decide_tell(tx, work, NULL);
	row_deployment_save(tx, work);
}

void
decide_loan_say_used(struct tx *tx, struct deployment *work)
{
	const struct chat_clock clock = decide_clock(tx, work->environment);
	struct chat_text text = CHAT_TEXT_EMPTY;

	chat_text_since(&text, "used ", &clock, tx->at, tx->at);
	decide_loan_say_over(tx, work, buf_text(&text.buf));
	buf_done(&text.buf);
}

void
decide_loan_say_unused(struct tx *tx, const struct deployment *work)
{
	CLEANUP(message_done) struct message message = { .address = work->address };
	struct chat_text text = CHAT_TEXT_EMPTY;

	chat_first(&text, FIRST_NOT_USED, work->environment);
	chat_text_outside(&text, "secret ", work->argument);
	chat_text_add(&text,
	    "\nNobody has unwrapped #%" PRId64
	    " within two minutes: it is being revoked. " MARK_CODE "/get_secret %s" MARK_CODE
	    " asks again.",
	    work->id, work->argument);
	message.is_silent = !decide_may_ring_chat(tx, work->address.chat);
	message.head = chat_text_take(&text);
	(void)row_message_add(tx, &message);
}

/* Tries before: what Vault has done within seconds rings nobody. */
#define RINGS_AT     2
#define RING_EACH_MS (24 * 60 * INT64_C(60000)) /* of one loan */

/* A sealed Vault ends no lease before it is unsealed; what a secret was that is gone from the
 * settings is not known. */
static bool
is_leased(struct tx *tx, const struct deployment *work)
{
	struct loan loan;

	return !loan_of(tx->settings, work->argument, work->environment, &loan) ||
	    loan.at.kind == LOAN_CREDS;
}

const char *
decide_loan_ends_itself(struct tx *tx, const struct deployment *work)
{
	return is_leased(tx, work) ? "Vault ends it once it is unsealed" : "it has ended at Vault";
}

static void
add_alive(struct tx *tx, const struct deployment *work, const struct loan_row *row, const char *why,
    struct chat_text *text)
{
	const struct chat_clock clock = decide_clock(tx, work->environment);

	chat_text_since(text, " is alive at Vault since ", &clock, work->ended_at, tx->at);
	chat_text_outside(text, " and may be used: ", why);
	chat_text_since(text, "\nTried again until ", &clock, row->until, tx->at);
	chat_text_add(
	    text, ", when Vault ends it%s.", is_leased(tx, work) ? ", or once it is unsealed" : "");
}

/* What ends with its job, or by its time, rings nobody: an outage of Vault would ring for each. */
static bool
is_early(const struct deployment *work)
{
	return work->cancelled_by != 0 ||
	    (work->state == DEPLOY_DONE ? work->why != DEPLOY_WHY_NONE :
					  work->why == DEPLOY_WHY_SCRIPT);
}

/* A suspicion may come long after its job is over, and Vault is tried all the time. */
static bool
rings_first(struct tx *tx, const struct deployment *work)
{
	return row_rate_limit_take(tx, 1, RING_EACH_MS, "secret-alive:%" PRId64, work->id);
}

/* A group's message says it by an edit, which makes no sound. */
void
decide_loan_say_alive(struct tx *tx, const struct deployment *work, const struct loan_row *row,
    const struct vault_said *said, bool is_alive)
{
	int tries = tx->effect->u.vault.tries;
	bool may_live = is_alive || (!said->is_done && is_leased(tx, work));
	struct chat_text text = CHAT_TEXT_EMPTY;

	if (!is_early(work) || (is_alive ? tries < RINGS_AT : tries <= RINGS_AT) ||
	    (is_alive && !rings_first(tx, work)))
		return;
	chat_first(&text,
	    may_live				    ? FIRST_STILL_LENT :
		said->is_done			    ? FIRST_REVOKED :
		work->why == DEPLOY_WHY_INTERRUPTED ? FIRST_WAS_LENT_BADLY :
						      FIRST_WAS_LENT,
	    work->environment);
	chat_text_outside(&text, may_live ? "secret " : " secret ", work->argument);
	chat_text_add(&text, "\n#%" PRId64, work->id);
	if (is_alive)
		add_alive(tx, work, row, said->why, &text);
	else
		chat_text_add(&text, " %s: %s.",
		    may_live ? "is tried no more" : "can be used no more",
		    said->is_done ? "Vault has revoked it now" : decide_loan_ends_itself(tx, work));
	decide_factor_tell(tx, work->cancelled_by, "%s", buf_text(&text.buf));
	buf_done(&text.buf);
}

void
decide_loan_answer(
    struct tx *tx, const struct update *update, const struct deployment *work, const char *how)
{
	char name[DECIDE_LOAN_NAME];

	if (update->kind == UPDATE_PRESS && !decide_is_answered(update))
		decide_toastf(tx, update, false, "%s %s", decide_loan_name(work, name), how);
	else
		(void)decide_send_firstf(tx, &update->address, FIRST_REVOKES, work->environment,
		    " %s %s", decide_loan_name(work, name), how);
}

const char *
decide_loan_not_revoked(const struct loan_row *row)
{
	switch (row->state) {
	case LOAN_ASKED:
		return "was not lent.";
	case LOAN_ENDING:
		return "is being revoked: Vault has not said yet that it is.";
	case LOAN_OVER:
		return "is over: what Vault has made for it has ended.";
	default:
		return NULL;
	}
}
