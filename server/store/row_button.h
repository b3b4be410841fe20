/* row_button.h - buttons: what each opaque id stands for, who may press it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

/* What pressing it means: V(name, in rows). */
#define BUTTON_VERBS(V) \
	V(CONFIRM, "CONFIRM")	/* go on with the deployment */ \
	V(DECLINE, "DECLINE")	/* leave it */ \
	V(CANCEL, "CANCEL")	/* end a deployment in progress */ \
	V(LOG, "LOG")		/* send the run's log */ \
	V(LOOKED, "LOOKED")	/* what runs in `environment` is known again */

enum button_verb {
#define V(name, row) BUTTON_##name,
	BUTTON_VERBS(V)
#undef V
};

struct button_row {
	char id[LIMIT_BUTTON_ID];	/* "" none */
	enum button_verb verb;
	int64_t deployment;	/* BUTTON_LOOKED: 0 */
	char environment[LIMIT_ENVIRONMENT]; /* BUTTON_LOOKED; else "" */
	int64_t run;		/* BUTTON_LOG */
	int64_t chat;		/* pressed elsewhere it is not ours */
	int64_t requester;		/* only this person; 0: whoever has the role */
	int64_t timer;		/* its deadline's effect; 0: none */
	bool is_open;
};

/* Adds it under an id of its own; writes the id into question->id. */
void row_button_add(struct tx *tx, struct button_row *button);
struct button_row row_button_get(struct tx *tx, const char *id);

/* The open question of a deployment with this verb in this chat (BUTTON_LOG: of this run, else
 * run is 0); id "" none. */
struct button_row row_button_find(struct tx *tx, int64_t deployment, enum button_verb verb,
    int64_t run, int64_t chat);

/* The open BUTTON_LOOKED of an environment in this chat; and closes those of all chats. */
struct button_row row_button_find_looked(struct tx *tx, const char *environment, int64_t chat);
void row_button_close_looked(struct tx *tx, const char *environment);

/* Sets the deadline's effect for its open questions with verb CONFIRM or DECLINE. */
void row_button_set_timer(struct tx *tx, int64_t deployment, int64_t timer);

/* Withdraws the deadline of a question that goes on. */
void row_button_drop_timer(struct tx *tx, int64_t deployment);

/* Somebody else asked for the same (0: a push did): from then on whoever has the role may answer,
 * and that person.  message: the row of the one that shows it to them; 0: they see the others. */
void row_button_add_requester(struct tx *tx, int64_t deployment, int64_t person, int64_t message);
/* Those messages; returns how many. */
size_t row_button_list_messages(struct tx *tx, int64_t deployment, int64_t *ret, size_t max);
bool row_button_is_requester(struct tx *tx, int64_t deployment, int64_t person);
bool row_button_is_shared(struct tx *tx, int64_t deployment);
void row_button_clear_requesters(struct tx *tx, int64_t deployment);

/* Closes the open questions of a deployment with this verb; withdraws their wait. */
void row_button_close(struct tx *tx, int64_t deployment, enum button_verb verb);
