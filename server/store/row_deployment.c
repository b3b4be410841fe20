/* row_deployment.c - deployments, and all other work on a target.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_deployment.h"

#include "lib/column.h"
#include "lib/text.h"
#include "store/row_press.h"
#include "store/row_run.h"
#include "store/store_inside.h"

static const char *const causes[] = { TRIGGERS(COLUMN_SECOND) };
static const char *const whys[] = { DEPLOY_WHYS(COLUMN_SECOND) };

/* What may change, column by column: its type, its name, its field; `and` stands between two. */
/* clang-format off */
#define SAVED(C, and) \
	C(SOURCE, source,        source) and \
	C(TEXT, commit_id,       commit) and \
	C(TEXT, ref,             ref) and \
	C(TEXT, subject,         subject) and \
	C(TEXT, author,          author) and \
	C(FLAG, is_forced,       is_force_push) and \
	C(FLAG, is_foreign,      is_off_branch) and \
	C(SOURCE, previous_source, previous_source) and \
	C(TEXT, previous,        previous) and \
	C(TEXT, requester,       requester) and \
	C(I64,  chat,            address.chat) and \
	C(I64,  thread,          address.thread) and \
	C(I64,  message,         message) and \
	C(I64,  also_message,    also_message) and \
	C(I64,  place,           place) and \
	C(TEXT, waits_for,       waits_for) and \
	C(FLAG, is_asked_anew,   wait.is_asked_anew) and \
	C(I64,  queued_at,       wait.queued_at) and \
	C(I64,  ci_since,        wait.ci_since) and \
	C(TEXT, compared_live,   wait.compared_live) and \
	C(FLAG, is_behind,       wait.is_behind) and \
	C(FLAG, is_told_next,    wait.is_next_notified) and \
	C(I64,  run,             run) and \
	C(INT,  attempts,        attempts) and \
	C(FLAG, is_touched,      target_changed) and \
	C(FLAG, has_no_way_back, cannot_roll_back) and \
	C(FLAG, drains,          drains) and \
	C(TEXT, barrier,         barrier) and \
	C(FLAG, is_past_barrier, is_past_barrier) and \
	C(TEXT, tree,            tree) and \
	C(TEXT, urls,            urls) and \
	C(TEXT, detail,          detail) and \
	C(I64,  committed_at,    committed_at) and \
	C(I64,  requested_at,    requested_at) and \
	C(I64,  answered_at,     answered_at) and \
	C(I64,  started_at,      started_at) and \
	C(I64,  ended_at,        ended_at) and \
	C(TEXT, note,            note) and \
	C(TEXT, image,           image) and \
	C(TEXT, previous_image,  previous_image) and \
	C(TEXT, missing,         missing) and \
	C(I64,  to_release,      to_release) and \
	C(FLAG, is_forward,      is_forward) and \
	C(FLAG, is_again,        is_again) and \
	C(I64,  confirmed_by,    confirmed_by) and \
	C(TEXT, confirmer,       confirmer) and \
	C(TEXT, binding,         binding) and \
	C(TEXT, changed,         changed) and \
	C(I64,  request,         request) and \
	C(TEXT, exception,       exempt.exception) and \
	C(TEXT, action,          action) and \
	C(TEXT, argument,        argument) and \
	C(TEXT, client,          client) and \
	C(FLAG, is_to_be_asked,  is_to_be_asked) and \
	C(TEXT, approvers,       approvers) and \
	C(TEXT, untouched,       untouched) and \
	C(TEXT, emergency,       exempt.emergency) and \
	C(TEXT, reviewer,        exempt.reviewer) and \
	C(I64,  reviewed_at,     exempt.reviewed_at) and \
	C(I64,  cancelled_by,    cancelled_by) and \
	C(TEXT, migration,       migration) and \
	C(FLAG, without_witness, is_unwitnessed) and \
	C(TEXT, without,         without) and \
	C(TEXT, down_on,         look.down_on) and \
	C(I64,  looked_at,       look.at) and \
	C(TEXT, looked,          look.said) and \
	C(INT,  wave,            wave) and \
	C(INT,  waves,           waves)
/* clang-format on */
#define NAME(type, column, field)  #column
#define PLACE(type, column, field) "?" /* numbered as they stand */
#define SAVED_NAMES		   SAVED(NAME, ", ")

#define COLUMNS "id, environment, program, cause, state, why, requested_by, " SAVED_NAMES

