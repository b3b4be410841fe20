/* policy_report.c - who has which access, until when, and what of it nobody uses.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "policy/policy_report.h"

#include "lib/buf.h"
#include "lib/text.h"
#include "lib/zone.h"

#define UNUSED_MS (90 * 24 * 3600 * INT64_C(1000))

struct uses {
	const struct grant_use *of;
	size_t count;
};

/* Somebody with their roles; a hook or workflow, whose name is its id, has one. */
struct holder {
	struct principal who;
	struct role_member program;
	const struct role_member *member;
	size_t n;
};

/* The people and users by their numbers, then hooks and workflows; *at begins as 0. */
static bool
next_holder(const struct roles *roles, size_t *at, struct holder *ret)
{
	*ret = (struct holder){ .n = 0 };
	if (*at < roles->member_count) {
		ret->who = principal_of_person(roles->member[*at].person);
		ret->member = roles_of(roles, ret->who.id, &ret->n);
		*at += ret->n;
		return true;
	}
	for (size_t i = *at - roles->member_count; i < roles->count; i++) {
		const struct role *role = &roles->role[i];

		*at += 1;
		if (role->of == PRINCIPAL_SYSTEM)
			continue;
		ret->who = (struct principal){ .kind = role->of, .lent = i + 1 };
		(void)environment_id_text(role->application, role->name, ret->who.name);
		ret->program.role = i;
		ret->member = &ret->program;
		ret->n = 1;
		return true;
	}
	return false;
}

/* A hook or workflow is its name, and no number that is known here. */
static bool
is_use_of(const struct grant_use *use, const struct principal *who)
{
	if (who->kind != PRINCIPAL_HOOK && who->kind != PRINCIPAL_WORKFLOW)
		return use->person == who->id;
	return principal_of_person(use->person).kind == who->kind &&
	    strcmp(use->program, who->name) == 0;
}

static int64_t
last_use(const struct uses *uses, const struct principal *who, const char *action)
{
	int64_t last = 0;

	for (size_t i = 0; i < uses->count; i++)
		if (is_use_of(&uses->of[i], who) && uses->of[i].at > last &&
		    (action == NULL || strcmp(uses->of[i].action, action) == 0))
			last = uses->of[i].at;
	return last;
}

static int64_t
counted_since(const struct uses *uses)
{
	return last_use(uses, &(struct principal){ .id = 0 }, NULL);
}

void
policy_report_grants(const struct roles *roles, const struct role *role, struct buf *out)
{
	for (size_t i = 0; i < role->grant_count; i++)
		buf_addf(out, "%s%s", i > 0 ? ", " : "", roles->grant[role->first_grant + i].text);
}

static bool
is_everywhere(const struct grant *grant)
{
	return !grant->is_client && strcmp(grant->application, "*") == 0 &&
	    strcmp(grant->name, "*") == 0;
}

static bool
is_at_same(const struct grant *one, const struct grant *other)
{
	return one->is_client == other->is_client && strcmp(one->name, other->name) == 0 &&
	    strcmp(one->application, other->application) == 0 &&
	    strcmp(one->beside, other->beside) == 0;
}

/* It adds nothing to one that holds everywhere, or in each application that has such a one. */
static bool
is_covered(const struct grant *grants, size_t n, const struct grant *grant)
{
	for (size_t i = 0; i < n; i++) {
		const struct grant *wide = &grants[i];

		if (is_everywhere(wide) && wide->only[0] == '\0' && !grant->is_client &&
		    !is_everywhere(grant) && (grant->actions & ~wide->actions) == 0 &&
		    (wide->beside[0] == '\0' || strcmp(wide->beside, grant->name) == 0))
			return true;
	}
	return false;
}

