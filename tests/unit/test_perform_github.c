/* Goal: a forge is asked for what an effect wants, in its order, and what it answers is said as what it means.
 * Side: start. */
/* SPDX-License-Identifier: ISC */
#include <string.h>
#include <time.h>

#include "clients/forge_api.h"
#include "effects/perform_inside.h"
#include "lib/http_server.h"
#include "lib/http_server_inside.h"
#include "lib/text.h"
#include "settings_aid.h"
#include "tests/unit/until.h"

#define WORD	"d5f1a0c27b9e4683"
#define RUN	4711
#define COMMENT "approved by Ada, #31"
#define COMMIT	"45f707645f707645f707645f707645f707645f70"
#define TOKENS \
	"GITHUB_API_TOKEN=ghp_0123456789abcdef0123", "GITLAB_API_TOKEN=glpat-4Kx9Qm2Rv74Kx9Qm2Rv7"
/* As GitHub has one of its runs (docs.github.com/rest/actions/workflow-runs). */
#define A_RUN(title) \
	"{\"id\":4711,\"run_number\":10,\"run_attempt\":2,\"event\":\"workflow_dispatch\"," \
	"\"head_branch\":\"main\",\"head_sha\":\"" COMMIT "\"," \
	"\"path\":\".github/workflows/release.yml\",\"status\":\"in_progress\"," \
	"\"conclusion\":null," \
	"\"display_title\":\"" title "\",\"actor\":{\"login\":\"mona\"}," \
	"\"repository\":{\"id\":7,\"full_name\":\"acme/shop\"},\"head_repository\":{\"id\":7}}"
#define REPO_PATH "/repos/acme/shop"
#define ITS_RUN	  REPO_PATH "/actions/runs/4711"
#define WAITS(can) \
	"[{\"environment\":{\"id\":1,\"name\":\"preview\"}}," \
	"{\"environment\":{\"id\":9,\"name\":\"Production\"},\"current_user_can_approve\":" can \
	"}]"

/* What is to be asked next (no query), with what in its body ("": nothing), and the answer. */
struct exchange {
	const char *line, *body;
	int status;
	const char *answer;
};

struct scene {
	struct loop *loop;
	struct loop_timer patience;
	bool is_over;
	struct http_server *server;
	struct http_route routes[4];
	struct settings *settings;
	struct perform perform;
	struct event *result;
	const struct exchange *next;
	const char *limit; /* of calls in an hour; NULL: nothing is said of one */
};

static void
on_request(struct http_request *request, void *ctx)
{
	struct scene *s = ctx;
	const struct exchange *now = s->next++;
	char line[256];
	size_t size;
	char *body = http_request_take_body(request, &size);

	(void)snprintf(line, sizeof(line), "%s %s", request->method, request->path);
	assert_non_null(now->line);
	assert_string_equal(line, now->line);
	if (now->body[0] == '\0')
		assert_true(body == NULL || size == 0);
	else
		assert_string_equal(body, now->body);
	free(body);
	(void)snprintf(line, sizeof(line), "%lld", (long long)time(NULL) + 600);
	http_request_answer(request, now->status,
	    s->limit == NULL ? NULL :
			       (const struct http_header[]){ { "X-RateLimit-Limit", s->limit },
				   { "X-RateLimit-Reset", line }, { NULL, NULL } },
	    now->answer, strlen(now->answer));
}

static void
take(void *ctx, struct event *event)
{
	struct scene *s = ctx;

	assert_null(s->result);
	s->result = event;
}

static void
on_impatient(UNUSED struct loop_timer *timer, void *ctx)
{
	((struct scene *)ctx)->is_over = true;
}

