/* judge_inside.h - what both judges have in common: for judge*.c.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "judge/judge.h"

/* Adds a path of the host; refuses one that is not plain.  where is cleaned. */
MUST_USE bool judge_add_path(
    struct judge *judge, const char *where, const char *path, bool is_read_only, struct err *err);

/* Adds the variables that compose would put into this text of line `line`; refuses those that are
 * another value each time, and what not every compose reads as one. */
MUST_USE bool
judge_variables(struct judge *judge, unsigned line, const char *text, struct err *err);

/* ^[A-Za-z0-9<more>]*$ */
MUST_USE bool judge_is_plain(const char *text, const char *more);
