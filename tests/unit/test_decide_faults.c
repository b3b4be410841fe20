/* Goal: whatever call of a decision fails, it is decided whole, or not at all and said so.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * Stories of story_aid.h are played.  In each, every decision meets every failure there is
 * for it: its first statement fails, its second, … until one attempt meets no failure and decides.
 * The attempts before that must have changed no row, have handed out nothing, and have said so.
 * Where an attempt decides although a call failed (a closing by FAULT), the story goes on from
 * there and is played again for the next call.
 * A call that has failed before, in whatever story, with the same callers up to the batch (one
 * that is refused: with the nearest, for an event of that kind), is passed by but for one in
 * STRIDE.
 */
#include <fcntl.h>
#include <limits.h>
#include <time.h>
#include <unistd.h>

#include "fail_nth.h"
#include "lib/crypto.h"
#include "lib/db.h"
#include "lib/log.h"
#include "lib/text.h"
#include "store/audit_verify.h"
#include "story_aid.h"

TESTS_OF_A_FILE

#define PRODUCTION_URL "PRODUCTION_HEALTH_URL=http://127.0.0.1:1/health"

/* SQLite's flushes: no power is cut here, and thousands of commits wait for nothing else. */
int
fdatasync(UNUSED int fd)
{
	return 0;
}

static struct world w; /* of the story that is played */

/* --- what is on disk, seen through a connection of its own --- */

/* What strangers repeat is counted, an entry once an hour: with "audit" left out that is too. */
#define NO_COUNT "NOT (kind = 'wait' AND body LIKE '%\"strangers\"%')"

/* The digests of settings: some are of paths, and each story has a folder of its own. */
#define NO_FOLDER " WHERE NOT (sqlite_master.name = 'setting' AND c.name = 'mark')"

#define ROWS_SQL_MAX 16384

/* All rows of all tables in one statement, and of each whether it stays as it is where only the
 * audit grows. */
static const char *
rows_sql(struct db *db)
{
	static char sql[ROWS_SQL_MAX]; /* the tables are the same in every story */
	CLEANUP(db_rows_close) struct db_rows tables = { 0 };
	size_t used = 0;
	struct err err;

	if (sql[0] != '\0')
		return sql;
	assert_true(db_query(&tables, db, &err,
	    "SELECT name, (SELECT group_concat('quote(' || c.name || ')', ' || ')"
	    " FROM pragma_table_info(sqlite_master.name) AS c" NO_FOLDER ") FROM sqlite_master"
	    " WHERE type = 'table' AND name <> 'sqlite_sequence' ORDER BY name"));
	while (db_next(&tables)) {
		const char *name = db_col_text(&tables, 0);
		const char *stays = strcmp(name, "effect") == 0 ? NO_COUNT :
		    strcmp(name, "counter") == 0		? "name <> 'effect'" :
		    strcmp(name, "audit") == 0 || strcmp(name, "stranger") == 0 ? "0" :
										  "1";
		int n = snprintf(sql + used, sizeof(sql) - used,
		    "%sSELECT '%s' || %s AS row, %s FROM %s", used == 0 ? "" : " UNION ALL ", name,
		    db_col_text(&tables, 1), stays, name);

		assert_in_range(n, 1, (int)(sizeof(sql) - used) - 1);
		used += (size_t)n;
	}
	assert_true(db_rows_end(&tables, &err));
	assert_in_range(
	    snprintf(sql + used, sizeof(sql) - used, " ORDER BY row"), 1, sizeof(sql) - used - 1);
	return sql;
}

static void
rows_of(
    struct db *db, uint8_t ret_all[CRYPTO_SHA256_SIZE], uint8_t ret_but_audit[CRYPTO_SHA256_SIZE])
{
	CLEANUP(crypto_sha256_freep) struct crypto_sha256 *all = crypto_sha256_new(NULL);
	CLEANUP(crypto_sha256_freep) struct crypto_sha256 *but_audit = crypto_sha256_new(NULL);
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	assert_true(all != NULL && but_audit != NULL);
	if (!db_query(&rows, db, &err, rows_sql(db)))
		fail_msg("%s", err.text);
	while (db_next(&rows)) {
		const char *row = db_col_text(&rows, 0);

		assert_true(crypto_sha256_add(all, row, strlen(row), NULL));
		if (db_col_i64(&rows, 1) != 0)
			assert_true(crypto_sha256_add(but_audit, row, strlen(row), NULL));
	}
	assert_true(db_rows_end(&rows, &err));
	assert_true(crypto_sha256_finish(all, ret_all, NULL));
	assert_true(crypto_sha256_finish(but_audit, ret_but_audit, NULL));
}

