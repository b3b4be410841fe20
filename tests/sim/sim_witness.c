/* sim_witness.c - buckets outside that get the audit's entries, and answer late, wrong or not at all.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * What a bucket has is known here from the bytes that were sent, never from the rows: they are held
 * against it.  For how long the oldest entry waits is asked of the rows, and what may begin then is
 * a table of this file's own.
 */
#include "tests/sim/sim_inside.h"

#include "clients/s3_answer.h"
#include "store/audit_chain.h"
#include "types/settings.h"

#define CHECKSUM  "c"
#define MINUTE_MS INT64_C(60000)

static sim_fn call_ends;

static int64_t
number(struct sim *sim, struct db *db, const char *sql, struct db_value a)
{
	int64_t n = 0;
	struct err err;

	sim_check_must(sim, db_one_i64(&n, db, &err, sql, a), &err);
	return n;
}

/* --- what is stored there --- */

static struct sim_bucket *
bucket_at(struct sim *sim, const char *place)
{
	char name[WITNESS_PLACE];

	for (int i = 0; i < SIM_BUCKETS; i++) {
		(void)snprintf(name, sizeof(name), "s3 %s eu-central-1", sim_buckets[i]);
		if (strcmp(name, place) == 0)
			return &sim->witness.buckets[i];
	}
	sim_fail(sim, "each_bucket_is_one_of_the_settings", "%s", place);
}

static struct sim_object *
find(const struct sim_bucket *bucket, const struct effect_witness *what)
{
	for (size_t i = 0; i < bucket->n; i++) {
		struct sim_object *object = &bucket->objects[i];

		if (object->first == what->first && object->last == what->last &&
		    strcmp(object->head, what->head) == 0)
			return object;
	}
	return NULL;
}

static void *
grow(void *at, size_t n, size_t size)
{
	void *more = n % 256 == 0 ? reallocarray(at, n + 256, size) : at;

	sim_must(more != NULL, "room for what a bucket has");
	return more;
}

/* Each number follows the one before it, or is there already as it is now. */
static void
take_line(struct sim *sim, struct sim_bucket *bucket, const char *line, size_t size,
    struct audit_chain *ret)
{
	struct audit_claim claim;
	struct err err;

	sim_check_must(sim, audit_chain_read(line, size, &claim, &err), &err);
	*ret = claim.is;
	if (claim.is.seq > bucket->stored + 1)
		sim_fail(sim, "the_witness_gets_each_entry", "%" PRId64 " behind %" PRId64,
		    claim.is.seq, bucket->stored);
	if (claim.is.seq <= bucket->stored) {
		if (memcmp(claim.is.hash, bucket->hashes[claim.is.seq - 1], AUDIT_HASH) != 0)
			sim_fail(
			    sim, "the_witness_has_one_line_of_a_number", "%" PRId64, claim.is.seq);
		return;
	}
	if (memcmp(claim.hash, claim.is.hash, AUDIT_HASH) != 0 ||
	    (bucket->stored > 0 &&
		memcmp(claim.prev, bucket->hashes[bucket->stored - 1], AUDIT_HASH) != 0))
		sim_fail(sim, "what_the_witness_gets_is_the_chain", "%" PRId64, claim.is.seq);
	bucket->hashes = grow(bucket->hashes, (size_t)bucket->stored, sizeof(*bucket->hashes));
	memcpy(bucket->hashes[bucket->stored++], claim.is.hash, AUDIT_HASH);
}

/* What begins where another object does whose PUT was not answered would have a second name. */
static void
it_has_one_name(struct sim *sim, const struct sim_bucket *bucket, const struct effect_witness *what)
{
	for (size_t i = 0; i < bucket->n; i++)
		if (bucket->objects[i].first == what->first && !bucket->objects[i].is_said_taken)
			sim_fail(sim, "what_may_be_there_keeps_its_name",
			    "%" PRId64 " to %" PRId64 " beside %" PRId64, what->first, what->last,
			    bucket->objects[i].last);
}

static void
store(struct sim *sim, const struct effect_witness *what)
{
	struct sim_bucket *bucket = bucket_at(sim, what->place);
	const char *at = what->lines, *end = what->lines + what->size, *next;
	struct audit_chain last = { 0 };
	struct sim_object *object;
	char head[LIMIT_AUDIT_HEAD] = "";

	if (find(bucket, what) != NULL)
		return;
	it_has_one_name(sim, bucket, what);
	for (; at < end; at = next + 1) {
		next = memchr(at, '\n', (size_t)(end - at));
		sim_must(next != NULL, "an object ends with a whole line");
		take_line(sim, bucket, at, (size_t)(next - at), &last);
	}
	audit_chain_short(&last, head);
	if (last.seq != what->last || strcmp(head, what->head) != 0)
		sim_fail(sim, "an_object_is_what_its_name_says", "%" PRId64 " to %" PRId64,
		    what->first, what->last);
	bucket->objects = grow(bucket->objects, bucket->n, sizeof(*bucket->objects));
	object = &bucket->objects[bucket->n++];
	*object = (struct sim_object){ .first = what->first, .last = what->last };
	(void)text_copy(object->head, sizeof(object->head), head);
}

