/* decide_redelivery.c - what GitHub could not deliver is found, and asked for again.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/git/decide_redelivery.h"

#include <inttypes.h>
#include <stdio.h>

#include "chat/chat_text.h"
#include "decide/decide_reply.h"
#include "decide/git/decide_announced.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/row_effect.h"
#include "store/row_rate_limit.h"
#include "store/row_redelivery.h"
#include "types/repository.h"

#define MINUTE_MS (60 * INT64_C(1000))
#define EVERY_MS  (5 * MINUTE_MS)
#define DAY_MS	  (24 * 60 * MINUTE_MS)
#define BEFORE_MS (10 * MINUTE_MS) /* what was tried before a look may be listed after it */
#define START_MS  3000		   /* what else a start does at once comes first */
#define PAGES	  10		   /* of one look: a list may have no end */
#define AGAIN	  20		   /* asked for again after one look */

/* Has it a credential to ask about its repository, and a webhook? */
static bool
is_asking(const struct settings *s, const struct settings *of)
{
	return of != NULL && of->github_repository != NULL &&
	    (of->github.token != NULL || of->github.app_id != NULL) &&
	    (of->github_webhook_secret != NULL || s->github_webhook_secret != NULL);
}

/* The App's one webhook, which has no repository: of it the main file speaks. */
static bool
is_app_asking(const struct settings *s)
{
	return s->github.app_id != NULL && s->github.app_webhook_secret != NULL;
}

static const char *
name_of(const struct settings *of, const struct forge_hook *hook)
{
	return hook->number == FORGE_HOOK_OF_APP ? "the App" : of->github_repository;
}

/* Where a credential is set. */
static void
look_again(struct tx *tx, int64_t due)
{
	const struct settings *s = tx->settings;
	bool is_any = is_asking(s, s) || is_app_asking(s);
	int64_t before;

	for (size_t i = 0; i < s->application_count; i++)
		is_any |= is_asking(s, s->applications[i]);
	row_effect_withdraw(tx, row_effect_find_timer(tx, TIMER_REDELIVERY, &before));
	if (is_any)
		(void)row_effect_timer(tx, TIMER_REDELIVERY, "", 0, due);
}

void
decide_redelivery_begin(struct tx *tx)
{
	row_redelivery_clear(tx);
	look_again(tx, tx->at + START_MS);
}

static void
ask(struct tx *tx, const struct settings *of, const struct forge_hook *hook,
    struct effect_github_deliveries what)
{
	what.hook = hook->number;
	(void)text_copy(what.application, sizeof(what.application), of->application);
	(void)row_effect_order(tx,
	    &(struct effect){ .kind = EFFECT_GITHUB_DELIVERIES,
		.subject = hook->id,
		.u.github_deliveries = what });
}

/* Where no look is open, by this application or another one that has the same webhook. */
static void
list(struct tx *tx, const struct settings *of, struct forge_hook hook)
{
	if (row_effect_find(tx, EFFECT_GITHUB_DELIVERIES, hook.id) == 0)
		ask(tx, of, &hook, (struct effect_github_deliveries){ .left = PAGES });
}

void
decide_redelivery_due(struct tx *tx)
{
	const struct settings *s = tx->settings;

	for (size_t i = 0; i <= s->application_count; i++) {
		const struct settings *of = i == 0 ? s : s->applications[i - 1];

		if (is_asking(s, of))
			list(tx, of,
			    row_redelivery_add_hook(
				tx, repository_hook(of, DELIVERY_GITHUB), of->github_repository));
	}
	if (is_app_asking(s)) {
		struct forge_hook hook = row_redelivery_add_hook(tx, "", "");

		hook.number = FORGE_HOOK_OF_APP;
		list(tx, s, hook);
	}
	row_redelivery_clear(tx);
	look_again(tx, tx->at + EVERY_MS);
}

/* --- what came of it --- */

/* The next question about what did not come. */
static void
go_on(struct tx *tx, const struct settings *of, const struct forge_hook *hook, const char *branch)
{
	const struct effect_github_deliveries *was = &tx->effect->u.github_deliveries;
	int left = was->delivery == 0 ? AGAIN : was->left - was->is_again;
	CLEANUP(freep) struct redelivery *list = mem_new(REDELIVERY_LIST, sizeof(*list));
	struct redelivery *next = NULL;
	size_t n = row_redelivery_list(tx, hook->id, list);

	for (struct redelivery *one = list; one < list + n; one++) {
		if (was->delivery != 0 && one->id == was->delivery) {
			one->asks_branch = false;
			if (was->is_again)
				one->due = redelivery_due(++one->tries, tx->at);
			else
				(void)text_copy(one->branch, sizeof(one->branch), branch);
			row_redelivery_save(tx, hook->id, one);
		}
		if (one->asks_branch && !one->is_ok)
			next = one;
	}
	if (next == NULL && left > 0)
		next = redelivery_next(list, n, tx->at);
	if (next == NULL)
		return;
	if (!next->asks_branch)
		tx_log(tx, LOG_LEVEL_INFO, "%s: GitHub could not deliver %s: asked for again",
		    name_of(of, hook), next->guid);
	ask(tx, of, hook,
	    (struct effect_github_deliveries){
		.delivery = next->id, .is_again = !next->asks_branch, .left = left });
}

