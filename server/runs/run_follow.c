/* run_follow.c - one run, from its order to its exit record.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "runs/run_follow.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/crash_point.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/text.h"
#include "runs/supervisor_link.h"
#include "runs/run_files.h"
#include "runs/run_translate.h"

#define MAGIC		0x52756e31u
#define ORDERS_MAX	3    /* of one run, where the runner contradicts itself */
#define RECONNECT_MS	200  /* its supervisor lives, but could not be reached */
#define LOST_MS		1000 /* a closed connection that nothing explains by then is told */
#define INCOMPATIBLE_MS 1000 /* how long a supervisor that is not understood may hear our `end` */

/* What is to be said to the runner about a run, and what we wait for. */
enum run_phase {
	RUN_TO_ORDER,	  /* → run */
	RUN_ORDERED,	  /* ← started, refused */
	RUN_TO_RECONCILE, /* → settle */
	RUN_RECONCILING,  /* ← settled */
	RUN_TO_CONNECT,	  /* its supervisor is tried again when the timer expires */
	RUN_FOLLOWED,	  /* its supervisor is connected */
	RUN_TO_REFUSE,	  /* in the next turn: nothing of it was ordered */
};

struct run_follow {
	unsigned magic;
	const struct run_follow_world *world;
	struct effect_run order;
	struct runs_watch watch;
	enum run_phase phase;
	struct supervisor_link *supervisor;
	const char *refusal;	 /* RUN_TO_REFUSE: why */
	struct loop_timer timer; /* of the phase; unexplained: tell it lost */
	bool stop_requested;	 /* said at every hello from now on */
	struct runs_stop_request *stop_requests;
	struct loop_task end_told; /* grants them: never inside runs_stop_run() */
	unsigned orders;
	bool was_started; /* its folder was there, or its row says so: it is never ordered again */
	bool said_hello;
	bool
	    incompatible; /* its supervisor is not understood: the record alone counts; told once */
	int64_t went_at;  /* wall ms of our `go`; 0: it was another's */
	bool is_unreachable; /* that it is was said */
	bool is_lost;
	bool is_stuck;
	size_t step_count; /* told of */
};

static void on_supervisor_message(void *ctx, const struct protocol_message *message);
static void on_supervisor_unreadable(void *ctx, const char *why);
static void on_supervisor_closed(void *ctx);
static void on_run_timer(struct loop_timer *timer, void *ctx);
static void on_end_told(struct loop_task *task, void *ctx);

/* --- told and ended ----------------------------------------------------------------------- */

static void
run_free(struct run_follow *run)
{
	loop_timer_stop(&run->timer);
	loop_task_cancel(&run->end_told);
	supervisor_link_free(run->supervisor);
	run->magic = 0;
	free(run);
}

static void
answer_stop_requests(struct run_follow *run)
{
	struct runs_stop_request *request;

	while ((request = run->stop_requests) != NULL) {
		run->stop_requests = request->next;
		request->next = NULL;
		request->on_sent(request);
	}
}

static void
on_end_told(struct loop_task *task, void *ctx)
{
	struct run_follow *run = ctx;

	(void)task;
	OBJ_CHECK(run, MAGIC);
	answer_stop_requests(run);
}

static void
tell_step(struct run_follow *run, const struct protocol_step *said, const char *image)
{
	struct run_step step = { .run = run->order.run, .at = said->at };

	if (run->step_count >= PROTOCOL_STEPS_ROOM)
		return;
	step.n = (int)run->step_count++;
	run_translate_step(said->name, run->world->redact, step.name);
	static_assert(sizeof(step.image) > PROTOCOL_IMAGE, "an image fits");
	(void)text_copy(step.image, sizeof(step.image), image);
	run->watch.on_step(run->watch.ctx, &step);
}

/* Of all steps there are, those that were not told yet. */
static void
tell_steps(struct run_follow *run, const struct protocol_message *message)
{
	for (size_t i = run->step_count; i < message->step_count; i++)
		tell_step(run, &message->steps[i], message->record.image);
}

static void
tell_lost(struct run_follow *run, const char *stuck)
{
	bool is_stuck = stuck[0] != '\0';

	if (is_stuck ? run->is_stuck : run->is_lost)
		return;
	run->is_lost = true;
	run->is_stuck = is_stuck;
	run->watch.on_lost(run->watch.ctx, stuck);
}

/* The last word about it. */
static void
run_end(struct run_follow *run, const struct run_ended *ended)
{
	run->world->on_over(run->world->ctx, run);
	answer_stop_requests(run);
	run->watch.on_ended(run->watch.ctx, ended);
	run_free(run);
}

