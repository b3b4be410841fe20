/* decide_loan.c - a job asks for a secret that the settings lend, has it once, and gives it back.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_loan.h"

#include <inttypes.h>
#include <stdio.h>

#include "decide/decide_reply.h"
#include "decide/hold/decide_refusal.h"
#include "decide/question/decide_question.h"
#include "decide/queue/decide_queue.h"
#include "decide/tell/decide_tell.h"
#include "decide/who/decide_allowed.h"
#include "decide/who/decide_job.h"
#include "decide/who/decide_principal.h"
#include "decide/work/decide_action.h"
#include "decide/work/decide_deployment.h"
#include "decide/work/decide_end.h"
#include "decide/work/decide_executor.h"
#include "lib/buf.h"
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
#define LOANS_MAX     64
#define AT_ONCE	      5 /* of a workflow, then one each EVERY_MS */
#define EVERY_MS      (12 * SECOND_MS)
#define REVOKE_S_MOST 60

/* --- its row, and the one timer that it has --- */

static void
wait_until(struct tx *tx, struct loan_row *row, int64_t at)
{
	char name[24];

	(void)snprintf(name, sizeof(name), "%" PRId64, row->work);
	row_effect_withdraw(tx, row->timer);
	row->timer = at == 0 ? 0 : row_effect_timer(tx, TIMER_LOAN, name, 0, at);
}

static void
set_state(struct tx *tx, struct loan_row *row, enum loan_state state, int64_t look_at)
{
	row->state = state;
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

static void
audit(struct tx *tx, enum audit_code code, const struct deployment *work, const char *accessor,
    const char *outcome)
{
	char user[PRINCIPAL_TEXT], begin[9];

	(void)snprintf(begin, sizeof(begin), "%.8s", accessor);
	decide_audit_request(tx, work, decide_requester(tx, work, user), code, outcome,
	    (const char *const[]){ "secret", work->argument, "accessor", begin, NULL });
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

static void
say_over(struct tx *tx, struct deployment *work, const char *how)
{
	(void)text_copy(work->note, sizeof(work->note), how);
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
		return;
	}
	audit(tx, AUDIT_CODE_SECRET_REVOKED, &work, row->accessor,
	    said->is_done ? "revoked" : "ended by Vault");
	set_state(tx, row, LOAN_OVER, 0);
	say_over(tx, &work, said->is_done ? "revoked" : "it has ended at Vault");
}

/* --- Vault has made it, or has not --- */

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
		return;
	}
	if (!said->is_done && is_wanted && !said->is_unsure && said->retry_after_s > 0 &&
	    tx->at + SECOND_MS * said->retry_after_s <
		work.started_at + tx->settings->vault.wait_ms) {
		set_state(tx, row, LOAN_ASKED, tx->at + SECOND_MS * said->retry_after_s);
		return;
	}
	revoke(tx, row);
	if (said->is_unsure)
		audit(tx, AUDIT_CODE_SECRET_LOST, &work, "", "lost");
	if (is_wanted)
		end(tx, &work,
		    said->is_unsure		? DEPLOY_WHY_INTERRUPTED :
			said->retry_after_s > 0 ? DEPLOY_WHY_TIMED_OUT :
						  DEPLOY_WHY_SCRIPT,
		    said->why);
}

void
decide_loan_said(struct tx *tx, const struct vault_said *said)
{
	struct loan_row row = row_loan_get(tx, tx->effect->subject);

	if (row.work == 0)
		return;
	if (tx->effect->kind == EFFECT_VAULT_LEND)
		lent(tx, &row, said);
	else
		revoked(tx, &row, said);
}

/* --- it is asked for --- */

