/* row_host_list.h - hosts of an environment as they are listed and counted.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "deployment/deployment.h"
#include "store/tx.h"
#include "types/host.h"

#define ROW_HOSTS_MAX 1000 /* of an environment */

/* Which hosts of an environment: those alone that failed or are not known; that do not run this
 * commit ("": any). */
struct host_filter {
	const char *environment;
	bool is_bad;
	char other_than[LIMIT_COMMIT];
};

/* By name, behind so many; how many there are. */
size_t row_host_list(struct tx *tx, const struct host_filter *which, int64_t skip,
    struct host *ret, size_t max);
int64_t row_host_count_list(struct tx *tx, const struct host_filter *which);

/* What is known of a host before a deployment in waves begins. */
struct host_past {
	char name[LIMIT_HOST];
	bool has_failed; /* the last time; or it still has, or is not known */
	int64_t failed_at;
};

/* Of those that have left only what there is room for.  0: there is no row at all. */
size_t row_host_past(
    struct tx *tx, const char *environment, struct host_past ret[HOST_LINES_MAX]);

/* Those that do not run that commit, or are not known. */
size_t row_host_list_behind(struct tx *tx, const char *environment, const char *commit,
    struct host_past ret[HOST_LINES_MAX]);

/* Those that the settings name, with a blank behind each; without a store, for doctor. */
bool row_host_look(struct db *db, const char *environment, struct buf *out);

/* How many of its hosts are in each state; returns how many do not run what is live, or may not. */
int64_t row_host_states(
    struct tx *tx, const char *environment, const char *live, int64_t ret[HOST_STATE_COUNT]);

/* What an environment's hosts run, the most of them first; HOST_MIX_MAX releases at most.  n 0:
 * there are no rows. */
void row_host_mix(struct tx *tx, const char *environment, struct host_mix *ret);

/* How far that work is; and those of its hosts that have failed, are not known or run nothing, by
 * name, as many as are shown.  While it is paused those too that were cut in their switch. */
struct host_counts row_host_count(struct tx *tx, const struct deployment *work);
size_t row_host_list_bad(
    struct tx *tx, const struct deployment *work, struct host ret[HOSTS_BAD_SHOWN]);

/* Those of its environment, whatever was tried since, that do not run its commit (while other work
 * is active there: of these what has failed or is not known), but for those that have left the
 * settings; and how many there are in all. */
size_t row_host_list_lagging(struct tx *tx, const struct deployment *work,
    struct host ret[HOSTS_BAD_SHOWN], int64_t *ret_all);
