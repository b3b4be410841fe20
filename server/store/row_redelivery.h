/* row_redelivery.h - webhooks at forges, and what could not be delivered by each.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/redelivery.h"

#define ROW_REDELIVERY_OFF 5 /* are named */

struct forge_hook {
	int64_t id;
	int64_t number;	   /* its forge's; 0: not known */
	int64_t looked_at; /* wall ms: what failed before is known; 0: nothing is */
	int64_t off_until; /* GitLab sends nothing by it, wall ms; 0: it does */
};

struct redelivery_off {
	char repository[LIMIT_REF];
	int64_t until;
};

/* The webhook of a repository by the path of that application ("": the main file's); a project at
 * GitLab is "gitlab:group/name".  id 0: nobody was asked about it.  is_made: its row
 * is made where there is none. */
struct forge_hook row_redelivery_hook(
    struct tx *tx, const char *application, const char *repository, bool is_made);
void row_redelivery_save_hook(struct tx *tx, const struct forge_hook *hook);

/* An attempt; nothing where GitHub has it no more, or its event stands in the inbox under that
 * source. */
void row_redelivery_note(
    struct tx *tx, int64_t hook, const char *source, const struct redelivery *attempt);

/* The newest; returns how many. */
size_t row_redelivery_list(
    struct tx *tx, int64_t hook, struct redelivery ret[REDELIVERY_LIST]);

/* Its branch, when it was asked for again, and whether it is needed no more. */
void row_redelivery_save(struct tx *tx, int64_t hook, const struct redelivery *it);

/* It has come; a push of that branch ("": none), of which older ones are needed no more.  Returns
 * when it was tried first; 0: it was not missing. */
int64_t row_redelivery_came(struct tx *tx, int64_t hook, const char *guid, const char *branch);

/* What is too old goes, and what is too much. */
void row_redelivery_clear(struct tx *tx);

/* Those that send nothing now, and that none does: it is asked about anew. */
size_t row_redelivery_off(struct tx *tx, struct redelivery_off ret[ROW_REDELIVERY_OFF]);
void row_redelivery_forget_off(struct tx *tx);

/* How many are missing, and since when the oldest is, wall ms; 0: none. */
struct redelivery_missing {
	int64_t n, since;
};
struct redelivery_missing row_redelivery_missing(struct tx *tx);
