/* command_queue.c - /queue [environment or application]: who waits where, for what, about how long.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "chat/chat_deployment.h"
#include "chat/chat_hold.h"
#include "chat/chat_runner.h"
#include "chat/chat_status.h"
#include "commands/commands.h"
#include "decide/hold/decide_refusal.h"
#include "decide/hold/decide_hold.h"
#include "decide/hold/decide_hold_work.h"
#include "decide/approval/decide_needs.h"
#include "decide/decide_page.h"
#include "decide/decide_reply.h"
#include "decide/queue/decide_ci.h"
#include "decide/question/decide_place.h"
#include "decide/question/decide_where.h"
#include "decide/who/decide_principal.h"
#include "lib/text.h"
#include "store/row_claim.h"
#include "store/row_deployment.h"
#include "store/row_environment.h"
#include "store/row_queue.h"
#include "store/row_runner.h"
#include "store/row_slot.h"
#include "store/row_work_pipeline.h"
#include "settings/checks/settings_runners.h"
#include "types/settings.h"

#define MINUTE_MS (60 * INT64_C(1000))
#define PAGE	  5 /* environments with something in them */

/* What is shown of one environment, and to whom. */
struct shown {
	struct tx *tx;
	const struct update *update;
	const struct request *request;
	struct chat_text *text;
	struct buttons *buttons;
	const char *target; /* the environment, or client */
	const char *rows;   /* the environment that its rows name */
	int64_t each_ms;    /* how long one takes; 0: not known */
	int64_t left_ms;    /* until the next may start */
	struct holds holds; /* of the environment */
};

static void
add_work(struct shown *s, const char *sign, const struct deployment *work, int64_t since)
{
	chat_text_add(s->text, "\n%s #%" PRId64 " ", sign, work->id);
	chat_deployment_work(s->text, "", work);
	chat_text_ago(s->text, ", ", since, s->tx->at);
}

/* Nobody knows it to the second. */
static void
add_about(struct shown *s, const char *before)
{
	int64_t unit = s->left_ms > MINUTE_MS ? MINUTE_MS : 10 * INT64_C(1000);

	chat_text_duration(s->text, before, (s->left_ms + unit - 1) / unit * unit);
}

static void
add_active(struct shown *s, const struct deployment *active)
{
	const struct runner_gone gone = row_runner_gone(s->tx, active->run);
	const struct chat_clock clock = decide_clock(s->tx, active->environment);
	char line[LIMIT_LINE];

	add_work(s, "▶️", active, active->started_at);
	if (gone.at != 0) {
		chat_text_since(s->text, chat_runner_gone(gone.name, ", its runner", line), &clock,
		    gone.at, s->tx->at);
		return;
	}
	s->left_ms = s->each_ms - (s->tx->at - active->started_at);
	if (s->each_ms == 0 || s->left_ms < 0)
		s->left_ms = 0;
	if (s->left_ms == 0)
		return;
	add_about(s, ", about ");
	chat_text_add(s->text, " more");
}

/* One of those that have the slots. */
static void
add_holder(struct shown *s, const char *environment, bool is_its)
{
	const struct settings *settings = s->tx->settings;
	const struct settings *of = settings_of(settings, environment);

	for (size_t i = 0; i < settings->environment_count; i++) {
		struct deployment active = { 0 };

		if (!is_its || settings->environments[i].of == of)
			row_deployment_active(s->tx, settings->environments[i].name, &active);
		if (active.id == 0)
			continue;
		chat_text_add(s->text, " (%s", active.environment);
		chat_text_outside(s->text, ", by ", FORGE_PERSON(active.requester));
		chat_text_add(s->text, ")");
		return;
	}
}

/* Which of the two bounds it is at; after a change of the settings there may be more. */
static void
add_slots(struct shown *s, const char *environment)
{
	const struct settings *settings = s->tx->settings;
	int64_t its = row_slot_count_of(s->tx, environment);
	bool is_its = settings->application_runs_max != 0 && its >= settings->application_runs_max;
	int most = is_its ? settings->application_runs_max : settings->runs_max;

	chat_text_add(s->text, ", waits: %" PRId64 " of %d deployments%s in progress",
	    is_its ? its : row_slot_count(s->tx), most, is_its ? " of its application" : "");
	add_holder(s, environment, is_its);
}

