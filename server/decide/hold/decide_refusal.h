/* decide_refusal.h - why nothing is deployed to an environment now, and what waits all the same.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/environment_id.h"
#include "store/tx.h"

/* Why nothing is deployed to this environment now; NULL: it may.  settings_refusal() with what the
 * rows know: which of two that are one target is live, and whether its old name still has a run.
 * It names no other environment: decide_sees_refusal() does, to who sees that one. */
const char *decide_refusal(struct tx *tx, const char *environment);

/* The same with the name of the other one, and what both share, for decide_sees_refusal() alone. */
const char *decide_refusal_whole(struct tx *tx, const char *environment);

/* The same of any work; what only reads goes on beside another environment that is the same target,
 * for it changes neither. */
const char *decide_refusal_of(struct tx *tx, const char *environment, bool is_read);

/* The same of work that is there, which an agent may have to be ordered; it may stand in out. */
struct deployment;
const char *
decide_refusal_of_work(struct tx *tx, const struct deployment *work, char out[LIMIT_LINE]);

/* Why no archives are deployed there, behind its name, in `out`; NULL: they are. */
const char *decide_refusal_of_upload(
    const struct environment_settings *settings, char out[LIMIT_LINE]);

/* Does what is queued there wait although no settings have the environment?  It is about to get
 * another name, or its application's file cannot be read now. */
bool decide_keeps_waiting(struct tx *tx, const char *environment);

/* The environment that had this name, which no settings have now; NULL: none had. */
const char *decide_new_name(const struct tx *tx, const char *environment);

/* Are rows of a former name, which is written, to become this environment's?  That has none of its
 * own then, and no settings have the old name. */
bool
decide_is_to_be_renamed(struct tx *tx, const char *environment, char former[ENVIRONMENT_ID_MAX]);

#define DECIDE_IS_RENAMED \
	"its application was renamed, and work under the old name has not ended yet"

/* The name under which its rows stand now: the former one until they are renamed. */
const char *
decide_row_name(struct tx *tx, const char *environment, char former[ENVIRONMENT_ID_MAX]);

/* Does its application say RENAMED_FROM, and something was deployed under either name?  Then the
 * rows of former stay what they are. */
bool decide_stays_apart(struct tx *tx, const char *environment, char former[ENVIRONMENT_ID_MAX]);
