/* Goal: only who began a job's run counts as that, and one workflow takes no more than its share.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/who/decide_job.h"

#include "approval_aid.h"
#include "job_aid.h"
#include "lib/jwt.h"
#include "store/row_hook.h"
#include "store/row_work_pipeline.h"
#include "store/store_inside.h"

#define ADA	   WORLD_ADMIN
#define BOB	   WORLD_OTHER_ADMIN
#define PRODUCTION "{\"environment\": \"production\"}"
#define DEPLOY	   "{\"arguments\": [\"production\"]}"

#define SETTINGS \
	"ENABLE_API_SERVER=true", "PUBLIC_URL=https://bot.example.org", \
	    "GITHUB_REPOSITORY=octo/shop", "PRODUCTION_APPROVALS=1", "PERSON_11_GITHUB=mona", \
	    "PERSON_44_GITHUB=lisa", "ADMIN_TELEGRAM_IDS=11,22,44,55", "ROLE_RATE_LIMIT=0", \
	    "WORKFLOW_SHOP_IS=github 456789 deploy.yml@refs/heads/main", \
	    "WORKFLOW_SHOP_MAY=gate:production, deploy:production, deploy:staging", \
	    "WORKFLOW_TEST_IS=github 456789 test.yml@refs/heads/main", \
	    "WORKFLOW_TEST_MAY=gate:production, deploy:production"

struct scene {
	struct world w;
	struct job job;
	int n; /* gates */
};

static struct answer
ask(struct scene *s, enum api_operation operation, const char *path, const char *body)
{
	return job_asks(&s->w, &s->job, operation, path, body);
}

static void
open_scene(struct scene *s, const char *more)
{
	*s = (struct scene){ .job = JOB_OF_SHOP };
	world_open(&s->w, SETTINGS, more, NULL);
}

static void
of(struct scene *s, const char *workflow, const char *actor, const char *event)
{
	(void)text_copy(s->job.workflow, sizeof(s->job.workflow), workflow);
	(void)text_copy(s->job.actor, sizeof(s->job.actor), actor);
	(void)text_copy(s->job.event, sizeof(s->job.event), event);
}

/* --- who asked, who pushed --- */

static void
check_pusher(const char *event, int64_t attempt, const char *pusher)
{
	const struct effect *query;
	struct scene s;

	open_scene(&s, NULL);
	of(&s, "shop", "mona", event);
	s.job.attempt = attempt;
	assert_int_equal(ask(&s, API_PUSH, "/v1/push", "{}").status, 202);
	query = world_peek(&s.w, EFFECT_GIT_QUERY);
	assert_non_null(query);
	if (strcmp(query->u.git_query.requested_by, pusher) != 0)
		fail_msg("%s %d: %s", event, (int)attempt, query->u.git_query.requested_by);
	world_close(&s.w);
}

/* Who pressed "Run workflow", and who changed a line of cron last, have pushed nothing. */
TEST(the_actor_has_pushed_only_what_a_push_has_begun)
{
	check_pusher("push", 1, "github:mona(7)");
	check_pusher("push", 2, "workflow:shop(mona)");
	check_pusher("workflow_dispatch", 1, "workflow:shop(mona)");
	check_pusher("repository_dispatch", 1, "workflow:shop(mona)");
	check_pusher("schedule", 1, "workflow:shop");
	check_pusher("workflow_run", 1, "workflow:shop");
}

static void
waits(struct scene *s)
{
	world_git_at(&s->w, COMMIT_A);
	if (world_newest(&s->w, "production").state == DEPLOY_AWAITING_CONFIRMATION) {
		approval_press_in(&s->w, CAROL, WORLD_TEAM, "Let the job");
		world_git_at(&s->w, COMMIT_A);
	}
	assert_int_equal(world_newest(&s->w, "production").state, DEPLOY_AWAITING_APPROVAL);
}

static void
check_asked(const char *event, int64_t attempt, bool is_asker, bool is_unknown)
{
	enum deploy_state state;
	struct scene s;

	open_scene(&s, "PRODUCTION_CONFIRM=false");
	of(&s, "shop", "mona", event);
	s.job.attempt = attempt;
	assert_int_equal(ask(&s, API_GATE, "/v1/gate", PRODUCTION).status, 202);
	waits(&s);
	if ((world_says(&s.w, "a job that one of you may have started") != NULL) != is_unknown)
		fail_msg("%s %d: is it known who asked?", event, (int)attempt);
	if ((world_says(&s.w, "begun by mona") != NULL) != is_asker)
		fail_msg("%s %d: who is shown?", event, (int)attempt);
	(void)world_text(&s.w, ADA, "/approve 1");
	state = world_newest(&s.w, "production").state;
	if ((state == DEPLOY_AWAITING_APPROVAL) != is_asker)
		fail_msg("%s %d: %s", event, (int)attempt, deploy_flow_word(state));
	world_close(&s.w);
}

