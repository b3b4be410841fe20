/* audit_day.c - looks at the ends of the log's files.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/audit_day.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/file.h"
#include "lib/text.h"

#define FILES_MAX 40

void
audit_day_path(const char *path, const char *day, char out[PATH_MAX])
{
	(void)snprintf(out, PATH_MAX, "%s.%s" AUDIT_STAMP_SUFFIX, path, day);
}

int64_t
audit_day_end(const char *day)
{
	struct tm tm = { 0 };
	const char *end = strptime(day, "%Y-%m-%d", &tm);

	if (end == NULL || *end != '\0')
		return 0;
	tm.tm_mday++;
	return 1000 * (int64_t)timegm(&tm);
}

/* The last whole line of what stands there; false: there is none, or it is no entry. */
static bool
read_last(const char *tail, size_t size, struct audit_day *ret)
{
	const char *end = memrchr(tail, '\n', size);
	const char *before = end == NULL ? NULL : memrchr(tail, '\n', (size_t)(end - tail));
	const char *line = before == NULL ? tail : before + 1;
	struct audit_claim claim;

	if (end == NULL || !audit_chain_read(line, (size_t)(end - line), &claim, NULL) ||
	    memcmp(claim.hash, claim.is.hash, AUDIT_HASH) != 0)
		return false;
	audit_segment_day(line, (size_t)(end - line), ret->day);
	ret->seq = claim.is.seq;
	memcpy(ret->hash, claim.is.hash, AUDIT_HASH);
	return true;
}

/* False with ERR_NONE: it is not there, is empty, or ends with no entry. */
static bool
read_end(const char *path, struct audit_day *ret, struct err *err)
{
	CLEANUP(file_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char tail[2 * (AUDIT_LINE_MAX + 1)];
	struct stat st;
	off_t from;
	ssize_t got;

	err->code = ERR_NONE;
	if (fd < 0)
		return errno != ENOENT && err_errno(err, ERR_IO, errno, "%s", path);
	if (fstat(fd, &st) != 0)
		return err_errno(err, ERR_IO, errno, "%s", path);
	from = st.st_size > (off_t)sizeof(tail) ? st.st_size - (off_t)sizeof(tail) : 0;
	got = pread(fd, tail, sizeof(tail), from);
	if (got < 0)
		return err_errno(err, ERR_IO, errno, "%s", path);
	return read_last(tail, (size_t)got, ret);
}

/* Of the files from the newest to the oldest: the last that is wanted stays. */
static bool
look(const char *file, const char *path, const char *today, char seen[AUDIT_DAY],
    struct audit_day *ret, struct err *err)
{
	struct audit_day found = { 0 };
	char stamp[PATH_MAX];

	if (!read_end(file, &found, err))
		return err->code == ERR_NONE;
	if (found.day[0] == '\0' || strcmp(found.day, seen) == 0)
		return true;
	(void)text_copy(seen, AUDIT_DAY, found.day);
	audit_day_path(path, found.day, stamp);
	if (strcmp(found.day, today) < 0 && access(stamp, F_OK) != 0)
		*ret = found;
	return true;
}

bool
audit_day_unstamped(const char *path, const char *today, struct audit_day *ret, struct err *err)
{
	CLEANUP(audit_segments_done) struct audit_segments closed = { 0 };
	char file[PATH_MAX], seen[AUDIT_DAY] = "";
	bool ok;

	*ret = (struct audit_day){ 0 };
	if (!audit_segments_list(path, &closed, err))
		return false;
	ok = look(path, path, today, seen, ret, err);
	for (size_t i = 0; ok && i < closed.n && i < FILES_MAX; i++) {
		audit_segment_path(path, closed.first[closed.n - 1 - i], file);
		ok = look(file, path, today, seen, ret, err);
	}
	return ok;
}
