/* audit_segment.c - names of the audit log's files, and which there are.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/audit_segment.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "lib/array.h"
#include "lib/err.h"
#include "lib/folder.h"
#include "lib/text.h"

void
audit_segment_path(const char *path, int64_t first, char out[PATH_MAX])
{
	(void)snprintf(out, PATH_MAX, "%s.%" PRId64, path, first);
}

void
audit_segment_stamp(const char *path, const char *day, char out[PATH_MAX])
{
	(void)snprintf(out, PATH_MAX, "%s.%s" AUDIT_STAMP_SUFFIX, path, day);
}

int64_t
audit_segment_day_end(const char *day)
{
	struct tm tm = { 0 };
	const char *end = strptime(day, "%Y-%m-%d", &tm);

	if (end == NULL || *end != '\0')
		return 0;
	tm.tm_mday++;
	return 1000 * (int64_t)timegm(&tm);
}

static int
compare(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

/* "audit.log.17" beside "audit.log". */
static bool
read_names(DIR *folder, const char *name, struct audit_segments *segments, struct err *err)
{
	size_t size = strlen(name);
	struct dirent *entry;
	int64_t first;

	errno = 0;
	while ((entry = readdir(folder)) != NULL) {
		if (text_starts(entry->d_name, name) && entry->d_name[size] == '.' &&
		    text_to_i64(entry->d_name + size + 1, 1, INT64_MAX, &first, NULL)) {
			int64_t *added = array_add(&segments->first, &segments->n, sizeof(*added));

			*added = first;
		}
		errno = 0;
	}
	return errno == 0 || err_errno(err, ERR_IO, errno, "reading the audit log's folder");
}

bool
audit_segments_list(const char *path, struct audit_segments *ret, struct err *err)
{
	const char *slash = strrchr(path, '/');
	CLEANUP(audit_segments_done) struct audit_segments found = { 0 };
	CLEANUP(folder_closep) DIR *folder = NULL;
	char name[PATH_MAX];

	(void)snprintf(name, sizeof(name), "%.*s",
	    slash == NULL     ? 1 :
		slash == path ? 1 :
				(int)(slash - path),
	    slash == NULL ? "." : path);
	folder = opendir(name);
	if (folder == NULL)
		return err_errno(err, ERR_IO, errno, "%s", name);
	if (!read_names(folder, slash == NULL ? path : slash + 1, &found, err))
		return false;
	if (found.n > 1)
		qsort(found.first, found.n, sizeof(found.first[0]), compare);
	*ret = found;
	found = (struct audit_segments){ 0 };
	return true;
}

void
audit_segments_done(struct audit_segments *segments)
{
	free(segments->first);
	*segments = (struct audit_segments){ 0 };
}

/* Of either version; no string of a line holds a quote without a backslash before it. */
void
audit_segment_day(const char *line, size_t size, char out[AUDIT_DAY])
{
	static const char key[] = "\"timestamp\":\"";
	const char *at = memmem(line, size, key, sizeof(key) - 1);

	out[0] = '\0';
	if (at == NULL || (size_t)(line + size - at) < sizeof(key) - 1 + AUDIT_DAY)
		return;
	memcpy(out, at + sizeof(key) - 1, AUDIT_DAY - 1);
	out[AUDIT_DAY - 1] = '\0';
}
