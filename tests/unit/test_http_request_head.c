/* Goal: a head that has more than one meaning, or asks for what is not there, never reaches a route.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/http_server_inside.h"
#include "http_server_aid.h"

#include <errno.h>
#include <sys/socket.h>

#define REFUSAL(head, status) \
	{ \
		(head), sizeof(head) - 1, (status) \
	}

/* Sends one head and wants that status, an end of the connection and no word to a route. */
static void
wants_refusal(struct server_aid *f, const char *head, size_t size, const char *status)
{
	peer_call(f, &f->peer);
	peer_say(&f->peer, head, size);
	UNTIL(f, f->peer.is_closed);
	if (strncmp(f->peer.in, "HTTP/1.1 ", 9) != 0 || strncmp(f->peer.in + 9, status, 3) != 0)
		fail_msg("wanted %s for: %s\ngot: %s", status, head, f->peer.in);
	assert_int_equal(f->kept_count, 0);
	assert_int_equal(f->piece_bytes, 0);
	peer_hang_up(&f->peer);
}

static void
on_tick(UNUSED struct loop_timer *timer, UNUSED void *ctx)
{
}

/* However a proper head is written, and in however many pieces it comes. */
SERVER_TEST(a_head_without_blanks_in_single_bytes_is_taken)
{
	static const char head[] =
	    "POST /echo HTTP/1.1\r\nHost:x\r\ncontent-type:application/json\r\n"
	    "X-Empty:\r\nX-Blank: \t \r\nX-Wide:   two  words \r\nX-Wider: w \t \r\n"
	    "Content-Length:5\r\nX-Last: z \t\r\n\r\nhello";
	struct loop_timer tick;

	server_aid_start_and_call(f);
	loop_timer_init(&tick, on_tick, NULL);
	loop_timer_start(f->loop, &tick, 1, 1); /* so that a turn ends though a byte came early */
	for (size_t i = 0; i < sizeof(head) - 1; i++) {
		peer_say(&f->peer, head + i, 1);
		loop_run_once(f->loop);
	}
	loop_timer_stop(&tick);
	UNTIL(f, peer_has_answer(&f->peer) && strstr(f->peer.in, "hello") != NULL);
	assert_non_null(strstr(f->peer.in, "HTTP/1.1 200 "));
}

#define POST_KEYED "POST /keyed HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"

SERVER_TEST(heads_that_must_not_pass_are_refused_before_the_body)
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
		/* ... or by blanks as libmicrohttpd 1.0 leaves them */
		REFUSAL(POST_ECHO "Content-Length:3\r\nX-A:a\0 \r\nX-B:c\r\n\r\nabc", "400"),
		REFUSAL(POST_ECHO "Content-Length:3\r\nX-A:a\0\t \r\n\r\nabc", "400"),
		REFUSAL(POST_ECHO "Content-Length:3\r\nX-A:a \nX-B:c\r\n\r\nabc", "400"),
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
		/* what is no UTF-8 is at no route, and a header that is none is not there */
		REFUSAL("GET /below/a\xff HTTP/1.1\r\nHost: x\r\n\r\n", "404"),
		REFUSAL(POST_KEYED "X-Key: a\xff\r\n\r\n", "401"),
		REFUSAL(POST_KEYED "X-Key: \xc0\xaf\r\n\r\n", "401"),
		REFUSAL(POST_KEYED "X-Key: \xed\xa0\x80\r\n\r\n", "401"),
	};
	struct http_server_config config = server_aid_config(f);

	server_aid_start(f, &config, "127.0.0.1:0");
	for (size_t i = 0; i < COUNT(cases); i++)
		wants_refusal(f, cases[i].head, cases[i].size, cases[i].status);
}

/* libmicrohttpd 0.9.75 says the head of its own refusals twice.  Whoever reads them must find one
 * answer, the end of the connection, and no answer to what was sent behind. */
SERVER_TEST(what_the_library_refuses_by_itself_is_one_answer_and_the_end)
{
	static const char *const heads[] = {
		"GET /echo HTTP/1.1\r\n\r\n",
		POST_ECHO "Content-Length: +3\r\n\r\nabc",
		POST_ECHO "Content-Length: x\r\nContent-Length: 3\r\n\r\nabc",
		POST_ECHO "Content-Length: 99999999999999999999999\r\n\r\nabc",
	};
	struct http_server_config config = server_aid_config(f);

	server_aid_start(f, &config, "127.0.0.1:0");
	for (size_t i = 0; i < COUNT(heads); i++) {
		const char *end;
		char text[512];

		(void)snprintf(
		    text, sizeof(text), "%sGET /echo HTTP/1.1\r\nHost: x\r\n\r\n", heads[i]);
		peer_call(f, &f->peer);
		peer_say(&f->peer, text, strlen(text));
		UNTIL(f, f->peer.is_closed);
		assert_true(strncmp(f->peer.in, "HTTP/1.1 4", 10) == 0);
		end = strstr(f->peer.in, "\r\n\r\n");
		assert_non_null(end);
		for (const char *at = f->peer.in; (at = strstr(at, "HTTP/1.1 ")) != NULL; at++) {
			if (strspn(at + strlen("HTTP/1.1 "), "0123456789") != 3)
				continue; /* libmicrohttpd 1.0 writes of HTTP/1.1 in its page */
			assert_memory_equal(at, f->peer.in, (size_t)(end - f->peer.in));
			assert_non_null(strstr(at, "\r\nConnection: close\r\n"));
		}
		assert_null(strstr(f->peer.in, "X-Echo"));
		assert_string_equal(f->seen, "");
		peer_hang_up(&f->peer);
	}
}

SERVER_TEST(a_wrong_method_is_told_the_right_ones)
{
	server_aid_start_and_call(f);
	SAY(&f->peer, "DELETE /echo HTTP/1.1\r\nHost: x\r\n\r\n");
	UNTIL(f, f->peer.is_closed);
	assert_non_null(strstr(f->peer.in, "HTTP/1.1 405 "));
	assert_non_null(strstr(f->peer.in, "Allow: POST, GET, HEAD\r\n"));
}

SERVER_TEST(a_refusal_reaches_a_sender_that_goes_on_sending)
{
	static char much[256 * 1024];
	struct http_server_config config = server_aid_config(f);
	size_t sent = 0;

	config.budget_bytes = 64 * 1024 * 1024;
	server_aid_start_with(f, &config);
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
	assert_int_equal(f->server->budget.used, 0);
}