static void
run_refuse(struct run_follow *run, const char *why)
{
	struct run_ended ended = {
		.run = run->order.run, .refused = true, .ended_on_request = run->stop_requested
	};

	(void)clean_line(ended.detail, sizeof(ended.detail), why, strlen(why));
	run_end(run, &ended);
}

/* Whoever ordered it may try again, unless its end is wished: then this is it. */
static void
run_put_off(struct run_follow *run, const char *why)
{
	char text[LIMIT_LINE];

	if (run->stop_requested || run->watch.on_put_off == NULL) {
		run_refuse(run, run->stop_requested ? "cancelled before it began" : why);
		return;
	}
	(void)clean_line(text, sizeof(text), why, strlen(why));
	run->world->on_over(run->world->ctx, run);
	run->watch.on_put_off(run->watch.ctx, text);
	run_free(run);
}

/* Nothing of it is with the runner, and nothing will be. */
static void
refuse_soon(struct run_follow *run, const char *why)
{
	run->phase = RUN_TO_REFUSE;
	run->refusal = why;
	loop_timer_start(run->world->loop, &run->timer, 0, 0);
}

/* From the exit record, as settled or exit tells it. */
static void
run_end_by_record(struct run_follow *run, const struct protocol_message *message)
{
	const struct run_context context = {
		.state_directory = run->world->state_directory,
		.redact = run->world->redact,
		.run = run->order.run,
		.went_at = run->went_at,
	};
	struct run_ended ended = run_translate_record(&context, &message->record);

	CRASH_POINT(exit_heard);
	tell_steps(run, message);
	if (ended.lost)
		tell_lost(run, "");
	run_end(run, &ended);
}

/* It was started, and has no folder: somebody deleted it, the power took it, or this is a copy of
 * the database on another machine, where the run may be alive on the first. */
static void
run_end_unknown(struct run_follow *run)
{
	struct run_ended ended = { .run = run->order.run,
		.folder_gone = true,
		.exit_status = -1,
		.detail = "it was started, and its folder in runs/ is not here" };

	log_line(LOG_LEVEL_ERROR, LOG_FIELDS(LOG_I64("run", run->order.run)),
	    "%s: it is not ordered again, and what it left is not known", ended.detail);
	run_end(run, &ended);
}

/* --- its supervisor --------------------------------------------------------------------------- */

static void
run_reconcile(struct run_follow *run)
{
	supervisor_link_free(run->supervisor);
	run->supervisor = NULL;
	run->phase = RUN_TO_RECONCILE;
	run->world->on_unsent(run->world->ctx);
}

/* It is there, says the runner, and we see another runs/, or may not look.  Said once: it is tried
 * again all the time. */
static void
say_unreachable(struct run_follow *run, const struct err *why)
{
	int folder = run_files_open(run->world->state_directory, run->order.run, NULL);

	if (folder >= 0)
		(void)close(folder); /* was only looked for */
	if (run->is_unreachable || why->code == ERR_BUSY ||
	    (why->code == ERR_MISSING && folder >= 0))
		return; /* its supervisor is busy, or on its way out */
	run->is_unreachable = true;
	log_line(LOG_LEVEL_ERROR, LOG_FIELDS(LOG_I64("run", run->order.run)),
	    "its supervisor cannot be reached: %s: server and runner need one STATE_DIRECTORY, and the "
	    "server's user the group of runs/ (see `deploybot doctor`)",
	    why->text);
}

static void
run_connect(struct run_follow *run)
{
	const struct supervisor_link_watch watch = { on_supervisor_message,
		on_supervisor_unreadable, on_supervisor_closed, run };
	struct err err = { .code = ERR_NONE };

	loop_timer_stop(&run->timer);
	run->was_started = true;
	run->supervisor = supervisor_link_open(
	    run->world->loop, run->world->state_directory, run->order.run, &watch, &err);
	if (run->supervisor != NULL) {
		run->phase = RUN_FOLLOWED;
		return;
	}
	say_unreachable(run, &err);
	/* It is asked about anew after a while: its supervisor is busy, or on its way out. */
	run->phase = RUN_TO_CONNECT;
	loop_timer_start(run->world->loop, &run->timer, RECONNECT_MS, 0);
}

static void
on_run_timer(struct loop_timer *timer, void *ctx)
{
	struct run_follow *run = ctx;

	(void)timer;
	OBJ_CHECK(run, MAGIC);
	if (run->phase == RUN_TO_REFUSE)
		run_refuse(run, run->refusal);
	else if (run->phase == RUN_TO_CONNECT || run->phase == RUN_FOLLOWED)
		run_reconcile(run); /* followed: in vain, see become_incompatible() */
	else
		tell_lost(run, "");
}

