/* compare_aid.h - a log, its copy at the witness, and what their comparison finds.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/buf.h"
#include "lib/err.h"
#include "store/audit_chain.h"
#include "store/audit_compare.h"
#include "unit.h"

#define ENTRIES	  12
#define OBJECT	  3 /* entries of one */
#define SEEN_MAX  64
#define DAY_MS	  INT64_C(86400000)
#define LINES_MAX 64

struct seen {
	enum audit_found what;
	int64_t first, last;
	char detail[640];
};

struct world {
	char folder[64], log[96];
	char *line[LINES_MAX]; /* of the log, without newlines */
	size_t n;
	struct buf text;
	struct audit_copy *copy;
	struct audit_compared result;
	struct seen seen[SEEN_MAX];
	size_t n_seen;
	struct err err;
};

/* Around each test: a log of ENTRIES, and objects of it at the witness. */
int compare_aid_set_up(void **state);
int compare_aid_tear_down(void **state);
#define COMPARE_TEST(name) \
	TEST_OF(name, struct world *w, compare_aid_set_up, compare_aid_tear_down)

void compare_aid_on_found(void *ctx, const struct audit_finding *finding);

/* Writes the line of this content behind the head; so many more entries of the log. */
char *compare_aid_line(struct audit_chain *head, const char *content);
void compare_aid_lines(struct world *w, struct audit_chain *chain, int64_t n);

void compare_aid_remove_line(struct world *w, size_t at);
void compare_aid_insert_line(struct world *w, size_t at, char *line);

/* As somebody would who owns the machine: from line `at` on, numbers and hashes are made to fit. */
void compare_aid_hash_anew(struct world *w, size_t at, size_t skip, const char *extra);

/* A witness without anything; entries first to last of the log as it is now; no more. */
void compare_aid_new_copy(struct world *w);
void compare_aid_add_object(struct world *w, size_t first, size_t last, int64_t at);
void compare_aid_finish_copy(struct world *w);

/* Lays out the log's bytes as they would be. */
void compare_aid_lay_out(struct world *w);

/* Compares such a log, or these bytes, with the copy. */
void compare_aid_run(struct world *w);
void compare_aid_bytes(struct world *w, const void *bytes, size_t size);

/* Was this found? */
bool compare_aid_saw(const struct world *w, enum audit_found what, int64_t first, int64_t last);
/* Is it named in what is wrong with the log? */
bool compare_aid_is_named(const struct world *w, int64_t seq);
void compare_aid_fail(const struct world *w, const char *what, int64_t first, int64_t last);

/* So many were found, and this is one of them. */
#define ASSERT_SAW(w, n, what, first, last) \
	do { \
		if ((w)->n_seen != (n) || !compare_aid_saw(w, FOUND_##what, first, last)) \
			compare_aid_fail(w, #what, first, last); \
	} while (0)
