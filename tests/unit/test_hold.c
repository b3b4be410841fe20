/* Goal: of each lock and freeze it is certain what it keeps from starting, and of whom.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "policy/hold.h"

#include "unit.h"

#define ADA INT64_C(11)
#define BOB INT64_C(22)

static const struct {
	enum hold_kind kind;
	enum policy_action action;
	int64_t requester, confirmer;
	bool has_exception;
	bool binds;
} rows[] = {
	/* ADA's. */
	{ HOLD_LOCK, POLICY_DEPLOY, BOB, 0, false, true },
	{ HOLD_LOCK, POLICY_DEPLOY, ADA, 0, false, false },
	{ HOLD_LOCK, POLICY_DEPLOY, BOB, ADA, false, false }, /* its owner lets it start */
	{ HOLD_LOCK, POLICY_DEPLOY, BOB, BOB, false, true },
	{ HOLD_LOCK, POLICY_DEPLOY, BOB, 0, true, true },
	{ HOLD_LOCK, POLICY_DEPLOY, 0, 0, false, true }, /* a push */
	{ HOLD_LOCK, POLICY_DO, BOB, 0, false, true },
	{ HOLD_FREEZE, POLICY_DEPLOY, ADA, 0, false, true },
	{ HOLD_FREEZE, POLICY_DEPLOY, ADA, 0, true, false },
	{ HOLD_FREEZE, POLICY_DEPLOY, 0, 0, false, true },
	{ HOLD_FREEZE, POLICY_DO, ADA, 0, false, true },
	{ HOLD_WINDOW, POLICY_DEPLOY, ADA, 0, false, true },
	{ HOLD_WINDOW, POLICY_DEPLOY, ADA, 0, true, false },
	{ HOLD_WITNESS, POLICY_DEPLOY, ADA, 0, true, true },
	{ HOLD_WITNESS, POLICY_DO, ADA, 0, false, true },
	{ HOLD_WITNESS, POLICY_ROLLBACK, ADA, 0, false, false },
	{ HOLD_WITNESS, POLICY_EMERGENCY, ADA, 0, false, false },
	{ HOLD_WITNESS, POLICY_LOCK, ADA, 0, false, false },
};

TEST(what_binds_whom_is_as_the_table_says)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct holds holds = { .n = 1,
			.at = { { .kind = rows[i].kind, .person = ADA, .until = 42 } } };
		const struct hold_work work = { rows[i].action, rows[i].requester,
			rows[i].confirmer, false, rows[i].has_exception, 1, 0 };
		const struct hold *by = NULL;
		struct policy_decision decision = hold_decide(&holds, &work, &by);

		if ((decision.verdict == POLICY_NOT_NOW) != rows[i].binds)
			fail_msg("row %zu", i);
		assert_int_equal(decision.until, rows[i].binds ? 42 : 0);
		assert_ptr_equal(by, rows[i].binds ? &holds.at[0] : NULL);
	}
}

/* Whatever it is, and whoever does it. */
TEST(nothing_but_deployments_actions_and_gates_is_held)
{
	for (enum policy_action action = 0; action < POLICY_ACTION_COUNT; action++)
		for (enum hold_kind kind = 0; kind < HOLD_KIND_COUNT; kind++) {
			const struct holds holds = { .n = 1,
				.at = { { .kind = kind, .person = ADA } } };
			const struct hold_work work = { .action = action, .requester = BOB };

			assert_int_equal(hold_decide(&holds, &work, NULL).verdict,
			    action == POLICY_DEPLOY || action == POLICY_DO ||
				    action == POLICY_GATE ?
				POLICY_NOT_NOW :
				POLICY_ALLOW);
		}
}

TEST(the_first_that_binds_is_the_reason)
{
	const struct holds holds = { .n = 3,
		.at = { { .kind = HOLD_LOCK, .person = ADA }, { .kind = HOLD_FREEZE, .until = 9 },
		    { .kind = HOLD_WINDOW, .until = 7 } } };
	const struct hold *by = NULL;

	(void)hold_decide(
	    &holds, &(struct hold_work){ .action = POLICY_DEPLOY, .requester = BOB }, &by);
	assert_ptr_equal(by, &holds.at[0]);
	assert_int_equal(hold_decide(&holds,
			     &(struct hold_work){ .action = POLICY_DEPLOY, .requester = ADA }, &by)
			     .until,
	    9);
	assert_ptr_equal(by, &holds.at[1]);
	assert_true(hold_has(&holds, HOLD_LOCK));
	assert_true(hold_has(&holds, HOLD_FREEZE));
	assert_false(hold_has(&(struct holds){ .n = 0 }, HOLD_FREEZE));
}

TEST(an_environment_is_covered_by_itself_its_application_and_all)
{
	static const struct {
		const char *environment, *covered[HOLD_TARGETS];
	} of[] = {
		{ "staging", { "staging", "staging", "*/*" } },
		{ "shop/staging", { "shop/staging", "shop/*", "*/*" } },
	};
	char targets[HOLD_TARGETS][LIMIT_ENVIRONMENT];

	for (size_t i = 0; i < COUNT(of); i++) {
		hold_targets(of[i].environment, targets);
		for (size_t k = 0; k < HOLD_TARGETS; k++)
			assert_string_equal(targets[k], of[i].covered[k]);
	}
}
