/* cloudflare_level.h - a zone at Cloudflare, its security levels, and what an answer came to.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/limits.h"

#define CLOUDFLARE_ZONE	 33 /* 32 hex digits and the NUL */
#define CLOUDFLARE_LEVEL 24

#define CLOUDFLARE_ATTACK "under_attack"

/* LEVEL(word of the API and of rows, as people read it) */
#define CLOUDFLARE_LEVELS(LEVEL) \
	LEVEL("off", "off") \
	LEVEL("essentially_off", "essentially off") \
	LEVEL("low", "low") \
	LEVEL("medium", "medium") \
	LEVEL("high", "high") \
	LEVEL(CLOUDFLARE_ATTACK, "under attack")

enum cloudflare_verdict {
	CLOUDFLARE_DONE,    /* the zone has the value that stands in the answer */
	CLOUDFLARE_REFUSED, /* for good, as it was asked: nothing was changed */
	CLOUDFLARE_BUSY,    /* 429: nothing was changed, and later it may be */
	CLOUDFLARE_UNKNOWN, /* no answer that says so: what was to be set may be set */
};

struct cloudflare_answer {
	enum cloudflare_verdict verdict;
	char value[CLOUDFLARE_LEVEL]; /* DONE: a level */
	int64_t retry_after_s;	      /* BUSY: from 1 to an hour */
	char detail[LIMIT_LINE];      /* why not, cleaned; "" when done */
};

/* Of a call that sets and was sent once before, to which nobody has the answer: that it is refused
 * now says nothing about what was done then. */
void cloudflare_answer_repeated(struct cloudflare_answer *answer);

/* As people read it; NULL: it is no level. */
const char *cloudflare_level_text(const char *level);

/* 32 lower-case hex digits. */
bool cloudflare_is_zone(const char *text);
