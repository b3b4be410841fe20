/* Goal: whatever a client sends or withholds, a request is answered, refused or cut off.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/http_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#define PATIENCE_MS 5000
#define KEPT_MAX    8
#define BUDGET	    1000

/* The other end of a connection. */
struct peer {
	struct loop_io io;
	int fd;
	char in[8192];
	size_t size;
	bool is_closed;
};

struct fixture {
	int refused_count, refused_status; /* by the server itself */
	struct loop *loop;
	struct http_server *server;
	struct loop_timer patience;
	bool is_over;
	struct http_request *kept[KEPT_MAX];
	size_t kept_count;
	size_t piece_bytes;
	unsigned users_freed;
	char seen[256];
	struct peer peer;
	struct peer second;
};

static const char *const json[] = { "application/json", NULL };

static void
on_patience_over(struct loop_timer *timer, void *ctx)
{
	(void)timer;
	((struct fixture *)ctx)->is_over = true;
}

/* Turns the loop until it is so; no longer than a few seconds. */
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

/* --- routes --------------------------------------------------------------------------------- */

static void
count_free(void *user)
{
	(*(unsigned *)user)++;
}

static void
see_piece(struct http_request *request, const void *data, size_t size, void *ctx)
{
	struct fixture *f = ctx;

	(void)request;
	(void)data;
	f->piece_bytes += size;
}

static void
echo(struct http_request *request, void *ctx)
{
	const struct http_header headers[] = { { "X-Echo", "yes" }, { NULL, NULL } };
	struct fixture *f = ctx;
	size_t size;
	char *body = http_request_take_body(request, &size);

	(void)snprintf(f->seen, sizeof(f->seen), "%s %s from %s", http_request_method(request),
	    http_request_path(request), http_request_client(request));
	http_request_answer(request, 200, headers, body, size);
	free(body);
}

static void
keep(struct http_request *request, void *ctx)
{
	struct fixture *f = ctx;

	assert_true(f->kept_count < KEPT_MAX);
	http_request_set_user(request, &f->users_freed, count_free);
	f->kept[f->kept_count++] = request;
}

static void
refuse_stranger(struct http_request *request, void *ctx)
{
	(void)ctx;
	if (http_request_header(request, "X-Key") == NULL)
		http_request_answer(request, 401, NULL, NULL, 0);
}

static void
say_fine(struct http_request *request, void *ctx)
{
	(void)ctx;
	http_request_answer(request, 200, NULL, NULL, 0);
}

static struct http_route routes[] = {
	{ .methods = "POST",
	    .path = "/echo",
	    .body_max = 900,
	    .types = json,
	    .on_piece = see_piece,
	    .on_request = echo },
	{ .methods = "POST", .path = "/later", .body_max = 900, .on_request = keep },
	{ .methods = "POST",
	    .path = "/soon",
	    .body_max = 900,
	    .answer_timeout_ms = 30,
	    .on_request = keep },
	{ .methods = "POST", .path = "/huge", .body_max = 100000000, .on_request = keep },
	{ .methods = "POST",
	    .path = "/keyed",
	    .body_max = 10000000,
	    .on_begin = refuse_stranger,
	    .on_request = say_fine },
	{ .methods = "GET HEAD", .path = "/echo", .on_request = echo },
};

/* --- fixture -------------------------------------------------------------------------------- */

static struct http_server_config
test_config(struct fixture *f)
{
	for (size_t i = 0; i < COUNT(routes); i++)
		routes[i].ctx = f;
	return (struct http_server_config){
		.routes = routes, .route_count = COUNT(routes), .budget_bytes = BUDGET
	};
}

static void
note_refused(void *ctx, const char *path, int status)
{
	struct fixture *f = ctx;

	assert_string_equal(path, "/later");
	f->refused_count++;
	f->refused_status = status;
}

static void
start(struct fixture *f, const struct http_server_config *config, const char *where)
{
	struct err err;

	f->server = http_server_new(f->loop, config, where, &err);
	if (f->server == NULL)
		fail_msg("%s", err.text);
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return -1;
	f->loop = loop_new(NULL);
	loop_timer_init(&f->patience, on_patience_over, f);
	f->peer.fd = f->second.fd = -1;
	*state = f;
	return 0;
}

