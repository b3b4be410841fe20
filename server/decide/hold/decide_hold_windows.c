/* decide_hold_windows.c - freeze windows of the settings: their beginning and end are announced.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/hold/decide_hold_windows.h"

#include <stdlib.h>

#include "chat/chat_hold.h"
#include "decide/hold/decide_hold.h"
#include "decide/hold/decide_hold_around.h"
#include "decide/decide_reply.h"
#include "lib/mem.h"
#include "lib/window.h"
#include "store/row_chat.h"
#include "store/row_deployment.h"
#include "store/row_environment.h"
#include "store/row_queue.h"

#define NAMED 10 /* environments in one message */

/* What of one chat has changed. */
struct changed {
	size_t n;
	size_t n_busy;	/* with work in progress, queued, or a push that waits */
	size_t n_drops; /* that drop what is pushed meanwhile */
	int64_t until;	/* begun: until when all of them are frozen; 0: not until the same moment */
	const struct environment_settings *at[NAMED];
	size_t n_still; /* ended: that something else holds; not among the others */
	const struct environment_settings *still[NAMED];
};

static bool
has_changed(
    struct tx *tx, const struct environment_settings *settings, bool begins, int64_t *ret_until)
{
	unsigned held = row_environment_get(tx, settings->name, &(struct environment){ 0 })->held;

	return windows_have(settings->freeze, settings->of->zone, tx->at, ret_until) == begins &&
	    ((held & ENVIRONMENT_IS_IN_WINDOW) != 0) != begins;
}

static bool
is_busy(struct tx *tx, const char *environment)
{
	int64_t ids[ROW_QUEUE_LIST];

	return row_deployment_active(tx, environment, &(struct deployment){ 0 })->id != 0 ||
	    row_queue_list(tx, environment, ids) > 0;
}

static bool
is_held(struct tx *tx, const char *environment)
{
	struct holds holds;

	decide_holds(tx, environment, &holds);
	return holds.n > 0;
}

static struct changed
collect(struct tx *tx, int64_t chat, bool begins)
{
	struct changed changed = { 0 };

	for (size_t i = 0; i < tx->settings->environment_count && !tx->failed; i++) {
		const struct environment_settings *settings = &tx->settings->environments[i];
		size_t n = changed.n;
		int64_t until;

		if (settings->of->telegram_chat_id != chat ||
		    !has_changed(tx, settings, begins, &until))
			continue;
		if (!begins && is_held(tx, settings->name)) {
			if (changed.n_still < NAMED)
				changed.still[changed.n_still] = settings;
			changed.n_still++;
		} else {
			if (changed.n < NAMED)
				changed.at[changed.n] = settings;
			changed.until = changed.n == 0 || changed.until == until ? until : 0;
			changed.n++;
		}
		changed.n_drops += settings->drops_pushes;
		if (begins)
			changed.n_busy += is_busy(tx, settings->name);
		else if (changed.n > n)
			changed.n_busy += decide_hold_waiting(tx, settings->name) > 0;
		row_environment_set_held(tx, settings->name,
		    row_environment_get(tx, settings->name, &(struct environment){ 0 })->held ^
			ENVIRONMENT_IS_IN_WINDOW);
	}
	return changed;
}

/* NULL: there are too many others. */
static const struct hold *
find_window(const struct holds *holds)
{
	for (size_t i = 0; i < holds->n; i++)
		if (holds->at[i].kind == HOLD_WINDOW)
			return &holds->at[i];
	return NULL;
}

/* --- one --- */

static void
say_begun(struct tx *tx, const struct environment_settings *settings, struct chat_text *text)
{
	const struct hold *window;
	struct holds holds;

	decide_holds(tx, settings->name, &holds);
	window = find_window(&holds);
	chat_first(text, FIRST_FROZEN, settings->name);
	if (window != NULL)
		chat_hold_by(text, window, &holds, tx->at);
	chat_text_add(text, "\nNothing new is deployed there; %s, rollbacks are still allowed.",
	    decide_hold_pushes_text(tx, settings->name));
	decide_hold_add_work(tx, settings->name, text);
}

static void
say_ended(struct tx *tx, const struct environment_settings *settings, struct chat_text *text)
{
	chat_first(text, FIRST_FREEZE_ENDED, settings->name);
	chat_text_add(text, " (calendar).");
	decide_hold_add_end(tx, settings->name, decide_hold_waiting(tx, settings->name), text);
}

/* --- several --- */

/* What is said of one in front of its name, and behind it. */
struct words {
	char *before, *behind;
};

static void
words_done(struct words *words)
{
	free(words->before);
	free(words->behind);
}

static bool
words_are_same(const struct words *a, const struct words *b)
{
	return a->before != NULL && b->before != NULL && a->behind != NULL && b->behind != NULL &&
	    strcmp(a->before, b->before) == 0 && strcmp(a->behind, b->behind) == 0;
}

/* "by the calendar: ", and until when, where that is not the same of all. */
static struct words
words_of_begun(struct tx *tx, const char *environment, bool has_until)
{
	struct chat_text text = CHAT_TEXT_EMPTY;
	struct holds holds;
	const struct hold *window;

	decide_holds(tx, environment, &holds);
	window = find_window(&holds);
	if (window != NULL)
		chat_text_add(&text, "by " CHAT_HOLD_CALENDAR);
	if (window != NULL && has_until && window->until != 0)
		chat_hold_until(&text, ", ", window->until, &holds);
	chat_text_add(&text, window != NULL ? ": " : "");
	return (struct words){ chat_text_take(&text), mem_text("") };
}