/* A deployment that is neither at its end nor waits for anything: it would stay so for ever. */
#define FORGOTTEN \
	"SELECT COUNT(*) FROM work AS d WHERE state NOT IN ('LIVE', 'FAILED', " \
	"'ROLLED_BACK'," \
	" 'ROLLBACK_FAILED', 'REFUSED', 'CANCELLED', 'EXPIRED', 'SUPERSEDED', 'DONE', 'QUEUED')" \
	" AND NOT EXISTS (SELECT 1 FROM effect WHERE subject = d.id AND kind IN ('run', 'ask'," \
	" 'probe', 'wait'))"
/* One that waits for an environment that nobody uses, and of which it is known what runs there; it
 * may be that git compares it with what is live, that it was asked about anew, or that a lock or
 * freeze holds it, of which the end is looked for. */
#define FORGOTTEN_IN_QUEUE \
	"SELECT COUNT(*) FROM work AS d WHERE state = 'QUEUED' AND NOT EXISTS (SELECT 1 " \
	"FROM" \
	" work WHERE environment = d.environment AND state IN ('RUNNING', 'STOPPING'," \
	" 'VERIFYING', 'ROLLING_BACK', 'VERIFYING_ROLLBACK'))" \
	" AND NOT EXISTS (SELECT 1 FROM environment WHERE name = d.environment" \
	" AND unknown_since <> 0)" \
	" AND NOT (waits_for = 'hold' AND EXISTS (SELECT 1 FROM hold)" \
	" AND EXISTS (SELECT 1 FROM effect WHERE kind = 'wait' AND body LIKE '%\"holds\"%'))" \
	" AND NOT EXISTS (SELECT 1 FROM effect WHERE subject = d.id AND kind IN ('ask', 'wait'))"

/* --- attempts --- */

static struct {
	enum fail_what what;
	const char *story;
	bool is_on;
	unsigned decision;	/* the one at hand, from 0 */
	uint64_t of;		/* what it is about */
	unsigned from_decision; /* before it nothing fails */
	unsigned from_call;	/* of from_decision */
	bool is_done;		/* one decided although a call failed: nothing fails any more */
	unsigned next_decision; /* then: where the next playing goes on */
	unsigned next_call;
	bool is_closed; /* ... and its effect was closed by FAULT: the story is another */
	struct db *look;
	unsigned stride;
	unsigned chance; /* from SEED on */
	int null;	 /* where the log goes: each failure is logged */
	unsigned long n_met;
} attempts;

struct rows {
	uint8_t all[CRYPTO_SHA256_SIZE];
	uint8_t but_audit[CRYPTO_SHA256_SIZE];
	int64_t version; /* SQLite's data_version of attempts.look; 0: nothing was seen */
};

static struct rows seen;

#define PLACES_MAX 65536

static uint64_t places[PLACES_MAX]; /* where calls of this kind have failed; 0: free */
static size_t n_places;
static enum fail_what places_of = FAIL_WHAT_COUNT;

static void
complain(unsigned call, const char *text)
{
	(void)fail_nth_met();
	fail_msg("%s, decision %u, call %u (%s): %s", attempts.story, attempts.decision, call,
	    fail_what_name(attempts.what), text);
}

static struct event *
copy_of(const struct event *event)
{
	struct event *copy = event_new(event->kind);

	assert_non_null(copy);
	memcpy(copy, event, event_size(event->kind));
	copy->link = (struct queue_link){ 0 };
	copy->context.settings = settings_ref(event->context.settings);
	if (event->kind == EVENT_UPDATE) {
		copy->u.update = malloc(sizeof(*copy->u.update));
		assert_non_null(copy->u.update);
		*copy->u.update = *event->u.update;
	} else if (event->kind == EVENT_GIT_ANSWERED) {
		copy->u.git_answered.answer = strdup(event->u.git_answered.answer);
		assert_non_null(copy->u.git_answered.answer);
		if (event->u.git_answered.binding != NULL) {
			copy->u.git_answered.binding = strdup(event->u.git_answered.binding);
			assert_non_null(copy->u.git_answered.binding);
		}
	} else if (event->kind == EVENT_PROBED) {
		size_t size = event->u.probed.n * sizeof(*event->u.probed.findings);

		copy->u.probed.findings = malloc(size);
		assert_non_null(copy->u.probed.findings);
		memcpy(copy->u.probed.findings, event->u.probed.findings, size);
	}
	return copy;
}

