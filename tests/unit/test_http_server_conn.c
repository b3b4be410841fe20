/* Goal: whoever comes, waits, says nothing or goes, others are served, and each within its time.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/http_server_inside.h"
#include "http_server_aid.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void
get_echo(struct connection *peer)
{
	SAY(peer, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
}

static bool
all_have_answers(const struct connection *peers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!peer_has_answer(&peers[i]) && !peers[i].is_closed)
			return false;
	return true;
}

/* A burst is accepted before any of it is read: nobody in it was idle. */
SERVER_TEST(a_burst_up_to_the_limit_is_answered_whole)
{
	enum { BURST = 16 };
	struct http_server_config config = server_aid_config(f);
	struct connection *peers = calloc(BURST, sizeof(*peers));

	assert_non_null(peers);
	config.connections_max = BURST;
	server_aid_start(f, &config, "127.0.0.1:0");
	for (size_t i = 0; i < BURST; i++) {
		peer_call(f, &peers[i]);
		get_echo(&peers[i]);
	}
	UNTIL(f, all_have_answers(peers, BURST));
	for (size_t i = 0; i < BURST; i++) {
		assert_non_null(strstr(peers[i].in, "HTTP/1.1 200 "));
		peer_hang_up(&peers[i]);
	}
	free(peers);
}

/* At the limit nobody else was accepted, before the next event of somebody who is there. */
SERVER_TEST(whoever_waited_at_the_limit_is_taken_when_another_goes)
{
	struct http_server_config config = server_aid_config(f);

	config.connections_max = 1;
	server_aid_start_with(f, &config);
	get_echo(&f->peer);
	UNTIL(f, peer_has_answer(&f->peer));
	peer_call(f, &f->second);
	get_echo(&f->second);
	peer_hang_up(&f->peer);
	UNTIL(f, peer_has_answer(&f->second));
	assert_non_null(strstr(f->second.in, "HTTP/1.1 200 "));
}

static int looks;

static bool
on_few(void *ctx)
{
	(void)ctx;
	return ++looks <= 3;
}

/* Whoever waits by choice is answered before anybody is cut; when none is left, others are. */
SERVER_TEST(who_waits_by_choice_makes_room_before_anybody_is_cut)
{
	enum { CROWD = 8 };
	struct http_server_config config = server_aid_config(f);
	struct connection peers[CROWD] = { 0 };
	size_t n = 0;

	looks = 0;
	config.connections_max = CROWD;
	config.on_few = on_few;
	server_aid_start(f, &config, "127.0.0.1:0");
	for (size_t i = 0; i < CROWD; i++)
		peer_call(f, &peers[i]);
	UNTIL(f, looks == 3); /* a second later all of them are idle */
	for (size_t i = 0; i < CROWD; i++)
		assert_false(peers[i].is_closed);
	UNTIL(f, peers[0].is_closed); /* the oldest */
	for (size_t i = 0; i < CROWD; i++)
		n += peers[i].is_closed ? 1 : 0;
	assert_in_range(n, 1, CROWD - 1);
	for (size_t i = 0; i < CROWD; i++)
		peer_hang_up(&peers[i]);
}

/* Makes timers overdue, and the answers come in the same turn as they. */
static void
on_late(struct loop_timer *timer, void *ctx)
{
	int64_t until = loop_now_ms() + 600;

	(void)timer;
	while (loop_now_ms() < until)
		continue;
	loop_async_wake(ctx);
}

static void
on_decided(struct loop_async *async, void *ctx)
{
	struct server_aid *f = ctx;

	(void)async;
	for (size_t i = 0; i < f->kept_count; i++)
		http_request_answer(f->kept[i], 200, NULL, NULL, 0);
}