static void
on_supervisor_closed(void *ctx)
{
	struct run_follow *run = ctx;

	OBJ_CHECK(run, MAGIC);
	loop_timer_start(run->world->loop, &run->timer, LOST_MS, 0);
	run_reconcile(run);
}

static void
tell_hello(struct run_follow *run, const struct protocol_message *message)
{
	struct run_started hello = {
		.run = run->order.run,
		.pid = message->pid,
		.start_time = message->start,
	};

	static_assert(sizeof(hello.boot) >= sizeof(message->boot), "a boot id fits");
	memcpy(hello.boot, message->boot, sizeof(message->boot));
	run->said_hello = true;
	run->watch.on_hello(run->watch.ctx, &hello);
}

static void
say_end(struct run_follow *run)
{
	supervisor_link_end(run->supervisor);
	CRASH_POINT(stop_said);
	loop_defer(run->world->loop, &run->end_told);
}

/*
 * Its supervisor is of another release: how it ends is read off its record.  Where its gate is not
 * known to be open it may be waiting for our `go`, which it must not get from who does not
 * understand it: the connection is closed, and with that it gives its gate up.
 */
static void
become_incompatible(struct run_follow *run, bool gate_is_open, const char *why)
{
	supervisor_link_ignore(run->supervisor);
	if (run->stop_requested)
		say_end(run);
	if (!gate_is_open)
		loop_timer_start(run->world->loop, &run->timer, INCOMPATIBLE_MS, 0);
	if (run->incompatible)
		return;
	run->incompatible = true;
	log_line(LOG_LEVEL_ERROR, LOG_FIELDS(LOG_I64("run", run->order.run)),
	    "its supervisor is of another release (%s): it goes on, and is followed by its log and "
	    "its record alone",
	    why);
	run->watch.on_incompatible(run->watch.ctx);
}

static void
on_supervisor_unreadable(void *ctx, const char *why)
{
	struct run_follow *run = ctx;

	OBJ_CHECK(run, MAGIC);
	become_incompatible(run, false, why);
}

static void
take_hello(struct run_follow *run, const struct protocol_message *message)
{
	char why[64];

	if (message->version != PROTOCOL_VERSION) {
		(void)snprintf(why, sizeof(why), "it speaks version %u, this program version %d",
		    message->version, PROTOCOL_VERSION);
		become_incompatible(run, message->record.gate, why);
		return;
	}
	if (run->stop_requested)
		say_end(run);
	tell_steps(run, message);
	if (!message->record.gate && run->went_at != 0)
		supervisor_link_go(
		    run->supervisor); /* the connection broke between our go and its ear */
	else if (!message->record.gate && !run->said_hello)
		tell_hello(run, message);
}

