/* handle_delivery.c - a forge says that a branch may have moved.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/git/decide_announced.h"
#include "decide/git/decide_redelivery.h"
#include "decide/queue/decide_ci_news.h"
#include "handlers/handlers.h"
#include "lib/mem.h"
#include "store/row_dedupe.h"
#include "store/row_rate_limit.h"
#include "types/repository.h"

#define SAID_EACH_MS (3600 * INT64_C(1000))
#define ACCEPTED     202 /* received, and nothing for us to do */

static bool
is_of(const struct tx *tx, const struct settings *application, const struct delivery *delivery)
{
	return repository_is_announced(
	    tx->settings, application, delivery->forge, delivery->hook, delivery->repository);
}

/* Is the repository any application's, by the webhook that it came by? */
static bool
is_ours(const struct tx *tx, const struct delivery *delivery)
{
	if (is_of(tx, tx->settings, delivery))
		return true;
	for (size_t i = 0; i < tx->settings->application_count; i++)
		if (is_of(tx, tx->settings->applications[i], delivery))
			return true;
	return false;
}

static void
handle_push(struct tx *tx, const struct delivery *delivery)
{
	for (size_t i = 0; i < tx->settings->environment_count; i++) {
		const struct environment_settings *environment = &tx->settings->environments[i];

		if (environment->branch != NULL &&
		    strcmp(environment->branch, delivery->branch) == 0 &&
		    is_of(tx, environment->of, delivery))
			decide_announced(tx, environment, delivery);
	}
}

static const char nobodys[] =
    "ignored: no application has this repository here; is its GITHUB_REPOSITORY or REPOSITORY_PATH set, or its own webhook another one?\n";

/* Signed, and of no application: a setting is missing, or a webhook too many. */
static void
say_nobodys(struct tx *tx, const struct delivery *delivery)
{
	bool is_github = delivery->forge == DELIVERY_GITHUB;

	tx->answer.status = ACCEPTED;
	tx->answer.text = mem_text(nobodys);
	if (row_rate_limit_take(tx, "delivery:nobody", 1, SAID_EACH_MS))
		tx_log(tx, LOG_LEVEL_WARNING,
		    "a push of %.100s came by %s%s%s%s, and no application has it there: is its %s set?",
		    delivery->repository, is_github ? "/github/webhook" : "/forge/webhook/",
		    is_github ? "" : delivery_forge_word(delivery->forge),
		    delivery->hook[0] != '\0' ? "/" : "", delivery->hook,
		    is_github ? "GITHUB_REPOSITORY" : "REPOSITORY_PATH");
}

void
handle_delivery(struct tx *tx, const struct event *event)
{
	struct delivery delivered = event->u.delivery, *delivery = &delivered;
	char source[DECIDE_SOURCE];

	if (delivery->kind == DELIVERY_PING)
		return;
	delivery->came_at = decide_redelivery_came(tx, delivery);
	(void)decide_announced_source(delivery->forge, delivery->hook, source);
	if (delivery->kind != DELIVERY_PUSH && delivery->forge == DELIVERY_GITHUB)
		(void)row_dedupe_add(tx, source, delivery->id, NULL); /* twice is as once */
	if (delivery->kind == DELIVERY_WORKFLOW_RUN && is_ours(tx, delivery)) {
		decide_ci_note(tx, delivery);
		return;
	}
	if (delivery->kind != DELIVERY_PUSH) {
		tx->answer.status = ACCEPTED;
		return;
	}
	if (!is_ours(tx, delivery)) {
		say_nobodys(tx, delivery);
		return;
	}
	if (!row_dedupe_add(
		tx, source, delivery->id, delivery->by_id_alone ? NULL : delivery->digest)) {
		tx->answer.is_duplicate = true;
		return;
	}
	if (delivery->branch[0] != '\0' && !delivery->deleted)
		handle_push(tx, delivery);
}