/* Results before deadlines, here too. */
SERVER_TEST(an_answer_that_comes_with_its_deadline_is_given)
{
	struct http_server_config config = server_aid_config(f);
	struct loop_timer late;
	struct loop_async decided;

	config.answer_timeout_ms = 500;
	server_aid_start_with(f, &config);
	SAY(&f->peer, "POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
	UNTIL(f, f->kept_count == 1);
	loop_async_init(&decided, on_decided, f);
	loop_async_start(f->loop, &decided);
	loop_timer_init(&late, on_late, &decided);
	loop_timer_start(f->loop, &late, 0, 0);
	UNTIL(f, peer_has_answer(&f->peer) || f->peer.is_closed);
	loop_async_stop(&decided);
	assert_non_null(strstr(f->peer.in, "HTTP/1.1 200 "));
}

/* They had waited for us, not we for them: cut, they would not hear that it was decided. */
SERVER_TEST(whoever_waited_long_at_the_limit_gets_the_answer_that_was_just_made)
{
	struct http_server_config config = server_aid_config(f);
	struct connection peers[KEPT_MAX] = { 0 };
	struct loop_timer late;
	struct loop_async decided;

	config.connections_max = KEPT_MAX;
	server_aid_start(f, &config, "127.0.0.1:0");
	for (size_t i = 0; i < KEPT_MAX; i++) {
		peer_call(f, &peers[i]);
		SAY(&peers[i], "POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
	}
	UNTIL(f, f->kept_count == KEPT_MAX);
	loop_async_init(&decided, on_decided, f);
	loop_async_start(f->loop, &decided);
	loop_timer_init(&late, on_late, &decided);
	loop_timer_start(f->loop, &late, 1100, 0);
	UNTIL(f, all_have_answers(peers, KEPT_MAX));
	loop_async_stop(&decided);
	for (size_t i = 0; i < KEPT_MAX; i++) {
		assert_non_null(strstr(peers[i].in, "HTTP/1.1 200 "));
		peer_hang_up(&peers[i]);
	}
}

SERVER_TEST(a_slow_sender_is_cut_off_however_often_it_sends)
{
	struct http_server_config config = server_aid_config(f);
	int64_t began = loop_now_ms();

	config.request_timeout_ms = 60;
	server_aid_start_with(f, &config);
	SAY(&f->peer,
	    "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	    "Content-Length: 9\r\n\r\n");
	for (int64_t next = 0; !f->peer.is_closed;) {
		int64_t now = loop_now_ms();

		if (now >= next && send(f->peer.fd, "a", 1, MSG_NOSIGNAL) == 1)
			next = now + 15;
		loop_timer_start(f->loop, &f->patience, 5, 0);
		loop_run_once(f->loop);
		assert_true(loop_now_ms() - began < PATIENCE_MS);
	}
	assert_true(loop_now_ms() - began >= 59);
	assert_string_equal(f->peer.in, "");
	UNTIL(f, f->server->conn_count == 0);
	assert_int_equal(f->server->budget.used, 0);
}

SERVER_TEST(the_first_request_has_no_more_time_than_its_connection)
{
	struct http_server_config config = server_aid_config(f);
	int64_t sent;

	config.request_timeout_ms = 300;
	server_aid_start_with(f, &config);
	loop_timer_start(f->loop, &f->patience, 220, 0);
	while (!f->is_over)
		loop_run_once(f->loop);
	f->is_over = false;
	SAY(&f->peer, "GET /echo HTTP/1.1\r\n");
	sent = loop_now_ms();
	UNTIL(f, f->peer.is_closed);
	assert_true(loop_now_ms() - sent < 280);
}

/* It had the time of an idle connection. */
SERVER_TEST(the_second_request_has_a_time_of_its_own)
{
	struct http_server_config config = server_aid_config(f);

	config.request_timeout_ms = 60;
	config.idle_timeout_ms = 600000;
	server_aid_start_with(f, &config);
	get_echo(&f->peer);
	UNTIL(f, peer_has_answer(&f->peer));
	SAY(&f->peer, "GET /echo HTTP/1.1\r\n");
	UNTIL(f, f->peer.is_closed);
}

SERVER_TEST(who_says_nothing_is_cut_off_too)
{
	struct http_server_config config = server_aid_config(f);

	config.request_timeout_ms = 30;
	server_aid_start_with(f, &config);
	UNTIL(f, f->peer.is_closed);
	UNTIL(f, f->server->conn_count == 0);
}

SERVER_TEST(an_idle_connection_is_closed_after_its_time)
{
	struct http_server_config config = server_aid_config(f);

	config.idle_timeout_ms = 30;
	server_aid_start_with(f, &config);
	get_echo(&f->peer);
	UNTIL(f, peer_has_answer(&f->peer));
	UNTIL(f, f->peer.is_closed);
}

/* As many descriptors as there are now; the limit that was. */
static rlim_t
take_all_descriptors(void)
{
	int next = dup(STDERR_FILENO);
	struct rlimit limit;
	rlim_t before;

	assert_true(next >= 0);
	assert_int_equal(close(next), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	before = limit.rlim_cur;
	limit.rlim_cur = (rlim_t)next;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	return before;
}

static void
give_descriptors_back(rlim_t before)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = before;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void
count_turn(UNUSED struct loop_prepare *prepare, void *ctx)
{
	++*(unsigned *)ctx;
}

static void
note_time(UNUSED struct loop_timer *timer, void *ctx)
{
	*(bool *)ctx = true;
}

/* 300 ms; returns how often the loop went round. */
static unsigned
turns_of_a_while(struct server_aid *f)
{
	struct loop_prepare prepare;
	struct loop_timer timer;
	bool is_over = false;
	unsigned turns = 0;

	loop_prepare_init(&prepare, count_turn, &turns);
	loop_timer_init(&timer, note_time, &is_over);
	loop_prepare_start(f->loop, &prepare);
	loop_timer_start(f->loop, &timer, 300, 0);
	UNTIL(f, is_over);
	loop_prepare_stop(&prepare);
	return turns;
}

static unsigned
turns_without_descriptors(struct server_aid *f)
{
	rlim_t before = take_all_descriptors();
	unsigned turns = turns_of_a_while(f);

	give_descriptors_back(before);
	return turns;
}

/* libmicrohttpd alone would try again at once, some 50,000 times a second. */
SERVER_TEST(without_descriptors_it_waits_and_then_takes_who_waited)
{
	unsigned turns;

	server_aid_start_and_call(f);
	get_echo(&f->peer);
	turns = turns_without_descriptors(f);
	assert_in_range(turns, 1, 100);
	assert_false(peer_has_answer(&f->peer));
	UNTIL(f, peer_has_answer(&f->peer));
}

/* libmicrohttpd listens again when one closes, but only at its next run. */
SERVER_TEST(who_waits_for_a_descriptor_is_taken_when_another_closes)
{
	server_aid_start_and_call(f);
	get_echo(&f->peer);
	UNTIL(f, peer_has_answer(&f->peer));
	peer_call(f, &f->second);
	get_echo(&f->second);
	(void)turns_without_descriptors(f);
	assert_false(peer_has_answer(&f->second));
	peer_hang_up(&f->peer);
	UNTIL(f, peer_has_answer(&f->second));
}

/* Where the hard limit is small descriptors run out before places do: whoever merely stays
 * connected kept everybody else out for as long as they liked. */
SERVER_TEST(an_idle_connection_makes_room_when_descriptors_run_out)
{
	rlim_t before;

	server_aid_start_and_call(f);
	get_echo(&f->peer);
	UNTIL(f, peer_has_answer(&f->peer));
	peer_call(f, &f->second);
	get_echo(&f->second);
	before = take_all_descriptors();
	UNTIL(f, f->peer.is_closed);
	UNTIL(f, peer_has_answer(&f->second));
	give_descriptors_back(before);
}

SERVER_TEST(whoever_waits_for_our_answer_is_not_cut_for_want_of_descriptors)
{
	rlim_t before;

	server_aid_start_and_call(f);
	peer_post(&f->peer, "/later", 10);
	UNTIL(f, f->kept_count == 1);
	peer_call(f, &f->second);
	get_echo(&f->second);
	before = take_all_descriptors();
	for (int i = 0; i < 4; i++)
		(void)turns_of_a_while(f);
	assert_false(f->peer.is_closed);
	assert_false(peer_has_answer(&f->second));
	http_request_answer(f->kept[0], 200, NULL, NULL, 0);
	UNTIL(f, peer_has_answer(&f->peer));
	UNTIL(f, peer_has_answer(&f->second)); /* now the first one is idle */
	give_descriptors_back(before);
}

static const char *
on_crowded(void *ctx, uid_t uid, enum http_server_crowd why, const char *users)
{
	struct server_aid *f = ctx;

	assert_int_equal(uid, getuid());
	(void)snprintf(f->seen, sizeof(f->seen), "%d: %s", (int)why, users);
	return "HTTP/1.1 429 Too Many Requests\r\n\r\nno place";
}

static bool
is_guest(UNUSED void *ctx, UNUSED uid_t uid)
{
	return true;
}

static void
call_unix(struct server_aid *f, struct connection *peer, const struct sockaddr_un *address)
{
	peer->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(peer->fd, (const void *)address, sizeof(*address)), 0);
	peer_watch(f, peer);
}

/* Two that wait for their answers have all places: a third is told so, nothing of what it sent,
 * before or after it was accepted, is done, and its place is free again. */
static void
crowd(struct server_aid *f, struct http_server_config *config, enum http_server_crowd why)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char directory[] = "/tmp/test_http_server.XXXXXX";
	struct connection third = { 0 };
	char where[128], wanted[64];

	assert_non_null(mkdtemp(directory));
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", directory);
	(void)snprintf(where, sizeof(where), "unix:%s", address.sun_path);
	(void)snprintf(wanted, sizeof(wanted), "%d: %u (2)", (int)why, getuid());
	config->on_crowded = on_crowded;
	config->ctx = f;
	server_aid_start(f, config, where);
	call_unix(f, &f->peer, &address);
	call_unix(f, &f->second, &address);
	SAY(&f->peer, "POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
	SAY(&f->second, "POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
	UNTIL(f, f->kept_count == 2);
	for (int i = 0; i < 20; i++) { /* more than there are places to be refused in */
		third = (struct connection){ 0 };
		call_unix(f, &third, &address);
		get_echo(&third);
		UNTIL(f, third.is_closed);
		assert_non_null(strstr(third.in, "no place"));
		assert_string_equal(f->seen, wanted);
		peer_hang_up(&third);
	}
	for (size_t i = 0; i < 2; i++)
		http_request_answer(f->kept[i], 200, NULL, NULL, 0);
	UNTIL(f, peer_has_answer(&f->peer) && peer_has_answer(&f->second));
	assert_false(f->peer.is_closed || f->second.is_closed);
	http_server_free(TAKE(f->server));
	assert_int_equal(rmdir(directory), 0);
}

TEST_WITH(one_too_many_of_a_user_is_told_so, server_aid_set_up, server_aid_tear_down)
{
	struct http_server_config config = server_aid_config(*state);

	config.connections_per_user = 2;
	crowd(*state, &config, HTTP_SERVER_CROWD_USER);
}

TEST_WITH(one_too_many_of_all_guests_is_told_so, server_aid_set_up, server_aid_tear_down)
{
	struct http_server_config config = server_aid_config(*state);

	config.connections_per_user = 4;
	config.is_guest = is_guest;
	config.guests_max = 2;
	crowd(*state, &config, HTTP_SERVER_CROWD_GUESTS);
}

TEST_WITH(one_too_many_of_all_is_told_so, server_aid_set_up, server_aid_tear_down)
{
	struct http_server_config config = server_aid_config(*state);

	config.connections_per_user = 4;
	config.connections_max = 2;
	crowd(*state, &config, HTTP_SERVER_CROWD_ALL);
}
