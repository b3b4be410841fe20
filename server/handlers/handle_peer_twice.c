/* handle_peer_twice.c - two hosts show the key of one peer.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/who/decide_peer.h"
#include "handlers/handlers.h"

void
handle_peer_twice(struct tx *tx, const struct event *event)
{
	decide_peer_twice(tx, event->u.peer.identity, event->u.peer.text);
}
