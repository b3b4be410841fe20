/* Goal: a job that GitHub keeps goes on only when that was decided here, and every end is answered.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_gate.h"

#include "factor_aid.h"
#include "job_aid.h"
#include "rule_aid.h"
#include "store/row_work_pipeline.h"

TEST(it_is_answered_who_has_approved_and_by_which_run)
{
	struct scene s;
	size_t rings;

	open_scene(&s, "PRODUCTION_APPROVALS=1", NULL);
	waits(&s, asking(&s, "4711", 5));
	assert_int_equal(is(&s), DEPLOY_AWAITING_APPROVAL);
	assert_null(answer(&s));
	assert_non_null(world_says(&s.w, "requested by mona (GitHub)"));
	assert_null(world_says(&s.w, "begun by")); /* by whom it is requested */
	approve(&s, WORLD_ADMIN);
	assert_int_equal(is(&s), DEPLOY_RUNNING);
	assert_true(answer(&s)->is_approved);
	assert_string_equal(answer(&s)->comment, "approved by ada (#1)");
	assert_string_equal(answer(&s)->repository, "Octo/Shop");
	assert_string_equal(answer(&s)->run, "4711");
	assert_string_equal(answer(&s)->target, "production");
	assert_string_equal(answer(&s)->environment, "production");
	answered(&s, DONE);
	assert_null(answer(&s));
	rings = world_rings(&s.w);
	world_text(&s.w, WORLD_ADMIN, "/cancel production");
	assert_int_equal(is(&s), DEPLOY_STOPPING);
	assert_int_equal(world_peek(&s.w, EFFECT_FORGE_STOP)->u.forge.run, 4711);
	s.w.aid.at += 180 * SECOND;
	world_due(&s.w, TIMER_GATE);
	assert_int_equal(is(&s), DEPLOY_FAILED);
	assert_int_equal(world_rings(&s.w), rings + 1);
	assert_non_null(world_says(&s.w, "⛔ Run may go on: production"));
	assert_non_null(world_says(&s.w, "may go on: nothing says that it is over"));
	assert_null(answer(&s)); /* it knows */
	world_text(&s.w, WORLD_ADMIN, "/status production");
	assert_non_null(world_says(&s.w, "closed, its job may go on"));
	world_close(&s.w);
}

/* By a login that PERSON_<ID>_GITHUB names. */
TEST(whoever_began_its_run_does_not_approve_it)
{
	struct scene s;

	open_scene(&s, "PRODUCTION_APPROVALS=1", NULL);
	waits(&s, asking(&s, "4711", 5));
	approve(&s, WORLD_OTHER_ADMIN);
	assert_int_equal(is(&s), DEPLOY_AWAITING_APPROVAL);
	approve(&s, WORLD_ADMIN);
	assert_int_equal(is(&s), DEPLOY_RUNNING);
	world_close(&s.w);
}

/* Who has begun a run again is not said, nor who wrote the line of a schedule or a pull request. */
TEST(of_an_unknown_requester_one_more_must_approve)
{
	static const char *const events[] = { "push", "schedule" };

	for (size_t i = 0; i < COUNT(events); i++) {
		struct event *event;
		struct scene s;

		open_scene(&s, "PRODUCTION_APPROVALS=1", "APPROVE_UNKNOWN_PUSHER=false");
		event = asking(&s, "4711", 5);
		(void)text_copy(event->u.delivery.job->of.event, JOB_EVENT, events[i]);
		if (i == 0)
			(void)text_copy(event->u.delivery.job->of.actor, LIMIT_PERSON, "stray");
		waits(&s, event);
		approve(&s, WORLD_ADMIN);
		assert_int_equal(is(&s), DEPLOY_AWAITING_APPROVAL);
		approve(&s, WORLD_OTHER_ADMIN);
		assert_int_equal(is(&s), DEPLOY_RUNNING);
		world_close(&s.w);
	}
}

