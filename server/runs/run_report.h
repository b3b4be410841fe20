/* run_report.h - what whoever ordered a run learns of it before its end.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "runner/protocol.h"
#include "runs/runs.h"

struct run_report {
	int64_t run;
	struct redact *redact;
	struct runs_watch watch;
	/* What was said once. */
	bool said_hello;
	bool said_incompatible;
	bool said_attached;
	bool said_unreachable;
	bool said_lost;
	bool said_stuck;
	size_t said_steps; /* so many */
};

/* One step more; of all steps there are, those that were not reported yet. */
void run_report_step(
    struct run_report *report, const struct protocol_step *said, const char *image);
void run_report_steps(struct run_report *report, const struct protocol_message *message);

/* Whole lines of runs/<id>/results, in batches; none: that file is gone. */
void run_report_hosts(struct run_report *report, const char *lines, size_t size);

/* Each once. */
void run_report_attached(struct run_report *report, const struct effect_run *order);
void run_report_hello(struct run_report *report, const struct protocol_message *message);
void run_report_lost(struct run_report *report);
void run_report_incompatible(struct run_report *report, const char *why);

/* It is there, says the runner, and we see another runs/, or may not look. */
void run_report_unreachable(
    struct run_report *report, const char *state_directory, const struct err *why);

/* The runner's word about a run whose supervisor is gone; it decides nothing. */
void run_report_stuck(struct run_report *report, const struct protocol_message *message);
