/* decide_seen.h - how an agent or a remote runner is, and which of them work would miss.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "chat/chat_agent.h"
#include "store/tx.h"

struct deployment;

/* That one, whose row stays the caller's, as the picture that the event carries has it. */
struct chat_agent decide_seen(struct tx *tx, const struct peer *peer);

#define DECIDE_SEEN_ABSENT 512

/* Of agents and the remote runner that the run of that work needs, each that is not enrolled, was
 * revoked or is not connected: "agent web1: disconnected since 03:12; agent web2: not enrolled", in
 * out; "": none.  Nothing is kept from being ordered by it: it may be back by then. */
const char *decide_seen_absent(
    struct tx *tx, const struct deployment *work, char out[DECIDE_SEEN_ABSENT]);
