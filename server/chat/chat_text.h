/* chat_text.h - builds the marked text of a message.  No HTML, no platform.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/buf.h"
#include "types/message.h"

/* Text and marks are literals of ours; values go in by the functions below, which clean them. */
struct chat_text {
	struct buf buf;
};

void chat_text_init(struct chat_text *text);

/* Literal text of ours with printf values that are ours too (numbers, names of environments). */
void chat_text_add(struct chat_text *text, const char *fmt, ...) PRINTF(2, 3);

/*
 * One value, and in front of it `before`: literal text of ours, "" for none.
 */

/* From outside: cleaned to one line, its marks dropped. */
void chat_text_outside(struct chat_text *text, const char *before, const char *outside);

/* In code marks: a commit's first 7 digits, or the whole of something. */
void chat_text_commit(struct chat_text *text, const char *before, const char *commit);
void chat_text_code(struct chat_text *text, const char *before, const char *outside);

/* "image 3f2a9c1…": what begins a digest ("sha256:…"). */
void chat_text_image(struct chat_text *text, const char *before, const char *image);

/* "3 min ago" */
void chat_text_ago(struct chat_text *text, const char *before, int64_t at, int64_t now);
void chat_text_duration(struct chat_text *text, const char *before, int64_t ms);

/* Appends marked text without its marks: for a terminal. */
void chat_text_plain(const char *marked, struct buf *out);

/* Gives the text away (free()); NULL when memory was short. */
char *chat_text_take(struct chat_text *text) MUST_USE;
