/* Goal: of each combination of facts it is certain what becomes of a place in the queue.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "deployment/turn.h"

#include "unit.h"

/* Of all but UNMEASURED, which only puts a start off. */
#define ALL TURN(UNMEASURED)
_Static_assert(TURN(UNMEASURED) == 1u << (TURN_FACT_COUNT - 1), "it is the last");

/* Whatever one of these says, it does not start. */
#define HINDERS \
	(TURN(GONE) | TURN(UNFIT) | TURN(DENIED) | TURN(NOT_NOW) | TURN(LIVE) | TURN(UNBOUND) | \
	    TURN(ASKED) | TURN(CLAIMED) | TURN(NO_SLOT) | TURN(UNAPPROVED) | TURN(DIFFERS) | \
	    TURN(STALE) | TURN(BARRED) | TURN(CI_FAILED) | TURN(CI_PENDING) | TURN(NO_RUNNER) | \
	    TURN(UNJUDGED) | TURN(FORBIDDEN))

static bool
is(unsigned facts, unsigned some)
{
	return (facts & some) != 0;
}

TEST(what_starts_has_nothing_against_it)
{
	for (unsigned facts = 0; facts < ALL; facts++) {
		bool may = !is(facts, HINDERS) &&
		    (is(facts, TURN(ROLLBACK)) ||
			!is(facts, TURN(UNCOMPARED) | TURN(BEHIND) | TURN(UNSYNCED))) &&
		    (is(facts, TURN(PERSON)) ||
			!is(facts, TURN(UNKNOWN) | TURN(BLOCKED) | TURN(CI_CANCELLED)));

		assert_int_equal(turn_decide(facts)->to == TURN_TO_START, may);
	}
}

TEST(people_are_never_superseded_and_a_push_that_is_behind_asks_nobody)
{
	for (unsigned facts = 0; facts < ALL; facts++) {
		enum turn to = turn_decide(facts)->to;

		if (is(facts, TURN(PERSON)))
			assert_int_not_equal(to, TURN_TO_SUPERSEDE);
		else if (is(facts, TURN(BEHIND)))
			assert_true(to != TURN_TO_ASK_ANEW || is(facts, TURN(ROLLBACK)));
	}
}

/* Nobody is asked about what could not start; git is asked before OPA, and OPA before a person. */
TEST(who_is_asked_could_start)
{
	for (unsigned facts = 0; facts < ALL; facts++) {
		enum turn to = turn_decide(facts)->to;

		if (to != TURN_TO_ASK_ANEW && to != TURN_TO_ASK_GIT && to != TURN_TO_ASK_OPA)
			continue;
		assert_false(is(facts,
		    HINDERS &
			~(TURN(UNAPPROVED) | TURN(UNJUDGED) | TURN(FORBIDDEN) | TURN(DIFFERS) |
			    TURN(STALE) | TURN(CI_PENDING))));
		if (to == TURN_TO_ASK_GIT)
			continue;
		assert_true(is(facts, TURN(ROLLBACK)) || !is(facts, TURN(UNCOMPARED)));
		assert_false(is(facts, TURN(UNAPPROVED) | TURN(FORBIDDEN)));
		if (to == TURN_TO_ASK_ANEW)
			assert_false(is(facts, TURN(UNJUDGED)));
	}
}

TEST(what_is_for_good_is_not_waited_for)
{
	for (unsigned facts = 0; facts < ALL; facts++) {
		enum turn to = turn_decide(facts)->to;

		if (is(facts, TURN(GONE) | TURN(LIVE) | TURN(BARRED)))
			assert_true(to == TURN_TO_REFUSE || to == TURN_TO_SUPERSEDE);
		if (to == TURN_TO_REFUSE && !is(facts, TURN(UNFIT) | TURN(CI_FAILED)))
			assert_string_not_equal(turn_decide(facts)->reason, "");
	}
}