/* Whoever began it first has asked for a run that was begun again, too, with nobody knows whom. */
TEST(the_actor_of_a_schedule_has_asked_for_nothing)
{
	check_asked("push", 1, true, false);
	check_asked("workflow_dispatch", 1, true, false);
	check_asked("workflow_dispatch", 2, true, true);
	check_asked("schedule", 1, false, true);
	check_asked("workflow_run", 1, false, true);
}

static void
joins(struct scene *s, const char *workflow, const char *actor, const char *event)
{
	of(s, workflow, actor, event);
	assert_int_equal(ask(s, API_COMMAND, "/v1/command/deploy", DEPLOY).status, 200);
	world_git_at(&s->w, COMMIT_A);
	assert_int_equal(world_newest(&s->w, "production").why, DEPLOY_WHY_ELSEWHERE);
}

static void
does_not_approve(struct scene *s, int64_t person)
{
	approval_press_in(&s->w, person, WORLD_TEAM, "Approve");
	assert_int_equal(world_deployment(&s->w, 1).state, DEPLOY_AWAITING_APPROVAL);
}

/* Regression: of all who had joined only the job that was first had an actor. */
TEST(who_began_each_run_that_joins_a_question_has_asked_for_it)
{
	struct scene s;

	open_scene(&s, NULL);
	world_asks(&s.w, BOB, "/deploy production", COMMIT_A);
	joins(&s, "shop", "mona", "workflow_dispatch");
	joins(&s, "test", "lisa", "push");
	assert_null(world_says(&s.w, "a job that one of you may have started"));
	approval_press_in(&s.w, BOB, WORLD_GROUP, "Deploy to");
	world_git_at(&s.w, COMMIT_A);
	does_not_approve(&s, BOB);
	does_not_approve(&s, ADA);
	does_not_approve(&s, CAROL);
	approval_press_in(&s.w, DAN, WORLD_TEAM, "Approve");
	assert_int_equal(world_deployment(&s.w, 1).state, DEPLOY_RUNNING);
	world_close(&s.w);
}

/* BOB begins the run whose job asks for it then; by a token, if one is given. */
static void
begins(struct tx *tx, void *arg)
{
	const int64_t *token = arg;
	int64_t work = tx_number(tx, "SELECT MAX(id) FROM work");

	row_work_pipeline_set(
	    tx, &(struct work_pipeline_row){ .work = work, .run = 4711, .attempt = 1 });
	(void)tx_run(tx, "INSERT INTO press SELECT $1, 'request', 22, $2 WHERE $2 <> 0",
	    DB_I64(work), DB_I64(*token));
}

static void
check_beginner(int64_t token, enum api_operation operation, const char *path, const char *body)
{
	struct scene s = { .job = JOB_OF_SHOP };

	world_open(
	    &s.w, SETTINGS, "PRODUCTION_CONFIRM=false", "APPROVE_UNKNOWN_PUSHER=false", NULL);
	world_asks(&s.w, BOB, "/deploy staging", COMMIT_A);
	world_act(&s.w, begins, &token);
	of(&s, "shop", "mona", "workflow_dispatch");
	(void)ask(&s, operation, path, body);
	world_git_at(&s.w, COMMIT_A);
	assert_int_equal(world_newest(&s.w, "production").state, DEPLOY_AWAITING_APPROVAL);
	(void)world_text(&s.w, BOB, "/approve 2");
	assert_int_equal(world_newest(&s.w, "production").state, DEPLOY_AWAITING_APPROVAL);
	(void)world_text(&s.w, DAN, "/approve 2");
	if (world_peek(&s.w, EFFECT_GIT_QUERY) != NULL)
		world_git_at(&s.w, COMMIT_A);
	assert_int_equal(world_newest(&s.w, "production").state,
	    token != 0 ? DEPLOY_AWAITING_APPROVAL : DEPLOY_RUNNING);
	world_close(&s.w);
}

/* The forge names the token's owner: whoever began it here is known here, and the token by which
 * they did may be another one's, so that one more approves. */
