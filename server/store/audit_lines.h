/* audit_lines.h - the lines of the audit log's files, in their order.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <limits.h>
#include <stdio.h>

#include "lib/base.h"
#include "store/audit_chain.h"
#include "store/audit_segment.h"

enum audit_lines_next {
	AUDIT_LINES_LINE,
	AUDIT_LINES_LONG, /* of more than AUDIT_LINE_MAX bytes: none of it is in `line` */
	AUDIT_LINES_CUT,  /* the file ends within it: `line` holds what there is */
	AUDIT_LINES_END,
	AUDIT_LINES_FAILED, /* *err */
};

/* The newest up to the size that it had when it was opened: what comes later is not judged. */
struct audit_lines {
	const char *path; /* of the newest */
	struct audit_segments closed;
	size_t n_read; /* files that were begun */
	FILE *newest;  /* NULL: there is none, or it is the stream */
	int64_t newest_size;
	FILE *stream; /* what is read; NULL: none */
	char name[PATH_MAX]; /* of that file */
	int64_t first;	     /* as its name says; 0: it does not */
	int64_t left;
	int64_t number; /* of the line in that file */
	char line[AUDIT_LINE_MAX + 1];
	size_t size;
};

/* Of zeroed ones.  path NULL, or nothing is there: no line comes. */
bool audit_lines_open(struct audit_lines *lines, const char *path, struct err *err) MUST_USE;
void audit_lines_close(struct audit_lines *lines);

/* The next line into lines->line, without its newline. */
enum audit_lines_next audit_lines_next(struct audit_lines *lines, struct err *err) MUST_USE;

/* False: it is a closed file's first line, and its name says another entry than `seq`. */
bool audit_lines_fits_name(const struct audit_lines *lines, int64_t seq);
