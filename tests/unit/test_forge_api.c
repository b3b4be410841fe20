/* Goal: an App's token is asked for once for its repositories, kept, renewed, and waited for.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "clients/forge_api.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "jwt_aid.h"
#include "lib/http_server.h"
#include "lib/http_server_inside.h"
#include "lib/json.h"
#include "settings/sources/settings_load.h"
#include "tests/unit/until.h"
#include "types/settings.h"

#define PERSON	    "github_pat_0123456789abcdefghij"
#define PROJECT	    "glpat-4Kx9Qm2Rv74Kx9Qm2Rv7"
#define SCRIPTS_MAX 8
#define ASKED_MAX   96

/* What was asked, and with what. */
struct asked {
	char line[160]; /* "GET /repos/octo/shop" */
	char authorization[1200];
	char *body;
};

/* What the next request is answered whose path ends so. */
struct script {
	const char *end;
	int status;
	const char *body;
	bool is_used;
};

struct world {
	struct loop *loop;
	struct loop_timer patience;
	bool is_over;
	struct http_server *server;
	struct http_route routes[4];
	struct settings *settings;
	struct forge_api *api;
	size_t n_scripts, n_asked, n_kept;
	struct script scripts[SCRIPTS_MAX];
	struct asked asked[ASKED_MAX];
	struct http_request *kept[ASKED_MAX];
	bool keeps;	   /* nobody is answered */
	const char *limit; /* x-ratelimit-limit */
	int tokens;
	char installation[96];
};

/* What became of a call. */
struct outcome {
	unsigned times;
	struct forge_api_answer answer;
	int64_t said; /* "ok" of its body */
};

/* Time passes as a test wants it, for libev too.  The clock on the wall stands still otherwise, so
 * that what is signed twice, with its second in it, is the same. */
static time_t ahead_s, begin_s;

int
clock_gettime(clockid_t clock, struct timespec *ret)
{
	int status = (int)syscall(SYS_clock_gettime, clock, ret);

	if (clock == CLOCK_REALTIME) {
		begin_s = begin_s == 0 ? ret->tv_sec : begin_s;
		*ret = (struct timespec){ .tv_sec = begin_s };
	}
	ret->tv_sec += ahead_s;
	return status;
}

/* --- the other side --- */

static void
reply(struct world *w, struct http_request *request, int status, const char *body)
{
	char reset[32];
	const struct http_header headers[] = { { "X-RateLimit-Limit", w->limit },
		{ "X-RateLimit-Reset", reset },
		{ status == 301 ? "Location" : NULL, "/repos/octo/shop" }, { NULL, NULL } };

	(void)snprintf(reset, sizeof(reset), "%lld", (long long)(begin_s + ahead_s + 600));
	http_request_answer(
	    request, status, w->limit == NULL ? headers + 3 : headers, body, strlen(body));
}

static void
play(struct world *w, struct http_request *request)
{
	static char huge[FORGE_API_ANSWER_MAX + 2];
	char body[160];

	for (size_t i = 0; i < w->n_scripts; i++) {
		struct script *script = &w->scripts[i];
		size_t size = strlen(script->end), all = strlen(request->path);

		if (script->is_used || all < size ||
		    strcmp(request->path + all - size, script->end) != 0)
			continue;
		script->is_used = true;
		memset(huge, 'x', sizeof(huge) - 1);
		reply(w, request, script->status, script->body == NULL ? huge : script->body);
		return;
	}
	(void)snprintf(body, sizeof(body), "{\"ok\":%zu}", w->n_asked);
	if (strstr(request->path, "/access_tokens") != NULL)
		(void)snprintf(body, sizeof(body), "{\"token\":\"ghs_token_%d\"}", ++w->tokens);
	else if (strstr(request->path, "/installation") != NULL)
		(void)snprintf(body, sizeof(body), "%s", w->installation);
	reply(w, request, 200, body);
}

static void
copy(char *out, size_t room, const char *text)
{
	(void)snprintf(out, room, "%s", text == NULL ? "" : text);
}

