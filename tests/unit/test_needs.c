/* Goal: what is not known counts for more approvals, and who may have asked approves nothing.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "settings_aid.h"

#include "policy/needs.h"

#define NOW INT64_C(1801000000000)

static struct settings *
load(const char *self)
{
	struct settings *s = LOAD(NULL, COMPLETE, "PRODUCTION_APPROVALS=1",
	    "PRODUCTION_APPROVALS_IF=path db/**=3; path api/**=2", self);

	if (s == NULL)
		fail_msg("%s", settings_said.lines[0].text);
	return s;
}

/* Git names them, a comma behind each; one that only begins or ends so is another. */
TEST(a_pattern_counts_unless_git_says_that_nothing_of_it_differs)
{
	static const struct {
		const char *untouched;
		int approvals;
	} cases[] = {
		{ NULL, 3 },
		{ "", 3 },
		{ "db/**,", 2 },
		{ "api/**,", 3 },
		{ "db/**,api/**,", 1 },
		{ "api/**,db/**,", 1 },
		{ "api/**,db/**", 1 },
		{ "db/**x,xdb/**,db/*,", 3 },
		{ "db/xx,api/**,", 3 },
	};
	struct settings *s = load("APPROVE_SELF=false");

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct needs_work work = { .environment = "production",
			.target = "production",
			.untouched = cases[i].untouched };

		assert_int_equal(needs_of(s, &work, NOW).approvals, cases[i].approvals);
		work.is_rollback = true; /* what it goes back to was approved once */
		assert_int_equal(needs_of(s, &work, NOW).approvals, 0);
	}
	settings_unref(s);
}

TEST(who_asked_is_none_of_the_two_and_who_may_have_is_nobody)
{
	struct needs_work work = {
		.environment = "production", .target = "production", .n_asked = 1, .asked = { 22 }
	};
	struct settings *s = load("APPROVE_SELF=false");

	assert_int_equal(
	    needs_may_approve(s, &work, principal_of_person(11), NOW, NULL), NEEDS_MAY);
	assert_int_equal(
	    needs_may_approve(s, &work, principal_of_person(22), NOW, NULL), NEEDS_ASKED);
	assert_int_equal(
	    needs_may_approve(s, &work, principal_of_person(33), NOW, NULL), NEEDS_NO_GRANT);
	assert_int_equal(needs_count_approvers(s, &work, NOW), 1);
	/* As many as are kept: who else is not known. */
	work.n_asked = NEEDS_ASKED_MAX;
	assert_int_equal(
	    needs_may_approve(s, &work, principal_of_person(11), NOW, NULL), NEEDS_ASKED);
	assert_int_equal(needs_count_approvers(s, &work, NOW), 0);
	settings_unref(s);
}

/* An emergency was nobody's to approve: it is reviewed, by somebody else even there. */
TEST(who_asked_for_an_emergency_never_counts)
{
	struct needs_work work = {
		.environment = "production", .target = "production", .n_asked = 1, .asked = { 22 }
	};
	struct settings *s = load("APPROVE_SELF=true");

	assert_int_equal(
	    needs_may_approve(s, &work, principal_of_person(22), NOW, NULL), NEEDS_MAY);
	work.is_emergency = true;
	assert_int_equal(needs_of(s, &work, NOW).approvals, 0);
	assert_int_equal(
	    needs_may_approve(s, &work, principal_of_person(22), NOW, NULL), NEEDS_ASKED);
	settings_unref(s);
}
