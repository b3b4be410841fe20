/* link_client.h - the connection to deploybot-link: who may connect there.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * One SOCK_SEQPACKET connection, for all agents and remote runners (link/README.md).  It is made
 * anew for ever; while there is none, link lets in whom we have said yes to.
 */
#pragma once

#include "lib/loop.h"
#include "types/peers.h"

struct link_client;

/* Copies the path.  Connects at once, or later: nothing waits for it. */
struct link_client *link_client_new(struct loop *loop, const char *path) MUST_USE;

/* Takes what is enrolled now: who is connected by another key, or revoked, is cut off. */
void link_client_take_peers(struct link_client *client, struct known_peers *peers);

/* Takes NULL; not inside a callback. */
void link_client_free(struct link_client *client);