static void
on_request(struct http_request *request, void *ctx)
{
	struct world *w = ctx;
	struct asked *asked = &w->asked[w->n_asked++];
	size_t size;

	assert_true(w->n_asked < ASKED_MAX);
	(void)snprintf(asked->line, sizeof(asked->line), "%s %s", request->method, request->path);
	copy(asked->authorization, sizeof(asked->authorization),
	    http_request_header(request, "Authorization"));
	if (strstr(request->path, "/api/v4/") == NULL) {
		assert_string_equal(
		    http_request_header(request, "X-GitHub-Api-Version"), "2022-11-28");
		assert_string_equal(
		    http_request_header(request, "Accept"), "application/vnd.github+json");
	}
	assert_string_equal(http_request_header(request, "User-Agent"), "deploybot");
	asked->body = http_request_take_body(request, &size);
	if (w->keeps)
		w->kept[w->n_kept++] = request;
	else
		play(w, request);
}

/* --- the scene --- */

static void
on_patience_over(UNUSED struct loop_timer *timer, void *ctx)
{
	((struct world *)ctx)->is_over = true;
}

static int
set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	static const char *const paths[] = { "/app", "/app/", "/repos/", "/api/v4/" };
	static char base[64], lab[64], key[8192];
	char *const environment[] = { "TELEGRAM_BOT_TOKEN=1:abcdefghijklmnopqrst",
		"ADMIN_TELEGRAM_IDS=1", "GITHUB_REPOSITORY=octo/shop", "GITHUB_APP_ID=12345",
		"WATCH_PIPELINES=none", "GITHUB_API_TOKEN=" PERSON, "GITLAB_API_TOKEN=" PROJECT,
		key, base, lab, NULL };
	struct http_server_config config = { .routes = w->routes, .route_count = COUNT(paths) };
	static struct settings_report report;

	ahead_s = 0;
	w->loop = loop_new(NULL);
	loop_timer_init(&w->patience, on_patience_over, w);
	for (size_t i = 0; i < COUNT(paths); i++)
		w->routes[i] = (struct http_route){ .methods = i == 1 ? "POST" : "GET",
			.path = paths[i],
			.body_max = i == 1 ? 65536 : 0,
			.answer_timeout_ms = 60000,
			.on_request = on_request,
			.ctx = w };
	w->server = http_server_new(w->loop, &config, "127.0.0.1:0", NULL);
	assert_non_null(w->server);
	(void)snprintf(
	    base, sizeof(base), "GITHUB_API_URL=http://127.0.0.1:%u/", http_server_port(w->server));
	(void)snprintf(
	    lab, sizeof(lab), "GITLAB_URL=http://127.0.0.1:%u", http_server_port(w->server));
	(void)snprintf(key, sizeof(key), "GITHUB_APP_KEY=%s", jwt_aid_key);
	if (key[strlen(key) - 1] == '\n')
		key[strlen(key) - 1] = '\0';
	if (!settings_load(NULL, environment, &w->settings, &report))
		fail_msg("%s", report.lines[0].text);
	w->api = forge_api_new(w->loop, NULL);
	assert_non_null(w->api);
	copy(w->installation, sizeof(w->installation),
	    "{\"id\":7,\"permissions\":{\"metadata\":\"read\",\"actions\":\"write\"}}");
	*state = w;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *w = *state;

	forge_api_free(w->api);
	settings_unref(w->settings);
	w->keeps = false;
	for (size_t i = 0; i < w->n_kept; i++)
		play(w, w->kept[i]);
	http_server_free(w->server);
	loop_free(w->loop);
	for (size_t i = 0; i < w->n_asked; i++)
		free(w->asked[i].body);
	free(w);
	return 0;
}

#define SCENE_TEST(name) TEST_OF(name, struct world *w, set_up, tear_down)

static void
on_done(void *ctx, const struct forge_api_answer *answer, const struct json *body)
{
	struct outcome *outcome = ctx;

	outcome->times++;
	outcome->answer = *answer;
	outcome->said = json_get_i64_or(body, "ok", 0);
}

static struct forge_api_call *
start(struct world *w, struct forge_api_request request, struct outcome *outcome)
{
	struct forge_api_call *call;
	struct err err;

	*outcome = (struct outcome){ 0 };
	request.settings = w->settings;
	request.path = request.path == NULL ? "" : request.path;
	request.on_done = on_done;
	request.ctx = outcome;
	call = forge_api_start(w->api, &request, &err);
	if (call == NULL)
		fail_msg("%s", err.text);
	assert_int_equal(outcome->times, 0);
	return call;
}

/* About a repository, as the App. */
static struct forge_api_call *
ask(struct world *w, const char *repository, struct outcome *outcome)
{
	return start(w, (struct forge_api_request){ .repository = repository }, outcome);
}

