/* Goal: our token comes first, is kept alive, is replaced when it ends, and is shown to nobody.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "clients/vault.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "clients/vault_life.h"
#include "lib/http_server.h"
#include "lib/http_server_inside.h"
#include "lib/json.h"
#include "settings_aid.h"
#include "tests/unit/until.h"

#define OWN	    "hvs.CAESIOwnTokenOfTheServer01"
#define PROOF	    "0a1b2c3d-secret-id-of-the-role"
#define SCRIPTS_MAX 16
#define ASKED_MAX   200

#define LOGIN  "POST /v1/auth/approle/login"
#define LOOKUP "GET /v1/auth/token/lookup-self"
#define DATA   "GET /v1/secret/data/a"
#define RENEWS "POST /v1/auth/token/renew-self"

/* What was asked, and with what. */
struct asked {
	char line[160];
	char token[128], space[64], wrap[16];
	char *body;
};

/* What the next request is answered whose path ends so. */
struct script {
	const char *end;
	int status;
	const char *body;
	const char *location;
	bool is_used;
};

struct scene {
	struct loop *loop;
	struct loop_timer patience;
	bool is_over;
	struct http_server *server;
	struct http_route routes[2];
	char address[64];
	struct settings *settings;
	struct vault *vault;
	size_t n_scripts, n_asked, n_kept;
	struct script scripts[SCRIPTS_MAX];
	struct asked asked[ASKED_MAX];
	struct http_request *kept[ASKED_MAX];
	bool keeps; /* nobody is answered but about our token */
	int logins, ttl_s, renewed_s;
	size_t most; /* in flight at once */
};

/* What became of a call. */
struct outcome {
	unsigned times;
	struct vault_answer answer;
	int64_t said; /* "ok" of its body */
};

/* Time passes as a test wants it, for libev too. */
static time_t ahead_s;

int
clock_gettime(clockid_t clock, struct timespec *ret)
{
	int status = (int)syscall(SYS_clock_gettime, clock, ret);

	ret->tv_sec += ahead_s;
	return status;
}

/* --- the other side --- */

static void
reply(struct http_request *request, const struct script *script, const char *body)
{
	const struct http_header headers[] = { { "Date", "Sat, 28 Nov 2026 05:00:00 GMT" },
		{ script->location == NULL ? NULL : "Location", script->location },
		{ NULL, NULL } };

	http_request_answer(request, script->status, headers, body, strlen(body));
}

static bool
ends(const char *path, const char *end)
{
	size_t size = strlen(end), all = strlen(path);

	return all >= size && strcmp(path + all - size, end) == 0;
}

static void
play(struct scene *s, struct http_request *request)
{
	static char huge[VAULT_ANSWER_MAX + 2];
	struct script plain = { .status = 200 };
	char body[256];

	for (size_t i = 0; i < s->n_scripts; i++) {
		struct script *script = &s->scripts[i];

		if (script->is_used || !ends(request->path, script->end))
			continue;
		script->is_used = true;
		memset(huge, ' ', sizeof(huge) - 1);
		reply(request, script, script->body == NULL ? huge : script->body);
		return;
	}
	(void)snprintf(body, sizeof(body), "{\"ok\":%zu}", s->n_asked);
	if (ends(request->path, "/login"))
		(void)snprintf(body, sizeof(body),
		    "{\"auth\":{\"client_token\":\"hvs.CAESIOfTheLoginNumber%05d\",\"lease_duration\":%d,\"renewable\":true}}",
		    ++s->logins, s->ttl_s);
	else if (ends(request->path, "/lookup-self"))
		(void)snprintf(body, sizeof(body),
		    "{\"data\":{\"ttl\":%d,\"renewable\":true,\"expire_time\":\"2027-01-01T00:00:00Z\"}}",
		    s->ttl_s);
	else if (ends(request->path, "/renew-self"))
		(void)snprintf(body, sizeof(body),
		    "{\"auth\":{\"client_token\":\"x\",\"lease_duration\":%d,\"renewable\":true}}",
		    s->renewed_s);
	reply(request, &plain, body);
}

