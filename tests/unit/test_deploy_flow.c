/* Goal: whatever the rules of a deployment's life become, these properties hold.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "deployment/deploy_flow.h"

#include "unit.h"

static bool
does(const struct deploy_acts *acts, enum deploy_act what)
{
	for (size_t i = 0; i < acts->n; i++)
		if (acts->todo[i] == what)
			return true;
	return false;
}

static bool
starts_something(const struct deploy_acts *acts)
{
	return does(acts, DEPLOY_DO_RUN) || does(acts, DEPLOY_DO_RUN_ROLLBACK);
}

/* Only these come from an exit record: nothing of the run is alive then. */
static bool
is_exit(enum deploy_event event)
{
	return event == DEPLOY_ON_SCRIPT_OK || event == DEPLOY_ON_SCRIPT_OK_UNPROBED ||
	    event == DEPLOY_ON_SCRIPT_FAILED || event == DEPLOY_ON_SCRIPT_FAILED_NO_ROLLBACK ||
	    event == DEPLOY_ON_FAILED_BEFORE_RELEASE || event == DEPLOY_ON_AGAIN ||
	    event == DEPLOY_ON_CHANGED || event == DEPLOY_ON_MIGRATION_FAILED;
}

static bool
is_final(enum deploy_state state)
{
	return deploy_flow_class(state) == DEPLOY_CLASS_FINAL;
}

static bool
is_active(enum deploy_state state)
{
	return deploy_flow_class(state) == DEPLOY_CLASS_ACTIVE;
}

/* A rule's number, of that program; -1: it has none. */
static int
find_rule(enum program program, int from, int on)
{
	for (size_t i = 0; i < deploy_rule_count; i++)
		if ((int)deploy_rules[i].from == from && (int)deploy_rules[i].on == on &&
		    (deploy_rules[i].programs & DEPLOY_OF(program)) != 0)
			return (int)i;
	return -1;
}

TEST(a_rule_stands_once)
{
	for (size_t i = 0; i < deploy_rule_count; i++)
		for (size_t j = i + 1; j < deploy_rule_count; j++)
			if (deploy_rules[i].from == deploy_rules[j].from &&
			    deploy_rules[i].on == deploy_rules[j].on &&
			    (deploy_rules[i].programs & deploy_rules[j].programs) != 0)
				fail_msg("%s on %s stands twice",
				    deploy_flow_name(deploy_rules[i].from),
				    deploy_flow_event_name(deploy_rules[i].on));
}

static void
expect_cell(enum program program, int from, int on)
{
	int at = find_rule(program, from, on);
	struct deploy_rule want = { .to = (enum deploy_state)from };
	struct deploy_acts acts = { .n = 1 };

	if (at >= 0)
		want = deploy_rules[at];
	assert_int_equal(
	    deploy_flow_step(program, (enum deploy_state)from, (enum deploy_event)on, &acts),
	    want.to);
	assert_int_equal(acts.n, want.acts.n);
	for (size_t i = 0; i < acts.n; i++)
		assert_int_equal(acts.todo[i], want.acts.todo[i]);
	if (is_final((enum deploy_state)from))
		assert_int_equal(at, -1);
}

TEST(a_step_is_its_rule_and_without_one_nothing_happens)
{
	for (int p = 0; p < PROGRAM_COUNT; p++)
		for (int s = 0; s < DEPLOY_STATE_COUNT; s++)
			for (int e = 0; e < DEPLOY_EVENT_COUNT; e++)
				expect_cell((enum program)p, s, e);
}

struct reach {
	bool is_reached[DEPLOY_STATE_COUNT];
	bool can_end[DEPLOY_STATE_COUNT];
};

static struct reach
reach_of(enum program program)
{
	struct reach of = { .is_reached = { [DEPLOY_REQUESTED] = true } };

	for (int s = 0; s < DEPLOY_STATE_COUNT; s++)
		of.can_end[s] = is_final((enum deploy_state)s);
	for (int round = 0; round < DEPLOY_STATE_COUNT; round++) {
		for (size_t i = 0; i < deploy_rule_count; i++) {
			const struct deploy_rule *rule = &deploy_rules[i];

			if ((rule->programs & DEPLOY_OF(program)) == 0)
				continue;
			of.is_reached[rule->to] |= of.is_reached[rule->from];
			of.can_end[rule->from] |= of.can_end[rule->to];
		}
	}
	return of;
}

