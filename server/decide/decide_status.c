/* decide_status.c - joins rows and findings for /status.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_status.h"

#include <stdlib.h>

#include "chat/chat_status.h"
#include "decide/decide_hold.h"
#include "decide/decide_refusal.h"
#include "decide/decide_reply.h"
#include "decide/decide_unknown.h"
#include "lib/text.h"
#include "policy/policy.h"
#include "store/row_block.h"
#include "store/row_deployment.h"
#include "store/row_environment.h"

/* /status is for somebody who waits. */
#define STATUS_TIMEOUT_S 5

/* The findings of one environment's URLs, which stand side by side; NULL: not known yet. */
static const struct probe_finding *
findings_of(const char *name, const struct effect_probe *probe,
    const struct probe_finding *findings, size_t *ret_n)
{
	const struct probe_finding *first = NULL;

	*ret_n = 0;
	for (size_t i = 0; i < probe->n; i++) {
		if (strcmp(probe->targets[i].environment, name) != 0)
			continue;
		if (*ret_n == 0 && findings != NULL)
			first = &findings[i];
		(*ret_n)++;
	}
	return first;
}

/* --- what is shown --- */

#define PAGE	      20 /* environments, a line each */
#define TROUBLE_MAX   256
#define REFUSED_SHOWN 5

/* A page of several applications' environments, or all of one's. */
struct view {
	struct decide_scope scope;
	size_t first, end;
	int64_t page, pages;
};

static void
view_done(struct view *view)
{
	decide_scope_done(&view->scope);
}

/* What is in trouble stands first; else the order stays. */
static void
sort_trouble(struct tx *tx, struct decide_scope *scope)
{
	char names[TROUBLE_MAX][LIMIT_ENVIRONMENT];
	size_t n = row_environment_list_trouble(tx, names, TROUBLE_MAX), front = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t k = front; k < scope->n; k++) {
			const struct environment_settings *found = scope->at[k];

			if (strcmp(found->name, names[i]) != 0)
				continue;
			memmove(&scope->at[front + 1], &scope->at[front],
			    (k - front) * sizeof(scope->at[0]));
			scope->at[front++] = found;
			break;
		}
}

static bool
find_view(
    struct tx *tx, const struct update *update, const struct request *request, struct view *ret)
{
	*ret = (struct view){ .page = 1, .pages = 1 };
	if (!decide_scope_of(tx, update->person, POLICY_STATUS, request->target, &ret->scope))
		return false;
	ret->end = ret->scope.n;
	if (!ret->scope.is_wide && ret->scope.n <= LIMIT_ENVIRONMENTS)
		return true;
	ret->scope.is_wide = true;
	sort_trouble(tx, &ret->scope);
	ret->first = decide_page(request, ret->scope.n, PAGE, &ret->page, &ret->pages);
	ret->end = ret->first + PAGE < ret->scope.n ? ret->first + PAGE : ret->scope.n;
	return true;
}

/* --- its text --- */

/* Rows that a paragraph is made of; they stand in *shown. */
struct shown {
	struct environment environment;
	struct deployment released, active, queued;
	struct block blocks[CHAT_STATUS_BLOCKS];
	struct step steps[LIMIT_STEPS];
	struct holds holds;
};

static struct chat_status
facts(struct tx *tx, const char *name, const struct effect_probe *probe,
    const struct probe_finding *findings, struct shown *shown)
{
	struct chat_status status = { .step = "", .host = tx->settings->host, .at = tx->at };
	size_t n_steps;

	shown->environment = row_environment_get(tx, name);
	shown->released = row_deployment_get(tx, shown->environment.current.deployment);
	shown->active = row_deployment_active(tx, name);
	shown->queued = row_deployment_queued(tx, name);
	status.environment = &shown->environment;
	status.released = &shown->released;
	status.active = shown->active.id != 0 ? &shown->active : NULL;
	status.queued = shown->queued.id != 0 ? &shown->queued : NULL;
	decide_holds(tx, name, &shown->holds);
	status.holds = &shown->holds;
	status.blocks = shown->blocks;
	status.n_blocks =
	    row_block_list(tx, name, shown->blocks, CHAT_STATUS_BLOCKS, &status.n_all_blocks);
	if (shown->active.run != 0) {
		n_steps = row_step_list(tx, shown->active.run, shown->steps, LIMIT_STEPS);
		if (n_steps > 0)
			status.step = shown->steps[n_steps - 1].name;
	}
	status.is_left = settings_environment(tx->settings, name) == NULL;
	status.becomes = decide_new_name(tx, name);
	if (probe != NULL)
		status.findings = findings_of(name, probe, findings, &status.n_urls);
	return status;
}

/* Where it is in trouble, then where it is not. */
static void
add_paragraphs(struct tx *tx, struct chat_text *text, const struct view *view,
    const struct effect_probe *probe, const struct probe_finding *findings)
{
	for (size_t i = 0; i < 2 * view->scope.n; i++) {
		const char *name = view->scope.at[i % view->scope.n]->name;
		struct shown shown;
		struct chat_status status = facts(tx, name, probe, findings, &shown);

		if (chat_status_is_trouble(&status) == (i < view->scope.n))
			chat_status(text, &status);
	}
}

