/* decide_view.c - what /v1 shows: work, environments and queues as JSON.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/view/decide_view.h"

#include "chat/chat_hosts.h"
#include "chat/chat_runner.h"
#include "chat/chat_text.h"
#include "decide/who/decide_agent.h"
#include "decide/who/decide_allowed.h"
#include "decide/who/decide_sees.h"
#include "decide/hold/decide_hold.h"
#include "decide/approval/decide_needs.h"
#include "decide/factor/decide_pad_shown.h"
#include "decide/question/decide_place.h"
#include "decide/question/decide_question_same.h"
#include "decide/queue/decide_ci.h"
#include "decide/queue/decide_previous.h"
#include "decide/tell/decide_nag.h"
#include "decide/tell/decide_tell.h"
#include "decide/work/decide_promotion.h"
#include "deployment/standing.h"
#include "lib/buf.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "settings/checks/settings_runners.h"
#include "store/row_bake.h"
#include "store/row_binding.h"
#include "store/row_block.h"
#include "store/row_drain.h"
#include "store/row_environment.h"
#include "store/row_host_list.h"
#include "store/row_left_host.h"
#include "store/row_queue.h"
#include "store/row_run.h"
#include "store/row_runner.h"
#include "types/probe_hosts.h"
#include "types/repository.h"

#define HISTORY_OF_ONE	10
#define HISTORY_OF_EACH 3
#define QUESTIONS_MAX	16
#define RUNS_OF_ONE	16
#define BLOCKS_SHOWN	3

static const char *const programs[] = { [PROGRAM_DEPLOY] = "deploy",
	[PROGRAM_ROLLBACK] = "rollback",
	[PROGRAM_ACTION] = "action",
	[PROGRAM_DRAIN] = "drain" };

/* --- parts --- */

static void
put_text(struct json_out *json, const char *key, const char *text)
{
	json_put_str(json, key, text[0] == '\0' ? NULL : text);
}

static void
put_number(struct json_out *json, const char *key, int64_t number)
{
	if (number == 0)
		json_put_str(json, key, NULL);
	else
		json_put_i64(json, key, number);
}

static void
put_release(struct json_out *json, const char *key, const struct release *release)
{
	if (release->id == 0) {
		json_put_str(json, key, NULL);
		return;
	}
	json_put_open(json, key, '{');
	json_put_i64(json, "number", release->number);
	json_put_str(json, "commit", release->commit);
	json_put_str(json, "source", commit_source_word(release->source));
	put_text(json, "image", release->image);
	put_text(json, "subject", release->subject);
	put_text(json, "by", release->by);
	json_put_time(json, "at", release->at);
	json_out_end(json);
}

/* Of what has not begun: how many it needs, and how many of them are missing. */
static void
put_approvals(struct tx *tx, const struct deployment *work, struct json_out *json)
{
	struct decide_needs is = { 0 };
	bool is_asked = work->state == DEPLOY_AWAITING_CONFIRMATION ||
	    work->state == DEPLOY_AWAITING_APPROVAL || work->state == DEPLOY_QUEUED;

	if (is_asked)
		(void)decide_needs_look(tx, work, &is);
	put_text(json, "approved_by", work->approvers);
	put_number(json, "approvals_needed", is.needs.approvals);
	if (is.needs.approvals == 0)
		json_put_str(json, "approvals_open", NULL);
	else
		json_put_i64(json, "approvals_open",
		    is.n < (size_t)is.needs.approvals ? is.needs.approvals - (int64_t)is.n : 0);
}

/* Why it does not begin, go on, or is not followed: what people are told, without since when. */
static const char *
note_of(struct tx *tx, const struct deployment *work, const struct runner_gone *gone,
    char out[LIMIT_LINE])
{
	static const char since[] = " since ", paused[] = "paused: ";
	struct bake bake;

	if (gone->at == 0 && work->state == DEPLOY_PAUSED) {
		(void)row_bake_get(tx, work->id, &bake);
		(void)snprintf(out, LIMIT_LINE, "%s%.*s", paused,
		    (int)text_cut(bake.why, strlen(bake.why), LIMIT_LINE - sizeof(paused)),
		    bake.why);
		return out;
	}
	if (gone->at == 0)
		return work->note;
	(void)chat_runner_gone(gone->name, "its runner", out);
	out[strlen(out) - strlen(since)] = '\0';
	return out;
}

