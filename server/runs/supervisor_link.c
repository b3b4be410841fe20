/* supervisor_link.c - the connection to one run's supervisor.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "runs/supervisor_link.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/packet_socket.h"
#include "lib/text.h"
#include "runs/agent_link.h"
#include "runner/packet.h"
#include "runs/run_files.h"
#include "runs/run_translate.h"
#include "types/effect.h"
#include "types/peers.h"

#define MAGIC	 0x4b65704cu
#define TURN_MAX 16 /* messages in one turn: others are waiting too */

struct supervisor_link {
	unsigned magic;
	struct loop *loop;
	int64_t run;
	int fd;				/* -1: its channel */
	const struct agent_link *agent; /* NULL: it is on this machine */
	const struct effect_run *order;
	struct agent_channel *channel;
	char challenge[PROTOCOL_CHALLENGE_HEX + 1]; /* for `go`; "": none yet */
	bool is_asked;				    /* for one */
	uint64_t epoch;
	bool wants_go;
	bool stop_requested;
	bool is_calling; /* a callback runs: our memory outlives it */
	bool is_freed;	 /* by that callback: the memory goes when it returns */
	struct loop_io io;
	struct supervisor_link_watch watch;
};

static void on_ready(struct loop_io *io, unsigned events, void *ctx);
static void on_channel_message(void *ctx, const struct protocol_message *message);
static void on_channel_unreadable(void *ctx, const char *why);
static void on_channel_closed(void *ctx);

/* --- connecting --------------------------------------------------------------------------- */