static void
hang_up(struct peer *peer)
{
	if (peer->fd < 0)
		return;
	loop_io_stop(&peer->io);
	(void)close(peer->fd);
	peer->fd = -1;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	hang_up(&f->peer);
	hang_up(&f->second);
	http_server_free(f->server);
	loop_timer_stop(&f->patience);
	loop_free(f->loop);
	free(f);
	return 0;
}

static void
on_peer_readable(struct loop_io *io, unsigned events, void *ctx)
{
	struct peer *peer = ctx;
	ssize_t got = recv(peer->fd, peer->in + peer->size, sizeof(peer->in) - 1 - peer->size, 0);

	(void)events;
	if (got < 0 && errno == EAGAIN)
		return;
	if (got <= 0) {
		peer->is_closed = true;
		loop_io_stop(io);
		return;
	}
	peer->size += (size_t)got;
	peer->in[peer->size] = '\0';
}

static void
watch_peer(struct fixture *f, struct peer *peer)
{
	assert_true(peer->fd >= 0);
	peer->size = 0;
	peer->in[0] = '\0';
	peer->is_closed = false;
	assert_int_equal(fcntl(peer->fd, F_SETFL, O_NONBLOCK), 0);
	loop_io_init(&peer->io, on_peer_readable, peer);
	loop_io_start(f->loop, &peer->io, peer->fd, LOOP_READ);
}

static void
call(struct fixture *f, struct peer *peer)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons(http_server_port(f->server)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(peer->fd, (void *)&address, sizeof(address)), 0);
	watch_peer(f, peer);
}

static void
say(struct peer *peer, const void *text, size_t size)
{
	assert_int_equal(send(peer->fd, text, size, MSG_NOSIGNAL), size);
}

#define SAY(peer, text) say((peer), (text), sizeof(text) - 1)

/* A POST with a body of so many letters. */
static void
post(struct peer *peer, const char *path, size_t size)
{
	char text[2048];
	int used = snprintf(text, sizeof(text),
	    "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	    "Content-Length: %zu\r\n\r\n",
	    path, size);

	assert_true((size_t)used + size < sizeof(text));
	memset(text + used, 'a', size);
	say(peer, text, (size_t)used + size);
}

static bool
has_answer(const struct peer *peer)
{
	return strstr(peer->in, "\r\n\r\n") != NULL;
}

static void
start_and_call(struct fixture *f)
{
	struct http_server_config config = test_config(f);

	start(f, &config, "127.0.0.1:0");
	call(f, &f->peer);
}

/* Sends one head and wants that status, an end of the connection and no word to a route. */
static void
wants_refusal(struct fixture *f, const char *head, size_t size, const char *status)
{
	call(f, &f->peer);
	say(&f->peer, head, size);
	UNTIL(f, f->peer.is_closed);
	if (strncmp(f->peer.in, "HTTP/1.1 ", 9) != 0 || strncmp(f->peer.in + 9, status, 3) != 0)
		fail_msg("wanted %s for: %s\ngot: %s", status, head, f->peer.in);
	assert_int_equal(f->kept_count, 0);
	assert_int_equal(f->piece_bytes, 0);
	hang_up(&f->peer);
}

/* --- tests ---------------------------------------------------------------------------------- */

static void
a_body_comes_to_its_route_and_the_answer_goes_back(void **state)
{
	struct fixture *f = *state;

	start_and_call(f);
	SAY(&f->peer,
	    "POST /echo?q=1 HTTP/1.1\r\nHost: x\r\ncontent-type: application/json\r\n"
	    "X-Real-IP: 192.0.2.7\r\nContent-Length: 5\r\n\r\nhe");
	UNTIL(f, f->piece_bytes == 2);
	SAY(&f->peer, "llo");
	UNTIL(f, has_answer(&f->peer) && strstr(f->peer.in, "hello") != NULL);
	assert_non_null(strstr(f->peer.in, "HTTP/1.1 200 "));
	assert_non_null(strstr(f->peer.in, "X-Echo: yes\r\n"));
	assert_null(strstr(f->peer.in, "Date:"));
	assert_null(strstr(f->peer.in, "Server:"));
	assert_string_equal(f->seen, "POST /echo from 192.0.2.7");
	assert_int_equal(http_server_body_bytes(f->server), 0);
}