void
decide_view_facts(struct tx *tx, int64_t person, const struct deployment *of, struct json_out *json)
{
	CLEANUP(freep) struct deployment *work = mem_copy(of, sizeof(*work));
	bool is_over = deploy_flow_class(work->state) == DEPLOY_CLASS_FINAL;
	const struct runner_gone gone = is_over ?
	    (struct runner_gone){ .at = 0 } :
	    decide_agent_gone(tx, work->environment, work->run);
	char state[LIMIT_ENVIRONMENT], detail[LIMIT_LINE], ci[LIMIT_LINE], note[LIMIT_LINE];

	decide_hide(tx, person, work);
	deployment_outcome_label(work->state, state);
	json_put_i64(json, "work", work->id);
	json_put_str(json, "environment", work->environment);
	json_put_str(json, "program", programs[work->program]);
	put_text(json, "action", work->action);
	put_text(json, "argument", work->argument);
	put_text(json, "client", work->client);
	json_put_str(json, "state", state);
	json_put_bool(json, "is_over", is_over);
	json_put_bool(json, "is_good", work->state == DEPLOY_LIVE || work->state == DEPLOY_DONE);
	json_put_bool(json, "is_asked", deployment_is_asked(work));
	json_put_time(json, "asked_until",
	    deployment_is_asked(work) ? row_deployment_asked_until(tx, work->id) : 0);
	json_put_bool(json, "can_roll_back", deployment_can_roll_back(work));
	put_text(json, "commit", work->commit);
	json_put_str(json, "source", commit_source_word(work->source));
	put_text(json, "ref", work->ref);
	put_text(json, "subject", work->subject);
	put_text(json, "requested_by", work->requester);
	put_text(json, "confirmed_by", work->confirmer);
	put_approvals(tx, work, json);
	put_text(json, "emergency", work->exempt.emergency);
	put_text(json, "reviewed_by", work->exempt.reviewer);
	put_text(json, "detail", deployment_detail(work, detail));
	put_text(json, "note", is_over ? "" : note_of(tx, work, &gone, note));
	put_text(json, "ci", decide_ci_line(tx, work, ci));
	put_number(json, "wave", work->wave);
	put_number(json, "waves", work->waves);
	put_number(json, "run", work->run);
	json_put_time(json, "runner_disconnected_since", gone.at);
	json_put_time(json, "requested_at", work->requested_at);
	json_put_time(json, "started_at", work->started_at);
	json_put_time(json, "ended_at", work->ended_at);
	json_put_time(
	    json, "live_until", work->state == DEPLOY_LIVE ? row_release_until(tx, work) : 0);
}

static void
put_work(struct tx *tx, int64_t person, struct json_out *json, const char *key,
    const struct deployment *work)
{
	if (key != NULL)
		json_out_key(json, key);
	if (work->id == 0) {
		json_out_str(json, NULL);
		return;
	}
	json_out_object(json);
	decide_view_facts(tx, person, work, json);
	json_out_end(json);
}

/* --- one --- */

static void
put_steps(struct tx *tx, const struct deployment *work, struct json_out *json)
{
	struct step steps[LIMIT_STEPS];
	size_t n = work->run == 0 ? 0 : row_step_list(tx, work->run, steps, LIMIT_STEPS);

	json_put_open(json, "steps", '[');
	for (size_t i = 0; i < n; i++) {
		if (deployment_is_note(steps[i].name))
			continue;
		json_out_object(json);
		json_put_str(json, "name", steps[i].name);
		json_put_time(json, "at", steps[i].at);
		json_out_end(json);
	}
	json_out_end(json);
}

/* What its script has warned of: those that are kept, and how many it said. */
static void
put_warnings(struct tx *tx, const struct deployment *work, struct json_out *json)
{
	struct run_warnings warnings;
	char *rest = warnings.lines;
	const char *line;

	(void)row_deployment_warnings(tx, work->id, &warnings);
	json_put_i64(json, "warnings_said", warnings.said);
	json_put_open(json, "warnings", '[');
	while ((line = strsep(&rest, "\n")) != NULL)
		if (line[0] != '\0')
			json_out_str(json, line);
	json_out_end(json);
}