/* "db-migrate" of shop's workflow is shop/db-migrate, and else the main file's. */
static bool
find_loan(struct tx *tx, const struct api_request *api, struct loan *ret)
{
	const char *workflow = api->job->workflow, *said = api->request.target;
	bool is_whole = strchr(said, '/') != NULL || strchr(workflow, '/') == NULL;
	char id[LIMIT_REF + ENVIRONMENT_ID_MAX];

	(void)snprintf(id, sizeof(id), "%.*s%s", is_whole ? 0 : (int)strcspn(workflow, "/") + 1,
	    workflow, said);
	for (int is_main = 0; is_main < 2; is_main++)
		for (size_t at = 0; loan_next(tx->settings, &at, ret);)
			if (strcmp(ret->id, is_main ? said : id) == 0)
				return true;
	return false;
}

static bool
may_have(struct tx *tx, int64_t person, const struct loan *loan)
{
	return policy_decide_secret(
		   tx->settings, decide_principal(tx, person), loan->name, loan->target, tx->at)
		   .verdict == POLICY_ALLOW;
}

/* One that is not there and one that is not granted are refused alike. */
static bool
find_granted(struct tx *tx, const struct api_request *api, struct loan *ret)
{
	bool is_there = find_loan(tx, api, ret);

	if (is_there && may_have(tx, api->from.person, ret))
		return true;
	decide_audit_denied(tx, &api->from, AUDIT_CODE_DENIED, "secret",
	    is_there ? ret->target : "", "no grant for it");
	decide_refusef(tx, 403,
	    "workflow:%s is lent no \"%.80s\": there is none, or its WORKFLOW_<NAME>_MAY grants no secret.NAME:ENVIRONMENT",
	    api->job->workflow, api->request.target);
	return false;
}

/* Why it is not lent now, and the status that says so; 0: it is. */
static int
refusal(struct tx *tx, const struct loan *loan, char ret[LIMIT_LINE])
{
	const char *refused = decide_refusal(tx, loan->target);

	if (refused != NULL) {
		(void)snprintf(ret, LIMIT_LINE, "%s", refused);
		return 409;
	}
	if (loan->approvals == 0 &&
	    policy_needs_factor(tx->settings, POLICY_SECRET, loan->name, loan->target)) {
		(void)snprintf(ret, LIMIT_LINE,
		    "REQUIRE_OTP asks a code for secret.%s, and nobody is asked: set SECRET_<NAME>_APPROVALS",
		    loan->name);
		return 403;
	}
	if (row_loan_count(tx) >= LOANS_MAX) {
		(void)snprintf(ret, LIMIT_LINE,
		    "%d secrets are lent or waited for: try again later", LOANS_MAX);
		return 429;
	}
	return 0;
}

static bool
may_ask_now(struct tx *tx, const struct job *job)
{
	char who[ENVIRONMENT_ID_MAX + 16];

	(void)snprintf(who, sizeof(who), "secret:%s", job->workflow);
	if (row_rate_limit_take(tx, who, AT_ONCE, EVERY_MS))
		return true;
	decide_refusef(tx, 429, "this workflow asks for secrets too often: five a minute");
	return false;
}

static void
ask(struct tx *tx, const struct api_request *api, const struct loan *loan)
{
	struct loan_row row = { .state = LOAN_ASKED };
	struct deployment work;
	char user[PRINCIPAL_TEXT];

	decide_requested(tx, &api->from, PROGRAM_ACTION, loan->target, &work);
	(void)text_copy(work.action, sizeof(work.action), action_table[ACTION_LEND_SECRET].name);
	(void)text_copy(work.argument, sizeof(work.argument), loan->name);
	row_deployment_add(tx, &work);
	row_job_add(tx, work.id, api->job);
	row.work = work.id;
	row_loan_save(tx, &row);
	decide_action_bind(tx, &work, &(struct action_row){ .executor = "vault" });
	row_deployment_save(tx, &work);
	tx->answer.work = work.id;
	decide_audit_request(tx, &work, decide_requester(tx, &work, user),
	    AUDIT_CODE_SECRET_REQUESTED, "requested",
	    (const char *const[]){ "secret", loan->name, "name", api->from.name, "repository",
		api->job->repository, "run", api->job->run, NULL });
	decide_enqueue(tx, &work, DEPLOY_ON_CLEAR, NULL);
}

