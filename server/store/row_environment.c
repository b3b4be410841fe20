/* row_environment.c - environments and their releases.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_environment.h"

#include <ctype.h>

#include "deployment/figures.h"
#include "lib/text.h"
#include "store/row_block.h"
#include "store/row_run.h"
#include "store/store_inside.h"

#define RELEASE \
	"id, environment, commit_id, image, at, deployment, released_by, subject, number," \
	" renumbered_at, origin, left_by, removed_at, tree, source"
#define ESTIMATE_FROM 5 /* live deployments */

TX_READER(read_release, struct release, TX_I64(id), TX_TEXT(environment), TX_TEXT(commit),
    TX_TEXT(image), TX_I64(at), TX_I64(deployment), TX_TEXT(by), TX_TEXT(subject), TX_I64(number),
    TX_I64(renumbered_at), TX_I64(origin), TX_I64(left_by), TX_I64(removed_at), TX_TEXT(tree),
    TX_SOURCE(source))

/* The first row; id 0: there is none. */
#define find(tx, ...) \
	tx_first(tx, struct release, read_release, "SELECT " RELEASE " FROM release " __VA_ARGS__)

/* --- environments --- */

/* Of the releases the id alone. */
TX_READER(read_environment, struct environment, TX_I64(current.id), TX_I64(previous.id),
    TX_TEXT(seen_commit), TX_FLAG(is_down), TX_FLAG(is_unacknowledged), TX_I64(unknown_since),
    TX_TEXT(unknown_why), TX_TEXT(polled_commit), TX_I64(skipped_count), TX_TEXT(waiting_push),
    TX_TEXT(waiting_commit), TX_I64(job_run), TX_TEXT(head.branch), TX_TEXT(head.commit),
    TX_I64(head.block), TX_TEXT(head.base), TX_I64(head.count), TX_I64(head.at),
    TX_TEXT(announced.commit), TX_I64(announced.block), TX_INT(held), TX_I64(unseen_work),
    TX_INT(n_nags), TX_I64(poll_failing_since))

struct environment *
row_environment_get(struct tx *tx, const char *name, struct environment *ret)
{
	(void)tx_first_to(tx, read_environment, ret,
	    "SELECT current_release, previous_release, seen_commit, is_down,"
	    " is_unacknowledged, unknown_since, unknown_why, polled_commit, skipped_count,"
	    " waiting_push, waiting_commit, job_run, head_branch, head_commit, head_block, head_base, head_count, head_at,"
	    " announced_commit, announced_block,"
	    " held, unseen_work, n_nags, poll_failing_since FROM environment WHERE name = $1",
	    DB_TEXT(name)); /* sticky */
	text_set(ret->name, name);
	ret->current = row_release_get(tx, ret->current.id);
	ret->previous = row_release_get(tx, ret->previous.id);
	/* Where a rollback left what was live before. */
	if ((ret->previous.left_by != 0 || ret->previous.removed_at != 0) &&
	    row_release_list_earlier(tx, name, ret->current.commit, &ret->previous, 1) == 0)
		ret->previous = (struct release){ 0 };
	return ret;
}

int64_t
row_environment_live(struct db *db, const char *name)
{
	int64_t number = 0;

	return db != NULL &&
		db_one_i64(&number, db, NULL,
		    "SELECT release.number FROM environment"
		    " JOIN release ON release.id = environment.current_release"
		    " WHERE environment.name = $1",
		    DB_TEXT(name)) ?
	    number :
	    0;
}

/* Columns of the environment that is $1; sticky. */
#define set(tx, columns, ...) \
	((void)tx_run(tx, "UPDATE environment SET " columns " WHERE name = $1", __VA_ARGS__))

static void
ensure(struct tx *tx, const char *name)
{
	(void)tx_run(tx,
	    "INSERT INTO environment (name, current_release, previous_release, held_commit,"
	    " seen_commit, is_down, is_unacknowledged) VALUES ($1, 0, 0, '', '', 0, 0)"
	    " ON CONFLICT DO NOTHING",
	    DB_TEXT(name)); /* sticky */
}