static void
turn_until(struct world *w, const unsigned *times)
{
	UNTIL(w, *times > 0);
	assert_int_equal(*times, 1);
}

static enum forge_api_verdict
verdict_of(struct world *w, const char *repository)
{
	struct outcome outcome;

	(void)ask(w, repository, &outcome);
	turn_until(w, &outcome.times);
	if (outcome.answer.verdict == FORGE_API_REFUSED)
		fail_msg("%s", outcome.answer.detail);
	return outcome.answer.verdict;
}

static void
script(struct world *w, const char *end, int status, const char *body)
{
	assert_true(w->n_scripts < SCRIPTS_MAX);
	w->scripts[w->n_scripts++] = (struct script){ end, status, body, false };
}

static size_t
count(const struct world *w, const char *line)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_asked; i++)
		n += strcmp(w->asked[i].line, line) == 0;
	return n;
}

#define FIND(repository) "GET /repos/" repository "/installation"
#define MAKE		 "POST /app/installations/7/access_tokens"

/* --- tests --- */

SCENE_TEST(a_token_is_asked_for_once_and_used_for_each_call)
{
	static const char *const lines[] = { FIND("octo/shop"), MAKE, "GET /repos/octo/shop",
		"GET /repos/octo/shop" };
	struct outcome outcome;

	assert_int_equal(verdict_of(w, "octo/shop"), FORGE_API_DONE);
	(void)ask(w, "Octo/Shop", &outcome);
	turn_until(w, &outcome.times);
	assert_int_equal(outcome.answer.verdict, FORGE_API_DONE);
	assert_int_equal(outcome.said, 4);
	assert_int_equal(w->n_asked, COUNT(lines));
	for (size_t i = 0; i + 1 < COUNT(lines); i++)
		assert_string_equal(w->asked[i].line, lines[i]);
	assert_string_equal(w->asked[1].authorization, w->asked[0].authorization);
	assert_true(jwt_is_meant(w->asked[0].authorization));
	assert_string_equal(w->asked[1].body,
	    "{\"permissions\":{\"metadata\":\"read\"},\"repositories\":[\"shop\"]}");
	for (size_t i = 2; i < 4; i++)
		assert_string_equal(w->asked[i].authorization, "Bearer ghs_token_1");
}

SCENE_TEST(calls_at_once_wait_for_one_token)
{
	struct outcome outcomes[6];
	static const char *const names[] = { "octo/shop", "octo/web", "octo/api" };

	for (size_t i = 0; i < COUNT(outcomes); i++)
		(void)ask(w, names[i % COUNT(names)], &outcomes[i]);
	for (size_t i = 0; i < COUNT(outcomes); i++) {
		turn_until(w, &outcomes[i].times);
		assert_int_equal(outcomes[i].answer.verdict, FORGE_API_DONE);
	}
	assert_in_range(count(w, MAKE), 1, 2); /* the second: for what was found meanwhile */
	assert_int_equal(verdict_of(w, "octo/api"), FORGE_API_DONE);
	assert_in_range(count(w, MAKE), 1, 2);
}

SCENE_TEST(a_token_is_made_anew_for_a_repository_that_it_was_not_made_for)
{
	const char *body;

	assert_int_equal(verdict_of(w, "octo/shop"), FORGE_API_DONE);
	assert_int_equal(verdict_of(w, "octo/web"), FORGE_API_DONE);
	assert_int_equal(count(w, MAKE), 2);
	body = w->asked[4].body;
	assert_non_null(strstr(body, "\"shop\""));
	assert_non_null(strstr(body, "\"web\""));
	assert_string_equal(w->asked[5].authorization, "Bearer ghs_token_2");
	assert_int_equal(verdict_of(w, "octo/shop"), FORGE_API_DONE);
	assert_int_equal(count(w, MAKE), 2);
	/* Another installation has another token, and other repositories. */
	copy(w->installation, sizeof(w->installation), "{\"id\":8,\"permissions\":{}}");
	assert_int_equal(verdict_of(w, "other/blog"), FORGE_API_DONE);
	assert_string_equal(
	    w->asked[w->n_asked - 2].body, "{\"permissions\":{},\"repositories\":[\"blog\"]}");
}

