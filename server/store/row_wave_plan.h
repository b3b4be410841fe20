/* row_wave_plan.h - which host is in which wave, of work that is asked about: what was shown.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "deployment/deployment.h"
#include "store/tx.h"

/* Of that work from now on. */
void row_wave_plan_set(struct tx *tx, int64_t work, const char *hosts);
void row_wave_plan_drop(struct tx *tx, int64_t work);

/* "": it has none.  Returns ret. */
const char *row_wave_plan_get(struct tx *tx, int64_t work, char ret[LIMIT_RUN_HOSTS]);

/* The hosts of its plan that it has not touched may run something else than their rows say. */
void row_wave_plan_doubt(struct tx *tx, const struct deployment *work);
