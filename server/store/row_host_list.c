/* row_host_list.c - hosts of an environment as they are listed and counted.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_host_list.h"

#include "lib/column.h"
#include "lib/text.h"
#include "store/row_host.h"
#include "store/store_inside.h"

#define COLUMNS "name, state, wave, plan, work, release, detail, failed_at, left_at, at"

static const char *const states[] = { HOST_STATES(COLUMN_SECOND) };

static enum host_state
state_of(const char *word)
{
	size_t i = text_index(word, states, COUNT(states));

	return i < COUNT(states) ? (enum host_state)i : HOST_IS_UNKNOWN;
}

TX_READER(read_host, struct host, TX_TEXT(name), TX_WORD(state, state_of), TX_INT(wave),
    TX_I64(plan), TX_I64(work), TX_TEXT(release), TX_TEXT(detail), TX_I64(failed_at),
    TX_I64(left_at), TX_I64(at))

/* What is touched runs one of two releases, and what is unknown any. */
#define IS_KNOWN "state <> 'unknown' AND state <> 'touched'"

/* What a run that is over has begun with is not known; nobody knows that it is what is live. */
#define WHICH \
	" FROM host WHERE environment = $1" \
	" AND ($2 = 0 OR state = 'failed' OR state = 'unknown' OR (state = 'touched'" \
	" AND NOT EXISTS (SELECT 1 FROM work w WHERE w.id = host.work AND (w.state = 'RUNNING'" \
	" OR w.state = 'ROLLING_BACK' OR w.state = 'STOPPING'))))" \
	" AND ($3 = '' OR NOT (" IS_KNOWN " AND release = $3))"

size_t
row_host_list(
    struct tx *tx, const struct host_filter *which, int64_t skip, struct host *ret, size_t max)
{
	return tx_read(tx, read_host, ret, max,
	    "SELECT " COLUMNS WHICH " ORDER BY name LIMIT $4 OFFSET $5",
	    DB_TEXT(which->environment), DB_I64(which->is_bad), DB_TEXT(which->other_than),
	    DB_I64(max), DB_I64(skip));
}

int64_t
row_host_count_list(struct tx *tx, const struct host_filter *which)
{
	return tx_number(tx, "SELECT COUNT(*)" WHICH, DB_TEXT(which->environment),
	    DB_I64(which->is_bad), DB_TEXT(which->other_than));
}

TX_READER(read_past, struct host_past, TX_TEXT(name), TX_FLAG(has_failed), TX_I64(failed_at))

size_t
row_host_past(struct tx *tx, const char *environment, struct host_past ret[HOST_LINES_MAX])
{
	return tx_read(tx, read_past, ret, HOST_LINES_MAX,
	    "SELECT name, CASE WHEN state = 'failed' OR state = 'unknown' OR (failed_at <> 0 AND"
	    " failed_at >= (SELECT w.started_at FROM work w WHERE w.id = host.plan))"
	    " THEN 1 ELSE 0 END, failed_at"
	    " FROM host WHERE environment = $1 ORDER BY left_at, name LIMIT $2",
	    DB_TEXT(environment), DB_I64(HOST_LINES_MAX));
}

size_t
row_host_list_behind(struct tx *tx, const char *environment, const char *commit,
    struct host_past ret[HOST_LINES_MAX])
{
	return tx_read(tx, read_past, ret, HOST_LINES_MAX,
	    "SELECT name, 1, failed_at FROM host WHERE environment = $1 AND left_at = 0"
	    " AND (state = 'unknown' OR release <> $2) ORDER BY name LIMIT $3",
	    DB_TEXT(environment), DB_TEXT(commit), DB_I64(HOST_LINES_MAX));
}

bool
row_host_look(struct db *db, const char *environment, struct buf *out)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };

	if (db == NULL ||
	    !db_query(&rows, db, NULL,
		"SELECT name FROM host WHERE environment = $1 AND left_at = 0 ORDER BY name",
		DB_TEXT(environment)))
		return false;
	while (db_next(&rows))
		buf_addf(out, "%s ", db_col_text(&rows, 0));
	return out->size > 0;
}

struct in_state {
	enum host_state state;
	int64_t n, behind;
};
TX_READER(read_in_state, struct in_state, TX_WORD(state, state_of), TX_I64(n), TX_I64(behind))

int64_t
row_host_states(
    struct tx *tx, const char *environment, const char *live, int64_t ret[HOST_STATE_COUNT])
{
	int64_t behind = 0;
	struct in_state of[HOST_STATE_COUNT];
	size_t n = tx_read(tx, read_in_state, of, COUNT(of),
	    "SELECT state, COUNT(*), COUNT(CASE WHEN NOT (" IS_KNOWN " AND release = $3) THEN 1"
	    " END) FROM host WHERE environment = $1 AND left_at = 0"
	    " GROUP BY state LIMIT $2",
	    DB_TEXT(environment), DB_I64(COUNT(of)), DB_TEXT(live));

