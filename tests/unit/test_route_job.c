/* Goal: a job's valid token is let in whoever failed behind its address, and no job asks in a loop.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "routes/route_job.h"

#include "clients/jwks.h"
#include "clients/loan_shelf.h"
#include "clients/outbound_client.h"
#include "jwt_aid.h"
#include "lib/clock.h"
#include "lib/http_server.h"
#include "lib/loop.h"
#include "lib/redact.h"
#include "lib/redact_lent.h"
#include "lib/text.h"
#include "routes/route_api.h"
#include "routes/route_key.h"
#include "settings/sources/settings_load.h"
#include "tests/unit/http_ask.h"
#include "types/event.h"
#include "types/refusals.h"
#include "unit.h"

#define HERE   "192.0.2.1"
#define THERE  "198.51.100.1"
#define GITLAB "https://gitlab.example.org"
#define KNOWN  "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"key-1\"}"

int64_t __real_clock_monotonic_ms(void);
int64_t __wrap_clock_monotonic_ms(void);

/* 0: the machine's clock; else it stands there. */
static int64_t stands_at;

int64_t
__wrap_clock_monotonic_ms(void)
{
	return stands_at != 0 ? stands_at : __real_clock_monotonic_ms();
}

#define HUGE ((size_t)300 << 10)

#define KEY	   "whsec_MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1u"
#define KEY_BEFORE "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="
#define KEY_OTHER  "whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo="

struct world {
	struct loop *loop;
	struct settings *settings;
	struct refusals *refusals;
	struct http_client *client;
	struct jwks *keys;
	struct route_api *api;
	struct http_route of_issuer[2], routes[ROUTE_API_ROUTES];
	struct http_server *issuer, *server;
	char url[64], key_set[1024];
	struct http_asked asked;
	enum delivery_forge forge;		     /* whose keys were asked for */
	int key_sets;				     /* that were asked for */
	bool is_huge;				     /* the next ones are */
	int asked_store, status;		     /* so it decides; 0: 200 */
	int used_before;			     /* events of a secret's previous value */
	char workflow[32];			     /* that asked last, "": no job */
	int counted[ROUTE_JOB_RESULT_COUNT], others; /* refusals, by their words */
	bool rejected[ROUTE_JOB_RESULT_COUNT];	     /* the audit has that sentence */
	struct redact *redact;
	struct loan_shelf *loans;
	bool is_crowded, is_by_previous; /* as the store was asked last */
};

/* --- the issuer --- */

static void
answer_configuration(struct http_request *request, void *ctx)
{
	struct world *w = ctx;
	char text[256];

	(void)snprintf(
	    text, sizeof(text), "{\"issuer\":\"%s\",\"jwks_uri\":\"%s/jwks\"}", w->url, w->url);
	http_request_answer_text(request, 200, "application/json", NULL, text);
}

static void
answer_keys(struct http_request *request, void *ctx)
{
	struct world *w = ctx;

	w->key_sets++;
	if (w->is_huge) { /* white space is JSON, too */
		char *huge = malloc(HUGE);

		memset(huge, ' ', HUGE);
		(void)snprintf(
		    huge + HUGE - sizeof(w->key_set), sizeof(w->key_set), "%s", w->key_set);
		http_request_answer_text(request, 200, "application/json", NULL, huge);
		free(huge);
		return;
	}
	http_request_answer_text(request, 200, "application/json", NULL, w->key_set);
}

static void
open_issuer(struct world *w)
{
	struct http_server_config config = { .routes = w->of_issuer, .route_count = 2 };

	w->of_issuer[0] = (struct http_route){ .methods = "GET",
		.path = "/.well-known/openid-configuration",
		.on_request = answer_configuration,
		.ctx = w };
	w->of_issuer[1] = (struct http_route){
		.methods = "GET", .path = "/jwks", .on_request = answer_keys, .ctx = w
	};
	w->issuer = http_server_new(w->loop, &config, "127.0.0.1:0", NULL);
	assert_non_null(w->issuer);
	(void)snprintf(w->url, sizeof(w->url), "http://127.0.0.1:%u", http_server_port(w->issuer));
	(void)snprintf(w->key_set, sizeof(w->key_set),
	    "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"key-1\",\"e\":\"AQAB\",\"n\":\"%s\"}]}",
	    jwt_aid_modulus);
}

