/* decide_tell_facts.c - what the messages about a deployment are made of, read from its rows.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/tell/decide_tell_inside.h"

#include <inttypes.h>
#include <stdio.h>

#include "decide/view/decide_application_log.h"
#include "decide/git/decide_git.h"
#include "decide/git/decide_history.h"
#include "decide/hold/decide_hold.h"
#include "decide/queue/decide_ci.h"
#include "decide/queue/decide_previous.h"
#include "decide/decide_reply.h"
#include "decide/question/decide_where.h"
#include "decide/who/decide_agent.h"
#include "decide/tell/decide_bake_buttons.h"
#include "decide/work/decide_bake.h"
#include "decide/work/decide_loan_list.h"
#include "decide/work/decide_promotion.h"
#include "decide/work/decide_wave_plan.h"
#include "deployment/run_verdict.h"
#include "lib/text.h"
#include "lib/url.h"
#include "store/row_bake.h"
#include "store/row_host_list.h"
#include "store/row_block.h"
#include "store/row_change.h"
#include "store/row_chat.h"
#include "store/row_claim.h"
#include "store/row_drain.h"
#include "store/row_effect.h"
#include "store/row_environment.h"
#include "store/row_left_host.h"
#include "store/row_loan.h"
#include "store/row_question.h"
#include "store/row_queue.h"
#include "store/row_run.h"
#include "store/row_runner.h"
#include "types/forge.h"

/* Of its commit; of what it left, where it is live. */
static bool
find_block(struct tx *tx, const struct deployment *deployment, struct block *ret)
{
	if (deployment->state != DEPLOY_LIVE)
		return row_block_find(tx, deployment->environment, deployment->commit, ret);
	return deployment_is_rollback(deployment) &&
	    row_block_list(tx, deployment->environment, ret, 1, NULL) == 1 &&
	    ret->at == deployment->ended_at;
}

bool
decide_tell_is_question(const struct deployment *deployment)
{
	return deployment->state == DEPLOY_AWAITING_CONFIRMATION ||
	    deployment->state == DEPLOY_AWAITING_APPROVAL ||
	    (deployment->state == DEPLOY_QUEUED && deployment->wait.is_asked_anew);
}

/* Who asked for it, or of a push the team of its application, may not see what it waits for. */
static bool
is_hidden(struct tx *tx, const struct deployment *deployment, const struct deployment *ahead)
{
	return deployment_is_by_request(deployment) ?
	    !decide_sees(tx, deployment->requested_by, deployment_target_here(ahead)) :
	    settings_of(tx->settings, ahead->environment) !=
		settings_of(tx->settings, deployment->environment);
}

/* "; @mona has #3 until 18:55": a second one of that secret is asked for. */
static void
add_beside(struct tx *tx, const struct deployment *work, char touches[DECIDE_TOUCHES])
{
	bool is_asked = deployment_is_loan(work) && work->state == DEPLOY_AWAITING_APPROVAL;
	int64_t other = is_asked ? decide_loan_beside(tx, work) : 0;
	const struct chat_clock clock = decide_clock(tx, work->environment);
	struct chat_text text = CHAT_TEXT_EMPTY;
	size_t used = strlen(touches);

	if (other == 0)
		return;
	chat_text_since(&text, " until ", &clock, row_loan_get(tx, other).until, tx->at);
	(void)snprintf(touches + used, DECIDE_TOUCHES - used, "; %.80s has #%" PRId64 "%s",
	    FORGE_PERSON(work->requester), other, buf_text(&text.buf)); /* cut is fine */
	buf_done(&text.buf);
}

static const char *
line_of(struct tx *tx, const struct deployment *work, struct decide_tell_rows *rows)
{
	if (deployment_is_action(work)) {
		(void)decide_action_touches(tx, work, rows->touches);
		add_beside(tx, work, rows->touches);
		return rows->touches;
	}
	return decide_ci_line(tx, work, rows->ci);
}

