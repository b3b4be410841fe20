/* Goal: a gate asks what a deployment of its commit would, and no job that has gone keeps a place.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_gate.h"

#include "factor_aid.h"
#include "lib/mem.h"
#include "job_aid.h"
#include "store/row_block.h"

#define MINUTE	   INT64_C(60000)
#define HOUR	   (60 * MINUTE)
#define GATE_OF(e) "{\"environment\": \"" e "\"}"
#define PRODUCTION GATE_OF("production")

#define ASKED \
	"ENABLE_API_SERVER=true", "PUBLIC_URL=https://bot.example.org", \
	    "GITHUB_REPOSITORY=octo/shop", \
	    "WORKFLOW_SHOP_IS=github 456789 deploy.yml@refs/heads/main", \
	    "WORKFLOW_SHOP_MAY=gate:production"
#define SETTINGS "PRODUCTION_CONFIRM=false", ASKED

struct scene {
	struct world w;
	struct job job;
	int64_t gate;
};

static struct answer
ask(struct scene *s, enum api_operation operation, const char *path, const char *body)
{
	return job_asks(&s->w, &s->job, operation, path, body);
}

static int
wait_at(struct scene *s, const char *body)
{
	struct answer answer = ask(s, API_GATE, "/v1/gate", body);

	s->gate = answer.work;
	return answer.status;
}

static int
look(struct scene *s)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/v1/work/%lld", (long long)s->gate);
	return ask(s, API_WORK, path, NULL).status;
}

static int
end(struct scene *s, const char *body)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/v1/gate-end/%lld", (long long)s->gate);
	return ask(s, API_GATE_END, path, body).status;
}

static void
open_scene(struct scene *s, const char *more, const char *again)
{
	*s = (struct scene){ .job = JOB_OF_SHOP };
	world_open(&s->w, SETTINGS, more, again, NULL);
}

static enum deploy_state
is(struct scene *s)
{
	return world_deployment(&s->w, s->gate).state;
}

static void
git(struct scene *s)
{
	world_git(&s->w, (struct world_git){ .commit = s->job.sha });
}

/* Whoever approves it last waits for git's word of this moment. */
static void
approve(struct scene *s)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "/approve %lld", (long long)s->gate);
	(void)world_text(&s->w, WORLD_ADMIN, text);
	if (is(s) == DEPLOY_QUEUED && world_peek(&s->w, EFFECT_GIT_QUERY) != NULL)
		git(s);
}

/* Of a gate that nobody need approve. */
static void
opens(struct scene *s)
{
	assert_int_equal(wait_at(s, PRODUCTION), 202);
	git(s);
	assert_int_equal(is(s), DEPLOY_RUNNING);
}

/* GitHub says how a job of run 4711 has ended. */
static struct event *
over(struct scene *s, int64_t job, const char *conclusion)
{
	struct event *event = world_push(&s->w, "");
	struct delivery *delivery = &event->u.delivery;

	delivery->kind = DELIVERY_WORKFLOW_JOB;
	delivery->repository_id = 456789;
	(void)text_copy(delivery->repository, sizeof(delivery->repository), "Octo/Shop");
	delivery->job = mem_new(1, sizeof(*delivery->job));
	job_is_of(&delivery->job->of, "4711", COMMIT_A);
	(void)text_copy(delivery->job->of.repository_id, JOB_NUMBER, "456789");
	(void)snprintf(delivery->job->of.check_run, JOB_NUMBER, "%lld", (long long)job);
	delivery->job->of.attempt = 1;
	(void)text_copy(delivery->job->conclusion, sizeof(delivery->job->conclusion), conclusion);
	return event;
}

