/* settings_fingerprint.c - which values the files have of what ships an environment.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/fingerprint.h"
#include "settings/settings_inside.h"

static struct fingerprint_files
files_of(const struct settings_loader *l, size_t sources)
{
	struct fingerprint_files files = { .owner = settings_owner(l) };

	for (size_t i = 0; i < sources; i++) {
		if (l->sources[i].file == NULL)
			continue;
		assert(files.count < FINGERPRINT_FILES_MAX);
		files.at[files.count++] = &l->files[i];
		files.own += i < l->own;
	}
	return files;
}

/* Of the runner's settings alone: it makes the same list of what it reads for a run.  special: what
 * it is called for one environment; NULL: it is not said for one. */
static void
add_mark(const struct settings_loader *l, const struct settings_spec *spec, const char *name,
    const char *special, struct buf *list)
{
	struct fingerprint_files files;

	if (spec->whose == WHOSE_SERVER ||
	    (spec->scope == SCOPE_SERVER && spec->family == FAMILY_COUNT))
		return;
	files = files_of(l, spec->scope == SCOPE_OWN ? l->own : l->count);
	if (spec->type == SETTING_TYPE_HOSTS_FILE)
		fingerprint_add_hosts(list, name, &files);
	else
		fingerprint_add(list, name, special, spec->is_secret, &files);
}

static bool
has_file(const struct settings_loader *l)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->sources[i].file != NULL)
			return true;
	return false;
}

/* What is no environment's own is the same for all that say nothing special, and made once. */
static bool
add_known(const struct settings_inside *in, const struct settings_member *member, struct buf *list)
{
	for (size_t i = 0; member->special_count == 0 && i < in->member_count; i++) {
		const struct settings_member *other = in->members[i];

		if (other->fingerprint != NULL && other->family == FAMILY_ENVIRONMENT &&
		    other->special_count == 0) {
			buf_add(list, other->fingerprint, other->fingerprint_shared);
			return true;
		}
	}
	return false;
}

static void
add_all(const struct settings_loader *l, const struct settings_member *member, struct buf *list)
{
	char special[SETTING_NAME_MAX];

	if (add_known(l->s->inside, member, list))
		return;
	for (size_t i = 0; i < SETTING_COUNT; i++)
		add_mark(l, &settings_table[i], settings_table[i].name,
		    settings_table[i].is_shipping ?
			setting_special(settings_table[i].name, member->name, special) :
			NULL,
		    list);
}

void
settings_take_fingerprint(struct settings_loader *l, struct settings_member *member)
{
	const struct fingerprint_files files = files_of(l, l->count);
	char name[SETTING_NAME_MAX];
	struct buf list = buf_make(FINGERPRINT_LIST_MAX);

	if (!has_file(l))
		return;
	if (member->family == FAMILY_ENVIRONMENT)
		add_all(l, member, &list);
	member->fingerprint_shared = (uint32_t)list.size; /* what a file may have is far less */
	for (size_t i = 0; i < FAMILY_SETTING_COUNT; i++)
		if (settings_table_families[i].family == member->family)
			add_mark(l, &settings_table_families[i],
			    setting_name(settings_table_families[i].name, member->name, name), NULL,
			    &list);
	if (member->family == FAMILY_ENVIRONMENT)
		fingerprint_add_registries(&list, member->name, &files);
	buf_addc(&list, '\0'); /* also where it is empty */
	member->fingerprint = buf_take(&list);
	if (member->fingerprint == NULL)
		settings_say(l->report, SETTINGS_ERROR, "its list of marks is too long");
}