#define COPY(out, text) (void)snprintf(out, sizeof(out), "%s", (text) == NULL ? "" : (text))

static void
on_request(struct http_request *request, void *ctx)
{
	struct scene *s = ctx;
	struct asked *asked = &s->asked[s->n_asked++];
	size_t size;

	assert_true(s->n_asked < ASKED_MAX);
	(void)snprintf(asked->line, sizeof(asked->line), "%s %s", request->method, request->path);
	COPY(asked->token, http_request_header(request, "X-Vault-Token"));
	COPY(asked->space, http_request_header(request, "X-Vault-Namespace"));
	COPY(asked->wrap, http_request_header(request, "X-Vault-Wrap-TTL"));
	assert_string_equal(http_request_header(request, "X-Vault-Request"), "true");
	asked->body = http_request_take_body(request, &size);
	if (s->keeps && strstr(request->path, "/auth/") == NULL) {
		s->kept[s->n_kept++] = request;
		s->most = s->n_kept > s->most ? s->n_kept : s->most;
	} else {
		play(s, request);
	}
}

/* --- the scene --- */

static void
on_patience_over(UNUSED struct loop_timer *timer, void *ctx)
{
	((struct scene *)ctx)->is_over = true;
}

static struct settings *
load(const struct scene *s, const char *first, const char *second)
{
	struct settings *settings =
	    LOAD(NULL, COMPLETE, s->address, "VAULT_NAMESPACE=teams/shop", first, second);

	if (settings == NULL)
		fail_msg("%s", settings_said.lines[0].text);
	return settings;
}

static int
set_up(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));
	struct http_server_config config = { .routes = s->routes, .route_count = 2 };

	ahead_s = 0;
	s->ttl_s = s->renewed_s = 3600;
	s->loop = loop_new(NULL);
	loop_timer_init(&s->patience, on_patience_over, s);
	for (size_t i = 0; i < 2; i++)
		s->routes[i] = (struct http_route){ .methods = i == 0 ? "POST" : "GET",
			.path = "/v1/",
			.body_max = i == 0 ? 65536 : 0,
			.answer_timeout_ms = 60000,
			.on_request = on_request,
			.ctx = s };
	s->server = http_server_new(s->loop, &config, "127.0.0.1:0", NULL);
	assert_non_null(s->server);
	(void)snprintf(s->address, sizeof(s->address), "VAULT_ADDR=http://127.0.0.1:%u",
	    http_server_port(s->server));
	*state = s;
	return 0;
}

static int
tear_down(void **state)
{
	struct scene *s = *state;

	vault_free(s->vault);
	settings_unref(s->settings);
	for (size_t i = 0; i < s->n_kept; i++)
		play(s, s->kept[i]);
	http_server_free(s->server);
	loop_free(s->loop);
	for (size_t i = 0; i < s->n_asked; i++)
		free(s->asked[i].body);
	free(s);
	return 0;
}

#define SCENE_TEST(name) TEST_OF(name, struct scene *s, set_up, tear_down)

static void
open_vault(struct scene *s, const char *first, const char *second)
{
	s->settings = load(s, first, second);
	s->vault = vault_new(s->loop, s->settings);
}

#define BY_TOKEN(s) open_vault(s, "VAULT_TOKEN=" OWN, "TIMEZONE=UTC")
#define BY_ROLE(s)  open_vault(s, "VAULT_ROLE_ID=deploybot", "VAULT_SECRET_ID=" PROOF)

static void
on_done(void *ctx, const struct vault_answer *answer, const struct json *body)
{
	struct outcome *outcome = ctx;

	outcome->times++;
	outcome->answer = *answer;
	outcome->said = json_get_i64_or(body, "ok", 0);
}