TEST(a_job_that_is_over_at_its_forge_has_no_gate_any_more)
{
	static const struct {
		const char *conclusion;
		enum deploy_state state;
		enum deploy_why why;
	} rows[] = { { "success", DEPLOY_DONE, DEPLOY_WHY_NONE },
		{ "failure", DEPLOY_FAILED, DEPLOY_WHY_SCRIPT },
		{ "cancelled", DEPLOY_FAILED, DEPLOY_WHY_CANCELLED } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct scene s;
		struct event *event;

		open_scene(&s, NULL, NULL);
		opens(&s);
		assert_int_equal(world_decide(&s.w, over(&s, 99002, "success")).status, 200);
		assert_int_equal(is(&s), DEPLOY_RUNNING); /* another job of that run */
		event = over(&s, 99001, "success");
		event->u.delivery.repository_id = 456780;
		assert_int_equal(world_decide(&s.w, event).status, 202);
		assert_int_equal(is(&s), DEPLOY_RUNNING); /* one that has its name now */
		event = over(&s, 99001, rows[i].conclusion);
		(void)text_copy(event->u.delivery.repository, LIMIT_REF, "octo/other");
		assert_int_equal(world_decide(&s.w, event).status, 202);
		assert_int_equal(is(&s), DEPLOY_RUNNING);
		assert_int_equal(
		    world_decide(&s.w, over(&s, 99001, rows[i].conclusion)).status, 200);
		assert_int_equal(is(&s), rows[i].state);
		assert_int_equal(world_deployment(&s.w, s.gate).why, rows[i].why);
		assert_int_equal(world_active(&s.w, "production").id, 0);
		assert_int_equal(end(&s, "{\"conclusion\": \"success\"}"), 202);
		assert_int_equal(is(&s), rows[i].state); /* what its post step says comes late */
		world_close(&s.w);
	}
}

/* The App's copy of an event and the repository's have one id. */
/* One of its run that deploys to an environment of which GitHub does not say the name. */
TEST(a_gate_that_a_job_asked_for_is_no_other_jobs)
{
	struct scene s;
	struct event *event;

	open_scene(&s, NULL, NULL);
	opens(&s);
	event = over(&s, 99002, "success");
	event->u.delivery.job->deployment = 5;
	assert_int_equal(world_decide(&s.w, event).status, 200);
	assert_int_equal(is(&s), DEPLOY_RUNNING);
	world_close(&s.w);
}

TEST(a_job_that_is_over_counts_once)
{
	struct scene s;
	struct event *event;
	char id[LIMIT_DELIVERY];

	open_scene(&s, "PRODUCTION_APPROVALS=1", NULL);
	assert_int_equal(wait_at(&s, PRODUCTION), 202);
	git(&s);
	event = over(&s, 99001, "skipped");
	(void)text_copy(id, sizeof(id), event->u.delivery.id);
	assert_false(world_decide(&s.w, event).is_duplicate);
	assert_int_equal(is(&s), DEPLOY_CANCELLED); /* nothing has gone on */
	event = over(&s, 99001, "skipped");
	(void)text_copy(event->u.delivery.id, sizeof(id), id);
	assert_true(world_decide(&s.w, event).is_duplicate);
	world_close(&s.w);
}

TEST(what_is_too_large_decides_nothing)
{
	struct scene s;

	open_scene(&s, NULL, NULL);
	opens(&s);
	for (int i = 0; i < 2; i++) {
		struct event *event = over(&s, 99001, "success");

		event->u.delivery.is_large = true;
		assert_int_equal(world_decide(&s.w, event).status, 202);
		assert_int_equal(is(&s), DEPLOY_RUNNING);
	}
	world_close(&s.w);
}

TEST(a_job_that_does_not_ask_any_more_has_no_place)
{
	struct scene s;

	open_scene(&s, "PRODUCTION_APPROVALS=1", NULL);
	assert_int_equal(wait_at(&s, PRODUCTION), 202);
	git(&s);
	assert_int_equal(is(&s), DEPLOY_AWAITING_APPROVAL);
	s.w.aid.at += 2 * MINUTE;
	assert_int_equal(look(&s), 200);
	s.w.aid.at += MINUTE;
	world_due(&s.w, TIMER_GATE);
	assert_int_equal(is(&s), DEPLOY_AWAITING_APPROVAL);
	s.w.aid.at += 3 * MINUTE;
	world_due(&s.w, TIMER_GATE);
	assert_int_equal(is(&s), DEPLOY_CANCELLED);
	assert_non_null(strstr(world_deployment(&s.w, s.gate).detail, "its job has gone"));
	world_close(&s.w);
}

