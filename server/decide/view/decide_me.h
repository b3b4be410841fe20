/* decide_me.h - who asks over /v1, and what they may do where.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/api.h"

struct json_out;

/* GET /v1/me, of whoever was let in: their roles in force, and each grant of these as it stands,
 * "*" for all.  What a page shows by it the server decides anew.  Of a session of the console until
 * when it lasts, and when its person has proved last that it is they. */
void decide_me(struct tx *tx, const struct api_request *api, struct json_out *json);
