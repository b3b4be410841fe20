/* decide_pad.h - asks for a code: a pad of buttons in private, whose digits are taken one by one.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "decide/factor/decide_factor_try.h"
#include "store/row_pad.h"
#include "types/api.h"
#include "types/request.h"

/* What the update wants needs a code (decide_factor_is_wanted()): shows the pad, or says why there
 * is none.  Over /v1 the answer says that a code belongs into the request. */
void decide_pad_ask(struct tx *tx, const struct update *update);

/* For CLEANUP: of its digits nothing is left behind, however a function returns. */
void decide_pad_wipe(struct pad *pad);

/* The pad of whoever sent the update; message 0: there is none.  False: what it is about is not
 * what was shown when it was asked for; it is closed, that was said, and no code is used. */
bool decide_pad_get(struct tx *tx, const struct update *update, struct pad *ret) MUST_USE;

/* A button of a pad was pressed by whom it is for.  Where that completes a code, or one that
 * recovers was typed, it is decide_factor_typed(): the caller goes on with decide_pad_use(). */
void decide_pad_press(struct tx *tx, const struct update *update, const struct request *request);

/* The pad of that person may have expired: its message says so. */
void decide_pad_due(struct tx *tx, int64_t person);

/* What the pad is for is decided with decide_factor_typed(); its presses are answered by
 * `update`. */
void decide_pad_use(struct tx *tx, const struct update *update, decide_factor_fn *act);
