/* Goal: whatever the rules of a supervisor become, a run ends in whatever order its facts come.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "runner/supervisor_flow.h"

#include "unit.h"

#define BIT	      SUPERVISOR_BIT
#define IN(state)     (1U << SUPERVISOR_##state)
#define BEFORE(state) (IN(state) - 1)
#define BEHIND(state) (((1U << SUPERVISOR_STATE_COUNT) - 1) & ~BEFORE(state) & ~IN(state))
#define ROUNDS_MAX    200

static bool
does(const struct supervisor_rule *rule, enum supervisor_act what)
{
	for (size_t i = 0; rule->acts[i] != SUPERVISOR_DO_NOTHING; i++)
		if (rule->acts[i] == what)
			return true;
	return false;
}

static bool
is_once(enum supervisor_event event)
{
	enum { HOLDS, ONCE };
	static const int kinds[] = {
#define V(name, kind, words) kind,
		SUPERVISOR_EVENTS(V)
#undef V
	};

	return kinds[event] == ONCE;
}

/* --- the table, cell by cell --- */

/* clang-format off */
static const struct {
	enum supervisor_event on;
	unsigned int states;
	const char *why;
} ignored[] = {
#define NO(event, states, why) { SUPERVISOR_ON_##event, states, why }
	NO(STOP_REQUESTED, IN(DRAINING),              "it has ended well already"),
	NO(STOP_REQUESTED, IN(STOPPING),              "it is being stopped"),
	NO(STOP_REQUESTED, BEHIND(STOPPING),          "it has ended"),
	NO(GO,             BEHIND(AT_GATE),           "a gate opens once, or was given up"),
	NO(SERVER_LOST,    BEHIND(AT_GATE),           "a run outlives its server"),
	NO(RUNNER_LOST,    BEHIND(AT_GATE),           "a run outlives its runner"),
	NO(FLUSH_FAILED,   BEHIND(AT_GATE),           "the gate is decided upon"),
	NO(MAIN_OK,        BEHIND(RUNNING),           "all of it is waited for"),
	NO(MAIN_FAILED,    IN(DRAINING),              "impossible: it ended with 0"),
	NO(MAIN_FAILED,    BEHIND(DRAINING),          "all of it is waited for"),
	NO(NO_CHILD,       IN(AT_GATE) | IN(RUNNING), "MAIN_* comes with it, and decides"),
	NO(NO_CHILD,       IN(DRAINING),              "a last line may be in the pipe"),
	NO(NO_CHILD,       BEHIND(STOPPING),          "it was waited for, or may stay"),
	NO(OUTPUT_CLOSED,  IN(AT_GATE) | IN(RUNNING), "a program may close its output and go on"),
	NO(OUTPUT_CLOSED,  IN(STOPPING),              "what closed its output may be alive"),
	NO(OUTPUT_CLOSED,  BEHIND(STOPPING),          "it was read, or ALONE says so"),
	NO(RECORDED,       BEFORE(RECORDING),         "impossible: only WRITE_RECORD says so"),
	NO(RECORDED,       IN(TOLD),                  "what led here"),
	NO(DISK_REFUSED,   BEFORE(RECORDING),         "impossible: only WRITE_RECORD says so"),
	NO(DISK_REFUSED,   IN(TOLD),                  "impossible: it was recorded"),
	NO(EXIT_SENT,      BEFORE(TOLD),              "impossible: there is no record to send"),
	NO(ALONE,          BEFORE(TOLD),              "a run needs neither server nor output"),
	NO(CONNECTED,      BEHIND(AT_GATE),           "it is sent hello, no more"),
	NO(STUCK,          BEFORE(STOPPING),          "impossible: only KILL says so"),
	NO(STUCK,          BEHIND(STOPPING),          "impossible: only KILL says so"),
};
/* clang-format on */

