/* runs.c - runs and git questions, ordered from the runner and followed to their end.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "runs/runs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/clean.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/text.h"
#include "runs/keeper_link.h"
#include "runs/run_files.h"
#include "runs/run_tail.h"
#include "runs/runner_link.h"
#include "types/settings.h"

#define MAGIC		0x52756e73u
#define RUN_MAGIC	0x52756e31u
#define GRACE_S		10
#define ORDERS_MAX	3	/* of one run, where the runner contradicts itself */
#define RECONNECT_MS	200	/* its keeper lives, but could not be reached */
#define LOST_MS		1000	/* a closed connection that nothing explains by then is told */
#define STATUS_UNREACHABLE 69
#define STATUS_TIMEOUT	75

/* What is to be said to the runner about a run, and what we wait for. */
enum run_phase {
	RUN_TO_ORDER,		/* → run */
	RUN_ORDERED,		/* ← started, refused */
	RUN_TO_SETTLE,		/* → settle */
	RUN_SETTLING,		/* ← settled */
	RUN_TO_CONNECT,		/* its keeper is tried again when the timer expires */
	RUN_FOLLOWED,		/* its keeper is connected */
	RUN_UNSAYABLE,		/* no message can hold its order: refused in the next turn */
};

struct run {
	unsigned magic;
	struct run *next;
	struct runs *runs;
	struct effect_run order;
	struct runs_watch watch;
	enum run_phase phase;
	struct keeper_link *keeper;
	struct loop_timer timer;	/* RUN_TO_CONNECT: reconnect; unexplained: tell it lost */
	bool wants_end;		/* said at every hello from now on */
	struct runs_wish *wishes;
	struct loop_task end_told;
	unsigned orders;
	bool was_started;	/* its folder was there: it is never ordered again */
	bool hello_told;
	bool is_deaf;		/* its keeper speaks another version: only its record counts */
	int64_t went_at;	/* wall ms of our `go`; 0: it was another's */
	struct runs_progress progress;
};

struct runs_question {
	struct runs_question *next;
	uint64_t id;
	bool is_sent;
	struct effect_ask ask;
	runs_answer_fn *on_answer;
	void *ctx;
};

struct runs {
	unsigned magic;
	struct loop *loop;
	struct runner_link *runner;
	struct redact *redact;
	char *state_directory;
	unsigned grace_s;
	struct run *open;
	size_t n_open;
	struct runs_question *questions;	/* oldest first */
	size_t n_questions;
	size_t n_asked;				/* of them at the runner */
	uint64_t last_question;
	void (*on_ready)(void *ctx);
	void (*on_fatal)(void *ctx, const char *text);
	void *ctx;
};

static void on_runner_ready(void *ctx);
static void on_runner_message(void *ctx, const struct protocol_message *message);
static void on_runner_writable(void *ctx);
static void on_runner_down(void *ctx);
static void on_runner_fatal(void *ctx, const char *text);
static void on_keeper_message(void *ctx, const struct protocol_message *message);
static void on_keeper_closed(void *ctx);
static void on_run_timer(struct loop_timer *timer, void *ctx);
static void flush(struct runs *runs);

/* --- beginning and end of the whole ----------------------------------------------------------- */

static bool
start_runner(struct runs *runs, const struct runs_config *config, struct err *err)
{
	const struct runner_link_config link = {
		.path = config->runner,
		.state_directory = runs->state_directory,
		.env_file = config->env_file,
		.settings = config->settings,
		.on_ready = on_runner_ready,
		.on_message = on_runner_message,
		.on_writable = on_runner_writable,
		.on_down = on_runner_down,
		.on_fatal = on_runner_fatal,
		.ctx = runs,
	};

	runs->runner = runner_link_start(runs->loop, &link, err);
	return runs->runner != NULL;
}

