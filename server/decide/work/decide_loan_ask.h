/* decide_loan_ask.h - a secret that the settings lend is asked for.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/api.h"

/* POST /v1/secret; tx->answer.work: the loan, of before where the same job asks again. */
void decide_loan(struct tx *tx, const struct api_request *api);
