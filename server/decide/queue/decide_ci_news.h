/* decide_ci_news.h - a forge has said how workflows stand: what waits for that goes on, or ends.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/event.h"

/* A webhook has said that, which speaks for that application. */
void decide_ci_note(
    struct tx *tx, const struct settings *application, const struct pipeline_run *run);

/* The answer about that work. */
void decide_ci_read(struct tx *tx, int64_t work, const struct github_runs_read *read);
