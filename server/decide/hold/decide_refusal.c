/* decide_refusal.c - why nothing is deployed to an environment, asked of settings and rows.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/hold/decide_refusal.h"

#include <stdio.h>

#include "decide/who/decide_agent.h"
#include "decide/work/decide_hosts.h"
#include "deployment/deployment.h"
#include "lib/setting.h"
#include "settings/checks/settings_overlaps.h"
#include "store/row_environment.h"
#include "store/row_rename.h"

/* The name that it had; false: it had no other, or somebody else has that now. */
static bool
former_name(const struct tx *tx, const char *environment, char out[ENVIRONMENT_ID_MAX])
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, environment);
	const char *former =
	    settings == NULL ? NULL : settings_text(settings->of, SETTING_RENAMED_FROM);
	struct environment_id id;

	if (former == NULL || !environment_id_parse(environment, &id))
		return false;
	/* While its application is there it has that name, also where its file is not read now. */
	if (settings_application(tx->settings, former) != NULL ||
	    settings_is_unread_application(tx->settings, former, strlen(former)))
		return false;
	(void)environment_id_text(former[0] == '.' ? "" : former, id.name, out);
	return settings_environment(tx->settings, out) == NULL;
}

bool
decide_stays_apart(struct tx *tx, const char *environment, char former[ENVIRONMENT_ID_MAX])
{
	return former_name(tx, environment, former) && row_rename_has_history(tx, former) &&
	    row_rename_has_history(tx, environment);
}

bool
decide_is_to_be_renamed(struct tx *tx, const char *environment, char former[ENVIRONMENT_ID_MAX])
{
	return former_name(tx, environment, former) && row_rename_has_rows(tx, former) &&
	    !row_rename_has_history(tx, environment);
}

const char *
decide_row_name(struct tx *tx, const char *environment, char former[ENVIRONMENT_ID_MAX])
{
	return decide_is_to_be_renamed(tx, environment, former) ? former : environment;
}

static bool
is_live(void *ctx, const char *environment)
{
	return row_environment_get(ctx, environment, &(struct environment){ 0 })->current.id != 0;
}

static const char *
find_refusal(struct tx *tx, const char *environment, bool is_read)
{
	const char *refusal =
	    settings_refusal_among(tx->settings, environment, is_read ? NULL : is_live, tx);
	char former[ENVIRONMENT_ID_MAX];

	if (refusal == NULL && decide_is_to_be_renamed(tx, environment, former))
		return DECIDE_IS_RENAMED;
	return refusal != NULL || is_read ?
	    refusal :
	    decide_hosts_refusal(tx, settings_environment(tx->settings, environment));
}

const char *
decide_refusal_whole(struct tx *tx, const char *environment)
{
	return find_refusal(tx, environment, false);
}

const char *
decide_refusal_of(struct tx *tx, const char *environment, bool is_read)
{
	const char *refusal = find_refusal(tx, environment, is_read), *pair[2];
	const char *brief =
	    refusal != NULL ? settings_refusal_brief(tx->settings, refusal, pair) : NULL;

	return brief != NULL ? brief : refusal;
}

const char *
decide_refusal_of_upload(const struct environment_settings *settings, char out[LIMIT_LINE])
{
	bool is_of_ci = settings->require_ci != NULL && !settings->takes_unproven;
	char name[SETTING_NAME_MAX];
	const char *slash = strrchr(settings->name, '/');

	if (settings->takes_uploads && !is_of_ci)
		return NULL;
	(void)snprintf(out, LIMIT_LINE, "deploys %s: an admin can set %s=%s for it.",
	    settings->takes_uploads ? "what has passed CI, and no workflow runs for an archive" :
				      "no archives",
	    setting_name("<ENV>_UPLOADS", slash != NULL ? slash + 1 : settings->name, name),
	    is_of_ci ? "unproven" : "true");
	return out;
}

/* Its settings may have changed since it was asked for.  An emergency goes past CI. */
static const char *
refusal_of_upload(struct tx *tx, const struct deployment *work, char out[LIMIT_LINE])
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, work->environment);

	if (work->source != SOURCE_UPLOAD || work->program != PROGRAM_DEPLOY || settings == NULL ||
	    (settings->takes_uploads && deployment_is_emergency(work)))
		return NULL;
	return decide_refusal_of_upload(settings, out);
}

const char *
decide_refusal_of_work(struct tx *tx, const struct deployment *work, char out[LIMIT_LINE])
{
	const char *refusal = decide_refusal_of(tx, work->environment, deployment_is_read(work));

	if (refusal == NULL)
		refusal = refusal_of_upload(tx, work, out);
	return refusal != NULL || !deployment_is_action(work) ?
	    refusal :
	    decide_agent_refusal(
		tx, settings_client(tx->settings, work->client), action_row_of(work->action), out);
}

const char *
decide_refusal(struct tx *tx, const char *environment)
{
	return decide_refusal_of(tx, environment, false);
}

const char *
decide_new_name(const struct tx *tx, const char *environment)
{
	char former[ENVIRONMENT_ID_MAX];

	if (settings_environment(tx->settings, environment) != NULL)
		return NULL;
	for (size_t i = 0; i < tx->settings->environment_count; i++)
		if (former_name(tx, tx->settings->environments[i].name, former) &&
		    strcmp(former, environment) == 0)
			return tx->settings->environments[i].name;
	return NULL;
}

bool
decide_keeps_waiting(struct tx *tx, const char *environment)
{
	return settings_environment(tx->settings, environment) == NULL &&
	    (settings_is_unread(tx->settings, environment) ||
		decide_new_name(tx, environment) != NULL);
}
