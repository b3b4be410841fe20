/* decide_logs.h - which logs of runs go, and orders their end.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

struct tx;

/* Those beyond RUN_LOGS_KEEP of an environment.  True: there may be more. */
bool decide_logs_keep(struct tx *tx);

/* The oldest, where all together are above RUN_LOGS_TOTAL.  True: there may be more. */
bool decide_logs_total(struct tx *tx);
