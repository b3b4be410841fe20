/* decide_view_hosts.h - which hosts of an environment are meant, and those as JSON.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "decide/question/decide_where.h"
#include "store/row_host_list.h"

struct json_out;

/* Of the word "failed", "old" (than what is live) or "": all.  False: it is none of them. */
bool decide_view_hosts_filter(
    struct tx *tx, const char *word, const char *environment, struct host_filter *ret) MUST_USE;

/* The hosts of the one environment of the scope, by the request's "state" and behind its "skip":
 * DECIDE_VIEW_HOSTS at most, and "next", behind how many the next page begins. */
#define DECIDE_VIEW_HOSTS 200
void decide_view_hosts(struct tx *tx, const struct decide_scope *scope, struct json_out *json);
