/* decide_status.c - joins rows and findings for /status.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/view/decide_status.h"

#include "chat/chat_deployment.h"
#include "chat/chat_status.h"
#include "decide/who/decide_agent.h"
#include "decide/who/decide_agents.h"
#include "decide/who/decide_allowed.h"
#include "decide/view/decide_application_log.h"
#include "decide/view/decide_installation.h"
#include "decide/work/decide_cloudflare.h"
#include "decide/hold/decide_hold.h"
#include "decide/approval/decide_needs.h"
#include "decide/question/decide_offered.h"
#include "decide/question/decide_place.h"
#include "decide/decide_page.h"
#include "decide/queue/decide_previous.h"
#include "decide/hold/decide_refusal.h"
#include "decide/decide_reply.h"
#include "decide/tell/decide_bake_buttons.h"
#include "decide/tell/decide_nag.h"
#include "decide/tell/decide_notify.h"
#include "decide/tell/decide_trouble.h"
#include "decide/view/decide_status_urls.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "policy/policy.h"
#include "store/row_block.h"
#include "store/row_chat.h"
#include "store/row_deployment.h"
#include "store/row_drain.h"
#include "store/row_environment.h"
#include "store/row_host_list.h"
#include "store/row_job.h"
#include "store/row_left_host.h"
#include "store/row_pin.h"
#include "store/row_run.h"
#include "store/row_work_pipeline.h"
#include "types/repository.h"
#include "types/waves.h"

/* Of one environment's URLs, which stand side by side; findings NULL: not known yet. */
static void
find_findings(const char *name, const struct effect_probe *probe,
    const struct probe_finding *findings, struct chat_status *status)
{
	for (size_t i = 0; i < probe->n; i++) {
		if (strcmp(probe->targets[i].environment, name) != 0)
			continue;
		if (status->n_urls == 0) {
			status->targets = &probe->targets[i];
			status->findings = findings != NULL ? &findings[i] : NULL;
		}
		status->n_urls++;
	}
}

/* --- what is shown --- */

#define PAGE	      20 /* environments, a line each */
#define TROUBLE_MAX   256
#define EMPTY_SHOWN   6
#define REFUSED_SHOWN 5

/* A page of several applications' environments, or all of one's. */
struct view {
	struct decide_scope scope; /* in the order in which they are shown */
	size_t n_said;		   /* behind these: what never had a release */
	size_t first, end;
	int64_t page, pages;
	size_t n_lines; /* of the page, as its text has them */
	struct line {
		const char *name;
		bool is_trouble;
	} lines[PAGE];
};
_Static_assert(LIMIT_ENVIRONMENTS <= PAGE, "paragraphs are lines as well");

static void
view_done(struct view *view)
{
	decide_scope_done(&view->scope);
}

/* Those that are no clients. */
static size_t
count_environments(const struct decide_scope *scope)
{
	size_t n = 0;

	for (size_t i = 0; i < scope->n; i++)
		n += environment_client(scope->at[i]->name) == NULL;
	return n;
}

/* What is in trouble, or in progress, stands first; else the order stays.  Returns how many. */
static size_t
sort_trouble(struct tx *tx, struct decide_scope *scope)
{
	char names[TROUBLE_MAX][LIMIT_ENVIRONMENT];
	size_t n = row_environment_list_first(tx, names, TROUBLE_MAX), front = 0;

	for (size_t i = 0; i < n; i++)
		decide_put_first(scope, names[i], &front);
	return front;
}

/* Nothing was ever released there, no gate has ended, and nothing is asked about. */
static bool
is_empty(struct tx *tx, int64_t person, const char *name)
{
	return row_environment_is_empty(tx, name) &&
	    row_deployment_asking(tx, name, &(struct deployment){ 0 })->id == 0 &&
	    decide_needs_lines(tx, person, name, "", "", NULL) == 0;
}

/* Behind those in front: production, the rest, and what never had a release.  Returns where these
 * begin. */
