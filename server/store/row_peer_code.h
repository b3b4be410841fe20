/* row_peer_code.h - codes by which a host enrols, as rows.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/peers.h"

/* The one with that digest, used or late as it may be.  Identity "": there is none. */
struct peer_code row_peer_code_get(struct tx *tx, const char *digest);

/* In the place of the one of that identity; those that are late go. */
void row_peer_code_put(struct tx *tx, const struct peer_code *code);

/* False: there was none. */
bool row_peer_code_drop(struct tx *tx, const char *identity);
