/* link_calls.c - a connection to the socket for calls becomes a channel of a host.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "link/link_calls.h"

#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "lib/err.h"
#include "lib/log.h"

static void on_first(struct link_socket *local, const char *packet, size_t size);
static void on_packet(struct link_socket *local, const char *packet, size_t size);
static void on_sent(struct link_socket *local, void *token, size_t size);
static void on_lost(struct link_socket *local, const char *why);

static const struct link_socket_events first_events = { on_first, on_sent, NULL };
static const struct link_socket_events call_events = { on_packet, on_sent, on_lost };

/* EX_UNAVAILABLE, which the scripts' EXIT_UNREACHABLE is. */
#define REFUSED "x69 "

static void
on_first(struct link_socket *local, const char *packet, size_t size)
{
	struct link_calls *calls = local->watch.ctx;
	const char *end = memchr(packet, '\n', size);
	struct link_word word = { .kind = LINK_OPEN };
	struct link_channels *channels;
	struct link_channel *channel = NULL;
	char name[LINK_NAME];

	(void)snprintf(
	    name, sizeof(name), "agent/%.*s", end == NULL ? 0 : (int)(end - packet), packet);
	channels = calls->find(calls->ctx, name);
	if (channels != NULL && ++calls->last < UINT32_MAX - LINK_CALLS_FROM)
		channel = link_channels_add(channels, LINK_CALLS_FROM + calls->last);
	if (channel == NULL) {
		link_socket_say(local, "", REFUSED "%s is not connected", name);
		return;
	}
	local->on = &call_events;
	local->watch.ctx = channel;
	channel->ctx = local;
	word.channel = channel->number;
	link_tls_say(channels->tls, &word);
}

static void
on_packet(struct link_socket *local, const char *packet, size_t size)
{
	struct link_channel *channel = local->watch.ctx;

	if (size > PROTOCOL_PACKET_MAX || !link_channel_send(channel, packet, size))
		link_channel_close(channel, "a packet that is too large, or too many");
}

static void
on_sent(UNUSED struct link_socket *local, void *token, size_t size)
{
	if (token != NULL)
		link_channel_passed(token, size);
}

static void
on_lost(struct link_socket *local, const char *why)
{
	link_channel_close(local->watch.ctx, why);
}

void
link_calls_answer(struct link_channel *channel, const struct link_frame *frame)
{
	link_socket_send(channel->ctx, "", frame->packet, frame->size, channel);
}

void
link_calls_over(struct link_channel *channel)
{
	if (channel->number < LINK_CALLS_FROM)
		return;
	link_socket_say(channel->ctx, "", LINK_CALLS_GONE);
	link_socket_end(channel->ctx);
	channel->ctx = NULL;
}

static void
on_connect(struct link_watch *watch, UNUSED uint32_t events)
{
	struct link_calls *calls = watch->ctx;
	struct sockaddr_storage from;
	int fd = link_listen_take(calls->listen, watch, &from);
	struct link_socket *local;

	if (fd == -1)
		return;
	local = link_socket_new(watch->poll, fd, &first_events, calls);
	local->count = &calls->open;
	if (++calls->open <= LINK_CALLS_MAX) {
		calls->is_full &= calls->open > LINK_CALLS_MAX / 2;
		return;
	}
	if (!calls->is_full)
		log_warning(
		    "LINK_CALLS: more than %d calls at once: others are refused", LINK_CALLS_MAX);
	calls->is_full = true;
	link_socket_say(local, "", REFUSED "%d calls are in progress at once", LINK_CALLS_MAX);
	link_socket_end(local);
}

void
link_calls_open(struct link_calls *calls, struct link_poll *poll, const char *path,
    link_calls_find_fn *find, void *ctx)
{
	struct err err;
	int fd = link_socket_listen(path, &err);

	calls->find = find;
	calls->ctx = ctx;
	calls->listener.on_ready = on_connect;
	calls->listener.ctx = calls;
	if (fd == -1) {
		log_warning("LINK_CALLS: no release goes through an agent: %s", err.text);
		return;
	}
	calls->listen->calls = &calls->listener;
	link_watch_start(poll, &calls->listener, fd, EPOLLIN);
}
