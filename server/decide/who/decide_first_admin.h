/* decide_first_admin.h - a one-time link, by which the first admin says who they are.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/api.h"

struct json_out;

/*
 * Of root on this machine alone.  A link gives nobody a right: who has opened it is told to root,
 * whose set-up writes the id into the settings.  A new one takes the place of the one before it.
 */
void decide_first_admin(struct tx *tx, const struct api_request *api, struct json_out *json);

/* Is that the code of the link, for the first time and within 10 minutes?  Then it was answered. */
bool
decide_first_admin_opens(struct tx *tx, const struct update *update, const char *code) MUST_USE;