static struct settings *
load(struct scene *s, const char *more)
{
	char github[64], gitlab[64];
	struct settings *ret;

	(void)snprintf(github, sizeof(github), "GITHUB_API_URL=http://127.0.0.1:%u",
	    http_server_port(s->server));
	(void)snprintf(
	    gitlab, sizeof(gitlab), "GITLAB_URL=http://127.0.0.1:%u", http_server_port(s->server));
	ret = LOAD(NULL, COMPLETE, github, gitlab, TOKENS,
	    "REPOSITORY_URL=ssh://git@127.0.0.1/group/shop.git", "REPOSITORY_PATH=group/shop",
	    "WATCH_PIPELINES=none", "PIPELINE_RELEASE=release.yml ref=main version=? deploybot=?",
	    "PIPELINE_ALL=.gitlab-ci.yml ref=main version=?", more);
	if (ret == NULL)
		fail_msg("%s", settings_said.lines[0].text);
	return ret;
}

static int
begin(void **state)
{
	static const char *const paths[] = { "/repos/", "/api/v4/" };
	struct scene *s = calloc(1, sizeof(*s));
	struct http_server_config config = { .routes = s->routes, .route_count = 4 };

	s->loop = loop_new(NULL);
	loop_timer_init(&s->patience, on_impatient, s);
	for (size_t i = 0; i < 4; i++)
		s->routes[i] = (struct http_route){ .methods = i < 2 ? "GET" : "POST",
			.path = paths[i % 2],
			.body_max = i < 2 ? 0 : 4096,
			.answer_timeout_ms = 60000,
			.on_request = on_request,
			.ctx = s };
	s->server = http_server_new(s->loop, &config, "127.0.0.1:0", NULL);
	assert_non_null(s->server);
	s->settings = load(s, NULL);
	s->perform = (struct perform){ .loop = s->loop,
		.github = forge_api_new(s->loop, NULL),
		.submit = take,
		.submit_ctx = s };
	*state = s;
	return 0;
}

static int
finish(void **state)
{
	struct scene *s = *state;

	event_free(s->result);
	perform_done(&s->perform);
	assert_null(s->perform.jobs);
	forge_api_free(s->perform.github);
	loop_timer_stop(&s->patience);
	http_server_free(s->server);
	settings_unref(s->settings);
	loop_free(s->loop);
	free(s);
	return 0;
}

#define SCENE_TEST(name) TEST_OF(name, struct scene *s, begin, finish)

/* Performs it over these exchanges, all of which take place. */
static struct forge_said
perform(struct scene *s, struct effect *effect, const struct exchange *exchanges)
{
	struct forge_said said;

	effect->id = 7;
	effect->subject = 31;
	effect->settings = settings_ref(s->settings);
	s->next = exchanges;
	perform_effect(&s->perform, effect);
	UNTIL(s, s->result != NULL);
	assert_int_equal(s->result->kind, EVENT_FORGE_SAID);
	assert_int_equal(s->result->effect, 7);
	assert_null(s->perform.jobs);
	assert_null(s->next->line);
	said = s->result->u.forge_said;
	event_free(TAKE(s->result));
	return said;
}

#define OVER(...) \
	(const struct exchange[]) \
	{ \
		__VA_ARGS__, \
		{ \
			NULL, NULL, 0, NULL \
		} \
	}

static struct forge_said
forge(struct scene *s, enum effect_kind kind, struct effect_forge what,
    const struct exchange *exchanges)
{
	struct effect *effect = effect_new(kind);

	(void)text_copy(what.environment, sizeof(what.environment), "staging");
	(void)text_copy(what.pipeline, sizeof(what.pipeline), what.at_gitlab ? "all" : "release");
	(void)text_copy(what.words, sizeof(what.words), "1.2.3");
	(void)text_copy(what.nonce, sizeof(what.nonce), WORD);
	effect->u.forge = what;
	return perform(s, effect, exchanges);
}

/* --- runs that we begin --- */

#define DISPATCHES REPO_PATH "/actions/workflows/release.yml/dispatches"
#define INPUTS	   "{\"ref\":\"main\",\"inputs\":{\"version\":\"1.2.3\",\"deploybot\":\"" WORD "\"}"
#define PROJECT	   "/api/v4/projects/group%2Fshop"

