/* decide_status.h - the message that /status shows, while it is asked and when it is known.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * Of one application: a paragraph for each of its environments.  Of several: a line for each, a
 * page at a time.  What is in trouble first, then production, then the rest; of several those that
 * never had a release are one line at the end.  Buttons stand in the order of the lines.
 */
#pragma once

#include "chat/chat_text.h"
#include "decide/question/decide_where.h"

/* The probe of these environments; NULL: there is none.  What came of it, NULL while they are being
 * probed. */
struct decide_status_health {
	const struct effect_probe *probe;
	const struct probe_finding *findings;
};

/*
 * Adds text and buttons of what the request (its target and page) shows whoever sent the update.
 * message: the row in which it stands already, whose buttons keep their ids, as somebody may be
 * pressing one; 0: in none.  False: there is nothing, or the tx has failed.
 */
bool decide_status(struct tx *tx, const struct update *update, const struct request *request,
    const struct decide_status_health *health, int64_t message, struct buttons *buttons,
    struct chat_text *text);

/* Adds what a message says for days of the environments that report to that chat, where PIN_STATUS
 * asks for it: those in trouble first, then those in which something is in progress or held.
 * Health is that of rows (row_pin.h).  False: there are none. */
bool decide_status_pinned(struct tx *tx, int64_t chat, struct chat_text *text);

/* The probe of their health URLs; NULL: there are none, or the tx has failed. */
struct effect *decide_status_pinned_probe(struct tx *tx, int64_t chat);

/* Does any report there, so that PIN_STATUS asks for one in that chat? */
bool decide_status_is_pinned(struct tx *tx, int64_t chat);

/* The probe of the health URLs of what that shows, each once; NULL: there are none. */
struct effect *
decide_status_probe(struct tx *tx, const struct update *update, const struct request *request);
