/* handle_peer_manifest.c - an agent says another list of what it may be ordered.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/who/decide_manifest.h"
#include "handlers/handlers.h"

void
handle_peer_manifest(struct tx *tx, const struct event *event)
{
	decide_manifest_said(tx, event->u.peer.identity, event->u.peer.text);
}