/* --- calls --- */

/* As S3 does it, with If-None-Match. */
static struct s3_put_answer
put(struct sim *sim, const struct effect_witness *what)
{
	struct sim_object *there = find(bucket_at(sim, what->place), what);

	store(sim, what);
	return (struct s3_put_answer){
		.status = there != NULL ? 412 : 200, .checksum = CHECKSUM, .version = "1"
	};
}

/* It is stored, and the answer is lost, or somebody's on the way; or something between has sent it
 * twice, and hands on what the second one came to. */
static struct s3_put_answer
put_unwell(struct sim *sim, const struct effect_witness *what)
{
	uint32_t how = sim_draw(sim, 4);
	struct s3_put_answer answer = { 0 };

	if (how == 3)
		return answer; /* it never came there */
	if (how == 2)
		(void)put(sim, what);
	answer = put(sim, what);
	if (how == 1)
		answer.checksum = NULL;
	if (how == 0)
		answer = (struct s3_put_answer){ 0 };
	return answer;
}

static bool
is_repeated(const struct effect *effect)
{
	return effect->u.witness.is_repeated || effect->is_recovered;
}

static struct s3_put_answer
answer_of(struct sim *sim, const struct effect_witness *what)
{
	uint32_t how = sim->is_resting ? 9 : sim_draw(sim, 10);
	bool is_away = !sim->is_resting && sim->now < sim->witness.away_until;

	if (how == 0 || (is_away && sim->witness.refuses))
		return (struct s3_put_answer){ .status = sim_one_in(sim, 4) ? 503 : 403 };
	if (how == 1 || is_away)
		return put_unwell(sim, what);
	return put(sim, what);
}

static void
note_answer(struct sim *sim, const struct effect_witness *what, const struct witness_answer *answer)
{
	struct sim_object *there = find(bucket_at(sim, what->place), what);

	if (answer->verdict == WITNESS_CONFIRMED && there == NULL)
		sim_fail(sim, "what_is_confirmed_is_there", "%" PRId64 " to %" PRId64, what->first,
		    what->last);
	if (answer->verdict == WITNESS_REFUSED)
		sim_note(sim, SIM_WITNESS_REFUSED);
	if (answer->verdict == WITNESS_UNKNOWN)
		sim_note(sim, SIM_WITNESS_UNKNOWN);
	if (answer->verdict == WITNESS_TAKEN) {
		sim_note(sim, SIM_WITNESS_TAKEN);
		there->is_said_taken = true;
	}
}

/* As perform_witness.c has it. */
static void
call_ends(struct sim *sim, int64_t id, int64_t b)
{
	struct sim_open *open = sim_server_find(sim, id);
	struct witness_answer *answer;
	struct s3_put_answer came;

	(void)b;
	if (open == NULL)
		return;
	answer = &open->effect->result->u.witnessed;
	came = answer_of(sim, &open->effect->u.witness);
	*answer = s3_judge_put(&came, CHECKSUM, is_repeated(open->effect));
	if (open->effect->is_recovered)
		witness_answer_repeated(answer);
	note_answer(sim, &open->effect->u.witness, answer);
	sim_trace(sim, "the witness answers %" PRId64 ": %d %s", id, (int)answer->verdict,
	    answer->detail);
	sim_server_report(sim, open);
}

static void
check_order(struct sim *sim, const struct sim_open *open)
{
	const struct effect_witness *what = &open->effect->u.witness;

	for (size_t i = 0; i < SIM_OPEN; i++)
		if (&sim->open[i] != open && sim->open[i].effect != NULL &&
		    sim->open[i].effect->kind == EFFECT_WITNESS)
			sim_fail(sim, "one_object_is_sent_at_a_time", "%" PRId64 " and %" PRId64,
			    sim->open[i].effect->id, open->effect->id);
	if (what->size == 0 || what->size > WITNESS_OBJECT_MAX)
		sim_fail(sim, "an_object_has_its_entries", "%" PRId64 " to %" PRId64, what->first,
		    what->last);
}

