/* Goal: who has a workflow's key is lent what that may have, once by each id, and nothing else.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_loan.h"

#include "job_aid.h"
#include "lib/mem.h"
#include "store/store_inside.h"

#define DB	 "/v1/secret/db-migrate"
#define ACCESSOR "8609694a-cab0-4b4f-9c4d-0123456789ab"

#define KEY    "WORKFLOW_NIGHTLY_KEY=whsec_MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1u"
#define BEFORE "WORKFLOW_NIGHTLY_KEY_PREVIOUS=whsec_MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1u"
#define NEXT   "WORKFLOW_NIGHTLY_KEY=whsec_bm9ib2R5IGVsc2UgaGFzIHRoaXMgb25l"

#define SETTINGS KEY, OTHERS
#define OTHERS \
	"ENABLE_API_SERVER=true", "PUBLIC_URL=https://bot.example.org", \
	    "GITHUB_REPOSITORY=octo/shop", "VAULT_ADDR=https://vault.example.org", \
	    "VAULT_TOKEN=hvs.0123456789abcdef0123", \
	    "WORKFLOW_NIGHTLY_MAY=secret.db-migrate:production", \
	    "WORKFLOW_HOURLY_KEY=whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=", \
	    "WORKFLOW_HOURLY_MAY=secret.db-migrate:production", \
	    "WORKFLOW_SHOP_IS=github 456789 deploy.yml@refs/heads/main", \
	    "WORKFLOW_SHOP_MAY=secret.db-migrate:production", \
	    "SECRET_DB_MIGRATE_PATH=creds database migrate", "SECRET_DB_MIGRATE_FOR=production"

/* As route_key_check() has it. */
#define KEY_OF(name) \
	{ \
		.workflow = name, .token = "k-1", .attempt = 1 \
	}

struct scene {
	struct world w;
	struct job nightly, hourly, shop;
	char path[64];
};

static void
open_scene(struct scene *s, const char *more)
{
	*s = (struct scene){
		.nightly = KEY_OF("nightly"), .hourly = KEY_OF("hourly"), .shop = JOB_OF_SHOP
	};
	world_open(&s->w, SETTINGS, more, NULL);
}

static int64_t
wants(struct scene *s, struct job *job)
{
	struct answer answer = job_asks(&s->w, job, API_SECRET, DB, "{}");

	if (answer.status != 202)
		fail_msg("%d: %s", answer.status, s->w.aid.said);
	return answer.work;
}

static struct answer
looks(struct scene *s, struct job *job, int64_t loan)
{
	(void)snprintf(s->path, sizeof(s->path), "/v1/loan/%lld", (long long)loan);
	return job_asks(&s->w, job, API_LOAN, s->path, NULL);
}

static int
gives_back(struct scene *s, struct job *job, int64_t loan)
{
	(void)snprintf(s->path, sizeof(s->path), "/v1/loan-end/%lld", (long long)loan);
	return job_asks(&s->w, job, API_LOAN_END, s->path, "{}").status;
}

static void
vault_makes_it(struct scene *s)
{
	world_vault(&s->w, EFFECT_VAULT_LEND,
	    &(struct vault_said){ .is_done = true, .accessor = ACCESSOR });
}

static bool
says(const struct scene *s, const char *part)
{
	return strstr(s->w.aid.said, part) != NULL;
}

TEST(what_a_key_asks_for_is_had_once_and_given_back)
{
	struct scene s;
	int64_t loan;

	open_scene(&s, NULL);
	loan = wants(&s, &s.nightly);
	vault_makes_it(&s);
	assert_true(looks(&s, &s.nightly, loan).is_lent);
	assert_int_equal(looks(&s, &s.nightly, loan).status, 410);
	assert_int_equal(gives_back(&s, &s.nightly, loan), 202);
	assert_string_equal(world_peek(&s.w, EFFECT_VAULT_REVOKE)->u.vault.accessor, ACCESSOR);
	assert_int_equal(world_audited(&s.w, "\"secret_lent\"", "workflow:nightly"), 1);
	world_close(&s.w);
}