/* --- the server --- */

static bool
decide(void *ctx, struct event *event)
{
	struct world *w = ctx;
	struct answer answer = { .status = w->status != 0 ? w->status : 200, .text = "{}" };

	w->asked_store += event->kind == EVENT_API;
	for (size_t i = 0; event->kind == EVENT_REJECTED && i < COUNT(route_job_rows); i++)
		w->rejected[i] |= strcmp(event->u.rejected.reason, route_job_rows[i].of_token) == 0;
	w->used_before += event->kind == EVENT_SECRET_USED;
	if (event->kind == EVENT_SECRET_USED) {
		event_free(event);
		return true;
	}
	if (event->kind == EVENT_API && event->u.api->job != NULL) {
		(void)text_copy(w->workflow, sizeof(w->workflow), event->u.api->job->workflow);
		w->is_by_previous = event->u.api->job->is_by_previous;
		w->is_crowded = event->u.api->is_crowded;
	}
	event->done(event->done_ctx, &answer);
	event_free(event);
	return true;
}

static struct settings *
settings(void *ctx)
{
	return ((struct world *)ctx)->settings;
}

static struct jwks *
keys(void *ctx, enum delivery_forge forge)
{
	struct world *w = ctx;

	w->forge = forge;
	return w->keys;
}

static void
count_refused(void *ctx, const char *why)
{
	struct world *w = ctx;

	for (size_t i = ROUTE_JOB_LET_IN + 1; i < COUNT(route_job_rows); i++)
		if (strcmp(route_job_rows[i].word, why) == 0) {
			w->counted[i]++;
			return;
		}
	w->others++;
}

static struct settings *
load(const char *issuer)
{
	static char of_issuer[96];
	static char *environment[] = {
		"TELEGRAM_BOT_TOKEN=123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789",
		"ADMIN_TELEGRAM_IDS=11", "STATE_DIRECTORY=/tmp", "REPOSITORY_URL=/srv/repository",
		"ENABLE_API_SERVER=true", "PUBLIC_URL=" JWT_AID_AUDIENCE,
		"WORKFLOW_A_IS=github 456789 a.yml@refs/heads/main",
		"WORKFLOW_A_MAY=deploy:staging",
		"WORKFLOW_B_IS=github 456789 b.yml@refs/heads/main",
		"WORKFLOW_B_MAY=deploy:staging", "GITLAB_URL=" GITLAB, of_issuer,
		"WORKFLOW_C_KEY=" KEY, "WORKFLOW_C_KEY_PREVIOUS=" KEY_BEFORE,
		"WORKFLOW_C_MAY=secret.db:staging", NULL
	};
	struct settings_report report = { 0 };
	struct settings *ret = NULL;

	(void)snprintf(of_issuer, sizeof(of_issuer), "GITHUB_TOKEN_ISSUER=%s", issuer);
	if (!settings_load(NULL, environment, &ret, &report))
		fail_msg("settings: %s", report.lines[0].text);
	return ret;
}

static int
set_up(void **state)
{
	static struct route_job_config jobs;
	struct world *w = calloc(1, sizeof(*w));
	struct http_server_config config = { 0 };

	stands_at = 1000000;
	w->loop = loop_new(NULL);
	open_issuer(w);
	w->settings = load(w->url);
	w->redact = redact_new();
	w->loans = loan_shelf_new(w->loop, w->redact);
	w->client = outbound_client(w->loop, outbound_of(OUTBOUND_ISSUER, w->url), 1, 0, NULL);
	w->keys = jwks_new(w->client, w->url);
	w->refusals =
	    refusals_new(&(struct refusals_config){ .loop = w->loop, .submit = decide, .ctx = w });
	jobs = (struct route_job_config){
		.settings = settings, .keys = keys, .count_refused = count_refused, .ctx = w
	};
	w->api = route_api_new(&(struct route_api_config){ .settings = settings,
	    .submit = decide,
	    .refusals = w->refusals,
	    .is_network = true,
	    .jobs = &jobs,
	    .loans = w->loans,
	    .ctx = w });
	config.route_count = route_api_routes(w->api, w->routes);
	config.routes = w->routes;
	w->server = http_server_new(w->loop, &config, "127.0.0.1:0", NULL);
	*state = w;
	return w->server == NULL;
}

