/* decide_installation.h - what /status says besides environments: of its servers, of its forges.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "chat/chat_text.h"
#include "store/tx.h"

/* Adds which of several servers leads and whether another could take over, and what forges have
 * not sent; mostly nothing. */
void decide_installation_status(struct tx *tx, struct chat_text *text);