SCENE_TEST(a_run_is_begun_by_its_file_with_its_inputs_and_has_its_number)
{
	struct forge_said said = forge(s, EFFECT_FORGE_START, (struct effect_forge){ 0 },
	    OVER({ "POST " DISPATCHES, INPUTS ",\"return_run_details\":true}", 200,
		"{\"workflow_run_id\":4711}" }));

	assert_int_equal(said.verdict, FORGE_SAYS_DONE);
	assert_int_equal(said.run.run, RUN);
	assert_string_equal(said.why, "");
	said = forge(s, EFFECT_FORGE_START, (struct effect_forge){ .is_plain = true },
	    OVER({ "POST " DISPATCHES, INPUTS "}", 204, "" }));
	assert_int_equal(said.verdict, FORGE_SAYS_DONE);
	assert_int_equal(said.run.run, 0);
	said = forge(s, EFFECT_FORGE_START, (struct effect_forge){ .at_gitlab = true },
	    OVER({ "POST " PROJECT "/pipeline",
		"{\"ref\":\"main\",\"inputs\":{\"version\":\"1.2.3\"}}", 201, "{\"id\":4711}" }));
	assert_int_equal(said.verdict, FORGE_SAYS_DONE);
	assert_int_equal(said.run.run, RUN);
}

/* A POST is sent once: what may have been done is looked for, and is not said to have failed. */
SCENE_TEST(what_begins_nothing_is_a_no_and_what_may_have_begun_something_is_not)
{
	static const struct {
		int status;
		const char *answer;
		enum forge_verdict verdict;
	} rows[] = {
		{ 404, "{\"message\":\"Not Found\"}", FORGE_SAYS_NO },
		{ 403, "{\"message\":\"Resource not accessible\"}", FORGE_SAYS_NO },
		{ 401, "{\"message\":\"Bad credentials\"}", FORGE_SAYS_NO },
		{ 422, "{\"message\":\"Unexpected inputs provided: [\\\"version\\\"]\"}",
		    FORGE_SAYS_NO },
		{ 422, "{\"message\":\"\\\"return_run_details\\\" is not a permitted key.\"}",
		    FORGE_SAYS_UNFIT },
		{ 500, "{}", FORGE_SAYS_NOTHING },
		{ 502, "<html>", FORGE_SAYS_NOTHING },
		{ 200, "{\"workflow_run_id\":", FORGE_SAYS_NOTHING },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct forge_said said = forge(s, EFFECT_FORGE_START, (struct effect_forge){ 0 },
		    OVER({ "POST " DISPATCHES, INPUTS ",\"return_run_details\":true}",
			rows[i].status, rows[i].answer }));

		if (said.verdict != rows[i].verdict || said.why[0] == '\0')
			fail_msg("row %zu: verdict %d, %s", i, said.verdict, said.why);
	}
}

SCENE_TEST(a_start_of_before_a_restart_is_sent_no_second_time)
{
	struct effect *effect = effect_new(EFFECT_FORGE_START);
	struct forge_said said;

	effect->is_recovered = true;
	said = perform(s, effect, OVER({ NULL, NULL, 0, NULL }));
	assert_int_equal(said.verdict, FORGE_SAYS_NOTHING);
	assert_true(said.retry_after_s > 0);
}

