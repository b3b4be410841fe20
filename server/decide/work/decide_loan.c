/* decide_loan.c - what was asked for is made by Vault, given once, and revoked.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_loan.h"

#include <inttypes.h>

#include "decide/decide_reply.h"
#include "decide/factor/decide_factor.h"
#include "decide/question/decide_question.h"
#include "decide/who/decide_allowed.h"
#include "decide/work/decide_deployment.h"
#include "decide/work/decide_end.h"
#include "decide/work/decide_executor.h"
#include "decide/work/decide_loan_alarm.h"
#include "decide/work/decide_loan_inside.h"
#include "decide/work/decide_loan_list.h"
#include "decide/work/decide_loan_say.h"
#include "decide/work/decide_loan_yes.h"
#include "lib/text.h"
#include "store/row_effect.h"
#include "store/row_job.h"
#include "store/row_loan.h"
#include "store/row_rate_limit.h"
#include "types/loan.h"
#include "types/settings.h"

#define SECOND_MS     INT64_C(1000)
#define MINUTE_MS     (60 * SECOND_MS)
#define FETCH_MS      (LOAN_LOOK_LAST_S * SECOND_MS)
#define REVOKE_S_MOST 60
#define REVOKES_SHORT 3			    /* tries with a shorter pause */
#define LIFE_MOST_MS  (60 * MINUTE_MS)	    /* SECRET_<NAME>_TTL has no more */
#define ALARM_EACH_MS (24 * 60 * MINUTE_MS) /* of one loan */

static const struct loan_end_row {
	enum deploy_why why;
	bool is_early;
	const char *text;
} loan_ends[] = {
#define X(name, why, is_early, text) { DEPLOY_WHY_##why, is_early, text },
	LOAN_ENDS(X)
#undef X
};

/* --- its row, and the one timer that it has --- */

static void
wait_until(struct tx *tx, struct loan_row *row, int64_t at)
{
	char name[24];

	text_setf(name, "%" PRId64, row->work);
	row_effect_withdraw(tx, row->timer);
	row->timer = at == 0 ? 0 : row_effect_timer(tx, TIMER_LOAN, name, 0, at);
}

/* Nothing can be done with what it says any more. */
static void
delete_message(struct tx *tx, struct loan_row *row)
{
	struct effect effect = { .kind = EFFECT_DELETE_MESSAGE };

	if (row->message == 0)
		return;
	effect.u.delete_message = (struct effect_delete_message){ row->chat, row->message };
	(void)row_effect_order(tx, &effect);
	row->message = 0;
}

static void
set_state(struct tx *tx, struct loan_row *row, enum loan_state state, int64_t look_at)
{
	row->state = state;
	if (state == LOAN_ENDING || state == LOAN_OVER)
		delete_message(tx, row);
	wait_until(tx, row, look_at);
	row_loan_save(tx, row);
}

/* --- it ends at Vault --- */

/* Each entry says by itself who had what: a job is its workflow's, of that run. */
static void
audit(struct tx *tx, enum audit_code code, const struct deployment *work,
    const struct loan_row *row, const char *outcome)
{
	char prefix[9], until[TEXT_TIME_SIZE] = "";
	struct row_job of;
	struct loan loan;
	bool is_there = loan_of(tx->settings, work->argument, work->environment, &loan);
	bool has_why = code == AUDIT_CODE_SECRET_REVOKED && work->note[0] != '\0';

	row_job_get(tx, work->id, &of);
	text_setf(prefix, "%.8s", row->accessor);
	if (code == AUDIT_CODE_SECRET_LENT)
		(void)text_time_ms(until, row->until);
	decide_audit_request(tx, work, 0, code, outcome,
	    (const char *const[]){ "secret", work->argument, "path", is_there ? loan.path : "",
		"accessor", prefix, "repository", of.job.repository, "run", of.job.run,
		code == AUDIT_CODE_SECRET_LENT ? "until" :
		    has_why		       ? "why" :
						 NULL,
		has_why ? work->note : until, NULL });
}

