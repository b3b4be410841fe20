/* settings_secrets.c - every value of a snapshot: secrets and keys with their sources, all others.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/sources/settings_secrets.h"

#include "lib/text.h"

/* A private key, by its path: what is a secret stands in the file, not here. */
static bool
is_key(const struct settings_spec *spec)
{
	return text_ends(spec->name, "_KEY_PATH") || text_ends(spec->name, "_KEY_FILE");
}

/* Who asks, and for which of the two kinds. */
struct walk {
	settings_each_secret *secret; /* NULL: the others are asked for */
	settings_each_open *open;
	void *ctx;
};

/* Who may do what, with which proof, and what is recorded of it. */
static bool
is_deciding(const struct settings_spec *spec)
{
	static const char *const names[] = { "ADMIN_TELEGRAM_IDS", "STAGING_TELEGRAM_IDS",
		"ALLOWED_USERS", "ALLOWED_CHATS", "REQUIRE_OTP", "EMERGENCY_WITHOUT_OTP",
		"ENABLE_TOKEN_AUTH", "ENABLE_API_SERVER", "ENVIRONMENT", "PUBLIC_URL",
		"GITHUB_TOKEN_ISSUER", "GITLAB_URL", "RUNNERS" };
	static const char *const ends[] = { "_CONFIRM", "_APPROVALS", "_APPROVALS_IF", "_APPROVERS",
		"_APPROVAL_CHAT_ID", "_REQUIRE_CI", "_GATE_REVIEWER", "_RUNNER", "_PROMOTE_FROM",
		"_PROMOTE_AFTER", "_PROMOTE_ONLY" };

	/* Not PERSON_<ID>_…: a login is somebody's name, and no name gets into the chain. */
	if (spec->family == FAMILY_ROLE || spec->family == FAMILY_LOCAL ||
	    spec->family == FAMILY_HOOK || spec->family == FAMILY_WORKFLOW ||
	    spec->family == FAMILY_SECRET || text_starts(spec->name, "AUDIT_"))
		return true;
	for (size_t i = 0; i < COUNT(ends); i++)
		if (text_ends(spec->name, ends[i]))
			return true;
	return text_index(spec->name, names, COUNT(names)) != COUNT(names);
}

static void
one_open(const struct settings *s, const struct settings_spec *spec, const char *name,
    const struct settings_value *value, const struct walk *walk)
{
	struct settings_open open = {
		.application = s->application, .text = value->text, .is_deciding = is_deciding(spec)
	};

	if (spec->is_secret || !value->is_given || value->is_inherited || value->text == NULL)
		return;
	text_set(open.name, name);
	walk->open(walk->ctx, &open);
}

static void
one(const struct settings *s, const struct settings_spec *spec, const char *name,
    const struct settings_value *value, const struct walk *walk)
{
	struct settings_secret secret = { .spec = spec, .application = s->application };
	bool key = is_key(spec);

	if (walk->secret == NULL) {
		one_open(s, spec, name, value, walk);
		return;
	}
	if ((!spec->is_secret && !key) || !value->is_given || value->is_inherited)
		return;
	secret.text = key ? NULL : value->text != NULL ? value->text : value->runners;
	secret.file = key ? value->text : value->file;
	text_set(secret.name, name);
	walk->secret(walk->ctx, &secret);
}

static void
of_member(const struct settings *s, const struct settings_member *member, const struct walk *walk)
{
	char name[SETTING_NAME_MAX];

	for (enum family_setting i = 0; i < FAMILY_SETTING_COUNT; i++) {
		const struct settings_spec *spec = &settings_table_families[i];

		if (spec->family == member->family)
			one(s, spec, setting_name(spec->name, member->name, name),
			    settings_own(member, i), walk);
	}
	for (size_t i = 0; i < member->special_count; i++) {
		const struct settings_spec *spec = &settings_table[member->specials[i].setting];

		one(s, spec, setting_special(spec->name, member->name, name),
		    &member->specials[i].value, walk);
	}
}

static void
of_all(const struct settings *s, const struct walk *walk)
{
	for (size_t i = 0; i < SETTING_COUNT; i++)
		one(s, &settings_table[i], settings_table[i].name, &s->inside->values[i], walk);
	for (size_t m = 0; m < s->inside->member_count; m++)
		of_member(s, s->inside->members[m], walk);
	for (size_t i = 0; i < s->application_count; i++)
		of_all(s->applications[i], walk);
}

void
settings_for_secrets(const struct settings *s, settings_each_secret *each, void *ctx)
{
	of_all(s, &(struct walk){ .secret = each, .ctx = ctx });
}

void
settings_for_open(const struct settings *s, settings_each_open *each, void *ctx)
{
	of_all(s, &(struct walk){ .open = each, .ctx = ctx });
}

bool
settings_is_machines(const char *name, const char *text)
{
	static const char *const own[] = { "SERVER_NAME", "LISTEN_ADDRESS", "API_SERVER_PORT",
		"TRUSTED_PROXY", "LINK_ADDRESS" };
	bool is_machines = text[0] == '/'; /* a path */

	for (size_t i = 0; i < COUNT(own); i++)
		is_machines |= strcmp(name, own[i]) == 0;
	return is_machines;
}
