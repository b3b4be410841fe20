/* judge_inside.h - what both judges have in common: for judge*.c.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "judge/judge.h"

/* Adds a path of the host; refuses one that is not plain.  where is cleaned. */
MUST_USE bool
judge_add_path(struct judge *judge, const char *where, const char *path, struct err *err);

/* ^[A-Za-z0-9<more>]*$ */
MUST_USE bool judge_is_plain(const char *text, const char *more);
