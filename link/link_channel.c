/* link_channel.c - the channels of one connection, and what may still be sent in each.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "link/link_channel.h"

#include <inttypes.h>

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/text.h"

#define GIVE_FROM   (64 * 1024) /* credit is given back in pieces of at least this */
#define WAITING_MAX (1024 * 1024)
#define CLOSES_MAX  64 /* of channel 1 in a second: each makes its credit new */

static void
begin(struct link_channel *channel)
{
	channel->is_closing = false;
	channel->may_send = channel->may_come = LINK_WINDOW;
	channel->to_give = 0;
}

void
link_channels_init(struct link_channels *channels, struct link_tls *tls)
{
	SLIST_INIT(&channels->all);
	channels->tls = tls;
	(void)link_channels_add(channels, LINK_CHANNEL_RUNNER); /* there is none yet */
}

static void
close_here(struct link_channel *channel)
{
	link_packets_done(&channel->waiting);
	channel->of->on_close(channel);
}

void
link_channels_close(struct link_channels *channels, const char *why)
{
	struct link_channel *channel, *next;

	for (channel = SLIST_FIRST(&channels->all); channel != NULL; channel = next) {
		next = SLIST_NEXT(channel, next);
		if (channel->number < LINK_CALLS_FROM)
			link_channel_close(channel, why);
	}
}

void
link_channels_done(struct link_channels *channels)
{
	struct link_channel *channel;

	while ((channel = SLIST_FIRST(&channels->all)) != NULL) {
		SLIST_REMOVE_HEAD(&channels->all, next);
		close_here(channel);
		free(channel);
	}
}

struct link_channel *
link_channels_find(struct link_channels *channels, int64_t number)
{
	struct link_channel *channel;

	SLIST_FOREACH(channel, &channels->all, next)
	if (channel->number == number)
		break;
	return channel;
}

struct link_channel *
link_channels_add(struct link_channels *channels, int64_t number)
{
	struct link_channel *channel;

	if (channels->count == LINK_CHANNELS_MAX || link_channels_find(channels, number) != NULL)
		return NULL;
	channel = mem_new(1, sizeof(*channel));
	channel->of = channels;
	channel->number = (uint32_t)number;
	STAILQ_INIT(&channel->waiting.all);
	begin(channel);
	SLIST_INSERT_HEAD(&channels->all, channel, next);
	channels->count++;
	return channel;
}

static void
send_waiting(struct link_channel *channel)
{
	struct link_packet *packet;

	while (!channel->is_closing && (packet = STAILQ_FIRST(&channel->waiting.all)) != NULL &&
	    channel->may_send >= (int64_t)packet->size) {
		channel->may_send -= (int64_t)packet->size;
		link_tls_send(channel->of->tls, channel->number, packet->data, packet->size);
		if (channel->of->tls->watch.fd == -1)
			return;
		link_packets_drop(&channel->waiting);
	}
}

bool
link_channel_send(struct link_channel *channel, const char *packet, size_t size)
{
	if (channel->is_closing && channel->number != LINK_CHANNEL_RUNNER)
		return true; /* of what nobody reads any more */
	if (channel->waiting.size + size > WAITING_MAX)
		return false;
	(void)link_packets_add(&channel->waiting, "", 0, packet, size);
	send_waiting(channel);
	return true;
}

void
link_channel_passed(struct link_channel *channel, size_t size)
{
	struct link_word word = { .kind = LINK_CREDIT, .channel = channel->number };

	channel->to_give += (int64_t)size;
	if (channel->to_give < GIVE_FROM || channel->is_closing)
		return;
	word.bytes = channel->to_give;
	channel->may_come += channel->to_give;
	channel->to_give = 0;
	link_tls_say(channel->of->tls, &word);
}

struct link_channel *
link_channels_came(struct link_channels *channels, const struct link_frame *frame)
{
	struct link_channel *channel = link_channels_find(channels, frame->channel);

	if (channel == NULL) {
		link_tls_end(channels->tls, "channel %u is not open", frame->channel);
	} else if (channel->may_come < (int64_t)frame->size) {
		link_tls_end(channels->tls, "channel %u: more than its credit", frame->channel);
	} else if (!channel->is_closing) {
		channel->may_come -= (int64_t)frame->size;
		return channel;
	}
	return NULL;
}

void
link_channel_close(struct link_channel *channel, const char *why)
{
	struct link_word word = { .kind = LINK_CLOSE, .channel = channel->number };

	if (channel->is_closing)
		return;
	channel->is_closing = true;
	if (channel->of->closing++ == 0)
		channel->of->tls->closing_since = clock_monotonic_ms();
	close_here(channel);
	(void)text_copy(word.text, sizeof(word.text), why); /* it may be cut */
	link_tls_say(channel->of->tls, &word);
}

/* Both sides have said close. */
static void
over(struct link_channels *channels, struct link_channel *channel)
{
	channels->tls->closing_since = --channels->closing == 0 ? 0 : clock_monotonic_ms();
	if (channel->number == LINK_CHANNEL_RUNNER) {
		begin(channel);
		send_waiting(channel); /* of a server that has come since */
		return;
	}
	SLIST_REMOVE(&channels->all, channel, link_channel, next);
	channels->count--;
	free(channel);
}

static bool
closes_too_often(struct link_channels *channels)
{
	int64_t second = clock_monotonic_ms() / 1000;

	if (second != channels->second)
		channels->closes = 0;
	channels->second = second;
	return ++channels->closes > CLOSES_MAX;
}

/* Each other channel is closed once, and channel 1 has new credit each time.  True: the peer has
 * closed it first. */
static bool
on_close(struct link_channels *channels, struct link_channel *channel)
{
	bool is_first = !channel->is_closing;

	if (channel->number == LINK_CHANNEL_RUNNER && closes_too_often(channels)) {
		link_tls_end(channels->tls, "it closes channel 1 again and again");
		return false;
	}
	link_channel_close(channel, "");
	if (channels->tls->watch.fd == -1)
		return false;
	over(channels, channel);
	return is_first;
}

static void
on_credit(struct link_channels *channels, struct link_channel *channel, int64_t bytes)
{
	if (channel->may_send + bytes > LINK_WINDOW) {
		link_tls_end(
		    channels->tls, "channel %u: more credit than there is", channel->number);
		return;
	}
	channel->may_send += bytes;
	send_waiting(channel);
	if (channels->on_credit != NULL && channels->tls->watch.fd != -1)
		channels->on_credit(channel);
}

bool
link_channels_hear(struct link_channels *channels, const struct link_word *word)
{
	struct link_channel *channel = link_channels_find(channels, word->channel);
	struct link_tls *tls = channels->tls;

	if (word->kind == LINK_CLOSE && word->channel == 0)
		link_tls_end(tls, "refused by the peer: %s", word->text);
	else if ((word->kind == LINK_HELLO) == tls->is_ready)
		link_tls_end(tls, "hello was not the first word, or the only one");
	else if (word->kind == LINK_PING && tls->out.size < LINK_WINDOW) /* else it takes little */
		link_tls_say(tls, &(struct link_word){ .kind = LINK_PONG });
	else if (word->kind != LINK_CLOSE && word->kind != LINK_CREDIT)
		return word->kind != LINK_PING;
	else if (channel == NULL)
		link_tls_end(tls, "channel %" PRId64 " is not open", word->channel);
	else if (word->kind == LINK_CLOSE)
		return on_close(channels, channel);
	else
		on_credit(channels, channel, word->bytes);
	return false;
}