static struct vault_call *
start(struct scene *s, struct vault_request request, struct outcome *outcome)
{
	struct vault_call *call;
	struct err err;

	*outcome = (struct outcome){ 0 };
	request.path = request.path == NULL ? "secret/data/a" : request.path;
	request.on_done = on_done;
	request.ctx = outcome;
	call = vault_start(s->vault, &request, &err);
	if (call == NULL)
		fail_msg("%s", err.text);
	assert_int_equal(outcome->times, 0);
	return call;
}

static enum vault_verdict
verdict_of(struct scene *s, const char *path, struct outcome *outcome)
{
	(void)start(s, (struct vault_request){ .path = path }, outcome);
	UNTIL(s, outcome->times > 0);
	assert_int_equal(outcome->times, 1);
	return outcome->answer.verdict;
}

static void
script(struct scene *s, const char *end, int status, const char *body)
{
	assert_true(s->n_scripts < SCRIPTS_MAX);
	s->scripts[s->n_scripts++] = (struct script){ end, status, body, NULL, false };
}

static size_t
count(const struct scene *s, const char *line)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_asked; i++)
		n += strcmp(s->asked[i].line, line) == 0;
	return n;
}

/* The token that was shown last with such a request. */
static const char *
shown_with(const struct scene *s, const char *line)
{
	for (size_t i = s->n_asked; i-- > 0;)
		if (strcmp(s->asked[i].line, line) == 0)
			return s->asked[i].token;
	return "(not asked)";
}

/* Until what was answered before has been read. */
static void
breathe(struct scene *s)
{
	struct outcome outcome;

	(void)start(s, (struct vault_request){ .path = "x", .is_anonymous = true }, &outcome);
	UNTIL(s, outcome.times > 0);
}

static bool
is_up(const struct scene *s)
{
	return vault_look(s->vault).is_up;
}

/* --- tests --- */

SCENE_TEST(a_login_comes_first_and_its_token_is_shown_with_each_call)
{
	static const char *const lines[] = { LOGIN, LOOKUP,
		"POST /v1/auth/token/create/deploybot-lend" };
	struct outcome outcome, other;

	BY_ROLE(s);
	(void)start(s,
	    (struct vault_request){ .path = "auth/token/create/deploybot-lend",
		.body = "{\"x\":1}",
		.wrap_ttl_s = 120 },
	    &outcome);
	UNTIL(s, outcome.times > 0 && is_up(s));
	assert_int_equal(outcome.answer.verdict, VAULT_DONE);
	assert_int_equal(s->n_asked, COUNT(lines));
	for (size_t i = 0; i < COUNT(lines); i++)
		assert_int_equal(count(s, lines[i]), 1);
	assert_string_equal(s->asked[0].line, LOGIN);
	assert_string_equal(s->asked[0].token, "");
	assert_string_equal(
	    s->asked[0].body, "{\"role_id\":\"deploybot\",\"secret_id\":\"" PROOF "\"}");
	for (size_t i = 0; i < s->n_asked; i++) {
		assert_string_equal(s->asked[i].space, "teams/shop");
		assert_string_equal(
		    s->asked[i].token, i == 0 ? "" : "hvs.CAESIOfTheLoginNumber00001");
		if (strstr(s->asked[i].line, "create") != NULL) {
			assert_string_equal(s->asked[i].wrap, "120");
			assert_string_equal(s->asked[i].body, "{\"x\":1}");
		}
	}
	assert_int_equal(verdict_of(s, NULL, &other), VAULT_DONE);
	assert_int_equal(other.said, 4);
	assert_int_equal(s->logins, 1);
}

