/* deploy_flow.c - the rule table of a deployment's life.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "deployment/deploy_flow.h"

#include "lib/column.h"

/* A table reads by its columns. */
/* clang-format off */
#define DO(...) { \
	.n = COUNT(((enum deploy_act[]){ __VA_ARGS__ })), \
	.todo = { __VA_ARGS__ } }
#define RULE(p, f, e, t, ...) \
	{ p, DEPLOY_##f, DEPLOY_ON_##e, DEPLOY_##t, DO(__VA_ARGS__) }

/* Short names, so that the table reads as a table. */
#define D	DEPLOY_OF(PROGRAM_DEPLOY)
#define R	DEPLOY_OF(PROGRAM_ROLLBACK)
#define DR	(D | R)
#define A	DEPLOY_OF(PROGRAM_ACTION)
#define D_A	(D | A)
#define DRA	(D | R | A)
#define ASK	DEPLOY_DO_ASK_PERSON
#define APPROVERS	DEPLOY_DO_ASK_APPROVERS
#define VOID	DEPLOY_DO_VOID_APPROVALS
#define CLAIM	DEPLOY_DO_CLAIM
#define RUN	DEPLOY_DO_RUN
#define ROLLBACK	DEPLOY_DO_RUN_ROLLBACK
#define STOP	DEPLOY_DO_STOP_RUN
#define PROBE	DEPLOY_DO_PROBE
#define DROP	DEPLOY_DO_DROP_PROBE
#define BAKE	DEPLOY_DO_BAKE
#define GOES	DEPLOY_DO_RELEASE
#define BLOCK	DEPLOY_DO_BLOCK
#define DRAIN	DEPLOY_DO_DRAIN
#define DOWN	DEPLOY_DO_DOWN
#define LOOK	DEPLOY_DO_LOOK
#define ANSWER	DEPLOY_DO_ANSWER
#define TELL	DEPLOY_DO_TELL
#define REFUSE	DEPLOY_DO_REFUSE_CANCEL
#define NEXT	DEPLOY_DO_NEXT

/*
 * No second program touches a target while the first has a living process: hence STOPPING.  A
 * rollback that a person asked for has no release to roll back to (deployment_can_roll_back()): of
 * what comes from an exit record or a probe it meets the *_NO_ROLLBACK alone, and is never rolled
 * back itself.  A deployment that is rolled back keeps its *_NO_ROLLBACK on purpose: `==>
 * no-rollback` of its rollback.sh, or a row that was damaged, must lead to an end as well.
 */
const struct deploy_rule deploy_rules[] = {
	/*   of   from, on, to, acts in their order */
	RULE(DRA, REQUESTED,             ASK,                       AWAITING_CONFIRMATION, ASK),
	RULE(DRA, REQUESTED,             ASK_APPROVAL,              AWAITING_APPROVAL,     APPROVERS, TELL),
	RULE(DRA, REQUESTED,             CLEAR,                     QUEUED,                TELL),
	RULE(DRA, REQUESTED,             REFUSE,                    REFUSED,               ANSWER, TELL, NEXT),
	RULE(D_A, REQUESTED,             CANCEL,                    CANCELLED,             ANSWER, TELL, NEXT),
	RULE(D,   REQUESTED,             CANCEL_NO_ROLLBACK,        CANCELLED,             ANSWER, TELL, NEXT),
	RULE(R,   REQUESTED,             CANCEL_ROLLBACK,           CANCELLED,             ANSWER, TELL, NEXT),
	RULE(DRA, REQUESTED,             SUPERSEDE,                 SUPERSEDED,            ANSWER, TELL, NEXT),

	RULE(DRA, AWAITING_CONFIRMATION, ASK,                       AWAITING_CONFIRMATION, ASK),
	RULE(DRA, AWAITING_CONFIRMATION, ASK_APPROVAL,              AWAITING_APPROVAL,     APPROVERS, TELL),
	RULE(DRA, AWAITING_CONFIRMATION, CONFIRM,                   QUEUED,                TELL),
	RULE(DRA, AWAITING_CONFIRMATION, REFUSE,                    REFUSED,               ANSWER, TELL, NEXT),
	RULE(D_A, AWAITING_CONFIRMATION, CANCEL,                    CANCELLED,             ANSWER, TELL, NEXT),
	RULE(D,   AWAITING_CONFIRMATION, CANCEL_NO_ROLLBACK,        CANCELLED,             ANSWER, TELL, NEXT),
	RULE(R,   AWAITING_CONFIRMATION, CANCEL_ROLLBACK,           CANCELLED,             ANSWER, TELL, NEXT),
	RULE(DRA, AWAITING_CONFIRMATION, EXPIRE,                    EXPIRED,               ANSWER, TELL, NEXT),
	RULE(DRA, AWAITING_CONFIRMATION, SUPERSEDE,                 SUPERSEDED,            ANSWER, TELL, NEXT),

	RULE(DRA, AWAITING_APPROVAL,     APPROVE,                   AWAITING_APPROVAL,     TELL),
	RULE(DRA, AWAITING_APPROVAL,     CHANGED,                   AWAITING_APPROVAL,     VOID, APPROVERS, TELL),
	RULE(DRA, AWAITING_APPROVAL,     REJECT,                    REFUSED,               ANSWER, TELL, NEXT),
	RULE(DRA, AWAITING_APPROVAL,     CLEAR,                     QUEUED,                TELL),
	RULE(DRA, AWAITING_APPROVAL,     REFUSE,                    REFUSED,               ANSWER, TELL, NEXT),
	RULE(D_A, AWAITING_APPROVAL,     CANCEL,                    CANCELLED,             ANSWER, TELL, NEXT),
	RULE(D,   AWAITING_APPROVAL,     CANCEL_NO_ROLLBACK,        CANCELLED,             ANSWER, TELL, NEXT),
	RULE(R,   AWAITING_APPROVAL,     CANCEL_ROLLBACK,           CANCELLED,             ANSWER, TELL, NEXT),
	RULE(DRA, AWAITING_APPROVAL,     EXPIRE,                    EXPIRED,               ANSWER, TELL, NEXT),
	RULE(DRA, AWAITING_APPROVAL,     SUPERSEDE,                 SUPERSEDED,            ANSWER, TELL, NEXT),

	RULE(DRA, QUEUED,                FREE,                      RUNNING,               CLAIM, RUN, ANSWER, TELL),
	RULE(DRA, QUEUED,                ASK_APPROVAL,              AWAITING_APPROVAL,     VOID, APPROVERS, TELL, NEXT),
	RULE(DRA, QUEUED,                ASK,                       QUEUED,                ASK),
	RULE(DRA, QUEUED,                CONFIRM,                   QUEUED,                TELL, NEXT),
	RULE(DRA, QUEUED,                EXPIRE,                    EXPIRED,               ANSWER, TELL, NEXT),
	RULE(DRA, QUEUED,                REFUSE,                    REFUSED,               ANSWER, TELL, NEXT),
	RULE(D_A, QUEUED,                CANCEL,                    CANCELLED,             ANSWER, TELL, NEXT),
	RULE(D,   QUEUED,                CANCEL_NO_ROLLBACK,        CANCELLED,             ANSWER, TELL, NEXT),
	RULE(R,   QUEUED,                CANCEL_ROLLBACK,           CANCELLED,             ANSWER, TELL, NEXT),
	RULE(DRA, QUEUED,                SUPERSEDE,                 SUPERSEDED,            ANSWER, TELL, NEXT),

	RULE(DR,  RUNNING,               SCRIPT_OK,                 VERIFYING,             PROBE, TELL),
	RULE(DR,  RUNNING,               SCRIPT_OK_UNPROBED,        LIVE,                  GOES, DRAIN, TELL, NEXT),
	RULE(D,   RUNNING,               BAKE,                      BAKING,                BAKE, TELL),
	RULE(D,   RUNNING,               SCRIPT_FAILED,             ROLLING_BACK,          ROLLBACK, TELL),
	RULE(DR,  RUNNING,               SCRIPT_FAILED_NO_ROLLBACK, FAILED,                DOWN, LOOK, TELL, NEXT),
	RULE(DR,  RUNNING,               FAILED_BEFORE_RELEASE,     FAILED,                TELL, NEXT),
	RULE(D,   RUNNING,               MIGRATION_FAILED,          FAILED,                BLOCK, TELL, NEXT),
	RULE(D,   RUNNING,               PAUSE,                     PAUSED,                TELL),
	RULE(DR,  RUNNING,               AGAIN,                     RUNNING,               RUN),
	RULE(DRA, RUNNING,               CHANGED,                   QUEUED,                TELL, NEXT),
	RULE(D,   RUNNING,               SUPERSEDE,                 SUPERSEDED,            TELL, NEXT),
	RULE(DR,  RUNNING,               LOST,                      STOPPING,              TELL),
	RULE(DR,  RUNNING,               FOLDER_GONE,               FAILED,                TELL, NEXT),
	RULE(D,   RUNNING,               CANCEL,                    STOPPING,              STOP, TELL),
	RULE(D,   RUNNING,               CANCEL_NO_ROLLBACK,        STOPPING,              STOP, TELL),
	RULE(R,   RUNNING,               CANCEL_ROLLBACK,           RUNNING,               REFUSE),

	RULE(A,   RUNNING,               SCRIPT_OK,                 DONE,                  ANSWER, TELL, NEXT),
	RULE(A,   RUNNING,               SCRIPT_FAILED,             FAILED,                ANSWER, TELL, NEXT),
	RULE(A,   RUNNING,               FAILED_BEFORE_RELEASE,     FAILED,                ANSWER, TELL, NEXT),
	RULE(A,   RUNNING,               AGAIN,                     RUNNING,               RUN),
	RULE(A,   RUNNING,               LOST,                      STOPPING,              TELL),
	RULE(A,   RUNNING,               FOLDER_GONE,               FAILED,                ANSWER, TELL, NEXT),
	RULE(A,   RUNNING,               CANCEL,                    STOPPING,              STOP, TELL),
	RULE(A,   RUNNING,               CANCEL_UNSTOPPABLE,        RUNNING,               REFUSE),

	RULE(D,   STOPPING,              SCRIPT_OK,                 ROLLING_BACK,          ROLLBACK, TELL),
	RULE(D,   STOPPING,              SCRIPT_OK_UNPROBED,        ROLLING_BACK,          ROLLBACK, TELL),
	RULE(D,   STOPPING,              SCRIPT_FAILED,             ROLLING_BACK,          ROLLBACK, TELL),
	RULE(D,   STOPPING,              PAUSE,                     PAUSED,                TELL),
	RULE(DR,  STOPPING,              SCRIPT_FAILED_NO_ROLLBACK, FAILED,                DOWN, LOOK, TELL, NEXT),
	RULE(DR,  STOPPING,              FAILED_BEFORE_RELEASE,     FAILED,                TELL, NEXT),
	RULE(D,   STOPPING,              MIGRATION_FAILED,          FAILED,                BLOCK, TELL, NEXT),
	RULE(DR,  STOPPING,              FOLDER_GONE,               FAILED,                TELL, NEXT),
	RULE(D,   STOPPING,              CANCEL,                    STOPPING,              REFUSE),
	RULE(D,   STOPPING,              CANCEL_NO_ROLLBACK,        STOPPING,              REFUSE),
	RULE(R,   STOPPING,              CANCEL_ROLLBACK,           STOPPING,              REFUSE),

	RULE(A,   STOPPING,              SCRIPT_OK,                 DONE,                  ANSWER, TELL, NEXT),
	RULE(A,   STOPPING,              SCRIPT_FAILED,             FAILED,                ANSWER, TELL, NEXT),
	RULE(A,   STOPPING,              FAILED_BEFORE_RELEASE,     FAILED,                ANSWER, TELL, NEXT),
	RULE(A,   STOPPING,              FOLDER_GONE,               FAILED,                ANSWER, TELL, NEXT),
	RULE(A,   STOPPING,              CANCEL,                    STOPPING,              REFUSE),
	RULE(A,   STOPPING,              CANCEL_UNSTOPPABLE,        STOPPING,              REFUSE),

	RULE(DR,  VERIFYING,             HEALTHY,                   LIVE,                  GOES, DRAIN, TELL, NEXT),
	RULE(D,   VERIFYING,             BAKE,                      BAKING,                BAKE, TELL),
	RULE(D,   VERIFYING,             UNHEALTHY,                 ROLLING_BACK,          ROLLBACK, TELL),
	RULE(DR,  VERIFYING,             UNHEALTHY_NO_ROLLBACK,     FAILED,                DOWN, TELL, NEXT),
	RULE(DR,  VERIFYING,             FOLDER_GONE,               FAILED,                DROP, TELL, NEXT),
	RULE(D,   VERIFYING,             CANCEL,                    ROLLING_BACK,          DROP, ROLLBACK, TELL),
	RULE(D,   VERIFYING,             CANCEL_NO_ROLLBACK,        FAILED,                DROP, DOWN, LOOK, TELL, NEXT),
	RULE(R,   VERIFYING,             CANCEL_ROLLBACK,           VERIFYING,             REFUSE),

	RULE(D,   BAKING,                BAKED,                     LIVE,                  GOES, DRAIN, TELL, NEXT),
	RULE(D,   BAKING,                WAVE_DONE,                 RUNNING,               DRAIN, RUN, TELL),
	RULE(D,   BAKING,                REGRESSED,                 ROLLING_BACK,          ROLLBACK, TELL),
	RULE(D,   BAKING,                REGRESSED_NO_ROLLBACK,     FAILED,                DOWN, LOOK, TELL, NEXT),
	RULE(D,   BAKING,                PAUSE,                     PAUSED,                TELL),
	RULE(D,   BAKING,                FOLDER_GONE,               FAILED,                TELL, NEXT),
	RULE(D,   BAKING,                CANCEL,                    ROLLING_BACK,          ROLLBACK, TELL),
	RULE(D,   BAKING,                CANCEL_NO_ROLLBACK,        FAILED,                DOWN, LOOK, TELL, NEXT),

	RULE(D,   PAUSED,                RESUME,                    BAKING,                BAKE, TELL),
	RULE(D,   PAUSED,                NEXT_WAVE,                 RUNNING,               DRAIN, RUN, TELL),
	RULE(D,   PAUSED,                LEAVE,                     FAILED,                TELL, NEXT),
	RULE(D,   PAUSED,                FOLDER_GONE,               FAILED,                TELL, NEXT),
	RULE(D,   PAUSED,                CANCEL,                    ROLLING_BACK,          ROLLBACK, TELL),
	RULE(D,   PAUSED,                CANCEL_NO_ROLLBACK,        FAILED,                DOWN, LOOK, TELL, NEXT),

	RULE(D,   ROLLING_BACK,          SCRIPT_OK,                 VERIFYING_ROLLBACK,    PROBE, TELL),
	RULE(D,   ROLLING_BACK,          SCRIPT_OK_UNPROBED,        ROLLED_BACK,           BLOCK, DRAIN, TELL, NEXT),
	RULE(D,   ROLLING_BACK,          SCRIPT_FAILED,             ROLLBACK_FAILED,       BLOCK, DOWN, LOOK, TELL, NEXT),
	RULE(D,   ROLLING_BACK,          SCRIPT_FAILED_NO_ROLLBACK, ROLLBACK_FAILED,       BLOCK, DOWN, LOOK, TELL, NEXT),
	RULE(D,   ROLLING_BACK,          AGAIN,                     ROLLING_BACK,          ROLLBACK),
	RULE(D,   ROLLING_BACK,          FOLDER_GONE,               ROLLBACK_FAILED,       BLOCK, DOWN, TELL, NEXT),
	RULE(D,   ROLLING_BACK,          CANCEL,                    ROLLING_BACK,          REFUSE),
	RULE(D,   ROLLING_BACK,          CANCEL_NO_ROLLBACK,        ROLLING_BACK,          REFUSE),

	RULE(D,   VERIFYING_ROLLBACK,    HEALTHY,                   ROLLED_BACK,           BLOCK, DRAIN, TELL, NEXT),
	RULE(D,   VERIFYING_ROLLBACK,    UNHEALTHY,                 ROLLBACK_FAILED,       BLOCK, DOWN, TELL, NEXT),
	RULE(D,   VERIFYING_ROLLBACK,    UNHEALTHY_NO_ROLLBACK,     ROLLBACK_FAILED,       BLOCK, DOWN, TELL, NEXT),
	RULE(D,   VERIFYING_ROLLBACK,    FOLDER_GONE,               ROLLBACK_FAILED,       DROP, BLOCK, DOWN, TELL, NEXT),
	RULE(D,   VERIFYING_ROLLBACK,    CANCEL,                    VERIFYING_ROLLBACK,    REFUSE),
	RULE(D,   VERIFYING_ROLLBACK,    CANCEL_NO_ROLLBACK,        VERIFYING_ROLLBACK,    REFUSE),
};
/* clang-format on */
const size_t deploy_rule_count = COUNT(deploy_rules);

enum deploy_state
deploy_flow_step(enum program program, enum deploy_state state, enum deploy_event event,
    struct deploy_acts *ret_acts)
{
	assert(state < DEPLOY_STATE_COUNT && event < DEPLOY_EVENT_COUNT);
	ret_acts->n = 0;
	for (size_t i = 0; i < deploy_rule_count; i++) {
		const struct deploy_rule *rule = &deploy_rules[i];

		if (rule->from == state && rule->on == event &&
		    (rule->programs & DEPLOY_OF(program)) != 0) {
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
	static const char *const names[] = { DEPLOY_EVENTS(COLUMN_ONLY) };

	assert((size_t)event < COUNT(names));
	return names[event];
}

const char *
deploy_flow_why_word(enum deploy_why why)
{
	static const char *const words[] = { DEPLOY_WHYS(COLUMN_THIRD) };

	assert((size_t)why < COUNT(words));
	return words[why];
}
