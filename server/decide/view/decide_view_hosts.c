/* decide_view_hosts.c - which hosts of an environment are meant, and those as JSON.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/view/decide_view_hosts.h"

#include <stdio.h>

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
	json_put_time(json, "left_at", host->left_at);
	json_out_end(json);
}

/* The one that is meant; of several the one that has hosts.  NULL: none is, and that was said. */
static const char *
find_one(struct tx *tx, const struct decide_scope *scope)
{
	const char *one = NULL;
	char names[LIMIT_LINE] = "";
	size_t n = 0, used;

	if (scope->n == 1)
		return scope->at[0]->name;
	for (size_t i = 0; i < scope->n; i++) {
		if (row_host_count_list(
			tx, &(struct host_filter){ .environment = scope->at[i]->name }) == 0)
			continue;
		used = strlen(names);
		(void)snprintf(names + used, sizeof(names) - used, "%s%s", n == 0 ? "" : ", ",
		    scope->at[i]->name); /* cut is fine */
		one = scope->at[i]->name;
		n++;
	}
	if (n == 0)
		decide_refusef(tx, 400,
		    "No environment has hosts: they are noted from the first deployment in waves on.");
	else if (n > 1)
		decide_refusef(tx, 400, "Several environments have hosts, name one: %s.", names);
	return n == 1 ? one : NULL;
}

void
decide_view_hosts(struct tx *tx, const struct decide_scope *scope, struct json_out *json)
{
	CLEANUP(freep) struct host *list = NULL;
	int64_t skip = request_get_number(tx->request, "skip"), all;
	struct host_filter which;
	const char *name;
	size_t n;

	name = find_one(tx, scope);
	if (name == NULL ||
	    !decide_view_hosts_filter(tx, request_text(tx->request, "state"), name, &which))
		return; /* else api_read() */
	list = mem_new(DECIDE_VIEW_HOSTS, sizeof(*list));
	all = row_host_count_list(tx, &which);
	n = row_host_list(tx, &which, skip, list, DECIDE_VIEW_HOSTS);
	json_put_str(json, "environment", name);
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
