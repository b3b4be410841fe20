/* Goal: a call ends in time, within its size, once, and tells nobody its URL.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/http_client.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/http_server.h"

#define PATIENCE_MS 5000
#define SECRET	    "s3cr3t-in-the-path"
#define STREAM_SIZE (3 * 1024 * 1024)

/* What became of one call. */
struct outcome {
	unsigned times;
	enum err_code code;
	int status;
	char text[240];
	char body[256];
	size_t body_size;
	char commit[64];
	bool never_sent;
	int64_t total_ms;
};

struct fixture {
	struct loop *loop;
	struct http_server *server;
	struct http_client *client;
	struct loop_timer patience;
	bool is_over;
	unsigned asked;
	struct http_request *kept[4];
	size_t kept_count;
	char seen[512];
	char *body;
	size_t body_size;
	size_t stream_left;
	size_t stream_promised;
	char url[128];
};

static void
on_patience_over(struct loop_timer *timer, void *ctx)
{
	(void)timer;
	((struct fixture *)ctx)->is_over = true;
}

#define UNTIL(f, condition) \
	do { \
		loop_timer_start((f)->loop, &(f)->patience, PATIENCE_MS, 0); \
		while (!(condition)) { \
			loop_run_once((f)->loop); \
			if ((f)->is_over) \
				fail_msg("not within time: %s", #condition); \
		} \
		loop_timer_stop(&(f)->patience); \
	} while (0)

/* libcurl's threads look names up with this one: it answers when the test lets it. */
static int name_server[2] = { -1, -1 };

int
getaddrinfo(
    const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **ret_list)
{
	char token;

	(void)node;
	(void)service;
	(void)hints;
	*ret_list = NULL;
	return read(name_server[0], &token, 1) == 1 ? EAI_FAIL : EAI_SYSTEM;
}

/* --- the other side ------------------------------------------------------------------------- */

static void
hello(struct http_request *request, void *ctx)
{
	const struct http_header headers[] = { { "X-Commit", "aaa" }, { "x-commit", "abc123" },
		{ "Retry-After", "7" }, { NULL, NULL } };
	const char *agent = http_request_header(request, "User-Agent");
	struct fixture *f = ctx;

	f->asked++;
	(void)snprintf(f->seen, sizeof(f->seen), "%s agent=%s x=%s", http_request_method(request),
	    agent == NULL ? "none" : agent,
	    http_request_header(request, "X-Mine") == NULL ?
		"none" :
		http_request_header(request, "X-Mine"));
	http_request_answer(request, 200, headers, "hello", 5);
}

static void
keep(struct http_request *request, void *ctx)
{
	struct fixture *f = ctx;

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
take(struct http_request *request, void *ctx)
{
	const char *type = http_request_header(request, "Content-Type");
	const char *expect = http_request_header(request, "Expect");
	struct fixture *f = ctx;

	(void)snprintf(f->seen, sizeof(f->seen), "%s %s %s", http_request_method(request),
	    type == NULL ? "" : type, expect == NULL ? "" : expect);
	free(f->body);
	f->body = http_request_take_body(request, &f->body_size);
	http_request_answer(request, 200, NULL, NULL, 0);
}

static struct http_route routes[] = {
	{ .methods = "GET HEAD", .path = "/" SECRET "/hello", .on_request = hello },
	{ .methods = "GET", .path = "/" SECRET "/never", .on_request = keep },
	{ .methods = "GET", .path = "/" SECRET "/elsewhere", .on_request = send_elsewhere },
	{ .methods = "GET", .path = "/" SECRET "/much", .on_request = say_much },
	{ .methods = "POST PUT",
	    .path = "/" SECRET "/take",
	    .body_max = 8 * 1024 * 1024,
	    .on_request = take },
};

/* --- fixture -------------------------------------------------------------------------------- */

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
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

static int
tear_down(void **state)
{
	struct fixture *f = *state;

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

static void
start_client(struct fixture *f, const struct http_client_config *config)
{
	struct err err;

	f->client = http_client_new(f->loop, config, &err);
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
	outcome->never_sent = result->never_sent;
	outcome->total_ms = result->total_ms;
	(void)snprintf(outcome->text, sizeof(outcome->text), "%s", result->text);
	(void)snprintf(outcome->body, sizeof(outcome->body), "%s", result->body);
	(void)snprintf(
	    outcome->commit, sizeof(outcome->commit), "%s", commit == NULL ? "" : commit);
	assert_null(strstr(result->text, SECRET));
}

static struct http_client_request
request_to(struct fixture *f, const char *path, struct outcome *outcome)
{
	(void)snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%u/" SECRET "%s",
	    http_server_port(f->server), path);
	return (struct http_client_request){
		.label = "probe", .url = f->url, .on_done = note_outcome, .ctx = outcome
	};
}

static struct http_client_call *
get(struct fixture *f, const char *path, struct outcome *outcome)
{
	struct http_client_request request = request_to(f, path, outcome);
	struct http_client_call *call = http_client_start(f->client, &request, NULL);

	assert_non_null(call);
	return call;
}

static void
turn_a_few_times(struct fixture *f)
{
	for (int i = 0; i < 20; i++) {
		loop_timer_start(f->loop, &f->patience, 1, 0);
		loop_run_once(f->loop);
	}
	f->is_over = false;
}

/* --- tests ---------------------------------------------------------------------------------- */

static void
an_answer_comes_whole_and_later(void **state)
{
	const struct http_client_config config = { .user_agent = "tests/1" };
	const char *const headers[] = { "X-Mine: yes", NULL };
	struct fixture *f = *state;
	struct outcome outcome = { 0 };
	struct http_client_request request = request_to(f, "/hello", &outcome);

	start_client(f, &config);
	request.headers = headers;
	assert_non_null(http_client_start(f->client, &request, NULL));
	assert_int_equal(outcome.times, 0);
	UNTIL(f, outcome.times > 0);
	assert_int_equal(outcome.code, ERR_NONE);
	assert_int_equal(outcome.status, 200);
	assert_string_equal(outcome.body, "hello");
	assert_int_equal(outcome.body_size, 5);
	assert_string_equal(outcome.commit, "abc123");
	assert_string_equal(outcome.text, "");
	assert_string_equal(f->seen, "GET agent=tests/1 x=yes");
	assert_int_equal(http_client_in_flight(f->client), 0);
}

static void
calls_one_after_another_use_one_connection(void **state)
{
	const struct http_client_config config = { 0 };
	struct fixture *f = *state;
	struct outcome outcome = { 0 };

	start_client(f, &config);
	for (unsigned i = 1; i <= 5; i++) {
		(void)get(f, "/hello", &outcome);
		UNTIL(f, outcome.times == i);
		assert_int_equal(outcome.status, 200);
	}
	assert_string_equal(f->seen, "GET agent=none x=none");
	assert_int_equal(http_server_connections(f->server), 1);
}

static void
two_calls_fly_at_once(void **state)
{
	const struct http_client_config config = { 0 };
	struct fixture *f = *state;
	struct outcome one = { 0 };
	struct outcome two = { 0 };

	start_client(f, &config);
	(void)get(f, "/never", &one);
	(void)get(f, "/never", &two);
	UNTIL(f, f->kept_count == 2);
	assert_int_equal(http_client_in_flight(f->client), 2);
	http_request_answer(f->kept[1], 200, NULL, NULL, 0);
	http_request_answer(f->kept[0], 201, NULL, NULL, 0);
	f->kept_count = 0;
	UNTIL(f, one.times == 1 && two.times == 1);
	assert_int_equal(one.status + two.status, 401);
}

static void
a_deadline_ends_a_call(void **state)
{
	const struct http_client_config config = { 0 };
	struct fixture *f = *state;
	struct outcome outcome = { 0 };
	struct http_client_request request = request_to(f, "/never", &outcome);

	start_client(f, &config);
	request.timeout_ms = 40;
	assert_non_null(http_client_start(f->client, &request, NULL));
	UNTIL(f, outcome.times > 0);
	assert_int_equal(outcome.code, ERR_TIMEOUT);
	assert_int_equal(outcome.status, 0);
	assert_false(outcome.never_sent);
	assert_in_range(outcome.total_ms, 39, 1000);
	assert_non_null(strstr(outcome.text, "probe: no answer within "));
}

static void
an_answer_too_large_fails_the_call(void **state)
{
	const struct http_client_config config = { 0 };
	struct fixture *f = *state;
	struct outcome outcome = { 0 };
	struct http_client_request request = request_to(f, "/much", &outcome);

	start_client(f, &config);
	request.answer_max = 200 * 1024 - 1;
	assert_non_null(http_client_start(f->client, &request, NULL));
	UNTIL(f, outcome.times == 1);
	assert_int_equal(outcome.code, ERR_LIMIT);
	assert_non_null(strstr(outcome.text, "larger than 204799 bytes"));
	request.answer_max++;
	assert_non_null(http_client_start(f->client, &request, NULL));
	UNTIL(f, outcome.times == 2);
	assert_int_equal(outcome.code, ERR_NONE);
	assert_int_equal(outcome.body_size, 200 * 1024);
}

static void
a_redirect_is_an_answer_and_not_followed(void **state)
{
	const struct http_client_config config = { 0 };
	struct fixture *f = *state;
	struct outcome outcome = { 0 };

	start_client(f, &config);
	(void)get(f, "/elsewhere", &outcome);
	UNTIL(f, outcome.times > 0);
	assert_int_equal(outcome.status, 302);
	assert_int_equal(f->asked, 0);
}

static void
calls_wait_for_a_place_and_too_many_are_refused(void **state)
{
	const struct http_client_config config = { .in_flight_max = 1, .queue_max = 2 };
	struct fixture *f = *state;
	struct outcome first = { 0 };
	struct outcome second = { 0 };
	struct outcome hasty = { 0 };
	struct http_client_request request = request_to(f, "/hello", &hasty);
	struct err err;

	start_client(f, &config);
	(void)get(f, "/never", &first);
	(void)get(f, "/hello", &second);
	request.timeout_ms = 30;
	assert_non_null(http_client_start(f->client, &request, NULL));
	assert_null(http_client_start(f->client, &request, &err));
	assert_int_equal(err.code, ERR_BUSY);
	assert_int_equal(http_client_waiting(f->client), 2);
	UNTIL(f, hasty.times == 1);
	assert_int_equal(hasty.code, ERR_TIMEOUT);
	assert_true(hasty.never_sent);
	UNTIL(f, f->kept_count == 1);
	assert_int_equal(f->asked, 0);
	http_request_answer(f->kept[0], 200, NULL, NULL, 0);
	f->kept_count = 0;
	UNTIL(f, first.times == 1 && second.times == 1);
	assert_int_equal(second.status, 200);
	assert_int_equal(f->asked, 1);
}

static void
a_cancelled_call_never_calls_back(void **state)
{
	const struct http_client_config config = { .in_flight_max = 1 };
	struct fixture *f = *state;
	struct outcome outcome = { 0 };
	struct http_client_call *flying;
	struct http_client_call *waiting;

	start_client(f, &config);
	flying = get(f, "/never", &outcome);
	waiting = get(f, "/never", &outcome);
	UNTIL(f, f->kept_count == 1);
	http_client_cancel(waiting);
	http_client_cancel(flying);
	http_client_cancel(NULL);
	http_client_cancel(get(f, "/hello", &outcome));
	turn_a_few_times(f);
	assert_int_equal(outcome.times, 0);
	assert_int_equal(http_client_in_flight(f->client) + http_client_waiting(f->client), 0);
}

/* Cancels the other call, whose result is there already. */
struct rival {
	struct http_client_call *other;
	unsigned *times;
};

static void
cancel_rival(void *ctx, const struct http_client_result *result)
{
	struct rival *rival = ctx;

	(void)result;
	(*rival->times)++;
	http_client_cancel(TAKE(rival->other));
}

static void
a_finished_call_may_be_cancelled_by_another(void **state)
{
	const struct http_client_config config = { .in_flight_max = 1 };
	struct fixture *f = *state;
	unsigned times = 0;
	struct rival one = { .times = &times };
	struct rival two = { .times = &times };
	struct outcome first = { 0 };
	struct http_client_request request = request_to(f, "/never", NULL);

	start_client(f, &config);
	(void)get(f, "/never", &first);
	request.on_done = cancel_rival;
	request.timeout_ms = 20;
	request.ctx = &one;
	two.other = http_client_start(f->client, &request, NULL);
	request.ctx = &two;
	one.other = http_client_start(f->client, &request, NULL);
	UNTIL(f, times > 0);
	turn_a_few_times(f);
	assert_in_range(times, 1, 2);
	assert_int_equal(http_client_waiting(f->client), 0);
}

static void
a_body_is_sent_with_its_method_and_type(void **state)
{
	const struct http_client_config config = { 0 };
	const char *const headers[] = { "Content-Type: application/json", NULL };
	struct fixture *f = *state;
	struct outcome outcome = { 0 };
	struct http_client_request request = request_to(f, "/take", &outcome);
	char body[] = "{\"a\":\"b\"}";

	start_client(f, &config);
	request.body = body;
	request.body_size = sizeof(body) - 1;
	request.headers = headers;
	assert_non_null(http_client_start(f->client, &request, NULL));
	memset(body, 'x', sizeof(body));
	UNTIL(f, outcome.times == 1);
	assert_string_equal(f->seen, "POST application/json ");
	assert_string_equal(f->body, "{\"a\":\"b\"}");
	request.method = "PUT";
	request.body_size = 0;
	assert_non_null(http_client_start(f->client, &request, NULL));
	UNTIL(f, outcome.times == 2);
	assert_string_equal(f->seen, "PUT application/json ");
	assert_int_equal(f->body_size, 0);
	request.body = NULL;
	request.method = "POST";
	assert_non_null(http_client_start(f->client, &request, NULL));
	UNTIL(f, outcome.times == 3);
	assert_int_equal(outcome.status, 200);
	assert_int_equal(f->body_size, 0);
	f->url[strlen(f->url) - 4] = '\0';
	(void)snprintf(f->url + strlen(f->url), 8, "hello");
	request.method = "HEAD";
	assert_non_null(http_client_start(f->client, &request, NULL));
	UNTIL(f, outcome.times == 4);
	assert_int_equal(outcome.code, ERR_NONE);
	assert_string_equal(outcome.body, "");
	assert_string_equal(f->seen, "HEAD agent=none x=none");
}

static ssize_t
read_letters(void *ctx, char *buffer, size_t size)
{
	struct fixture *f = ctx;

	if (size > f->stream_left)
		size = f->stream_left;
	memset(buffer, 'z', size);
	f->stream_left -= size;
	return (ssize_t)size;
}

static void
send_document(struct fixture *f, struct outcome *outcome, size_t there_is)
{
	const struct http_client_config config = { 0 };
	struct http_client_part parts[] = {
		{ .name = "chat_id", .value = "-100123" },
		{ .name = "document",
		    .filename = "deploy \"7\".log",
		    .type = "text/plain",
		    .read = read_letters,
		    .read_ctx = f,
		    .read_size = STREAM_SIZE },
	};
	struct http_client_request request = request_to(f, "/take", outcome);

	start_client(f, &config);
	f->stream_left = there_is;
	request.parts = parts;
	request.part_count = COUNT(parts);
	assert_non_null(http_client_start(f->client, &request, NULL));
	memset(parts, 0, sizeof(parts));
	UNTIL(f, outcome->times > 0);
}

static void
a_document_is_streamed_as_a_form(void **state)
{
	struct fixture *f = *state;
	struct outcome outcome = { 0 };

	send_document(f, &outcome, STREAM_SIZE + 100);
	assert_string_equal(outcome.text, "");
	assert_int_equal(outcome.status, 200);
	assert_int_equal(strncmp(f->seen, "POST multipart/form-data; boundary=", 35), 0);
	assert_int_equal(f->seen[strlen(f->seen) - 1], ' ');
	assert_int_equal(f->stream_left, 100);
	assert_non_null(strstr(f->body, "name=\"chat_id\"\r\n\r\n-100123\r\n"));
	assert_non_null(strstr(f->body, "filename=\"deploy %227%22.log\""));
	assert_non_null(strstr(f->body, "Content-Type: text/plain\r\n\r\nzzz"));
	assert_in_range(f->body_size, STREAM_SIZE + 100, STREAM_SIZE + 1000);
}

static void
a_document_that_ends_early_fails_the_call(void **state)
{
	struct fixture *f = *state;
	struct outcome outcome = { 0 };

	send_document(f, &outcome, STREAM_SIZE - 1);
	assert_int_equal(outcome.code, ERR_IO);
	assert_int_equal(outcome.status, 0);
	assert_null(f->body);
}

static void
who_refuses_the_connection_is_named_by_label_only(void **state)
{
	const struct http_client_config config = { 0 };
	struct fixture *f = *state;
	struct outcome outcome = { 0 };
	struct http_client_request request = request_to(f, "/hello", &outcome);

	start_client(f, &config);
	http_server_quiesce(f->server);
	assert_non_null(http_client_start(f->client, &request, NULL));
	UNTIL(f, outcome.times > 0);
	assert_int_equal(outcome.code, ERR_IO);
	assert_true(outcome.never_sent);
	assert_string_equal(outcome.text, "probe: cannot connect: Connection refused");
}

static bool
is_not_loopback(const struct sockaddr *address, void *ctx)
{
	const struct sockaddr_in *in = (const void *)address;

	(*(unsigned *)ctx)++;
	return address->sa_family == AF_INET && ntohl(in->sin_addr.s_addr) != INADDR_LOOPBACK;
}

static void
an_address_that_is_not_allowed_is_not_connected_to(void **state)
{
	unsigned times = 0;
	const struct http_client_config config = { .address_is_allowed = is_not_loopback,
		.address_ctx = &times };
	struct fixture *f = *state;
	struct outcome outcome = { 0 };

	start_client(f, &config);
	(void)get(f, "/hello", &outcome);
	UNTIL(f, outcome.times > 0);
	assert_int_equal(outcome.code, ERR_DENIED);
	assert_int_equal(times, 1);
	assert_int_equal(f->asked, 0);
}

static void
other_protocols_and_bad_urls_fail(void **state)
{
	static const char *const urls[] = { "file:///etc/passwd", "gopher://127.0.0.1/",
		"http://127.0.0.1:99999/" SECRET, "http://a b/" SECRET };
	const struct http_client_config config = { 0 };
	struct fixture *f = *state;
	struct outcome outcome = { 0 };
	struct http_client_request request = request_to(f, "/hello", &outcome);

	start_client(f, &config);
	for (size_t i = 0; i < COUNT(urls); i++) {
		request.url = urls[i];
		assert_non_null(http_client_start(f->client, &request, NULL));
		UNTIL(f, outcome.times == i + 1);
		assert_int_equal(outcome.code, ERR_INVALID);
		assert_true(outcome.never_sent);
	}
}

static void
the_environment_names_no_proxy_but_the_settings_do(void **state)
{
	struct http_client_config config = { 0 };
	struct fixture *f = *state;
	struct outcome outcome = { 0 };
	struct err err;

	assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
	start_client(f, &config);
	(void)get(f, "/hello", &outcome);
	UNTIL(f, outcome.times > 0);
	assert_int_equal(outcome.status, 200);
	assert_int_equal(unsetenv("http_proxy"), 0);
	http_client_free(f->client);
	assert_int_equal(setenv("no_proxy", "127.0.0.1", 1), 0);
	config.proxy = "http://127.0.0.1:1";
	start_client(f, &config);
	(void)get(f, "/hello", &outcome);
	UNTIL(f, outcome.times == 2);
	assert_int_equal(outcome.code, ERR_IO);
	assert_int_equal(unsetenv("no_proxy"), 0);
	config.proxy = "ftp://user:" SECRET "@127.0.0.1";
	assert_null(http_client_new(f->loop, &config, &err));
	assert_int_equal(err.code, ERR_CONFIG);
	assert_null(strstr(err.text, SECRET));
}

static void
a_name_server_that_hangs_does_not_hold_the_loop(void **state)
{
	const struct http_client_config config = { 0 };
	struct fixture *f = *state;
	struct outcome hanging = { 0 };
	struct outcome outcome = { 0 };
	struct http_client_request request = request_to(f, "/hello", &hanging);

	assert_int_equal(pipe(name_server), 0);
	start_client(f, &config);
	request.url = "http://hangs.test/" SECRET;
	request.timeout_ms = 60;
	assert_non_null(http_client_start(f->client, &request, NULL));
	http_client_cancel(http_client_start(f->client, &request, NULL));
	(void)get(f, "/hello", &outcome);
	UNTIL(f, outcome.times == 1);
	assert_int_equal(hanging.times, 0);
	UNTIL(f, hanging.times == 1);
	assert_int_equal(hanging.code, ERR_TIMEOUT);
	assert_true(hanging.never_sent);
	assert_in_range(hanging.total_ms, 59, 2000);
	assert_in_range(loop_lag_worst_us(f->loop), 0, 1000000);
	http_client_free(f->client);
	f->client = NULL;
	assert_int_equal(write(name_server[1], "xx", 2), 2);
}

static void
a_client_is_freed_with_calls_under_way(void **state)
{
	const struct http_client_config config = { .in_flight_max = 2 };
	struct fixture *f = *state;
	struct outcome outcome = { 0 };

	start_client(f, &config);
	for (int i = 0; i < 4; i++)
		(void)get(f, "/never", &outcome);
	UNTIL(f, f->kept_count == 2);
	http_client_free(f->client);
	f->client = NULL;
	turn_a_few_times(f);
	assert_int_equal(outcome.times, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_answer_comes_whole_and_later),
		TEST(calls_one_after_another_use_one_connection),
		TEST(two_calls_fly_at_once),
		TEST(a_redirect_is_an_answer_and_not_followed),
		TEST(an_answer_too_large_fails_the_call),
		TEST(a_body_is_sent_with_its_method_and_type),
		TEST(a_document_is_streamed_as_a_form),
		TEST(a_document_that_ends_early_fails_the_call),
		TEST(who_refuses_the_connection_is_named_by_label_only),
		TEST(an_address_that_is_not_allowed_is_not_connected_to),
		TEST(other_protocols_and_bad_urls_fail),
		TEST(the_environment_names_no_proxy_but_the_settings_do),
		TEST(a_cancelled_call_never_calls_back),
		TEST(a_finished_call_may_be_cancelled_by_another),
		TEST(a_client_is_freed_with_calls_under_way),
		TEST(calls_wait_for_a_place_and_too_many_are_refused),
		TEST(a_deadline_ends_a_call),
		TEST(a_name_server_that_hangs_does_not_hold_the_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
