/* Goal: each of the four figures counts what its definition says, and nothing else.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "deployment/figures.h"

#include "unit.h"

#define MINUTE 60000
#define HOUR   (60 * INT64_C(60000))
#define T0     INT64_C(1790000000000)

static struct figure_fact facts[8];

static struct ended_work
ended(int64_t minutes, enum deploy_state state)
{
	return (
	    struct ended_work){ .id = minutes, .ended_at = T0 + minutes * MINUTE, .state = state };
}

TEST(what_is_a_failure)
{
	struct ended_work works[] = { ended(1, DEPLOY_LIVE), ended(2, DEPLOY_ROLLED_BACK),
		ended(3, DEPLOY_ROLLBACK_FAILED), ended(4, DEPLOY_FAILED), ended(5, DEPLOY_LIVE),
		ended(6, DEPLOY_LIVE), ended(7, DEPLOY_LIVE) };
	struct figures figures;

	works[4].left_at = works[4].ended_at + 24 * HOUR;     /* within the day */
	works[5].left_at = works[5].ended_at + 24 * HOUR + 1; /* not a failure of its own */
	works[6].is_rollback = true;			      /* and no deployment */
	assert_int_equal(figures_count(works, COUNT(works), COUNT(works), facts, 0), 6);
	figures = figures_of(facts, 6);
	assert_int_equal(figures.n, 6);
	assert_int_equal(figures.n_failures, 4);
}

TEST(lead_time_is_of_what_went_live_and_whose_commit_has_a_time)
{
	struct ended_work works[] = { ended(600, DEPLOY_LIVE), ended(601, DEPLOY_LIVE),
		ended(602, DEPLOY_LIVE), ended(603, DEPLOY_FAILED), ended(604, DEPLOY_LIVE) };
	struct figures figures;

	works[0].committed_at = works[0].ended_at - HOUR;
	works[1].committed_at = works[1].ended_at + HOUR; /* of a clock that is ahead */
	works[3].committed_at = works[3].ended_at - 9 * HOUR;
	works[4].committed_at = works[4].ended_at - 3 * HOUR;
	figures = figures_of(facts, figures_count(works, 5, 5, facts, 0));
	assert_int_equal(figures.lead_median_ms, HOUR);
	assert_int_equal(figures.lead_p90_ms, 3 * HOUR);
	assert_int_equal(figures.n_without_lead, 2);
}

TEST(it_is_restored_by_what_nobody_rolled_back)
{
	struct ended_work works[] = { ended(10, DEPLOY_FAILED), ended(20, DEPLOY_LIVE),
		ended(25, DEPLOY_LIVE), ended(30, DEPLOY_ROLLED_BACK), ended(50, DEPLOY_LIVE) };

	works[1].left_at = works[1].ended_at + 2 * MINUTE; /* asked for at 22, live at 25 */
	works[2].is_rollback = true;
	assert_int_equal(figures_count(works, 4, 5, facts, 0), 3);
	assert_int_equal(facts[0].restore_ms, 15 * MINUTE);
	assert_int_equal(facts[1].restore_ms, 3 * MINUTE);
	assert_int_equal(facts[2].restore_ms, 0); /* its own end */
	assert_int_equal(figures_of(facts, 3).restore_median_ms, 3 * MINUTE);
}

TEST(what_is_over_behind_the_span_counts_and_what_is_not_over_does_not)
{
	struct ended_work works[] = { ended(10, DEPLOY_ROLLBACK_FAILED), ended(70, DEPLOY_LIVE) };

	assert_int_equal(figures_count(works, 1, 2, facts, 0), 1);
	assert_int_equal(facts[0].restore_ms, HOUR);
	assert_int_equal(figures_count(works, 1, 1, facts, 0), 1);
	assert_int_equal(facts[0].restore_ms, FIGURE_NONE);
}

TEST(nothing_has_no_times)
{
	struct figures figures = figures_of(facts, 0);

	assert_int_equal(figures.n, 0);
	assert_int_equal(figures.lead_median_ms, FIGURE_NONE);
	assert_int_equal(figures.lead_p90_ms, FIGURE_NONE);
	assert_int_equal(figures.restore_median_ms, FIGURE_NONE);
}
