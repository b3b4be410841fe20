/* decide_hosts.h - rows that follow the settings: what hosts claim, and which of them have left.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

/* Settings were read: resources of environments whose hosts stand in a file, and since when a host
 * is none of its environment's.  What is the same is not written. */
void decide_hosts_look(struct tx *tx);
