/* run_follow.c - one run, from its order to its exit record.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "runs/run_follow.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/crash_point.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "runs/agent_link.h"
#include "runs/supervisor_link.h"
#include "runs/run_flow.h"
#include "runs/run_hosts.h"
#include "runs/run_output.h"
#include "runs/run_report.h"
#include "runs/run_stop.h"
#include "runs/run_translate.h"
#include "types/peers.h"

#define MAGIC	   0x52756e31u
#define ORDERS_MAX 3	 /* of one run, where the runner contradicts itself */
#define PIECE_MS   40000 /* an agent says the end of a run's output within, or is connected anew */
#define LOG_ERROR(of, ...) \
	log_line(LOG_LEVEL_ERROR, LOG_FIELDS(LOG_I64("run", (of)->order.run)), __VA_ARGS__)

static const struct run_tail_bytes no_output = { .data = "" };

struct run_follow {
	unsigned magic;
	const struct run_follow_world *world;
	struct effect_run order;
	struct run_report report;
	struct run_flow flow;
	struct agent_link *agent;	    /* that has it; NULL: the local runner */
	bool is_agents;			    /* no line of its output is a step */
	struct supervisor_link *supervisor; /* NULL: not connected */
	struct loop_timer timer;	    /* the wait of the last rule that began one */
	struct loop_timer late;		    /* until ORDER_LATE; then of `held` */
	struct loop_task due; /* what never happens inside a call of ours: see on_due() */
	struct runs_stop_request *stop_requests;
	unsigned orders;   /* this and what follows hold, whatever the state is */
	int64_t order_due; /* monotonic ms: of an agent's */
	int64_t anew_due;  /* the same, of one that another server ordered; 0: none did */
	bool was_started, stop_requested, is_time_up;
	int64_t went_at;   /* wall ms of our `go`; 0: it was another's */
	bool said_end;	   /* to this connection, for all who asked so far */
	bool has_answered; /* this connection, or none does at once */
	/* What the acts need of what has just happened. */
	const struct protocol_message *message;
	struct protocol_message *held;	   /* its record, until the end of its output has come */
	const struct run_tail_bytes *said; /* that end */
	struct run_output output;
	struct run_hosts hosts;
	char why[LIMIT_LINE];
	struct run_ended ended; /* in END; its list is ours */
	bool is_put_off;
};

static void on_supervisor_message(void *ctx, const struct protocol_message *message);
static void on_supervisor_unreadable(void *ctx, const char *why);
static void on_supervisor_closed(void *ctx);

/* --- the table is asked ----------------------------------------------------------------------- */

static bool
is_order_late(const struct run_follow *run)
{
	return run->agent != NULL &&
	    (loop_now_ms() >= run->order_due || /* which stands still while the machine sleeps */
		clock_wall_ms() - run->order.ordered_at >= RUN_ORDER_WAIT_MS);
}

/* `go` follows the commit of its start: it was never said, and the server that would is deposed. */
static bool
is_left(const struct run_follow *run)
{
	return run->anew_due != 0 && !run->was_started && loop_now_ms() >= run->anew_due &&
	    agent_link_seen(run->agent).state != AGENT_CONNECTED;
}

static unsigned int
look(void *ctx)
{
	const struct run_follow *run = ctx;

	return (run->was_started ? RUN_BIT(WAS_STARTED) : 0) |
	    (run->stop_requested && !run->said_end ? RUN_BIT(STOP_REQUESTED) : 0) |
	    (run->went_at != 0 ? RUN_BIT(GO) : 0) |
	    (run->orders >= ORDERS_MAX ? RUN_BIT(ORDERS_SPENT) : 0) |
	    (is_order_late(run) ? RUN_BIT(ORDER_LATE) : 0) | (is_left(run) ? RUN_BIT(LEFT) : 0) |
	    (run->is_time_up ? RUN_BIT(TIME_UP) : 0);
}

