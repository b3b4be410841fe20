/* run_flow.c - the rule table of a run, as the server follows it.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "runs/run_flow.h"

/* A table reads by its columns. */
/* clang-format off */
#define ACT(name) RUN_DO_##name
#define RULE(f, e, t, w, ...) { RUN_##f, RUN_ON_##e, RUN_##t, RUN_WAIT_##w, { __VA_ARGS__ } }

/* Short names, so that the table reads as a table. */
#define CALL		ACT(CONNECT)
#define HANG_UP		ACT(HANG_UP)
#define GO		ACT(SEND_GO)
#define STOP		ACT(SEND_END)
#define HELLO		ACT(REPORT_HELLO)
#define FOREIGN		ACT(REPORT_INCOMPATIBLE)
#define LOST		ACT(REPORT_LOST)
#define RECORDED	ACT(END_RECORDED)
#define REFUSED		ACT(END_REFUSED)
#define PUT_OFF		ACT(END_PUT_OFF)
#define CANCELLED	ACT(END_CANCELLED)
#define CONTRADICTED	ACT(END_CONTRADICTED)
#define FOLDER_GONE	ACT(END_FOLDER_GONE)
#define NONE		ACT(NOTHING)

/* What was started, or is to end, is not ordered; `end` goes before `go`; a record ends a run
 * wherever it comes; a connection that ended is explained by the runner. */
const struct run_rule run_rules[] = {
	/*   from          on              to            TIME_UP in  acts, in order */
	RULE(TO_ORDER,     WAS_STARTED,    END,          FOREVER,    FOLDER_GONE),
	RULE(TO_ORDER,     STOP_REQUESTED, END,          FOREVER,    CANCELLED),
	RULE(TO_ORDER,     ORDERS_SPENT,   END,          FOREVER,    CONTRADICTED),
	RULE(TO_ORDER,     UNSENDABLE,     END,          FOREVER,    REFUSED),
	RULE(TO_ORDER,     RECORDED,       END,          FOREVER,    RECORDED),
	RULE(TO_ORDER,     SENT,           ORDERED,      FOREVER,    NONE),

	RULE(ORDERED,      STARTED,        CONNECT,      FOREVER,    CALL),
	RULE(ORDERED,      EXISTS,         TO_RECONCILE, FOREVER,    NONE),
	RULE(ORDERED,      PUT_OFF,        END,          FOREVER,    PUT_OFF),
	RULE(ORDERED,      CANCELLED,      END,          FOREVER,    CANCELLED),
	RULE(ORDERED,      REFUSED,        END,          FOREVER,    REFUSED),
	RULE(ORDERED,      RECORDED,       END,          FOREVER,    RECORDED),
	RULE(ORDERED,      RUNNER_LOST,    TO_RECONCILE, FOREVER,    NONE),

	RULE(TO_RECONCILE, RECORDED,       END,          FOREVER,    RECORDED),
	RULE(TO_RECONCILE, SENT,           RECONCILING,  SAME,       NONE),
	RULE(TO_RECONCILE, TIME_UP,        TO_RECONCILE, FOREVER,    LOST),

	RULE(RECONCILING,  NEVER,          TO_ORDER,     FOREVER,    NONE),
	RULE(RECONCILING,  ALIVE,          CONNECT,      FOREVER,    CALL),
	RULE(RECONCILING,  RECORDED,       END,          FOREVER,    RECORDED),
	RULE(RECONCILING,  RUNNER_LOST,    TO_RECONCILE, SAME,       NONE),
	RULE(RECONCILING,  TIME_UP,        UNEXPLAINED,  FOREVER,    LOST),

	RULE(CONNECT,      REACHED,        CONNECTED,    FOREVER,    NONE),
	RULE(CONNECT,      UNREACHED,      RETRY,        RETRY,      NONE),

	RULE(RETRY,        RECORDED,       END,          FOREVER,    RECORDED),
	RULE(RETRY,        TIME_UP,        TO_RECONCILE, FOREVER,    NONE),

	RULE(CONNECTED,    HELLO_SHUT,     AT_GATE,      FOREVER,    HELLO),
	RULE(CONNECTED,    HELLO_OPEN,     RUNNING,      FOREVER,    NONE),
	RULE(CONNECTED,    FOREIGN,        INCOMPATIBLE, GIVE_UP,    FOREIGN),
	RULE(CONNECTED,    FOREIGN_OPEN,   INCOMPATIBLE, FOREVER,    FOREIGN),
	RULE(CONNECTED,    RECORDED,       END,          FOREVER,    RECORDED),
	RULE(CONNECTED,    CLOSED,         TO_RECONCILE, EXPLAIN,    HANG_UP),

	RULE(AT_GATE,      STOP_REQUESTED, STOPPING,     FOREVER,    STOP),
	RULE(AT_GATE,      GO,             RUNNING,      FOREVER,    GO),
	RULE(AT_GATE,      FOREIGN,        INCOMPATIBLE, GIVE_UP,    FOREIGN),
	RULE(AT_GATE,      RECORDED,       END,          FOREVER,    RECORDED),
	RULE(AT_GATE,      CLOSED,         TO_RECONCILE, EXPLAIN,    HANG_UP),

	RULE(RUNNING,      STOP_REQUESTED, STOPPING,     FOREVER,    STOP),
	RULE(RUNNING,      FOREIGN,        INCOMPATIBLE, GIVE_UP,    FOREIGN),
	RULE(RUNNING,      RECORDED,       END,          FOREVER,    RECORDED),
	RULE(RUNNING,      CLOSED,         TO_RECONCILE, EXPLAIN,    HANG_UP),

	RULE(STOPPING,     STOP_REQUESTED, STOPPING,     SAME,       STOP), /* another asks too */
	RULE(STOPPING,     FOREIGN,        INCOMPATIBLE, GIVE_UP,    FOREIGN),
	RULE(STOPPING,     RECORDED,       END,          FOREVER,    RECORDED),
	RULE(STOPPING,     CLOSED,         TO_RECONCILE, EXPLAIN,    HANG_UP),

	RULE(INCOMPATIBLE, STOP_REQUESTED, INCOMPATIBLE, SAME,       STOP),
	RULE(INCOMPATIBLE, RECORDED,       END,          FOREVER,    RECORDED),
	RULE(INCOMPATIBLE, CLOSED,         TO_RECONCILE, EXPLAIN,    HANG_UP),
	RULE(INCOMPATIBLE, TIME_UP,        TO_RECONCILE, FOREVER,    HANG_UP),

	RULE(UNEXPLAINED,  NEVER,          TO_ORDER,     FOREVER,    NONE),
	RULE(UNEXPLAINED,  ALIVE,          CONNECT,      FOREVER,    CALL),
	RULE(UNEXPLAINED,  RECORDED,       END,          FOREVER,    RECORDED),
	RULE(UNEXPLAINED,  RUNNER_LOST,    TO_RECONCILE, FOREVER,    NONE),
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

const char *
run_flow_name(enum run_state state)
{
	static const char *const names[] = {
#define S(name, words) #name,
		RUN_STATES(S)
#undef S
	};

	assert((size_t)state < COUNT(names));
	return names[state];
}

const char *
run_flow_event_name(enum run_event event)
{
	static const char *const names[] = {
#define V(name, kind, words) #name,
		RUN_EVENTS(V)
#undef V
	};

	assert((size_t)event < COUNT(names));
	return names[event];
}
