/* run_purge.c - removes the folder of a run that is over, a piece at a time.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/run_purge.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clean.h"
#include "lib/file.h"
#include "lib/folder.h"
#include "runner/run_folder.h"

#define FILES_MAX 64 /* in one call; a run's folder holds five */
#define RECORD	  "exit"
#define NAME_ROOM 24
#define CUT_BYTES (64 * 1024 * 1024)

static enum protocol_removal
stay(struct err *err, const char *what)
{
	(void)err_errno(err, ERR_IO, errno, "%s", what);
	return PROTOCOL_REMOVAL_STAY;
}

/* Takes the folder's descriptor.  The record last: what is left when we are killed on the way is
 * still known to be over. */
static enum protocol_removal
remove_files(int folder, struct err *err)
{
	enum protocol_removal done = PROTOCOL_REMOVAL_GONE;
	CLEANUP(folder_closep) DIR *dir = folder_take(folder);
	struct dirent *entry;
	unsigned n = 0;

	if (dir == NULL)
		return stay(err, "its folder");
	while (done == PROTOCOL_REMOVAL_GONE && (entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    strcmp(entry->d_name, RECORD) == 0)
			continue;
		if (n++ == FILES_MAX)
			done = PROTOCOL_REMOVAL_MORE;
		else if (unlinkat(dirfd(dir), entry->d_name, 0) != 0 && errno != ENOENT)
			done = stay(err, entry->d_name);
	}
	if (done == PROTOCOL_REMOVAL_GONE && unlinkat(dirfd(dir), RECORD, 0) != 0)
		done = stay(err, RECORD);
	return done;
}

/* GONE: what is left of the log is little. */
static enum protocol_removal
cut_log(int folder, struct err *err)
{
	CLEANUP(file_closep)
	int log = openat(folder, "log", O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	/* Missing, or nothing that can be cut: deleted as it is. */
	if (log == -1 || fstat(log, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size <= CUT_BYTES)
		return PROTOCOL_REMOVAL_GONE;
	return ftruncate(log, st.st_size - CUT_BYTES) == 0 ? PROTOCOL_REMOVAL_MORE :
							     stay(err, "its log");
}

/* Takes the folder's descriptor. */
static enum protocol_removal
remove_piece(int root, int folder, uint64_t id, struct err *err)
{
	enum protocol_removal done = cut_log(folder, err);
	char name[NAME_ROOM];

	if (done != PROTOCOL_REMOVAL_GONE) {
		(void)close(folder);
		return done;
	}
	done = remove_files(folder, err);
	(void)snprintf(name, sizeof(name), "%" PRIu64, id);
	if (done == PROTOCOL_REMOVAL_GONE && unlinkat(root, name, AT_REMOVEDIR) != 0)
		done = stay(err, "its folder");
	return done;
}

/* Where we were killed behind the record: the kernel removes no folder that has anything in it. */
static bool
was_emptied(int root, uint64_t id)
{
	char name[NAME_ROOM];

	(void)snprintf(name, sizeof(name), "%" PRIu64, id);
	return unlinkat(root, name, AT_REMOVEDIR) == 0;
}

static enum protocol_removal
purge(int root, uint64_t id, struct err *err)
{
	struct protocol_message record;
	int folder = run_folder_open(root, id, err);

	if (folder == -1)
		return err->code == ERR_MISSING ? PROTOCOL_REMOVAL_GONE : PROTOCOL_REMOVAL_STAY;
	switch (run_folder_record_read(folder, &record)) {
	case RUN_FOLDER_RECORD:
	case RUN_FOLDER_FOREIGN:
		return remove_piece(root, folder, id, err);
	default:
		(void)close(folder);
		if (was_emptied(root, id))
			return PROTOCOL_REMOVAL_GONE;
		(void)err_set(err, ERR_DENIED, "it has no exit record: it has not ended");
		return PROTOCOL_REMOVAL_STAY;
	}
}

void
run_purge(int root, uint64_t id, struct protocol_message *ret)
{
	struct err err = { .code = ERR_NONE };
	char text[sizeof(err.text) + 48];

	*ret = (struct protocol_message){ .kind = PROTOCOL_PURGED, .id = id };
	ret->removal = purge(root, id, &err);
	if (ret->removal != PROTOCOL_REMOVAL_STAY)
		return;
	(void)snprintf(text, sizeof(text), "run %" PRIu64 ": %s", id, err.text);
	(void)clean_line(ret->text, sizeof(ret->text), text, strlen(text));
}