void
decide_loan(struct tx *tx, const struct api_request *api)
{
	struct loan loan;
	char why[LIMIT_LINE];
	int status;

	if (!decide_job_asks(tx, api) || !find_granted(tx, api, &loan))
		return;
	tx->answer.work = row_loan_of_job(tx, loan.target, loan.name, api->job);
	if (tx->answer.work == 0 && !may_ask_now(tx, api->job))
		return;
	status = tx->answer.work != 0 ? 0 : refusal(tx, &loan, why);
	if (status != 0) {
		decide_refusef(tx, status, "%s", why);
		return;
	}
	if (tx->answer.work == 0)
		ask(tx, api, &loan);
	tx->answer.status = 202;
}

/* --- somebody wants it revoked --- */

static void
say(struct tx *tx, const struct update *update, const struct deployment *work, const char *how)
{
	if (update->kind == UPDATE_PRESS && !decide_is_answered(update))
		decide_toastf(tx, update, false, "%s %s", work->argument, how);
	else
		(void)decide_send_firstf(tx, &update->address, FIRST_REVOKES, work->environment,
		    " %s %s", work->argument, how);
}

/* --- it is fetched --- */

/* The loan of that number, if this very job has asked for it; id 0: it was refused. */
static void
find_of_job(struct tx *tx, const struct api_request *api, struct deployment *ret)
{
	int64_t number = request_number(&api->request, "work");

	if (!decide_job_asks(tx, api)) {
		ret->id = 0;
		return;
	}
	row_deployment_get(tx, number, ret);
	if (deployment_is_loan(ret) && decide_job_began(tx, api, number))
		return;
	ret->id = 0;
	decide_refusef(tx, 404, "There is no loan of that number that this job has asked for.");
}

static void
give(struct tx *tx, struct deployment *work, struct loan_row *row)
{
	set_state(tx, row, LOAN_GIVEN, row->until);
	audit(tx, AUDIT_CODE_SECRET_LENT, work, row->accessor, "lent");
	(void)decide_step(tx, work, DEPLOY_ON_SCRIPT_OK, NULL);
	tx->answer.is_lent = true;
	tx->answer.status = 200;
}

/* A grant may end between the last yes and the moment in which it is given. */
static bool
is_granted(struct tx *tx, const struct deployment *work)
{
	return loan_of(tx->settings, work->argument, work->environment, &(struct loan){ 0 }) &&
	    decide_is_allowed_work(tx, work->requested_by, work);
}

static void
withdraw(struct tx *tx, struct deployment *work, struct loan_row *row)
{
	revoke(tx, row);
	end(tx, work, DEPLOY_WHY_REFUSED, "its workflow may not have it any more");
}

/* Whoever asks again may have it; what was refused stays refused. */
static bool
is_lost(const struct deployment *work)
{
	return work->state == DEPLOY_FAILED &&
	    (work->why == DEPLOY_WHY_INTERRUPTED || work->why == DEPLOY_WHY_TIMED_OUT);
}

bool
decide_loan_look(struct tx *tx, const struct api_request *api)
{
	struct deployment work;
	struct loan_row row;

	find_of_job(tx, api, &work);
	if (work.id == 0)
		return false;
	tx->answer.work = work.id;
	row = row_loan_get(tx, work.id);
	if (work.state == DEPLOY_RUNNING && !is_granted(tx, &work))
		withdraw(tx, &work, &row);
	if (work.state == DEPLOY_RUNNING && row.state == LOAN_KEPT)
		give(tx, &work, &row);
	else if (deploy_flow_class(work.state) != DEPLOY_CLASS_FINAL)
		tx->answer.status = 202;
	else if (work.state == DEPLOY_DONE)
		decide_refusef(tx, 410, "#%" PRId64 " was given before, once: ask again", work.id);
	else
		decide_refusef(tx, is_lost(&work) ? 410 : 403,
		    "#%" PRId64 " is not lent: %s%s%.200s", work.id, deploy_flow_name(work.state),
		    work.detail[0] != '\0' ? ", " : "", work.detail);
	return tx->answer.is_lent;
}