struct runs *
runs_start(struct loop *loop, const struct runs_config *config, struct err *err)
{
	struct runs *runs = calloc(1, sizeof(*runs));

	if (runs != NULL)
		runs->state_directory = strdup(config->settings->state_directory);
	if (runs == NULL || runs->state_directory == NULL) {
		(void)err_set(err, ERR_NOMEM, "out of memory for runs");
		free(runs);
		return NULL;
	}
	runs->magic = MAGIC;
	runs->loop = loop;
	runs->redact = config->redact;
	runs->grace_s = config->grace_s > 0 ? config->grace_s : GRACE_S;
	runs->on_ready = config->on_ready;
	runs->on_fatal = config->on_fatal;
	runs->ctx = config->ctx;
	if (!start_runner(runs, config, err)) {
		runs_free(runs);
		return NULL;
	}
	return runs;
}

static void
run_free(struct run *run)
{
	loop_timer_stop(&run->timer);
	loop_task_cancel(&run->end_told);
	keeper_link_free(run->keeper);
	run->magic = 0;
	free(run);
}

static void
run_drop(struct run *run)
{
	struct runs_wish *wish;

	while ((wish = run->wishes) != NULL) {
		run->wishes = wish->next;
		if (wish->on_dropped != NULL)
			wish->on_dropped(wish);
	}
	if (run->watch.on_dropped != NULL)
		run->watch.on_dropped(run->watch.ctx);
	run_free(run);
}

void
runs_free(struct runs *runs)
{
	struct runs_question *question;
	struct run *run;

	if (runs == NULL)
		return;
	OBJ_CHECK(runs, MAGIC);
	runner_link_free(runs->runner);
	while ((run = runs->open) != NULL) {
		runs->open = run->next;
		run_drop(run);
	}
	while ((question = runs->questions) != NULL) {
		runs->questions = question->next;
		free(question);
	}
	free(runs->state_directory);
	runs->magic = 0;
	free(runs);
}

bool
runs_is_ready(const struct runs *runs)
{
	OBJ_CHECK(runs, MAGIC);
	return runner_link_is_ready(runs->runner);
}

size_t
runs_open(const struct runs *runs)
{
	OBJ_CHECK(runs, MAGIC);
	return runs->n_open;
}

const char *
runs_state_directory(const struct runs *runs)
{
	OBJ_CHECK(runs, MAGIC);
	return runs->state_directory;
}

struct redact *
runs_redact(const struct runs *runs)
{
	OBJ_CHECK(runs, MAGIC);
	return runs->redact;
}

/* --- one run: found, told, ended --------------------------------------------------------------- */

static struct run *
run_find(const struct runs *runs, int64_t id)
{
	struct run *run = runs->open;

	while (run != NULL && run->order.run != id)
		run = run->next;
	return run;
}

static void
grant_wishes(struct run *run)
{
	struct runs_wish *wish;

	while ((wish = run->wishes) != NULL) {
		run->wishes = wish->next;
		wish->next = NULL;
		wish->on_sent(wish);
	}
}

static void
on_end_told(struct loop_task *task, void *ctx)
{
	struct run *run = ctx;

	(void)task;
	OBJ_CHECK(run, RUN_MAGIC);
	grant_wishes(run);
}

static void
tell_step(struct run *run, const struct protocol_step *said)
{
	struct runs_progress *progress = &run->progress;
	struct run_step *step = &progress->steps[progress->step_count];

	static_assert(COUNT(progress->steps) >= PROTOCOL_STEPS_ROOM, "all steps fit");
	static_assert(sizeof(step->name) > PROTOCOL_STEP_NAME, "a step's name fits");
	if (progress->step_count >= PROTOCOL_STEPS_ROOM)
		return;
	step->run = run->order.run;
	step->n = (int)progress->step_count++;
	step->at = said->at;
	(void)clean_line(step->name, sizeof(step->name), said->name, strlen(said->name));
	run->watch.on_step(run->watch.ctx, step);
}

/* Of all steps there are, those that were not told yet. */
static void
tell_steps(struct run *run, const struct protocol_message *message)
{
	for (size_t i = run->progress.step_count; i < message->step_count; i++)
		tell_step(run, &message->steps[i]);
}

static void
tell_lost(struct run *run)
{
	if (run->progress.is_lost)
		return;
	run->progress.is_lost = true;
	run->watch.on_lost(run->watch.ctx);
}

