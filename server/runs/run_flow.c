/* run_flow.c - the rule table of a run, as the server follows it.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "runs/run_flow.h"

#include "lib/column.h"

/* A table reads by its columns. */
/* clang-format off */
#define RULE(f, e, t, w, a) { RUN_##f, RUN_ON_##e, RUN_##t, RUN_WAIT_##w, RUN_DO_##a }

/* What was started, or is to end, is not ordered; `end` goes before `go`; a record ends a run
 * wherever it comes; a connection that ended is explained by the runner. */
const struct run_rule run_rules[] = {
	/*   from          on              to            TIME_UP in  act */
	RULE(TO_ORDER,     WAS_STARTED,    END,          FOREVER,    END_FOLDER_GONE),
	RULE(TO_ORDER,     STOP_REQUESTED, END,          FOREVER,    END_CANCELLED),
	RULE(TO_ORDER,     ORDERS_SPENT,   END,          FOREVER,    END_CONTRADICTED),
	RULE(TO_ORDER,     ORDER_LATE,     END,          FOREVER,    END_LATE),
	RULE(TO_ORDER,     UNSENDABLE,     END,          FOREVER,    END_REFUSED),
	RULE(TO_ORDER,     RECORDED,       END,          FOREVER,    END_RECORDED),
	RULE(TO_ORDER,     SENT,           ORDERED,      FOREVER,    NOTHING),

	RULE(ORDERED,      STARTED,        CONNECT,      FOREVER,    CONNECT),
	RULE(ORDERED,      EXISTS,         TO_RECONCILE, FOREVER,    NOTHING),
	RULE(ORDERED,      PUT_OFF,        END,          FOREVER,    END_PUT_OFF),
	RULE(ORDERED,      CANCELLED,      END,          FOREVER,    END_CANCELLED),
	RULE(ORDERED,      REFUSED,        END,          FOREVER,    END_REFUSED),
	RULE(ORDERED,      RECORDED,       END,          FOREVER,    END_RECORDED),
	RULE(ORDERED,      RUNNER_LOST,    TO_RECONCILE, FOREVER,    NOTHING),

	RULE(TO_RECONCILE, RECORDED,       END,          FOREVER,    END_RECORDED),
	RULE(TO_RECONCILE, LEFT,           END,          FOREVER,    END_LEFT),
	RULE(TO_RECONCILE, SENT,           RECONCILING,  SAME,       NOTHING),
	RULE(TO_RECONCILE, TIME_UP,        TO_RECONCILE, FOREVER,    REPORT_LOST),

	RULE(RECONCILING,  NEVER,          TO_ORDER,     FOREVER,    NOTHING),
	RULE(RECONCILING,  ALIVE,          CONNECT,      FOREVER,    CONNECT),
	RULE(RECONCILING,  RECORDED,       END,          FOREVER,    END_RECORDED),
	RULE(RECONCILING,  RUNNER_LOST,    TO_RECONCILE, SAME,       NOTHING),
	RULE(RECONCILING,  TIME_UP,        UNEXPLAINED,  FOREVER,    REPORT_LOST),

	RULE(CONNECT,      REACHED,        CONNECTED,    FOREVER,    NOTHING),
	RULE(CONNECT,      UNREACHED,      RETRY,        RETRY,      NOTHING),

	RULE(RETRY,        RECORDED,       END,          FOREVER,    END_RECORDED),
	RULE(RETRY,        TIME_UP,        TO_RECONCILE, FOREVER,    NOTHING),

	RULE(CONNECTED,    UNREACHED,      RETRY,        RETRY,      HANG_UP),
	RULE(CONNECTED,    HELLO_SHUT,     AT_GATE,      FOREVER,    REPORT_HELLO),
	RULE(CONNECTED,    HELLO_OPEN,     RUNNING,      FOREVER,    NOTHING),
	RULE(CONNECTED,    FOREIGN,        INCOMPATIBLE, GIVE_UP,    REPORT_INCOMPATIBLE),
	RULE(CONNECTED,    FOREIGN_OPEN,   INCOMPATIBLE, FOREVER,    REPORT_INCOMPATIBLE),
	RULE(CONNECTED,    RECORDED,       END,          FOREVER,    END_RECORDED),
	RULE(CONNECTED,    CLOSED,         TO_RECONCILE, EXPLAIN,    HANG_UP),

	RULE(AT_GATE,      STOP_REQUESTED, STOPPING,     FOREVER,    SEND_END),
	RULE(AT_GATE,      GO,             RUNNING,      FOREVER,    SEND_GO),
	RULE(AT_GATE,      FOREIGN,        INCOMPATIBLE, GIVE_UP,    REPORT_INCOMPATIBLE),
	RULE(AT_GATE,      RECORDED,       END,          FOREVER,    END_RECORDED),
	RULE(AT_GATE,      CLOSED,         TO_RECONCILE, EXPLAIN,    HANG_UP),

	RULE(RUNNING,      STOP_REQUESTED, STOPPING,     FOREVER,    SEND_END),
	RULE(RUNNING,      FOREIGN,        INCOMPATIBLE, GIVE_UP,    REPORT_INCOMPATIBLE),
	RULE(RUNNING,      RECORDED,       END,          FOREVER,    END_RECORDED),
	RULE(RUNNING,      CLOSED,         TO_RECONCILE, EXPLAIN,    HANG_UP),

	RULE(STOPPING,     STOP_REQUESTED, STOPPING,     SAME,       SEND_END),
	RULE(STOPPING,     FOREIGN,        INCOMPATIBLE, GIVE_UP,    REPORT_INCOMPATIBLE),
	RULE(STOPPING,     RECORDED,       END,          FOREVER,    END_RECORDED),
	RULE(STOPPING,     CLOSED,         TO_RECONCILE, EXPLAIN,    HANG_UP),

	RULE(INCOMPATIBLE, STOP_REQUESTED, INCOMPATIBLE, SAME,       SEND_END),
	RULE(INCOMPATIBLE, RECORDED,       END,          FOREVER,    END_RECORDED),
	RULE(INCOMPATIBLE, CLOSED,         TO_RECONCILE, EXPLAIN,    HANG_UP),
	RULE(INCOMPATIBLE, TIME_UP,        TO_RECONCILE, FOREVER,    HANG_UP),

	RULE(UNEXPLAINED,  NEVER,          TO_ORDER,     FOREVER,    NOTHING),
	RULE(UNEXPLAINED,  ALIVE,          CONNECT,      FOREVER,    CONNECT),
	RULE(UNEXPLAINED,  RECORDED,       END,          FOREVER,    END_RECORDED),
	RULE(UNEXPLAINED,  RUNNER_LOST,    TO_RECONCILE, FOREVER,    NOTHING),
};
/* clang-format on */
const size_t run_rule_count = COUNT(run_rules);

