/* decide_loan.c - what was asked for is made by Vault, given once, and revoked.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_loan.h"

#include <inttypes.h>
#include <stdio.h>

#include "decide/decide_reply.h"
#include "decide/factor/decide_factor.h"
#include "decide/question/decide_question.h"
#include "decide/tell/decide_tell.h"
#include "decide/who/decide_allowed.h"
#include "decide/who/decide_job.h"
#include "decide/work/decide_action.h"
#include "decide/work/decide_deployment.h"
#include "decide/work/decide_end.h"
#include "decide/work/decide_executor.h"
#include "decide/work/decide_loan_say.h"
#include "decide/work/decide_loan_yes.h"
#include "lib/buf.h"
#include "lib/json.h"
#include "lib/text.h"
#include "store/row_effect.h"
#include "store/row_job.h"
#include "store/row_loan.h"
#include "store/row_rate_limit.h"
#include "types/loan.h"
#include "types/settings.h"

#define SECOND_MS     INT64_C(1000)
#define MINUTE_MS     (60 * SECOND_MS)
#define FETCH_MS      (115 * SECOND_MS) /* Vault keeps what it wraps for 120 s */
#define REVOKE_S_MOST 60
#define ALARM_EACH_MS (24 * 60 * MINUTE_MS) /* of one loan */

#define GIVEN_VALUE   "the value itself was given: at Vault nothing of it ends"
#define NOT_UNWRAPPED "its job could not unwrap it"

/* --- its row, and the one timer that it has --- */