static void
begin_wait(struct run_follow *run, enum run_wait wait)
{
	if (wait == RUN_WAIT_SAME)
		return;
	if (wait == RUN_WAIT_EXPLAIN && run->agent != NULL)
		wait = RUN_WAIT_FOREVER; /* a host that is disconnected explains nothing */
	run->is_time_up = false;
	loop_timer_stop(&run->timer);
	if (wait != RUN_WAIT_FOREVER)
		loop_timer_start(run->world->loop, &run->timer, run_flow_wait_ms(wait), 0);
}

#define A(name, function) static void function(struct run_follow *run);
RUN_ACTS(A)
#undef A

static void
apply(void *ctx, const struct run_rule *rule)
{
	static void (*const functions[])(struct run_follow * run) = {
#define A(name, function) [RUN_DO_##name] = (function),
		RUN_ACTS(A)
#undef A
	};
	struct run_follow *run = ctx;

	log_debug("run %" PRId64 ": %s -> %s on %s", run->order.run, run_flow_name(rule->from),
	    run_flow_name(rule->to), run_flow_event_name(rule->on));
	if (rule->on == RUN_ON_HELLO_OPEN)
		run_report_attached(&run->report, &run->order);
	begin_wait(run, rule->wait);
	if (rule->act != RUN_DO_NOTHING)
		functions[rule->act](run);
}

static bool
has_unsent(const struct run_follow *run)
{
	return run->flow.state == RUN_TO_ORDER || run->flow.state == RUN_TO_RECONCILE;
}

static void
advance(struct run_follow *run)
{
	if (run_flow_advance(&run->flow, look, apply, run) && has_unsent(run))
		run->world->on_unsent(run->world->ctx);
}

static void
note(struct run_follow *run, enum run_event event)
{
	run->flow.facts |= 1U << event;
}

/* The message is borrowed by the acts that follow from it. */
static void
happened(struct run_follow *run, enum run_event event, const struct protocol_message *message)
{
	run->message = message;
	note(run, event);
	advance(run);
	run->message = NULL;
}

/* --- what is reported on the way -------------------------------------------------------------- */

static void
report_lost(struct run_follow *run)
{
	run_report_lost(&run->report);
}

static void
report_hello(struct run_follow *run)
{
	run_report_hello(&run->report, run->message);
}

/*
 * How it ends is read off its record.  Where its gate is not known to be open it may be waiting for
 * our `go`, which it must not get from who does not understand it: the connection is closed after a
 * while, and with that it gives its gate up.
 */
static void
become_incompatible(struct run_follow *run)
{
	run_report_incompatible(&run->report, run->why);
}

/* --- its supervisor --------------------------------------------------------------------------- */

static void
connect_supervisor(struct run_follow *run)
{
	const struct supervisor_link_watch watch = { on_supervisor_message,
		on_supervisor_unreadable, on_supervisor_closed, run };
	const struct supervisor_link_at at = { run->world->state_directory, run->order.run,
		run->world->epoch };
	struct err err = { .code = ERR_NONE };

	run->was_started = true;
	run->supervisor = run->agent != NULL ?
	    supervisor_link_open_at(run->agent, &run->order, &watch, &err) :
	    supervisor_link_open(run->world->loop, &at, &watch, &err);
	run->has_answered = run->agent == NULL;
	if (run->supervisor == NULL && run->agent == NULL)
		run_report_unreachable(&run->report, run->world->state_directory, &err);
	note(run, run->supervisor != NULL ? RUN_ON_REACHED : RUN_ON_UNREACHED);
}

/* What was sent to this connection counts no more: the next one is sent it again. */
static void
hang_up(struct run_follow *run)
{
	supervisor_link_free(run->supervisor);
	run->supervisor = NULL;
	run->said_end = false;
}

static void
send_go(struct run_follow *run)
{
	supervisor_link_go(run->supervisor);
}