TEST(a_run_that_asks_again_is_asked_about_anew)
{
	struct scene s;
	int64_t first;

	open_scene(&s, "PRODUCTION_APPROVALS=2", NULL);
	waits(&s, asking(&s, "4711", 5));
	approve(&s, WORLD_ADMIN);
	first = s.gate;
	waits(&s, asking(&s, "4711", 6));
	assert_int_not_equal(s.gate, first);
	assert_int_equal(world_deployment(&s.w, first).state, DEPLOY_SUPERSEDED);
	assert_null(answer(&s)); /* GitHub takes one answer for both */
	approve(&s, WORLD_ADMIN);
	assert_int_equal(is(&s), DEPLOY_AWAITING_APPROVAL);
	assert_non_null(world_says(&s.w, "attempt 2"));
	world_close(&s.w);
}

TEST(the_same_deployment_asks_once)
{
	struct scene s;
	int64_t first;

	open_scene(&s, "PRODUCTION_APPROVALS=1", NULL);
	waits(&s, asking(&s, "4711", 5));
	first = s.gate;
	take(&s, asking(&s, "4711", 5)); /* another event, as it says */
	assert_int_equal(s.gate, first);
	approve(&s, WORLD_ADMIN);
	world_close(&s.w);
}

/* One that took over the name, one without the App's signature, one that nothing maps. */
TEST(whom_a_rule_is_none_of_gets_nothing)
{
	struct scene s;
	struct event *event;

	open_scene(&s, "PRODUCTION_APPROVALS=1", NULL);
	waits(&s, asking(&s, "4711", 5));
	event = asking(&s, "4712", 6);
	event->u.delivery.repository_id = 9;
	assert_int_equal(world_decide(&s.w, event).status, 202);
	event = asking(&s, "4712", 6);
	event->u.delivery.by_app = false;
	assert_int_equal(world_decide(&s.w, event).status, 202);
	event = asking(&s, "4712", 6);
	(void)text_copy(event->u.delivery.repository, LIMIT_REF, "octo/renamed");
	assert_int_equal(world_decide(&s.w, event).status, 202);
	event = asking(&s, "4712", 6);
	(void)text_copy(event->u.delivery.job->environment, LIMIT_REF, "preview");
	assert_int_equal(world_decide(&s.w, event).status, 202);
	assert_int_equal(world_newest(&s.w, "production").id, s.gate);
	assert_null(answer(&s));
	world_close(&s.w);
}

TEST(an_environment_is_called_at_github_as_its_settings_say)
{
	struct scene s;
	struct event *event;

	open_scene(
	    &s, "PRODUCTION_GITHUB_ENVIRONMENT=Live shop", "STAGING_GITHUB_ENVIRONMENT=Test");
	assert_int_equal(world_decide(&s.w, asking(&s, "4711", 5)).status, 202);
	event = asking(&s, "4711", 5);
	(void)text_copy(event->u.delivery.job->environment, LIMIT_REF, "live Shop");
	waits(&s, event);
	assert_int_equal(is(&s), DEPLOY_RUNNING);
	assert_string_equal(answer(&s)->target, "live Shop");
	world_close(&s.w);
	open_scene(&s, "STAGING_GITHUB_ENVIRONMENT=production", NULL);
	assert_int_equal(world_decide(&s.w, asking(&s, "4711", 5)).status, 202); /* two are */
	world_close(&s.w);
}

