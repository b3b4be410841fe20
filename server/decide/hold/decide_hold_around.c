/* decide_hold_around.c - what a lock or freeze finds where it begins, and frees where it ends.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/hold/decide_hold_around.h"

#include "chat/chat_hold.h"
#include "decide/hold/decide_freeze_target.h"
#include "decide/hold/decide_hold.h"
#include "store/row_deployment.h"
#include "store/row_environment.h"
#include "store/row_queue.h"

#define NAMED 3 /* environments in one answer; /queue and /status have them all */

static bool
covers(const char *target, const char *environment)
{
	char targets[HOLD_TARGETS][LIMIT_ENVIRONMENT];

	hold_targets(environment, targets);
	for (size_t i = 0; i < HOLD_TARGETS; i++)
		if (strcmp(targets[i], target) == 0)
			return true;
	return false;
}

const struct environment_settings *
decide_hold_covers(struct tx *tx, const char *target, size_t *i)
{
	while (*i < tx->settings->environment_count) {
		const struct environment_settings *next = &tx->settings->environments[(*i)++];

		if (covers(target, next->name))
			return next;
	}
	return NULL;
}

/* "" before the name of the one that is meant anyway. */
static void
add_name(struct chat_text *text, const char *before, const char *target, const char *environment)
{
	if (strcmp(target, environment) != 0)
		chat_text_add(text, "%s%s", before, environment);
}

/* --- it begins --- */

static void
add_work(struct chat_text *text, const char *target, const char *environment,
    const struct deployment *active, size_t queued)
{
	if (active->id == 0) {
		chat_text_add(text, "\n⏳ Queued");
		add_name(text, " in ", target, environment);
		chat_text_add(text, ": %zu.", queued);
		return;
	}
	chat_text_add(text, "\n⏳ In progress");
	add_name(text, " in ", target, environment);
	chat_text_named(text, ": ", COMMIT_OF(active));
	chat_text_outside(text, " by ", FORGE_PERSON(active->requester));
	chat_text_add(text, ".");
	if (deployment_may_be_cancelled(active))
		chat_text_add(text, " " MARK_CODE "/cancel %s" MARK_CODE " ends it.", environment);
	if (queued > 0)
		chat_text_add(text, " Queued: %zu.", queued);
}

void
decide_hold_add_work(struct tx *tx, const char *target, struct chat_text *text)
{
	const struct environment_settings *environment;
	int64_t ids[ROW_QUEUE_LIST];
	size_t i = 0, n = 0;

	while ((environment = decide_hold_covers(tx, target, &i)) != NULL) {
		struct deployment active;
		size_t queued = row_queue_list(tx, environment->name, ids);

		row_deployment_active(tx, environment->name, &active);
		if ((active.id != 0 || queued > 0) && n++ < NAMED)
			add_work(text, target, environment->name, &active, queued);
	}
	if (n > NAMED)
		chat_text_add(
		    text, "\n… and in %zu more: " MARK_CODE "/queue" MARK_CODE, n - NAMED);
}

const char *
decide_hold_pushes_words(bool drops, bool waits)
{
	return !drops ? "pushes wait" :
	    waits     ? "pushes wait, or are dropped where that is set" :
			"pushes are dropped";
}

const char *
decide_hold_pushes_text(struct tx *tx, const char *target)
{
	const struct environment_settings *environment;
	bool drops = false, waits = false;
	size_t i = 0;

	while ((environment = decide_hold_covers(tx, target, &i)) != NULL) {
		drops = drops || environment->drops_pushes;
		waits = waits || !environment->drops_pushes;
	}
	return decide_hold_pushes_words(drops, waits);
}

/* --- it ends --- */

/* Once a hold has ended all of those are looked at, behind this answer. */
static bool
is_for_end(const char *waits_for)
{
	return strcmp(waits_for, ROW_QUEUE_HOLD) == 0 || strcmp(waits_for, ROW_QUEUE_LOOK) == 0;
}

