/* link_frame.h - frames on TLS, and the words of channel 0.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * A frame is u32 length of the packet, u32 channel (both big endian), packet.  A packet has 1 to
 * PROTOCOL_PACKET_MAX bytes.  Channel 0 has the words of link itself: the kind on the first line,
 * then `key value` lines, as runner/protocol.h has them; a body stands behind an empty line.  A
 * key that is not known is skipped, and a new one has a default, so that versions differ; a kind
 * that is not known, or that this side never sends, ends the connection.
 */
#pragma once

#include "runner/protocol.h"

#define LINK_FRAME_HEAD	8
#define LINK_WINDOW	(256 * 1024)	/* credit of a channel each way, in bytes */
#define LINK_NAME	80		/* of a peer, as agent/acme; with its NUL */
#define LINK_DIGEST	65		/* SHA-256 of a public key in hex; with its NUL */
#define LINK_TEXT	200
#define LINK_RENEWAL	1500
#define LINK_WORD_MAX	2048

enum link_frame_state { LINK_FRAME_WHOLE, LINK_FRAME_PART, LINK_FRAME_WRONG };

struct link_frame {
	uint32_t channel;
	uint32_t size;
	const char *packet;
};

/* The first frame of size bytes; of a part only what is known of it is set.  WRONG: its length is
 * one that no frame has, as soon as that can be seen. */
enum link_frame_state link_frame_read(const char *data, size_t size, struct link_frame *ret);
void link_frame_head(char out[LINK_FRAME_HEAD], uint32_t channel, size_t size);

#define LINK_KINDS(K) \
	K(HELLO, "hello") K(OPEN, "open") K(CLOSE, "close") K(CREDIT, "credit") K(PING, "ping") \
	K(PONG, "pong") K(RENEW, "renew")

enum link_kind {
#define K(name, word) LINK_##name,
	LINK_KINDS(K)
#undef K
	LINK_KIND_COUNT
};

struct link_word {
	enum link_kind kind;
	int64_t channel;	/* open, close (0: the connection itself, which ends) and credit */
	int64_t id;		/* open: the run's */
	int64_t bytes;		/* credit: so many more may be sent */
	int64_t at;		/* hello: wall time in seconds */
	int64_t epoch;		/* hello */
	char name[LINK_NAME];	/* hello: agent/acme; of the server: server */
	char version[64];	/* hello */
	char text[LINK_TEXT];	/* close: why */
	/* renew: "" of the server's side asks for it; of a host lib/crypto_renewal.h; then a
	 * certificate, in one line as there */
	char renewal[LINK_RENEWAL];
};

/* Who sends it: a host opens no channel.  False: *err says what is wrong. */
enum link_sender { LINK_OF_HOST, LINK_OF_SERVER };
bool link_word_read(const char *packet, size_t size, enum link_sender from, struct link_word *ret,
    struct err *err) MUST_USE;

/* Writes a word whose fields are within their bounds; returns its bytes. */
size_t link_word_write(const struct link_word *word, char out[LINK_WORD_MAX]);
