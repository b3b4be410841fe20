/* Goal: whatever people do with tokens, logins and the machine, nobody is two of those who are needed.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * Random histories, and an oracle that calls nothing of the product: it reads raw rows, remembers
 * by which token each press was made, and says who is who.  HISTORIES=n plays so many, FIRST=n
 * begins there.
 */
#include "people_aid.h"

#include "lib/db.h"
#include "lib/text.h"
#include "store/store_inside.h"
#include "types/principal.h"

#define HISTORIES	     1000
#define HISTORIES_OF_A_WORLD 5
#define STEPS		     16
#define MINUTE		     INT64_C(60000)
#define DAY		     (1440 * MINUTE)

#define MARKS_MAX  256
#define WORKS_MAX  64
#define TOKENS_MAX 8

static const int64_t admins[] = { 11, 22, 44, 55 };
static const int64_t burners[] = { 97, 98, 99 };
#define LEAD 66 /* may approve, and nothing else */

/* By which token somebody asked for some work, confirmed or approved it; 0: by none. */
struct mark {
	enum { ASKED, CONFIRMED, APPROVED } act;
	int64_t work, person, token;
};

struct rules {
	int production, staging, rollback; /* approvals */
	bool is_strict;			   /* about who is unknown */
	size_t n_admins;
	bool is_asked_about;
};

struct history {
	struct world w;
	uint64_t seed, x;
	struct rules rules;
	size_t n_tokens;
	char tokens[TOKENS_MAX][TOKEN_TEXT];
	int n_names;
	char head[LIMIT_COMMIT];
	size_t n_works;
	int64_t last_approval;
	int64_t confirmed_by[WORKS_MAX];
	bool has_begun[WORKS_MAX], is_reviewed[WORKS_MAX];
	size_t n_marks;
	struct mark marks[MARKS_MAX];
};

/* What was reached: what nothing reached was not tested. */
static struct reached {
	uint64_t began, began_by_token, began_by_two, denied_by_token, reviewed, joined;
} reached;

/* splitmix64 */
static uint32_t
draw(struct history *h, uint32_t below)
{
	uint64_t z = h->x += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)(((z ^ (z >> 31)) >> 32) * below >> 32);
}

static bool
one_in(struct history *h, uint32_t n)
{
	return draw(h, n) == 0;
}

/* --- eyes --- */

static int64_t
number(struct history *h, const char *sql, int64_t a, int64_t b)
{
	int64_t n = 0;
	struct err err;

	if (!db_one_i64(&n, h->w.aid.store->db, &err, sql, DB_I64(a), DB_I64(b)))
		fail_msg("%s: %s", sql, err.text);
	return n;
}

/* The token that they act by now; 0: none. */
static int64_t
token_of(struct history *h, int64_t person)
{
	if (person > 0)
		return number(h,
		    "SELECT COALESCE(MAX(token), 0) FROM session WHERE person = $1 AND $2 = 0",
		    person, 0);
	return number(h,
	    "SELECT COALESCE(MAX(id), 0) FROM token WHERE -(1099511627776 + id) = $1"
	    " AND $2 = 0",
	    person, 0);
}

static int64_t
maker_of(struct history *h, int64_t token)
{
	return number(
	    h, "SELECT COALESCE(MAX(made_by), 0) FROM token WHERE id = $1 AND $2 = 0", token, 0);
}

static int64_t
account_of(struct history *h, int64_t token)
{
	return number(
	    h, "SELECT COALESCE(MAX(person), 0) FROM token WHERE id = $1 AND $2 = 0", token, 0);
}

static bool
has_role(const struct history *h, int64_t person)
{
	bool has = person == LEAD || person == WORLD_STAGING_USER;

	for (size_t i = 0; i < h->rules.n_admins; i++)
		has |= admins[i] == person;
	return has;
}

/* --- who is who, by the oracle --- */

struct people {
	size_t n;
	int64_t who[MARKS_MAX];
};

static bool
are(const struct people *people, int64_t person)
{
	for (size_t i = 0; i < people->n; i++)
		if (people->who[i] == person)
			return true;
	return false;
}

static void
add(struct people *people, int64_t person)
{
	if (person == 0 || are(people, person))
		return;
	assert_true(people->n < COUNT(people->who));
	people->who[people->n++] = person;
}

static void
add_token(struct history *h, struct people *people, int64_t token)
{
	if (token == 0)
		return;
	if (maker_of(h, token) > 0)
		add(people, maker_of(h, token));
	add(people, account_of(h, token));
}

