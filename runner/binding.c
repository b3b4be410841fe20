/* binding.c - what ships an environment, as the list that an approval is bound to.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/binding.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/text.h"

#define HOOK_NAME_MAX 80 /* bytes in the list; of a longer one the mark tells */
#define WORD_MAX      (HOOK_NAME_MAX + 80)
#define MORE_ROOM     40 /* of the last word */

/* As deploy/hooks.sh runs them. */
static const char *const kinds[] = { "pre-build", "pre-start", "pre-deploy", "post-deploy",
	"pre-rollback", "post-rollback" };

struct maker {
	struct buf list;
	size_t left;		       /* bytes of files that are still read */
	char more[FINGERPRINT_DIGEST]; /* of the words that found no room; "": all did */
};

static void
add_word(struct maker *maker, const char *word)
{
	char chain[FINGERPRINT_DIGEST + WORD_MAX];

	if (maker->more[0] == '\0' &&
	    maker->list.size + strlen(word) + MORE_ROOM < FINGERPRINT_LIST_MAX) {
		buf_addf(&maker->list, "%s%s", maker->list.size > 0 ? " " : "", word);
		return;
	}
	(void)snprintf(chain, sizeof(chain), "%s %s", maker->more, word);
	(void)fingerprint_digest(chain, maker->more);
}

/* --- files ------------------------------------------------------------------------------------ */

/* Whoever replaces it cannot set the time of its inode. */
static void
add_state(struct buf *word, const char *name, const char *why, const struct stat *status)
{
	char state[160];
	CLEANUP(buf_done) struct buf mark = buf_make(sizeof(state));

	(void)snprintf(state, sizeof(state), "%ju %jd %jd.%09ld %jd.%09ld",
	    (uintmax_t)status->st_ino, (intmax_t)status->st_size, (intmax_t)status->st_mtim.tv_sec,
	    status->st_mtim.tv_nsec, (intmax_t)status->st_ctim.tv_sec, status->st_ctim.tv_nsec);
	fingerprint_add_bytes(&mark, "", state, strlen(state));
	buf_addf(word, "%s=%s-%s", name, why, buf_text(&mark) + 1);
}

static void
add_file(struct maker *maker, const char *name, const char *path)
{
	struct stat status = { 0 };
	CLEANUP(buf_done) struct buf word = buf_make(WORD_MAX);
	CLEANUP(freep) char *bytes = NULL;
	size_t size = 0;
	bool is_large;

	if (stat(path, &status) == -1)
		status = (struct stat){ 0 };
	is_large = status.st_size > BINDING_FILE_MAX || (size_t)status.st_size > maker->left;
	if (!is_large)
		bytes = file_read(path, BINDING_FILE_MAX, &size, NULL);
	if (bytes != NULL) {
		fingerprint_add_bytes(&word, name, bytes, size);
		maker->left -= size < maker->left ? size : maker->left;
	} else {
		add_state(&word, name, is_large ? "large" : "unreadable", &status);
	}
	add_word(maker, buf_text(&word));
}

/* --- hooks ------------------------------------------------------------------------------------ */

static int
is_shown(const struct dirent *entry)
{
	return entry->d_name[0] != '.'; /* as * of a shell */
}

static int
compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* The list has blanks and "=" between its parts, and is shown: another name gets a mark of all of
 * it behind what can be said. */
static void
name_hook(const char *kind, const char *file, char ret[HOOK_NAME_MAX])
{
	static const char plain[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+@-";
	size_t size = strspn(file, plain);
	char digest[FINGERPRINT_DIGEST];

	if (file[size] == '\0' && strlen(kind) + 1 + size < HOOK_NAME_MAX)
		(void)snprintf(ret, HOOK_NAME_MAX, "%s/%.*s", kind, (int)size, file);
	else
		(void)snprintf(ret, HOOK_NAME_MAX, "%s/%.*s~%.16s", kind,
		    size < 32 ? (int)size : 32, file, fingerprint_digest(file, digest));
}

static void
add_hooks(struct maker *maker, const char *folder, const char *kind)
{
	struct dirent **entries = NULL;
	char path[PATH_MAX], name[HOOK_NAME_MAX];
	struct stat status;
	int n = -1;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, kind) < sizeof(path))
		n = scandir(path, &entries, is_shown, compare_names);
	for (int i = 0; i < n; i++) {
		const char *file = entries[i]->d_name;

		name_hook(kind, file, name);
		if ((size_t)snprintf(path, sizeof(path), "%s/%s/%s", folder, kind, file) <
			sizeof(path) &&
		    stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0)
			add_file(maker, name, path);
		free(entries[i]);
	}
	free(entries);
}