/* Of what Vault has made, whoever has it; what it makes meanwhile is revoked when that is known. */
static void
revoke(struct tx *tx, struct loan_row *row)
{
	if (row->state == LOAN_ENDING || row->state == LOAN_OVER ||
	    (row->state == LOAN_ASKED && row_effect_find(tx, EFFECT_VAULT_LEND, row->work) != 0))
		return;
	set_state(tx, row, row->accessor[0] != '\0' ? LOAN_ENDING : LOAN_OVER, 0);
	if (row->state == LOAN_ENDING)
		decide_loan_order_revoke(tx, row, 0, 0);
}

static void
end(struct tx *tx, struct deployment *work, enum deploy_why why, const char *detail)
{
	work->why = why;
	text_set(work->detail, detail);
	(void)decide_step(tx, work, DEPLOY_ON_SCRIPT_FAILED, NULL);
}

/* The work is over already and keeps its state: an early end becomes its `why`, and the text of
 * each end goes into its message. */
static void
end_given(struct tx *tx, struct deployment *work, const struct loan_end_row *how)
{
	if (how->is_early) {
		work->why = how->why;
		row_deployment_set_state(tx, work, work->state, how->why);
	}
	decide_loan_say_over(tx, work, how->text);
}

/* What is being revoked, or is over, ends in no other way. */
static void
drop(struct tx *tx, struct deployment *work, struct loan_row *row, enum loan_end name)
{
	const struct loan_end_row *how = &loan_ends[name];
	bool is_given = row->state == LOAN_GIVEN;

	revoke(tx, row);
	if (is_given) {
		end_given(tx, work, how);
	} else if (deploy_flow_class(work->state) == DEPLOY_CLASS_ACTIVE) {
		end(tx, work, how->why, how->text);
	} else if (deploy_flow_class(work->state) != DEPLOY_CLASS_FINAL) {
		text_set(work->detail, how->text);
		(void)decide_step(tx, work, DEPLOY_ON_CANCEL, NULL);
	}
}

void
decide_loan_drop(struct tx *tx, int64_t number, enum loan_end how)
{
	struct loan_row row = row_loan_get(tx, number);
	struct deployment work;

	row_deployment_get(tx, number, &work);
	drop(tx, &work, &row, how);
}

/* Has it been tried for as long as it may live?  A clock that was set tells nothing of that. */
static bool
is_outlived(struct tx *tx, const struct deployment *work, const struct loan_row *row, int tries)
{
	struct loan loan;
	bool is_there = loan_of(tx->settings, work->argument, work->environment, &loan);
	int64_t life_ms = is_there && tx->at >= row->until ? loan.ttl_ms : LIFE_MOST_MS;

	return tries >= REVOKES_SHORT + life_ms / (REVOKE_S_MOST * SECOND_MS);
}

/* Its first line says that it was revoked. */
static bool
is_said_first(const struct deployment *work)
{
	return work->state == DEPLOY_DONE && work->why != DEPLOY_WHY_INTERRUPTED;
}

/* It was revoked, or could not be: it is tried until Vault ends it by itself. */
static void
revoked(struct tx *tx, struct loan_row *row, const struct vault_said *said)
{
	static const int pauses_s[REVOKES_SHORT] = { 1, 5, 30 };
	int tries = tx->effect->u.vault.tries;
	int64_t pause_s = (size_t)tries < COUNT(pauses_s) ? pauses_s[tries] : REVOKE_S_MOST;
	struct deployment work;
	bool is_alive;

	if (row->state != LOAN_ENDING)
		return;
	row_deployment_get(tx, row->work, &work);
	is_alive = !said->is_done && !is_outlived(tx, &work, row, tries);
	decide_loan_say_alive(tx, &work, row, said, is_alive);
	if (is_alive) {
		decide_loan_order_revoke(tx, row, tries + 1,
		    SECOND_MS * (said->retry_after_s > pause_s ? said->retry_after_s : pause_s));
		decide_loan_say_waits(tx, &work, said->why);
		return;
	}
	audit(tx, AUDIT_CODE_SECRET_REVOKED, &work, row,
	    said->is_done ? "revoked" : "ended by Vault");
	row->until = said->is_done && tx->at < row->until ? 0 : row->until; /* it was before */
	set_state(tx, row, LOAN_OVER, 0);
	decide_loan_say_waits(tx, &work, "");
	decide_loan_say_over(tx, &work,
	    !said->is_done	     ? decide_loan_ends_itself(tx, &work) :
		is_said_first(&work) ? "" :
				       "revoked");
}

