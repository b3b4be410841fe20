/* supervisor_flow.c - the rule table of a run's supervisor.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "runner/supervisor_flow.h"

#include "lib/column.h"

/* A table reads by its columns. */
/* clang-format off */
#define ACT(name) SUPERVISOR_DO_##name
#define RULE(f, e, t, w, ...) \
	{ SUPERVISOR_##f, SUPERVISOR_ON_##e, SUPERVISOR_##t, SUPERVISOR_WAIT_##w, { __VA_ARGS__ } }

/* Short names, so that the table reads as a table. */
#define OPEN	ACT(OPEN_GATE)
#define SHUT	ACT(SHUT_GATE)
#define STOPPED	ACT(NOTE_STOPPED)
#define LATE	ACT(NOTE_TIMED_OUT)
#define TERM	ACT(TERM)
#define KILL	ACT(KILL)
#define REPORT	ACT(REPORT_STUCK)
#define REST	ACT(READ_REST)
#define WRITE	ACT(WRITE_RECORD)
#define CLOSE	ACT(CLOSE_SOCKET)
#define HANG_UP	ACT(HANG_UP)
#define GIVE_UP	ACT(GIVE_UP)
#define EXIT	ACT(EXIT)
#define NONE	ACT(NOTHING)

/* A gate opens once, for a run that nobody wants to end; a record is written when nothing that
 * should have ended is alive. */
const struct supervisor_rule supervisor_rules[] = {
	/*   from       on              to         TIME_UP in  acts, in order */
	RULE(AT_GATE,   STOP_REQUESTED, STOPPING,  GRACE,      STOPPED, SHUT, TERM),
	RULE(AT_GATE,   FLUSH_FAILED,   STOPPING,  GRACE,      SHUT, TERM),
	RULE(AT_GATE,   GO,             RUNNING,   DEADLINE,   OPEN),
	RULE(AT_GATE,   SERVER_LOST,    STOPPING,  GRACE,      SHUT, TERM),
	RULE(AT_GATE,   RUNNER_LOST,    STOPPING,  GRACE,      SHUT, TERM),
	RULE(AT_GATE,   MAIN_OK,        STOPPING,  GRACE,      SHUT, TERM),
	RULE(AT_GATE,   MAIN_FAILED,    STOPPING,  GRACE,      SHUT, TERM),
	RULE(AT_GATE,   CONNECTED,      AT_GATE,   FOREVER,    NONE), /* it says go, or is lost */
	RULE(AT_GATE,   TIME_UP,        STOPPING,  GRACE,      SHUT, TERM),

	RULE(RUNNING,   STOP_REQUESTED, STOPPING,  GRACE,      STOPPED, TERM),
	RULE(RUNNING,   MAIN_OK,        DRAINING,  DRAIN,      NONE),
	RULE(RUNNING,   MAIN_FAILED,    STOPPING,  GRACE,      TERM),
	RULE(RUNNING,   TIME_UP,        STOPPING,  GRACE,      LATE, TERM),

	RULE(DRAINING,  OUTPUT_CLOSED,  RECORDING, RETRY,      WRITE),
	RULE(DRAINING,  TIME_UP,        RECORDING, RETRY,      REST, WRITE),

	RULE(STOPPING,  NO_CHILD,       RECORDING, RETRY,      REST, WRITE),
	RULE(STOPPING,  STUCK,          STOPPING,  SAME,       REPORT),
	RULE(STOPPING,  TIME_UP,        STOPPING,  KILL,       KILL),

	RULE(RECORDING, RECORDED,       TOLD,      TELL,       CLOSE),
	RULE(RECORDING, DISK_REFUSED,   RECORDING, FOREVER,    GIVE_UP),
	RULE(RECORDING, TIME_UP,        RECORDING, RETRY,      WRITE),

	RULE(TOLD,      ALONE,          TOLD,      FOREVER,    EXIT),
	RULE(TOLD,      EXIT_SENT,      TOLD,      FOREVER,    HANG_UP),
	RULE(TOLD,      TIME_UP,        TOLD,      FOREVER,    HANG_UP),
};
/* clang-format on */
const size_t supervisor_rule_count = COUNT(supervisor_rules);

enum { HOLDS, ONCE };
static const unsigned int once = 0
#define V(name, kind, words) | ((unsigned int)(kind) << SUPERVISOR_ON_##name)
    SUPERVISOR_EVENTS(V)
#undef V
    ;

static const struct supervisor_rule *
find_rule(enum supervisor_state state, unsigned int facts)
{
	for (size_t i = 0; i < supervisor_rule_count; i++) {
		const struct supervisor_rule *rule = &supervisor_rules[i];

		if (rule->from == state && (facts & (1U << rule->on)) != 0)
			return rule;
	}
	return NULL;
}

bool
supervisor_flow_advance(
    struct supervisor_flow *flow, supervisor_look *look, supervisor_apply *apply, void *ctx)
{
	const struct supervisor_rule *rule;
	bool changed = false;

	while ((rule = find_rule(flow->state, flow->facts | look(ctx))) != NULL) {
		flow->facts &= ~(once & (1U << rule->on));
		flow->state = rule->to;
		apply(ctx, rule);
		changed = true;
	}
	flow->facts &= ~once;
	return changed;
}

const char *
supervisor_flow_name(enum supervisor_state state)
{
	static const char *const names[] = { SUPERVISOR_STATES(COLUMN_NAME) };

	assert((size_t)state < COUNT(names));
	return names[state];
}

const char *
supervisor_flow_event_name(enum supervisor_event event)
{
	static const char *const names[] = { SUPERVISOR_EVENTS(COLUMN_NAME) };

	assert((size_t)event < COUNT(names));
	return names[event];
}
