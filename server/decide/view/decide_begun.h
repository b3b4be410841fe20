/* decide_begun.h - what a program is answered that has asked for some work.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

struct json_out;

/* "id" and "state" of tx->answer.work (both null: there is none yet, or nothing to be done), and
 * "said".  The state of what waits for git is what it will wait for by what is known now. */
void decide_put_begun(struct tx *tx, struct json_out *json);