SCENE_TEST(a_token_is_made_anew_after_50_minutes)
{
	assert_int_equal(verdict_of(w, "octo/shop"), FORGE_API_DONE);
	ahead_s = 49 * 60;
	assert_int_equal(verdict_of(w, "octo/shop"), FORGE_API_DONE);
	assert_int_equal(count(w, MAKE), 1);
	ahead_s = 51 * 60;
	assert_int_equal(verdict_of(w, "octo/shop"), FORGE_API_DONE);
	assert_int_equal(count(w, MAKE), 2);
	assert_int_equal(count(w, FIND("octo/shop")), 1);
}

SCENE_TEST(a_token_that_is_refused_is_made_anew_by_the_next_call)
{
	assert_int_equal(verdict_of(w, "octo/shop"), FORGE_API_DONE);
	script(w, "/octo/shop", 401, "{\"message\":\"Bad credentials\"}");
	assert_int_equal(verdict_of(w, "octo/shop"), FORGE_API_UNAUTHORIZED);
	assert_int_equal(count(w, MAKE), 1); /* one call, one try */
	assert_int_equal(verdict_of(w, "octo/shop"), FORGE_API_DONE);
	assert_int_equal(count(w, MAKE), 2);
	assert_int_equal(count(w, FIND("octo/shop")), 1);
}

SCENE_TEST(whoever_waits_for_a_token_that_does_not_come_is_told_why)
{
	struct outcome first, second;

	assert_int_equal(verdict_of(w, "octo/shop"), FORGE_API_DONE);
	ahead_s = 51 * 60;
	script(w, "/access_tokens", 502, "");
	(void)ask(w, "octo/shop", &first);
	(void)ask(w, "octo/shop", &second);
	turn_until(w, &first.times);
	turn_until(w, &second.times);
	assert_int_equal(first.answer.verdict, FORGE_API_FAILED);
	assert_int_equal(second.answer.verdict, FORGE_API_FAILED);
	assert_true(first.answer.is_of_access && second.answer.is_of_access);
	assert_int_equal(count(w, MAKE), 2);
	assert_int_equal(verdict_of(w, "octo/shop"), FORGE_API_DONE);
}

/* A repository was taken out of the installation: then GitHub refuses tokens for all of them. */
SCENE_TEST(where_a_token_is_refused_each_repository_is_found_anew)
{
	assert_int_equal(verdict_of(w, "octo/shop"), FORGE_API_DONE);
	assert_int_equal(verdict_of(w, "octo/web"), FORGE_API_DONE);
	ahead_s = 51 * 60;
	script(w, "/access_tokens", 422, "{\"message\":\"not accessible\"}");
	assert_int_equal(verdict_of(w, "octo/shop"), FORGE_API_UNFIT);
	script(w, "/octo/web/installation", 404, "{\"message\":\"Not Found\"}");
	assert_int_equal(verdict_of(w, "octo/shop"), FORGE_API_DONE);
	assert_int_equal(verdict_of(w, "octo/web"), FORGE_API_NOT_FOUND);
	assert_int_equal(count(w, FIND("octo/shop")), 2);
	assert_int_equal(count(w, FIND("octo/web")), 2);
	assert_string_equal(w->asked[w->n_asked - 3].body,
	    "{\"permissions\":{\"metadata\":\"read\"},\"repositories\":[\"shop\"]}");
}

SCENE_TEST(a_permission_that_was_given_meanwhile_is_seen)
{
	copy(w->installation, sizeof(w->installation), "{\"id\":7,\"permissions\":{}}");
	script(w, "/octo/shop", 403, "{\"message\":\"Resource not accessible\"}");
	assert_int_equal(verdict_of(w, "octo/shop"), FORGE_API_FORBIDDEN);
	copy(w->installation, sizeof(w->installation),
	    "{\"id\":7,\"permissions\":{\"metadata\":\"read\"}}");
	assert_int_equal(verdict_of(w, "octo/shop"), FORGE_API_DONE);
	assert_string_equal(w->asked[w->n_asked - 2].body,
	    "{\"permissions\":{\"metadata\":\"read\"},\"repositories\":[\"shop\"]}");
}