static void
a_connection_is_used_again_and_empty_answers_say_so(void **state)
{
	struct fixture *f = *state;

	start_and_call(f);
	for (int i = 0; i < 3; i++) {
		f->peer.size = 0;
		SAY(&f->peer, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
		UNTIL(f, has_answer(&f->peer));
		assert_non_null(strstr(f->peer.in, "HTTP/1.1 200 "));
		assert_non_null(strstr(f->peer.in, "Content-Length: 0\r\n"));
		assert_string_equal(f->seen, "GET /echo from 127.0.0.1");
	}
	assert_int_equal(http_server_connections(f->server), 1);
	assert_false(f->peer.is_closed);
}

static bool
all_have_answers(const struct peer *peers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!has_answer(&peers[i]) && !peers[i].is_closed)
			return false;
	return true;
}

/* A burst is accepted before any of it is read: nobody in it was idle. */
static void
a_burst_up_to_the_limit_is_answered_whole(void **state)
{
	enum { BURST = 16 };
	struct fixture *f = *state;
	struct http_server_config config = test_config(f);
	struct peer *peers = calloc(BURST, sizeof(*peers));

	assert_non_null(peers);
	config.connections_max = BURST;
	start(f, &config, "127.0.0.1:0");
	for (size_t i = 0; i < BURST; i++) {
		call(f, &peers[i]);
		SAY(&peers[i], "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
	}
	UNTIL(f, all_have_answers(peers, BURST));
	for (size_t i = 0; i < BURST; i++) {
		assert_non_null(strstr(peers[i].in, "HTTP/1.1 200 "));
		hang_up(&peers[i]);
	}
	free(peers);
}

/* At the limit nobody else was accepted, before the next event of somebody who is there. */
static void
whoever_waited_at_the_limit_is_taken_when_another_goes(void **state)
{
	struct fixture *f = *state;
	struct http_server_config config = test_config(f);

	config.connections_max = 1;
	start(f, &config, "127.0.0.1:0");
	call(f, &f->peer);
	SAY(&f->peer, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
	UNTIL(f, has_answer(&f->peer));
	call(f, &f->second);
	SAY(&f->second, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
	hang_up(&f->peer);
	UNTIL(f, has_answer(&f->second));
	assert_non_null(strstr(f->second.in, "HTTP/1.1 200 "));
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
	struct fixture *f = ctx;

	(void)async;
	for (size_t i = 0; i < f->kept_count; i++)
		http_request_answer(f->kept[i], 200, NULL, NULL, 0);
}

/* Results before deadlines, here too. */
static void
an_answer_that_comes_with_its_deadline_is_given(void **state)
{
	struct fixture *f = *state;
	struct http_server_config config = test_config(f);
	struct loop_timer late;
	struct loop_async decided;

	config.answer_timeout_ms = 500;
	start(f, &config, "127.0.0.1:0");
	call(f, &f->peer);
	SAY(&f->peer, "POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
	UNTIL(f, f->kept_count == 1);
	loop_async_init(&decided, on_decided, f);
	loop_async_start(f->loop, &decided);
	loop_timer_init(&late, on_late, &decided);
	loop_timer_start(f->loop, &late, 0, 0);
	UNTIL(f, has_answer(&f->peer) || f->peer.is_closed);
	loop_async_stop(&decided);
	assert_non_null(strstr(f->peer.in, "HTTP/1.1 200 "));
}

/* They had waited for us, not we for them: cut, they would not hear that it was decided. */
static void
whoever_waited_long_at_the_limit_gets_the_answer_that_was_just_made(void **state)
{
	struct fixture *f = *state;
	struct http_server_config config = test_config(f);
	struct peer peers[KEPT_MAX] = { 0 };
	struct loop_timer late;
	struct loop_async decided;

	config.connections_max = KEPT_MAX;
	start(f, &config, "127.0.0.1:0");
	for (size_t i = 0; i < KEPT_MAX; i++) {
		call(f, &peers[i]);
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
		hang_up(&peers[i]);
	}
}

static void
on_tick(struct loop_timer *timer, void *ctx)
{
	(void)timer;
	(void)ctx;
}

/* However a proper head is written, and in however many pieces it comes. */
static void
a_head_without_blanks_in_single_bytes_is_taken(void **state)
{
	static const char head[] =
	    "POST /echo HTTP/1.1\r\nHost:x\r\ncontent-type:application/json\r\n"
	    "X-Empty:\r\nX-Wide:   two  words \r\nX-Last: z\r\nContent-Length:5\r\n\r\nhello";
	struct fixture *f = *state;
	struct loop_timer tick;

	start_and_call(f);
	loop_timer_init(&tick, on_tick, NULL);
	loop_timer_start(f->loop, &tick, 1, 1); /* so that a turn ends though a byte came early */
	for (size_t i = 0; i < sizeof(head) - 1; i++) {
		say(&f->peer, head + i, 1);
		loop_run_once(f->loop);
	}
	loop_timer_stop(&tick);
	UNTIL(f, has_answer(&f->peer) && strstr(f->peer.in, "hello") != NULL);
	assert_non_null(strstr(f->peer.in, "HTTP/1.1 200 "));
}

#define REFUSAL(head, status) \
	{ \
		(head), sizeof(head) - 1, (status) \
	}
#define POST_ECHO "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"

static void
heads_that_must_not_pass_are_refused_before_the_body(void **state)
{
	static const struct {
		const char *head;
		size_t size;
		const char *status;
	} cases[] = {
		REFUSAL(POST_ECHO "Content-Length: 3\r\nContent-Length: 5\r\n\r\nabc", "400"),
		REFUSAL(POST_ECHO "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", "400"),
		REFUSAL(POST_ECHO "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "400"),
		REFUSAL(
		    POST_ECHO "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc", "400"),
		REFUSAL(POST_ECHO "Transfer-Encoding: xchunked\r\n\r\nabc", "400"),
		REFUSAL(POST_ECHO "Content-Length : 3\r\n\r\nabc", "400"),
		REFUSAL(POST_ECHO "Content-Length: +3\r\n\r\nabc", "400"),
		REFUSAL(POST_ECHO "Content-Length: 3\r\nX-A: b\0c\r\n\r\nabc", "400"),
		REFUSAL(POST_ECHO "Content-Length: 3\r\nX-A: b\r\n c\r\n\r\nabc", "400"),
		/* a NUL made up for by blanks that are not there, and bare line ends */
		REFUSAL(POST_ECHO "Content-Length:3\r\nX-A:a\0b\r\nX-B:c\r\n\r\nabc", "400"),
		REFUSAL(POST_ECHO "Content-Length:3\r\nX-B:c\r\nX-A:a\0b\r\n\r\nabc", "400"),
		/* a line's end too short, made up for by an empty line too long */
		REFUSAL("POST /echo HTTP/1.1\nHost: x\r\nContent-Length: 3\r\n: \nabc", "400"),
		REFUSAL("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\n: \nabc", "400"),
		REFUSAL("POST /echo?a=\rb HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", "400"),
		REFUSAL(POST_ECHO "Content-Length: 3\nX-A: b\r\n\r\nabc", "400"),
		REFUSAL(POST_ECHO "X-A: b\r\nContent-Length: 3\n\r\nabc", "400"),
		REFUSAL(POST_ECHO "Content-Length: 3\r\n\nabc", "400"),
		REFUSAL("POST /echo HTTP/1.1\nHost: x\r\nContent-Type: application/json\r\n"
			"Content-Length: 3\r\n\r\nabc",
		    "400"),
		REFUSAL(POST_ECHO "Content-Length: 3\r\nX-A: b\x01\r\n\r\nabc", "400"),
		REFUSAL(POST_ECHO "\r\nabc", "411"),
		REFUSAL(POST_ECHO "Content-Length: 901\r\n\r\n", "413"),
		REFUSAL(POST_ECHO "Content-Length: 9999999999999999999\r\n\r\n", "413"),
		REFUSAL("POST /huge HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n", "413"),
		REFUSAL("GET /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", "413"),
		REFUSAL("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
			"Content-Length: 3\r\n\r\nabc",
		    "415"),
		REFUSAL("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", "415"),
		REFUSAL("GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n", "404"),
		REFUSAL("GET /%65cho HTTP/1.1\r\nHost: x\r\n\r\n", "404"),
		REFUSAL("GET /echo HTTP/1.1\r\n\r\n", "400"),
	};
	struct fixture *f = *state;
	struct http_server_config config = test_config(f);

	start(f, &config, "127.0.0.1:0");
	for (size_t i = 0; i < COUNT(cases); i++)
		wants_refusal(f, cases[i].head, cases[i].size, cases[i].status);
}

static void
a_wrong_method_is_told_the_right_ones(void **state)
{
	struct fixture *f = *state;

	start_and_call(f);
	SAY(&f->peer, "DELETE /echo HTTP/1.1\r\nHost: x\r\n\r\n");
	UNTIL(f, f->peer.is_closed);
	assert_non_null(strstr(f->peer.in, "HTTP/1.1 405 "));
	assert_non_null(strstr(f->peer.in, "Allow: POST, GET, HEAD\r\n"));
}

static void
a_refusal_reaches_a_sender_that_goes_on_sending(void **state)
{
	static char much[256 * 1024];
	struct fixture *f = *state;
	struct http_server_config config = test_config(f);
	size_t sent = 0;

	config.budget_bytes = 64 * 1024 * 1024;
	start(f, &config, "127.0.0.1:0");
	call(f, &f->peer);
	SAY(&f->peer, "POST /keyed HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n");
	while (sent < 4000000) {
		ssize_t took = send(f->peer.fd, much, sizeof(much), MSG_NOSIGNAL);

		if (took < 0) {
			assert_int_equal(errno, EAGAIN);
			loop_run_once(f->loop);
			continue;
		}
		sent += (size_t)took;
	}
	UNTIL(f, f->peer.is_closed);
	assert_non_null(strstr(f->peer.in, "HTTP/1.1 401 "));
	assert_int_equal(http_server_body_bytes(f->server), 0);
}

static void
a_slow_sender_is_cut_off_however_often_it_sends(void **state)
{
	struct fixture *f = *state;
	struct http_server_config config = test_config(f);
	int64_t began = loop_now_ms();

	config.request_timeout_ms = 60;
	start(f, &config, "127.0.0.1:0");
	call(f, &f->peer);
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
	UNTIL(f, http_server_connections(f->server) == 0);
	assert_int_equal(http_server_body_bytes(f->server), 0);
}

static void
the_first_request_has_no_more_time_than_its_connection(void **state)
{
	struct fixture *f = *state;
	struct http_server_config config = test_config(f);
	int64_t sent;

	config.request_timeout_ms = 300;
	start(f, &config, "127.0.0.1:0");
	call(f, &f->peer);
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
static void
the_second_request_has_a_time_of_its_own(void **state)
{
	struct fixture *f = *state;
	struct http_server_config config = test_config(f);

	config.request_timeout_ms = 60;
	config.idle_timeout_ms = 600000;
	start(f, &config, "127.0.0.1:0");
	call(f, &f->peer);
	SAY(&f->peer, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
	UNTIL(f, has_answer(&f->peer));
	SAY(&f->peer, "GET /echo HTTP/1.1\r\n");
	UNTIL(f, f->peer.is_closed);
}

static void
a_body_that_is_there_at_once_is_read_to_its_end(void **state)
{
	static char much[128 * 1024];
	struct fixture *f = *state;
	struct http_server_config config = test_config(f);
	char *body;
	size_t size;

	config.budget_bytes = sizeof(much);
	start(f, &config, "127.0.0.1:0");
	call(f, &f->peer);
	SAY(&f->peer, "POST /huge HTTP/1.1\r\nHost: x\r\nContent-Length: 131072\r\n\r\n");
	say(&f->peer, much, sizeof(much));
	UNTIL(f, f->kept_count == 1);
	body = http_request_take_body(f->kept[0], &size);
	assert_non_null(body);
	free(body);
	assert_int_equal(size, sizeof(much));
	http_request_answer(f->kept[0], 200, NULL, NULL, 0);
}

static void
who_says_nothing_is_cut_off_too(void **state)
{
	struct fixture *f = *state;
	struct http_server_config config = test_config(f);

	config.request_timeout_ms = 30;
	start(f, &config, "127.0.0.1:0");
	call(f, &f->peer);
	UNTIL(f, f->peer.is_closed);
	UNTIL(f, http_server_connections(f->server) == 0);
}

static void
an_idle_connection_is_closed_after_its_time(void **state)
{
	struct fixture *f = *state;
	struct http_server_config config = test_config(f);

	config.idle_timeout_ms = 30;
	start(f, &config, "127.0.0.1:0");
	call(f, &f->peer);
	SAY(&f->peer, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
	UNTIL(f, has_answer(&f->peer));
	UNTIL(f, f->peer.is_closed);
}

static void
a_deferred_answer_arrives_later(void **state)
{
	struct fixture *f = *state;
	char *body;
	size_t size;

	start_and_call(f);
	post(&f->peer, "/later", 700);
	UNTIL(f, f->kept_count == 1);
	assert_int_equal(http_server_open_requests(f->server), 1);
	assert_int_equal(http_server_body_bytes(f->server), 700);
	body = http_request_take_body(f->kept[0], &size);
	assert_non_null(body);
	free(body);
	assert_int_equal(size, 700);
	assert_int_equal(f->peer.size, 0);
	http_request_answer(f->kept[0], 202, NULL, NULL, 0);
	UNTIL(f, has_answer(&f->peer));
	assert_non_null(strstr(f->peer.in, "HTTP/1.1 202 "));
	assert_int_equal(http_server_open_requests(f->server), 0);
	assert_int_equal(http_server_body_bytes(f->server), 0);
	assert_false(f->peer.is_closed);
	UNTIL(f, f->users_freed == 1);
}

static void
many_deferred_answers_of_one_turn_all_arrive(void **state)
{
	struct fixture *f = *state;

	start_and_call(f);
	call(f, &f->second);
	post(&f->peer, "/later", 10);
	post(&f->second, "/later", 20);
	UNTIL(f, f->kept_count == 2);
	http_request_answer(f->kept[0], 200, NULL, NULL, 0);
	http_request_answer(f->kept[1], 200, NULL, NULL, 0);
	UNTIL(f, has_answer(&f->peer) && has_answer(&f->second));
}

static void
a_client_that_hangs_up_leaves_a_handle_that_can_be_answered(void **state)
{
	struct fixture *f = *state;

	start_and_call(f);
	post(&f->peer, "/later", 10);
	UNTIL(f, f->kept_count == 1);
	hang_up(&f->peer);
	call(f, &f->second);
	post(&f->second, "/later", 10);
	UNTIL(f, f->kept_count == 2);
	http_request_answer(f->kept[0], 200, NULL, NULL, 0);
	http_request_answer(f->kept[1], 200, NULL, NULL, 0);
	UNTIL(f, has_answer(&f->second));
	UNTIL(f, http_server_connections(f->server) == 1);
	assert_int_equal(f->users_freed, 2);
}

static void
a_client_that_hangs_up_while_sending_leaves_nothing(void **state)
{
	struct fixture *f = *state;

	start_and_call(f);
	SAY(&f->peer, POST_ECHO "Content-Length: 500\r\n\r\nabc");
	UNTIL(f, f->piece_bytes == 3);
	assert_int_equal(http_server_body_bytes(f->server), 500);
	hang_up(&f->peer);
	UNTIL(f, http_server_connections(f->server) == 0);
	assert_int_equal(http_server_body_bytes(f->server), 0);
}

static void
a_late_route_is_answered_for_and_may_still_answer(void **state)
{
	struct fixture *f = *state;

	start_and_call(f);
	post(&f->peer, "/soon", 10);
	UNTIL(f, f->peer.is_closed);
	assert_non_null(strstr(f->peer.in, "HTTP/1.1 503 "));
	assert_non_null(strstr(f->peer.in, "Retry-After: 5\r\n"));
	UNTIL(f, http_server_connections(f->server) == 0);
	assert_int_equal(http_server_open_requests(f->server), 1);
	assert_string_equal(http_request_path(f->kept[0]), "");
	assert_null(http_request_header(f->kept[0], "Host"));
	assert_int_equal(f->users_freed, 0);
	http_request_answer(f->kept[0], 200, NULL, NULL, 0);
	assert_int_equal(f->users_freed, 1);
	assert_int_equal(http_server_open_requests(f->server), 0);
}

static void
a_body_waits_for_memory_and_then_proceeds(void **state)
{
	struct fixture *f = *state;

	start_and_call(f);
	call(f, &f->second);
	post(&f->peer, "/later", 700);
	UNTIL(f, f->kept_count == 1);
	post(&f->second, "/later", 800);
	UNTIL(f, http_server_connections(f->server) == 2);
	for (int i = 0; i < 5; i++) {
		loop_timer_start(f->loop, &f->patience, 1, 0);
		loop_run_once(f->loop);
	}
	f->is_over = false;
	assert_int_equal(f->kept_count, 1);
	assert_int_equal(http_server_body_bytes(f->server), 700);
	http_request_answer(f->kept[0], 200, NULL, NULL, 0);
	UNTIL(f, f->kept_count == 2);
	http_request_answer(f->kept[1], 200, NULL, NULL, 0);
	UNTIL(f, has_answer(&f->peer) && has_answer(&f->second));
	assert_non_null(strstr(f->second.in, "HTTP/1.1 200 "));
}

static void
a_small_body_passes_a_large_one_that_waits(void **state)
{
	struct fixture *f = *state;
	struct http_server_config config = test_config(f);

	config.budget_wait_ms = 40;
	config.on_refused = note_refused;
	config.ctx = f;
	start(f, &config, "127.0.0.1:0");
	call(f, &f->peer);
	call(f, &f->second);
	post(&f->peer, "/later", 700);
	UNTIL(f, f->kept_count == 1);
	post(&f->second, "/later", 800);
	UNTIL(f, f->second.is_closed);
	assert_non_null(strstr(f->second.in, "HTTP/1.1 503 "));
	assert_non_null(strstr(f->second.in, "Retry-After: 5\r\n"));
	assert_int_equal(f->refused_count, 1); /* no route will ever count it */
	assert_int_equal(f->refused_status, 503);
	hang_up(&f->second);
	call(f, &f->second);
	post(&f->second, "/later", 300);
	UNTIL(f, f->kept_count == 2);
	assert_int_equal(http_server_body_bytes(f->server), 1000);
	http_request_answer(f->kept[0], 200, NULL, NULL, 0);
	http_request_answer(f->kept[1], 200, NULL, NULL, 0);
	UNTIL(f, has_answer(&f->peer) && has_answer(&f->second));
}

static void
a_quiesced_server_ends_what_it_has_and_takes_nothing_new(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd;

	start_and_call(f);
	post(&f->peer, "/later", 10);
	UNTIL(f, f->kept_count == 1);
	address.sin_port = htons(http_server_port(f->server));
	http_server_quiesce(f->server);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (void *)&address, sizeof(address)), -1);
	assert_int_equal(close(fd), 0);
	http_request_answer(f->kept[0], 200, NULL, NULL, 0);
	UNTIL(f, f->peer.is_closed);
	assert_non_null(strstr(f->peer.in, "HTTP/1.1 200 "));
	assert_non_null(strstr(f->peer.in, "Connection: close"));
}

static void
freeing_the_server_answers_who_waits_and_leaves_the_handle(void **state)
{
	struct fixture *f = *state;

	start_and_call(f);
	call(f, &f->second);
	post(&f->peer, "/later", 700);
	UNTIL(f, f->kept_count == 1);
	post(&f->second, "/later", 800);
	UNTIL(f, http_server_connections(f->server) == 2);
	http_server_free(f->server);
	f->server = NULL;
	UNTIL(f, f->peer.is_closed && f->second.is_closed);
	assert_non_null(strstr(f->peer.in, "HTTP/1.1 503 "));
	http_request_answer(f->kept[0], 200, NULL, NULL, 0);
	assert_int_equal(f->users_freed, 1);
}

static void
a_unix_socket_is_served_and_a_stale_file_replaced(void **state)
{
	struct fixture *f = *state;
	struct http_server_config config = test_config(f);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char directory[] = "/tmp/test_http_server.XXXXXX";
	char where[128];
	struct stat st;
	int stale;

	assert_non_null(mkdtemp(directory));
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", directory);
	(void)snprintf(where, sizeof(where), "unix:%s", address.sun_path);
	stale = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(stale, (void *)&address, sizeof(address)), 0);
	assert_int_equal(close(stale), 0);
	start(f, &config, where);
	assert_int_equal(http_server_port(f->server), 0);
	assert_null(http_server_new(f->loop, &config, where, NULL));
	assert_int_equal(stat(address.sun_path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	f->peer.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(f->peer.fd, (void *)&address, sizeof(address)), 0);
	watch_peer(f, &f->peer);
	SAY(&f->peer, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
	UNTIL(f, has_answer(&f->peer));
	assert_string_equal(f->seen, "GET /echo from unix");
	http_server_free(f->server);
	f->server = NULL;
	assert_int_equal(stat(address.sun_path, &st), -1);
	assert_int_equal(rmdir(directory), 0);
}

static void
an_address_that_is_none_is_refused_in_words(void **state)
{
	static const char *const wrong[] = { "", "localhost:80", "127.0.0.1",
		"127.0.0.1:", "127.0.0.1:65536", "127.0.0.1: 80", "::1:80",
		"unix:", "127.0.0.1:80x" };
	struct fixture *f = *state;
	struct http_server_config config = test_config(f);
	struct err err;

	for (size_t i = 0; i < COUNT(wrong); i++) {
		assert_null(http_server_new(f->loop, &config, wrong[i], &err));
		assert_int_equal(err.code, ERR_CONFIG);
		assert_non_null(strstr(err.text, "expected ADDRESS:PORT"));
	}
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
count_turn(struct loop_prepare *prepare, void *ctx)
{
	(void)prepare;
	++*(unsigned *)ctx;
}

static void
note_time(struct loop_timer *timer, void *ctx)
{
	(void)timer;
	*(bool *)ctx = true;
}

/* 300 ms; returns how often the loop went round. */
static unsigned
turns_of_a_while(struct fixture *f)
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

/* libmicrohttpd alone would try again at once, some 50,000 times a second. */
static void
without_descriptors_it_waits_and_then_takes_who_waited(void **state)
{
	struct fixture *f = *state;
	rlim_t before;
	unsigned turns;

	start_and_call(f);
	SAY(&f->peer, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
	before = take_all_descriptors();
	turns = turns_of_a_while(f);
	give_descriptors_back(before);
	assert_in_range(turns, 1, 100);
	assert_false(has_answer(&f->peer));
	UNTIL(f, has_answer(&f->peer));
}

/* libmicrohttpd listens again when one closes, but only at its next run. */
static void
who_waits_for_a_descriptor_is_taken_when_another_closes(void **state)
{
	struct fixture *f = *state;
	rlim_t before;

	start_and_call(f);
	SAY(&f->peer, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
	UNTIL(f, has_answer(&f->peer));
	call(f, &f->second);
	SAY(&f->second, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
	before = take_all_descriptors();
	(void)turns_of_a_while(f);
	assert_false(has_answer(&f->second));
	give_descriptors_back(before);
	hang_up(&f->peer);
	UNTIL(f, has_answer(&f->second));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_address_that_is_none_is_refused_in_words),
		TEST(a_body_comes_to_its_route_and_the_answer_goes_back),
		TEST(a_head_without_blanks_in_single_bytes_is_taken),
		TEST(a_connection_is_used_again_and_empty_answers_say_so),
		TEST(heads_that_must_not_pass_are_refused_before_the_body),
		TEST(a_wrong_method_is_told_the_right_ones),
		TEST(a_refusal_reaches_a_sender_that_goes_on_sending),
		TEST(a_body_that_is_there_at_once_is_read_to_its_end),
		TEST(a_deferred_answer_arrives_later),
		TEST(many_deferred_answers_of_one_turn_all_arrive),
		TEST(a_client_that_hangs_up_leaves_a_handle_that_can_be_answered),
		TEST(a_client_that_hangs_up_while_sending_leaves_nothing),
		TEST(a_body_waits_for_memory_and_then_proceeds),
		TEST(a_quiesced_server_ends_what_it_has_and_takes_nothing_new),
		TEST(freeing_the_server_answers_who_waits_and_leaves_the_handle),
		TEST(a_unix_socket_is_served_and_a_stale_file_replaced),
		TEST(a_late_route_is_answered_for_and_may_still_answer),
		TEST(a_small_body_passes_a_large_one_that_waits),
		TEST(a_burst_up_to_the_limit_is_answered_whole),
		TEST(whoever_waited_at_the_limit_is_taken_when_another_goes),
		TEST(an_answer_that_comes_with_its_deadline_is_given),
		TEST(whoever_waited_long_at_the_limit_gets_the_answer_that_was_just_made),
		TEST(who_waits_for_a_descriptor_is_taken_when_another_closes),
		TEST(without_descriptors_it_waits_and_then_takes_who_waited),
		TEST(an_idle_connection_is_closed_after_its_time),
		TEST(who_says_nothing_is_cut_off_too),
		TEST(a_slow_sender_is_cut_off_however_often_it_sends),
		TEST(the_first_request_has_no_more_time_than_its_connection),
		TEST(the_second_request_has_a_time_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
