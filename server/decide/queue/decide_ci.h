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

enum decide_ci {
	DECIDE_CI_GREEN, /* or nothing is asked */
	DECIDE_CI_PENDING,
	DECIDE_CI_FAILED,
	DECIDE_CI_CANCELLED, /* for a newer push, and nothing else failed */
};

/* ret: "ci.yml ✓, lint.yml running", or of what failed "ci.yml: failure, https://…" alone; "":
 * nothing is asked.  What has waited in its place for CI_WAIT_MINUTES has failed. */
enum decide_ci decide_ci(struct tx *tx, const struct deployment *work, char ret[LIMIT_LINE]);

/* The same for messages about work that has not begun, of an emergency what it goes past; "" of any
 * other.  Returns ret. */
const char *decide_ci_line(struct tx *tx, const struct deployment *work, char ret[LIMIT_LINE]);

/* It waits in its place for that alone, for CI_WAIT_MINUTES at most, and GitHub is asked; or
 * something else is before it, and that time has not begun. */
void decide_ci_wait(struct tx *tx, struct deployment *work);
void decide_ci_stop(struct tx *tx, struct deployment *work);

/* It has come to another state: GitHub is asked about what somebody is asked about, and not about
 * what has begun. */
void decide_ci_enter(struct tx *tx, const struct deployment *work);

/* GitHub is asked how it stands, at that wall time in ms, where CI is asked of this work and GitHub
 * is not asked already. */
void decide_ci_ask(struct tx *tx, const struct deployment *work, int64_t at);

/* A push that waits so is not replaced: under a push every ten minutes nothing would ever be
 * deployed.  Is it one whose CI has begun? */
bool decide_ci_keeps(struct tx *tx, const struct deployment *push);
