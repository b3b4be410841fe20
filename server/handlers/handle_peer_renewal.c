/* handle_peer_renewal.c - an agent's host asks for the certificate of its next key.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/who/decide_renewal.h"
#include "handlers/handlers.h"

void
handle_peer_renewal(struct tx *tx, const struct event *event)
{
	decide_renewal(tx, event->u.peer.identity, event->u.peer.text);
}