void
sim_witness_put(struct sim *sim, struct sim_open *open)
{
	struct effect *effect = open->effect;
	struct witness_answer *answer = &effect->result->u.witnessed;
	char place[WITNESS_PLACE];

	check_order(sim, open);
	witness_place(effect->settings, place);
	if (strcmp(place, effect->u.witness.place) == 0) {
		sim_later(sim, sim->life, sim_delay(sim, 50, 20000), call_ends, effect->id, 0);
		return;
	}
	*answer = (struct witness_answer){ WITNESS_REFUSED, "the settings name another witness" };
	if (effect->is_recovered)
		witness_answer_repeated(answer);
	sim_server_report_soon(sim, effect);
}

/* What was on its way is stored, or is not; nobody hears which. */
void
sim_witness_cut(struct sim *sim)
{
	for (size_t i = 0; i < SIM_OPEN; i++) {
		const struct effect *effect = sim->open[i].effect;

		if (effect != NULL && effect->kind == EFFECT_WITNESS && sim_one_in(sim, 2))
			store(sim, &effect->u.witness);
	}
}

/* For long enough that nothing new may start. */
void
sim_witness_goes_away(struct sim *sim)
{
	if (sim_settings_witness(sim_settings_get(sim->loaded), NULL) == NULL)
		return;
	sim->witness.away_until = sim->now + sim_delay(sim, 5 * MINUTE_MS, 60 * MINUTE_MS);
	sim->witness.refuses = sim_one_in(sim, 2);
	sim_trace(sim, "the witness is away until %" PRId64 " s",
	    (sim->witness.away_until - sim->now) / 1000);
}

/* --- around a decision --- */

/* For longer than the settings allow an entry waits for its confirmation. */
static bool
is_late(struct sim *sim, struct tx *tx)
{
	int64_t minutes = 0, since;
	const char *bucket = sim_settings_witness(tx->event->context.settings, &minutes);
	char place[WITNESS_PLACE];

	if (bucket == NULL || minutes == 0)
		return false;
	(void)snprintf(place, sizeof(place), "s3 %s eu-central-1", bucket);
	since = number(sim, tx->db,
	    "SELECT COALESCE((SELECT at FROM audit WHERE seq = 1 + COALESCE((SELECT confirmed"
	    " FROM audit_witness WHERE place = $1), 0)), 0)",
	    DB_TEXT(place));
	return since != 0 && tx->at - since > minutes * MINUTE_MS;
}

void
sim_witness_before(struct sim *sim, struct tx *tx, struct sim_before *ret)
{
	int64_t minutes = 0;

	(void)sim_settings_witness(tx->event->context.settings, &minutes);
	if (minutes > 0)
		ret->last_audit = number(sim, tx->db,
		    "SELECT COALESCE(MAX(seq), 0) FROM audit WHERE $1 <> 0", DB_I64(1));
}

/* Rollbacks, emergencies, what is only looked at, and what puts an action back. */
#define GOES_ON "(program = 'rollback' OR emergency <> '' OR is_read <> 0 OR action = 'cf-normal')"

void
sim_witness_check_begun(struct sim *sim, struct tx *tx, int64_t work)
{
	if (!is_late(sim, tx))
		return;
	if (number(sim, tx->db, "SELECT " GOES_ON " FROM work WHERE id = $1", DB_I64(work)) == 0)
		sim_fail(sim, "nothing_begins_long_without_a_witness", "work %" PRId64, work);
	if (number(sim, tx->db, "SELECT without_witness FROM work WHERE id = $1", DB_I64(work)) ==
	    0)
		sim_fail(sim, "what_begins_without_a_witness_is_marked", "work %" PRId64, work);
	sim_note(sim, SIM_UNWITNESSED_BEGUN);
}

/* Who was refused for that is told why, where they asked. */
static void
who_is_refused_reads_why(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	static const char words[] = "the audit log's copy is late";

	if (number(sim, tx->db,
		"SELECT COUNT(*) FROM audit WHERE seq > $1 AND code = 'denied_held'"
		" AND instr(meta, 'the audit log''s copy is late') > 0",
		DB_I64(before->last_audit)) == 0)
		return;
	sim_note(sim, SIM_UNWITNESSED_REFUSED);
	if ((tx->answer.text == NULL || strstr(tx->answer.text, words) == NULL) &&
	    number(sim, tx->db,
		"SELECT COUNT(*) FROM message WHERE id > $1"
		" AND instr(head, 'the audit log''s copy is late') > 0",
		DB_I64(before->last_message)) == 0)
		sim_fail(
		    sim, __func__, "%" PRId64 ": %s", before->said->person, before->said->text);
}

