/* Goal: a request waits for memory and for its answer, and ends whoever goes first.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/http_server_inside.h"
#include "http_server_aid.h"

static void
answer_both(struct server_aid *f)
{
	http_request_answer(f->kept[0], 200, NULL, NULL, 0);
	http_request_answer(f->kept[1], 200, NULL, NULL, 0);
}

static void
note_refused(void *ctx, const char *path, int status)
{
	struct server_aid *f = ctx;

	assert_string_equal(path, "/later");
	f->refused_count++;
	f->refused_status = status;
}

SERVER_TEST(a_body_that_is_there_at_once_is_read_to_its_end)
{
	static char much[128 * 1024];
	struct http_server_config config = server_aid_config(f);
	char *body;
	size_t size;

	config.budget_bytes = sizeof(much);
	server_aid_start_with(f, &config);
	SAY(&f->peer, "POST /huge HTTP/1.1\r\nHost: x\r\nContent-Length: 131072\r\n\r\n");
	peer_say(&f->peer, much, sizeof(much));
	UNTIL(f, f->kept_count == 1);
	body = http_request_take_body(f->kept[0], &size);
	assert_non_null(body);
	free(body);
	assert_int_equal(size, sizeof(much));
	http_request_answer(f->kept[0], 200, NULL, NULL, 0);
}

SERVER_TEST(a_body_that_nobody_gathers_takes_no_memory_and_needs_none)
{
	static char much[128 * 1024];
	size_t size = 1;

	server_aid_start_and_call(f); /* all bodies have 1,000 bytes */
	SAY(&f->peer, "POST /streamed HTTP/1.1\r\nHost: x\r\nContent-Length: 131072\r\n\r\n");
	peer_say(&f->peer, much, sizeof(much) / 2);
	UNTIL(f, f->piece_bytes == sizeof(much) / 2);
	assert_int_equal(f->server->budget.used, 0);
	peer_say(&f->peer, much, sizeof(much) / 2);
	UNTIL(f, f->kept_count == 1);
	assert_int_equal(f->piece_bytes, sizeof(much));
	assert_null(http_request_take_body(f->kept[0], &size));
	http_request_answer(f->kept[0], 200, NULL, NULL, 0);
	UNTIL(f, peer_has_answer(&f->peer));
}

SERVER_TEST(a_body_that_nobody_gathers_and_that_is_cut_is_no_request)
{
	server_aid_start_and_call(f);
	SAY(&f->peer, "POST /streamed HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\nabc");
	UNTIL(f, f->piece_bytes == 3);
	peer_hang_up(&f->peer);
	UNTIL(f, f->server->conn_count == 0);
	assert_int_equal(f->kept_count, 0);
}

SERVER_TEST(a_deferred_answer_arrives_later)
{
	char *body;
	size_t size;

	server_aid_start_and_call(f);
	peer_post(&f->peer, "/later", 700);
	UNTIL(f, f->kept_count == 1);
	assert_int_equal(http_server_open_requests(f->server), 1);
	assert_int_equal(f->server->budget.used, 700);
	body = http_request_take_body(f->kept[0], &size);
	assert_non_null(body);
	free(body);
	assert_int_equal(size, 700);
	assert_int_equal(f->peer.size, 0);
	http_request_answer(f->kept[0], 202, NULL, NULL, 0);
	UNTIL(f, peer_has_answer(&f->peer));
	assert_non_null(strstr(f->peer.in, "HTTP/1.1 202 "));
	assert_int_equal(http_server_open_requests(f->server), 0);
	assert_int_equal(f->server->budget.used, 0);
	assert_false(f->peer.is_closed);
	UNTIL(f, f->users_freed == 1);
}

SERVER_TEST(many_deferred_answers_of_one_turn_all_arrive)
{
	server_aid_start_and_call(f);
	peer_call(f, &f->second);
	peer_post(&f->peer, "/later", 10);
	peer_post(&f->second, "/later", 20);
	UNTIL(f, f->kept_count == 2);
	answer_both(f);
	UNTIL(f, peer_has_answer(&f->peer) && peer_has_answer(&f->second));
}

SERVER_TEST(a_client_that_hangs_up_leaves_a_handle_that_can_be_answered)
{
	server_aid_start_and_call(f);
	peer_post(&f->peer, "/later", 10);
	UNTIL(f, f->kept_count == 1);
	peer_hang_up(&f->peer);
	peer_call(f, &f->second);
	peer_post(&f->second, "/later", 10);
	UNTIL(f, f->kept_count == 2);
	answer_both(f);
	UNTIL(f, peer_has_answer(&f->second));
	UNTIL(f, f->server->conn_count == 1);
	assert_int_equal(f->users_freed, 2);
}

