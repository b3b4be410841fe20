/* handle_peer_seen.c - the next key of a peer has connected.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/who/decide_renewal.h"
#include "handlers/handlers.h"

void
handle_peer_seen(struct tx *tx, const struct event *event)
{
	decide_renewal_seen(tx, event->u.peer.identity, event->u.peer.text);
}
