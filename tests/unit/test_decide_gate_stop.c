/* Goal: whoever stops an open gate cancels its run, and its place is kept until that is over.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_gate.h"

#include "job_aid.h"

#define MINUTE INT64_C(60000)

struct scene {
	struct world w;
	struct job job;
	int64_t gate;
};

static enum deploy_state
is(struct scene *s)
{
	return world_deployment(&s->w, s->gate).state;
}

/* True: at GitLab. */
static void
opens(struct scene *s, bool at_gitlab)
{
	*s = (struct scene){ .job = JOB_OF_SHOP };
	if (at_gitlab)
		job_is_gitlabs(&s->job, "1");
	world_open(&s->w, "PRODUCTION_CONFIRM=false", "ENABLE_API_SERVER=true",
	    "PUBLIC_URL=https://bot.example.org", "WORKFLOW_SHOP_MAY=gate:production, gate:staging",
	    at_gitlab ? "GITHUB_REPOSITORY=" : "GITHUB_REPOSITORY=octo/shop",
	    at_gitlab ? "WORKFLOW_SHOP_IS=gitlab 22 .gitlab-ci.yml@refs/heads/main" :
			"WORKFLOW_SHOP_IS=github 456789 deploy.yml@refs/heads/main",
	    at_gitlab ? "GITLAB_API_TOKEN=glpat-0123456789" :
			"GITHUB_API_TOKEN=github_pat_0123456789",
	    at_gitlab ? "REPOSITORY_URL=https://gitlab.com/group/shop.git" : NULL, NULL);
	s->gate =
	    job_asks(&s->w, &s->job, API_GATE, "/v1/gate", "{\"environment\": \"production\"}")
		.work;
	world_git(&s->w, (struct world_git){ .commit = s->job.sha });
	assert_int_equal(is(s), DEPLOY_RUNNING);
}

static const struct effect_forge *
stops(struct scene *s, bool at_gitlab)
{
	struct effect *effect;

	opens(s, at_gitlab);
	(void)world_text(&s->w, WORLD_ADMIN, "/cancel production");
	assert_int_equal(is(s), DEPLOY_STOPPING);
	assert_int_equal(world_active(&s->w, "production").id, s->gate);
	effect = world_peek(&s->w, EFFECT_FORGE_STOP);
	assert_non_null(effect);
	return &effect->u.forge;
}

static void
says(struct scene *s, enum forge_verdict verdict, const char *why)
{
	struct forge_said said = { .verdict = verdict, .retry_after_s = 60 };

	(void)text_copy(said.why, sizeof(said.why), why);
	world_forge(&s->w, EFFECT_FORGE_STOP, &said);
}

/* As its job says it. */
static void
ends(struct scene *s, const char *conclusion)
{
	char path[64], body[64];

	(void)snprintf(path, sizeof(path), "/v1/gate-end/%lld", (long long)s->gate);
	(void)snprintf(body, sizeof(body), "{\"conclusion\": \"%s\"}", conclusion);
	(void)job_asks(&s->w, &s->job, API_GATE_END, path, body);
	assert_int_equal(world_count(&s->w, EFFECT_FORGE_STOP), 0);
	assert_int_equal(world_active(&s->w, "production").id, 0);
}

TEST(stop_cancels_its_run_and_the_environment_is_busy_until_that_is_over)
{
	static const char *const words[] = { "cancelled", "failure" };

	for (size_t i = 0; i < 2 * COUNT(words); i++) {
		const struct effect_forge *stop;
		struct scene s;

		stop = stops(&s, i % 2 != 0);
		assert_int_equal(stop->run, 4711);
		assert_string_equal(stop->environment, "production");
		assert_int_equal(stop->at_gitlab, i % 2 != 0);
		assert_true(stop->is_gates);
		assert_string_equal(stop->job, i % 2 != 0 ? "1" : "99001");
		assert_int_equal(stop->attempt, 1);
		says(&s, FORGE_SAYS_DONE, "");
		assert_int_equal(is(&s), DEPLOY_STOPPING);
		ends(&s, words[i / 2]);
		assert_int_equal(is(&s), DEPLOY_FAILED);
		assert_int_equal(world_deployment(&s.w, s.gate).why, DEPLOY_WHY_CANCELLED);
		assert_string_equal(world_deployment(&s.w, s.gate).detail, "by @ada");
		assert_null(world_says(&s.w, "go on"));
		world_close(&s.w);
	}
}

TEST(what_its_forge_refuses_to_cancel_keeps_nothing)
{
	static const enum forge_verdict verdicts[] = { FORGE_SAYS_NO, FORGE_SAYS_GONE };

	for (size_t i = 0; i < COUNT(verdicts); i++) {
		struct scene s;

		(void)stops(&s, false);
		says(&s, verdicts[i], "HTTP 403");
		assert_int_equal(is(&s), DEPLOY_FAILED);
		assert_non_null(world_says(&s.w, "its run was not cancelled: HTTP 403"));
		world_close(&s.w);
	}
}