static size_t
sort_rest(struct tx *tx, struct decide_scope *scope, size_t front)
{
	size_t n = scope->n - front, n_production = 0, n_empty = 0, n_rest = 0;
	CLEANUP(freep)
	const struct environment_settings **sorted = mem_new(n + 1, 3 * sizeof(*sorted));

	for (size_t i = front; i < scope->n; i++) {
		const struct environment_settings *one = scope->at[i];

		if (is_empty(tx, scope->person, one->name))
			sorted[2 * n + n_empty++] = one;
		else if (environment_is_production(one->name))
			sorted[n_production++] = one;
		else
			sorted[n + n_rest++] = one;
	}
	memcpy(&scope->at[front], sorted, n_production * sizeof(*sorted));
	memcpy(&scope->at[front + n_production], &sorted[n], n_rest * sizeof(*sorted));
	memcpy(
	    &scope->at[front + n_production + n_rest], &sorted[2 * n], n_empty * sizeof(*sorted));
	return scope->n - n_empty;
}

static bool
find_view(
    struct tx *tx, const struct update *update, const struct request *request, struct view *ret)
{
	*ret = (struct view){ .page = 1, .pages = 1 };
	if (!decide_scope_of(tx, update->person, POLICY_STATUS, request->target, &ret->scope))
		return false;
	ret->n_said = ret->scope.n;
	if (ret->scope.n > 1)
		ret->n_said = sort_rest(tx, &ret->scope, sort_trouble(tx, &ret->scope));
	ret->end = ret->n_said;
	if (!ret->scope.is_wide && ret->n_said <= LIMIT_ENVIRONMENTS)
		return true;
	ret->scope.is_wide = true;
	ret->first = decide_page(request, ret->n_said, PAGE, &ret->page, &ret->pages);
	ret->end = ret->first + PAGE < ret->n_said ? ret->first + PAGE : ret->n_said;
	return true;
}

/* --- its text --- */

/* Rows that a paragraph is made of; they stand in *shown. */
struct shown {
	struct environment environment;
	struct deployment released, active, pipeline, queued, asked, tried, unseen;
	struct block blocks[CHAT_STATUS_BLOCKS];
	struct deployment reviews[CHAT_STATUS_REVIEWS];
	struct step steps[LIMIT_STEPS];
	struct holds holds;
	struct drain drain;
	struct last_gate gate;
	struct left_host left[LEFT_HOSTS_SHOWN];
	struct migration_behind behind;
	struct probe_finding finding; /* of a summary: what was known last */
	struct chat_paused paused;
};

static const char *
active_step(struct tx *tx, struct shown *shown)
{
	size_t n = shown->active.run == 0 || deployment_is_baking(&shown->active) ?
	    0 :
	    row_step_list(tx, shown->active.run, shown->steps, LIMIT_STEPS);
	size_t last = deployment_last_step(shown->steps, n);

	return last < n ? shown->steps[last].name : "";
}

static void
find_running(struct tx *tx, const char *name, struct shown *shown, struct chat_status *ret)
{
	const struct environment_settings *settings = settings_environment(tx->settings, name);
	int64_t pipeline = row_work_pipeline_next(tx, name, 0);

	if (settings != NULL && settings->in_waves.is_set)
		row_host_mix(tx, name, &ret->hosts);
	row_deployment_active(tx, decide_place_rows(tx, name), &shown->active);
	if (!decide_place_has(&shown->active, name))
		shown->active = (struct deployment){ 0 };
	ret->active = shown->active.id != 0 ? &shown->active : NULL;
	ret->paused = decide_bake_paused(tx, &shown->active, &shown->paused);
	if (pipeline != 0)
		ret->pipeline = row_deployment_get(tx, pipeline, &shown->pipeline);
}