/* Why it does not simply wait for those in front. */
static bool
add_reason(struct shown *s, const struct deployment *work)
{
	int64_t before = row_claim_before(s->tx, work->waits_for, work->place);
	struct deployment holder;
	char ci[LIMIT_LINE];

	if (work->wait.is_asked_anew) {
		chat_text_add(s->text, ", asked again: waits for an answer");
	} else if (strcmp(work->waits_for, ROW_QUEUE_GIT) == 0) {
		chat_text_add(s->text, ", waits for git");
	} else if (strcmp(work->waits_for, ROW_QUEUE_RUNNER) == 0) {
		chat_text_add(s->text, ", waits for the runner %s",
		    settings_runner(s->tx->settings, work->environment));
	} else if (strcmp(work->waits_for, ROW_QUEUE_CI) == 0) {
		chat_text_outside(s->text, ", waits for CI: ", decide_ci_line(s->tx, work, ci));
	} else if (strcmp(work->waits_for, ROW_QUEUE_OPA) == 0) {
		chat_text_outside(
		    s->text, ", ", work->note[0] != '\0' ? work->note : "waits for OPA");
	} else if (decide_is_held(s->tx, work)) {
		chat_text_add(s->text, ", waits for the end of the %s",
		    chat_holds[s->holds.n == 0 ? HOLD_FREEZE : s->holds.at[0].kind].ends);
	} else if (strcmp(work->waits_for, ROW_QUEUE_SLOT) == 0) {
		add_slots(s, work->environment);
	} else if (before != 0) {
		row_deployment_get(s->tx, before, &holder);
		if (policy_sees(s->tx->settings, decide_principal(s->tx, s->update->person),
			holder.environment, s->tx->at))
			chat_text_add(s->text, ", waits for #%" PRId64 " of %s", holder.id,
			    holder.environment);
		else
			chat_text_add(s->text, ", waits for other work");
		if (text_starts(work->waits_for, "pipeline:"))
			chat_text_add(s->text, ": one at a time");
		else if (decide_sees_claims(s->tx, s->update->person, work))
			chat_text_outside(s->text, ", which holds ", work->waits_for);
	} else {
		return false;
	}
	return true;
}

static void
add_place(struct shown *s, size_t n, const struct deployment *work)
{
	char sign[24];

	text_setf(sign, "%zu.", n);
	add_work(s, sign, work, work->wait.queued_at);
	if (!add_reason(s, work) && s->each_ms != 0 && s->left_ms > 0)
		add_about(s, ", starts in about ");
	s->left_ms += s->each_ms;
}

/* --- buttons: for who asked alone --- */

static void
add_button(struct shown *s, struct request request, const char *label)
{
	struct button_row row = {
		.request = request,
		.chat = s->update->address.chat,
		.person = s->update->person,
	};

	request_add(&row.request, "of", s->request->target);
	row_button_show(s->tx, &row, label, s->buttons);
}

static void
add_buttons_of(struct shown *s, const struct deployment *mine, const int64_t *behind, size_t n)
{
	char label[LIMIT_BUTTON * 2];
	struct request request;

	text_setf(label, "✖️ Leave the queue: #%" PRId64, mine->id);
	add_button(s, request_about("leave", "work", mine->id), label);
	for (size_t i = 0; i < n; i++) {
		struct deployment other;

		row_deployment_get(s->tx, behind[i], &other);
		if (!deployment_is_by_request(&other) || other.requested_by == mine->requested_by ||
		    other.program != mine->program)
			continue;
		request = request_about("give", "work", mine->id);
		request_add_number(&request, "to", other.id);
		text_setf(label, "🤝 Give my place #%" PRId64 " to %.*s", mine->id,
		    (int)text_cut(other.requester, strlen(other.requester), 18), other.requester);
		add_button(s, request, label);
	}
}

/* What somebody has confirmed takes its place once git has answered: how many; they are shown where
 * there is a text. */
static size_t
add_confirmed(struct shown *s)
{
	size_t n = 0;

	for (int64_t id = 0; (id = row_deployment_next_asked(s->tx, s->rows, id)) != 0;) {
		struct deployment work;

		row_deployment_get(s->tx, id, &work);
		if (work.confirmed_by == 0 || work.state != DEPLOY_AWAITING_CONFIRMATION ||
		    !decide_place_has(&work, s->target))
			continue;
		n++;
		if (s->text == NULL)
			continue;
		add_work(s, "⏳", &work, work.requested_at);
		chat_text_add(s->text, ", confirmed: git is asked");
	}
	return n;
}

/* Of the environment's those that are the target's; an environment has them all. */
static size_t
list_places(struct shown *s, int64_t ids[ROW_QUEUE_LIST])
{
	size_t all = row_queue_list(s->tx, s->rows, ids), n = 0;

	for (size_t i = 0; i < all; i++) {
		struct deployment work;

		if (decide_place_has(row_deployment_get(s->tx, ids[i], &work), s->target))
			ids[n++] = ids[i];
	}
	return n;
}