/* How what it brings came through its bake, where that is live. */
static enum bake_end
baked(struct tx *tx, const struct promotion *promotion)
{
	const struct environment_settings *from =
	    settings_environment(tx->settings, promotion->from);
	struct release release = decide_promotion_release(tx, promotion);
	struct release origin = row_release_get(tx, release.origin);
	struct bake row;

	/* What a rollback brought back has passed where it was live first. */
	row_bake_get(tx, origin.id != 0 ? origin.deployment : release.deployment, &row);
	if (row.began_at != 0)
		return row.left_ms == 0 && !row.is_cut ? BAKE_PASSED : BAKE_CUT;
	return from != NULL && from->bake_ms > 0 ? BAKE_NONE : BAKE_NOT_ASKED;
}

static const struct promotion *
promotion_of(struct tx *tx, const struct deployment *work, struct decide_tell_rows *rows)
{
	return decide_promotion_of(tx, work, &rows->promotion)->from[0] != '\0' ? &rows->promotion :
										  NULL;
}

static const char *
run_of(struct tx *tx, const struct deployment *work, struct decide_tell_rows *rows)
{
	const struct job *job = &rows->job.job;
	bool is_loan = deployment_is_loan(work);

	if (!deployment_is_gate(work) && !is_loan)
		return NULL;
	(void)row_job_get(tx, work->id, &rows->job);
	if (is_loan && job_is_by_key(job)) /* or no job */
		return NULL;
	text_setf(rows->run, "%s %s%s%.200s", job_word(job->repository_id), job->run,
	    is_loan ? " of " : "", is_loan ? job->repository : ""); /* cut is fine */
	return rows->run;
}

/* Where it stands in its queue, and behind what; or who has what it waits for. */
static void
find_position(struct tx *tx, const struct deployment *deployment, struct decide_tell_rows *rows)
{
	int64_t holder = row_claim_before(tx, deployment->waits_for, deployment->place);
	int64_t ids[ROW_QUEUE_LIST];
	size_t n = row_queue_list(tx, deployment->environment, ids);

	for (size_t i = 0; i < n && rows->position == 0; i++)
		rows->position = ids[i] == deployment->id ? i + 1 : 0;
	if (holder != 0)
		row_deployment_get(tx, holder, &rows->ahead);
	else if (rows->position > 1)
		row_deployment_get(tx, ids[rows->position - 2], &rows->ahead);
	else
		row_deployment_active(tx, deployment->environment, &rows->ahead);
}

/* What is in progress where that is asked about has an end of its own, and this waits for it. */
static void
find_ahead(struct tx *tx, const struct deployment *deployment, struct decide_tell_rows *rows)
{
	rows->position = 0;
	rows->ahead.id = 0;
	if (deployment_is_pipeline(deployment)) /* for another run of it alone */
		row_deployment_get(tx,
		    row_claim_before(tx, deployment->waits_for, deployment->place), &rows->ahead);
	else if (decide_tell_is_question(deployment))
		row_deployment_active(tx, deployment->environment, &rows->ahead);
	else if (deployment->state == DEPLOY_QUEUED)
		find_position(tx, deployment, rows);
	if (rows->ahead.id != 0 && is_hidden(tx, deployment, &rows->ahead))
		rows->ahead.environment[0] = '\0';
}

/* Where no chat has it: "@bob and 2 more", whom it reaches in private.  decide_needs_next() passes
 * over who has no code where one is needed. */
static void
name_asked(struct tx *tx, const struct deployment *deployment, char ret[LIMIT_LINE])
{
	struct row_person people[DECIDE_WHOM];
	size_t n = decide_whom(tx, POLICY_APPROVE, "", deployment_target_here(deployment),
		   &(struct row_person){ 0 }, people),
	       all = 0, named = 0, used = 0;

	for (int64_t person = 0; (person = decide_needs_next(tx, deployment, person)) != 0;)
		all += row_chat_is_refused(tx, person) ? 0 : 1;
	ret[0] = '\0';
	for (size_t i = 0; i < n; i++)
		if (decide_needs_next(tx, deployment, people[i].person - 1) == people[i].person &&
		    !row_chat_is_refused(tx, people[i].person))
			used += (size_t)snprintf(ret + used, LIMIT_LINE - used, "%s%s",
			    named++ > 0 ? ", " : "", people[i].name); /* three names fit */
	if (all > named)
		(void)snprintf(ret + used, LIMIT_LINE - used, "%s%zu %s", named > 0 ? " and " : "",
		    all - named,
		    named > 0	 ? "more" :
			all == 1 ? "person" :
				   "people");
}

