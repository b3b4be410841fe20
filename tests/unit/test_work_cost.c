/* Goal: what is asked of work costs the same after ten deployments and after years of actions.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <sqlite3.h>

#include "store/row_deployment.h"

#include "unit.h"
#include "store/row_environment.h"
#include "store/row_queue.h"
#include "store/store_inside.h"
#include "tests/unit/store_aid.h"

TESTS_OF_A_FILE

/* Steps of SQLite's machine, of every connection. */
static long steps;

static int
count_step(UNUSED void *arg)
{
	steps++;
	return 0;
}

static int
attach(sqlite3 *db, UNUSED const char **error, UNUSED const struct sqlite3_api_routines *api)
{
	sqlite3_progress_handler(db, 1, count_step, NULL);
	return SQLITE_OK;
}

/* --- what is asked --- */

static struct deployment list[10];
static int64_t queue[ROW_QUEUE_LIST];

/* clang-format off */
#define ASKED(A) \
	A(active,           row_deployment_active(tx, "staging", list)) \
	A(queued,           row_queue_list(tx, "staging", queue)) \
	A(places,           row_queue_count(tx, "staging", 0, false)) \
	A(waiting_push,     row_queue_push(tx, "staging")) \
	A(looks,            row_queue_look(tx, "staging")) \
	A(push_question,    row_deployment_push_question(tx, "staging", list)) \
	A(next_question, \
	    row_deployment_next_question(tx, PROGRAM_DEPLOY, \
		&(struct deployment){ .environment = "staging", .commit = "abc" }, 1, list)) \
	A(chat_question,    row_deployment_chat_question(tx, "staging", list)) \
	A(asking,           row_deployment_asking(tx, "staging", list)) \
	A(last_changed,     row_deployment_last_changed(tx, "staging", list)) \
	A(last,             row_deployment_last(tx, "staging")) \
	A(came_to_nothing,  row_deployment_list(tx, "staging", list, 1)) \
	A(history,          row_deployment_list(tx, "staging", list, 10)) \
	A(count_open,       row_deployment_count_open(tx, 11)) \
	A(count_requested,  row_deployment_count_requested(tx, 11)) \
	A(estimate,         row_step_estimate(tx, "staging", ""))
/* clang-format on */

#define A(name, call) \
	static void ask_##name(struct tx *tx) \
	{ \
		(void)call; \
	}
ASKED(A)
#undef A

static const struct {
	const char *name;
	void (*ask)(struct tx *tx);
} asked[] = {
#define A(name, call) { #name, ask_##name },
	ASKED(A)
#undef A
};

/* --- a history --- */

/* That many deployments, and behind them as many actions, all ended; then as many questions of
 * pushes, each in an environment of its own. */
static void
act_fill(struct tx *tx, void *arg)
{
	int64_t n = *(const int64_t *)arg;

	(void)tx_run(tx,
	    "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 3 * $1)"
	    " INSERT INTO work (environment, program, cause, state, why, commit_id, image, ref,"
	    " subject, author, is_forced, is_foreign, previous, previous_image, requested_by,"
	    " requester, chat, thread, message, also_message, run, attempts, is_touched,"
	    " has_no_way_back, urls, detail, note, requested_at, started_at, ended_at)"
	    " SELECT CASE WHEN i <= 2 * $1 THEN 'staging' ELSE 'env-' || i END,"
	    " CASE WHEN i <= $1 OR i > 2 * $1 THEN 'deploy' ELSE 'action' END,"
	    " CASE WHEN i <= 2 * $1 THEN 'chat' ELSE 'push' END,"
	    " CASE WHEN i > 2 * $1 THEN 'AWAITING_CONFIRMATION' WHEN i % 7 = 0 THEN 'FAILED'"
	    " WHEN i <= $1 THEN 'LIVE' ELSE 'DONE' END, 'NONE', 'abc', '', '', '', '', 0, 0, '',"
	    " '', CASE WHEN i <= 2 * $1 THEN 11 ELSE 0 END, '@ada', 1, 0, 0, 0, 0, 0, i <= $1, 0, '',"
	    " '', '', i, i, i FROM n",
	    DB_I64(n));
	store_aid_count_rows_of(tx);
}

static void
act_measure(struct tx *tx, void *arg)
{
	long *cost = arg;

	for (size_t i = 0; i < COUNT(asked); i++) {
		steps = 0;
		asked[i].ask(tx);
		cost[i] = steps;
	}
}

STORE_TEST(no_question_costs_more_in_a_longer_history)
{
	static long few[COUNT(asked)], many[COUNT(asked)];
	int64_t n = 20;

	store_aid_act(aid, act_fill, &n);
	store_aid_act(aid, act_measure, few);
	n = 4000;
	store_aid_act(aid, act_fill, &n);
	store_aid_act(aid, act_measure, many);
	for (size_t i = 0; i < COUNT(asked); i++) {
		print_message("  %-16s %5ld steps, then %5ld\n", asked[i].name, few[i], many[i]);
		assert_true(few[i] > 0);
		if (many[i] > few[i] + 100)
			fail_msg("%s looks at all there ever was: %ld steps, then %ld",
			    asked[i].name, few[i], many[i]);
	}
}

int
main(void)
{
	if (sqlite3_auto_extension((void (*)(void))attach) != SQLITE_OK)
		return 1;
	return unit_run(NULL);
}
