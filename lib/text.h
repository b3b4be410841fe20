/* text.h - checks, measures, converts and cuts text.  Never allocates.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdio.h>

#include "lib/base.h"

/* --- UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF) --- */

/* Bytes of the code point at text, which is stored in *ret; 0 when size is 0 or the bytes are
 * not UTF-8 (then skip one byte and show U+FFFD). */
size_t text_decode(const char *text, size_t size, uint32_t *ret);

/* Writes the UTF-8 form of a code point; returns its bytes, 1 to 4.  A surrogate or a number
 * above U+10FFFF is written as U+FFFD. */
size_t text_encode(uint32_t code, char out[4]);

/* UTF-16 units (what Telegram counts) of size bytes; an invalid byte counts as one. */
size_t text_utf16_length(const char *text, size_t size);

/* Bytes of the longest prefix with at most units UTF-16 units that ends between characters. */
size_t text_utf16_cut(const char *text, size_t size, size_t units);

/* Bytes of the longest prefix of at most max bytes that ends between characters. */
size_t text_cut(const char *text, size_t size, size_t max);

/* --- ASCII --- */

bool text_same_ci(const char *a, const char *b);
bool text_starts(const char *text, const char *prefix);
bool text_starts_ci(const char *text, const char *prefix);
bool text_ends(const char *text, const char *suffix);

/* Where the word stands among the words; count: nowhere. */
size_t text_index(const char *word, const char *const words[], size_t count);

/* No control characters (below 0x20, 0x7f). */
bool text_is_plain(const char *text);

/* [a-z0-9][a-z0-9.-]*, at most max bytes. */
bool text_is_word(const char *text, size_t max);

/* Copies with its NUL; false when it did not fit (then it is cut between characters). */
bool text_copy(char *out, size_t room, const char *text);

/* Into the whole of an array of chars: a text, cut as text_copy() does, or what is printed, cut as
 * snprintf() does.  Of a pointer neither compiles. */
#define text_set(out, text)    ((void)text_copy(out, TEXT_ROOM(out), text))
#define text_setf(out, ...)    ((void)snprintf(out, TEXT_ROOM(out), __VA_ARGS__))
#define TEXT_IS_POINTER(out)   __builtin_types_compatible_p(__typeof__(out), __typeof__(&(out)[0]))
#define TEXT_ROOM(out)	       (sizeof(out) + 0 * sizeof(char[1 - 2 * TEXT_IS_POINTER(out)]))

/* --- hex --- */

/* Writes 2 * size lower-case digits and a NUL. */
void text_hex(char *out, const void *data, size_t size);

/* Decodes exactly size bytes from exactly 2 * size hex digits (either case). */
MUST_USE bool text_unhex(void *out, size_t size, const char *hex, size_t digits);

/* True for min to max hex digits of either case and nothing else. */
bool text_is_hex(const char *text, size_t min, size_t max);

/* --- numbers --- */

/* A decimal integer: an optional '-', digits, and nothing else (no blanks, no '+', no leading
 * zeros).  Outside min..max is an error.  *ret is untouched on failure. */
MUST_USE bool text_to_i64(
    const char *text, int64_t min, int64_t max, int64_t *ret, struct err *err);

/* true/false, yes/no, on/off, 1/0 in either case. */
MUST_USE bool text_to_bool(const char *text, bool *ret, struct err *err);

/* A size in bytes: digits and an optional K, M, G (or KiB, MiB, GiB; powers of 1024). */
MUST_USE bool text_to_size(const char *text, int64_t max, int64_t *ret, struct err *err);

/* --- time (wall clock, ms since 1970, UTC) --- */

#define TEXT_TIME_SIZE 32
#define TEXT_DURATION_SIZE 32

/* "2026-11-20T07:10:48Z"; text_time_ms has ".123" before the Z.  Years 0 to 9999, else clamped.
 * Return out. */
const char *text_time(char out[TEXT_TIME_SIZE], int64_t at_ms);
const char *text_time_ms(char out[TEXT_TIME_SIZE], int64_t at_ms);

/* "0.4 s", "9 s", "1 min 20 s", "3 h 5 min", "2 d 4 h": two units at most.  Below 1 s one
 * decimal; negative counts as 0.  Returns out. */
const char *text_duration(char out[TEXT_DURATION_SIZE], int64_t ms);

/* One unit, rounded down: "12 s", "3 min", "3 h", "2 d".  Returns out. */
const char *text_age(char out[TEXT_DURATION_SIZE], int64_t ms);

/* "812 B", "1.4 MB" (powers of 1000).  Returns out. */
const char *text_bytes(char out[TEXT_DURATION_SIZE], uint64_t bytes);

/* --- did you mean --- */

/* Insertions, deletions, replacements and swaps of neighbours (Damerau-Levenshtein, restricted)
 * between two ASCII words, without case; words longer than 64 bytes are SIZE_MAX apart unless
 * they are the same. */
size_t text_distance(const char *a, const char *b);

/* The name nearest to word, or NULL when none is within a third of its length (at least 1). */
const char *text_nearest(const char *word, const char *const names[], size_t count);