/* How it stands with its approvals. */
static void
find_approvals(struct tx *tx, const struct deployment *deployment, struct decide_tell_rows *rows)
{
	row_approval_request(tx, deployment->id, &rows->request);
	(void)decide_needs_look(tx, deployment, &rows->needs);
	rows->asked[0] = '\0';
	if (decide_needs_chat(tx, deployment->environment) == 0)
		name_asked(tx, deployment, rows->asked);
	rows->approvals = (struct chat_approvals){
		.needed = rows->needs.needs.approvals,
		.counts_own = tx->settings->approve_self,
		.n = rows->needs.n,
		.n_others = rows->needs.n_others,
		.is_code_lacking = rows->needs.is_code_lacking,
		.because = rows->needs.needs.because,
		.unknown = rows->needs.unknown,
		.tokens = rows->needs.tokens,
		.is_one_more = !tx->settings->approve_unknown_pusher,
		.roles = rows->needs.needs.approvers,
		.asked = decide_needs_chat(tx, deployment->environment) == 0 ? rows->asked : NULL,
		.changes = rows->request.changes,
		.n_changes = rows->request.n_changes,
		.until = rows->request.asked_at + deployment_approval_ms(tx->settings, deployment),
	};
}

/* What one that has ended said: an action, or of a failure what tells why. */
static const char *
tail_of(struct tx *tx, const struct deployment *work, char ret[LIMIT_TAIL])
{
	ret[0] = '\0';
	if (work->run == 0 || deploy_flow_class(work->state) != DEPLOY_CLASS_FINAL)
		return ret;
	if (deployment_is_action(work))
		(void)row_run_tail(tx, work->run, ret);
	else if (work->state != DEPLOY_LIVE)
		(void)row_run_newest_tail(tx, work->id, ret);
	return ret;
}

/* What a release is rolled back for: the step in which its script failed, or its health.  Nothing
 * failed where somebody stopped it. */
static const char *
failed_step_of(struct tx *tx, const struct deployment *work, struct decide_tell_rows *rows)
{
	bool is_back = work->state == DEPLOY_ROLLING_BACK ||
	    work->state == DEPLOY_VERIFYING_ROLLBACK || work->state == DEPLOY_ROLLED_BACK ||
	    work->state == DEPLOY_ROLLBACK_FAILED;
	int64_t run;
	size_t n, last;

	if (!is_back || work->program != PROGRAM_DEPLOY || work->why == DEPLOY_WHY_CANCELLED)
		return "";
	if (work->why == DEPLOY_WHY_UNHEALTHY)
		return "health check";
	run = row_run_newest(tx, work->id, PROGRAM_DEPLOY);
	n = row_step_list(tx, run, rows->steps, LIMIT_STEPS);
	last = deployment_last_step(rows->steps, n);
	if (last == n)
		return "";
	(void)text_copy(rows->failed_step, LIMIT_STEP, rows->steps[last].name);
	return rows->failed_step;
}

/* What the application itself logged, of a release that failed. */
static const char *
application_log_of(struct tx *tx, const struct deployment *work, char ret[LIMIT_APPLICATION_LOG])
{
	ret[0] = '\0';
	if (deploy_flow_class(work->state) == DEPLOY_CLASS_FINAL && !deployment_is_action(work) &&
	    work->state != DEPLOY_LIVE)
		(void)row_run_application_log(tx, work->id, ret);
	return ret;
}

/* Since when something drains that its start would end; 0: there is none.  A release that drains
 * still is switched back to. */
static int64_t
find_draining(struct tx *tx, const struct deployment *deployment)
{
	struct drain drain = row_drain_open(tx, deployment->environment);

	return deployment_is_action(deployment) || deployment->target_changed ||
		deploy_flow_class(deployment->state) == DEPLOY_CLASS_FINAL ||
		strcmp(drain.commit, deployment->commit) == 0 ?
	    0 :
	    drain.since;
}

/* A question, or an end, says it: what is between is about the run. */
static struct migration_behind
find_behind(struct tx *tx, const struct deployment *deployment, const struct release *to)
{
	if (!deployment_is_rollback(deployment) || to->id == 0 ||
	    (!decide_tell_is_question(deployment) &&
		deploy_flow_class(deployment->state) != DEPLOY_CLASS_FINAL))
		return (struct migration_behind){ 0 };
	return row_release_migration_behind(tx, deployment->environment, deployment->run, to);
}

