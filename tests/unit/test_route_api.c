/* Goal: what /v1 says of health, and on whose behalf it looks, over HTTP and on a terminal.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "routes/route_api.h"

#include "cli/cli_server.h"
#include "cli/cli_show.h"
#include "clients/loan_shelf.h"
#include "lib/clock.h"
#include "lib/crypto.h"
#include "lib/json.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/redact.h"
#include "lib/text.h"
#include "settings/sources/settings_load.h"
#include "tests/unit/fail_nth.h"
#include "tests/unit/http_ask.h"
#include "types/event.h"
#include "types/refusals.h"
#include "types/token.h"
#include "unit.h"

#define KEY    "a-key-of-tokens-that-is-long-enough-1"
#define BEFORE "a-key-of-tokens-that-was-before-it-22"

struct world {
	struct loop *loop;
	struct settings *settings;
	struct refusals *refusals;
	struct known_tokens tokens;
	int asked_store; /* requests that it got */
	char why[96];	 /* of what was refused last */
	struct route_api *api;
	struct http_route routes[ROUTE_API_ROUTES];
	struct http_server *server;
	struct http_asked asked;
	struct probe_finding finding; /* of the one URL */
	uint64_t user;		      /* who looked last */
	const char *log_of;	/* whose application's log the store lets be read; NULL: none's */
	bool is_read, is_asked; /* it is there; the target was asked */
	struct loan_shelf *loans;
	struct redact *redact;
	const char *log_note; /* of a run whose log is elsewhere; NULL: it is here */
	bool is_lent;
	int lent; /* the status of a loan that the store decides; 0: it decides none */
	char printed[4096];
};

/* The store: what is live, and its URL. */
static bool
decide(void *ctx, struct event *event)
{
	struct world *w = ctx;
	struct probe_target target = { .environment = "staging", .url = "http://127.0.0.1:1/" };
	struct answer answer = { .status = 200,
		.text = "{\"environments\":[{\"environment\":\"staging\",\"health_urls\":1,"
			"\"state\":\"live\",\"is_replaced\":false}]}",
		.targets = &target,
		.n_targets = 1 };

	if (event->kind == EVENT_REJECTED)
		(void)text_copy(w->why, sizeof(w->why), event->u.rejected.reason);
	else
		w->asked_store++;
	if (w->log_of != NULL) {
		answer =
		    (struct answer){ .status = 200, .text = "{\"said\":\"\"}", .log_lines = 7 };
		(void)text_copy(answer.log_of, sizeof(answer.log_of), w->log_of);
	}
	if (w->log_note != NULL) {
		answer =
		    (struct answer){ .status = 200, .text = "{}", .work = 12, .is_ended = true };
		(void)text_copy(answer.log_note, sizeof(answer.log_note), w->log_note);
	}
	if (w->lent != 0)
		answer = (struct answer){ .status = w->lent,
			.text = "{\"said\":\"\",\"work\":\"31\"}",
			.work = 31,
			.is_lent = w->is_lent };
	event->done(event->done_ctx, &answer);
	event_free(event);
	return true;
}

static struct settings *
settings(void *ctx)
{
	return ((struct world *)ctx)->settings;
}

static struct settings *
load(void)
{
	static char *environment[] = {
		"TELEGRAM_BOT_TOKEN=123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789",
		"ADMIN_TELEGRAM_IDS=11", "STATE_DIRECTORY=/tmp", "REPOSITORY_URL=/srv/repository",
		"ENABLE_API_SERVER=true", "ENABLE_TOKEN_AUTH=true", "AUTH_TOKEN_SECRET=" KEY,
		"AUTH_TOKEN_SECRET_PREVIOUS=" BEFORE, "CONSOLE=true",
		"PUBLIC_URL=https://bot.example", NULL
	};
	struct settings_report report = { 0 };
	struct settings *ret = NULL;

	if (!settings_load(NULL, environment, &ret, &report))
		fail_msg("settings: %s", report.lines[0].text);
	return ret;
}

static void
text_of(char last, char out[TOKEN_TEXT])
{
	(void)snprintf(out, TOKEN_TEXT, TOKEN_PREFIX "%0*d%c", 2 * TOKEN_BYTES - 1, 0, last);
}

