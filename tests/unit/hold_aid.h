/* hold_aid.h - pushes and moments that locks and freezes are tested with.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "decide_aid.h"

#define HOUR_MS (3600 * INT64_C(1000))
#define DAY_MS	(24 * HOUR_MS)

/* A push, and what git says of it. */
void hold_push(struct world *w, const char *branch, const char *commit);

/* Until the first deadline of a look at holds behind that moment. */
void hold_sleep_until(struct world *w, int64_t at);
