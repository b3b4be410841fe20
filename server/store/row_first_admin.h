/* row_first_admin.h - the one link for a first admin that may be open, as a row.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/crypto.h"
#include "store/tx.h"

#define ROW_FIRST_ADMIN_DIGEST (2 * CRYPTO_SHA256_SIZE + 1) /* hex digits and the NUL */

struct first_admin_link {
	char digest[ROW_FIRST_ADMIN_DIGEST]; /* of its code; "": there is no link */
	int64_t until;
	int64_t person; /* who has opened it; 0: nobody yet */
};

struct first_admin_link row_first_admin_get(struct tx *tx);

/* Takes the place of the one that is there. */
void row_first_admin_put(struct tx *tx, const struct first_admin_link *link);