static void
send_end(struct run_follow *run)
{
	supervisor_link_end(run->supervisor);
	CRASH_POINT(stop_said);
	run->said_end = true;
	loop_defer(run->world->loop, &run->due);
}

/* --- its end ---------------------------------------------------------------------------------- */

static void
conclude(struct run_follow *run, const struct run_ended *ended)
{
	run->ended = *ended;
	hang_up(run);
	loop_defer(run->world->loop, &run->due);
}

/* From the exit record, as settled or exit tells it. */
static void
end_recorded(struct run_follow *run)
{
	const struct run_context context = {
		.log = { run->world->state_directory, run->order.run, run->world->redact,
		    run->said },
		.went_at = run->went_at,
		.is_agents = run->is_agents,
	};
	struct run_ended ended;

	run_translate_record(&context, &run->message->record, &ended);
	CRASH_POINT(exit_received);
	run_report_steps(&run->report, run->message);
	if (ended.gate_opened)
		run_hosts_end(&run->hosts);
	if (ended.lost)
		report_lost(run);
	conclude(run, &ended);
}

/* Nothing of it is with the runner, and nothing will be. */
static void
refuse(struct run_follow *run, const char *why)
{
	struct run_ended ended = {
		.run = run->order.run, .refused = true, .ended_on_request = run->stop_requested
	};

	(void)clean_line(ended.detail, sizeof(ended.detail), why, strlen(why));
	conclude(run, &ended);
}

static void
end_refused(struct run_follow *run)
{
	const struct protocol_message *message = run->message;

	refuse(run, run->why);
	if (message == NULL || message->why != PROTOCOL_WHY_CHANGED)
		return;
	run->ended.is_changed = true;
	run->ended.binding = mem_text(message->settings); /* NULL: it is asked for again */
}

static void
end_put_off(struct run_follow *run)
{
	run->is_put_off = true;
	refuse(run, run->why);
}

static void
end_cancelled(struct run_follow *run)
{
	refuse(run, "cancelled before it began");
}

static void
end_late(struct run_follow *run)
{
	char who[LIMIT_LINE], why[LIMIT_LINE];

	agent_link_why(run->agent, who);
	(void)snprintf(why, sizeof(why), "%.180s; nothing was started", who);
	refuse(run, why);
}

/* Its folder there, if there is one, says gate=0. */
static void
end_left(struct run_follow *run)
{
	end_late(run);
	run->ended.refused = false;
}

static void
end_contradicted(struct run_follow *run)
{
	refuse(run, "the runner contradicts itself about this run");
}

/* It was started, and has no folder: somebody deleted it, the power took it, or this is a copy of
 * the database on another machine, where the run may be alive on the first. */
static void
end_folder_gone(struct run_follow *run)
{
	const struct run_ended ended = { .run = run->order.run,
		.folder_gone = true,
		.exit_status = -1,
		.detail = "it was started, and its runner has no folder of it" };

	LOG_ERROR(run, "%s: it is not ordered again, and what it left is not known", ended.detail);
	run_hosts_end(&run->hosts);
	conclude(run, &ended);
}

static void
run_free(struct run_follow *run)
{
	loop_timer_stop(&run->timer);
	loop_timer_stop(&run->late);
	loop_task_cancel(&run->due);
	supervisor_link_free(run->supervisor);
	run_output_done(&run->output);
	run_hosts_done(&run->hosts);
	if (run->agent != NULL)
		agent_link_follow(run->agent, run->order.run, false);
	run->magic = 0;
	free(run->held);
	free(run->order.hosts);
	free(run->ended.binding);
	free(run);
}