/* An end that may leave it down says to what a rollback leads. */
static struct release
find_back(struct tx *tx, const struct deployment *deployment, const struct environment *environment)
{
	return (deployment->state == DEPLOY_FAILED ||
		   deployment->state == DEPLOY_ROLLBACK_FAILED) &&
		!deployment_is_action(deployment) ?
	    decide_advise_earlier(tx, environment) :
	    (struct release){ 0 };
}

/* When what an automatic rollback would bring back has failed there last; 0: it has not. */
static int64_t
back_failed_since(
    struct tx *tx, const struct deployment *deployment, const struct environment *environment)
{
	bool is_current = strcmp(environment->current.commit, deployment->previous) == 0;

	if (!decide_tell_is_question(deployment) || !deployment_can_roll_back(deployment))
		return 0;
	return row_deployment_failed_since(
	    tx, is_current ? &environment->current : &environment->previous);
}

/* What a rollback rolls back, as its question says. */
static size_t
find_gone(struct tx *tx, const struct deployment *deployment, struct decide_tell_rows *rows)
{
	if (deployment->program != PROGRAM_ROLLBACK || deployment->is_forward ||
	    !decide_tell_is_question(deployment) || rows->to.id == 0)
		return 0;
	return row_release_list_gone(
	    tx, &rows->to, &rows->environment.current, rows->gone, COUNT(rows->gone));
}

#define FIRST_SHOWN 60 /* bytes of each */

static void
add_first(char ret[LIMIT_LINE], const char *what, size_t size)
{
	size_t used = strlen(ret);
	char more[FIRST_SHOWN + 8];

	text_setf(more, "%s%.*s%s", used > 0 ? ", " : "", (int)text_cut(what, size, FIRST_SHOWN),
	    what, size > FIRST_SHOWN ? "…" : "");
	(void)text_copy(ret + used, LIMIT_LINE - used, more);
}

/* Those of a list whose names have these words. */
static void
add_hooks(char ret[LIMIT_LINE], const char *list, const char *kind, const char *word)
{
	while (*list != '\0') {
		size_t name = strcspn(list, "= \n");

		if (text_starts(list, kind) && memmem(list, name, word, strlen(word)) != NULL)
			add_first(ret, list, name);
		list += strcspn(list, " \n");
		list += strspn(list, " \n");
	}
}

/* What may change a database before anything of the release starts, in its order; of hooks right
 * before the release those alone whose names say that. */
static const char *
list_first(const struct environment_settings *settings, const char *list, char ret[LIMIT_LINE])
{
	const char *command =
	    settings != NULL ? settings_text_for(settings, SETTING_MIGRATE_COMMAND) : NULL;

	ret[0] = '\0';
	add_hooks(ret, list, "pre-start/", "");
	if (command != NULL)
		add_first(ret, command, strlen(command));
	add_hooks(ret, list, "pre-deploy/", "migrat");
	return ret;
}

/* What the commits that are shown lie above; "": none are. */
static const char *
link_base(const struct chat_deployment *about)
{
	const struct git_answer *answer = about->answer;

	if (answer != NULL)
		return answer->has_base && answer->count > 0 ? answer->base : "";
	return about->approvals != NULL && about->approvals->n_changes > 0 ?
	    about->question->shown_live :
	    "";
}

#define FLED_MS INT64_C(3600000)

/* What runs came by a rollback a short while ago, and this goes behind it. */
static void
find_fled(struct tx *tx, struct chat_deployment *about)
{
	const struct deployment *work = about->deployment;
	struct deployment last;

	if (!deployment_is_rollback(work) || !decide_tell_is_question(work) || work->is_forward ||
	    environment_is_in_doubt(about->environment))
		return;
	row_deployment_last_rollback(tx, work->environment, tx->at - FLED_MS, &last);
	if (last.id == 0 || last.ended_at < about->environment->current.at)
		return;
	about->fled.at = last.ended_at;
	about->fled.source = deployment_is_rollback(&last) ? last.previous_source : last.source;
	(void)text_copy(about->fled.commit, LIMIT_COMMIT,
	    deployment_is_rollback(&last) ? last.previous : last.commit);
}

