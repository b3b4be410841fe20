/* unit_file.c - opens each file of a unit once, looks at it there, and hashes what it read.  Side: agent. */
/* SPDX-License-Identifier: ISC */
#include "agent/unit_file.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/crypto.h"
#include "lib/file.h"
#include "lib/mem.h"
#include "lib/path.h"
#include "lib/text.h"

static bool
check_owner(const char *path, const struct stat *st, struct err *err)
{
	if (S_ISLNK(st->st_mode))
		return err_set(err, ERR_DENIED, "%s is a link", path);
	if (st->st_uid != 0)
		return err_set(err, ERR_DENIED, "%s belongs to user %u, not to root", path,
		    (unsigned)st->st_uid);
	return (st->st_mode & 022) == 0 ||
	    err_set(err, ERR_DENIED, "%s may be written by others (mode %04o)", path,
		(unsigned)(st->st_mode & 07777));
}

static bool
check_folder(const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	CLEANUP(freep)
	char *folder = mem_textn(path, slash == NULL ? 0 : (size_t)(slash - path));
	struct stat st;

	if (folder[0] == '\0' || lstat(folder, &st) != 0)
		return err_set(err, ERR_INVALID, "%s stands in no folder", path);
	return check_owner(folder, &st, err) && path_is_safe(path, err);
}

/* Its bytes in *ret, to be freed. */
static bool
read_file(const char *path, char **ret, size_t *ret_size, struct err *err)
{
	CLEANUP(file_closep)
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	ssize_t n;

	if (fd == -1 && errno == ELOOP)
		return err_set(err, ERR_DENIED, "%s is a link", path);
	if (fd == -1 || fstat(fd, &st) != 0)
		return err_errno(err, ERR_IO, errno, "reading %s", path);
	if (!check_owner(path, &st, err))
		return false;
	if (!S_ISREG(st.st_mode) || st.st_size > UNIT_FILE_MAX)
		return err_set(
		    err, ERR_INVALID, "%s is no file of at most %d bytes", path, UNIT_FILE_MAX);
	*ret = mem_alloc(UNIT_FILE_MAX + 1);
	*ret_size = 0;
	do {
		n = read(fd, *ret + *ret_size, UNIT_FILE_MAX + 1 - *ret_size);
		*ret_size += n > 0 ? (size_t)n : 0;
	} while (n > 0 || (n == -1 && errno == EINTR));
	if (n == 0 && *ret_size <= UNIT_FILE_MAX)
		return true;
	return err_set(err, ERR_IO, "%s cannot be read, or grows", path);
}

static bool
add(struct crypto_sha256 *hash, const void *data, size_t size, struct err *err)
{
	uint32_t big = htobe32((uint32_t)size);

	return crypto_sha256_add(hash, &big, sizeof(big), err) &&
	    crypto_sha256_add(hash, data, size, err);
}

static bool
add_file(struct crypto_sha256 *hash, const char *path, struct err *err)
{
	CLEANUP(freep) char *data = NULL;
	size_t size = 0;

	return check_folder(path, err) && read_file(path, &data, &size, err) &&
	    add(hash, path, strlen(path), err) && add(hash, data, size, err);
}

bool
unit_file_digest(char *const paths[], size_t count, char ret[UNIT_FILE_DIGEST], struct err *err)
{
	CLEANUP(crypto_sha256_freep) struct crypto_sha256 *hash = crypto_sha256_new(err);
	uint8_t digest[CRYPTO_SHA256_SIZE];

	for (size_t i = 0; i < count && hash != NULL; i++)
		if (!add_file(hash, paths[i], err))
			return false;
	if (hash == NULL || !crypto_sha256_finish(hash, digest, err))
		return false;
	text_hex(ret, digest, sizeof(digest));
	return true;
}
