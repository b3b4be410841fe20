/* clean.h - text from outside made safe to show: no controls, no escapes, no direction tricks.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

/* May this code point change how the text around it is read?  C0 and C1 controls, bidirectional
 * marks and overrides (U+061C, U+200E-F, U+202A-E, U+2066-9), zero-width characters
 * (U+200B-D, U+2060, U+FEFF) and others that show nothing (soft hyphen, U+034F, …), line and
 * paragraph separators, tags (U+E0000-E007F). */
bool clean_is_harmful(uint32_t code);

/*
 * One line of text: whatever is harmful or no UTF-8 is left out, runs of blanks (tabs, line
 * ends, spaces of any width and letters that show nothing, as U+3164, are blanks) become one,
 * none at the ends; cut with an ellipsis between characters where it does not fit.  Returns out.
 */
const char *clean_line(char *out, size_t room, const char *text, size_t size);

/* The same for text of several lines: line ends stay. */
const char *clean_text(char *out, size_t room, const char *text, size_t size);

/* Is it UTF-8, all of it?  A NUL is. */
bool clean_is_utf8(const char *text, size_t size);

/* In place: a byte that is no UTF-8 becomes '?', so that nothing grows. */
void clean_bytes(char *text);

/* How many bytes of a double quote, or of what reads as one, stand there; 0: none does. */
size_t clean_quote(const char *at);