TEST(an_open_gate_whose_job_says_nothing_ends_by_itself)
{
	struct scene s;

	open_scene(&s, "GATE_HOURS=2", NULL);
	opens(&s);
	assert_int_equal(look(&s), 200); /* the job sees it, and goes on */
	s.w.aid.at += 3 * MINUTE;
	world_due(&s.w, TIMER_GATE);
	assert_int_equal(is(&s), DEPLOY_RUNNING);
	s.w.aid.at += 2 * HOUR;
	world_due(&s.w, TIMER_GATE);
	assert_int_equal(is(&s), DEPLOY_FAILED);
	assert_int_equal(world_deployment(&s.w, s.gate).why, DEPLOY_WHY_INTERRUPTED);
	assert_int_equal(world_active(&s.w, "production").id, 0);
	world_close(&s.w);
}

/* Nobody ships there, and an emergency would wait for it for hours. */
TEST(a_job_that_was_gone_when_its_gate_went_open_keeps_nothing)
{
	struct scene s;

	open_scene(&s, NULL, NULL);
	opens(&s);
	s.w.aid.at += 2 * MINUTE;
	world_restart(&s.w); /* nobody could ask meanwhile: it has its time once more */
	s.w.aid.at += MINUTE;
	world_due(&s.w, TIMER_GATE);
	assert_int_equal(is(&s), DEPLOY_RUNNING);
	s.w.aid.at += 3 * MINUTE;
	world_due(&s.w, TIMER_GATE);
	assert_int_equal(is(&s), DEPLOY_FAILED);
	assert_int_equal(world_deployment(&s.w, s.gate).why, DEPLOY_WHY_CANCELLED);
	assert_non_null(strstr(world_deployment(&s.w, s.gate).detail, "its job has gone"));
	assert_int_equal(world_active(&s.w, "production").id, 0);
	world_close(&s.w);
}

TEST(a_start_by_a_clock_that_was_set_back_knows_who_has_seen_its_gate_open)
{
	struct scene s;

	open_scene(&s, NULL, NULL);
	opens(&s);
	assert_int_equal(look(&s), 200);
	s.w.aid.at -= HOUR;
	world_restart(&s.w);
	s.w.aid.at += HOUR + 3 * MINUTE;
	world_due(&s.w, TIMER_GATE);
	assert_int_equal(is(&s), DEPLOY_RUNNING);
	world_close(&s.w);
}

/* Found by the simulation (SEED=791050977): the settings let it go that waited for a yes. */
TEST(where_what_runs_is_not_known_a_gate_is_asked_about_anew)
{
	struct scene s;

	open_scene(&s, "PRODUCTION_APPROVALS=1", NULL);
	assert_int_equal(wait_at(&s, PRODUCTION), 202);
	git(&s);
	assert_int_equal(is(&s), DEPLOY_AWAITING_APPROVAL);
	world_restored(&s.w);
	assert_non_null(world_says_in(
	    &s.w, WORLD_TEAM, "⚠️ asked again: what production runs is not known any more"));
	world_close(&s.w);
}

TEST(a_clock_that_was_set_back_before_a_gate_went_open_has_shown_it_to_nobody)
{
	struct scene s;

	open_scene(&s, NULL, NULL);
	assert_int_equal(wait_at(&s, PRODUCTION), 202);
	s.w.aid.at -= HOUR;
	git(&s);
	assert_int_equal(is(&s), DEPLOY_RUNNING);
	s.w.aid.at += 3 * MINUTE;
	world_due(&s.w, TIMER_GATE);
	assert_int_equal(is(&s), DEPLOY_FAILED);
	assert_non_null(strstr(world_deployment(&s.w, s.gate).detail, "its job has gone"));
	world_close(&s.w);
}

TEST(who_waits_for_an_open_gate_reads_how_to_end_it)
{
	struct scene s;

	open_scene(&s, NULL, NULL);
	world_released(&s.w, "production");
	world_released(&s.w, "production");
	opens(&s);
	(void)world_text(&s.w, WORLD_ADMIN, "/rollback production");
	assert_non_null(strstr(world_plain(world_last(&s.w)),
	    "has the gate open for aaaaaaa (/cancel production ends that) now; this waits"));
	(void)world_text(&s.w, WORLD_ADMIN, "/cancel production");
	assert_int_equal(is(&s), DEPLOY_FAILED);
	assert_int_equal(world_active(&s.w, "production").id, 0);
	world_close(&s.w);
}

