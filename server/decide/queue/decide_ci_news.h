/* decide_ci_news.h - GitHub has said how workflows stand: what waits for that goes on, or ends.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/event.h"

/* A webhook's WORKFLOW_RUN, for each application that it speaks for and that asks for that file. */
void decide_ci_note(struct tx *tx, const struct delivery *delivery);

/* The answer about that work. */
void decide_ci_read(struct tx *tx, int64_t work, const struct github_runs_read *read);
