/* row_nonce.h - nonces of APPROVE lines that were accepted, and those of open requests.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * A nonce that stands here is not accepted again: the row is written in the transaction that makes
 * the work.  It goes when both its ts and its arrival are a day old; what is not newer than the
 * newest ts that went is too old for ever, so a clock that is set back accepts nothing twice.
 */
#pragma once

#include "store/tx.h"

#define ROW_NONCE_SIZE 17 /* 16 hex digits and the NUL */

struct nonce_use {
	const char *nonce;
	int64_t person;
	int64_t ts;	  /* of the line, seconds */
	int64_t work;	  /* that it made, or that it was an approval of */
	bool is_requests; /* it is a request's: once for each person; else once for all */
};

/* Was it said already: by that person where is_requests, else by anybody? */
bool row_nonce_is_used(struct tx *tx, const char *nonce, int64_t person, bool is_requests);

/* One that is there already is the tx's failure: nothing of the decision stays. */
void row_nonce_add(struct tx *tx, const struct nonce_use *use);

/* The newest ts, in seconds, of those that went; 0: none did. */
int64_t row_nonce_purged(struct tx *tx);

/* At most so many; true: there may be more. */
bool row_nonce_clear(struct tx *tx, int64_t max);

/* The nonce of a request: it may be said while its work waits for approvals. */
void row_nonce_request(struct tx *tx, const char *nonce, int64_t work);

/* The work that this nonce was made for, whatever became of it; 0: none. */
int64_t row_nonce_work(struct tx *tx, const char *nonce);

/* The nonce that was made for this work; "": none. */
void row_nonce_of(struct tx *tx, int64_t work, char ret[ROW_NONCE_SIZE]);
