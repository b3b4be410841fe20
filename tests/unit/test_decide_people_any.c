/* Goal: whatever people do with tokens, logins and the machine, nobody is two of those who are needed.  Side: start. */
/* SPDX-License-Identifier: ISC */
/* HISTORIES=n plays so many, FIRST=n begins there. */
#include "people_oracle.h"

#include "lib/text.h"
#include "types/principal.h"

#define HISTORIES	     200 /* come to all that is asked for at the end */
#define HISTORIES_OF_A_WORLD 5
#define STEPS		     16
#define MINUTE		     INT64_C(60000)
#define DAY		     (1440 * MINUTE)

#define TOKENS_MAX 8

static const int64_t burners[] = { 97, 98, 99 };

struct history {
	struct world w;
	struct people_oracle oracle;
	uint64_t x;
	size_t n_tokens;
	char tokens[TOKENS_MAX][TOKEN_TEXT];
	int n_names;
	int64_t root; /* as admin */
	char head[LIMIT_COMMIT];
};

static struct people_reached reached;
static uint64_t denied_by_token;

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

/* --- who does what --- */

/* A session that ends with that very step was none any more. */
static void
done_by(struct history *h, int64_t who, int64_t before)
{
	people_note(&h->oracle, who, people_token_of(&h->oracle, who) == before ? before : 0);
}

/* One of all accounts, of those who may ask on the machine, or a token. */
static int64_t
somebody(struct history *h)
{
	static const int64_t all[] = { 11, 11, 22, 44, 55, PEOPLE_LEAD, WORLD_STAGING_USER, 97, 98,
		99, 97, 98, 99 };

	return all[draw(h, COUNT(all))];
}

static int64_t
on_the_machine(struct history *h)
{
	const int64_t all[] = { 11, 22, principal_of_user(33), h->root, principal_of_user(5) };

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
	const int64_t makers[] = { 11, 11, 22, 44, principal_of_user(33), h->root };
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
	int64_t who = somebody(h), token = people_token_of(&h->oracle, who);
	char text[80];

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
	int64_t who = is_machine ? on_the_machine(h) : 0, before = (int64_t)h->oracle.n_works;
	char body[80];

	(void)snprintf(body, sizeof(body), "{\"arguments\": [\"%s\"]}", some_environment(h));
	if (is_machine) {
		(void)people_ask(&h->w, who, API_COMMAND, "/v1/command/deploy", body);
	} else {
		(void)people_call(&h->w, text, API_COMMAND, "/v1/command/deploy", body);
		who = people_number(&h->oracle,
		    "SELECT COALESCE(MAX(requested_by), 0) FROM work WHERE id > $1 AND $2 = 0",
		    before, 0);
	}
	done_by(h, who, people_token_of(&h->oracle, who));
	return true;
}

static int64_t
some_work(struct history *h, const char *sql)
{
	return people_number(&h->oracle, sql, 0, 0);
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
		who = people_number(
		    &h->oracle, "SELECT confirmed_by FROM work WHERE id = $1 AND $2 = 0", work, 0);
		done_by(h, who, people_token_of(&h->oracle, who));
		return true;
	}
	if (one_in(h, 5))
		who = on_the_machine(h);
	token = people_token_of(&h->oracle, who);
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
	asked = people_requesters(&h->oracle, work);
	who = one_in(h, 3) ? one_of(h, &asked) : somebody(h);
	token = people_token_of(&h->oracle, who);
	(void)snprintf(text, sizeof(text), "/approve %" PRId64, work);
	(void)world_text(&h->w, who, text);
	done_by(h, who, token);
	denied_by_token += people_are(&asked, who) &&
	    people_number(&h->oracle,
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
	asked = people_requesters(&h->oracle, work);
	who = one_in(h, 2) ? one_of(h, &asked) : somebody(h);
	token = people_token_of(&h->oracle, who);
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
	people_note(&h->oracle, 0, 0);
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
		people_note(&h->oracle, 0, 0);
	}
}

static bool
a_run_ends(struct history *h)
{
	if (world_peek(&h->w, EFFECT_RUN) == NULL)
		return false;
	world_run_ends(&h->w, GOOD);
	people_note(&h->oracle, 0, 0);
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
	const struct people_rules *rules = &h->oracle.rules;
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
	h->root = world_root(&h->w, "admin");
}

static bool
roles_change(struct history *h)
{
	h->oracle.rules.n_admins = 2 + draw(h, 3);
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
	h->oracle.w = &h->w;
	h->oracle.reached = &reached;
	h->oracle.seed = seed;
	h->x = seed * UINT64_C(0xd1342543de82ef95);
	h->oracle.rules = (struct people_rules){ .production = 1 + (int)draw(h, 2),
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

TEST(nobody_is_two_of_those_who_are_needed)
{
	uint64_t first = given("FIRST", 1), n = given("HISTORIES", HISTORIES);
	struct history *h = calloc(1, sizeof(*h));

	assert_non_null(h);
	first -= (first - 1) % HISTORIES_OF_A_WORLD; /* it replays what stood before it */
	for (uint64_t seed = first; seed < first + n; seed++)
		play(h, seed);
	world_close(&h->w);
	free(h);
	print_message("%" PRIu64 " histories: began with approvals %" PRIu64 ", of two %" PRIu64
		      ", by a token %" PRIu64 "; tried by who has asked by a token %" PRIu64
		      "; joined %" PRIu64 ", reviewed %" PRIu64 "\n",
	    n, reached.began, reached.began_by_two, reached.began_by_token, denied_by_token,
	    reached.joined, reached.reviewed);
	if (n < HISTORIES)
		return;
	assert_true(reached.began > 0 && reached.began_by_two > 0 && reached.began_by_token > 0);
	assert_true(denied_by_token > 0 && reached.reviewed > 0 && reached.joined > 0);
}