	memset(ret, 0, HOST_STATE_COUNT * sizeof(*ret));
	for (size_t i = 0; i < n; i++) {
		ret[of[i].state] = of[i].n;
		behind += of[i].behind;
	}
	return behind;
}

TX_READER(read_mixed, struct host_mixed, TX_TEXT(release), TX_FLAG(is_unknown), TX_FLAG(is_touched),
    TX_I64(n))

void
row_host_mix(struct tx *tx, const char *environment, struct host_mix *ret)
{
	ret->n = tx_read(tx, read_mixed, ret->of, HOST_MIX_MAX,
	    "SELECT release, is_unknown, is_touched, COUNT(*) FROM (SELECT"
	    " CASE WHEN state = 'unknown' OR state = 'touched' THEN '' ELSE release END AS release,"
	    " CASE WHEN state = 'unknown' THEN 1 ELSE 0 END AS is_unknown,"
	    " CASE WHEN state = 'touched' THEN 1 ELSE 0 END AS is_touched"
	    " FROM host WHERE environment = $1 AND left_at = 0) AS h"
	    " GROUP BY release, is_unknown, is_touched ORDER BY COUNT(*) DESC, release LIMIT $2",
	    DB_TEXT(environment), DB_I64(HOST_MIX_MAX));
}

TX_READER(read_counts, struct host_counts, TX_I64(all), TX_I64(current), TX_I64(failed),
    TX_I64(unknown), TX_I64(left), TX_I64(touched), TX_I64(of_wave), TX_I64(current_of_wave),
    TX_I64(failed_before), TX_I64(ended), TX_I64(strays))

/* clang-format off */
#define COUNT_OF(what) ", COALESCE(SUM(CASE WHEN " what " THEN 1 ELSE 0 END), 0)"
/* clang-format on */

#define OPEN  "(state = 'unknown' OR state = 'touched')"
#define ENDED "(" ROW_HOST_DONE " AND release = '')"
/* Not known since, and not for what the work has done there. */
#define STRAYS "run = $4 AND state = 'unknown' AND expected <> '' AND work <> $2 AND left_at = 0"
/* What became of the hosts of later waves is of earlier work. */
#define SO_FAR	" AND wave <= $3"
#define OF_PLAN " FROM host WHERE environment = $1 AND plan = $2"

struct host_counts
row_host_count(struct tx *tx, const struct deployment *work)
{
	return tx_first(tx, struct host_counts, read_counts,
	    "SELECT COUNT(*)" COUNT_OF(ROW_HOST_DONE) COUNT_OF("state = 'failed'" SO_FAR) COUNT_OF(
		OPEN " AND left_at = 0" SO_FAR) COUNT_OF(OPEN " AND left_at <> 0")
		COUNT_OF("work = $2") COUNT_OF("wave = $3") COUNT_OF("wave = $3 AND " ROW_HOST_DONE)
		    COUNT_OF("wave < $3 AND"
			     " (state = 'failed' OR (state = 'unknown' AND left_at = 0))")
			COUNT_OF(ENDED) COUNT_OF(STRAYS) OF_PLAN,
	    DB_TEXT(work->environment), DB_I64(work->id), DB_I64(work->wave), DB_I64(work->run));
}

size_t
row_host_list_bad(struct tx *tx, const struct deployment *work, struct host ret[HOSTS_BAD_SHOWN])
{
	return tx_read(tx, read_host, ret, HOSTS_BAD_SHOWN,
	    "SELECT " COLUMNS " FROM host WHERE environment = $1 AND plan = $2"
	    " AND (state = 'failed' OR state = 'unknown' OR (state = 'touched' AND $5 = 1)"
	    " OR " ENDED ")" SO_FAR " ORDER BY name LIMIT $4",
	    DB_TEXT(work->environment), DB_I64(work->id), DB_I64(work->wave),
	    DB_I64(HOSTS_BAD_SHOWN), DB_I64(work->state == DEPLOY_PAUSED));
}

#define LAGGING \
	" FROM host WHERE environment = $1 AND left_at = 0" \
	" AND (state = 'unknown' OR (state = 'failed' AND (release <> $2 OR plan = $3))" \
	" OR (release <> $2 AND NOT EXISTS (SELECT 1 FROM work INDEXED BY work_active" \
	" WHERE environment = $1 AND " STORE_IS_ACTIVE ")))"

size_t
row_host_list_lagging(struct tx *tx, const struct deployment *work,
    struct host ret[HOSTS_BAD_SHOWN], int64_t *ret_all)
{
	*ret_all = tx_number(tx, "SELECT COUNT(*)" LAGGING, DB_TEXT(work->environment),
	    DB_TEXT(work->commit), DB_I64(work->id));
	return tx_read(tx, read_host, ret, HOSTS_BAD_SHOWN,
	    "SELECT " COLUMNS LAGGING " ORDER BY name LIMIT $4", DB_TEXT(work->environment),
	    DB_TEXT(work->commit), DB_I64(work->id), DB_I64(HOSTS_BAD_SHOWN));
}
