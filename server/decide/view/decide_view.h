/* decide_view.h - what /v1 shows: work, environments and queues as JSON.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * Written into an object that the caller has begun.  Times are as in the audit log, null where
 * something has not happened; docs/openapi.json describes each field.
 */
#pragma once

#include "decide/question/decide_where.h"
#include "store/row_deployment.h"

struct json_out;

/* Its facts, for lists. */
void decide_view_facts(
    struct tx *tx, int64_t person, const struct deployment *work, struct json_out *json);

/* One of them with its steps, and with its message as they may read it. */
void decide_view_work(
    struct tx *tx, int64_t person, const struct deployment *work, struct json_out *json);

/* The same for others who are notified of it: its message is that text, nobody may answer it by
 * this, and of what is_short its steps and warnings are left out. */
void decide_view_notified(struct tx *tx, const struct deployment *work, const char *text,
    bool is_short, struct json_out *json);

/* "environments": all of the scope.  Of the status the loop adds "health". */
void decide_view_status(struct tx *tx, const struct decide_scope *scope, struct json_out *json);
void decide_view_holds(struct tx *tx, const struct decide_scope *scope, struct json_out *json);
void decide_view_queue(struct tx *tx, const struct decide_scope *scope, struct json_out *json);

/* "work": the latest of each environment of the scope, newest first. */
void decide_view_history(struct tx *tx, const struct decide_scope *scope, struct json_out *json);

/* The four figures (deployment/figures.h) of the scope from the request's day "from" to its day
 * "to" in TIMEZONE, by weeks, and of each of its environments. */
void decide_view_figures(struct tx *tx, const struct decide_scope *scope, struct json_out *json);
