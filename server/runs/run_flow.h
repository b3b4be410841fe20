/* run_flow.h - what the server does next about a run, and nothing about how.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * No socket, no clock: run_flow_advance() is given what is true and says which rule that leads to;
 * run_follow.c carries out its act.  What survives a connection is no state: that its end was
 * requested, and that it may go, are facts which meet the run again behind every `hello`.
 */
#pragma once

#include "lib/base.h"

/* S(name, what it is) */
#define RUN_STATES(S) \
	S(TO_ORDER,     "`run` is to be sent to the runner") \
	S(ORDERED,      "the runner has it, and answers `started` or `refused`") \
	S(TO_RECONCILE, "the runner is to be asked to reconcile it") \
	S(RECONCILING,  "the runner has it, and answers what became of the run") \
	S(CONNECT,      "its supervisor's socket is being connected to; left at once") \
	S(RETRY,        "its supervisor is alive, and could not be reached") \
	S(CONNECTED,    "its supervisor says `hello`") \
	S(AT_GATE,      "its script waits for `go`, and that for the database") \
	S(RUNNING,      "its gate is open") \
	S(STOPPING,     "its supervisor was sent `end`") \
	S(INCOMPATIBLE, "its supervisor is of another version: its record alone counts") \
	S(UNEXPLAINED,  "its supervisor is gone, the runner does not say why: reported as lost") \
	S(END,          "nothing more is asked; it is reported at the bottom of the turn")

/*
 * V(name, kind, what it is).  HOLDS: stays true, or is found to be true whenever it is asked: the
 * table is asked with it after each transition, so that it cannot come too early.  ONCE: counts at
 * that moment alone, and is lost where no rule waits for it.
 */
#define RUN_EVENTS(V) \
	V(WAS_STARTED,    HOLDS, "its row says so, or the runner did: it is never ordered again") \
	V(STOP_REQUESTED, HOLDS, "its end is requested, and this connection was not sent `end`") \
	V(GO,             HOLDS, "its `hello` is on disk") \
	V(ORDERS_SPENT,   HOLDS, "it was ordered three times") \
	V(ORDER_LATE,     HOLDS, "its agent could not be sent it in RUN_ORDER_WAIT_MS") \
	V(LEFT,           HOLDS, "no server let it go, and its runner is gone for RUN_ANEW_MS") \
	V(TIME_UP,        HOLDS, "the wait of the last rule that began one is over") \
	V(SENT,           ONCE,  "the runner was sent what it was to be sent") \
	V(UNSENDABLE,     ONCE,  "the protocol cannot hold its order") \
	V(RUNNER_LOST,    ONCE,  "the runner ended, and with it what it was to answer") \
	V(STARTED,        ONCE,  "the runner started it") \
	V(EXISTS,         ONCE,  "the runner refused it: it has a folder already") \
	V(PUT_OFF,        ONCE,  "the runner refused it, for a reason that may pass") \
	V(CANCELLED,      ONCE,  "as PUT_OFF, and its end is requested: it is not tried again") \
	V(REFUSED,        ONCE,  "the runner refused it") \
	V(NEVER,          ONCE,  "the runner has no folder of it") \
	V(ALIVE,          ONCE,  "the runner says that its supervisor is alive") \
	V(RECORDED,       ONCE,  "its exit record, from its supervisor or from the runner") \
	V(REACHED,        ONCE,  "its supervisor is connected") \
	V(UNREACHED,      ONCE,  "its supervisor could not be connected to") \
	V(HELLO_SHUT,     ONCE,  "`hello` of a run whose gate is shut") \
	V(HELLO_OPEN,     ONCE,  "`hello` of a run whose gate is open") \
	V(FOREIGN,        ONCE,  "words of another version; its gate may be shut") \
	V(FOREIGN_OPEN,   ONCE,  "`hello` of another version; its gate is open") \
	V(CLOSED,         ONCE,  "the connection ended without a record")

/* How long until TIME_UP.  W(name, milliseconds, what it is for) */
#define RUN_WAITS(W) \
	W(SAME,    0,    "as before") \
	W(FOREVER, 0,    "no limit") \
	W(RETRY,   200,  "until a supervisor that is busy, or on its way out, is asked for again") \
	W(EXPLAIN, 1000, "for the runner to say why a connection ended") \
	W(GIVE_UP, 1000, "for an incompatible supervisor to read `end`, until its gate is given up")

/* A(name, the function of run_follow.c that does it) */
#define RUN_ACTS(A) \
	A(CONNECT,             connect_supervisor)      /* REACHED or UNREACHED */ \
	A(HANG_UP,             hang_up) \
	A(SEND_GO,             send_go) \
	A(SEND_END,            send_end) \
	A(REPORT_HELLO,        report_hello)            /* once; GO follows */ \
	A(REPORT_INCOMPATIBLE, become_incompatible)     /* once; no more of it is read */ \
	A(REPORT_LOST,         report_lost)             /* once */ \
	A(END_RECORDED,        end_recorded) \
	A(END_REFUSED,         end_refused) \
	A(END_PUT_OFF,         end_put_off)             /* it may be ordered again */ \
	A(END_CANCELLED,       end_cancelled) \
	A(END_LATE,            end_late)                /* it is never sent later */ \
	A(END_LEFT,            end_left)                /* it is ordered anew */ \
	A(END_CONTRADICTED,    end_contradicted) \
	A(END_FOLDER_GONE,     end_folder_gone)

enum run_state {
#define S(name, words) RUN_##name,
	RUN_STATES(S)
#undef S
	RUN_STATE_COUNT
};
enum run_event {
#define V(name, kind, words) RUN_ON_##name,
	RUN_EVENTS(V)
#undef V
	RUN_EVENT_COUNT
};
enum run_wait {
#define W(name, ms, words) RUN_WAIT_##name,
	RUN_WAITS(W)
#undef W
	RUN_WAIT_COUNT
};
enum run_act {
	RUN_DO_NOTHING,
#define A(name, function) RUN_DO_##name,
	RUN_ACTS(A)
#undef A
	RUN_ACT_COUNT
};

/* From the commit that ordered it: what an agent is not sent within is refused. */
#define RUN_ORDER_WAIT_MS 30000
/* From a take-over: what another server ordered elsewhere, and never let go, is ordered anew. */
#define RUN_ANEW_MS 5000

#define RUN_BIT(name) (1U << RUN_ON_##name)

struct run_rule {
	enum run_state from;
	enum run_event on;
	enum run_state to;
	enum run_wait wait;
	enum run_act act;
};

/* The whole behaviour as data.  Of two rules of a state whose events both hold the first counts. */
extern const struct run_rule run_rules[];
extern const size_t run_rule_count;

struct run_flow {
	enum run_state state;	/* changed by run_flow_advance() alone */
	unsigned int facts;	/* bits of events: what has happened */
	bool is_asked;		/* run_flow_advance() is at work */
};

/* What is found to be true at this moment, as bits of events: asked before each transition. */
typedef unsigned int run_look(void *ctx);
/* Traces the change, begins its wait and carries out its act, which may add facts. */
typedef void run_apply(void *ctx, const struct run_rule *rule);

/* Carries out rules until none has an event that holds.  From within an act it does nothing and
 * says false: the table is asked again anyway. */
bool run_flow_advance(struct run_flow *flow, run_look *look, run_apply *apply, void *ctx);

int64_t run_flow_wait_ms(enum run_wait wait); /* of one that has a limit */

const char *run_flow_name(enum run_state state);
const char *run_flow_event_name(enum run_event event);
