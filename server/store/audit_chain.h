/* audit_chain.h - a line of the audit log, and the chain that holds the lines.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * A line is one JSON object, ASCII, without blanks:
 *
 *   {"timestamp":"2026-11-20T07:10:48.123Z","seq":7,"user_id":…,"action":…,"environment":…,
 *    "commit":…,"outcome":…,"severity":…,"deployment":…,<meta…>,"prev":"<hex>","hash":"<hex>"}
 *
 * Its canonical bytes are the line up to `,"prev":`, and a closing brace.
 * hash = SHA-256(prev as 32 bytes || length as 8 bytes, most significant first || canonical bytes).
 * prev of the first line is all zero.  Whoever keeps the hash of the last line notices any line
 * changed, removed, put in, reordered or cut off the end.
 */
#pragma once

#include "lib/base.h"
#include "types/limits.h"

struct buf;

#define AUDIT_HASH	32
#define AUDIT_LINE_MAX	16384	/* bytes of one line; longer metadata is cut before it is written */

/* The head: all zero before the first line. */
struct audit_chain {
	int64_t seq;
	uint8_t hash[AUDIT_HASH];
};

struct audit_line {
	int64_t at;		/* wall ms */
	const char *user_id;
	const char *action;
	const char *environment; /* NULL or "": null */
	const char *commit;	/* NULL or "": null */
	const char *outcome;
	const char *severity;
	int64_t deployment;	/* 0: null */
	const char *meta;	/* a JSON object's text, "{}" at least */
};

/* Is this the name of a field that metadata must not take? */
bool audit_chain_is_core(const char *name);

/* Appends the line that follows the head, without a newline, and moves the head on. */
bool audit_chain_write(struct audit_chain *head, const struct audit_line *line, struct buf *out,
    struct err *err) MUST_USE;

/* Checks that `text` (one line without its newline) follows the head, and moves the head on.
 * False: *err says what is wrong with which entry; the head stays. */
bool audit_chain_check(struct audit_chain *head, const char *text, size_t size, struct err *err)
    MUST_USE;

/* Which entry this line claims to be; false: it is no audit line. */
bool audit_chain_seq(const char *text, size_t size, int64_t *ret) MUST_USE;

/* The head as people are shown it: 16 hex digits. */
void audit_chain_short(const struct audit_chain *head, char ret_short[LIMIT_AUDIT_HEAD]);
