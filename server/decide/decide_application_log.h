/* decide_application_log.h - who may see what an application itself logged, and where.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

/*
 * It may be its customers' data.  In private (chat above 0) for who has the grant `log` there; in a
 * group for everybody in it, and only in the environment's own, where FAILURE_LOG_IN_CHAT says so.
 */
bool decide_shows_application_log(struct tx *tx, const char *environment, int64_t chat);