/* An announced push that was seen, and is not the newest any more, is over; not one that was
 * announced anew, and that git, asked for it, does not show yet.  Where another one was announced
 * before it, and never shown, this may be that: deliveries come in any order. */
void
row_environment_set_seen(struct tx *tx, const char *name, const char *commit, const char *announced)
{
	ensure(tx, name);
	set(tx,
	    "seen_commit = $2, skipped_count = 0, polled_commit ="
	    " CASE WHEN polled_commit = '' THEN '' ELSE $2 END, announced_commit ="
	    " CASE WHEN announced_commit = seen_commit AND seen_commit <> $2 AND $3 IN ('', $2)"
	    " THEN CASE WHEN announced_others <> 0 THEN $2 ELSE '' END ELSE announced_commit END,"
	    " announced_others = CASE WHEN announced_commit = seen_commit AND seen_commit <> $2"
	    " AND $3 IN ('', $2) THEN 0 ELSE announced_others END",
	    DB_TEXT(name), DB_TEXT(commit), DB_TEXT(announced));
}

void
row_environment_set_skipped(struct tx *tx, const char *name, int64_t count)
{
	set(tx, "skipped_count = $2", DB_TEXT(name), DB_I64(count));
}

/* Of what git has shown already, as it stands in head_block. */
#define CAME "CASE WHEN head_commit = $2 THEN MIN(head_block, $3) ELSE $3 END"

/* The newest that was there at that time. */
static int64_t
block_until(struct tx *tx, const char *name, int64_t at)
{
	return tx_number(tx,
	    "SELECT COALESCE(MAX(number), 0) FROM block WHERE environment = $1 AND at <= $2",
	    DB_TEXT(name), DB_I64(at));
}

void
row_environment_set_announced(
    struct tx *tx, const char *name, const char *commit, int64_t job_run, int64_t came_at)
{
	ensure(tx, name);
	set(tx,
	    "job_run = CASE WHEN $4 = 0 OR (job_run > $4 AND job_run / $5 = $4 / $5)"
	    " THEN job_run ELSE $4 END, announced_others ="
	    " CASE WHEN $2 = '' OR announced_commit = $2 THEN announced_others"
	    " WHEN announced_commit <> '' AND (announced_commit <> seen_commit OR waiting_push <> '')"
	    " THEN 1 ELSE 0 END, announced_commit ="
	    " CASE WHEN $2 = '' THEN announced_commit ELSE $2 END, announced_block ="
	    " CASE WHEN $2 = '' OR announced_commit = $2 THEN announced_block"
	    " WHEN announced_commit = '' OR (announced_commit = seen_commit AND waiting_push = '')"
	    " THEN " CAME " ELSE MIN(announced_block, " CAME ") END",
	    DB_TEXT(name), DB_TEXT(commit),
	    DB_I64(came_at != 0 ? block_until(tx, name, came_at) : row_block_newest(tx, name)),
	    DB_I64(job_run), DB_I64(INT64_C(1) << JOB_RUN_BITS));
}

/* Of two commits a count stays as it is. */
void
row_environment_hold_announced(struct tx *tx, const char *name, const char *commit, int64_t block)
{
	ensure(tx, name);
	set(tx,
	    "announced_block ="
	    " CASE WHEN announced_commit = '' THEN $3 ELSE MIN(announced_block, $3) END,"
	    " announced_commit = CASE WHEN announced_commit = '' THEN $2 ELSE announced_commit END",
	    DB_TEXT(name), DB_TEXT(commit), DB_I64(block));
}

void
row_environment_set_head(struct tx *tx, const char *name, const char *branch, const char *commit)
{
	ensure(tx, name);
	set(tx,
	    "head_branch = $2, head_at = $4, head_commit = $3,"
	    " head_block = CASE WHEN head_branch <> $2 THEN 0 WHEN head_commit = $3 THEN head_block"
	    " ELSE head_seen END, head_seen = $5,"
	    " head_base = CASE WHEN head_commit = $3 THEN head_base ELSE '' END,"
	    " head_count = CASE WHEN head_commit = $3 THEN head_count ELSE 0 END",
	    DB_TEXT(name), DB_TEXT(branch), DB_TEXT(commit), DB_I64(tx->at),
	    DB_I64(row_block_newest(tx, name)));
}

