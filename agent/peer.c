/* peer.c - one server at a time; what cannot be read or said ends its connection.  Side: agent. */
/* SPDX-License-Identifier: ISC */
#include "agent/peer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/packet_socket.h"
#include "runner/packet.h"

#define BACKLOG 4

bool
peer_listen(struct peer *ret, int folder, const char *name, struct err *err)
{
	char path[PACKET_SOCKET_PATH]; /* whatever the length of the folder's */

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", folder, name);
	(void)unlinkat(folder, name, 0); /* of a process before us */
	*ret = PEER_NONE;
	ret->listener = packet_socket(path, true);
	if (ret->listener != -1 && fchmodat(folder, name, 0660, 0) == 0 &&
	    listen(ret->listener, BACKLOG) == 0)
		return true;
	(void)err_errno(err, ERR_IO, errno, "listening on %s", name);
	peer_close(ret);
	return false;
}

void
peer_hang_up(struct peer *peer)
{
	file_closep(&peer->fd);
	peer->last = peer->epoch;
	peer->epoch = 0;
	peer->is_greeted = false;
	peer->challenge = (struct order_challenge){ .due = 0 };
}

void
peer_close(struct peer *peer)
{
	peer_hang_up(peer);
	file_closep(&peer->guest);
	file_closep(&peer->listener);
}

bool
peer_accept(struct peer *peer)
{
	int fd = accept4(peer->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd == -1)
		return false; /* it has gone again */
	if (peer->epoch != 0) {
		file_closep(&peer->guest);
		peer->guest = fd;
		return false;
	}
	peer_hang_up(peer);
	peer->fd = fd;
	return true;
}

bool
peer_say(struct peer *peer, const struct protocol_message *message)
{
	enum packet_sent sent = PACKET_GONE;

	if (peer->fd != -1)
		sent = packet_send(peer->fd, message, NULL);
	if (sent == PACKET_REFUSED)
		abort(); /* a message of our own that is wrong */
	if (sent != PACKET_SENT)
		peer_hang_up(peer);
	return sent == PACKET_SENT;
}

bool
peer_hear(struct peer *peer, uint64_t lowest, struct protocol_message *ret)
{
	char packet[PROTOCOL_PACKET_MAX];
	struct err err;
	enum packet_received got = packet_receive(peer->fd, packet, ret, &err);

	if (got == PACKET_BAD)
		log_warning("a packet that cannot be read: %s: its connection ends", err.text);
	if (got == PACKET_MESSAGE && ret->kind == PROTOCOL_HELLO && ret->proof.epoch != 0)
		peer->epoch = ret->proof.epoch;
	if (peer->epoch != 0 && peer->epoch < lowest) {
		log_warning("a server of epoch %" PRIu64 " is hung up on: epoch %" PRIu64
			    " has begun",
		    peer->epoch, lowest);
		got = PACKET_CLOSED;
	}
	if (got == PACKET_BAD || got == PACKET_CLOSED)
		peer_hang_up(peer);
	return got == PACKET_MESSAGE;
}

bool
peer_hear_guest(struct peer *peer, uint64_t lowest, struct protocol_message *ret)
{
	struct peer guest = { .listener = peer->listener, .fd = TAKE_FD(peer->guest), .guest = -1 };

	if (!peer_hear(&guest, peer->epoch > lowest ? peer->epoch : lowest, ret)) {
		peer->guest = guest.fd; /* it has said nothing yet, or is gone */
		return false;
	}
	peer_hang_up(guest.epoch == 0 ? &guest : peer);
	if (guest.epoch != 0)
		*peer = guest;
	return guest.epoch != 0;
}

void
peer_challenge(struct peer *peer)
{
	struct protocol_message answer = { .kind = PROTOCOL_CHALLENGE };
	struct err err;

	if (!order_challenge_draw(&peer->challenge, &err)) {
		log_error("no challenge: %s", err.text);
		peer_hang_up(peer);
		return;
	}
	memcpy(answer.proof.challenge, peer->challenge.hex, sizeof(answer.proof.challenge));
	(void)peer_say(peer, &answer); /* or it is hung up on */
}