/* The list's digest, and its words, of what may ship it: marks, no values.  Who guesses a value
 * reads in its mark whether it is that one: who has `admin` alone sees them. */
static void
put_binding(struct tx *tx, int64_t person, const struct deployment *work, struct json_out *json)
{
	char list[FINGERPRINT_LIST_MAX], *rest = list;
	const char *word;

	put_text(json, "binding", work->binding);
	if (!decide_is_allowed(tx, person, POLICY_ADMIN, POLICY_ALL))
		return;
	json_put_open(json, "bound_to", '[');
	(void)row_binding_get(tx, work->id, list);
	while ((word = strsep(&rest, " ")) != NULL)
		if (word[0] != '\0')
			json_out_str(json, word);
	json_out_end(json);
}

/* Where it comes from; null: it is no promotion, or they may not see that. */
static void
put_promotion(struct tx *tx, int64_t person, const struct deployment *work, struct json_out *json)
{
	struct promotion promotion;

	put_text(json, "promoted_from",
	    decide_promotion_is_seen(tx, person, decide_promotion_of(tx, work, &promotion)) ?
		promotion.from :
		"");
}

static void
put_runs(struct tx *tx, const struct deployment *work, struct json_out *json)
{
	struct run_row runs[RUNS_OF_ONE];
	size_t n = row_run_list(tx, work->id, runs, RUNS_OF_ONE);

	json_put_open(json, "runs", '[');
	for (size_t i = 0; i < n; i++) {
		json_out_object(json);
		json_put_i64(json, "run", runs[i].id);
		json_put_str(json, "program", programs[runs[i].program]);
		json_out_end(json);
	}
	json_out_end(json);
}

/* Somebody else had asked for the same: the work whose question that is, while it is open. */
static int64_t
joined(struct tx *tx, const struct deployment *work)
{
	return work->state != DEPLOY_SUPERSEDED || deployment_is_action(work) ||
		work->commit[0] == '\0' ?
	    0 :
	    decide_question_same(tx, work, &(struct deployment){ 0 })->id;
}

static void
put_message(struct tx *tx, int64_t person, const struct deployment *work, struct json_out *json)
{
	CLEANUP(freep) char *text = decide_tell_text(tx, work, person);
	CLEANUP(buf_done) struct buf plain = buf_make(LIMIT_MESSAGE);

	if (text != NULL)
		chat_text_plain(text, &plain);
	put_text(json, "message", buf_text(&plain));
}

static void
put_all(struct tx *tx, int64_t person, const struct deployment *work, bool is_short,
    struct json_out *json)
{
	decide_view_facts(tx, person, work, json);
	json_put_time(json, "now", tx->at);
	put_number(json, "elapsed_ms",
	    work->started_at == 0 ?
		0 :
		(work->ended_at != 0 ? work->ended_at : tx->at) - work->started_at);
	put_number(json, "estimate_ms", row_step_estimate(tx, work->environment, ""));
	put_number(json, "release", work->state == DEPLOY_LIVE ? row_release_number(tx, work) : 0);
	put_number(json, "joined", joined(tx, work));
	put_promotion(tx, person, work, json);
	put_binding(tx, person, work, json);
	if (is_short) {
		json_put_open(json, "steps", '[');
		json_out_end(json);
		json_put_open(json, "warnings", '[');
		json_out_end(json);
	} else {
		put_steps(tx, work, json);
		put_warnings(tx, work, json);
	}
	put_runs(tx, work, json);
}

void
decide_view_work(
    struct tx *tx, int64_t person, const struct deployment *work, struct json_out *json)
{
	char shown[API_SHOWN];

	put_all(tx, person, work, false, json);
	put_message(tx, person, work, json);
	if (deployment_is_asked(work))
		json_put_str(json, "shown", decide_pad_digest(tx, work->id, shown));
	else
		json_put_str(json, "shown", NULL);
}

void
decide_view_notified(struct tx *tx, const struct deployment *work, const char *text, bool is_short,
    struct json_out *json)
{
	put_all(tx, 0, work, is_short, json);
	json_put_str(json, "message", text);
	json_put_str(json, "shown", NULL);
}

