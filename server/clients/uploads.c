/* uploads.c - archives that come in, as files of STATE_DIRECTORY/uploads; never looks into them.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "clients/uploads.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/crash_point.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/folder.h"
#include "lib/mem.h"
#include "lib/sha256.h"
#include "lib/text.h"

#define PART	  ".part"
#define FILE_NAME 96

struct upload {
	struct uploads *uploads;
	struct upload **slot; /* of uploads->held */
	int fd;		      /* -1: it has its name, or is dropped */
	char name[FILE_NAME];
	struct sha256 hash;
	int64_t size;
	struct err err; /* why no more is taken */
};

struct uploads {
	char *path;
	int folder;
	int64_t last;
	unsigned n;
	struct upload *held[UPLOADS_AT_ONCE]; /* n that come, or are not decided on */
};

/* --- the folder --- */

static DIR *
open_folder(const struct uploads *uploads)
{
	return folder_take(openat(uploads->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static bool
remove_parts(const struct uploads *uploads, struct err *err)
{
	CLEANUP(folder_closep) DIR *folder = open_folder(uploads);
	const struct dirent *entry;

	if (folder == NULL)
		return err_errno(err, ERR_IO, errno, "reading %s", uploads->path);
	while ((entry = readdir(folder)) != NULL)
		if (text_ends(entry->d_name, PART) &&
		    unlinkat(uploads->folder, entry->d_name, 0) != 0)
			return err_errno(
			    err, ERR_IO, errno, "removing %s/%s", uploads->path, entry->d_name);
	return true;
}

struct uploads *
uploads_new(const char *state_directory, struct err *err)
{
	struct uploads *uploads = mem_new(1, sizeof(*uploads));

	uploads->path = mem_textf("%s/uploads", state_directory);
	uploads->folder = -1;
	if (file_mkdirs(uploads->path, 0750, err)) {
		uploads->folder =
		    open(uploads->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (uploads->folder < 0)
			(void)err_errno(err, ERR_IO, errno, "opening %s", uploads->path);
		else if (remove_parts(uploads, err))
			return uploads;
	}
	uploads_free(uploads);
	return NULL;
}

void
uploads_free(struct uploads *uploads)
{
	if (uploads == NULL)
		return;
	assert(uploads->n == 0);
	file_closep(&uploads->folder);
	free(uploads->path);
	free(uploads);
}

bool
uploads_has(const struct uploads *uploads, const char *digest)
{
	return faccessat(uploads->folder, digest, R_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

bool
uploads_remove(
    const struct uploads *uploads, const char *digest, int64_t decided_at, struct err *err)
{
	unsigned held = 0;
	struct stat st;

	for (size_t i = 0; i < UPLOADS_AT_ONCE; i++)
		held += uploads->held[i] != NULL && strcmp(uploads->held[i]->name, digest) == 0;
	if (held > 1)
		return true;
	if (fstatat(uploads->folder, digest, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_mtim.tv_sec * INT64_C(1000) + st.st_mtim.tv_nsec / 1000000 > decided_at)
		return true;
	return unlinkat(uploads->folder, digest, 0) == 0 || errno == ENOENT ||
	    err_errno(err, ERR_IO, errno, "removing %s/%s", uploads->path, digest);
}

size_t
uploads_list(const struct uploads *uploads, char (*ret)[LIMIT_DIGEST], size_t room)
{
	CLEANUP(folder_closep) DIR *folder = open_folder(uploads);
	const struct dirent *entry;
	size_t n = 0;

	while (folder != NULL && n < room && (entry = readdir(folder)) != NULL)
		if (text_is_hex(entry->d_name, LIMIT_DIGEST - 1, LIMIT_DIGEST - 1))
			n += text_copy(ret[n], LIMIT_DIGEST, entry->d_name) ? 1 : 0;
	return n;
}

/* --- one that comes --- */

struct upload *
upload_new(struct uploads *uploads, struct err *err)
{
	struct upload *upload, **slot = uploads->held;

	if (uploads->n == UPLOADS_AT_ONCE)
		return ERR_NULL(err_set(
		    err, ERR_BUSY, "%u uploads come already: try again in a moment", uploads->n));
	while (*slot != NULL)
		slot++;
	upload = *slot = mem_new(1, sizeof(*upload));
	upload->uploads = uploads;
	upload->slot = slot;
	uploads->n++;
	sha256_init(&upload->hash);
	text_setf(upload->name, "%" PRId64 PART, ++uploads->last);
	upload->fd = openat(uploads->folder, upload->name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (upload->fd >= 0)
		return upload;
	(void)err_errno(err, ERR_IO, errno, "making a file in %s", uploads->path);
	upload_free(upload);
	return NULL;
}

bool
upload_add(struct upload *upload, const void *data, size_t size)
{
	if (upload->err.code != ERR_NONE)
		return false;
	if (size > (size_t)(LIMIT_UPLOAD - upload->size))
		return err_set(
		    &upload->err, ERR_LIMIT, "more than %d MB", LIMIT_UPLOAD / (1024 * 1024));
	upload->size += (int64_t)size;
	sha256_add(&upload->hash, data, size);
	return file_write_all(upload->fd, data, size, &upload->err);
}

const char *
upload_failure(const struct upload *upload)
{
	return upload->err.code != ERR_NONE ? upload->err.text : "";
}

/* Under its name, on disk. */
static bool
keep(struct upload *upload, struct uploaded *ret, struct err *err)
{
	const struct uploads *uploads = upload->uploads;
	uint8_t hash[SHA256_SIZE];

	if (upload->err.code != ERR_NONE) {
		*err = upload->err;
		return false;
	}
	if (upload->size == 0)
		return err_set(err, ERR_INVALID, "it is empty");
	sha256_end(&upload->hash, hash);
	text_hex(ret->digest, hash, sizeof(hash));
	ret->size = upload->size;
	/* The moment at which it came: of now, and of all of it. */
	if (futimens(upload->fd, NULL) != 0 || fsync(upload->fd) != 0)
		return err_errno(err, ERR_IO, errno, "flushing %s", uploads->path);
	CRASH_POINT(file_written);
	if (renameat(uploads->folder, upload->name, uploads->folder, ret->digest) != 0)
		return err_errno(err, ERR_IO, errno, "naming it in %s", uploads->path);
	text_set(upload->name, ret->digest);
	CRASH_POINT(file_renamed);
	return fsync(uploads->folder) == 0 ||
	    err_errno(err, ERR_IO, errno, "flushing %s", uploads->path);
}

bool
upload_end(struct upload *upload, struct uploaded *ret, struct err *err)
{
	bool is_kept = keep(upload, ret, err);

	file_closep(&upload->fd);
	return is_kept;
}

void
upload_free(struct upload *upload)
{
	if (upload == NULL)
		return;
	if (text_ends(upload->name, PART))
		(void)unlinkat(upload->uploads->folder, upload->name, 0); /* else at the start */
	file_closep(&upload->fd);
	*upload->slot = NULL;
	upload->uploads->n--;
	free(upload);
}
