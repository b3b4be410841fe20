/* decide_status.h - the message that /status shows, while it is asked and when it is known.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

/* The text about one environment ("": about all).  findings: what came of probing probe's
 * targets; NULL while they are being probed.  NULL when the tx has failed; free() it. */
char *decide_status_text(struct tx *tx, const char *asked, const struct effect_probe *probe,
    const struct probe_finding *findings);

/* The buttons below it: one for each environment whose state is not known, as many as fit. */
void decide_status_buttons(struct tx *tx, const char *asked, int64_t chat, struct buttons *ret);

/* The probe of the health URLs of one environment ("": of all), each once; NULL: there are none. */
struct effect *decide_status_probe(struct tx *tx, const char *asked);
