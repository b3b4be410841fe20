/* people_oracle.c - who is who, and who has approved what, without the product's word for it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "people_oracle.h"

#include "lib/db.h"
#include "lib/err.h"
#include "store/store_inside.h"

const int64_t people_admins[PEOPLE_ADMINS] = { 11, 22, 44, 55 };

/* --- eyes --- */

int64_t
people_number(struct people_oracle *o, const char *sql, int64_t a, int64_t b)
{
	int64_t n = 0;
	struct err err;

	if (!db_one_i64(&n, o->w->aid.store->db, &err, sql, DB_I64(a), DB_I64(b)))
		fail_msg("%s: %s", sql, err.text);
	return n;
}

/* The token that they act by now; 0: none. */
int64_t
people_token_of(struct people_oracle *o, int64_t person)
{
	if (person > 0)
		return people_number(o,
		    "SELECT COALESCE(MAX(token), 0) FROM session WHERE person = $1 AND $2 = 0",
		    person, 0);
	return people_number(o,
	    "SELECT COALESCE(MAX(id), 0) FROM token WHERE -(1099511627776 + id) = $1"
	    " AND $2 = 0",
	    person, 0);
}

static int64_t
maker_of(struct people_oracle *o, int64_t token)
{
	return people_number(
	    o, "SELECT COALESCE(MAX(made_by), 0) FROM token WHERE id = $1 AND $2 = 0", token, 0);
}

static int64_t
account_of(struct people_oracle *o, int64_t token)
{
	return people_number(
	    o, "SELECT COALESCE(MAX(person), 0) FROM token WHERE id = $1 AND $2 = 0", token, 0);
}

static bool
has_role(const struct people_oracle *o, int64_t person)
{
	bool has = person == PEOPLE_LEAD || person == WORLD_STAGING_USER;

	for (size_t i = 0; i < o->rules.n_admins; i++)
		has |= people_admins[i] == person;
	return has;
}

/* --- who is who, by the oracle --- */

bool
people_are(const struct people *people, int64_t person)
{
	for (size_t i = 0; i < people->n; i++)
		if (people->who[i] == person)
			return true;
	return false;
}

static void
add(struct people *people, int64_t person)
{
	if (person == 0 || people_are(people, person))
		return;
	assert_true(people->n < COUNT(people->who));
	people->who[people->n++] = person;
}

static void
add_token(struct people_oracle *o, struct people *people, int64_t token)
{
	if (token == 0)
		return;
	if (maker_of(o, token) > 0)
		add(people, maker_of(o, token));
	add(people, account_of(o, token));
}

/* Who asked for it or confirmed it, in all their shapes. */
struct people
people_requesters(struct people_oracle *o, int64_t work)
{
	struct people people = { 0 };
	int64_t confirmed_by =
	    people_number(o, "SELECT confirmed_by FROM work WHERE id = $1 AND $2 = 0", work, 0);
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	add(&people,
	    people_number(o, "SELECT requested_by FROM work WHERE id = $1 AND $2 = 0", work, 0));
	add(&people, confirmed_by);
	assert_true(db_query(&rows, o->w->aid.store->db, &err,
	    "SELECT person FROM question_requester WHERE deployment = $1", DB_I64(work)));
	while (db_next(&rows))
		add(&people, db_col_i64(&rows, 0));
	for (size_t i = 0; i < o->n_marks; i++)
		if (o->marks[i].work == work &&
		    (o->marks[i].act == PEOPLE_ASKED ||
			(o->marks[i].act == PEOPLE_CONFIRMED &&
			    o->marks[i].person == confirmed_by)))
			add_token(o, &people, o->marks[i].token);
	return people;
}

static bool
is_unknown(struct people_oracle *o, int64_t work)
{
	struct people people = people_requesters(o, work);

	for (size_t i = 0; i < people.n; i++)
		if (people.who[i] < 0)
			return true;
	for (size_t i = 0; i < o->n_marks; i++)
		if (o->marks[i].work == work && o->marks[i].act == PEOPLE_ASKED &&
		    o->marks[i].token != 0 &&
		    (maker_of(o, o->marks[i].token) <= 0 || !has_role(o, o->marks[i].person)))
			return true;
	return false;
}

/* The shapes of one who approved it; the newest mark is of the approval that stands. */
static struct people
approver(struct people_oracle *o, int64_t work, int64_t person)
{
	struct people people = { 0 };

	add(&people, person);
	for (size_t i = o->n_marks; i-- > 0;)
		if (o->marks[i].act == PEOPLE_APPROVED && o->marks[i].work == work &&
		    o->marks[i].person == person) {
			add_token(o, &people, o->marks[i].token);
			break;
		}
	return people;
}

static bool
meet(const struct people *a, const struct people *b)
{
	for (size_t i = 0; i < a->n; i++)
		if (people_are(b, a->who[i]))
			return true;
	return false;
}

/* So many other people have approved it. */
static int
count_others(struct people_oracle *o, int64_t work)
{
	struct people asked = people_requesters(o, work), counted = { 0 };
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;
	int n = 0;

	assert_true(db_query(&rows, o->w->aid.store->db, &err,
	    "SELECT person FROM approval WHERE work = $1 AND voided_at = 0 ORDER BY id",
	    DB_I64(work)));
	while (db_next(&rows)) {
		struct people one = approver(o, work, db_col_i64(&rows, 0));

		if (meet(&one, &asked) || meet(&one, &counted))
			continue;
		n++;
		for (size_t i = 0; i < one.n; i++)
			add(&counted, one.who[i]);
	}
	return n;
}