SCENE_TEST(a_token_of_the_settings_is_looked_at_before_it_is_used)
{
	struct outcome outcome;

	BY_TOKEN(s);
	assert_int_equal(vault_look(s->vault).ends_in_s, 0);
	assert_true(vault_look(s->vault).ends && vault_look(s->vault).is_set);
	assert_int_equal(verdict_of(s, NULL, &outcome), VAULT_DONE);
	assert_string_equal(s->asked[0].line, LOOKUP);
	assert_string_equal(s->asked[0].token, OWN);
	assert_string_equal(s->asked[1].token, OWN);
	assert_true(is_up(s));
	assert_in_range(vault_look(s->vault).ends_in_s, 3500, 3600);
}

SCENE_TEST(the_health_of_a_node_is_asked_without_a_token_and_a_namespace)
{
	struct outcome outcome;

	BY_TOKEN(s);
	script(s, "/lookup-self", 503, "{\"errors\":[\"Vault is sealed\"]}");
	script(s, "/sys/health", 503, "{\"sealed\":true}");
	(void)start(
	    s, (struct vault_request){ .path = VAULT_HEALTH, .is_anonymous = true }, &outcome);
	UNTIL(s, outcome.times > 0);
	assert_int_equal(outcome.answer.verdict, VAULT_DONE);
	assert_int_equal(outcome.answer.status, 503);
	assert_true(outcome.answer.knows_clock);
	for (size_t i = 0; i < s->n_asked; i++)
		if (strstr(s->asked[i].line, VAULT_HEALTH) != NULL) {
			assert_string_equal(s->asked[i].token, "");
			assert_string_equal(s->asked[i].space, "");
		}
}

SCENE_TEST(a_token_is_renewed_at_two_thirds_of_its_life)
{
	BY_ROLE(s);
	UNTIL(s, is_up(s));
	s->renewed_s = 7200;
	ahead_s += 2390;
	UNTIL(s, count(s, LOOKUP) == 2);
	breathe(s);
	assert_int_equal(count(s, RENEWS), 0);
	ahead_s += 11;
	UNTIL(s, vault_look(s->vault).ends_in_s > 3600);
	assert_int_equal(count(s, RENEWS), 1);
	assert_string_equal(shown_with(s, RENEWS), "hvs.CAESIOfTheLoginNumber00001");
	assert_int_equal(s->logins, 1);
	assert_true(is_up(s));
}

SCENE_TEST(where_a_renewal_is_refused_a_login_takes_its_place)
{
	struct outcome outcome;

	BY_ROLE(s);
	UNTIL(s, is_up(s));
	script(s, "/renew-self", 403, "{\"errors\":[\"permission denied\"]}");
	ahead_s += 2401;
	UNTIL(s, s->logins == 2);
	breathe(s);
	assert_int_equal(verdict_of(s, NULL, &outcome), VAULT_DONE);
	assert_string_equal(shown_with(s, DATA), "hvs.CAESIOfTheLoginNumber00002");
}

SCENE_TEST(a_token_that_ended_at_vault_is_replaced_and_the_call_comes_again)
{
	struct outcome outcome;

	BY_ROLE(s);
	UNTIL(s, is_up(s));
	script(s, "/data/a", 403, "{\"errors\":[\"permission denied\"]}");
	script(s, "/lookup-self", 403, "{\"errors\":[\"permission denied\"]}");
	assert_int_equal(verdict_of(s, NULL, &outcome), VAULT_DONE);
	assert_int_equal(s->logins, 2);
	assert_int_equal(count(s, DATA), 2);
}

SCENE_TEST(a_policy_that_lacks_it_is_no_reason_for_a_login)
{
	struct outcome outcome;

	BY_ROLE(s);
	UNTIL(s, is_up(s));
	script(s, "/data/a", 403, "{\"errors\":[\"permission denied\"]}");
	assert_int_equal(verdict_of(s, NULL, &outcome), VAULT_FORBIDDEN);
	assert_false(outcome.answer.is_of_access);
	assert_string_equal(outcome.answer.detail, "HTTP 403: permission denied");
	assert_int_equal(s->logins, 1);
	assert_int_equal(count(s, DATA), 1);
	assert_int_equal(count(s, LOOKUP), 2);
}