void
row_environment_count_head(struct tx *tx, const char *name, const char *base, int64_t count)
{
	set(tx, "head_base = $2, head_count = $3", DB_TEXT(name), DB_TEXT(base), DB_I64(count));
}

void
row_environment_set_polled(struct tx *tx, const char *name, const char *commit)
{
	ensure(tx, name);
	set(tx, "polled_commit = $2", DB_TEXT(name), DB_TEXT(commit));
}

void
row_environment_set_poll_failing(struct tx *tx, const char *name, int64_t since)
{
	ensure(tx, name);
	set(tx, "poll_failing_since = $2", DB_TEXT(name), DB_I64(since));
	store_names_add(&tx->store->changed, name);
}

void
row_environment_set_held(struct tx *tx, const char *name, unsigned held)
{
	ensure(tx, name);
	set(tx, "held = $2", DB_TEXT(name), DB_I64(held));
	store_names_add(&tx->store->changed, name);
}

void
row_environment_set_waiting(
    struct tx *tx, const char *name, const char *pushed_by, const char *commit)
{
	ensure(tx, name);
	set(tx, "waiting_push = $2, waiting_commit = $3", DB_TEXT(name), DB_TEXT(pushed_by),
	    DB_TEXT(commit));
}

void
row_environment_free_push(struct tx *tx, const char *name)
{
	set(tx,
	    "waiting_push = '', waiting_commit = '', seen_commit = '', polled_commit ="
	    " CASE WHEN polled_commit = '' THEN '' ELSE '-' END",
	    DB_TEXT(name));
}

bool
row_environment_next_held(struct tx *tx, char name[LIMIT_ENVIRONMENT])
{
	char next[1][LIMIT_ENVIRONMENT];

	if (tx_read(tx, tx_read_environment, next, 1,
		"SELECT name FROM environment INDEXED BY environment_held"
		" WHERE (held <> 0 OR waiting_push <> '') AND name > $1 ORDER BY name LIMIT 1",
		DB_TEXT(name)) == 0)
		return false;
	return text_copy(name, LIMIT_ENVIRONMENT, next[0]);
}

void
row_environment_rolled_back(struct tx *tx, const char *name)
{
	ensure(tx, name);
	set(tx, "is_down = 0, is_unacknowledged = 1", DB_TEXT(name));
	store_names_add(&tx->store->changed, name);
}

void
row_environment_acknowledge(struct tx *tx, const char *name)
{
	set(tx, "is_unacknowledged = 0", DB_TEXT(name));
	store_names_add(&tx->store->changed, name);
}

/* What failed, or went on elsewhere, may have reached hosts that were left out. */
static void
set_left_unknown(struct tx *tx, const char *name)
{
	(void)tx_run(tx, "UPDATE left_host SET commit_id = '' WHERE environment = $1",
	    DB_TEXT(name)); /* sticky */
}

void
row_environment_down(struct tx *tx, const char *name)
{
	ensure(tx, name);
	set_left_unknown(tx, name);
	set(tx, "is_down = 1, is_unacknowledged = 0", DB_TEXT(name));
	store_names_add(&tx->store->changed, name);
}

void
row_environment_set_notified(struct tx *tx, const char *name, const char *notified)
{
	ensure(tx, name);
	set(tx, "notified = $2", DB_TEXT(name), DB_TEXT(notified));
}

const char *
row_environment_notified(struct tx *tx, const char *name, char *ret, size_t room)
{
	return tx_first_text(
	    tx, ret, room, "SELECT notified FROM environment WHERE name = $1", DB_TEXT(name));
}

