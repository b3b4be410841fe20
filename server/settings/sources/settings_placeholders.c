/* settings_placeholders.c - placeholders of the installation guide that nobody replaced.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/settings_inside.h"

#include <string.h>

/* As docs/INSTALLATION.md has them. */
static const struct placeholder {
	const char *word;
	bool is_whole; /* an ordinary word: only alone it is none of theirs */
} placeholders[] = {
	{ "OWNER/NAME", false },
	{ "STAGING_IP", false },
	{ "PRODUCTION_IP", false },
	{ "REGISTRY", true },
	{ "IMAGE", true },
};

static bool
is_of_word(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	    c == '_' || c == '-';
}

static bool
has_word(const char *text, const char *word)
{
	size_t size = strlen(word);

	for (const char *at = text; (at = strstr(at, word)) != NULL; at++)
		if ((at == text || !is_of_word(at[-1])) && !is_of_word(at[size]))
			return true;
	return false;
}

static void
check_text(struct settings_loader *l, const char *name, const char *text)
{
	for (size_t i = 0; text != NULL && i < COUNT(placeholders); i++) {
		const struct placeholder *p = &placeholders[i];

		if (p->is_whole ? strcmp(text, p->word) == 0 : has_word(text, p->word))
			settings_say(l->report, SETTINGS_ERROR,
			    "%s: %s stands for a value of yours: replace it", name, p->word);
	}
}

void
settings_check_placeholders(struct settings_loader *l, bool own)
{
	const struct settings_inside *in = l->s->inside;
	char name[SETTING_NAME_MAX];

	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (!settings_table[i].is_secret && (settings_table[i].scope == SCOPE_OWN) == own)
			check_text(l, settings_table[i].name, in->values[i].text);
	for (size_t m = 0; own && m < in->member_count; m++)
		for (size_t i = 0; i < in->members[m]->special_count; i++) {
			const struct settings_special *special = &in->members[m]->specials[i];

			if (!settings_table[special->setting].is_secret)
				check_text(l,
				    settings_name_of(in->members[m], special->setting, name),
				    special->value.text);
		}
	for (size_t m = 0; own && m < in->member_count; m++)
		for (enum family_setting i = 0; i < FAMILY_SETTING_COUNT; i++) {
			const struct settings_spec *spec = &settings_table_families[i];

			if (spec->family == in->members[m]->family && !spec->is_secret)
				check_text(l, setting_name(spec->name, in->members[m]->name, name),
				    settings_own(in->members[m], i)->text);
		}
}
