/* agent_channel.c - the channels of an agent's runs: packets there and back.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "runs/agent_channel.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/crypto_ed25519.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "runs/link_client.h"

struct agent_channel {
	SLIST_ENTRY(agent_channel) next;
	struct agent_channels *of; /* NULL: it is closed */
	uint32_t number;
	struct agent_channel_watch watch;
};

bool
agent_channels_send(const struct agent_channels *channels, uint32_t number,
    const struct protocol_message *message, struct err *err)
{
	char packet[PROTOCOL_PACKET_MAX];
	size_t size = 0;

	if (!protocol_encode(message, packet, sizeof(packet), &size, err))
		return false;
	link_client_send(channels->link, channels->identity, number, packet, size);
	return true;
}

bool
agent_channels_sign(const struct agent_channels *channels, struct order_bytes *order,
    struct protocol_proof *proof, struct err *err)
{
	uint8_t bytes[ORDER_BYTES_MAX], signature[CRYPTO_ED25519_SIGNATURE];
	size_t size;

	order->agent = strchr(channels->identity, '/') + 1;
	order->epoch = proof->epoch = channels->epoch;
	order->challenge = proof->challenge;
	size = order_bytes_write(order, bytes);
	if (size == 0)
		return err_set(err, ERR_LIMIT, "an order that is too long");
	if (!crypto_ed25519_sign(channels->seed, bytes, size, signature, err))
		return false;
	text_hex(proof->signature, signature, sizeof(signature));
	return true;
}

bool
agent_channels_prove(
    const struct agent_channels *channels, struct protocol_message *message, struct err *err)
{
	char work[PROTOCOL_WORK];
	struct order_bytes order = { .kind = protocol_kind_name(message->kind),
		.capability = protocol_work(message, work),
		.run = message->id,
		.manifest = message->fingerprint };

	return agent_channels_sign(channels, &order, &message->proof, err);
}

/* A word of link's, about a channel (link/link_frame.h). */
static void PRINTF(2, 3) say_word(const struct agent_channels *channels, const char *fmt, ...)
{
	char word[128];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(word, sizeof(word), fmt, args);
	va_end(args);
	assert((size_t)n < sizeof(word));
	link_client_send(channels->link, channels->identity, 0, word, (size_t)n);
}

struct agent_channel *
agent_channel_open(
    struct agent_channels *channels, int64_t run, const struct agent_channel_watch *watch)
{
	struct agent_channel *channel;

	if (channels->last == 0)
		return NULL;
	channel = mem_new(1, sizeof(*channel));
	*channel =
	    (struct agent_channel){ .of = channels, .number = ++channels->last, .watch = *watch };
	SLIST_INSERT_HEAD(&channels->all, channel, next);
	say_word(channels, "open\nchannel %" PRIu32 "\nid %" PRId64 "\n", channel->number, run);
	return channel;
}

void
agent_channel_free(struct agent_channel *channel)
{
	if (channel == NULL)
		return;
	if (channel->of != NULL) {
		say_word(channel->of, "close\nchannel %" PRIu32 "\ntext it is not needed\n",
		    channel->number);
		SLIST_REMOVE(&channel->of->all, channel, agent_channel, next);
	}
	free(channel);
}

void
agent_channel_send(struct agent_channel *channel, const struct protocol_message *message)
{
	if (channel->of != NULL &&
	    !agent_channels_send(channel->of, channel->number, message, NULL))
		abort(); /* what has no text can always be said */
}

static struct agent_channel *
find(const struct agent_channels *channels, uint32_t number)
{
	struct agent_channel *channel;

	SLIST_FOREACH(channel, &channels->all, next)
	{
		if (channel->number == number)
			break;
	}
	return channel;
}

void
agent_channels_take(
    struct agent_channels *channels, uint32_t number, const char *packet, size_t size)
{
	const struct agent_channel *channel = find(channels, number);
	struct protocol_message message;
	struct err err;

	if (channel == NULL)
		return;
	if (protocol_decode(packet, size, &message, &err))
		channel->watch.on_message(channel->watch.ctx, &message);
	else
		channel->watch.on_unreadable(channel->watch.ctx, err.text);
}

static void
close_channel(struct agent_channel *channel)
{
	SLIST_REMOVE(&channel->of->all, channel, agent_channel, next);
	channel->of = NULL;
	channel->watch.on_closed(channel->watch.ctx);
}

void
agent_channels_close(struct agent_channels *channels, uint32_t number)
{
	struct agent_channel *channel = find(channels, number);

	if (channel != NULL)
		close_channel(channel);
}

void
agent_channels_begin(struct agent_channels *channels)
{
	channels->last = AGENT_CHANNEL_RUNNER;
}

void
agent_channels_end(struct agent_channels *channels)
{
	channels->last = 0;
	while (!SLIST_EMPTY(&channels->all))
		close_channel(SLIST_FIRST(&channels->all));
}
