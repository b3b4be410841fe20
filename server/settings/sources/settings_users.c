/* settings_users.c - the users of this machine that a folded name may mean, in its file and elsewhere.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/sources/settings_users.h"

#include <ctype.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "lib/array.h"
#include "lib/text.h"
#include "settings/settings_table.h"

#define USERS_FILE    "/etc/passwd"
#define SPELLINGS_MAX 27

/* As the user's name stands in a setting, with the member's small letters: john.doe and john_doe
 * are both john-doe. */
static void
fold(const char *user, char out[SETTINGS_MEMBER_NAME])
{
	size_t n = 0;

	for (; n < SETTINGS_MEMBER_NAME - 1 && user[n] != '\0'; n++)
		out[n] = (char)(user[n] == '.' || user[n] == '_' ? '-' :
								   tolower((unsigned char)user[n]));
	out[user[n] == '\0' ? n : 0] = '\0'; /* a longer one is none */
}

static void
take_user(struct settings_user *ret, const struct passwd *user)
{
	char folded[SETTINGS_MEMBER_NAME];

	fold(user->pw_name, folded);
	if (strcmp(folded, ret->name) != 0)
		return;
	if (ret->has_user) {
		if (ret->uid != user->pw_uid)
			text_set(ret->other, user->pw_name);
		return;
	}
	ret->has_user = text_copy(ret->user, sizeof(ret->user), user->pw_name);
	ret->uid = user->pw_uid;
}

void
settings_user_find_listed(struct settings_user *ret)
{
	FILE *file = fopen(USERS_FILE, "re");
	struct passwd entry, *user;
	char line[4096];

	while (file != NULL && fgetpwent_r(file, &entry, line, sizeof(line), &user) == 0)
		take_user(ret, user);
	if (file != NULL)
		(void)fclose(file);
	ret->is_listed = ret->has_user;
}

/* Each - is one of three; of a name with many, all are the same. */
static size_t
count_spellings(const char *name)
{
	size_t n = 1;

	for (; *name != '\0'; name++)
		n *= *name == '-' ? 3 : 1;
	return n <= SPELLINGS_MAX ? n : 3;
}

void
settings_user_ask(struct settings_user *user)
{
	static const char signs[] = { '-', '_', '.' };
	size_t n = count_spellings(user->name);
	bool is_mixed = strchr(user->name, '-') != NULL && n > 3;
	struct passwd entry, *found;
	char line[4096];

	user->is_asked = true;
	if (user->is_listed && n == 1 && strcmp(user->user, user->name) == 0)
		return; /* it has no other spelling, and the file's answer comes first */
	for (size_t i = 0; i < n; i++) {
		char name[SETTINGS_MEMBER_NAME];
		size_t left = i;
		int failed;

		text_set(name, user->name); /* of the same size */
		for (char *c = name; *c != '\0'; c++) {
			if (*c != '-')
				continue;
			*c = signs[left % 3];
			left = is_mixed ? left / 3 : left;
		}
		failed = getpwnam_r(name, &entry, line, sizeof(line), &found);
		if (failed == 0 && found != NULL)
			take_user(user, found);
		else if (failed != 0 && failed != ENOENT && failed != ESRCH)
			user->is_asked = false;
	}
}

void
settings_user_join(struct settings_user *user, const struct settings_user *said)
{
	const char *other = said->other;

	if (!user->is_listed) {
		if (!said->is_listed)
			*user = *said;
		return;
	}
	if (strcmp(other, user->user) == 0 || (other[0] == '\0' && said->uid != user->uid))
		other = said->has_user && !said->is_listed ? said->user : "";
	if (other[0] != '\0')
		text_set(user->other, other);
}

struct settings_user *
settings_users_elsewhere(const struct settings *s, size_t *ret_n)
{
	const struct settings_member *member;
	struct settings_user *users = NULL;
	size_t n = 0, at = 0;

	while ((member = settings_next_member(s, FAMILY_LOCAL, &at)) != NULL) {
		struct settings_user *added = array_add(&users, &n, sizeof(*added));

		text_set(added->name, member->name);
	}
	*ret_n = n;
	return users;
}
