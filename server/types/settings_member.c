/* settings_member.c - the members of a family of settings: of the main file, then of applications.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/settings_member.h"

const struct settings_member *
settings_member_next(
    const struct settings *s, enum family family, size_t *at, const struct settings **ret_of)
{
	size_t n = 0;

	for (size_t file = 0; file <= s->application_count; file++) {
		const struct settings *of = file == 0 ? s : s->applications[file - 1];

		for (size_t i = 0; i < of->inside->member_count; i++) {
			if (of->inside->members[i]->family != family || n++ < *at)
				continue;
			(*at)++;
			*ret_of = of;
			return of->inside->members[i];
		}
	}
	return NULL;
}

const struct settings_value *
settings_own(const struct settings_member *member, enum family_setting setting)
{
	static const enum family families[] = {
#define FAMILY_SETTING(family, id, ...) [family##_SETTING_##id] = FAMILY_##family,
#include "types/settings.def"
	};
	static const struct settings_value none;
	size_t place = 0;

	if (families[setting] != member->family)
		return &none;
	for (size_t i = 0; i < (size_t)setting; i++)
		place += families[i] == member->family;
	return &member->values[place];
}
