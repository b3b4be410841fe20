/* git_query_queue.c - git queries of any server, side by side: the mirror's lock orders them.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/git_query_queue.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/crash_point.h"
#include "lib/mem.h"
#include "runner/git_query.h"

#define STATUS_BUSY 75
#define STATUS_GONE 69

void
git_query_queue_init(struct git_query_queue *queue)
{
	queue->count = 0;
	for (size_t i = 0; i < GIT_QUERY_SLOTS; i++)
		queue->slots[i] = (struct git_query_slot){ .fd = -1 };
}

void
git_query_queue_refuse(
    struct connections *connections, uint64_t connection, uint64_t id, int status, const char *text)
{
	struct protocol_message answer = {
		.kind = PROTOCOL_ANSWER, .id = id, .record = { .status = status }
	};

	(void)snprintf(answer.text, sizeof(answer.text), "%s", text);
	connections_say(connections, connection, &answer);
}

void
git_query_queue_add(struct git_query_queue *queue, struct connections *connections,
    uint64_t connection, const struct protocol_message *query)
{
	struct protocol_message *copy = NULL;

	CRASH_POINT(git_query_received);
	if (queue->count == PROTOCOL_GIT_QUERIES_MAX) {
		git_query_queue_refuse(connections, connection, query->id, STATUS_BUSY,
		    "too many git queries are queued");
		return;
	}
	copy = mem_alloc(sizeof(*copy));
	*copy = *query;
	queue->waiting[queue->count++] =
	    (struct git_query_waiting){ .connection = connection, .query = copy };
}

static size_t
free_slot(const struct git_query_queue *queue)
{
	size_t i = 0;

	while (i < GIT_QUERY_SLOTS && queue->slots[i].id != 0)
		i++;
	return i;
}

/* The oldest that may begin; count: there is none. */
static size_t
next_waiting(const struct git_query_queue *queue)
{
	bool is_unpacking = false;
	size_t at = 0;

	for (size_t i = 0; i < GIT_QUERY_SLOTS; i++)
		is_unpacking |= queue->slots[i].id != 0 && queue->slots[i].is_unpack;
	while (at < queue->count && is_unpacking &&
	    queue->waiting[at].query->query == PROTOCOL_GIT_QUERY_UNPACK)
		at++;
	return at;
}

bool
git_query_queue_is_idle(const struct git_query_queue *queue)
{
	for (size_t i = 0; i < GIT_QUERY_SLOTS; i++)
		if (queue->slots[i].id != 0)
			return false;
	return queue->count == 0;
}

bool
git_query_queue_has_next(const struct git_query_queue *queue)
{
	return next_waiting(queue) < queue->count && free_slot(queue) < GIT_QUERY_SLOTS;
}

void
git_query_queue_next(
    struct git_query_queue *queue, struct connections *connections, const struct program_dirs *dirs)
{
	while (git_query_queue_has_next(queue)) {
		size_t at = next_waiting(queue);
		struct git_query_waiting next = queue->waiting[at];
		struct git_query_slot *slot = &queue->slots[free_slot(queue)];
		struct err err;

		queue->count--;
		memmove(queue->waiting + at, queue->waiting + at + 1,
		    (queue->count - at) * sizeof(next));
		slot->fd = git_query_start(next.query, dirs, &slot->pid, &err);
		if (slot->fd == -1) {
			git_query_queue_refuse(
			    connections, next.connection, next.query->id, STATUS_GONE, err.text);
		} else {
			slot->id = next.query->id;
			slot->connection = next.connection;
			slot->is_unpack = next.query->query == PROTOCOL_GIT_QUERY_UNPACK;
		}
		free(next.query);
	}
}

static bool
is_progress(const char *packet, size_t len)
{
	static const char first[] = "progress\n"; /* the first line is its kind */

	return len >= sizeof(first) - 1 && memcmp(packet, first, sizeof(first) - 1) == 0;
}

void
git_query_queue_read(struct git_query_slot *slot, struct connections *connections)
{
	static char packet[PROTOCOL_PACKET_MAX]; /* large for a stack; there is one thread */
	ssize_t n;

	do {
		n = recv(slot->fd, packet, sizeof(packet), 0);
	} while (n == -1 && errno == EINTR);
	if (n > 0 && is_progress(packet, (size_t)n)) {
		connections_send(connections, slot->connection, packet, (size_t)n);
		return;
	}
	(void)close(slot->fd);
	if (slot->pid != 0)
		(void)waitpid(slot->pid, NULL, 0); /* it ends behind its answer */
	CRASH_POINT(reply_passed);
	if (n > 0)
		connections_send(connections, slot->connection, packet, (size_t)n);
	else
		git_query_queue_refuse(connections, slot->connection, slot->id, STATUS_GONE,
		    "the git query was killed");
	*slot = (struct git_query_slot){ .fd = -1 };
}

void
git_query_queue_forget(struct git_query_queue *queue, uint64_t connection)
{
	size_t kept = 0;

	for (size_t i = 0; i < queue->count; i++) {
		if (queue->waiting[i].connection == connection)
			free(queue->waiting[i].query);
		else
			queue->waiting[kept++] = queue->waiting[i];
	}
	queue->count = kept;
	for (size_t i = 0; i < GIT_QUERY_SLOTS; i++) {
		const struct git_query_slot *slot = &queue->slots[i];

		/* It sees that; gone already: its answer comes. */
		if (slot->id != 0 && slot->connection == connection)
			(void)shutdown(slot->fd, SHUT_WR);
	}
}

void
git_query_queue_reaped(struct git_query_queue *queue, pid_t pid)
{
	for (size_t i = 0; i < GIT_QUERY_SLOTS; i++)
		if (queue->slots[i].id != 0 && queue->slots[i].pid == pid)
			queue->slots[i].pid = 0;
}
