/* row_rate_limit.h - token buckets that a restart does not fill.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

/* A token bucket kept in a row: takes one of `burst` tokens that come back one each
 * `every_ms`; false when there is none. */
bool row_rate_limit_take(struct tx *tx, const char *who, int burst, int64_t every_ms);
