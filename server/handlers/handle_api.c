/* handle_api.c - somebody asked something over /v1: decided as if it were typed or pressed.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>

#include "chat/chat_command.h"
#include "commands/commands.h"
#include "decide/git/decide_job_push.h"
#include "decide/who/decide_agent.h"
#include "decide/who/decide_agents.h"
#include "decide/who/decide_console.h"
#include "decide/who/decide_allowed.h"
#include "decide/who/decide_job.h"
#include "decide/factor/decide_enrol.h"
#include "decide/factor/decide_factor.h"
#include "decide/factor/decide_factor_own.h"
#include "decide/factor/decide_factor_state.h"
#include "decide/factor/decide_factor_try.h"
#include "decide/who/decide_first_admin.h"
#include "decide/decide_limit.h"
#include "decide/factor/decide_pad.h"
#include "decide/factor/decide_pad_shown.h"
#include "decide/question/decide_question.h"
#include "decide/question/decide_question_same.h"
#include "decide/decide_reply.h"
#include "decide/tell/decide_bake_buttons.h"
#include "decide/tell/decide_tell.h"
#include "decide/who/decide_peer.h"
#include "decide/who/decide_peer_code.h"
#include "decide/who/decide_principal.h"
#include "decide/who/decide_token.h"
#include "decide/view/decide_begun.h"
#include "decide/view/decide_me.h"
#include "decide/view/decide_view.h"
#include "decide/view/decide_view_lists.h"
#include "decide/work/decide_do.h"
#include "decide/work/decide_gate.h"
#include "decide/work/decide_loan.h"
#include "decide/work/decide_loan_ask.h"
#include "decide/work/decide_upload.h"
#include "decide/question/decide_where.h"
#include "handlers/handle_api_inside.h"
#include "handlers/handlers.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/row_deployment.h"
#include "store/row_hook.h"
#include "store/row_job.h"
#include "store/row_principal.h"
#include "store/row_run.h"
#include "store/row_runner.h"

/* Does it wait for somebody's answer, or will it when git has answered? */
static bool
is_to_be_answered(struct tx *tx, const struct deployment *work)
{
	const struct environment_settings *environment =
	    settings_environment(tx->settings, work->environment);

	return deployment_is_asked(work) ||
	    (work->state == DEPLOY_REQUESTED && environment != NULL &&
		(environment->confirm || deployment_is_rollback(work)));
}

#define ASKED_MAX 8

/* An open question about the same ref or archive there, which this one joins most likely when git
 * answers; 0: there is none. */
static int64_t
asked_as(struct tx *tx, const struct deployment *work)
{
	struct deployment asked[ASKED_MAX];
	size_t n = work->id == 0 || work->state != DEPLOY_REQUESTED ?
	    0 :
	    row_deployment_list_asked(tx, work->environment, asked, ASKED_MAX);

	for (size_t i = 0; i < n; i++)
		if (asked[i].program == work->program && asked[i].source == work->source &&
		    strcmp(asked[i].ref, work->ref) == 0 &&
		    (work->source == SOURCE_GIT || strcmp(asked[i].commit, work->commit) == 0))
			return asked[i].id;
	return 0;
}

/* What was said so far, and which work it is about. */
static void
put_said(struct tx *tx, struct json_out *json)
{
	struct deployment work;
	int64_t other;

	row_deployment_get(tx, tx->answer.work, &work);
	other = asked_as(tx, &work);
	json_put_str(json, "said", tx->answer.text != NULL ? tx->answer.text : "");
	if (tx->answer.work != 0)
		json_put_i64(json, "work", tx->answer.work);
	else
		json_put_str(json, "work", NULL);
	json_put_bool(json, "is_to_be_answered", work.id != 0 && is_to_be_answered(tx, &work));
	json_put_time(json, "asked_until",
	    deployment_is_asked(&work) ? row_deployment_asked_until(tx, work.id) : 0);
	if (other != 0)
		json_put_i64(json, "asked_as", other);
	else
		json_put_str(json, "asked_as", NULL);
}

