/* settings_stages.c - which environments a commit is released to before another one.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/checks/settings_stages.h"

#include <string.h>

#include "settings/settings_inside.h"

#define NO_STAGE "none"

/* The one that a part of that setting names; NULL: it may not, or *ret_fault says what is wrong. */
static const struct environment_settings *
find_part(const struct settings *s, const struct environment_settings *own,
    enum family_setting setting, const char *part, const char **ret_fault)
{
	const struct environment_settings *found;
	char text[ENVIRONMENT_ID_MAX];
	struct environment_id id;
	bool is_own_file = settings_own(own->member, setting)->is_own_file;

	*ret_fault = NULL;
	if (!environment_id_parse(own->name, &id))
		return NULL;
	if (strchr(part, '/') == NULL)
		part = environment_id_text(id.application, part, text);
	found = settings_environment(s, part);
	if (found == NULL && (is_own_file || id.application[0] == '\0'))
		*ret_fault = "there is no such environment"; /* not each application has each */
	if (found == NULL || found == own)
		return NULL;
	if (is_own_file && found->of != own->of) {
		*ret_fault = "it is another application's, which the main file alone may name";
		return NULL;
	}
	return found;
}

static const struct environment_settings *
find_before(const struct environment_settings *own)
{
	const struct environment_settings *before = NULL;

	for (size_t i = 0; i < own->of->environment_count; i++) {
		const struct environment_settings *one = &own->of->environments[i];

		if (strcmp(one->name, own->name) == 0)
			return before;
		if (one->of == own->of)
			before = one;
	}
	return NULL;
}

size_t
settings_stages(const struct settings *s, const char *environment, const char *ret[SETTINGS_STAGES])
{
	const struct environment_settings *own = settings_environment(s, environment), *found;
	const char *list = own != NULL ? own->after : NULL, *fault;
	char part[ENVIRONMENT_ID_MAX];
	size_t n = 0;

	if (own == NULL)
		return 0;
	found = list == NULL ? find_before(own) : NULL;
	if (found != NULL && !environment_is_production(found->name))
		ret[n++] = found->name;
	while (list != NULL && n < SETTINGS_STAGES && setting_next(&list, part, sizeof(part)))
		if ((found = find_part(s, own, ENVIRONMENT_SETTING_AFTER, part, &fault)) != NULL)
			ret[n++] = found->name;
	return n;
}

bool
settings_promotes(const struct settings *s, const char *environment, const char *from)
{
	const struct environment_settings *own = settings_environment(s, environment), *found;
	const char *list = own != NULL ? own->promote_from : NULL, *fault;
	char part[ENVIRONMENT_ID_MAX];

	if (own == NULL || list == NULL)
		return own != NULL;
	while (setting_next(&list, part, sizeof(part))) {
		found = find_part(s, own, ENVIRONMENT_SETTING_PROMOTE_FROM, part, &fault);
		if (found != NULL && strcmp(found->name, from) == 0)
			return true;
	}
	return false;
}

static void
check(struct settings_loader *l, const struct environment_settings *own)
{
	const char *list = own->after, *fault;
	char part[ENVIRONMENT_ID_MAX], setting[SETTING_NAME_MAX];
	struct environment_id id;

	if (!environment_id_parse(own->name, &id))
		return;
	(void)setting_name("<ENV>_AFTER", id.name, setting);
	while (list != NULL && setting_next(&list, part, sizeof(part))) {
		if (strcmp(part, NO_STAGE) == 0)
			continue;
		(void)find_part(l->s, own, ENVIRONMENT_SETTING_AFTER, part, &fault);
		if (fault != NULL)
			settings_say(l->report, SETTINGS_WARNING, "%s%s%s: %s: %s", id.application,
			    id.application[0] != '\0' ? ": " : "", setting, part, fault);
	}
}

/* In an application's file it is that one's mistake, and keeps nobody else from starting. */
static void
say_promotion(struct settings_loader *l, const struct environment_settings *own,
    const char *setting, const char *part, const char *fault)
{
	char name[SETTING_NAME_MAX];
	struct environment_id id;

	if (environment_id_parse(own->name, &id))
		settings_say(l->report,
		    id.application[0] == '\0' ? SETTINGS_ERROR : SETTINGS_WARNING, "%s%s%s: %s%s%s",
		    id.application, id.application[0] != '\0' ? ": " : "",
		    setting_name(setting, id.name, name), part, part[0] != '\0' ? ": " : "", fault);
}

/* What it names must be there: a typo would let nothing be promoted, or no more than that. */
static void
check_promotion(struct settings_loader *l, const struct environment_settings *own)
{
	const char *list = own->promote_from, *slash = strrchr(own->name, '/'), *fault;
	char part[ENVIRONMENT_ID_MAX];

	if (own->promote_only && list == NULL)
		say_promotion(l, own, "<ENV>_PROMOTE_ONLY", "",
		    "is true, and <ENV>_PROMOTE_FROM does not say from where");
	while (list != NULL && setting_next(&list, part, sizeof(part))) {
		(void)find_part(l->s, own, ENVIRONMENT_SETTING_PROMOTE_FROM, part, &fault);
		if (strcmp(part, own->name) == 0 ||
		    strcmp(part, slash != NULL ? slash + 1 : own->name) == 0)
			fault = "that is this environment itself";
		if (fault != NULL)
			say_promotion(l, own, "<ENV>_PROMOTE_FROM", part, fault);
	}
}

void
settings_say_stages(struct settings_loader *l)
{
	for (size_t i = 0; i < l->s->environment_count; i++)
		check(l, &l->s->environments[i]);
	for (size_t i = 0; i < l->s->environment_count; i++)
		check_promotion(l, &l->s->environments[i]);
}