/* What was handed out: the status of the answer (0: none), and whether anything is to be done. */
static int
handed_out(const struct queue_list *outcomes, bool *ret_acts)
{
	int status = 0;

	*ret_acts = false;
	for (struct queue_link *l = outcomes->first; l != NULL; l = l->next) {
		const struct outcome *outcome = QUEUE_ITEM(l, struct outcome, link);

		if (outcome->kind == OUTCOME_ANSWER)
			status = outcome->answer.status;
		if (outcome->kind == OUTCOME_WITHDRAW ||
		    (outcome->kind == OUTCOME_EFFECT &&
			(outcome->effect->kind != EFFECT_TIMER ||
			    outcome->effect->u.timer.kind != TIMER_STRANGERS)))
			*ret_acts = true;
	}
	return status;
}

static void
drop(struct queue_list *list)
{
	struct queue_link *link;

	while ((link = queue_list_take(list)) != NULL)
		outcome_free(QUEUE_ITEM(link, struct outcome, link));
}

/* All rows, hashed anew only where another connection has committed: most attempts have not. */
static void
look(void)
{
	int64_t version;
	struct err err;

	assert_true(db_one_i64(&version, attempts.look, &err, "PRAGMA data_version"));
	if (version == seen.version)
		return;
	seen.version = version;
	rows_of(attempts.look, seen.all, seen.but_audit);
}

static bool
is_same(const struct rows *before)
{
	look();
	return memcmp(before->all, seen.all, sizeof(seen.all)) == 0;
}

static bool
is_same_but_audit(const struct rows *before)
{
	look();
	return memcmp(before->but_audit, seen.but_audit, sizeof(seen.but_audit)) == 0;
}

bool __real_store_batch(struct store *store, struct queue_list *events,
    struct queue_list *ret_outcomes, struct err *err);
bool __wrap_store_batch(struct store *store, struct queue_list *events,
    struct queue_list *ret_outcomes, struct err *err);

/* Whether a call failed at that place before; one in `stride` fails again, other ones each time. */
static bool
is_place_done(uint64_t place)
{
	size_t at;

	place ^= attempts.what == FAIL_STEP_REFUSED ? attempts.of << 32 : 0;
	at = place % PLACES_MAX;
	while (places[at] != 0 && places[at] != place)
		at = (at + 1) % PLACES_MAX;
	if (places[at] == 0) {
		assert_true(++n_places < PLACES_MAX);
		places[at] = place;
		return false;
	}
	attempts.chance = attempts.chance * 1103515245u + 12345u;
	return (attempts.chance >> 16) % attempts.stride != 0;
}

static void
pass_by_places_of(enum fail_what what)
{
	if (what != places_of) {
		memset(places, 0, sizeof(places));
		n_places = 0;
		places_of = what;
	}
	/* That nothing helps is decided with the event at hand, whoever asked for the row. */
	fail_nth_pass(is_place_done, what == FAIL_STEP_REFUSED ? 3 : FAIL_CALLERS_MAX);
}

static unsigned
number_from(const char *name, unsigned otherwise)
{
	const char *text = getenv(name);
	int64_t n;

	return text != NULL && text_to_i64(text, 1, UINT_MAX, &n, NULL) ? (unsigned)n : otherwise;
}

/* True: it was decided all the same.  False: as if it had never come, and that was said. */
static bool
check_attempt(unsigned call, const struct event *event, const struct rows *before, bool ok,
    size_t given_back, const struct queue_list *outcomes)
{
	bool acts, is_outside = event_is_from_outside(event);
	int status = handed_out(outcomes, &acts);

	if (!ok) {
		if (is_outside ? given_back == 0 && status != 503 : given_back != 1)
			complain(call, "a batch that failed lost its event");
		if (acts || !is_same(before))
			complain(call, "a batch that failed left something behind");
		return false;
	}
	if (given_back != 0)
		complain(call, "a batch that was kept gave its event back");
	if (status == 503 || status == 500) {
		if (acts || !(status == 503 ? is_same(before) : is_same_but_audit(before)))
			complain(call, "what was refused left something behind");
		return false;
	}
	/* Put aside: it never helps to send it again, and Telegram would do nothing else. */
	if (attempts.what == FAIL_STEP_REFUSED && is_outside && !acts &&
	    is_same_but_audit(before) && !is_same(before))
		return false;
	if (is_outside && attempts.what != FAIL_EXEC)
		complain(call, "it was acknowledged although it failed");
	return true;
}