/* Through /proc/self/fd: a socket's path may be 107 bytes, a state directory's more. */
static int
connect_to(const char *state_directory, int64_t run, struct err *err)
{
	CLEANUP(file_closep) int folder = run_files_open(state_directory, run, err);
	char path[64];
	int fd;

	if (folder < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/socket", folder);
	fd = packet_socket(path, false);
	if (fd < 0)
		(void)err_errno(err,
		    errno == EAGAIN				 ? ERR_BUSY :
			errno == ENOENT || errno == ECONNREFUSED ? ERR_MISSING :
								   ERR_IO,
		    errno, "run %" PRId64 ": connecting to its supervisor", run);
	return fd;
}

/* True: sent, or the connection is lost (reading will notice). */
static bool
say(struct supervisor_link *link, enum protocol_kind kind)
{
	const struct protocol_message message = {
		.kind = kind, .version = PROTOCOL_VERSION, .proof.epoch = link->epoch
	};

	return packet_send(link->fd, &message, NULL) != PACKET_LATER;
}

struct supervisor_link *
supervisor_link_open(struct loop *loop, const struct supervisor_link_at *at,
    const struct supervisor_link_watch *watch, struct err *err)
{
	CLEANUP(freep) struct supervisor_link *link = mem_new(1, sizeof(*link));

	link->fd = connect_to(at->state_directory, at->run, err);
	if (link->fd < 0)
		return NULL;
	link->magic = MAGIC;
	link->loop = loop;
	link->run = at->run;
	link->epoch = at->epoch;
	link->watch = *watch;
	if (link->epoch != 0 && !say(link, PROTOCOL_HELLO)) { /* an empty socket takes it */
		(void)close(link->fd);
		return ERR_NULL(err_set(err, ERR_BUSY, "hello to its supervisor"));
	}
	loop_io_init(&link->io, on_ready, link);
	loop_io_start(loop, &link->io, link->fd, LOOP_READ);
	return TAKE(link);
}

struct supervisor_link *
supervisor_link_open_at(struct agent_link *agent, const struct effect_run *order,
    const struct supervisor_link_watch *watch, struct err *err)
{
	CLEANUP(freep) struct supervisor_link *link = mem_new(1, sizeof(*link));
	const struct agent_channel_watch of_channel = { on_channel_message, on_channel_unreadable,
		on_channel_closed, link };

	link->channel = agent_channel_open(agent_link_channels(agent), order->run, &of_channel);
	if (link->channel == NULL)
		return ERR_NULL(err_set(err, ERR_MISSING, "its host is disconnected"));
	link->magic = MAGIC;
	link->run = order->run;
	link->fd = -1;
	link->agent = agent;
	link->order = order;
	link->watch = *watch;
	if (agent_link_channels(agent)->epoch != 0)
		agent_channel_send(link->channel,
		    &(struct protocol_message){ .kind = PROTOCOL_HELLO,
			.version = PROTOCOL_VERSION,
			.proof.epoch = agent_link_channels(agent)->epoch });
	return TAKE(link);
}

void
supervisor_link_free(struct supervisor_link *link)
{
	if (link == NULL)
		return;
	OBJ_CHECK(link, MAGIC);
	agent_channel_free(link->channel);
	if (link->fd >= 0) {
		loop_io_stop(&link->io);
		close(link->fd);
	}
	link->magic = 0;
	link->is_freed = true;
	if (!link->is_calling)
		free(link);
}

/* --- saying ------------------------------------------------------------------------------- */

/* An order of its own, which answers a challenge of the agent. */
static void
say_go(struct supervisor_link *link)
{
	struct protocol_message go = { .kind = PROTOCOL_GO };
	struct protocol_message run;
	char work[PROTOCOL_WORK];
	struct order_bytes order = { .kind = protocol_kind_name(PROTOCOL_GO),
		.capability = link->order->action,
		.run = (uint64_t)link->run,
		.manifest = link->order->binding };
	struct err err;

	if (text_starts(agent_link_identity(link->agent), PEER_RUNNER)) {
		run_translate_order(link->order, 0, &run);
		order.capability = protocol_work(&run, work);
	}
	memcpy(go.proof.challenge, link->challenge, sizeof(go.proof.challenge));
	if (!agent_link_sign(link->agent, &order, &go.proof, &err)) {
		log_error("run %" PRId64 ": go is not signed: %s", link->run, err.text);
		go = (struct protocol_message){ .kind = PROTOCOL_END };
	}
	agent_channel_send(link->channel, &go);
}

static void
flush_channel(struct supervisor_link *link)
{
	if (link->stop_requested)
		agent_channel_send(
		    link->channel, &(struct protocol_message){ .kind = PROTOCOL_END });
	else if (link->wants_go && link->challenge[0] != '\0')
		say_go(link);
	else if (link->wants_go && !link->is_asked)
		agent_channel_send(
		    link->channel, &(struct protocol_message){ .kind = PROTOCOL_CHALLENGE });
	link->is_asked |= link->wants_go;
	link->wants_go &= !link->stop_requested && link->challenge[0] == '\0';
	link->stop_requested = false;
}

static void
flush(struct supervisor_link *link)
{
	if (link->channel != NULL) {
		flush_channel(link);
		return;
	}
	/* `end` first: said before `go` it keeps the gate shut. */
	if (link->stop_requested)
		link->stop_requested = !say(link, PROTOCOL_END);
	if (link->wants_go && !link->stop_requested)
		link->wants_go = !say(link, PROTOCOL_GO);
	loop_io_start(link->loop, &link->io, link->fd,
	    LOOP_READ | (link->wants_go || link->stop_requested ? LOOP_WRITE : 0));
}

void
supervisor_link_go(struct supervisor_link *link)
{
	OBJ_CHECK(link, MAGIC);
	link->wants_go = true;
	flush(link);
}

void
supervisor_link_end(struct supervisor_link *link)
{
	OBJ_CHECK(link, MAGIC);
	link->stop_requested = true;
	flush(link);
}

/* --- receiving ------------------------------------------------------------------------------ */

static void
on_channel_message(void *ctx, const struct protocol_message *message)
{
	struct supervisor_link *link = OBJ_OF(struct supervisor_link, ctx, MAGIC);

	if (message->kind == PROTOCOL_CHALLENGE) {
		memcpy(link->challenge, message->proof.challenge, sizeof(link->challenge));
		flush(link);
		return;
	}
	link->watch.on_message(link->watch.ctx, message);
}

static void
on_channel_unreadable(void *ctx, const char *why)
{
	struct supervisor_link *link = OBJ_OF(struct supervisor_link, ctx, MAGIC);

	link->watch.on_unreadable(link->watch.ctx, why);
}

static void
on_channel_closed(void *ctx)
{
	struct supervisor_link *link = OBJ_OF(struct supervisor_link, ctx, MAGIC);

	link->watch.on_closed(link->watch.ctx);
}

/* Is there more to read, and anybody left to read it? */
static bool
hear_one(struct supervisor_link *link)
{
	char buffer[PROTOCOL_PACKET_MAX];
	struct protocol_message message;
	struct err err = { .code = ERR_NONE };
	enum packet_received received = packet_receive(link->fd, buffer, &message, &err);

	switch (received) {
	case PACKET_MESSAGE:
	case PACKET_BAD:
		link->is_calling = true;
		if (received == PACKET_MESSAGE)
			link->watch.on_message(link->watch.ctx, &message);
		else
			link->watch.on_unreadable(link->watch.ctx, err.text);
		link->is_calling = false;
		if (!link->is_freed)
			return true;
		free(link);
		return false;
	case PACKET_NONE:
		return false;
	case PACKET_CLOSED:
		break;
	}
	loop_io_stop(&link->io);
	link->watch.on_closed(link->watch.ctx);
	return false;
}

static void
on_ready(UNUSED struct loop_io *io, unsigned events, void *ctx)
{
	struct supervisor_link *link = OBJ_OF(struct supervisor_link, ctx, MAGIC);

	if ((events & LOOP_WRITE) != 0)
		flush(link);
	for (unsigned n = 0; (events & LOOP_READ) != 0 && n < TURN_MAX; n++) {
		if (!hear_one(link))
			break;
	}
}
