/* policy_report.c - who has which access, until when, and what of it nobody uses.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "policy/policy_report.h"

#include <stdio.h>

#include "lib/buf.h"
#include "lib/zone.h"

#define UNUSED_MS (90 * 24 * 3600 * INT64_C(1000))

struct uses {
	const struct grant_use *of;
	size_t count;
};

static int64_t
last_use(const struct uses *uses, int64_t person, const char *action)
{
	int64_t last = 0;

	for (size_t i = 0; i < uses->count; i++)
		if (uses->of[i].person == person && uses->of[i].at > last &&
		    (action == NULL || strcmp(uses->of[i].action, action) == 0))
			last = uses->of[i].at;
	return last;
}

void
policy_report_grants(const struct roles *roles, const struct role *role, struct buf *out)
{
	for (size_t i = 0; i < role->grant_count; i++)
		buf_addf(out, "%s%s", i > 0 ? ", " : "", roles->grant[role->first_grant + i].text);
}

/* Of all roles in force. */
static uint32_t
add_rights(const struct settings *settings, const struct role_member *member, size_t n, int64_t at,
    struct buf *out)
{
	const struct roles *roles = settings->roles;
	uint32_t actions = 0;

	for (size_t i = 0; i < n; i++) {
		const struct role *role = &roles->role[member[i].role];

		if (!policy_is_in_force(&member[i], at))
			continue;
		buf_adds(out, actions == 0 ? "  may " : ", ");
		policy_report_grants(roles, role, out);
		for (size_t g = 0; g < role->grant_count; g++)
			actions |= roles->grant[role->first_grant + g].actions;
	}
	buf_adds(out, "\n");
	return actions;
}

static void
add_unused(const struct uses *uses, int64_t person, uint32_t actions, int64_t at, struct buf *out)
{
	int64_t since = last_use(uses, 0, NULL);
	const char *before = "; not for 90 days: ";

	if (since == 0 || at - since < UNUSED_MS)
		return;
	for (size_t i = 0; i < POLICY_ACTION_COUNT; i++) {
		const struct policy_action_row *row = &policy_action_rows[i];

		if (row->who != POLICY_BY_GRANT || (actions & POLICY_ACTION_BIT(i)) == 0 ||
		    at - last_use(uses, person, row->word) < UNUSED_MS)
			continue;
		buf_addf(out, "%s%s", before, row->word);
		before = ", ";
	}
}

static void
add_person(const struct settings *settings, const struct role_member *member, size_t n,
    const struct uses *uses, int64_t at, struct buf *out)
{
	struct principal who = principal_of_person(member->person);
	int64_t last = last_use(uses, member->person, NULL);
	const char *user = member->person < 0 ? settings_user_name(settings, member->person) : NULL;
	char roles[LIMIT_LINE], ended[LIMIT_LINE], date[ZONE_DATE], text[PRINCIPAL_TEXT];
	bool is_known = policy_is_known(settings, who, at);
	uint32_t actions = 0;

	if (principal_is_root(member->person))
		return;
	(void)policy_ended_text(settings, who, at, ended, sizeof(ended));
	if (!is_known && ended[0] == '\0')
		return;
	if (user != NULL)
		(void)snprintf(who.name, sizeof(who.name), "%s", user);
	buf_addf(out, "%s %s\n", principal_text(&who, text),
	    policy_roles_text(settings, who, at, roles, sizeof(roles)));
	if (ended[0] != '\0')
		buf_addf(out, "  has ended: %s\n", ended);
	if (is_known)
		actions = add_rights(settings, member, n, at, out);
	buf_addf(
	    out, "  last use %s", last == 0 ? "never" : zone_date_text(settings->zone, last, date));
	add_unused(uses, member->person, actions, at, out);
	buf_adds(out, "\n");
}

void
policy_report(const struct settings *settings, const struct grant_use uses[], size_t count,
    int64_t at, struct buf *out)
{
	const struct roles *roles = settings->roles;
	const struct uses all = { uses, count };
	int64_t since = last_use(&all, 0, NULL);
	char date[ZONE_DATE];

	for (size_t i = 0, n; i < roles->member_count; i += n) {
		const struct role_member *member = roles_of(roles, roles->member[i].person, &n);

		add_person(settings, member, n, &all, at, out);
	}
	if (since != 0 && at - since < UNUSED_MS)
		buf_addf(out,
		    "Uses are counted since %s: what is not used for 90 days is named from then on.\n",
		    zone_date_text(settings->zone, since, date));
}
