/* settings_secrets.c - every secret and key of a snapshot, and where each comes from.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/settings_secrets.h"

#include "lib/text.h"

/* A private key, by its path: what is a secret stands in the file, not here. */
static bool
is_key(const struct settings_spec *spec)
{
	return text_ends(spec->name, "_KEY_PATH") || text_ends(spec->name, "_KEY_FILE");
}

static void
one(const struct settings *s, const struct settings_spec *spec, const char *name,
    const struct settings_value *value, settings_each_secret *each, void *ctx)
{
	struct settings_secret secret = { .spec = spec, .application = s->application };
	bool key = is_key(spec);

	if ((!spec->is_secret && !key) || !value->is_given || value->is_inherited)
		return;
	secret.text = key ? NULL : value->text != NULL ? value->text : value->runners;
	secret.file = key ? value->text : value->file;
	(void)text_copy(secret.name, sizeof(secret.name), name);
	each(ctx, &secret);
}

static void
of_member(const struct settings *s, const struct settings_member *member,
    settings_each_secret *each, void *ctx)
{
	char name[SETTING_NAME_MAX];

	for (size_t i = 0; i < FAMILY_SETTING_COUNT; i++) {
		const struct settings_spec *spec = &settings_table_families[i];

		if (spec->family == member->family)
			one(s, spec, setting_name(spec->name, member->name, name),
			    &member->values[i], each, ctx);
	}
	for (size_t i = 0; i < member->special_count; i++) {
		const struct settings_spec *spec = &settings_table[member->specials[i].setting];

		one(s, spec, setting_special(spec->name, member->name, name),
		    &member->specials[i].value, each, ctx);
	}
}

void
settings_for_secrets(const struct settings *s, settings_each_secret *each, void *ctx)
{
	for (size_t i = 0; i < SETTING_COUNT; i++)
		one(s, &settings_table[i], settings_table[i].name, &s->inside->values[i], each,
		    ctx);
	for (size_t m = 0; m < s->inside->member_count; m++)
		of_member(s, s->inside->members[m], each, ctx);
	for (size_t i = 0; i < s->application_count; i++)
		settings_for_secrets(s->applications[i], each, ctx);
}
