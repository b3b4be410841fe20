/* decide_probe.h - the health URLs of work are asked: for its gate, and behind its end.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/row_deployment.h"

/* By its settings, until what it released passes or fails. */
void decide_probe_gate(struct tx *tx, const struct deployment *deployment);

/* Soon, as it has ended: any commit passes, as which runs is not known, nor asked.  One that is
 * being answered is the answer.  False: it has no URL. */
bool decide_probe_look(struct tx *tx, const struct deployment *deployment);
