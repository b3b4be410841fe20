/* run.h - the one run that an agent has: its gate, its unit, its record.  Side: agent. */
/* SPDX-License-Identifier: ISC */
/*
 * `started` says that the record is on disk and nothing has begun.  Behind `go`, which is an order
 * of its own, the manifest is compared again, gate=1 is flushed, and then systemd is asked to start
 * the unit, once.  A run whose server is lost before `go`, or that none comes for, ends with gate=0.
 */
#pragma once

#include "agent/manifest.h"
#include "agent/peer.h"
#include "agent/record.h"

enum run_state { RUN_NONE, RUN_AT_GATE, RUN_GOING, RUN_OVER };

struct run {
	enum run_state state;
	uint64_t id;
	int folder;
	int64_t due;	/* monotonic ms: at the gate it gives up; going it is stopped */
	int64_t deadline_ms;
	uint64_t epoch;
	char capability[PROTOCOL_CAPABILITY + 1];
	char manifest[UNIT_FILE_DIGEST];
	struct protocol_record record;
	struct peer peer;
};

/* What it needs of the agent. */
struct run_world {
	struct systemd *systemd;
	const struct agent_settings *settings;
	struct records *records;
};

/* Makes the record and the socket; then it waits at its gate.  Fails with nothing left of it. */
bool run_begin(struct run *run, const struct run_world *world,
    const struct protocol_message *order, struct err *err) MUST_USE;

/* A server has come to its socket, has said something or hung up. */
void run_accept(struct run *run);
void run_hear(struct run *run, const struct run_world *world);

/* Whatever has come of time and of systemd.  RUN_OVER: its record is written and was said. */
void run_advance(struct run *run, const struct run_world *world);

/* ms until run_advance() has something to do; -1: nothing. */
int run_wait_ms(const struct run *run);

/* It is over, or the agent ends: closes what it has open. */
void run_done(struct run *run);

/* At the start: a run that an agent before us began is lost, and what is left of it is ended. */
void run_recover(const struct run_world *world);
