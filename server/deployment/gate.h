/* gate.h - work that lets a job of a pipeline go on to its environment.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"
#include "types/job.h"

struct deployment;
struct settings;

/* The action that lets a job of a pipeline go on to its environment: what will come is its commit,
 * so it asks what a deployment of that asks. */
bool deployment_is_gate(const struct deployment *deployment);

/* GitHub itself has asked for it: nobody here has, by whom its run was begun is a row. */
bool deployment_is_of_rule(const struct deployment *deployment);

/* What people call that action: "gate", "secret", or its name. */
const char *deployment_action_word(const struct deployment *action);

/* A run at a forge that we began.  It is in progress beside whatever keeps its environment busy: a
 * gate of its own may be that. */
bool deployment_is_pipeline(const struct deployment *deployment);

/* A secret is lent. */
bool deployment_is_loan(const struct deployment *deployment);

/* It goes on beside whatever keeps its environment busy: that may be what waits for it. */
bool deployment_is_apart(const struct deployment *deployment);

/* How long it waits for approvals. */
int64_t deployment_approval_ms(
    const struct settings *settings, const struct deployment *deployment);

/* Why it went so, in words; "": its detail says it, as of a gate or a run that has failed: no
 * script of ours has.  Of what was lent its note says it, too. */
const char *deployment_why_word(const struct deployment *deployment);

/* Its commit is what it brings. */
bool deployment_brings_commit(const struct deployment *deployment);

/* The same of what git can be asked about (lib/commit.h): of none yet, git says which it is. */
bool deployment_asks_git(const struct deployment *deployment);

/* The newest gate of an environment that was open and has ended. */
struct last_gate {
	int64_t work; /* 0: there is none */
	char commit[LIMIT_COMMIT];
	int64_t ended_at; /* wall ms */
	char run[JOB_NUMBER]; /* its number at the forge */
	char repository_id[JOB_MARK + JOB_NUMBER];
	bool is_well;	  /* else nobody knows what its job has changed */
	bool is_left;	  /* nor how it ended: it may still go on */
};
