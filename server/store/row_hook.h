/* row_hook.h - calls of hooks, tokens of jobs, and what each was answered, for a day.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

/* With a key the caller's word says for a day that it is one call; without, the same body does for
 * a minute. */
#define ROW_HOOK_KEY_MS	 (24 * 3600 * INT64_C(1000))
#define ROW_HOOK_BODY_MS (60 * INT64_C(1000))
#define ROW_HOOK_SAID	 400 /* bytes of a refusal that are kept, with the NUL */

/* One call: whose, the word that the caller gave it ("": none), and SHA-256 of its body. */
struct hook_use {
	const char *id;
	const char *key;
	const uint8_t *digest;
	bool is_quiet; /* what it is answered is not kept: it may be for one reader */
};

struct hook_answer {
	int status; /* 0: there was no such call */
	int64_t work;
	bool is_other; /* that key was used with another body */
	char said[ROW_HOOK_SAID]; /* why no work was begun; "": it was, and what it says changes */
};

/* What the same call was answered within its time; one that the clock has not reached yet counts no
 * longer than that. */
struct hook_answer row_hook_find(struct tx *tx, const struct hook_use *use);

/* Notes what it is answered in this tx, in the place of an older one. */
void row_hook_note(struct tx *tx, const struct hook_use *use);

/* Has that hook `most` calls?  Where it has, those of before kept_ms go, and are not counted. */
bool row_hook_is_full(struct tx *tx, const char *id, int64_t most, int64_t kept_ms);

/* An application has another name: its calls are those of its hooks under that one. */
void row_hook_rename(struct tx *tx, const char *from, const char *to);

/* Those of before a day; true: `max` of them went, and there may be more. */
bool row_hook_clear(struct tx *tx, int64_t max);
