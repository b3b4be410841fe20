/* Goal: each cell of a run's rule table has a rule or a reason; each act stands where it should.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "runs/run_flow.h"

#include "unit.h"

#define IN(state) (1U << RUN_##state)
#define ALL	  ((1U << RUN_STATE_COUNT) - 1)
#define UNSENT	  (IN(TO_ORDER) | IN(TO_RECONCILE))
#define LINKED	  (IN(CONNECTED) | IN(AT_GATE) | IN(RUNNING) | IN(STOPPING) | IN(INCOMPATIBLE))
#define UNLINKED  (ALL & ~LINKED & ~IN(END))

static bool
is_once(enum run_event event)
{
	enum { HOLDS, ONCE };
	static const int kinds[] = {
#define V(name, kind, words) kind,
		RUN_EVENTS(V)
#undef V
	};

	return kinds[event] == ONCE;
}

static bool
is_in(enum run_state state, unsigned int states)
{
	return (states >> state & 1) != 0;
}

/* --- the table, cell by cell --- */

/* clang-format off */
static const struct {
	enum run_event on;
	unsigned int states;
	const char *why;
} ignored[] = {
#define NO(event, states, why) { RUN_ON_##event, states, why }
	NO(WAS_STARTED,    ALL & ~IN(TO_ORDER),          "it counts where it would be ordered"),
	NO(STOP_REQUESTED, UNLINKED & ~IN(TO_ORDER),     "a supervisor is sent it when connected"),
	NO(STOP_REQUESTED, IN(CONNECTED),                "behind `hello`, which says to whom"),
	NO(STOP_REQUESTED, IN(END),                      "it has ended"),
	NO(GO,             UNLINKED,                     "a supervisor is sent it when connected"),
	NO(GO,             IN(CONNECTED),                "behind `hello`, which says whether"),
	NO(GO,             IN(RUNNING),                  "its gate is open"),
	NO(GO,             IN(STOPPING),                 "its gate stays shut, or is open"),
	NO(GO,             IN(INCOMPATIBLE),             "it must not get it from us"),
	NO(GO,             IN(END),                      "it has ended"),
	NO(ORDERS_SPENT,   ALL & ~IN(TO_ORDER),          "it counts where it would be ordered"),
	NO(ORDER_LATE,     ALL & ~IN(TO_ORDER),          "it counts where it would be ordered"),
	NO(LEFT,           ALL & ~IN(TO_RECONCILE),      "its runner has answered, or is asked"),
	NO(TIME_UP,        IN(TO_ORDER) | IN(ORDERED),   "impossible: it may take long"),
	NO(TIME_UP,        IN(CONNECT),                  "impossible: it is left at once"),
	NO(TIME_UP,        LINKED & ~IN(INCOMPATIBLE),   "impossible: it may take long"),
	NO(TIME_UP,        IN(UNEXPLAINED),              "impossible: it was reported"),
	NO(TIME_UP,        IN(END),                      "it has ended"),
	NO(SENT,           ALL & ~UNSENT,                "impossible: there is nothing to be sent"),
	NO(UNSENDABLE,     IN(TO_RECONCILE),             "impossible: `settle` is a number alone"),
	NO(UNSENDABLE,     ALL & ~UNSENT,                "impossible: there is nothing to be sent"),
	NO(RUNNER_LOST,    UNSENT,                       "it was not asked yet"),
	NO(RUNNER_LOST,    IN(CONNECT) | IN(RETRY) | LINKED, "a run outlives its runner"),
	NO(RUNNER_LOST,    IN(END),                      "it has ended"),
	NO(STARTED,        ALL & ~IN(ORDERED),           "it answers an order"),
	NO(EXISTS,         ALL & ~IN(ORDERED),           "it answers an order"),
	NO(PUT_OFF,        ALL & ~IN(ORDERED),           "it answers an order"),
	NO(CANCELLED,      ALL & ~IN(ORDERED),           "it answers an order"),
	NO(REFUSED,        ALL & ~IN(ORDERED),           "it answers an order"),
	NO(NEVER,          IN(TO_ORDER) | IN(ORDERED),   "that is known, and it was ordered since"),
	NO(NEVER,          IN(TO_RECONCILE) | IN(CONNECT) | IN(RETRY), "the runner is asked"),
	NO(NEVER,          LINKED,                       "its connection ends, and it is asked"),
	NO(NEVER,          IN(END),                      "it has ended"),
	NO(ALIVE,          IN(TO_ORDER) | IN(ORDERED),   "`started` says it too"),
	NO(ALIVE,          IN(TO_RECONCILE),             "the runner is asked"),
	NO(ALIVE,          IN(CONNECT) | IN(RETRY) | LINKED, "that is known"),
	NO(ALIVE,          IN(END),                      "it has ended"),
	NO(RECORDED,       IN(CONNECT),                  "impossible: it is left at once"),
	NO(RECORDED,       IN(END),                      "it has ended"),
	NO(REACHED,        ALL & ~IN(CONNECT),           "impossible: only CONNECT says so"),
	NO(UNREACHED,      ALL & ~(IN(CONNECT) | IN(CONNECTED)), "impossible: it was reached"),
	NO(HELLO_SHUT,     LINKED & ~IN(CONNECTED),      "it is said once to each connection"),
	NO(HELLO_SHUT,     UNLINKED | IN(END),           "impossible: it is not connected"),
	NO(HELLO_OPEN,     LINKED & ~IN(CONNECTED),      "it is said once to each connection"),
	NO(HELLO_OPEN,     UNLINKED | IN(END),           "impossible: it is not connected"),
	NO(FOREIGN,        IN(INCOMPATIBLE),             "no more of it is read"),
	NO(FOREIGN,        UNLINKED | IN(END),           "impossible: it is not connected"),
	NO(FOREIGN_OPEN,   LINKED & ~IN(CONNECTED),      "it is said once to each connection"),
	NO(FOREIGN_OPEN,   UNLINKED | IN(END),           "impossible: it is not connected"),
	NO(CLOSED,         UNLINKED | IN(END),           "impossible: it is not connected"),
};
/* clang-format on */