/* The last word about it: unlinks and frees. */
static void
run_end(struct run *run, const struct run_ended *ended)
{
	struct runs *runs = run->runs;
	struct run **back = &runs->open;

	while (*back != run)
		back = &(*back)->next;
	*back = run->next;
	runs->n_open--;
	grant_wishes(run);
	run->watch.on_ended(run->watch.ctx, ended);
	run_free(run);
}

static void
run_refuse(struct run *run, const char *why)
{
	struct run_ended ended = { .run = run->order.run, .refused = true };

	(void)clean_line(ended.detail, sizeof(ended.detail), why, strlen(why));
	run_end(run, &ended);
}

static int64_t
duration_of(const struct run *run, const struct protocol_record *record)
{
	int64_t began = run->went_at;

	if (!record->gate || record->ended_at == 0)
		return 0;
	if (began == 0)
		began = run_files_started_at(run->runs->state_directory, run->order.run);
	return began == 0 || record->ended_at < began ? 0 : record->ended_at - began;
}

static void
detail_of(const struct run *run, const struct protocol_record *record,
    char detail[LIMIT_LINE])
{
	char why[96];

	detail[0] = '\0';
	if (record->exec_errno != 0)
		(void)snprintf(detail, LIMIT_LINE, "the script could not be started: %s",
		    strerror_r(record->exec_errno, why, sizeof(why)));
	else if (record->gate)
		run_tail_last(run->runs->state_directory, run->order.run, run->runs->redact,
		    detail, LIMIT_LINE);
}

/* From the exit record, as settled or exit tells it. */
static void
run_end_by_record(struct run *run, const struct protocol_message *message)
{
	const struct protocol_record *record = &message->record;
	struct run_ended ended = {
		.run = run->order.run,
		.gate_opened = record->gate,
		/* Lost after `go`: nobody knows what it was doing. */
		.released = record->released || (record->lost && record->gate),
		.no_way_back = record->no_rollback,
		.lost = record->lost,
		.timed_out = record->timed_out,
		.ended_on_request = record->ended,
		.exec_errno = record->exec_errno,
		.exit_status = record->signal != 0 ? -1 : record->status,
		.signal_number = record->signal,
		.duration_ms = duration_of(run, record),
	};

	tell_steps(run, message);
	if (record->lost)
		tell_lost(run);
	detail_of(run, record, ended.detail);
	run_end(run, &ended);
}

/* Its folder is gone, though it had one: somebody deleted it.  It may have done anything. */
static void
run_end_unknown(struct run *run)
{
	struct run_ended ended = { .run = run->order.run, .gate_opened = true, .released = true,
		.lost = true, .exit_status = -1,
		.detail = "its folder in runs/ has vanished: nobody knows what it did" };

	log_line(LOG_LEVEL_ERROR, LOG_FIELDS(LOG_I64("run", run->order.run)), "%s", ended.detail);
	tell_lost(run);
	run_end(run, &ended);
}

/* --- its keeper -------------------------------------------------------------------------------- */

static void
run_settle(struct run *run)
{
	keeper_link_free(run->keeper);
	run->keeper = NULL;
	run->phase = RUN_TO_SETTLE;
	flush(run->runs);
}

static void
run_connect(struct run *run)
{
	const struct keeper_link_watch watch = { on_keeper_message, on_keeper_closed, run };
	struct err err = { .code = ERR_NONE };

	loop_timer_stop(&run->timer);
	run->was_started = true;
	run->keeper = keeper_link_open(run->runs->loop, run->runs->state_directory, run->order.run,
	    &watch, &err);
	if (run->keeper != NULL) {
		run->phase = RUN_FOLLOWED;
		return;
	}
	if (err.code != ERR_MISSING && err.code != ERR_BUSY)
		log_line(LOG_LEVEL_WARNING, LOG_FIELDS(LOG_I64("run", run->order.run)), "%s",
		    err.text);
	/* What became of it is asked anew after a while: a keeper that is busy, or on its way out. */
	run->phase = RUN_TO_CONNECT;
	loop_timer_start(run->runs->loop, &run->timer, RECONNECT_MS, 0);
}

static void
on_run_timer(struct loop_timer *timer, void *ctx)
{
	struct run *run = ctx;

	(void)timer;
	OBJ_CHECK(run, RUN_MAGIC);
	if (run->phase == RUN_UNSAYABLE)
		run_refuse(run, "its order holds what the runner does not take");
	else if (run->phase == RUN_TO_CONNECT)
		run_settle(run);
	else
		tell_lost(run);
}

