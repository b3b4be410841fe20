/* link_tls.c - one connection of TLS 1.3 with certificates of both sides, which carries frames.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "link/link_tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>

#include "lib/clock.h"
#include "lib/mem.h"

#define RECORD \
	16384 /* the most that one record has: what is read with it leaves nothing in OpenSSL */
#define RECORDS_TURN 8			 /* of one connection in one turn */
#define OUT_MAX	     (64u * 1024 * 1024) /* bytes that wait for one who takes a few at a time */

static void
want(struct link_tls *tls)
{
	link_watch_want(
	    &tls->watch, (tls->is_held ? 0 : EPOLLIN) | (tls->wants_write ? EPOLLOUT : 0u));
}

/* Why OpenSSL has failed, in words. */
static const char *
reason(const struct link_tls *tls, int status)
{
	long verified = SSL_get_verify_result(tls->ssl);
	unsigned long code = ERR_peek_error();
	const char *text;

	if (verified != X509_V_OK && SSL_get_verify_mode(tls->ssl) != SSL_VERIFY_NONE)
		return X509_verify_cert_error_string(verified);
	if (status == SSL_ERROR_ZERO_RETURN || (status == SSL_ERROR_SYSCALL && errno == 0) ||
	    ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		return "closed by the peer";
	if (status == SSL_ERROR_SYSCALL)
		return strerrordesc_np(errno);
	text = ERR_reason_error_string(code);
	return text == NULL ? "TLS failed" : text;
}

/* Of a call of OpenSSL that did not do what it should: it waits, or has ended.  Returns false. */
static bool
fell_short(struct link_tls *tls, int result)
{
	int status = SSL_get_error(tls->ssl, result);

	if (status == SSL_ERROR_WANT_READ || status == SSL_ERROR_WANT_WRITE) {
		tls->wants_write = status == SSL_ERROR_WANT_WRITE;
		want(tls);
	} else {
		link_tls_end(tls, "%s", reason(tls, status));
	}
	return false;
}

static bool
shake(struct link_tls *tls)
{
	struct link_identity peer = { 0 };
	const unsigned char *protocol;
	unsigned size;
	int result;

	ERR_clear_error();
	errno = 0;
	result = SSL_do_handshake(tls->ssl);
	if (result != 1)
		return fell_short(tls, result);
	tls->is_open = true;
	tls->wants_write = false;
	want(tls);
	if (SSL_get0_peer_certificate(tls->ssl) != NULL) /* who enrols has none */
		link_tls_identity(SSL_get0_peer_certificate(tls->ssl), &peer);
	SSL_get0_alpn_selected(tls->ssl, &protocol, &size);
	tls->enrols = size != 0;
	tls->on->on_open(tls, &peer);
	return tls->watch.fd != -1;
}

static void
flush(struct link_tls *tls)
{
	struct link_packet *packet;

	while ((packet = STAILQ_FIRST(&tls->out.all)) != NULL) {
		size_t written = 0;

		ERR_clear_error();
		errno = 0;
		if (SSL_write_ex(tls->ssl, packet->data + packet->sent, packet->size - packet->sent,
			&written) != 1) {
			(void)fell_short(tls, 0);
			return;
		}
		tls->out_since = clock_monotonic_ms();
		packet->sent += written;
		if (packet->sent == packet->size)
			link_packets_drop(&tls->out);
	}
	tls->out_since = 0;
	tls->wants_write = false;
	want(tls);
}

/* Whoever connects has proven nothing before it is ready, and sends a hello or enrols. */
static uint32_t
frame_max(const struct link_tls *tls)
{
	return tls->is_ready || !SSL_is_server(tls->ssl) ? PROTOCOL_PACKET_MAX : LINK_ENROL_MAX;
}

/* Hands on each whole frame.  False: the connection has ended. */
static bool
take_frames(struct link_tls *tls)
{
	size_t done = 0;
	struct link_frame frame;
	enum link_frame_state state = LINK_FRAME_PART;

	while (tls->watch.fd != -1 &&
	    (state = link_frame_read(tls->in.data + done, tls->in.size - done, &frame)) ==
		LINK_FRAME_WHOLE &&
	    frame.size <= frame_max(tls)) {
		tls->heard_at = clock_monotonic_ms();
		tls->in_since = 0;
		done += LINK_FRAME_HEAD + frame.size;
		tls->on->on_frame(tls, &frame);
	}
	if (tls->watch.fd == -1)
		return false;
	if (state == LINK_FRAME_WRONG || frame.size > frame_max(tls)) {
		link_tls_end(tls, "a frame of %u bytes", frame.size);
		return false;
	}
	buf_drop_front(&tls->in, done);
	if (tls->in.size == 0)
		buf_done(&tls->in);
	else if (tls->in_since == 0)
		tls->in_since = clock_monotonic_ms();
	return true;
}

static bool
may_read(struct link_tls *tls)
{
	return tls->watch.fd != -1 && !tls->is_held &&
	    (tls->on->may_read == NULL || tls->on->may_read(tls));
}

static void
on_ready(struct link_watch *watch, uint32_t events)
{
	struct link_tls *tls = (struct link_tls *)watch;
	char record[RECORD];
	size_t size;

	if (!tls->is_open && !shake(tls))
		return;
	if ((events & EPOLLOUT) != 0)
		flush(tls);
	for (int i = 0; i < RECORDS_TURN && may_read(tls); i++) {
		ERR_clear_error();
		errno = 0;
		if (SSL_read_ex(tls->ssl, record, sizeof(record), &size) != 1) {
			int status = SSL_get_error(tls->ssl, 0);

			/* That there is nothing to read says nothing of what is to be written. */
			if (status != SSL_ERROR_WANT_READ)
				(void)fell_short(tls, 0);
			return;
		}
		buf_add(&tls->in, record, size);
		if (!take_frames(tls))
			return;
	}
	if ((events & (EPOLLHUP | EPOLLERR)) != 0 && tls->is_held)
		link_tls_end(tls, "closed by the peer");
}

void
link_tls_start(struct link_tls *tls, struct link_poll *poll, int fd, struct ssl_ctx_st *context,
    const char *server_name)
{
	tls->ssl = SSL_new(context);
	if (tls->ssl == NULL || SSL_set_fd(tls->ssl, fd) != 1)
		mem_abort();
	if (server_name == NULL)
		SSL_set_accept_state(tls->ssl);
	else
		SSL_set_connect_state(tls->ssl);
	if (server_name != NULL)
		(void)SSL_set_tlsext_host_name(tls->ssl, server_name); /* for who forwards by it */
	tls->begun_at = clock_monotonic_ms();
	buf_init(&tls->in, LINK_FRAME_HEAD + PROTOCOL_PACKET_MAX + RECORD);
	STAILQ_INIT(&tls->out.all);
	tls->watch.on_ready = on_ready;
	link_watch_start(poll, &tls->watch, fd, EPOLLIN | (server_name == NULL ? 0u : EPOLLOUT));
}

void
link_tls_ready(struct link_tls *tls)
{
	tls->is_ready = true;
	tls->heard_at = clock_monotonic_ms();
}

void
link_tls_hold(struct link_tls *tls, bool is_held)
{
	int64_t now = clock_monotonic_ms();

	if (!is_held && tls->is_held) {
		tls->heard_at += now - tls->held_at;
		tls->in_since += tls->in_since == 0 ? 0 : now - tls->held_at;
		tls->closing_since += tls->closing_since == 0 ? 0 : now - tls->held_at;
	}
	tls->is_held = is_held;
	tls->held_at = now;
	want(tls);
}

void
link_tls_send(struct link_tls *tls, uint32_t channel, const char *packet, size_t size)
{
	char head[LINK_FRAME_HEAD];

	if (tls->watch.fd == -1)
		return;
	link_frame_head(head, channel, size);
	(void)link_packets_add(&tls->out, head, sizeof(head), packet, size);
	if (tls->out.size > OUT_MAX) {
		link_tls_end(tls, "it takes too little: %zu bytes wait for it", tls->out.size);
	} else if (tls->out_since == 0) {
		tls->out_since = clock_monotonic_ms();
		flush(tls);
	}
}

void
link_tls_say(struct link_tls *tls, const struct link_word *word)
{
	char packet[LINK_WORD_MAX];

	link_tls_send(tls, 0, packet, link_word_write(word, packet));
}

void
link_tls_second(struct link_tls *tls, int64_t now, int64_t silence_ms)
{
	if (!tls->is_ready && now - tls->begun_at >= LINK_HANDSHAKE_MS)
		link_tls_end(tls, "no handshake and hello within %d s", LINK_HANDSHAKE_MS / 1000);
	else if (!tls->is_held && tls->in_since != 0 && now - tls->in_since >= LINK_FRAME_MS)
		link_tls_end(tls, "a frame that was not whole after %d s", LINK_FRAME_MS / 1000);
	else if (tls->out_since != 0 && now - tls->out_since >= LINK_FRAME_MS)
		link_tls_end(tls, "it has taken nothing for %d s", LINK_FRAME_MS / 1000);
	else if (!tls->is_held && tls->closing_since != 0 &&
	    now - tls->closing_since >= LINK_FRAME_MS)
		link_tls_end(tls, "it has not closed a channel for %d s", LINK_FRAME_MS / 1000);
	else if (!tls->is_held && tls->is_ready && now - tls->heard_at >= silence_ms)
		link_tls_end(tls, "nothing was received for %d s", (int)(silence_ms / 1000));
}

void
link_tls_end(struct link_tls *tls, const char *fmt, ...)
{
	char why[LINK_TEXT];
	va_list args;

	if (tls->watch.fd == -1)
		return;
	va_start(args, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	if (tls->is_open)
		(void)SSL_shutdown(tls->ssl); /* best effort: it ends anyway */
	ERR_clear_error();
	link_watch_end(&tls->watch);
	SSL_free(tls->ssl);
	tls->ssl = NULL;
	link_packets_done(&tls->out);
	buf_done(&tls->in);
	tls->on->on_end(tls, why);
}