static int
tear_down(void **state)
{
	struct world *w = *state;

	http_server_free(w->server);
	jwks_free(w->keys);
	http_client_free(w->client);
	http_server_free(w->issuer);
	route_api_free(w->api);
	refusals_free(w->refusals);
	loan_shelf_free(w->loans);
	redact_free(w->redact);
	loop_free(w->loop);
	settings_unref(w->settings);
	free(w);
	return 0;
}

#define SCENE_TEST(name) TEST_OF(name, struct world *w, set_up, tear_down)

/* A job of that run and workflow ("a", "b"; others are of none here); to be freed. */
static char *
token_of(const struct world *w, const char *run, const char *file, const char *more)
{
	int64_t now = clock_wall_ms() / 1000;
	char claims[1200];

	(void)snprintf(claims, sizeof(claims),
	    "{\"iss\":\"%s\",\"aud\":\"" JWT_AID_AUDIENCE "\",\"iat\":%lld,\"nbf\":%lld,"
	    "\"exp\":%lld,\"jti\":\"a-1\",\"repository\":\"octo/shop\","
	    "\"repository_id\":\"456789\",\"ref\":\"refs/heads/main\","
	    "\"sha\":\"45f7076e1d0c5c8f3a1b6d1f0e9c8b7a6d5e4f30\",\"event_name\":\"push\","
	    "\"workflow_ref\":\"octo/shop/.github/workflows/%s.yml@refs/heads/main\","
	    "\"actor\":\"mona\",\"actor_id\":\"7\",\"run_attempt\":\"1\",\"run_id\":\"%s\"%s}",
	    w->url, (long long)now, (long long)now, (long long)now + 300, file, run, more);
	return jwt_aid_sign(KNOWN, claims);
}

static int
ask(struct world *w, const char *token, const char *client)
{
	char line[8192];

	(void)snprintf(line, sizeof(line),
	    "GET /v1/work/1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Real-IP: %s\r\n"
	    "Authorization: Bearer %s\r\n\r\n",
	    client, token);
	http_ask(w->loop, http_server_port(w->server), line, strlen(line), &w->asked);
	return w->asked.status;
}

/* Asked with one token until it is refused: how often it was let in. */
static int
asks_in_a_loop(struct world *w, const char *run, const char *file)
{
	char *token = token_of(w, run, file, "");
	int n = 0;

	while (n < 1000 && ask(w, token, HERE) == 200)
		n++;
	free(token);
	assert_int_equal(w->asked.status, 429);
	return n;
}

static void
break_signature(char *token)
{
	char *first = strrchr(token, '.') + 1;

	*first = *first == 'A' ? 'B' : 'A';
}

static bool
says_when(const struct world *w)
{
	return strstr(w->asked.text, "\r\nRetry-After: 10\r\n") != NULL;
}

/* Many jobs of others share an address of their forge. */
SCENE_TEST(a_valid_token_never_waits_behind_those_that_prove_nothing)
{
	char *good = token_of(w, "4711", "a", ""), *bad = token_of(w, "4711", "a", "");

	break_signature(bad);
	for (int i = 0; i < 40; i++) {
		assert_int_equal(ask(w, bad, HERE), i < 10 ? 401 : 429);
		assert_true(says_when(w) == (i >= 10));
	}
	assert_int_equal(w->asked_store, 0);
	assert_int_equal(ask(w, good, HERE), 200);
	assert_int_equal(ask(w, bad, HERE), 429);
	assert_int_equal(ask(w, bad, THERE), 401);
	assert_int_equal(w->counted[ROUTE_JOB_SIGNATURE], 11);
	assert_int_equal(w->counted[ROUTE_JOB_TOO_MANY], 31);
	free(good);
	free(bad);
}