TEST(who_began_its_run_here_approves_nothing_that_its_job_asks_for)
{
	for (int64_t token = 0; token <= 9; token += 9) {
		check_beginner(token, API_COMMAND, "/v1/command/deploy", DEPLOY);
		check_beginner(token, API_GATE, "/v1/gate", PRODUCTION);
	}
}

TEST(a_schedule_that_joins_a_question_makes_nobody_known_of_it)
{
	struct scene s;

	open_scene(&s, NULL);
	world_asks(&s.w, BOB, "/deploy production", COMMIT_A);
	joins(&s, "test", "lisa", "push");
	joins(&s, "shop", "mona", "schedule");
	approval_press_in(&s.w, BOB, WORLD_GROUP, "Deploy to");
	world_git_at(&s.w, COMMIT_A);
	assert_non_null(world_says(&s.w, "a job that one of you may have started"));
	world_close(&s.w);
}

TEST(an_emergency_takes_the_actors_of_the_question_that_it_passes)
{
	struct scene s;

	open_scene(&s, "EMERGENCY_WITHOUT_OTP=true");
	of(&s, "shop", "mona", "push");
	assert_int_equal(ask(&s, API_COMMAND, "/v1/command/deploy", DEPLOY).status, 200);
	world_git_at(&s.w, COMMIT_A);
	world_asks(&s.w, BOB, "/deploy production emergency it is down", COMMIT_A);
	if (world_newest(&s.w, "production").state == DEPLOY_AWAITING_CONFIRMATION) {
		approval_press_in(&s.w, BOB, WORLD_GROUP, "Deploy");
		world_git_at(&s.w, COMMIT_A);
	}
	world_run_ends(&s.w, GOOD);
	(void)world_text(&s.w, ADA, "/review 2");
	assert_int_equal(world_deployment(&s.w, 2).exempt.reviewed_at, 0);
	(void)world_text(&s.w, CAROL, "/review 2");
	assert_int_not_equal(world_deployment(&s.w, 2).exempt.reviewed_at, 0);
	world_close(&s.w);
}

/* --- its share --- */

static int
next_gate(struct scene *s, const char *workflow)
{
	of(s, workflow, s->n % 2 == 0 ? "mona" : "ada", "push");
	(void)snprintf(s->job.run, sizeof(s->job.run), "%d", 5000 + s->n++);
	return ask(s, API_GATE, "/v1/gate", PRODUCTION).status;
}

TEST(an_application_cannot_use_up_all_gates)
{
	struct scene s;

	open_scene(&s, "QUEUE_MAX=100");
	for (int n = 0; n < 16; n++)
		assert_int_equal(next_gate(&s, "shop"), 202);
	assert_int_equal(next_gate(&s, "shop"), 429);
	assert_non_null(strstr(s.w.aid.said, "16 gates of this application wait or are open"));
	assert_int_equal(next_gate(&s, "test"), 429);
	assert_int_equal(
	    ask(&s, API_GATE_END, "/v1/gate-end/1", "{\"conclusion\": \"cancelled\"}").status, 404);
	of(&s, "shop", "mona", "push");
	(void)text_copy(s.job.run, sizeof(s.job.run), "5000");
	assert_int_equal(
	    ask(&s, API_GATE_END, "/v1/gate-end/1", "{\"conclusion\": \"cancelled\"}").status, 202);
	assert_int_equal(next_gate(&s, "shop"), 202);
	world_close(&s.w);
}

static void
be_githubs(struct tx *tx, UNUSED void *arg)
{
	(void)tx_run(tx, "UPDATE work_job SET rule = 'production'");
}

/* GitHub's rule does not say in which attempt it asks, so that is counted here. */
TEST(a_run_that_is_behind_githubs_gate_deploys_there_by_no_way)
{
	struct scene s;

	open_scene(&s, NULL);
	assert_int_equal(ask(&s, API_GATE, "/v1/gate", PRODUCTION).status, 202);
	world_act(&s.w, be_githubs, NULL);
	for (s.job.attempt = 1; s.job.attempt <= 3; s.job.attempt++) {
		assert_int_equal(ask(&s, API_COMMAND, "/v1/command/deploy", DEPLOY).status, 409);
		assert_int_equal(ask(&s, API_PUSH, "/v1/push", "{}").status, 409);
	}
	world_close(&s.w);
}

static void
use_tokens(struct tx *tx, void *arg)
{
	(void)tx_run(tx,
	    "INSERT INTO hook_call (hook, key, digest, status, work, at)"
	    " WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)"
	    " SELECT $2, 'used-' || i, zeroblob(32), 202, 0, $1 FROM n",
	    DB_I64(tx->at), DB_TEXT((const char *)arg));
}

