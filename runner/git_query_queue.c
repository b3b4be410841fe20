/* git_query_queue.c - questions to git, one at a time, for whichever server asks.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/git_query_queue.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/crash_point.h"
#include "runner/git_query.h"

#define STATUS_BUSY 75
#define STATUS_GONE 69

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

	CRASH_POINT(git_query_heard);
	if (queue->count < PROTOCOL_GIT_QUERIES_MAX)
		copy = malloc(sizeof(*copy));
	if (copy == NULL) {
		git_query_queue_refuse(connections, connection, query->id, STATUS_BUSY,
		    "too many git queries are queued");
		return;
	}
	*copy = *query;
	queue->waiting[queue->count++] =
	    (struct git_query_waiting){ .connection = connection, .query = copy };
}

bool
git_query_queue_has_next(const struct git_query_queue *queue)
{
	return queue->id == 0 && queue->count > 0;
}

void
git_query_queue_next(
    struct git_query_queue *queue, struct connections *connections, const struct program_dirs *dirs)
{
	while (git_query_queue_has_next(queue)) {
		struct git_query_waiting next = queue->waiting[0];
		struct err err;

		queue->count--;
		memmove(queue->waiting, queue->waiting + 1, queue->count * sizeof(next));
		queue->fd = git_query_start(next.query, dirs, &queue->pid, &err);
		if (queue->fd == -1) {
			git_query_queue_refuse(
			    connections, next.connection, next.query->id, STATUS_GONE, err.text);
		} else {
			queue->id = next.query->id;
			queue->connection = next.connection;
		}
		free(next.query);
	}
}

void
git_query_queue_hear(struct git_query_queue *queue, struct connections *connections)
{
	static char packet[PROTOCOL_PACKET_MAX]; /* large for a stack; there is one thread */
	ssize_t n;

	do {
		n = recv(queue->fd, packet, sizeof(packet), 0);
	} while (n == -1 && errno == EINTR);
	(void)close(queue->fd);
	if (queue->pid != 0)
		(void)waitpid(queue->pid, NULL, 0); /* it ends behind its answer */
	CRASH_POINT(reply_passed);
	if (n > 0)
		connections_send(connections, queue->connection, packet, (size_t)n);
	else
		git_query_queue_refuse(connections, queue->connection, queue->id, STATUS_GONE,
		    "the git query was killed");
	queue->fd = -1;
	queue->id = 0;
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
	if (queue->id != 0 && queue->connection == connection)
		(void)shutdown(
		    queue->fd, SHUT_WR); /* it sees that; gone already: its answer comes */
}

void
git_query_queue_reaped(struct git_query_queue *queue, pid_t pid)
{
	if (queue->id != 0 && queue->pid == pid)
		queue->pid = 0;
}
