/* Goal: a connection ends by its limits: half a frame, silence, a peer that takes nothing.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * Both ends of a socket pair are here: one is link's, the other one OpenSSL's.  Time is what
 * link_tls_second() is told, so nobody waits.
 */
#include "link/link_channel.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/crypto_ca.h"
#include "unit.h"

#define DAY_MS	   86400000
#define SILENCE_MS 40000
#define HALF	   5 /* bytes of a frame that has 9 */

static const char whole[] = "\0\0\0\1\0\0\0\1x";

static struct world {
	struct link_tls tls;
	struct link_poll poll;
	SSL_CTX *context;
	SSL *peer;
	int fds[2];
	int frames;
	char why[LINK_TEXT];
} w;

static void
on_open(struct link_tls *tls, UNUSED const struct link_identity *peer)
{
	link_tls_ready(tls);
}

static void
on_frame(UNUSED struct link_tls *tls, UNUSED const struct link_frame *frame)
{
	w.frames++;
}

static void
on_end(UNUSED struct link_tls *tls, const char *why)
{
	(void)snprintf(w.why, sizeof(w.why), "%s", why);
}

static const struct link_tls_events events = { on_open, on_frame, on_end, NULL };

static int
believe(UNUSED int is_good, UNUSED X509_STORE_CTX *store)
{
	return 1;
}

/* One self-signed certificate for both. */
static SSL_CTX *
context_new(void)
{
	SSL_CTX *context = SSL_CTX_new(TLS_method());
	struct crypto_ca_pair pair;
	int64_t now = clock_wall_ms();
	BIO *bio;
	X509 *certificate;
	EVP_PKEY *key;

	assert_true(crypto_ca_make(now - DAY_MS, now + DAY_MS, &pair, NULL));
	bio = BIO_new_mem_buf(pair.text, -1);
	certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	BIO_free(bio);
	bio = BIO_new_mem_buf(pair.key, -1);
	key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	BIO_free(bio);
	assert_int_equal(SSL_CTX_use_certificate(context, certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, believe);
	X509_free(certificate);
	EVP_PKEY_free(key);
	return context;
}

static void
ready(void)
{
	w.tls.watch.on_ready(&w.tls.watch, EPOLLIN);
}

static int
set_up(UNUSED void **state)
{
	w = (struct world){ .context = context_new() };
	assert_true(link_poll_init(&w.poll, NULL));
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, w.fds), 0);
	w.peer = SSL_new(w.context);
	assert_int_equal(SSL_set_fd(w.peer, w.fds[1]), 1);
	SSL_set_connect_state(w.peer);
	w.tls.on = &events;
	link_tls_start(&w.tls, &w.poll, w.fds[0], w.context, NULL);
	while (SSL_do_handshake(w.peer) != 1 || !w.tls.is_open) {
		assert_string_equal(w.why, "");
		ready();
	}
	assert_true(w.tls.is_ready);
	return 0;
}

static int
tear_down(UNUSED void **state)
{
	link_tls_end(&w.tls, "over");
	SSL_free(w.peer);
	SSL_CTX_free(w.context);
	(void)close(w.fds[1]);
	(void)close(w.poll.fd);
	return 0;
}

static void
send_bytes(const char *data, int size)
{
	assert_int_equal(SSL_write(w.peer, data, size), size);
	ready();
}

static const char *
after(int64_t since, int64_t ms, int64_t silence_ms)
{
	assert_int_not_equal(since, 0);
	link_tls_second(&w.tls, since + ms, silence_ms);
	return w.why;
}

TEST_WITH(half_a_frame_and_silence_ends_after_30_seconds, set_up, tear_down)
{
	int64_t since;

	send_bytes(whole, HALF);
	since = w.tls.in_since;
	assert_string_equal(after(since, 29999, SILENCE_MS), "");
	send_bytes(whole + HALF, 1); /* one byte more is no reprieve */
	assert_string_equal(after(since, 29999, SILENCE_MS), "");
	assert_string_equal(
	    after(since, 30000, SILENCE_MS), "a frame that was not whole after 30 s");
	assert_int_equal(w.tls.watch.fd, -1);
	assert_int_equal(w.frames, 0);
}

