/* witness.h - the audit's witness outside: where it is, and what a PUT there came to.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/limits.h"

struct settings;

#define WITNESS_OBJECT_MAX ((size_t)4 << 20) /* bytes of entries in one object */
#define WITNESS_PLACE	   320
#define WITNESS_KEY	   192

enum witness_verdict {
	WITNESS_CONFIRMED, /* the object is there, with our bytes */
	WITNESS_REFUSED,   /* nothing was stored */
	WITNESS_TAKEN,	   /* an object that we have not put has that name */
	WITNESS_UNKNOWN,   /* no answer that says either: it may be there */
};

struct witness_answer {
	enum witness_verdict verdict;
	char detail[LIMIT_LINE]; /* why not, cleaned; "" where it is confirmed */
};

/* Of a PUT that may have been sent once before: what refuses this one says nothing of that. */
void witness_answer_repeated(struct witness_answer *answer);

/* Which witness the settings name: two are the same where this is; "": none. */
void witness_place(const struct settings *settings, char out[WITNESS_PLACE]);

/* "deploybot-HOST/<first>-<last>-<head>.jsonl"; of the host's name [A-Za-z0-9.-], else '-'. */
void
witness_key(const char *host, int64_t first, int64_t last, const char *head, char out[WITNESS_KEY]);
