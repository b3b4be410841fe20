/* loan.c - the secrets that the settings let be lent, one after the other.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/loan.h"

#include <stdio.h>

#include "lib/setting.h"
#include "lib/text.h"
#include "types/settings_member.h"

/* "production" of shop's own file is shop/production. */
static void
read_target(const char *text, const char *application, char ret[LIMIT_ENVIRONMENT])
{
	bool is_whole = application[0] == '\0' || strchr(text, '/') != NULL;

	(void)snprintf(ret, LIMIT_ENVIRONMENT, "%s%s%s", is_whole ? "" : application,
	    is_whole ? "" : "/", text);
}

bool
loan_next(const struct settings *s, size_t *at, struct loan *ret)
{
	const struct settings_member *member;
	const struct settings *of;

	while ((member = settings_member_next(s, FAMILY_SECRET, at, &of)) != NULL) {
		if (settings_own(member, SECRET_SETTING_PATH)->text == NULL ||
		    settings_own(member, SECRET_SETTING_FOR)->text == NULL)
			continue;
		*ret = (struct loan){
			.id = member->id,
			.name = member->name,
			.path = settings_own(member, SECRET_SETTING_PATH)->text,
			.approvals = (int)strtol(
			    settings_own(member, SECRET_SETTING_APPROVALS)->text, NULL, 10),
			.ttl_ms =
			    setting_duration_ms(settings_own(member, SECRET_SETTING_TTL)->text),
			.application = of->application,
		};
		read_target(
		    settings_own(member, SECRET_SETTING_FOR)->text, of->application, ret->target);
		return true;
	}
	return false;
}

const char *
loan_path(const struct loan *loan)
{
	return strrchr(loan->path, ' ') + 1; /* three words, as the settings were read */
}

void
loan_command(const struct loan *loan, char *ret, size_t room)
{
	const char *behind_kind = strchr(loan->path, ' '), *path = loan_path(loan);
	const char *mount = behind_kind + strspn(behind_kind, " ");
	int size = (int)strcspn(mount, " ");

	if (text_starts(loan->path, "creds "))
		(void)snprintf(ret, room, "read %.*s/creds/%s", size, mount, path);
	else
		(void)snprintf(ret, room, "kv get -mount=%.*s %s", size, mount, path);
}

bool
loan_of(const struct settings *s, const char *name, const char *target, struct loan *ret)
{
	for (size_t at = 0; loan_next(s, &at, ret);)
		if (strcmp(ret->name, name) == 0 && strcmp(ret->target, target) == 0)
			return true;
	return false;
}

bool
loan_is_there(const struct settings *s, const char *name, const char *target)
{
	struct loan loan;

	for (size_t at = 0; loan_next(s, &at, &loan);)
		if ((strcmp(name, "*") == 0 || strcmp(loan.name, name) == 0) &&
		    (strcmp(target, "*") == 0 || strcmp(loan.target, target) == 0))
			return true;
	return false;
}