static void
on_supervisor_message(void *ctx, const struct protocol_message *message)
{
	struct run_follow *run = ctx;

	OBJ_CHECK(run, MAGIC);
	switch (message->kind) {
	case PROTOCOL_HELLO:
		take_hello(run, message);
		break;
	case PROTOCOL_GREW: /* who shows the log looks at it by itself */
		break;
	case PROTOCOL_STEP:
		tell_step(run, &message->steps[0], message->record.image);
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

/* --- what the runner says about a run ----------------------------------------------------- */

/* There is no folder.  Ordered again, but never what had one. */
static void
take_never(struct run_follow *run)
{
	loop_timer_stop(&run->timer);
	if (run->was_started) {
		run_end_unknown(run);
	} else if (run->stop_requested) {
		run_refuse(run, "cancelled before it began");
	} else if (run->orders >= ORDERS_MAX) {
		run_refuse(run, "the runner contradicts itself about this run");
	} else {
		run->phase = RUN_TO_ORDER;
		run->world->on_unsent(run->world->ctx);
	}
}

static void
take_reconciled(struct run_follow *run, const struct protocol_message *message)
{
	switch (message->state) {
	case PROTOCOL_STATE_NEVER:
		take_never(run);
		break;
	case PROTOCOL_STATE_ALIVE:
		if (run->phase == RUN_RECONCILING)
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
take_refused(struct run_follow *run, const struct protocol_message *message)
{
	const char *why =
	    message->text[0] != '\0' ? message->text : "the runner refused it and gave no reason";

	if (message->why == PROTOCOL_WHY_EXISTS)
		run_reconcile(run);
	else if (message->why == PROTOCOL_WHY_FAILED)
		run_put_off(run, why);
	else
		run_refuse(run, why);
}

static void
take_stuck(struct run_follow *run, const struct protocol_message *message)
{
	char stuck[LIMIT_LINE];

	run_translate_stuck(message, stuck);
	log_line(LOG_LEVEL_ERROR, LOG_FIELDS(LOG_I64("run", run->order.run)),
	    "its supervisor is gone and %s; its environment stays busy", stuck);
	tell_lost(run, stuck);
}

bool
run_follow_say(struct run_follow *run, struct runner_link *runner)
{
	struct protocol_message message = { .kind = PROTOCOL_RECONCILE };
	struct err err = { .code = ERR_NONE };

	OBJ_CHECK(run, MAGIC);
	if (run->phase != RUN_TO_ORDER && run->phase != RUN_TO_RECONCILE)
		return true;
	message.id = (uint64_t)run->order.run;
	if (run->phase == RUN_TO_ORDER)
		run_translate_order(&run->order, run->world->grace_s, &message);
	switch (runner_link_send(runner, &message, &err)) {
	case PACKET_SENT:
		if (run->phase == RUN_TO_ORDER) {
			CRASH_POINT(order_said);
			run->orders++;
			run->phase = RUN_ORDERED;
		} else {
			CRASH_POINT(reconcile_said);
			run->phase = RUN_RECONCILING;
		}
		return true;
	case PACKET_REFUSED:
		/* What the protocol cannot say would be refused there too.  Not from in here. */
		log_line(LOG_LEVEL_ERROR, LOG_FIELDS(LOG_I64("run", run->order.run)),
		    "it cannot be ordered: %s", err.text);
		refuse_soon(run, "its order holds what the runner does not take");
		return true;
	default:
		return false;
	}
}

void
run_follow_take(struct run_follow *run, const struct protocol_message *message)
{
	OBJ_CHECK(run, MAGIC);
	if (message->kind == PROTOCOL_STARTED) {
		if (run->phase == RUN_ORDERED)
			run_connect(run);
	} else if (message->kind == PROTOCOL_REFUSED) {
		if (run->phase == RUN_ORDERED)
			take_refused(run, message);
	} else if (message->kind == PROTOCOL_RECONCILED) {
		take_reconciled(run, message);
	} else {
		take_stuck(run, message);
	}
}

/* --- beginning, wishes, end --------------------------------------------------------------- */

struct run_follow *
run_follow_new(const struct run_follow_world *world, const struct effect_run *order,
    const struct runs_watch *watch, bool is_resumed, struct err *err)
{
	struct run_follow *run = calloc(1, sizeof(*run));

	if (run == NULL) {
		(void)err_set(err, ERR_NOMEM, "out of memory for run %" PRId64, order->run);
		return NULL;
	}
	run->magic = MAGIC;
	run->world = world;
	run->order = *order;
	memset(&run->order.message, 0, sizeof(run->order.message)); /* its texts are the effect's */
	run->watch = *watch;
	run->was_started = order->started_at != 0;
	run->phase = is_resumed ? RUN_TO_RECONCILE : RUN_TO_ORDER;
	loop_timer_init(&run->timer, on_run_timer, run);
	loop_task_init(&run->end_told, on_end_told, run);
	return run;
}

void
run_follow_drop(struct run_follow *run)
{
	struct runs_stop_request *request;

	OBJ_CHECK(run, MAGIC);
	while ((request = run->stop_requests) != NULL) {
		run->stop_requests = request->next;
		if (request->on_dropped != NULL)
			request->on_dropped(request);
	}
	if (run->watch.on_dropped != NULL)
		run->watch.on_dropped(run->watch.ctx);
	run_free(run);
}

int64_t
run_follow_id(const struct run_follow *run)
{
	OBJ_CHECK(run, MAGIC);
	return run->order.run;
}

void
run_follow_runner_down(struct run_follow *run)
{
	OBJ_CHECK(run, MAGIC);
	if (run->phase == RUN_ORDERED || run->phase == RUN_RECONCILING)
		run->phase = RUN_TO_RECONCILE;
}

void
run_follow_go(struct run_follow *run)
{
	OBJ_CHECK(run, MAGIC);
	if (run->went_at != 0)
		return;
	run->went_at = clock_wall_ms();
	if (run->phase == RUN_FOLLOWED)
		supervisor_link_go(run->supervisor);
}

void
run_follow_stop(struct run_follow *run, struct runs_stop_request *request)
{
	OBJ_CHECK(run, MAGIC);
	request->next = run->stop_requests;
	run->stop_requests = request;
	run->stop_requested = true;
	if (run->phase == RUN_FOLLOWED) {
		say_end(run);
	} else if (run->phase == RUN_TO_ORDER) {
		refuse_soon(run, "cancelled before it was ordered");
	}
}