static void
add_where(const struct grant *grant, struct buf *out)
{
	bool is_of_any = strcmp(grant->application, "*") == 0;

	if (grant->is_client && strcmp(grant->name, "*") == 0)
		buf_adds(out, " for all clients");
	else if (grant->is_client)
		buf_addf(out, " for client/%s", grant->name);
	else if (is_everywhere(grant) && grant->beside[0] != '\0')
		buf_addf(out, " of all applications that have a %s", grant->beside);
	else if (is_everywhere(grant))
		buf_adds(out, " everywhere");
	else if (strcmp(grant->name, "*") == 0)
		buf_addf(out, " in all of %s", grant->application);
	else
		buf_addf(out, " in %s%s%s", is_of_any ? "" : grant->application,
		    is_of_any || grant->application[0] == '\0' ? "" : "/", grant->name);
}

/* Behind "cancel" a bare "log" is read as part of "log in". */
static void
add_word(const char *text, size_t size, struct buf *out)
{
	if (size == 1 && text[0] == '*')
		buf_adds(out, "everything");
	else if (size == strlen("log") && strncmp(text, "log", size) == 0)
		buf_adds(out, "see logs");
	else
		buf_add(out, text, size);
}

void
policy_report_words(const struct roles *roles, const struct role *role, struct buf *out)
{
	const struct grant *grants = &roles->grant[role->first_grant];
	size_t n = role->grant_count;
	const char *between = "";

	for (size_t i = 0; i < n; i++) {
		bool is_said = is_covered(grants, n, &grants[i]);

		for (size_t j = 0; j < i; j++)
			is_said |= is_at_same(&grants[j], &grants[i]) &&
			    !is_covered(grants, n, &grants[j]);
		if (is_said)
			continue;
		for (size_t j = i; j < n; j++) {
			size_t size = strcspn(grants[j].text, ":");

			if (!is_at_same(&grants[j], &grants[i]) ||
			    is_covered(grants, n, &grants[j]))
				continue;
			buf_adds(out, between);
			add_word(grants[j].text, size, out);
			between = ", ";
		}
		add_where(&grants[i], out);
		between = "; ";
	}
}

/* What one person may, of all roles in force, and what of it they have not used. */
struct rights {
	uint32_t actions;
	bool is_own;	 /* of a role that the settings can narrow */
	uint32_t unused; /* for 90 days; none before uses were counted for so long */
};

static struct rights
rights_of(const struct settings *settings, const struct holder *holder, const struct uses *uses,
    int64_t at)
{
	const struct roles *roles = settings->roles;
	struct rights rights = { .actions = 0 };
	int64_t since = counted_since(uses);
	uint32_t needs_grant = 0;

	for (size_t i = 0; i < POLICY_ACTION_COUNT; i++)
		if (policy_action_rows[i].who == POLICY_BY_GRANT)
			needs_grant |= POLICY_ACTION_BIT(i);
	for (size_t i = 0; i < holder->n; i++) {
		const struct role *role = &roles->role[holder->member[i].role];

		if (!policy_is_in_force(&holder->member[i], at))
			continue;
		rights.is_own |= !role->is_built_in;
		for (size_t g = 0; g < role->grant_count; g++)
			rights.actions |= roles->grant[role->first_grant + g].actions;
	}
	rights.actions &= needs_grant;
	for (size_t i = 0; since != 0 && at - since >= UNUSED_MS && i < POLICY_ACTION_COUNT; i++)
		if (at - last_use(uses, &holder->who, policy_action_rows[i].word) >= UNUSED_MS)
			rights.unused |= rights.actions & POLICY_ACTION_BIT(i);
	return rights;
}

static void
add_rights(
    const struct settings *settings, const struct holder *holder, int64_t at, struct buf *out)
{
	const struct role_member *member = holder->member;
	const char *before = "  may ";

	for (size_t i = 0; i < holder->n; i++) {
		if (!policy_is_in_force(&member[i], at))
			continue;
		buf_adds(out, before);
		policy_report_grants(settings->roles, &settings->roles->role[member[i].role], out);
		before = ", ";
	}
	buf_adds(out, "\n");
}

static void
add_unused(uint32_t unused, size_t most, const char *before, struct buf *out)
{
	size_t n = 0;

	for (size_t i = 0; i < POLICY_ACTION_COUNT; i++)
		if ((unused & POLICY_ACTION_BIT(i)) != 0 && n++ < most)
			buf_addf(out, "%s%s", n == 1 ? before : ", ", policy_action_rows[i].word);
	if (n > most)
		buf_addf(out, " and %zu more", n - most);
}