/* A yes covers what was shown: of a question that was asked anew it says which one it has read.  A
 * code was given for that one alone. */
static bool
is_of_what_was_read(struct tx *tx, const struct api_request *api, const struct update *from,
    const struct deployment *work, struct json_out *json)
{
	char answer[LIMIT_REF], shown[API_SHOWN];
	CLEANUP(freep) char *text = NULL;

	if (work->changed[0] == '\0' ||
	    strcmp(request_get(&api->request, "answer", answer), "yes") != 0)
		return true;
	decide_factor_set_work(tx, work->id);
	if (!decide_may_answer(tx, from, work))
		return false;
	if (tx->factor_of == from->person ||
	    strcmp(decide_pad_digest(tx, work->id, shown), api->shown) == 0)
		return true;
	decide_refusef(tx, 409, "It was asked anew: nothing was confirmed. It asks now:");
	text = decide_tell_text(tx, work, from->person);
	if (text != NULL)
		decide_answer(tx, text);
	json_put_str(json, "shown", shown);
	return false;
}

#define IN(state) (1u << (unsigned)DEPLOY_##state)

/* What is pressed below a release that bakes, or is paused. */
static const struct bake_answer {
	const char *answer;
	command_fn *run;
	bool is_by_name; /* a command for an environment: the work that is meant goes with it */
	unsigned of;	 /* states */
	const char *refusal;
} bake_answers[] = {
	{ "live", command_live, false, IN(BAKING), "It does not bake." },
	{ "leave", command_stay, false, IN(PAUSED), "It is not paused." },
	{ "pause", command_pause, true, IN(RUNNING) | IN(VERIFYING) | IN(BAKING),
	    "Its release is not in progress." },
	{ "resume", command_resume, true, IN(PAUSED), "It is not paused." },
	{ "rollback", command_rollback, true, IN(BAKING) | IN(PAUSED),
	    "It neither bakes nor is paused." },
};

/* False: it is another answer. */
static bool
answer_bake(struct tx *tx, const struct api_request *api, const struct update *from,
    const struct deployment *work)
{
	const struct bake_answer *row = bake_answers, *end = row + COUNT(bake_answers);
	struct request about;
	char answer[LIMIT_REF];

	(void)request_get(&api->request, "answer", answer);
	while (row < end && strcmp(row->answer, answer) != 0)
		row++;
	if (row == end)
		return false;
	tx->answer.work = work->id;
	about = row->is_by_name ? request_of(answer, work->environment) : api->request;
	if (row->is_by_name)
		request_add_number(&about, DECIDE_BAKE, work->id);
	tx->request = &about;
	if ((row->of & 1u << (unsigned)work->state) != 0)
		row->run(tx, from, &about);
	else
		decide_refusef(tx, 409, "%s", row->refusal);
	tx->request = &api->request;
	return true;
}

/* A question that somebody else was faster to answer is no more. */
static void
answer_question(struct tx *tx, const struct api_request *api, struct json_out *json)
{
	CLEANUP(freep) struct update *from = mem_copy(&api->from, sizeof(*from));
	struct deployment work;
	int64_t other;

	handle_api_find_work(tx, api, request_number(&api->request, "work"), &work);
	from->kind = UPDATE_PRESS;
	if (work.id == 0 ||
	    decide_is_too_fast(
		tx, from, "press", deployment_is_rollback(&work) || deployment_is_baking(&work)) ||
	    answer_bake(tx, api, from, &work))
		return;
	other = work.state == DEPLOY_SUPERSEDED ?
	    decide_question_same(tx, &work, &(struct deployment){ 0 })->id :
	    0;
	if (!deployment_is_asked(&work) && other != 0) {
		decide_refusef(tx, 409,
		    "#%" PRId64 " is closed: the same is asked about as #%" PRId64
		    ". Answer that: deploybot answer %" PRId64 " yes",
		    work.id, other, other);
		return;
	}
	if (!deployment_is_asked(&work)) {
		decide_refusef(tx, 409, "%s",
		    work.confirmed_by == 0 ? "There is no open question of that number." :
			work.confirmed_by == from->person ?
					     "You have confirmed it already." :
					     "Somebody else has confirmed it already.");
		return;
	}
	tx->answer.work = work.id;
	tx->request = &api->request;
	if (is_of_what_was_read(tx, api, from, &work, json))
		command_confirm(tx, from, &api->request);
}

