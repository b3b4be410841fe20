/* chat_pipeline.h - what is said of runs of workflows: red, green again, the last of them.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "chat/chat_text.h"
#include "types/pipeline_run.h"

struct chat_pipeline {
	const struct pipeline_run *run;
	const struct pipeline_run *first; /* the oldest that failed since; commit "": not known */
	const char *url;     /* its page; NULL or "": none is shown */
	const char *details; /* of what failed: job and step, then lines; "": not known */
	int64_t since;	     /* when the first one failed, wall ms */
	int64_t failures;    /* how many have since */
	int64_t others;	     /* workflows that failed on that commit, and have no message */
	int64_t at;	     /* of the run */
	int64_t now;
	bool is_of_several; /* repositories: its own is named in a list */
	struct chat_clock clock;
};

/* "❌ CI failed: shop main, ci.yml", and what people need to know of it. */
void chat_pipeline_red(struct chat_text *text, const struct chat_pipeline *is);

/* What the same message says when the workflow is green again there. */
void chat_pipeline_green(struct chat_text *text, const struct chat_pipeline *is);

/* One line of a list. */
void chat_pipeline_line(struct chat_text *text, const struct chat_pipeline *is);