static struct chat_status
facts(struct tx *tx, const char *name, const struct effect_probe *probe,
    const struct probe_finding *findings, struct shown *shown)
{
	struct chat_status status = { .host = tx->settings->host, .at = tx->at };
	const struct environment_settings *settings;

	row_environment_get(tx, name, &shown->environment);
	row_deployment_get(tx, shown->environment.current.deployment, &shown->released);
	row_deployment_queued(tx, name, &shown->queued);
	status.environment = &shown->environment;
	status.released = &shown->released;
	find_running(tx, name, shown, &status);
	status.queued =
	    shown->queued.id != 0 && !deployment_is_asked(&shown->queued) ? &shown->queued : NULL;
	status.asked =
	    row_deployment_list_asked(tx, name, &shown->asked, 1) > 0 ? &shown->asked : NULL;
	row_deployment_tried(tx, name, shown->environment.head.commit, "", &shown->tried);
	status.tried =
	    shown->tried.id != 0 && shown->tried.state != DEPLOY_LIVE ? &shown->tried : NULL;
	row_deployment_get(tx, decide_nag_unseen(&shown->environment), &shown->unseen);
	status.unseen = shown->unseen.id != 0 ? &shown->unseen : NULL;
	decide_holds(tx, decide_place_rows(tx, name), &shown->holds);
	status.holds = &shown->holds;
	status.blocks = shown->blocks;
	status.n_blocks =
	    row_block_list(tx, name, shown->blocks, CHAT_STATUS_BLOCKS, &status.n_all_blocks);
	status.reviews = shown->reviews;
	status.n_reviews =
	    row_deployment_list_unreviewed(tx, name, shown->reviews, CHAT_STATUS_REVIEWS);
	status.step = active_step(tx, shown);
	status.gone = decide_agent_gone(tx, decide_place_rows(tx, name), shown->active.run);
	shown->behind =
	    row_release_migration_behind(tx, name, shown->active.run, &shown->environment.current);
	status.behind = &shown->behind;
	shown->drain = row_drain_open(tx, name);
	status.draining_source = shown->drain.source;
	status.draining = shown->drain.commit;
	status.draining_since = shown->drain.since;
	status.gate = row_job_last_gate(tx, name, false, &shown->gate);
	status.left = shown->left;
	status.n_left = row_left_host_list(tx, name, shown->left);
	status.clock = decide_clock(tx, name);
	status.becomes = decide_new_name(tx, name);
	settings = settings_environment(tx->settings, decide_place_rows(tx, name));
	status.is_left = settings == NULL;
	if (!repository_is_polled(settings, shown->environment.unknown_since))
		shown->environment.poll_failing_since = 0; /* nobody asks for it any more */
	status.branch = settings != NULL ? settings->branch : NULL;
	if (probe != NULL)
		find_findings(name, probe, findings, &status);
	status.is_not_looked_at = settings != NULL && status.n_urls == 0 &&
	    (settings->health_url_count > 0 || settings->health_template != NULL);
	return status;
}

/* Each of the page once: where it is in trouble, then where it is not.  False: none is left. */
static bool
next_line(struct tx *tx, struct view *view, const struct decide_status_health *health, size_t *i,
    struct shown *shown, struct chat_status *ret)
{
	size_t n = view->end - view->first;

	for (; n > 0 && *i < 2 * n; (*i)++) {
		const char *name = view->scope.at[view->first + *i % n]->name;
		bool is_trouble;

		*ret = facts(tx, name, health->probe, health->findings, shown);
		decide_hide_holds(
		    tx, view->scope.person, decide_place_rows(tx, name), &shown->holds);
		is_trouble = chat_status_is_trouble(ret);
		if (is_trouble != (*i < n))
			continue;
		view->lines[view->n_lines++] = (struct line){ name, is_trouble };
		(*i)++;
		return true;
	}
	return false;
}

/* All that never had a release, in one line. */
static void
add_empty(const struct view *view, struct chat_text *text)
{
	size_t n = view->scope.n - view->n_said;

	if (n == 0 || view->page < view->pages)
		return;
	chat_text_add(text, "⚪ No release yet:");
	for (size_t i = 0; i < n && i < EMPTY_SHOWN; i++)
		chat_text_add(text, "%s " MARK_CODE "%s" MARK_CODE, i == 0 ? "" : ",",
		    view->scope.at[view->n_said + i]->name);
	if (n > EMPTY_SHOWN)
		chat_text_add(text, " and %zu more", n - EMPTY_SHOWN);
	chat_text_add(text, "\n");
}

static void
add_paragraphs(struct tx *tx, struct chat_text *text, struct view *view,
    const struct decide_status_health *health)
{
	struct chat_status status;
	struct shown shown;
	size_t i = 0;

	while (next_line(tx, view, health, &i, &shown, &status)) {
		chat_text_add(text, "%s", view->n_lines == 1 ? "" : "\n");
		chat_status(text, &status);
		(void)decide_needs_lines(
		    tx, view->scope.person, shown.environment.name, "", "\n", text);
	}
	chat_text_add(text, "%s", view->n_lines > 0 && view->n_said < view->scope.n ? "\n" : "");
	add_empty(view, text);
}

/* "blog.env" is of "blog/staging". */
static bool
is_file_of(const char *file, const char *environment)
{
	size_t n = strcspn(file, ".");

	return n > 0 && strncmp(file, environment, n) == 0 && environment[n] == '/';
}

