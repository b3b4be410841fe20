/* row_factor.h - second factors and recovery codes as rows; opens and closes what is sealed.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/factor_secret.h"

struct factor {
	int64_t person; /* 0: they have none */
	int64_t made_at, made_by;
	int64_t enrolled_at; /* 0: no code has confirmed it yet */
	int64_t last_step;
	int64_t failures; /* in a row */
	int64_t locked_until;
	int64_t picture; /* a version before has shown it in that message; 0: not so */
	int64_t proven_at; /* begun in the chat, and scanned: a code was given; 0: not so */
	int64_t reset_message; /* it ends when this was sent, or at reset_at; 0: it was not reset */
	int64_t reset_at;      /* wall ms at which it ends at the latest; 0: it was not reset */
};

struct factor row_factor_get(struct tx *tx, int64_t person);

/* Makes a secret, in the place of whatever there is, not confirmed yet; the recovery codes of the
 * one before go.  False: it cannot be sealed, *err says why. */
bool row_factor_make(
    struct tx *tx, int64_t person, int64_t by, struct factor_secret *ret, struct err *err) MUST_USE;

/* False: TOTP_KEY_FILE does not open it, *err says why.  Wipe *ret. */
bool
row_factor_open(struct tx *tx, int64_t person, struct factor_secret *ret, struct err *err) MUST_USE;

/* All that changes: enrolled_at and what stands behind it. */
void row_factor_save(struct tx *tx, const struct factor *factor);

/* All of it, recovery codes too. */
void row_factor_drop(struct tx *tx, int64_t person);

/* Seals again what another key than the first has sealed; returns how many cannot be opened. */
int64_t row_factor_reseal(struct tx *tx);

/* The next person who has one, by their number; 0: none. */
int64_t row_factor_next(struct tx *tx, int64_t after);

/* Has anybody one that a code has confirmed? */
bool row_factor_is_any(struct tx *tx);

/* How many have a factor, for who is no decision; -1: it cannot be read (NULL).
 * *ret_unreadable: whose keys (NULL: none) do not open it. */
int64_t row_factor_look(struct db *db, const struct seal_keys *keys, int64_t *ret_unreadable);

/* Adds one; takes one, which is then no more: false: there is none such. */
void row_factor_add_recovery(struct tx *tx, int64_t person, const struct factor_secret *secret,
    const uint8_t code[TOTP_RECOVERY]);
bool row_factor_take_recovery(struct tx *tx, int64_t person, const struct factor_secret *secret,
    const uint8_t code[TOTP_RECOVERY]) MUST_USE;
void row_factor_drop_recovery(struct tx *tx, int64_t person);
int64_t row_factor_count_recovery(struct tx *tx, int64_t person);