SCENE_TEST(getting_in_fails_before_anything_is_asked)
{
	script(w, "/installation", 404, "{\"message\":\"Not Found\"}");
	assert_int_equal(verdict_of(w, "octo/shop"), FORGE_API_NOT_FOUND);
	copy(w->installation, sizeof(w->installation), "{\"id\":7,\"suspended_at\":\"2026\"}");
	assert_int_equal(verdict_of(w, "octo/shop"), FORGE_API_FORBIDDEN);
	copy(w->installation, sizeof(w->installation), "{\"id\":7}");
	script(w, "/access_tokens", 201, "{\"token\":\"a b\"}");
	assert_int_equal(verdict_of(w, "octo/shop"), FORGE_API_TORN);
	assert_int_equal(count(w, "GET /repos/octo/shop"), 0);
}

SCENE_TEST(whoever_waits_goes_on_when_the_one_that_asked_is_cancelled)
{
	struct forge_api_call *first;
	struct outcome outcomes[3];

	assert_int_equal(verdict_of(w, "octo/shop"), FORGE_API_DONE);
	ahead_s = 51 * 60;
	first = ask(w, "octo/shop", &outcomes[0]);
	(void)ask(w, "octo/shop", &outcomes[1]);
	forge_api_cancel(ask(w, "octo/shop", &outcomes[2]));
	forge_api_cancel(first);
	assert_int_equal(w->n_asked, 3);
	for (int i = 0; i < 100 && count(w, MAKE) < 2; i++) {
		loop_timer_start(w->loop, &w->patience, 100, 0); /* nobody may ask any more */
		loop_run_once(w->loop);
	}
	assert_int_equal(count(w, MAKE), 2);
	w->is_over = false;
	turn_until(w, &outcomes[1].times);
	assert_int_equal(outcomes[1].answer.verdict, FORGE_API_DONE);
	assert_int_equal(outcomes[0].times + outcomes[2].times, 0);
	forge_api_cancel(NULL);
}

SCENE_TEST(a_person_asks_by_their_token_and_the_app_by_what_it_signs)
{
	struct outcome outcome;

	(void)start(w,
	    (struct forge_api_request){ .as = FORGE_AS_PERSON, .repository = "octo/shop" },
	    &outcome);
	turn_until(w, &outcome.times);
	assert_int_equal(outcome.answer.verdict, FORGE_API_DONE);
	assert_string_equal(w->asked[0].authorization, "Bearer " PERSON);
	(void)start(w,
	    (struct forge_api_request){ .as = FORGE_AS_APP, .path = "/app/x", .body = "{}" },
	    &outcome);
	turn_until(w, &outcome.times);
	assert_int_equal(outcome.answer.verdict, FORGE_API_DONE);
	assert_string_equal(w->asked[1].line, "POST /app/x");
	assert_string_equal(w->asked[1].body, "{}");
	assert_true(jwt_is_meant(w->asked[1].authorization));
}

SCENE_TEST(a_fifth_of_the_limit_is_used_and_intervals_grow_before)
{
	struct forge_api_request request = {
		.settings = w->settings, .as = FORGE_AS_PERSON, .path = "/app", .on_done = on_done
	};
	struct outcome outcome;
	struct err err;

	w->limit = "50";
	for (int i = 0; i < 10; i++) {
		assert_true((forge_api_factor(w->api) > 1) == (i > 5));
		(void)start(w, request, &outcome);
		turn_until(w, &outcome.times);
		assert_true(outcome.answer.factor == forge_api_factor(w->api));
	}
	assert_true(forge_api_factor(w->api) == 60);
	assert_null(forge_api_start(w->api, &request, &err));
	assert_int_equal(err.code, ERR_BUSY);
	assert_non_null(strstr(err.text, "a fifth of its limit is used: again in "));
	/* What a person has pressed does not wait for what is watched. */
	request.share = FORGE_SHARE_PRESSED;
	for (int i = 0; i < 15; i++) {
		(void)start(w, request, &outcome);
		turn_until(w, &outcome.times);
		assert_int_equal(outcome.answer.verdict, FORGE_API_DONE);
	}
	assert_null(forge_api_start(w->api, &request, &err));
	assert_int_equal(err.code, ERR_BUSY);
	assert_non_null(
	    strstr(err.text, "what people may use of its limit, three tenths, is used"));
	request.share = FORGE_SHARE_REGULAR;
	/* Another credential has a limit of its own. */
	w->limit = NULL;
	(void)start(w,
	    (struct forge_api_request){ .repository = "group/shop", .as = FORGE_AS_GITLAB },
	    &outcome);
	turn_until(w, &outcome.times);
	assert_true(outcome.answer.factor == 1);
	w->limit = "50";
	assert_int_equal(verdict_of(w, "octo/shop"), FORGE_API_DONE);
	ahead_s = 601;
	assert_true(forge_api_factor(w->api) == 1);
	(void)start(w, request, &outcome);
	turn_until(w, &outcome.times);
	assert_int_equal(outcome.answer.verdict, FORGE_API_DONE);
}