/* Each check takes the loop some time. */
SCENE_TEST(no_address_has_signatures_checked_in_a_loop)
{
	char *good = token_of(w, "4711", "a", "");

	for (int i = 0; i < 599; i++)
		assert_int_equal(ask(w, "e30.e30.e30", HERE), i < 10 ? 401 : 429);
	for (int i = 0; i < 10; i++) /* valid ones are not counted */
		assert_int_equal(ask(w, good, HERE), 200);
	assert_int_equal(ask(w, "e30.e30.e30", HERE), 429);
	assert_int_equal(ask(w, good, HERE), 429);
	assert_true(says_when(w));
	assert_int_equal(ask(w, good, THERE), 200);
	stands_at += 20;
	assert_int_equal(ask(w, good, HERE), 200);
	free(good);
}

SCENE_TEST(a_valid_token_that_asks_too_often_is_checked_no_more)
{
	char *good = token_of(w, "4711", "a", ""), *other = token_of(w, "4712", "b", "");

	for (int i = 0; i < 120 + 600; i++)
		assert_int_equal(ask(w, good, HERE), i < 120 ? 200 : 429);
	assert_int_equal(ask(w, other, HERE), 429);
	assert_int_equal(ask(w, other, THERE), 200);
	free(good);
	free(other);
}

/* Ten jobs of one run that ask every five seconds do so 120 times a minute. */
SCENE_TEST(a_job_that_asks_in_a_loop_leaves_something_to_other_runs_and_workflows)
{
	assert_int_equal(asks_in_a_loop(w, "4711", "a"), 120);
	assert_int_equal(w->asked_store, 120);
	assert_true(says_when(w));
	assert_int_equal(asks_in_a_loop(w, "4712", "a"), 120);
	assert_int_equal(asks_in_a_loop(w, "4713", "a"), 0);
	assert_int_equal(asks_in_a_loop(w, "4714", "b"), 120);
	assert_int_equal(w->counted[ROUTE_JOB_TOO_MANY], 4);
	stands_at += 60000;
	assert_int_equal(asks_in_a_loop(w, "4711", "a"), 120);
}

SCENE_TEST(ten_jobs_of_a_run_that_ask_every_five_seconds_never_wait)
{
	char *token = token_of(w, "4711", "a", "");

	for (int i = 0; i < 400; i++) {
		assert_int_equal(ask(w, token, HERE), 200);
		stands_at += i % 10 == 9 ? 5000 : 0;
	}
	free(token);
}

static void
is_counted(struct world *w, enum route_job_result result, char *token)
{
	int before = w->counted[result];

	if (ask(w, token, HERE) != route_job_rows[result].status ||
	    w->counted[result] != before + 1)
		fail_msg("%s: %d %s", route_job_rows[result].word, w->asked.status, w->asked.body);
	free(token);
}

SCENE_TEST(why_a_token_is_refused_is_counted)
{
	struct jwks *had = w->keys;
	char *token = token_of(w, "4711", "a", ""), said[300];

	is_counted(w, ROUTE_JOB_FORM, strdup("e30.e30.e30"));
	is_counted(w, ROUTE_JOB_KEY, jwt_aid_sign("{\"alg\":\"RS256\",\"kid\":\"key-2\"}", "{}"));
	break_signature(token);
	is_counted(w, ROUTE_JOB_SIGNATURE, token);
	is_counted(w, ROUTE_JOB_ISSUER, jwt_aid_sign(KNOWN, "{}"));
	is_counted(w, ROUTE_JOB_CLAIMS, token_of(w, "no number", "a", ""));
	(void)snprintf(
	    said, sizeof(said), "{\"iss\":\"%s\",\"aud\":\"" JWT_AID_AUDIENCE "\"}", w->url);
	is_counted(w, ROUTE_JOB_TIMES, jwt_aid_sign(KNOWN, said));
	said[strlen(said) - 3] = 'x';
	is_counted(w, ROUTE_JOB_AUDIENCE, jwt_aid_sign(KNOWN, said));
	is_counted(w, ROUTE_JOB_WORKFLOW, token_of(w, "4711", "c", ""));
	w->keys = NULL;
	is_counted(w, ROUTE_JOB_OFF, token_of(w, "4711", "a", ""));
	w->keys = had;
	for (size_t i = ROUTE_JOB_OFF; i <= ROUTE_JOB_WORKFLOW; i++)
		assert_true(w->rejected[i]);
}

