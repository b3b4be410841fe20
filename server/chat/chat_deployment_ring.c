/* chat_deployment_ring.c - what rings, and what is said to who asked alone.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_deployment_inside.h"

void
chat_deployment_rolled(struct chat_text *text, const struct chat_deployment *about)
{
	struct deployment then = *about->deployment;
	struct chat_deployment rang = *about;

	then.state = DEPLOY_ROLLING_BACK;
	(void)deployment_release_failure(about->deployment, then.detail);
	rang.deployment = &then;
	rang.rolled = about->deployment->state;
	chat_deployment_first(text, &rang);
}

/* Somebody has to do something now, and must know what from the ring alone. */
static bool
is_for_hands(const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;
	bool is_migrated = deployment_migration(deployment) != MIGRATION_NONE;

	switch (deployment->state) {
	case DEPLOY_ROLLING_BACK:
	case DEPLOY_ROLLBACK_FAILED:
		return true;
	case DEPLOY_FAILED:
		return !deployment_is_action(deployment) &&
		    (deployment->target_changed || is_migrated ||
			environment_is_in_doubt(about->environment));
	case DEPLOY_ROLLED_BACK:
		return is_migrated;
	case DEPLOY_LIVE: /* a person's rollback, on the database of what it left */
		return about->behind != NULL && about->behind->n > 0;
	default:
		return false;
	}
}

char *
chat_deployment_ring(const struct chat_deployment *about, bool is_brief)
{
	const struct deployment *deployment = about->deployment;
	struct chat_text text = CHAT_TEXT_EMPTY;

	if (is_brief && !is_for_hands(about)) {
		chat_deployment_first(&text, about);
		if (deployment_is_action(deployment) && deployment->state == DEPLOY_FAILED &&
		    chat_first_of(about) != FIRST_STOPPED)
			chat_deployment_why(&text, " (", deployment, ")", WHY_IN_STORY);
		return chat_text_take(&text);
	}
	switch (deployment->state) {
	case DEPLOY_REFUSED:
		chat_deployment_end_refused(&text, about);
		break;
	case DEPLOY_EXPIRED:
		chat_deployment_end_expired(&text, about);
		break;
	case DEPLOY_CANCELLED:
		chat_deployment_end_cancelled(&text, about);
		break;
	case DEPLOY_ROLLING_BACK:
		chat_deployment_first(&text, about);
		break;
	case DEPLOY_ROLLED_BACK: /* its first line says why */
		chat_deployment_first(&text, about);
		chat_deployment_behind_migration(&text, about);
		chat_deployment_what_runs(&text, about);
		break;
	case DEPLOY_ROLLBACK_FAILED:
		chat_deployment_first(&text, about);
		chat_deployment_behind_migration(&text, about);
		chat_deployment_what_runs(&text, about);
		chat_deployment_why(&text, " (", deployment, ")", WHY_IN_STORY);
		chat_deployment_next_step(&text, about->environment, deployment,
		    chat_first_of(about) == FIRST_DOWN ? ROLLBACK_TO_EARLIER : ROLLBACK_TO_ANY);
		break;
	default:
		chat_deployment_first(&text, about);
		if (deployment->state == DEPLOY_LIVE) {
			chat_deployment_past_migration(&text, about);
			break;
		}
		if (!deployment_is_action(deployment))
			chat_deployment_what_runs(&text, about);
		if (chat_first_of(about) != FIRST_STOPPED) /* who stopped it stands there */
			chat_deployment_why(&text, " (", deployment, ")", WHY_IN_STORY);
		/* A migration that failed stands in the first line, where nothing else happened. */
		if (deployment->target_changed || deployment_migration(deployment) == MIGRATION_RAN)
			chat_deployment_behind_migration(&text, about);
		if (deployment->state != DEPLOY_FAILED || deployment_is_action(deployment) ||
		    (!deployment->target_changed && !environment_is_in_doubt(about->environment)))
			break;
		chat_barriers(&text, about->barriers, about->n_barriers);
		chat_deployment_next_step(&text, about->environment, deployment,
		    about->n_barriers > 0 ? ROLLBACK_IS_BARRED : ROLLBACK_TO_ANY);
		break;
	}
	return chat_text_take(&text);
}

void
chat_deployment_turn(struct chat_text *text, const struct deployment *deployment, bool is_next)
{
	char target[LIMIT_ENVIRONMENT];

	chat_first(
	    text, is_next ? FIRST_IS_NEXT : FIRST_YOUR_TURN, deployment_target(deployment, target));
	chat_deployment_what(text, "", deployment);
	chat_text_add(text, "%s", is_next ? "\nIt starts by itself." : "\nIt was queued.");
}

void
chat_deployment_given(
    struct chat_text *text, const struct deployment *deployment, const char *what, const char *who)
{
	char target[LIMIT_ENVIRONMENT];

	chat_first(text, FIRST_GIVEN, deployment_target(deployment, target));
	chat_text_add(text, "%s", what);
	chat_text_outside(text, "", who);
	chat_deployment_what(text, " — ", deployment);
}
