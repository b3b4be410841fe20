/* decide_access.h - access that ends is announced, and reported each month.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

/* Where somebody has a role of a ROLE_<NAME>: notifies them and the admins a week and a day before
 * it ends, sends the admins a report once a month, and looks again in an hour (TIMER_ACCESS).  At
 * start, after a change of settings, and when that timer has fired. */
void decide_access(struct tx *tx);
