/* decide_needs.c - what some work still needs before it may go on, by rows and settings of now.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/approval/decide_needs.h"
#include "decide/queue/decide_previous.h"

#include <inttypes.h>
#include <stdio.h>

#include "chat/chat_deployment.h"
#include "decide/decide_chat.h"
#include "decide/decide_reply.h"
#include "decide/question/decide_where.h"
#include "decide/who/decide_principal.h"
#include "decide/work/decide_promotion.h"
#include "decide/work/decide_wave_plan.h"
#include "lib/condition.h"
#include "lib/fingerprint.h"
#include "lib/text.h"
#include "store/row_action.h"
#include "store/row_actor.h"
#include "store/row_approval.h"
#include "store/row_block.h"
#include "store/row_button.h"
#include "store/row_chat.h"
#include "store/row_effect.h"
#include "store/row_environment.h"
#include "store/row_factor.h"
#include "store/row_job.h"
#include "store/row_work_pipeline.h"
#include "store/row_question.h"
#include "store/row_press.h"
#include "store/row_token.h"
#include "types/action.h"
#include "types/git_answer.h"
#include "types/loan.h"

#define LINES_MOST	  10
#define QUESTION_LEAST_MS (3600 * INT64_C(1000))

static const char *const programs[PROGRAM_COUNT] = {
	[PROGRAM_DEPLOY] = "deploy",
	[PROGRAM_ROLLBACK] = "rollback",
	[PROGRAM_ACTION] = "action",
};

static bool
is_among(const struct needs_work *facts, int64_t person)
{
	for (size_t i = 0; i < facts->n_asked; i++)
		if (facts->asked[i] == person)
			return true;
	return false;
}

/* Of whom no row knows who they are, the last door in the enum counts. */
static void
note_unknown(struct needs_work *facts, enum needs_unknown unknown)
{
	if (unknown > facts->unknown)
		facts->unknown = unknown;
}

/* A user of the machine who is a role alone may be any of those who approve. */
static void
add_asked(struct needs_work *facts, int64_t person)
{
	bool is_job = principal_is_program(person) && !principal_is_hook(person);

	facts->is_by_job |= is_job; /* which says who it was */
	if (person < 0 && !is_job)
		note_unknown(facts,
		    principal_is_hook(person)	     ? NEEDS_UNKNOWN_HOOK :
			principal_token(person) != 0 ? NEEDS_UNKNOWN_TOKEN :
			principal_is_root(person)    ? NEEDS_UNKNOWN_ROOT :
						       NEEDS_UNKNOWN_USER);
	if (person != 0 && !is_among(facts, person) && facts->n_asked < NEEDS_ASKED_MAX)
		facts->asked[facts->n_asked++] = person;
}

/* "github:octo(7)": that person has asked for it; "workflow:shop(octo)": they began its run, and
 * who has pushed is not known. */
static void
find_pusher(const struct tx *tx, const struct deployment *work, struct needs_work *facts)
{
	const char *began =
	    text_starts(work->requester, "workflow:") ? strchr(work->requester, '(') : NULL;
	int64_t person = decide_principal_pusher(tx->settings, work->requester);

	if (began != NULL)
		add_asked(facts,
		    settings_person_of_login(tx->settings, began + 1, strcspn(began + 1, ")")));
	if (person == 0)
		note_unknown(facts, NEEDS_UNKNOWN_PUSHER);
	add_asked(facts, person);
}

/* Was its commit live there, and neither was that rolled back nor is it blocked since?  A name
 * without an application is of the same. */
static bool
was_on(struct tx *tx, const struct deployment *work, const char *name)
{
	struct environment_id id = { .application = "" };
	char text[ENVIRONMENT_ID_MAX];
	struct release release;

	if (strchr(name, '/') == NULL && environment_id_parse(work->environment, &id))
		name = environment_id_text(id.application, name, text);
	release = row_release_find(tx, name, work->commit);
	return release.id != 0 && release.left_by == 0 &&
	    !row_block_find(tx, name, work->commit, NULL);
}

