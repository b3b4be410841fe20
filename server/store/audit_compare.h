/* audit_compare.h - the log against what is kept outside: what was done to it?  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"
#include "store/audit_copy.h"

/* A head that somebody kept, and since when. */
struct audit_head {
	char digits[2 * AUDIT_HASH + 1]; /* lower case, 8 at least */
	int64_t at;			 /* wall ms; 0: nobody says */
	int64_t seq;			 /* the entry; 0: none has it */
	char *by;   /* of the heap, the caller's: who stamped it, and in which file; NULL: nobody */
	char *file; /* the same: that file's name, without its folder */
};

/* False: no 8 to 64 hexadecimal digits. */
bool audit_head_read(struct audit_head *ret, const char *digits, int64_t at) MUST_USE;

struct audit_compared {
	int64_t entries; /* lines of the log that are some */
	int64_t first, last; /* their least and greatest number; 0: there are none */
	char head[LIMIT_AUDIT_HEAD]; /* of the last line that is one */
	int64_t same;		     /* entries as the witness has them */
	int64_t covered;	     /* the newest that it has; 0: none */
	int64_t newer;		     /* entries behind that */
	int64_t flawless; /* the chain is whole from the first line up to here */
};

struct audit_compare_config {
	const char *log;	  /* its path; those of its files that are closed stand beside it */
	struct audit_copy *copy;  /* NULL: by its own chain and the heads alone */
	struct audit_head *heads; /* their seq is set */
	size_t n_heads;
	audit_found_fn *found; /* each finding comes once, neighbours as one */
	void *ctx;
};

/* Reads the log's files, no database.  False: something could not be read. */
bool audit_compare(const struct audit_compare_config *config, struct audit_compared *ret,
    struct err *err) MUST_USE;
