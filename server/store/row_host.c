/* row_host.c - what each host of an environment runs that is released to in waves.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_host.h"

#include "lib/mem.h"
#include "lib/text.h"
#include "store/store_inside.h"

void
row_host_plan(struct tx *tx, const struct deployment *work, const char *name, int wave,
    const struct release *before)
{
	(void)tx_run(tx,
	    "INSERT INTO host (environment, name, plan, wave, run, drain, work, state, release,"
	    " image, previous, previous_image, detail, failed_at, at)"
	    " VALUES ($1, $2, $3, $4, 0, 0, 0, 'current', $5, $6, '', '', '', 0, $7)"
	    " ON CONFLICT (environment, name) DO UPDATE SET plan = $3, wave = $4",
	    DB_TEXT(work->environment), DB_TEXT(name), DB_I64(work->id), DB_I64(wave),
	    DB_TEXT(before->commit), DB_TEXT(before->image), DB_I64(tx->at)); /* sticky */
}

/* --- which run is for which hosts --- */

/* Of what was there before our first release nobody has brought anything there. */
#define EXPECTED \
	"CASE WHEN state = 'current' AND work <> 0 AND release NOT LIKE 'target:%'" \
	" THEN release ELSE '' END"

int64_t
row_host_order(struct tx *tx, const struct deployment *work, int64_t run)
{
#define ORDER \
	"UPDATE host SET run = $4, expected = " EXPECTED \
	" WHERE environment = $1 AND plan = $2 AND wave = $3" \
	" AND left_at = 0 AND (NOT (" ROW_HOST_DONE ") OR $5 <> 0)"
	int64_t n = 0;

	for (int is_all = 0; n == 0 && is_all < 2 && !tx->failed; is_all++)
		n = tx_changes(tx, ORDER, DB_TEXT(work->environment), DB_I64(work->id),
		    DB_I64(work->wave), DB_I64(run), DB_I64(is_all));
	return n;
}

int64_t
row_host_order_back(struct tx *tx, const struct deployment *work, int64_t run)
{
	if (work->waves == 0)
		return tx_changes(tx,
		    "UPDATE host SET run = $2 WHERE environment = $1 AND left_at = 0"
		    " AND (release <> '' OR state <> 'current')",
		    DB_TEXT(work->environment), DB_I64(run));
	(void)tx_run(tx,
	    "UPDATE host SET run = 0, state = 'unknown', release = previous, image = previous_image,"
	    " detail = 'it left the settings before it was rolled back'"
	    " WHERE environment = $1 AND work = $2 AND left_at <> 0",
	    DB_TEXT(work->environment), DB_I64(work->id)); /* sticky */
	return tx_changes(tx,
	    "UPDATE host SET run = $3, state = CASE state WHEN 'unknown' THEN state ELSE 'touched' END"
	    " WHERE environment = $1 AND work = $2 AND left_at = 0",
	    DB_TEXT(work->environment), DB_I64(work->id), DB_I64(run));
}

int64_t
row_host_order_drain(struct tx *tx, const struct deployment *work, int64_t run)
{
	bool is_over = deploy_flow_class(work->state) == DEPLOY_CLASS_FINAL;

	return tx_changes(tx,
	    "UPDATE host SET drain = $3 WHERE environment = $1 AND left_at = 0 AND " ROW_HOST_DONE
	    " AND (wave < $4 OR $5 <> 0) AND NOT EXISTS (SELECT 1 FROM run WHERE run.id = host.drain"
	    " AND run.deployment = $2 AND run.ended_at <> 0 AND run.exit_status = 0"
	    " AND run.signal_number = 0 AND host.at <= run.ordered_at)",
	    DB_TEXT(work->environment), DB_I64(work->id), DB_I64(run), DB_I64(work->wave),
	    DB_I64(is_over));
}

#define NO_RELEASE "none" /* of hosts that ran nothing before: deploy/rollback.sh */

/* A group's first line; none: of those that nothing is known of, which come first. */
static void
add_group(struct buf *text, bool is_back, const char *commit, const char *image)
{
	if (is_back || commit[0] != '\0')
		buf_addf(text, "= %s%s%s\n", commit[0] != '\0' ? commit : NO_RELEASE,
		    image[0] != '\0' ? "@" : "", image);
}

enum lines { LINES_PLAIN, LINES_EXPECTED, LINES_BACK };

