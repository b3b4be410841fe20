/* decide_factor_try.h - a code is asked for, and taken, only for what is done with it.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * The one way to a code, whichever way it comes in: on a pad, in a line, in a request to /v1.  What
 * needs one (decide_factor_is_wanted()) is first tried as if a right one had been given, and undone
 * (tx_try.h).  Where that only says something it was refused: that answer stays, and no code is
 * asked for, or taken.  What does no more than say something (a view) never needs one: REQUIRE_OTP
 * does not take its word (settings_otp.c).
 */
#pragma once

#include "store/tx.h"
#include "types/update.h"

/* Decides on what the update wants; it is called more than once. */
typedef void decide_factor_fn(struct tx *tx, const struct update *update, void *arg);

/* After true: who asks is a program, which has no second factor; that is said, and in the audit.
 * Where the target asks for a confirmation it is asked of who confirms. */
void decide_factor_refuse_program(
    struct tx *tx, const struct update *update, const struct request *request);

/* Calls it.  True: nothing was done, and with a code it would be.  False: it is decided. */
bool decide_factor_asks(
    struct tx *tx, const struct update *update, decide_factor_fn *act, void *arg) MUST_USE;

enum decide_factor_end {
	FACTOR_REFUSED,	   /* that was said */
	FACTOR_ASKS_FIRST, /* by now it would only ask a question; nothing was done */
	FACTOR_WANTED,	   /* it would be done, and nothing was */
};

/* The same of what a code has come with, which counts also where none is needed any more. */
enum decide_factor_end decide_factor_try(
    struct tx *tx, const struct update *update, decide_factor_fn *act, void *arg) MUST_USE;

/* The same of what needs one whatever REQUIRE_OTP says, also where it only asks a question: nothing
 * was done.  what: "approve 12"; false: it was refused, or says something alone. */
bool decide_factor_proves(struct tx *tx, const struct update *update, const char *what,
    decide_factor_fn *act, void *arg) MUST_USE;

/* After true, or FACTOR_WANTED: takes a code of theirs, or one that recovers.  True: it is called
 * once more, by the caller.  False: *why says why not, as the end of "not accepted: …". */
bool decide_factor_give(
    struct tx *tx, const struct update *update, const char *code, char why[LIMIT_LINE]) MUST_USE;
