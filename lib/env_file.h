/* env_file.h - reads KEY=VALUE files (.env).  Expands nothing, sets nothing.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 *	# comment, blank lines
 *	NAME=plain value      # a comment begins with a blank and '#'; blanks around are dropped
 *	export NAME=value     the word export is skipped
 *	NAME='as it is'       no escapes inside
 *	NAME="a\n\"b\" \\ \$" escapes \n \t \r \" \\ \$; any other is an error; $ means nothing
 *
 * Quoted values may go over several lines.  Names are [A-Za-z_][A-Za-z0-9_]*.  A file over
 * ENV_FILE_MAX, a NUL, or a name given twice is refused; errors name the line.
 */
#pragma once

#include "lib/base.h"

struct buf;

#define ENV_FILE_MAX (64u * 1024)
#define ENV_FILE_NAMES_MAX 512

struct env_entry {
	char *name;
	char *value;
	unsigned line; /* where it begins */
	unsigned last; /* where it ends */
};

struct env_file {
	struct env_entry *entries;
	size_t count;
};

/* Both fill ret, to be freed with env_file_done; on failure it is left empty.  A NUL stands behind
 * the size bytes of text. */
MUST_USE bool env_file_parse(struct env_file *ret, const char *text, size_t size, struct err *err);
MUST_USE bool env_file_read(struct env_file *ret, const char *path, struct err *err);

/* Wipes and frees; the struct may be all zero. */
void env_file_done(struct env_file *file);

/* A line that is read as this value. */
void env_file_add(struct buf *out, const char *name, const char *value);

/* NULL when it is not there. */
const struct env_entry *env_file_find(const struct env_file *file, const char *name);

/* Its text; NULL when it is not there, or empty: NAME= is as good as not there. */
const char *env_file_text(const struct env_file *file, const char *name);

/* False where it has another name than these: ERR_CONFIG with its line. */
MUST_USE bool env_file_check(
    const struct env_file *file, const char *const names[], size_t count, struct err *err);
