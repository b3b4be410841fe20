/* handle_enrol.c - a host shows deploybot-link a code and a request for a certificate.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/who/decide_peer_code.h"
#include "handlers/handlers.h"

void
handle_enrol(struct tx *tx, const struct event *event)
{
	decide_peer_code_use(tx, event->u.enrol);
}
