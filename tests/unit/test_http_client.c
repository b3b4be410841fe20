/* Goal: a call ends in time, within its size, once, and tells nobody its URL.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "http_client_aid.h"

#include <fcntl.h>
#include <netdb.h>
#include <unistd.h>

#include "lib/http_client_inside.h"
#include "lib/http_server_inside.h"

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

CLIENT_TEST(an_answer_comes_whole_and_later)
{
	const struct http_client_config config = { .user_agent = "tests/1" };
	const char *const headers[] = { "X-Mine: yes", NULL };
	struct outcome outcome = { 0 };
	struct http_client_request request = client_aid_request(f, "/hello", &outcome);

	client_aid_start(f, &config);
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
	assert_int_equal(f->client->in_flight, 0);
}

CLIENT_TEST(calls_one_after_another_use_one_connection)
{
	const struct http_client_config config = { 0 };
	struct outcome outcome = { 0 };

	client_aid_start(f, &config);
	for (unsigned i = 1; i <= 5; i++) {
		(void)client_aid_get(f, "/hello", &outcome);
		UNTIL(f, outcome.times == i);
		assert_int_equal(outcome.status, 200);
	}
	assert_string_equal(f->seen, "GET agent=none x=none");
	assert_int_equal(f->server->conn_count, 1);
}

/* curl sends a request once more whose kept connection ends without an answer. */
CLIENT_TEST(what_must_not_be_sent_twice_has_a_connection_of_its_own)
{
	const struct http_client_config config = { 0 };
	struct outcome outcome = { 0 };
	struct http_client_request request;

	client_aid_start(f, &config);
	(void)client_aid_get(f, "/hello", &outcome);
	UNTIL(f, outcome.times == 1);
	request = client_aid_request(f, "/hello", &outcome);
	request.is_once = true;
	assert_non_null(http_client_start(f->client, &request, NULL));
	UNTIL(f, outcome.times == 2);
	assert_int_equal(f->server->conn_count, 2);
}

CLIENT_TEST(two_calls_fly_at_once)
{
	const struct http_client_config config = { 0 };
	struct outcome one = { 0 };
	struct outcome two = { 0 };

	client_aid_start(f, &config);
	(void)client_aid_get(f, "/never", &one);
	(void)client_aid_get(f, "/never", &two);
	UNTIL(f, f->kept_count == 2);
	assert_int_equal(f->client->in_flight, 2);
	http_request_answer(f->kept[1], 200, NULL, NULL, 0);
	http_request_answer(f->kept[0], 201, NULL, NULL, 0);
	f->kept_count = 0;
	UNTIL(f, one.times == 1 && two.times == 1);
	assert_int_equal(one.status + two.status, 401);
}

CLIENT_TEST(a_deadline_ends_a_call)
{
	const struct http_client_config config = { 0 };
	struct outcome outcome = { 0 };
	struct http_client_request request = client_aid_request(f, "/never", &outcome);

	client_aid_start(f, &config);
	request.timeout_ms = 40;
	assert_non_null(http_client_start(f->client, &request, NULL));
	UNTIL(f, outcome.times > 0);
	assert_int_equal(outcome.code, ERR_TIMEOUT);
	assert_int_equal(outcome.status, 0);
	assert_true(outcome.total_ms >= 39);
	assert_non_null(strstr(outcome.text, "probe: no answer within "));
}

