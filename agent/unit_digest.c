/* unit_digest.c - a file of a unit is looked at, read and hashed.  Side: agent. */
/* SPDX-License-Identifier: ISC */
#include "agent/unit_digest.h"

#include <endian.h>
#include <errno.h>
#include <libgen.h>
#include <sys/stat.h>

#include "lib/err.h"
#include "lib/file.h"
#include "lib/mem.h"
#include "lib/path.h"

static bool
check_is_roots(const char *path, struct err *err)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return err_errno(err, ERR_IO, errno, "looking at %s", path);
	if (S_ISLNK(st.st_mode) || st.st_uid != 0)
		return err_set(err, ERR_DENIED, "%s is a link, or does not belong to root", path);
	return (st.st_mode & 022) == 0 ||
	    err_set(err, ERR_DENIED, "%s may be written by others (mode %04o)", path,
		(unsigned)(st.st_mode & 07777));
}

static bool
add(struct crypto_sha256 *hash, const void *data, size_t size, struct err *err)
{
	uint32_t big = htobe32((uint32_t)size);

	return crypto_sha256_add(hash, &big, sizeof(big), err) &&
	    crypto_sha256_add(hash, data, size, err);
}

bool
unit_digest_add(struct crypto_sha256 *hash, const char *path, struct err *err)
{
	CLEANUP(freep) char *folder = mem_text(path), *data = NULL;
	size_t size = 0;

	/* Where these hold only root can put another file there before it is read. */
	if (!check_is_roots(path, err) || !check_is_roots(dirname(folder), err) ||
	    !path_is_safe(path, err))
		return false;
	data = file_read_ours(path, UNIT_DIGEST_FILE_MAX, &size, err);
	return data != NULL && add(hash, path, strlen(path), err) && add(hash, data, size, err);
}