static void
on_keeper_closed(void *ctx)
{
	struct run *run = ctx;

	OBJ_CHECK(run, RUN_MAGIC);
	loop_timer_start(run->runs->loop, &run->timer, LOST_MS, 0);
	run_settle(run);
}

static void
tell_hello(struct run *run, const struct protocol_message *message)
{
	struct run_started hello = {
		.run = run->order.run,
		.pid = message->pid,
		.start_time = message->start,
	};

	static_assert(sizeof(hello.boot) >= sizeof(message->boot), "a boot id fits");
	memcpy(hello.boot, message->boot, sizeof(message->boot));
	run->hello_told = true;
	run->watch.on_hello(run->watch.ctx, &hello);
}

static void
take_hello(struct run *run, const struct protocol_message *message)
{
	if (message->version != PROTOCOL_VERSION) {
		log_line(LOG_LEVEL_ERROR, LOG_FIELDS(LOG_I64("run", run->order.run)),
		    "its keeper speaks version %u: it is followed by its record alone",
		    message->version);
		run->is_deaf = true;
		return;
	}
	run->progress.log_size = message->log_size;
	run->progress.gate_opened = message->record.gate;
	if (run->wants_end) {
		keeper_link_end(run->keeper);
		loop_defer(run->runs->loop, &run->end_told);
	}
	tell_steps(run, message);
	if (!message->record.gate && run->went_at != 0)
		keeper_link_go(run->keeper); /* the connection broke between our go and its ear */
	else if (!message->record.gate && !run->hello_told)
		tell_hello(run, message);
}

static void
on_keeper_message(void *ctx, const struct protocol_message *message)
{
	struct run *run = ctx;

	OBJ_CHECK(run, RUN_MAGIC);
	if (run->is_deaf)
		return;
	switch (message->kind) {
	case PROTOCOL_HELLO:
		take_hello(run, message);
		break;
	case PROTOCOL_GREW:
		run->progress.log_size = message->log_size;
		break;
	case PROTOCOL_STEP:
		tell_step(run, &message->steps[0]);
		break;
	case PROTOCOL_STUCK:
		log_line(LOG_LEVEL_ERROR, LOG_FIELDS(LOG_I64("run", run->order.run)),
		    "process %d of it cannot be ended; its environment stays busy",
		    (int)message->pid);
		break;
	case PROTOCOL_EXIT:
		run_end_by_record(run, message);
		break;
	default:
		break;
	}
}

/* --- what the runner says about a run ------------------------------------------------------------ */

/* There is no folder.  Ordered again, but never what had one. */
static void
take_never(struct run *run)
{
	loop_timer_stop(&run->timer);
	if (run->was_started) {
		run_end_unknown(run);
	} else if (run->orders >= ORDERS_MAX) {
		run_refuse(run, "the runner contradicts itself about this run");
	} else {
		run->phase = RUN_TO_ORDER;
		flush(run->runs);
	}
}

static void
take_settled(struct run *run, const struct protocol_message *message)
{
	switch (message->state) {
	case PROTOCOL_STATE_NEVER:
		take_never(run);
		break;
	case PROTOCOL_STATE_ALIVE:
		if (run->phase == RUN_SETTLING)
			run_connect(run);
		break;
	case PROTOCOL_STATE_ENDED:
	case PROTOCOL_STATE_LOST:
		run_end_by_record(run, message);
		break;
	default:
		break;
	}
}

static void
take_refused(struct run *run, const struct protocol_message *message)
{
	if (message->why == PROTOCOL_WHY_EXISTS)
		run_settle(run);
	else
		run_refuse(run, message->text[0] != '\0' ? message->text :
			"the runner refused it and gave no reason");
}

static void
take_stuck(struct run *run, const struct protocol_message *message)
{
	log_line(LOG_LEVEL_ERROR, LOG_FIELDS(LOG_I64("run", run->order.run)),
	    "its keeper is gone and process %d of it cannot be ended; its environment stays busy",
	    (int)message->pid);
	tell_lost(run);
}

