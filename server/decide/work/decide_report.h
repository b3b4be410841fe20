/* decide_report.h - a forge shows what is deployed among its Deployments.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * Of deployments and rollbacks, where REPORT_DEPLOYMENTS, GITHUB_REPOSITORY and a credential are
 * set (docs.github.com/rest/deployments).  Nothing waits for it: what GitHub has not taken after a
 * day is dropped (effect.def).
 */
#pragma once

#include "deployment/deployment.h"
#include "store/tx.h"
#include "types/event.h"

/* Its state was `from`: orders what is reported of that, if anything. */
void decide_report(struct tx *tx, const struct deployment *work, enum deploy_state from);

/* The FORGE_REPORT of tx->effect is over: a no is logged, once a day for each repository. */
void decide_report_said(struct tx *tx, const struct forge_said *said);
