/* audit_chain.h - a line of the audit log, and the chain that holds the lines.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * A line is one JSON object as audit_field.h has it.  Lines of the second version follow those of
 * the first in one chain, never the other way round.  prev of the first line is all zero.
 *
 * Version 1:
 *
 *   {"timestamp":"2026-11-20T07:10:48.123Z","seq":7,"user_id":…,"action":…,"environment":…,
 *    "commit":…,"outcome":…,"severity":…,"deployment":…,<meta…>,"prev":"<hex>","hash":"<hex>"}
 *
 * Its canonical bytes are the line up to `,"prev":`, and a closing brace.
 * hash = SHA-256(prev as 32 bytes || length as 8 bytes, most significant first || canonical bytes).
 *
 * Version 2: "version":2, all fields in the order of their names, of which any may be added.
 * hash = SHA-256 of what `jq -cS 'del(.hash)'` prints for the line, with its newline; prev is one
 * of the fields.  That is the line without hash, with characters from U+0080 on as UTF-8.
 *
 * Whoever keeps the hash of the last line notices any line changed, removed, put in, reordered or
 * cut off the end.
 */
#pragma once

#include "lib/base.h"
#include "types/limits.h"

struct buf;

#define AUDIT_HASH     32
#define AUDIT_VERSION  2     /* of what is written */
#define AUDIT_LINE_MAX 16384 /* bytes of one line; longer metadata is cut before it is written */

/* The head: all zero before the first line. */
struct audit_chain {
	int64_t seq;
	int64_t version; /* of that line */
	uint8_t hash[AUDIT_HASH];
};

/* What a line says of itself, and the hash that it has. */
struct audit_claim {
	struct audit_chain is;
	uint8_t prev[AUDIT_HASH];
	uint8_t hash[AUDIT_HASH]; /* as it says; another than is.hash: it was changed */
};

struct audit_line {
	int64_t at; /* wall ms */
	const char *user_id;
	const char *action;
	const char *environment; /* NULL or "": null */
	const char *commit;	 /* NULL or "": null */
	const char *outcome;
	const char *severity;
	int64_t deployment; /* 0: null */
	const char *meta;   /* a flat JSON object's text, "{}" at least */
	int64_t version;    /* AUDIT_VERSION; 1: what stands below is not in it */
	const char *code;
	const char *principal;
	const char *violation; /* this and all below: NULL or "": there is no such field */
	const char *application;
	const char *need;
	const char *factor;
};

/* Is this the name of a field that metadata must not take? */
bool audit_chain_is_core(const char *name);

/* Appends the line that follows the head, without a newline, and moves the head on. */
bool audit_chain_write(struct audit_chain *head, const struct audit_line *line, struct buf *out,
    struct err *err) MUST_USE;

/* Checks that `text` (one line without its newline) follows the head, and moves the head on.
 * False: *err says what is wrong with which entry; the head stays. */
bool audit_chain_check(
    struct audit_chain *head, const char *text, size_t size, struct err *err) MUST_USE;

/* Reads one line, wherever it stands.  False: it is no audit line (ERR_INVALID). */
bool audit_chain_read(
    const char *text, size_t size, struct audit_claim *ret, struct err *err) MUST_USE;

/* Which entry this line claims to be; false: it is no audit line. */
bool audit_chain_seq(const char *text, size_t size, int64_t *ret) MUST_USE;

/* The head as people are shown it: 16 hex digits. */
void audit_chain_short(const struct audit_chain *head, char ret_short[LIMIT_AUDIT_HEAD]);
