/* settings_loans.c - SECRET_<NAME>_…: what is wrong with each, and what is lent to nobody.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/checks/settings_loans.h"

#include "lib/text.h"
#include "settings/settings_inside.h"
#include "types/loan.h"

/* In an application's file it keeps nobody else from starting. */
static enum settings_severity
level_of(const char *application)
{
	return application[0] == '\0' ? SETTINGS_ERROR : SETTINGS_WARNING;
}

static void
check(struct settings_loader *l, const struct settings_member *member)
{
	const struct settings *s = l->s;
	enum settings_severity level = level_of(s->application);
	const char *target = settings_own(member, SECRET_SETTING_FOR)->text;
	const char *slash = target != NULL ? strchr(target, '/') : NULL;
	char whole[LIMIT_ENVIRONMENT];

	if (settings_own(member, SECRET_SETTING_PATH)->text == NULL || target == NULL) {
		settings_say_of(l, level, member,
		    target == NULL ? SECRET_SETTING_FOR : SECRET_SETTING_PATH,
		    "is not set, and a secret that is lent needs both its PATH and what it is FOR");
		return;
	}
	text_setf(whole, "%s%s%s", slash == NULL ? s->application : "",
	    slash == NULL && s->application[0] != '\0' ? "/" : "", target);
	if (slash != NULL && s->application[0] != '\0' &&
	    (strncmp(target, s->application, (size_t)(slash - target)) != 0 ||
		s->application[slash - target] != '\0'))
		settings_say_of(l, SETTINGS_FLAW, member, SECRET_SETTING_FOR,
		    "%s: an application's file lends nothing to another, so this is lent to nobody: say it in the settings file",
		    target);
	else if (settings_environment(s, whole) == NULL &&
	    (slash == NULL || !settings_is_unread_application(s, target, (size_t)(slash - target))))
		settings_say_of(l, level, member, SECRET_SETTING_FOR,
		    "there is no environment %s: ENVIRONMENTS lists them", target);
}

void
settings_check_loans(struct settings_loader *l)
{
	const struct settings_inside *in = l->s->inside;

	for (size_t i = 0; i < in->member_count; i++)
		if (in->members[i]->family == FAMILY_SECRET)
			check(l, in->members[i]);
}

/* Vault's API of KV 2 has them in its paths, and its command and SECRET_<NAME>_PATH have not. */
static void
say_data(const struct settings_loader *l, const struct loan *loan)
{
	static const char *const within[] = { "data", "metadata" };
	const char *mount = loan->at.mount, *path = loan->at.path;
	char url[LIMIT_LOAN_PATH + 8];

	loan_place_url(&loan->at, url, sizeof(url));
	for (size_t i = 0; i < COUNT(within) && loan->at.kind == LOAN_KV2; i++) {
		size_t size = strlen(within[i]), whole = strlen(mount);
		bool is_in_path = text_starts(path, within[i]) && path[size] == '/';
		bool is_in_mount = text_ends(mount, within[i]) && whole > size + 1 &&
		    mount[whole - size - 1] == '/';

		if (is_in_path || is_in_mount)
			settings_say(l->report, SETTINGS_FLAW,
			    "secret %s: kv2 %s %s would be read at %s, for Vault's API adds data/ by itself: write kv2 %.*s %s",
			    loan->id, mount, path, url, (int)(whole - (is_in_mount ? size + 1 : 0)),
			    mount, path + (is_in_path ? size + 1 : 0));
	}
}

static void
say_delivery(const struct settings_loader *l, const struct loan *loan)
{
	if (loan->is_value && !loan_may_be_value(l->s))
		settings_say(l->report, level_of(loan->application),
		    "secret %s: SECRET_<NAME>_DELIVERS=value gives it over TLS alone: PUBLIC_URL is no https://HOST, so no job has it",
		    loan->id);
	if (!loan->is_value && loan->at.field[0] != '\0')
		settings_say(l->report, level_of(loan->application),
		    "secret %s: field=%s is for SECRET_<NAME>_DELIVERS=value alone: who has a token reads what Vault's policy lets it",
		    loan->id, loan->at.field);
}

void
settings_say_loans(const struct settings_loader *l)
{
	struct loan first;
	size_t none = 0;

	if (l->s->inside->values[SETTING_VAULT_ADDR].text == NULL && loan_next(l->s, &none, &first))
		settings_say(l->report, SETTINGS_WARNING,
		    "secret %s: VAULT_ADDR is not set, so there is no Vault that lends it",
		    first.id);
	for (size_t at = 0; loan_next(l->s, &at, &first);) {
		say_delivery(l, &first);
		say_data(l, &first);
	}
	for (size_t at = 0; loan_next_shadowed(l->s, &at, &first);)
		settings_say(l->report, SETTINGS_FLAW,
		    "secrets %s and %s: both are called %s and for %s: that of the settings file counts, and %s is lent to nobody: give one another name",
		    first.name, first.id, first.name, first.target, first.id);
}