bool
__wrap_store_batch(struct store *store, struct queue_list *events, struct queue_list *ret_outcomes,
    struct err *err)
{
	struct event *event;
	struct rows before;
	unsigned call;

	if (!attempts.is_on)
		return __real_store_batch(store, events, ret_outcomes, err);
	if (attempts.is_done || attempts.decision < attempts.from_decision) {
		attempts.decision++;
		return __real_store_batch(store, events, ret_outcomes, err);
	}
	assert_int_equal(events->length, 1);
	event = QUEUE_ITEM(queue_list_take(events), struct event, link);
	call = attempts.decision == attempts.from_decision ? attempts.from_call : 1;
	for (;; call++) {
		struct queue_list one = { 0 }, outcomes = { 0 };
		size_t given_back;
		bool ok, is_met, is_decided;

		look(); /* each time: what is quarantined leaves an entry */
		before = seen;
		queue_list_add(&one, &copy_of(event)->link);
		attempts.of = (uint64_t)event->kind;
		fail_nth(attempts.what, call);
		ok = __real_store_batch(store, &one, &outcomes, err);
		is_met = fail_nth_met();
		call = is_met ? fail_nth_call() : call;
		attempts.n_met += is_met;
		given_back = one.length;
		if (given_back != 0)
			event_free(QUEUE_ITEM(queue_list_take(&one), struct event, link));
		is_decided =
		    !is_met || check_attempt(call, event, &before, ok, given_back, &outcomes);
		if (!is_decided) {
			drop(&outcomes);
			continue;
		}
		if (!ok)
			complain(call, err->text);
		attempts.is_done = is_met;
		attempts.next_decision = attempts.decision;
		attempts.next_call = call + 1;
		attempts.is_closed = is_met && attempts.what == FAIL_STEP_REFUSED;
		queue_list_append(ret_outcomes, &outcomes);
		break;
	}
	attempts.decision++;
	event_free(event);
	return true;
}

/* --- playing --- */

static void
check_at_rest(const char *when)
{
	struct audit_verified verified;
	struct queue_list out = { 0 };
	int64_t n, queued;
	struct err err;

	attempts.is_on = false;
	if (!db_one_i64(&n, attempts.look, &err, FORGOTTEN) ||
	    !db_one_i64(&queued, attempts.look, &err, FORGOTTEN_IN_QUEUE))
		fail_msg("%s", err.text);
	if (n != 0 || queued != 0)
		complain(attempts.next_call - 1, "a deployment waits for nothing");
	assert_false(store_project(w.aid.store, &out));
	drop(&out);
	if (!audit_verify(w.aid.path, w.aid.audit_path, &verified, &err))
		fail_msg("%s: the audit after %s: %s", attempts.story, when, err.text);
}

static void
play(enum story story, struct rows *ret_rows)
{
	struct err err;

	attempts.decision = 0;
	attempts.is_done = attempts.is_closed = false;
	world_open(&w, STAGING_URL, PRODUCTION_URL, "POLL_REPOSITORY_SECONDS=60",
	    "STAGING_ROLLBACK_NAG_MINUTES=15", story_setting(story), NULL);
	log_to(attempts.null);
	attempts.look = db_open(w.aid.path, DB_READ_ONLY, &err);
	assert_non_null(attempts.look);
	seen.version = 0;
	attempts.is_on = true;
	for (size_t step = 0; step < story_size(story) && !attempts.is_closed; step++)
		story_play(&w, story, step);
	check_at_rest("the story");
	if (ret_rows != NULL)
		rows_of(attempts.look, ret_rows->all, ret_rows->but_audit);
	db_close(attempts.look);
	world_close(&w);
}

/* Every decision of the story meets every failure of that kind, and it ends as it would without. */
static void
play_with(enum story story, enum fail_what what)
{
	struct rows undisturbed, rows;
	unsigned playings = 0;

	attempts.story = story_name(story);
	attempts.what = what;
	attempts.from_decision = UINT_MAX;
	play(story, &undisturbed);
	attempts.from_decision = 0;
	attempts.from_call = 1;
	attempts.n_met = 0;
	pass_by_places_of(what);
	do {
		play(story, &rows);
		playings++;
		/* What is quarantined leaves an entry, and a closed effect another story. */
		if (what != FAIL_STEP_REFUSED)
			assert_memory_equal(rows.all, undisturbed.all, sizeof(rows.all));
		attempts.from_decision = attempts.next_decision;
		attempts.from_call = attempts.next_call;
	} while (attempts.is_done);
	fail_nth_pass(NULL, 0);
	print_message("           %-10s %-13s %5lu calls failed, played %u times\n", attempts.story,
	    fail_what_name(what), attempts.n_met, playings);
	assert_true(n_places > 0);
}

