/* record.c - folders named by run ids, each with a record that is always true.  Side: agent. */
/* SPDX-License-Identifier: ISC */
#include "agent/record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/text.h"

#define FOLDER_MODE 0750
#define FILE_MODE   0640

static void
name_of(uint64_t id, char ret[24])
{
	(void)snprintf(ret, 24, "%" PRIu64, id);
}

static int
open_folder(int at, const char *name)
{
	return openat(at, name, O_DIRECTORY | O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

int
records_folder(const struct records *records, uint64_t id)
{
	char name[24];

	name_of(id, name);
	return open_folder(records->root, name);
}

/* --- which there are ---------------------------------------------------------------------- */

bool
records_has(const struct records *records, uint64_t id)
{
	for (size_t i = 0; i < records->count; i++)
		if (records->ids[i] == id)
			return true;
	return false;
}

static void
remove_folder(const struct records *records, uint64_t id)
{
	static const char *const files[] = { "record", "log", "socket" };
	CLEANUP(file_closep) int folder = records_folder(records, id);
	char name[24];

	name_of(id, name);
	for (size_t i = 0; folder != -1 && i < COUNT(files); i++)
		(void)unlinkat(folder, files[i], 0);	   /* what was not made */
	(void)unlinkat(records->root, name, AT_REMOVEDIR); /* one that stays keeps its id */
}

/* In order; the lowest makes room.  An id that is lower than all that there is room for is left
 * out. */
static void
add_id(struct records *records, uint64_t id)
{
	size_t at = 0;

	if (records->count == RECORDS_MAX) {
		uint64_t lowest = id < records->ids[0] ? id : records->ids[0];

		remove_folder(records, lowest);
		if (lowest == id)
			return;
		memmove(records->ids, records->ids + 1, --records->count * sizeof(id));
	}
	while (at < records->count && records->ids[at] < id)
		at++;
	memmove(records->ids + at + 1, records->ids + at, (records->count - at) * sizeof(id));
	records->ids[at] = id;
	records->count++;
}

void
records_drop(struct records *records, uint64_t id)
{
	size_t at = 0;

	remove_folder(records, id);
	while (at < records->count && records->ids[at] != id)
		at++;
	if (at == records->count)
		return;
	records->count--;
	memmove(records->ids + at, records->ids + at + 1, (records->count - at) * sizeof(id));
}

static bool
read_names(struct records *records, struct err *err)
{
	int copy = open_folder(records->root, ".");
	DIR *folder = copy == -1 ? NULL : fdopendir(copy);
	const struct dirent *entry;
	int64_t id;

	if (folder == NULL)
		return err_errno(err, ERR_IO, errno, "reading runs/");
	while ((entry = readdir(folder)) != NULL)
		if (text_to_i64(entry->d_name, 1, INT64_MAX, &id, NULL))
			add_id(records, (uint64_t)id);
	(void)closedir(folder);
	return true;
}

bool
records_open(struct records *ret, const char *state, struct err *err)
{
	CLEANUP(file_closep) int at = open(state, O_DIRECTORY | O_RDONLY | O_CLOEXEC);

	*ret = (struct records){ .root = -1 };
	if (at == -1 || (mkdirat(at, "runs", FOLDER_MODE) == 0 ? fsync(at) == -1 : errno != EEXIST))
		return err_errno(err, ERR_CONFIG, errno, "the state folder %s", state);
	ret->root = open_folder(at, "runs");
	if (ret->root == -1)
		return err_errno(err, ERR_CONFIG, errno, "%s/runs", state);
	return read_names(ret, err);
}

/* --- one of them -------------------------------------------------------------------------- */

/* The exit message, NUL bytes, and at the end the capability. */
static bool
write_at(int fd, const char *capability, const struct protocol_record *record, struct err *err)
{
	struct protocol_message message = { .kind = PROTOCOL_EXIT, .record = *record };
	char bytes[RECORD_BYTES] = "";
	size_t size = 0, room = sizeof(bytes) - PROTOCOL_CAPABILITY - 1;

	if (!protocol_encode(&message, bytes, room, &size, err))
		return false;
	memset(bytes + size, 0, sizeof(bytes) - size);
	(void)text_copy(bytes + room, PROTOCOL_CAPABILITY + 1, capability);
	if (pwrite(fd, bytes, sizeof(bytes), 0) == (ssize_t)sizeof(bytes) && fdatasync(fd) == 0)
		return true;
	return err_errno(err, ERR_IO, errno, "writing the record");
}

bool
record_write(
    int folder, const char *capability, const struct protocol_record *record, struct err *err)
{
	CLEANUP(file_closep) int fd = openat(folder, "record", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd != -1 ? write_at(fd, capability, record, err) :
			  err_errno(err, ERR_IO, errno, "opening the record");
}

/* The record, and its name and the folder's flushed. */
static bool
write_first(const struct records *records, int folder, const char *capability, struct err *err)
{
	const struct protocol_record none = { .gate = false };
	CLEANUP(file_closep)
	int fd = openat(folder, "record", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);

	if (fd == -1)
		return err_errno(err, ERR_IO, errno, "making the record");
	return write_at(fd, capability, &none, err) &&
	    ((fsync(folder) == 0 && fsync(records->root) == 0) ||
		err_errno(err, ERR_IO, errno, "flushing the record's name"));
}

int
records_make(struct records *records, uint64_t id, const char *capability, struct err *err)
{
	CLEANUP(file_closep) int folder = -1;
	char name[24];

	name_of(id, name);
	if (mkdirat(records->root, name, FOLDER_MODE) != 0)
		return ERR_FD(err_errno(err, ERR_IO, errno, "making runs/%s", name));
	add_id(records, id);
	folder = records_folder(records, id);
	if (folder != -1 && write_first(records, folder, capability, err))
		return TAKE_FD(folder);
	if (folder == -1)
		(void)err_errno(err, ERR_IO, errno, "opening runs/%s", name);
	records_drop(records, id);
	return -1;
}

void
record_read(int folder, struct protocol_record *ret, char capability[PROTOCOL_CAPABILITY + 1])
{
	CLEANUP(file_closep) int fd = openat(folder, "record", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct protocol_message message;
	char bytes[RECORD_BYTES] = "";
	ssize_t n = fd == -1 ? -1 : pread(fd, bytes, sizeof(bytes), 0);

	capability[0] = '\0';
	*ret = (struct protocol_record){ .gate = false };
	if (fd == -1 ? errno == ENOENT : n >= 0 && n < RECORD_BYTES)
		return; /* its first state was not written: nothing was started */
	if (n == RECORD_BYTES && bytes[RECORD_BYTES - 1] == '\0' &&
	    protocol_decode(bytes, strlen(bytes), &message, NULL) &&
	    message.kind == PROTOCOL_EXIT) {
		*ret = message.record;
		(void)text_copy(capability, PROTOCOL_CAPABILITY + 1,
		    bytes + sizeof(bytes) - PROTOCOL_CAPABILITY - 1);
		return;
	}
	ret->gate = ret->lost = true;
}

int
record_log_open(int folder)
{
	return openat(
	    folder, "log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
}

void
record_log_line(int folder, const char *text)
{
	CLEANUP(file_closep) int fd = record_log_open(folder);

	if (fd != -1)
		(void)!dprintf(fd, "deploybot-agent: %s\n", text); /* or there is no room */
}