static bool
is_promotion(struct tx *tx, const struct deployment *work)
{
	struct promotion promotion;

	return decide_promotion_of(tx, work, &promotion)->from[0] != '\0' &&
	    !promotion_is_own(&promotion, work->environment);
}

static uint32_t
find_not_on(struct tx *tx, const struct deployment *work)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, work->environment);
	const struct conditions *conditions = settings == NULL ? NULL : settings->approvals_if;
	uint32_t set = 0;

	for (size_t i = 0; conditions != NULL && i < conditions->n; i++)
		if ((conditions->at[i].kind == CONDITION_NOT_ON &&
			!was_on(tx, work, conditions->at[i].what)) ||
		    (conditions->at[i].kind == CONDITION_NOT_PROMOTED && !is_promotion(tx, work)))
			set |= UINT32_C(1) << i;
	return set;
}

/* Of an action, by its table and the settings of now. */
static int
approvals_of_action(struct tx *tx, const struct deployment *work)
{
	const struct client_settings *client = settings_client(tx->settings, work->client);
	const struct action *action = action_row_of(work->action);
	int approvals = action != NULL ? action->approvals : 0;
	struct loan loan;

	if (client != NULL && client->approvals >= 0)
		approvals = client->approvals;
	if (deployment_is_loan(work) &&
	    loan_of(tx->settings, work->argument, work->environment, &loan))
		approvals = loan.approvals;
	if (approvals == 0 && deployment_is_action(work))
		approvals = row_action_get(tx, work->id).is_requested ? 1 : 0;
	return approvals;
}

/* A token's maker and its account are one human with whoever used it.  Who has made it on the
 * machine, and whose account has no role but the token's, is nobody that could be told from others.
 */
static void
add_press(struct tx *tx, const struct press *press, struct needs_work *facts)
{
	add_asked(facts, press->person);
	if (press->maker > 0)
		add_asked(facts, press->maker);
	add_asked(facts, press->account);
	if (press->maker <= 0 || (press->person > 0 && !decide_has_own_role(tx, press->person)))
		note_unknown(facts, NEEDS_UNKNOWN_TOKEN);
}

static void
add_presses(struct tx *tx, const struct deployment *work, struct needs_work *facts)
{
	struct press presses[ROW_PRESSES];
	size_t n = row_press_list(tx, work->id, presses);

	for (size_t i = 0; i < n; i++)
		add_press(tx, &presses[i], facts);
	if (n == ROW_PRESSES)
		facts->n_asked = NEEDS_ASKED_MAX;
}

static void
add_requesters(struct tx *tx, const struct deployment *work, struct needs_work *facts)
{
	int64_t people[NEEDS_ASKED_MAX];
	size_t n = row_button_list_requesters(tx, work->id, people, NEEDS_ASKED_MAX);

	for (size_t i = 0; i < n; i++)
		add_asked(facts, people[i]);
}

/* Who began the runs of the jobs that have asked for it, also by joining its question. */
static void
find_actors(struct tx *tx, const struct deployment *work, struct needs_work *facts)
{
	struct row_actor actors[ROW_ACTORS];
	size_t n = facts->is_by_job ? row_actor_list(tx, work->id, actors) : 0;
	int64_t person;

	if (n == 0 && facts->is_by_job)
		note_unknown(facts, NEEDS_UNKNOWN_WORKFLOW);
	for (size_t i = 0; i < n; i++) {
		person = settings_person_of_login(
		    tx->settings, actors[i].login, strlen(actors[i].login));
		add_asked(facts, person);
		if (person == 0)
			note_unknown(facts, NEEDS_UNKNOWN_WORKFLOW);
	}
	if (n == ROW_ACTORS)
		facts->n_asked = NEEDS_ASKED_MAX;
}

/* Whoever began the run of its job here, also again: GitHub knows the App, or the token's owner.
 * Behind those who are counted by themselves come the tokens by which they did. */
static void
find_beginners(
    struct tx *tx, const struct deployment *asked, struct needs_work *facts, bool by_tokens)
{
	struct row_job of;
	struct deployment pipeline;
	int64_t work = 0;