/* Who asked for it or confirmed it, in all their shapes. */
static struct people
requesters(struct history *h, int64_t work)
{
	struct people people = { 0 };
	int64_t confirmed_by =
	    number(h, "SELECT confirmed_by FROM work WHERE id = $1 AND $2 = 0", work, 0);
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	add(&people, number(h, "SELECT requested_by FROM work WHERE id = $1 AND $2 = 0", work, 0));
	add(&people, confirmed_by);
	assert_true(db_query(&rows, h->w.aid.store->db, &err,
	    "SELECT person FROM question_requester WHERE deployment = $1", DB_I64(work)));
	while (db_next(&rows))
		add(&people, db_col_i64(&rows, 0));
	for (size_t i = 0; i < h->n_marks; i++)
		if (h->marks[i].work == work &&
		    (h->marks[i].act == ASKED ||
			(h->marks[i].act == CONFIRMED && h->marks[i].person == confirmed_by)))
			add_token(h, &people, h->marks[i].token);
	return people;
}

static bool
is_unknown(struct history *h, int64_t work)
{
	struct people people = requesters(h, work);

	for (size_t i = 0; i < people.n; i++)
		if (people.who[i] < 0)
			return true;
	for (size_t i = 0; i < h->n_marks; i++)
		if (h->marks[i].work == work && h->marks[i].act == ASKED &&
		    h->marks[i].token != 0 &&
		    (maker_of(h, h->marks[i].token) <= 0 || !has_role(h, h->marks[i].person)))
			return true;
	return false;
}

/* The shapes of one who approved it; the newest mark is of the approval that stands. */
static struct people
approver(struct history *h, int64_t work, int64_t person)
{
	struct people people = { 0 };

	add(&people, person);
	for (size_t i = h->n_marks; i-- > 0;)
		if (h->marks[i].act == APPROVED && h->marks[i].work == work &&
		    h->marks[i].person == person) {
			add_token(h, &people, h->marks[i].token);
			break;
		}
	return people;
}

static bool
meet(const struct people *a, const struct people *b)
{
	for (size_t i = 0; i < a->n; i++)
		if (are(b, a->who[i]))
			return true;
	return false;
}

