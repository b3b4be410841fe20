/* decide_settings.h - entries of the audit about settings that changed, and about each start.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/secret.h"

/* The program began: which version, on a copy or not, and what differs from the settings of the
 * last run.  Of what says who may what an entry for each, with the old and the new value. */
void decide_settings_started(struct tx *tx, bool is_restored);

/* Settings were read anew: the same entries of what says who may what.  names_wanted: of all else
 * the names, too, which the entry about that reload has not all. */
void decide_settings_reloaded(struct tx *tx, bool names_wanted);

/* These secrets are in force: names those that are others than they were.  Returns as
 * row_secret_see(). */
int64_t decide_settings_secrets(struct tx *tx, const struct secrets_seen *seen);