static int
rules_of_cell(enum supervisor_state from, enum supervisor_event on)
{
	int n = 0;

	for (size_t i = 0; i < supervisor_rule_count; i++)
		n += supervisor_rules[i].from == from && supervisor_rules[i].on == on;
	return n;
}

static int
reasons_of_cell(enum supervisor_state from, enum supervisor_event on)
{
	int n = 0;

	for (size_t i = 0; i < COUNT(ignored); i++)
		n += ignored[i].on == on && (ignored[i].states >> from & 1) != 0;
	return n;
}

TEST(each_cell_has_one_rule_or_one_reason_to_have_none)
{
	for (int s = 0; s < SUPERVISOR_STATE_COUNT; s++) {
		for (int e = 0; e < SUPERVISOR_EVENT_COUNT; e++) {
			enum supervisor_state from = (enum supervisor_state)s;
			enum supervisor_event on = (enum supervisor_event)e;
			int rules = rules_of_cell(from, on), reasons = reasons_of_cell(from, on);

			if (rules + reasons != 1)
				fail_msg("%s on %s: %d rules, %d reasons for none",
				    supervisor_flow_name(from), supervisor_flow_event_name(on),
				    rules, reasons);
		}
	}
}

TEST(every_state_is_reached_and_leads_to_told)
{
	bool reached[SUPERVISOR_STATE_COUNT] = { [SUPERVISOR_AT_GATE] = true };
	bool ends[SUPERVISOR_STATE_COUNT] = { [SUPERVISOR_TOLD] = true };

	for (int round = 0; round < SUPERVISOR_STATE_COUNT; round++) {
		for (size_t i = 0; i < supervisor_rule_count; i++) {
			reached[supervisor_rules[i].to] |= reached[supervisor_rules[i].from];
			ends[supervisor_rules[i].from] |= ends[supervisor_rules[i].to];
		}
	}
	for (int s = 0; s < SUPERVISOR_STATE_COUNT; s++)
		if (!reached[s] || !ends[s])
			fail_msg("%s: reached %d, leads to TOLD %d",
			    supervisor_flow_name((enum supervisor_state)s), reached[s], ends[s]);
}

TEST(whoever_enters_a_state_says_how_long_it_may_take)
{
	for (size_t i = 0; i < supervisor_rule_count; i++) {
		const struct supervisor_rule *rule = &supervisor_rules[i];

		if (rule->from != rule->to || rule->on == SUPERVISOR_ON_TIME_UP)
			assert_int_not_equal(rule->wait, SUPERVISOR_WAIT_SAME);
		if (rule->from != rule->to)
			assert_int_not_equal(rule->wait, SUPERVISOR_WAIT_FOREVER);
	}
}

/* Else it would be carried out for ever: what holds is asked again. */
TEST(a_rule_that_stays_in_its_state_ends_what_it_was_asked_with)
{
	for (size_t i = 0; i < supervisor_rule_count; i++) {
		const struct supervisor_rule *rule = &supervisor_rules[i];

		if (rule->from == rule->to)
			assert_true(is_once(rule->on) || rule->on == SUPERVISOR_ON_TIME_UP ||
			    does(rule, SUPERVISOR_DO_EXIT) || does(rule, SUPERVISOR_DO_GIVE_UP) ||
			    (rule->on == SUPERVISOR_ON_EXIT_SENT &&
				does(rule, SUPERVISOR_DO_HANG_UP)));
	}
}