/* At the bottom of a turn: `end` was sent, or this is the last word about the run. */
static void
on_due(UNUSED struct loop_task *task, void *ctx)
{
	struct run_follow *run = OBJ_OF(struct run_follow, ctx, MAGIC);
	const struct run_follow_world *world = run->world;
	bool is_over = run->flow.state == RUN_END, was_elsewhere = run->agent != NULL;

	if (is_over)
		run->world->on_over(run->world->ctx, run);
	run_stop_answer(&run->stop_requests, false);
	if (!is_over)
		return;
	if (run->is_put_off)
		run->report.watch.on_put_off(run->report.watch.ctx, run->ended.detail);
	else
		run->report.watch.on_ended(run->report.watch.ctx, &run->ended);
	run_free(run);
	if (was_elsewhere)
		world->on_unsent(world->ctx); /* its agent may have been kept for it */
}

/* --- what happens ----------------------------------------------------------------------------- */

static void
on_run_timer(UNUSED struct loop_timer *timer, void *ctx)
{
	struct run_follow *run = OBJ_OF(struct run_follow, ctx, MAGIC);

	run->is_time_up = true;
	advance(run);
}

static void
on_supervisor_closed(void *ctx)
{
	struct run_follow *run = OBJ_OF(struct run_follow, ctx, MAGIC);

	happened(run, run->has_answered ? RUN_ON_CLOSED : RUN_ON_UNREACHED, NULL);
}

static void
on_supervisor_unreadable(void *ctx, const char *why)
{
	struct run_follow *run = OBJ_OF(struct run_follow, ctx, MAGIC);

	(void)text_copy(run->why, sizeof(run->why), why);
	happened(run, RUN_ON_FOREIGN, NULL);
}

/* The end of its output, or that there is none to be had. */
static void
take_output(void *ctx, const struct run_tail_bytes *said)
{
	struct run_follow *run = OBJ_OF(struct run_follow, ctx, MAGIC);

	if (run->held == NULL)
		return;
	loop_timer_stop(&run->late);
	run->said = said;
	happened(run, RUN_ON_RECORDED, run->held);
	run->said = NULL;
	free(TAKE(run->held));
}

/* Of a run elsewhere what it said is asked for before its end is reported. */
static void
take_record(struct run_follow *run, const struct protocol_message *message)
{
	if (run->agent == NULL) {
		happened(run, RUN_ON_RECORDED, message);
		return;
	}
	if (run->held != NULL)
		return;
	run->held = mem_copy(message, sizeof(*message));
	if (run->is_agents)
		run_translate_agent(run->held);
	loop_timer_start(run->world->loop, &run->late, PIECE_MS, 0);
	if (!message->record.gate)
		take_output(run, &no_output);
	else
		run_hosts_last(&run->hosts, &run->output);
}

static void
on_late(UNUSED struct loop_timer *timer, void *ctx)
{
	struct run_follow *run = OBJ_OF(struct run_follow, ctx, MAGIC);

	take_output(run, &no_output);
	advance(run);
	if (run->anew_due != 0 && loop_now_ms() < run->order_due)
		loop_timer_start(run->world->loop, &run->late, RUN_ANEW_MS, 0);
}

static void
take_hello(struct run_follow *run, const struct protocol_message *message)
{
	bool is_open = message->record.gate;

	if (!run_translate_knows(message->version, run->why)) {
		happened(run, is_open ? RUN_ON_FOREIGN_OPEN : RUN_ON_FOREIGN, message);
		return;
	}
	if (!run->is_agents)
		run_report_steps(&run->report, message);
	run_hosts_grew(&run->hosts);
	happened(run, is_open ? RUN_ON_HELLO_OPEN : RUN_ON_HELLO_SHUT, message);
}