static bool
add_lines(struct store *store, struct effect_run *run, enum lines how, struct err *err)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	CLEANUP(buf_done) struct buf text = buf_make(LIMIT_RUN_HOSTS);
	char commit[LIMIT_COMMIT] = "", image[LIMIT_IMAGE] = "";

	if (!db_query(&rows, store->db, err,
		"SELECT name, CASE WHEN $4 = 2 THEN previous WHEN $4 = 1 THEN expected ELSE '' END,"
		" CASE WHEN $4 = 2 THEN previous_image ELSE '' END FROM host WHERE environment = $1"
		" AND CASE WHEN $3 = 0 THEN run ELSE drain END = $2 ORDER BY 2, 3, name",
		DB_TEXT(run->environment), DB_I64(run->run), DB_I64(run->program == PROGRAM_DRAIN),
		DB_I64(how)))
		return false;
	while (db_next(&rows)) {
		const char *of = db_col_text(&rows, 1), *with = db_col_text(&rows, 2);

		if (buf_text(&text)[0] == '\0' || strcmp(of, commit) != 0 ||
		    strcmp(with, image) != 0)
			add_group(&text, how == LINES_BACK, of, with);
		text_set(commit, of);
		text_set(image, with);
		buf_addf(&text, "%s\n", db_col_text(&rows, 0));
	}
	if (how == LINES_BACK && buf_text(&text)[0] == '\0')
		add_group(&text, true, "", ""); /* nothing would be all */
	if (!db_rows_end(&rows, err))
		return false;
	if (!buf_check(&text, err)) /* long names of a thousand hosts: without what they run */
		return how == LINES_EXPECTED && add_lines(store, run, LINES_PLAIN, err);
	free(run->hosts);
	run->hosts = buf_take(&text);
	return run->hosts != NULL;
}

struct names_of {
	const char *environment;
	int64_t run;  /* 0: any */
	bool is_look; /* for somebody: else of no run those that are where they should be */
};

static bool
add_names(struct store *store, const struct names_of *of, struct buf *text, struct err *err)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };

	if (!db_query(&rows, store->db, err,
		"SELECT name FROM host WHERE environment = $1 AND left_at = 0"
		" AND ((state = 'current' AND release <> '') OR $3 <> 0) AND ($2 = 0 OR run = $2)"
		" ORDER BY name",
		DB_TEXT(of->environment), DB_I64(of->run), DB_I64(of->is_look)))
		return false;
	while (db_next(&rows))
		buf_addf(text, "%s ", db_col_text(&rows, 0));
	return db_rows_end(&rows, err) && buf_check(text, err);
}

static bool
give_names(struct store *store, struct effect_probe *probe, struct err *err)
{
	CLEANUP(buf_done) struct buf text = buf_make(LIMIT_RUN_HOSTS);
	size_t n = 0;

	for (size_t i = 0; i < probe->n; i++) {
		struct names_of of = { probe->targets[i].environment, probe->run,
			probe->message != 0 || probe->pin != 0 };

		if (!probe_is_template(probe->targets[i].url))
			continue;
		if (n++ > 0)
			buf_addc(&text, '\n');
		if (!add_names(store, &of, &text, err))
			return false;
		of.run = 0;
		if (text.size == 0 && probe->run != 0 && !add_names(store, &of, &text, err))
			return false;
	}
	if (n == 0)
		return true;
	free(probe->hosts);
	probe->hosts = buf_take(&text);
	return true;
}

/* A canary's errors are lost among those of all hosts: of work in waves what it has touched. */
static bool
give_touched(struct store *store, struct effect *effect, struct err *err)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	CLEANUP(buf_done) struct buf text = buf_make(LIMIT_RUN_HOSTS);

	if (!db_query(&rows, store->db, err,
		"SELECT name FROM host WHERE environment = $1 AND work = $2 AND left_at = 0"
		" ORDER BY name",
		DB_TEXT(effect->u.prom_query.environment), DB_I64(effect->subject)))
		return false;
	while (db_next(&rows))
		buf_addf(&text, "%s%s", text.size > 0 ? "," : "", db_col_text(&rows, 0));
	if (!db_rows_end(&rows, err) || !buf_check(&text, err))
		return false;
	free(effect->u.prom_query.hosts);
	effect->u.prom_query.hosts = buf_take(&text);
	return true;
}

bool
store_host_lines(struct store *store, struct effect *effect, bool is_back, struct err *err)
{
	if (effect->kind == EFFECT_PROBE)
		return give_names(store, &effect->u.probe, err);
	if (effect->kind == EFFECT_PROM_QUERY)
		return give_touched(store, effect, err);
	return add_lines(store, &effect->u.run,
	    is_back					? LINES_BACK :
		effect->u.run.program == PROGRAM_DEPLOY ? LINES_EXPECTED :
							  LINES_PLAIN,
	    err);
}