/* --- several --- */

/* What waits for somebody's answer, of one environment or client. */
static void
put_questions(struct tx *tx, int64_t person, const char *name, struct json_out *json)
{
	CLEANUP(freep) struct deployment *asked = mem_new(QUESTIONS_MAX, sizeof(*asked));
	size_t n = row_deployment_list_asked(tx, decide_place_rows(tx, name), asked, QUESTIONS_MAX);

	json_put_open(json, "questions", '[');
	for (size_t i = 0; i < n; i++)
		if (decide_place_has(&asked[i], name))
			put_work(tx, person, json, NULL, &asked[i]);
	json_out_end(json);
}

/* Its queue, the front first; returns how many. */
static size_t
list_queue(struct tx *tx, const char *name, int64_t ret[ROW_QUEUE_LIST])
{
	size_t all = row_queue_list(tx, decide_place_rows(tx, name), ret), n = 0;

	for (size_t i = 0; i < all; i++) {
		struct deployment work;

		if (decide_place_has(row_deployment_get(tx, ret[i], &work), name))
			ret[n++] = ret[i];
	}
	return n;
}

/* id 0: nothing is in progress there. */
static struct deployment *
find_active(struct tx *tx, const char *name, struct deployment *ret)
{
	row_deployment_active(tx, decide_place_rows(tx, name), ret);
	if (!decide_place_has(ret, name))
		*ret = (struct deployment){ 0 };
	return ret;
}

/* Why nothing new comes there. */
static void
put_holds(struct tx *tx, int64_t person, const char *name, struct json_out *json)
{
	const char *rows = decide_place_rows(tx, name);
	struct holds holds;

	decide_holds(tx, rows, &holds);
	decide_hide_holds(tx, person, rows, &holds);
	json_put_open(json, "holds", '[');
	for (size_t i = 0; i < holds.n; i++) {
		json_out_object(json);
		json_put_str(json, "kind", hold_kinds[holds.at[i].kind].word);
		put_text(json, "by", holds.at[i].by);
		put_text(json, "reason", holds.at[i].reason);
		json_put_time(json, "at", holds.at[i].at);
		json_put_time(json, "until", holds.at[i].until);
		json_out_end(json);
	}
	json_out_end(json);
}

static void
put_left(struct tx *tx, const char *name, struct json_out *json)
{
	struct left_host left[LEFT_HOSTS_SHOWN];
	size_t n = row_left_host_list(tx, name, left);

	json_put_open(json, "left_hosts", '[');
	for (size_t i = 0; i < n; i++) {
		json_out_object(json);
		json_put_str(json, "host", left[i].host);
		put_text(json, "commit", left[i].commit);
		json_put_str(json, "source", commit_source_word(left[i].source));
		json_put_time(json, "since", left[i].since);
		json_out_end(json);
	}
	json_out_end(json);
}

/* The newest, as the chat has them. */
static void
put_blocks(struct tx *tx, const char *name, struct json_out *json)
{
	struct block blocks[BLOCKS_SHOWN];
	int64_t all;
	size_t n = row_block_list(tx, name, blocks, BLOCKS_SHOWN, &all);

	json_put_i64(json, "blocks", all);
	json_put_open(json, "blocked", '[');
	for (size_t i = 0; i < n; i++) {
		json_out_object(json);
		json_put_str(json, "commit", blocks[i].commit);
		json_put_str(json, "source", commit_source_word(blocks[i].source));
		put_text(json, "by", blocks[i].by);
		put_text(json, "reason", blocks[i].why);
		json_put_time(json, "at", blocks[i].at);
		json_out_end(json);
	}
	json_out_end(json);
}

/* What its branch has beside what is live, as git said last. */
static void
put_head(const struct environment *environment, struct json_out *json)
{
	const struct environment_head *head = &environment->head;
	bool is_counted = head->commit[0] != '\0' && environment->current.id != 0 &&
	    strcmp(head->base, environment->current.commit) == 0;

	put_text(json, "head", head->commit);
	if (is_counted)
		json_put_i64(json, "newer", head->count);
	else
		json_put_str(json, "newer", NULL);
	json_put_time(json, "git_failing_since", environment->poll_failing_since);
}

