/* redact_lent.h - values that redaction knows for a time.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/redact.h"
#include "lib/share.h"

/* Of values that are known for a time: beside those, and without their room. */
#define REDACT_LENT_MAX	    64
#define REDACT_LENT_BYTES   (256u << 10)
#define REDACT_LENT_NEEDLES 16384 /* nine of each line */

/* A value that was lent until that moment, by a clock of the caller's, and each text in it. */
struct redact_lesson {
	const char *value;
	char *const *parts; /* as fields of it, which it alone decides; they take no places */
	size_t n_parts;
	int64_t until;
	struct share_by by; /* who was lent it, and is charged for all of it */
};

/* Remembers all of it or nothing; of what is known the longer time counts.  A part that is shorter
 * than REDACT_VALUE_MIN is left out.  False: ERR_INVALID, the value is that short; ERR_LIMIT, it
 * has too many lines, or it repeats itself; ERR_BUSY, there is no room, or no more of theirs, until
 * others are forgotten.  What they were lent already takes no more room, and what others were lent
 * too takes the same. */
MUST_USE bool redact_learn_until(
    struct redact *r, const struct redact_lesson *lesson, struct err *err);

/* Is there no room for whatever else that one may be lent? */
MUST_USE bool redact_is_full(struct redact *r, const struct share_by *by);

/* Wipes those whose time is over by now.  Returns when the next one's is; 0: there is none. */
int64_t redact_forget(struct redact *r, int64_t now);
