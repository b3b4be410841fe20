/* decide_installation.c - lines about deploybot itself.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/view/decide_installation.h"

#include "decide/decide_reply.h"
#include "decide/git/decide_redelivery.h"
#include "store/row_leader.h"

static void
say_servers(struct tx *tx, struct chat_text *text)
{
	const struct chat_clock clock = decide_clock(tx, "");
	struct row_leader leader;

	if (!row_leader_get(tx, &leader) || (leader.standby[0] == '\0' && leader.other[0] == '\0'))
		return; /* it is alone, and is meant to be */
	if (leader.standby[0] == '\0') {
		chat_text_outside(text, "\n⚠️ ", leader.other);
		chat_text_add(text, " is gone, or cannot lead");
	}
	chat_text_outside(text, leader.standby[0] == '\0' ? "; " : "\n🖥 ", leader.name);
	chat_text_since(text, " leads since ", &clock, leader.since, tx->at);
	chat_text_some(text, "; its standby: ", leader.standby);
	chat_text_add(text, "\n");
}

void
decide_installation_status(struct tx *tx, struct chat_text *text)
{
	say_servers(tx, text);
	decide_redelivery_status(tx, text);
}