static bool
find_folder(
    struct runner_settings *settings, const char *scripts, char ret[PATH_MAX], struct err *err)
{
	const char *folder = NULL;

	if (!runner_settings_text(settings, "HOOKS_DIRECTORY", &folder, err))
		return false;
	if (folder != NULL)
		(void)text_copy(ret, PATH_MAX, folder); /* fits */
	else
		(void)snprintf(ret, PATH_MAX, "%s/hooks.d", scripts);
	return true;
}

static void
add_all_hooks(struct maker *maker, struct runner_settings *settings, const char *scripts)
{
	char folder[PATH_MAX];

	if (!find_folder(settings, scripts, folder, NULL))
		return; /* nor does a run begin with it */
	for (size_t i = 0; i < COUNT(kinds); i++)
		add_hooks(maker, folder, kinds[i]);
}

void
binding_hooks(const char *folder, char ret[BINDING_HOOKS_MAX])
{
	char digest[FINGERPRINT_DIGEST];
	size_t used = 0;

	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct maker maker = { .left = BINDING_FILES_MAX };

		buf_init(&maker.list, FINGERPRINT_LIST_MAX);
		add_hooks(&maker, folder, kinds[i]);
		buf_addf(&maker.list, " %s", maker.more);
		used += (size_t)snprintf(ret + used, BINDING_HOOKS_MAX - used, "%s%s=%s",
		    i > 0 ? " " : "", kinds[i],
		    buf_check(&maker.list, NULL) ?
			fingerprint_digest(buf_text(&maker.list), digest) :
			"too-long"); /* another one than any */
		buf_done(&maker.list);
	}
}

bool
binding_hooks_of(struct runner_settings *settings, const char *scripts, char ret[BINDING_HOOKS_MAX],
    struct err *err)
{
	char folder[PATH_MAX];

	if (!find_folder(settings, scripts, folder, err))
		return false;
	binding_hooks(folder, ret);
	return true;
}

/* --- the rest --------------------------------------------------------------------------------- */

static void
add_script(struct maker *maker, struct runner_settings *settings, const char *name)
{
	const char *path = NULL;
	char word[HOOK_NAME_MAX];

	(void)snprintf(word, sizeof(word), "script/%s", name);
	if (runner_settings_text(settings, name, &path, NULL) && path != NULL)
		add_file(maker, word, path);
}

static void
add_transports_of(struct maker *maker, const struct env_file *file, const char *environment)
{
	char name[HOOK_NAME_MAX];

	for (size_t i = 0; i < file->count; i++) {
		const struct env_entry *entry = &file->entries[i];
		CLEANUP(buf_done) struct buf word = buf_make(WORD_MAX);

		if (!setting_is_transports(entry->name, environment))
			continue;
		(void)snprintf(name, sizeof(name), "transport/%.60s", entry->name);
		fingerprint_add_bytes(&word, name, entry->value, strlen(entry->value));
		add_word(maker, buf_text(&word));
	}
}

bool
binding_list(struct runner_settings *settings, const char *environment, const char *scripts,
    char ret[FINGERPRINT_LIST_MAX], struct err *err)
{
	const bool has_own = settings->application[0] != '\0';
	struct maker maker = { .left = BINDING_FILES_MAX };
	bool good;

	buf_init(&maker.list, FINGERPRINT_LIST_MAX - 1);
	buf_adds(&maker.list, runner_settings_fingerprint(settings, environment, ret));
	runner_settings_add_environ(settings, environment, &maker.list);
	add_transports_of(&maker, &settings->own, environment);
	add_transports_of(&maker, &settings->main, has_own ? "" : environment);
	add_script(&maker, settings, "DEPLOY_SCRIPT");
	add_script(&maker, settings, "ROLLBACK_SCRIPT");
	add_script(&maker, settings, "VERIFY_COMMAND");
	add_all_hooks(&maker, settings, scripts);
	if (maker.more[0] != '\0')
		buf_addf(
		    &maker.list, "%smore/hooks=%.16s", maker.list.size > 0 ? " " : "", maker.more);
	good = buf_check(&maker.list, err) &&
	    text_copy(ret, FINGERPRINT_LIST_MAX, buf_text(&maker.list));
	buf_done(&maker.list);
	return good;
}
