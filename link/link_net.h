/* link_net.h - sockets of TCP: listens, accepts, dials.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "link/link_settings.h"

#define LINK_ENDPOINT 56 /* address and port as text */

int link_net_listen(const struct link_address *address, struct err *err) MUST_USE;
/* -1: there is none now.  ret: whose it is. */
int link_net_accept(int listener, char ret[LINK_ENDPOINT]);

/* Looks up a name without waiting, one address of it at a time. */
struct link_dial;
struct link_dial *link_dial_new(const struct link_address *address);
/* A socket that connects; -1 with *err: it failed, -1 without: ask again. */
int link_dial_try(struct link_dial *dial, struct err *err);
