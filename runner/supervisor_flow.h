/* supervisor_flow.h - what a run's supervisor does next, and nothing about how.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * No descriptor, no clock, no process: supervisor_flow_advance() is given what is true and says
 * which rule that leads to; somebody else carries out its acts.
 */
#pragma once

#include "lib/base.h"

/* In the order of a life.  S(name, what it is) */
#define SUPERVISOR_STATES(S) \
	S(AT_GATE,   "the main process waits for `go`") \
	S(RUNNING,   "the program runs") \
	S(DRAINING,  "the program exited with 0; what it left running may stay") \
	S(STOPPING,  "until no process of the run is alive") \
	S(RECORDING, "the exit record is being written") \
	S(TOLD,      "the record is on disk, and sent; the output of what stays is read")

/*
 * V(name, kind, what it is).  HOLDS: stays true, or is found to be true whenever it is asked: the
 * table is asked with it after each transition, so that it cannot come too early.  ONCE: counts at
 * that moment alone, and is lost where no rule waits for it.
 */
#define SUPERVISOR_EVENTS(V) \
	V(STOP_REQUESTED, HOLDS, "the server said `end`") \
	V(GO,             HOLDS, "the server said `go`, and the folder's name was flushed before") \
	V(SERVER_LOST,    HOLDS, "the connection of a server ended") \
	V(RUNNER_LOST,    HOLDS, "the runner ended, and no server is connected") \
	V(FLUSH_FAILED,   HOLDS, "the name of the run's folder is not safe from a power cut") \
	V(MAIN_OK,        HOLDS, "the main process exited with 0") \
	V(MAIN_FAILED,    HOLDS, "the main process ended in another way") \
	V(NO_CHILD,       HOLDS, "no process of the run is alive") \
	V(OUTPUT_CLOSED,  HOLDS, "no process holds the run's output") \
	V(RECORDED,       HOLDS, "the exit record is on disk") \
	V(DISK_REFUSED,   HOLDS, "the exit record was refused too often") \
	V(EXIT_SENT,      HOLDS, "the connected server was sent the record") \
	V(ALONE,          HOLDS, "no server is connected, and no process holds the output") \
	V(TIME_UP,        HOLDS, "the wait of the last rule that began one is over") \
	V(CONNECTED,      ONCE,  "a server connected") \
	V(STUCK,          ONCE,  "a process is alive long after KILL")

/* How long until TIME_UP.  W(name, milliseconds, what it is for) */
#define SUPERVISOR_WAITS(W) \
	W(SAME,     0,     "as before") \
	W(FOREVER,  0,     "no limit") \
	W(DEADLINE, 0,     "the order's deadline") \
	W(GRACE,    0,     "the order's grace") \
	W(DRAIN,    500,   "for what a good program left behind to write its last line") \
	W(KILL,     50,    "until it is looked again who is alive") \
	W(RETRY,    1000,  "until the disk is asked again") \
	W(TELL,     10000, "for a slow server to read its `exit`")

/* A(name, the function of supervisor.c that does it) */
#define SUPERVISOR_ACTS(A) \
	A(OPEN_GATE,      open_gate) \
	A(SHUT_GATE,      shut_gate)		/* the main process ends by itself, at once */ \
	A(NOTE_STOPPED,   note_stopped)		/* in the record: somebody wanted it */ \
	A(NOTE_TIMED_OUT, note_timed_out)	/* in the record: its deadline */ \
	A(TERM,           send_term)		/* to every process of the run */ \
	A(KILL,           send_kill)		/* to every one; STUCK when that does not help */ \
	A(REPORT_STUCK,   report_stuck)		/* one that KILL does not end: to the server */ \
	A(READ_REST,      read_rest)		/* the last words are in the pipe already */ \
	A(WRITE_RECORD,   write_record)		/* RECORDED, or in the end DISK_REFUSED */ \
	A(CLOSE_SOCKET,   close_socket)		/* whoever comes now reads the record */ \
	A(HANG_UP,        hang_up) \
	A(GIVE_UP,        give_up)		/* no record: the runner says `lost` */ \
	A(EXIT,           leave)

enum supervisor_state {
#define S(name, words) SUPERVISOR_##name,
	SUPERVISOR_STATES(S)
#undef S
	SUPERVISOR_STATE_COUNT
};
enum supervisor_event {
#define V(name, kind, words) SUPERVISOR_ON_##name,
	SUPERVISOR_EVENTS(V)
#undef V
	SUPERVISOR_EVENT_COUNT
};
enum supervisor_wait {
#define W(name, ms, words) SUPERVISOR_WAIT_##name,
	SUPERVISOR_WAITS(W)
#undef W
	SUPERVISOR_WAIT_COUNT
};
enum supervisor_act {
	SUPERVISOR_DO_NOTHING,
#define A(name, function) SUPERVISOR_DO_##name,
	SUPERVISOR_ACTS(A)
#undef A
	SUPERVISOR_ACT_COUNT
};

#define SUPERVISOR_ACTS_MAX  3
#define SUPERVISOR_BIT(name) (1U << SUPERVISOR_ON_##name)

struct supervisor_rule {
	enum supervisor_state from;
	enum supervisor_event on;
	enum supervisor_state to;
	enum supervisor_wait wait;
	enum supervisor_act acts[SUPERVISOR_ACTS_MAX + 1];	/* NOTHING is behind the last */
};

/* The whole behaviour as data.  Of two rules of a state whose events both hold the first counts. */
extern const struct supervisor_rule supervisor_rules[];
extern const size_t supervisor_rule_count;

struct supervisor_flow {
	enum supervisor_state state;	/* changed by supervisor_flow_advance() alone */
	unsigned int facts;		/* bits of events: what has happened */
};

/* What is found to be true at this moment, as bits of events: asked before each transition. */
typedef unsigned int supervisor_look(void *ctx);
/* Traces the change, begins its wait and carries out its acts, which may add facts. */
typedef void supervisor_apply(void *ctx, const struct supervisor_rule *rule);

/* Carries out rules until none has an event that holds.  False: there was none. */
bool supervisor_flow_advance(
    struct supervisor_flow *flow, supervisor_look *look, supervisor_apply *apply, void *ctx);

const char *supervisor_flow_name(enum supervisor_state state);
const char *supervisor_flow_event_name(enum supervisor_event event);
