/* link_enrol.c - the one connection without a client's certificate: a host enrols by a code.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "link/link_enrol.h"

#include <inttypes.h>
#include <openssl/ssl.h>
#include <stdio.h>

#include "lib/http_listen.h"

/* Of another protocol, or of none, nothing changes: who has no certificate is refused. */
static int
on_alpn(SSL *ssl, const unsigned char **ret, unsigned char *ret_size, const unsigned char *offered,
    unsigned size, void *ctx)
{
	static const unsigned char ours[] = LINK_ENROL_ALPN;
	unsigned char *chosen;

	(void)ctx;
	if (SSL_select_next_proto(&chosen, ret_size, ours, sizeof(ours) - 1, offered, size) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_NOACK;
	*ret = chosen;
	SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL); /* it is asked for none */
	return SSL_TLSEXT_ERR_OK;
}

void
link_enrol_allow(struct ssl_ctx_st *context)
{
	SSL_CTX_set_alpn_select_cb(context, on_alpn, NULL);
}

bool
link_enrol_is_asked(const struct link_tls *tls)
{
	const unsigned char *protocol;
	unsigned size;

	SSL_get0_alpn_selected(tls->ssl, &protocol, &size);
	return size != 0;
}

void
link_enrol_ask(struct link_tls *tls, const struct link_frame *frame, struct link_socket *server,
    int64_t request, const char *address)
{
	char head[HTTP_LISTEN_PEER_SIZE + 48];

	if (frame->channel != 0 || frame->size > LINK_ENROL_MAX) {
		link_tls_end(tls, "a packet of who enrols: channel %u, %u bytes", frame->channel,
		    frame->size);
		return;
	}
	(void)snprintf(head, sizeof(head), "link 0\nenrol %" PRId64 " %s\n", request, address);
	link_socket_send(server, head, frame->packet, frame->size, NULL);
}

void
link_enrol_refuse(struct link_tls *tls, const char *why)
{
	char text[LINK_TEXT];

	(void)snprintf(text, sizeof(text), "no %s\n", why); /* fits: words of ours */
	link_tls_send(tls, 0, text, strlen(text));
	link_tls_end(tls, "%s", why);
}
