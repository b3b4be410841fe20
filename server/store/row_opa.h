/* row_opa.h - what OPA was asked of some work last, and what it said: a row for each work.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/opa_verdict.h"

struct opa_row {
	int64_t work; /* 0: there is none */
	int64_t at;   /* wall ms: `at` of its input, by which that can be made again */
	char digest[LIMIT_DIGEST]; /* SHA-256 of that input */
	enum opa_verdict verdict;
	char reason[LIMIT_LINE];
	char decision[OPA_DECISION];
	int tries;     /* in its place, to which no answer came since one did */
	int64_t since; /* wall ms: OPA is asked in its place; 0: it has answered */
	bool is_noted; /* the note of its work says that there was no answer */
	bool is_to_ask; /* asked at the request: a question follows; else it takes a place */
};

/* All zero: nothing was asked yet.  Returns ret. */
struct opa_row *row_opa_get(struct tx *tx, int64_t work, struct opa_row *ret);
void row_opa_set(struct tx *tx, const struct opa_row *row);
void row_opa_drop(struct tx *tx, int64_t work);

/* Git's answer, which waits with its request; returns ret, "": there is none. */
void row_opa_set_git(struct tx *tx, int64_t work, const char *text);
const char *row_opa_git(struct tx *tx, int64_t work, char *ret, size_t room);

/* The push of that environment that was made, and OPA is asked about; 0: there is none. */
int64_t row_opa_push(struct tx *tx, const char *environment);