static bool
is_reached(enum program program, int s)
{
	static const bool goes_back[DEPLOY_STATE_COUNT] = { [DEPLOY_ROLLING_BACK] = true,
		[DEPLOY_VERIFYING_ROLLBACK] = true,
		[DEPLOY_ROLLED_BACK] = true,
		[DEPLOY_ROLLBACK_FAILED] = true };

	if (program != PROGRAM_DEPLOY && goes_back[s])
		return false;
	if (program != PROGRAM_DEPLOY && (s == DEPLOY_BAKING || s == DEPLOY_PAUSED))
		return false;
	return program == PROGRAM_ACTION ? s != DEPLOY_VERIFYING && s != DEPLOY_LIVE :
					   s != DEPLOY_DONE;
}

TEST(every_state_is_reached_and_can_end)
{
	for (int p = 0; p < PROGRAM_COUNT; p++) {
		struct reach of = reach_of((enum program)p);

		for (int s = 0; s < DEPLOY_STATE_COUNT; s++) {
			if (of.is_reached[s] != is_reached((enum program)p, s) ||
			    (of.is_reached[s] && !of.can_end[s]))
				fail_msg("%s of program %d: reached %d, ends %d",
				    deploy_flow_name((enum deploy_state)s), p, of.is_reached[s],
				    of.can_end[s]);
		}
	}
}

/* A timer, git or a script that answers, a probe, a person.  What frees an environment and what
 * takes a place away comes from another's work: nobody may wait for that alone. */
static bool
comes_by_itself(enum deploy_event event)
{
	return event != DEPLOY_ON_FREE && event != DEPLOY_ON_SUPERSEDE;
}

TEST(nothing_waits_for_ever)
{
	for (int p = 0; p < PROGRAM_COUNT; p++) {
		struct reach of = reach_of((enum program)p);

		for (int s = 0; s < DEPLOY_STATE_COUNT; s++) {
			bool leads_on = is_final((enum deploy_state)s) || !of.is_reached[s];

			for (int e = 0; e < DEPLOY_EVENT_COUNT; e++) {
				int at = find_rule((enum program)p, s, e);

				leads_on |= at >= 0 && (int)deploy_rules[at].to != s &&
				    comes_by_itself((enum deploy_event)e);
			}
			if (!leads_on)
				fail_msg("nothing leads a program %d on from %s", p,
				    deploy_flow_name((enum deploy_state)s));
		}
	}
}

TEST(no_action_touches_what_is_live)
{
	static const enum deploy_act not_its[] = { DEPLOY_DO_RELEASE, DEPLOY_DO_PROBE,
		DEPLOY_DO_DROP_PROBE, DEPLOY_DO_RUN_ROLLBACK, DEPLOY_DO_BLOCK, DEPLOY_DO_DRAIN,
		DEPLOY_DO_DOWN, DEPLOY_DO_LOOK };

	for (size_t i = 0; i < deploy_rule_count; i++)
		for (size_t a = 0; a < COUNT(not_its); a++)
			if ((deploy_rules[i].programs & DEPLOY_OF(PROGRAM_ACTION)) != 0 &&
			    does(&deploy_rules[i].acts, not_its[a]))
				fail_msg("%s on %s: an action",
				    deploy_flow_name(deploy_rules[i].from),
				    deploy_flow_event_name(deploy_rules[i].on));
}