	if (!facts->is_by_job || row_job_get(tx, asked->id, &of)->work == 0)
		return;
	while ((work = row_work_pipeline_begun(
		    tx, of.job.repository_id, strtoll(of.job.run, NULL, 10), work)) != 0) {
		row_deployment_get(tx, work, &pipeline);
		if (by_tokens) {
			add_presses(tx, &pipeline, facts);
			continue;
		}
		add_asked(facts, pipeline.requested_by);
		add_asked(facts, pipeline.confirmed_by);
		add_requesters(tx, &pipeline, facts);
	}
}

static struct needs_work *
facts_of(struct tx *tx, const struct deployment *work, struct needs_work *ret)
{
	*ret = (struct needs_work){
		.environment = work->environment,
		.is_rollback = deployment_is_rollback(work) && !work->is_forward,
		.is_forward = work->is_forward,
		.is_action = !deployment_brings_commit(work) && deployment_is_action(work),
		.is_gate = deployment_is_gate(work),
		.secret = deployment_is_loan(work) ? work->argument : NULL,
		.is_by_job = deployment_is_of_rule(work),
		.is_emergency = deployment_is_emergency(work),
		.of_action = approvals_of_action(tx, work),
	};

	/* Of an upload it is not known what it brings: as a commit that is in no branch. */
	ret->is_force_push = work->is_force_push || work->source == SOURCE_UPLOAD;
	ret->untouched = work->untouched;
	ret->not_on = find_not_on(tx, work);
	(void)deployment_target(work, ret->target);
	if (!deployment_is_by_request(work))
		find_pusher(tx, work, ret);
	add_asked(ret, work->requested_by);
	add_asked(ret, work->confirmed_by);
	add_requesters(tx, work, ret);
	find_actors(tx, work, ret);
	find_beginners(tx, work, ret, false);
	ret->n_themselves = ret->n_asked;
	find_beginners(tx, work, ret, true);
	add_presses(tx, work, ret);
	return ret;
}

/* To the run of its forge, and not to the runner's settings: a run that is begun again asks anew.
 * */
static void
bind_gate(struct tx *tx, const struct deployment *gate, const struct environment *environment,
    const char *blocked, char ret[NEEDS_BINDING])
{
	char base[LIMIT_COMMIT];
	struct row_job of;

	row_job_get(tx, gate->id, &of);
	(void)snprintf(ret, NEEDS_BINDING,
	    "gate of %s for %s by %s run %s.%" PRId64 " over %s%s%s%s", gate->environment,
	    gate->commit, of.job.repository_id, of.job.run, of.job.attempt,
	    decide_live(tx, gate, environment, base),
	    environment->unknown_since != 0 ? " in doubt" : "", blocked,
	    gate->is_off_branch ? " off its branch" : "");
}

void
decide_needs_binding(struct tx *tx, const struct deployment *work, char ret[NEEDS_BINDING])
{
	struct environment environment;
	struct question shown;
	struct action_row action;
	char target[LIMIT_ENVIRONMENT], waves[FINGERPRINT_DIGEST], blocked[40] = "";
	CLEANUP(freep) char *plan = decide_wave_shown(tx, work);
	struct block block;
	size_t used;

	if (deployment_is_action(work) && !deployment_is_gate(work)) {
		/* A job's commit is what was live. */
		action = row_action_get(tx, work->id);
		(void)snprintf(ret, NEEDS_BINDING, "%s %s %s %s %s %s of %s by %s",
		    programs[work->program], action.executor, work->action,
		    deployment_target(work, target), work->argument, work->commit,
		    action.shown_settings, work->binding);
		return;
	}
	row_environment_get(tx, work->environment, &environment);
	row_question_get(tx, work->id, &shown);
	if (row_block_find_contained(tx, work, &block))
		text_setf(blocked, " with block %" PRId64, block.number);
	if (deployment_is_gate(work)) {
		bind_gate(tx, work, &environment, blocked, ret);
		return;
	}
	(void)snprintf(ret, NEEDS_BINDING, "%s %s over %s%s by %s%s%s%s", programs[work->program],
	    work->commit, environment.current.commit,
	    environment.unknown_since != 0 ? " in doubt" : "", work->binding,
	    git_image_is_digest(shown.shown_image) ? shown.shown_image : "", blocked,
	    work->is_off_branch ? " off its branch" : "");
	used = strlen(ret);
	if (plan != NULL)
		(void)snprintf(ret + used, NEEDS_BINDING - used, " in waves %s",
		    fingerprint_digest(plan, waves)); /* it fits */
}

