/* link_host.c - a host's side: connects to each server, and passes packets to its runner.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * Channel 1 is a connection to the runner's socket, made when its first packet comes; each other
 * channel is one to the socket of the run that `open` names.  What closes on one side is closed on
 * the other.
 */
#include "link/link_host.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/random.h>

#include "lib/clock.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/packet_socket.h"
#include "lib/text.h"
#include "lib/version.h"
#include "link/link_channel.h"
#include "link/link_dial.h"
#include "link/link_renew.h"
#include "link/link_socket.h"

struct link_host {
	struct link_poll poll;
	const struct link_settings *settings;
	struct link_pairs pairs;
	bool is_alone; /* nobody is at the runner's socket */
	/* A connection to one of the servers, or what it waits for. */
	struct uplink {
		struct link_tls tls;
		struct link_host *host;
		struct link_dial dial;
		bool is_used;
		size_t pair;	 /* which certificate is shown: others were refused */
		bool is_renewed; /* there is a newer one */
		struct link_channels channels;
		int64_t pinged_at;
		int64_t due; /* monotonic ms: of the next try */
	} uplinks[LINK_SERVERS_MAX];
};

static void on_open(struct link_tls *tls, const struct link_identity *who);
static void on_frame(struct link_tls *tls, const struct link_frame *frame);
static void on_end(struct link_tls *tls, const char *why);
static void on_packet(struct link_socket *local, const char *packet, size_t size);
static void on_sent(struct link_socket *local, void *token, size_t size);
static void on_lost(struct link_socket *local, const char *why);

static const struct link_tls_events tls_events = { on_open, on_frame, on_end, NULL };
static const struct link_socket_events local_events = { on_packet, on_sent, on_lost };

static struct uplink *
uplink_of(struct link_tls *tls)
{
	return (struct uplink *)tls;
}

/* Any moment of the next `most` ms: all hosts lose their server in the same one. */
static int64_t
spread(int64_t most)
{
	uint64_t drawn = 0;

	if (getrandom(&drawn, sizeof(drawn), 0) != sizeof(drawn))
		drawn = (uint64_t)clock_wall_ms();
	return (int64_t)(drawn % (uint64_t)most);
}

static void
on_open(struct link_tls *tls, const struct link_identity *who)
{
	const struct link_host *host = uplink_of(tls)->host;
	struct link_word hello = { .kind = LINK_HELLO, .at = clock_wall_ms() / 1000 };

	if (strcmp(who->name, "server") != 0) {
		link_tls_end(tls, "its certificate is not that of a server of deploybot");
		return;
	}
	(void)text_copy(hello.name, sizeof(hello.name), host->pairs.name);
	(void)text_copy(hello.version, sizeof(hello.version), version_text);
	link_tls_say(tls, &hello);
}

/* --- channels and the sockets of this host --- */

/* As long as a whole packet could not be sent, none is read. */
static void
on_credit(struct link_channel *channel)
{
	if (channel->ctx != NULL)
		link_socket_hold(channel->ctx, channel->may_send < PROTOCOL_PACKET_MAX);
}

static void
on_close(struct link_channel *channel)
{
	link_socket_end(channel->ctx);
	channel->ctx = NULL;
}

static void
on_packet(struct link_socket *local, const char *packet, size_t size)
{
	struct link_channel *channel = local->watch.ctx;

	if (size > PROTOCOL_PACKET_MAX || !link_channel_send(channel, packet, size))
		link_channel_close(channel, "a packet that is too large");
	else
		on_credit(channel);
}

static void
on_sent(UNUSED struct link_socket *local, void *token, size_t size)
{
	link_channel_passed(token, size);
}

static void
on_lost(struct link_socket *local, const char *why)
{
	link_channel_close(local->watch.ctx, why);
}

static void
connect_channel(struct link_channel *channel, int fd, const char *why)
{
	struct link_host *host = uplink_of(channel->of->tls)->host;

	if (fd == -1)
		link_channel_close(channel, why);
	else
		channel->ctx = link_socket_new(&host->poll, fd, &local_events, channel);
}

static void
connect_runner(struct link_host *host, struct link_channel *channel)
{
	struct err err;
	int fd = link_socket_open(host->settings->runner_socket, false, &err);

	if (fd == -1 && !host->is_alone)
		log_warning("what the server sends reaches no runner: %s", err.text);
	host->is_alone = fd == -1;
	connect_channel(channel, fd, err.text);
}

/* Through /proc/self/fd: a socket's path may be 107 bytes, a state directory's more. */
static int
connect_run(const char *state, int64_t run, struct err *err)
{
	CLEANUP(file_closep) int folder = -1;
	char path[PATH_MAX];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/runs/%" PRId64, state, run); /* cut, there is none */
	folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/socket", folder);
	fd = packet_socket(path, false);
	return fd != -1 ?
	    fd :
	    ERR_FD(err_errno(err, ERR_IO, errno, "%s/runs/%" PRId64 "/socket", state, run));
}

static void
open_channel(struct uplink *uplink, const struct link_word *word)
{
	struct link_channel *channel = link_channels_add(&uplink->channels, word->channel);
	struct err err;

	if (channel == NULL) {
		link_tls_end(&uplink->tls, "channel %" PRId64 " is open, or there are too many",
		    word->channel);
		return;
	}
	connect_channel(
	    channel, connect_run(uplink->host->settings->state, word->id, &err), err.text);
}

/* --- certificates --- */

