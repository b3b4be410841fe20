/* row_pin.h - the summaries that chats keep pinned, and the health that stands in them.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/probe.h"

struct pin {
	int64_t chat;	  /* by its id of today; 0 in what was found: none */
	int64_t message;  /* its row; 0: none yet */
	int64_t pinned;	  /* the platform's id of what is pinned; 0: nothing */
	int64_t timer;	  /* the open TIMER_PIN; 0: none */
	int64_t due;	  /* wall ms at which it fires */
	int64_t shown_at; /* wall ms: what it says was looked at last; 0: never */
	int64_t tried_at; /* the same: it was sent or pinned; 0: never */
	bool is_notified;	  /* the chat knows that it cannot be pinned */
};

/* That of a chat; with the chat's id alone where there is none. */
struct pin row_pin_get(struct tx *tx, int64_t chat);
void row_pin_put(struct tx *tx, const struct pin *pin);
void row_pin_remove(struct tx *tx, int64_t chat);

/* Whose message that is: a chat; 0: none's. */
int64_t row_pin_of_message(struct tx *tx, int64_t message);

/* The next chat behind that one that has any; INT64_MIN: the first.  False: no more. */
bool row_pin_next(struct tx *tx, int64_t *chat);

/* The i-th environment of which this decision, or one before it in its batch, has changed rows;
 * NULL: no more. */
const char *row_pin_changed(const struct tx *tx, size_t i);

/* What the URLs of an environment answered, and when: whether all are healthy, and a commit that
 * one of them named though it is not live, "": none.  Nothing else of the finding is kept. */
void
row_pin_set_health(struct tx *tx, const char *environment, const struct probe_finding *finding);
/* The same, no older than `since`, wall ms.  False: not known. */
bool
row_pin_health(struct tx *tx, const char *environment, int64_t since, struct probe_finding *ret);
