/* row_secret.h - since when each secret has its value, and when the one before it was used last.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * A row for each value that was ever in force, by its mark (types/secret.h): the key of the marks
 * is in a file of the server's user beside the database and in no backup of it, so that who has the
 * rows cannot try values against them.  Under another key nothing is known of the old marks: what
 * stands where one stood counts as it, for a value must not seem younger than it is.
 */
#pragma once

#include "store/tx.h"
#include "types/secret.h"

/* These are in force, and no others are.  Calls it for each that is new, another one or gone; at
 * the first look of all, and under another key of the marks, for none.  Returns since when the
 * oldest of them is, without those that are previous values; 0: there is none. */
typedef void row_secret_differs(void *ctx, const char *application, const char *name);
int64_t row_secret_see(
    struct tx *tx, const struct secrets_seen *seen, row_secret_differs *differs, void *ctx);

/* The previous value of that secret was used: counts it, and says so in the log once an hour. */
#define ROW_SECRET_SAID_MS (3600 * INT64_C(1000))
void row_secret_used(struct tx *tx, const char *application, const char *name);

/* Values that are in force no more are forgotten after a time; true: `max` of them were, and there
 * may be more. */
bool row_secret_clear(struct tx *tx, int64_t max);

/* --- for the command line, of a database that may be in use --- */

struct secret_age {
	char application[ENVIRONMENT_NAME_MAX];
	char name[SETTING_NAME_MAX + sizeof(SECRET_PREVIOUS)];
	int64_t seen_at;
	int64_t used_at; /* of a previous value; 0: never */
	int64_t uses;
};

/* Of those that are in force; to be freed.  NULL: *err says why. */
struct secret_age *row_secret_list(
    const char *database, size_t *ret_count, struct err *err) MUST_USE;