/* The second 403 is the last one, whatever the look says. */
SCENE_TEST(one_new_login_is_tried_and_no_second_one)
{
	struct outcome outcome;

	BY_ROLE(s);
	UNTIL(s, is_up(s));
	for (int i = 0; i < 2; i++)
		script(s, "/data/a", 403, "{\"errors\":[\"permission denied\"]}");
	script(s, "/lookup-self", 403, "{\"errors\":[\"permission denied\"]}");
	assert_int_equal(verdict_of(s, NULL, &outcome), VAULT_FORBIDDEN);
	assert_int_equal(s->logins, 2);
}

SCENE_TEST(where_the_look_is_refused_right_after_a_login_no_other_login_follows)
{
	struct outcome outcome;

	for (int i = 0; i < 3; i++)
		script(s, "/lookup-self", 403, "{\"errors\":[\"permission denied\"]}");
	BY_ROLE(s);
	UNTIL(s, count(s, LOOKUP) == 1);
	for (size_t i = 2; i < 4; i++) {
		breathe(s);
		ahead_s += 61;
		UNTIL(s, count(s, LOOKUP) == i);
	}
	breathe(s);
	assert_false(is_up(s));
	assert_int_equal(verdict_of(s, NULL, &outcome), VAULT_DONE); /* it can be used */
	ahead_s += 61;
	UNTIL(s, is_up(s));
	assert_int_equal(s->logins, 1);
}

SCENE_TEST(whoever_waits_for_a_login_that_is_refused_hears_why_and_others_at_once)
{
	struct outcome outcomes[2];
	struct err err;

	script(s, "/login", 400,
	    "{\"errors\":[\"invalid role or secret ID: " PROOF " of somebody\"]}");
	BY_ROLE(s);
	for (size_t i = 0; i < 2; i++)
		(void)start(s, (struct vault_request){ .path = NULL }, &outcomes[i]);
	for (size_t i = 0; i < 2; i++) {
		UNTIL(s, outcomes[i].times > 0);
		assert_int_equal(outcomes[i].answer.verdict, VAULT_TOKEN_REFUSED);
		assert_true(outcomes[i].answer.is_of_access);
		assert_string_equal(
		    outcomes[i].answer.detail, "HTTP 400: its text has what was shown to it");
	}
	assert_int_equal(s->n_asked, 1);
	assert_null(vault_start(s->vault, &(struct vault_request){ .path = "a" }, &err));
	assert_int_equal(err.code, ERR_DENIED);
	ahead_s += 6;
	UNTIL(s, is_up(s));
	assert_int_equal(s->logins, 1);
}

SCENE_TEST(a_token_of_the_settings_that_is_refused_is_tried_again_later)
{
	struct outcome outcome;

	script(s, "/lookup-self", 403, "{\"errors\":[\"permission denied\"]}");
	BY_TOKEN(s);
	assert_int_equal(verdict_of(s, NULL, &outcome), VAULT_TOKEN_REFUSED);
	assert_false(is_up(s));
	assert_true(vault_look(s->vault).ends);
	ahead_s += 6;
	UNTIL(s, is_up(s));
	assert_int_equal(verdict_of(s, NULL, &outcome), VAULT_DONE);
	assert_int_equal(s->logins, 0);
}

SCENE_TEST(what_came_too_early_for_a_node_comes_again_once)
{
	struct outcome outcome;

	BY_TOKEN(s);
	script(s, "/data/a", 412, "{\"errors\":[]}");
	(void)start(s, (struct vault_request){ .path = NULL }, &outcome);
	UNTIL(s, count(s, DATA) == 1);
	breathe(s);
	ahead_s += 2;
	UNTIL(s, outcome.times > 0);
	assert_int_equal(outcome.answer.verdict, VAULT_DONE);
	for (int i = 0; i < 2; i++)
		script(s, "/data/a", 412, "{\"errors\":[]}");
	(void)start(s, (struct vault_request){ .path = NULL }, &outcome);
	UNTIL(s, count(s, DATA) == 3);
	breathe(s);
	ahead_s += 2;
	UNTIL(s, outcome.times > 0);
	assert_int_equal(outcome.answer.verdict, VAULT_AGAIN);
	assert_int_equal(count(s, DATA), 4);
}