SERVER_TEST(a_client_that_hangs_up_while_sending_leaves_nothing)
{
	server_aid_start_and_call(f);
	SAY(&f->peer, POST_ECHO "Content-Length: 500\r\n\r\nabc");
	UNTIL(f, f->piece_bytes == 3);
	assert_int_equal(f->server->budget.used, 500);
	peer_hang_up(&f->peer);
	UNTIL(f, f->server->conn_count == 0);
	assert_int_equal(f->server->budget.used, 0);
}

SERVER_TEST(a_late_route_is_answered_for_and_may_still_answer)
{
	server_aid_start_and_call(f);
	peer_post(&f->peer, "/soon", 10);
	UNTIL(f, f->peer.is_closed);
	assert_non_null(strstr(f->peer.in, "HTTP/1.1 503 "));
	assert_non_null(strstr(f->peer.in, "Retry-After: 5\r\n"));
	UNTIL(f, f->server->conn_count == 0);
	assert_int_equal(http_server_open_requests(f->server), 1);
	assert_string_equal(f->kept[0]->path, "");
	assert_null(http_request_header(f->kept[0], "Host"));
	assert_int_equal(f->users_freed, 0);
	http_request_answer(f->kept[0], 200, NULL, NULL, 0);
	assert_int_equal(f->users_freed, 1);
	assert_int_equal(http_server_open_requests(f->server), 0);
}

SERVER_TEST(a_body_waits_for_memory_and_then_proceeds)
{
	server_aid_start_and_call(f);
	peer_call(f, &f->second);
	peer_post(&f->peer, "/later", 700);
	UNTIL(f, f->kept_count == 1);
	peer_post(&f->second, "/later", 800);
	UNTIL(f, f->server->conn_count == 2);
	for (int i = 0; i < 5; i++) {
		loop_timer_start(f->loop, &f->patience, 1, 0);
		loop_run_once(f->loop);
	}
	f->is_over = false;
	assert_int_equal(f->kept_count, 1);
	assert_int_equal(f->server->budget.used, 700);
	http_request_answer(f->kept[0], 200, NULL, NULL, 0);
	UNTIL(f, f->kept_count == 2);
	http_request_answer(f->kept[1], 200, NULL, NULL, 0);
	UNTIL(f, peer_has_answer(&f->peer) && peer_has_answer(&f->second));
	assert_non_null(strstr(f->second.in, "HTTP/1.1 200 "));
}

SERVER_TEST(a_small_body_passes_a_large_one_that_waits)
{
	struct http_server_config config = server_aid_config(f);

	config.budget_wait_ms = 40;
	config.on_refused = note_refused;
	config.ctx = f;
	server_aid_start_with(f, &config);
	peer_call(f, &f->second);
	peer_post(&f->peer, "/later", 700);
	UNTIL(f, f->kept_count == 1);
	peer_post(&f->second, "/later", 800);
	UNTIL(f, f->second.is_closed);
	assert_non_null(strstr(f->second.in, "HTTP/1.1 503 "));
	assert_non_null(strstr(f->second.in, "Retry-After: 5\r\n"));
	assert_int_equal(f->refused_count, 1); /* no route will ever count it */
	assert_int_equal(f->refused_status, 503);
	peer_hang_up(&f->second);
	peer_call(f, &f->second);
	peer_post(&f->second, "/later", 300);
	UNTIL(f, f->kept_count == 2);
	assert_int_equal(f->server->budget.used, 1000);
	answer_both(f);
	UNTIL(f, peer_has_answer(&f->peer) && peer_has_answer(&f->second));
}

SERVER_TEST(freeing_the_server_answers_who_waits_and_leaves_the_handle)
{
	server_aid_start_and_call(f);
	peer_call(f, &f->second);
	peer_post(&f->peer, "/later", 700);
	UNTIL(f, f->kept_count == 1);
	peer_post(&f->second, "/later", 800);
	UNTIL(f, f->server->conn_count == 2);
	http_server_free(f->server);
	f->server = NULL;
	UNTIL(f, f->peer.is_closed && f->second.is_closed);
	assert_non_null(strstr(f->peer.in, "HTTP/1.1 503 "));
	http_request_answer(f->kept[0], 200, NULL, NULL, 0);
	assert_int_equal(f->users_freed, 1);
}
