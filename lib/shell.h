/* shell.h - text as one word of a shell.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

struct buf;

/* Appends it in single quotes (POSIX.1-2017, Shell Command Language, 2.2.2): no letter of it is
 * read as another.  For who pastes a line: no program of ours runs one. */
void shell_add_word(struct buf *out, const char *text);
