/* decide_gate.h - a job of a pipeline waits for its environment, goes on, and says how it ended.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * A gate is work of the action open-gate: it asks what a deployment of its commit there would ask,
 * and waits in the same queue.  RUNNING is an open gate: the job has gone on, and the environment
 * is its own until it says how it ended.
 *
 * Whoever stops an open one has its run cancelled (at GitLab its job), if that job still runs: it
 * is STOPPING, and keeps its environment, until its job is over, six minutes at most.  It ends at
 * once where its forge refuses, shows no such job, cannot be asked, or has other gates of that run;
 * what has no answer is tried again.
 */
#pragma once

#include "deployment/deployment.h"
#include "store/tx.h"
#include "types/api.h"
#include "types/delivery.h"
#include "types/event.h"

/* POST /v1/gate; tx->answer.work: the gate, of before where the same job asks again. */
void decide_gate(struct tx *tx, const struct api_request *api);

/* POST /v1/gate-end */
void decide_gate_end(struct tx *tx, const struct api_request *api);

/* GitHub itself asks whether a job may go on to that environment, and is answered when that is
 * decided (decide_forge_answer.h). */
void decide_gate_rule(struct tx *tx, const struct environment_settings *environment,
    const struct delivery_job *job);

/* A gate is refused next, for what git has said of its commit, as gate->detail says.  Of those that
 * GitHub itself has asked for, for runs of branches that its environment does not follow, a few
 * have a message each, one says where the next ones stand, and those have none. */
void decide_gate_refused(struct tx *tx, struct deployment *gate);

/* A forge says that a job is over, or a run: the gates that it has there end as it did. */
void decide_gate_over(
    struct tx *tx, const struct settings *application, const struct delivery_job *job);

/* The FORGE_STOP of tx->effect, which is a gate's: its run was cancelled, or was not. */
void decide_gate_stopped(struct tx *tx, const struct forge_said *said);

/* Somebody does not wait any longer for the end of a gate that is being stopped: its environment is
 * free, whatever its job does. */
void decide_gate_free(struct tx *tx, int64_t work);

/* TIMER_GATE of that work has fired: its job has gone, or keeps the environment for too long. */
void decide_gate_due(struct tx *tx, int64_t work);