/* Its forge is away, or has taken it and says no end. */
TEST(a_run_that_is_not_over_keeps_the_environment_for_six_minutes_at_most)
{
	static const struct {
		enum forge_verdict verdict;
		const char *why, *said;
	} rows[] = { { FORGE_SAYS_NOTHING, "HTTP 502", "its run was not cancelled: HTTP 502" },
		{ FORGE_SAYS_DONE, "", "its run may go on: nothing says that it is over" } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct scene s;

		(void)stops(&s, false);
		says(&s, rows[i].verdict, rows[i].why);
		assert_int_equal(is(&s), DEPLOY_STOPPING);
		assert_int_equal(world_count(&s.w, EFFECT_FORGE_STOP), i == 0);
		if (i == 0)
			assert_in_range(world_peek(&s.w, EFFECT_FORGE_STOP)->u.forge.not_before,
			    s.w.aid.at + MINUTE - 1000, s.w.aid.at + MINUTE);
		s.w.aid.at += 6 * MINUTE;
		world_due(&s.w, TIMER_GATE);
		assert_int_equal(is(&s), DEPLOY_FAILED);
		assert_non_null(world_says(&s.w, rows[i].said));
		assert_int_equal(world_count(&s.w, EFFECT_FORGE_STOP), 0);
		world_close(&s.w);
	}
}

/* What was said of an earlier try is none of its end. */
TEST(that_it_was_not_cancelled_is_not_said_of_a_job_that_is_over)
{
	struct scene s;

	(void)stops(&s, false);
	says(&s, FORGE_SAYS_NOTHING, "HTTP 502");
	assert_string_not_equal(world_deployment(&s.w, s.gate).note, "");
	ends(&s, "cancelled");
	assert_string_equal(world_deployment(&s.w, s.gate).note, "");
	world_close(&s.w);
}

/* GitHub cancels a run as a whole: who stops this gate has not stopped the other one. */
TEST(a_run_with_another_gate_goes_on)
{
	struct scene s;
	struct job other;

	opens(&s, false);
	other = s.job;
	(void)text_copy(other.check_run, JOB_NUMBER, "99002");
	(void)job_asks(&s.w, &other, API_GATE, "/v1/gate", "{\"environment\": \"staging\"}");
	(void)world_text(&s.w, WORLD_ADMIN, "/cancel production");
	assert_int_equal(is(&s), DEPLOY_FAILED);
	assert_int_equal(world_count(&s.w, EFFECT_FORGE_STOP), 0);
	assert_non_null(world_says(&s.w, "its run goes on: it has another gate"));
	world_close(&s.w);
}

/* Two people stop it at once: the second has not said that nobody is to wait. */
TEST(who_stops_it_again_is_asked_whether_to_wait)
{
	char stop[LIMIT_BUTTON_ID];
	struct scene s;

	opens(&s, false);
	(void)world_text(&s.w, WORLD_ADMIN, "/cancel");
	(void)text_copy(stop, sizeof(stop), world_button(world_last(&s.w), "✋ Stop production"));
	(void)world_text(&s.w, WORLD_ADMIN, "/cancel production");
	assert_non_null(world_says(&s.w, "/cancel again asks whether to wait for that"));
	(void)world_press(&s.w, WORLD_ADMIN, WORLD_GROUP, stop);
	assert_non_null(strstr(s.w.toast, "It is being stopped already"));
	(void)world_text(&s.w, WORLD_OTHER_ADMIN, "/cancel production");
	assert_int_equal(is(&s), DEPLOY_STOPPING);
	assert_int_equal(world_count(&s.w, EFFECT_FORGE_STOP), 1);
	assert_non_null(world_says(&s.w, "❓ Do not wait? production"));
	assert_non_null(world_says(&s.w, "Not to wait does not stop it sooner"));
	(void)world_press(&s.w, WORLD_OTHER_ADMIN, WORLD_GROUP,
	    world_button(world_last(&s.w), "⏩ Do not wait production"));
	assert_string_equal(s.w.toast, "Not waited for: the environment is free.");
	assert_int_equal(is(&s), DEPLOY_FAILED);
	assert_non_null(world_says(&s.w, "its run may go on: its end was not waited for"));
	assert_int_equal(world_count(&s.w, EFFECT_FORGE_STOP), 0);
	world_close(&s.w);
}

TEST(a_job_that_ended_well_in_spite_of_stop_has_ended_well)
{
	struct scene s;

	(void)stops(&s, true);
	ends(&s, "success");
	assert_int_equal(is(&s), DEPLOY_DONE);
	assert_string_equal(world_deployment(&s.w, s.gate).detail,
	    "in spite of Stop by @ada: GitLab did not take it in time");
	world_close(&s.w);
}
