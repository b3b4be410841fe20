/* chat_deployment_show.h - what /show says: the whole story of one deployment, rollback or action.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "chat/chat_deployment.h"
#include "policy/needs.h"

#define CHAT_SHOW_RUNS	8  /* listed; beyond it a count */
#define CHAT_SHOW_STEPS 24 /* of one run */
#define CHAT_SHOW_AUDIT 32 /* numbers of entries */
#define CHAT_SHOW_WARNINGS 8 /* of its newest run */

struct chat_show_run {
	int64_t id;
	enum program program;
	struct run_times times;
	char runner[LIMIT_RUNNER]; /* that has it */
	struct runner_gone gone;   /* that runner, where it is disconnected */
	const struct step *steps;
	size_t n_steps;
};

struct chat_show {
	const struct chat_deployment *about; /* as its first line needs it */
	struct chat_history is;		     /* what became of its release */
	const char *where; /* it was asked for: "in the team's chat"; "" where nobody asked */
	const struct approval *approvals;
	size_t n_approvals;
	const struct chat_show_run *runs; /* the oldest first */
	size_t n_runs;
	bool has_more_runs;
	const int64_t *audit; /* numbers of entries, rising */
	size_t n_audit;
	bool has_more_audit;
	const char *audit_head; /* the digits of the last of them; "": there is none */
};

void chat_show(struct chat_text *text, const struct chat_show *is);
