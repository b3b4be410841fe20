/* tx_try.h - part of a decision is tried: what it would do is known, and undone.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

typedef void tx_try_fn(struct tx *tx, void *arg);

/*
 * Calls that in a savepoint of its own.  True: it did more than say something;
 * all of that is undone, and the tx is as it was.  False: it only said something (a message, a
 * toast, an entry of the audit, what is counted), and that stays; or the tx has failed.  Never
 * inside another.
 */
bool tx_try(struct tx *tx, tx_try_fn *fn, void *arg) MUST_USE;
