/* row_loan.h - what is known of a token that Vault has made for a loan, until it is over.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * The token itself is in no row: the loop keeps it until it is fetched (clients/loan_shelf.h).
 */
#pragma once

#include "store/tx.h"
#include "types/delivery.h"

struct deployment;

/* STATE(NAME, word on disk) */
#define LOAN_STATES(STATE) \
	STATE(ASKED, "asked")	/* Vault makes it, or is about to */ \
	STATE(KEPT, "kept")	/* the loop has it */ \
	STATE(GIVEN, "given")	/* whoever asked for it has it */ \
	STATE(ENDING, "ending") /* it is being revoked */ \
	STATE(OVER, "over")

enum loan_state {
#define STATE(name, word) LOAN_##name,
	LOAN_STATES(STATE)
#undef STATE
	LOAN_STATE_COUNT
};

struct loan_row {
	int64_t work; /* 0: there is none */
	enum loan_state state;
	char accessor[LIMIT_ACCESSOR]; /* "": none is known */
	int64_t until; /* wall ms: Vault ends it by itself then, at the latest */
	int64_t timer; /* TIMER_LOAN; 0: none */
	int64_t chat;	 /* it is sent there, to a person; 0: it is fetched over /v1 */
	int64_t message; /* Telegram's id of the message with it; 0: there is none */
};

struct loan_row row_loan_get(struct tx *tx, int64_t work);
void row_loan_save(struct tx *tx, const struct loan_row *row);

/* The open work by which this very job has asked for that secret there; 0: none. */
int64_t row_loan_of_job(
    struct tx *tx, const char *environment, const char *name, const struct job *job);

/* The open work by which that person has asked for that secret there, in that chat (0: over /v1);
 * 0: none. */
int64_t row_loan_of_person(
    struct tx *tx, const char *environment, const char *name, int64_t person, int64_t chat);

/* The newest loan below `before` that may still be had or used, of the job that is over, or of its
 * run where the job is not named; 0: there is none. */
int64_t row_loan_over(struct tx *tx, const struct delivery_job *job, int64_t before);

/* The next work there, behind `after` (0 at first), that is to lend something and has not ended; 0:
 * there is no more. */
int64_t row_loan_open(struct tx *tx, const char *environment, int64_t after);

/* Was that person given that secret there since then?  Of the newest works there, which are enough
 * for an hour. */
bool row_loan_was_of(
    struct tx *tx, const struct deployment *like, int64_t person, int64_t since) MUST_USE;

/* Those that may still be had or used, or are being revoked, of that principal; 0: of all. */
int64_t row_loan_count(struct tx *tx, int64_t person);

/* The same of all workflows of the application that this one is of, or of the main file. */
int64_t row_loan_count_application(struct tx *tx, int64_t workflow);

/* The next one of that state behind `after`, 0 at first; 0: there is no more. */
int64_t row_loan_next(struct tx *tx, enum loan_state state, int64_t after);