/* So many other people have approved it. */
static int
count_others(struct history *h, int64_t work)
{
	struct people asked = requesters(h, work), counted = { 0 };
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;
	int n = 0;

	assert_true(db_query(&rows, h->w.aid.store->db, &err,
	    "SELECT person FROM approval WHERE work = $1 AND voided_at = 0 ORDER BY id",
	    DB_I64(work)));
	while (db_next(&rows)) {
		struct people one = approver(h, work, db_col_i64(&rows, 0));

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
needs(struct history *h, int64_t work)
{
	const struct rules *rules = &h->rules;
	bool is_production = number(h,
				 "SELECT COUNT(*) FROM work WHERE id = $1 AND environment ="
				 " 'production' AND $2 = 0",
				 work, 0) != 0;
	bool is_rollback = number(h,
			       "SELECT COUNT(*) FROM work WHERE id = $1 AND program = 'rollback'"
			       " AND $2 = 0",
			       work, 0) != 0;
	int n = is_rollback ? rules->rollback : is_production ? rules->production : rules->staging;

	return n > 0 && rules->is_strict && is_unknown(h, work) ? n + 1 : n;
}

static void
check_begun(struct history *h, int64_t work)
{
	int n = needs(h, work), others;
	bool is_by_token = false;

	if (n == 0 ||
	    number(h, "SELECT COUNT(*) FROM work WHERE id = $1 AND emergency <> '' AND $2 = 0",
		work, 0) != 0)
		return;
	others = count_others(h, work);
	if (others < n)
		fail_msg("FIRST=%" PRIu64 ": #%" PRId64 " began with %d of %d other people",
		    h->seed, work, others, n);
	for (size_t i = 0; i < h->n_marks; i++)
		is_by_token |= h->marks[i].work == work && h->marks[i].token != 0;
	reached.began++;
	reached.began_by_two += n > 1;
	reached.began_by_token += is_by_token;
}

/* Who reviews it has not asked for it, as long as there is somebody else who could. */
static void
check_reviewed(struct history *h, int64_t work, int64_t by)
{
	struct people asked = requesters(h, work);

	reached.reviewed++;
	if (!are(&asked, by))
		return;
	for (size_t i = 0; i < h->rules.n_admins; i++)
		if (!are(&asked, admins[i]))
			fail_msg("FIRST=%" PRIu64 ": #%" PRId64 " was reviewed by %" PRId64,
			    h->seed, work, by);
}

/* --- what is remembered of each step --- */

static void
mark(struct history *h, int act, int64_t work, int64_t person, int64_t token)
{
	assert_true(h->n_marks < MARKS_MAX);
	h->marks[h->n_marks++] = (struct mark){ act, work, person, token };
}

/* They joined the question of another: with what their own request was made. */
static void
note_joined(struct history *h)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	assert_true(db_query(&rows, h->w.aid.store->db, &err,
	    "SELECT deployment, person FROM question_requester WHERE person <> 0"));
	while (db_next(&rows)) {
		int64_t work = db_col_i64(&rows, 0), person = db_col_i64(&rows, 1);
		const struct mark *newest = NULL;
		bool is_known = false;

		for (size_t i = 0; i < h->n_marks; i++) {
			const struct mark *m = &h->marks[i];

			if (m->person != person || m->act == APPROVED)
				continue;
			is_known |= m->work == work;
			newest = m->work != work ? m : newest;
		}
		if (is_known || newest == NULL)
			continue;
		mark(h, ASKED, work, person, newest->token);
		reached.joined++;
	}
}

/* What became of one work: all is noted before anything of it is checked. */
struct became {
	int64_t id, confirmed_by, started_at, reviewed_at, approved;
};

static size_t
list(struct history *h, struct became ret[WORKS_MAX])
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	size_t n = 0;
	struct err err;

	assert_true(db_query(&rows, h->w.aid.store->db, &err,
	    "SELECT w.id, w.confirmed_by, w.started_at, w.reviewed_at, COALESCE(MAX(a.id), 0)"
	    " FROM work w LEFT JOIN approval a ON a.work = w.id AND a.voided_at = 0 GROUP BY w.id"
	    " ORDER BY w.id"));
	while (db_next(&rows)) {
		assert_true(n < WORKS_MAX);
		ret[n++] = (struct became){ db_col_i64(&rows, 0), db_col_i64(&rows, 1),
			db_col_i64(&rows, 2), db_col_i64(&rows, 3), db_col_i64(&rows, 4) };
	}
	return n;
}

/* What `who` did just now, by that token. */
static void
note(struct history *h, int64_t who, int64_t token)
{
	struct became works[WORKS_MAX];
	size_t n = list(h, works);
	int64_t last_approval = h->last_approval;

	for (size_t i = h->n_works; i < n; i++)
		mark(h, ASKED, works[i].id, who, token);
	h->n_works = n;
	note_joined(h);
	for (size_t i = 0; i < n; i++) {
		if (works[i].confirmed_by != h->confirmed_by[i] && works[i].confirmed_by == who)
			mark(h, CONFIRMED, works[i].id, who, token);
		h->confirmed_by[i] = works[i].confirmed_by;
		if (works[i].approved > last_approval)
			mark(h, APPROVED, works[i].id, who, token);
		if (works[i].approved > h->last_approval)
			h->last_approval = works[i].approved;
	}
	for (size_t i = 0; i < n; i++) {
		if (!h->has_begun[i] && works[i].started_at != 0)
			check_begun(h, works[i].id);
		h->has_begun[i] = works[i].started_at != 0;
		if (!h->is_reviewed[i] && works[i].reviewed_at != 0)
			check_reviewed(h, works[i].id, who);
		h->is_reviewed[i] = works[i].reviewed_at != 0;
	}
}

/* A session that ends with that very step was none any more. */
static void
done_by(struct history *h, int64_t who, int64_t before)
{
	note(h, who, token_of(h, who) == before ? before : 0);
}

/* --- who does what --- */

/* One of all accounts, of those who may ask on the machine, or a token. */
static int64_t
somebody(struct history *h)
{
	static const int64_t all[] = { 11, 11, 22, 44, 55, LEAD, WORLD_STAGING_USER, 97, 98, 99, 97,
		98, 99 };

	return all[draw(h, COUNT(all))];
}

static int64_t
on_the_machine(struct history *h)
{
	const int64_t all[] = { 11, 22, principal_of_user(33), principal_of_root("admin"),
		principal_of_user(5) };

	return all[draw(h, COUNT(all))];
}

