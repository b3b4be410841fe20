/* deploy_flow.c - the rule table of a deployment's life.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "deployment/deploy_flow.h"

#include "lib/text.h"

/* A table reads by its columns. */
/* clang-format off */
#define DO(...) { \
	.n = COUNT(((enum deploy_act[]){ __VA_ARGS__ })), \
	.todo = { __VA_ARGS__ } }
#define RULE(f, e, t, ...) \
	{ DEPLOY_##f, DEPLOY_ON_##e, DEPLOY_##t, DO(__VA_ARGS__) }

/* Short names, so that the table reads as a table. */
#define ASK	DEPLOY_DO_ASK_PERSON
#define RUN	DEPLOY_DO_RUN
#define ROLLBACK	DEPLOY_DO_RUN_ROLLBACK
#define STOP	DEPLOY_DO_STOP_RUN
#define PROBE	DEPLOY_DO_PROBE
#define DROP	DEPLOY_DO_DROP_PROBE
#define GOES	DEPLOY_DO_RELEASE
#define BLOCK	DEPLOY_DO_BLOCK
#define DOWN	DEPLOY_DO_DOWN
#define TELL	DEPLOY_DO_TELL
#define REFUSE	DEPLOY_DO_REFUSE_CANCEL
#define NEXT	DEPLOY_DO_NEXT

/* No second program touches a target while the first has a living process: hence STOPPING. */
const struct deploy_rule deploy_rules[] = {
	/*   from                   on                         to                     acts, in order */
	RULE(REQUESTED,             ASK,                       AWAITING_CONFIRMATION, ASK),
	RULE(REQUESTED,             CLEAR,                     QUEUED,                TELL),
	RULE(REQUESTED,             REFUSE,                    REFUSED,               TELL),
	RULE(REQUESTED,             CANCEL,                    CANCELLED,             TELL),
	RULE(REQUESTED,             CANCEL_NO_ROLLBACK,        CANCELLED,             TELL),
	RULE(REQUESTED,             CANCEL_ROLLBACK,           CANCELLED,             TELL),
	RULE(REQUESTED,             SUPERSEDE,                 SUPERSEDED,            TELL),

	RULE(AWAITING_CONFIRMATION, ASK,                       AWAITING_CONFIRMATION, ASK),
	RULE(AWAITING_CONFIRMATION, CONFIRM,                   QUEUED,                TELL),
	RULE(AWAITING_CONFIRMATION, REFUSE,                    REFUSED,               TELL),
	RULE(AWAITING_CONFIRMATION, CANCEL,                    CANCELLED,             TELL),
	RULE(AWAITING_CONFIRMATION, CANCEL_NO_ROLLBACK,        CANCELLED,             TELL),
	RULE(AWAITING_CONFIRMATION, CANCEL_ROLLBACK,           CANCELLED,             TELL),
	RULE(AWAITING_CONFIRMATION, EXPIRE,                    EXPIRED,               TELL),
	RULE(AWAITING_CONFIRMATION, SUPERSEDE,                 SUPERSEDED,            TELL),

	RULE(QUEUED,                FREE,                      RUNNING,               RUN, TELL),
	RULE(QUEUED,                REFUSE,                    REFUSED,               TELL),
	RULE(QUEUED,                CANCEL,                    CANCELLED,             TELL),
	RULE(QUEUED,                CANCEL_NO_ROLLBACK,        CANCELLED,             TELL),
	RULE(QUEUED,                CANCEL_ROLLBACK,           CANCELLED,             TELL),
	RULE(QUEUED,                SUPERSEDE,                 SUPERSEDED,            TELL),

	RULE(RUNNING,               SCRIPT_OK,                 VERIFYING,             PROBE, TELL),
	RULE(RUNNING,               SCRIPT_OK_UNPROBED,        LIVE,                  GOES, TELL, NEXT),
	RULE(RUNNING,               SCRIPT_FAILED,             ROLLING_BACK,          ROLLBACK, TELL),
	RULE(RUNNING,               SCRIPT_FAILED_NO_ROLLBACK, FAILED,                DOWN, TELL, NEXT),
	RULE(RUNNING,               FAILED_BEFORE_RELEASE,     FAILED,                TELL, NEXT),
	RULE(RUNNING,               AGAIN,                     RUNNING,               RUN),
	RULE(RUNNING,               LOST,                      STOPPING,              TELL),
	RULE(RUNNING,               FOLDER_GONE,               FAILED,                TELL, NEXT),
	RULE(RUNNING,               CANCEL,                    STOPPING,              STOP, TELL),
	RULE(RUNNING,               CANCEL_NO_ROLLBACK,        STOPPING,              STOP, TELL),
	RULE(RUNNING,               CANCEL_ROLLBACK,           RUNNING,               REFUSE),

	RULE(STOPPING,              SCRIPT_OK,                 ROLLING_BACK,          ROLLBACK, TELL),
	RULE(STOPPING,              SCRIPT_OK_UNPROBED,        ROLLING_BACK,          ROLLBACK, TELL),
	RULE(STOPPING,              SCRIPT_FAILED,             ROLLING_BACK,          ROLLBACK, TELL),
	RULE(STOPPING,              SCRIPT_FAILED_NO_ROLLBACK, FAILED,                DOWN, TELL, NEXT),
	RULE(STOPPING,              FAILED_BEFORE_RELEASE,     FAILED,                TELL, NEXT),
	RULE(STOPPING,              FOLDER_GONE,               FAILED,                TELL, NEXT),
	RULE(STOPPING,              CANCEL,                    STOPPING,              REFUSE),
	RULE(STOPPING,              CANCEL_NO_ROLLBACK,        STOPPING,              REFUSE),
	RULE(STOPPING,              CANCEL_ROLLBACK,           STOPPING,              REFUSE),

	RULE(VERIFYING,             HEALTHY,                   LIVE,                  GOES, TELL, NEXT),
	RULE(VERIFYING,             UNHEALTHY,                 ROLLING_BACK,          ROLLBACK, TELL),
	RULE(VERIFYING,             UNHEALTHY_NO_ROLLBACK,     FAILED,                DOWN, TELL, NEXT),
	RULE(VERIFYING,             FOLDER_GONE,               FAILED,                DROP, TELL, NEXT),
	RULE(VERIFYING,             CANCEL,                    ROLLING_BACK,          DROP, ROLLBACK, TELL),
	RULE(VERIFYING,             CANCEL_NO_ROLLBACK,        FAILED,                DROP, DOWN, TELL, NEXT),
	RULE(VERIFYING,             CANCEL_ROLLBACK,           VERIFYING,             REFUSE),

	RULE(ROLLING_BACK,          SCRIPT_OK,                 VERIFYING_ROLLBACK,    PROBE, TELL),
	RULE(ROLLING_BACK,          SCRIPT_OK_UNPROBED,        ROLLED_BACK,           BLOCK, TELL, NEXT),
	RULE(ROLLING_BACK,          SCRIPT_FAILED,             ROLLBACK_FAILED,       BLOCK, DOWN, TELL, NEXT),
	RULE(ROLLING_BACK,          SCRIPT_FAILED_NO_ROLLBACK, ROLLBACK_FAILED,       BLOCK, DOWN, TELL, NEXT),
	RULE(ROLLING_BACK,          FAILED_BEFORE_RELEASE,     ROLLBACK_FAILED,       BLOCK, DOWN, TELL, NEXT),
	RULE(ROLLING_BACK,          AGAIN,                     ROLLING_BACK,          ROLLBACK),
	RULE(ROLLING_BACK,          FOLDER_GONE,               ROLLBACK_FAILED,       BLOCK, DOWN, TELL, NEXT),
	RULE(ROLLING_BACK,          CANCEL,                    ROLLING_BACK,          REFUSE),
	RULE(ROLLING_BACK,          CANCEL_NO_ROLLBACK,        ROLLING_BACK,          REFUSE),

	RULE(VERIFYING_ROLLBACK,    HEALTHY,                   ROLLED_BACK,           BLOCK, TELL, NEXT),
	RULE(VERIFYING_ROLLBACK,    UNHEALTHY,                 ROLLBACK_FAILED,       BLOCK, DOWN, TELL, NEXT),
	RULE(VERIFYING_ROLLBACK,    UNHEALTHY_NO_ROLLBACK,     ROLLBACK_FAILED,       BLOCK, DOWN, TELL, NEXT),
	RULE(VERIFYING_ROLLBACK,    FOLDER_GONE,               ROLLBACK_FAILED,       DROP, BLOCK, DOWN, TELL, NEXT),
	RULE(VERIFYING_ROLLBACK,    CANCEL,                    VERIFYING_ROLLBACK,    REFUSE),
	RULE(VERIFYING_ROLLBACK,    CANCEL_NO_ROLLBACK,        VERIFYING_ROLLBACK,    REFUSE),
};
/* clang-format on */
const size_t deploy_rule_count = COUNT(deploy_rules);

enum deploy_state
deploy_flow_step(enum deploy_state state, enum deploy_event event, struct deploy_acts *ret_acts)
{
	assert(state < DEPLOY_STATE_COUNT && event < DEPLOY_EVENT_COUNT);
	ret_acts->n = 0;
	for (size_t i = 0; i < deploy_rule_count; i++) {
		const struct deploy_rule *rule = &deploy_rules[i];

		if (rule->from == state && rule->on == event) {
			*ret_acts = rule->acts;
			return rule->to;
		}
	}
	return state;
}

static const struct {
	const char *row;
	const char *word;
	enum deploy_class class;
} states[] = {
#define S(name, row, word, class) { row, word, DEPLOY_CLASS_##class },
	DEPLOY_STATES(S)
#undef S
};

enum deploy_class
deploy_flow_class(enum deploy_state state)
{
	assert((size_t)state < COUNT(states));
	return states[state].class;
}

const char *
deploy_flow_word(enum deploy_state state)
{
	assert((size_t)state < COUNT(states));
	return states[state].word;
}

const char *
deploy_flow_name(enum deploy_state state)
{
	assert((size_t)state < COUNT(states));
	return states[state].row;
}

enum deploy_state
deploy_flow_parse(const char *name)
{
	for (size_t i = 0; i < COUNT(states); i++)
		if (strcmp(states[i].row, name) == 0)
			return (enum deploy_state)i;
	return DEPLOY_STATE_COUNT;
}

const char *
deploy_flow_event_name(enum deploy_event event)
{
	static const char *const names[] = {
#define V(name) #name,
		DEPLOY_EVENTS(V)
#undef V
	};

	assert((size_t)event < COUNT(names));
	return names[event];
}

const char *
deploy_flow_why_word(enum deploy_why why)
{
	static const char *const words[] = {
#define W(name, row, word) word,
		DEPLOY_WHYS(W)
#undef W
	};

	assert((size_t)why < COUNT(words));
	return words[why];
}