CLIENT_TEST(an_answer_too_large_fails_the_call)
{
	const struct http_client_config config = { 0 };
	struct outcome outcome = { 0 };
	struct http_client_request request = client_aid_request(f, "/much", &outcome);

	client_aid_start(f, &config);
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

static size_t n_pieces, piece_bytes, pieces_taken;

static bool
take_piece(UNUSED void *ctx, UNUSED const void *data, size_t size)
{
	n_pieces++;
	piece_bytes += size;
	return n_pieces <= pieces_taken;
}

CLIENT_TEST(an_answer_that_is_taken_in_pieces_is_not_gathered)
{
	const struct http_client_config config = { 0 };
	struct outcome outcome = { 0 };
	struct http_client_request request = client_aid_request(f, "/much", &outcome);

	n_pieces = piece_bytes = 0;
	pieces_taken = SIZE_MAX;
	client_aid_start(f, &config);
	request.on_piece = take_piece;
	assert_non_null(http_client_start(f->client, &request, NULL));
	UNTIL(f, outcome.times == 1);
	assert_int_equal(outcome.code, ERR_NONE);
	assert_int_equal(piece_bytes, 200 * 1024);
	assert_true(n_pieces > 1);
	assert_string_equal(outcome.body, "");
	request.answer_max = 200 * 1024 - 1;
	assert_non_null(http_client_start(f->client, &request, NULL));
	UNTIL(f, outcome.times == 2);
	assert_int_equal(outcome.code, ERR_LIMIT);
}

CLIENT_TEST(a_piece_that_is_not_taken_fails_the_call)
{
	const struct http_client_config config = { 0 };
	struct outcome outcome = { 0 };
	struct http_client_request request = client_aid_request(f, "/much", &outcome);

	n_pieces = 0;
	pieces_taken = 1;
	client_aid_start(f, &config);
	request.on_piece = take_piece;
	assert_non_null(http_client_start(f->client, &request, NULL));
	UNTIL(f, outcome.times == 1);
	assert_int_equal(outcome.code, ERR_IO);
	assert_int_equal(n_pieces, 2);
}

/* What says why there is none must be read. */
CLIENT_TEST(an_answer_of_another_status_is_gathered_all_the_same)
{
	const struct http_client_config config = { 0 };
	struct outcome outcome = { 0 };
	struct http_client_request request = client_aid_request(f, "/gone", &outcome);

	n_pieces = 0;
	client_aid_start(f, &config);
	request.on_piece = take_piece;
	assert_non_null(http_client_start(f->client, &request, NULL));
	UNTIL(f, outcome.times == 1);
	assert_int_equal(outcome.status, 404);
	assert_string_equal(outcome.body, "gone");
	assert_int_equal(n_pieces, 0);
}

CLIENT_TEST(a_redirect_is_an_answer_and_not_followed)
{
	const struct http_client_config config = { 0 };
	struct outcome outcome = { 0 };

	client_aid_start(f, &config);
	(void)client_aid_get(f, "/elsewhere", &outcome);
	UNTIL(f, outcome.times > 0);
	assert_int_equal(outcome.status, 302);
	assert_int_equal(f->asked, 0);
}

CLIENT_TEST(calls_wait_for_a_place_and_too_many_are_refused)
{
	const struct http_client_config config = { .in_flight_max = 1, .queue_max = 2 };
	struct outcome first = { 0 };
	struct outcome second = { 0 };
	struct outcome hasty = { 0 };
	struct http_client_request request = client_aid_request(f, "/hello", &hasty);
	struct err err;

	client_aid_start(f, &config);
	(void)client_aid_get(f, "/never", &first);
	(void)client_aid_get(f, "/hello", &second);
	request.timeout_ms = 30;
	assert_non_null(http_client_start(f->client, &request, NULL));
	assert_null(http_client_start(f->client, &request, &err));
	assert_int_equal(err.code, ERR_BUSY);
	assert_int_equal(f->client->waiting_count, 2);
	UNTIL(f, hasty.times == 1);
	assert_int_equal(hasty.code, ERR_TIMEOUT);
	UNTIL(f, f->kept_count == 1);
	assert_int_equal(f->asked, 0);
	http_request_answer(f->kept[0], 200, NULL, NULL, 0);
	f->kept_count = 0;
	UNTIL(f, first.times == 1 && second.times == 1);
	assert_int_equal(second.status, 200);
	assert_int_equal(f->asked, 1);
}

CLIENT_TEST(a_cancelled_call_never_calls_back)
{
	const struct http_client_config config = { .in_flight_max = 1 };
	struct outcome outcome = { 0 };
	struct http_client_call *flying;
	struct http_client_call *waiting;

	client_aid_start(f, &config);
	flying = client_aid_get(f, "/never", &outcome);
	waiting = client_aid_get(f, "/never", &outcome);
	UNTIL(f, f->kept_count == 1);
	http_client_cancel(waiting);
	http_client_cancel(flying);
	http_client_cancel(NULL);
	http_client_cancel(client_aid_get(f, "/hello", &outcome));
	client_aid_turn(f);
	assert_int_equal(outcome.times, 0);
	assert_int_equal(f->client->in_flight + f->client->waiting_count, 0);
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

CLIENT_TEST(a_finished_call_may_be_cancelled_by_another)
{
	const struct http_client_config config = { .in_flight_max = 1 };
	unsigned times = 0;
	struct rival one = { .times = &times };
	struct rival two = { .times = &times };
	struct outcome first = { 0 };
	struct http_client_request request = client_aid_request(f, "/never", NULL);

	client_aid_start(f, &config);
	(void)client_aid_get(f, "/never", &first);
	request.on_done = cancel_rival;
	request.timeout_ms = 20;
	request.ctx = &one;
	two.other = http_client_start(f->client, &request, NULL);
	request.ctx = &two;
	one.other = http_client_start(f->client, &request, NULL);
	UNTIL(f, times > 0);
	client_aid_turn(f);
	assert_in_range(times, 1, 2);
	assert_int_equal(f->client->waiting_count, 0);
}

CLIENT_TEST(a_name_server_that_hangs_does_not_hold_the_loop)
{
	const struct http_client_config config = { 0 };
	struct outcome hanging = { 0 };
	struct outcome outcome = { 0 };
	struct http_client_request request = client_aid_request(f, "/hello", &hanging);

	assert_int_equal(pipe(name_server), 0);
	client_aid_start(f, &config);
	request.url = "http://hangs.test/" SECRET;
	request.timeout_ms = 1000; /* on a busy machine too the other call is answered before */
	assert_non_null(http_client_start(f->client, &request, NULL));
	http_client_cancel(http_client_start(f->client, &request, NULL));
	(void)client_aid_get(f, "/hello", &outcome);
	UNTIL(f, outcome.times == 1);
	assert_int_equal(hanging.times, 0);
	UNTIL(f, hanging.times == 1);
	assert_int_equal(hanging.code, ERR_TIMEOUT);
	assert_in_range(hanging.total_ms, 999, 60000);
	assert_in_range(loop_lag_worst_us(f->loop), 0, 4000000);
	http_client_free(f->client);
	f->client = NULL;
	assert_int_equal(write(name_server[1], "xx", 2), 2);
}

CLIENT_TEST(a_client_is_freed_with_calls_in_progress)
{
	const struct http_client_config config = { .in_flight_max = 2 };
	struct outcome outcome = { 0 };

	client_aid_start(f, &config);
	for (int i = 0; i < 4; i++)
		(void)client_aid_get(f, "/never", &outcome);
	UNTIL(f, f->kept_count == 2);
	http_client_free(f->client);
	f->client = NULL;
	client_aid_turn(f);
	assert_int_equal(outcome.times, 0);
}

CLIENT_TEST(an_unknown_name_leaves_nothing_to_the_next_call)
{
	const struct http_client_config config = { 0 };
	struct outcome first = { 0 }, second = { 0 };
	struct http_client_request request = client_aid_request(f, "/hello", &first);

	client_aid_start(f, &config);
	request.url = "http://unknown.test/"; /* its look-up fails at once: no pipe yet */
	request.answer_max = 1000;
	assert_non_null(http_client_start(f->client, &request, NULL));
	UNTIL(f, first.times == 1);
	assert_int_equal(first.code, ERR_IO);
	request = client_aid_request(f, "/hello", &second);
	request.answer_max = 1000;
	assert_non_null(http_client_start(f->client, &request, NULL));
	UNTIL(f, second.times == 1);
	assert_int_equal(second.status, 200);
}
