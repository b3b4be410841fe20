/* handle_delivery.c - a forge says that a branch may have moved.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_announced.h"
#include "handlers/handlers.h"
#include "lib/text.h"
#include "store/row_dedupe.h"

#define ACCEPTED 202 /* received, and nothing for us to do */

/* Where only REPOSITORY_URL is set, any repository that knows the secret is ours. */
static bool
is_ours(const struct settings *settings, const struct delivery *delivery)
{
	return settings->github_repository == NULL ||
	    text_same_ci(settings->github_repository, delivery->repository);
}

static void
handle_push(struct tx *tx, const struct delivery *delivery)
{
	for (size_t i = 0; i < tx->settings->environment_count; i++) {
		const struct environment_settings *environment = &tx->settings->environments[i];

		if (environment->branch != NULL &&
		    strcmp(environment->branch, delivery->branch) == 0)
			decide_announced(tx, environment, delivery);
	}
}

void
handle_delivery(struct tx *tx, const struct event *event)
{
	const struct delivery *delivery = &event->u.delivery;

	if (delivery->kind == DELIVERY_PING)
		return;
	if (delivery->kind != DELIVERY_PUSH || !is_ours(tx->settings, delivery)) {
		tx->answer.status = ACCEPTED;
		return;
	}
	if (!row_dedupe_add(tx, "github", delivery->id, delivery->digest)) {
		tx->answer.is_duplicate = true;
		return;
	}
	if (delivery->branch[0] != '\0' && !delivery->deleted)
		handle_push(tx, delivery);
}