static void
take_run_message(struct runs *runs, const struct protocol_message *message)
{
	struct run *run = run_find(runs, (int64_t)message->id);

	if (run == NULL)
		return;
	if (message->kind == PROTOCOL_STARTED) {
		if (run->phase == RUN_ORDERED)
			run_connect(run);
	} else if (message->kind == PROTOCOL_REFUSED) {
		if (run->phase == RUN_ORDERED)
			take_refused(run, message);
	} else if (message->kind == PROTOCOL_SETTLED) {
		take_settled(run, message);
	} else {
		take_stuck(run, message);
	}
}

/* --- git questions -------------------------------------------------------------------------------- */

static void
question_unlink(struct runs *runs, struct runs_question *question)
{
	struct runs_question **back = &runs->questions;

	while (*back != question)
		back = &(*back)->next;
	*back = question->next;
	runs->n_questions--;
	if (question->is_sent)
		runs->n_asked--;
}

static void
question_answer(struct runs *runs, struct runs_question *question, int exit_status,
    bool unreachable, const char *text)
{
	question_unlink(runs, question);
	question->on_answer(question->ctx, exit_status, unreachable, text, strlen(text));
	free(question);
}

static void
take_answer(struct runs *runs, const struct protocol_message *message)
{
	const struct protocol_record *record = &message->record;
	struct runs_question *question = runs->questions;
	int status = record->timed_out && record->status == 0 ? STATUS_TIMEOUT : record->status;
	char text[PROTOCOL_ANSWER_MAX + 1];

	while (question != NULL && question->id != message->id)
		question = question->next;
	if (question == NULL)
		return; /* cancelled meanwhile */
	if (message->body_len == 0 || memchr(message->body, '\0', message->body_len) != NULL) {
		question_answer(runs, question, status == 0 ? STATUS_UNREACHABLE : status, false,
		    message->text[0] != '\0' || !record->timed_out ? message->text :
			"git did not answer in time");
		return;
	}
	memcpy(text, message->body, message->body_len);
	text[message->body_len] = '\0';
	question_answer(runs, question, status, false, text);
}