/* Each sentence is of the table alone: what it does to a process, test_runner_end.py sees. */
TEST(what_is_stopped_is_sent_term_then_kill_and_is_named_when_it_is_stuck)
{
	for (size_t i = 0; i < supervisor_rule_count; i++) {
		const struct supervisor_rule *rule = &supervisor_rules[i];
		bool enters = rule->from != SUPERVISOR_STOPPING && rule->to == SUPERVISOR_STOPPING;
		bool kills = rule->from == SUPERVISOR_STOPPING && rule->on == SUPERVISOR_ON_TIME_UP;

		assert_int_equal(does(rule, SUPERVISOR_DO_TERM), enters);
		assert_int_equal(enters, rule->wait == SUPERVISOR_WAIT_GRACE);
		assert_int_equal(does(rule, SUPERVISOR_DO_KILL), kills);
		assert_int_equal(kills, rule->wait == SUPERVISOR_WAIT_KILL);
		assert_int_equal(
		    does(rule, SUPERVISOR_DO_REPORT_STUCK), rule->on == SUPERVISOR_ON_STUCK);
		assert_int_equal(does(rule, SUPERVISOR_DO_NOTE_STOPPED),
		    rule->on == SUPERVISOR_ON_STOP_REQUESTED);
		assert_int_equal(does(rule, SUPERVISOR_DO_NOTE_TIMED_OUT),
		    rule->from == SUPERVISOR_RUNNING && rule->on == SUPERVISOR_ON_TIME_UP);
		assert_int_equal(does(rule, SUPERVISOR_DO_SHUT_GATE),
		    rule->from == SUPERVISOR_AT_GATE && enters);
		assert_int_equal(does(rule, SUPERVISOR_DO_OPEN_GATE),
		    rule->from == SUPERVISOR_AT_GATE && rule->to == SUPERVISOR_RUNNING);
	}
}

/* --- the facts in any order --- */

/* What stands in the place of processes, clock and disk. */
struct world {
	struct supervisor_flow flow;
	enum supervisor_state seen;
	unsigned int now; /* what look() finds */
	int refusals;	  /* of the disk, still to come */
	int gates, records, kills, rounds;
	bool over, said_exit, has_server;
};

static unsigned int
look(void *ctx)
{
	const struct world *w = ctx;
	bool alone = (w->now & BIT(OUTPUT_CLOSED)) != 0 && !w->has_server;

	if (w->over)
		return 0;
	return w->now | (w->said_exit ? BIT(EXIT_SENT) : 0) | (alone ? BIT(ALONE) : 0);
}

/* Either nothing of it is alive, or it ended well and what is left may stay. */
static void
write_record(struct world *w, const struct supervisor_rule *rule)
{
	if (rule->from != SUPERVISOR_DRAINING && rule->from != SUPERVISOR_RECORDING)
		assert_true((w->flow.facts & BIT(NO_CHILD)) != 0);
	if (w->refusals > 0) {
		w->refusals--;
		return;
	}
	w->records++;
	w->flow.facts |= BIT(RECORDED);
}

static void
act(struct world *w, const struct supervisor_rule *rule, enum supervisor_act act)
{
	assert_false(w->over);
	switch (act) {
	case SUPERVISOR_DO_OPEN_GATE:
		w->gates++;
		break;
	case SUPERVISOR_DO_KILL:
		assert_int_equal(w->records, 0);
		if (++w->kills > 2)
			w->flow.facts |= BIT(STUCK);
		break;
	case SUPERVISOR_DO_WRITE_RECORD:
		write_record(w, rule);
		break;
	case SUPERVISOR_DO_HANG_UP:
		w->has_server = false;
		w->said_exit = false;
		break;
	case SUPERVISOR_DO_EXIT:
	case SUPERVISOR_DO_GIVE_UP:
		w->over = true;
		w->flow.facts = 0;
		break;
	default:
		break;
	}
}

static void
apply(void *ctx, const struct supervisor_rule *rule)
{
	struct world *w = ctx;

	assert_int_equal(rule->from, w->seen); /* no change that was not traced */
	assert_int_equal(rule->to, w->flow.state);
	assert_true(++w->rounds < ROUNDS_MAX);
	w->seen = rule->to;
	if (rule->wait != SUPERVISOR_WAIT_SAME)
		w->now &= ~BIT(TIME_UP);
	for (size_t i = 0; rule->acts[i] != SUPERVISOR_DO_NOTHING; i++)
		act(w, rule, rule->acts[i]);
}

