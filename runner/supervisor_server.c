/* supervisor_server.c - a supervisor's connection to its server, and what is sent over it.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/supervisor_server.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/file.h"
#include "runner/packet.h"

void
supervisor_server_close(struct supervisor_server *server)
{
	if (server->fd != -1)
		(void)close(server->fd);
	*server = (struct supervisor_server){
		.fd = -1, .last = server->epoch, .highest = server->highest, .guest = server->guest
	};
}

bool
supervisor_server_accept(struct supervisor_server *server, int fd)
{
	if (server->epoch != 0) {
		file_closep(&server->guest);
		server->guest = fd;
		return false;
	}
	supervisor_server_close(server); /* the newest is the server */
	server->fd = fd;
	return server->highest == 0;
}

/* 0: nothing was said that can be compared. */
static bool
is_newest(const struct supervisor_server *server, uint64_t epoch, int folder)
{
	uint64_t kept;

	/* What cannot be read was compared when its runner was greeted. */
	return epoch == 0 ||
	    (epoch >= server->highest &&
		(!runner_order_epoch(folder, "../epoch", &kept, NULL) || epoch >= kept));
}

bool
supervisor_server_counts(
    struct supervisor_server *server, const struct protocol_message *message, int folder)
{
	uint64_t epoch = message->proof.epoch != 0 ? message->proof.epoch : server->epoch;

	if (!is_newest(server, epoch, folder))
		return false;
	if (message->kind == PROTOCOL_HELLO && epoch != 0)
		server->epoch = server->highest = epoch;
	return true;
}

bool
supervisor_server_end_counts(const struct supervisor_server *server, int folder)
{
	return server->highest == 0 ||
	    (server->last != 0 && is_newest(server, server->last, folder));
}

bool
supervisor_server_hear_guest(struct supervisor_server *server, int folder)
{
	char packet[PROTOCOL_PACKET_MAX];
	struct protocol_message message;
	struct err err;
	enum packet_received got = packet_receive(server->guest, packet, &message, &err);

	if (got == PACKET_NONE)
		return false;
	if (got != PACKET_MESSAGE || message.kind != PROTOCOL_HELLO || message.proof.epoch == 0 ||
	    !is_newest(server, message.proof.epoch, folder)) {
		file_closep(&server->guest);
		return false;
	}
	supervisor_server_close(server);
	server->fd = TAKE_FD(server->guest);
	server->epoch = server->highest = message.proof.epoch;
	return true;
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

bool
supervisor_server_proves(struct supervisor_server *server, const struct order_gate *gate,
    const struct protocol_message *run, const struct protocol_message *go)
{
	char work[PROTOCOL_WORK];
	const struct order_shown shown = runner_order_shown(go, run, work);

	return gate == NULL || gate->check(&server->challenge, &shown, &gate->keys, NULL);
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
tell_grew(struct supervisor_server *server)
{
	const struct protocol_message grew = { .kind = PROTOCOL_GREW };

	if (!server->grew)
		return true;
	if (!tell(server, &grew))
		return false;
	server->grew = false;
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
	    tell_grew(server) && tell_stuck(server, news) && news->is_over &&
	    tell(server, news->out))
		server->said_exit = true;
	return server->fd != -1;
}
