/* decide_lost.h - who loses a right by an upgrade is named, once.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

/* At the first start on a database of before: tokens, second factors and the audit of the server
 * are given by the main file alone.  The admins are sent whose roles name them and do not give them
 * any more, with what to write, and what else the settings are warned of. */
void decide_lost(struct tx *tx);