/* In that time a used token would be good for another request, were it forgotten. */
static void
check_tokens(const char *uses, const char *repository_id, int64_t life_ms)
{
	struct scene s;

	open_scene(&s, NULL);
	(void)text_copy(s.job.repository_id, sizeof(s.job.repository_id), repository_id);
	world_act(&s.w, use_tokens, (void *)uses);
	assert_int_equal(next_gate(&s, "shop"), 429);
	assert_non_null(strstr(
	    s.w.aid.said, "10000 tokens of this workflow were used that may still be valid"));
	assert_int_not_equal(next_gate(&s, "test"), 429); /* its own */
	s.w.aid.at += life_ms + 5 * 60 * INT64_C(1000);
	assert_int_equal(next_gate(&s, "shop"), 429);
	s.w.aid.at += 2 * 60 * INT64_C(1000);
	assert_int_not_equal(next_gate(&s, "shop"), 429);
	world_close(&s.w);
}

TEST(ten_thousand_tokens_are_used_while_they_live)
{
	check_tokens(":job:github:shop", "456789", 70 * 60 * INT64_C(1000));
	check_tokens(":job:gitlab:shop", "gitlab:22", 23 * 3600 * INT64_C(1000));
}

static void
move_gates(struct tx *tx, void *arg)
{
	(void)tx_run(tx,
	    "UPDATE work SET environment = $1 || '/production' || id WHERE"
	    " environment = 'production'",
	    DB_TEXT((const char *)arg));
}

TEST(all_applications_together_have_sixty_four_gates)
{
	static const char *const others[] = { "a", "b", "c" };
	struct scene s;

	open_scene(&s, "QUEUE_MAX=100");
	for (size_t i = 0; i < 4; i++) {
		for (int n = 0; n < 16; n++)
			assert_int_equal(next_gate(&s, "shop"), 202);
		if (i < COUNT(others))
			world_act(&s.w, move_gates, (void *)others[i]);
	}
	world_act(&s.w, move_gates, "d");
	assert_int_equal(next_gate(&s, "shop"), 429);
	assert_non_null(strstr(s.w.aid.said, "64 gates wait or are open: try again later"));
	world_close(&s.w);
}

/* It would start first, or wait for the end of its own run. */
TEST(a_run_whose_gate_waits_deploys_there_by_no_way)
{
	struct scene s;

	open_scene(&s, NULL);
	assert_int_equal(ask(&s, API_GATE, "/v1/gate", PRODUCTION).status, 202);
	assert_int_equal(ask(&s, API_COMMAND, "/v1/command/deploy", DEPLOY).status, 409);
	assert_non_null(strstr(s.w.aid.said, "production waits for the gate that this run has"));
	assert_int_equal(ask(&s, API_PUSH, "/v1/push", "{}").status, 409);
	assert_non_null(strstr(s.w.aid.said, "production waits for the gate that this run has"));
	(void)text_copy(s.job.run, sizeof(s.job.run), "4712");
	assert_int_equal(ask(&s, API_PUSH, "/v1/push", "{}").status, 202);
	assert_int_equal(ask(&s, API_COMMAND, "/v1/command/deploy", DEPLOY).status, 200);
	world_close(&s.w);
}

TEST(a_job_deploys_nothing_that_its_branch_has_left)
{
	struct scene s = { .job = JOB_OF_SHOP };

	world_open(&s.w, "ENABLE_API_SERVER=true", "PUBLIC_URL=https://bot.example.org",
	    "GITHUB_REPOSITORY=octo/shop", "PRODUCTION_CONFIRM=false",
	    "WORKFLOW_SHOP_IS=github 456789 deploy.yml@refs/heads/main",
	    "WORKFLOW_SHOP_MAY=deploy:production", NULL);
	assert_int_equal(ask(&s, API_COMMAND, "/v1/command/deploy", DEPLOY).status, 200);
	world_git(&s.w,
	    (struct world_git){
		.commit = COMMIT_A, .branch_commit = COMMIT_B, .is_off_branch = true });
	assert_int_equal(world_newest(&s.w, "production").state, DEPLOY_REFUSED);
	world_close(&s.w);
}

static void
check_gates(struct scene *s, const char *workflow, const char *repository)
{
	(void)text_copy(s->job.repository, sizeof(s->job.repository), repository);
	for (int n = 0; n < 16; n++)
		if (next_gate(s, workflow) != 202)
			fail_msg("%s: %d: %s", workflow, n, s->w.aid.said);
	assert_int_equal(next_gate(s, workflow), 429);
}

