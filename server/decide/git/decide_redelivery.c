/* decide_redelivery.c - what a forge could not deliver is found, and asked for again.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/git/decide_redelivery.h"

#include <inttypes.h>

#include "chat/chat_text.h"
#include "decide/decide_reply.h"
#include "decide/git/decide_announced.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/row_effect.h"
#include "store/row_rate_limit.h"
#include "store/row_redelivery.h"
#include "types/pipeline.h"
#include "types/repository.h"

#define MINUTE_MS (60 * INT64_C(1000))
#define EVERY_MS  (5 * MINUTE_MS)
#define DAY_MS	  (24 * 60 * MINUTE_MS)
#define BEFORE_MS (10 * MINUTE_MS) /* what was tried before a look may be listed after it */
#define START_MS  3000		   /* what else a start does at once comes first */
#define TOGETHER  10		   /* webhooks are looked at, and then the next ones */
#define NEXT_MS	  1000
#define PAGES	  10 /* of one look: a list may have no end */
#define AGAIN	  20 /* asked for again after one look */
#define AGAIN_LAB 5  /* GitLab sends so many again in a minute */

/* Whose deliveries are asked about. */
struct place {
	enum delivery_forge forge;
	const char *hook; /* the application by whose path they come; "": the main file's */
	char repository[LIMIT_REF]; /* there; "": it is the App, which has many */
};

/* Has it a credential to ask about its repository, and a webhook? */
static bool
is_asking(const struct settings *s, const struct settings *of, struct place *ret)
{
	bool at_github = of != NULL && of->github_repository != NULL;

	*ret = (struct place){ .forge = at_github ? DELIVERY_GITHUB : DELIVERY_GITLAB };
	if (of == NULL)
		return false;
	ret->hook = repository_hook(of, ret->forge);
	return pipeline_repository(of, ret->forge, ret->repository) &&
	    (at_github ? of->github_webhook_secret != NULL || s->github_webhook_secret != NULL :
			 of->forge_webhook_secret != NULL || s->forge_webhook_secret != NULL);
}

/* The App's one webhook, which has no repository: of it the main file speaks. */
static bool
is_app_asking(const struct settings *s)
{
	return s->github.app_id != NULL && s->github.app_webhook_secret != NULL;
}

static const char *
name_of(const struct place *place)
{
	return place->repository[0] == '\0' ? "the App" : place->repository;
}

/* Its row; where none is made, id 0: nobody was asked about it. */
static struct forge_hook
hook_of(struct tx *tx, const struct place *place, bool is_made)
{
	const char *before = place->forge == DELIVERY_GITLAB ? "gitlab:" : "";
	char key[sizeof("gitlab:") + LIMIT_REF];

	text_setf(key, "%s%s", before, place->repository);
	return row_redelivery_hook(tx, place->hook, key, is_made);
}

/* Where a credential is set, from that application on ("": the main file). */
static void
look_again(struct tx *tx, const char *from, int64_t due)
{
	const struct settings *s = tx->settings;
	struct place place;
	bool is_any = is_asking(s, s, &place) || is_app_asking(s);
	int64_t before;

	for (size_t i = 0; i < s->application_count; i++)
		is_any |= is_asking(s, s->applications[i], &place);
	row_effect_withdraw(tx, row_effect_find_timer(tx, TIMER_REDELIVERY, &before));
	if (is_any)
		(void)row_effect_timer(tx, TIMER_REDELIVERY, from, 0, due);
}

void
decide_redelivery_begin(struct tx *tx)
{
	row_redelivery_clear(tx);
	row_redelivery_forget_off(tx);
	look_again(tx, "", tx->at + START_MS);
}

static void
ask(struct tx *tx, const char *application, const struct forge_hook *hook,
    struct effect_github_deliveries what)
{
	what.hook = hook->number;
	text_set(what.application, application);
	(void)row_effect_order(tx,
	    &(struct effect){ .kind = EFFECT_GITHUB_DELIVERIES,
		.subject = hook->id,
		.u.github_deliveries = what });
}

/* Where no look is open, by this application or another one that has the same webhook.  GitLab's is
 * looked for each time, for that says whether it is on. */