/* From now on there is that token, until then. */
static void
know(struct world *w, char last, const char *key, int64_t until)
{
	struct known_token *token = &w->tokens.at[w->tokens.n++];
	char text[TOKEN_TEXT];

	text_of(last, text);
	assert_true(crypto_hmac(key, strlen(key), text, strlen(text), token->mac, NULL));
	token->until = until;
	route_api_tokens(w->api, &w->tokens);
}

static bool
read_log(void *ctx, const char *environment, int lines,
    void (*on_done)(void *ctx, bool is_read, const char *text), void *done_ctx, struct err *err)
{
	struct world *w = ctx;

	assert_string_equal(environment, "shop/staging");
	assert_int_equal(lines, 7);
	if (!w->is_asked)
		return err_set(err, ERR_BUSY, "too many read logs at once");
	on_done(done_ctx, w->is_read, w->is_read ? "GET /orders\n<b> \"x\"" : "h1: no container");
	return true;
}

static void
look(void *ctx, uint64_t user, UNUSED const struct probe_target *targets, size_t n,
    void (*on_done)(void *ctx, const struct probe_finding *findings), void *done_ctx)
{
	struct world *w = ctx;

	assert_int_equal(n, 1);
	w->user = user;
	on_done(done_ctx, &w->finding);
}

static int
set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct http_server_config config = { 0 };

	w->loop = loop_new(NULL);
	w->redact = redact_new();
	w->loans = loan_shelf_new(w->loop, w->redact);
	w->settings = load();
	w->refusals =
	    refusals_new(&(struct refusals_config){ .loop = w->loop, .submit = decide, .ctx = w });
	w->api = route_api_new(&(struct route_api_config){ .settings = settings,
	    .submit = decide,
	    .refusals = w->refusals,
	    .is_network = true,
	    .look = look,
	    .read_log = read_log,
	    .loans = w->loans,
	    .ctx = w });
	know(w, 'a', KEY, INT64_MAX);
	know(w, 'b', KEY, INT64_MAX);
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

/* Its status, as somebody of that address (NULL: of this machine). */
static int
status_of(struct world *w, char last, const char *client)
{
	char line[320], text[TOKEN_TEXT];

	text_of(last, text);
	(void)snprintf(line, sizeof(line),
	    "GET /v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s%s%s"
	    "Authorization: Bearer %s\r\n\r\n",
	    client == NULL ? "" : "X-Real-IP: ", client == NULL ? "" : client,
	    client == NULL ? "" : "\r\n", text);
	http_ask(w->loop, http_server_port(w->server), line, strlen(line), &w->asked);
	return w->asked.status;
}

/* What `deploybot status` prints of it goes to w->printed. */
static void
ask(struct world *w, char last)
{
	char *text = NULL;
	FILE *out = stdout;
	struct json *json;
	size_t size;

	assert_int_equal(status_of(w, last, NULL), 200);
	json = json_decode(w->asked.body, strlen(w->asked.body), NULL);
	assert_non_null(json);
	stdout = open_memstream(&text, &size);
	cli_show_status(json);
	(void)fclose(stdout);
	stdout = out;
	assert_true(text_copy(w->printed, sizeof(w->printed), text));
	free(text);
	json_free(json);
}

static bool
has(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}

/* A look that could not be begun was an environment that is DOWN. */
SCENE_TEST(what_was_not_asked_is_not_said_to_be_down)
{
	w->finding = (struct probe_finding){ .is_unknown = true, .detail = "too many look" };
	ask(w, 'a');
	assert_true(has(w->asked.body, "\"is_healthy\":null,"));
	assert_true(has(w->printed, "\n  health is not known: too many look\n"));
	w->finding = (struct probe_finding){ .http_status = 500, .detail = "HTTP 500" };
	ask(w, 'a');
	assert_true(has(w->asked.body, "\"is_healthy\":false,"));
	assert_true(has(w->printed, "\n  DOWN: HTTP 500\n"));
	w->finding =
	    (struct probe_finding){ .is_healthy = true, .http_status = 200, .latency_ms = 7 };
	ask(w, 'a');
	assert_true(has(w->asked.body, "\"is_healthy\":true,"));
	assert_true(has(w->printed, "\n  healthy: HTTP 200 in 7 ms\n"));
}