TEST(whoever_cancels_is_always_answered)
{
	static const struct {
		enum program program;
		enum deploy_event on;
	} cancels[] = { { PROGRAM_DEPLOY, DEPLOY_ON_CANCEL },
		{ PROGRAM_DEPLOY, DEPLOY_ON_CANCEL_NO_ROLLBACK },
		{ PROGRAM_ROLLBACK, DEPLOY_ON_CANCEL_ROLLBACK },
		{ PROGRAM_ACTION, DEPLOY_ON_CANCEL } };

	for (size_t c = 0; c < COUNT(cancels); c++) {
		struct reach of = reach_of(cancels[c].program);

		for (int s = 0; s < DEPLOY_STATE_COUNT; s++) {
			enum deploy_state from = (enum deploy_state)s;
			struct deploy_acts acts;

			if (is_final(from) || !of.is_reached[s])
				continue;
			(void)deploy_flow_step(cancels[c].program, from, cancels[c].on, &acts);
			if (!does(&acts, DEPLOY_DO_TELL) && !does(&acts, DEPLOY_DO_REFUSE_CANCEL))
				fail_msg("nobody answers %s in %s",
				    deploy_flow_event_name(cancels[c].on), deploy_flow_name(from));
		}
	}
}

TEST(a_refused_cancel_changes_nothing)
{
	for (size_t i = 0; i < deploy_rule_count; i++) {
		if (!does(&deploy_rules[i].acts, DEPLOY_DO_REFUSE_CANCEL))
			continue;
		assert_int_equal(deploy_rules[i].from, deploy_rules[i].to);
		assert_int_equal(deploy_rules[i].acts.n, 1);
	}
}

/* Data of the table, one sentence each. */
TEST(every_end_may_free_somebodys_turn)
{
	for (size_t i = 0; i < deploy_rule_count; i++) {
		const struct deploy_rule *rule = &deploy_rules[i];
		bool is_answered = rule->from == DEPLOY_QUEUED &&
		    (rule->on == DEPLOY_ON_CONFIRM || rule->on == DEPLOY_ON_ASK_APPROVAL);
		bool is_again = rule->on == DEPLOY_ON_CHANGED && rule->to == DEPLOY_QUEUED;
		bool has_next = does(&rule->acts, DEPLOY_DO_NEXT);

		assert_int_equal(is_final(rule->to) || is_answered || is_again, has_next);
		assert_true(is_active(rule->to) || is_final(rule->to) || !is_active(rule->from) ||
		    is_again);
		if (has_next) /* after the row says that it is free, and all was told */
			assert_int_equal(rule->acts.todo[rule->acts.n - 1], DEPLOY_DO_NEXT);
	}
}

TEST(what_becomes_active_claims_what_it_touches_before_it_runs)
{
	for (size_t i = 0; i < deploy_rule_count; i++) {
		const struct deploy_rule *rule = &deploy_rules[i];
		bool begins = !is_active(rule->from) && is_active(rule->to);

		assert_int_equal(begins, does(&rule->acts, DEPLOY_DO_CLAIM));
		if (begins)
			assert_int_equal(rule->acts.todo[0], DEPLOY_DO_CLAIM);
	}
}

/* A job at GitHub waits for thirty days for what nobody says; that its gate was open may not have
 * come there yet when that ends. */
TEST(whatever_opens_or_ends_is_answered_at_its_forge)
{
	size_t n = 0;

	for (size_t i = 0; i < deploy_rule_count; i++) {
		const struct deploy_rule *rule = &deploy_rules[i];
		enum deploy_class from = deploy_flow_class(rule->from);
		enum deploy_class to = deploy_flow_class(rule->to);
		bool has_waited = from == DEPLOY_CLASS_OPEN || from == DEPLOY_CLASS_QUEUED;
		bool decides = to == DEPLOY_CLASS_ACTIVE || to == DEPLOY_CLASS_FINAL;
		bool was_open = from == DEPLOY_CLASS_ACTIVE && to == DEPLOY_CLASS_FINAL &&
		    rule->programs == DEPLOY_OF(PROGRAM_ACTION);
		bool is_answered = (has_waited && decides) || was_open;

		assert_int_equal(does(&rule->acts, DEPLOY_DO_ANSWER), is_answered);
		n += is_answered;
	}
	assert_true(n > 10);
}

TEST(only_a_deployment_that_waited_becomes_active)
{
	for (size_t i = 0; i < deploy_rule_count; i++)
		if (!is_active(deploy_rules[i].from) && is_active(deploy_rules[i].to))
			assert_int_equal(deploy_rules[i].on, DEPLOY_ON_FREE);
}