/* "Still locked: ", " by @ada, 20 min ago, until …" */
static struct words
words_of_still(struct tx *tx, const char *environment)
{
	struct chat_text before = CHAT_TEXT_EMPTY, behind = CHAT_TEXT_EMPTY;
	struct holds holds;

	decide_holds(tx, environment, &holds);
	if (holds.n > 0) {
		chat_text_add(&before, "Still %s: ", hold_kinds[holds.at[0].kind].is);
		chat_hold_by(&behind, &holds.at[0], &holds, tx->at);
	}
	return (struct words){ chat_text_take(&before), chat_text_take(&behind) };
}

/* Those that stand together and of which the same is said have one line. */
struct lines {
	struct chat_text *text;
	struct words said;
};

/* Takes the words. */
static void
add_name(struct lines *lines, const char *name, struct words words)
{
	if (words_are_same(&words, &lines->said)) {
		chat_text_add(lines->text, ", %s", name);
	} else {
		chat_text_add(lines->text, "%s\n%s%s",
		    lines->said.behind != NULL ? lines->said.behind : "",
		    words.before != NULL ? words.before : "", name);
	}
	words_done(&lines->said);
	lines->said = words;
}

static void
end_lines(struct lines *lines)
{
	chat_text_add(lines->text, "%s", lines->said.behind != NULL ? lines->said.behind : "");
	words_done(&lines->said);
}

static void
add_more(size_t n, struct chat_text *text)
{
	if (n > NAMED)
		chat_text_add(text, "\n… and %zu more: " MARK_CODE "/status" MARK_CODE, n - NAMED);
}

static void
say_several_begun(struct tx *tx, const struct changed *changed, struct chat_text *text)
{
	struct lines lines = { .text = text };

	chat_text_add(text, "%s" MARK_BOLD "%zu environments" MARK_BOLD,
	    chat_first_rows[FIRST_FROZEN].before, changed->n);
	if (changed->until != 0) {
		struct chat_clock clock = decide_clock(tx, changed->at[0]->name);

		chat_text_since(text, " until ", &clock, changed->until, tx->at);
	}
	for (size_t i = 0; i < changed->n && i < NAMED; i++)
		add_name(&lines, changed->at[i]->name,
		    words_of_begun(tx, changed->at[i]->name, changed->until == 0));
	end_lines(&lines);
	add_more(changed->n, text);
	chat_text_add(text, "\nNothing new is deployed there; %s, rollbacks are still allowed.",
	    decide_hold_pushes_words(changed->n_drops > 0, changed->n_drops < changed->n));
	if (changed->n_busy > 0)
		chat_text_add(text,
		    "\n⏳ In progress or queued in %zu of them: " MARK_CODE "/queue" MARK_CODE,
		    changed->n_busy);
}

/* What holds some of them still comes first: who reads "ended" deploys. */
static void
say_several_ended(struct tx *tx, const struct changed *changed, struct chat_text *text)
{
	struct lines still = { .text = text }, free_ones = { .text = text };
	size_t n = changed->n > 0 ? changed->n : changed->n_still;

	chat_text_add(text, "%s" MARK_BOLD "%zu environment%s" MARK_BOLD "%s (calendar)",
	    chat_first_rows[FIRST_FREEZE_ENDED].before, n, n == 1 ? "" : "s",
	    changed->n > 0 ? "" : ", none free");
	for (size_t i = 0; i < changed->n_still && i < NAMED; i++)
		add_name(
		    &still, changed->still[i]->name, words_of_still(tx, changed->still[i]->name));
	end_lines(&still);
	add_more(changed->n_still, text);
	for (size_t i = 0; i < changed->n && i < NAMED; i++)
		add_name(
		    &free_ones, changed->at[i]->name, (struct words){ mem_text(""), mem_text("") });
	end_lines(&free_ones);
	add_more(changed->n, text);
	if (changed->n_busy > 0)
		chat_text_add(text,
		    "\nWhat waited in %zu of them goes on, where nothing else holds it.",
		    changed->n_busy);
}

void
decide_hold_windows(struct tx *tx, bool begins)
{
	int64_t chat;

	for (size_t i = 0; settings_next_chat(tx->settings, &i, &chat) && !tx->failed;) {
		const struct chat_address team = { .chat = row_chat_now(tx, chat) };
		struct changed changed = collect(tx, chat, begins);
		struct chat_text text = CHAT_TEXT_EMPTY;

		if (changed.n + changed.n_still == 0)
			continue;
		if (changed.n + changed.n_still > 1 && begins)
			say_several_begun(tx, &changed, &text);
		else if (changed.n + changed.n_still > 1)
			say_several_ended(tx, &changed, &text);
		else if (begins)
			say_begun(tx, changed.at[0], &text);
		else
			say_ended(tx, changed.n > 0 ? changed.at[0] : changed.still[0], &text);
		(void)decide_send(tx, &team, &text);
	}
}