/* Archives come from users of the machine alone, whatever a token may. */
SCENE_TEST(an_upload_is_not_there_on_the_network)
{
	static const char line[] =
	    "POST /v1/upload/staging HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
	    "Authorization: Bearer x\r\nContent-Type: application/octet-stream\r\n"
	    "Content-Length: 3\r\n\r\nabc";

	http_ask(w->loop, http_server_port(w->server), line, strlen(line), &w->asked);
	assert_int_equal(w->asked.status, 404);
	assert_int_equal(w->asked_store, 0);
}

/* Each has places of their own in health_look.c. */
SCENE_TEST(each_token_looks_as_itself)
{
	uint64_t ann;

	ask(w, 'a');
	ann = w->user;
	ask(w, 'b');
	assert_true(w->user != ann);
	ask(w, 'a');
	assert_true(w->user == ann);
}

/* Behind one address as behind the proxy of a whole office, and used for the first time. */
SCENE_TEST(a_valid_token_never_waits_behind_unknown_ones)
{
	int refused = 0;

	for (int i = 0; i < 100; i++) {
		int status = status_of(w, 'f', NULL);

		assert_true(status == 401 || status == 429);
		refused += status == 429;
	}
	assert_true(refused >= 85);
	assert_int_equal(status_of(w, 'a', NULL), 200);
	assert_int_equal(status_of(w, 'b', NULL), 200);
	assert_int_equal(status_of(w, 'f', NULL), 429);
}

SCENE_TEST(an_unknown_token_costs_the_store_nothing)
{
	for (int i = 0; i < 10; i++)
		assert_int_equal(status_of(w, 'f', NULL), 401);
	assert_true(has(w->asked.body, "an unknown token: make one with deploybot token add"));
	assert_string_equal(w->why, "an unknown token");
	assert_int_equal(w->asked_store, 0);
	assert_int_equal(status_of(w, 'a', NULL), 200);
	assert_int_equal(w->asked_store, 1);
}

/* While the secret is rotated; and one that no secret of ours has made is none. */
SCENE_TEST(a_token_is_known_under_either_value_of_the_secret)
{
	know(w, 'c', BEFORE, INT64_MAX);
	know(w, 'd', "a-key-of-tokens-that-is-nobodys-333", INT64_MAX);
	assert_int_equal(status_of(w, 'c', NULL), 200);
	assert_int_equal(status_of(w, 'd', NULL), 401);
}

/* Without memory for its MAC nobody knows: no try is counted, and the store is not asked. */
SCENE_TEST(a_token_that_cannot_be_checked_is_no_wrong_one)
{
	for (int i = 0; i < 40; i++) {
		fail_nth(FAIL_CRYPTO, 1);
		assert_int_equal(status_of(w, i % 2 == 0 ? 'f' : 'a', NULL), 503);
		assert_true(fail_nth_met());
	}
	assert_true(has(w->asked.body, "no memory to check the token: try again"));
	assert_int_equal(w->asked_store, 0);
	assert_int_equal(status_of(w, 'f', NULL), 401);
	assert_int_equal(status_of(w, 'a', NULL), 200);
}

/* Why it is not valid any more the store says, as often as anybody may try. */
SCENE_TEST(one_that_is_over_is_limited_as_an_unknown_one)
{
	know(w, 'c', KEY, 0);
	know(w, 'd', KEY, clock_wall_ms() - 1);
	know(w, 'e', KEY, clock_wall_ms() + 3600000);
	for (int i = 0; i < 10; i++)
		assert_int_equal(
		    status_of(w, i % 2 == 0 ? 'c' : 'd', NULL), 200); /* as it decided */
	assert_int_equal(w->asked_store, 10);
	assert_int_equal(status_of(w, 'c', NULL), 429);
	assert_int_equal(status_of(w, 'e', NULL), 200);
}

