/* decide_agents.h - which agents there are, and how each is.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * Who is enrolled stands in rows; who is connected the loop knows, whose picture the event carries
 * (types/agents_seen.h).
 */
#pragma once

#include "chat/chat_text.h"
#include "store/tx.h"
#include "types/api.h"

struct json_out;

/* Puts into json those that the request names: one, with what it may be ordered, or a page of all
 * and the name behind which the next begins.  For admins alone. */
void decide_agents_list(struct tx *tx, const struct api_request *api, struct json_out *json);

/* Adds how many there are of which kind, and a line for each of that page, as decide_page() has
 * it: what is not connected first. */
void decide_agents_show(struct tx *tx, const struct request *request, struct chat_text *text,
    int64_t *ret_page, int64_t *ret_pages);

/* Adds a line for each client whose agent is not connected, of those that the person sees; of the
 * one that `target` names ("client/acme") also where it is.  False: that names none. */
bool decide_agents_status(
    struct tx *tx, int64_t person, const char *target, struct chat_text *text);
