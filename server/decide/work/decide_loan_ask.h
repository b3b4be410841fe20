/* decide_loan_ask.h - a secret that the settings lend is asked for.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/api.h"
#include "types/update.h"

/* POST /v1/secret, by a job or a person; tx->answer.work: the loan, of before where the same asks
 * again. */
void decide_loan(struct tx *tx, const struct api_request *api);

/* A person asks in their private chat, where it is sent to them.  name: as it was typed, a name or
 * a path of the settings; reason: what for, "" none. */
void decide_loan_in_chat(
    struct tx *tx, const struct update *update, const char *name, const char *reason);
