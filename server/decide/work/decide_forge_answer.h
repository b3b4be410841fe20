/* decide_forge_answer.h - GitHub is answered whether a job of its own gate may go on.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * Of a gate that GitHub has asked for (row_gate.h); of all other work nothing is done.  What is not
 * taken is tried again, with longer and longer pauses, for as long as GitHub waits; the gate's
 * message says so meanwhile.
 */
#pragma once

#include "deployment/deployment.h"
#include "store/tx.h"
#include "types/delivery.h"
#include "types/event.h"

/* The act: yes where it is open, no where it has ended before GitHub knew that. */
void decide_forge_answer(struct tx *tx, const struct deployment *work);

/* GitHub's page shows that it waits here, if nothing is decided within five seconds.  A reviewer
 * can say only yes or no: then it shows nothing. */
void decide_forge_asked(struct tx *tx, const struct deployment *gate);

/* No to a job for which no gate was made: within half a minute, and where GitHub's limit is short
 * behind all answers that somebody waits for. */
void
decide_forge_refuse(struct tx *tx, const char *environment, const struct delivery_job *job);

/* The FORGE_ANSWER of tx->effect: what became of it. */
void decide_forge_answered(struct tx *tx, const struct forge_said *said);