static void
list(struct tx *tx, const struct settings *of, const struct place *place)
{
	struct forge_hook hook = hook_of(tx, place, true);
	bool at_gitlab = place->forge == DELIVERY_GITLAB;

	hook.number = place->repository[0] == '\0' ? FORGE_HOOK_OF_APP :
	    at_gitlab				   ? 0 :
						     hook.number;
	if (row_effect_find(tx, EFFECT_GITHUB_DELIVERIES, hook.id) == 0)
		ask(tx, of->application, &hook,
		    (struct effect_github_deliveries){ .at_gitlab = at_gitlab, .left = PAGES });
}

void
decide_redelivery_due(struct tx *tx)
{
	const struct settings *s = tx->settings;
	struct place place;
	int64_t from;
	size_t i, n = 0;
	char name[24];

	if (!text_to_i64(tx->effect->u.timer.name, 0, INT32_MAX, &from, NULL))
		from = 0;
	for (i = (size_t)from; i <= s->application_count && n < TOGETHER; i++) {
		const struct settings *of = i == 0 ? s : s->applications[i - 1];

		if (!is_asking(s, of, &place))
			continue;
		list(tx, of, &place);
		n++;
	}
	if (i <= s->application_count) {
		text_setf(name, "%zu", i);
		look_again(tx, name, tx->at + NEXT_MS);
		return;
	}
	if (is_app_asking(s))
		list(tx, s, &(struct place){ .forge = DELIVERY_GITHUB, .hook = "" });
	row_redelivery_clear(tx);
	look_again(tx, "", tx->at + EVERY_MS);
}

/* --- what came of it --- */

/* What was asked about has its branch, or one try more; of pushes that have a newer one, nothing is
 * missing. */
static void
note_one(struct tx *tx, int64_t hook, struct redelivery *list, size_t n,
    const struct github_deliveries_read *read)
{
	const struct effect_github_deliveries *was = &tx->effect->u.github_deliveries;
	bool is_said = read->why[0] == '\0';

	for (struct redelivery *one = list; one < list + n; one++) {
		if (was->delivery == 0 || one->id != was->delivery || !(is_said || read->is_tried))
			continue;
		one->asks_branch = false;
		if (was->is_again)
			one->due = redelivery_due(++one->tries, tx->at);
		else
			text_set(one->branch, read->branch);
		row_redelivery_save(tx, hook, one);
	}
	for (struct redelivery *one = list; one < list + n; one++)
		if (!one->is_ok && !redelivery_is_newest(list, n, one)) {
			one->is_ok = true;
			row_redelivery_save(tx, hook, one);
		}
}

/* The next question about what did not come. */
static void
go_on(struct tx *tx, const struct place *place, const struct forge_hook *hook,
    const struct github_deliveries_read *read)
{
	const struct effect_github_deliveries *was = &tx->effect->u.github_deliveries;
	int most = was->at_gitlab ? AGAIN_LAB : AGAIN;
	int left = was->delivery == 0 ? most : was->left - was->is_again;
	CLEANUP(freep) struct redelivery *known = mem_new(REDELIVERY_LIST, sizeof(*known));
	struct redelivery *next = NULL;
	size_t n = row_redelivery_list(tx, hook->id, known);

	note_one(tx, hook->id, known, n, read);
	for (struct redelivery *one = known; one < known + n; one++)
		if (one->asks_branch && !one->is_ok)
			next = one;
	if (next == NULL && left > 0)
		next = redelivery_next(known, n, tx->at);
	if (next == NULL || read->why[0] != '\0')
		return;
	if (!next->asks_branch)
		tx_log(tx, LOG_LEVEL_INFO, "%s: %s could not deliver %s: asked for again",
		    name_of(place), delivery_forge_name(place->forge), next->guid);
	ask(tx, was->application, hook,
	    (struct effect_github_deliveries){ .at_gitlab = was->at_gitlab,
		.delivery = next->id,
		.is_again = !next->asks_branch,
		.left = left });
}

/* Those that are not known; behind the last page what did not come is asked for. */
static void
note_page(struct tx *tx, const struct place *place, struct forge_hook *hook,
    const struct github_deliveries_read *read)
{
	struct effect_github_deliveries more = tx->effect->u.github_deliveries;
	bool is_end = read->next[0] == '\0' || --more.left == 0;
	char source[DECIDE_SOURCE];

	(void)decide_announced_source(place->forge, place->hook, source);
	for (size_t i = 0; i < read->n; i++)
		if (read->list[i].at < hook->looked_at - BEFORE_MS)
			is_end = true;
		else
			row_redelivery_note(tx, hook->id, source, &read->list[i]);
	text_set(more.cursor, read->next);
	if (!is_end) {
		ask(tx, more.application, hook, more);
		return;
	}
	hook->looked_at = tx->at;
	go_on(tx, place, hook, read);
}