static void
play_all_with(enum fail_what what)
{
	for (enum story story = 0; story < STORY_COUNT; story++)
		play_with(story, what);
}

TEST(a_statement_that_the_disk_refuses_undoes_its_decision)
{
	play_all_with(FAIL_STEP);
}

TEST(a_statement_that_always_fails_is_quarantined_or_closes_its_effect)
{
	play_all_with(FAIL_STEP_REFUSED);
}

TEST(a_statement_that_cannot_be_made_undoes_its_decision)
{
	play_all_with(FAIL_PREPARE);
	play_with(STORY_PRODUCTION, FAIL_BIND);
	play_with(STORY_TALK, FAIL_BIND);
}

TEST(a_decision_without_its_hash_is_undone)
{
	play_with(STORY_PRODUCTION, FAIL_CRYPTO);
	play_with(STORY_TALK, FAIL_CRYPTO);
}

/* A start that fails says why and leaves all as it is; the next one finds everything. */
TEST(a_store_that_cannot_be_opened_or_recovered_is_left_as_it_was)
{
	static const enum fail_what whats[] = { FAIL_STEP, FAIL_PREPARE, FAIL_BIND, FAIL_EXEC };
	struct rows before;
	struct err err;

	attempts.is_on = false;
	attempts.story = "opening";
	world_open(&w, STAGING_URL, PRODUCTION_URL, "POLL_REPOSITORY_SECONDS=60", NULL);
	log_to(attempts.null);
	for (size_t step = 0; step < 5; step++)
		story_play(&w, STORY_PRODUCTION, step);
	attempts.look = db_open(w.aid.path, DB_READ_ONLY, &err);
	assert_non_null(attempts.look);
	seen.version = 0;
	look();
	before = seen;
	for (size_t i = 0; i < COUNT(whats); i++) {
		bool is_met = true;

		attempts.what = whats[i];
		for (unsigned n = 1; is_met; n++) {
			struct queue_list outcomes = { 0 };
			bool ok;

			store_close(w.aid.store);
			fail_nth(whats[i], n);
			w.aid.store = store_open(&w.aid.config, &err);
			ok = w.aid.store != NULL &&
			    store_recover(w.aid.store, w.aid.settings, w.aid.at, &outcomes, &err);
			is_met = fail_nth_met();
			if (!ok && (!is_met || err.text[0] == '\0' || outcomes.first != NULL))
				complain(n, ok ? "" : err.text);
			if (ok && is_met)
				complain(n, "it failed, and nobody heard of it");
			if (!is_same(&before))
				complain(n, "opening changed rows");
			drop(&outcomes);
		}
	}
	db_close(attempts.look);
	world_close(&w);
}

/* A new database is made whole or not at all, and a start on what was left makes it. */
TEST(a_database_is_made_whole_or_not_at_all)
{
	static const enum fail_what whats[] = { FAIL_EXEC, FAIL_STEP, FAIL_PREPARE };
	struct store_aid aid;
	struct err err;

	for (size_t i = 0; i < COUNT(whats); i++) {
		bool is_met = true;

		places_of = FAIL_WHAT_COUNT; /* each place of a new database */
		pass_by_places_of(whats[i]);
		for (unsigned n = 1; is_met; n++) {
			store_aid_open(&aid, NULL, NULL, NULL);
			store_close(TAKE(aid.store));
			(void)remove(aid.path);
			fail_nth(whats[i], n);
			aid.store = store_open(&aid.config, &err);
			is_met = fail_nth_met();
			n = is_met ? fail_nth_call() : n;
			if (aid.store == NULL)
				aid.store = store_open(&aid.config, &err);
			assert_non_null(aid.store);
			store_aid_close(&aid);
		}
		fail_nth_pass(NULL, 0);
	}
}

int
main(void)
{
	attempts.chance = number_from("SEED", (unsigned)time(NULL));
	attempts.stride = number_from("STRIDE", 1000); /* 1: all of them */
	print_message("SEED=%u STRIDE=%u\n", attempts.chance, attempts.stride);
	attempts.null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	return unit_run(NULL);
}