/* Who is shown the application learns that its file is ignored; why, an admin. */
static void
add_refused_here(struct tx *tx, const struct view *view, struct chat_text *text)
{
	const struct settings *settings = tx->settings;
	size_t n = 0;

	for (size_t i = 0; i < settings->refused_count; i++)
		for (size_t j = 0; j < view->scope.n; j++)
			if (is_file_of(settings->refused[i].file, view->scope.at[j]->name)) {
				if (n++ < REFUSED_SHOWN) {
					chat_text_outside(
					    text, "⚠️ ", settings->refused[i].file);
					chat_text_add(
					    text, " is ignored: an admin's /status says why.\n");
				}
				break;
			}
	if (n > REFUSED_SHOWN)
		chat_text_add(text, "… and %zu more\n", n - REFUSED_SHOWN);
}

/* "⚠️ blog.env is ignored: …", at most so many lines. */
static void
add_list(struct chat_text *text, const struct settings_refused list[], size_t n, const char *is)
{
	for (size_t i = 0; i < n && i < REFUSED_SHOWN; i++) {
		chat_text_outside(
		    text, "⚠️ ", list[i].file[0] != '\0' ? list[i].file : "APPS_DIRECTORY");
		chat_text_outside(text, is, list[i].reason);
		chat_text_add(text, "\n");
	}
	if (n > REFUSED_SHOWN)
		chat_text_add(text,
		    "… and %zu more: " MARK_CODE "deploybot check-config" MARK_CODE "\n",
		    n - REFUSED_SHOWN);
}

/* Files of applications that are not in force, and what means nothing: for who may repair them. */
static void
add_refused(
    struct tx *tx, const struct update *update, const struct view *view, struct chat_text *text)
{
	if (!decide_is_allowed(tx, update->person, POLICY_ADMIN, POLICY_ALL)) {
		add_refused_here(tx, view, text);
		return;
	}
	add_list(text, tx->settings->refused, tx->settings->refused_count, " is ignored: ");
	add_list(text, tx->settings->warned, tx->settings->warned_count, ": ");
	decide_notify_list_off(tx, text);
}

static void
add_lines(struct tx *tx, const struct update *update, struct chat_text *text, struct view *view,
    const struct request *request, const struct decide_status_health *health)
{
	struct chat_status status;
	struct shown shown;
	size_t i = 0;

	while (next_line(tx, view, health, &i, &shown, &status)) {
		chat_status_line(text, &status);
		(void)decide_needs_lines(
		    tx, update->person, shown.environment.name, "", "\n", text);
	}
	add_empty(view, text);
	if (health->probe != NULL && health->findings == NULL)
		chat_text_add(text, "checking health …\n");
	add_refused(tx, update, view, text);
	chat_text_add(text, "\n%zu environments%s", count_environments(&view->scope),
	    request->target[0] != '\0' ? "" :
					 "; " MARK_CODE "/status <application>" MARK_CODE
					 " shows all of one.");
}

/* --- what a chat keeps pinned --- */

#define HEALTH_IS_OLD_MS (20 * 60 * INT64_C(1000)) /* it is asked for each five minutes */

/* Those of the settings; `at` is the caller's.  0: none. */
static size_t
list_pinned(struct tx *tx, int64_t chat, const struct environment_settings **at)
{
	const struct settings *settings = tx->settings;
	int64_t before = row_chat_before(tx, chat);
	size_t n = 0;

	for (size_t i = 0; i < settings->environment_count; i++) {
		const struct settings *of = settings->environments[i].of;

		if (of->pin_status && of->telegram_chat_id != 0 &&
		    (of->telegram_chat_id == chat || of->telegram_chat_id == before))
			at[n++] = &settings->environments[i];
	}
	return n;
}

static bool
find_pinned(struct tx *tx, int64_t chat, struct decide_scope *ret)
{
	*ret = (struct decide_scope){ 0 };
	ret->at = mem_new(tx->settings->environment_count + 1, sizeof(*ret->at));
	ret->n = list_pinned(tx, chat, ret->at);
	return ret->n > 0;
}

bool
decide_status_is_pinned(struct tx *tx, int64_t chat)
{
	CLEANUP(decide_scope_done) struct decide_scope scope = { 0 };

	return find_pinned(tx, chat, &scope);
}

/* An answer from before a release says nothing of that release. */
static void
find_known_health(struct tx *tx, const struct environment_settings *settings, struct shown *shown,
    struct chat_status *status)
{
	int64_t since = tx->at - HEALTH_IS_OLD_MS;