static size_t
index_of(const char *word, const char *const words[], size_t count)
{
	size_t i = text_index(word, words, count);

	assert(i < count); /* no other is written */
	return i;
}

/* --- reading --- */

static void
read_deployment(const struct db_rows *rows, void *out)
{
	struct deployment *ret = out;
	int n = 7;

	*ret = (struct deployment){
		.id = db_col_i64(rows, 0),
		.program = row_run_program(db_col_text(rows, 2)),
		.trigger = (enum trigger)index_of(db_col_text(rows, 3), causes, COUNT(causes)),
		.state = deploy_flow_parse(db_col_text(rows, 4)),
		.why = (enum deploy_why)index_of(db_col_text(rows, 5), whys, COUNT(whys)),
		.requested_by = db_col_i64(rows, 6),
	};
	tx_text(rows, 1, ret->environment, sizeof(ret->environment));
#define C(type, column, field) TX_##type(field);
	SAVED(C, )
#undef C
}

/* The first row; id 0: there is none. */
#define find(tx, ret, ...) \
	tx_first_to(tx, read_deployment, ret, "SELECT " COLUMNS " FROM work " __VA_ARGS__)

struct deployment *
row_deployment_get(struct tx *tx, int64_t id, struct deployment *ret)
{
	if (id == 0) { /* of none */
		*ret = (struct deployment){ 0 };
		return ret;
	}
	return find(tx, ret, "WHERE id = $1", DB_I64(id));
}

struct deployment *
row_deployment_active(struct tx *tx, const char *environment, struct deployment *ret)
{
	return find(tx, ret, "WHERE environment = $1 AND " STORE_IS_ACTIVE, DB_TEXT(environment));
}

struct deployment *
row_deployment_queued(struct tx *tx, const char *environment, struct deployment *ret)
{
	return find(tx, ret,
	    "WHERE id = (SELECT id FROM work INDEXED BY work_queued WHERE environment = $1"
	    " AND state = 'QUEUED' ORDER BY " STORE_STANDS_BEHIND ", place, id LIMIT 1)",
	    DB_TEXT(environment));
}

/* Left to itself SQLite walks through the environment's whole history when nothing is open. */
struct deployment *
row_deployment_push_question(struct tx *tx, const char *environment, struct deployment *ret)
{
	return find(tx, ret,
	    "INDEXED BY work_asking WHERE environment = $1"
	    " AND state = 'AWAITING_CONFIRMATION' AND " STORE_IS_ASKING " AND " STORE_IS_PUSH
	    " ORDER BY id DESC LIMIT 1",
	    DB_TEXT(environment));
}

struct deployment *
row_deployment_push_approval(struct tx *tx, const char *environment, struct deployment *ret)
{
	return find(tx, ret,
	    "INDEXED BY work_asking WHERE environment = $1"
	    " AND state = 'AWAITING_APPROVAL' AND " STORE_IS_ASKING " AND " STORE_IS_PUSH
	    " ORDER BY id DESC LIMIT 1",
	    DB_TEXT(environment));
}

struct deployment *
row_deployment_next_question(struct tx *tx, enum program program, const struct deployment *like,
    int64_t after, struct deployment *ret)
{
	return find(tx, ret,
	    "INDEXED BY work_asking WHERE environment = $1 AND commit_id = $2 AND emergency = ''"
	    " AND program = $3 AND id > $4 AND state <> 'REQUESTED' AND " STORE_IS_ASKING
	    " ORDER BY id LIMIT 1",
	    DB_TEXT(like->environment), DB_TEXT(like->commit),
	    DB_TEXT(row_run_program_word(program)), DB_I64(after));
}

struct deployment *
row_deployment_emergency_of(
    struct tx *tx, const char *environment, const char *commit, struct deployment *ret)
{
	return find(tx, ret,
	    "INDEXED BY work_asking WHERE environment = $1 AND commit_id = $2 AND emergency <> ''"
	    " AND state <> 'REQUESTED' AND " STORE_IS_ASKING " ORDER BY id LIMIT 1",
	    DB_TEXT(environment), DB_TEXT(commit));
}

struct deployment *
row_deployment_chat_question(struct tx *tx, const char *environment, struct deployment *ret)
{
	return find(tx, ret,
	    "INDEXED BY work_asking WHERE environment = $1"
	    " AND state = 'AWAITING_CONFIRMATION' AND " STORE_IS_ASKING " AND NOT " STORE_IS_PUSH
	    " ORDER BY id LIMIT 1",
	    DB_TEXT(environment));
}

