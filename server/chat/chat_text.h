/* chat_text.h - builds the marked text of a message.  No HTML, no platform.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/buf.h"
#include "lib/commit.h"
#include "lib/zone.h"
#include "types/message.h"

/* Text and marks are literals of ours; values go in by the functions below, which clean them. */
struct chat_text {
	struct buf buf;
};

/* An initialiser.  Nothing is allocated. */
#define CHAT_TEXT_EMPTY { .buf = { .cap = LIMIT_MESSAGE } }

/* Literal text of ours with printf values that are ours too (numbers, names of environments). */
void chat_text_add(struct chat_text *text, const char *fmt, ...) PRINTF(2, 3);

/* In which zone times are said. */
struct chat_clock {
	const struct zone *zone;
	bool is_named; /* there are others: its short name stands behind, "14:02 CET" */
};

/*
 * One value, and in front of it `before`: literal text of ours, "" for none.
 */

/* From outside: cleaned to one line, its marks dropped. */
void chat_text_outside(struct chat_text *text, const char *before, const char *outside);
/* The same where there is one: nothing for "" and NULL. */
void chat_text_some(struct chat_text *text, const char *before, const char *outside);

/* The same of what its author chose, as git and GitHub have it: no '@' and no '·' stay in it, so
 * that it cannot go on as our own words, "· approved by @lead", and nothing in it can be pressed: a
 * word joiner stands in what a chat takes for a command or an address. */
void chat_text_theirs(struct chat_text *text, const char *before, const char *theirs);
/* A subject: the same in quotes, at most so many letters of it; a quote in it becomes "'".  Of one
 * that shows nothing: (no subject).  The second: all of it, and nothing where there is none. */
void chat_text_quoted(
    struct chat_text *text, const char *before, const char *theirs, size_t letters);
void chat_text_subject(struct chat_text *text, const char *before, const char *subject);
/* An author's name; in quotes where it has what reads as ours: "confirmed by …", a sign. */
void chat_text_author(struct chat_text *text, const char *before, const char *author);
void chat_text_ref(struct chat_text *text, const char *before, const char *ref); /* in code */

/* In code marks: a commit's first 7 digits, or the whole of something. */
void chat_text_commit(struct chat_text *text, const char *before, const char *commit);
/* What may be an upload: that, and the first 12 of its digest. */
void chat_text_named(struct chat_text *text, const char *before, enum commit_source source,
    const char *commit);
void chat_text_code(struct chat_text *text, const char *before, const char *outside);

/* What has it deployed once more, and asks first: a command; of an upload, that it is sent. */
void chat_text_again(struct chat_text *text, const char *environment, enum commit_source source,
    const char *commit);

/* "image 3f2a9c1…": what begins a digest ("sha256:…"). */
void chat_text_image(struct chat_text *text, const char *before, const char *image);

/* Lines from outside, as they stand there: each cleaned as above, all in preformatted marks. */
void chat_text_lines(struct chat_text *text, const char *lines);

/* "3 min ago" */
void chat_text_ago(struct chat_text *text, const char *before, int64_t at, int64_t now);
/* "14:02", as that clock shows it; of another day "Mon 2027-01-04 08:00". */
void chat_text_since(struct chat_text *text, const char *before, const struct chat_clock *clock,
    int64_t at, int64_t now);
void chat_text_duration(struct chat_text *text, const char *before, int64_t ms);

/* Appends marked text without its marks, for a terminal, on which a command in code marks is not
 * "/unlock" but "deploybot unlock". */
void chat_text_plain(const char *marked, struct buf *out);

/* Gives the text away (free()); NULL when it is too long. */
char *chat_text_take(struct chat_text *text) MUST_USE;