/* One of the shapes of who asked for it: the one who would approve it themselves. */
static int64_t
one_of(struct history *h, const struct people *people)
{
	int64_t who = people->n == 0 ? 0 : people->who[draw(h, (uint32_t)people->n)];

	return who > 0 ? who : somebody(h);
}

static const char *
some_environment(struct history *h)
{
	return one_in(h, 3) ? "staging" : "production";
}

static bool
makes_a_token(struct history *h)
{
	const int64_t makers[] = { 11, 11, 22, 44, principal_of_user(33),
		principal_of_root("admin") };
	int64_t maker = makers[draw(h, COUNT(makers))];
	char name[16];
	size_t i = h->n_tokens < TOKENS_MAX ? h->n_tokens : draw(h, TOKENS_MAX);

	(void)snprintf(name, sizeof(name), "t%d", h->n_names++);
	if (people_token(&h->w, maker, name, one_in(h, 4) ? "staging" : "admin",
		one_in(h, 6) ? "30m" : "9d", h->tokens[i]) &&
	    i == h->n_tokens)
		h->n_tokens++;
	return true;
}

static bool
revokes_one(struct history *h)
{
	char name[16];

	(void)snprintf(name, sizeof(name), "t%d", (int)draw(h, (uint32_t)h->n_names + 1));
	(void)people_revoke(&h->w, 11, name);
	return true;
}

static bool
logs_in(struct history *h)
{
	int64_t who = one_in(h, 3) ? somebody(h) : burners[draw(h, COUNT(burners))];

	if (h->n_tokens == 0)
		return false;
	people_login(&h->w, who, h->tokens[draw(h, (uint32_t)h->n_tokens)]);
	return true;
}

static bool
logs_out(struct history *h)
{
	people_logout(&h->w, one_in(h, 3) ? somebody(h) : burners[draw(h, COUNT(burners))]);
	return true;
}

static bool
types_a_request(struct history *h)
{
	static const char *const words[] = { "/deploy %s", "/deploy %s", "/deploy %s",
		"/rollback %s", "/deploy %s emergency it is down" };
	int64_t who = somebody(h), token = token_of(h, who);
	char text[80];

	/* NOLINTNEXTLINE(clang-diagnostic-format-nonliteral): one of those above */
	(void)snprintf(text, sizeof(text), words[draw(h, COUNT(words))], some_environment(h));
	(void)world_text(&h->w, who, text);
	done_by(h, who, token);
	return true;
}

static bool
calls_the_api(struct history *h)
{
	bool is_machine = h->n_tokens == 0 || one_in(h, 3);
	const char *text = is_machine ? "" : h->tokens[draw(h, (uint32_t)h->n_tokens)];
	int64_t who = is_machine ? on_the_machine(h) : 0, before = (int64_t)h->n_works;
	char body[80];

	(void)snprintf(body, sizeof(body), "{\"arguments\": [\"%s\"]}", some_environment(h));
	if (is_machine) {
		(void)people_ask(&h->w, who, API_COMMAND, "/v1/command/deploy", body);
	} else {
		(void)people_call(&h->w, text, API_COMMAND, "/v1/command/deploy", body);
		who = number(h,
		    "SELECT COALESCE(MAX(requested_by), 0) FROM work WHERE id > $1 AND $2 = 0",
		    before, 0);
	}
	done_by(h, who, token_of(h, who));
	return true;
}

static int64_t
some_work(struct history *h, const char *sql)
{
	return number(h, sql, 0, 0);
}

#define ASKED_ABOUT \
	"SELECT COALESCE(MAX(id), 0) FROM work WHERE state = 'AWAITING_CONFIRMATION' AND $1 = $2"
#define TO_APPROVE \
	"SELECT COALESCE(MIN(id), 0) FROM work WHERE state = 'AWAITING_APPROVAL' AND $1 = $2"
#define TO_REVIEW \
	"SELECT COALESCE(MIN(id), 0) FROM work WHERE emergency <> '' AND started_at <> 0" \
	" AND reviewed_at = 0 AND $1 = $2"

