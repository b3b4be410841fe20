/* runs.c - runs and git questions, joined with the runner.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "runs/runs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "runs/questions.h"
#include "runs/run_follow.h"
#include "runs/runner_link.h"
#include "types/settings.h"

#define MAGIC	 0x52756e73u
#define GRACE_S	 10
#define ANSWER_S 60
#define OPEN_MAX 64 /* one environment has one active run; some may wait for their end */

struct runs {
	unsigned magic;
	struct loop *loop;
	struct runner_link *runner;
	char *state_directory;
	struct run_follow_world world;
	struct run_follow *open[OPEN_MAX];
	size_t n_open;
	struct questions questions;
	int64_t forget; /* the run whose folder is to go; 0: none */
	bool is_forget_said;
	runs_forgotten_fn *on_forgotten;
	void *forget_ctx;
	void (*on_ready)(void *ctx);
	void (*on_away)(void *ctx, const char *why);
	void (*on_fatal)(void *ctx, const char *text);
	void *ctx;
};

static void on_runner_ready(void *ctx);
static void on_runner_message(void *ctx, const struct protocol_message *message);
static void on_runner_writable(void *ctx);
static void on_runner_down(void *ctx);
static void on_runner_away(void *ctx, const char *why);
static void on_runner_fatal(void *ctx, const char *text);
static void on_unsaid(void *ctx);
static void on_over(void *ctx, struct run_follow *run);

/* --- beginning and end -------------------------------------------------------------------- */