/* The page of a forge has no upload. */
static const char *
of_git(enum commit_source source, const char *commit)
{
	return commit_is_git(source, commit) ? commit : "";
}

/* What the question about a deployment says besides, for whoever answers it on a phone. */
static void
add_question_facts(struct tx *tx, struct chat_deployment *about, struct decide_tell_rows *rows)
{
	const struct deployment *deployment = about->deployment;
	const struct environment_settings *settings =
	    settings_environment(tx->settings, deployment->environment);
	const struct git_answer *answer = about->answer;

	if (about->n_gone > 0 && !environment_is_in_doubt(about->environment)) {
		(void)forge_link(settings_of(tx->settings, deployment->environment)->repository_url,
		    of_git(deployment->source, deployment->commit),
		    of_git(about->environment->current.source, about->environment->current.commit),
		    rows->link);
		about->link = rows->link;
		about->gone_commits = rows->gone_commits;
		about->gone_count =
		    row_change_list_gone(tx, about->to, &about->environment->current,
			rows->gone_commits, LIMIT_COMMITS, &about->n_gone_commits);
	}
	find_fled(tx, about);
	if (!deployment_brings_commit(deployment) || !decide_tell_is_question(deployment) ||
	    deployment->commit[0] == '\0')
		return;
	/* What it warned of as it made what is live is most likely so still. */
	about->warnings =
	    row_deployment_warnings(tx, about->environment->current.deployment, &rows->warnings);
	about->ran = rows->ran;
	about->n_ran = decide_ran(tx, deployment, about->question, rows->ran);
	about->failed = answer != NULL ? decide_ran_failed(tx, deployment->environment, answer) : 0;
	about->first = list_first(settings,
	    answer != NULL && answer->binding != NULL ?
		answer->binding :
		row_binding_get(tx, deployment->id, rows->list),
	    rows->first);
	(void)forge_link(settings_of(tx->settings, deployment->environment)->repository_url,
	    link_base(about), of_git(deployment->source, deployment->commit), rows->link);
	about->link = rows->link;
}

/* What is said to be seen by people: not every address that answers for its health is. */
static const char *
site_of(const struct environment_settings *settings, char ret[LIMIT_URL])
{
	static const char public[] = "https://";
	char place[URL_PLACE];

	ret[0] = '\0';
	if (settings != NULL && settings->site_url != NULL)
		(void)text_copy(ret, LIMIT_URL, settings->site_url);
	else if (settings != NULL && settings->health_url_count > 0 &&
	    strncasecmp(settings->health_urls[0], public, strlen(public)) == 0 &&
	    url_place(settings->health_urls[0], place)[0] != '\0')
		(void)snprintf(ret, LIMIT_URL, "%s%s", public, place);
	return ret;
}

/* Of a release that is live, or of a loan: where, and what came with it. */
static void
add_live_facts(struct tx *tx, struct chat_deployment *about, struct decide_tell_rows *rows)
{
	const struct deployment *deployment = about->deployment;

	if (deployment_is_loan(deployment)) {
		rows->since = decide_history(tx, deployment);
		about->since = &rows->since;
	}
	if (deployment->state != DEPLOY_LIVE || deployment_is_action(deployment))
		return;
	if (about->environment->is_down) { /* it was, when that began */
		rows->since = decide_history(tx, deployment);
		rows->since.until = rows->since.until != 0 ? rows->since.until : tx->at;
		about->since = &rows->since;
	}
	about->site =
	    site_of(settings_environment(tx->settings, deployment->environment), rows->site);
	if (deployment_is_rollback(deployment) || deployment->commit[0] == '\0')
		return;
	(void)forge_link(settings_of(tx->settings, deployment->environment)->repository_url,
	    deployment_is_back_to_target(deployment) ?
		"" :
		of_git(deployment->previous_source, deployment->previous),
	    of_git(deployment->source, deployment->commit), rows->link);
	about->link = rows->link;
}

