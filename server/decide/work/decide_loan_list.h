/* decide_loan_list.h - whose a loan is, and lists of those that somebody may end or approve.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/limits.h"

struct chat_text;
struct deployment;

/* "#12 stripe of workflow:w02", as what is answered and a button names it; cut.  Returns ret. */
#define DECIDE_LOAN_NAME 64
const char *decide_loan_name(const struct deployment *work, char ret[DECIDE_LOAN_NAME]);

/* Did they ask for it, or approve it?  They may give up what they have, and withdraw what they
 * gave, whatever else they may there; not who has no role any more. */
bool decide_loan_is_theirs(struct tx *tx, int64_t person, const struct deployment *work) MUST_USE;

/* The same, and whoever may cancel there. */
bool decide_loan_may_end(struct tx *tx, int64_t person, const struct deployment *work) MUST_USE;

/* Another one of that secret that whoever asks for this one is lent now; 0: they have none. */
int64_t decide_loan_beside(struct tx *tx, const struct deployment *work);

#define DECIDE_LOANS_FOUND 10
struct decide_loans_found {
	int64_t number[DECIDE_LOANS_FOUND]; /* the first of those that are lent now */
	size_t n;			    /* all of them */
	int64_t ending;			    /* one that is being revoked; 0: none is */
};

/* Those by that name (of an application's also "shop/db-migrate"; "": by any) that this person may
 * end, and a line for each. */
void decide_loan_find(struct tx *tx, int64_t person, const char *name,
    struct decide_loans_found *ret, struct chat_text *text);

/* A line for each that is lent, or not revoked yet, of those that this person may end, and before
 * them for each that is asked for and that they may also approve; nothing where there is none. */
void decide_loan_list(struct tx *tx, int64_t person, struct chat_text *text);