void
decide_redelivery_read(struct tx *tx, const struct github_deliveries_read *read)
{
	const struct effect_github_deliveries *what = &tx->effect->u.github_deliveries;
	const struct settings *of = settings_application(tx->settings, what->application);
	struct place place = { .forge = DELIVERY_GITHUB, .hook = "" };
	struct forge_hook hook;
	int64_t due = 0;
	bool is_wanted;

	if (what->hook == FORGE_HOOK_OF_APP)
		is_wanted = is_app_asking(tx->settings);
	else
		is_wanted = is_asking(tx->settings, of, &place) &&
		    what->at_gitlab == (place.forge == DELIVERY_GITLAB);
	if (!is_wanted) /* the settings are others now */
		return;
	hook = hook_of(tx, &place, false);
	hook.number = read->hook;
	hook.off_until = what->hook == 0 ? read->off_until : hook.off_until;
	(void)row_effect_find_timer(tx, TIMER_REDELIVERY, &due);
	if (read->pause_s * 1000 > EVERY_MS && due > tx->at + NEXT_MS) /* all had their turn */
		look_again(tx, "", tx->at + read->pause_s * 1000);
	if (read->why[0] == '\0' && what->hook == 0 && hook.off_until == 0)
		ask(tx, what->application, &hook, *what);
	else if (read->why[0] == '\0' && what->hook != 0 && what->delivery == 0)
		note_page(tx, &place, &hook, read);
	else if (what->delivery != 0)
		go_on(tx, &place, &hook, read);
	if (read->why[0] != '\0' &&
	    row_rate_limit_take(tx, 1, DAY_MS, "redelivery:%" PRId64, hook.id))
		tx_log(tx, LOG_LEVEL_WARNING,
		    "%s: what %s could not deliver is not asked for again: %s", name_of(&place),
		    delivery_forge_name(place.forge), read->why);
	row_redelivery_save_hook(tx, &hook);
}

int64_t
decide_redelivery_came(struct tx *tx, const struct delivery *delivery)
{
	struct place place = { .forge = delivery->forge, .hook = delivery->hook };
	struct forge_hook hook;
	char branch[LIMIT_REF];
	bool is_apps = delivery->by_app && delivery->branch[0] != '\0';

	if (place.forge != DELIVERY_GITHUB && place.forge != DELIVERY_GITLAB)
		return 0;
	redelivery_ref(is_apps ? delivery->repository : NULL, delivery->branch, branch);
	if (!delivery->by_app)
		text_set(place.repository, delivery->repository);
	hook = hook_of(tx, &place, false);
	if (hook.id == 0)
		return 0;
	if (!delivery->by_app && delivery->hook_number != 0 &&
	    delivery->hook_number != hook.number) {
		hook.number = delivery->hook_number;
		row_redelivery_save_hook(tx, &hook);
	}
	return row_redelivery_came(tx, hook.id, delivery->id, branch);
}

static bool
is_any_at_gitlab(const struct settings *s)
{
	bool is_any = s->github.gitlab_token != NULL;

	for (size_t i = 0; i < s->application_count; i++)
		is_any |= s->applications[i]->github.gitlab_token != NULL;
	return is_any;
}

void
decide_redelivery_status(struct tx *tx, struct chat_text *text)
{
	struct redelivery_missing missing = row_redelivery_missing(tx);
	struct redelivery_off off[ROW_REDELIVERY_OFF];
	size_t n = is_any_at_gitlab(tx->settings) ? row_redelivery_off(tx, off) : 0;
	struct chat_clock clock = decide_clock(tx, "");

	for (size_t i = 0; i < n; i++) {
		chat_text_outside(text, "\n⚠️ GitLab sends no events of ", off[i].repository);
		if (off[i].until == INT64_MAX)
			chat_text_add(text, ": its webhook is off until you Test it there\n");
		else {
			chat_text_since(
			    text, ": its webhook is off until ", &clock, off[i].until, tx->at);
			chat_text_add(text, "\n");
		}
	}
	if (missing.n == 0)
		return;
	chat_text_add(text, "\n⚠️ %" PRId64 " webhook event%s missing", missing.n,
	    missing.n == 1 ? "" : "s");
	chat_text_since(text, " since ", &clock, missing.since, tx->at);
	chat_text_add(text, ", asked for again\n");
}
