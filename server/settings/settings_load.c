/* settings_load.c - a snapshot of the settings from their sources.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/settings_inside.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/err.h"

static void
take_all(struct settings_loader *l)
{
	for (size_t i = 0; i < SETTING_COUNT; i++)
		settings_take_value(l, &settings_table[i], settings_table[i].name,
		    settings_table[i].fallback, &l->s->inside->values[i]);
}

static struct settings *
make_empty(void)
{
	CLEANUP(settings_unrefp) struct settings *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->inside = calloc(1, sizeof(*s->inside));
	if (s->inside == NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): CLEANUP frees it */
		return NULL;
	atomic_init(&s->inside->count, 1);
	return TAKE(s);
}

static void
load_all(struct settings_loader *l)
{
	take_all(l);
	settings_take_families(l);
	settings_fill(l->s);
	settings_check_rules(l);
}

/* False: the reason is said. */
static bool
read_files(struct settings_loader *l)
{
	struct err err;

	static const char or_as_server[] =
	    ", or run this as the server's user: sudo -u deploybot deploybot ...";

	for (size_t i = 0; i < l->count; i++) {
		const char *file = l->sources[i].file;

		if (file == NULL || env_file_read(&l->files[i], file, &err))
			continue;
		if (access(file, R_OK) == 0)
			settings_say(l->report, SETTINGS_ERROR, "%s", err.text);
		else
			settings_say(l->report, SETTINGS_ERROR,
			    "%s: put it there, for user %u to read%s", err.text,
			    (unsigned)geteuid(), errno == EACCES ? or_as_server : "");
		return false;
	}
	return true;
}

bool
settings_load_sources(const struct settings_source sources[], size_t count, struct settings **ret,
    struct settings_report *report)
{
	CLEANUP(settings_unrefp) struct settings *s = make_empty();
	struct settings_loader l = { .s = s, .sources = sources, .count = count, .report = report };

	assert(count <= SETTINGS_SOURCES_MAX);
	report->errors = 0;
	report->flaws = 0;
	report->count = 0;
	if (s == NULL)
		settings_say(report, SETTINGS_ERROR, "no memory for settings");
	else if (read_files(&l))
		load_all(&l);
	for (size_t i = 0; i < count; i++)
		env_file_done(&l.files[i]);
	if (report->errors > 0)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): CLEANUP frees it */
		return false;
	*ret = TAKE(s);
	return true;
}

bool
settings_load(const char *env_file, char *const environ_list[], struct settings **ret,
    struct settings_report *report)
{
	const struct settings_source sources[] = { { .environ_list = environ_list },
		{ .file = env_file } };

	return settings_load_sources(sources, env_file == NULL ? 1 : 2, ret, report);
}
