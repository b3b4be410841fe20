/* decide_access.h - access that ends is announced, and reported each month.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

/* Records what has ended.  Where somebody has a role of a ROLE_<NAME>, or one that ends: notifies
 * them and the admins a week and a day before it ends, sends the admins a report once a month, and
 * looks again at the next end, in an hour at the latest (TIMER_ACCESS).  At start, after a change
 * of settings, and when that timer has fired. */
void decide_access(struct tx *tx);