/* Its branch was force-pushed meanwhile: at each answer of git, and it is asked before it opens. */
static void
check_left(const struct world_git *last)
{
	struct scene s;

	open_scene(&s, "PRODUCTION_APPROVALS=1", NULL);
	assert_int_equal(wait_at(&s, PRODUCTION), 202);
	git(&s);
	(void)world_text(&s.w, WORLD_ADMIN, "/approve 1");
	assert_int_equal(is(&s), DEPLOY_QUEUED);
	world_git(&s.w, *last);
	assert_int_equal(is(&s), last->is_unreachable ? DEPLOY_QUEUED : DEPLOY_REFUSED);
	world_close(&s.w);
}

TEST(what_its_branch_has_left_meanwhile_does_not_go_on)
{
	check_left(&(struct world_git){ .commit = COMMIT_A, .is_off_branch = true });
	check_left(&(struct world_git){ .commit = COMMIT_A, .error = "no such commit" });
	check_left(&(struct world_git){ .commit = COMMIT_A, .is_unreachable = true });
}

TEST(what_its_branch_has_left_is_not_confirmed)
{
	struct scene s;

	s = (struct scene){ .job = JOB_OF_SHOP };
	world_open(&s.w, ASKED, NULL);
	assert_int_equal(wait_at(&s, PRODUCTION), 202);
	git(&s);
	assert_int_equal(is(&s), DEPLOY_AWAITING_CONFIRMATION);
	(void)world_press(&s.w, WORLD_ADMIN, WORLD_TEAM,
	    world_button(world_last(&s.w), "🚦 Confirm gate aaaaaaa"));
	world_git(&s.w, (struct world_git){ .commit = COMMIT_A, .is_off_branch = true });
	assert_int_equal(is(&s), DEPLOY_REFUSED);
	assert_string_equal(world_plain(world_says(&s.w, "Gate refused: ")),
	    "⛔ Gate refused: production aaaaaaa, run 4711 \"Make it blue\"\n"
	    "its commit is not on the branch of this environment\n"
	    "for run 4711 of octo/shop, begun by mona · https://github.com/octo/shop/actions/runs/4711");
	world_close(&s.w);
}

/* What only a forge ships has no release here: what changes is counted from the gate before. */
TEST(git_compares_with_the_last_gate_that_ended_well)
{
	struct scene s;
	const struct effect *query;

	open_scene(&s, NULL, NULL);
	opens(&s);
	assert_int_equal(end(&s, "{\"conclusion\": \"success\"}"), 202);
	assert_non_null(strstr(s.w.aid.said, "\"state\":\"done\""));
	assert_int_equal(is(&s), DEPLOY_DONE);
	assert_non_null(world_says(&s.w, "✅ Gate done: production aaaaaaa, run 4711"));
	job_is_of(&s.job, "4712", COMMIT_B);
	assert_int_equal(wait_at(&s, PRODUCTION), 202);
	query = world_peek(&s.w, EFFECT_GIT_QUERY);
	assert_string_equal(query->u.git_query.base, COMMIT_A);
	git(&s);
	assert_int_equal(is(&s), DEPLOY_RUNNING);
	assert_int_equal(end(&s, "{\"conclusion\": \"failure\"}"), 202);
	assert_int_equal(is(&s), DEPLOY_FAILED);
	(void)world_text(&s.w, WORLD_ADMIN, "/status production");
	assert_non_null(strstr(world_plain(world_last(&s.w)),
	    "gate: bbbbbbb, run 4712, ended badly 00:00: what it has changed is not known"));
	world_answers(&s.w, WORLD_ADMIN, "/status", "\n🚦 gate: bbbbbbb, run 4712, ended badly ");
	world_answers(&s.w, WORLD_ADMIN, "/history", "gate bbbbbbb");
	job_is_of(&s.job, "4713", COMMIT_C);
	assert_int_equal(wait_at(&s, PRODUCTION), 202);
	assert_string_equal(world_peek(&s.w, EFFECT_GIT_QUERY)->u.git_query.base, COMMIT_A);
	world_close(&s.w);
}