struct deployment *
row_deployment_asking(struct tx *tx, const char *environment, struct deployment *ret)
{
	return find(tx, ret,
	    "INDEXED BY work_asking WHERE environment = $1"
	    " AND " STORE_IS_ASKING " ORDER BY id DESC LIMIT 1",
	    DB_TEXT(environment));
}

int64_t
row_deployment_same_action(struct tx *tx, const struct deployment *work)
{
	return tx_number(tx,
	    "SELECT id FROM work INDEXED BY work_asking WHERE environment = $1"
	    " AND state = 'AWAITING_APPROVAL' AND " STORE_IS_ASKING
	    " AND program = 'action' AND action = $2 AND client = $3 AND argument = $4"
	    " AND requested_by = $5 ORDER BY id LIMIT 1",
	    DB_TEXT(work->environment), DB_TEXT(work->action), DB_TEXT(work->client),
	    DB_TEXT(work->argument), DB_I64(work->requested_by));
}

size_t
row_deployment_list_unreviewed(
    struct tx *tx, const char *environment, struct deployment *ret, size_t max)
{
	return tx_read(tx, read_deployment, ret, max,
	    "SELECT " COLUMNS " FROM work INDEXED BY work_review WHERE environment = $1"
	    " AND emergency <> '' AND reviewed_at = 0 AND started_at <> 0 ORDER BY id LIMIT $2",
	    DB_TEXT(environment), DB_I64(max));
}

size_t
row_deployment_list_asked(
    struct tx *tx, const char *environment, struct deployment *ret, size_t max)
{
	return tx_read(tx, read_deployment, ret, max,
	    "SELECT " COLUMNS " FROM work WHERE id IN (SELECT id FROM work INDEXED BY work_asking"
	    " WHERE environment = $1 AND " STORE_IS_ASKING
	    " AND state = 'AWAITING_CONFIRMATION' AND confirmed_by = 0"
	    " UNION ALL SELECT id FROM work INDEXED BY work_queued WHERE environment = $1"
	    " AND state = 'QUEUED' AND is_asked_anew <> 0) ORDER BY id LIMIT $2",
	    DB_TEXT(environment), DB_I64(max));
}

int64_t
row_deployment_next_asked(struct tx *tx, const char *environment, int64_t after)
{
	return tx_number(tx,
	    "SELECT COALESCE(MIN(id), 0) FROM (SELECT id FROM work INDEXED BY work_asking"
	    " WHERE environment = $1 AND " STORE_IS_ASKING " AND state <> 'REQUESTED'"
	    " UNION ALL SELECT id FROM work INDEXED BY work_queued WHERE environment = $1"
	    " AND state = 'QUEUED' AND is_asked_anew <> 0) AS asked WHERE id > $2",
	    DB_TEXT(environment), DB_I64(after));
}

int64_t
row_deployment_asked_until(struct tx *tx, int64_t id)
{
	return tx_number(
	    tx, "SELECT MAX(due) FROM effect WHERE kind = 'wait' AND subject = $1", DB_I64(id));
}

struct deployment *
row_deployment_unattended(struct tx *tx, int64_t after, struct deployment *ret)
{
	return find(tx, ret,
	    "d INDEXED BY work_open WHERE id > $1"
	    " AND " STORE_IS_OPEN
	    " AND NOT EXISTS (SELECT 1 FROM effect o WHERE o.subject = d.id AND o.kind = 'opa')"
	    " AND NOT EXISTS (SELECT 1 FROM effect e WHERE e.subject = d.id AND e.kind ="
	    " CASE WHEN d.state = 'REQUESTED' OR d.confirmed_by <> 0 THEN 'ask' ELSE 'wait' END)"
	    " AND state IN ('REQUESTED', 'AWAITING_CONFIRMATION') ORDER BY id LIMIT 1",
	    DB_I64(after));
}

struct deployment *
row_deployment_last_changed(struct tx *tx, const char *environment, struct deployment *ret)
{
	return find(tx, ret,
	    "INDEXED BY work_changes WHERE environment = $1 AND " STORE_CHANGES_RELEASE
	    " AND program = 'deploy' AND is_touched <> 0 ORDER BY id DESC LIMIT 1",
	    DB_TEXT(environment));
}