/* What bakes is live at its end alone, and a person has the last word. */
TEST(what_bakes_is_live_when_it_has_baked_and_not_before)
{
	static const struct {
		enum deploy_state from;
		enum deploy_event on;
		enum deploy_state to;
	} cells[] = {
		{ DEPLOY_RUNNING, DEPLOY_ON_BAKE, DEPLOY_BAKING },
		{ DEPLOY_VERIFYING, DEPLOY_ON_BAKE, DEPLOY_BAKING },
		{ DEPLOY_STOPPING, DEPLOY_ON_BAKE, DEPLOY_STOPPING },
		{ DEPLOY_ROLLING_BACK, DEPLOY_ON_BAKE, DEPLOY_ROLLING_BACK },
		{ DEPLOY_BAKING, DEPLOY_ON_BAKED, DEPLOY_LIVE },
		{ DEPLOY_PAUSED, DEPLOY_ON_BAKED, DEPLOY_PAUSED },
		{ DEPLOY_RUNNING, DEPLOY_ON_BAKED, DEPLOY_RUNNING },
		{ DEPLOY_BAKING, DEPLOY_ON_HEALTHY, DEPLOY_BAKING },
		{ DEPLOY_BAKING, DEPLOY_ON_SCRIPT_OK_UNPROBED, DEPLOY_BAKING },
		{ DEPLOY_BAKING, DEPLOY_ON_REGRESSED, DEPLOY_ROLLING_BACK },
		{ DEPLOY_BAKING, DEPLOY_ON_REGRESSED_NO_ROLLBACK, DEPLOY_FAILED },
		{ DEPLOY_PAUSED, DEPLOY_ON_REGRESSED, DEPLOY_PAUSED },
		{ DEPLOY_BAKING, DEPLOY_ON_PAUSE, DEPLOY_PAUSED },
		/* A wave that was stopped or lost, or whose settings have changed. */
		{ DEPLOY_RUNNING, DEPLOY_ON_PAUSE, DEPLOY_PAUSED },
		{ DEPLOY_STOPPING, DEPLOY_ON_PAUSE, DEPLOY_PAUSED },
		{ DEPLOY_BAKING, DEPLOY_ON_WAVE_DONE, DEPLOY_RUNNING },
		{ DEPLOY_RUNNING, DEPLOY_ON_WAVE_DONE, DEPLOY_RUNNING },
		{ DEPLOY_PAUSED, DEPLOY_ON_WAVE_DONE, DEPLOY_PAUSED },
		{ DEPLOY_PAUSED, DEPLOY_ON_NEXT_WAVE, DEPLOY_RUNNING },
		{ DEPLOY_BAKING, DEPLOY_ON_NEXT_WAVE, DEPLOY_BAKING },
		{ DEPLOY_PAUSED, DEPLOY_ON_RESUME, DEPLOY_BAKING },
		{ DEPLOY_PAUSED, DEPLOY_ON_LEAVE, DEPLOY_FAILED },
		{ DEPLOY_BAKING, DEPLOY_ON_LEAVE, DEPLOY_BAKING },
		{ DEPLOY_BAKING, DEPLOY_ON_CANCEL, DEPLOY_ROLLING_BACK },
		{ DEPLOY_PAUSED, DEPLOY_ON_CANCEL, DEPLOY_ROLLING_BACK },
		{ DEPLOY_BAKING, DEPLOY_ON_CANCEL_NO_ROLLBACK, DEPLOY_FAILED },
		{ DEPLOY_PAUSED, DEPLOY_ON_CANCEL_NO_ROLLBACK, DEPLOY_FAILED },
	};
	struct deploy_acts acts;

	for (size_t i = 0; i < COUNT(cells); i++)
		assert_int_equal(
		    deploy_flow_step(PROGRAM_DEPLOY, cells[i].from, cells[i].on, &acts),
		    cells[i].to);
	for (int e = DEPLOY_ON_BAKE; e <= DEPLOY_ON_LEAVE; e++)
		for (int s = 0; s < DEPLOY_STATE_COUNT; s++)
			assert_true(find_rule(PROGRAM_ROLLBACK, s, e) < 0 &&
			    find_rule(PROGRAM_ACTION, s, e) < 0);
}