/* What is renewed after a commit keeps what each has left; what is gone is gone. */
SCENE_TEST(a_token_keeps_its_limit_when_others_are_made)
{
	int n = 0;

	while (status_of(w, 'a', NULL) == 200)
		continue;
	assert_int_equal(w->asked.status, 429);
	know(w, 'c', KEY, INT64_MAX);
	while (status_of(w, 'a', NULL) == 200)
		n++; /* what has come back meanwhile */
	assert_true(n < 60);
	assert_int_equal(status_of(w, 'c', NULL), 200);
	w->tokens.n = 1;
	route_api_tokens(w->api, &w->tokens);
	assert_int_equal(status_of(w, 'b', NULL), 401);
}

/* One customer has 2^64 addresses; the next is another one. */
SCENE_TEST(tries_of_a_network_of_ipv6_are_one_anothers)
{
	char client[64];

	for (int i = 0; i < 10; i++) {
		(void)snprintf(client, sizeof(client), "2001:db8:1:2:%x::%x", i, i * 7);
		assert_int_equal(status_of(w, 'f', client), 401);
	}
	assert_int_equal(status_of(w, 'f', "2001:db8:1:2:ffff::"), 429);
	assert_int_equal(status_of(w, 'f', "2001:db8:1:3::"), 401);
	assert_int_equal(status_of(w, 'f', "::ffff:192.0.2.1"), 401);
}

static void
ask_log(struct world *w)
{
	static const char body[] = "{\"arguments\": [\"shop/staging\", \"7\"]}";
	char line[400], token[TOKEN_TEXT];

	text_of('a', token);
	(void)snprintf(line, sizeof(line),
	    "POST /v1/command/logs HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
	    "Content-Type: application/json\r\nContent-Length: %zu\r\n"
	    "Authorization: Bearer %s\r\n\r\n%s",
	    sizeof(body) - 1, token, body);
	http_ask(w->loop, http_server_port(w->server), line, strlen(line), &w->asked);
}

/* What the store has said is not the answer: that it may be read is. */
SCENE_TEST(what_an_application_logged_is_asked_before_it_is_answered)
{
	w->log_of = "shop/staging";
	ask_log(w);
	assert_int_equal(w->asked.status, 503);
	assert_true(has(w->asked.body, "too many read logs at once"));
	w->is_asked = true;
	ask_log(w);
	assert_int_equal(w->asked.status, 409);
	assert_true(has(w->asked.body, "\"said\":\"No log: h1: no container\""));
	w->is_read = true;
	ask_log(w);
	assert_int_equal(w->asked.status, 200);
	assert_true(has(w->asked.body, "\"said\":\"GET /orders\\n<b> \\\"x\\\"\""));
}

static void
ask_piece(struct world *w, int offset)
{
	char line[300], token[TOKEN_TEXT];

	text_of('a', token);
	(void)snprintf(line, sizeof(line),
	    "GET /v1/log/12/%d HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
	    "Authorization: Bearer %s\r\n\r\n",
	    offset, token);
	http_ask(w->loop, http_server_port(w->server), line, strlen(line), &w->asked);
}

SCENE_TEST(where_the_log_of_an_agents_run_stands_is_said_once)
{
	w->log_note = "in the journal of acme";
	ask_piece(w, 0);
	assert_int_equal(w->asked.status, 200);
	assert_true(has(w->asked.body,
	    "\"next\":23,\"is_over\":true,\"is_unchanged\":false,\"text\":\"in the journal of acme\\n\""));
	ask_piece(w, 23);
	assert_true(has(
	    w->asked.body, "\"next\":23,\"is_over\":true,\"is_unchanged\":false,\"text\":\"\""));
}

static void
ask_loan(struct world *w, int status, bool is_lent)
{
	static const char body[] = "{\"arguments\": [\"31\"]}";
	char line[400], token[TOKEN_TEXT];

	w->lent = status;
	w->is_lent = is_lent;
	text_of('a', token);
	(void)snprintf(line, sizeof(line),
	    "POST /v1/command/show HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
	    "Content-Type: application/json\r\nContent-Length: %zu\r\n"
	    "Authorization: Bearer %s\r\n\r\n%s",
	    sizeof(body) - 1, token, body);
	http_ask(w->loop, http_server_port(w->server), line, strlen(line), &w->asked);
}

