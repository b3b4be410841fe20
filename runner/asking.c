/* asking.c - questions to git, one at a time, for whichever server asks.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/asking.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/crash_point.h"
#include "runner/question.h"

#define STATUS_BUSY 75
#define STATUS_GONE 69

void
asking_refuse(struct peers *peers, uint64_t peer, uint64_t id, int status, const char *text)
{
	struct protocol_message answer = {
		.kind = PROTOCOL_ANSWER, .id = id, .record = { .status = status }
	};

	(void)snprintf(answer.text, sizeof(answer.text), "%s", text);
	peers_say(peers, peer, &answer);
}

void
asking_add(
    struct asking *asking, struct peers *peers, uint64_t peer, const struct protocol_message *ask)
{
	struct protocol_message *copy = NULL;

	CRASH_POINT(ask_heard);
	if (asking->count < PROTOCOL_ASKS_MAX)
		copy = malloc(sizeof(*copy));
	if (copy == NULL) {
		asking_refuse(peers, peer, ask->id, STATUS_BUSY, "too many questions are waiting");
		return;
	}
	*copy = *ask;
	asking->waiting[asking->count++] = (struct asking_one){ .peer = peer, .ask = copy };
}

bool
asking_has_next(const struct asking *asking)
{
	return asking->id == 0 && asking->count > 0;
}

void
asking_next(struct asking *asking, struct peers *peers, const struct program_place *place)
{
	while (asking_has_next(asking)) {
		struct asking_one next = asking->waiting[0];
		struct err err;

		asking->count--;
		memmove(asking->waiting, asking->waiting + 1, asking->count * sizeof(next));
		asking->fd = question_ask(next.ask, place, &asking->pid, &err);
		if (asking->fd == -1) {
			asking_refuse(peers, next.peer, next.ask->id, STATUS_GONE, err.text);
		} else {
			asking->id = next.ask->id;
			asking->peer = next.peer;
		}
		free(next.ask);
	}
}

void
asking_hear(struct asking *asking, struct peers *peers)
{
	static char packet[PROTOCOL_PACKET_MAX]; /* large for a stack; there is one thread */
	ssize_t n;

	do {
		n = recv(asking->fd, packet, sizeof(packet), 0);
	} while (n == -1 && errno == EINTR);
	(void)close(asking->fd);
	if (asking->pid != 0)
		(void)waitpid(asking->pid, NULL, 0); /* it ends behind its answer */
	CRASH_POINT(reply_passed);
	if (n > 0)
		peers_send(peers, asking->peer, packet, (size_t)n);
	else
		asking_refuse(
		    peers, asking->peer, asking->id, STATUS_GONE, "the question was killed");
	asking->fd = -1;
	asking->id = 0;
}

void
asking_forget(struct asking *asking, uint64_t peer)
{
	size_t kept = 0;

	for (size_t i = 0; i < asking->count; i++) {
		if (asking->waiting[i].peer == peer)
			free(asking->waiting[i].ask);
		else
			asking->waiting[kept++] = asking->waiting[i];
	}
	asking->count = kept;
	if (asking->id != 0 && asking->peer == peer)
		(void)shutdown(
		    asking->fd, SHUT_WR); /* it sees that; gone already: its answer comes */
}

void
asking_reaped(struct asking *asking, pid_t pid)
{
	if (asking->id != 0 && asking->pid == pid)
		asking->pid = 0;
}