/* --- somebody else may have it --- */

static void
alarm(struct tx *tx, const struct deployment *work, const struct loan_row *row,
    const struct loan_suspicion *suspicion)
{
	const struct chat_first_row *first = &chat_first_rows[suspicion->first];
	const char *accessor = row->accessor;
	bool is_ending = row->state == LOAN_ENDING;

	audit(tx, AUDIT_CODE_SECRET_UNWRAP_FAILED, work, row, suspicion->outcome);
	if (!decide_loan_may_alarm(tx, work))
		return;
	decide_factor_tell(tx, 0,
	    "%s%s%s%s: %s.%s " MARK_CODE "/show %" PRId64 MARK_CODE
	    " has who asked; what was done with it stands in Vault's audit, by the accessor %.8s.",
	    first->before, work->environment, first->behind, work->argument, suspicion->what,
	    is_ending ? " It is being revoked." : "", work->id,
	    accessor[0] != '\0' ? accessor : "(not known)");
}

bool
decide_loan_suspect(struct tx *tx, struct deployment *work, struct loan_row *row,
    const struct loan_suspicion *suspicion, enum loan_end how)
{
	if ((row->state == LOAN_OVER && tx->at >= work->ended_at + LIFE_MOST_MS) ||
	    !row_rate_limit_take(tx, 1, ALARM_EACH_MS, "secret-failed:%" PRId64, work->id))
		return false;
	revoke(tx, row);
	alarm(tx, work, row, suspicion);
	end_given(tx, work, &loan_ends[how]);
	return true;
}

/* --- it is not lent after all --- */

/* A grant, the secret or its workflow's line may end before it is given, and while it is lent. */
static bool
is_granted(struct tx *tx, const struct deployment *work, struct loan *ret)
{
	struct row_job of;

	row_job_get(tx, work->id, &of);
	return loan_of(tx->settings, work->argument, work->environment, ret) &&
	    decide_is_allowed_work(tx, work->requested_by, work) &&
	    (of.work == 0 || decide_loan_is_known(tx, work, &of.job));
}

bool
decide_loan_stands(struct tx *tx, struct deployment *work, struct loan_row *row, struct loan *ret)
{
	if (!is_granted(tx, work, ret))
		drop(tx, work, row, LOAN_END_NOT_GRANTED);
	else if (row->state == LOAN_KEPT && decide_loan_is_changed(tx, work))
		drop(tx, work, row, LOAN_END_CHANGED);
	else
		return true;
	return false;
}

void
decide_loan_check(struct tx *tx, int64_t number)
{
	struct loan_row row = row_loan_get(tx, number);
	struct deployment work;
	struct loan loan;

	row_deployment_get(tx, number, &work);
	if (row.state == LOAN_ASKED && deploy_flow_class(work.state) == DEPLOY_CLASS_FINAL)
		revoke(tx, &row); /* nothing was made of it */
	else
		(void)decide_loan_stands(tx, &work, &row, &loan);
}

/* --- Vault has made it, or has not --- */

/* To the person who asked for it. */
static void
send(struct tx *tx, struct deployment *work, struct loan_row *row)
{
	struct effect effect = { .kind = EFFECT_LEND_MESSAGE, .subject = work->id };
	struct loan loan;

	if (!decide_loan_stands(tx, work, row, &loan))
		return;
	text_set(effect.u.vault.name, loan.id);
	effect.u.vault.chat = row->chat;
	(void)row_effect_order(tx, &effect);
}

