/* supervisor_server.c - a supervisor's connection to its server, and what is sent over it.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/supervisor_server.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

void
supervisor_server_close(struct supervisor_server *server)
{
	if (server->fd != -1)
		(void)close(server->fd);
	*server = (struct supervisor_server){ .fd = -1 };
}

/* False: not sent, either for now (blocked) or for good (closed). */
static bool
tell(struct supervisor_server *server, const struct protocol_message *message)
{
	char packet[PROTOCOL_RECORD_BYTES];
	size_t len = 0;
	ssize_t n;

	if (!protocol_encode(message, packet, sizeof(packet), &len, NULL))
		abort(); /* a message of our own that is wrong */
	do {
		n = send(server->fd, packet, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (n == -1 && errno == EINTR);
	if (n >= 0)
		return true;
	if (errno == EAGAIN || errno == ENOBUFS)
		server->blocked = true;
	else
		supervisor_server_close(server);
	return false;
}

void
supervisor_server_challenge(struct supervisor_server *server, const struct order_gate *gate)
{
	struct protocol_message answer = { .kind = PROTOCOL_CHALLENGE };

	if (gate->draw(&server->challenge, NULL)) {
		memcpy(
		    answer.proof.challenge, server->challenge.hex, sizeof(answer.proof.challenge));
		if (tell(server, &answer))
			return;
	}
	supervisor_server_close(server);
}

static bool
tell_hello(struct supervisor_server *server, const struct supervisor_news *news)
{
	struct protocol_message *hello = news->out; /* what only a hello has is sent in no other */
	bool is_sent;

	hello->kind = PROTOCOL_HELLO;
	hello->version = PROTOCOL_VERSION;
	hello->pid = news->identity->pid;
	hello->process.start = news->identity->start;
	memcpy(hello->process.boot, news->identity->boot, sizeof(hello->process.boot));
	is_sent = tell(server, hello);
	hello->kind = PROTOCOL_EXIT;
	if (!is_sent)
		return false;
	server->said_hello = true;
	server->steps_sent = news->out->step_count;
	return true;
}

static bool
tell_steps(struct supervisor_server *server, const struct supervisor_news *news)
{
	struct protocol_message step = { .kind = PROTOCOL_STEP, .step_count = 1 };

	memcpy(step.record.image, news->out->record.image, sizeof(step.record.image));
	while (server->steps_sent < news->out->step_count) {
		step.steps[0] = news->out->steps[server->steps_sent];
		if (!tell(server, &step))
			return false;
		server->steps_sent++;
	}
	return true;
}

static bool
tell_stuck(struct supervisor_server *server, const struct supervisor_news *news)
{
	struct protocol_message stuck = {
		.kind = PROTOCOL_STUCK, .id = news->id, .pid = *news->stuck
	};

	if (*news->stuck == 0)
		return true;
	if (!tell(server, &stuck))
		return false;
	*news->stuck = 0;
	return true;
}

bool
supervisor_server_tell(struct supervisor_server *server, const struct supervisor_news *news)
{
	if (server->fd == -1 || server->blocked || server->said_exit)
		return true;
	if ((server->said_hello || tell_hello(server, news)) && tell_steps(server, news) &&
	    tell_stuck(server, news) && news->is_over && tell(server, news->out))
		server->said_exit = true;
	return server->fd != -1;
}
