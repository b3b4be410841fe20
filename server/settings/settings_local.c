/* settings_local.c - LOCAL_<USER>_IS: which user of this machine each is, and as whom they act.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/text.h"
#include "settings/settings_inside.h"
#include "types/principal.h"
#include "types/roles.h"

#define ROLE_WORD "role"

/* As the user's name stands in a setting, with the member's small letters: john.doe and john_doe
 * are both john-doe. */
static void
fold(const char *user, char out[SETTINGS_MEMBER_NAME])
{
	size_t n = 0;

	for (; user[n] != '\0' && n < SETTINGS_MEMBER_NAME - 1; n++)
		out[n] =
		    user[n] == '.' || user[n] == '_' ? '-' : (char)tolower((unsigned char)user[n]);
	out[user[n] == '\0' ? n : 0] = '\0'; /* a longer one is none */
}

static void
take_user(struct settings_member *member, const struct passwd *user)
{
	member->has_user = text_copy(member->user, sizeof(member->user), user->pw_name);
	member->uid = user->pw_uid;
}

static void
find_user(struct settings_member *member)
{
	const struct passwd *user;
	char folded[SETTINGS_MEMBER_NAME];

	setpwent();
	while ((user = getpwent()) != NULL) {
		fold(user->pw_name, folded);
		if (strcmp(folded, member->name) != 0)
			continue;
		if (member->has_user && member->uid != user->pw_uid)
			(void)text_copy(member->other, sizeof(member->other), user->pw_name);
		else
			take_user(member, user);
	}
	endpwent();
	/* A directory of users need not list them. */
	if (!member->has_user && (user = getpwnam(member->name)) != NULL)
		take_user(member, user);
}

static bool
has_role(const struct settings_loader *l, const char *name)
{
	const struct roles *roles = l->s->roles;

	for (size_t i = 0; roles != NULL && i < roles->count; i++)
		if (strcmp(roles->role[i].name, name) == 0)
			return true;
	return false;
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
	const char *is = member->values[LOCAL_SETTING_IS].text;

	if (member->family != FAMILY_LOCAL || is == NULL || !text_starts(is, ROLE_WORD " "))
		return NULL;
	is += sizeof(ROLE_WORD) - 1;
	return is + strspn(is, " ");
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
	else if (member->other[0] != '\0')
		settings_say(l->report, SETTINGS_WARNING,
		    "%s: two users of this machine are meant, %s and %s: neither is let in: rename one of them",
		    name, member->user, member->other);
	else if (!member->has_user)
		settings_say(l->report, SETTINGS_WARNING,
		    "%s: there is no such user on this machine: nobody is let in by it", name);
	else if (member->uid == 0)
		settings_say(l->report, SETTINGS_ERROR,
		    "%s: root has no such setting: it says --as ROLE each time", name);
	else if (member->uid == SETTINGS_NOBODY || member->uid == geteuid())
		settings_say(l->report, SETTINGS_ERROR, "%s: is never let in: %s", name,
		    member->uid == SETTINGS_NOBODY ?
			"users that the kernel cannot distinguish have that number" :
			"it is the server's own user, and scripts may run as it");
	else if (role != NULL && !has_role(l, role))
		settings_say(l->report, SETTINGS_ERROR, "%s: there is no role %s", name, role);
	else if (role == NULL && !has_any_role(l, member))
		settings_say(l->report, SETTINGS_WARNING,
		    "%s: %s has no role: nothing is granted to them", name,
		    member->values[LOCAL_SETTING_IS].text);
}

void
settings_find_users(struct settings_loader *l)
{
	struct settings_inside *in = l->s->inside;

	for (size_t i = 0; i < in->member_count; i++) {
		struct settings_member *member = in->members[i];

		if (member->family == FAMILY_LOCAL)
			find_user(member);
	}
}

void
settings_check_users(struct settings_loader *l)
{
	const struct settings_inside *in = l->s->inside;

	for (size_t i = 0; i < in->member_count; i++)
		if (in->members[i]->family == FAMILY_LOCAL)
			check(l, in->members[i]);
}

void
settings_fill_user(struct settings_member *member)
{
	const char *is = member->values[LOCAL_SETTING_IS].text;

	member->person = 0;
	if (member->family != FAMILY_LOCAL || is == NULL || !member->has_user ||
	    member->other[0] != '\0')
		return;
	member->person = settings_local_role(member) != NULL ? principal_of_user(member->uid) :
							       strtoll(is, NULL, 10);
}
