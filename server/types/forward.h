/* forward.h - the audit's entries for collectors: where they go, and what one try came to.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/limits.h"

struct settings;

/* FORWARD(name, word: on disk and in metrics) */
#define FORWARDS(FORWARD) \
	FORWARD(SYSLOG, "syslog") \
	FORWARD(JOURNAL, "journal")

enum forward_to {
#define FORWARD(name, word) FORWARD_##name,
	FORWARDS(FORWARD)
#undef FORWARD
	FORWARD_COUNT
};

#define FORWARD_BATCH ((size_t)128 << 10) /* bytes of entries in one try; one entry may be more */
#define FORWARD_PLACE 352

struct forward_answer {
	int64_t sent;		 /* up to this entry; 0: none of them, as far as is known */
	char detail[LIMIT_LINE]; /* why not all of them, cleaned; "": all were */
};

/* Where the settings say that it goes: two are the same where this is; "": nowhere. */
void forward_place(const struct settings *settings, enum forward_to to, char out[FORWARD_PLACE]);

const char *forward_word(enum forward_to to);
