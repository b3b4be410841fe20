/* decide_playbook.c - what of a playbook is shown and bound; the runner is asked for its part.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_playbook.h"

#include <stdio.h>

#include "decide/git/decide_git.h"
#include "lib/buf.h"
#include "lib/text.h"
#include "store/row_binding.h"

bool
decide_is_playbook(const struct deployment *work)
{
	const struct action *action =
	    deployment_is_action(work) ? action_row_of(work->action) : NULL;

	return action != NULL && action->executor == ACTION_BY_ANSIBLE;
}

const char *
decide_playbook_line(const struct tx *tx, const char *name)
{
	return settings_member_line(tx->settings, "", FAMILY_PLAYBOOK, name);
}

static const char *
text_or(const char *text, const char *other)
{
	return text != NULL ? text : other;
}

void
decide_playbook_bind(const struct tx *tx, const struct deployment *work, struct buf *all)
{
	buf_addf(all, "%s in %s\n", text_or(decide_playbook_line(tx, work->argument), "?"),
	    text_or(settings_text(tx->settings, SETTING_ANSIBLE_FOLDER), "?"));
}

bool
decide_playbook_list(struct tx *tx, const struct deployment *work,
    const struct client_settings *client, char ret[FINGERPRINT_LIST_MAX])
{
	const char *line = decide_playbook_line(tx, work->argument);
	char stored[FINGERPRINT_LIST_MAX];
	const char *of_runner = strstr(row_binding_get(tx, work->id, stored), " ANSIBLE_FOLDER/");
	size_t used;

	if (client->as.fingerprint == NULL || line == NULL || of_runner == NULL ||
	    !text_copy(ret, FINGERPRINT_LIST_MAX, client->as.fingerprint) ||
	    !fingerprint_add_line(ret, "PLAYBOOK_<NAME>", work->argument, line, NULL))
		return false;
	used = strlen(ret);
	return text_copy(ret + used, FINGERPRINT_LIST_MAX - used, of_runner);
}

void
decide_playbook_touches(const struct tx *tx, const struct deployment *work,
    const struct client_settings *client, char out[DECIDE_TOUCHES])
{
	bool has_name = strcmp(client->name, client->id) != 0;

	(void)snprintf(out, DECIDE_TOUCHES, "%.60s%s%s %.255s on %.255s of the inventory",
	    has_name ? client->name : "", has_name ? ": " : "",
	    action_row_of(work->action)->risk == ACTION_RISK_LOW ? "preview" : "play",
	    text_or(decide_playbook_line(tx, work->argument), "?"), client->limit);
}

void
decide_playbook_look(struct tx *tx, const struct deployment *work)
{
	struct effect_git_query query = { .kind = GIT_QUERY_SETTINGS };

	(void)environment_id_text(ENVIRONMENT_CLIENT, work->client, query.environment);
	text_set(query.ref, work->argument);
	text_set(query.requested_by, work->requester);
	decide_git_query(tx, &query, work->id);
}