/* --- what became of them --- */

#define ROW	"(?)"
#define ROWS_4	ROW ", " ROW ", " ROW ", " ROW
#define ROWS_16 ROWS_4 ", " ROWS_4 ", " ROWS_4 ", " ROWS_4
_Static_assert(HOSTS_SAID_MAX == 64, "as many as the statement names");

/* What several lines of one host come to. */
struct said {
	const char *name;
	bool has_begun;
	char state; /* as the statement reads it */
	const char *why;
};

static size_t
merge(const struct host_result *list, size_t n, struct said ret[HOSTS_SAID_MAX])
{
	static const char letters[] = {
		[HOST_BEGAN] = 't', [HOST_OK] = 'c', [HOST_FAILED] = 'f', [HOST_UNKNOWN] = 'u'
	};
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		size_t at = 0;

		while (at < used && strcmp(ret[at].name, list[i].host) != 0)
			at++;
		if (at == used)
			ret[used++] = (struct said){ .name = list[i].host };
		ret[at].has_begun |= list[i].word == HOST_BEGAN || list[i].word == HOST_OK;
		ret[at].state = letters[list[i].word];
		ret[at].why = list[i].why;
	}
	return used;
}

/* Each host is one text, as "1fh2:22|no space left": neither engine takes as many values as they
 * have columns.  Both see each column of a row as it was before the statement. */
#define SAID \
	"WITH packed (v) AS (VALUES " ROWS_16 ", " ROWS_16 ", " ROWS_16 ", " ROWS_16 \
	"), said AS (SELECT" \
	" substr(v, 3, instr(v, '|') - 3) AS name, substr(v, 1, 1) AS has_begun," \
	" CASE substr(v, 2, 1) WHEN 't' THEN 'touched' WHEN 'c' THEN 'current'" \
	" WHEN 'f' THEN 'failed' ELSE 'unknown' END AS state," \
	" substr(v, instr(v, '|') + 1) AS why FROM packed WHERE v <> '')," \
	" run_of (work, run, is_back, commit_id, image, at) AS" \
	" (VALUES (CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT), ?, ?," \
	" CAST(? AS BIGINT)))" \
	" UPDATE host SET" \
	" previous = CASE WHEN said.has_begun = '1' AND host.work <> run_of.work" \
	" THEN host.release ELSE host.previous END," \
	" previous_image = CASE WHEN said.has_begun = '1' AND host.work <> run_of.work" \
	" THEN host.image ELSE host.previous_image END," \
	" work = CASE WHEN said.has_begun = '1' THEN run_of.work ELSE host.work END," \
	" state = CASE WHEN said.state = 'failed' AND run_of.is_back <> 0" \
	" THEN 'unknown' ELSE said.state END," \
	" release = CASE WHEN said.state = 'touched' THEN host.release" \
	" WHEN run_of.is_back <> 0 THEN host.previous" \
	" WHEN said.state = 'current' THEN run_of.commit_id ELSE host.release END," \
	" image = CASE WHEN said.state = 'touched' THEN host.image" \
	" WHEN run_of.is_back <> 0 THEN host.previous_image" \
	" WHEN said.state = 'current' THEN run_of.image ELSE host.image END," \
	" detail = said.why," \
	" failed_at = CASE WHEN said.state = 'failed' OR said.state = 'unknown'" \
	" THEN run_of.at ELSE host.failed_at END," \
	" at = run_of.at" \
	" FROM said, run_of WHERE host.environment = ? AND host.name = said.name" \
	" AND host.run = run_of.run"

/* Then its newest run brings back; one that was abandoned may say so behind its end. */
static bool
is_back(enum deploy_state state)
{
	return state == DEPLOY_ROLLING_BACK || state == DEPLOY_VERIFYING_ROLLBACK ||
	    state == DEPLOY_ROLLED_BACK || state == DEPLOY_ROLLBACK_FAILED;
}

typedef char packed_host[LIMIT_HOST + LIMIT_LINE + 4];

