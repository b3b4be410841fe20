/* runner_order.h - what is taken as an order: of which epoch, and at a remote runner by which proof.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "runner/connections.h"

/* What a remote runner has, and a local one has not: whose orders alone are taken, and how that is
 * found out (lib/order_check.h). */
struct order_gate {
	bool (*draw)(struct order_challenge *ret, struct err *err);
	bool (*check)(struct order_challenge *challenge, const struct order_shown *shown,
	    const struct order_keys *keys, struct err *err);
	bool (*is_signed)(const char *text, const struct order_bytes *order,
	    const struct order_keys *keys);
	struct order_keys keys;
};

struct runner_order {
	const struct order_gate *gate; /* NULL: whoever connects orders, and nothing is proven */
	uint64_t epoch;		       /* the highest of a server here, in runs/epoch */
	const char *state;	       /* the state directory */
	int root;		       /* its runs/ */
	char fault[256];	       /* why a state was not taken last; "": it was */
};

/* The highest epoch that counts, of that file in a folder: "epoch" in runs/; 0: nobody has said
 * one.  False and *err: it cannot be read. */
bool runner_order_epoch(int folder, const char *name, uint64_t *ret, struct err *err) MUST_USE;

/* Takes runs/, and reads what is kept there of the servers' epochs. */
bool runner_order_open(struct runner_order *who, int root, struct err *err) MUST_USE;

/* Of `run`, which is the order itself, or the one that `go` is for. */
struct order_shown runner_order_shown(const struct protocol_message *order,
    const struct protocol_message *run, char work[PROTOCOL_WORK]);

/* The highest number that a folder of a run has here; 0: there is none, or no remote runner is. */
uint64_t runner_order_highest(const struct runner_order *who);

/* May that connection order, by the epoch of its hello?  Those of lower ones are lost then.  At a
 * remote runner the epoch is kept with the first thing of it that is proven.  False: another leads
 * since, or *err says why the epoch cannot be kept. */
bool runner_order_greet(struct runner_order *who, struct connections *connections,
    struct connection *connection, uint64_t epoch, struct err *err) MUST_USE;

/* Looks whether a RUN is of an epoch that counts.  What of these words is a remote runner's:
 * answers challenge, read and state, and looks whether a RUN of that connection is proven, which
 * takes its challenge, or a PURGE, or a GIT_QUERY.  False: it must not be carried out. */
bool runner_order_take(struct runner_order *who, struct connections *connections,
    struct connection *connection, const struct protocol_message *order, struct err *err) MUST_USE;

/* Does the server of that connection (0: any one) have everything here that scripts must know of
 * other environments before they remove something?  Of a local runner it always has. */
bool runner_order_knows_states(
    const struct runner_order *who, const struct connections *connections, uint64_t number);

/* No order of before can follow. */
void runner_order_void(struct connections *connections);