/* A turn of the loop in which these facts come. */
static void
turn(struct world *w, unsigned int facts)
{
	int rounds = w->rounds;
	bool changed;

	if (w->over)
		return;
	if ((facts & BIT(CONNECTED)) != 0)
		w->has_server = true;
	if ((facts & BIT(SERVER_LOST)) != 0)
		w->has_server = false;
	w->now |= facts & (BIT(OUTPUT_CLOSED) | BIT(TIME_UP));
	w->flow.facts |= facts & ~(BIT(OUTPUT_CLOSED) | BIT(TIME_UP));
	changed = supervisor_flow_advance(&w->flow, look, apply, w);
	assert_int_equal(changed, w->rounds > rounds);
}

/* Calls then(order) for each order of the n facts. */
static void
permute(unsigned int *facts, size_t at, size_t n, void (*then)(const unsigned int *facts, size_t n))
{
	if (at == n)
		then(facts, n);
	for (size_t i = at; i < n; i++) {
		unsigned int swapped = facts[i];

		facts[i] = facts[at];
		facts[at] = swapped;
		permute(facts, at + 1, n, then);
		facts[at] = facts[i];
		facts[i] = swapped;
	}
}

/* Each order, cut into turns in each way: facts that come together are seen in one turn. */
static void
the_run_ends_without_time(const unsigned int *facts, size_t n)
{
	for (unsigned int cuts = 0; cuts < 1U << (n - 1); cuts++) {
		struct world w = { 0 };
		unsigned int together = 0;

		for (size_t i = 0; i < n; i++) {
			together |= facts[i];
			if (i + 1 < n && (cuts >> i & 1) == 0)
				continue;
			turn(&w, together);
			together = 0;
		}
		assert_true(w.over);
		assert_int_equal(w.flow.state, SUPERVISOR_TOLD);
		assert_int_equal(w.records, 1);
		assert_true(w.gates <= 1);
		assert_int_equal(w.kills, 0);
	}
}

TEST(each_order_in_which_facts_come_ends_the_run)
{
	unsigned int well[] = { BIT(GO), BIT(MAIN_OK), BIT(NO_CHILD), BIT(OUTPUT_CLOSED) };
	unsigned int failed[] = { BIT(GO), BIT(MAIN_FAILED), BIT(NO_CHILD), BIT(OUTPUT_CLOSED) };
	unsigned int stopped[] = { BIT(GO), BIT(STOP_REQUESTED), BIT(MAIN_FAILED), BIT(NO_CHILD),
		BIT(OUTPUT_CLOSED), BIT(SERVER_LOST) };
	unsigned int shut[] = { BIT(RUNNER_LOST), BIT(FLUSH_FAILED), BIT(MAIN_OK), BIT(NO_CHILD),
		BIT(OUTPUT_CLOSED) };

	permute(well, 0, COUNT(well), the_run_ends_without_time);
	permute(failed, 0, COUNT(failed), the_run_ends_without_time);
	permute(stopped, 0, COUNT(stopped), the_run_ends_without_time);
	permute(shut, 0, COUNT(shut), the_run_ends_without_time);
}

TEST(a_gate_stays_shut_for_whoever_was_told_to_stop_before_or_with_go)
{
	static const unsigned int reasons[] = { BIT(STOP_REQUESTED), BIT(FLUSH_FAILED) };
	static const unsigned int lost[] = { BIT(SERVER_LOST), BIT(RUNNER_LOST) };

	for (size_t i = 0; i < COUNT(reasons); i++) {
		struct world w = { 0 };

		turn(&w, reasons[i] | BIT(GO));
		assert_int_equal(w.gates, 0);
		assert_int_equal(w.flow.state, SUPERVISOR_STOPPING);
	}
	for (size_t i = 0; i < COUNT(lost); i++) {
		struct world w = { 0 };

		turn(&w, lost[i]);
		turn(&w, BIT(CONNECTED) | BIT(GO)); /* a server that comes too late */
		assert_int_equal(w.gates, 0);
	}
}

