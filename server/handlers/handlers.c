/* handlers.c - the table; each handler stands in a file of its own.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "handlers/handlers.h"

#include "decide/tell/decide_pin.h"
#include "decide/queue/decide_queue.h"
#include "decide/audit/decide_witness.h"

/* What a decision has marked is looked at before it ends. */
#define EVENT(upper, lower) \
	static void decide_##lower(struct tx *tx, const struct event *event) \
	{ \
		handle_##lower(tx, event); \
		decide_queues(tx); \
		decide_pins(tx); \
		decide_witness_look(tx); \
	}
#include "types/event.def"

store_handler *const handlers[EVENT_KIND_COUNT] = {
#define EVENT(upper, lower) [EVENT_##upper] = decide_##lower,
#include "types/event.def"
};
