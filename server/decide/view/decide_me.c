/* decide_me.c - who asks over /v1, and what they may do where.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/view/decide_me.h"

#include "decide/decide_reply.h"
#include "decide/factor/decide_factor.h"
#include "decide/factor/decide_factor_own.h"
#include "decide/who/decide_principal.h"
#include "lib/json.h"
#include "lib/text.h"
#include "policy/policy.h"
#include "store/row_console.h"

static void
put_right(const struct grant *grant, const char *application, struct json_out *json)
{
	char right[GRANT_TEXT], target[ENVIRONMENT_ID_MAX + ENVIRONMENT_CLIENT_MAX];

	text_setf(right, "%.*s", (int)strcspn(grant->text, ":"), grant->text);
	text_setf(target, "%s%s%s", application, application[0] != '\0' ? "/" : "", grant->name);
	json_out_object(json);
	json_put_str(json, "right", right);
	json_put_str(json, "target", target);
	json_out_end(json);
}

/* One that holds only beside an environment of some name is of each application that has it. */
static void
put_rights(const struct settings *s, const struct role *role, struct json_out *json)
{
	struct environment_id id;

	for (size_t i = 0; i < role->grant_count; i++) {
		const struct grant *grant = &s->roles->grant[role->first_grant + i];

		if (grant->beside[0] == '\0')
			put_right(grant, grant->is_client ? "client" : grant->application, json);
		for (size_t e = 0; grant->beside[0] != '\0' && e < s->environment_count; e++)
			if (environment_id_parse(s->environments[e].name, &id) &&
			    strcmp(id.name, grant->beside) == 0 &&
			    (strcmp(grant->application, "*") == 0 ||
				strcmp(grant->application, id.application) == 0))
				put_right(grant, id.application, json);
	}
}

typedef void each_fn(const struct settings *s, const struct role *role, struct json_out *json);

static void
put_role(UNUSED const struct settings *s, const struct role *role, struct json_out *json)
{
	char text[ROLE_TEXT];

	json_out_str(json, role_id_text(role->application, role->name, text));
}

/* Of each role in force, and of what is lent. */
static void
put_each(struct tx *tx, const char *key, int64_t person, each_fn *each, struct json_out *json)
{
	const struct roles *roles = tx->settings->roles;
	struct principal who = decide_principal(tx, person);
	size_t n = 0;
	const struct role_member *member = roles_of(roles, person, &n);
	int64_t at = tx->at > who.not_before ? tx->at : who.not_before;

	json_put_open(json, key, '[');
	for (size_t i = 0; i < n; i++)
		if (policy_is_in_force(&member[i], at))
			each(tx->settings, &roles->role[member[i].role], json);
	if (who.lent != 0)
		each(tx->settings, &roles->role[who.lent - 1], json);
	json_out_end(json);
}

void
decide_me(struct tx *tx, const struct api_request *api, struct json_out *json)
{
	struct console_session session = { 0 };
	int64_t person = api->from.person;

	if (!decide_may(tx, &api->from, POLICY_TALK, ""))
		return;
	if (api->from.is_page)
		session = row_console_find(tx, api->from.token);
	json_put_open(json, "person", '{');
	json_put_i64_if(json, "id", person > 0, person);
	json_put_str(json, "name", session.person != 0 ? session.name : api->from.name);
	json_out_end(json);
	put_each(tx, "roles", person, put_role, json);
	put_each(tx, "may", person, put_rights, json);
	json_put_time(json, "until", session.ends_at);
	json_put_time(json, "proof", session.proof_at);
	json_put_bool(json, "has_factor", decide_factor_of(tx, person).enrolled_at != 0);
	json_put_bool(json, "factor_waits", decide_factor_own_waits(tx, person));
}