size_t
row_deployment_list_down(
    struct tx *tx, const char *environment, int64_t since, int64_t *ret, size_t max)
{
	return tx_read(tx, tx_read_number, ret, max,
	    "SELECT id FROM work INDEXED BY work_changes WHERE environment = $1"
	    " AND " STORE_CHANGES_RELEASE " AND state IN ('FAILED', 'ROLLBACK_FAILED')"
	    " AND is_touched <> 0 AND ended_at >= $2 ORDER BY id DESC LIMIT $3",
	    DB_TEXT(environment), DB_I64(since), DB_I64(max));
}

struct deployment *
row_deployment_last_rollback(
    struct tx *tx, const char *environment, int64_t since, struct deployment *ret)
{
	return find(tx, ret,
	    "INDEXED BY work_ended WHERE environment = $1 AND ended_at >= $2"
	    " AND ((program = 'deploy' AND state = 'ROLLED_BACK')"
	    " OR (program = 'rollback' AND state = 'LIVE')) AND NOT " STORE_IS_TO_HOSTS
	    " ORDER BY ended_at DESC, id DESC LIMIT 1",
	    DB_TEXT(environment), DB_I64(since));
}

struct deployment *
row_deployment_of_run(struct tx *tx, int64_t run, struct deployment *ret)
{
	return find(
	    tx, ret, "WHERE id = (SELECT deployment FROM run WHERE run.id = $1)", DB_I64(run));
}

static void
read_last(const struct db_rows *rows, void *out)
{
	struct deployment_last *ret = out;

	if (!db_col_is_null(rows, 0))
		ret->trigger = (enum trigger)index_of(db_col_text(rows, 0), causes, COUNT(causes));
	if (!db_col_is_null(rows, 1))
		ret->end = deploy_flow_parse(db_col_text(rows, 1));
}

struct deployment_last
row_deployment_last(struct tx *tx, const char *environment)
{
	struct deployment_last last = { TRIGGER_COUNT, DEPLOY_STATE_COUNT };

	(void)tx_read(tx, read_last, &last, 1,
	    "SELECT (SELECT cause FROM work WHERE environment = $1 ORDER BY id DESC LIMIT 1),"
	    " (SELECT state FROM work WHERE environment = $1 AND " STORE_HAS_RUN
	    " ORDER BY ended_at DESC, id DESC LIMIT 1)",
	    DB_TEXT(environment)); /* sticky */
	return last;
}

#define LISTED \
	" FROM work INDEXED BY work_changes WHERE environment = $1" \
	" AND (started_at <> 0 OR state = 'REFUSED') AND " STORE_CHANGES_RELEASE

size_t
row_deployment_list_behind(
    struct tx *tx, const char *environment, size_t skipped, struct deployment *ret, size_t max)
{
	return tx_read(tx, read_deployment, ret, max,
	    "SELECT " COLUMNS LISTED " ORDER BY id DESC LIMIT $2 OFFSET $3", DB_TEXT(environment),
	    DB_I64(max), DB_I64(skipped));
}

size_t
row_deployment_list(struct tx *tx, const char *environment, struct deployment *ret, size_t max)
{
	return row_deployment_list_behind(tx, environment, 0, ret, max);
}

size_t
row_deployment_count_list(struct tx *tx, const char *environment, size_t most)
{
	return (size_t)tx_number(tx, "SELECT COUNT(*) FROM (SELECT 1" LISTED " LIMIT $2) AS listed",
	    DB_TEXT(environment), DB_I64(most));
}

/* It went live, or came to nothing by itself. */
#define HAS_TRIED \
	" AND program = 'deploy' AND (state = 'LIVE' OR (state IN ('FAILED', 'ROLLED_BACK'," \
	" 'ROLLBACK_FAILED') AND why IN ('SCRIPT', 'UNHEALTHY', 'TIMED_OUT')))"

struct deployment *
row_deployment_tried(struct tx *tx, const char *environment, const char *commit, const char *tree,
    struct deployment *ret)
{
	int64_t id = 0;

	(void)tx_read(tx, tx_read_number, &id, 1,
	    "SELECT id FROM work INDEXED BY work_tree WHERE environment = $1 AND tree = $3"
	    " AND tree <> ''" HAS_TRIED
	    " UNION SELECT id FROM work INDEXED BY work_commit WHERE environment = $1"
	    " AND commit_id = $2 AND commit_id <> ''" HAS_TRIED " ORDER BY 1 DESC LIMIT 1",
	    DB_TEXT(environment), DB_TEXT(commit), DB_TEXT(tree)); /* 0: there is none */
	return row_deployment_get(tx, id, ret);
}