TEST(gates_of_another_application_are_its_own)
{
	static const char file[] =
	    "WORKFLOW_SHIP_IS=github 9 ship.yml@refs/heads/main\nWORKFLOW_SHIP_MAY=gate:production\n"
	    "PRODUCTION_APPROVALS=1\n";
	struct scene s;
	char apps[160];

	open_scene(&s, "QUEUE_MAX=100");
	world_application(&s.w, "web", file);
	world_application(&s.w, "blog", file);
	(void)snprintf(apps, sizeof(apps), "APPS_DIRECTORY=%s/apps", s.w.aid.folder);
	world_settings(&s.w, "ENABLE_API_SERVER=true", "PUBLIC_URL=https://bot.example.org",
	    "ROLE_RATE_LIMIT=0", "GITHUB_REPOSITORY=", apps, NULL);
	world_act(&s.w, use_tokens, ":job:github:web/other");
	check_gates(&s, "web/ship", "acme/web");
	check_gates(&s, "blog/ship", "acme/blog");
	world_close(&s.w);
}

/* A job that has lost the answer reads why, not that it has asked before. */
TEST(a_refusal_is_answered_alike_when_it_comes_again)
{
	static const char other[] = "{\"environment\":\"production\",\"ref\":\"refs/heads/other\"}";
	char token[JOB_ID];
	struct scene s;

	open_scene(&s, NULL);
	(void)text_copy(token, sizeof(token), s.job.token);
	for (int i = 0; i < 2; i++) {
		(void)text_copy(s.job.token, sizeof(s.job.token), token);
		assert_int_equal(ask(&s, API_GATE, "/v1/gate", other).status, 409);
		assert_non_null(strstr(s.w.aid.said, "leave it out"));
	}
	(void)text_copy(token, sizeof(token), s.job.token);
	for (int i = 0; i < 2; i++) {
		(void)text_copy(s.job.token, sizeof(s.job.token), token);
		assert_int_equal(next_gate(&s, "shop"), 202);
		assert_int_equal(strstr(s.w.aid.said, "the same request came before") != NULL, i);
	}
	world_close(&s.w);
}

static struct answer
asks_by(struct scene *s, const char *token, enum api_operation operation, const char *path,
    const char *body)
{
	(void)text_copy(s->job.token, sizeof(s->job.token), token);
	s->job.digest[0] = (uint8_t)(strlen(path) + strlen(body)); /* of each request its own */
	return ask(s, operation, path, body);
}

static void
count_notes(struct tx *tx, void *arg)
{
	*(int64_t *)arg = tx_number(tx, "SELECT COUNT(*) FROM hook_call");
}

TEST(what_is_refused_takes_up_no_place_and_its_token_changes_one_thing)
{
	static const char staging[] = "{\"environment\": \"staging\"}";
	static const char other[] = "{\"environment\":\"production\",\"ref\":\"refs/heads/other\"}";
	struct scene s;
	int64_t n;

	open_scene(&s, NULL);
	assert_int_equal(asks_by(&s, "r-1", API_GATE, "/v1/gate", staging).status, 403);
	assert_int_equal(
	    asks_by(&s, "r-1", API_GATE_END, "/v1/gate-end/7", "{\"conclusion\": \"failure\"}")
		.status,
	    404);
	world_act(&s.w, count_notes, &n);
	assert_int_equal(n, 0);
	/* What it is good for yet is one change, and then nothing else. */
	assert_int_equal(asks_by(&s, "r-1", API_GATE, "/v1/gate", PRODUCTION).status, 202);
	assert_int_equal(asks_by(&s, "r-1", API_PUSH, "/v1/push", "{}").status, 401);
	assert_int_equal(asks_by(&s, "r-1", API_GATE, "/v1/gate", staging).status, 401);
	(void)text_copy(s.job.run, sizeof(s.job.run), "4712");
	/* What is refused for what is so now is not done later by who has it from a log. */
	assert_int_equal(asks_by(&s, "r-2", API_GATE, "/v1/gate", other).status, 409);
	assert_int_equal(asks_by(&s, "r-2", API_GATE, "/v1/gate", PRODUCTION).status, 401);
	world_close(&s.w);
}

/* Else a token would be good for another request at the end of its life. */
TEST(what_a_token_was_used_for_is_known_as_long_as_any_token_lives)
{
	for (size_t i = 0; i < JOB_FORGES; i++)
		assert_true(job_forges[i].life_ms + 2 * JWT_LEEWAY < ROW_HOOK_KEY_MS);
}