void
sim_witness_after(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	/* These change it. */
	bool is_steady = tx->event->kind != EVENT_WITNESSED && tx->event->kind != EVENT_FAULT;
	int64_t found;

	if (tx->failed || before->last_audit == 0 || !is_steady)
		return;
	if (before->said != NULL)
		who_is_refused_reads_why(sim, tx, before);
	if (!is_late(sim, tx))
		return;
	sim_note(sim, SIM_WITNESS_LATE);
	found = number(sim, tx->db,
	    "SELECT COALESCE(MAX(seq), 0) FROM audit WHERE seq > $1"
	    " AND instr(meta, '\"without_witness\":') = 0",
	    DB_I64(before->last_audit));
	if (found != 0)
		sim_fail(sim, "an_entry_without_a_witness_is_marked", "%" PRId64, found);
	found = number(sim, tx->db,
	    "SELECT COALESCE(MAX(id), 0) FROM work WHERE id > $1 AND cause NOT IN ('push', 'poll', 'job')"
	    " AND action <> 'open-gate' AND NOT " GOES_ON, /* it waits */
	    DB_I64(before->last_work));
	if (found != 0)
		sim_fail(
		    sim, "nothing_is_asked_for_long_without_a_witness", "work %" PRId64, found);
}

/* --- after every commit, and at rest --- */

/* What is called confirmed is there, up to that head, and stays so. */
void
sim_witness_check(struct sim *sim)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	sim_check_must(sim,
	    db_query(&rows, sim->eyes, &err, "SELECT place, confirmed, head FROM audit_witness"),
	    &err);
	while (db_next(&rows)) {
		struct sim_bucket *bucket = bucket_at(sim, db_col_text(&rows, 0));
		int64_t confirmed = db_col_i64(&rows, 1);
		struct audit_chain chain = { 0 };
		char head[LIMIT_AUDIT_HEAD];

		if (confirmed > bucket->stored || confirmed < bucket->confirmed)
			sim_fail(sim, "what_is_confirmed_is_there",
			    "%" PRId64 ", was %" PRId64 ", stored are %" PRId64, confirmed,
			    bucket->confirmed, bucket->stored);
		bucket->confirmed = confirmed;
		if (confirmed == 0)
			continue;
		memcpy(chain.hash, bucket->hashes[confirmed - 1], AUDIT_HASH);
		audit_chain_short(&chain, head);
		if (strcmp(head, db_col_text(&rows, 2)) != 0)
			sim_fail(sim, "what_is_confirmed_is_there", "%" PRId64 ": %s, not %s",
			    confirmed, head, db_col_text(&rows, 2));
	}
	sim_check_must(sim, db_rows_end(&rows, &err), &err);
}

static void
each_line_is_ours(struct sim *sim, const struct sim_bucket *bucket)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;
	int64_t seq = 0;

	sim_check_must(sim,
	    db_query(&rows, sim->eyes, &err, "SELECT hash FROM audit WHERE seq <= $1 ORDER BY seq",
		DB_I64(bucket->stored)),
	    &err);
	while (db_next(&rows)) {
		size_t size;
		const void *hash = db_col_blob(&rows, 0, &size);

		if (size != AUDIT_HASH || memcmp(hash, bucket->hashes[seq++], AUDIT_HASH) != 0)
			sim_fail(sim, "what_the_witness_has_is_the_audit", "%" PRId64, seq);
	}
	sim_check_must(sim, db_rows_end(&rows, &err), &err);
	if (seq != bucket->stored)
		sim_fail(sim, "what_the_witness_has_is_the_audit", "%" PRId64 " of %" PRId64, seq,
		    bucket->stored);
}

/* Of any bucket what it has is the audit's beginning; that of the settings has all of it. */
void
sim_witness_check_rest(struct sim *sim)
{
	const char *name = sim_settings_witness(sim_settings_get(sim->loaded), NULL);
	int64_t newest = number(
	    sim, sim->eyes, "SELECT COALESCE(MAX(seq), 0) FROM audit WHERE $1 <> 0", DB_I64(1));

	for (int i = 0; i < SIM_BUCKETS; i++) {
		const struct sim_bucket *bucket = &sim->witness.buckets[i];

		each_line_is_ours(sim, bucket);
		if (name != NULL && strcmp(name, sim_buckets[i]) == 0 &&
		    (bucket->confirmed != newest || bucket->stored != newest))
			sim_fail(sim, "at_rest_the_witness_has_all",
			    "%" PRId64 " confirmed, %" PRId64 " stored, %" PRId64 " written",
			    bucket->confirmed, bucket->stored, newest);
	}
}

void
sim_witness_free(struct sim *sim)
{
	for (int i = 0; i < SIM_BUCKETS; i++) {
		free(sim->witness.buckets[i].objects);
		free(sim->witness.buckets[i].hashes);
	}
}
