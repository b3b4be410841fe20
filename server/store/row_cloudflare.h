/* row_cloudflare.h - zones at Cloudflare that are under attack because somebody said so.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/cloudflare_level.h"

/* PHASE(name, word in rows) */
#define CLOUDFLARE_PHASES(PHASE) \
	PHASE(ASKING, "asking")	      /* what its level was before is asked for */ \
	PHASE(SETTING, "setting")     /* it is known, and the new one is being set */ \
	PHASE(CHECKING, "checking")   /* whether it was set is not known, and asked for */ \
	PHASE(SET, "set")	      /* until its time has come */ \
	PHASE(RESTORING, "restoring") /* asked for, then set to what it was */ \
	PHASE(STUCK, "stuck")	      /* refused for a day: a person has to look */

enum cloudflare_phase {
#define PHASE(name, word) CLOUDFLARE_IS_##name,
	CLOUDFLARE_PHASES(PHASE)
#undef PHASE
	    CLOUDFLARE_PHASE_COUNT
};

struct cloudflare_row {
	char zone[CLOUDFLARE_ZONE];	/* "": none */
	char target[LIMIT_ENVIRONMENT]; /* "client/acme": as people call it */
	enum cloudflare_phase phase;
	char old[CLOUDFLARE_LEVEL];  /* to be restored; "" while ASKING */
	char set[CLOUDFLARE_LEVEL];  /* that we set */
	int64_t at;		     /* wall ms: since when */
	int64_t until;		     /* wall ms */
	int64_t work;		     /* that waits for what is going on; 0: none */
	char by[LIMIT_PERSON];	     /* who wanted it */
	struct chat_address address; /* where its end is said */
	int64_t effect;		     /* the call in progress; 0: none */
	int64_t timer;		     /* 0: none */
	int64_t tries;
	int64_t failed_at;	 /* wall ms of the first failure to restore it; 0: none */
	int64_t notified_at;	 /* wall ms of the last message about that */
	char detail[LIMIT_LINE]; /* the last failure; "": none */
};

struct cloudflare_row row_cloudflare_get(struct tx *tx, const char *zone);

/* That of a target; the zone may not be that of today's settings. */
struct cloudflare_row row_cloudflare_of(struct tx *tx, const char *target);

/* Does that work wait for one of them? */
bool row_cloudflare_is_awaited(struct tx *tx, int64_t work);

/* Writes all of it, whether it was there or not. */
void row_cloudflare_save(struct tx *tx, const struct cloudflare_row *row);
void row_cloudflare_remove(struct tx *tx, const char *zone);

/* All, by their targets; returns how many were written to ret. */
size_t row_cloudflare_list(struct tx *tx, struct cloudflare_row *ret, size_t max);
