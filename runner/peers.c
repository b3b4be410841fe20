/* peers.c - the servers that are connected to the runner, and what is still to be sent them.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/peers.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"

struct peer_packet {
	struct peer_packet *next;
	size_t len;
	char data[];
};

struct peer *
peers_add(struct peers *peers, int fd)
{
	for (size_t i = 0; i < PEERS_MAX; i++) {
		struct peer *peer = &peers->all[i];

		if (peer->number != 0)
			continue;
		*peer = (struct peer){ .number = ++peers->last, .fd = fd };
		return peer;
	}
	(void)close(fd);
	return NULL;
}

/* NULL: it has gone. */
static struct peer *
find(struct peers *peers, uint64_t number)
{
	for (size_t i = 0; i < PEERS_MAX; i++) {
		if (number != 0 && peers->all[i].number == number)
			return &peers->all[i];
	}
	return NULL;
}

static void
lose(struct peer *peer, int why)
{
	peer->is_lost = true;
	peer->lost_errno = why == EPIPE || why == ECONNRESET ? 0 : why;
}

/* False: not now, or never (it is lost). */
static bool
send_now(struct peer *peer, const char *packet, size_t len)
{
	ssize_t n;

	do {
		n = send(peer->fd, packet, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n == -1 && errno == EINTR);
	if (n == -1 && errno != EAGAIN && errno != ENOBUFS)
		lose(peer, errno);
	return n != -1;
}

static void
queue_up(struct peer *peer, const char *data, size_t len)
{
	struct peer_packet *packet = malloc(sizeof(*packet) + len), **end = &peer->first;

	if (packet == NULL || peer->queued == PEERS_QUEUE_MAX) {
		lose(peer, packet == NULL ? ENOMEM : 0);
		free(packet);
		return;
	}
	packet->next = NULL;
	packet->len = len;
	memcpy(packet->data, data, len);
	while (*end != NULL)
		end = &(*end)->next;
	*end = packet; /* NOANALYZE(malloc-leak): the queue has it */
	if (peer->queued++ == 0)
		peer->due = clock_monotonic_ms() + PEERS_PATIENCE_MS;
}

static void
send_or_queue(struct peer *peer, const char *packet, size_t len)
{
	if (peer->is_lost || (peer->first == NULL && send_now(peer, packet, len)))
		return;
	if (!peer->is_lost)
		queue_up(peer, packet, len);
}

void
peers_send(struct peers *peers, uint64_t number, const char *packet, size_t len)
{
	struct peer *peer = find(peers, number);

	if (peer != NULL)
		send_or_queue(peer, packet, len);
}

static size_t
encode(const struct protocol_message *message, char packet[PROTOCOL_RECORD_BYTES])
{
	struct err err;
	size_t len = 0;

	if (!protocol_encode(message, packet, PROTOCOL_RECORD_BYTES, &len, &err))
		abort(); /* a message of our own that is wrong */
	return len;
}

void
peers_say(struct peers *peers, uint64_t number, const struct protocol_message *message)
{
	char packet[PROTOCOL_RECORD_BYTES];

	peers_send(peers, number, packet, encode(message, packet));
}

void
peers_say_all(struct peers *peers, const struct protocol_message *message)
{
	char packet[PROTOCOL_RECORD_BYTES];
	size_t len = encode(message, packet);

	for (size_t i = 0; i < PEERS_MAX; i++) {
		if (peers->all[i].number != 0 && peers->all[i].greeted)
			send_or_queue(&peers->all[i], packet, len);
	}
}

short
peers_events(const struct peer *peer)
{
	return peer->first != NULL ? POLLOUT : POLLIN;
}

void
peers_flush(struct peer *peer)
{
	while (peer->first != NULL && send_now(peer, peer->first->data, peer->first->len)) {
		struct peer_packet *sent = peer->first;

		peer->first = sent->next;
		peer->due = --peer->queued == 0 ? 0 : clock_monotonic_ms() + PEERS_PATIENCE_MS;
		free(sent);
	}
}

int
peers_expire(struct peers *peers)
{
	int64_t now = clock_monotonic_ms(), next = -1;

	for (size_t i = 0; i < PEERS_MAX; i++) {
		struct peer *peer = &peers->all[i];

		if (peer->number == 0 || peer->due == 0)
			continue;
		if (now >= peer->due)
			lose(peer, 0);
		else if (next == -1 || peer->due - now < next)
			next = peer->due - now;
	}
	return (int)next;
}

void
peers_remove(struct peer *peer)
{
	while (peer->first != NULL) {
		struct peer_packet *packet = peer->first;

		peer->first = packet->next;
		free(packet);
	}
	(void)close(peer->fd);
	*peer = (struct peer){ .fd = -1 };
}