/* In the chat, by a token, or on the machine. */
static bool
confirms(struct history *h)
{
	int64_t work = some_work(h, ASKED_ABOUT), who = somebody(h), token;
	const char *button = approval_label_in(&h->w, WORLD_GROUP, "Deploy to");
	char path[40];

	if (work == 0)
		return false;
	(void)snprintf(path, sizeof(path), "/v1/answer/%" PRId64, work);
	if (h->n_tokens > 0 && one_in(h, 5)) {
		(void)people_call(&h->w, h->tokens[draw(h, (uint32_t)h->n_tokens)], API_ANSWER,
		    path, "{\"answer\": \"yes\"}");
		who = number(h, "SELECT confirmed_by FROM work WHERE id = $1 AND $2 = 0", work, 0);
		done_by(h, who, token_of(h, who));
		return true;
	}
	if (one_in(h, 5))
		who = on_the_machine(h);
	token = token_of(h, who);
	if (who > 0 && button[0] != '\0' && one_in(h, 2))
		(void)world_press(&h->w, who, WORLD_GROUP, button);
	else
		(void)people_ask(&h->w, who, API_ANSWER, path, "{\"answer\": \"yes\"}");
	done_by(h, who, token);
	return true;
}

static bool
approves(struct history *h)
{
	int64_t work = some_work(h, TO_APPROVE), who, token;
	struct people asked;
	char text[40];

	if (work == 0)
		return false;
	asked = requesters(h, work);
	who = one_in(h, 3) ? one_of(h, &asked) : somebody(h);
	token = token_of(h, who);
	(void)snprintf(text, sizeof(text), "/approve %" PRId64, work);
	(void)world_text(&h->w, who, text);
	done_by(h, who, token);
	reached.denied_by_token += are(&asked, who) &&
	    number(h,
		"SELECT COUNT(*) FROM work WHERE id = $1"
		" AND (requested_by = $2 OR confirmed_by = $2)",
		work, who) == 0;
	return true;
}

static bool
reviews(struct history *h)
{
	int64_t work = some_work(h, TO_REVIEW), who, token;
	struct people asked;
	char text[40];

	if (work == 0)
		return false;
	asked = requesters(h, work);
	who = one_in(h, 2) ? one_of(h, &asked) : somebody(h);
	token = token_of(h, who);
	(void)snprintf(text, sizeof(text), "/review %" PRId64, work);
	(void)world_text(&h->w, who, text);
	done_by(h, who, token);
	return true;
}

static bool
withdraws(struct history *h)
{
	const char *button = approval_label_in(&h->w, WORLD_TEAM, "Withdraw");
	int64_t who = somebody(h);

	if (button[0] == '\0')
		return false;
	(void)world_press(&h->w, who, WORLD_TEAM, button);
	note(h, 0, 0);
	return true;
}

/* --- what answers --- */

static void
git_answers(struct history *h)
{
	struct effect *query;

	while ((query = world_peek(&h->w, EFFECT_GIT_QUERY)) != NULL) {
		char commit[LIMIT_COMMIT];
		const char *ref = query->u.git_query.ref;

		(void)text_copy(commit, sizeof(commit), strlen(ref) == 40 ? ref : h->head);
		world_git(
		    &h->w, (struct world_git){ .commit = commit, .is_off_branch = one_in(h, 12) });
		note(h, 0, 0);
	}
}

static bool
a_run_ends(struct history *h)
{
	if (world_peek(&h->w, EFFECT_RUN) == NULL)
		return false;
	world_run_ends(&h->w, GOOD);
	note(h, 0, 0);
	git_answers(h);
	return true;
}

static bool
a_commit_comes(struct history *h)
{
	static const char *const commits[] = { COMMIT_A, COMMIT_B, COMMIT_C, COMMIT_D };

	(void)text_copy(h->head, sizeof(h->head), commits[draw(h, COUNT(commits))]);
	return true;
}

static bool
time_passes(struct history *h)
{
	h->w.aid.at += one_in(h, 8) ? 2 * DAY : (int64_t)draw(h, 90) * MINUTE;
	return true;
}

