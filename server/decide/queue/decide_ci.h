/* decide_ci.h - what CI says of a deployment's commit, where its environment asks that.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * <ENV>_REQUIRE_CI names workflows whose newest run on the commit has to have passed.  It is asked
 * of deployments alone: an emergency passes it, and rollbacks, gates and actions ship nothing that
 * CI could judge.
 */
#pragma once

#include "deployment/deployment.h"
#include "store/tx.h"
#include "types/event.h"

enum decide_ci {
	DECIDE_CI_GREEN, /* or nothing is asked */
	DECIDE_CI_PENDING,
	DECIDE_CI_FAILED,
	DECIDE_CI_CANCELLED, /* and nothing else failed */
};

/* ret: "ci.yml ✓, lint.yml running", or of what failed "ci.yml: failure, https://…" alone; "":
 * nothing is asked. */
enum decide_ci decide_ci(struct tx *tx, const struct deployment *work, char ret[LIMIT_LINE]);

/* The same for messages about work that has not begun; "" of any other.  Returns ret. */
const char *decide_ci_line(struct tx *tx, const struct deployment *work, char ret[LIMIT_LINE]);

/* Has it waited for CI_WAIT_MINUTES? */
bool decide_ci_is_late(struct tx *tx, const struct deployment *work);

/* It waits in its place: GitHub is asked now and each half minute. */
void decide_ci_wait(struct tx *tx, struct deployment *work);

/* A push that waits so is not replaced: under a push every ten minutes nothing would ever be
 * deployed.  Is it one whose CI has begun? */
bool decide_ci_keeps(struct tx *tx, const struct deployment *push);

/* A webhook has said how a run stands, for each application that it speaks for. */
void decide_ci_note(struct tx *tx, const struct delivery *delivery);

/* GitHub has answered for that work. */
void decide_ci_read(struct tx *tx, int64_t work, const struct github_runs_read *read);