static bool
has_waiting(struct tx *tx, const struct environment_settings *settings)
{
	struct environment environment;
	int64_t ids[ROW_QUEUE_LIST];
	size_t n;

	row_environment_get(tx, settings->name, &environment);
	if (environment.waiting_push[0] != '\0' && settings->push_branch != NULL)
		return true;
	n = row_queue_list(tx, settings->name, ids);
	for (size_t i = 0; i < n; i++)
		if (is_for_end(
			row_deployment_get(tx, ids[i], &(struct deployment){ 0 })->waits_for))
			return true;
	return false;
}

size_t
decide_hold_waiting(struct tx *tx, const char *target)
{
	const struct environment_settings *environment;
	size_t i = 0, n = 0;

	while ((environment = decide_hold_covers(tx, target, &i)) != NULL)
		n += has_waiting(tx, environment);
	return n;
}

/* The branch's head, where pushes are dropped and none of it has begun. */
static void
add_dropped(struct tx *tx, const struct environment_settings *environment, struct chat_text *text)
{
	struct environment now;
	struct deployment last = { 0 };

	row_environment_get(tx, environment->name, &now);
	if (!environment->drops_pushes || now.seen_commit[0] == '\0' ||
	    strcmp(now.seen_commit, now.current.commit) == 0)
		return;
	(void)row_deployment_list(tx, environment->name, &last, 1);
	if (strcmp(last.commit, now.seen_commit) == 0)
		return;
	chat_text_commit(text, "\nPushed and not deployed: ", now.seen_commit);
	chat_text_add(text, ". " MARK_CODE "/deploy %s" MARK_CODE " deploys the branch's newest.",
	    environment->name);
}

/* Who began it, and how it is ended. */
static void
add_hold(const char *target, const char *environment, const struct hold *hold,
    const struct holds *holds, struct chat_text *text)
{
	char word[LIMIT_ENVIRONMENT];

	chat_text_add(
	    text, "\n%s Still %s", chat_holds[hold->kind].sign, hold_kinds[hold->kind].is);
	add_name(text, ": ", target, environment);
	if (hold->until != 0)
		chat_hold_until(text, ", ", hold->until, holds);
	if (hold->kind == HOLD_WITNESS)
		chat_text_add(text, CHAT_HOLD_WITNESS_LEAVES);
	chat_text_outside(text, " (", hold->by);
	chat_text_add(text, ")");
	if (hold->kind == HOLD_FREEZE)
		chat_text_add(text, ". " MARK_CODE "/unfreeze %s" MARK_CODE " ends it.",
		    decide_freeze_word(hold->target, word));
}

/* The lock, and of the freezes that which ends last. */
static void
add_held(
    const char *target, const char *environment, const struct holds *holds, struct chat_text *text)
{
	add_hold(target, environment, &holds->at[0], holds, text);
	if (holds->at[0].kind == HOLD_LOCK && holds->n > 1)
		add_hold(target, environment, &holds->at[1], holds, text);
}

void
decide_hold_add_end(struct tx *tx, const char *target, size_t waiting, struct chat_text *text)
{
	const struct environment_settings *environment;
	size_t left = 0, held = 0, i = 0;
	struct holds holds;

	while ((environment = decide_hold_covers(tx, target, &i)) != NULL) {
		decide_holds(tx, environment->name, &holds);
		left += holds.n > 0 && has_waiting(tx, environment);
	}
	if (waiting > left)
		chat_text_add(text, " Queued pushes start now.");
	for (i = 0; (environment = decide_hold_covers(tx, target, &i)) != NULL;) {
		decide_holds(tx, environment->name, &holds);
		if (holds.n == 0)
			add_dropped(tx, environment, text);
		else if (held++ < NAMED)
			add_held(target, environment->name, &holds, text);
	}
	if (held > NAMED)
		chat_text_add(
		    text, "\n… and %zu more: " MARK_CODE "/status" MARK_CODE, held - NAMED);
}
