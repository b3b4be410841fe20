/* decide_rename.c - environments of renamed applications.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/audit/decide_rename.h"

#include "decide/queue/decide_queue.h"
#include "decide/hold/decide_refusal.h"
#include "decide/decide_reply.h"
#include "store/row_deployment.h"
#include "store/row_effect.h"
#include "store/row_ended.h"
#include "store/row_hook.h"
#include "store/row_work_pipeline.h"
#include "store/row_principal.h"
#include "store/row_rename.h"
#include "store/row_token.h"

#define AGAIN_MS 10000

static void
rename_one(struct tx *tx, const char *from, const char *to)
{
	row_rename(tx, from, to);
	decide_audit(tx, AUDIT_CODE_ENVIRONMENT_RENAMED, "system", to, "ok",
	    (const char *const[]){ "from", from, NULL });
	tx_log(tx, LOG_LEVEL_INFO, "%s is %s from now on: its history and what is live go with it",
	    from, to);
	decide_queue(tx, to); /* what was queued under the old name */
}

/* It came too late, or never goes: nothing of it is done, which nobody would see. */
static void
say_apart(struct tx *tx, const char *former, const char *name)
{
	decide_audit(tx, AUDIT_CODE_ENVIRONMENT_NOT_RENAMED, "system", name, "refused",
	    (const char *const[]){ "from", former, "reason", "both have a history", NULL });
	tx_log(tx, LOG_LEVEL_WARNING,
	    "RENAMED_FROM: %s and %s have a history each, and stay apart: take the line out of the file of %s",
	    former, name, name);
}

/* Nobody has that name any more; ".": no environment is left in the main file. */
static bool
is_former(const struct settings *s, const char *name)
{
	return name != NULL &&
	    (name[0] == '.' ? settings_own_count(s) == 0 : settings_application(s, name) == NULL);
}

/* What its forge has said; tokens of its roles, and what root and its hooks have begun, whoever is
 * called so then. */
static void
rename_applications(struct tx *tx)
{
	const struct settings *s = tx->settings;

	for (size_t i = 0; i < s->application_count && s->refused_count == 0; i++) {
		const char *name = s->applications[i]->application;
		const char *former = settings_text(s->applications[i], SETTING_RENAMED_FROM);

		if (!is_former(s, former))
			continue;
		row_rename_pipelines(tx, former[0] == '.' ? "" : former, name);
		if (former[0] == '.')
			continue;
		row_token_rename(tx, former, name);
		row_principal_rename(tx, former, name);
		row_ended_rename(tx, former, name);
		row_hook_rename(tx, former, name);
	}
}

void
decide_rename_all(struct tx *tx)
{
	char former[ENVIRONMENT_ID_MAX];

	rename_applications(tx);
	decide_rename(tx);
	for (size_t i = 0; i < tx->settings->environment_count; i++)
		if (decide_stays_apart(tx, tx->settings->environments[i].name, former))
			say_apart(tx, former, tx->settings->environments[i].name);
}

void
decide_rename(struct tx *tx)
{
	char former[ENVIRONMENT_ID_MAX];
	bool waits = false;

	for (size_t i = 0; i < tx->settings->environment_count; i++) {
		const char *name = tx->settings->environments[i].name;

		if (!decide_is_to_be_renamed(tx, name, former))
			continue;
		if (row_deployment_active(tx, former, &(struct deployment){ 0 })->id != 0 ||
		    row_work_pipeline_next(tx, former, 0) != 0)
			waits = true;
		else
			rename_one(tx, former, name);
	}
	if (waits && !row_effect_has_timer(tx, TIMER_RENAME))
		(void)row_effect_timer(tx, TIMER_RENAME, "", 0, tx->at + AGAIN_MS);
}
