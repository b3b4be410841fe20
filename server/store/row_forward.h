/* row_forward.h - collectors that versions before sent the audit to: how far each had got it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

struct forward_row {
	char place[352]; /* "syslog HOST:PORT" or "journal" */
	int64_t sent;	 /* up to this entry */
};

/* One that was never taken, which is taken by that: each is said once.  The rows stay, as the audit
 * is verified by them.  False: there is none. */
bool row_forward_take(struct tx *tx, struct forward_row *ret) MUST_USE;