void
row_environment_set_unseen(struct tx *tx, const char *name, int64_t work, int n_nags)
{
	ensure(tx, name);
	set(tx, "unseen_work = $2, n_nags = $3", DB_TEXT(name), DB_I64(work), DB_I64(n_nags));
	store_names_add(&tx->store->changed, name);
}

void
row_environment_set_unknown(struct tx *tx, const char *name, const char *why)
{
	ensure(tx, name);
	set_left_unknown(tx, name);
	set(tx, "unknown_since = $2, unknown_why = $3", DB_TEXT(name), DB_I64(tx->at),
	    DB_TEXT(why));
	/* Whoever answered or was asked before a clock was set back was not later than this. */
	(void)tx_run(tx,
	    "UPDATE work INDEXED BY work_queued SET answered_at = $2"
	    " WHERE environment = $1 AND state = 'QUEUED' AND answered_at > $2",
	    DB_TEXT(name), DB_I64(tx->at)); /* sticky */
	(void)tx_run(tx,
	    "UPDATE approval_request SET asked_at = $2 - 1 WHERE asked_at >= $2 AND work IN"
	    " (SELECT id FROM work INDEXED BY work_approval WHERE environment = $1"
	    " AND state = 'AWAITING_APPROVAL')",
	    DB_TEXT(name), DB_I64(tx->at)); /* sticky */
	store_names_add(&tx->store->changed, name);
}

void
row_environment_set_known(struct tx *tx, const char *name)
{
	set(tx, "unknown_since = 0, unknown_why = ''", DB_TEXT(name));
	store_names_add(&tx->store->changed, name);
}

#define IS_QUEUED "state = 'QUEUED'"
#define ASKING	  "work INDEXED BY work_asking"
/* The least name behind `after`, by the indexes of what has not ended. */
#define LEAST_OPEN(after) \
	"SELECT MIN(environment) FROM (" \
	"SELECT MIN(environment) AS environment FROM work INDEXED BY work_active" \
	" WHERE " STORE_IS_ACTIVE " AND environment > " after \
	" UNION ALL SELECT MIN(environment) FROM work INDEXED BY work_queued WHERE " IS_QUEUED \
	" AND environment > " after " UNION ALL SELECT MIN(environment) FROM " ASKING \
	" WHERE " STORE_IS_ASKING " AND environment > " after ") AS each"

size_t
row_environment_list_open(
    struct tx *tx, const char *after, char ret[][LIMIT_ENVIRONMENT], size_t max)
{
	/* clang-format off */
	static const char open[] =
	    "SELECT name FROM (WITH RECURSIVE walk (name) AS (SELECT (" LEAST_OPEN("$1")
	    ") UNION ALL SELECT (" LEAST_OPEN("walk.name")
	    ") FROM walk WHERE walk.name IS NOT NULL) SELECT name FROM walk) AS open WHERE name IS NOT NULL LIMIT $2";
	/* clang-format on */

	return tx_read(tx, tx_read_environment, ret, max, open, DB_TEXT(after), DB_I64(max));
}

bool
row_environment_next(struct tx *tx, char name[LIMIT_ENVIRONMENT])
{
	static const char next[] =
	    "SELECT MIN(name) AS next FROM ("
	    "SELECT MIN(name) AS name FROM environment WHERE name > $1 UNION ALL"
	    " SELECT MIN(environment) FROM work INDEXED BY work_active WHERE " STORE_IS_ACTIVE
	    " AND environment > $1 UNION ALL"
	    " SELECT MIN(environment) FROM work INDEXED BY work_queued WHERE state = 'QUEUED'"
	    " AND environment > $1) AS each HAVING MIN(name) IS NOT NULL";

	return tx_read_sql(tx, tx_read_environment, name, LIMIT_ENVIRONMENT, 1,
		   DB_SQL(next, DB_TEXT(name))) > 0;
}