/* Without any work nothing of it was done. */
static bool
is_of_work(const char *word)
{
	return strcmp(word, "deploy") == 0 || strcmp(word, "promote") == 0 ||
	    strcmp(word, "rollback") == 0;
}

/* Of a job what it has asked for itself. */
static void
note_job(struct tx *tx, const struct api_request *api)
{
	struct deployment work;

	row_deployment_get(tx, api->job != NULL ? tx->answer.work : 0, &work);
	if (work.id != 0 && work.requested_by == api->from.person && work.requested_at == tx->at)
		row_job_add(tx, work.id, api->job);
}

static void
command(struct tx *tx, const struct api_request *api, struct json_out *json)
{
	char shown[API_SHOWN];

	commands_handle_because(tx, &api->from, api->reason);
	if (decide_factor_is_wanted(tx))
		return;
	if (tx->answer.status == 409 && tx->answer.work != 0 &&
	    strcmp(api->request.action, "approve") == 0)
		json_put_str(json, "shown", decide_pad_digest(tx, tx->answer.work, shown));
	if (tx->answer.work == 0 && is_of_work(api->request.action))
		decide_answer_no(tx, &api->from);
	note_job(tx, api);
	if (tx->answer.status == 200 && tx->answer.text == NULL && tx->answer.work == 0 &&
	    tx->answer.log_of[0] == '\0')
		tx->answer.status = 429; /* it was one too many, and that was said before */
}

/* What jobs of workflows alone ask for. */
static void
decide_for_job(struct tx *tx, const struct api_request *api, struct json_out *json)
{
	if (api->operation == API_PUSH)
		decide_job_push(tx, api);
	else if (api->operation == API_GATE)
		decide_gate(tx, api);
	else if (api->operation == API_GATE_END)
		decide_gate_end(tx, api);
	else if (api->operation == API_SECRET)
		decide_loan(tx, api);
	else if (api->operation == API_LOAN_END)
		decide_loan_end(tx, api);
	else if (api->operation == API_LOAN_FAILED)
		decide_loan_failed(tx, api);
	else if (decide_loan_look(tx, api, json))
		decide_put_begun(tx, json);
}

/* One's own: it needs no proof. */
static void
end_session(struct tx *tx, const struct api_request *api)
{
	struct console_session session = row_console_find(tx, api->from.token);

	if (strcmp(api->request.action, "end") != 0 || !api->from.is_page || session.person == 0) {
		decide_refusef(tx, 404, "There is no session of the console to end.");
		return;
	}
	decide_console_end(tx, &session, "at their word");
	decide_answer(tx, "Logged out.");
}

/* By what somebody, or a host, proves who they are. */
static void
decide_proof(struct tx *tx, const struct api_request *api, struct json_out *json)
{
	if (api->operation == API_SESSION)
		end_session(tx, api);
	else if (api->operation == API_ME)
		decide_me(tx, api, json);
	else if (api->operation == API_FACTOR)
		decide_enrol(tx, api, json);
	else if (api->operation == API_OWN_FACTOR)
		decide_factor_own_show(tx, api, json);
	else if (api->operation == API_FIRST_ADMIN || api->operation == API_FIRST_ADMIN_LINK)
		decide_first_admin(tx, api, json);
	else if (api->operation == API_TOKENS)
		decide_token_list(tx, api, json);
	else if (api->operation == API_TOKEN)
		decide_token(tx, api, json);
	else if (api->operation == API_AGENTS || api->operation == API_RUNNERS)
		decide_agents_list(tx, api, json);
	else if (decide_peer_code_is_wanted(api))
		decide_peer_code(tx, api, json);
	else
		decide_peer(tx, api);
}