SCENE_TEST(no_redirect_is_followed_with_a_token)
{
	struct outcome outcome;

	BY_TOKEN(s);
	UNTIL(s, is_up(s));
	s->scripts[s->n_scripts++] = (struct script){ .end = "/data/a",
		.status = 307,
		.body = "",
		.location = "http://10.1.2.3:8200/v1/secret/data/a" };
	assert_int_equal(verdict_of(s, NULL, &outcome), VAULT_MOVED);
	assert_string_equal(outcome.answer.detail, "HTTP 307, which points to 10.1.2.3:8200");
	assert_int_equal(count(s, DATA), 1);
}

SCENE_TEST(an_answer_is_read_up_to_its_bound)
{
	struct outcome outcome;

	BY_TOKEN(s);
	script(s, "/data/a", 200, NULL);
	assert_int_equal(verdict_of(s, NULL, &outcome), VAULT_TOO_LARGE);
	assert_true(outcome.answer.was_sent);
	assert_int_equal(count(s, DATA), 1);
}

SCENE_TEST(eight_calls_are_in_flight_and_the_others_wait)
{
	struct outcome outcomes[20];
	size_t done = 0;

	BY_TOKEN(s);
	UNTIL(s, is_up(s));
	s->keeps = true;
	for (size_t i = 0; i < COUNT(outcomes); i++)
		(void)start(s, (struct vault_request){ .path = NULL }, &outcomes[i]);
	while (done < COUNT(outcomes)) {
		UNTIL(s, s->n_kept >= VAULT_AT_ONCE || done + s->n_kept == COUNT(outcomes));
		for (int i = 0; i < 20; i++, s->is_over = false) { /* would another one come? */
			loop_timer_start(s->loop, &s->patience, 1, 0);
			loop_run_once(s->loop);
		}
		done += s->n_kept;
		while (s->n_kept > 0)
			play(s, s->kept[--s->n_kept]);
	}
	for (size_t i = 0; i < COUNT(outcomes); i++) {
		UNTIL(s, outcomes[i].times > 0);
		assert_int_equal(outcomes[i].answer.verdict, VAULT_DONE);
	}
	assert_int_equal(s->most, VAULT_AT_ONCE);
}

SCENE_TEST(there_are_so_many_calls_and_none_of_a_path_that_leads_elsewhere)
{
	static struct outcome outcomes[VAULT_CALLS];
	struct vault_call *calls[VAULT_CALLS];
	struct err err;

	BY_TOKEN(s);
	assert_null(vault_start(s->vault,
	    &(struct vault_request){ .path = "a/../sys/seal", .on_done = on_done }, &err));
	assert_int_equal(err.code, ERR_INVALID);
	for (size_t i = 0; i < VAULT_CALLS; i++)
		calls[i] = start(s, (struct vault_request){ .path = NULL }, &outcomes[i]);
	assert_null(vault_start(s->vault, &(struct vault_request){ .path = "a" }, &err));
	assert_int_equal(err.code, ERR_BUSY);
	for (size_t i = 0; i < VAULT_CALLS; i++)
		vault_cancel(calls[i]);
	vault_cancel(NULL);
	UNTIL(s, is_up(s));
	for (size_t i = 0; i < VAULT_CALLS; i++)
		assert_int_equal(outcomes[i].times, 0);
	assert_int_equal(s->n_asked, 1);
}

