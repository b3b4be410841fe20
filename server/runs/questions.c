/* questions.c - git questions on their way to the runner and back.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "runs/questions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"

#define STATUS_UNREACHABLE 69
#define STATUS_TIMEOUT	   75

struct runs_question {
	struct runs_question *next;
	uint64_t id;
	bool is_sent;
	struct effect_ask ask;
	runs_answer_fn *on_answer;
	void *ctx;
};

static void
question_unlink(struct questions *questions, struct runs_question *question)
{
	struct runs_question **back = &questions->first;

	while (*back != question)
		back = &(*back)->next;
	*back = question->next;
	questions->n--;
	if (question->is_sent)
		questions->n_asked--;
}

static void
question_answer(struct questions *questions, struct runs_question *question, int exit_status,
    bool unreachable, const char *text)
{
	question_unlink(questions, question);
	question->on_answer(question->ctx, exit_status, unreachable, text, strlen(text));
	free(question);
}

void
questions_take(struct questions *questions, const struct protocol_message *message)
{
	const struct protocol_record *record = &message->record;
	struct runs_question *question = questions->first;
	int status = record->timed_out && record->status == 0 ? STATUS_TIMEOUT : record->status;
	char text[PROTOCOL_ANSWER_MAX + 1];

	while (question != NULL && question->id != message->id)
		question = question->next;
	if (question == NULL)
		return; /* cancelled meanwhile */
	if (message->body_len == 0 || memchr(message->body, '\0', message->body_len) != NULL) {
		question_answer(questions, question, status == 0 ? STATUS_UNREACHABLE : status,
		    false,
		    message->text[0] != '\0' || !record->timed_out ? message->text :
								     "git did not answer in time");
		return;
	}
	memcpy(text, message->body, message->body_len);
	text[message->body_len] = '\0';
	question_answer(questions, question, status, false, text);
}

static void
fill_ask(struct protocol_message *message, const struct runs_question *question)
{
	const struct effect_ask *ask = &question->ask;
	size_t used = 0;

	message->kind = PROTOCOL_ASK;
	message->id = question->id;
	message->question =
	    ask->kind == ASK_HEADS ? PROTOCOL_QUESTION_HEADS : PROTOCOL_QUESTION_COMMITS;
	if (ask->kind == ASK_HEADS) {
		for (size_t i = 0; i < ask->n_branches; i++)
			used += (size_t)snprintf(message->branches + used,
			    sizeof(message->branches) - used, "%s%s", i > 0 ? " " : "",
			    ask->branches[i]);
		return;
	}
	static_assert(sizeof(message->ref) >= sizeof(ask->ref), "a ref fits");
	static_assert(sizeof(message->branch) >= sizeof(ask->branch), "a branch fits");
	static_assert(sizeof(message->base) >= sizeof(ask->base), "a commit fits");
	memcpy(message->ref, ask->ref, sizeof(ask->ref));
	memcpy(message->branch, ask->branch, sizeof(ask->branch));
	memcpy(message->base, ask->base, sizeof(ask->base));
}

struct runs_question *
questions_add(struct questions *questions, const struct effect_ask *ask, runs_answer_fn *on_answer,
    void *ctx, struct err *err)
{
	struct runs_question *question, **back;

	static_assert(sizeof(((struct protocol_message *)0)->branches) >= sizeof(ask->branches),
	    "all branches fit, each with a blank");
	if (questions->n >= RUNS_QUESTIONS_MAX) {
		(void)err_set(
		    err, ERR_BUSY, "%d questions wait for git already", RUNS_QUESTIONS_MAX);
		return NULL;
	}
	question = calloc(1, sizeof(*question));
	if (question == NULL) {
		(void)err_set(err, ERR_NOMEM, "out of memory for a question");
		return NULL;
	}
	question->id = ++questions->last;
	question->ask = *ask;
	question->on_answer = on_answer;
	question->ctx = ctx;
	for (back = &questions->first; *back != NULL; back = &(*back)->next)
		;
	*back = question;
	questions->n++;
	return question;
}

void
questions_cancel(struct questions *questions, struct runs_question *question)
{
	question_unlink(questions, question);
	free(question);
}

static bool
question_say(
    struct questions *questions, struct runs_question *question, struct runner_link *runner)
{
	struct protocol_message message = { .kind = PROTOCOL_ASK };
	struct err err = { .code = ERR_NONE };

	fill_ask(&message, question);
	switch (runner_link_send(runner, &message, &err)) {
	case PACKET_SENT:
		break;
	case PACKET_REFUSED:
		/* What no message can hold is no ref of any repository: git says so itself, with
		 * what is possible. */
		message = (struct protocol_message){ .kind = PROTOCOL_ASK,
			.id = question->id,
			.question = PROTOCOL_QUESTION_COMMITS };
		(void)snprintf(message.ref, sizeof(message.ref), "?");
		if (runner_link_send(runner, &message, &err) != PACKET_SENT)
			return false;
		break;
	default:
		return false;
	}
	question->is_sent = true;
	questions->n_asked++;
	return true;
}

void
questions_say(struct questions *questions, struct runner_link *runner)
{
	for (struct runs_question *q = questions->first; q != NULL; q = q->next) {
		if (questions->n_asked >= PROTOCOL_ASKS_MAX)
			return;
		if (!q->is_sent && !question_say(questions, q, runner))
			return;
	}
}

void
questions_runner_down(struct questions *questions)
{
	uint64_t last = questions->last; /* whoever is told may ask again */

	while (questions->first != NULL && questions->first->id <= last)
		question_answer(questions, questions->first, STATUS_UNREACHABLE, true,
		    "deploybot-runner is not there; it is started again");
}

void
questions_done(struct questions *questions)
{
	while (questions->first != NULL)
		questions_cancel(questions, questions->first);
}