/* "blog.env" is of "blog/staging". */
static bool
is_file_of(const char *file, const char *environment)
{
	size_t n = strcspn(file, ".");

	return n > 0 && strncmp(file, environment, n) == 0 && environment[n] == '/';
}

/* Who is shown the application learns that its file is not in force; why, an admin. */
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
					chat_text_add(text,
					    " is not in force: an admin's /status says why.\n");
				}
				break;
			}
	if (n > REFUSED_SHOWN)
		chat_text_add(text, "… and %zu more\n", n - REFUSED_SHOWN);
}

/* "⚠️ blog.env is not in force: …", at most so many lines. */
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
	const struct settings *settings = tx->settings;

	if (!decide_is_allowed(tx, update->person, POLICY_ADMIN, POLICY_ALL)) {
		add_refused_here(tx, view, text);
		return;
	}
	add_list(text, settings->refused, settings->refused_count, " is not in force: ");
	add_list(text, settings->warned, settings->warned_count, ": ");
}

static void
add_lines(struct tx *tx, const struct update *update, struct chat_text *text,
    const struct view *view, const struct effect_probe *probe, const struct probe_finding *findings)
{
	for (size_t i = view->first; i < view->end; i++) {
		struct shown shown;
		struct chat_status status =
		    facts(tx, view->scope.at[i]->name, probe, findings, &shown);

		chat_status_line(text, &status);
	}
	if (probe != NULL && findings == NULL)
		chat_text_add(text, "checking health …\n");
	add_refused(tx, update, view, text);
	chat_text_add(text,
	    "\n%zu environments; " MARK_CODE "/status <application>" MARK_CODE " shows all of one.",
	    view->scope.n);
}

/* --- its buttons --- */

/* A chat with one person has that person's number; in a group whoever may reads it too. */
static bool
may_somebody_look(const struct tx *tx, int64_t chat, const char *name)
{
	return chat <= 0 || decide_is_allowed(tx, chat, POLICY_LOOKED, name);
}

static void
add_looked(struct tx *tx, int64_t chat, const struct view *view, struct buttons *buttons)
{
	for (size_t i = view->first; i < view->end && buttons->n + 2 < COUNT(buttons->at); i++) {
		const char *name = view->scope.at[i]->name;

		if (may_somebody_look(tx, chat, name) &&
		    row_environment_get(tx, name).unknown_since != 0)
			decide_add_looked(tx, name, name, chat, buttons);
	}
}

bool
decide_status(struct tx *tx, const struct update *update, const struct request *request,
    const struct effect_probe *probe, const struct probe_finding *findings, struct message *ret)
{
	CLEANUP(view_done) struct view view = { 0 };
	struct chat_text text;

	if (!find_view(tx, update, request, &view))
		return false;
	chat_text_init(&text);
	if (view.scope.is_wide) {
		add_lines(tx, update, &text, &view, probe, findings);
	} else {
		add_paragraphs(tx, &text, &view, probe, findings);
		add_refused(tx, update, &view, &text);
	}
	ret->head = chat_text_take(&text);
	if (view.scope.is_wide && ret->buttons.n > 0)
		return true;
	ret->buttons = (struct buttons){ 0 };
	add_looked(tx, update->address.chat, &view, &ret->buttons);
	decide_page_buttons(tx, update, request, view.page, view.pages, &ret->buttons);
	return true;
}

/* --- health --- */

/* All URLs of an environment, or none where they do not fit. */
static void
add_targets(struct effect_probe *probe, const struct environment_settings *settings)
{
	if (probe->n + settings->health_url_count > PROBE_TARGETS_MAX)
		return;
	for (size_t u = 0; u < settings->health_url_count; u++) {
		struct probe_target *target = &probe->targets[probe->n++];

		(void)text_copy(target->environment, sizeof(target->environment), settings->name);
		(void)text_copy(target->url, sizeof(target->url), settings->health_urls[u]);
	}
}

struct effect *
decide_status_probe(struct tx *tx, const struct update *update, const struct request *request)
{
	struct effect *effect = effect_new(EFFECT_PROBE);
	CLEANUP(view_done) struct view view = { 0 };
	struct effect_probe *probe;

	if (effect == NULL ||
	    (effect->u.probe.targets = calloc(PROBE_TARGETS_MAX, sizeof(struct probe_target))) ==
		NULL) {
		effect_free(effect);
		tx_fail(tx, ERR_NOMEM, "no memory for a probe");
		return NULL;
	}
	probe = &effect->u.probe;
	probe->plan = (struct probe_plan){
		.successes = 1, .failures = 1, .interval_s = 1, .timeout_s = STATUS_TIMEOUT_S
	};
	(void)text_copy(probe->asked, sizeof(probe->asked), request->target);
	if (find_view(tx, update, request, &view))
		for (size_t i = view.first; i < view.end; i++)
			add_targets(probe, view.scope.at[i]);
	probe->person = update->person;
	probe->page = view.page;
	if (probe->n > 0)
		return effect;
	effect_free(effect);
	return NULL;
}