SCENE_TEST(what_was_lent_stands_in_one_answer_and_in_no_second_one)
{
	assert_true(loan_shelf_put(w->loans, 31, "hvs.<\"lent\">"));
	assert_true(loan_shelf_put(w->loans, 32, "hvs.other"));
	ask_loan(w, 200, false); /* the store does not say so */
	assert_int_equal(w->asked.status, 200);
	assert_string_equal(w->asked.body, "{\"said\":\"\",\"work\":\"31\"}");
	ask_loan(w, 403, true);
	assert_int_equal(w->asked.status, 403);
	assert_false(has(w->asked.body, "token"));
	ask_loan(w, 200, true);
	assert_int_equal(w->asked.status, 200);
	assert_string_equal(
	    w->asked.body, "{\"said\":\"\",\"work\":\"31\",\"token\":\"hvs.<\\\"lent\\\">\"}");
	ask_loan(w, 200, false);
	assert_string_equal(w->asked.body, "{\"said\":\"\",\"work\":\"31\"}");
	ask_loan(w, 200, true);
	assert_int_equal(w->asked.status, 410);
	assert_true(has(w->asked.body, "\"said\":\"What was lent is gone: ask again.\""));
	assert_false(has(w->asked.body, "token"));
}

#define VALUE(value, of) \
	((struct loan_value){ .work = 31, .who = (of), .text = (value), .ttl_ms = 60000 })

SCENE_TEST(a_value_stands_in_the_place_of_a_token_and_the_longest_fits)
{
	CLEANUP(freep) char *value = mem_alloc(VAULT_VALUE_MAX + 1);

	assert_true(loan_shelf_put_value(w->loans, &VALUE("a\n\"bcde\"", "a"), NULL));
	ask_loan(w, 200, true);
	assert_int_equal(w->asked.status, 200);
	assert_string_equal(
	    w->asked.body, "{\"said\":\"\",\"work\":\"31\",\"value\":\"a\\n\\\"bcde\\\"\"}");
	ask_loan(w, 200, true);
	assert_int_equal(w->asked.status, 410);
	assert_false(has(w->asked.body, "value"));
	for (uint32_t i = 0, seed = 1; i < VAULT_VALUE_MAX; i++) /* \u000e to \u001f */
		value[i] = (char)(14 + ((seed = seed * 1664525 + 1013904223) >> 24) % 18);
	value[VAULT_VALUE_MAX] = '\0';
	assert_true(loan_shelf_put_value(w->loans, &VALUE(value, "b"), NULL));
	ask_loan(w, 200, true);
	assert_int_equal(w->asked.status, 200);
}

SCENE_TEST(the_longest_token_fits_into_its_answer)
{
	char token[VAULT_TOKEN_MAX + 1], end[VAULT_TOKEN_MAX + 64];

	memset(token, 'a', VAULT_TOKEN_MAX);
	token[VAULT_TOKEN_MAX] = '\0';
	assert_true(loan_shelf_put(w->loans, 31, token));
	ask_loan(w, 200, true);
	assert_int_equal(w->asked.status, 200);
	(void)snprintf(end, sizeof(end), ",\"token\":\"%s\"}", token);
	assert_true(has(w->asked.body, end));
}

/* --- sessions of the console --- */

/* The status of session/open with that body, as somebody of that address. */
static int
open_as(struct world *w, const char *client, const char *body)
{
	static char line[80000];

	(void)snprintf(line, sizeof(line),
	    "POST /v1/session/open HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
	    "X-Real-IP: %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
	    client, strlen(body), body);
	http_ask(w->loop, http_server_port(w->server), line, strlen(line), &w->asked);
	return w->asked.status;
}

#define CODE	  "{\"code\": \"00112233445566778899aabbccddeeff\"}"
#define INIT_DATA "{\"init_data\": \"user=%7B%22id%22%3A33%7D&auth_date=1&hash=00\"}"

/* It is the one request without Authorization; its body is read all the same. */
SCENE_TEST(a_session_is_opened_without_authorization)
{
	w->lent = 200;
	assert_int_equal(open_as(w, "192.0.2.1", CODE), 200);
	assert_int_equal(w->asked_store, 1);
	assert_int_equal(open_as(w, "192.0.2.1", "{\"code\": \"0011\"}"), 400);
	assert_int_equal(open_as(w, "192.0.2.1", "{\"code\": 7}"), 400);
	assert_int_equal(open_as(w, "192.0.2.1", "{\"code\": \"x\", \"init_data\": \"x\"}"), 400);
	assert_int_equal(open_as(w, "192.0.2.1", "{}"), 400);
	assert_int_equal(w->asked_store, 1);
}