/* "telegram:50", "hook:build-done"; of a local user their name. */
static void
add_principal(const struct settings *settings, struct principal who, struct buf *out)
{
	const char *user = who.id < 0 ? settings_user_name(settings, who.id) : NULL;
	char text[PRINCIPAL_TEXT];

	if (user != NULL)
		text_setf(who.name, "%s", user);
	buf_adds(out, principal_text(&who, text));
}

/* "telegram:60 (x)"; alone, of whom no role is in force. */
static void
add_name(const struct settings *settings, struct principal who, int64_t at, struct buf *out)
{
	char roles[LIMIT_LINE];

	add_principal(settings, who, out);
	if (policy_is_known(settings, who, at))
		buf_addf(out, " (%s)", policy_roles_text(settings, who, at, roles, sizeof(roles)));
}

static void
add_last_use(const struct settings *settings, const struct uses *uses, const struct principal *who,
    struct buf *out)
{
	int64_t last = last_use(uses, who, NULL);
	char date[ZONE_DATE];

	buf_addf(
	    out, "last use %s", last == 0 ? "never" : zone_date_text(settings->zone, last, date));
}

static void
add_person(const struct settings *settings, const struct holder *holder, const struct uses *uses,
    int64_t at, struct buf *out)
{
	struct principal who = holder->who;
	bool is_known = policy_is_known(settings, who, at);
	char ended[LIMIT_LINE], names[LIMIT_LINE];

	(void)policy_ended_text(settings, who, at, ended, sizeof(ended));
	if (!is_known && ended[0] == '\0')
		return;
	add_principal(settings, who, out);
	buf_addf(out, " %s\n", policy_roles_text(settings, who, at, names, sizeof(names)));
	if (ended[0] != '\0')
		buf_addf(out, "  has ended: %s\n", ended);
	if (is_known)
		add_rights(settings, holder, at, out);
	buf_adds(out, "  ");
	add_last_use(settings, uses, &who, out);
	add_unused(rights_of(settings, holder, uses, at).unused, POLICY_ACTION_COUNT,
	    "; not for 90 days: ", out);
	buf_adds(out, "\n");
}

static void
add_since(const struct settings *settings, const struct uses *uses, int64_t at, struct buf *out)
{
	int64_t since = counted_since(uses);
	char date[ZONE_DATE];

	if (since != 0 && at - since < UNUSED_MS)
		buf_addf(out,
		    "Uses are counted since %s: what is not used for 90 days is named from then on.\n",
		    zone_date_text(settings->zone, since, date));
}

void
policy_report(const struct settings *settings, const struct grant_use uses[], size_t count,
    int64_t at, struct buf *out)
{
	const struct uses all = { uses, count };
	struct holder holder;

	for (size_t i = 0; next_holder(settings->roles, &i, &holder);)
		add_person(settings, &holder, &all, at, out);
	add_since(settings, &all, at, out);
}

/* --- what an admin may have to do --- */

#define ROLES_COUNTED 6
#define UNUSED_NAMED  4

/* The most idle first, what does nothing any more last. */
enum concern { CONCERN_IDLE, CONCERN_PARTLY, CONCERN_ENDED, CONCERN_COUNT };

/* Nothing of a person is one of CONCERN_COUNT; of an admin neither: they are there for the night on
 * which they are needed. */
static enum concern
concern_of(
    const struct settings *settings, struct principal who, int64_t at, const struct rights *rights)
{
	char ended[LIMIT_LINE];

	if (policy_is_admin(settings, who, at))
		return CONCERN_COUNT;
	if (rights->unused > 0 && rights->unused == rights->actions)
		return CONCERN_IDLE;
	if (rights->unused > 0 && rights->is_own)
		return CONCERN_PARTLY;
	return policy_ended_text(settings, who, at, ended, sizeof(ended))[0] != '\0' ?
	    CONCERN_ENDED :
	    CONCERN_COUNT;
}

