/* packet.c - one message over a SOCK_SEQPACKET socket, without waiting.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "runner/packet.h"

#include <errno.h>
#include <sys/socket.h>

/* The kernel is, for a moment: nothing was sent, and the other end knows nothing of it. */
static bool
is_short_of_memory(int number)
{
	return number == ENOBUFS || number == ENOMEM;
}

enum packet_sent
packet_send(int fd, const struct protocol_message *message, struct err *err)
{
	char buffer[PROTOCOL_PACKET_MAX];
	size_t size = 0;
	ssize_t sent;

	if (!protocol_encode(message, buffer, sizeof(buffer), &size, err))
		return PACKET_REFUSED;
	do
		sent = send(fd, buffer, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent >= 0)
		return PACKET_SENT;
	/* Of all else the other end is the cause, and reading sees its end. */
	return errno == EAGAIN || is_short_of_memory(errno) ? PACKET_LATER : PACKET_GONE;
}

enum packet_received
packet_receive(
    int fd, char buffer[PROTOCOL_PACKET_MAX], struct protocol_message *ret, struct err *err)
{
	bool was_reset = false;
	ssize_t got;

	/* TRUNC: the packet's true size, so that a longer one is noticed.  RESET comes once, when
	 * the other end went without reading all of ours; what it said last is still there. */
	for (;;) {
		got = recv(fd, buffer, PROTOCOL_PACKET_MAX, MSG_DONTWAIT | MSG_TRUNC);
		if (got >= 0 || (errno != EINTR && (errno != ECONNRESET || was_reset)))
			break;
		was_reset = errno == ECONNRESET;
	}
	if (got < 0)
		return errno == EAGAIN ? PACKET_NONE : PACKET_CLOSED;
	if (got == 0)
		return PACKET_CLOSED;
	if (got > PROTOCOL_PACKET_MAX) {
		(void)err_set(err, ERR_LIMIT, "a message of %zd bytes", got);
		return PACKET_BAD;
	}
	return protocol_decode(buffer, (size_t)got, ret, err) ? PACKET_MESSAGE : PACKET_BAD;
}