static void
change(struct tx *tx, const struct api_request *api, struct json_out *json)
{
	if (api->operation == API_ANSWER)
		answer_question(tx, api, json);
	else
		command(tx, api, json);
}

static void
decide_api(struct tx *tx, const struct api_request *api, struct json_out *json)
{
	if (handle_api_look(tx, api, json))
		return;
	switch (api->operation) {
	case API_ANSWER:
	case API_COMMAND:
	case API_UPLOAD:
		change(tx, api, json);
		break;
	case API_SESSION:
	case API_ME:
	case API_FACTOR:
	case API_OWN_FACTOR:
	case API_TOKENS:
	case API_TOKEN:
	case API_AGENTS:
	case API_AGENT:
	case API_RUNNERS:
	case API_RUNNER:
	case API_FIRST_ADMIN:
	case API_FIRST_ADMIN_LINK:
		decide_proof(tx, api, json);
		break;
	case API_PUSH:
	case API_GATE:
	case API_GATE_END:
	case API_SECRET:
	case API_LOAN:
	case API_LOAN_END:
	case API_LOAN_FAILED:
		decide_for_job(tx, api, json);
		break;
	case API_STATUS:
	case API_HISTORY:
	case API_FIGURES:
	case API_HOSTS:
	case API_QUEUE:
	case API_PENDING:
	case API_HOLDS:
	case API_ACTIONS:
	case API_AUDIT:
	case API_NEWS:
	case API_WORK:
	case API_LOG:
	case API_RUN:
	case API_OPERATION_COUNT:
		break;
	}
}

/* What the code is asked for, to be read before it is typed. */
static void
put_question(struct tx *tx, struct json_out *json)
{
	struct deployment work;
	char line[LIMIT_LINE * 4], clean[LIMIT_LINE * 4], shown[API_SHOWN];

	row_deployment_get(tx, decide_factor_work(tx), &work);
	text_setf(line, "#%" PRId64 " %s: %s%s%s%srequested by %s%s%s", work.id,
	    decide_factor_for(tx), commit_name_here(COMMIT_OF(&work)),
	    work.subject[0] != '\0' ? " " : work.argument, work.subject,
	    work.commit[0] != '\0' || work.argument[0] != '\0' ? ", " : "", work.requester,
	    work.changed[0] != '\0' ? "; asked again: " : "", work.changed);
	json_put_str(json, "question", clean_line(clean, sizeof(clean), line, strlen(line)));
	json_put_str(json, "shown", decide_pad_digest(tx, decide_factor_work(tx), shown));
}

struct asked {
	const struct api_request *api;
	struct json_out *json;
};

/* What is tried shows nothing. */
static void
act(struct tx *tx, UNUSED const struct update *update, void *arg)
{
	const struct asked *asked = arg;
	CLEANUP(buf_wipe) struct buf out = buf_make(LIMIT_ANSWER_TEXT);

	if (!decide_factor_is_trial(tx)) {
		decide_api(tx, asked->api, asked->json);
		return;
	}
	struct json_out json = json_out_begin(&out, '{');

	decide_api(tx, asked->api, &json);
}

/* A code is for the question as it was shown when it was asked for. */
static bool
is_of_what_was_shown(struct tx *tx, const struct api_request *api)
{
	char shown[API_SHOWN];

	return decide_factor_work(tx) == 0 ||
	    strcmp(decide_pad_digest(tx, decide_factor_work(tx), shown), api->shown) == 0;
}

/* A recovery code of who asks stands for one, where it is about factors; not that which is to be
 * recovered with. */
static const char *
code_of(const struct api_request *api)
{
	return api->code[0] != '\0' || strcmp(api->request.action, "recover") == 0 ? api->code :
										     api->recovery;
}

/* Nothing was done: a code is asked for, or with the right one it is. */
static void
take_code(struct tx *tx, struct asked *asked)
{
	const struct api_request *api = asked->api;
	char why[LIMIT_LINE];

	if (code_of(api)[0] == '\0' || !is_of_what_was_shown(tx, api)) {
		decide_pad_ask(tx, &api->from);
		if (tx->answer.status == 428 && decide_factor_work(tx) != 0)
			put_question(tx, asked->json);
	} else if (decide_factor_give(tx, &api->from, code_of(api), why)) {
		act(tx, &api->from, asked);
	} else {
		decide_refusef(tx, 403, "%s", why);
	}
}