SCENE_TEST(a_run_is_looked_for_by_its_word_and_then_by_its_number)
{
	const struct effect_forge unknown = { 0 }, known = { .run = RUN };
	const char *list = "GET " REPO_PATH "/actions/workflows/release.yml/runs";
	struct forge_said said = forge(s, EFFECT_FORGE_LOOK, unknown,
	    OVER({ list, "", 200,
		"{\"workflow_runs\":[" A_RUN("Nightly") "," A_RUN("Release " WORD) "]}" }));

	assert_int_equal(said.verdict, FORGE_SAYS_DONE);
	assert_int_equal(said.run.run, RUN);
	assert_int_equal(said.run.attempt, 2);
	assert_int_equal(said.run.rank, PIPELINE_RUNS);
	said = forge(s, EFFECT_FORGE_LOOK, unknown,
	    OVER({ list, "", 200, "{\"workflow_runs\":[" A_RUN("Nightly") "]}" }));
	assert_int_equal(said.verdict, FORGE_SAYS_GONE);
	assert_string_equal(said.why, "it lists no such run");
	said = forge(s, EFFECT_FORGE_LOOK, known, OVER({ "GET " ITS_RUN, "", 200, A_RUN("x") }));
	assert_int_equal(said.verdict, FORGE_SAYS_DONE);
	said =
	    forge(s, EFFECT_FORGE_LOOK, known, OVER({ "GET " ITS_RUN, "", 200, "{\"id\":4711}" }));
	assert_int_equal(said.verdict, FORGE_SAYS_NOTHING);
	said = forge(s, EFFECT_FORGE_LOOK, known, OVER({ "GET " ITS_RUN, "", 404, "{}" }));
	assert_int_equal(said.verdict, FORGE_SAYS_GONE);
	said = forge(s, EFFECT_FORGE_LOOK, known, OVER({ "GET " ITS_RUN, "", 503, "{}" }));
	assert_int_equal(said.verdict, FORGE_SAYS_NOTHING);
}

/* --- what is to end --- */

SCENE_TEST(a_run_of_ours_is_cancelled_by_one_request)
{
	const struct effect_forge run = { .run = RUN };
	const char *cancel = "POST " ITS_RUN "/cancel";

	assert_int_equal(forge(s, EFFECT_FORGE_STOP, run, OVER({ cancel, "", 202, "{}" })).verdict,
	    FORGE_SAYS_DONE);
	assert_int_equal(forge(s, EFFECT_FORGE_STOP, run, OVER({ cancel, "", 404, "{}" })).verdict,
	    FORGE_SAYS_GONE);
	assert_int_equal(forge(s, EFFECT_FORGE_STOP, run, OVER({ cancel, "", 409, "{}" })).verdict,
	    FORGE_SAYS_NOTHING);
	assert_int_equal(forge(s, EFFECT_FORGE_STOP, run, OVER({ cancel, "", 403, "{}" })).verdict,
	    FORGE_SAYS_NO);
}

/* What runs there since the gate's job has ended is not the gate's. */
SCENE_TEST(the_run_of_a_gate_is_cancelled_only_while_its_job_goes_on)
{
#define JOBS ITS_RUN "/attempts/2/jobs"
#define JOB_OF(state) \
	"{\"jobs\":[{\"id\":1,\"status\":\"completed\"},{\"id\":55,\"status\":\"" state "\"}]}"
	const char *cancel = "POST " ITS_RUN "/cancel",
		   *statuses = "GET " REPO_PATH "/deployments/6/statuses";
	struct effect_forge gate = { .run = RUN, .attempt = 2, .is_gates = true, .job = "55" };

	assert_int_equal(
	    forge(s, EFFECT_FORGE_STOP, gate,
		OVER({ "GET " JOBS, "", 200, JOB_OF("in_progress") }, { cancel, "", 202, "{}" }))
		.verdict,
	    FORGE_SAYS_DONE);
	assert_int_equal(
	    forge(s, EFFECT_FORGE_STOP, gate, OVER({ "GET " JOBS, "", 200, JOB_OF("completed") }))
		.verdict,
	    FORGE_SAYS_GONE);
	gate.deployment = 6;
	assert_int_equal(forge(s, EFFECT_FORGE_STOP, gate,
			     OVER({ statuses, "", 200, "[{\"state\":\"failure\"}]" }))
			     .verdict,
	    FORGE_SAYS_GONE);
	assert_int_equal(
	    forge(s, EFFECT_FORGE_STOP, gate,
		OVER({ statuses, "", 200, "[{\"state\":\"waiting\"}]" }, { cancel, "", 202, "{}" }))
		.verdict,
	    FORGE_SAYS_DONE);
	gate =
	    (struct effect_forge){ .run = RUN, .is_gates = true, .job = "55", .at_gitlab = true };
	assert_int_equal(
	    forge(s, EFFECT_FORGE_STOP, gate,
		OVER({ "POST " PROJECT "/jobs/55/cancel", "", 201, "{\"status\":\"canceled\"}" }))
		.verdict,
	    FORGE_SAYS_DONE);
	assert_int_equal(
	    forge(s, EFFECT_FORGE_STOP, gate,
		OVER({ "POST " PROJECT "/jobs/55/cancel", "", 201, "{\"status\":\"success\"}" }))
		.verdict,
	    FORGE_SAYS_GONE);
}