static void
load(struct history *h, bool is_first)
{
	static const char *const sets[] = { "ADMIN_TELEGRAM_IDS=11,22",
		"ADMIN_TELEGRAM_IDS=11,22,44", "ADMIN_TELEGRAM_IDS=11,22,44,55" };
	char production[32], staging[32], rollback[48];
	const struct rules *rules = &h->rules;
	const char *strict =
	    rules->is_strict ? "APPROVE_UNKNOWN_PUSHER=false" : "APPROVE_UNKNOWN_PUSHER=true";
	const char *asked =
	    rules->is_asked_about ? "STAGING_CONFIRM=true" : "PRODUCTION_CONFIRM=false";

	(void)snprintf(
	    production, sizeof(production), "PRODUCTION_APPROVALS=%d", rules->production);
	(void)snprintf(staging, sizeof(staging), "STAGING_APPROVALS=%d", rules->staging);
	(void)snprintf(
	    rollback, sizeof(rollback), "PRODUCTION_ROLLBACK_APPROVALS=%d", rules->rollback);
#define LINES \
	PEOPLE_ON, PEOPLE_KEY, PEOPLE_MANY, production, staging, rollback, \
	    rules->rollback > 0 ? "STAGING_ROLLBACK_APPROVALS=1" : "STAGING_ROLLBACK_APPROVALS=0", \
	    strict, asked, sets[rules->n_admins - 2], "EMERGENCY_WITHOUT_OTP=true", \
	    "ROLE_LEAD_IDS=66", "ROLE_LEAD_MAY=approve:staging, approve:production, status", \
	    "LOCAL_WWW_DATA_IS=role admin", "LOCAL_GAMES_IS=role staging", \
	    "SESSION_TIMEOUT_SECONDS=86400", NULL
	if (is_first)
		world_open(&h->w, LINES);
	else
		world_settings(&h->w, LINES);
}

static bool
roles_change(struct history *h)
{
	h->rules.n_admins = 2 + draw(h, 3);
	load(h, false);
	return true;
}

static const struct {
	bool (*happens)(struct history *h); /* false: there was nothing to do */
	uint32_t weight;
} happenings[] = {
	{ makes_a_token, 6 },
	{ revokes_one, 1 },
	{ logs_in, 10 },
	{ logs_out, 3 },
	{ types_a_request, 10 },
	{ calls_the_api, 6 },
	{ confirms, 18 },
	{ approves, 26 },
	{ reviews, 4 },
	{ withdraws, 1 },
	{ a_run_ends, 8 },
	{ a_commit_comes, 4 },
	{ time_passes, 4 },
	{ roles_change, 1 },
};

static bool
draw_one(struct history *h)
{
	uint32_t total = 0, at;
	size_t i = 0;

	for (size_t k = 0; k < COUNT(happenings); k++)
		total += happenings[k].weight;
	for (at = draw(h, total); at >= happenings[i].weight; i++)
		at -= happenings[i].weight;
	return happenings[i].happens(h);
}

static void
something_happens(struct history *h)
{
	while (!draw_one(h))
		continue;
	git_answers(h);
}

/* What was asked for before goes on under the rules of the next one: a world is made for a few. */
static void
play(struct history *h, uint64_t seed)
{
	bool is_first = (seed - 1) % HISTORIES_OF_A_WORLD == 0 || h->w.aid.store == NULL;

	if (is_first && h->w.aid.store != NULL)
		world_close(&h->w);
	if (is_first)
		*h = (struct history){ 0 };
	h->seed = seed;
	h->x = seed * UINT64_C(0xd1342543de82ef95);
	h->rules = (struct rules){ .production = 1 + (int)draw(h, 2),
		.staging = (int)draw(h, 2),
		.rollback = (int)draw(h, 2),
		.is_strict = one_in(h, 3),
		.is_asked_about = one_in(h, 2),
		.n_admins = 2 + draw(h, 3) };
	load(h, is_first);
	a_commit_comes(h);
	for (int i = 0; i < STEPS; i++)
		something_happens(h);
}

static uint64_t
given(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text != NULL && *text != '\0' ? strtoull(text, NULL, 10) : otherwise;
}

static void
nobody_is_two_of_those_who_are_needed(void **state)
{
	uint64_t first = given("FIRST", 1), n = given("HISTORIES", HISTORIES);
	struct history *h = calloc(1, sizeof(*h));

	(void)state;
	assert_non_null(h);
	first -= (first - 1) % HISTORIES_OF_A_WORLD; /* it replays what stood before it */
	for (uint64_t seed = first; seed < first + n; seed++)
		play(h, seed);
	world_close(&h->w);
	free(h);
	print_message("%" PRIu64 " histories: began with approvals %" PRIu64 ", of two %" PRIu64
		      ", by a token %" PRIu64 "; tried by who has asked by a token %" PRIu64
		      "; joined %" PRIu64 ", reviewed %" PRIu64 "\n",
	    n, reached.began, reached.began_by_two, reached.began_by_token, reached.denied_by_token,
	    reached.joined, reached.reviewed);
	if (n < HISTORIES)
		return;
	assert_true(reached.began > 0 && reached.began_by_two > 0 && reached.began_by_token > 0);
	assert_true(reached.denied_by_token > 0 && reached.reviewed > 0 && reached.joined > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_is_two_of_those_who_are_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