void
decide_loan_end(struct tx *tx, const struct api_request *api)
{
	struct deployment work;

	find_of_job(tx, api, &work);
	if (work.id == 0)
		return;
	tx->answer.work = work.id;
	tx->answer.status = 202;
	end_of_job(tx, work.id, "its job needs it no longer");
}

void
decide_loan_revoke(struct tx *tx, const struct update *update, struct deployment *work)
{
	struct loan_row row = row_loan_get(tx, work->id);
	bool is_over = row.state == LOAN_OVER || row.state == LOAN_ENDING;
	char user[PRINCIPAL_TEXT];

	if (deploy_flow_class(work->state) != DEPLOY_CLASS_FINAL) {
		decide_press_cancel(tx, update, work);
		return;
	}
	if (is_over || row.state == LOAN_ASKED) {
		decide_answer_no(tx, update);
		say(tx, update, work,
		    row.state == LOAN_ASKED ? "was not lent." : "is over: nobody has it any more.");
		return;
	}
	decide_audit_request(tx, work, decide_user(tx, update->person, user),
	    AUDIT_CODE_CANCEL_REQUESTED, "requested",
	    (const char *const[]){ "secret", work->argument, "name", update->name, NULL });
	revoke(tx, &row);
	say(tx, update, work, "is being revoked at Vault.");
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
		set_state(tx, &row, LOAN_OVER, 0);
		say_over(tx, &work, "it has ended at Vault");
	} else if (row.state == LOAN_KEPT) {
		revoke(tx, &row);
		end(tx, &work, DEPLOY_WHY_TIMED_OUT, "its job did not fetch it within two minutes");
	} else if (row.state == LOAN_ASKED && work.state == DEPLOY_RUNNING) {
		row_loan_save(tx, &row);
		if (is_granted(tx, &work) &&
		    loan_of(tx->settings, work.argument, work.environment, &loan))
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
		audit(tx, AUDIT_CODE_SECRET_LOST, &work, row.accessor, "lost");
		revoke(tx, &row);
		if (deploy_flow_class(work.state) == DEPLOY_CLASS_ACTIVE)
			end(tx, &work, DEPLOY_WHY_INTERRUPTED,
			    "deploybot was restarted before its job had it: ask again");
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

static bool
exists(struct tx *tx, const struct deployment *work)
{
	return loan_of(tx->settings, work->argument, work->environment, &(struct loan){ 0 });
}

/* Whose job has asked for it.  The path is not for everybody's eyes. */
static void
touches(struct tx *tx, const struct deployment *work, char out[DECIDE_TOUCHES])
{
	struct row_job of;
	struct loan loan;

	out[0] = '\0';
	if (!loan_of(tx->settings, work->argument, work->environment, &loan))
		return;
	row_job_get(tx, work->id, &of);
	if (job_is_by_key(&of.job))
		(void)snprintf(out, DECIDE_TOUCHES, "for workflow:%s, for %" PRId64 " min at most",
		    of.job.workflow, loan.ttl_ms / MINUTE_MS);
	else
		(void)snprintf(out, DECIDE_TOUCHES,
		    "for %s %s of %.200s, for %" PRId64 " min at most",
		    job_word(of.job.repository_id), of.job.run, of.job.repository,
		    loan.ttl_ms / MINUTE_MS);
}

/* A yes is for that path and that time. */
static void
bind_path(struct tx *tx, const struct deployment *work, struct buf *all)
{
	struct loan loan;

	if (loan_of(tx->settings, work->argument, work->environment, &loan))
		buf_addf(all, "%s\n%s %" PRId64 "\n", loan.path, loan.target, loan.ttl_ms);
}

__attribute__((constructor)) static void
register_executor(void)
{
	static const struct decide_executor executor = { .begin = begin,
		.will_end = will_end,
		.stop = stop,
		.exists = exists,
		.touches = touches,
		.bind = bind_path };

	decide_executor_add(ACTION_BY_VAULT, &executor);
}