static void
lent(struct tx *tx, struct loan_row *row, const struct vault_said *said)
{
	struct deployment work;
	bool is_wanted = row->state == LOAN_ASKED;

	row_deployment_get(tx, row->work, &work);
	is_wanted &= work.state == DEPLOY_RUNNING;
	text_set(row->accessor, said->accessor);
	row->until = tx->at + SECOND_MS * tx->effect->u.vault.ttl_s;
	if (said->is_done && is_wanted) {
		set_state(tx, row, LOAN_KEPT, tx->effect->ordered_at + FETCH_MS);
		decide_loan_say_waits(tx, &work, "");
		if (row->chat != 0)
			send(tx, &work, row);
		return;
	}
	if (!said->is_done && is_wanted && !said->is_unsure && said->retry_after_s > 0 &&
	    said->accessor[0] == '\0' &&
	    tx->at + SECOND_MS * said->retry_after_s <
		work.started_at + tx->settings->vault.wait_ms) {
		set_state(tx, row, LOAN_ASKED, tx->at + SECOND_MS * said->retry_after_s);
		decide_loan_say_waits(tx, &work, said->why);
		return;
	}
	revoke(tx, row);
	if (said->is_wrong)
		alarm(tx, &work, row,
		    &(struct loan_suspicion){ FIRST_INTERCEPTED, "wrong", said->why });
	else if (said->is_unsure)
		audit(tx, AUDIT_CODE_SECRET_LOST, &work, row, "lost");
	if (is_wanted)
		end(tx, &work,
		    said->is_unsure		? DEPLOY_WHY_INTERRUPTED :
			said->retry_after_s > 0 ? DEPLOY_WHY_TIMED_OUT :
						  DEPLOY_WHY_SCRIPT,
		    said->why);
}

/* --- it is given --- */

void
decide_loan_give(struct tx *tx, struct deployment *work, struct loan_row *row, bool is_value)
{
	set_state(tx, row, LOAN_GIVEN, row->until);
	audit(tx, AUDIT_CODE_SECRET_LENT, work, row, is_value ? "value" : "lent");
	(void)decide_step(tx, work, DEPLOY_ON_SCRIPT_OK, NULL);
	if (!is_value)
		decide_loan_order_look(tx, work, row, 0);
}

/* Where it was not wanted any more, it is wiped out there. */
static void
sent(struct tx *tx, struct loan_row *row, const struct vault_said *said)
{
	struct deployment work;

	row_deployment_get(tx, row->work, &work);
	row->message = said->message;
	if (row->state != LOAN_KEPT) {
		delete_message(tx, row);
		row_loan_save(tx, row);
	} else if (said->is_done) {
		decide_loan_give(tx, &work, row, false);
	} else {
		revoke(tx, row);
		end(tx, &work, DEPLOY_WHY_INTERRUPTED, said->why);
	}
}

/* What nobody has unwrapped nobody will; no answer of Vault's revokes anything. */
static void
looked(struct tx *tx, struct loan_row *row, const struct vault_said *said)
{
	int tries = tx->effect->u.vault.tries;
	bool is_last = tries >= DECIDE_LOAN_LOOKS, is_used;
	struct deployment work;

	if (row->state != LOAN_GIVEN)
		return;
	row_deployment_get(tx, row->work, &work);
	is_used = said->is_used && decide_loan_look_is_in_time(tx, &work, row);
	if (is_used || is_last) {
		delete_message(tx, row);
		row_loan_save(tx, row);
	}
	if (is_used) {
		decide_loan_say_used(tx, &work);
	} else if (!is_last) {
		decide_loan_order_look(tx, &work, row, tries + 1);
	} else if (said->is_done) {
		drop(tx, &work, row, LOAN_END_NOT_USED);
		if (row->chat != 0)
			decide_loan_say_unused(tx, &work);
	} else {
		decide_loan_say_over(tx, &work, "Vault has not said whether it was used");
	}
}

void
decide_loan_said(struct tx *tx, const struct vault_said *said)
{
	struct loan_row row = row_loan_get(tx, tx->effect->subject);

	if (row.work == 0)
		return;
	if (tx->effect->kind == EFFECT_VAULT_LEND)
		lent(tx, &row, said);
	else if (tx->effect->kind == EFFECT_VAULT_REVOKE)
		revoked(tx, &row, said);
	else if (tx->effect->kind == EFFECT_LEND_MESSAGE)
		sent(tx, &row, said);
	else
		looked(tx, &row, said);
}

/* What was typed is answered where it was typed: the work's own message may be elsewhere. */
static void
cancel(struct tx *tx, const struct update *update, struct deployment *work)
{
	char name[DECIDE_LOAN_NAME];

	if ((update->kind == UPDATE_PRESS && !decide_is_answered(update)) ||
	    !decide_cancel(tx, work, update))
		decide_press_cancel(tx, update, work);
	else
		(void)decide_send_firstf(tx, &update->address, FIRST_CANCELS, work->environment,
		    "secret %s.", decide_loan_name(work, name));
}