int64_t
row_deployment_failed_since(struct tx *tx, const struct release *release)
{
	return tx_number(tx,
	    "SELECT COALESCE(MAX(at), 0) FROM (SELECT MAX(ended_at) AS at"
	    " FROM work INDEXED BY work_commit"
	    " WHERE environment = $1 AND commit_id = $2 AND commit_id <> '' AND id > $3"
	    " AND program IN ('deploy', 'rollback') AND (state IN ('ROLLED_BACK', 'ROLLBACK_FAILED')"
	    " OR (state = 'FAILED' AND is_touched <> 0))"
	    " AND why IN ('SCRIPT', 'UNHEALTHY', 'TIMED_OUT') AND NOT " STORE_IS_TO_HOSTS
	    " UNION ALL SELECT MAX(ended_at) FROM work INDEXED BY work_ended WHERE environment = $1"
	    " AND ended_at >= $4 AND id > $3 AND previous = $2"
	    " AND program = 'deploy' AND state = 'ROLLBACK_FAILED' AND NOT EXISTS"
	    " (SELECT 1 FROM run WHERE run.id = work.run AND " STORE_RUN_CHANGED_NOTHING
	    ")) AS ends",
	    DB_TEXT(release->environment), DB_TEXT(release->commit), DB_I64(release->deployment),
	    DB_I64(release->at));
}

size_t
row_deployment_list_actions(
    struct tx *tx, const char *environment, const char *action, struct deployment *ret, size_t max)
{
	return tx_read(tx, read_deployment, ret, max,
	    "SELECT " COLUMNS " FROM work INDEXED BY work_actions WHERE environment = $1"
	    " AND program = 'action' AND $3 IN ('', action) ORDER BY id DESC LIMIT $2",
	    DB_TEXT(environment), DB_I64(max), DB_TEXT(action));
}

TX_READER(read_person, struct row_person, TX_I64(person), TX_TEXT(name))

size_t
row_deployment_list_people(struct tx *tx, struct row_person *ret, size_t max)
{
	return tx_read(tx, read_person, ret, max,
	    "SELECT requested_by, requester, id FROM (SELECT id, requested_by, requester,"
	    " ROW_NUMBER() OVER (PARTITION BY requested_by ORDER BY id DESC) AS nth"
	    " FROM (SELECT id, requested_by, requester FROM work ORDER BY id DESC LIMIT $1) AS newest"
	    " WHERE requested_by > 0 AND requester NOT LIKE '% (from the machine)') AS numbered"
	    " WHERE nth = 1 ORDER BY id DESC LIMIT $2",
	    DB_I64(ROW_PEOPLE_OF), DB_I64(max));
}

size_t
row_deployment_list_push_asked(
    struct tx *tx, const struct deployment *work, int64_t since, int64_t *ret, size_t max)
{
	return tx_read(tx, tx_read_number, ret, max,
	    "SELECT id FROM work INDEXED BY work_asking"
	    " WHERE (state = '' OR state = 'REQUESTED' OR state = 'AWAITING_CONFIRMATION'"
	    " OR state = 'AWAITING_APPROVAL') AND state = 'AWAITING_CONFIRMATION'"
	    " AND commit_id = $1 AND chat = $2 AND id <> $3 AND cause <> 'chat'"
	    " AND confirmed_by = 0 AND requested_at >= $4 ORDER BY id LIMIT $5",
	    DB_TEXT(work->commit), DB_I64(work->address.chat), DB_I64(work->id), DB_I64(since),
	    DB_I64(max));
}

size_t
row_deployment_list_last(struct tx *tx, int64_t person, char ret[][LIMIT_ENVIRONMENT], size_t max)
{
	return tx_read(tx, tx_read_environment, ret, max,
	    "SELECT environment FROM (SELECT id, environment, requested_by, program"
	    " FROM work ORDER BY id DESC LIMIT $1) AS newest WHERE requested_by = $2"
	    " AND program = 'deploy' GROUP BY environment ORDER BY MAX(id) DESC LIMIT $3",
	    DB_I64(ROW_PEOPLE_OF), DB_I64(person), DB_I64(max));
}