/* How it bakes, or will; and what it waits for. */
static void
add_bake_facts(struct tx *tx, struct chat_deployment *about, struct decide_tell_rows *rows)
{
	const struct deployment *work = about->deployment;

	if (deployment_is_baking(work) ||
	    (deploy_flow_class(work->state) != DEPLOY_CLASS_FINAL && decide_bakes(tx, work)))
		about->bake = decide_bake_of(tx, work->id, &rows->bake);
	if (about->promotion != NULL && work->started_at == 0)
		about->newest.source_bake = baked(tx, about->promotion);
	if (about->ahead != NULL && about->ahead->environment[0] != '\0')
		about->newest.paused = decide_bake_paused(tx, about->ahead, &rows->of_ahead.paused);
	rows->bake.ahead = NULL;
	if (about->bake != NULL && about->ahead != NULL && deployment_is_baking(about->ahead))
		rows->bake.ahead = decide_bake_of(tx, about->ahead->id, &rows->of_ahead.bake);
}

static void
add_wave_facts(struct tx *tx, struct chat_deployment *about, struct decide_tell_rows *rows)
{
	const struct deployment *work = about->deployment;
	CLEANUP(freep)
	char *plan = decide_tell_is_question(work) ? decide_wave_shown(tx, work) : NULL;

	if (plan == NULL && work->waves == 0)
		return;
	rows->waves.hosts = row_host_count(tx, work);
	rows->waves.n_bad = row_host_list_bad(tx, work, rows->waves.bad);
	waves_show(plan != NULL ? plan : "", &rows->waves.planned);
	row_host_mix(tx, work->environment, &rows->waves.runs);
	about->waves = &rows->waves;
}

/* Of what may be kept back by them. */
static void
find_holds(struct tx *tx, const struct deployment *deployment, struct holds *ret)
{
	enum deploy_class class = deploy_flow_class(deployment->state);

	ret->n = 0;
	if (class == DEPLOY_CLASS_OPEN || class == DEPLOY_CLASS_QUEUED)
		decide_holds(tx, deployment->environment, ret);
}

static const struct run_warnings *
warnings_of(struct tx *tx, const struct deployment *deployment, struct decide_tell_rows *rows)
{
	return deployment->run == 0 ? NULL :
				      row_deployment_warnings(tx, deployment->id, &rows->warnings);
}

/* By its own row: its texts need them where what is asked for cannot be read, too. */
static bool
says_approvals(const struct deployment *deployment)
{
	return deployment->state == DEPLOY_AWAITING_APPROVAL ||
	    deployment->why == DEPLOY_WHY_UNAPPROVED ||
	    (deployment->state == DEPLOY_AWAITING_CONFIRMATION && deployment_is_gate(deployment));
}

/* Its runner is named if that is disconnected and something of it runs. */
static struct chat_run_is
newest_of(struct tx *tx, const struct deployment *deployment, struct decide_tell_rows *rows)
{
	const struct run_times run = row_run_times(tx, deployment->run);
	bool is_active = deploy_flow_class(deployment->state) == DEPLOY_CLASS_ACTIVE;

	return (struct chat_run_is){ .is_unreachable = run_verdict_is_unreachable(&run),
		.is_killed = run.signal_number != 0,
		.gone = strcmp(deployment->waits_for, ROW_QUEUE_RUNNER) == 0 ?
		    row_runner_named(tx, decide_agent_runner(tx, deployment)) :
		    row_runner_gone(tx, is_active ? deployment->run : 0),
		.agent = peer_of_host(decide_agent_runner(tx, deployment)),
		.absent = decide_tell_is_question(deployment) ?
		    decide_seen_absent(tx, deployment, rows->absent) :
		    "" };
}

static size_t
count_urls(const struct environment_settings *settings)
{
	return settings == NULL ?
	    0 :
	    settings->health_url_count + (settings->health_template != NULL ? 1 : 0);
}

