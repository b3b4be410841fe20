/* row_notify.h - who else is notified of deployments: what waits, what was not sent, and who is off.  Side: store. */
/* SPDX-License-Identifier: ISC */
/* A destination without a row is on, and has missed nothing. */
#pragma once

#include "store/tx.h"

struct notify_row {
	char name[ENVIRONMENT_NAME_MAX];
	int64_t off_since; /* wall ms; 0: it is on */
	char off_why[LIMIT_LINE];
	int64_t unsent; /* since the last summary */
};

/* Why that one is off, as another program reads it; "": it is on.  db may be NULL. */
void row_notify_why_off(struct db *db, const char *name, char ret[LIMIT_LINE]);

/* All zero where there is none.  Returns ret. */
struct notify_row *row_notify_get(struct tx *tx, const char *name, struct notify_row *ret);
void row_notify_set(struct tx *tx, const struct notify_row *row);

/* Those that are off, by name; returns how many (<= max). */
size_t row_notify_list_off(struct tx *tx, struct notify_row *ret, size_t max);

/* So many messages of it are open. */
int64_t row_notify_waiting(struct tx *tx, const char *name);

/* The newest message of it that waits and is older than that effect; 0: there is none. */
int64_t row_notify_before(struct tx *tx, const char *name, int64_t id);

/* That one, which nobody has begun to send, is not sent any more. */
void row_notify_drop(struct tx *tx, int64_t id);

/* A setting has changed: whoever it may be of is on again. */
void row_notify_changed(struct tx *tx, const char *setting);