/* What is wrong with initData the loop sees: the store is not asked. */
SCENE_TEST(init_data_that_proves_nothing_does_not_reach_the_store)
{
	assert_int_equal(open_as(w, "192.0.2.2", INIT_DATA), 401);
	assert_int_equal(w->asked_store, 0);
	assert_string_equal(w->why, "initData that proves nothing");
}

SCENE_TEST(initdata_of_64_kb_is_not_read)
{
	static char body[65536 + 64];
	size_t size = (size_t)snprintf(body, sizeof(body), "{\"init_data\": \"");

	memset(body + size, 'a', 65536);
	(void)snprintf(body + size + 65536, sizeof(body) - size - 65536, "\"}");
	assert_int_equal(open_as(w, "192.0.2.3", body), 413);
	assert_int_equal(w->asked_store, 0);
}

/* Ten at once of an address; wrong tokens, which take no account, close the console to nobody. */
SCENE_TEST(guessing_codes_is_limited_apart_from_guessing_tokens)
{
	w->lent = 401;
	for (int i = 0; i < 10; i++)
		assert_int_equal(status_of(w, 'f', "192.0.2.4"), 401);
	assert_int_equal(status_of(w, 'f', "192.0.2.4"), 429);
	for (int i = 0; i < 10; i++)
		assert_int_equal(open_as(w, "192.0.2.4", CODE), 401);
	assert_int_equal(open_as(w, "192.0.2.4", CODE), 429);
	assert_int_equal(open_as(w, "192.0.2.4", INIT_DATA), 429);
	assert_int_equal(w->asked_store, 10);
	assert_int_equal(open_as(w, "192.0.2.5", CODE), 401); /* of another address */
}

/* A good one takes nothing: an office opens its pages in the morning. */
SCENE_TEST(logging_in_takes_nothing)
{
	w->lent = 200;
	for (int i = 0; i < 30; i++)
		assert_int_equal(open_as(w, "192.0.2.6", CODE), 200);
}

static int
session_status(struct world *w, const char *token)
{
	char line[320];

	(void)snprintf(line, sizeof(line),
	    "GET /v1/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
	    "Authorization: Bearer %s\r\n\r\n",
	    token);
	http_ask(w->loop, http_server_port(w->server), line, strlen(line), &w->asked);
	return w->asked.status;
}

/* By its MAC, as a token; under its own beginning. */
SCENE_TEST(a_session_that_is_known_asks)
{
	struct known_token *known = &w->tokens.at[w->tokens.n++];
	char text[TOKEN_SESSION_TEXT];

	(void)snprintf(text, sizeof(text), TOKEN_SESSION_PREFIX "%0*d", 2 * TOKEN_BYTES, 7);
	assert_true(crypto_hmac(KEY, strlen(KEY), text, strlen(text), known->mac, NULL));
	known->until = INT64_MAX;
	w->lent = 200;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(session_status(w, text), i == 0 ? 401 : 200);
		route_api_tokens(w->api, &w->tokens);
	}
}

/* Regression: sessions came, and the room was that of tokens alone. */
SCENE_TEST(as_many_are_known_as_the_store_tells_of)
{
	struct known_token *last = &w->tokens.at[COUNT(w->tokens.at) - 1];
	char text[TOKEN_SESSION_TEXT];

	(void)snprintf(text, sizeof(text), TOKEN_SESSION_PREFIX "%0*d", 2 * TOKEN_BYTES, 8);
	w->tokens.n = COUNT(w->tokens.at);
	memset(w->tokens.at, 0x5a, sizeof(w->tokens.at));
	assert_true(crypto_hmac(KEY, strlen(KEY), text, strlen(text), last->mac, NULL));
	last->until = INT64_MAX;
	w->lent = 200;
	for (int i = 0; i < 2; i++) {
		route_api_tokens(w->api, &w->tokens);
		assert_int_equal(session_status(w, text), 200);
	}
}