/* What needs a code is decided once more with it. */
static void
decide_with_code(struct tx *tx, const struct api_request *api, struct json_out *json)
{
	struct asked asked = { api, json };

	if (!decide_factor_asks(tx, &api->from, act, &asked))
		return;
	if (api->job != NULL) { /* a code is a person's */
		decide_factor_refuse_program(tx, &api->from, &api->request);
		return;
	}
	take_code(tx, &asked);
}

/* --- by the console --- */

/* By whom somebody is, what they prove it with, and what they are lent: a page never has to do with
 * that, whoever has taken it over. */
static bool
is_left_to_chat(const struct api_request *api)
{
	static const char *const words[] = { "2fa", "start", "login", "console" };

	for (size_t i = 0; api->operation == API_COMMAND && i < COUNT(words); i++)
		if (strcmp(api->request.action, words[i]) == 0)
			return true;
	return api_is_post(api->operation) ?
	    api->operation != API_COMMAND && api->operation != API_ANSWER &&
		api->operation != API_SESSION && api->operation != API_OWN_FACTOR :
	    api->operation == API_LOAN;
}

/* It stands for a yes of others, or goes past it. */
static bool
is_approval(struct tx *tx, const struct api_request *api)
{
	struct chat_command typed;
	struct deployment work;
	const char *behind;

	if (api->operation == API_ANSWER)
		return deployment_is_emergency(
		    row_deployment_get(tx, request_number(&api->request, "work"), &work));
	return api->operation == API_COMMAND &&
	    (strcmp(api->request.action, "approve") == 0 ||
		strcmp(api->request.action, "review") == 0 ||
		((strcmp(api->request.action, "deploy") == 0 ||
		     strcmp(api->request.action, "promote") == 0) &&
		    chat_command_parse(api->from.text, &typed) &&
		    chat_command_emergency(&typed, 0, &behind) < typed.n_arguments));
}

static void
refuse_page(struct tx *tx, const struct api_request *api, const char *why)
{
	decide_audit_denied(
	    tx, &api->from, AUDIT_CODE_CODE_IMPOSSIBLE, "page", "", "not proven by the page");
	decide_refusef(tx, 403, "Not done by the page: %s.", why);
}

/* Whatever changes something is proven again. */
static void
decide_by_page(struct tx *tx, const struct api_request *api, struct console_session *session,
    struct json_out *json)
{
	bool is_fresh =
	    tx->at >= session->proof_at && tx->at - session->proof_at < DECIDE_CONSOLE_PROOF_MS;
	bool has_factor = decide_factor_of(tx, api->from.person).enrolled_at != 0;
	struct asked asked = { api, json };
	char what[LIMIT_LINE];

	text_setf(what, "%s", api->operation == API_COMMAND ? api->from.text + 1 : "an answer");
	if (is_left_to_chat(api))
		refuse_page(tx, api, "that is done in the chat or on the server alone");
	else if (!api_is_post(api->operation) || api->operation == API_SESSION ||
	    (is_fresh && !is_approval(tx, api)))
		decide_with_code(tx, api, json);
	else if (has_factor && decide_factor_proves(tx, &api->from, what, act, &asked))
		take_code(tx, &asked);
	else if (!has_factor && is_fresh && session->bot[0] != '\0')
		decide_with_code(tx, api, json);
	else if (!has_factor)
		refuse_page(tx, api,
		    is_approval(tx, api) ?
			"without a second factor you answer in the chat" :
			"you logged in more than 10 minutes ago; open the console anew");
	if (tx->factor_of == api->from.person)
		decide_console_prove(tx, session);
	else if (code_of(api)[0] != '\0' &&
	    decide_factor_of(tx, api->from.person).locked_until > tx->at)
		decide_console_end(tx, session, "too many wrong codes");
}