/* "telegram:60 (x): rollback, lock; last came 2026-03-31" */
static void
add_unused_of(const struct settings *settings, struct principal who, const struct uses *uses,
    int64_t at, const struct rights *rights, struct buf *out)
{
	int64_t last = last_use(uses, &who, NULL);
	char date[ZONE_DATE], ended[LIMIT_LINE];

	add_name(settings, who, at, out);
	buf_adds(out, ": ");
	if (rights->unused == rights->actions)
		buf_adds(out, "nothing used");
	else
		add_unused(rights->unused, UNUSED_NAMED, "", out);
	if (last != 0)
		buf_addf(out, "; last came %s", zone_date_text(settings->zone, last, date));
	if (policy_ended_text(settings, who, at, ended, sizeof(ended))[0] != '\0')
		buf_addf(out, "; ended: %s", ended);
	buf_adds(out, "\n");
}

/* "telegram:50: contractor until 2027-01-31" */
static void
add_ended_of(const struct settings *settings, struct principal who, int64_t at, struct buf *out)
{
	char ended[LIMIT_LINE];

	add_name(settings, who, at, out);
	buf_addf(out, ": %s\n", policy_ended_text(settings, who, at, ended, sizeof(ended)));
}

/* "admin 2, staging 1, contractor 12" */
static void
add_roles(const struct settings *settings, int64_t at, struct buf *out)
{
	const struct roles *roles = settings->roles;
	size_t shown = 0;

	for (size_t r = 0; r < roles->count; r++) {
		size_t n = 0;

		for (size_t i = 0; i < roles->member_count; i++)
			n +=
			    roles->member[i].role == r && policy_is_in_force(&roles->member[i], at);
		if (n > 0 && shown++ < ROLES_COUNTED)
			buf_addf(out, "%s%s%s%s %zu", shown == 1 ? "" : ", ",
			    roles->role[r].application,
			    roles->role[r].application[0] != '\0' ? ":" : "", roles->role[r].name,
			    n);
	}
	if (shown > ROLES_COUNTED)
		buf_addf(out, " and %zu more roles", shown - ROLES_COUNTED);
	buf_adds(out, "\n");
}

/* Those of one concern, below what is to be done; `found` of all have a line already. */
static size_t
add_concern(const struct settings *settings, const struct uses *uses, int64_t at, size_t lines,
    enum concern concern, size_t found, struct buf *out)
{
	static const char *const heads[] = {
		[CONCERN_IDLE] =
		    "Not used for 90 days; take out of the settings what is not needed:\n",
		[CONCERN_PARTLY] =
		    "Not used for 90 days; take out of the settings what is not needed:\n",
		[CONCERN_ENDED] = "Access has ended, and still stands in the settings:\n",
	};
	bool is_headed = concern == CONCERN_PARTLY && found > 0;
	struct holder holder;

	for (size_t i = 0; next_holder(settings->roles, &i, &holder);) {
		struct rights rights = rights_of(settings, &holder, uses, at);

		if (concern_of(settings, holder.who, at, &rights) != concern || found++ >= lines)
			continue;
		if (!is_headed)
			buf_adds(out, heads[concern]);
		is_headed = true;
		if (concern == CONCERN_ENDED)
			add_ended_of(settings, holder.who, at, out);
		else
			add_unused_of(settings, holder.who, uses, at, &rights, out);
	}
	return found;
}

size_t
policy_report_brief(const struct settings *settings, const struct grant_use uses[], size_t count,
    int64_t at, size_t lines, struct buf *out)
{
	const struct uses all = { uses, count };
	size_t found = 0;

	for (enum concern concern = 0; concern < CONCERN_COUNT; concern++)
		found = add_concern(settings, &all, at, lines, concern, found, out);
	if (found > lines)
		buf_addf(out, "… and %zu more\n", found - lines);
	if (found > 0)
		buf_adds(out, "Admins are not listed here.\n");
	buf_adds(out, "In force: ");
	add_roles(settings, at, out);
	add_since(settings, &all, at, out);
	return found;
}
