/* audit_difference.h - in which fields two audit lines with one number differ.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

struct audit_difference_lines {
	const char *was;
	size_t was_size;
	const char *is;
	size_t is_size;
};

/* Fills out (room bytes with the NUL; at least 64): user_id was "telegram:1", is "telegram:2", ...
 * who, what and when before all else, long values and the end cut.  Of the hash, which follows from
 * them, it says only whether it was made to fit.  "": one of them is no audit line. */
void audit_difference(const struct audit_difference_lines *of, char *out, size_t room);

/* The same, field by field, without those of the chain.  text: `user_id was "a", is "b"`.  Both are
 * borrowed for the call. */
typedef void audit_difference_fn(void *ctx, const char *key, const char *text);
void audit_difference_each(
    const struct audit_difference_lines *of, audit_difference_fn *each, void *ctx);
