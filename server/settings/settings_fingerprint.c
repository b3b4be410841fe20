/* settings_fingerprint.c - which values the files have of what ships an environment.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/fingerprint.h"
#include "settings/settings_inside.h"

/* Of the runner's settings alone: it makes the same list of what it reads for a run. */
static void
add_mark(const struct settings_loader *l, const struct settings_spec *spec, const char *name,
    struct buf *list)
{
	const size_t sources = spec->scope == SCOPE_OWN ? l->own : l->count;
	const struct env_file *files[SETTINGS_SOURCES_MAX];
	size_t count = 0;

	if (spec->whose == WHOSE_SERVER || spec->scope == SCOPE_SERVER)
		return;
	for (size_t i = 0; i < sources; i++)
		if (l->sources[i].file != NULL)
			files[count++] = &l->files[i];
	fingerprint_add(list, name, spec->is_secret, files, count);
}

static bool
has_file(const struct settings_loader *l)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->sources[i].file != NULL)
			return true;
	return false;
}

/* What is no environment's own is the same for all, and made once. */
static void
add_shared(const struct settings_loader *l, struct buf *list)
{
	const struct settings_inside *in = l->s->inside;

	for (size_t i = 0; i < in->member_count; i++) {
		const struct settings_member *other = in->members[i];

		if (other->fingerprint != NULL) {
			buf_add(list, other->fingerprint, other->fingerprint_shared);
			return;
		}
	}
	for (size_t i = 0; i < SETTING_COUNT; i++)
		add_mark(l, &settings_table[i], settings_table[i].name, list);
}

void
settings_take_fingerprint(struct settings_loader *l, struct settings_member *member)
{
	char name[SETTING_NAME_MAX];
	struct buf list;

	if (!has_file(l))
		return;
	buf_init(&list, FINGERPRINT_LIST_MAX);
	add_shared(l, &list);
	member->fingerprint_shared = list.size;
	for (size_t i = 0; i < FAMILY_SETTING_COUNT; i++)
		if (settings_table_families[i].family == FAMILY_ENVIRONMENT)
			add_mark(l, &settings_table_families[i],
			    setting_name(settings_table_families[i].name, member->name, name),
			    &list);
	buf_addc(&list, '\0'); /* also where it is empty */
	member->fingerprint = buf_take(&list);
	if (member->fingerprint == NULL)
		settings_say(l->report, SETTINGS_ERROR, "no memory for settings");
}
