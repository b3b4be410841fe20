/* Goal: a server listens where it is told, answers, and ends what it has.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "http_server_aid.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/http_listen.h"
#include "lib/http_server_inside.h"

SERVER_TEST(a_body_comes_to_its_route_and_the_answer_goes_back)
{
	server_aid_start_and_call(f);
	SAY(&f->peer,
	    "POST /echo?q=1 HTTP/1.1\r\nHost: x\r\ncontent-type: application/json\r\n"
	    "X-Real-IP: 192.0.2.7\r\nContent-Length: 5\r\n\r\nhe");
	UNTIL(f, f->piece_bytes == 2);
	SAY(&f->peer, "llo");
	UNTIL(f, peer_has_answer(&f->peer) && strstr(f->peer.in, "hello") != NULL);
	assert_non_null(strstr(f->peer.in, "HTTP/1.1 200 "));
	assert_non_null(strstr(f->peer.in, "X-Echo: yes\r\n"));
	assert_null(strstr(f->peer.in, "Date:"));
	assert_null(strstr(f->peer.in, "Server:"));
	assert_string_equal(f->seen, "POST /echo from 192.0.2.7");
	assert_int_equal(f->server->budget.used, 0);
}

static bool
is_proxy(void *ctx, const char *peer, bool is_local)
{
	const char *proxy = ctx;

	assert_true(is_local);
	return strcmp(peer, proxy) == 0;
}

SERVER_TEST(only_a_proxy_says_who_asks)
{
	static const struct {
		const char *proxy, *headers, *from;
	} rows[] = {
		{ "127.0.0.1", "X-Real-IP: 192.0.2.7\r\n", "192.0.2.7" },
		{ "127.0.0.1", "x-real-ip: 2001:db8::7\r\n", "2001:db8::7" },
		{ "127.0.0.1", "X-Real-IP: unix\r\n", "127.0.0.1" },
		{ "127.0.0.1", "X-Real-IP: 192.0.2.7, 10.0.0.1\r\n", "127.0.0.1" },
		{ "127.0.0.1", "X-Real-IP: 192.0.2.7\r\nX-Real-IP: 10.0.0.1\r\n", "127.0.0.1" },
		{ "127.0.0.1", "X-Forwarded-For: 192.0.2.7\r\n", "127.0.0.1" },
		{ "127.0.0.2", "X-Real-IP: 192.0.2.7\r\n", "127.0.0.1" },
	};
	struct http_server_config config = server_aid_config(f);
	char proxy[16], text[200], wanted[64];

	config.is_proxy = is_proxy;
	config.ctx = proxy;
	server_aid_start_with(f, &config);
	for (size_t i = 0; i < COUNT(rows); i++) {
		(void)snprintf(proxy, sizeof(proxy), "%s", rows[i].proxy);
		f->peer.size = 0;
		f->peer.in[0] = '\0';
		(void)snprintf(
		    text, sizeof(text), "GET /echo HTTP/1.1\r\nHost: x\r\n%s\r\n", rows[i].headers);
		peer_say(&f->peer, text, strlen(text));
		UNTIL(f, peer_has_answer(&f->peer));
		(void)snprintf(wanted, sizeof(wanted), "GET /echo from %s", rows[i].from);
		assert_string_equal(f->seen, wanted);
	}
}

SERVER_TEST(a_connection_is_used_again_and_empty_answers_say_so)
{
	server_aid_start_and_call(f);
	for (int i = 0; i < 3; i++) {
		f->peer.size = 0;
		SAY(&f->peer, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
		UNTIL(f, peer_has_answer(&f->peer));
		assert_non_null(strstr(f->peer.in, "HTTP/1.1 200 "));
		assert_non_null(strstr(f->peer.in, "Content-Length: 0\r\n"));
		assert_string_equal(f->seen, "GET /echo from 127.0.0.1");
	}
	assert_int_equal(f->server->conn_count, 1);
	assert_false(f->peer.is_closed);
}

SERVER_TEST(a_quiesced_server_ends_what_it_has_and_takes_nothing_new)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd;

	server_aid_start_and_call(f);
	peer_post(&f->peer, "/later", 10);
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

/* Whoever ends the server waits for these: to them its end is a broken connection. */
SERVER_TEST(whoever_waits_for_an_answer_is_counted_until_it_went)
{
	server_aid_start_and_call(f);
	UNTIL(f, f->server->conn_count == 1);
	assert_int_equal(http_server_unanswered(f->server), 1); /* it has only just come */
	SAY(&f->peer,
	    "POST /later HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	    "Content-Length: 4\r\n\r\n12");
	UNTIL(f, f->server->budget.used > 0);
	http_server_quiesce(f->server);
	assert_int_equal(http_server_unanswered(f->server), 1);
	SAY(&f->peer, "34");
	UNTIL(f, f->kept_count == 1);
	assert_int_equal(http_server_unanswered(f->server), 1);
	http_request_answer(f->kept[0], 200, NULL, NULL, 0);
	UNTIL(f, peer_has_answer(&f->peer));
	UNTIL(f, http_server_unanswered(f->server) == 0);
}

SERVER_TEST(a_unix_socket_is_served_and_a_stale_file_replaced)
{
	struct http_server_config config = server_aid_config(f);
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
	server_aid_start(f, &config, where);
	assert_int_equal(http_server_port(f->server), 0);
	assert_null(http_server_new(f->loop, &config, where, NULL));
	assert_int_equal(stat(address.sun_path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	f->peer.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(f->peer.fd, (void *)&address, sizeof(address)), 0);
	peer_watch(f, &f->peer);
	SAY(&f->peer, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
	UNTIL(f, peer_has_answer(&f->peer));
	assert_string_equal(f->seen, "GET /echo from unix");
	http_server_free(f->server);
	f->server = NULL;
	assert_int_equal(stat(address.sun_path, &st), -1);
	assert_int_equal(rmdir(directory), 0);
}

/* Socket activation: the socket was made by somebody else, who goes on having it. */
SERVER_TEST(a_socket_that_was_given_is_served_and_its_file_left_alone)
{
	struct http_server_config config = server_aid_config(f);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char directory[] = "/tmp/test_http_server.XXXXXX";
	char where[32], name[HTTP_LISTEN_NAME_SIZE], wanted[HTTP_LISTEN_NAME_SIZE];
	struct stat st;
	int given;

	assert_non_null(mkdtemp(directory));
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", directory);
	given = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(given, (void *)&address, sizeof(address)), 0);
	assert_int_equal(listen(given, 4), 0);
	http_listen_name(given, name);
	(void)snprintf(wanted, sizeof(wanted), "unix:%s", address.sun_path);
	assert_string_equal(name, wanted);
	(void)snprintf(where, sizeof(where), "fd:%d", given);
	server_aid_start(f, &config, where);
	assert_int_equal(fcntl(given, F_GETFD), FD_CLOEXEC);
	assert_true((fcntl(given, F_GETFL) & O_NONBLOCK) != 0);
	f->peer.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(f->peer.fd, (void *)&address, sizeof(address)), 0);
	peer_watch(f, &f->peer);
	SAY(&f->peer, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
	UNTIL(f, peer_has_answer(&f->peer));
	http_server_free(f->server);
	f->server = NULL;
	assert_int_equal(stat(address.sun_path, &st), 0);
	assert_int_equal(unlink(address.sun_path), 0);
	assert_int_equal(rmdir(directory), 0);
}

SERVER_TEST(a_descriptor_that_cannot_be_served_is_refused_in_words)
{
	struct http_server_config config = server_aid_config(f);
	int ends[2];
	int unbound = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char where[32];
	struct err err;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	for (size_t i = 0; i < 3; i++) {
		const int fds[] = { ends[0], unbound, 60000 };

		(void)snprintf(where, sizeof(where), "fd:%d", fds[i]);
		assert_null(http_server_new(f->loop, &config, where, &err));
		assert_int_equal(err.code, ERR_CONFIG);
		assert_non_null(strstr(err.text, "descriptor"));
	}
	assert_null(http_server_new(f->loop, &config, "fd:x", &err));
	assert_non_null(strstr(err.text, "expected a number"));
	assert_int_equal(close(ends[0]) | close(ends[1]) | close(unbound), 0);
}

SERVER_TEST(a_port_that_another_program_has_is_refused_with_what_names_it)
{
	struct sockaddr_in there = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct http_server_config config = server_aid_config(f);
	socklen_t size = sizeof(there);
	struct err err;
	char where[32];

	assert_int_equal(bind(fd, (struct sockaddr *)&there, size), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&there, &size), 0);
	(void)snprintf(where, sizeof(where), "127.0.0.1:%u", ntohs(there.sin_port));
	assert_null(http_server_new(f->loop, &config, where, &err));
	assert_int_equal(err.code, ERR_IO);
	assert_non_null(strstr(err.text, where));
	assert_non_null(strstr(err.text, "Address already in use: stop the program that has it"));
	(void)close(fd);
}

SERVER_TEST(an_address_that_is_none_is_refused_in_words)
{
	static const char *const wrong[] = { "", "localhost:80", "127.0.0.1",
		"127.0.0.1:", "127.0.0.1:65536", "127.0.0.1: 80", "::1:80",
		"unix:", "127.0.0.1:80x" };
	struct http_server_config config = server_aid_config(f);
	struct err err;

	for (size_t i = 0; i < COUNT(wrong); i++) {
		assert_null(http_server_new(f->loop, &config, wrong[i], &err));
		assert_int_equal(err.code, ERR_CONFIG);
		assert_non_null(strstr(err.text, "expected ADDRESS:PORT"));
	}
}

static bool
is_true(void *ctx)
{
	return *(bool *)ctx;
}

static int
count_waiting(const struct http_server *server)
{
	struct http_server_conn *conn;
	int n = 0;

	LIST_FOREACH(conn, &server->conns, of_server)
	n += conn->is_suspended;
	return n;
}

/* Two wait: the body of one comes later. */
SERVER_TEST(who_is_held_is_a_new_request_of_the_next_config)
{
	struct http_server_config next = server_aid_config(f), held = next;
	bool holds = true;
	struct http_route wait[] = { { .methods = "POST, GET",
	    .path = "/",
	    .answer_timeout_ms = 60000,
	    .holds = is_true,
	    .on_request = next.routes[0].on_request,
	    .ctx = &holds } };

	held.routes = wait;
	held.route_count = 1;
	server_aid_start_with(f, &held);
	peer_call(f, &f->second);
	SAY(&f->peer, POST_ECHO "Content-Length: 5\r\n\r\nhe");
	SAY(&f->second, "GET /none HTTP/1.1\r\nHost: x\r\n\r\n");
	UNTIL(f, count_waiting(f->server) == 2);
	http_server_serve(f->server, &held); /* it holds yet */
	assert_int_equal(count_waiting(f->server), 0);
	UNTIL(f, count_waiting(f->server) == 2);
	assert_false(peer_has_answer(&f->peer) || peer_has_answer(&f->second));
	assert_int_equal(f->piece_bytes, 0);
	http_server_serve(f->server, &next);
	UNTIL(f, f->piece_bytes == 2);
	SAY(&f->peer, "llo");
	UNTIL(f, peer_has_answer(&f->peer) && strstr(f->peer.in, "hello") != NULL);
	UNTIL(f, peer_has_answer(&f->second));
	assert_non_null(strstr(f->second.in, "HTTP/1.1 404 "));
}

SERVER_TEST(who_is_held_for_too_long_is_sent_elsewhere)
{
	struct http_server_config held = server_aid_config(f);
	bool holds = true;
	struct http_route wait[] = { { .methods = "POST",
	    .path = "/",
	    .body_max = 100,
	    .holds = is_true,
	    .answer_timeout_ms = 30,
	    .on_request = held.routes[0].on_request,
	    .ctx = &holds } };

	held.routes = wait;
	held.route_count = 1;
	server_aid_start_with(f, &held);
	SAY(&f->peer, POST_ECHO "Content-Length: 5\r\n\r\nhello");
	UNTIL(f, peer_has_answer(&f->peer));
	assert_non_null(strstr(f->peer.in, "HTTP/1.1 503 "));
	assert_int_equal(f->piece_bytes, 0);
}