static int64_t
add_release(struct tx *tx, const struct release *release)
{
	int64_t id = tx_next_id(tx, STORE_ID_RELEASE);

	return tx_run(tx,
		   "INSERT INTO release (id, environment, commit_id, image, at, deployment,"
		   " released_by, subject, tree, origin, source, number) SELECT $9, $1, $2, $3, $4,"
		   " $5, $6, $7, $8, $10, $11, COALESCE(MAX(number), 0) + 1 FROM release"
		   " WHERE environment = $1",
		   DB_TEXT(release->environment), DB_TEXT(release->commit), DB_TEXT(release->image),
		   DB_I64(release->at), DB_I64(release->deployment), DB_TEXT(release->by),
		   DB_TEXT(release->subject), DB_TEXT(release->tree), DB_I64(id),
		   DB_I64(release->origin != 0 ? release->origin : id),
		   DB_TEXT(commit_source_word(release->source))) ?
	    id :
	    0;
}

size_t
row_environment_list_first(struct tx *tx, char ret[][LIMIT_ENVIRONMENT], size_t max)
{
	return tx_read(tx, tx_read_environment, ret, max,
	    "SELECT name FROM (SELECT name, CASE WHEN is_down <> 0 THEN 0 ELSE 1 END AS rank"
	    " FROM environment INDEXED BY environment_trouble"
	    " WHERE is_down <> 0 OR unknown_since <> 0"
	    " UNION ALL SELECT environment, 3 FROM work INDEXED BY work_queued"
	    " WHERE state = 'QUEUED'"
	    " UNION ALL SELECT environment, 2 FROM work INDEXED BY work_active"
	    " WHERE " STORE_IS_ACTIVE ") AS each GROUP BY name ORDER BY MIN(rank), name LIMIT $1",
	    DB_I64(max));
}

bool
row_environment_is_empty(struct tx *tx, const char *name)
{
	return tx_number(tx,
		   "SELECT EXISTS (SELECT 1 FROM environment WHERE name = $1"
		   " AND (current_release <> 0 OR is_down <> 0 OR unknown_since <> 0))"
		   " OR EXISTS (SELECT 1 FROM work INDEXED BY work_gate WHERE environment = $1"
		   " AND action = 'open-gate' AND state IN ('DONE', 'FAILED'))",
		   DB_TEXT(name)) == 0;
}

/* What runs there is kept, and so are earlier releases of the same. */
static void
keep_release(struct tx *tx, const struct release *release)
{
	(void)tx_run(tx,
	    "UPDATE release SET removed_at = 0 WHERE environment = $1 AND commit_id = $2"
	    " AND image = $3 AND removed_at <> 0",
	    DB_TEXT(release->environment), DB_TEXT(release->commit),
	    DB_TEXT(release->image)); /* sticky */
	(void)tx_run(tx,
	    "UPDATE release SET removed_at = 0 WHERE image <> '' AND image = $1 AND removed_at <> 0",
	    DB_TEXT(release->image)); /* sticky */
}

int64_t
row_environment_release(struct tx *tx, const struct release *release)
{
	int64_t id;

	ensure(tx, release->environment);
	id = add_release(tx, release);
	set(tx,
	    "previous_release = current_release, current_release = $2,"
	    " is_down = 0, is_unacknowledged = 0, skipped_count = 0, unknown_since = 0,"
	    " unknown_why = ''",
	    DB_TEXT(release->environment), DB_I64(id));
	row_block_free(tx, release->environment, release->commit);
	keep_release(tx, release);
	store_names_add(&tx->store->stale, release->environment); /* written after the commit */
	store_names_add(&tx->store->changed, release->environment);
	return tx->failed ? 0 : id;
}

/* --- releases --- */

size_t
row_release_list(struct tx *tx, const char *environment, struct release *ret, size_t max)
{
	return tx_read(tx, read_release, ret, max,
	    "SELECT " RELEASE " FROM release WHERE environment = $1 ORDER BY id DESC LIMIT $2",
	    DB_TEXT(environment), DB_I64(max));
}

#define LIVE_LOOKED_AT 1000 /* the newest releases; among them those that are kept */

TX_READER(read_live, struct release_live, TX_TEXT(commit))

