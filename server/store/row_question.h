/* row_question.h - buttons: what each opaque id stands for, who may press it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#ifndef ROW_QUESTION_H
#define ROW_QUESTION_H

#include "store/tx.h"

/* What pressing it means: V(name, in rows). */
#define QUESTION_VERBS(V) \
	V(CONFIRM, "CONFIRM")	/* go on with the deployment */ \
	V(DECLINE, "DECLINE")	/* leave it */ \
	V(CANCEL, "CANCEL")	/* end a deployment under way */ \
	V(LOG, "LOG")		/* send the run's log */

enum question_verb {
#define V(name, row) QUESTION_##name,
	QUESTION_VERBS(V)
#undef V
};

struct question {
	char id[LIMIT_QUESTION];	/* "" none */
	enum question_verb verb;
	int64_t deployment;
	int64_t run;		/* QUESTION_LOG */
	int64_t chat;		/* pressed elsewhere it is not ours */
	int64_t asker;		/* only this person; 0: whoever has the role */
	int64_t wait;		/* its deadline's effect; 0: none */
	bool is_open;
};

/* Adds it under an id of its own; writes the id into question->id. */
void row_question_add(struct tx *tx, struct question *question);
struct question row_question_get(struct tx *tx, const char *id);

/* The open question of a deployment with this verb in this chat (QUESTION_LOG: of this run, else
 * run is 0); id "" none. */
struct question row_question_find(struct tx *tx, int64_t deployment, enum question_verb verb,
    int64_t run, int64_t chat);

/* Sets the deadline's effect for its open questions with verb CONFIRM or DECLINE. */
void row_question_set_wait(struct tx *tx, int64_t deployment, int64_t wait);

/* Closes the open questions of a deployment with this verb; withdraws their wait. */
void row_question_close(struct tx *tx, int64_t deployment, enum question_verb verb);

#endif
