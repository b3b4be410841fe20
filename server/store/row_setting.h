/* row_setting.h - which values the settings had when they were looked at last.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * A row for each value that is set and no secret: its mark, the first 16 digits of its SHA-256
 * without a login that stands in an address.  Of those that say who may what the value itself.  So
 * a start knows what was changed while nothing ran.  Of secrets row_secret.h has the marks.
 */
#pragma once

#include "settings/sources/settings_secrets.h"
#include "store/tx.h"

struct row_setting_change {
	const char *application; /* "": the main file */
	const char *name;
	const char *was, *is; /* of one that decides who may what; else NULL.  "": not set */
};

/* Compares the settings of this moment with those of the last look, keeps them, and calls it for
 * each that differs, in no order.  False: there was no look before, and nothing is compared. */
typedef void row_setting_differs(void *ctx, const struct row_setting_change *change);
bool row_setting_look(struct tx *tx, row_setting_differs *differs, void *ctx);

/* Keeps whether a name is set that is no setting any more.  True: it is, and was not at the last
 * call. */
bool row_setting_removed(struct tx *tx, const char *name, bool is_set) MUST_USE;