	if (settings->health_url_count == 0 && settings->health_template == NULL)
		return;
	if (shown->environment.current.at > since)
		since = shown->environment.current.at;
	status->n_urls = 1;
	status->is_not_looked_at = false;
	if (row_pin_health(tx, settings->name, since, &shown->finding))
		status->findings = &shown->finding;
}

static int
rank(const struct chat_status *status)
{
	if (chat_status_is_trouble(status) || status->unseen != NULL)
		return 0;
	return status->active != NULL || status->queued != NULL || status->holds->n > 0 ? 1 : 2;
}
#define RANKS 3

bool
decide_status_pinned(struct tx *tx, int64_t chat, struct chat_text *text)
{
	CLEANUP(decide_scope_done) struct decide_scope scope = { 0 };
	bool is_first = true;
	size_t n;

	if (!find_pinned(tx, chat, &scope))
		return false;
	(void)sort_trouble(tx, &scope);
	n = scope.n < PAGE ? scope.n : PAGE;
	for (size_t i = 0; i < RANKS * n; i++) {
		const struct environment_settings *settings = scope.at[i % n];
		struct shown shown = { 0 };
		struct chat_status status = facts(tx, settings->name, NULL, NULL, &shown);

		find_known_health(tx, settings, &shown, &status);
		if (rank(&status) != (int)(i / n))
			continue;
		chat_text_add(text, "%s", is_first ? "" : "\n");
		is_first = false;
		chat_status_short(text, &status);
	}
	if (scope.n > PAGE)
		chat_text_add(
		    text, "\n… and %zu more: " MARK_CODE "/status" MARK_CODE "\n", scope.n - PAGE);
	return true;
}

/* --- its buttons --- */

/* A chat with one person has that person's number; in a group whoever may reads it too. */
static bool
may_somebody_look(struct tx *tx, int64_t chat, const char *name)
{
	return chat <= 0 || decide_is_allowed(tx, chat, POLICY_ROLLBACK, name);
}

#define EACH_SHOWN 10 /* two buttons more lead to the other pages */
#define LOOK_MS	   (24 * 3600 * INT64_C(1000))

/* What its buttons are made of: the row in which the message stands already (0: none) has some. */
struct keyboard {
	const struct update *update;
	int64_t message;
	struct buttons *buttons;
};

static void
add_looked(struct tx *tx, const struct keyboard *keyboard, const struct view *view)
{
	struct buttons *buttons = keyboard->buttons;
	int64_t chat = keyboard->update->address.chat;

	for (size_t i = view->first; i < view->end && buttons->n + 2 < COUNT(buttons->at); i++) {
		const char *name = view->scope.at[i]->name;

		if (may_somebody_look(tx, chat, name) &&
		    row_environment_get(tx, name, &(struct environment){ 0 })->unknown_since != 0)
			decide_trouble_add_looked(tx, name, chat, keyboard->message, buttons);
	}
}

static void
add_button(struct tx *tx, const struct keyboard *keyboard, const struct request *request,
    const char *label)
{
	decide_kept_button(
	    tx, keyboard->update, request, LOOK_MS, keyboard->message, label, keyboard->buttons);
}

static void
add_look(struct tx *tx, const struct keyboard *keyboard, const char *target, const char *label)
{
	const struct request request = request_of("status", target);

	add_button(tx, keyboard, &request, label);
}

/* What is paused goes on, or is what somebody rolls back there; else what is live is. */
static void
add_turns(struct tx *tx, const struct keyboard *keyboard, const char *name,
    const struct environment *environment)
{
	struct deployment active;
	struct request go_on, back = request_of("rollback", name);
	struct release earlier;
	char label[LIMIT_BUTTON];
	bool is_paused;

	row_deployment_active(tx, name, &active);
	is_paused = active.state == DEPLOY_PAUSED;
	go_on = decide_bake_request("resume", &active);
	if (is_paused) {
		add_button(tx, keyboard, &go_on, chat_deployment_label(DECIDE_GO_ON, name, label));
		back = decide_bake_request("rollback", &active);
	} else {
		request_add_number(&back, "from", environment->current.number);
	}
	if (is_paused ? deployment_can_roll_back(&active) :
			decide_list_earlier(tx, environment, &earlier, 1) > 0)
		add_button(tx, keyboard, &back, chat_deployment_label(CHAT_ROLL_BACK, name, label));
}

