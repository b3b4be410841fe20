/* chat_deployment_migration.c - what is said of a database behind a deployment's migration.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_deployment_inside.h"
#include "lib/text.h"

#define HALF_MIGRATED	"; the database may be half migrated"
#define NOT_ROLLED_BACK MARK_BOLD "the database was NOT rolled back" MARK_BOLD

/* How it ended, without a full stop. */
static void
add_what_became_of_it(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;
	const char *status = deployment_migration_status(deployment);

	switch (deployment_migration(deployment)) {
	case MIGRATION_NONE:
		break;
	case MIGRATION_RAN:
		chat_text_add(text, "the migration ran");
		break;
	case MIGRATION_FAILED:
		chat_text_add(text, "the migration failed%s%s%s",
		    status[0] != '\0' ? " (exit " : "", status, status[0] != '\0' ? ")" : "");
		break;
	case MIGRATION_NOT_STARTED:
		chat_text_add(text, "the migration could not be started; nothing ran");
		break;
	case MIGRATION_STOPPED:
		chat_text_add(text, "the migration was interrupted and stopped");
		break;
	case MIGRATION_CUT:
		if (about->migration_at == NULL) {
			chat_text_add(text, "the migration was interrupted and stopped");
			break;
		}
		chat_text_add(text, "the migration was interrupted; it may still be running");
		chat_text_some(text, " in ", about->migration_at);
		break;
	}
}

/* Which commit serves, and on what. */
static void
add_what_serves(struct chat_text *text, const struct chat_deployment *about, const char *serves)
{
	const struct deployment *deployment = about->deployment;
	enum migration migration = deployment_migration(deployment);
	bool ran = migration == MIGRATION_RAN;
	bool is_undone = deployment_is_undone(deployment, about->steps, about->n_steps);
	const char *half = migration == MIGRATION_NOT_STARTED ? "" : HALF_MIGRATED;

	if (deployment->state == DEPLOY_FAILED && environment_is_in_doubt(about->environment)) {
		chat_text_add(text, "; ");
		chat_deployment_doubt(text, about->environment, AS_BEFORE);
		chat_text_add(text, "%s", ran ? "; the database is migrated" : half);
		return;
	}
	if (serves[0] != '\0' && migration == MIGRATION_CUT && about->migration_at != NULL &&
	    deployment->state == DEPLOY_FAILED) /* nobody could look */
		chat_text_add(
		    text, "; %s was not replaced, whether it serves is not known", serves);
	else if (serves[0] != '\0')
		chat_text_add(text, "; %s %s serves", serves,
		    deployment->state == DEPLOY_FAILED ? "still" : "now");
	else if (is_undone)
		chat_text_add(
		    text, "; nothing of %s runs", commit_name_here(COMMIT_OF(deployment)));
	else
		chat_text_add(text, "; %s",
		    deployment->state == DEPLOY_ROLLED_BACK ?
			"what ran before deploybot serves" :
			"what ran before it, if anything did, still serves");
	chat_text_add(text, "%s",
	    !ran	  ? half :
		is_undone ? "; the database is migrated" :
			    " on the migrated database");
}

void
chat_deployment_migration_failed(struct chat_text *text, const struct chat_deployment *about)
{
	chat_text_add(text, "%s: ", about->deployment->environment);
	add_what_became_of_it(text, about);
	add_what_serves(text, about, commit_name_here(COMMIT_OF(&about->environment->current)));
}

void
chat_migration_stays(struct chat_text *text, const struct deployment *deployment)
{
	enum migration migration = deployment_migration(deployment);

	if (migration != MIGRATION_NONE && migration != MIGRATION_NOT_STARTED &&
	    (deployment->state == DEPLOY_ROLLED_BACK ||
		deployment->state == DEPLOY_ROLLBACK_FAILED))
		chat_text_add(text, "\n⚠️ " NOT_ROLLED_BACK);
}

void
chat_deployment_behind_migration(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;
	enum migration migration = deployment_migration(deployment);

	if (migration == MIGRATION_NONE)
		return;
	chat_text_add(text, "\n⚠️ ");
	if (migration != MIGRATION_NOT_STARTED &&
	    (deployment->state == DEPLOY_ROLLED_BACK ||
		deployment->state == DEPLOY_ROLLBACK_FAILED))
		chat_text_add(text, NOT_ROLLED_BACK ": ");
	add_what_became_of_it(text, about);
	if (deployment->state == DEPLOY_ROLLED_BACK)
		add_what_serves(text, about,
		    deployment_is_back_to_target(deployment) ?
			"" :
			commit_name_here(deployment->previous_source, deployment->previous));
	else if (migration != MIGRATION_NOT_STARTED)
		chat_text_add(text,
		    migration == MIGRATION_RAN ? ": the database is migrated" :
						 "; the database may be half migrated");
}

static void
add_behind(struct chat_text *text, const char *before, const struct migration_behind *behind,
    const char *serves)
{
	enum migration migration = deployment_migration_of(behind->step);

	if (behind->n == 0)
		return;
	chat_text_add(text, "\n⚠️ %s", before);
	chat_text_named(text, "the migration of ", COMMIT_OF(behind));
	chat_text_add(text, "%s",
	    migration == MIGRATION_RAN	      ? " ran" :
		migration == MIGRATION_FAILED ? " failed" :
						" was interrupted");
	if (behind->n > 1)
		chat_text_add(text,
		    ", after %lld earlier migration%s that began since that release",
		    (long long)behind->n - 1, behind->n == 2 ? "" : "s");
	if (migration != MIGRATION_RAN)
		chat_text_add(text, "%s%s; the database may be half migrated",
		    serves[0] != '\0' ? "; " : "", serves);
	else if (serves[0] != '\0')
		chat_text_add(text, "; %s on the migrated database", serves);
	else
		chat_text_add(text, ": the database is migrated");
}

void
chat_migration_behind(
    struct chat_text *text, const struct migration_behind *behind, const char *serves)
{
	add_behind(text, "", behind, serves);
}

void
chat_deployment_past_migration(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;
	char serves[32] = "";

	if (about->behind == NULL)
		return;
	if (!deployment->target_changed || deployment->state == DEPLOY_LIVE)
		text_setf(serves, "%s %s", commit_name_here(COMMIT_OF(deployment)),
		    deployment->state == DEPLOY_LIVE ? "now serves" : "would serve");
	add_behind(text, deployment->state == DEPLOY_LIVE ? NOT_ROLLED_BACK ": " : "",
	    about->behind, serves);
}