static void
on_supervisor_message(void *ctx, const struct protocol_message *message)
{
	struct run_follow *run = OBJ_OF(struct run_follow, ctx, MAGIC);

	run->has_answered = true;
	if (run->flow.state == RUN_INCOMPATIBLE)
		return; /* it may mean something else by the same words */
	switch (message->kind) {
	case PROTOCOL_HELLO:
		take_hello(run, message);
		break;
	case PROTOCOL_STEP:
		if (!run->is_agents)
			run_report_step(&run->report, &message->steps[0], message->record.image);
		break;
	case PROTOCOL_STUCK:
		if (!run->is_agents)
			LOG_ERROR(run,
			    "process %d of it cannot be ended; its environment stays busy",
			    (int)message->pid);
		break;
	case PROTOCOL_EXIT:
		take_record(run, message);
		break;
	case PROTOCOL_GREW: /* who shows the log looks at it by itself */
		run_hosts_grew(&run->hosts);
		break;
	default:
		break;
	}
}

static void
take_reconciled(struct run_follow *run, const struct protocol_message *message)
{
	if (message->state == PROTOCOL_STATE_NEVER || message->state == PROTOCOL_STATE_ALIVE)
		happened(run, message->state == PROTOCOL_STATE_NEVER ? RUN_ON_NEVER : RUN_ON_ALIVE,
		    message);
	else
		take_record(run, message);
}

static enum run_event
refusal_event(const struct run_follow *run, enum protocol_why why)
{
	if (why == PROTOCOL_WHY_EXISTS) /* an agent's is another database's: its NEVER is final */
		return run->is_agents ? RUN_ON_REFUSED : RUN_ON_EXISTS;
	if ((why == PROTOCOL_WHY_FAILED || why == PROTOCOL_WHY_CHANGED) && run->stop_requested)
		return RUN_ON_CANCELLED;
	return why == PROTOCOL_WHY_FAILED && run->report.watch.on_put_off != NULL ? RUN_ON_PUT_OFF :
										    RUN_ON_REFUSED;
}

static void
take_refused(struct run_follow *run, const struct protocol_message *message)
{
	const char *why =
	    message->text[0] != '\0' ? message->text : "it was refused without a reason";
	bool is_far = run->agent != NULL && !run->is_agents;

	(void)snprintf(run->why, sizeof(run->why), "%s%s%.180s", is_far ? run->order.runner : "",
	    is_far ? ": " : "", why);
	happened(run, refusal_event(run, message->why), message);
}

void
run_follow_take(struct run_follow *run, const struct protocol_message *message)
{
	OBJ_CHECK(run, MAGIC);
	if (message->kind == PROTOCOL_STARTED)
		happened(run, RUN_ON_STARTED, message);
	else if (message->kind == PROTOCOL_REFUSED)
		take_refused(run, message);
	else if (message->kind == PROTOCOL_RECONCILED)
		take_reconciled(run, message);
	else
		run_report_stuck(&run->report, message);
}

void
run_follow_runner_down(struct run_follow *run)
{
	OBJ_CHECK(run, MAGIC);
	happened(run, RUN_ON_RUNNER_LOST, NULL);
}

/* --- what is sent to the runner --------------------------------------------------------------- */

static enum packet_sent
send_unsent(struct run_follow *run, struct runner_link *runner, struct err *err)
{
	const bool is_order = run->flow.state == RUN_TO_ORDER;
	struct protocol_message message = { PROTOCOL_RECONCILE, .id = (uint64_t)run->order.run };
	enum packet_sent sent;

	if (is_order && !run->world->make_order(run->world->ctx, run, &message, err))
		return PACKET_REFUSED;
	sent = run->agent != NULL ? agent_link_send(run->agent, &message, err) :
				    runner_link_send(runner, &message, err);
	if (sent != PACKET_SENT)
		return sent;
	if (is_order)
		CRASH_POINT(order_said);
	else
		CRASH_POINT(reconcile_said);
	run->orders += is_order;
	return sent;
}

