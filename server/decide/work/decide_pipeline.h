/* decide_pipeline.h - a run at a forge that we begin: it is work, and its end is the work's.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * Its forge is asked once to begin it, whatever becomes of the answer.  Where that is missing the
 * run is looked for at GitHub, for two minutes, by a word of ours in its title; without one, and at
 * GitLab, nobody knows which it is, and that is said.  A run that is known ends by an event or by a
 * look each minute.
 */
#pragma once

#include "deployment/deployment.h"
#include "store/tx.h"
#include "types/pipeline_run.h"

/* What it has said to the FORGE_START, FORGE_STOP or FORGE_LOOK of tx->effect. */
void decide_pipeline_said(struct tx *tx, const struct forge_said *said);

/* GitHub has said what failed in the run of that work: lines, "" it is not known. */
void decide_pipeline_failed(struct tx *tx, int64_t work, const char *details);

/* A run, as a delivery that speaks for that application has it: where it is none of ours nothing
 * comes of it. */
void decide_pipeline_seen(
    struct tx *tx, const struct settings *application, const struct pipeline_run *run);

/* Why the failed jobs of its run are not to run again: "passed since: #12", "runs again already:
 * #12"; "": they may, or it begins a run of its own. */
const char *decide_pipeline_since(struct tx *tx, int64_t work, char ret[LIMIT_LINE]);

/* The program began: those that nothing would end are looked at, or given up. */
void decide_pipelines_look(struct tx *tx);
