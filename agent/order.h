/* order.h - is this order the server's, for us, for now, and for the first time?  Side: agent. */
/* SPDX-License-Identifier: ISC */
/*
 * No clock is trusted and nothing is remembered of orders: whoever wants to order asks for a
 * challenge, which one order may answer, within ORDER_WAIT_MS, on the connection that asked.  An
 * order that is repeated, or held back, names none that is valid.
 */
#pragma once

#include "agent/agent_settings.h"
#include "lib/order_bytes.h"
#include "runner/protocol.h"

#define ORDER_WAIT_MS 30000

/* Of one connection, all zero at first. */
struct order_challenge {
	char hex[PROTOCOL_CHALLENGE_HEX + 1]; /* "": none is valid */
	int64_t due;			      /* monotonic ms: then it is void */
};

/* A new one, which makes the one before void. */
bool order_challenge_draw(struct order_challenge *ret, struct err *err) MUST_USE;

/* order: RUN or GO.  expected: capability, run, manifest and the lowest epoch.  Takes the
 * challenge, whatever the answer. */
bool order_check(struct order_challenge *challenge, const struct protocol_message *order,
    const struct order_bytes *expected, const struct agent_settings *settings, struct err *err)
    MUST_USE;