TEST(its_run_or_its_job_ends_it)
{
	for (int by_job = 0; by_job < 2; by_job++) {
		struct scene s;
		struct event *event;
		struct delivery *delivery;

		open_scene(&s, NULL, NULL);
		waits(&s, asking(&s, "4711", 5));
		answered(&s, DONE);
		for (int64_t deployment = 6; deployment >= 5; deployment--) {
			event = asking(&s,
			    by_job		? "4711" :
				deployment == 5 ? "4711" :
						  "4712",
			    by_job ? deployment : 0);
			delivery = &event->u.delivery;
			delivery->kind = by_job ? DELIVERY_WORKFLOW_JOB : DELIVERY_OTHER;
			delivery->job->of.attempt = 1;
			(void)text_copy(delivery->job->of.check_run, JOB_NUMBER, by_job ? "9" : "");
			(void)text_copy(delivery->job->conclusion, 24, "success");
			if (!by_job) {
				delivery->run = mem_new(1, sizeof(*delivery->run));
				delivery->run->rank = PIPELINE_IS_OVER;
			}
			assert_int_equal(world_decide(&s.w, event).status, by_job ? 200 : 202);
			assert_int_equal(is(&s), deployment == 5 ? DEPLOY_DONE : DEPLOY_RUNNING);
		}
		assert_null(answer(&s));
		world_close(&s.w);
	}
}

/* Where it ends before GitHub knows that it was open, a no goes there: also of a restored copy. */
TEST(a_gate_that_a_restored_copy_ends_is_answered)
{
	for (int is_stopped = 0; is_stopped < 2; is_stopped++) {
		struct scene s;

		open_scene(&s, "PRODUCTION_APPROVALS=1", NULL);
		waits(&s, asking(&s, "4711", 5));
		approve(&s, WORLD_ADMIN);
		assert_int_equal(is(&s), DEPLOY_RUNNING);
		if (is_stopped)
			world_text(&s.w, WORLD_ADMIN, "/cancel production");
		world_restored(&s.w);
		assert_int_equal(is(&s), DEPLOY_FAILED);
		assert_false(answer(&s)->is_approved);
		world_close(&s.w);
	}
}

/* Its job cannot go on, and nobody waits there. */
TEST(a_run_that_is_over_while_it_waits_is_not_answered)
{
	struct scene s;
	struct event *event;

	open_scene(&s, "PRODUCTION_APPROVALS=1", NULL);
	waits(&s, asking(&s, "4711", 5));
	s.w.aid.at += 61 * SECOND;
	event = asking(&s, "4711", 0);
	event->u.delivery.kind = DELIVERY_OTHER;
	event->u.delivery.job->of.attempt = 1;
	event->u.delivery.run = mem_new(1, sizeof(*event->u.delivery.run));
	event->u.delivery.run->rank = PIPELINE_IS_OVER;
	(void)text_copy(event->u.delivery.job->conclusion, 24, "cancelled");
	assert_int_equal(world_decide(&s.w, event).status, 202);
	assert_int_equal(is(&s), DEPLOY_CANCELLED);
	assert_null(answer(&s));
	world_close(&s.w);
}

TEST(a_job_of_another_repository_ends_nothing)
{
	struct scene s;
	struct event *event;

	open_scene(&s, NULL, NULL);
	waits(&s, asking(&s, "4711", 5));
	event = asking(&s, "4711", 5);
	event->u.delivery.kind = DELIVERY_WORKFLOW_JOB;
	(void)text_copy(event->u.delivery.job->of.repository_id, JOB_NUMBER, "9");
	(void)text_copy(event->u.delivery.job->of.check_run, JOB_NUMBER, "9");
	(void)text_copy(event->u.delivery.job->conclusion, 24, "success");
	assert_int_equal(world_decide(&s.w, event).status, 200);
	assert_int_equal(is(&s), DEPLOY_RUNNING);
	world_close(&s.w);
}

/* Its own webhook brings the pushes of an application with a secret of its own; the App's copy of
 * one has its id, and another body. */