TEST(only_what_is_live_is_a_release)
{
	for (size_t i = 0; i < deploy_rule_count; i++)
		assert_int_equal(does(&deploy_rules[i].acts, DEPLOY_DO_RELEASE),
		    deploy_rules[i].to == DEPLOY_LIVE);
}

TEST(every_end_is_told)
{
	for (size_t i = 0; i < deploy_rule_count; i++)
		if (is_final(deploy_rules[i].to))
			assert_true(does(&deploy_rules[i].acts, DEPLOY_DO_TELL));
}

/* What is said of it then is what a probe saw: where none led to an end that is down, one asks.
 * Where what runs is not known at all, a restored copy may be all that this is: it asks nobody. */
TEST(every_end_that_is_down_comes_by_a_probe_or_asks_one)
{
	for (size_t i = 0; i < deploy_rule_count; i++) {
		const struct deploy_rule *rule = &deploy_rules[i];
		bool is_asked = rule->on == DEPLOY_ON_UNHEALTHY ||
		    rule->on == DEPLOY_ON_UNHEALTHY_NO_ROLLBACK ||
		    rule->on == DEPLOY_ON_FOLDER_GONE;

		if (does(&rule->acts, DEPLOY_DO_LOOK) !=
		    (does(&rule->acts, DEPLOY_DO_DOWN) && !is_asked))
			fail_msg("%s on %s", deploy_flow_name(rule->from),
			    deploy_flow_event_name(rule->on));
	}
}

TEST(names_lead_back_to_their_state)
{
	for (int s = 0; s < DEPLOY_STATE_COUNT; s++)
		assert_int_equal(deploy_flow_parse(deploy_flow_name((enum deploy_state)s)), s);
	assert_int_equal(deploy_flow_parse("NOWHERE"), DEPLOY_STATE_COUNT);
}

/* --- in any order --- */

struct walk {
	enum program program;
	enum deploy_state state;
	bool alive; /* a program runs */
	bool probing;
	bool baking; /* it is looked at from time to time, or a person has to say */
	int ends;
};

/* A newer push takes over the place of one whose run has not begun, and never will. */
static bool
ends_its_run(const struct walk *walk, enum deploy_event event)
{
	return is_exit(event) || (event == DEPLOY_ON_SUPERSEDE && walk->state == DEPLOY_RUNNING) ||
	    (event == DEPLOY_ON_PAUSE &&
		(walk->state == DEPLOY_RUNNING || walk->state == DEPLOY_STOPPING));
}

/* A rollback has no release to roll back to. */
static bool
is_possible_of_a_rollback(const struct walk *walk, enum deploy_event event)
{
	return event != DEPLOY_ON_SCRIPT_FAILED && event != DEPLOY_ON_UNHEALTHY &&
	    (walk->state != DEPLOY_STOPPING ||
		(event != DEPLOY_ON_SCRIPT_OK && event != DEPLOY_ON_SCRIPT_OK_UNPROBED));
}

