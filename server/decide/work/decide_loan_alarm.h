/* decide_loan_alarm.h - how often admins are rung that somebody else may have what was lent.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "deployment/deployment.h"
#include "store/tx.h"

/* May it ring that somebody else may have what that work was lent?  Three times an hour of each run
 * of jobs, of a person, and of all who have a workflow's key; twelve times of all runs of a
 * workflow.  False: it stands in the audit alone.  The first time in an hour, of each of these,
 * that is said here, which is one of the twelve where it is said of a run. */
bool decide_loan_may_alarm(struct tx *tx, const struct deployment *work) MUST_USE;
