/* audit_compare_inside.h - a comparison, and how it says what it finds: for audit_compare*.c.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/text.h"
#include "store/audit_compare.h"
#include "store/audit_lines.h"

#define DETAIL	600
#define PAYLOAD 16

/* A line that is not, at its place, what the witness has. */
struct odd {
	int64_t seq;	/* as it says; 0: it cannot be read */
	int64_t before; /* entry of the line before it; 0: that is odd too, or there is none */
	int64_t most;	/* the greatest entry before it */
	size_t name;
	int64_t line;
	char *text; /* NULL: not kept */
	size_t size;
	uint8_t payload[PAYLOAD];
	int64_t match; /* the entry that it is, under whatever number; 0: none */
	bool has_payload;
	bool is_covered; /* the witness has this number */
	bool is_sound;	 /* its hash is its own */
	bool follows;	 /* number and prev are behind the line before it */
	int64_t behind;	 /* entry of the line before it, whatever that is; 0: there is none */
	int64_t next;	 /* entry of the line behind it; 0: there is none, or it is no line */
	bool is_followed; /* that one's number and prev are behind it */
};

struct compare {
	struct audit_lines *lines;
	struct audit_copy *copy;
	struct audit_head **heads; /* by their digits */
	size_t n_heads;
	audit_found_fn *found;
	void *ctx;
	struct audit_finding pending;
	char detail[DETAIL];
	bool has_pending;
	bool is_faulty; /* a finding in the log */
	bool has_hole;	/* a number does not follow the one before it, whatever the witness has */

	struct removal {
		int64_t seq;		     /* the entry that says so; 0: none does */
		int64_t last;		     /* up to this entry closed files went */
		char head[LIMIT_AUDIT_HEAD]; /* of that one */
		char at[TEXT_TIME_SIZE];
	} removal;			   /* the newest */
	char first_prev[LIMIT_AUDIT_HEAD]; /* what the least entry of the log follows */

	struct audit_claim last; /* line that could be read; is.seq 0: none yet */
	int64_t last_same;	 /* it is as the witness has it, with this number; else 0 */
	bool last_is_odd;	 /* the line directly before is the last of `odd` */
	int64_t most;		 /* the greatest number that was the witness's, or by itself */
	struct odd *odd;
	size_t n_odd, room_odd;
	char **names;
	size_t n_names;
	struct audit_compared result;
};

/* --- audit_compare_read.c --- */

/* All lines of the log, beside c->copy; heads: see audit_compare().  What has no partner is in
 * c->odd then, and the copy's entries say which were found. */
bool audit_compare_read(struct compare *c, const char *path, struct audit_head *heads,
    size_t n_heads, struct err *err) MUST_USE;

/* Hands a finding on, once no neighbour can be joined to it. */
void audit_compare_tell(struct compare *c, const struct audit_finding *finding);
void audit_compare_flush(struct compare *c);

/* All of a line but what ties it to its place.  ret_has false: it has no fields to be read. */
bool audit_compare_payload(const char *line, size_t size, uint8_t out[PAYLOAD], bool *ret_has,
    struct err *err) MUST_USE;

/* Is it by AUDIT_KEEP_DAYS that the log begins behind this entry?  Then its first line follows the
 * head that was stated when it went. */
bool audit_compare_is_by_rule(const struct compare *c, int64_t last);
/* "entry 12 of 2026-11-20T07:10:48.123Z" */
const char *audit_compare_removal_text(const struct compare *c, char out[DETAIL]);

/* --- audit_compare_foreign.c --- */

/* From c->odd[i] on, sound lines behind each other in whose place the witness has others: they are
 * told as one, and what differs in few of them by itself.  Returns how many; 0: too few. */
size_t audit_compare_foreign(struct compare *c, size_t i);
