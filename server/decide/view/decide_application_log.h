/* decide_application_log.h - who may see what an application itself logged, and where.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/row_deployment.h"
#include "store/tx.h"

/*
 * It may be its customers' data.  In private (chat above 0) for who has the grant `log` there; in a
 * group for everybody in it, and only in the environment's own, where FAILURE_LOG_IN_CHAT says so.
 */
bool decide_shows_application_log(struct tx *tx, const char *environment, int64_t chat);

/* Whether the target can be asked for it: what a DEPLOY_SCRIPT runs is not known. */
bool decide_can_ask_application_log(struct tx *tx, const char *environment);

/* From the release on, and in a migration, what an application says may stand in the last lines of
 * this work's newest run without its mark (run_tail.h): a script of one's own sets none. */
bool decide_tail_is_private(struct tx *tx, const struct deployment *work);
