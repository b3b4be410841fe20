/* run.h - the one run that an agent has: its gate, its unit, its record.  Side: agent. */
/* SPDX-License-Identifier: ISC */
/*
 * `started` says that the record is on disk and nothing has begun.  Behind `go`, an order of its
 * own, its unit is compared again, gate=1 is flushed, and systemd is asked for the start, once.
 * A run whose server is lost before `go`, or that none comes for, ends with gate=0.
 */
#pragma once

#include "agent/manifest.h"
#include "agent/peer.h"
#include "agent/record.h"

/* What runs need of the agent. */
struct run_world {
	struct systemd *systemd;
	const struct order_keys *settings;
	struct records records;
	int state; /* descriptor of the state folder */
};

enum run_state { RUN_NONE, RUN_AT_GATE, RUN_GOING, RUN_OVER };

struct run {
	enum run_state state;
	struct record *record;
	char unit[MANIFEST_UNIT]; /* its name */
	char manifest[65], digest[65]; /* of all units; of this one */
	int64_t deadline_ms;
	int64_t began; /* monotonic ms of its start; 0: an agent before us has begun it */
	int64_t due;   /* monotonic ms: at the gate it gives up, going it is stopped */
	int folder;    /* runs/ID: socket and log */
	struct peer peer;
};

/* Makes folder, socket and record; then it waits at its gate.  digest: of its unit, now. */
bool run_begin(struct run *run, struct run_world *world, const struct protocol_message *order,
    const char *digest, struct err *err) MUST_USE;

/* A server has come to its socket; has said something or hung up, or the guest of its peer has. */
void run_accept(struct run *run);
void run_hear(struct run *run, struct run_world *world, bool is_guest);

/* Whatever has come of time and of systemd.  RUN_OVER: its record is written and was said. */
void run_advance(struct run *run, struct run_world *world);

/* ms until run_advance() has something to do; -1: nothing. */
int run_wait_ms(const struct run *run);

/* What a unit's end is in a record. */
void run_fill_record(struct protocol_record *record, const struct systemd_end *end);
/* runs/ID in the state folder, opened; -1: it cannot be made. */
int run_make_folder(int state, uint64_t id);

/* Closes what it has open. */
void run_done(struct run *run);

/* The end of what run `id` said; returns its bytes, 0 where there is none (any more). */
size_t run_log_end(int state, uint64_t id, char out[PROTOCOL_END_MAX]);

/* At the start: a run that an agent before us began is lost, and what is left of it is stopped. */
void run_recover(struct run *run, struct run_world *world);
