/* decide_renewal.h - the key of a peer gives way to the next one, when half of its life is over.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

/* Its host asks for the certificate of its next key (lib/crypto_renewal.h), which is signed; the
 * key that it has counts on.  What cannot be is logged: it is asked anew. */
void decide_renewal(struct tx *tx, const char *identity, const char *text);

/* That key has connected: where it is the next one, the one of before ends. */
void decide_renewal_seen(struct tx *tx, const char *identity, const char *digest);
