/* decide_application_log.c - who may see what an application itself logged, and where.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/view/decide_application_log.h"

#include "decide/who/decide_allowed.h"
#include "decide/decide_chat.h"
#include "store/row_run.h"

bool
decide_shows_application_log(struct tx *tx, const char *environment, int64_t chat)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, environment);

	if (chat > 0)
		return decide_is_allowed(tx, chat, POLICY_LOG, environment);
	return settings != NULL && settings->failure_log_in_chat &&
	    chat == decide_chat_of(tx, environment);
}

bool
decide_can_ask_application_log(struct tx *tx, const char *environment)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, environment);

	return settings != NULL && settings->agents == NULL &&
	    !settings_is_given_for(settings, SETTING_DEPLOY_SCRIPT);
}

/* Its release had begun, and was ended again. */
static bool
is_undone(struct tx *tx, const struct deployment *work)
{
	struct step steps[LIMIT_STEPS];

	return work->run != 0 &&
	    deployment_is_undone(work, steps, row_step_list(tx, work->run, steps, LIMIT_STEPS));
}

bool
decide_tail_is_private(struct tx *tx, const struct deployment *work)
{
	char tail[LIMIT_TAIL];

	return !deployment_is_action(work) &&
	    (work->target_changed || deployment_migration(work) != MIGRATION_NONE ||
		is_undone(tx, work)) &&
	    !row_run_newest_tail(tx, work->id, tail);
}
