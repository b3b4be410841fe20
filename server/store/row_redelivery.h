/* row_redelivery.h - webhooks at GitHub, and what it could not deliver by each.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/redelivery.h"

struct forge_hook {
	int64_t id;
	int64_t number;	   /* GitHub's; 0: not known */
	int64_t looked_at; /* wall ms: what failed before is known; 0: nothing is */
};

/* The webhook of a repository by the path of that application ("": the main file's).  id 0: GitHub
 * was never asked about it.  The second: then its row is made. */
struct forge_hook row_redelivery_hook(
    struct tx *tx, const char *application, const char *repository);
struct forge_hook row_redelivery_add_hook(
    struct tx *tx, const char *application, const char *repository);
void row_redelivery_save_hook(struct tx *tx, const struct forge_hook *hook);

/* An attempt; nothing where GitHub has it no more, or its event stands in the inbox under that
 * source. */
void row_redelivery_note(
    struct tx *tx, int64_t hook, const char *source, const struct redelivery *attempt);

/* The newest; returns how many. */
size_t row_redelivery_list(
    struct tx *tx, int64_t hook, struct redelivery ret[REDELIVERY_LIST]);

/* Its branch, and when it was asked for again. */
void row_redelivery_save(struct tx *tx, int64_t hook, const struct redelivery *it);

/* It has come; a push of that branch ("": none), of which older ones are needed no more.  Returns
 * when it was tried first; 0: it was not missing. */
int64_t row_redelivery_came(struct tx *tx, int64_t hook, const char *guid, const char *branch);

/* What GitHub has no more goes, and what is too much. */
void row_redelivery_clear(struct tx *tx);

/* How many are missing, and since when the oldest is, wall ms; 0: none. */
struct redelivery_missing {
	int64_t n, since;
};
struct redelivery_missing row_redelivery_missing(struct tx *tx);