static int
rules_of_cell(enum run_state from, enum run_event on)
{
	int n = 0;

	for (size_t i = 0; i < run_rule_count; i++)
		n += run_rules[i].from == from && run_rules[i].on == on;
	return n;
}

static int
reasons_of_cell(enum run_state from, enum run_event on)
{
	int n = 0;

	for (size_t i = 0; i < COUNT(ignored); i++)
		n += ignored[i].on == on && is_in(from, ignored[i].states);
	return n;
}

TEST(each_cell_has_one_rule_or_one_reason_to_have_none)
{
	for (int s = 0; s < RUN_STATE_COUNT; s++) {
		for (int e = 0; e < RUN_EVENT_COUNT; e++) {
			enum run_state from = (enum run_state)s;
			enum run_event on = (enum run_event)e;
			int rules = rules_of_cell(from, on), reasons = reasons_of_cell(from, on);

			if (rules + reasons != 1)
				fail_msg("%s on %s: %d rules, %d reasons for none",
				    run_flow_name(from), run_flow_event_name(on), rules, reasons);
		}
	}
}

/* A run begins in TO_ORDER, or in TO_RECONCILE where it was ordered before this start. */
TEST(every_state_is_reached_and_leads_to_end)
{
	bool reached[RUN_STATE_COUNT] = { [RUN_TO_ORDER] = true };
	bool ends[RUN_STATE_COUNT] = { [RUN_END] = true };

	for (int round = 0; round < RUN_STATE_COUNT; round++) {
		for (size_t i = 0; i < run_rule_count; i++) {
			reached[run_rules[i].to] |= reached[run_rules[i].from];
			ends[run_rules[i].from] |= ends[run_rules[i].to];
		}
	}
	for (int s = 0; s < RUN_STATE_COUNT; s++)
		if (!reached[s] || !ends[s])
			fail_msg("%s: reached %d, leads to END %d",
			    run_flow_name((enum run_state)s), reached[s], ends[s]);
}

