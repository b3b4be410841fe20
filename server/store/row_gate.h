/* row_gate.h - gates as their forge knows them: rows of row_job.h.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/delivery.h"

/* That gate, whose job has a row, is one that GitHub itself has asked for, and waits to know of. */
void row_gate_note_rule(struct tx *tx, int64_t work, const struct delivery_job *job);

/* It knows how this has ended, or does not want to any more. */
void row_gate_set_answered(struct tx *tx, int64_t work);

/* The gate that was made for that deployment; 0: none was. */
int64_t row_gate_find(struct tx *tx, int64_t deployment);

/* The newest that the same run has asked for at that environment of GitHub's; 0: none. */
int64_t row_gate_last(struct tx *tx, const struct delivery_job *job);

/* A gate that has not ended, and whose job that is; of a run (no job is named) one of that attempt
 * or of an earlier one.  0: none. */
int64_t row_gate_over(struct tx *tx, const struct delivery_job *job);