size_t
row_release_list_live(struct tx *tx, const char *environment, struct release_live *ret, size_t max)
{
	return tx_read(tx, read_live, ret, max,
	    "SELECT commit_id FROM (SELECT commit_id, MAX(id) AS newest FROM"
	    " (SELECT id, commit_id FROM release WHERE environment = $1 ORDER BY id DESC LIMIT $2) AS newer"
	    " GROUP BY commit_id) AS each_once ORDER BY newest DESC LIMIT $3",
	    DB_TEXT(environment), DB_I64(LIVE_LOOKED_AT), DB_I64(max));
}

struct release
row_release_get(struct tx *tx, int64_t id)
{
	return id != 0 ? find(tx, "WHERE id = $1", DB_I64(id)) : (struct release){ 0 };
}

/* Of those that nobody has left. */
#define NEWEST_OF_COMMIT \
	"left_by = 0 AND NOT EXISTS (SELECT 1 FROM release r INDEXED BY release_commit" \
	" WHERE r.environment = release.environment AND r.commit_id = release.commit_id" \
	" AND r.id > release.id AND r.left_by = 0)"

size_t
row_release_list_earlier(
    struct tx *tx, const char *environment, const char *commit, struct release *ret, size_t max)
{
	return tx_read(tx, read_release, ret, max,
	    "SELECT " RELEASE
	    " FROM release WHERE environment = $1 AND commit_id <> $2 AND removed_at = 0 AND commit_id NOT IN"
	    " (SELECT b.commit_id FROM block b WHERE b.environment = $1) AND " NEWEST_OF_COMMIT
	    " ORDER BY id DESC LIMIT $3",
	    DB_TEXT(environment), DB_TEXT(commit), DB_I64(max));
}

size_t
row_release_list_gone(struct tx *tx, const struct release *to, const struct release *live,
    struct release *ret, size_t max)
{
	return tx_read(tx, read_release, ret, max,
	    "SELECT " RELEASE " FROM release WHERE environment = $1 AND id > $2 AND id <= $3"
	    " AND commit_id <> $4 AND " NEWEST_OF_COMMIT " ORDER BY id DESC LIMIT $5",
	    DB_TEXT(live->environment), DB_I64(to->id), DB_I64(live->id), DB_TEXT(to->commit),
	    DB_I64(max));
}

TX_READER(read_barrier, struct barrier, TX_I64(number), TX_TEXT(commit), TX_TEXT(reason),
    TX_SOURCE(source))

size_t
row_release_list_barriers(struct tx *tx, const struct release *to, const struct release *live,
    struct barrier ret[BARRIERS_SHOWN])
{
	return tx_read(tx, read_barrier, ret, BARRIERS_SHOWN,
	    "SELECT o.number, o.commit_id, w.barrier, o.source FROM release r JOIN release o ON o.id = r.origin"
	    " JOIN work w ON w.id = o.deployment WHERE r.environment = $1 AND r.id > $2"
	    " AND r.id <= $3 AND w.barrier <> '' GROUP BY o.id, o.number, o.commit_id, w.barrier, o.source ORDER BY o.id DESC LIMIT $4",
	    DB_TEXT(live->environment), DB_I64(to->id), DB_I64(live->id), DB_I64(BARRIERS_SHOWN));
}

TX_READER(read_migration, struct migration_behind, TX_I64(n), TX_TEXT(commit), TX_TEXT(step),
    TX_SOURCE(source))

/* By runs: of one environment they follow each other, works may wait. */
struct migration_behind
row_release_migration_behind(
    struct tx *tx, const char *environment, int64_t run, const struct release *to)
{
	return tx_first(tx, struct migration_behind, read_migration,
	    "SELECT COUNT(*) OVER (), m.commit_id, m.migration, m.source"
	    " FROM work m INDEXED BY work_migration WHERE m.environment = $1 AND m.migration <> ''"
	    " AND m.migration <> 'migrate-not-started'"
	    " AND m.run > COALESCE((SELECT w.run FROM release o JOIN work w ON w.id = o.deployment"
	    " WHERE o.id = $2), 0) AND ($3 = 0 OR m.run < $3) ORDER BY m.run DESC LIMIT 1",
	    DB_TEXT(environment), DB_I64(to->origin), DB_I64(run)); /* 0: there was none */
}

