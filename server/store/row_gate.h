/* row_gate.h - gates as their forge knows them: rows of row_job.h.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/delivery.h"

/* That gate, whose job has a row, is one that GitHub itself has asked for, and waits to know of. */
void row_gate_note_rule(struct tx *tx, int64_t work, const struct delivery_job *job);

/* It knows how this has ended, or does not want to any more. */
void row_gate_set_answered(struct tx *tx, int64_t work);

/* The row of its message, which is another gate's from now on; 0: it has none. */
int64_t row_gate_take_message(struct tx *tx, int64_t work);

/* The gate that was made for that deployment; 0: none was. */
int64_t row_gate_find(struct tx *tx, int64_t deployment);

/* The newest that the same run has asked for at that environment of GitHub's; 0: none. */
int64_t row_gate_last(struct tx *tx, const struct delivery_job *job);

/* Has the same run another gate that has not ended? */
bool row_gate_has_other(struct tx *tx, int64_t work, const struct job *job);

/* The newest gate below `before` that is open or waits for that job; of a whole run one that the
 * same attempt asked for, or GitHub itself for it, until then (wall ms: no rule says its attempt).
 * 0: there is none. */
int64_t row_gate_over(struct tx *tx, const struct delivery_job *job, int64_t at, int64_t before);
