/* link_tls.h - one connection of TLS 1.3 with certificates of both sides, which carries frames.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * Both sides use it.  It is embedded in its owner as the first member.  Nothing here waits: what
 * the peer does not take is queued.  It ends by itself: a handshake (up to link_tls_ready()) that
 * takes LINK_HANDSHAKE_MS, a frame that is not whole after LINK_FRAME_MS, a peer that takes nothing
 * for as long or does not close a channel, one that takes too little, silence.  on_end is called
 * once, at whatever end, with the reason; the owner is freed by watch.on_over.
 */
#pragma once

#include "lib/buf.h"
#include "link/link_frame.h"
#include "link/link_packets.h"
#include "link/link_poll.h"
#include "link/link_settings.h"

/*
 * A host that enrols asks by this ALPN for the one connection without a client's certificate.  One
 * frame of channel 0 to the server, "agent ID MAC", a newline and a request for a certificate
 * (PEM); one back: "yes MAC ORDER-KEYS", a newline and certificates, the host's own first, then the
 * authority's; or "no WHY".  Each MAC is over all behind it, by the code, which is not sent
 * (lib/enrol_code.h).  The host then closes it.
 */
#define LINK_ENROL_ALPN "\x11" "deploybot-enrol/1" /* with its length, as it is sent */
#define LINK_ENROL_MAX	4096 /* bytes of a frame of who has not shown yet who it is */

#define LINK_HANDSHAKE_MS 10000
#define LINK_FRAME_MS	  30000

struct ssl_st;
struct ssl_ctx_st;
struct x509_st;

/* Of a certificate.  name: agent/NAME, runner/NAME or server; "": it has none of ours. */
struct link_identity {
	char name[LINK_NAME];
	char digest[LINK_DIGEST]; /* SHA-256 of the SubjectPublicKeyInfo */
};

struct link_tls;
struct link_tls_events {
	void (*on_open)(struct link_tls *tls, const struct link_identity *peer);
	void (*on_frame)(struct link_tls *tls, const struct link_frame *frame);
	void (*on_end)(struct link_tls *tls, const char *why);
	/* Asked before each record is read.  False: the owner holds it now.  NULL: always. */
	bool (*may_read)(struct link_tls *tls);
};

struct link_tls {
	struct link_watch watch;
	struct ssl_st *ssl;
	const struct link_tls_events *on;
	bool is_open;	 /* the handshake of TLS is done */
	bool enrols;	 /* both sides have agreed on LINK_ENROL_ALPN */
	bool is_ready;	 /* the owner has said so */
	bool is_held;	 /* nothing is read for now */
	bool wants_write;
	/* monotonic ms; since: 0 is never */
	int64_t begun_at, in_since, out_since, heard_at, held_at;
	int64_t closing_since; /* of a channel that the peer has not closed yet */
	struct buf in;
	struct link_packets out;
};

/* With what all connections have in common; *ret is who we are.  A client checks the server's chain
 * without its dates: a host whose clock is wrong stays reachable.  settings NULL: of a host that
 * enrols, who has no certificate and checks the server's key itself; *ret stays. */
struct ssl_ctx_st *link_tls_context(const struct link_settings *settings,
    struct link_identity *ret, struct err *err) MUST_USE;
/* NULL is fine. */
void link_tls_context_free(struct ssl_ctx_st *context);
/* Of a certificate. */
void link_tls_identity(struct x509_st *certificate, struct link_identity *ret);

/* Takes fd; tls->on and tls->watch.on_over are set.  server_name: what a client has dialled; else
 * NULL. */
void link_tls_start(struct link_tls *tls, struct link_poll *poll, int fd,
    struct ssl_ctx_st *context, const char *server_name);
/* From here on silence counts, and the handshake's deadline does not. */
void link_tls_ready(struct link_tls *tls);
/* What it could not send meanwhile counts neither as silence nor as half a frame. */
void link_tls_hold(struct link_tls *tls, bool is_held);
void link_tls_send(struct link_tls *tls, uint32_t channel, const char *packet, size_t size);
void link_tls_say(struct link_tls *tls, const struct link_word *word);
/* Looks at its deadlines. */
void link_tls_second(struct link_tls *tls, int64_t now, int64_t silence_ms);
/* Harmless on one that has ended. */
void link_tls_end(struct link_tls *tls, const char *fmt, ...) PRINTF(2, 3);