/* Of what is released to in waves: on how many hosts what runs, the most first. */
static void
put_runs_on(struct tx *tx, const struct environment_settings *settings, struct json_out *json)
{
	struct host_mix mix = { 0 };

	if (settings->in_waves.is_set)
		row_host_mix(tx, settings->name, &mix);
	json_put_open(json, "runs_on", '[');
	for (size_t i = 0; i < mix.n; i++) {
		json_out_object(json);
		put_text(json, "commit", mix.of[i].release);
		json_put_str(json, "state", chat_host_mixed(&mix.of[i]));
		json_put_i64(json, "hosts", mix.of[i].n);
		json_out_end(json);
	}
	json_out_end(json);
}

/* Where /rollback goes that names no release; what bakes, or is paused: to what runs beside it. */
static struct release
earlier_of(struct tx *tx, const struct environment *environment, const struct deployment *active)
{
	if (!deployment_is_baking(active))
		return decide_choose_earlier(tx, environment);
	return deployment_can_roll_back(active) ? environment->current : (struct release){ 0 };
}

static void
put_environment(struct tx *tx, int64_t person, const struct environment_settings *settings,
    struct json_out *json)
{
	const char *name = settings->name, *runner = settings_runner(tx->settings, name);
	const char *refusal = decide_sees_refusal(tx, person, name);
	struct environment environment;
	struct deployment active;
	enum standing is;
	struct release earlier;
	int64_t ids[ROW_QUEUE_LIST];

	row_environment_get(tx, name, &environment);
	find_active(tx, name, &active);
	is = standing_of(&environment, &active, STANDING_ASKED);
	json_out_object(json);
	json_put_str(json, "environment", name);
	json_put_i64(json, "health_urls",
	    (int64_t)settings->health_url_count + (settings->health_template != NULL ? 1 : 0));
	json_put_str(json, "state", standing_word(is, &environment));
	json_put_bool(json, "is_replaced", is == STANDING_REPLACED);
	put_text(json, "unknown_why", environment.unknown_why);
	put_text(json, "refusal", refusal != NULL ? refusal : "");
	json_put_str(json, "runner", runner);
	json_put_time(json, "runner_disconnected_since", row_runner_named(tx, runner).at);
	json_put_bool(json, "is_rolled_back", environment.is_unacknowledged);
	put_number(json, "unseen", decide_nag_unseen(&environment));
	put_blocks(tx, name, json);
	if (!repository_is_polled(settings, environment.unknown_since))
		environment.poll_failing_since = 0; /* nobody asks for it any more */
	put_head(&environment, json);
	put_release(json, "release", &environment.current);
	put_release(json, "previous", &environment.previous);
	earlier = earlier_of(tx, &environment, &active);
	put_release(json, "earlier", &earlier);
	put_work(tx, person, json, "in_progress", &active);
	json_put_time(json, "draining_since", row_drain_open(tx, name).since);
	put_left(tx, name, json);
	put_runs_on(tx, settings, json);
	json_put_i64(json, "queued", (int64_t)list_queue(tx, name, ids));
	put_questions(tx, person, name, json);
	put_holds(tx, person, name, json);
	put_text(json, "waiting_push", environment.waiting_push);
	json_out_end(json);
}

static void
ask(struct answer *answer, const char *environment, const char *url, const char *commit)
{
	struct probe_target *target = &answer->targets[answer->n_targets++];

	text_set(target->environment, environment);
	text_set(target->url, url);
	text_set(target->commit, commit);
}

/* That of each of its hosts, where there is room for all; each answers what it runs itself. */
static void
ask_hosts(struct tx *tx, const struct environment_settings *of)
{
	struct answer *answer = &tx->answer;
	size_t n, room = PROBE_LOOK_TARGETS - answer->n_targets;
	struct host_filter all = { of->name, false, "" };
	char url[LIMIT_URL + LIMIT_HOST];
	CLEANUP(freep) struct host *hosts = NULL;

	if (of->health_template == NULL || row_host_count_list(tx, &all) > (int64_t)room)
		return;
	hosts = mem_new(room + 1, sizeof(*hosts));
	n = row_host_list(tx, &all, 0, hosts, room);
	for (size_t i = 0; i < n; i++) {
		const struct host *host = &hosts[i];

		(void)probe_hosts_url(of->health_template, host->name, url);
		if (host->left_at == 0 && strlen(url) < LIMIT_URL)
			ask(answer, of->name, url,
			    host->state == HOST_IS_CURRENT ? host->release : "");
	}
}