SCENE_TEST(what_is_asked_at_once_counts_before_it_is_answered)
{
	struct forge_api_request request = {
		.settings = w->settings, .as = FORGE_AS_PERSON, .path = "/app", .on_done = on_done
	};
	struct outcome outcome[14];
	struct err err;
	size_t n = 1;

	w->limit = "50";
	(void)start(w, request, &outcome[0]);
	turn_until(w, &outcome[0].times);
	for (size_t i = 1; i < COUNT(outcome); i++) {
		request.ctx = &outcome[i];
		outcome[i] = (struct outcome){ .times = 0 };
		n += forge_api_start(w->api, &request, &err) != NULL;
	}
	assert_int_equal(n, 10);
	for (size_t i = 1; i < n; i++)
		turn_until(w, &outcome[i].times);
}

SCENE_TEST(a_redirect_is_not_followed_and_too_much_is_not_read)
{
	w->limit = "5000";
	script(w, "/octo/shop", 301, "{}");
	assert_int_equal(verdict_of(w, "octo/shop"), FORGE_API_MOVED);
	assert_int_equal(count(w, "GET /repos/octo/shop"), 1);
	script(w, "/octo/shop", 200, NULL);
	assert_int_equal(verdict_of(w, "octo/shop"), FORGE_API_TOO_LARGE);
}

SCENE_TEST(ten_are_asked_at_once)
{
	struct forge_api_call *calls[14];
	struct outcome outcomes[14];

	w->keeps = true;
	for (size_t i = 0; i < COUNT(calls); i++)
		calls[i] =
		    start(w, (struct forge_api_request){ .as = FORGE_AS_PERSON, .path = "/app" },
			&outcomes[i]);
	for (int i = 0; w->n_asked < 10 && i < 20000; i++)
		loop_run_once(w->loop);
	assert_int_equal(w->n_asked, 10);
	for (size_t i = 0; i < COUNT(calls); i++)
		forge_api_cancel(calls[i]);
}

/* By a token of its own, which no other place gets. */
SCENE_TEST(gitlab_is_asked_about_a_project_by_its_own_token)
{
	struct outcome outcome;
	struct forge_api_request request = {
		.repository = "group/sub/shop", .as = FORGE_AS_GITLAB, .path = "/pipelines"
	};

	(void)start(w, request, &outcome);
	turn_until(w, &outcome.times);
	assert_int_equal(outcome.answer.verdict, FORGE_API_DONE);
	assert_string_equal(w->asked[0].line, "GET /api/v4/projects/group%2Fsub%2Fshop/pipelines");
	assert_string_equal(w->asked[0].authorization, "Bearer " PROJECT);
	assert_int_equal(verdict_of(w, "octo/shop"), FORGE_API_DONE);
	for (size_t i = 1; i < w->n_asked; i++)
		assert_string_not_equal(w->asked[i].authorization, "Bearer " PROJECT);
}

SCENE_TEST(who_has_no_credential_asks_nothing)
{
	struct settings *s = w->settings;
	struct forge_api_request request = {
		.settings = s, .repository = "octo/shop", .path = "", .on_done = on_done
	};
	struct err err;

	s->github.app_id = s->github.token = NULL; /* its texts stay where they are */
	assert_null(forge_api_start(w->api, &request, &err));
	assert_string_equal(err.text, "GITHUB_API_TOKEN is not set");
	request.as = FORGE_AS_APP;
	assert_null(forge_api_start(w->api, &request, &err));
	assert_string_equal(err.text, "GITHUB_APP_ID is not set");
	assert_int_equal(err.code, ERR_CONFIG);
	s->github.gitlab_token = NULL;
	request.as = FORGE_AS_GITLAB;
	assert_null(forge_api_start(w->api, &request, &err));
	assert_string_equal(err.text, "GITLAB_API_TOKEN is not set");
	request = (struct forge_api_request){ .settings = w->settings, .path = "" };
	request.repository = "octo/../app";
	assert_null(forge_api_start(w->api, &request, &err));
	assert_int_equal(w->n_asked, 0);
}
