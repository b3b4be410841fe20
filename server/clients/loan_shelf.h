/* loan_shelf.h - what was lent, until whoever asked for it fetches it.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * A wrapping token of Vault's, or a value, is in memory alone: in no row, event or log.  It is
 * wiped when it is dropped, LOAN_SHELF_MS after it came, and with the shelf; so long Vault itself
 * keeps what it has wrapped.  A value is redacted for longer: whoever was given it may print it.
 */
#pragma once

#include "clients/vault_answer.h"
#include "lib/loop.h"
#include "types/loan.h"

struct loan_shelf;
struct redact;

#define LOAN_SHELF_PLACES 64
#define LOAN_SHELF_VALUES (256u << 10) /* bytes of values, of which each has a share */
#define LOAN_SHELF_MS	  (LOAN_WRAPPED_S * INT64_C(1000)) /* no longer than Vault */

/* redact is borrowed; NULL: no values are kept, and each is refused. */
struct loan_shelf *loan_shelf_new(struct loop *loop, struct redact *redact) MUST_USE;
void loan_shelf_free(struct loan_shelf *shelf); /* takes NULL */

/* That work's, a copy; another one of the same work is replaced.  False: all places are taken, or
 * it is longer than VAULT_TOKEN_MAX bytes. */
bool loan_shelf_put(struct loan_shelf *shelf, int64_t work, const char *token) MUST_USE;

struct loan_value {
	int64_t work;
	const char *who; /* it is lent to: "workflow:shop/deploy", which is of shop's group */
	const char *text;
	int64_t ttl_ms;
};

/* The value itself, which is copied.  From now on redaction knows it, and each text in it where it
 * is JSON: for ttl_ms, LOAN_SHELF_MS at least, whatever becomes of it.  False: redaction cannot
 * know it, as redact_learn_until() says; or ERR_BUSY: all places are taken, or all values would
 * have more than LOAN_SHELF_VALUES bytes, or theirs, or their group's, more than their share of
 * these (lib/share.h); or ERR_INVALID: no values are kept.  What the same work had before is
 * wiped if it succeeds, and where redaction refuses; where there is no room it stays. */
bool loan_shelf_put_value(
    struct loan_shelf *shelf, const struct loan_value *value, struct err *err) MUST_USE;

/* Would a value that they have not been lent surely be refused?  Vault need not be asked. */
bool loan_shelf_is_full(struct loan_shelf *shelf, const char *who) MUST_USE;

/* Is it there, to be given away? */
bool loan_shelf_has(struct loan_shelf *shelf, int64_t work) MUST_USE;

/* A copy, to ask Vault whether somebody has used it; also of one that was given away. */
bool loan_shelf_look(
    struct loan_shelf *shelf, int64_t work, char ret[VAULT_TOKEN_MAX + 1]) MUST_USE;

/* Gives it away, once.  False: it is not there, or not any more. */
bool loan_shelf_take(
    struct loan_shelf *shelf, int64_t work, char ret[VAULT_TOKEN_MAX + 1]) MUST_USE;

/* Gives away a value, once, which is the caller's then, to be wiped and freed.  NULL: none is
 * there, or it is a token. */
char *loan_shelf_take_value(struct loan_shelf *shelf, int64_t work) MUST_USE;

/* Nobody is to have it any more. */
void loan_shelf_drop(struct loan_shelf *shelf, int64_t work);