/* id 0: there is none. */
static struct deployment *
find_active(struct shown *s, struct deployment *ret)
{
	row_deployment_active(s->tx, s->rows, ret);
	if (!decide_place_has(ret, s->target))
		*ret = (struct deployment){ 0 };
	return ret;
}

static bool
is_itself(const struct shown *s)
{
	return strcmp(s->rows, s->target) == 0;
}

/* What is of the environment alone does not concern who sees a client of it. */
static void
add_of_environment(struct shown *s)
{
	struct deployment work;
	struct environment now;

	for (int64_t id = 0; (id = row_work_pipeline_next(s->tx, s->rows, id)) != 0;) {
		row_deployment_get(s->tx, id, &work);
		add_work(s, "▶️", &work, work.started_at);
	}
	row_environment_get(s->tx, s->rows, &now);
	chat_hold_lines(s->text, &s->holds, s->tx->at);
	if (s->holds.n > 0 && environment_push_waits(&now)) {
		chat_text_commit(s->text, "\n⏸ push ", now.seen_commit);
		chat_text_add(
		    s->text, " waits; " MARK_CODE "/cancel %s" MARK_CODE " drops it", s->rows);
	}
}

static void
look_at(struct shown *s, const char *target)
{
	s->target = target;
	s->rows = decide_place_rows(s->tx, target);
}

static void
add_queue(struct shown *s, const char *target, size_t *n_shown)
{
	struct deployment work;
	int64_t ids[ROW_QUEUE_LIST];
	size_t n;

	look_at(s, target);
	n = list_places(s, ids);
	s->each_ms = is_itself(s) ? row_step_estimate(s->tx, target, "") : 0;
	s->left_ms = 0;
	decide_holds(s->tx, s->rows, &s->holds);
	decide_hide_holds(s->tx, s->update->person, s->rows, &s->holds);
	chat_text_add(
	    s->text, "%s" MARK_BOLD "%s" MARK_BOLD, (*n_shown)++ > 0 ? "\n\n" : "", target);
	if (settings_environment(s->tx->settings, s->rows) == NULL) {
		chat_text_add(s->text, ": ");
		chat_left(s->text, decide_new_name(s->tx, target));
	}
	if (find_active(s, &work)->id != 0)
		add_active(s, &work);
	if (is_itself(s))
		add_of_environment(s);
	else
		chat_hold_lines(s->text, &s->holds, s->tx->at);
	(void)decide_needs_lines(s->tx, s->update->person, s->rows, "\n", "", s->text);
	(void)add_confirmed(s);
	for (size_t i = 0; i < n; i++) {
		row_deployment_get(s->tx, ids[i], &work);
		add_place(s, i + 1, &work);
		if (deployment_is_by_request(&work) && work.requested_by == s->update->person)
			add_buttons_of(s, &work, ids + i + 1, n - i - 1);
	}
}

static bool
is_in_use(struct tx *tx, const struct update *update, const char *target)
{
	struct shown s = { .tx = tx, .update = update };
	int64_t ids[ROW_QUEUE_LIST];

	look_at(&s, target);
	return find_active(&s, &(struct deployment){ 0 })->id != 0 || list_places(&s, ids) > 0 ||
	    (is_itself(&s) && row_work_pipeline_next(tx, target, 0) != 0) ||
	    decide_needs_lines(tx, update->person, s.rows, "", "", NULL) > 0 ||
	    add_confirmed(&s) > 0 ||
	    row_environment_get(tx, s.rows, &(struct environment){ 0 })->held != 0;
}

void
command_queue(struct tx *tx, const struct update *update, const struct request *request)
{
	CLEANUP(decide_scope_done) struct decide_scope scope = { 0 };
	struct message message = { 0 };
	struct chat_text text = CHAT_TEXT_EMPTY;
	struct shown shown = { .tx = tx,
		.update = update,
		.request = request,
		.text = &text,
		.buttons = &message.buttons };
	size_t n = 0, n_shown = 0, first;
	int64_t page, pages;

	if (!decide_scope_seen(tx, update, request, &scope))
		return;
	for (size_t i = 0; i < scope.n; i++)
		if (is_in_use(tx, update, scope.at[i]->name))
			scope.at[n++] = scope.at[i];
	first = decide_page(request, n, PAGE, &page, &pages);
	if (n == 0)
		chat_text_add(&text, "Nothing is in progress, and nothing is queued.");
	for (size_t i = first; i < n && i < first + PAGE; i++)
		add_queue(&shown, scope.at[i]->name, &n_shown);
	decide_page_buttons(tx, update, request, page, pages, &message.buttons);
	(void)decide_send_keyboard(tx, update, request, &message, &text);
}
