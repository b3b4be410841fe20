/* decide_hold_windows.c - freeze windows of the settings: their begin and end are said.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_hold_windows.h"

#include <stdlib.h>
#include <string.h>

#include "chat/chat_hold.h"
#include "decide/decide_hold.h"
#include "decide/decide_hold_around.h"
#include "decide/decide_reply.h"
#include "lib/window.h"
#include "store/row_chat.h"
#include "store/row_deployment.h"
#include "store/row_environment.h"
#include "store/row_queue.h"

#define NAMED 10 /* environments in one message */

/* What of one chat has changed. */
struct changed {
	size_t n;
	size_t n_busy; /* with work in progress, queued, or a push that waits */
	const struct environment_settings *at[NAMED];
};

static bool
has_changed(struct tx *tx, const struct environment_settings *settings, bool begins)
{
	unsigned held = row_environment_get(tx, settings->name).held;
	int64_t change;

	return windows_have(settings->freeze, settings->of->zone, tx->at, &change) == begins &&
	    ((held & ENVIRONMENT_IS_IN_WINDOW) != 0) != begins;
}

static bool
is_busy(struct tx *tx, const char *environment)
{
	int64_t ids[ROW_QUEUE_LIST];

	return row_deployment_active(tx, environment).id != 0 ||
	    row_queue_list(tx, environment, ids) > 0;
}

static struct changed
collect(struct tx *tx, int64_t chat, bool begins)
{
	struct changed changed = { 0 };

	for (size_t i = 0; i < tx->settings->environment_count && !tx->failed; i++) {
		const struct environment_settings *settings = &tx->settings->environments[i];

		if (settings->of->telegram_chat_id != chat || !has_changed(tx, settings, begins))
			continue;
		if (changed.n < NAMED)
			changed.at[changed.n] = settings;
		changed.n++;
		changed.n_busy +=
		    begins ? is_busy(tx, settings->name) : decide_hold_waiting(tx, settings->name);
		row_environment_set_held(tx, settings->name,
		    row_environment_get(tx, settings->name).held ^ ENVIRONMENT_IS_IN_WINDOW);
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

/* is_said: that it is frozen stands in front. */
static void
add_begun(struct tx *tx, const char *environment, struct chat_text *text, bool is_said)
{
	const struct hold *window;
	struct holds holds;

	decide_holds(tx, environment, &holds);
	window = find_window(&holds);
	chat_text_add(text, "%s", is_said ? "" : "frozen");
	if (window != NULL)
		chat_hold_by(text, window, &holds, tx->at);
}

/* --- one --- */

static void
say_begun(struct tx *tx, const struct environment_settings *settings, struct chat_text *text)
{
	chat_first(text, FIRST_FROZEN, settings->name);
	add_begun(tx, settings->name, text, true);
	chat_text_add(text, "\nNothing new is deployed there; %s, rollbacks go on.",
	    decide_hold_pushes_text(tx, settings->name));
	decide_hold_add_work(tx, settings->name, text);
}

static void
say_ended(struct tx *tx, const struct environment_settings *settings, size_t waiting,
    struct chat_text *text)
{
	chat_first(text, FIRST_FREEZE_ENDED, settings->name);
	chat_text_add(text, " (calendar).");
	decide_hold_add_end(tx, settings->name, waiting, text);
}

/* --- several --- */

/* What is said of it behind its name; free(). */
static char *
words_of(struct tx *tx, const char *environment, bool begins)
{
	struct chat_text text;
	struct holds holds;

	chat_text_init(&text);
	if (begins) {
		chat_text_add(&text, ": ");
		add_begun(tx, environment, &text, false);
		return chat_text_take(&text);
	}
	decide_holds(tx, environment, &holds);
	if (holds.n > 0) {
		chat_text_add(&text, ": still ");
		chat_hold(&text, &holds.at[0], &holds, tx->at);
	}
	return chat_text_take(&text);
}

/* Those that stand together and of which the same is said have one line. */
static void
add_lines(struct tx *tx, const struct changed *changed, bool begins, struct chat_text *text)
{
	char *words = NULL;

	for (size_t i = 0; i < changed->n && i < NAMED; i++) {
		const char *name = changed->at[i]->name;
		char *now = words_of(tx, name, begins);
		bool is_same = words != NULL && now != NULL && strcmp(words, now) == 0;

		if (!is_same && i > 0)
			chat_text_add(text, "%s", words != NULL ? words : "");
		chat_text_add(text, "%s%s", is_same ? ", " : "\n", name);
		free(words);
		words = now;
	}
	chat_text_add(text, "%s", words != NULL ? words : "");
	free(words);
}

static void
say_several(struct tx *tx, const struct changed *changed, bool begins, struct chat_text *text)
{
	chat_text_add(text, "%s" MARK_BOLD "%zu environments" MARK_BOLD " (calendar)",
	    chat_first_rows[begins ? FIRST_FROZEN : FIRST_FREEZE_ENDED].before, changed->n);
	add_lines(tx, changed, begins, text);
	if (changed->n > NAMED)
		chat_text_add(
		    text, "\n… and %zu more: " MARK_CODE "/status" MARK_CODE, changed->n - NAMED);
	if (begins)
		chat_text_add(text, "\nNothing new is deployed there; rollbacks go on.");
	if (changed->n_busy > 0)
		chat_text_add(text,
		    begins ? "\n⏳ In progress or queued in %zu of them: " MARK_CODE
			     "/queue" MARK_CODE :
			     "\nWhat waited in %zu of them goes on, where nothing else holds it.",
		    changed->n_busy);
}

void
decide_hold_windows(struct tx *tx, bool begins)
{
	struct chat_text text;
	int64_t chat;

	for (size_t i = 0; settings_next_chat(tx->settings, &i, &chat) && !tx->failed;) {
		const struct chat_address team = { .chat = row_chat_now(tx, chat) };
		struct changed changed = collect(tx, chat, begins);

		if (changed.n == 0)
			continue;
		chat_text_init(&text);
		if (changed.n > 1)
			say_several(tx, &changed, begins, &text);
		else if (begins)
			say_begun(tx, changed.at[0], &text);
		else
			say_ended(tx, changed.at[0], changed.n_busy, &text);
		(void)decide_send(tx, &team, &text);
	}
}
