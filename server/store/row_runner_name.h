/* row_runner_name.h - what rows call runners, where several servers share them.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

/* The next name behind `name` (first "") of another server's own runner that has runs, or logs of
 * runs; false: there is none.  They stay disconnected as long as we lead. */
bool row_runner_name_next(struct tx *tx, char name[LIMIT_RUNNER]) MUST_USE;

/* What an effect says of who has a run, as its row is to have it, and back. */
void row_runner_name_write(const struct settings *s, struct effect *effect);
void row_runner_name_read(const struct settings *s, struct effect *effect);
