/* audit_end.c - the last entry of the audit log's files: does the database still have it?  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/audit_end.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/db.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/mem.h"
#include "store/audit_segment.h"

#define TAIL (4 * (AUDIT_LINE_MAX + 1)) /* whole lines, and one that was cut off */

/* The last line that is what it says: one may be cut off, and a power cut leaves holes. */
static void
find_end(const char *tail, size_t size, struct audit_chain *ret)
{
	const char *end, *line;
	struct audit_claim claim;

	for (; (end = memrchr(tail, '\n', size)) != NULL; size = (size_t)(end - tail)) {
		line = memrchr(tail, '\n', (size_t)(end - tail));
		line = line == NULL ? tail : line + 1;
		if (audit_chain_read(line, (size_t)(end - line), &claim, NULL) &&
		    memcmp(claim.hash, claim.is.hash, AUDIT_HASH) == 0) {
			*ret = claim.is;
			return;
		}
	}
}

/* ret->seq stays where none is in it, or it is not there. */
static bool
read_end(const char *path, struct audit_chain *ret, struct err *err)
{
	CLEANUP(freep) char *tail = mem_alloc(TAIL);
	CLEANUP(file_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t size = 0;
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return true;
	if (fd < 0 || fstat(fd, &st) != 0 ||
	    (size = pread(fd, tail, TAIL, st.st_size > TAIL ? st.st_size - TAIL : 0)) < 0)
		return err_errno(err, ERR_IO, errno, "%s", path);
	find_end(tail, (size_t)size, ret);
	return true;
}

bool
audit_end_read(const char *path, struct audit_chain *ret, struct err *err)
{
	CLEANUP(audit_segments_done) struct audit_segments closed = { 0 };
	char name[PATH_MAX];

	*ret = (struct audit_chain){ 0 };
	if (!read_end(path, ret, err))
		return false;
	if (ret->seq != 0)
		return true;
	if (!audit_segments_list(path, &closed, err))
		return false;
	if (closed.n > 0)
		audit_segment_path(path, closed.first[closed.n - 1], name);
	return closed.n == 0 || read_end(name, ret, err);
}

bool
audit_end_is_in(
    struct db *db, const struct audit_chain *end, bool *ret, int64_t *ret_newest, struct err *err)
{
	int64_t n;

	*ret = false;
	if (!db_one_i64(ret_newest, db, err, "SELECT COALESCE(MAX(seq), 0) FROM audit") ||
	    !db_one_i64(&n, db, err, "SELECT COUNT(*) FROM audit WHERE seq = $1 AND hash = $2",
		DB_I64(end->seq), DB_BLOB(end->hash, AUDIT_HASH)))
		return false;
	*ret = n > 0 || end->seq == 0;
	return true;
}