/* The health URLs of those at the front, as far as there is room for all of an environment. */
static void
ask_health(struct tx *tx, const struct decide_scope *scope)
{
	struct answer *answer = &tx->answer;

	answer->targets = mem_new(PROBE_LOOK_TARGETS, sizeof(*answer->targets));
	for (size_t i = 0; i < scope->n; i++) {
		const struct environment_settings *of = scope->at[i];
		struct environment now;
		struct deployment active;

		row_environment_get(tx, of->name, &now);
		row_deployment_active(tx, of->name, &active);
		if (deployment_is_baking(&active)) /* either commit may answer */
			now.current.commit[0] = '\0';
		if (answer->n_targets + of->health_url_count > PROBE_LOOK_TARGETS)
			return;
		for (size_t u = 0; u < of->health_url_count; u++)
			ask(answer, of->name, of->health_urls[u], now.current.commit);
		ask_hosts(tx, of);
	}
}

/* The moment, and an object for each environment. */
static void
put_each(struct tx *tx, const struct decide_scope *scope,
    void (*put)(struct tx *tx, int64_t person, const struct environment_settings *settings,
	struct json_out *json),
    struct json_out *json)
{
	json_put_time(json, "now", tx->at);
	json_put_open(json, "environments", '[');
	for (size_t i = 0; i < scope->n; i++)
		put(tx, scope->person, scope->at[i], json);
	json_out_end(json);
}

void
decide_view_status(struct tx *tx, const struct decide_scope *scope, struct json_out *json)
{
	ask_health(tx, scope);
	put_each(tx, scope, put_environment, json);
}

static void
put_queue(struct tx *tx, int64_t person, const struct environment_settings *settings,
    struct json_out *json)
{
	const char *name = settings->name;
	struct deployment work;
	int64_t ids[ROW_QUEUE_LIST];
	size_t n = list_queue(tx, name, ids);

	json_out_object(json);
	json_put_str(json, "environment", name);
	put_work(tx, person, json, "in_progress", find_active(tx, name, &work));
	put_questions(tx, person, name, json);
	json_put_open(json, "queue", '[');
	for (size_t i = 0; i < n; i++) {
		row_deployment_get(tx, ids[i], &work);
		json_out_object(json);
		decide_view_facts(tx, person, &work, json);
		put_text(json, "waits_for",
		    strchr(work.waits_for, ':') != NULL && !decide_sees_claims(tx, person, &work) ?
			"other work" :
			work.waits_for);
		json_put_time(json, "queued_at", work.wait.queued_at);
		json_out_end(json);
	}
	json_out_end(json);
	json_out_end(json);
}

void
decide_view_queue(struct tx *tx, const struct decide_scope *scope, struct json_out *json)
{
	put_each(tx, scope, put_queue, json);
}

static void
put_held(struct tx *tx, int64_t person, const struct environment_settings *settings,
    struct json_out *json)
{
	json_out_object(json);
	json_put_str(json, "environment", settings->name);
	put_holds(tx, person, settings->name, json);
	json_out_end(json);
}

void
decide_view_holds(struct tx *tx, const struct decide_scope *scope, struct json_out *json)
{
	put_each(tx, scope, put_held, json);
}

void
decide_view_history(struct tx *tx, const struct decide_scope *scope, struct json_out *json)
{
	struct deployment latest[HISTORY_OF_ONE];
	size_t n;

	json_put_time(json, "now", tx->at);
	json_put_open(json, "work", '[');
	for (size_t i = 0; i < scope->n; i++) {
		n = row_deployment_list(tx, scope->at[i]->name, latest,
		    scope->n == 1 ? HISTORY_OF_ONE : HISTORY_OF_EACH);
		for (size_t k = 0; k < n; k++)
			put_work(tx, scope->person, json, NULL, &latest[k]);
	}
	json_out_end(json);
}