/* Digits of commits are small letters. */
#define BEGINS_WITH " AND commit_id >= $2 AND commit_id < $2 || 'g'"

/* The two statements are for the two forms of `what`: of each one alone begins so. */
void
row_release_removed(struct tx *tx, const char *environment, const char *what)
{
	const char *slash = strchr(environment, '/');
	char application[LIMIT_ENVIRONMENT] = ""; /* "shop/", "" of the main file */

	if (slash != NULL)
		text_setf(application, "%.*s", (int)(slash - environment) + 1, environment);
	(void)tx_run(tx,
	    "UPDATE release SET removed_at = $3 WHERE environment = $1"
	    " AND removed_at = 0" BEGINS_WITH,
	    DB_TEXT(environment), DB_TEXT(what), DB_I64(tx->at)); /* sticky */
	(void)tx_run(tx,
	    "UPDATE release SET removed_at = $2 WHERE image <> '' AND removed_at = 0"
	    " AND image >= $1 AND image < $1 || 'g' AND CASE WHEN $3 = '' THEN"
	    " environment NOT LIKE '%/%' ELSE substr(environment, 1, length($3)) = $3 END",
	    DB_TEXT(what), DB_I64(tx->at), DB_TEXT(application)); /* sticky */
}

void
row_release_leave(struct tx *tx, const struct release *now)
{
	int64_t n;

	(void)tx_run(tx,
	    "UPDATE release SET left_by = $4 WHERE environment = $1 AND id > $2 AND id < $3"
	    " AND left_by = 0",
	    DB_TEXT(now->environment), DB_I64(now->origin), DB_I64(now->id),
	    DB_I64(now->deployment)); /* sticky */
	n = tx_number(tx,
	    "SELECT COUNT(*) FROM release JOIN work w ON w.id = release.deployment"
	    " JOIN work b ON b.id = release.left_by WHERE release.environment = $1"
	    " AND release.id > $2 AND release.id < $3 AND release.left_by = $4"
	    " AND w.state = 'LIVE' AND w.program = 'deploy'"
	    " AND b.requested_at - w.ended_at <= $5",
	    DB_TEXT(now->environment), DB_I64(now->origin), DB_I64(now->id),
	    DB_I64(now->deployment), DB_I64(FIGURES_LEFT_MS));
	if (n > 0)
		tx_count_metric(
		    tx, INCREMENT_CHANGE, now->environment, "rolled_back", "", (double)n);
}

struct release
row_release_renumbered(struct tx *tx, const char *environment, const char *wanted, int64_t since)
{
	struct release release;
	int64_t number;

	if (!text_to_i64(wanted, 1, INT64_MAX, &number, NULL))
		return (struct release){ 0 };
	release = row_release_get(tx, number);
	if (strcmp(release.environment, environment) != 0 || release.renumbered_at < since ||
	    release.number == number)
		return (struct release){ 0 };
	return release;
}

/* There are few of one commit, and any number of an environment. */
#define RELEASED_BY \
	" FROM release INDEXED BY release_commit WHERE environment = $1 AND commit_id = $2" \
	" AND deployment = $3"

int64_t
row_release_number(struct tx *tx, const struct deployment *deployment)
{
	return tx_number(tx, "SELECT number" RELEASED_BY " ORDER BY id DESC LIMIT 1",
	    DB_TEXT(deployment->environment), DB_TEXT(deployment->commit), DB_I64(deployment->id));
}

bool
row_release_is_left(struct tx *tx, const struct deployment *deployment)
{
	return tx_number(tx, "SELECT left_by" RELEASED_BY " UNION ALL SELECT 0 LIMIT 1",
		   DB_TEXT(deployment->environment), DB_TEXT(deployment->commit),
		   DB_I64(deployment->id)) != 0;
}