/* It is asked for its next key, or has the certificate of that one. */
static void
renew(struct uplink *uplink, const struct link_word *word)
{
	struct link_host *host = uplink->host;
	struct link_word answer = { .kind = LINK_RENEW };
	char certificate[LINK_RENEWAL];
	struct err err;
	bool good;

	if (uplink->is_renewed)
		return;
	memcpy(certificate, word->renewal, sizeof(certificate));
	good = certificate[0] == '\0' ?
	    link_pairs_ask(&host->pairs, uplink->pair, answer.renewal, &err) :
	    link_pairs_take(&host->pairs, uplink->pair, certificate, &err);
	if (!good) {
		log_error("its certificate is not renewed: %s", err.text);
	} else if (certificate[0] == '\0') {
		link_tls_say(&uplink->tls, &answer);
	} else {
		for (size_t i = 0; i < host->settings->dial_count; i++) {
			host->uplinks[i].is_renewed = host->uplinks[i].is_used;
			host->uplinks[i].pair = 0;
		}
	}
}

/* --- what the server sends --- */

static void
hear_word(struct uplink *uplink, const struct link_word *word)
{
	if (word->kind == LINK_HELLO) {
		link_tls_ready(&uplink->tls);
		uplink->pinged_at = uplink->tls.heard_at;
		log_info("connected to %s, version %s", uplink->dial.address->host, word->version);
	} else if (word->kind == LINK_OPEN) {
		open_channel(uplink, word);
	} else if (word->kind == LINK_RENEW) {
		renew(uplink, word);
	}
}

static void
on_frame(struct link_tls *tls, const struct link_frame *frame)
{
	struct uplink *uplink = uplink_of(tls);
	struct link_channel *channel;
	struct link_word word;
	struct err err;

	if (frame->channel == 0 || !tls->is_ready) {
		if (!link_word_read(frame->packet, frame->size, LINK_OF_SERVER, &word, &err))
			link_tls_end(tls, "%s", err.text);
		else if (link_channels_hear(&uplink->channels, &word))
			hear_word(uplink, &word);
		return;
	}
	channel = link_channels_came(&uplink->channels, frame);
	if (channel != NULL && channel->ctx == NULL)
		connect_runner(uplink->host, channel);
	if (channel != NULL && channel->ctx != NULL)
		link_socket_send(channel->ctx, "", frame->packet, frame->size, channel);
}

static void
on_end(struct link_tls *tls, const char *why)
{
	struct uplink *uplink = uplink_of(tls);

	/* Refused: with the next certificate at once, or anew with the first. */
	uplink->pair =
	    tls->is_open && !tls->is_ready ? (uplink->pair + 1) % uplink->host->pairs.count : 0;
	uplink->due = clock_monotonic_ms();
	if (uplink->pair == 0 && !uplink->is_renewed)
		uplink->due += spread(uplink->host->settings->reconnect_s * 1000);
	uplink->is_renewed = false;
	log_warning("disconnected from %s: %s", uplink->dial.address->host, why);
}

static void
on_over(struct link_watch *watch, UNUSED uint32_t events)
{
	struct uplink *uplink = (struct uplink *)watch;

	link_channels_done(&uplink->channels);
	uplink->is_used = false;
}

static void
dial(struct uplink *uplink, int64_t now)
{
	struct link_host *host = uplink->host;
	struct err err = { 0 };
	int fd = link_dial_try(&uplink->dial, &err);

	if (fd == -1 && err.text[0] != '\0') {
		log_warning("%s: %s", uplink->dial.address->host, err.text);
		uplink->due = now + spread(host->settings->reconnect_s * 1000);
	}
	if (fd == -1)
		return;
	uplink->is_used = true;
	uplink->channels = (struct link_channels){ .on_close = on_close, .on_credit = on_credit };
	link_channels_init(&uplink->channels, &uplink->tls);
	uplink->tls = (struct link_tls){ .on = &tls_events, .watch.on_over = on_over };
	link_tls_start(&uplink->tls, &host->poll, fd, host->pairs.all[uplink->pair].context,
	    uplink->dial.address->host);
}

static void
on_second(void *ctx)
{
	struct link_host *host = ctx;
	int64_t now = clock_monotonic_ms(), beat = host->settings->heartbeat_s * 1000;

	for (size_t i = 0; i < host->settings->dial_count; i++) {
		struct uplink *uplink = &host->uplinks[i];

		if (!uplink->is_used) {
			if (now >= uplink->due)
				dial(uplink, now);
			continue;
		}
		if (uplink->tls.is_ready && now - uplink->pinged_at >= beat) {
			uplink->pinged_at = now;
			link_tls_say(&uplink->tls, &(struct link_word){ .kind = LINK_PING });
		}
		if (uplink->is_renewed && uplink->channels.count == 1) /* no run is followed */
			link_tls_end(&uplink->tls, "its certificate was renewed");
		link_tls_second(&uplink->tls, now, beat * 8 / 5);
	}
}

bool
link_host(const struct link_settings *settings, struct ssl_ctx_st *context, const char *name,
    struct err *err)
{
	static struct link_host host; /* it lives as long as the program */

	host.settings = settings;
	link_pairs_init(&host.pairs, settings, context, name);
	if (!link_poll_init(&host.poll, err))
		return false;
	for (size_t i = 0; i < settings->dial_count; i++)
		host.uplinks[i] =
		    (struct uplink){ .host = &host, .dial = { .address = &settings->dial[i] } };
	for (;;)
		link_poll_turn(&host.poll, on_second, &host);
}