/* What was approved listed the commits over the gate before: another one has ended since. */
TEST(what_was_approved_over_an_older_gate_is_asked_about_anew)
{
	struct scene s;
	int64_t newer;

	open_scene(&s, "PRODUCTION_APPROVALS=1", NULL);
	job_is_of(&s.job, "4712", COMMIT_B);
	assert_int_equal(wait_at(&s, PRODUCTION), 202);
	git(&s);
	approve(&s);
	assert_int_equal(is(&s), DEPLOY_RUNNING);
	newer = s.gate;
	job_is_of(&s.job, "4711", COMMIT_A);
	assert_int_equal(wait_at(&s, PRODUCTION), 202);
	git(&s);
	(void)world_text(&s.w, WORLD_ADMIN, "/approve 2");
	assert_int_equal(is(&s), DEPLOY_QUEUED);
	job_is_of(&s.job, "4712", COMMIT_B);
	s.gate = newer;
	s.w.aid.at += MINUTE;
	assert_int_equal(end(&s, "{\"conclusion\": \"success\"}"), 202);
	s.gate = newer + 1;
	assert_int_equal(is(&s), DEPLOY_QUEUED);
	assert_string_equal(world_peek(&s.w, EFFECT_GIT_QUERY)->u.git_query.base, COMMIT_B);
	world_git(&s.w, (struct world_git){ .commit = COMMIT_A });
	assert_int_equal(is(&s), DEPLOY_AWAITING_APPROVAL);
	world_close(&s.w);
}

/* What git compared with is what it is asked about: else it would be asked for ever. */
TEST(git_is_asked_once_where_the_last_gate_is_not_what_is_live)
{
	struct scene s;

	open_scene(&s, NULL, NULL);
	world_released(&s.w, "production");
	s.w.aid.at += MINUTE;
	job_is_of(&s.job, "4711", COMMIT_C);
	opens(&s);
	s.w.aid.at += MINUTE;
	assert_int_equal(end(&s, "{\"conclusion\": \"success\"}"), 202);
	world_settings(&s.w, SETTINGS, "PRODUCTION_APPROVALS=1", NULL);
	job_is_of(&s.job, "4712", COMMIT_D);
	assert_int_equal(wait_at(&s, PRODUCTION), 202);
	git(&s);
	(void)world_text(&s.w, WORLD_ADMIN, "/freeze production 2h audit");
	(void)world_text(&s.w, WORLD_ADMIN, "/approve 2");
	assert_int_equal(is(&s), DEPLOY_QUEUED);
	(void)world_text(&s.w, WORLD_ADMIN, "/unfreeze production");
	for (int n = 0; n < 3 && world_count(&s.w, EFFECT_GIT_QUERY) > 0; n++)
		git(&s);
	assert_int_equal(is(&s), DEPLOY_RUNNING);
	world_close(&s.w);
}

/* Four open gates would stop an application. */
TEST(a_gate_takes_no_slot)
{
	struct scene s;

	open_scene(&s, "RUNS_MAX=1", NULL);
	opens(&s);
	world_deploy_starts(&s.w, COMMIT_A);
	assert_int_equal(world_state(&s.w), DEPLOY_RUNNING);
	world_close(&s.w);
}

/* Whose approval counts: the person who began the run has asked for it. */
TEST(who_began_the_run_does_not_approve_it)
{
	struct scene s;

	open_scene(&s, "PRODUCTION_APPROVALS=1", "PERSON_11_GITHUB=mona");
	assert_int_equal(wait_at(&s, PRODUCTION), 202);
	git(&s);
	(void)world_text(&s.w, WORLD_ADMIN, "/approve 1");
	assert_int_equal(is(&s), DEPLOY_AWAITING_APPROVAL);
	world_close(&s.w);
}

static void
check_unknown(const char *actor, int64_t attempt, bool is_unknown)
{
	struct scene s;

	open_scene(&s, "PRODUCTION_APPROVALS=1", "PERSON_12_GITHUB=mona");
	(void)text_copy(s.job.actor, sizeof(s.job.actor), actor);
	s.job.attempt = attempt;
	assert_int_equal(wait_at(&s, PRODUCTION), 202);
	git(&s);
	if ((world_says(&s.w, "a job that one of you may have started") != NULL) != is_unknown)
		fail_msg("%s, attempt %d", actor, (int)attempt);
	approve(&s); /* who is somebody else */
	assert_int_equal(is(&s), DEPLOY_RUNNING);
	world_close(&s.w);
}

