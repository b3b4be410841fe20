/* packet.h - one message over a SOCK_SEQPACKET socket, without waiting.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "runner/protocol.h"

enum packet_sent {
	PACKET_SENT,
	PACKET_LATER,	/* the socket is full: when it is writable */
	PACKET_GONE,	/* nobody is there any more; reading will say so too */
	PACKET_REFUSED,	/* the message cannot be said: *err */
};

enum packet_received {
	PACKET_MESSAGE,
	PACKET_NONE,	/* nothing is there yet */
	PACKET_CLOSED,
	PACKET_BAD,	/* what came is no message: *err */
};

enum packet_sent packet_send(int fd, const struct protocol_message *message, struct err *err)
    MUST_USE;

/* ret->body points into buffer. */
enum packet_received packet_receive(int fd, char buffer[PROTOCOL_PACKET_MAX],
    struct protocol_message *ret, struct err *err) MUST_USE;