/* Whoever cannot be checked is no wrong one, and comes again. */
SCENE_TEST(what_could_not_be_checked_is_not_counted_as_a_try)
{
	char *good = token_of(w, "4711", "a", "");

	(void)snprintf(w->key_set, sizeof(w->key_set), "no keys");
	for (int i = 0; i < 20; i++) {
		assert_int_equal(ask(w, good, HERE), 503);
		assert_true(says_when(w));
	}
	assert_int_equal(w->counted[ROUTE_JOB_UNCHECKED], 20);
	free(good);
}

SCENE_TEST(what_the_store_refuses_for_now_says_when_to_come_again)
{
	char *good = token_of(w, "4711", "a", "");

	w->status = 429;
	assert_int_equal(ask(w, good, HERE), 429);
	assert_true(says_when(w));
	w->status = 409;
	assert_int_equal(ask(w, good, HERE), 409);
	assert_false(says_when(w));
	assert_non_null(strstr(
	    route_api_crowded(w->api, 7, HTTP_SERVER_CROWD_ALL, ""), "\r\nRetry-After: 10\r\n"));
	free(good);
}

/* Signed by that key, with `more` among its headers. */
static int
ask_signed(struct world *w, const char *key, const char *client, const char *more)
{
	static int ids;
	char line[1024], id[24], at[24], signature[ROUTE_KEY_SIGNATURE];
	const struct route_key_request request = { .method = "POST",
		.path = "/v1/secret/db",
		.body = "{}",
		.size = 2,
		.headers = { .id = id, .timestamp = at } };

	(void)snprintf(id, sizeof(id), "id-%d", ++ids);
	(void)snprintf(at, sizeof(at), "%lld", (long long)clock_wall_ms() / 1000);
	assert_true(route_key_sign(key, &request, signature, NULL));
	(void)snprintf(line, sizeof(line),
	    "POST /v1/secret/db HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Real-IP: %s\r\n"
	    "Content-Type: application/json\r\nContent-Length: 2\r\nwebhook-id: %s\r\n"
	    "webhook-timestamp: %s\r\nwebhook-signature: %s\r\n%s\r\n{}",
	    client, id, at, signature, more);
	http_ask(w->loop, http_server_port(w->server), line, strlen(line), &w->asked);
	return w->asked.status;
}

SCENE_TEST(who_has_a_key_is_let_in_as_its_workflow)
{
	assert_int_equal(ask_signed(w, KEY, HERE, ""), 200);
	assert_string_equal(w->workflow, "c");
	assert_false(w->is_by_previous);
	assert_int_equal(w->used_before, 0);
	assert_int_equal(ask_signed(w, KEY_BEFORE, HERE, ""), 200);
	assert_string_equal(w->workflow, "c");
	assert_true(w->is_by_previous);
	assert_int_equal(w->used_before, 1);
	assert_int_equal(w->asked_store, 2);
}

/* Before Vault makes anything of it. */
SCENE_TEST(who_was_lent_their_share_of_values_is_said_so_to_the_store)
{
	char value[32];

	for (int i = 0; i < REDACT_LENT_MAX / SHARE_OF_ONE; i++) {
		assert_int_equal(ask_signed(w, KEY, HERE, ""), 200);
		assert_false(w->is_crowded);
		(void)snprintf(value, sizeof(value), "value-%d", 100 + i);
		assert_true(loan_shelf_put_value(w->loans,
		    &(struct loan_value){
			.work = i, .who = "workflow:c", .text = value, .ttl_ms = 60000 },
		    NULL));
	}
	assert_int_equal(ask_signed(w, KEY, HERE, ""), 200);
	assert_true(w->is_crowded);
}

/* What is there twice may be read one way here and another elsewhere. */
SCENE_TEST(headers_that_are_there_twice_let_in_nobody)
{
	assert_int_equal(ask_signed(w, KEY, HERE, "webhook-id: id-0\r\n"), 401);
	assert_int_equal(ask_signed(w, KEY, HERE, "webhook-timestamp: 1\r\n"), 401);
	assert_int_equal(ask_signed(w, KEY, HERE, "Webhook-Signature: v1,x\r\n"), 401);
	assert_int_equal(ask_signed(w, KEY, HERE, "Authorization: Bearer e30.e30.e30\r\n"), 401);
	assert_int_equal(w->asked_store, 0);
}