/* Else it would be carried out for ever: what holds is asked again. */
TEST(a_rule_that_stays_in_its_state_ends_what_it_was_asked_with)
{
	for (size_t i = 0; i < run_rule_count; i++) {
		const struct run_rule *rule = &run_rules[i];
		bool waits_anew = rule->on == RUN_ON_TIME_UP && rule->wait != RUN_WAIT_SAME;
		bool sends = rule->on == RUN_ON_STOP_REQUESTED && rule->act == RUN_DO_SEND_END;

		if (rule->from == rule->to)
			assert_true(is_once(rule->on) || waits_anew || sends);
	}
}

/* A limit begins where a connection ends, and what ends it is the runner's word. */
TEST(a_wait_has_one_purpose_and_one_place_where_it_begins)
{
	for (size_t i = 0; i < run_rule_count; i++) {
		const struct run_rule *rule = &run_rules[i];
		bool asks = is_in(rule->from, IN(TO_RECONCILE) | IN(RECONCILING)) &&
		    is_in(rule->to, IN(TO_RECONCILE) | IN(RECONCILING)) && is_once(rule->on);
		bool stays = rule->from == rule->to && rule->on == RUN_ON_STOP_REQUESTED;

		assert_int_equal(rule->wait == RUN_WAIT_SAME, asks || stays);
		assert_int_equal(rule->wait == RUN_WAIT_EXPLAIN, rule->on == RUN_ON_CLOSED);
		assert_int_equal(rule->wait == RUN_WAIT_RETRY, rule->to == RUN_RETRY);
		assert_int_equal(rule->wait == RUN_WAIT_GIVE_UP, rule->on == RUN_ON_FOREIGN);
	}
}

TEST(each_act_stands_where_its_sentence_says)
{
	for (size_t i = 0; i < run_rule_count; i++) {
		const struct run_rule *rule = &run_rules[i];
		bool was_linked = is_in(rule->from, LINKED), is_linked = is_in(rule->to, LINKED);
		bool explained = rule->on == RUN_ON_TIME_UP &&
		    is_in(rule->from, IN(TO_RECONCILE) | IN(RECONCILING));

		assert_int_equal(rule->act == RUN_DO_CONNECT, rule->to == RUN_CONNECT);
		assert_int_equal(
		    rule->act == RUN_DO_HANG_UP, was_linked && !is_linked && rule->to != RUN_END);
		assert_int_equal(rule->act == RUN_DO_SEND_GO, rule->on == RUN_ON_GO);
		assert_int_equal(
		    rule->act == RUN_DO_SEND_END, rule->on == RUN_ON_STOP_REQUESTED && was_linked);
		assert_int_equal(rule->act == RUN_DO_REPORT_HELLO, rule->to == RUN_AT_GATE);
		assert_int_equal(rule->act == RUN_DO_REPORT_INCOMPATIBLE,
		    rule->to == RUN_INCOMPATIBLE && rule->from != rule->to);
		assert_int_equal(rule->act == RUN_DO_REPORT_LOST, explained);
		assert_int_equal(rule->act == RUN_DO_END_RECORDED, rule->on == RUN_ON_RECORDED);
		assert_int_equal(
		    rule->act == RUN_DO_END_FOLDER_GONE, rule->on == RUN_ON_WAS_STARTED);
		assert_int_equal(rule->to == RUN_END, rule->act >= RUN_DO_END_RECORDED);
	}
}

/* Whichever facts hold besides, and whatever the rows of the table are. */
TEST(what_was_started_or_is_to_end_is_not_ordered)
{
	const struct run_rule *first = NULL;

	for (size_t i = 0; i < run_rule_count; i++) {
		const struct run_rule *rule = &run_rules[i];

		if (rule->from == RUN_TO_ORDER && first == NULL)
			first = rule;
		if (rule->to == RUN_ORDERED)
			assert_true(rule->from == RUN_TO_ORDER && rule->on == RUN_ON_SENT);
	}
	assert_non_null(first);
	assert_int_equal(first->on, RUN_ON_WAS_STARTED);
	assert_int_equal(first->to, RUN_END);
}
