/* connections.c - the servers that are connected to the runner, and what is still to be sent them.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/connections.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"

struct connection_packet {
	struct connection_packet *next;
	size_t len;
	char data[];
};

struct connection *
connections_add(struct connections *connections, int fd)
{
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *connection = &connections->all[i];

		if (connection->number != 0)
			continue;
		*connection = (struct connection){ .number = ++connections->last, .fd = fd };
		return connection;
	}
	(void)close(fd);
	return NULL;
}

void
connections_text(char ret[256], const char *text)
{
	(void)snprintf(ret, 256, "%s", text);
	for (char *p = ret; *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	}
}

/* NULL: it has gone. */
static struct connection *
find(struct connections *connections, uint64_t number)
{
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		if (number != 0 && connections->all[i].number == number)
			return &connections->all[i];
	}
	return NULL;
}

static void
lose(struct connection *connection, int why)
{
	connection->is_lost = true;
	connection->lost_errno = why == EPIPE || why == ECONNRESET ? 0 : why;
}

/* False: not now, or never (it is lost). */
static bool
send_now(struct connection *connection, const char *packet, size_t len)
{
	ssize_t n;

	do {
		n = send(connection->fd, packet, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n == -1 && errno == EINTR);
	if (n == -1 && errno != EAGAIN && errno != ENOBUFS)
		lose(connection, errno);
	return n != -1;
}

static void
queue_up(struct connection *connection, const char *data, size_t len)
{
	struct connection_packet *packet = malloc(sizeof(*packet) + len),
				 **end = &connection->first;

	if (packet == NULL || connection->queued == CONNECTIONS_QUEUE_MAX) {
		lose(connection, packet == NULL ? ENOMEM : 0);
		free(packet);
		return;
	}
	packet->next = NULL;
	packet->len = len;
	memcpy(packet->data, data, len);
	while (*end != NULL)
		end = &(*end)->next;
	*end = packet; /* NOANALYZE(malloc-leak): the queue has it */
	if (connection->queued++ == 0)
		connection->due = clock_monotonic_ms() + CONNECTIONS_PATIENCE_MS;
}

static void
send_or_queue(struct connection *connection, const char *packet, size_t len)
{
	if (connection->is_lost || (connection->first == NULL && send_now(connection, packet, len)))
		return;
	if (!connection->is_lost)
		queue_up(connection, packet, len);
}

void
connections_send(struct connections *connections, uint64_t number, const char *packet, size_t len)
{
	struct connection *connection = find(connections, number);

	if (connection != NULL)
		send_or_queue(connection, packet, len);
}

static size_t
encode(const struct protocol_message *message, char packet[PROTOCOL_RECORD_BYTES])
{
	size_t len = 0;

	if (!protocol_encode(message, packet, PROTOCOL_RECORD_BYTES, &len, NULL))
		abort(); /* a message of our own that is wrong */
	return len;
}

void
connections_say(
    struct connections *connections, uint64_t number, const struct protocol_message *message)
{
	char packet[PROTOCOL_RECORD_BYTES];

	connections_send(connections, number, packet, encode(message, packet));
}

void
connections_say_all(struct connections *connections, const struct protocol_message *message)
{
	char packet[PROTOCOL_RECORD_BYTES];
	size_t len = encode(message, packet);

	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		if (connections->all[i].number != 0 && connections->all[i].greeted)
			send_or_queue(&connections->all[i], packet, len);
	}
}

short
connections_events(const struct connection *connection)
{
	return connection->first != NULL ? POLLOUT : POLLIN;
}

void
connections_flush(struct connection *connection)
{
	while (connection->first != NULL &&
	    send_now(connection, connection->first->data, connection->first->len)) {
		struct connection_packet *sent = connection->first;

		connection->first = sent->next;
		connection->due =
		    --connection->queued == 0 ? 0 : clock_monotonic_ms() + CONNECTIONS_PATIENCE_MS;
		free(sent);
	}
}

int
connections_expire(struct connections *connections)
{
	int64_t now = clock_monotonic_ms(), next = -1;

	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *connection = &connections->all[i];

		if (connection->number == 0 || connection->due == 0)
			continue;
		if (now >= connection->due)
			lose(connection, 0);
		else if (next == -1 || connection->due - now < next)
			next = connection->due - now;
	}
	return (int)next;
}

void
connections_remove(struct connection *connection)
{
	while (connection->first != NULL) {
		struct connection_packet *packet = connection->first;

		connection->first = packet->next;
		free(packet);
	}
	(void)close(connection->fd);
	*connection = (struct connection){ .fd = -1 };
}