/* One that leaked is replaced: whoever has it keeps nothing, and everybody else what they have. */
TEST(what_was_lent_by_a_key_ends_when_that_key_is_no_longer_good)
{
	static const struct {
		bool by_previous; /* it is asked for by the key that is NEXT's previous one */
		const char *key, *previous;
		bool stays;
	} rows[] = {
		{ false, KEY, NULL, true },
		{ false, NEXT, BEFORE, true },
		{ false, NEXT, NULL, false },
		{ true, NEXT, BEFORE, true },
		{ true, NEXT, NULL, false },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		for (int at_start = 0; at_start < 2; at_start++) {
			struct scene s;
			int64_t loan;

			open_scene(&s, NULL);
			if (rows[i].by_previous)
				world_settings(&s.w, OTHERS, NEXT, BEFORE, NULL);
			s.nightly.is_by_previous = rows[i].by_previous;
			loan = wants(&s, &s.nightly);
			vault_makes_it(&s);
			assert_true(looks(&s, &s.nightly, loan).is_lent);
			world_settings(&s.w, OTHERS, rows[i].key, rows[i].previous, NULL);
			if (at_start)
				world_restart(&s.w);
			else
				world_settings_read(&s.w);
			if (world_count(&s.w, EFFECT_VAULT_REVOKE) != !rows[i].stays)
				fail_msg("row %zu", i);
			world_close(&s.w);
		}
}

TEST(requests_of_one_workflow_are_one_and_another_sees_nothing_of_it)
{
	struct scene s;
	int64_t loan, other, jobs;

	open_scene(&s, "SECRET_DB_MIGRATE_APPROVALS=1");
	loan = wants(&s, &s.nightly);
	assert_int_equal(wants(&s, &s.nightly), loan);
	other = wants(&s, &s.hourly);
	jobs = wants(&s, &s.shop);
	assert_int_not_equal(other, loan);
	assert_int_not_equal(jobs, loan);
	assert_int_not_equal(jobs, other);
	assert_int_equal(wants(&s, &s.nightly), loan);
	assert_int_equal(wants(&s, &s.hourly), other);
	assert_int_equal(looks(&s, &s.nightly, loan).status, 202);
	assert_int_equal(looks(&s, &s.hourly, loan).status, 404);
	assert_int_equal(looks(&s, &s.nightly, jobs).status, 404);
	assert_int_equal(looks(&s, &s.shop, loan).status, 404);
	assert_int_equal(gives_back(&s, &s.hourly, loan), 404);
	assert_int_equal(gives_back(&s, &s.shop, loan), 404);
	assert_int_equal(world_deployment(&s.w, loan).state, DEPLOY_AWAITING_APPROVAL);
	world_close(&s.w);
}

/* Nobody is asked to approve for run "" of "". */
TEST(who_approves_reads_for_which_workflow_it_is)
{
	struct scene s;

	open_scene(&s, "SECRET_DB_MIGRATE_APPROVALS=1");
	(void)wants(&s, &s.nightly);
	(void)world_text(&s.w, WORLD_ADMIN, "/pending");
	if (!world_says(&s.w, "for 10 min at most, for workflow:nightly"))
		fail_msg("%s", s.w.aid.said);
	world_close(&s.w);
}

TEST(a_key_is_good_for_secrets_alone)
{
	static const struct {
		enum api_operation operation;
		const char *path, *body;
	} rows[] = {
		{ API_COMMAND, "/v1/command/deploy", "{\"arguments\":[\"production\"]}" },
		{ API_COMMAND, "/v1/command/approve", "{\"arguments\":[\"1\"]}" },
		{ API_PUSH, "/v1/push", "{}" },
		{ API_GATE, "/v1/gate", "{\"environment\":\"production\"}" },
		{ API_GATE_END, "/v1/gate-end/1", "{\"conclusion\":\"success\"}" },
		{ API_STATUS, "/v1/status", NULL },
		{ API_HISTORY, "/v1/history", NULL },
		{ API_QUEUE, "/v1/queue", NULL },
		{ API_WORK, "/v1/work/1", NULL },
		{ API_LOG, "/v1/log/1/0", NULL },
		{ API_RUN, "/v1/run/1/0", NULL },
		{ API_ANSWER, "/v1/answer/1", "{\"answer\":\"yes\"}" },
		{ API_TOKENS, "/v1/tokens", NULL },
		{ API_TOKEN, "/v1/token/add",
		    "{\"name\":\"a\",\"role\":\"admin\",\"expires\":\"9d\"}" },
		{ API_FIRST_ADMIN_LINK, "/v1/first-admin-link", "{}" },
	};
	struct scene s;

	open_scene(&s, NULL);
	(void)wants(&s, &s.nightly); /* there is a work 1 of its own */
	for (size_t i = 0; i < COUNT(rows); i++)
		if (job_asks(&s.w, &s.nightly, rows[i].operation, rows[i].path, rows[i].body)
			    .status != 403 ||
		    !says(&s, "A key is good for secrets alone"))
			fail_msg("%s: %s", rows[i].path, s.w.aid.said);
	world_close(&s.w);
}

/* The same request again, letter by letter; in a GET of a loan stands a token. */
TEST(each_id_is_good_once_whatever_it_asks_for)
{
	struct scene s;
	struct job again;
	int64_t loan;

	open_scene(&s, NULL);
	again = s.nightly;
	loan = wants(&s, &s.nightly);
	assert_int_equal(job_asks(&s.w, &again, API_SECRET, DB, "{}").status, 409);
	assert_true(says(&s, "this webhook-id was used before"));
	assert_int_equal(world_audited(&s.w, "\"token_replayed\"", "workflow:nightly"), 1);
	again = s.nightly;
	assert_int_equal(looks(&s, &s.nightly, loan).status, 202);
	vault_makes_it(&s);
	assert_int_equal(looks(&s, &again, loan).status, 409);
	assert_true(looks(&s, &s.nightly, loan).is_lent);
	again = s.hourly; /* another's ids are its own */
	(void)text_copy(again.token, sizeof(again.token), "k-1");
	assert_int_equal(job_asks(&s.w, &again, API_SECRET, DB, "{}").status, 202);
	world_close(&s.w);
}

/* Whoever has what was one too many from a log does not send it in the next minute. */
TEST(an_id_that_was_refused_is_not_good_later)
{
	struct scene s;
	struct job again;

	open_scene(&s, NULL);
	for (int i = 0; i < 5; i++)
		assert_int_equal(gives_back(&s, &s.nightly, wants(&s, &s.nightly)), 202);
	again = s.nightly;
	assert_int_equal(job_asks(&s.w, &s.nightly, API_SECRET, DB, "{}").status, 429);
	s.w.aid.at += 60000;
	assert_int_equal(job_asks(&s.w, &again, API_SECRET, DB, "{}").status, 409);
	(void)wants(&s, &s.nightly);
	world_close(&s.w);
}

static void
use_ids(struct tx *tx, UNUSED void *arg)
{
	(void)tx_run(tx,
	    "INSERT INTO hook_call (hook, key, digest, status, work, at)"
	    " WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)"
	    " SELECT ':key:nightly', 'key used-' || i, zeroblob(32), 202, 0, $1 FROM n",
	    DB_I64(tx->at));
}

/* Signed five minutes ahead of our clock it would be good for ten. */
TEST(ids_are_known_as_long_as_they_are_good)
{
	struct scene s;
	struct job used = KEY_OF("nightly");

	open_scene(&s, NULL);
	world_act(&s.w, use_ids, NULL);
	assert_int_equal(job_asks(&s.w, &s.nightly, API_SECRET, DB, "{}").status, 429);
	assert_true(says(&s, "10000 ids of this workflow were used"));
	(void)wants(&s, &s.hourly); /* nobody else's */
	s.w.aid.at += 601000;
	assert_int_equal(job_asks(&s.w, &s.nightly, API_SECRET, DB, "{}").status, 429);
	(void)text_copy(used.token, sizeof(used.token), "used-7");
	assert_int_equal(job_asks(&s.w, &used, API_SECRET, DB, "{}").status, 409);
	s.w.aid.at += 66 * INT64_C(60000);
	(void)wants(&s, &s.nightly);
	world_close(&s.w);
}

/* A webhook of GitHub's, of that run and job; where a decoder had let nothing pass for both. */
static void
job_is_over(struct scene *s, const char *repository_id, const char *run)
{
	struct event *event = world_push(&s->w, "");
	struct delivery *delivery = &event->u.delivery;

	delivery->kind = DELIVERY_WORKFLOW_JOB;
	delivery->repository_id = 456789;
	(void)text_copy(delivery->repository, sizeof(delivery->repository), "Octo/Shop");
	delivery->job = mem_new(1, sizeof(*delivery->job));
	job_is_of(&delivery->job->of, run, COMMIT_A);
	(void)text_copy(delivery->job->of.repository_id, JOB_NUMBER, repository_id);
	delivery->job->of.attempt = 1;
	(void)text_copy(delivery->job->conclusion, sizeof(delivery->job->conclusion), "success");
	assert_int_equal(world_decide(&s->w, event).status, 200);
}

TEST(no_job_of_a_forge_ends_what_a_key_was_lent)
{
	struct scene s;
	int64_t loan;

	open_scene(&s, NULL);
	loan = wants(&s, &s.nightly);
	vault_makes_it(&s);
	job_is_over(&s, "456789", "4711");
	job_is_over(&s, "", "");
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 0);
	assert_true(looks(&s, &s.nightly, loan).is_lent);
	job_is_over(&s, "", "");
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 0);
	world_close(&s.w);
}

/* Who pressed a button at Jenkins nobody here knows: it may be who approves. */
TEST(that_nobody_knows_who_asked_is_said)
{
	struct scene s;

	open_scene(&s, "SECRET_DB_MIGRATE_APPROVALS=1");
	(void)wants(&s, &s.shop);
	(void)wants(&s, &s.nightly);
	(void)world_text(&s.w, WORLD_ADMIN, "/show 2");
	assert_non_null(world_says(&s.w, "asked for by a job that one of you may have started"));
	world_close(&s.w);
}