TEST(a_push_by_the_app_counts_where_it_may_and_once)
{
	for (int may = 0; may < 2; may++) {
		struct scene s;
		struct event *event;
		char apps[160], file[256], id[LIMIT_DELIVERY];

		open_scene(&s, NULL, NULL);
		(void)snprintf(file, sizeof(file),
		    "ENVIRONMENTS=staging\n"
		    "GITHUB_WEBHOOK_SECRET=0123456789abcdef0123456789abcdef\n%s",
		    may ? "GITHUB_APP_PUSHES=true\n" : "");
		world_application(&s.w, "web", file);
		(void)snprintf(apps, sizeof(apps), "APPS_DIRECTORY=%s/apps", s.w.aid.folder);
		world_settings(&s.w, APP_SETTINGS, apps, NULL);
		if (s.w.aid.settings->refused_count > 0)
			fail_msg("%s", s.w.aid.settings->refused[0].reason);
		for (int copy = 0; copy < 3; copy++) { /* the App's, the webhook's, the App's */
			event = world_push(&s.w, "develop");
			event->u.delivery.by_app = copy != 1;
			(void)text_copy(event->u.delivery.repository, LIMIT_REF, "acme/web");
			(void)text_copy(
			    event->u.delivery.hook, ENVIRONMENT_NAME_MAX, copy == 1 ? "web" : "");
			if (copy == 0)
				(void)text_copy(id, sizeof(id), event->u.delivery.id);
			(void)text_copy(event->u.delivery.id, sizeof(id), id);
			struct answer answer = world_decide(&s.w, event);

			assert_int_equal(answer.status, copy != 1 && !may ? 202 : 200);
			assert_int_equal(answer.is_duplicate, may && copy > 0);
		}
		world_close(&s.w);
	}
}

TEST(what_strangers_can_cause_opens_no_gate)
{
	static const char *const events[] = { "pull_request_target", "issue_comment",
		"workflow_run" };

	for (size_t i = 0; i < COUNT(events); i++) {
		struct scene s;
		struct event *event;

		open_scene(&s, "PRODUCTION_APPROVALS=0", NULL);
		event = asking(&s, "4711", 5);
		(void)text_copy(event->u.delivery.job->of.event, JOB_EVENT, events[i]);
		take(&s, event);
		assert_int_equal(is(&s), DEPLOY_REFUSED);
		assert_false(answer(&s)->is_approved);
		world_close(&s.w);
	}
}

/* Says that the run has ended, or a job of it (deployment: which; 0: the run). */
static void
ends(struct scene *s, int64_t deployment, int64_t at, const char *hook, const char *repository)
{
	struct event *event = world_push(&s->w, "");
	struct delivery *delivery = &event->u.delivery;
	struct delivery_job *job = delivery->job = mem_new(1, sizeof(*job));

	delivery->kind = deployment != 0 ? DELIVERY_WORKFLOW_JOB : DELIVERY_WORKFLOW_RUN;
	delivery->by_app = hook == NULL;
	(void)text_copy(delivery->hook, sizeof(delivery->hook), hook == NULL ? "" : hook);
	(void)text_copy(delivery->repository, LIMIT_REF, repository);
	job->deployment = deployment;
	job->at = at;
	job->of.attempt = 1;
	(void)text_copy(job->conclusion, sizeof(job->conclusion), "success");
	(void)text_copy(job->of.repository_id, JOB_NUMBER, "456789");
	(void)text_copy(job->of.run, JOB_NUMBER, "4711");
	if (deployment != 0) {
		(void)text_copy(job->of.check_run, JOB_NUMBER, "99");
	} else {
		delivery->run = mem_new(1, sizeof(*delivery->run));
		delivery->run->rank = PIPELINE_IS_OVER;
	}
	(void)world_decide(&s->w, event);
}

/* An attempt before may end late, or its event come once more. */
TEST(what_ended_before_it_asked_ends_no_gate)
{
	struct scene s;

	open_scene(&s, "PRODUCTION_APPROVALS=1", NULL);
	waits(&s, asking(&s, "4711", 5));
	ends(&s, 0, s.w.aid.at - DAY, NULL, "Octo/Shop");
	assert_int_equal(is(&s), DEPLOY_AWAITING_APPROVAL);
	ends(&s, 0, s.w.aid.at - 30 * SECOND, NULL, "Octo/Shop");
	assert_int_equal(is(&s), DEPLOY_CANCELLED);
	assert_false(answer(&s)->is_approved); /* it may wait there all the same */
	answered(&s, (struct forge_said){ .verdict = FORGE_SAYS_GONE });
	assert_null(answer(&s));
	world_close(&s.w);
}