int64_t
row_release_until(struct tx *tx, const struct deployment *deployment)
{
	return tx_number(tx,
	    "SELECT at FROM release WHERE environment = $1 AND id >"
	    " (SELECT id" RELEASED_BY " ORDER BY id DESC LIMIT 1) UNION ALL SELECT 0 LIMIT 1",
	    DB_TEXT(deployment->environment), DB_TEXT(deployment->commit), DB_I64(deployment->id));
}

struct release
row_release_find(struct tx *tx, const char *environment, const char *wanted)
{
	struct release release = { 0 };
	char prefix[LIMIT_COMMIT];
	int64_t number;

	if (text_to_i64(wanted, 1, INT64_MAX, &number, NULL))
		release = find(tx, "WHERE environment = $1 AND number = $2", DB_TEXT(environment),
		    DB_I64(number));
	if (release.id != 0 || !text_is_hex(wanted, 7, LIMIT_COMMIT - 1))
		return release;
	text_set(prefix, wanted); /* fits */
	for (char *c = prefix; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	return find(tx,
	    "INDEXED BY release_commit WHERE environment = $1" BEGINS_WITH
	    " ORDER BY id DESC LIMIT 1",
	    DB_TEXT(environment), DB_TEXT(prefix));
}

enum commit_source
row_release_source(struct tx *tx, const char *environment, const char *commit)
{
	return find(tx,
	    "INDEXED BY release_commit WHERE environment = $1 AND commit_id = $2"
	    " ORDER BY id DESC LIMIT 1",
	    DB_TEXT(environment), DB_TEXT(commit))
	    .source;
}

struct release
row_release_find_twin(struct tx *tx, const struct release *release, const char *wanted)
{
	size_t size = strlen(wanted);
	char prefix[LIMIT_COMMIT];

	if (size < 7 || strncasecmp(release->commit, wanted, size) != 0)
		return (struct release){ 0 };
	text_setf(prefix, "%.*s", (int)size, release->commit);
	return find(tx,
	    "INDEXED BY release_commit WHERE environment = $1" BEGINS_WITH
	    " AND commit_id <> $3 ORDER BY id DESC LIMIT 1",
	    DB_TEXT(release->environment), DB_TEXT(prefix), DB_TEXT(release->commit));
}

/* --- how long it takes --- */

static int
compare_i64(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int64_t
median(int64_t *values, size_t n)
{
	if (n == 0)
		return 0;
	qsort(values, n, sizeof(*values), compare_i64);
	return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* A step ends with the next one, the last with its run. */
#define STEP_DURATIONS \
	"SELECT COALESCE((SELECT MIN(f.at) FROM run_step f WHERE f.run = s.run AND f.n > s.n)," \
	" r.ended_at - " ROW_RUN_LATE \
	") - s.at FROM (SELECT id, run FROM work WHERE environment = $1 AND state = 'LIVE'" \
	" AND program = 'deploy' ORDER BY id DESC LIMIT $3) d" \
	" JOIN run r ON r.id = d.run JOIN run_step s ON s.run = d.run" \
	" WHERE s.name = $2 AND r.ended_at <> 0 ORDER BY d.id DESC LIMIT $3"

#define WHOLE_DURATIONS \
	"SELECT w.ended_at - w.started_at - COALESCE((SELECT " ROW_RUN_LATE \
	" FROM run r WHERE r.id = w.run), 0) FROM work w WHERE w.environment = $1" \
	" AND w.state = 'LIVE' AND w.program = 'deploy' AND w.started_at <> 0" \
	" AND w.ended_at <> 0 AND $2 = '' ORDER BY w.id DESC LIMIT $3"

int64_t
row_step_estimate(struct tx *tx, const char *environment, const char *name)
{
	int64_t values[ESTIMATE_FROM];

	return median(values,
	    tx_read(tx, tx_read_number, values, COUNT(values),
		name[0] == '\0' ? WHOLE_DURATIONS : STEP_DURATIONS, DB_TEXT(environment),
		DB_TEXT(name), DB_I64(ESTIMATE_FROM)));
}
