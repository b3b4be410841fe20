/* Goal: what /v1 says of health, and on whose behalf it looks, over HTTP and on a terminal.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "routes/route_api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cli/cli_server.h"
#include "lib/json.h"
#include "lib/loop.h"
#include "lib/text.h"
#include "tests/unit/http_ask.h"
#include "types/event.h"
#include "types/token.h"

struct world {
	struct loop *loop;
	struct route_api *api;
	struct http_route routes[ROUTE_API_ROUTES];
	struct http_server *server;
	struct http_asked asked;
	struct probe_finding finding; /* of the one URL */
	uint64_t user;		      /* who looked last */
	const char *log_of;	/* whose application's log the store lets be read; NULL: none's */
	bool is_read, is_asked; /* it is there; the target was asked */
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

	if (w->log_of != NULL) {
		answer =
		    (struct answer){ .status = 200, .text = "{\"said\":\"\"}", .log_lines = 7 };
		(void)text_copy(answer.log_of, sizeof(answer.log_of), w->log_of);
	}
	event->done(event->done_ctx, &answer);
	event_free(event);
	return true;
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

static bool
look(void *ctx, uint64_t user, UNUSED const struct probe_target *targets, size_t n,
    void (*on_done)(void *ctx, const struct probe_finding *findings), void *done_ctx)
{
	struct world *w = ctx;

	assert_int_equal(n, 1);
	w->user = user;
	on_done(done_ctx, &w->finding);
	return true;
}

static int
set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct http_server_config config = { .route_count = COUNT(w->routes) };

	w->loop = loop_new(NULL);
	w->api = route_api_new(&(struct route_api_config){
	    .submit = decide, .is_network = true, .look = look, .read_log = read_log, .ctx = w });
	route_api_routes(w->api, w->routes);
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
	loop_free(w->loop);
	free(w);
	return 0;
}

/* What `deploybot status` prints of it goes to w->printed. */
static void
ask(struct world *w, char last)
{
	char line[256], *text = NULL;
	FILE *out = stdout;
	struct json *json;
	size_t size;

	(void)snprintf(line, sizeof(line),
	    "GET /v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
	    "Authorization: Bearer " TOKEN_PREFIX "%0*d%c\r\n\r\n",
	    2 * TOKEN_BYTES - 1, 0, last);
	http_ask(w->loop, http_server_port(w->server), line, strlen(line), &w->asked);
	assert_int_equal(w->asked.status, 200);
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
static void
what_was_not_asked_is_not_said_to_be_down(void **state)
{
	struct world *w = *state;

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

/* Each has places of their own in health_look.c. */
static void
each_token_looks_as_itself(void **state)
{
	struct world *w = *state;
	uint64_t ann;

	ask(w, 'a');
	ann = w->user;
	ask(w, 'b');
	assert_true(w->user != ann);
	ask(w, 'a');
	assert_true(w->user == ann);
}

static void
ask_log(struct world *w)
{
	static const char body[] = "{\"arguments\": [\"shop/staging\", \"7\"]}";
	char line[400];

	(void)snprintf(line, sizeof(line),
	    "POST /v1/command/logs HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
	    "Content-Type: application/json\r\nContent-Length: %zu\r\n"
	    "Authorization: Bearer " TOKEN_PREFIX "%0*d\r\n\r\n%s",
	    sizeof(body) - 1, 2 * TOKEN_BYTES, 0, body);
	http_ask(w->loop, http_server_port(w->server), line, strlen(line), &w->asked);
}

/* What the store has said is not the answer: that it may be read is. */
static void
what_an_application_logged_is_asked_before_it_is_answered(void **state)
{
	struct world *w = *state;

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

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_was_not_asked_is_not_said_to_be_down),
		TEST(each_token_looks_as_itself),
		TEST(what_an_application_logged_is_asked_before_it_is_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