/* Can the world outside say this now? */
static bool
is_possible(const struct walk *walk, enum deploy_event event)
{
	if (walk->program == PROGRAM_ACTION &&
	    (event == DEPLOY_ON_SCRIPT_OK_UNPROBED || event == DEPLOY_ON_SCRIPT_FAILED_NO_ROLLBACK))
		return false; /* nor knows of probes and rollbacks where it is an action */
	if (walk->program == PROGRAM_ROLLBACK && !is_possible_of_a_rollback(walk, event))
		return false;
	if (event == DEPLOY_ON_FAILED_BEFORE_RELEASE && walk->state == DEPLOY_ROLLING_BACK)
		return false; /* run_verdict() says no more than that it failed */
	if (event == DEPLOY_ON_AGAIN && walk->state == DEPLOY_STOPPING)
		return false; /* run_verdict() orders no other run of what was told to stop */
	if (event == DEPLOY_ON_CHANGED && walk->state != DEPLOY_RUNNING)
		return false; /* nor does it put that, or a rollback, back into the queue */
	if (event == DEPLOY_ON_SUPERSEDE && walk->state == DEPLOY_RUNNING &&
	    walk->program != PROGRAM_DEPLOY)
		return false; /* pushes are deployments */
	if (event == DEPLOY_ON_MIGRATION_FAILED &&
	    (walk->program != PROGRAM_DEPLOY || walk->state == DEPLOY_ROLLING_BACK))
		return false; /* nor is a rollback one that migrates */
	if (event == DEPLOY_ON_FOLDER_GONE)
		return walk->alive || walk->probing || walk->baking;
	if (event == DEPLOY_ON_BAKE) /* in the place of a script's word, or of a probe's */
		return walk->program == PROGRAM_DEPLOY &&
		    (walk->state == DEPLOY_RUNNING ? walk->alive : walk->probing) &&
		    (walk->state == DEPLOY_RUNNING || walk->state == DEPLOY_VERIFYING);
	if (event == DEPLOY_ON_PAUSE && walk->program != PROGRAM_DEPLOY)
		return false; /* deployments alone are in waves */
	if (ends_its_run(walk, event))
		return walk->alive;
	if (event == DEPLOY_ON_HEALTHY || event == DEPLOY_ON_UNHEALTHY ||
	    event == DEPLOY_ON_UNHEALTHY_NO_ROLLBACK)
		return walk->probing;
	return true;
}

static void
walk_on(struct walk *walk, enum deploy_event event)
{
	enum deploy_state before = walk->state;
	struct deploy_acts acts;

	if (!is_possible(walk, event))
		return;
	if (ends_its_run(walk, event) || event == DEPLOY_ON_BAKE)
		walk->alive = false;
	if (event == DEPLOY_ON_BAKE)
		walk->probing = false;
	walk->state = deploy_flow_step(walk->program, before, event, &acts);
	if (event == DEPLOY_ON_FOLDER_GONE) { /* it may be alive elsewhere: given up, not ended */
		assert_false(starts_something(&acts));
		assert_true(is_final(walk->state));
		walk->alive = false;
	}
	if (event == DEPLOY_ON_HEALTHY || event == DEPLOY_ON_UNHEALTHY ||
	    event == DEPLOY_ON_UNHEALTHY_NO_ROLLBACK || does(&acts, DEPLOY_DO_DROP_PROBE))
		walk->probing = false;
	if (starts_something(&acts)) {
		assert_false(walk->alive);
		assert_false(walk->probing);
		walk->alive = true;
	}
	walk->probing |= does(&acts, DEPLOY_DO_PROBE);
	walk->baking = walk->state == DEPLOY_BAKING || walk->state == DEPLOY_PAUSED;
	if (!is_final(before) && is_final(walk->state)) {
		assert_true(does(&acts, DEPLOY_DO_TELL));
		assert_false(walk->alive);
		assert_false(walk->probing);
		walk->ends++;
	}
	/* What keeps its environment waits for something that will come. */
	if (is_active(walk->state))
		assert_true(walk->alive || walk->probing || walk->baking);
}

TEST(in_any_order_two_programs_never_meet_and_the_end_is_told_once)
{
	const char *given = getenv("SEED");
	unsigned first = given != NULL ? (unsigned)strtoul(given, NULL, 10) : 1;
	unsigned last = given != NULL ? first : 20000;

	print_message("seeds %u to %u (SEED=n replays one)\n", first, last);
	for (unsigned seed = first; seed <= last; seed++) {
		struct walk walk = { .program = (enum program)(seed % PROGRAM_COUNT) };
		unsigned x = seed * 2654435761u;

		for (int i = 0; i < 64; i++) {
			x = x * 1103515245u + 12345u;
			walk_on(&walk, (enum deploy_event)((x >> 16) % DEPLOY_EVENT_COUNT));
		}
		assert_int_equal(walk.ends, is_final(walk.state) ? 1 : 0);
	}
}