bool
run_follow_say(struct run_follow *run, struct runner_link *runner)
{
	struct err err = { .code = ERR_NONE };

	OBJ_CHECK(run, MAGIC);
	/* What holds is asked first: what was started, or is to end, is not ordered. */
	if (!run_flow_advance(&run->flow, look, apply, run) || !has_unsent(run))
		return true;
	switch (send_unsent(run, runner, &err)) {
	case PACKET_SENT:
		note(run, RUN_ON_SENT);
		break;
	case PACKET_REFUSED:
		/* What the protocol cannot say would be refused there too. */
		LOG_ERROR(run, "it cannot be ordered: %s", err.text);
		(void)text_copy(run->why, sizeof(run->why), "its order holds what no runner takes");
		note(run, RUN_ON_UNSENDABLE);
		break;
	default:
		return false;
	}
	(void)run_flow_advance(&run->flow, look, apply, run);
	return true;
}

/* --- beginning, requests, end ----------------------------------------------------------------- */

/* Behind the commit that ordered it, which may have been another process's. */
static void
begin_order_wait(struct run_follow *run, bool is_others)
{
	int64_t age = clock_wall_ms() - run->order.ordered_at;
	int64_t wait = RUN_ORDER_WAIT_MS - (age < 0 ? 0 : age);

	run->is_agents = text_starts(agent_link_identity(run->agent), PEER_AGENT);
	run->order_due = loop_now_ms() + wait;
	agent_link_follow(run->agent, run->order.run, true);
	run_output_begin(
	    &run->output, agent_link_channels(run->agent), run->order.run, take_output, run);
	run->anew_due = is_others ? loop_now_ms() + RUN_ANEW_MS : 0;
	loop_timer_start(run->world->loop, &run->late, is_others ? RUN_ANEW_MS : wait, 0);
}

struct run_follow *
run_follow_new(const struct run_follow_world *world, struct agent_link *agent,
    const struct effect_run *order, const struct runs_watch *watch, bool is_resumed)
{
	struct run_follow *run = mem_new(1, sizeof(*run));

	run->magic = MAGIC;
	run->world = world;
	run->agent = agent;
	run->order = *order;
	memset(&run->order.message, 0, sizeof(run->order.message)); /* its texts are the effect's */
	run->order.hosts = mem_text(order->hosts);
	run->report.run = order->run;
	run->report.redact = world->redact;
	run->report.watch = *watch;
	run->was_started = order->started_at != 0;
	run->flow.state = is_resumed ? RUN_TO_RECONCILE : RUN_TO_ORDER;
	loop_timer_init(&run->timer, on_run_timer, run);
	loop_timer_init(&run->late, on_late, run);
	if (agent != NULL)
		begin_order_wait(run, is_resumed && world->is_others(world->ctx, order->runner));
	loop_task_init(&run->due, on_due, run);
	if (order->hosts != NULL)
		run_hosts_begin(&run->hosts, &run->report, world->loop, world->state_directory,
		    agent != NULL ? agent_link_channels(agent) : NULL);
	return run;
}

void
run_follow_drop(struct run_follow *run)
{
	OBJ_CHECK(run, MAGIC);
	run_stop_answer(&run->stop_requests, true);
	if (run->report.watch.on_dropped != NULL)
		run->report.watch.on_dropped(run->report.watch.ctx);
	run_free(run);
}

const struct effect_run *
run_follow_order(const struct run_follow *run)
{
	return &run->order;
}

const struct run_tail_bytes *
run_follow_output(struct run_follow *run)
{
	return run_output_now(&run->output);
}

const struct agent_link *
run_follow_agent(const struct run_follow *run)
{
	return run->agent;
}

void
run_follow_go(struct run_follow *run)
{
	OBJ_CHECK(run, MAGIC);
	if (run->went_at == 0)
		run->went_at = clock_wall_ms();
	advance(run);
}

void
run_follow_stop(struct run_follow *run, struct runs_stop_request *request)
{
	OBJ_CHECK(run, MAGIC);
	run_stop_add(&run->stop_requests, request);
	run->stop_requested = true;
	run->said_end = false; /* not to all who ask any more */
	advance(run);
}