/* --- a gate that GitHub waits for --- */

static struct forge_said
answer(struct scene *s, struct effect_forge_answer what, const struct exchange *exchanges)
{
	struct effect *effect = effect_new(EFFECT_FORGE_ANSWER);

	(void)text_copy(what.environment, sizeof(what.environment), "production");
	(void)text_copy(what.repository, sizeof(what.repository), "acme/shop");
	(void)text_copy(what.run, sizeof(what.run), "4711");
	(void)text_copy(what.target, sizeof(what.target), "production");
	(void)text_copy(what.comment, sizeof(what.comment), COMMENT);
	effect->u.forge_answer = what;
	return perform(s, effect, exchanges);
}

#define RULE	 "POST " ITS_RUN "/deployment_protection_rule"
#define RULES_OF "{\"environment_name\":\"production\","
#define SAYS_SO	 "\"comment\":\"" COMMENT "\"}"

SCENE_TEST(a_rule_is_answered_by_the_name_of_its_environment)
{
	static const struct {
		bool is_approved, is_report;
		const char *body;
		int status;
		enum forge_verdict verdict;
	} rows[] = {
		{ true, false, RULES_OF "\"state\":\"approved\"," SAYS_SO, 204, FORGE_SAYS_DONE },
		{ false, false, RULES_OF "\"state\":\"rejected\"," SAYS_SO, 204, FORGE_SAYS_DONE },
		{ false, true, RULES_OF SAYS_SO, 204, FORGE_SAYS_DONE },
		{ true, false, RULES_OF "\"state\":\"approved\"," SAYS_SO, 404, FORGE_SAYS_GONE },
		{ true, false, RULES_OF "\"state\":\"approved\"," SAYS_SO, 422, FORGE_SAYS_GONE },
		{ true, false, RULES_OF "\"state\":\"approved\"," SAYS_SO, 502,
		    FORGE_SAYS_NOTHING },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct effect_forge_answer what = { .is_approved = rows[i].is_approved,
			.is_report = rows[i].is_report };
		const char *said = rows[i].status == 204 ? "" : "{\"message\":\"x\"}";

		if (answer(s, what, OVER({ RULE, rows[i].body, rows[i].status, said })).verdict !=
		    rows[i].verdict)
			fail_msg("row %zu", i);
	}
}

