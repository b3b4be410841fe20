/* link_listen.h - where hosts and deploybot connect, and how many can.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/socket.h>

#include "link/link_poll.h"
#include "link/link_settings.h"

struct link_listen {
	/* Who connects is taken by these, with ctx as the watch's. */
	link_watch_fn *on_host, *on_server;
	void *ctx;
	struct link_watch net, net6, local;
	struct link_watch *calls; /* one more; NULL: there is none */
	bool is_full; /* there is no descriptor for who connects */
};

/* How many descriptors there may be: as many as are wanted, or as it is let have. */
size_t link_listen_files(size_t wanted);

/* Its first three are set. */
bool link_listen_open(struct link_listen *listen, struct link_poll *poll,
    const struct link_settings *settings, struct err *err) MUST_USE;
/* -1 without a free descriptor: who connects waits. */
int link_listen_take(struct link_listen *listen, struct link_watch *listener,
    struct sockaddr_storage *from);
/* A connection has ended, or others of this machine may have ended theirs. */
void link_listen_again(struct link_listen *listen);
