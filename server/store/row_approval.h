/* row_approval.h - who approved which work, when, as what; what was shown to them.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "policy/needs.h"
#include "store/tx.h"

/* One of each person counts; a row that was voided stays, with why. */
void row_approval_add(struct tx *tx, int64_t work, const struct approval *approval);
void row_approval_void(struct tx *tx, int64_t work, int64_t person, const char *why);

/* Those not voided, the oldest first; returns how many. */
size_t row_approval_list(struct tx *tx, int64_t work, struct approval ret[NEEDS_APPROVALS_MAX]);

/* Has that person one there that is not voided? */
bool row_approval_is_of(struct tx *tx, int64_t work, int64_t person);

/* Is there one of anybody that was voided? */
bool row_approval_has_void(struct tx *tx, int64_t work);

/* What is asked for: since when, until which timer, and the changes as they were shown (marked
 * text; ""). */
struct approval_request {
	int64_t asked_at; /* 0: it was never */
	int64_t timer;
	bool is_reminded;
	int64_t n_changes; /* commits between what was live and it */
	char changes[LIMIT_MESSAGE / 2];
	char binding[NEEDS_BINDING]; /* what they are asked about */
	int64_t left_at;	     /* since then nobody is asked; 0: somebody is */
};
void row_approval_ask(struct tx *tx, int64_t work, const struct approval_request *request);
struct approval_request *
row_approval_request(struct tx *tx, int64_t work, struct approval_request *ret);
void row_approval_set_timer(struct tx *tx, int64_t work, int64_t timer, bool is_reminded);
void row_approval_leave(struct tx *tx, int64_t work);

/* What is approved there, or awaits it, on its branch, is compared with that from now on; but for
 * this commit. */
void row_approval_set_compared(
    struct tx *tx, const char *environment, const char *but, const char *compared);

/* Work that awaits approvals, behind that number, the oldest first; 0: there is no other. */
int64_t row_approval_next(struct tx *tx, int64_t after);

/* Those of one environment, the oldest first; returns how many. */
size_t row_approval_list_waiting(struct tx *tx, const char *environment, int64_t *ret, size_t max);

/* The same of work that has an approval of that person and has not begun. */
int64_t row_approval_next_of(struct tx *tx, int64_t person, int64_t after);

/* Does a message of it stand in that chat that is not older than the newest time it was asked for,
 * nor newer than what has that id there (0: unknown)? */
bool row_approval_is_shown(struct tx *tx, int64_t work, int64_t chat, int64_t before);