#define HOUR_LOOK_MS (60 * INT64_C(1000))

static bool
hangs_on_the_hour(const struct settings *settings, const char *environment)
{
	const struct environment_settings *of = settings_environment(settings, environment);
	const struct conditions *conditions = of == NULL ? NULL : of->approvals_if;

	for (size_t i = 0; conditions != NULL && i < conditions->n; i++)
		if (conditions->at[i].kind == CONDITION_OUTSIDE)
			return true;
	return false;
}

int64_t
decide_needs_timer(
    struct tx *tx, const struct deployment *work, const struct approval_request *request)
{
	int64_t timeout_ms = deployment_approval_ms(tx->settings, work);
	int64_t due = request->asked_at + (request->is_reminded ? timeout_ms : timeout_ms / 2);
	bool is_soon =
	    hangs_on_the_hour(tx->settings, work->environment) && due > tx->at + HOUR_LOOK_MS;

	return row_effect_timer(
	    tx, TIMER_APPROVAL, "", work->id, is_soon ? tx->at + HOUR_LOOK_MS : due);
}

/* Has the maker of that token asked for it, or the account that logs in with it? */
static bool
is_of_requester(const struct tx *tx, const struct needs_work *facts, int64_t maker, int64_t account)
{
	if (tx->settings->approve_self && !facts->is_emergency)
		return false;
	return (maker > 0 && needs_has_asked(facts, maker)) ||
	    (account > 0 && needs_has_asked(facts, account));
}

/* Must whoever approves it give a code? */
static bool
needs_code(const struct tx *tx, const struct needs_work *facts)
{
	return policy_needs_factor(tx->settings, POLICY_APPROVE, "", facts->target) ||
	    (facts->is_gate && policy_needs_factor(tx->settings, POLICY_GATE, "", facts->target)) ||
	    (facts->secret != NULL &&
		policy_needs_factor(tx->settings, POLICY_SECRET, facts->secret, facts->target));
}

/* Whoever has no second factor gives no code, and is not rung for what needs one. */
static int64_t
next_who_can(struct tx *tx, const struct needs_work *facts, int64_t after)
{
	bool is_coded = needs_code(tx, facts);

	do
		after = needs_next_approver(tx->settings, facts, tx->at, after);
	while (after != 0 && is_coded && row_factor_get(tx, after).enrolled_at == 0);
	return after;
}

/* Of those who may, who have not; ret_lack: would they, had they a second factor? */
static size_t
count_others(struct tx *tx, const struct needs_work *facts, size_t n, bool *ret_lack)
{
	size_t all = needs_count_approvers(tx->settings, facts, tx->at), can = 0;

	if (!needs_code(tx, facts))
		return all - n;
	for (int64_t person = 0; (person = next_who_can(tx, facts, person)) != 0;)
		can++;
	*ret_lack = can < all;
	return can > n ? can - n : 0;
}

/* Why it does not count any more; NULL: it does. */
static const char *
find_fault(struct tx *tx, const struct needs_work *facts, const struct approval *approval,
    const char *binding)
{
	if (strcmp(approval->binding, binding) != 0)
		return "what was approved has changed";
	if (!approval->has_factor && needs_code(tx, facts))
		return "given without a code, which is needed now";
	switch (needs_may_approve(
	    tx->settings, facts, decide_principal(tx, approval->person), tx->at, NULL)) {
	case NEEDS_MAY:
		break;
	case NEEDS_ASKED:
		return "asked for it too";
	default:
		return "may no longer approve there";
	}
	return is_of_requester(tx, facts, approval->token_maker, approval->token_account) ?
	    "given by a login with the token of somebody who asked for it" :
	    NULL;
}

