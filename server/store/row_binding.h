/* row_binding.h - the list of what may ship a piece of work, as the runner made it.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * NAME=MARK NAME=MARK … (lib/fingerprint.h): settings, hooks, never a value.  Its digest stands
 * with the work (deployment.h) and goes with its order.
 */
#pragma once

#include "deployment/deployment.h"
#include "lib/fingerprint.h"
#include "store/tx.h"

void row_binding_set(struct tx *tx, int64_t work, const char *list);

/* "": none was stored.  Returns ret. */
const char *row_binding_get(struct tx *tx, int64_t work, char ret[FINGERPRINT_LIST_MAX]);

/* The next behind that number whose place waits for settings; 0: none. */
int64_t row_binding_waiting(struct tx *tx, int64_t after);

/* What of that list is bound: of an upload also that it is one, and the digest of its tree. */
const char *row_binding_digest(
    const struct deployment *deployment, const char *list, char out[LIMIT_DIGEST]);