/* Of ten calls looks may use two, what people press three. */
SCENE_TEST(what_people_press_is_asked_though_looks_have_used_their_part)
{
	const struct effect_forge run = { .run = RUN };
	const struct exchange look = { "GET " ITS_RUN, "", 200, A_RUN("x") };

	s->limit = "10";
	for (int i = 0; i < 2; i++)
		assert_int_equal(
		    forge(s, EFFECT_FORGE_LOOK, run, OVER(look)).verdict, FORGE_SAYS_DONE);
	assert_int_equal(forge(s, EFFECT_FORGE_LOOK, run, OVER({ NULL, NULL, 0, NULL })).verdict,
	    FORGE_SAYS_NOTHING);
	assert_int_equal(answer(s, (struct effect_forge_answer){ .is_report = true },
			     OVER({ NULL, NULL, 0, NULL }))
			     .verdict,
	    FORGE_SAYS_NOTHING);
	assert_int_equal(forge(s, EFFECT_FORGE_START, (struct effect_forge){ .is_plain = true },
			     OVER({ "POST " DISPATCHES, INPUTS "}", 204, "" }))
			     .verdict,
	    FORGE_SAYS_DONE);
	assert_int_equal(
	    forge(s, EFFECT_FORGE_STOP, run, OVER({ "POST " ITS_RUN "/cancel", "", 202, "{}" }))
		.verdict,
	    FORGE_SAYS_DONE);
	assert_int_equal(answer(s, (struct effect_forge_answer){ .is_approved = true },
			     OVER({ RULE, RULES_OF "\"state\":\"approved\"," SAYS_SO, 204, "" }))
			     .verdict,
	    FORGE_SAYS_DONE);
	assert_int_equal(forge(s, EFFECT_FORGE_STOP, run, OVER({ NULL, NULL, 0, NULL })).verdict,
	    FORGE_SAYS_NOTHING);
}

/* A yes that has come there counts for whichever job waits next. */
SCENE_TEST(a_second_yes_is_given_only_where_the_first_has_not_come)
{
	const struct effect_forge_answer again = {
		.is_approved = true, .deployment = 6, .pause_s = 5
	};
	const char *statuses = "GET " REPO_PATH "/deployments/6/statuses";

	assert_int_equal(answer(s, again,
			     OVER({ statuses, "", 200, "[{\"state\":\"waiting\"}]" },
				 { RULE, RULES_OF "\"state\":\"approved\"," SAYS_SO, 204, "" }))
			     .verdict,
	    FORGE_SAYS_DONE);
	assert_int_equal(
	    answer(s, again, OVER({ statuses, "", 200, "[{\"state\":\"in_progress\"}]" })).verdict,
	    FORGE_SAYS_GONE);
}

SCENE_TEST(a_reviewer_answers_by_the_number_of_the_environment_that_waits)
{
	const char *list = "GET " ITS_RUN "/pending_deployments",
		   *post = "POST " ITS_RUN "/pending_deployments",
		   *approvals = "GET " ITS_RUN "/approvals";
	struct effect_forge_answer yes = { .is_approved = true };
	struct forge_said said;

	settings_unref(s->settings);
	s->settings = load(s, "PRODUCTION_GATE_REVIEWER=true");
#define REVIEW "{\"environment_ids\":[9],\"state\":\"approved\"," SAYS_SO
	said = answer(s, yes, OVER({ list, "", 200, WAITS("true") }, { post, REVIEW, 200, "[]" }));
	assert_int_equal(said.verdict, FORGE_SAYS_DONE);
	said = answer(s, yes, OVER({ list, "", 200, WAITS("false") }));
	assert_int_equal(said.verdict, FORGE_SAYS_NOTHING);
	assert_string_equal(said.why, "the owner of GITHUB_API_TOKEN may not review there");
	said = answer(s, yes, OVER({ list, "", 200, "[]" }));
	assert_int_equal(said.verdict, FORGE_SAYS_GONE);
	said = answer(s, yes, OVER({ list, "", 404, "{}" }));
	assert_int_equal(said.verdict, FORGE_SAYS_NOTHING);
	yes.pause_s = 5;
	said = answer(s, yes,
	    OVER({ approvals, "", 200, "[{\"state\":\"approved\",\"comment\":\"another's\"}]" },
		{ list, "", 200, WAITS("true") }, { post, REVIEW, 200, "[]" }));
	assert_int_equal(said.verdict, FORGE_SAYS_DONE);
	said =
	    answer(s, yes, OVER({ approvals, "", 200, "[{\"state\":\"approved\"," SAYS_SO "]" }));
	assert_int_equal(said.verdict, FORGE_SAYS_DONE);
}
