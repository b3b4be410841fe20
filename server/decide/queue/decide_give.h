/* decide_give.h - two people's work in one queue exchange their places.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/row_deployment.h"

/* Exchanges the places of two people's work in one queue: `mine` stands before `other`.  Both are
 * notified.  False: that is not so (any more). */
bool decide_give(struct tx *tx, struct deployment *mine, struct deployment *other) MUST_USE;