/* As where an admin of GitHub goes past its rule: nobody here has said yes. */
TEST(a_job_that_has_run_while_its_gate_waits_went_on_without_a_yes)
{
	struct scene s;
	size_t rings;

	open_scene(&s, "PRODUCTION_APPROVALS=1", NULL);
	waits(&s, asking(&s, "4711", 5));
	rings = world_rings(&s.w);
	ends(&s, 5, s.w.aid.at, NULL, "Octo/Shop");
	assert_int_equal(is(&s), DEPLOY_CANCELLED);
	assert_int_equal(world_rings(&s.w), rings + 1);
	assert_non_null(world_says(&s.w, "❌ Gate bypassed: production"));
	assert_non_null(world_says(&s.w, "and nobody here had said yes"));
	world_close(&s.w);
}

/* Both go on by one yes: the environment is theirs until both have ended. */
TEST(jobs_that_share_a_gate_keep_it_until_their_run_is_over)
{
	struct scene s;

	open_scene(&s, "PRODUCTION_APPROVALS=1", NULL);
	waits(&s, asking(&s, "4711", 5));
	waits(&s, asking(&s, "4711", 6));
	approve(&s, WORLD_ADMIN);
	approve(&s, WORLD_OTHER_ADMIN);
	assert_int_equal(is(&s), DEPLOY_RUNNING);
	answered(&s, DONE);
	ends(&s, 6, s.w.aid.at, NULL, "Octo/Shop");
	assert_int_equal(is(&s), DEPLOY_RUNNING);
	ends(&s, 0, s.w.aid.at, NULL, "Octo/Shop");
	assert_int_equal(is(&s), DEPLOY_DONE);
	world_close(&s.w);
}

TEST(a_yes_that_has_not_come_there_opens_nothing_that_asks_later)
{
	struct scene s;
	int64_t first;

	open_scene(&s, "PRODUCTION_APPROVALS=1", NULL);
	waits(&s, asking(&s, "4711", 5));
	approve(&s, WORLD_ADMIN);
	first = s.gate;
	assert_int_equal(is(&s), DEPLOY_RUNNING);
	assert_non_null(answer(&s));
	waits(&s, asking(&s, "4711", 6));
	assert_int_equal(world_deployment(&s.w, first).state, DEPLOY_FAILED);
	assert_int_equal(is(&s), DEPLOY_AWAITING_APPROVAL);
	assert_null(answer(&s));
	world_close(&s.w);
}

static void
act_began(struct tx *tx, void *arg)
{
	row_work_pipeline_set(
	    tx, &(struct work_pipeline_row){ .work = *(int64_t *)arg, .run = 4711, .attempt = 1 });
}

/* No row says which job it waits for: any of its run could say that all is well. */
TEST(no_job_of_its_run_ends_or_reads_what_github_asks_for)
{
	struct job job = JOB_OF_SHOP;
	struct scene s;

	open_scene(&s, "PRODUCTION_APPROVALS=1", NULL);
	waits(&s, asking(&s, "4711", 5));
	assert_int_equal(job_asks(&s.w, &job, API_WORK, "/v1/work/1", NULL).status, 404);
	assert_int_equal(
	    job_asks(&s.w, &job, API_GATE_END, "/v1/gate-end/1", "{\"conclusion\": \"success\"}")
		.status,
	    404);
	assert_int_equal(is(&s), DEPLOY_AWAITING_APPROVAL);
	world_close(&s.w);
}