void
row_host_said(struct tx *tx, const struct deployment *work, int64_t run,
    const struct host_result *list, size_t n)
{
	struct db_value values[HOSTS_SAID_MAX + 7];
	struct said said[HOSTS_SAID_MAX] = { 0 };
	CLEANUP(freep) packed_host *packed = mem_new(HOSTS_SAID_MAX, sizeof(*packed));
	size_t used = 0;

	assert(n <= HOSTS_SAID_MAX);
	n = merge(list, n, said);
	for (size_t i = 0; i < HOSTS_SAID_MAX; i++) {
		if (i < n)
			text_setf(packed[i], "%d%c%s|%s", said[i].has_begun, said[i].state,
			    said[i].name, said[i].why);
		values[used++] = DB_TEXT(packed[i]);
	}
	values[used++] = DB_I64(work->id);
	values[used++] = DB_I64(run);
	values[used++] = DB_I64(work->run == run && is_back(work->state));
	values[used++] = DB_TEXT(work->commit);
	values[used++] = DB_TEXT(work->image);
	values[used++] = DB_I64(tx->at);
	values[used++] = DB_TEXT(work->environment);
	(void)tx_run_sql(tx, &(const struct db_sql){ SAID, values, used }); /* sticky */
	store_names_add(&tx->store->changed, work->environment);
}

/* In doubt each was touched. */
void
row_host_gone(struct tx *tx, const struct deployment *work, int64_t run)
{
	(void)tx_run(tx,
	    "UPDATE host SET previous = CASE WHEN work <> $2 THEN release ELSE previous END,"
	    " previous_image = CASE WHEN work <> $2 THEN image ELSE previous_image END,"
	    " work = $2, state = 'unknown', detail = 'what its run did is not known', at = $4"
	    " WHERE environment = $1 AND run = $3 AND state <> 'failed' AND NOT (" ROW_HOST_DONE
	    ")",
	    DB_TEXT(work->environment), DB_I64(work->id), DB_I64(run), DB_I64(tx->at)); /* sticky */
	store_names_add(&tx->store->changed, work->environment);
}

/* Its image is known when its run is over: a later wave, and a rollback, take it from there. */
void
row_host_over(struct tx *tx, const struct deployment *work)
{
	if (work->state != DEPLOY_ROLLING_BACK)
		(void)tx_run(tx,
		    "UPDATE host SET image = $4"
		    " WHERE environment = $1 AND run = $3 AND " ROW_HOST_DONE,
		    DB_TEXT(work->environment), DB_I64(work->id), DB_I64(work->run),
		    DB_TEXT(work->image)); /* sticky */
	else
		(void)tx_run(tx,
		    "UPDATE host SET release = previous, image = previous_image, state = 'unknown',"
		    " detail = CASE WHEN detail <> '' THEN detail"
		    " ELSE 'its rollback did not say how it ended' END"
		    " WHERE environment = $1 AND run = $3 AND NOT (" ROW_HOST_DONE ")",
		    DB_TEXT(work->environment), DB_I64(work->id), DB_I64(work->run)); /* sticky */
}

void
row_host_end(struct tx *tx, const struct deployment *work)
{
	(void)tx_run(tx,
	    "UPDATE host SET state = 'unknown', detail = 'it was touched, and did not say how that"
	    " ended' WHERE environment = $1 AND work = $2 AND state = 'touched'",
	    DB_TEXT(work->environment), DB_I64(work->id)); /* sticky */
	store_names_add(&tx->store->changed, work->environment);
}

void
row_host_set_all(struct tx *tx, const struct deployment *work, bool is_known)
{
	(void)tx_run(tx,
	    "UPDATE host SET state = $3, release = CASE WHEN $3 = 'current' THEN $4 ELSE release"
	    " END, image = CASE WHEN $3 = 'current' THEN $5 ELSE image END, work = $2,"
	    " detail = CASE WHEN $3 = 'current' THEN '' ELSE 'the last work here failed' END,"
	    " at = $6 WHERE environment = $1 AND left_at = 0",
	    DB_TEXT(work->environment), DB_I64(work->id), DB_TEXT(is_known ? "current" : "unknown"),
	    DB_TEXT(work->commit), DB_TEXT(work->image), DB_I64(tx->at)); /* sticky */
	store_names_add(&tx->store->changed, work->environment);
}

void
row_host_forget(struct tx *tx, const char *environment)
{
	(void)tx_run(tx,
	    "DELETE FROM host WHERE environment = $1 AND NOT EXISTS (SELECT 1 FROM work"
	    " INDEXED BY work_active WHERE environment = $1 AND " STORE_IS_ACTIVE " AND waves > 0)",
	    DB_TEXT(environment)); /* sticky */
	store_names_add(&tx->store->changed, environment);
}
