/* row_rate_limit.h - token buckets that a restart does not fill.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

/* A token bucket kept in a row, under a name that is printed and cut to ROW_RATE_LIMIT_WHO: takes
 * one of `burst` tokens that come back one each `every_ms`; false when there is none. */
#define ROW_RATE_LIMIT_WHO 400
bool row_rate_limit_take(struct tx *tx, int burst, int64_t every_ms, const char *who, ...)
    PRINTF(4, 5);