/* GitHub knows the App, or the token's owner: here it is known who wanted it. */
TEST(whoever_began_its_run_here_does_not_approve_its_gate)
{
	struct scene s;
	struct event *event;
	int64_t work;

	open_scene(&s, "PRODUCTION_APPROVALS=1", NULL);
	world_deploy_goes_live(&s.w, COMMIT_A);
	work = world_newest(&s.w, "staging").id;
	world_act(&s.w, act_began, &work);
	event = asking(&s, "4711", 5);
	(void)text_copy(event->u.delivery.job->of.actor, LIMIT_PERSON, "stray");
	waits(&s, event);
	approve(&s, WORLD_ADMIN);
	assert_int_equal(is(&s), DEPLOY_AWAITING_APPROVAL);
	approve(&s, WORLD_OTHER_ADMIN);
	assert_int_equal(is(&s), DEPLOY_RUNNING);
	world_close(&s.w);
}

/* Who begins the failed jobs again hides nobody who has begun it before. */
TEST(whoever_began_its_run_here_first_does_not_approve_its_gate)
{
	struct scene s;
	struct event *event;
	int64_t first, again;

	open_scene(&s, "PRODUCTION_APPROVALS=1", NULL);
	world_deploy_goes_live(&s.w, COMMIT_A);
	first = world_newest(&s.w, "staging").id;
	world_asks(&s.w, WORLD_OTHER_ADMIN, "/deploy staging", COMMIT_B);
	again = world_newest(&s.w, "staging").id;
	world_act(&s.w, act_began, &first);
	world_act(&s.w, act_began, &again);
	event = asking(&s, "4711", 5);
	(void)text_copy(event->u.delivery.job->of.actor, LIMIT_PERSON, "stray");
	waits(&s, event);
	approve(&s, WORLD_ADMIN);
	approve(&s, WORLD_OTHER_ADMIN);
	assert_int_equal(is(&s), DEPLOY_AWAITING_APPROVAL);
	world_close(&s.w);
}

/* An earlier attempt did not come to it: nobody knows who has begun this one again. */
TEST(what_was_begun_again_before_it_asked_is_nobodys_that_is_known)
{
	struct scene s;
	struct event *event;

	for (int attempt = 1; attempt <= 2; attempt++) {
		open_scene(&s, "PRODUCTION_APPROVALS=1", "APPROVE_UNKNOWN_PUSHER=false");
		event = asking(&s, "4711", 5);
		event->u.delivery.job->of.attempt = attempt;
		waits(&s, event);
		approve(&s, WORLD_ADMIN);
		assert_int_equal(is(&s), attempt == 1 ? DEPLOY_RUNNING : DEPLOY_AWAITING_APPROVAL);
		world_close(&s.w);
	}
}

/* Who begins a job again hides nobody whose job has asked before. */
TEST(whose_job_of_the_run_asked_before_does_not_approve)
{
	struct scene s;
	struct event *event;

	open_scene(&s, "PRODUCTION_APPROVALS=1", "PERSON_11_GITHUB=ada");
	waits(&s, asking(&s, "4711", 5)); /* mona's, who is the other admin */
	event = asking(&s, "4711", 6);
	(void)text_copy(event->u.delivery.job->of.actor, LIMIT_PERSON, "ada");
	waits(&s, event);
	approve(&s, WORLD_OTHER_ADMIN);
	assert_int_equal(is(&s), DEPLOY_AWAITING_APPROVAL);
	world_close(&s.w);
}

