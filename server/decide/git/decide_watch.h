/* decide_watch.h - a workflow that fails on an environment's branch is said, and its green again.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * One message in a chat for each workflow that is red on a branch: the first failure rings, all
 * that comes after it is an edit.  What was cancelled or skipped changes nothing.
 */
#pragma once

#include "store/tx.h"
#include "types/event.h"

/* Is that run of a branch that an environment of that application follows, and of a workflow that
 * WATCH_PIPELINES has? */
bool decide_watch_wants(const struct settings *application, const struct pipeline_run *run);

/* That run is noted, and wanted. */
void decide_watch(
    struct tx *tx, const struct settings *application, const struct pipeline_run *run);

/* GitHub has said what failed in it: the message shows that.  red: of row_pipeline.h. */
void decide_watch_read(struct tx *tx, int64_t red, const struct github_failure_read *read);
