/* decide_peer_code.h - a host enrols by a code that an admin has drawn for it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/api.h"

struct json_out;

/* Does it want a key enrolled, or a name moved, and names none? */
bool decide_peer_code_is_wanted(const struct api_request *api) MUST_USE;

/* As decide_peer(), of the key that shows the code within ten minutes: puts "code" and "line" into
 * json, what is typed on the host.  One of each name; where LINK_CA_KEY is set. */
void decide_peer_code(struct tx *tx, const struct api_request *api, struct json_out *json);

/* A host shows one: its key is enrolled, and a certificate is signed, or it is answered why not.
 * The key that has used a code may ask again while that counts; no other is ever answered. */
void decide_peer_code_use(struct tx *tx, const struct enrol *enrol);
