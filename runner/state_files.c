/* state_files.c - what is live in each environment, as a remote runner's server says it.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/state_files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/environment_id.h"
#include "lib/file.h"
#include "lib/folder.h"
#include "lib/text.h"

#define NUMBER "number"
#define ENDING ".json"

static bool
path_of(const char *folder, const char *name, char ret[PATH_MAX], struct err *err)
{
	return snprintf(ret, PATH_MAX, "%s/%s", folder, name) < PATH_MAX ||
	    err_set(err, ERR_LIMIT, "the path of %s is too long", name);
}

/* 0: there is none yet. */
static bool
read_number(const char *path, uint64_t *ret, struct err *err)
{
	char text[32];
	ssize_t size = file_read_small(AT_FDCWD, path, text, sizeof(text));
	int64_t number = 0;

	if (size == -1 && errno != ENOENT)
		return err_errno(err, ERR_IO, errno, "%s", path);
	if (size >= 0 && !text_to_i64(text, 0, INT64_MAX, &number, NULL))
		return err_set(err, ERR_INVALID, "%.200s is no number", path);
	*ret = (uint64_t)number;
	return true;
}

/* Before any file: whatever ends us then, none is of a higher one. */
static bool
take_number(const char *folder, uint64_t number, struct err *err)
{
	char path[PATH_MAX], text[32];
	uint64_t highest = 0;

	if (!path_of(folder, NUMBER, path, err) || !read_number(path, &highest, err))
		return false;
	if (number < highest)
		return err_set(err, ERR_INVALID,
		    "it is of audit entry %" PRIu64 " and older than what is here, of %" PRIu64
		    ": where the server was restored, remove environments/" NUMBER,
		    number, highest);
	if (number == highest)
		return true;
	(void)snprintf(text, sizeof(text), "%" PRIu64, number);
	return file_write(path, text, strlen(text), 0640, err);
}

/* At each hello all of them come again. */
static bool
is_there(const char *path, const struct protocol_message *said)
{
	size_t size;
	CLEANUP(freep) char *old = file_read(path, PROTOCOL_STATE_MAX, &size, NULL);

	return old != NULL && size == said->body_len && memcmp(old, said->body, size) == 0;
}

static bool
take_file(const char *folder, const struct protocol_message *said, struct err *err)
{
	char text[ENVIRONMENT_ID_MAX], file[ENVIRONMENT_ID_MAX];
	char name[ENVIRONMENT_ID_MAX + sizeof(ENDING)], path[PATH_MAX];
	struct environment_id id;

	(void)environment_id_text(said->application, said->environment, text);
	if (!environment_id_parse(text, &id) || environment_client(text) != NULL)
		return err_set(err, ERR_INVALID, "%s is no environment", text);
	(void)snprintf(name, sizeof(name), "%s" ENDING, environment_id_file(text, file));
	if (!path_of(folder, name, path, err))
		return false;
	if (said->body_len > 0)
		return is_there(path, said) ||
		    file_write(path, said->body, said->body_len, 0640, err);
	if (unlink(path) != 0)
		return errno == ENOENT || err_errno(err, ERR_IO, errno, "removing %s", path);
	return file_flush_name(path, err);
}

/* --- behind the last of them --- */

/* The next of the names that stand in the list, a line each; NULL: none is left. */
static const char *
next_name(const struct protocol_message *list, const char *at, size_t *ret_size)
{
	const char *end = list->body + list->body_len, *stop = memchr(at, '\n', (size_t)(end - at));

	if (stop == NULL)
		return NULL;
	*ret_size = (size_t)(stop - at);
	return at;
}

static bool
is_listed(const struct protocol_message *list, const char *name)
{
	size_t size = 0;

	for (const char *at = list->body; (at = next_name(list, at, &size)) != NULL; at += size + 1)
		if (size == strlen(name) && memcmp(at, name, size) == 0)
			return true;
	return false;
}

static bool
remove_others(DIR *folder, const struct protocol_message *list, struct err *err)
{
	size_t kept = 0, listed = 0, size = 0;

	for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		const char *name = entry->d_name;

		if (is_listed(list, name))
			kept++;
		else if (name[0] != '.' && strcmp(name, NUMBER) != 0 &&
		    unlinkat(dirfd(folder), name, 0) != 0)
			return err_errno(err, ERR_IO, errno, "removing environments/%s", name);
	}
	for (const char *at = list->body; (at = next_name(list, at, &size)) != NULL; at += size + 1)
		listed++;
	return kept == listed ||
	    err_set(err, ERR_INVALID, "of %zu that were listed %zu are here", listed, kept);
}

static bool
take_list(const char *path, const struct protocol_message *list, struct err *err)
{
	CLEANUP(folder_closep) DIR *folder = opendir(path);

	if (folder == NULL)
		return err_errno(err, ERR_IO, errno, "%s", path);
	return remove_others(folder, list, err) &&
	    (fsync(dirfd(folder)) == 0 || err_errno(err, ERR_IO, errno, "flushing %s", path));
}

bool
state_files_take(const char *state, const struct protocol_message *said, struct err *err)
{
	char folder[PATH_MAX];

	return path_of(state, "environments", folder, err) && file_mkdirs(folder, 0750, err) &&
	    take_number(folder, said->id, err) &&
	    (said->environment[0] != '\0' ? take_file(folder, said, err) :
					    take_list(folder, said, err));
}
