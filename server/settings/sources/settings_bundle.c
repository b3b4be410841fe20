/* settings_bundle.c - what a remote runner needs of the files that settings stand in.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/sources/settings_bundle.h"

#include "lib/err.h"
#include "lib/text.h"
#include "settings/settings_inside.h"

bool
settings_is_runner_of(const struct settings *s, const char *runner)
{
	for (size_t i = 0; i < s->environment_count; i++)
		if (strcmp(s->environments[i].runner, runner) == 0)
			return true;
	return false;
}

/* Also one that an application alone has members of: the main file's REGISTRY_HUB_URL. */
static const struct settings_spec *
find_needed(const struct settings *s, const char *runner, const char *name)
{
	const struct settings_spec *spec = settings_runners_spec(s, runner, name);

	for (size_t i = 0; spec == NULL && i < s->application_count; i++)
		if (settings_is_runner_of(s->applications[i], runner))
			spec = settings_runners_spec(s->applications[i], runner, name);
	return spec;
}

static bool
is_transports(const struct settings *s, const char *runner, const char *name)
{
	struct environment_id id;

	for (size_t i = 0; i < s->environment_count; i++)
		if (strcmp(s->environments[i].runner, runner) == 0 &&
		    environment_id_parse(s->environments[i].name, &id) &&
		    setting_is_transports(name, id.name))
			return true;
	return false;
}

bool
settings_bundle(const struct settings *s, const char *runner, const char *path, struct buf *ret,
    struct err *err)
{
	CLEANUP(env_file_done) struct env_file file = { 0 };

	if (!env_file_read(&file, path, err))
		return false;
	for (size_t i = 0; i < file.count; i++) {
		const struct env_entry *entry = &file.entries[i];
		const struct settings_spec *spec = find_needed(s, runner, entry->name);

		if (entry->value[0] == '\0' ||
		    (spec == NULL && !is_transports(s, runner, entry->name)))
			continue;
		if (spec != NULL && spec->is_secret && !text_ends(entry->name, "_FILE"))
			return err_set(err, ERR_CONFIG,
			    "%s (%.150s line %u): a secret itself, which is never in a bundle: let %s_FILE name a file, here and there",
			    entry->name, path, entry->line, entry->name);
		env_file_add(ret, entry->name, entry->value);
	}
	return buf_check(ret, err);
}
