/* decide_factor_own.h - one's own second factor: begun in the chat, shown by the page.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * /2fa makes a secret, which stands in its row, sealed, and nowhere else; the page shows it, once,
 * in a session of its person (POST /v1/factor); /2fa confirm CODE proves that it was scanned.  Then
 * another person with the grant `2fa` says whose it is, with a code of their own, or root does on
 * the server.  So a session that was stolen enrols nothing.
 */
#pragma once

#include "store/tx.h"
#include "types/api.h"

struct json_out;

void decide_factor_own_begin(struct tx *tx, const struct update *update);

/* Has that person begun one that is not proven yet? */
bool decide_factor_own_waits(struct tx *tx, int64_t person);

/* Secret, URI and QR code of what whoever asks has begun: to a session of the console alone. */
void decide_factor_own_show(struct tx *tx, const struct api_request *api, struct json_out *json);

void decide_factor_own_prove(struct tx *tx, const struct update *update, const char *code);

/* [Confirm], under what that person has made at that moment. */
void decide_factor_own_confirm(
    struct tx *tx, const struct update *update, int64_t person, int64_t made_at);