enum { HOLDS, ONCE };
static const unsigned int once = 0
#define V(name, kind, words) | ((unsigned int)(kind) << RUN_ON_##name)
    RUN_EVENTS(V)
#undef V
    ;

static const struct run_rule *
find_rule(enum run_state state, unsigned int facts)
{
	for (size_t i = 0; i < run_rule_count; i++) {
		const struct run_rule *rule = &run_rules[i];

		if (rule->from == state && (facts & (1U << rule->on)) != 0)
			return rule;
	}
	return NULL;
}

bool
run_flow_advance(struct run_flow *flow, run_look *look, run_apply *apply, void *ctx)
{
	const struct run_rule *rule;

	if (flow->is_asked)
		return false;
	flow->is_asked = true;
	while ((rule = find_rule(flow->state, flow->facts | look(ctx))) != NULL) {
		flow->facts &= ~(once & (1U << rule->on));
		flow->state = rule->to;
		apply(ctx, rule);
	}
	flow->facts &= ~once;
	flow->is_asked = false;
	return true;
}

int64_t
run_flow_wait_ms(enum run_wait wait)
{
	static const int64_t waits_ms[] = { RUN_WAITS(COLUMN_SECOND) };

	return waits_ms[wait];
}

const char *
run_flow_name(enum run_state state)
{
	static const char *const names[] = { RUN_STATES(COLUMN_NAME) };

	assert((size_t)state < COUNT(names));
	return names[state];
}

const char *
run_flow_event_name(enum run_event event)
{
	static const char *const names[] = { RUN_EVENTS(COLUMN_NAME) };

	assert((size_t)event < COUNT(names));
	return names[event];
}