/* What the loop knows of root is the role that it says. */
static bool
enter(struct tx *tx, struct api_request *api, struct console_session *session)
{
	struct update *from = &api->from;

	if (api->is_network && token_is_session(from->token))
		return decide_console_enter(tx, api, session);
	if (api->job != NULL)
		return decide_job_enter(tx, api);
	if (api->is_network)
		return decide_token_enter(tx, api);
	if (from->as.name[0] != '\0')
		from->person =
		    row_principal_of(tx, PRINCIPAL_USER, from->as.application, from->as.name);
	return true;
}

#define CALLS_MAX    40000 /* of one person: more than a token may ask in an hour */
#define CALLS_FOR_MS (3600 * INT64_C(1000)) /* beyond: those of before go */
#define CALLS_OF     32

static struct hook_use
use_of(const struct tx *tx, const struct api_request *api, char of[CALLS_OF])
{
	(void)snprintf(of, CALLS_OF, ":v1:%" PRId64, api->from.person); /* no hook is called so */
	return (struct hook_use){ .id = of,
		.key = api->key,
		.digest = api->digest,
		.is_quiet = tx->answer.status < 400 };
}

/* A proxy has passed it on to a second server, or whoever asks has not read the answer. */
static bool
came_before(struct tx *tx, const struct api_request *api)
{
	char of[CALLS_OF];
	const struct hook_use use = use_of(tx, api, of);
	struct hook_answer before;

	if (api->key[0] == '\0')
		return false;
	before = row_hook_find(tx, &use);
	if (before.is_other) {
		decide_refusef(
		    tx, 422, "this Idempotency-Key was used for another request within 24 hours");
	} else if (before.status != 0) {
		tx->answer.status = before.status;
		tx->answer.work = before.work;
		tx->answer.is_duplicate = true;
		decide_answer(
		    tx, before.said[0] != '\0' ? before.said : "the same request came before");
	} else if (row_hook_is_full(tx, of, CALLS_MAX, CALLS_FOR_MS)) {
		decide_refusef(tx, 429, "%d requests of yours came within an hour", CALLS_MAX);
	} else {
		return false;
	}
	return true;
}

/* What asks for a code, or comes too soon, is asked again. */
static void
note(struct tx *tx, const struct api_request *api)
{
	char of[CALLS_OF];
	const struct hook_use use = use_of(tx, api, of);

	if (api->job != NULL)
		decide_job_note(tx, api);
	else if (api->key[0] != '\0' && tx->answer.status != 428 && tx->answer.status != 429 &&
	    (tx->answer.status != 403 || code_of(api)[0] == '\0'))
		row_hook_note(tx, &use);
}

/* As "/deploy" that is typed under a file. */
static void
set_upload(struct api_request *api)
{
	text_setf(api->from.text, "/deploy %s", api->request.target);
	text_set(api->request.action, "deploy");
	api->from.file = api->file;
}

void
handle_api(struct tx *tx, const struct event *event)
{
	struct api_request *api = event->u.api;
	bool is_view = !api_is_post(api->operation);
	struct console_session session = { 0 };
	struct buf out = { .cap = LIMIT_ANSWER_TEXT };
	struct json_out json = json_out_begin(&out, '{');

	if (api->operation == API_UPLOAD)
		set_upload(api);
	tx->job = api->job;
	if (api->operation == API_SESSION && strcmp(api->request.action, "open") == 0) {
		decide_console_open(tx, api, &json);
	} else if (enter(tx, api, &session) && !came_before(tx, api)) {
		if (session.person != 0)
			decide_by_page(tx, api, &session, &json);
		else
			decide_with_code(tx, api, &json);
		note(tx, api);
	}
	decide_upload_drop(tx, api->file.id);
	if (tx->answer.status == 202)
		decide_put_begun(tx, &json);
	else if (!is_view || tx->answer.status != 200)
		put_said(tx, &json);
	json_out_end(&json);
	free(tx->answer.text);
	tx_check(tx, &out);
	tx->answer.text = buf_take(&out);
}