/* Given by one human?  Whoever was logged in by a token is one with its maker and its account. */
static bool
is_one_human(const struct approval *a, const struct approval *b)
{
	const int64_t of_a[] = { a->person, a->token_maker, a->token_account };
	const int64_t of_b[] = { b->person, b->token_maker, b->token_account };

	for (size_t i = 0; i < COUNT(of_a); i++)
		for (size_t k = 0; k < COUNT(of_b); k++)
			if (of_a[i] > 0 && of_a[i] == of_b[k])
				return true;
	return false;
}

static bool
has_approved(const struct decide_needs *needs, const struct approval *approval)
{
	for (size_t i = 0; i < needs->n; i++)
		if (is_one_human(&needs->approval[i], approval))
			return true;
	return false;
}

/* "ci, made by @ada; e2e, made by root as admin (from the machine)" */
static void
name_tokens(struct tx *tx, const struct deployment *work, char ret[LIMIT_LINE])
{
	struct press presses[ROW_PRESSES];
	size_t n = row_press_list(tx, work->id, presses), used = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < n && used + 1 < LIMIT_LINE; i++)
		if (i == 0 || strcmp(presses[i].name, presses[i - 1].name) != 0)
			used += (size_t)snprintf(ret + used, LIMIT_LINE - used, "%s%s, made by %s",
			    used > 0 ? "; " : "", presses[i].name, presses[i].by); /* cut is fine */
}

bool
decide_needs_look(struct tx *tx, const struct deployment *work, struct decide_needs *ret)
{
	struct needs_work facts;
	struct decide_needs needs = { 0 };
	struct approval all[NEEDS_APPROVALS_MAX];
	char binding[NEEDS_BINDING];
	size_t n;

	facts_of(tx, work, &facts);
	needs.needs = needs_of(tx->settings, &facts, tx->at);
	n = needs.needs.approvals == 0 ? 0 : row_approval_list(tx, work->id, all);
	if (n > 0)
		decide_needs_binding(tx, work, binding);
	for (size_t i = 0; i < n; i++)
		if (find_fault(tx, &facts, &all[i], binding) == NULL &&
		    !has_approved(&needs, &all[i]))
			needs.approval[needs.n++] = all[i];
	needs.unknown = facts.unknown;
	if (ret != NULL)
		name_tokens(tx, work, needs.tokens);
	if (ret != NULL && needs.needs.approvals > 0)
		needs.n_others = count_others(tx, &facts, needs.n, &needs.is_code_lacking);
	if (ret != NULL)
		*ret = needs;
	return needs.n >= (size_t)needs.needs.approvals;
}

enum needs_verdict
decide_needs_may(
    struct tx *tx, const struct deployment *work, int64_t person, const struct role **ret_role)
{
	struct needs_work facts;
	enum needs_verdict verdict;
	struct token token = row_token_get(tx, row_token_acting(tx, person));

	facts_of(tx, work, &facts);
	verdict =
	    needs_may_approve(tx->settings, &facts, decide_principal(tx, person), tx->at, ret_role);
	for (size_t i = facts.n_themselves; i < facts.n_asked && verdict == NEEDS_ASKED; i++)
		if (facts.asked[i] == person)
			return NEEDS_BY_TOKEN;
	return verdict == NEEDS_MAY && is_of_requester(tx, &facts, token.made_by, token.person) ?
	    NEEDS_BY_TOKEN :
	    verdict;
}

bool
decide_needs_is_alone(struct tx *tx, const struct deployment *work, int64_t person)
{
	struct needs_work facts;
	bool is_own = person == work->requested_by || person == work->confirmed_by;
	int64_t other = 0;

	facts_of(tx, work, &facts);
	if (!is_among(&facts, person) || needs_next_approver(tx->settings, &facts, tx->at, 0) != 0)
		return false;
	facts.n_asked = facts.n_themselves; /* the others are makers and accounts of tokens */
	is_own = is_own || !is_among(&facts, person);
	facts.n_asked = 0; /* whoever could, had they not asked */
	while (is_own && (other = needs_next_approver(tx->settings, &facts, tx->at, other)) != 0)
		if (other != person)
			return false;
	return true;
}

bool
decide_needs_may_in(struct tx *tx, const struct deployment *work, int64_t chat)
{
	return chat < 0 || decide_needs_may(tx, work, chat, NULL) == NEEDS_MAY;
}