/* Those that are not known; behind the last page what did not come is asked for. */
static void
note_page(struct tx *tx, const struct settings *of, struct forge_hook *hook,
    const struct github_deliveries_read *read)
{
	struct effect_github_deliveries more = { .left = tx->effect->u.github_deliveries.left - 1 };
	bool is_end = read->next[0] == '\0' || more.left == 0;
	bool is_apps = hook->number == FORGE_HOOK_OF_APP;
	char source[DECIDE_SOURCE];

	(void)decide_announced_source(
	    DELIVERY_GITHUB, is_apps ? "" : repository_hook(of, DELIVERY_GITHUB), source);
	for (size_t i = 0; i < read->n; i++)
		if (read->list[i].at < hook->looked_at - BEFORE_MS)
			is_end = true;
		else
			row_redelivery_note(tx, hook->id, source, &read->list[i]);
	(void)text_copy(more.cursor, sizeof(more.cursor), read->next);
	if (!is_end) {
		ask(tx, of, hook, more);
		return;
	}
	hook->looked_at = tx->at;
	go_on(tx, of, hook, "");
}

void
decide_redelivery_read(struct tx *tx, const struct github_deliveries_read *read)
{
	const struct effect_github_deliveries *what = &tx->effect->u.github_deliveries;
	const struct settings *of = settings_application(tx->settings, what->application);
	bool is_apps = what->hook == FORGE_HOOK_OF_APP;
	char key[32];
	struct forge_hook hook;

	if (is_apps ? !is_app_asking(tx->settings) : !is_asking(tx->settings, of))
		return;
	hook = is_apps ?
	    row_redelivery_hook(tx, "", "") :
	    row_redelivery_hook(tx, repository_hook(of, DELIVERY_GITHUB), of->github_repository);
	hook.number = read->hook;
	(void)snprintf(key, sizeof(key), "redelivery:%" PRId64, hook.id);
	if (read->pause_s * 1000 > EVERY_MS)
		look_again(tx, tx->at + read->pause_s * 1000);
	if (read->why[0] == '\0' && what->hook == 0)
		ask(tx, of, &hook, *what);
	else if (read->why[0] == '\0' && what->delivery == 0)
		note_page(tx, of, &hook, read);
	else if (read->why[0] == '\0')
		go_on(tx, of, &hook, read->branch);
	else if (row_rate_limit_take(tx, key, 1, DAY_MS))
		tx_log(tx, LOG_LEVEL_WARNING,
		    "%s: what GitHub could not deliver is not asked for again: %s",
		    is_apps ? "the App" : of->github_repository, read->why);
	row_redelivery_save_hook(tx, &hook);
}

int64_t
decide_redelivery_came(struct tx *tx, const struct delivery *delivery)
{
	struct forge_hook hook = { 0 };
	char branch[LIMIT_REF];
	bool is_apps = delivery->by_app && delivery->branch[0] != '\0';

	redelivery_ref(is_apps ? delivery->repository : NULL, delivery->branch, branch);
	if (delivery->by_app)
		hook = row_redelivery_hook(tx, "", "");
	else if (delivery->forge == DELIVERY_GITHUB)
		hook = row_redelivery_hook(tx, delivery->hook, delivery->repository);
	if (hook.id == 0)
		return 0;
	if (!delivery->by_app && delivery->hook_number != 0 &&
	    delivery->hook_number != hook.number) {
		hook.number = delivery->hook_number;
		row_redelivery_save_hook(tx, &hook);
	}
	return row_redelivery_came(tx, hook.id, delivery->id, branch);
}

void
decide_redelivery_status(struct tx *tx, struct chat_text *text)
{
	struct redelivery_missing missing = row_redelivery_missing(tx);
	struct chat_clock clock = decide_clock(tx, "");

	if (missing.n == 0)
		return;
	chat_text_add(text, "\n⚠️ %" PRId64 " event%s of GitHub missing", missing.n,
	    missing.n == 1 ? "" : "s");
	chat_text_since(text, " since ", &clock, missing.since, tx->at);
	chat_text_add(text, ", asked for again\n");
}
