/* http_client_aid.c - a client, a server beside it in one loop, and what became of each call.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "lib/http_server_inside.h"
#include "http_client_aid.h"
#include "types/outbound.h"

static void
on_patience_over(UNUSED struct loop_timer *timer, void *ctx)
{
	((struct client_aid *)ctx)->is_over = true;
}

/* --- the other side ------------------------------------------------------------------------- */

static void
hello(struct http_request *request, void *ctx)
{
	const struct http_header headers[] = { { "X-Commit", "aaa" }, { "x-commit", "abc123" },
		{ "Retry-After", "7" }, { NULL, NULL } };
	const char *agent = http_request_header(request, "User-Agent");
	struct client_aid *f = ctx;

	f->asked++;
	(void)snprintf(f->seen, sizeof(f->seen), "%s agent=%s x=%s", request->method,
	    agent == NULL ? "none" : agent,
	    http_request_header(request, "X-Mine") == NULL ?
		"none" :
		http_request_header(request, "X-Mine"));
	http_request_answer(request, 200, headers, "hello", 5);
}

static void
keep(struct http_request *request, void *ctx)
{
	struct client_aid *f = ctx;

	assert_true(f->kept_count < COUNT(f->kept));
	f->kept[f->kept_count++] = request;
}

static void
send_elsewhere(struct http_request *request, void *ctx)
{
	const struct http_header headers[] = { { "Location", "/hello" }, { NULL, NULL } };

	(void)ctx;
	http_request_answer(request, 302, headers, NULL, 0);
}

static void
say_much(struct http_request *request, void *ctx)
{
	static char much[200 * 1024];

	(void)ctx;
	http_request_answer(request, 200, NULL, much, sizeof(much));
}

static void
say_gone(struct http_request *request, UNUSED void *ctx)
{
	http_request_answer(request, 404, NULL, "gone", 4);
}

static void
take(struct http_request *request, void *ctx)
{
	const char *type = http_request_header(request, "Content-Type");
	const char *expect = http_request_header(request, "Expect");
	struct client_aid *f = ctx;

	(void)snprintf(f->seen, sizeof(f->seen), "%s %s %s", request->method,
	    type == NULL ? "" : type, expect == NULL ? "" : expect);
	free(f->body);
	f->body = http_request_take_body(request, &f->body_size);
	http_request_answer(request, 200, NULL, NULL, 0);
}

static struct http_route routes[] = {
	{ .methods = "GET, HEAD", .path = "/" SECRET "/hello", .on_request = hello },
	{ .methods = "GET", .path = "/" SECRET "/never", .on_request = keep },
	{ .methods = "GET", .path = "/" SECRET "/elsewhere", .on_request = send_elsewhere },
	{ .methods = "GET", .path = "/" SECRET "/much", .on_request = say_much },
	{ .methods = "GET", .path = "/" SECRET "/gone", .on_request = say_gone },
	{ .methods = "POST, PUT",
	    .path = "/" SECRET "/take",
	    .body_max = 8 * 1024 * 1024,
	    .on_request = take },
};

/* --- fixture -------------------------------------------------------------------------------- */

int
client_aid_set_up(void **state)
{
	struct client_aid *f = calloc(1, sizeof(*f));
	struct http_server_config config = { .routes = routes, .route_count = COUNT(routes) };

	if (f == NULL)
		return -1;
	for (size_t i = 0; i < COUNT(routes); i++)
		routes[i].ctx = f;
	f->loop = loop_new(NULL);
	loop_timer_init(&f->patience, on_patience_over, f);
	f->server = http_server_new(f->loop, &config, "127.0.0.1:0", NULL);
	*state = f;
	return f->server == NULL ? -1 : 0;
}

int
client_aid_tear_down(void **state)
{
	struct client_aid *f = *state;

	http_client_free(f->client);
	for (size_t i = 0; i < f->kept_count; i++)
		http_request_answer(f->kept[i], 200, NULL, NULL, 0);
	http_server_free(f->server);
	loop_timer_stop(&f->patience);
	loop_free(f->loop);
	free(f->body);
	free(f);
	return 0;
}

void
client_aid_start(struct client_aid *f, const struct http_client_config *config)
{
	struct http_client_config with_addresses = *config;
	struct err err;

	if (config->address_is_allowed == NULL)
		with_addresses.address_is_allowed = outbound_allows;
	if (config->address_ctx == NULL)
		with_addresses.address_ctx = outbound_of(OUTBOUND_HEALTH, NULL);
	f->client = http_client_new(f->loop, &with_addresses, &err);
	if (f->client == NULL)
		fail_msg("%s", err.text);
}

static void
note_outcome(void *ctx, const struct http_client_result *result)
{
	struct outcome *outcome = ctx;
	const char *commit = http_client_header(result, "X-COMMIT");

	outcome->times++;
	outcome->code = result->code;
	outcome->status = result->status;
	outcome->body_size = result->body_size;
	outcome->total_ms = result->total_ms;
	(void)snprintf(outcome->text, sizeof(outcome->text), "%s", result->text);
	(void)snprintf(outcome->body, sizeof(outcome->body), "%s", result->body);
	(void)snprintf(
	    outcome->commit, sizeof(outcome->commit), "%s", commit == NULL ? "" : commit);
	assert_null(strstr(result->text, SECRET));
}

struct http_client_request
client_aid_request(struct client_aid *f, const char *path, struct outcome *outcome)
{
	(void)snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%u/" SECRET "%s",
	    http_server_port(f->server), path);
	return (struct http_client_request){
		.label = "probe", .url = f->url, .on_done = note_outcome, .ctx = outcome
	};
}

struct http_client_call *
client_aid_get(struct client_aid *f, const char *path, struct outcome *outcome)
{
	struct http_client_request request = client_aid_request(f, path, outcome);
	struct http_client_call *call = http_client_start(f->client, &request, NULL);

	assert_non_null(call);
	return call;
}

void
client_aid_turn(struct client_aid *f)
{
	for (int i = 0; i < 20; i++) {
		loop_timer_start(f->loop, &f->patience, 1, 0);
		loop_run_once(f->loop);
	}
	f->is_over = false;
}