/* By its own webhook it says what it likes, of whatever numbers. */
TEST(another_applications_webhook_ends_no_gate)
{
	struct scene s;
	struct event *event;
	char apps[160];

	open_scene(&s, NULL, NULL);
	world_application(&s.w, "shop",
	    "ENVIRONMENTS=staging,production\nPRODUCTION_CONFIRM=false\nPRODUCTION_APPROVALS=1\n"
	    "PRODUCTION_HOST=p\n");
	world_application(&s.w, "blog", "GITHUB_WEBHOOK_SECRET=fedcba9876543210fedcba9876543210\n");
	(void)snprintf(apps, sizeof(apps), "APPS_DIRECTORY=%s/apps", s.w.aid.folder);
	world_settings(&s.w, apps, "GITHUB_REPOSITORY=", "GITHUB_APP_ID=1", key,
	    "GITHUB_APP_WEBHOOK_SECRET=0123456789abcdef0123456789abcdef", NULL);
	event = asking(&s, "4711", 5);
	(void)text_copy(event->u.delivery.repository, LIMIT_REF, "acme/shop");
	(void)text_copy(event->u.delivery.job->of.repository, LIMIT_REF, "acme/shop");
	assert_int_equal(world_decide(&s.w, event).status, 200);
	s.gate = world_newest(&s.w, "shop/production").id;
	git(&s);
	assert_int_equal(is(&s), DEPLOY_AWAITING_APPROVAL);
	ends(&s, 0, s.w.aid.at, "blog", "acme/blog");
	ends(&s, 5, s.w.aid.at, "blog", "acme/blog");
	ends(&s, 0, s.w.aid.at, "blog", "acme/shop");
	assert_int_equal(is(&s), DEPLOY_AWAITING_APPROVAL);
	ends(&s, 5, s.w.aid.at, NULL, "acme/shop");
	assert_int_equal(is(&s), DEPLOY_CANCELLED);
	world_close(&s.w);
}

/* --- many at once --- */

/* GitHub asks for that many jobs, of one run or of as many. */
static void
ask_often(struct scene *s, int n, bool is_one_run, const char *what)
{
	for (int i = 0; i < n; i++) {
		char run[JOB_NUMBER];
		struct event *event;

		(void)snprintf(run, sizeof(run), "%d", is_one_run ? 5000 : 5000 + i);
		event = asking(s, run, 6000 + i);
		(void)text_copy(event->u.delivery.job->of.event, JOB_EVENT, what);
		(void)world_decide(&s->w, event);
	}
	s->gate = world_newest(&s->w, "production").id;
}

TEST(of_many_that_strangers_cause_one_is_shown_and_the_rest_is_counted_and_answered_once)
{
	struct scene s;
	struct effect *effect;

	open_scene(&s, NULL, NULL);
	ask_often(&s, 60, true, "pull_request");
	assert_int_equal(rows(&s, "SELECT COUNT(*) FROM work"), 1);
	assert_int_equal(rows(&s, "SELECT COUNT(*) FROM message"), 1);
	assert_int_equal(is(&s), DEPLOY_REFUSED);
	assert_int_equal(world_count(&s.w, EFFECT_FORGE_ANSWER), 2);
	assert_int_equal(rows(&s, "SELECT n FROM stranger"), 58);
	answered(&s, DONE);
	effect = world_peek(&s.w, EFFECT_FORGE_ANSWER);
	assert_int_equal(effect->subject, 0);
	assert_false(effect->u.forge_answer.is_approved);
	assert_string_equal(effect->u.forge_answer.run, "5000");
	assert_string_equal(effect->u.forge_answer.target, "production");
	assert_true(effect->u.forge_answer.not_before > s.w.aid.at + 25 * SECOND);
	answered(&s, NO("busy"));
	assert_non_null(world_peek(&s.w, EFFECT_FORGE_ANSWER));
	s.w.aid.at += 30 * DAY + SECOND;
	answered(&s, NO("busy"));
	assert_null(world_peek(&s.w, EFFECT_FORGE_ANSWER));
	world_close(&s.w);
}

TEST(what_asks_when_the_answer_may_have_gone_is_answered_by_another)
{
	struct scene s;

	open_scene(&s, NULL, NULL);
	ask_often(&s, 3, false, "pull_request");
	assert_int_equal(world_count(&s.w, EFFECT_FORGE_ANSWER), 3);
	s.w.aid.at += 30 * SECOND;
	ask_often(&s, 3, false, "pull_request"); /* the first has its gate */
	assert_int_equal(world_count(&s.w, EFFECT_FORGE_ANSWER), 5);
	world_close(&s.w);
}

