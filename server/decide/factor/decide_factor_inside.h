/* decide_factor_inside.h - how a code is taken: by decide_factor_try.c, and nobody else.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/row_factor.h"
#include "types/update.h"

/*
 * Takes a code of whoever sent the update, once: from then on tx->factor_of is they.  False: *why
 * says why not, as the end of "not accepted: …".  A wrong one is counted: after each five in a row
 * none is looked at for 1, 5, 30, then 60 minutes; after fifty until the factor is reset.
 */
bool decide_factor_take(
    struct tx *tx, const struct update *update, const char *code, char why[LIMIT_LINE]) MUST_USE;