static bool
start_runner(struct runs *runs, const struct runs_config *config, struct err *err)
{
	const struct runner_link_config link = {
		.socket = config->settings->runner_socket,
		.path = config->runner,
		.state_directory = runs->state_directory,
		.env_file = config->env_file,
		.settings = config->settings,
		.answer_ms = (config->answer_s > 0 ? config->answer_s : ANSWER_S) * INT64_C(1000),
		.on_ready = on_runner_ready,
		.on_message = on_runner_message,
		.on_writable = on_runner_writable,
		.on_down = on_runner_down,
		.on_away = on_runner_away,
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
	runs->on_ready = config->on_ready;
	runs->on_away = config->on_away;
	runs->on_fatal = config->on_fatal;
	runs->ctx = config->ctx;
	runs->world = (struct run_follow_world){ .loop = loop,
		.state_directory = runs->state_directory,
		.redact = config->redact,
		.grace_s = config->grace_s > 0 ? config->grace_s : GRACE_S,
		.on_unsaid = on_unsaid,
		.on_over = on_over,
		.ctx = runs };
	if (!start_runner(runs, config, err)) {
		runs_free(runs);
		return NULL;
	}
	return runs;
}

void
runs_free(struct runs *runs)
{
	if (runs == NULL)
		return;
	OBJ_CHECK(runs, MAGIC);
	runner_link_free(runs->runner);
	while (runs->n_open > 0)
		run_follow_drop(runs->open[--runs->n_open]);
	questions_done(&runs->questions);
	free(runs->state_directory);
	runs->magic = 0;
	free(runs);
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
	return runs->world.redact;
}

/* --- between the runner and what it is told of -------------------------------------------- */

static struct run_follow *
find(const struct runs *runs, int64_t id)
{
	OBJ_CHECK(runs, MAGIC);
	for (size_t i = 0; i < runs->n_open; i++) {
		if (run_follow_id(runs->open[i]) == id)
			return runs->open[i];
	}
	return NULL;
}

static bool
say_forget(struct runs *runs)
{
	const struct protocol_message message = { .kind = PROTOCOL_FORGET,
		.id = (uint64_t)runs->forget };

	if (runs->forget != 0 && !runs->is_forget_said)
		runs->is_forget_said =
		    runner_link_send(runs->runner, &message, NULL) == PACKET_SENT;
	return runs->forget == 0 || runs->is_forget_said;
}

/* Nothing is queued: what is to be said is read off the runs, the questions and the rest. */
static void
flush(struct runs *runs)
{
	if (!runner_link_is_ready(runs->runner))
		return;
	for (size_t i = 0; i < runs->n_open; i++) {
		if (!run_follow_say(runs->open[i], runs->runner))
			return;
	}
	if (say_forget(runs))
		questions_say(&runs->questions, runs->runner);
}

static void
on_unsaid(void *ctx)
{
	flush(ctx);
}

static void
/* cppcheck-suppress constParameter ; a callback */
on_over(void *ctx, struct run_follow *run)
{
	struct runs *runs = ctx;
	size_t i = 0;

	OBJ_CHECK(runs, MAGIC);
	while (runs->open[i] != run)
		i++;
	runs->open[i] = runs->open[--runs->n_open];
}

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
take_forgotten(struct runs *runs, const struct protocol_message *message)
{
	const char *why = message->text[0] != '\0' ? message->text : "the runner gave no reason";

	if (runs->forget == 0 || message->id != (uint64_t)runs->forget)
		return; /* of one that was cancelled */
	runs->is_forget_said = false;
	if (message->removal == PROTOCOL_REMOVAL_MORE) {
		flush(runs);
		return;
	}
	runs->forget = 0;
	runs->on_forgotten(
	    runs->forget_ctx, message->removal == PROTOCOL_REMOVAL_GONE ? NULL : why);
}

static void
on_runner_message(void *ctx, const struct protocol_message *message)
{
	struct runs *runs = ctx;
	struct run_follow *run;

	OBJ_CHECK(runs, MAGIC);
	switch (message->kind) {
	case PROTOCOL_STARTED:
	case PROTOCOL_REFUSED:
	case PROTOCOL_SETTLED:
	case PROTOCOL_STUCK:
		run = find(runs, (int64_t)message->id);
		if (run != NULL)
			run_follow_take(run, message);
		break;
	case PROTOCOL_ANSWER:
		questions_take(&runs->questions, message);
		flush(runs);
		break;
	case PROTOCOL_FORGOTTEN:
		take_forgotten(runs, message);
		break;
	default:
		log_warning("deploybot-runner said %s, which it should not",
		    protocol_kind_name(message->kind));
	}
}

static void
on_runner_down(void *ctx)
{
	struct runs *runs = ctx;

	OBJ_CHECK(runs, MAGIC);
	for (size_t i = 0; i < runs->n_open; i++)
		run_follow_runner_down(runs->open[i]);
	runs->is_forget_said = false;
	questions_runner_down(&runs->questions);
}

static void
on_runner_away(void *ctx, const char *why)
{
	struct runs *runs = ctx;

	OBJ_CHECK(runs, MAGIC);
	if (runs->on_away != NULL)
		runs->on_away(runs->ctx, why);
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

/* --- for performers ----------------------------------------------------------------------- */

static bool
follow(struct runs *runs, const struct effect_run *order, const struct runs_watch *watch,
    bool is_resumed, struct err *err)
{
	struct run_follow *run;

	if (find(runs, order->run) != NULL)
		return err_set(err, ERR_BUSY, "run %" PRId64 " is followed already", order->run);
	if (runs->n_open == OPEN_MAX)
		return err_set(err, ERR_LIMIT, "%d runs are open already", OPEN_MAX);
	run = run_follow_new(&runs->world, order, watch, is_resumed, err);
	if (run == NULL)
		return false;
	runs->open[runs->n_open++] = run;
	flush(runs);
	return true;
}

bool
runs_order(struct runs *runs, const struct effect_run *order, const struct runs_watch *watch,
    struct err *err)
{
	return follow(runs, order, watch, false, err);
}

bool
runs_resume(struct runs *runs, const struct effect_run *order, const struct runs_watch *watch,
    struct err *err)
{
	return follow(runs, order, watch, true, err);
}

void
runs_go(struct runs *runs, int64_t id)
{
	struct run_follow *run = find(runs, id);

	if (run != NULL)
		run_follow_go(run);
}

bool
runs_end(struct runs *runs, struct runs_wish *wish)
{
	struct run_follow *run = find(runs, wish->run);

	if (run != NULL)
		run_follow_end(run, wish);
	return run != NULL;
}

void
runs_forget(struct runs *runs, int64_t run, runs_forgotten_fn *on_forgotten, void *ctx)
{
	OBJ_CHECK(runs, MAGIC);
	assert(runs->forget == 0 && run > 0);
	runs->forget = run;
	runs->is_forget_said = false;
	runs->on_forgotten = on_forgotten;
	runs->forget_ctx = ctx;
	flush(runs);
}

void
runs_forget_cancel(struct runs *runs)
{
	OBJ_CHECK(runs, MAGIC);
	runs->forget = 0;
}

struct runs_question *
runs_ask(struct runs *runs, const struct effect_ask *ask, runs_answer_fn *on_answer, void *ctx,
    struct err *err)
{
	struct runs_question *question;

	OBJ_CHECK(runs, MAGIC);
	question = questions_add(&runs->questions, ask, on_answer, ctx, err);
	if (question != NULL)
		flush(runs);
	return question;
}

void
runs_ask_cancel(struct runs *runs, struct runs_question *question)
{
	OBJ_CHECK(runs, MAGIC);
	if (question != NULL)
		questions_cancel(&runs->questions, question);
}