/* Prometheus is asked about what is about to start, and about nothing else. */
TEST(what_is_not_measured_yet_is_measured_where_it_would_start)
{
	for (unsigned facts = 0; facts < ALL; facts += 7) { /* some of each */
		enum turn to = turn_decide(facts)->to;

		assert_int_equal(turn_decide(facts | TURN(UNMEASURED))->to,
		    to == TURN_TO_START ? TURN_TO_MEASURE : to);
	}
}

TEST(each_rule_decides_something)
{
	bool used[64] = { [0] = false };

	assert_true(turn_rule_count <= COUNT(used));
	used[turn_decide(TURN(UNMEASURED)) - turn_rules] = true;
	for (unsigned facts = 0; facts < ALL; facts++)
		used[turn_decide(facts) - turn_rules] = true;
	for (size_t i = 0; i < turn_rule_count; i++)
		assert_true(used[i]);
}

TEST(some_turns)
{
	static const struct {
		unsigned facts;
		enum turn to;
		const char *reason;
	} cases[] = {
		{ TURN(PERSON) | TURN(LIVE), TURN_TO_REFUSE, "already live" },
		{ TURN(LIVE), TURN_TO_SUPERSEDE, "already live" },
		{ TURN(PERSON) | TURN(ROLLBACK) | TURN(LIVE), TURN_TO_REFUSE,
		    "somebody else was faster" },
		{ TURN(PERSON) | TURN(UNCOMPARED) | TURN(DIFFERS), TURN_TO_ASK_GIT, "" },
		{ TURN(PERSON) | TURN(ROLLBACK) | TURN(UNCOMPARED) | TURN(DIFFERS),
		    TURN_TO_ASK_ANEW, "" },
		{ TURN(PERSON) | TURN(UNJUDGED) | TURN(DIFFERS) | TURN(STALE), TURN_TO_ASK_OPA,
		    "" },
		{ TURN(PERSON) | TURN(ROLLBACK) | TURN(UNJUDGED) | TURN(UNCOMPARED),
		    TURN_TO_ASK_OPA, "" },
		{ TURN(UNJUDGED) | TURN(UNAPPROVED), TURN_TO_ASK_APPROVAL, "" },
		{ TURN(UNJUDGED) | TURN(CLAIMED), TURN_TO_WAIT_CLAIM, "" },
		{ TURN(PERSON) | TURN(FORBIDDEN) | TURN(DIFFERS), TURN_TO_REFUSE, "OPA" },
		{ TURN(PERSON) | TURN(BEHIND), TURN_TO_ASK_ANEW, "" },
		{ TURN(BEHIND), TURN_TO_SUPERSEDE, "older than what is live" },
		{ TURN(BEHIND) | TURN(DIFFERS), TURN_TO_SUPERSEDE, "older than what is live" },
		{ TURN(PERSON) | TURN(STALE) | TURN(CLAIMED), TURN_TO_WAIT_CLAIM, "" },
		{ TURN(PERSON) | TURN(UNKNOWN), TURN_TO_START, "" },
		{ TURN(UNKNOWN) | TURN(BLOCKED), TURN_TO_PASS, "" },
		{ TURN(PERSON) | TURN(DENIED) | TURN(ASKED), TURN_TO_REFUSE,
		    "who asked for it may no longer do this: somebody who may has to ask" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(turn_decide(cases[i].facts)->to, cases[i].to);
		assert_string_equal(turn_decide(cases[i].facts)->reason, cases[i].reason);
	}
}

TEST(behind_is_an_ancestor_that_is_not_the_same)
{
	struct git_answer answer = { .has_base = true, .forced = true, .count = 0 };

	assert_true(turn_is_behind(&answer));
	answer.count = 2; /* another branch */
	assert_false(turn_is_behind(&answer));
	answer = (struct git_answer){ .has_base = true, .forced = false, .count = 0 };
	assert_false(turn_is_behind(&answer)); /* the same commit */
	answer = (struct git_answer){ .has_base = false, .forced = true };
	assert_false(turn_is_behind(&answer)); /* nobody knows */
}
