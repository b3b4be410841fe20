/* settings_local.c - LOCAL_<USER>_IS: which user of this machine each is, and as whom they act.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/text.h"
#include "settings/sources/settings_folder.h"
#include "settings/settings_inside.h"
#include "settings/sources/settings_users.h"
#include "types/principal.h"
#include "types/roles.h"

#define ROLE_WORD "role"

/* What somebody was told who asked before; a directory may hang, and a reload waits for nobody. */
static struct settings_user
recall(const struct settings_loader *l, const char *name)
{
	const struct settings_member *member = settings_member(l->running, FAMILY_LOCAL, name);

	for (size_t i = 0; l->folder != NULL && i < l->folder->users_count; i++)
		if (l->folder->users[i].is_asked && strcmp(l->folder->users[i].name, name) == 0)
			return l->folder->users[i];
	return member != NULL ? member->user : (struct settings_user){ 0 };
}

static void
find_user(const struct settings_loader *l, struct settings_member *member)
{
	struct settings_user *user = &member->user, said;

	text_set(user->name, member->name); /* of the same size */
	settings_user_find_listed(user);
	if (l->running == NULL) {
		settings_user_ask(user);
		return;
	}
	said = recall(l, member->name);
	settings_user_join(user, &said);
	text_set(user->name, member->name);
}

/* Of a person whose number is wrong that is said already. */
static bool
has_any_role(const struct settings_loader *l, const struct settings_member *member)
{
	size_t n = 0;

	if (l->s->roles == NULL || member->person == 0)
		return true;
	(void)roles_of(l->s->roles, member->person, &n);
	return n > 0;
}

const char *
settings_local_role(const struct settings_member *member)
{
	const char *is = settings_own(member, LOCAL_SETTING_IS)->text;

	if (member->family != FAMILY_LOCAL || is == NULL || !text_starts(is, ROLE_WORD " "))
		return NULL;
	is += sizeof(ROLE_WORD) - 1;
	return is + strspn(is, " ");
}

/* What an application's file says of its roles never ends the server; nor does a bare name that was
 * right when a name was enough. */
static void
check_role(struct settings_loader *l, const char *name, const char *role)
{
	enum settings_severity severity = SETTINGS_WARNING;
	char what[LIMIT_LINE], text[ROLE_TEXT];
	struct settings_line *line;
	size_t found;

	switch (roles_named(l->s->roles, role, &found)) {
	case ROLES_ONE:
		return;
	case ROLES_ONE_ELSEWHERE:
		text_setf(what,
		    "there is no role %s in the settings file, so it is an application's: write role %s",
		    role, role_id_text(l->s->roles->role[found - 1].application, role, text));
		break;
	case ROLES_SEVERAL:
		text_setf(what,
		    "several applications have a role %s, so nothing is granted: write role APPLICATION:%s",
		    role, role);
		break;
	case ROLES_NONE:
		text_setf(what, "there is no role %s", role);
		if (strchr(role, ':') == NULL && l->s->refused_count == 0)
			severity = SETTINGS_ERROR;
		break;
	}
	line = settings_say(l->report, severity, "%s: %s", name, what);
	if (severity == SETTINGS_WARNING)
		settings_warn(l, line, name, what);
}

static void
check(struct settings_loader *l, const struct settings_member *member)
{
	const char *role = settings_local_role(member);
	char name[SETTING_NAME_MAX];

	(void)setting_name(settings_table_families[LOCAL_SETTING_IS].name, member->name, name);
	if (l->s->application[0] != '\0')
		settings_say(l->report, SETTINGS_ERROR,
		    "%s: is one of the whole server: it stands in the settings file", name);
	else if (member->user.other[0] != '\0')
		settings_say(l->report, SETTINGS_WARNING,
		    "%s: two users of this machine are meant, %s and %s: neither is let in: rename one of them",
		    name, member->user.user, member->user.other);
	else if (!member->user.has_user)
		settings_say(l->report, SETTINGS_WARNING,
		    "%s: there is no such user on this machine: nobody is let in by it", name);
	else if (member->user.uid == 0)
		settings_say(l->report, SETTINGS_ERROR,
		    "%s: root has no such setting: it says --as ROLE each time", name);
	else if (member->user.uid == SETTINGS_NOBODY || member->user.uid == geteuid())
		settings_say(l->report, SETTINGS_ERROR, "%s: is never let in: %s", name,
		    member->user.uid == SETTINGS_NOBODY ?
			"users that the kernel cannot distinguish have that number" :
			"it is the server's own user, and scripts may run as it");
	else if (role != NULL)
		check_role(l, name, role);
	else if (!has_any_role(l, member))
		settings_say(l->report, SETTINGS_WARNING,
		    "%s: %s has no role: nothing is granted to them", name,
		    settings_own(member, LOCAL_SETTING_IS)->text);
}

void
settings_find_users(struct settings_loader *l)
{
	struct settings_member *member;
	size_t at = 0;

	while ((member = settings_next_member(l->s, FAMILY_LOCAL, &at)) != NULL)
		find_user(l, member);
}

void
settings_check_users(struct settings_loader *l)
{
	const struct settings_inside *in = l->s->inside;

	for (size_t i = 0; i < in->member_count; i++) {
		if (in->members[i]->family == FAMILY_LOCAL)
			check(l, in->members[i]);
		if (in->members[i]->family == FAMILY_PERSON && l->s->application[0] != '\0')
			settings_say(l->report, SETTINGS_WARNING,
			    "PERSON_%s_%s: is one of the whole server, and means nothing here: write it into the settings file",
			    in->members[i]->name,
			    settings_own(in->members[i], PERSON_SETTING_GITHUB)->is_given ?
				"GITHUB" :
				"GITLAB");
	}
}

void
settings_fill_user(struct settings_member *member)
{
	const char *is = settings_own(member, LOCAL_SETTING_IS)->text;

	member->person = 0;
	if (member->family != FAMILY_LOCAL || is == NULL || !member->user.has_user ||
	    member->user.other[0] != '\0')
		return;
	member->person = settings_local_role(member) != NULL ? principal_of_user(member->user.uid) :
							       strtoll(is, NULL, 10);
}