TEST(nobody_knows_who_began_a_run_again)
{
	check_unknown("mona", 1, false);
	check_unknown("mona", 2, true);
	check_unknown("eve", 1, true);
}

TEST(another_release_and_a_block_are_asked_about_anew)
{
	struct scene s;

	open_scene(&s, "PRODUCTION_APPROVALS=1", NULL);
	assert_int_equal(wait_at(&s, PRODUCTION), 202);
	git(&s);
	world_released(&s.w, "production");
	(void)world_text(&s.w, WORLD_ADMIN, "/approve 1");
	assert_int_equal(is(&s), DEPLOY_AWAITING_APPROVAL);
	world_close(&s.w);
}

static void
block(struct tx *tx, UNUSED void *arg)
{
	struct block block = { .commit = COMMIT_C, .by = "@ada" };

	row_block_add(tx, "production", &block);
}

/* As of a deployment: nobody ships unawares what was rolled back there. */
TEST(what_contains_what_was_rolled_back_there_is_asked_about)
{
	struct scene s;

	open_scene(&s, NULL, NULL);
	store_aid_act(&s.w.aid, block, NULL);
	assert_int_equal(wait_at(&s, PRODUCTION), 202);
	world_git(&s.w, (struct world_git){ .commit = COMMIT_A, .contains = COMMIT_C });
	assert_int_equal(is(&s), DEPLOY_AWAITING_CONFIRMATION);
	assert_non_null(world_says(&s.w, "ccccccc"));
	(void)world_press(&s.w, WORLD_ADMIN, WORLD_TEAM,
	    world_button(world_last(&s.w), "🚦 Confirm gate aaaaaaa"));
	world_git(&s.w, (struct world_git){ .commit = COMMIT_A, .contains = COMMIT_C });
	assert_int_equal(is(&s), DEPLOY_RUNNING);
	world_close(&s.w);
}

TEST(a_freeze_keeps_it_in_its_place)
{
	struct scene s;

	open_scene(&s, NULL, NULL);
	(void)world_text(&s.w, WORLD_ADMIN, "/freeze production 2h audit");
	assert_int_equal(wait_at(&s, PRODUCTION), 202);
	git(&s);
	assert_int_equal(is(&s), DEPLOY_QUEUED);
	(void)world_text(&s.w, WORLD_ADMIN, "/unfreeze production");
	git(&s);
	assert_int_equal(is(&s), DEPLOY_RUNNING);
	world_close(&s.w);
}

TEST(what_needs_a_code_needs_somebody_who_gives_one)
{
	struct scene s;

	factor_write_key(FACTOR_KEY);
	open_scene(&s, "REQUIRE_OTP=gate:production", factor_key_setting);
	assert_int_equal(wait_at(&s, PRODUCTION), 403);
	assert_non_null(strstr(s.w.aid.said, "<ENV>_APPROVALS"));
	world_settings(&s.w, SETTINGS, "REQUIRE_OTP=gate:production", factor_key_setting,
	    "PRODUCTION_APPROVALS=1", NULL);
	assert_int_equal(wait_at(&s, PRODUCTION), 202);
	git(&s);
	(void)world_text(&s.w, WORLD_ADMIN, "/approve 1");
	assert_int_equal(is(&s), DEPLOY_AWAITING_APPROVAL);
	world_close(&s.w);
}

TEST(an_approval_of_a_gate_asks_for_a_code)
{
	struct scene s;

	factor_write_key(FACTOR_KEY);
	s = (struct scene){ .job = JOB_OF_SHOP };
	world_open(&s.w, SETTINGS, "REQUIRE_OTP=gate:production", factor_key_setting,
	    "PRODUCTION_APPROVALS=1", NULL);
	world_act(&s.w, factor_enrol, &ada);
	assert_int_equal(wait_at(&s, PRODUCTION), 202);
	git(&s);
	(void)world_press(&s.w, ada.id, WORLD_TEAM,
	    world_button(world_says_in(&s.w, WORLD_TEAM, "Awaiting approval"), "Approve"));
	assert_int_equal(is(&s), DEPLOY_AWAITING_APPROVAL);
	factor_type(&s.w, &ada, factor_code(&s.w, &ada, 0));
	assert_int_equal(is(&s), DEPLOY_QUEUED);
	git(&s);
	assert_int_equal(is(&s), DEPLOY_RUNNING);
	factor_close(&s.w);
}