SCENE_TEST(a_call_that_waits_can_be_cancelled_in_each_state)
{
	struct outcome outcomes[3];
	struct vault_call *calls[3];

	BY_ROLE(s);
	UNTIL(s, is_up(s));
	s->keeps = true;
	calls[0] = start(s, (struct vault_request){ .path = "a" }, &outcomes[0]);
	UNTIL(s, s->n_kept == 1);
	vault_cancel(calls[0]); /* asked */
	s->keeps = false;
	script(s, "/b", 412, "{}");
	calls[1] = start(s, (struct vault_request){ .path = "b" }, &outcomes[1]);
	UNTIL(s, count(s, "GET /v1/b") == 1);
	breathe(s); /* it pauses */
	vault_cancel(calls[1]);
	calls[2] = start(s, (struct vault_request){ .path = "c" }, &outcomes[2]);
	vault_cancel(calls[2]); /* begun */
	ahead_s += 61;
	UNTIL(s, count(s, LOOKUP) == 2);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(outcomes[i].times, 0);
	assert_int_equal(count(s, "GET /v1/b"), 1);
}

SCENE_TEST(other_settings_begin_anew_and_end_what_was_asked_by_the_old_ones)
{
	struct outcome sent, waiting;
	struct settings *fresh;

	BY_TOKEN(s);
	UNTIL(s, is_up(s));
	s->keeps = true;
	(void)start(s, (struct vault_request){ .path = NULL }, &sent);
	UNTIL(s, s->n_kept == 1);
	fresh = load(s, "VAULT_TOKEN=" OWN, "TIMEZONE=Europe/Berlin");
	vault_settings(s->vault, fresh);
	settings_unref(fresh);
	assert_true(is_up(s)); /* nothing of Vault is other */
	fresh = load(s, "VAULT_ROLE_ID=deploybot", "VAULT_SECRET_ID=" PROOF);
	vault_settings(s->vault, fresh);
	settings_unref(fresh);
	assert_false(is_up(s));
	assert_int_equal(sent.times, 0);
	(void)start(s, (struct vault_request){ .path = "auth/x" }, &waiting);
	UNTIL(s, sent.times > 0 && waiting.times > 0);
	assert_int_equal(sent.times, 1);
	assert_int_equal(sent.answer.verdict, VAULT_AWAY);
	assert_true(sent.answer.was_sent);
	assert_int_equal(waiting.answer.verdict, VAULT_DONE);
	assert_string_equal(shown_with(s, "GET /v1/auth/x"), "hvs.CAESIOfTheLoginNumber00001");
	assert_int_equal(s->logins, 1);
}

SCENE_TEST(without_a_vault_nobody_is_asked)
{
	struct err err;

	s->settings = LOAD(NULL, COMPLETE);
	s->vault = vault_new(s->loop, s->settings);
	assert_false(vault_look(s->vault).is_set);
	assert_null(vault_start(s->vault, &(struct vault_request){ .path = "a" }, &err));
	assert_int_equal(err.code, ERR_CONFIG);
	assert_string_equal(err.text, "VAULT_ADDR is not set");
}

SCENE_TEST(a_vault_that_does_not_answer_is_asked_again_and_metrics_say_so)
{
	struct outcome outcome;
	struct http_server_config config = { .routes = s->routes, .route_count = 2 };
	uint16_t port = http_server_port(s->server);
	char listen[32];

	BY_ROLE(s);
	UNTIL(s, is_up(s));
	http_server_free(s->server);
	ahead_s += 61;
	UNTIL(s, !is_up(s));
	assert_int_equal(verdict_of(s, NULL, &outcome), VAULT_AWAY);
	assert_false(outcome.answer.was_sent);
	(void)snprintf(listen, sizeof(listen), "127.0.0.1:%u", port);
	s->server = http_server_new(s->loop, &config, listen, NULL);
	assert_non_null(s->server);
	ahead_s += 61;
	UNTIL(s, is_up(s));
	assert_int_equal(s->logins, 1);
}
