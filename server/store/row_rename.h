/* row_rename.h - an environment or an application gets another name.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

/* Is there anything of an environment of that name: what is live, or work? */
bool row_rename_has_rows(struct tx *tx, const char *environment);

/* Was anything ever deployed there? */
bool row_rename_has_history(struct tx *tx, const char *environment);

/* All rows of the one are the other's; that has no history, and nothing of the first is active.
 * The audit stays as it was written.  Both state files follow after the commit. */
void row_rename(struct tx *tx, const char *from, const char *to);

/* An application has another name ("": the main file's own): runs, what has failed and webhooks of
 * its forge are that one's; of what both have the new one's stays. */
void row_rename_pipelines(struct tx *tx, const char *from, const char *to);