/* The way out, and why, for who may. */
static void
add_ways(struct tx *tx, const struct keyboard *keyboard, const char *name)
{
	int64_t person = keyboard->update->person;
	struct environment environment;
	const struct request logs = request_of("logs", name);
	char label[LIMIT_BUTTON];

	row_environment_get(tx, name, &environment);
	if (decide_is_allowed(tx, person, POLICY_ROLLBACK, name))
		add_turns(tx, keyboard, name, &environment);
	if (environment.current.id != 0 && decide_is_allowed(tx, person, POLICY_LOG, name) &&
	    decide_can_ask_application_log(tx, name))
		add_button(tx, keyboard, &logs, chat_deployment_label("📄 Log of", name, label));
}

/* From several to one of them in the same message, in the order of the lines; what is red can be
 * fled from here. */
static void
add_lines_buttons(struct tx *tx, const struct keyboard *keyboard, const struct view *view)
{
	for (size_t i = 0; i < view->n_lines && keyboard->buttons->n < EACH_SHOWN; i++) {
		const struct line *line = &view->lines[i];

		add_look(tx, keyboard, line->name, line->name);
		if (line->is_trouble && keyboard->buttons->n + 2 < EACH_SHOWN)
			add_ways(tx, keyboard, line->name);
	}
}

static void
add_buttons(struct tx *tx, const struct keyboard *keyboard, const struct request *request,
    const struct view *view)
{
	const struct request history = request_of("history", view->scope.at[0]->name);

	add_looked(tx, keyboard, view);
	if (view->scope.n > 1) {
		add_lines_buttons(tx, keyboard, view);
	} else {
		add_ways(tx, keyboard, view->scope.at[0]->name);
		if (decide_is_allowed(tx, keyboard->update->person, POLICY_HISTORY, history.target))
			add_button(tx, keyboard, &history, "History");
	}
	if (request->target[0] != '\0' && tx->settings->environment_count > 1)
		add_look(tx, keyboard, "", "◀ all");
	decide_page_buttons(
	    tx, keyboard->update, request, view->page, view->pages, keyboard->buttons);
}

bool
decide_status(struct tx *tx, const struct update *update, const struct request *request,
    const struct decide_status_health *health, int64_t message, struct buttons *buttons,
    struct chat_text *text)
{
	CLEANUP(view_done) struct view view = { 0 };
	const struct keyboard keyboard = { update, message, buttons };

	if (!find_view(tx, update, request, &view))
		return false;
	if (view.scope.is_wide) {
		add_lines(tx, update, text, &view, request, health);
	} else {
		add_paragraphs(tx, text, &view, health);
		add_refused(tx, update, &view, text);
	}
	if (request->target[0] == '\0')
		decide_cloudflare_status(tx, update->person, text);
	(void)decide_agents_status(tx, update->person,
	    request->target[0] != '\0' && view.scope.n > 0 ? view.scope.at[0]->name : "", text);
	if (count_environments(&view.scope) == tx->settings->environment_count)
		decide_installation_status(tx, text);
	add_buttons(tx, &keyboard, request, &view);
	return true;
}

/* --- health --- */

struct effect *
decide_status_probe(struct tx *tx, const struct update *update, const struct request *request)
{
	struct effect *effect = decide_status_new_probe();
	struct effect_probe *probe = &effect->u.probe;
	CLEANUP(view_done) struct view view = { 0 };

	text_set(probe->asked, request->target);
	if (find_view(tx, update, request, &view))
		for (size_t i = view.first; i < view.end; i++) {
			decide_status_add_urls(probe, view.scope.at[i]);
			decide_status_add_hosts(tx, probe, view.scope.at[i]);
		}
	probe->person = update->person;
	probe->page = view.page;
	return decide_status_take_probe(effect);
}

struct effect *
decide_status_pinned_probe(struct tx *tx, int64_t chat)
{
	CLEANUP(decide_scope_done) struct decide_scope scope = { 0 };
	struct effect *effect = decide_status_new_probe();

	effect->u.probe.pin = chat;
	if (find_pinned(tx, chat, &scope))
		(void)sort_trouble(tx, &scope);
	for (size_t i = 0; i < scope.n && i < PAGE; i++) {
		decide_status_add_urls(&effect->u.probe, scope.at[i]);
		decide_status_add_hosts(tx, &effect->u.probe, scope.at[i]);
	}
	return decide_status_take_probe(effect);
}