TEST(a_server_that_connects_stops_the_clock_of_the_gate_and_no_other)
{
	struct world w = { 0 };

	turn(&w, BIT(CONNECTED) | BIT(TIME_UP));
	assert_int_equal(w.flow.state, SUPERVISOR_AT_GATE);
	turn(&w, BIT(GO));
	turn(&w, BIT(CONNECTED) | BIT(TIME_UP)); /* the deadline's */
	assert_int_equal(w.flow.state, SUPERVISOR_STOPPING);
}

TEST(a_disk_that_refuses_is_asked_again_and_in_the_end_given_up)
{
	struct world w = { .refusals = 2 }, never = { .refusals = 9 };

	turn(&w, BIT(GO) | BIT(MAIN_FAILED) | BIT(NO_CHILD));
	assert_int_equal(w.flow.state, SUPERVISOR_RECORDING);
	turn(&w, BIT(TIME_UP));
	assert_int_equal(w.flow.state, SUPERVISOR_RECORDING);
	turn(&w, BIT(TIME_UP));
	assert_int_equal(w.flow.state, SUPERVISOR_TOLD);
	turn(&never, BIT(GO) | BIT(MAIN_FAILED) | BIT(NO_CHILD));
	turn(&never, BIT(DISK_REFUSED));
	assert_true(never.over);
	assert_int_equal(never.records, 0);
}

/* The record is kept for a server that reads slowly, and for one that is there until time is up. */
TEST(a_server_is_waited_for_until_it_was_sent_the_record_or_time_is_up)
{
	struct world sent = { .has_server = true }, slow = { .has_server = true };

	turn(&sent, BIT(GO) | BIT(MAIN_OK) | BIT(OUTPUT_CLOSED));
	assert_int_equal(sent.flow.state, SUPERVISOR_TOLD);
	assert_false(sent.over);
	sent.said_exit = true;
	turn(&sent, 0);
	assert_true(sent.over);
	turn(&slow, BIT(GO) | BIT(MAIN_OK));
	turn(&slow, BIT(TIME_UP)); /* what it left holds the output */
	assert_int_equal(slow.flow.state, SUPERVISOR_TOLD);
	turn(&slow, BIT(TIME_UP));
	assert_false(slow.has_server);
	assert_false(slow.over);
	turn(&slow, BIT(OUTPUT_CLOSED));
	assert_true(slow.over);
}

TEST(in_any_order_with_time_and_a_bad_disk_a_run_is_recorded_once_and_ends)
{
	const char *given = getenv("SEED");
	unsigned first = given != NULL ? (unsigned)strtoul(given, NULL, 10) : 1;
	unsigned last = given != NULL ? first : 20000;

	print_message("seeds %u to %u (SEED=n replays one)\n", first, last);
	for (unsigned seed = first; seed <= last; seed++) {
		struct world w = { .refusals = (int)(seed % 4) };
		unsigned x = seed * 2654435761u;
		unsigned never =
		    BIT(RECORDED) | BIT(DISK_REFUSED) | BIT(EXIT_SENT) | BIT(ALONE) | BIT(STUCK);

		never |= seed % 2 == 0 ? BIT(MAIN_OK) : BIT(MAIN_FAILED);
		for (int i = 0; i < 24; i++) {
			x = x * 1103515245u + 12345u;
			turn(&w, (1U << ((x >> 16) % SUPERVISOR_EVENT_COUNT)) & ~never);
		}
		turn(&w,
		    (BIT(MAIN_OK) | BIT(MAIN_FAILED) | BIT(NO_CHILD) | BIT(OUTPUT_CLOSED)) &
			~never);
		for (int i = 0; i < 6; i++)
			turn(&w, BIT(TIME_UP));
		assert_true(w.over);
		assert_int_equal(w.records, 1);
		assert_true(w.gates <= 1);
	}
}
