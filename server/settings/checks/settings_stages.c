/* settings_stages.c - which environments a commit is released to before another one.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/checks/settings_stages.h"

#include <string.h>

#include "settings/settings_inside.h"

#define NO_STAGE "none"

/* The one that a part of the setting names; NULL: it may not, or *ret_fault says what is wrong. */
static const struct environment_settings *
find_part(const struct settings *s, const struct environment_settings *own, const char *part,
    const char **ret_fault)
{
	const struct environment_settings *found;
	char text[ENVIRONMENT_ID_MAX];
	struct environment_id id;
	bool is_own_file = settings_own(own->member, ENVIRONMENT_SETTING_AFTER)->is_own_file;

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
		if ((found = find_part(s, own, part, &fault)) != NULL)
			ret[n++] = found->name;
	return n;
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
		(void)find_part(l->s, own, part, &fault);
		if (fault != NULL)
			settings_say(l->report, SETTINGS_WARNING, "%s%s%s: %s: %s", id.application,
			    id.application[0] != '\0' ? ": " : "", setting, part, fault);
	}
}

void
settings_say_stages(struct settings_loader *l)
{
	for (size_t i = 0; i < l->s->environment_count; i++)
		check(l, &l->s->environments[i]);
}