int64_t
row_deployment_count_open(struct tx *tx, int64_t requested_by)
{
	return tx_number(tx, "SELECT COUNT(*) FROM work WHERE requested_by = $1 AND " STORE_IS_OPEN,
	    DB_I64(requested_by));
}

int64_t
row_deployment_count_requested(struct tx *tx, int64_t requested_by)
{
	return tx_number(tx,
	    "SELECT COUNT(*) FROM work WHERE requested_by = $1 AND state = 'REQUESTED'"
	    " AND " STORE_IS_OPEN,
	    DB_I64(requested_by));
}

TX_READER(read_warnings, struct run_warnings, TX_TEXT(lines), TX_I64(said))

const struct run_warnings *
row_deployment_warnings(struct tx *tx, int64_t deployment, struct run_warnings *ret)
{
	ret->said = 0;
	ret->lines[0] = '\0';
	(void)tx_read(tx, read_warnings, ret, 1,
	    "SELECT warnings, n_warnings FROM run WHERE deployment = $1 ORDER BY id LIMIT 1",
	    DB_I64(deployment));
	return ret;
}

/* --- writing --- */

/* Said when it is asked for, and never after: its indexes stand on these. */
#define FIXED	"environment, program, cause, requested_by, is_read"
#define N_FIXED 5

#define BIND_TEXT(field)	 DB_TEXT(field),
#define BIND_I64(field)		 DB_I64(field),
#define BIND_INT(field)		 DB_I64(field),
#define BIND_FLAG(field)	 DB_I64(field),
#define BIND_SOURCE(field)	 DB_TEXT(commit_source_word(field)),
#define ONE(type, column, field) 1,
#define N_SAVED			 sizeof((const char[]){ SAVED(ONE, ) })

static void
bind_saved(const struct deployment *d, struct db_value out[N_SAVED])
{
#define C(type, column, field) BIND_##type(d->field)
	const struct db_value values[] = { SAVED(C, ) };
#undef C

	memcpy(out, values, sizeof(values));
}

void
row_deployment_add(struct tx *tx, struct deployment *deployment)
{
	struct db_value values[N_SAVED + N_FIXED + 3] = { 0 };
	struct db_value *more = values + N_SAVED;

	bind_saved(deployment, values);
	*more++ = DB_TEXT(deployment->environment);
	*more++ = DB_TEXT(row_run_program_word(deployment->program));
	*more++ = DB_TEXT(causes[deployment->trigger]);
	*more++ = DB_I64(deployment->requested_by);
	*more++ = DB_I64(deployment_is_read(deployment));
	*more++ = DB_TEXT(deploy_flow_name(deployment->state));
	*more++ = DB_TEXT(whys[deployment->why]);
	deployment->id = tx_next_id(tx, STORE_ID_WORK);
	*more++ = DB_I64(deployment->id);
	if (!tx_run_sql(tx,
		&(const struct db_sql){
		    "INSERT INTO work (" SAVED_NAMES ", " FIXED
		    ", state, why, id) VALUES (" SAVED(PLACE, ", ") ", ?, ?, ?, ?, ?, ?, ?, ?)",
		    values, COUNT(values) }))
		deployment->id = 0;
	row_press_add(tx, deployment->id, PRESS_REQUEST, deployment->requested_by);
	store_names_add(&tx->store->changed, deployment->environment);
	tx_news(tx, deployment_target_here(deployment), deployment->id);
}

void
row_deployment_save(struct tx *tx, const struct deployment *deployment)
{
	struct db_value values[N_SAVED + 1];

	bind_saved(deployment, values);
	values[N_SAVED] = DB_I64(deployment->id);
	(void)tx_run_sql(tx,
	    &(const struct db_sql){ "UPDATE work SET (" SAVED_NAMES
				    ") = (" SAVED(PLACE, ", ") ") WHERE id = ?",
		values, COUNT(values) }); /* sticky */
	tx_news(tx, deployment_target_here(deployment), deployment->id);
}

void
row_deployment_set_state(
    struct tx *tx, const struct deployment *of, enum deploy_state state, enum deploy_why why)
{
	if (tx_run(tx, "UPDATE work SET state = $2, why = $3 WHERE id = $1", DB_I64(of->id),
		DB_TEXT(deploy_flow_name(state)), DB_TEXT(whys[why])))
		store_names_add(&tx->store->changed, of->environment);
	tx_news(tx, deployment_target_here(of), of->id);
}