TEST_WITH(a_frame_that_comes_whole_has_no_limit_any_more, set_up, tear_down)
{
	int64_t since;

	send_bytes(whole, HALF);
	since = w.tls.in_since;
	send_bytes(whole + HALF, (int)sizeof(whole) - 1 - HALF);
	assert_int_equal(w.frames, 1);
	assert_string_equal(after(since, 30001, SILENCE_MS), "");
}

TEST_WITH(silence_ends_after_40_seconds, set_up, tear_down)
{
	int64_t since = w.tls.heard_at;

	assert_string_equal(after(since, 39999, SILENCE_MS), "");
	assert_string_equal(after(since, 40000, SILENCE_MS), "nothing was received for 40 s");
}

TEST_WITH(who_is_not_read_is_neither_silent_nor_slow, set_up, tear_down)
{
	send_bytes(whole, HALF);
	link_tls_hold(&w.tls, true);
	assert_string_equal(after(w.tls.heard_at, DAY_MS, SILENCE_MS), "");
	w.tls.held_at -= DAY_MS; /* so long it was not read */
	link_tls_hold(&w.tls, false);
	assert_string_equal(after(clock_monotonic_ms(), DAY_MS + 29000, SILENCE_MS), "");
	send_bytes(whole + HALF, (int)sizeof(whole) - 1 - HALF);
	assert_int_equal(w.frames, 1);
}

TEST_WITH(who_takes_nothing_is_ended_after_30_seconds, set_up, tear_down)
{
	static const char packet[PROTOCOL_PACKET_MAX];

	for (int i = 0; i < 100 && w.tls.out_since == 0; i++)
		link_tls_send(&w.tls, 1, packet, sizeof(packet));
	assert_string_equal(after(w.tls.out_since, 29999, DAY_MS), "");
	assert_string_equal(after(w.tls.out_since, 30000, DAY_MS), "it has taken nothing for 30 s");
}

TEST_WITH(who_takes_a_little_of_too_much_is_ended, set_up, tear_down)
{
	static const char packet[PROTOCOL_PACKET_MAX];
	char some[1024];
	int i = 0;

	for (; i < 1000 && w.tls.watch.fd != -1; i++) {
		(void)SSL_read(w.peer, some, sizeof(some));
		link_tls_send(&w.tls, 1, packet, sizeof(packet));
	}
	assert_in_range(i, 64 * 1024 * 1024 / PROTOCOL_PACKET_MAX, 999);
	assert_non_null(strstr(w.why, "it takes too little"));
}

TEST_WITH(before_it_is_ready_a_peer_sends_no_frame_of_more_than_4_kilobytes, set_up, tear_down)
{
	w.tls.is_ready = false;
	send_bytes("\0\0\x10\1", 4);
	assert_string_equal(w.why, "a frame of 4097 bytes");
}

static void
on_channel_close(UNUSED struct link_channel *channel)
{
}

TEST_WITH(a_channel_that_the_peer_does_not_close_ends_the_connection, set_up, tear_down)
{
	struct link_channels channels = { .on_close = on_channel_close };
	const struct link_word answer = { .kind = LINK_CLOSE, .channel = 1 };
	int64_t since;

	link_channels_init(&channels, &w.tls);
	link_channels_close(&channels, "over");
	since = w.tls.closing_since;
	assert_string_equal(after(since, 29999, DAY_MS), "");
	assert_false(link_channels_hear(&channels, &answer));
	assert_true(w.tls.closing_since == 0);
	link_channels_close(&channels, "over again");
	link_tls_hold(&w.tls, true);
	assert_string_equal(after(w.tls.closing_since, 30000, DAY_MS), "");
	link_tls_hold(&w.tls, false);
	assert_string_equal(
	    after(w.tls.closing_since, 30000, DAY_MS), "it has not closed a channel for 30 s");
	link_channels_done(&channels);
}

/* Who floods it with ping gets no pong for what it does not take. */
TEST_WITH(of_a_peer_that_takes_little_not_each_ping_is_answered, set_up, tear_down)
{
	struct link_channels channels = { .on_close = on_channel_close };
	const struct link_word ping = { .kind = LINK_PING };

	link_channels_init(&channels, &w.tls);
	for (int i = 0; i < 100000; i++)
		assert_false(link_channels_hear(&channels, &ping));
	assert_string_equal(w.why, "");
	assert_in_range(w.tls.out.size, LINK_WINDOW, LINK_WINDOW + LINK_WORD_MAX);
	link_channels_done(&channels);
}
