/* run_translate.h - a run in the protocol's words and in ours: order, step, record.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "runner/protocol.h"
#include "runs/run_tail.h"
#include "types/effect.h"

struct redact;

/* The order as the runner is sent it.  What no message can hold is found by whoever encodes it. */
void
run_translate_order(const struct effect_run *order, unsigned grace_s, struct protocol_message *ret);

/* Is a supervisor of that version understood?  *why says it else. */
bool run_translate_knows(unsigned version, char why[LIMIT_LINE]);

/* A step's name, safe to show: never empty, without the secrets that redact knows. */
void run_translate_step(const char *said, struct redact *redact, char ret[LIMIT_STEP]);

/* A line of runs/<id>/results; false: it says nothing of a host. */
bool run_translate_host(
    const char *line, size_t len, struct redact *redact, struct host_result *ret) MUST_USE;

/* What hinders a run's end, as far as the runner knows it: "process 4711 of it would not end". */
void run_translate_stuck(const struct protocol_message *stuck, char ret[LIMIT_LINE]);

/* Of an agent's record, what a unit that systemd has started can end with: no line of it is a step,
 * and none of a release. */
void run_translate_agent(struct protocol_message *message);

/* What a record is read with. */
struct run_context {
	struct run_tail_log log;
	int64_t went_at; /* wall ms when its gate was opened; 0: its folder knows about when */
	bool is_agents;	 /* which starts no application */
};

/* The record of a run that was begun; of its log, the last line. */
struct run_ended *run_translate_record(
    const struct run_context *context, const struct protocol_record *record, struct run_ended *ret);
