/* settings_watch.c - one look at the files, compared with the look before.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/sources/settings_watch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/array.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "settings/settings_table.h"

#define USERS "/etc/passwd"

struct settings_watched {
	char application[ENVIRONMENT_NAME_MAX];
	uint64_t seen;	/* its stamp at the last look */
	uint64_t taken; /* its stamp when it was last read; 0: never */
	bool is_still;	/* two looks in a row saw it the same */
	bool is_refused;
	unsigned gone; /* so many looks in a row did not see it */
};

/* --- the settings file, and secrets --- */

/* 0: it cannot be read now. */
static uint64_t
stamp_of_file(const char *path)
{
	struct stat status;

	return path == NULL || stat(path, &status) != 0 ? 0 : settings_stamp(&status);
}

static uint64_t
add_values(uint64_t mark, const struct settings_value values[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (values[i].file != NULL)
			mark = mark * 31 + stamp_of_file(values[i].file);
	return mark;
}

static uint64_t
add_secrets(uint64_t mark, const struct settings_inside *in)
{
	mark = add_values(mark, in->values, SETTING_COUNT);
	for (size_t m = 0; m < in->member_count; m++) {
		const struct settings_member *member = in->members[m];

		mark = add_values(mark, member->values, member->value_count);
		for (size_t i = 0; i < member->special_count; i++)
			mark = add_values(mark, &member->specials[i].value, 1);
	}
	return mark;
}

/* Changes when one of those files does. */
static uint64_t
mark_of(const struct settings_watch *watch, const struct settings *settings)
{
	uint64_t mark = add_secrets(stamp_of_file(watch->env_file), settings->inside);

	if (settings_next_member(settings, FAMILY_LOCAL, &(size_t){ 0 }) != NULL)
		mark = mark * 31 + stamp_of_file(watch->users);
	for (size_t i = 0; i < settings->application_count; i++)
		mark = add_secrets(mark, settings->applications[i]->inside);
	return mark;
}

/* --- the folder --- */

static uint64_t
mark_of_refused(const struct settings_folder *folder)
{
	uint64_t mark = folder->refused_count;

	for (size_t i = 0; i < folder->refused_count; i++) {
		for (const char *c = folder->refused[i].file; *c != '\0'; c++)
			mark = mark * 31 + (unsigned char)*c;
		for (const char *c = folder->refused[i].reason; *c != '\0'; c++)
			mark = mark * 31 + (unsigned char)*c;
	}
	return mark;
}

static struct settings_watched *
find(const struct settings_watch *watch, const char *application)
{
	for (size_t i = 0; i < watch->count; i++)
		if (strcmp(watch->files[i].application, application) == 0)
			return &watch->files[i];
	return NULL;
}

static const struct settings_folder_file *
find_in(const struct settings_folder *folder, const char *application)
{
	for (size_t i = 0; i < folder->count; i++)
		if (strcmp(folder->files[i].application, application) == 0)
			return &folder->files[i];
	return NULL;
}

/* One that was not there before; it was seen this once. */
static void
add(struct settings_watch *watch, const struct settings_folder_file *file)
{
	struct settings_watched *added = array_add(&watch->files, &watch->count, sizeof(*added));

	added->seen = file->stamp;
	text_set(added->application, file->application); /* of the same size */
}

static void
compare(struct settings_watched *watched, const struct settings_folder *folder)
{
	const struct settings_folder_file *file = find_in(folder, watched->application);

	watched->is_refused = file == NULL &&
	    settings_refused_has(folder->refused, folder->refused_count, watched->application,
		strlen(watched->application));
	watched->gone = file != NULL || watched->is_refused ? 0 : watched->gone + 1;
	watched->is_still = file != NULL && file->stamp == watched->seen;
	if (file != NULL)
		watched->seen = file->stamp;
}

/* False: nothing is known of the files now, and watch->error says why. */
static bool
look_into_folder(
    struct settings_watch *watch, const struct settings *settings, struct settings_folder *folder)
{
	const char *given = settings_text(settings, SETTING_APPS_DIRECTORY);
	char directory[SETTING_PART_MAX + 1];
	struct err err = { .text = "" };

	*folder = (struct settings_folder){ 0 };
	watch->error[0] = '\0';
	if (!setting_apps_directory(watch->env_file, given, directory))
		return true;
	if (settings_folder_read(folder, directory, watch->env_file, &err)) {
		if (folder->count + folder->refused_count > 0 || watch->count == 0)
			return true;
		text_setf(err.text, "%.200s is empty", directory);
	} else if (watch->count == 0 && given == NULL && err.code == ERR_MISSING) {
		return true;
	}
	text_setf(watch->error, "%.230s", err.text); /* cut is fine */
	return false;
}

/* --- what is to be read --- */

static bool
is_due(const struct settings_watched *watched)
{
	return watched->gone >= SETTINGS_WATCH_GONE_AFTER ||
	    (watched->is_still && watched->seen != watched->taken);
}

static void
drop_gone(struct settings_watch *watch)
{
	size_t n = 0;

	for (size_t i = 0; i < watch->count; i++)
		if (watch->files[i].gone < SETTINGS_WATCH_GONE_AFTER)
			watch->files[n++] = watch->files[i];
	watch->count = n;
}

/* The list of the look becomes the list of what is read. */
static void
make_list(struct settings_watch *watch, bool all, bool is_known, struct settings_folder *folder)
{
	struct settings_folder_file *files = mem_new(watch->count + 1, sizeof(*files));

	for (size_t i = 0; i < watch->count; i++) {
		struct settings_watched *watched = &watch->files[i];
		bool is_there = is_known && watched->gone == 0 && !watched->is_refused;

		files[i].is_kept = !is_there || !(watched->is_still || all);
		text_set(files[i].application, watched->application); /* of the same size */
		if (!files[i].is_kept)
			watched->taken = watched->seen;
	}
	free(folder->files);
	folder->files = files;
	folder->count = watch->count;
	settings_folder_sort(folder);
}

bool
settings_watch_look(struct settings_watch *watch, const struct settings *settings, bool all,
    struct settings_folder *ret)
{
	uint64_t main = mark_of(watch, settings), refused;
	bool is_known = look_into_folder(watch, settings, ret);
	bool due = all || (main == watch->main_seen && main != watch->main_taken);

	for (size_t i = 0; is_known && i < watch->count; i++) {
		compare(&watch->files[i], ret);
		due = due || is_due(&watch->files[i]);
	}
	for (size_t i = 0; i < ret->count; i++)
		if (find(watch, ret->files[i].application) == NULL)
			add(watch, &ret->files[i]);
	refused = is_known ? mark_of_refused(ret) : watch->refused_seen;
	due = due || (refused == watch->refused_seen && refused != watch->refused_taken);
	watch->main_seen = main;
	watch->refused_seen = refused;
	if (watch->env_file != NULL && stamp_of_file(watch->env_file) == 0 && !all)
		due = false; /* an editor is just about to put it back */
	if (!due) {
		settings_folder_done(ret);
		return false;
	}
	watch->main_taken = main;
	watch->refused_taken = refused;
	drop_gone(watch);
	make_list(watch, all, is_known, ret);
	return true;
}

void
settings_watch_init(
    struct settings_watch *watch, const char *env_file, const struct settings *settings)
{
	struct settings_folder folder;

	*watch = (struct settings_watch){ .env_file = env_file, .users = USERS };
	watch->main_seen = mark_of(watch, settings);
	(void)look_into_folder(watch, settings, &folder); /* said at the first look */
	for (size_t i = 0; i < folder.count; i++)
		add(watch, &folder.files[i]);
	watch->refused_seen = mark_of_refused(&folder);
	settings_folder_done(&folder);
}

bool
settings_watch_has_any(const struct settings_watch *watch, const struct settings *settings)
{
	return watch->env_file != NULL || watch->main_seen != 0 ||
	    settings_is_given(settings, SETTING_APPS_DIRECTORY);
}

void
settings_watch_done(struct settings_watch *watch)
{
	free(watch->files);
	*watch = (struct settings_watch){ 0 };
}
