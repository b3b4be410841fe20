/* settings.c - a snapshot of the settings: counted, asked, wiped.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/settings.h"

#include <stdlib.h>
#include <string.h>

void
settings_wipe_text(char **text)
{
	if (*text != NULL)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

struct settings *
settings_ref(struct settings *s)
{
	atomic_fetch_add_explicit(&s->inside->count, 1, memory_order_relaxed);
	return s;
}

static void
wipe_value(struct settings_value *value)
{
	settings_wipe_text(&value->text);
	settings_wipe_text(&value->runners);
	free(value->file);
}

static void
free_inside(struct settings_inside *in)
{
	for (size_t i = 0; i < SETTING_COUNT; i++)
		wipe_value(&in->values[i]);
	for (size_t m = 0; m < in->member_count; m++) {
		for (size_t i = 0; i < FAMILY_SETTING_COUNT; i++)
			wipe_value(&in->members[m]->values[i]);
		free(in->members[m]);
	}
	free(in);
}

void
settings_unref(struct settings *s)
{
	if (s == NULL)
		return;
	if (s->inside != NULL) {
		/* Release: what others did with it is done; acquire: and we see that. */
		if (atomic_fetch_sub_explicit(&s->inside->count, 1, memory_order_acq_rel) != 1)
			return;
		free_inside(s->inside);
	}
	free(s);
}

const struct environment_settings *
settings_environment(const struct settings *s, const char *name)
{
	for (size_t i = 0; i < s->environment_count; i++)
		if (strcmp(s->environments[i].name, name) == 0)
			return &s->environments[i];
	return NULL;
}

const char *
settings_refusal(const struct settings *s, const char *environment)
{
	for (size_t i = 0; i < s->inside->member_count; i++) {
		const struct settings_member *member = s->inside->members[i];

		if (member->family == FAMILY_ENVIRONMENT && strcmp(member->name, environment) == 0)
			return member->refusal[0] != '\0' ? member->refusal : NULL;
	}
	return NULL;
}

static bool
has_id(const struct settings_ids *ids, int64_t id)
{
	for (size_t i = 0; i < ids->count; i++)
		if (ids->id[i] == id)
			return true;
	return false;
}

bool
settings_is_admin(const struct settings *s, int64_t telegram_id)
{
	return has_id(&s->admins, telegram_id);
}

bool
settings_is_staging_user(const struct settings *s, int64_t telegram_id)
{
	return has_id(&s->staging_users, telegram_id);
}

const char *
settings_text(const struct settings *s, enum setting setting)
{
	return s->inside->values[setting].text;
}

bool
settings_is_given(const struct settings *s, enum setting setting)
{
	return s->inside->values[setting].is_given;
}

const char *
settings_secret_file(const struct settings *s, enum setting setting)
{
	return s->inside->values[setting].file;
}