SCENE_TEST(a_wrong_signature_costs_its_address_as_a_wrong_token_does)
{
	for (int i = 0; i < 40; i++) {
		assert_int_equal(ask_signed(w, KEY_OTHER, HERE, ""), i < 10 ? 401 : 429);
		assert_true(says_when(w) == (i >= 10));
	}
	assert_int_equal(ask_signed(w, KEY, HERE, ""), 200); /* nobody else pays for it */
	assert_int_equal(ask_signed(w, KEY_OTHER, THERE, ""), 401);
	for (int i = 0; i < 600; i++)
		(void)ask_signed(w, KEY_OTHER, HERE, "");
	assert_int_equal(ask_signed(w, KEY, HERE, ""), 429); /* it is checked no more */
	assert_int_equal(ask_signed(w, KEY, THERE, ""), 200);
	assert_int_equal(w->counted[ROUTE_JOB_SIGNATURE], 11);
	assert_int_equal(w->asked_store, 2);
}

SCENE_TEST(a_key_is_not_good_for_asking_in_a_loop)
{
	int n = 0;

	while (n < 1000 && ask_signed(w, KEY, HERE, "") == 200)
		n++;
	assert_int_equal(n, 120);
}

static void
on_key(void *ctx, enum jwks_found found, UNUSED const struct crypto_rsa *key)
{
	*(int *)ctx = (int)found;
}

/* Whoever asks for keys that nobody has makes no true token a wrong one. */
SCENE_TEST(who_comes_when_too_many_wait_for_a_key_is_told_to_come_again)
{
	static int found[JWKS_CALLERS + 1]; /* also of who is called at the end */
	char *good = token_of(w, "4711", "a", "");

	assert_int_equal(ask(w, good, HERE), 200);
	stands_at += JWKS_PAUSE_MS;
	for (size_t i = 0; i < COUNT(found); i++) {
		found[i] = -1;
		jwks_get(w->keys, "key-2", on_key, &found[i]);
	}
	assert_int_equal(found[0], -1);
	assert_int_equal(found[JWKS_CALLERS], JWKS_UNREACHABLE);
	assert_int_equal(ask(w, good, HERE), 200);
	while (found[JWKS_CALLERS - 1] == -1)
		loop_run_once(w->loop);
	assert_int_equal(found[JWKS_CALLERS - 1], JWKS_NO_SUCH_KEY);
	free(good);
}

static int
found_of(struct world *w, const char *kid)
{
	int found = -1;

	jwks_get(w->keys, kid, on_key, &found);
	while (found == -1)
		loop_run_once(w->loop);
	return found;
}

static void
make_set(struct world *w, const char *kid)
{
	(void)snprintf(w->key_set, sizeof(w->key_set),
	    "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"%s\",\"e\":\"AQAB\",\"n\":\"%s\"}]}", kid,
	    jwt_aid_modulus);
}

SCENE_TEST(for_a_key_that_is_unknown_the_issuer_is_asked_once_a_minute)
{
	char kid[16];

	assert_int_equal(found_of(w, "key-1"), JWKS_FOUND);
	for (int i = 0; i < 10; i++) {
		(void)snprintf(kid, sizeof(kid), "none-%d", i);
		assert_int_equal(found_of(w, kid), JWKS_NO_SUCH_KEY);
	}
	assert_int_equal(w->key_sets, 1);
	stands_at += JWKS_PAUSE_MS;
	for (int i = 0; i < 10; i++)
		assert_int_equal(found_of(w, "none"), JWKS_NO_SUCH_KEY);
	assert_int_equal(w->key_sets, 2);
}

SCENE_TEST(a_new_key_is_found_and_the_one_that_it_replaced_is_none)
{
	assert_int_equal(found_of(w, "key-1"), JWKS_FOUND);
	make_set(w, "key-2");
	stands_at += JWKS_PAUSE_MS;
	assert_int_equal(found_of(w, "key-2"), JWKS_FOUND);
	assert_int_equal(found_of(w, "key-1"), JWKS_NO_SUCH_KEY);
}