void
decide_loan_revoke(struct tx *tx, const struct update *update, struct deployment *work)
{
	struct loan_row row = row_loan_get(tx, work->id);
	const char *why_not = decide_loan_not_revoked(&row);
	char by[96];

	if (deploy_flow_class(work->state) != DEPLOY_CLASS_FINAL) {
		cancel(tx, update, work);
		return;
	}
	if (why_not != NULL) {
		decide_answer_no(tx, update);
		decide_loan_answer(tx, update, work, why_not);
		return;
	}
	decide_audit_request(tx, work, update->person, AUDIT_CODE_CANCEL_REQUESTED, "requested",
	    (const char *const[]){ "secret", work->argument, "name", update->name, NULL });
	revoke(tx, &row);
	work->cancelled_by = update->person;
	text_setf(by, "revoked by %.80s", update->name);
	decide_loan_say_over(tx, work, by);
	decide_loan_answer(tx, update, work, "is being revoked at Vault.");
}

static bool
will_end(struct tx *tx, int64_t number)
{
	return row_effect_find(tx, EFFECT_VAULT_LEND, number) != 0 ||
	    row_loan_get(tx, number).timer != 0;
}

void
decide_loan_due(struct tx *tx, int64_t number)
{
	struct loan_row row = row_loan_get(tx, number);
	struct deployment work;
	struct loan loan;

	row_deployment_get(tx, number, &work);
	row.timer = 0;
	if (row.state == LOAN_GIVEN) {
		drop(tx, &work, &row, LOAN_END_TIME_OVER); /* by our clock alone it is not over */
	} else if (row.state == LOAN_KEPT) {
		drop(tx, &work, &row, row.chat != 0 ? LOAN_END_NOT_SENT : LOAN_END_NOT_FETCHED);
	} else if (row.state == LOAN_ASKED && work.state == DEPLOY_RUNNING) {
		row_loan_save(tx, &row);
		if (decide_loan_is_changed(tx, &work))
			(void)decide_step(tx, &work, DEPLOY_ON_CHANGED, NULL);
		else if (is_granted(tx, &work, &loan))
			decide_loan_order_lend(tx, &work, &loan);
		else
			drop(tx, &work, &row, LOAN_END_NOT_GRANTED);
	}
}

void
decide_loans_lost(struct tx *tx)
{
	struct deployment work;
	struct loan_row row;
	int64_t number = 0;

	while ((number = row_loan_next(tx, LOAN_ASKED, number)) != 0 && !tx->failed)
		if (row_deployment_get(tx, number, &work)->state == DEPLOY_RUNNING &&
		    !will_end(tx, number))
			decide_give_up(tx, &work, "it was not running when deploybot started");
	while ((number = row_loan_next(tx, LOAN_KEPT, number)) != 0 && !tx->failed) {
		row = row_loan_get(tx, number);
		row_deployment_get(tx, number, &work);
		audit(tx, AUDIT_CODE_SECRET_LOST, &work, &row, "lost");
		drop(tx, &work, &row, LOAN_END_RESTARTED);
	}
}

/* --- as an executor --- */

static void
begin(struct tx *tx, int64_t number)
{
	struct loan_row row = row_loan_get(tx, number);
	struct deployment work;
	struct loan loan;

	row_deployment_get(tx, number, &work);
	if (loan_of(tx->settings, work.argument, work.environment, &loan))
		decide_loan_order_lend(tx, &work, &loan);
	else
		drop(tx, &work, &row, LOAN_END_NOT_LENT);
}

static void
stop(struct tx *tx, int64_t number)
{
	struct loan_row row = row_loan_get(tx, number);
	struct deployment work;

	row_deployment_get(tx, number, &work);
	revoke(tx, &row);
	end(tx, &work, DEPLOY_WHY_CANCELLED, work.detail);
}

__attribute__((constructor)) static void
register_executor(void)
{
	static const struct decide_executor executor = { .begin = begin,
		.will_end = will_end,
		.stop = stop,
		.exists = decide_loan_exists,
		.touches = decide_loan_touches,
		.bind = decide_loan_bind };

	decide_executor_add(ACTION_BY_VAULT, &executor);
}