int64_t
decide_needs_next(struct tx *tx, const struct deployment *work, int64_t after)
{
	struct needs_work facts;

	facts_of(tx, work, &facts);
	return next_who_can(tx, &facts, after);
}

void
decide_needs_name(struct tx *tx, struct deployment *work)
{
	struct approval all[NEEDS_APPROVALS_MAX];
	size_t n = row_approval_list(tx, work->id, all), used = 0;

	work->approvers[0] = '\0';
	for (size_t i = 0; i < n && used + 1 < sizeof(work->approvers); i++)
		used += (size_t)snprintf(work->approvers + used, sizeof(work->approvers) - used,
		    "%s%s", i > 0 ? ", " : "", all[i].name); /* cut is fine */
}

size_t
decide_needs_void(struct tx *tx, struct deployment *work)
{
	struct needs_work facts;
	struct approval all[NEEDS_APPROVALS_MAX];
	char binding[NEEDS_BINDING];
	size_t n = row_approval_list(tx, work->id, all), n_void = 0;
	struct block block;

	facts_of(tx, work, &facts);
	decide_needs_binding(tx, work, binding);
	for (size_t i = 0; i < n; i++) {
		const char *fault = find_fault(tx, &facts, &all[i], binding);

		if (fault == NULL)
			continue;
		n_void++;
		if (strcmp(all[i].binding, binding) != 0 &&
		    row_block_find_contained(tx, work, &block) && block.at >= all[i].at)
			fault = "a commit that it contains was rolled back since";
		row_approval_void(tx, work->id, all[i].person, fault);
		decide_audit_request(tx, work, all[i].person, AUDIT_CODE_APPROVAL_VOID, "void",
		    (const char *const[]){ "reason", fault, NULL });
	}
	decide_needs_name(tx, work);
	return n_void;
}

static void
add_line(struct tx *tx, const struct deployment *work, struct chat_text *text)
{
	struct decide_needs needs;

	(void)decide_needs_look(tx, work, &needs);
	chat_text_add(text, "❓ #%" PRId64 " awaits approval, %zu of %d: ", work->id, needs.n,
	    needs.needs.approvals);
	chat_deployment_work(text, "", work);
}

size_t
decide_needs_lines(struct tx *tx, int64_t person, const char *environment, const char *begin,
    const char *end, struct chat_text *text)
{
	int64_t ids[LINES_MOST];
	size_t n = row_approval_list_waiting(tx, environment, ids, LINES_MOST), n_seen = 0;

	for (size_t i = 0; i < n; i++) {
		struct deployment work;

		row_deployment_get(tx, ids[i], &work);
		if (!decide_sees(tx, person, deployment_target_here(&work)))
			continue;
		n_seen++;
		if (text == NULL)
			continue;
		chat_text_add(text, "%s", begin);
		add_line(tx, &work, text);
		chat_text_add(text, "%s", end);
	}
	return n_seen;
}

int64_t
decide_needs_question_ms(struct tx *tx, const struct deployment *work, int64_t otherwise_ms)
{
	int64_t asked_at =
	    row_approval_request(tx, work->id, &(struct approval_request){ 0 })->asked_at;
	int64_t left_ms = asked_at + deployment_approval_ms(tx->settings, work) - tx->at;

	if (asked_at == 0)
		return otherwise_ms;
	return left_ms > QUESTION_LEAST_MS ? left_ms : QUESTION_LEAST_MS;
}

bool
decide_needs_asks_in_private(const struct tx *tx, const char *environment)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, environment);

	return settings == NULL || settings->approval_chat == 0;
}

int64_t
decide_needs_chat(struct tx *tx, const char *environment)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, environment);

	return settings != NULL && settings->approval_chat != 0 ?
	    row_chat_now(tx, settings->approval_chat) :
	    decide_team_of(tx, environment);
}

int
decide_needs_passed(struct tx *tx, const struct deployment *work)
{
	struct needs_work facts;

	if (!deployment_is_emergency(work))
		return 0;
	facts_of(tx, work, &facts);
	facts.is_emergency = false;
	return needs_of(tx->settings, &facts, tx->at).approvals;
}
