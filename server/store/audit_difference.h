/* audit_difference.h - in which fields two audit lines with one number differ.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

/* Fills out (room bytes with the NUL; at least 64): user_id was "telegram:1", is "telegram:2", ...
 * who, what and when before all else, long values and the end cut.  Of the hash, which follows from
 * them, it says only whether it was made to fit.  "": one of them is no audit line. */
void audit_difference(
    const char *was, size_t was_size, const char *is, size_t is_size, char *out, size_t room);

/* Do they differ in that field? */
bool audit_difference_has(
    const char *was, size_t was_size, const char *is, size_t is_size, const char *key);