/* The facts that its texts are made of; they stand in *rows. */
struct chat_deployment
decide_tell_facts(struct tx *tx, const struct deployment *deployment,
    const struct git_answer *answer, struct decide_tell_rows *rows)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, deployment->environment);
	bool is_blocked = find_block(tx, deployment, &rows->block);
	bool is_approved = says_approvals(deployment);

	const char *failed_step = failed_step_of(tx, deployment, rows); /* its steps go again */
	struct chat_deployment about;

	row_environment_get(tx, deployment->environment, &rows->environment);
	rows->to = row_release_get(tx, deployment->to_release);
	rows->back = find_back(tx, deployment, &rows->environment);
	rows->behind = find_behind(tx, deployment, &rows->to);
	find_ahead(tx, deployment, rows);
	find_holds(tx, deployment, &rows->holds);
	if (is_approved)
		find_approvals(tx, deployment, rows);
	about = (struct chat_deployment){
		.until = deployment_is_asked(deployment) ?
		    row_effect_timer_due(tx, TIMER_QUESTION, deployment->id) :
		    0,
		.n_urls = count_urls(settings),
		.deployment = deployment,
		.runbook = settings_text(
		    settings_of(tx->settings, deployment->environment), SETTING_RUNBOOK_URL),
		.question = decide_tell_is_question(deployment) ?
		    row_question_get(tx, deployment->id, &rows->question) :
		    NULL,
		.environment = &rows->environment,
		.to = deployment->to_release != 0 ? &rows->to : NULL,
		.back = &rows->back,
		.gone = rows->gone,
		.n_gone = find_gone(tx, deployment, rows),
		.block = is_blocked ? &rows->block : NULL,
		.contained = rows->contained,
		.n_contained = decide_tell_is_question(deployment) ?
		    decide_list_contained(tx, deployment, rows->contained) :
		    0,
		.failed_step = failed_step,
		.steps = rows->steps,
		.n_steps = deployment->run != 0 ?
		    row_step_list(tx, deployment->run, rows->steps, LIMIT_STEPS) :
		    0,
		.warnings = warnings_of(tx, deployment, rows),
		.run_end = row_run_end(tx, deployment->run),
		.newest = newest_of(tx, deployment, rows),
		.touches = line_of(tx, deployment, rows),
		.promotion = promotion_of(tx, deployment, rows),
		.run = run_of(tx, deployment, rows),
		.tail = tail_of(tx, deployment, rows->tail),
		.is_tail_private = decide_tail_is_private(tx, deployment),
		.application_log = application_log_of(tx, deployment, rows->application_log),
		.application_log_lines = settings != NULL ? (size_t)settings->failure_log_lines : 0,
		.barriers = rows->barriers,
		.n_barriers = decide_tell_is_question(deployment) ||
			(deployment_is_left_unhealthy(deployment) &&
			    rows->environment.unknown_since == 0) ?
		    decide_list_barriers(tx, deployment, rows->barriers) :
		    0,
		.past = rows->past,
		.n_past = decide_tell_is_question(deployment) ?
		    decide_list_past(tx, deployment, rows->past) :
		    0,
		.behind = &rows->behind,
		.failed_since = deployment_is_rollback(deployment) && rows->to.id != 0 &&
			decide_tell_is_question(deployment) ?
		    row_deployment_failed_since(tx, &rows->to) :
		    0,
		.back_failed_since = back_failed_since(tx, deployment, &rows->environment),
		.left = rows->left,
		.n_left = row_left_host_list(tx, deployment->environment, rows->left),
		.is_over = deployment_is_over(deployment, &rows->environment),
		.estimate_ms = row_step_estimate(tx, deployment->environment, ""),
		.answer = answer,
		.holds = &rows->holds,
		.passed = decide_needs_passed(tx, deployment),
		.approvals = is_approved ? &rows->approvals : NULL,
		.position = rows->position,
		.ahead = rows->ahead.id != 0 ? &rows->ahead : NULL,
		.rollback_not_started = deployment->state == DEPLOY_ROLLBACK_FAILED &&
		    row_run_changed_nothing(tx, deployment->run),
		/* Where its run could not be swept it may have outlived that. */
		.migration_at = settings_migration_place(
				    tx->settings, deployment->environment, rows->migration_at) ||
			rows->environment.unknown_since != 0 ?
		    rows->migration_at :
		    NULL,
		.draining_since = find_draining(tx, deployment),
		.clock = decide_clock(tx, deployment->environment),
		.host = tx->settings->host,
		.at = tx->at,
	};
	add_bake_facts(tx, &about, rows);
	add_wave_facts(tx, &about, rows);
	add_question_facts(tx, &about, rows);
	add_live_facts(tx, &about, rows);
	return about;
}
