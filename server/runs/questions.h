/* questions.h - git questions on their way to the runner and back.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#ifndef QUESTIONS_H
#define QUESTIONS_H

#include "runs/runner_link.h"
#include "runs/runs.h"

/* All zero: none. */
struct questions {
	struct runs_question *first;	/* oldest first */
	size_t n;
	size_t n_asked;			/* of them at the runner */
	uint64_t last;			/* number given */
};

/* As runs_ask(); nothing is said yet. */
struct runs_question *questions_add(struct questions *questions, const struct effect_ask *ask,
    runs_answer_fn *on_answer, void *ctx, struct err *err) MUST_USE;
void questions_cancel(struct questions *questions, struct runs_question *question);

/* Tells the runner as many as it takes. */
void questions_say(struct questions *questions, struct runner_link *runner);

/* The runner said answer. */
void questions_take(struct questions *questions, const struct protocol_message *message);

/* The runner is gone: each is answered `unreachable`. */
void questions_runner_down(struct questions *questions);

/* Frees all; nobody is called back. */
void questions_done(struct questions *questions);

#endif