TEST(above_twelve_at_once_one_a_minute_is_asked_about)
{
	struct scene s;

	open_scene(&s, "PRODUCTION_APPROVALS=1", NULL);
	for (int i = 0; i < 14; i++) {
		char run[JOB_NUMBER];
		struct event *event;

		(void)snprintf(run, sizeof(run), "%d", 5000 + i);
		event = asking(&s, run, 6000 + i);
		(void)snprintf(event->u.delivery.job->of.actor, LIMIT_PERSON, "dev%d", i);
		(void)world_decide(&s.w, event);
	}
	s.gate = world_newest(&s.w, "production").id;
	assert_int_equal(rows(&s, "SELECT COUNT(*) FROM work"), 13);
	assert_int_equal(is(&s), DEPLOY_REFUSED);
	assert_non_null(world_says(&s.w, "begin its job again"));
	s.w.aid.at += 60 * SECOND;
	take(&s, asking(&s, "6000", 7000));
	assert_int_equal(is(&s), DEPLOY_REQUESTED);
	world_close(&s.w);
}

/* As a matrix does: one answer is for all of them. */
TEST(jobs_of_one_run_have_one_message_while_git_is_asked)
{
	struct scene s;

	open_scene(&s, "PRODUCTION_APPROVALS=1", NULL);
	ask_often(&s, 60, true, "push");
	assert_int_equal(is(&s), DEPLOY_REQUESTED);
	assert_int_equal(rows(&s, "SELECT COUNT(*) FROM message"), 1);
	assert_int_equal(rows(&s, "SELECT COUNT(*) FROM work WHERE message <> 0"), 1);
	assert_int_equal(world_count(&s.w, EFFECT_GIT_QUERY), 1);
	git(&s);
	assert_int_equal(is(&s), DEPLOY_AWAITING_APPROVAL);
	assert_non_null(world_says(&s.w, "attempt 60"));
	world_close(&s.w);
}

/* Whoever may push can make as many wait: another one's has a place all the same. */
TEST(one_actor_has_half_of_the_places_of_an_application)
{
	struct scene s;
	struct event *event;

	open_scene(&s, "PRODUCTION_APPROVALS=1", NULL);
	ask_often(&s, 9, false, "push");
	assert_int_equal(is(&s), DEPLOY_REFUSED);
	assert_non_null(world_says(&s.w, "8 gates of this application by the same actor wait"));
	assert_int_equal(rows(&s, "SELECT COUNT(*) FROM work WHERE state = 'REQUESTED'"), 8);
	event = asking(&s, "4711", 5);
	(void)text_copy(event->u.delivery.job->of.actor, LIMIT_PERSON, "ada");
	take(&s, event);
	assert_int_equal(is(&s), DEPLOY_REQUESTED);
	world_close(&s.w);
}

/* As a deployment of it would: a run of weeks ago can be begun again by whoever may push. */
TEST(what_is_older_than_what_went_there_last_asks_once)
{
	struct scene s;

	open_scene(&s, NULL, NULL);
	waits(&s, asking(&s, "4711", 5));
	assert_int_equal(is(&s), DEPLOY_RUNNING);
	answered(&s, DONE);
	s.w.aid.at += 600 * SECOND;
	ends(&s, 5, s.w.aid.at, NULL, "Octo/Shop");
	assert_int_equal(is(&s), DEPLOY_DONE);
	take(&s, asking(&s, "4712", 6));
	world_git(&s.w, (struct world_git){ .commit = COMMIT_B, .is_force_push = true });
	assert_int_equal(is(&s), DEPLOY_QUEUED);
	(void)world_press(&s.w, WORLD_ADMIN, WORLD_TEAM,
	    world_button(
		world_says(&s.w, "which is newer, went to production before"), "Confirm gate"));
	world_git(&s.w, (struct world_git){ .commit = COMMIT_B, .is_force_push = true });
	assert_int_equal(is(&s), DEPLOY_RUNNING);
	world_close(&s.w);
}
