/* text_clean.h - makes text from outside safe to show: one line or many, nothing invisible.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * What comes out is UTF-8 without control characters (but '\n', and '\t' as a blank), without
 * bidirectional and zero-width characters, line separators and byte order marks.  Invalid bytes
 * become U+FFFD.  So nothing that a stranger writes can hide, reorder, or carry our own marks.
 */
#ifndef TEXT_CLEAN_H
#define TEXT_CLEAN_H

#include <stdint.h>

#include "lib/base.h"

enum text_clean_lines {
	TEXT_CLEAN_ONE_LINE,	/* '\n' becomes a blank; blanks at both ends go */
	TEXT_CLEAN_LINES,	/* '\n' stays */
};

/* Writes the cleaned form of size bytes into out, cut between characters to fit room with its
 * NUL (room > 0).  Returns its bytes.  out may be text itself when room > size. */
size_t text_clean(char *out, size_t room, const char *text, size_t size,
    enum text_clean_lines lines);

/* A character that must never be shown: control (but '\n'), bidirectional, zero-width, … */
bool text_clean_is_hidden(uint32_t code);

#endif