static void
fill_ask(struct protocol_message *message, const struct runs_question *question)
{
	const struct effect_ask *ask = &question->ask;
	size_t used = 0;

	message->kind = PROTOCOL_ASK;
	message->id = question->id;
	message->question = ask->kind == ASK_HEADS ? PROTOCOL_QUESTION_HEADS :
	    PROTOCOL_QUESTION_COMMITS;
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
runs_ask(struct runs *runs, const struct effect_ask *ask, runs_answer_fn *on_answer, void *ctx,
    struct err *err)
{
	struct runs_question *question, **back;

	OBJ_CHECK(runs, MAGIC);
	static_assert(sizeof(((struct protocol_message *)0)->branches) >=
	    sizeof(ask->branches), "all branches fit, each with a blank");
	if (runs->n_questions >= RUNS_QUESTIONS_MAX) {
		(void)err_set(err, ERR_BUSY, "%d questions wait for git already",
		    RUNS_QUESTIONS_MAX);
		return NULL;
	}
	question = calloc(1, sizeof(*question));
	if (question == NULL) {
		(void)err_set(err, ERR_NOMEM, "out of memory for a question");
		return NULL;
	}
	question->id = ++runs->last_question;
	question->ask = *ask;
	question->on_answer = on_answer;
	question->ctx = ctx;
	for (back = &runs->questions; *back != NULL; back = &(*back)->next)
		;
	*back = question;
	runs->n_questions++;
	flush(runs);
	return question;
}

void
runs_ask_cancel(struct runs *runs, struct runs_question *question)
{
	if (question == NULL)
		return;
	OBJ_CHECK(runs, MAGIC);
	question_unlink(runs, question);
	free(question);
}

/* --- to the runner: nothing is queued, what is to be said is read off the runs and questions ------- */

static void
fill_order(struct protocol_message *message, const struct run *run)
{
	const struct effect_run *order = &run->order;

	message->kind = PROTOCOL_RUN;
	message->program = order->program == PROGRAM_DEPLOY ? PROTOCOL_PROGRAM_DEPLOY :
	    PROTOCOL_PROGRAM_ROLLBACK;
	message->deadline_s = (unsigned)order->deadline_s;
	message->grace_s = run->runs->grace_s;
	message->deployment = (uint64_t)order->deployment;
	static_assert(sizeof(message->previous) >= sizeof(order->previous), "a commit fits");
	static_assert(sizeof(message->argument) >= sizeof(order->commit), "a commit fits");
	memcpy(message->argument, order->commit, sizeof(order->commit));
	memcpy(message->previous, order->previous, sizeof(order->previous));
	/* A name too long is cut, and refused by the runner, which knows no such environment. */
	(void)text_copy(message->environment, sizeof(message->environment), order->environment);
	memcpy(message->ref, order->ref, sizeof(order->ref));
}

/* Is the runner to be told anything more? */
static bool
run_say(struct run *run)
{
	struct protocol_message message = { .kind = PROTOCOL_SETTLE };
	struct err err = { .code = ERR_NONE };

	if (run->phase == RUN_TO_ORDER)
		fill_order(&message, run);
	message.id = (uint64_t)run->order.run;
	switch (runner_link_send(run->runs->runner, &message, &err)) {
	case PACKET_SENT:
		if (run->phase == RUN_TO_ORDER)
			run->orders++;
		run->phase = run->phase == RUN_TO_ORDER ? RUN_ORDERED : RUN_SETTLING;
		return true;
	case PACKET_REFUSED:
		/* What the protocol cannot say would be refused there too.  Not from in here. */
		log_line(LOG_LEVEL_ERROR, LOG_FIELDS(LOG_I64("run", run->order.run)),
		    "it cannot be ordered: %s", err.text);
		run->phase = RUN_UNSAYABLE;
		loop_timer_start(run->runs->loop, &run->timer, 0, 0);
		return true;
	default:
		return false;
	}
}

static bool
question_say(struct runs *runs, struct runs_question *question)
{
	struct protocol_message message = { .kind = PROTOCOL_ASK };
	struct err err = { .code = ERR_NONE };

	fill_ask(&message, question);
	switch (runner_link_send(runs->runner, &message, &err)) {
	case PACKET_SENT:
		break;
	case PACKET_REFUSED:
		/* A ref that no protocol message can hold: git would be asked nothing. */
		message = (struct protocol_message){ .kind = PROTOCOL_ASK, .id = question->id,
			.question = message.question };
		(void)snprintf(message.ref, sizeof(message.ref), "?");
		if (runner_link_send(runs->runner, &message, &err) != PACKET_SENT)
			return false;
		break;
	default:
		return false;
	}
	question->is_sent = true;
	runs->n_asked++;
	return true;
}

static void
flush(struct runs *runs)
{
	if (!runner_link_is_ready(runs->runner))
		return;
	for (struct run *run = runs->open; run != NULL; run = run->next) {
		if ((run->phase == RUN_TO_ORDER || run->phase == RUN_TO_SETTLE) && !run_say(run))
			return;
	}
	for (struct runs_question *q = runs->questions; q != NULL; q = q->next) {
		if (runs->n_asked >= PROTOCOL_ASKS_MAX)
			return;
		if (!q->is_sent && !question_say(runs, q))
			return;
	}
}

/* --- the runner's callbacks ------------------------------------------------------------------------ */

static void
on_runner_ready(void *ctx)
{
	struct runs *runs = ctx;

	OBJ_CHECK(runs, MAGIC);
	flush(runs);
	if (runs->on_ready != NULL)
		runs->on_ready(runs->ctx);
}

static void
on_runner_writable(void *ctx)
{
	struct runs *runs = ctx;

	OBJ_CHECK(runs, MAGIC);
	flush(runs);
}

static void
on_runner_message(void *ctx, const struct protocol_message *message)
{
	struct runs *runs = ctx;

	OBJ_CHECK(runs, MAGIC);
	switch (message->kind) {
	case PROTOCOL_STARTED:
	case PROTOCOL_REFUSED:
	case PROTOCOL_SETTLED:
	case PROTOCOL_STUCK:
		take_run_message(runs, message);
		break;
	case PROTOCOL_ANSWER:
		take_answer(runs, message);
		flush(runs);
		break;
	default:
		log_warning("deploybot-runner said %s, which it should not",
		    protocol_kind_name(message->kind));
	}
}

/* What it was told and did not answer: runs are settled by the next one, questions have failed. */
static void
on_runner_down(void *ctx)
{
	struct runs *runs = ctx;
	struct runs_question *question;
	uint64_t last;

	OBJ_CHECK(runs, MAGIC);
	for (struct run *run = runs->open; run != NULL; run = run->next) {
		if (run->phase == RUN_ORDERED || run->phase == RUN_SETTLING)
			run->phase = RUN_TO_SETTLE;
	}
	last = runs->last_question; /* whoever is told may ask again */
	while ((question = runs->questions) != NULL && question->id <= last)
		question_answer(runs, question, STATUS_UNREACHABLE, true,
		    "deploybot-runner is not there; it is started again");
}

static void
on_runner_fatal(void *ctx, const char *text)
{
	struct runs *runs = ctx;

	OBJ_CHECK(runs, MAGIC);
	if (runs->on_fatal != NULL)
		runs->on_fatal(runs->ctx, text);
	else
		log_error("%s", text);
}

/* --- for performers --------------------------------------------------------------------------------- */

static bool
follow(struct runs *runs, const struct effect_run *order, const struct runs_watch *watch,
    enum run_phase phase, struct err *err)
{
	struct run *run;

	OBJ_CHECK(runs, MAGIC);
	if (run_find(runs, order->run) != NULL)
		return err_set(err, ERR_BUSY, "run %" PRId64 " is followed already", order->run);
	run = calloc(1, sizeof(*run));
	if (run == NULL)
		return err_set(err, ERR_NOMEM, "out of memory for run %" PRId64, order->run);
	run->magic = RUN_MAGIC;
	run->runs = runs;
	run->order = *order;
	memset(&run->order.message, 0, sizeof(run->order.message));
	run->watch = *watch;
	run->phase = phase;
	loop_timer_init(&run->timer, on_run_timer, run);
	loop_task_init(&run->end_told, on_end_told, run);
	run->next = runs->open;
	runs->open = run;
	runs->n_open++;
	flush(runs);
	return true;
}

bool
runs_order(struct runs *runs, const struct effect_run *order, const struct runs_watch *watch,
    struct err *err)
{
	return follow(runs, order, watch, RUN_TO_ORDER, err);
}

bool
runs_resume(struct runs *runs, const struct effect_run *order, const struct runs_watch *watch,
    struct err *err)
{
	return follow(runs, order, watch, RUN_TO_SETTLE, err);
}

static int64_t
wall_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail for this clock */
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void
runs_go(struct runs *runs, int64_t id)
{
	struct run *run;

	OBJ_CHECK(runs, MAGIC);
	run = run_find(runs, id);
	if (run == NULL || run->went_at != 0)
		return;
	run->went_at = wall_ms();
	run->progress.gate_opened = true;
	if (run->phase == RUN_FOLLOWED)
		keeper_link_go(run->keeper);
}

bool
runs_end(struct runs *runs, struct runs_wish *wish)
{
	struct run *run;

	OBJ_CHECK(runs, MAGIC);
	run = run_find(runs, wish->run);
	if (run == NULL)
		return false;
	wish->next = run->wishes;
	run->wishes = wish;
	run->wants_end = true;
	if (run->phase == RUN_FOLLOWED) {
		keeper_link_end(run->keeper);
		loop_defer(runs->loop, &run->end_told);
	}
	return true;
}

void
runs_end_cancel(struct runs *runs, struct runs_wish *wish)
{
	struct run *run;

	OBJ_CHECK(runs, MAGIC);
	run = run_find(runs, wish->run);
	for (struct runs_wish **back = run == NULL ? NULL : &run->wishes;
	    back != NULL && *back != NULL; back = &(*back)->next) {
		if (*back == wish) {
			*back = wish->next;
			return;
		}
	}
}

bool
runs_progress(const struct runs *runs, int64_t id, struct runs_progress *ret)
{
	const struct run *run;

	OBJ_CHECK(runs, MAGIC);
	run = run_find(runs, id);
	if (run == NULL)
		return false;
	*ret = run->progress;
	return true;
}