TEST(nobody_asks_for_it_by_its_name)
{
	struct scene s;

	open_scene(&s, "ROLE_OPS_IDS=11", "ROLE_OPS_MAY=do:*/*, gate:production, status:*/*");
	(void)world_text(&s.w, WORLD_ADMIN, "/do open-gate production");
	assert_int_equal(world_newest(&s.w, "production").id, 0);
	world_close(&s.w);
}

/* One workflow asks for many people: it has no places of a person. */
TEST(runs_begun_by_hand_keep_nobody_out)
{
	struct scene s;
	char run[8];

	open_scene(&s, NULL, NULL);
	for (int n = 1; n <= 5; n++) {
		(void)snprintf(run, sizeof(run), "%d", 5000 + n);
		job_is_of(&s.job, run, COMMIT_A);
		assert_int_equal(wait_at(&s, PRODUCTION), 202);
		git(&s);
	}
	world_close(&s.w);
}

static void
open_gitlab(struct scene *s, const char *more)
{
	open_scene(s, "PRODUCTION_APPROVALS=1", NULL);
	world_settings(&s->w, SETTINGS, "PRODUCTION_APPROVALS=1",
	    "GITLAB_URL=https://gitlab.example.org", "REPOSITORY_PATH=group/shop", more, NULL);
	job_is_gitlabs(&s->job, "99001");
	assert_int_equal(wait_at(s, PRODUCTION), 202);
	git(s);
}

TEST(a_gate_of_gitlab_is_its_jobs_and_says_where_that_is)
{
	struct scene s;
	int64_t first;

	open_gitlab(&s, "GITHUB_API_URL=https://github.example.org/api/v3");
	assert_non_null(
	    world_says(&s.w, "for pipeline 4711 of group/shop, begun by mona (GitLab)"));
	assert_non_null(world_says(&s.w, "https://gitlab.example.org/group/shop/-/jobs/99001"));
	assert_null(world_says(&s.w, "actions/runs"));
	approve(&s);
	assert_int_equal(is(&s), DEPLOY_RUNNING);
	assert_int_equal(look(&s), 200);
	/* A job of GitHub whose numbers are the same, and what GitHub says of that one. */
	(void)text_copy(s.job.repository_id, sizeof(s.job.repository_id), "22");
	assert_int_equal(end(&s, "{\"conclusion\": \"success\"}"), 404);
	(void)world_decide(&s.w, over(&s, 99001, "success"));
	assert_int_equal(is(&s), DEPLOY_RUNNING);
	/* A job that is begun again asks anew. */
	first = s.gate;
	job_is_gitlabs(&s.job, "99002");
	assert_int_equal(wait_at(&s, PRODUCTION), 202);
	assert_int_not_equal(s.gate, first);
	s.gate = first;
	assert_int_equal(end(&s, "{\"conclusion\": \"success\"}"), 404);
	job_is_gitlabs(&s.job, "99001");
	assert_int_equal(end(&s, "{\"conclusion\": \"success\"}"), 202);
	assert_int_equal(is(&s), DEPLOY_DONE);
	assert_non_null(world_says(&s.w, "✅ Gate done: production aaaaaaa, pipeline 4711"));
	world_answers(&s.w, WORLD_ADMIN, "/status production", "gate: aaaaaaa, pipeline 4711, ");
	world_close(&s.w);
}

TEST(who_ran_a_job_of_gitlab_does_not_approve_it)
{
	static const struct {
		const char *person;
		bool may, is_unknown; /* who asked is 11 there */
	} rows[] = { { "PERSON_11_GITLAB=mona", false, false },
		{ "PERSON_12_GITLAB=mona", true, false }, { "PERSON_11_GITHUB=mona", true, true },
		{ "PERSON_11_GITLAB=eve", true, true } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct scene s;
		bool is_unknown;

		open_gitlab(&s, rows[i].person);
		is_unknown = world_says(&s.w, "a job that one of you may have started") != NULL;
		assert_int_equal(is_unknown, rows[i].is_unknown);
		approve(&s);
		if ((is(&s) == DEPLOY_RUNNING) != rows[i].may)
			fail_msg("%s: %d", rows[i].person, (int)is(&s));
		world_close(&s.w);
	}
}
