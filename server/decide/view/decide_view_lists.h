/* decide_view_lists.h - what /v1 lists besides work: approvals, holds, actions and the audit, as JSON.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "decide/question/decide_where.h"

struct api_request;
struct json_out;

/* All that who asks sees of the scope, where they name nothing what is on clients too. */
void decide_view_pending(
    struct tx *tx, const struct decide_scope *scope, struct json_out *json);
void decide_view_actions(
    struct tx *tx, const struct decide_scope *scope, struct json_out *json);

/* A request's days "from" and "to", both whole, in TIMEZONE: wall ms, until the first that is no
 * longer in them.  False: they are none, which was said. */
bool decide_view_days(struct tx *tx, const struct request *request, int64_t *from,
    int64_t *until) MUST_USE;

/* May that person read entries about that environment ("": of none, which are the server's)? */
bool decide_view_audit_sees(struct tx *tx, int64_t person, const char *environment);

/* Entries of those days, the oldest first: DECIDE_VIEW_ENTRIES at most, of DECIDE_VIEW_LOOKS that
 * are looked at.  Who may read none is told so. */
#define DECIDE_VIEW_ENTRIES 200
#define DECIDE_VIEW_LOOKS   20000
void decide_view_audit(struct tx *tx, const struct api_request *api, struct json_out *json);
