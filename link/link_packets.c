/* link_packets.c - packets that wait until whoever is to get them takes them.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "link/link_packets.h"

#include "lib/mem.h"

struct link_packet *
link_packets_add(
    struct link_packets *packets, const void *head, size_t head_size, const void *data, size_t size)
{
	struct link_packet *packet = mem_alloc(sizeof(*packet) + head_size + size);

	*packet = (struct link_packet){ .size = head_size + size };
	memcpy(packet->data, head, head_size);
	memcpy(packet->data + head_size, data, size);
	STAILQ_INSERT_TAIL(&packets->all, packet, next);
	packets->size += packet->size;
	return packet;
}

void
link_packets_drop(struct link_packets *packets)
{
	struct link_packet *packet = STAILQ_FIRST(&packets->all);

	STAILQ_REMOVE_HEAD(&packets->all, next);
	packets->size -= packet->size;
	free(packet);
}

void
link_packets_forget(struct link_packets *packets, const void *token)
{
	struct link_packet *packet;

	STAILQ_FOREACH(packet, &packets->all, next)
	{
		if (packet->token == token)
			packet->token = NULL;
	}
}

void
link_packets_done(struct link_packets *packets)
{
	while (!STAILQ_EMPTY(&packets->all))
		link_packets_drop(packets);
}
