/* decide_view_hosts.c - which hosts of an environment are meant, and those as JSON.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/view/decide_view_hosts.h"

#include "decide/decide_reply.h"
#include "lib/column.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/row_environment.h"

bool
decide_view_hosts_filter(
    struct tx *tx, const char *word, const char *environment, struct host_filter *ret)
{
	struct environment row;
	bool is_old = strcmp(word, "old") == 0;

	*ret = (struct host_filter){ environment, strcmp(word, "failed") == 0, "" };
	if (is_old)
		text_set(
		    ret->other_than, row_environment_get(tx, environment, &row)->current.commit);
	return ret->is_bad || word[0] == '\0' || is_old;
}

static void
put_host(const struct host *host, struct json_out *json)
{
	static const char *const words[] = { HOST_STATES(COLUMN_SECOND) };

	json_out_object(json);
	json_put_str(json, "name", host->name);
	json_put_str(json, "state", words[host->state]);
	json_put_str(json, "release", host->release);
	json_put_str(json, "detail", host->detail);
	json_put_i64(json, "wave", host->wave);
	json_put_i64(json, "wave_of", host->plan);
	json_put_time(json, "at", host->at);
	json_put_time(json, "failed_at", host->failed_at);
	json_out_end(json);
}

void
decide_view_hosts(struct tx *tx, const struct decide_scope *scope, struct json_out *json)
{
	CLEANUP(freep) struct host *list = NULL;
	int64_t skip = request_get_number(tx->request, "skip"), all;
	struct host_filter which;
	size_t n;

	if (scope->n != 1) {
		decide_refusef(tx, 400, "Several environments are meant: name one of them.");
		return;
	}
	if (!decide_view_hosts_filter(
		tx, request_text(tx->request, "state"), scope->at[0]->name, &which))
		return; /* api_read() */
	list = mem_new(DECIDE_VIEW_HOSTS, sizeof(*list));
	all = row_host_count_list(tx, &which);
	n = row_host_list(tx, &which, skip, list, DECIDE_VIEW_HOSTS);
	json_put_str(json, "environment", scope->at[0]->name);
	json_put_i64(json, "all", all);
	json_put_open(json, "hosts", '[');
	for (size_t i = 0; i < n; i++)
		put_host(&list[i], json);
	json_out_end(json);
	if (skip + (int64_t)n < all && n > 0)
		json_put_i64(json, "next", skip + (int64_t)n);
	else
		json_put_str(json, "next", NULL);
}