/* --- what must hold --- */

static int
needs(struct people_oracle *o, int64_t work)
{
	const struct people_rules *rules = &o->rules;
	bool is_production = people_number(o,
				 "SELECT COUNT(*) FROM work WHERE id = $1 AND environment ="
				 " 'production' AND $2 = 0",
				 work, 0) != 0;
	bool is_rollback = people_number(o,
			       "SELECT COUNT(*) FROM work WHERE id = $1 AND program = 'rollback'"
			       " AND $2 = 0",
			       work, 0) != 0;
	int n = is_rollback ? rules->rollback : is_production ? rules->production : rules->staging;

	return n > 0 && rules->is_strict && is_unknown(o, work) ? n + 1 : n;
}

static void
check_begun(struct people_oracle *o, int64_t work)
{
	int n = needs(o, work), others;
	bool is_by_token = false;

	if (n == 0 ||
	    people_number(o,
		"SELECT COUNT(*) FROM work WHERE id = $1 AND emergency <> '' AND $2 = 0", work,
		0) != 0)
		return;
	others = count_others(o, work);
	if (others < n)
		fail_msg("FIRST=%" PRIu64 ": #%" PRId64 " began with %d of %d other people",
		    o->seed, work, others, n);
	for (size_t i = 0; i < o->n_marks; i++)
		is_by_token |= o->marks[i].work == work && o->marks[i].token != 0;
	o->reached->began++;
	o->reached->began_by_two += n > 1;
	o->reached->began_by_token += is_by_token;
}

/* Who reviews it has not asked for it, as long as there is somebody else who could. */
static void
check_reviewed(struct people_oracle *o, int64_t work, int64_t by)
{
	struct people asked = people_requesters(o, work);

	o->reached->reviewed++;
	if (!people_are(&asked, by))
		return;
	for (size_t i = 0; i < o->rules.n_admins; i++)
		if (!people_are(&asked, people_admins[i]))
			fail_msg("FIRST=%" PRIu64 ": #%" PRId64 " was reviewed by %" PRId64,
			    o->seed, work, by);
}

/* --- what is remembered of each step --- */

static void
mark(struct people_oracle *o, enum people_act act, int64_t work, int64_t person, int64_t token)
{
	assert_true(o->n_marks < PEOPLE_MARKS);
	o->marks[o->n_marks++] = (struct people_mark){ act, work, person, token };
}

/* They joined the question of another: with what their own request was made. */
static void
note_joined(struct people_oracle *o)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	assert_true(db_query(&rows, o->w->aid.store->db, &err,
	    "SELECT deployment, person FROM question_requester WHERE person <> 0"));
	while (db_next(&rows)) {
		int64_t work = db_col_i64(&rows, 0), person = db_col_i64(&rows, 1);
		const struct people_mark *newest = NULL;
		bool is_known = false;

		for (size_t i = 0; i < o->n_marks; i++) {
			const struct people_mark *m = &o->marks[i];

			if (m->person != person || m->act == PEOPLE_APPROVED)
				continue;
			is_known |= m->work == work;
			newest = m->work != work ? m : newest;
		}
		if (is_known || newest == NULL)
			continue;
		mark(o, PEOPLE_ASKED, work, person, newest->token);
		o->reached->joined++;
	}
}

/* What became of one work: all is noted before anything of it is checked. */
struct became {
	int64_t id, confirmed_by, started_at, reviewed_at, approved;
};

static size_t
list(struct people_oracle *o, struct became ret[PEOPLE_WORKS])
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	size_t n = 0;
	struct err err;

	assert_true(db_query(&rows, o->w->aid.store->db, &err,
	    "SELECT w.id, w.confirmed_by, w.started_at, w.reviewed_at, COALESCE(MAX(a.id), 0)"
	    " FROM work w LEFT JOIN approval a ON a.work = w.id AND a.voided_at = 0 GROUP BY w.id"
	    " ORDER BY w.id"));
	while (db_next(&rows)) {
		assert_true(n < PEOPLE_WORKS);
		ret[n++] = (struct became){ db_col_i64(&rows, 0), db_col_i64(&rows, 1),
			db_col_i64(&rows, 2), db_col_i64(&rows, 3), db_col_i64(&rows, 4) };
	}
	return n;
}

/* What `who` did just now, by that token. */
void
people_note(struct people_oracle *o, int64_t who, int64_t token)
{
	struct became works[PEOPLE_WORKS];
	size_t n = list(o, works);
	int64_t last_approval = o->last_approval;

	for (size_t i = o->n_works; i < n; i++)
		mark(o, PEOPLE_ASKED, works[i].id, who, token);
	o->n_works = n;
	note_joined(o);
	for (size_t i = 0; i < n; i++) {
		if (works[i].confirmed_by != o->confirmed_by[i] && works[i].confirmed_by == who)
			mark(o, PEOPLE_CONFIRMED, works[i].id, who, token);
		o->confirmed_by[i] = works[i].confirmed_by;
		if (works[i].approved > last_approval)
			mark(o, PEOPLE_APPROVED, works[i].id, who, token);
		if (works[i].approved > o->last_approval)
			o->last_approval = works[i].approved;
	}
	for (size_t i = 0; i < n; i++) {
		if (!o->has_begun[i] && works[i].started_at != 0)
			check_begun(o, works[i].id);
		o->has_begun[i] = works[i].started_at != 0;
		if (!o->is_reviewed[i] && works[i].reviewed_at != 0)
			check_reviewed(o, works[i].id, who);
		o->is_reviewed[i] = works[i].reviewed_at != 0;
	}
}
