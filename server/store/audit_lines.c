/* audit_lines.c - reads the log's closed files, then the newest one, line by line.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/audit_lines.h"

#include <errno.h>
#include <sys/stat.h>

#include "lib/err.h"
#include "lib/text.h"

/* One that a server closes in this moment is the newest and the last closed one: read once. */
static void
drop_doubled(struct audit_lines *f, const struct stat *newest)
{
	char path[PATH_MAX];
	struct stat st;

	if (f->closed.n == 0)
		return;
	audit_segment_path(f->path, f->closed.first[f->closed.n - 1], path);
	if (stat(path, &st) == 0 && st.st_dev == newest->st_dev && st.st_ino == newest->st_ino)
		f->closed.n--;
}

bool
audit_lines_open(struct audit_lines *f, const char *path, struct err *err)
{
	struct stat st = { 0 };

	f->path = path;
	if (path == NULL)
		return true;
	f->newest = fopen(path, "re");
	if (f->newest == NULL && errno != ENOENT)
		return err_errno(err, ERR_IO, errno, "%s", path);
	if (f->newest != NULL && fstat(fileno(f->newest), &st) != 0)
		return err_errno(err, ERR_IO, errno, "%s", path);
	if (!audit_segments_list(path, &f->closed, err)) {
		if (f->newest == NULL)
			err->code = ERR_NONE; /* no folder either: nothing is there */
		return err->code == ERR_NONE;
	}
	if (f->newest != NULL) {
		f->newest_size = st.st_size;
		drop_doubled(f, &st);
	}
	return true;
}

static void
close_stream(struct audit_lines *f)
{
	if (f->stream != NULL)
		(void)fclose(f->stream);
	f->stream = NULL;
}

void
audit_lines_close(struct audit_lines *f)
{
	close_stream(f);
	if (f->newest != NULL)
		(void)fclose(f->newest);
	audit_segments_done(&f->closed);
}

/* The next file; false: there is none, or *err. */
static bool
next_file(struct audit_lines *f, struct err *err)
{
	struct stat st;

	close_stream(f);
	f->number = 0;
	f->first = 0;
	if (f->n_read < f->closed.n) {
		f->first = f->closed.first[f->n_read++];
		audit_segment_path(f->path, f->first, f->name);
		f->stream = fopen(f->name, "re");
		if (f->stream == NULL || fstat(fileno(f->stream), &st) != 0)
			return err_errno(err, ERR_IO, errno, "%s", f->name);
		f->left = st.st_size;
		return true;
	}
	if (f->newest == NULL)
		return false;
	(void)text_copy(f->name, sizeof(f->name), f->path);
	f->stream = f->newest;
	f->newest = NULL;
	f->left = f->newest_size;
	return true;
}

bool
audit_lines_fits_name(const struct audit_lines *f, int64_t seq)
{
	return f->first == 0 || f->number > 1 || seq == f->first;
}

enum audit_lines_next
audit_lines_next(struct audit_lines *f, struct err *err)
{
	bool is_long = false;
	int c;

	f->size = 0;
	while (f->left == 0) {
		err->code = ERR_NONE;
		if (!next_file(f, err))
			return err->code == ERR_NONE ? AUDIT_LINES_END : AUDIT_LINES_FAILED;
	}
	f->number++;
	while (f->left > 0 && (c = getc_unlocked(f->stream)) != EOF) {
		f->left--;
		if (c == '\n')
			return is_long ? AUDIT_LINES_LONG : AUDIT_LINES_LINE;
		if (f->size == AUDIT_LINE_MAX)
			is_long = true;
		else
			f->line[f->size++] = (char)c;
	}
	if (ferror_unlocked(f->stream) != 0) {
		(void)err_errno(err, ERR_IO, errno, "reading %s", f->name);
		return AUDIT_LINES_FAILED;
	}
	f->left = 0;
	return is_long ? AUDIT_LINES_LONG : AUDIT_LINES_CUT;
}