SCENE_TEST(an_old_set_counts_for_a_week_and_no_longer)
{
	assert_int_equal(found_of(w, "key-1"), JWKS_FOUND);
	(void)snprintf(w->key_set, sizeof(w->key_set), "<html>away</html>");
	stands_at += JWKS_OLD_MS - 1;
	assert_int_equal(found_of(w, "key-1"), JWKS_FOUND);
	stands_at += 1 + JWKS_PAUSE_MS;
	assert_int_equal(found_of(w, "key-1"), JWKS_UNREACHABLE);
	make_set(w, "key-1");
	stands_at += JWKS_PAUSE_MS;
	assert_int_equal(found_of(w, "key-1"), JWKS_FOUND);
}

SCENE_TEST(of_a_set_that_is_too_large_nothing_is_taken)
{
	w->is_huge = true;
	assert_int_equal(found_of(w, "key-1"), JWKS_UNREACHABLE);
	w->is_huge = false;
	stands_at += JWKS_PAUSE_MS;
	assert_int_equal(found_of(w, "key-1"), JWKS_FOUND);
}

/* As a token is freed when its key is there. */
static void
on_key_forgets(void *ctx, enum jwks_found found, UNUSED const struct crypto_rsa *key)
{
	assert_int_equal(found, JWKS_FOUND);
	(void)text_copy(ctx, JWT_KID, "key-2");
}

/* Regression: the key's name was read when its caller had freed it. */
SCENE_TEST(the_name_of_a_key_is_its_callers_until_they_are_called)
{
	char *good = token_of(w, "4711", "a", ""), kid[JWT_KID] = "key-1";

	assert_int_equal(ask(w, good, HERE), 200);
	stands_at += JWKS_PAUSE_MS;
	jwks_get(w->keys, kid, on_key_forgets, kid);
	assert_int_equal(ask(w, good, HERE), 200);
	assert_int_equal(ask(w, good, HERE), 200);
	assert_int_equal(w->key_sets, 1); /* none was asked for because of another name */
	free(good);
}

SCENE_TEST(an_old_set_is_renewed_behind_whoever_has_their_key)
{
	char *good = token_of(w, "4711", "a", "");

	assert_int_equal(ask(w, good, HERE), 200);
	stands_at += JWKS_FRESH_MS;
	assert_int_equal(ask(w, good, HERE), 200);
	for (int i = 0; i < 10; i++)
		assert_int_equal(ask(w, good, HERE), 200); /* its loop fetches them, too */
	assert_int_equal(w->key_sets, 2);
	free(good);
}

/* Whoever writes the claims chooses no more than which keys have to prove them. */
SCENE_TEST(its_iss_says_whose_keys_and_rules_a_token_is_checked_by)
{
	static const struct {
		const char *iss;
		enum delivery_forge forge;
		int64_t life_s;
		enum route_job_result result;
	} rows[] = {
		{ GITLAB, DELIVERY_GITLAB, 300, ROUTE_JOB_WORKFLOW },
		{ GITLAB, DELIVERY_GITLAB, 23 * 3600, ROUTE_JOB_WORKFLOW },
		{ GITLAB, DELIVERY_GITLAB, 23 * 3600 + 1, ROUTE_JOB_TIMES },
		{ GITLAB "/", DELIVERY_GITHUB, 300, ROUTE_JOB_ISSUER },
		{ "https://gitlab.com", DELIVERY_GITHUB, 300, ROUTE_JOB_ISSUER },
		{ NULL, DELIVERY_GITHUB, 4200, ROUTE_JOB_WORKFLOW }, /* of this world's issuer */
		{ NULL, DELIVERY_GITHUB, 4201, ROUTE_JOB_TIMES },
	};
	int64_t now = clock_wall_ms() / 1000;
	char claims[300];

	for (size_t i = 0; i < COUNT(rows); i++) {
		w->forge = DELIVERY_FORGE_COUNT;
		(void)snprintf(claims, sizeof(claims),
		    "{\"iss\":\"%s\",\"aud\":\"" JWT_AID_AUDIENCE "\",\"iat\":%lld,\"exp\":%lld}",
		    rows[i].iss != NULL ? rows[i].iss : w->url, (long long)now,
		    (long long)(now + rows[i].life_s));
		is_counted(w, rows[i].result, jwt_aid_sign(KNOWN, claims));
		assert_int_equal(w->forge, rows[i].forge);
	}
}
