/* link_packets.h - packets that wait until whoever is to get them takes them.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/queue.h>

#include "lib/base.h"

struct link_packet {
	STAILQ_ENTRY(link_packet) next;
	void *token;	/* whose credit it is; NULL: nobody's */
	size_t cost;	/* bytes of that credit */
	size_t size, sent;
	char data[];
};

/* All zero at first, and then STAILQ_INIT(&all). */
struct link_packets {
	STAILQ_HEAD(link_packet_list, link_packet) all;
	size_t size;	/* bytes of all */
};

/* At the end, of two parts. */
struct link_packet *link_packets_add(struct link_packets *packets, const void *head,
    size_t head_size, const void *data, size_t size);
/* The first of all, which there is. */
void link_packets_drop(struct link_packets *packets);
/* Nobody has that token any more: its packets have none. */
void link_packets_forget(struct link_packets *packets, const void *token);
void link_packets_done(struct link_packets *packets);