static void
wait_until(struct tx *tx, struct loan_row *row, int64_t at)
{
	char name[24];

	(void)snprintf(name, sizeof(name), "%" PRId64, row->work);
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
	effect.u.delete_message = (struct effect_delete_message){ row->chat, row->message, 0 };
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

static void
order_revoke(struct tx *tx, const struct loan_row *row, int tries, int64_t in_ms)
{
	struct effect effect = { .kind = EFFECT_VAULT_REVOKE, .subject = row->work };

	effect.u.vault.tries = tries;
	effect.u.vault.not_before = tx->at + in_ms;
	(void)text_copy(effect.u.vault.accessor, sizeof(effect.u.vault.accessor), row->accessor);
	(void)row_effect_order(tx, &effect);
}

/* Each entry says by itself who had what: a job is its workflow's, of that run. */
static void
audit(struct tx *tx, enum audit_code code, const struct deployment *work,
    const struct loan_row *row, const char *outcome)
{
	char user[PRINCIPAL_TEXT], begin[9], until[TEXT_TIME_SIZE] = "";
	struct row_job of;
	struct loan loan;
	bool is_there = loan_of(tx->settings, work->argument, work->environment, &loan);

	row_job_get(tx, work->id, &of);
	(void)snprintf(begin, sizeof(begin), "%.8s", row->accessor);
	if (code == AUDIT_CODE_SECRET_LENT)
		(void)text_time_ms(until, row->until);
	decide_audit_request(tx, work, decide_requester(tx, work, user), code, outcome,
	    (const char *const[]){ "secret", work->argument, "path", is_there ? loan.path : "",
		"accessor", begin, "repository", of.job.repository, "run", of.job.run,
		code == AUDIT_CODE_SECRET_LENT ? "until" : NULL, until, NULL });
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
		order_revoke(tx, row, 0, 0);
}

static void
end(struct tx *tx, struct deployment *work, enum deploy_why why, const char *detail)
{
	work->why = why;
	(void)text_copy(work->detail, sizeof(work->detail), detail);
	(void)decide_step(tx, work, DEPLOY_ON_SCRIPT_FAILED, NULL);
}

/* Behind what was said before: "used 14:02, revoked"; how "": its first line says it. */
static void
say_over(struct tx *tx, struct deployment *work, const char *how)
{
	size_t size = strlen(work->note);

	(void)snprintf(work->note + size, sizeof(work->note) - size, "%s%s",
	    size > 0 && how[0] != '\0' ? ", " : "", how); /* cut is fine */
	decide_tell(tx, work, NULL);
	row_deployment_save(tx, work);
}

/* Its job is over, or needs it no longer. */
static void
end_of_job(struct tx *tx, int64_t number, const char *detail)
{
	struct loan_row row = row_loan_get(tx, number);
	struct deployment work;

	row_deployment_get(tx, number, &work);
	revoke(tx, &row);
	if (deploy_flow_class(work.state) == DEPLOY_CLASS_ACTIVE)
		end(tx, &work, DEPLOY_WHY_CANCELLED, detail);
	else if (deploy_flow_class(work.state) != DEPLOY_CLASS_FINAL)
		(void)decide_step(tx, &work, DEPLOY_ON_CANCEL, NULL);
}

/* It was revoked, or could not be: it is tried until Vault ends it by itself. */
static void
revoked(struct tx *tx, struct loan_row *row, const struct vault_said *said)
{
	static const int pauses_s[] = { 1, 5, 30 };
	int tries = tx->effect->u.vault.tries;
	int64_t pause_s = (size_t)tries < COUNT(pauses_s) ? pauses_s[tries] : REVOKE_S_MOST;
	struct deployment work;

	if (row->state != LOAN_ENDING)
		return;
	row_deployment_get(tx, row->work, &work);
	if (!said->is_done && tx->at < row->until) {
		order_revoke(tx, row, tries + 1,
		    SECOND_MS * (said->retry_after_s > pause_s ? said->retry_after_s : pause_s));
		decide_loan_say_waits(tx, &work, said->why);
		return;
	}
	audit(tx, AUDIT_CODE_SECRET_REVOKED, &work, row,
	    said->is_done ? "revoked" : "ended by Vault");
	row->until = said->is_done ? 0 : row->until;
	set_state(tx, row, LOAN_OVER, 0);
	decide_loan_say_waits(tx, &work, "");
	say_over(tx, &work,
	    !said->is_done		  ? "it has ended at Vault" :
		work.state == DEPLOY_DONE ? "" :
					    "revoked");
}

/* --- somebody else may have it --- */

static void
alarm(struct tx *tx, const struct deployment *work, const struct loan_row *row, const char *outcome,
    const char *what)
{
	const struct chat_first_row *first = &chat_first_rows[FIRST_INTERCEPTED];
	const char *accessor = row->accessor;
	bool is_ending = row->state == LOAN_ENDING;

	audit(tx, AUDIT_CODE_SECRET_UNWRAP_FAILED, work, row, outcome);
	decide_factor_tell(tx, 0,
	    "%s%s%s%s: %s.%s " MARK_CODE "/show %" PRId64 MARK_CODE
	    " has who asked; what was done with it stands in Vault's audit, by the accessor %.8s.",
	    first->before, work->environment, first->behind, work->argument, what,
	    is_ending ? " It is being revoked." : "", work->id,
	    accessor[0] != '\0' ? accessor : "(not known)");
}

/* --- it is not lent after all --- */

/* A grant, or the secret, may end between the last yes and the moment in which it is given. */
static bool
is_granted(struct tx *tx, const struct deployment *work, struct loan *ret)
{
	return loan_of(tx->settings, work->argument, work->environment, ret) &&
	    decide_is_allowed_work(tx, work->requested_by, work);
}

static void
withdraw(struct tx *tx, struct deployment *work, struct loan_row *row)
{
	revoke(tx, row);
	end(tx, work, DEPLOY_WHY_REFUSED, "who asked for it may not have it any more");
}

/* --- Vault has made it, or has not --- */

/* The value itself is for jobs: a person reads at Vault. */
static bool
is_by_value(struct tx *tx, const struct deployment *work, const struct loan *loan)
{
	return loan->is_value && row_job_get(tx, work->id, &(struct row_job){ 0 })->work != 0;
}

static void
order_lend(struct tx *tx, const struct deployment *work, const struct loan *loan)
{
	struct effect effect = { .kind = EFFECT_VAULT_LEND, .subject = work->id };
	char *slash;

	/* Two applications may have secrets of one name, and no policy is for both. */
	(void)text_copy(effect.u.vault.name, sizeof(effect.u.vault.name), loan->id);
	slash = strchr(effect.u.vault.name, '/');
	if (slash != NULL)
		*slash = '.';
	effect.u.vault.ttl_s = loan->ttl_ms / SECOND_MS;
	(void)text_copy(
	    effect.u.vault.principal, sizeof(effect.u.vault.principal), work->requester);
	if (is_by_value(tx, work, loan))
		(void)text_copy(
		    effect.u.vault.value, sizeof(effect.u.vault.value), loan->path); /* it fits */
	(void)row_effect_order(tx, &effect);
}

/* To the person who asked for it. */
static void
send(struct tx *tx, struct deployment *work, struct loan_row *row)
{
	struct effect effect = { .kind = EFFECT_LEND_MESSAGE, .subject = work->id };
	struct loan loan;

	if (!is_granted(tx, work, &loan)) {
		withdraw(tx, work, row);
		return;
	}
	(void)text_copy(effect.u.vault.name, sizeof(effect.u.vault.name), loan.id);
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
	(void)text_copy(row->accessor, sizeof(row->accessor), said->accessor);
	row->until = tx->at + SECOND_MS * tx->effect->u.vault.ttl_s;
	if (said->is_done && is_wanted) {
		set_state(tx, row, LOAN_KEPT, tx->at + FETCH_MS);
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
		alarm(tx, &work, row, "wrong", said->why);
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

/* So long after Vault has made it Vault is asked whether it was used: it keeps what it wraps for no
 * longer, and then says of what nobody has used what it says of what somebody has. */
static const int looks_s[] = { 30, 60, 90, 115 };

#define LOOKS_LAST ((int)COUNT(looks_s) - 1)

/* Now, where that is not known: its secret's _TTL has changed meanwhile. */
static int64_t
made_at(struct tx *tx, const struct deployment *work, const struct loan_row *row)
{
	struct loan loan;
	int64_t at = loan_of(tx->settings, work->argument, work->environment, &loan) ?
	    row->until - loan.ttl_ms :
	    0;

	return at <= tx->at && at > tx->at - 2 * FETCH_MS ? at : tx->at;
}

static void
order_look(struct tx *tx, const struct deployment *work, const struct loan_row *row, int tries)
{
	struct effect effect = { .kind = EFFECT_VAULT_LOOK, .subject = row->work };
	int64_t made = made_at(tx, work, row);

	while (tries < LOOKS_LAST && made + SECOND_MS * looks_s[tries] <= tx->at)
		tries++;
	effect.u.vault.tries = tries;
	effect.u.vault.not_before = made + SECOND_MS * looks_s[tries];
	(void)row_effect_order(tx, &effect);
}

/* Without an accessor nothing of it can be revoked: it is over. */
static void
give(struct tx *tx, struct deployment *work, struct loan_row *row, bool is_value)
{
	bool is_over = row->accessor[0] == '\0';

	set_state(tx, row, is_over ? LOAN_OVER : LOAN_GIVEN, is_over ? 0 : row->until);
	audit(tx, AUDIT_CODE_SECRET_LENT, work, row, is_value ? "value" : "lent");
	if (is_over)
		(void)text_copy(work->note, sizeof(work->note), GIVEN_VALUE); /* it fits */
	(void)decide_step(tx, work, DEPLOY_ON_SCRIPT_OK, NULL);
	if (!is_value)
		order_look(tx, work, row, 0);
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
		give(tx, &work, row, false);
	} else {
		revoke(tx, row);
		end(tx, &work, DEPLOY_WHY_INTERRUPTED, said->why);
	}
}

static void
say_used(struct tx *tx, struct deployment *work)
{
	const struct chat_clock clock = decide_clock(tx, work->environment);
	struct chat_text text = CHAT_TEXT_EMPTY;

	chat_text_since(&text, "used ", &clock, tx->at, tx->at);
	say_over(tx, work, buf_text(&text.buf));
	buf_done(&text.buf);
}

/* What nobody has unwrapped nobody will; no answer of Vault's revokes anything. */
static void
looked(struct tx *tx, struct loan_row *row, const struct vault_said *said)
{
	int tries = tx->effect->u.vault.tries;
	bool is_last = tries >= LOOKS_LAST;
	struct deployment work;

	if (row->state != LOAN_GIVEN)
		return;
	row_deployment_get(tx, row->work, &work);
	if (said->is_used || is_last) {
		delete_message(tx, row);
		row_loan_save(tx, row);
	}
	if (said->is_used) {
		say_used(tx, &work);
	} else if (!is_last) {
		order_look(tx, &work, row, tries + 1);
	} else if (said->is_done) {
		revoke(tx, row);
		say_over(tx, &work, "not used");
		if (row->chat != 0)
			decide_loan_say_unused(tx, &work);
	} else if (row->chat != 0) {
		say_over(tx, &work, "Vault has not said whether it was used");
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

/* --- it is fetched --- */

/* Has this very job asked for it, or this person, who is not sent it in a chat? */
static bool
is_own(struct tx *tx, const struct api_request *api, const struct deployment *work)
{
	if (api->job != NULL)
		return decide_job_began(tx, api, work->id);
	return work->requested_by == api->from.person && row_loan_get(tx, work->id).chat == 0 &&
	    row_job_get(tx, work->id, &(struct row_job){ 0 })->work == 0;
}

/* The loan of that number, if it is theirs; id 0: it was refused. */
static void
find_own(struct tx *tx, const struct api_request *api, struct deployment *ret)
{
	row_deployment_get(tx, request_number(&api->request, "work"), ret);
	if (ret->id != 0 && deployment_is_loan(ret) && is_own(tx, api, ret))
		return;
	ret->id = 0;
	decide_refusef(tx, 404, "There is no loan of that number that %s asked for.",
	    api->job != NULL ? "this job has" : "you have");
}

/* Whoever asks again may have what was lost.  What Vault refused is no denial of theirs, and no
 * 5xx, which is tried again. */
static int
status_of(const struct deployment *work)
{
	bool is_lost = work->why == DEPLOY_WHY_INTERRUPTED || work->why == DEPLOY_WHY_TIMED_OUT;

	return work->state != DEPLOY_FAILED ? 403 :
	    is_lost			    ? 410 :
	    work->why == DEPLOY_WHY_SCRIPT  ? 409 :
					      403;
}

/* What a job reads it has in its workflow. */
static void
put_command(struct tx *tx, const struct loan *loan, struct json_out *json)
{
	const struct settings_vault *vault = &tx->settings->vault;
	char command[LOAN_COMMAND];

	loan_command(loan, command);
	json_put_str(json, "vault", vault->address);
	json_put_str(json, "namespace", vault->name_space != NULL ? vault->name_space : "");
	json_put_str(json, "command", command);
}

bool
decide_loan_look(struct tx *tx, const struct api_request *api, struct json_out *json)
{
	struct deployment work;
	struct loan_row row;
	struct loan loan;

	find_own(tx, api, &work);
	if (work.id == 0)
		return false;
	tx->answer.work = work.id;
	row = row_loan_get(tx, work.id);
	if (work.state == DEPLOY_RUNNING && !is_granted(tx, &work, &loan))
		withdraw(tx, &work, &row);
	/* What the loop has no more is revoked when it is due. */
	if (work.state == DEPLOY_RUNNING && row.state == LOAN_KEPT && api->is_kept) {
		give(tx, &work, &row, is_by_value(tx, &work, &loan));
		tx->answer.is_lent = true;
		tx->answer.status = 200;
		if (api->job == NULL)
			put_command(tx, &loan, json);
	} else if (deploy_flow_class(work.state) != DEPLOY_CLASS_FINAL)
		tx->answer.status = 202;
	else if (work.state == DEPLOY_DONE)
		decide_refusef(tx, 410, "#%" PRId64 " was given before, once: ask again", work.id);
	else
		decide_refusef(tx, status_of(&work), "#%" PRId64 " is not lent: %s%s%.200s",
		    work.id, deploy_flow_name(work.state), work.detail[0] != '\0' ? ", " : "",
		    work.detail);
	return tx->answer.is_lent;
}

void
decide_loan_end(struct tx *tx, const struct api_request *api)
{
	struct deployment work;

	find_own(tx, api, &work);
	if (work.id == 0)
		return;
	tx->answer.work = work.id;
	tx->answer.status = 202;
	end_of_job(tx, work.id, "its job needs it no longer");
}

/* It was revoked before, or its job has ended: then too somebody may have had it. */
void
decide_loan_failed(struct tx *tx, const struct api_request *api)
{
	struct deployment work;
	struct loan_row row;
	char once[40];

	find_own(tx, api, &work);
	if (work.id == 0)
		return;
	tx->answer.work = work.id;
	tx->answer.status = 202;
	(void)snprintf(once, sizeof(once), "secret-failed:%" PRId64, work.id);
	row = row_loan_get(tx, work.id);
	if (work.state != DEPLOY_DONE) {
		end_of_job(tx, work.id, NOT_UNWRAPPED);
	} else if (row_rate_limit_take(tx, once, 1, ALARM_EACH_MS)) {
		revoke(tx, &row);
		alarm(tx, &work, &row, "failed",
		    NOT_UNWRAPPED ": somebody else may have had it first");
		say_over(tx, &work, NOT_UNWRAPPED);
	}
}

void
decide_loan_revoke(struct tx *tx, const struct update *update, struct deployment *work)
{
	struct loan_row row = row_loan_get(tx, work->id);
	const char *why_not = decide_loan_not_revoked(work, &row);
	char user[PRINCIPAL_TEXT];

	if (deploy_flow_class(work->state) != DEPLOY_CLASS_FINAL) {
		decide_press_cancel(tx, update, work);
		return;
	}
	if (why_not != NULL) {
		decide_answer_no(tx, update);
		decide_loan_answer(tx, update, work, why_not);
		return;
	}
	decide_audit_request(tx, work, decide_user(tx, update->person, user),
	    AUDIT_CODE_CANCEL_REQUESTED, "requested",
	    (const char *const[]){ "secret", work->argument, "name", update->name, NULL });
	revoke(tx, &row);
	decide_tell(tx, work, NULL);
	row_deployment_save(tx, work);
	decide_loan_answer(tx, update, work, "is being revoked at Vault.");
}

void
decide_loan_over(struct tx *tx, const struct settings *application, const struct delivery_job *job)
{
	int64_t number = INT64_MAX;
	struct deployment work;

	while ((number = row_loan_over(tx, job, number)) != 0 && !tx->failed) {
		row_deployment_get(tx, number, &work);
		if (settings_of(tx->settings, work.environment) == application)
			end_of_job(tx, number, "its job is over");
	}
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
		audit(tx, AUDIT_CODE_SECRET_REVOKED, &work, &row, "ended by Vault");
		set_state(tx, &row, LOAN_OVER, 0);
		say_over(tx, &work, "it has ended at Vault");
	} else if (row.state == LOAN_KEPT) {
		revoke(tx, &row);
		end(tx, &work, DEPLOY_WHY_TIMED_OUT,
		    row.chat != 0 ? "Telegram did not take it within two minutes: ask again" :
				    "who asked for it did not fetch it within two minutes");
	} else if (row.state == LOAN_ASKED && work.state == DEPLOY_RUNNING) {
		row_loan_save(tx, &row);
		if (is_granted(tx, &work, &loan))
			order_lend(tx, &work, &loan);
		else
			withdraw(tx, &work, &row);
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
		revoke(tx, &row);
		if (deploy_flow_class(work.state) == DEPLOY_CLASS_ACTIVE)
			end(tx, &work, DEPLOY_WHY_INTERRUPTED,
			    "deploybot was restarted before it was given: ask again");
	}
}

/* --- as an executor --- */

static void
begin(struct tx *tx, int64_t number)
{
	struct deployment work;
	struct loan loan;

	row_deployment_get(tx, number, &work);
	if (loan_of(tx->settings, work.argument, work.environment, &loan))
		order_lend(tx, &work, &loan);
	else
		end(tx, &work, DEPLOY_WHY_REFUSED, "the settings lend it no longer");
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
