/* Goal: what was lent ends with its job and with its grant, and what is odd of it is said once.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_loan_end.h"

#include <stdlib.h>

#include "job_aid.h"
#include "lib/mem.h"
#include "store/store_inside.h"
#include "types/pipeline_run.h"
#include "types/settings.h"

#define MINUTE	   INT64_C(60000)
#define DB_MIGRATE "/v1/secret/db-migrate"
#define ACCESSOR   "8609694a-cab0-4b4f-9c4d-0123456789ab"
#define GRANT	   "WORKFLOW_SHOP_MAY=secret.db-migrate:production"
#define FOR	   "SECRET_DB_MIGRATE_FOR=production"
#define PATH	   "SECRET_DB_MIGRATE_PATH=creds database migrate"
#define IS	   "WORKFLOW_SHOP_IS=github 456789 deploy.yml@refs/heads/main"

/* Of the repository 777, which no application has. */
#define INFRA "777"

#define SETTINGS \
	"ENABLE_API_SERVER=true", "PUBLIC_URL=https://bot.example.org", \
	    "GITHUB_REPOSITORY=octo/shop", "VAULT_ADDR=https://vault.example.org", \
	    "VAULT_TOKEN=hvs.0123456789abcdef0123", \
	    "WORKFLOW_INFRA_IS=github " INFRA " apply.yml@refs/heads/main", \
	    "WORKFLOW_INFRA_MAY=secret.db-migrate:production", \
	    "SECRET_STRIPE_PATH=kv2 secret stripe", "SECRET_STRIPE_FOR=production"

#define SHARED "ENVIRONMENTS=staging,production\nPRODUCTION_HOST=h\nPRODUCTION_COMPOSE_DIR=/srv/a\n"

struct scene {
	struct world w;
	struct job job, infra;
	int64_t loan;
};

static void
open_scene(struct scene *s, const char *more)
{
	*s = (struct scene){ .job = JOB_OF_SHOP, .infra = JOB_OF_SHOP };
	(void)text_copy(s->infra.token, sizeof(s->infra.token), "b-1");
	(void)text_copy(s->infra.workflow, sizeof(s->infra.workflow), "infra");
	(void)text_copy(s->infra.repository, sizeof(s->infra.repository), "octo/infra");
	(void)text_copy(s->infra.repository_id, sizeof(s->infra.repository_id), INFRA);
	(void)text_copy(s->infra.check_run, sizeof(s->infra.check_run), "99009");
	world_open(&s->w, SETTINGS, PATH, IS, GRANT, FOR, more, NULL);
}

static int
wants(struct scene *s, struct job *job, const char *path)
{
	struct answer answer = job_asks(&s->w, job, API_SECRET, path, "{}");

	s->loan = answer.work;
	return answer.status;
}

static struct answer
looks(struct scene *s, struct job *job)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/v1/loan/%lld", (long long)s->loan);
	return job_asks(&s->w, job, API_LOAN, path, NULL);
}

static int
ends(struct scene *s, struct job *job, enum api_operation how)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "%s/%lld", api_rows[how].path, (long long)s->loan);
	return job_asks(&s->w, job, how, path, "{}").status;
}

static int
failed(struct scene *s, struct job *job)
{
	return ends(s, job, API_LOAN_FAILED);
}

static void
is_made(struct scene *s)
{
	world_vault(&s->w, EFFECT_VAULT_LEND,
	    &(struct vault_said){ .is_done = true, .accessor = ACCESSOR });
}

static void
is_lent(struct scene *s, struct job *job)
{
	assert_int_equal(wants(s, job, DB_MIGRATE), 202);
	is_made(s);
	assert_true(looks(s, job).is_lent);
}

static enum deploy_state
is(struct scene *s)
{
	return world_deployment(&s->w, s->loan).state;
}

static size_t
revokes(struct scene *s)
{
	return world_count(&s->w, EFFECT_VAULT_REVOKE);
}

/* GitHub says that the job is over; without a check_run, that its run is. */
static struct event *
over(struct scene *s, const struct job *job)
{
	struct event *event = world_push(&s->w, "");
	struct delivery *delivery = &event->u.delivery;

	delivery->kind = DELIVERY_WORKFLOW_JOB;
	(void)text_copy(delivery->repository, sizeof(delivery->repository), job->repository);
	delivery->repository_id = strtoll(job->repository_id, NULL, 10);
	delivery->job = mem_new(1, sizeof(*delivery->job));
	delivery->job->of = *job;
	(void)text_copy(delivery->job->conclusion, sizeof(delivery->job->conclusion), "success");
	return event;
}

/* By the webhook of that application; "": the main file's. */
static struct event *
over_by(struct scene *s, const struct job *job, const char *hook)
{
	struct event *event = over(s, job);

	(void)text_copy(event->u.delivery.hook, sizeof(event->u.delivery.hook), hook);
	return event;
}

static struct event *
run_is_over(struct scene *s, const struct job *job)
{
	struct event *event = over(s, job);
	struct pipeline_run *run = event->u.delivery.run = mem_new(1, sizeof(*run));

	event->u.delivery.kind = DELIVERY_OTHER;
	event->u.delivery.job->of.check_run[0] = '\0';
	run->rank = PIPELINE_IS_OVER;
	return event;
}

/* --- a job that is over --- */

TEST(a_job_that_is_over_asks_for_nothing_more)
{
	struct scene s;
	struct job again;

	open_scene(&s, NULL);
	(void)world_decide(&s.w, over(&s, &s.job));
	assert_int_equal(wants(&s, &s.job, DB_MIGRATE), 403);
	assert_non_null(strstr(s.w.aid.said, "this job is over"));
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_LEND), 0);
	assert_int_equal(world_audited(&s.w, "its job is over", "workflow:shop"), 1);
	s.w.aid.at += 69 * MINUTE;
	assert_int_equal(wants(&s, &s.job, DB_MIGRATE), 403);
	/* Begun again it is another job; so is its neighbour, and one of that number elsewhere. */
	again = s.job;
	again.attempt = 2;
	(void)text_copy(again.check_run, sizeof(again.check_run), "99002");
	assert_int_equal(wants(&s, &again, DB_MIGRATE), 202);
	(void)text_copy(s.infra.check_run, sizeof(s.infra.check_run), s.job.check_run);
	assert_int_equal(wants(&s, &s.infra, DB_MIGRATE), 202);
	world_close(&s.w);
}

TEST(each_job_of_a_run_that_is_over_is_over_but_not_those_of_its_next_attempt)
{
	struct scene s;

	open_scene(&s, NULL);
	(void)world_decide(&s.w, run_is_over(&s, &s.job));
	assert_int_equal(wants(&s, &s.job, DB_MIGRATE), 403);
	s.job.check_run[0] = '\0';
	assert_int_equal(wants(&s, &s.job, DB_MIGRATE), 403);
	s.job.attempt = 2;
	assert_int_equal(wants(&s, &s.job, DB_MIGRATE), 202);
	world_close(&s.w);
}

TEST(a_job_that_goes_on_is_not_over)
{
	struct scene s;
	struct event *event;

	open_scene(&s, NULL);
	event = over(&s, &s.job);
	event->u.delivery.kind = DELIVERY_OTHER;
	(void)world_decide(&s.w, event);
	event = run_is_over(&s, &s.job);
	event->u.delivery.run->rank = 0;
	(void)world_decide(&s.w, event);
	assert_int_equal(wants(&s, &s.job, DB_MIGRATE), 202);
	world_close(&s.w);
}

static void
use_notes(struct tx *tx, void *of)
{
	(void)tx_run(tx,
	    "INSERT INTO hook_call (hook, key, digest, status, work, at)"
	    " WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)"
	    " SELECT $2, 'key ' || i, zeroblob(32), 200, 0, $1 - i * 100 FROM n",
	    DB_I64(tx->at), DB_TEXT((const char *)of));
}

static void
count_notes(struct tx *tx, void *ret)
{
	*(int64_t *)ret = tx_number(
	    tx, "SELECT COUNT(*) FROM hook_call WHERE hook = $1", DB_TEXT(":over:github:"));
}

static void
count_tokens(struct tx *tx, void *ret)
{
	*(int64_t *)ret = tx_number(
	    tx, "SELECT COUNT(*) FROM hook_call WHERE hook = $1", DB_TEXT(":job:github:shop"));
}

/* Of repositories that have no workflow here nothing is noted. */
TEST(jobs_that_are_over_take_up_no_more_room_than_there_is)
{
	struct scene s;
	struct job job;
	int64_t n;

	open_scene(&s, NULL);
	job = s.job;
	(void)text_copy(job.repository_id, sizeof(job.repository_id), "4567");
	(void)world_decide(&s.w, over(&s, &job));
	world_act(&s.w, count_notes, &n);
	assert_int_equal(n, 0);
	world_act(&s.w, use_notes, ":over:github:");
	(void)world_decide(&s.w, over(&s, &s.job));
	world_act(&s.w, count_notes, &n);
	assert_in_range(n, 100, 10000);
	assert_int_equal(wants(&s, &s.job, DB_MIGRATE), 403);
	world_close(&s.w);
}

static void
forget_tokens(struct tx *tx, UNUSED void *arg)
{
	(void)tx_run(tx, "DELETE FROM hook_call");
}

/* One is given back, and one was somebody else's first. */
TEST(a_loan_ends_however_many_tokens_its_workflow_has_used)
{
	static const enum api_operation ways[] = { API_LOAN_END, API_LOAN_FAILED };
	struct scene s;
	struct job used;
	int64_t n, behind;

	open_scene(&s, NULL);
	for (size_t i = 0; i < COUNT(ways); i++) {
		(void)snprintf(s.job.check_run, sizeof(s.job.check_run), "9901%zu", i);
		assert_int_equal(wants(&s, &s.job, DB_MIGRATE), 202);
		world_vault(&s.w, EFFECT_VAULT_LEND,
		    &(struct vault_said){ .is_done = true, .accessor = ACCESSOR });
		assert_true(looks(&s, &s.job).is_lent);
		world_act(&s.w, use_notes, ":job:github:shop");
		assert_int_equal(job_asks(&s.w, &s.job, API_SECRET, DB_MIGRATE, "{}").status, 429);
		used = s.job;
		used.digest[0] = 1; /* another request */
		assert_int_equal(ends(&s, &s.job, ways[i]), 202);
		assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), i + 1);
		assert_int_equal(job_asks(&s.w, &used, API_SECRET, DB_MIGRATE, "{}").status, 401);
		world_act(&s.w, count_tokens, &n);
		for (int again = 0; again < 3; again++) /* what has ended takes up no room */
			assert_int_equal(ends(&s, &s.job, ways[i]), 202);
		world_act(&s.w, count_tokens, &behind);
		assert_int_equal(behind, n);
		world_act(&s.w, forget_tokens, NULL);
	}
	world_close(&s.w);
}

/* --- whose word ends it --- */

TEST(a_job_of_a_repository_that_no_application_has_ends_what_it_was_lent)
{
	struct scene s;
	struct job other;

	open_scene(&s, NULL);
	is_lent(&s, &s.infra);
	other = s.infra;
	(void)text_copy(other.repository_id, sizeof(other.repository_id), "778");
	assert_int_equal(world_decide(&s.w, over(&s, &other)).status, 202);
	assert_int_equal(revokes(&s), 0);
	assert_int_equal(world_decide(&s.w, over(&s, &s.infra)).status, 202);
	assert_int_equal(revokes(&s), 1);
	assert_int_equal(wants(&s, &s.infra, DB_MIGRATE), 403);
	world_close(&s.w);
}

/* Whoever has the secret of one application's webhook can sign whatever they like. */
TEST(what_is_signed_with_an_applications_secret_ends_no_others_loans)
{
	static const char *const files[] = { "shop", "blog" };
	char text[512];
	struct scene s;

	open_scene(&s, NULL);
	for (size_t i = 0; i < COUNT(files); i++) {
		(void)snprintf(text, sizeof(text),
		    "GITHUB_WEBHOOK_SECRET=%s0123456789abcdef0123456789abcdef\n"
		    "WORKFLOW_INFRA_IS=github %s apply.yml@refs/heads/main\n"
		    "WORKFLOW_INFRA_MAY=secret.db:production\n"
		    "SECRET_DB_PATH=kv2 secret %s\nSECRET_DB_FOR=production\n",
		    files[i], INFRA, files[i]);
		world_application(&s.w, files[i], text);
	}
	(void)text_copy(s.infra.workflow, sizeof(s.infra.workflow), "shop/infra");
	assert_int_equal(wants(&s, &s.infra, "/v1/secret/db"), 202);
	is_made(&s);
	assert_true(looks(&s, &s.infra).is_lent);
	(void)world_decide(&s.w, over_by(&s, &s.infra, "blog"));
	(void)world_decide(&s.w, over_by(&s, &s.infra, ""));
	assert_int_equal(revokes(&s), 0);
	(void)text_copy(s.infra.check_run, sizeof(s.infra.check_run), "99010");
	assert_int_equal(wants(&s, &s.infra, "/v1/secret/db"), 202);
	(void)world_decide(&s.w, over_by(&s, &s.infra, "shop"));
	assert_int_equal(is(&s), DEPLOY_FAILED);
	(void)text_copy(s.infra.check_run, sizeof(s.infra.check_run), "99011");
	(void)world_decide(&s.w, over_by(&s, &s.infra, "blog"));
	assert_int_equal(wants(&s, &s.infra, "/v1/secret/db"), 202);
	world_close(&s.w);
}

static void
to_main(struct tx *tx, UNUSED void *arg)
{
	(void)tx_run(tx, "UPDATE work_job SET workflow = $1", DB_TEXT("infra"));
}

/* Its repository sends what it reports to where its line stands. */
TEST(the_webhook_of_its_workflows_file_ends_it_too)
{
	struct scene s;

	open_scene(&s, NULL);
	world_application(&s.w, "shop",
	    "GITHUB_WEBHOOK_SECRET=0123456789abcdef0123456789abcdef\n"
	    "WORKFLOW_INFRA_IS=github " INFRA " apply.yml@refs/heads/main\n"
	    "WORKFLOW_INFRA_MAY=secret.db:staging\n"
	    "SECRET_DB_PATH=kv2 secret shop\nSECRET_DB_FOR=staging\n");
	(void)text_copy(s.infra.workflow, sizeof(s.infra.workflow), "shop/infra");
	assert_int_equal(wants(&s, &s.infra, "/v1/secret/db"), 202);
	world_act(&s.w, to_main, NULL); /* as of a workflow of the main file */
	(void)world_decide(&s.w, over_by(&s, &s.infra, ""));
	assert_int_equal(is(&s), DEPLOY_FAILED);
	world_close(&s.w);
}

/* --- a grant that is withdrawn --- */

TEST(what_new_settings_no_longer_grant_nobody_keeps)
{
	static const struct {
		const char *is, *may, *target, *path;
		bool stays;
	} rows[] = {
		{ IS, GRANT, FOR, PATH, true },
		{ IS, "WORKFLOW_SHOP_MAY=secret.db-migrate:staging", FOR, PATH, false },
		{ IS, "WORKFLOW_SHOP_MAY=secret.stripe:production", FOR, PATH, false },
		{ IS, GRANT, "SECRET_DB_MIGRATE_FOR=staging", PATH, false },
		{ IS, GRANT, "SECRET_NEW_FOR=production", "SECRET_NEW_PATH=kv2 secret new", false },
		{ "WORKFLOW_SHOP_IS=github 456780 deploy.yml@refs/heads/main", GRANT, FOR, PATH,
		    false },
		{ IS " environment=production", GRANT, FOR, PATH, false },
		{ IS " events=workflow_run", GRANT, FOR, PATH, false },
		{ "WORKFLOW_SHOP_IS=github 456789 deploy.yml@refs/heads/next", GRANT, FOR, PATH,
		    false },
		{ "WORKFLOW_SHOP_IS=github 456789 other.yml@refs/heads/main", GRANT, FOR, PATH,
		    false },
		{ "WORKFLOW_SHOP_KEY=whsec_MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1u", GRANT, FOR, PATH,
		    false },
		{ "WORKFLOW_OTHER_IS=github 456789 deploy.yml@refs/heads/main",
		    "WORKFLOW_OTHER_MAY=secret.db-migrate:production", FOR, PATH, false },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		for (int stage = 0; stage < 3; stage++) { /* it waits, is kept, is given */
			struct scene s;

			open_scene(&s, stage == 0 ? "SECRET_DB_MIGRATE_APPROVALS=1" : NULL);
			assert_int_equal(wants(&s, &s.job, DB_MIGRATE), 202);
			if (stage > 0)
				is_made(&s);
			if (stage > 1)
				assert_true(looks(&s, &s.job).is_lent);
			world_settings(&s.w, SETTINGS, rows[i].is, rows[i].may, rows[i].target,
			    rows[i].path, NULL);
			world_settings_read(&s.w);
			if (revokes(&s) != (stage > 0 && !rows[i].stays) ||
			    (stage < 2 &&
				(deploy_flow_class(is(&s)) == DEPLOY_CLASS_FINAL) == rows[i].stays))
				fail_msg("row %zu in stage %d", i, stage);
			world_close(&s.w);
		}
}

/* What is kept at a start is lost there. */
TEST(what_is_known_by_other_words_at_a_start_nobody_keeps)
{
	static const char *const lines[] = { IS, IS " environment=production",
		"WORKFLOW_SHOP_IS=github 456789 deploy.yml@refs/heads/next" };

	for (size_t i = 0; i < COUNT(lines); i++)
		for (int is_given = 0; is_given < 2; is_given++) {
			struct scene s;

			open_scene(&s, is_given ? NULL : "SECRET_DB_MIGRATE_APPROVALS=1");
			if (is_given)
				is_lent(&s, &s.job);
			else
				assert_int_equal(wants(&s, &s.job, DB_MIGRATE), 202);
			world_settings(&s.w, SETTINGS, lines[i], GRANT, FOR, PATH,
			    is_given ? NULL : "SECRET_DB_MIGRATE_APPROVALS=1", NULL);
			world_restart(&s.w);
			assert_int_equal(revokes(&s), is_given && i > 0);
			assert_int_equal(is(&s) == DEPLOY_AWAITING_APPROVAL, !is_given && i == 0);
			world_close(&s.w);
		}
}

static void
forget_mark(struct tx *tx, UNUSED void *arg)
{
	(void)tx_run(tx, "UPDATE work SET binding = ''");
}

/* Of one of a version before nothing but its repository is known. */
TEST(what_was_lent_before_words_were_noted_goes_on_with_its_repository)
{
	static const char *const lines[] = { IS " environment=production",
		"WORKFLOW_SHOP_IS=github 456780 deploy.yml@refs/heads/main" };

	for (size_t i = 0; i < COUNT(lines); i++) {
		struct scene s;

		open_scene(&s, NULL);
		is_lent(&s, &s.job);
		world_act(&s.w, forget_mark, NULL);
		world_settings(&s.w, SETTINGS, lines[i], GRANT, FOR, PATH, NULL);
		world_settings_read(&s.w);
		assert_int_equal(revokes(&s), i);
		world_close(&s.w);
	}
}

TEST(why_it_is_revoked_stands_in_its_message_and_in_the_audit)
{
	static const char why[] = "who asked for it may not have it any more";
	struct scene s;

	open_scene(&s, NULL);
	is_lent(&s, &s.job);
	world_settings(&s.w, SETTINGS, PATH, IS, FOR, "WORKFLOW_SHOP_MAY=gate:production", NULL);
	world_settings_read(&s.w);
	assert_non_null(world_says_in(&s.w, WORLD_TEAM, why));
	world_settings_read(&s.w); /* once */
	assert_int_equal(revokes(&s), 1);
	assert_int_equal(world_audited(&s.w, "\"secret_revoked\"", NULL), 0);
	world_vault(&s.w, EFFECT_VAULT_REVOKE, &(struct vault_said){ .is_done = true });
	assert_int_equal(world_audited(&s.w, "\"secret_revoked\"", why), 1);
	world_close(&s.w);
}

/* At a start too, and of people. */
TEST(who_has_lost_their_role_keeps_nothing_behind_a_start)
{
	struct scene s;

	open_scene(&s, NULL);
	world_settings(&s.w, SETTINGS, PATH, IS, GRANT, FOR, "ROLE_OPS_IDS=12",
	    "ROLE_OPS_MAY=secret.db-migrate:production", NULL);
	(void)world_text_in(&s.w, 12, 12, "/get_secret db-migrate");
	is_made(&s);
	world_vault(
	    &s.w, EFFECT_LEND_MESSAGE, &(struct vault_said){ .is_done = true, .message = 7 });
	world_restart(&s.w);
	assert_int_equal(revokes(&s), 0);
	world_settings(&s.w, SETTINGS, PATH, IS, GRANT, FOR, NULL);
	world_restart(&s.w);
	assert_int_equal(revokes(&s), 1);
	world_close(&s.w);
}

/* --- it is fetched by two --- */

#define TWICE "🔐 Fetched twice: production secret db-migrate"

TEST(what_is_fetched_twice_is_revoked_and_admins_are_sent_that_once)
{
	struct scene s;

	open_scene(&s, NULL);
	is_lent(&s, &s.job);
	assert_int_equal(looks(&s, &s.job).status, 410);
	assert_int_equal(revokes(&s), 1);
	assert_non_null(world_says_in(&s.w, WORLD_ADMIN, TWICE));
	assert_null(world_says(&s.w, "Alarm"));
	assert_int_equal(
	    world_audited(&s.w, "\"code\":\"secret_unwrap_failed\"", "\"severity\":\"high\""), 1);
	assert_int_equal(looks(&s, &s.job).status, 410);
	assert_int_equal(failed(&s, &s.job), 202);
	assert_int_equal(world_audited(&s.w, "secret_unwrap_failed", "\"deployment\":1,"), 1);
	(void)text_copy(s.job.check_run, sizeof(s.job.check_run), "99002");
	is_lent(&s, &s.job);
	assert_int_equal(looks(&s, &s.infra).status, 404); /* another job's look says nothing */
	assert_int_equal(world_audited(&s.w, "secret_unwrap_failed", NULL), 1);
	world_close(&s.w);
}

/* A clock that was set has ended nothing. */
TEST(a_loan_that_has_ended_by_our_clock_alone_rings_and_is_revoked)
{
	struct scene s;

	open_scene(&s, NULL);
	is_lent(&s, &s.job);
	s.w.aid.at += 60 * MINUTE;
	assert_int_equal(failed(&s, &s.job), 202);
	assert_int_equal(world_audited(&s.w, "secret_unwrap_failed", NULL), 1);
	assert_int_equal(revokes(&s), 1);
	world_close(&s.w);
}

/* An hour is the most that one may be lent for. */
TEST(a_loan_that_has_ended_at_vault_rings_nobody)
{
	struct scene s;

	open_scene(&s, NULL);
	is_lent(&s, &s.job);
	s.w.aid.at += 60 * MINUTE;
	world_due(&s.w, TIMER_LOAN);
	world_vault(&s.w, EFFECT_VAULT_REVOKE, &(struct vault_said){ .is_done = true });
	assert_int_equal(failed(&s, &s.job), 202);
	assert_int_equal(looks(&s, &s.job).status, 410);
	s.w.aid.at += 25 * 60 * MINUTE;
	assert_int_equal(failed(&s, &s.job), 202);
	assert_int_equal(world_audited(&s.w, "secret_unwrap_failed", NULL), 0);
	world_close(&s.w);
}

/* --- how many --- */

TEST(one_workflow_takes_no_more_than_its_share)
{
	struct scene s;
	char number[16];

	open_scene(&s, "SECRET_DB_MIGRATE_APPROVALS=1");
	for (int i = 0; i < 17; i++) {
		s.w.aid.at += i % 5 == 0 ? MINUTE : 0;
		(void)snprintf(number, sizeof(number), "%d", 5000 + i);
		(void)text_copy(s.job.check_run, sizeof(s.job.check_run), number);
		assert_int_equal(wants(&s, &s.job, DB_MIGRATE), i < 16 ? 202 : 429);
	}
	assert_non_null(strstr(s.w.aid.said, "16 secrets of this workflow are lent or waited for"));
	assert_int_equal(wants(&s, &s.infra, DB_MIGRATE), 202);
	world_close(&s.w);
}

/* Asks as 17 jobs of that workflow; returns how many were lent it. */
static int
ask_all(struct scene *s, const char *workflow)
{
	char number[16];
	int n = 0;

	(void)text_copy(s->job.workflow, sizeof(s->job.workflow), workflow);
	for (int i = 0; i < 17; i++) {
		s->w.aid.at += i % 5 == 0 ? MINUTE : 0;
		(void)snprintf(
		    number, sizeof(number), "%c%d", workflow[strlen(workflow) - 1], 5000 + i);
		(void)text_copy(s->job.check_run, sizeof(s->job.check_run), number);
		n += wants(s, &s->job, "/v1/secret/db") == 202 ? 1 : 0;
	}
	return n;
}

#define DB "SECRET_DB_APPROVALS=1\nSECRET_DB_PATH=kv2 secret db\nSECRET_DB_FOR=production\n"
#define OF(name) \
	"WORKFLOW_" name "_IS=github 456789 " name ".yml@refs/heads/main\n" \
	"WORKFLOW_" name "_MAY=secret.db:production\n"

TEST(workflows_of_one_application_take_no_more_than_half)
{
	struct scene s;

	open_scene(&s, NULL);
	world_application(&s.w, "blog", SHARED DB OF("A") OF("B") OF("C"));
	world_application(&s.w, "shop", SHARED DB OF("D"));
	assert_int_equal(ask_all(&s, "blog/a"), 16);
	assert_int_equal(ask_all(&s, "blog/b"), 16);
	assert_int_equal(ask_all(&s, "blog/c"), 0);
	assert_non_null(
	    strstr(s.w.aid.said, "32 secrets of this application are lent or waited for"));
	assert_int_equal(ask_all(&s, "shop/d"), 16);
	world_close(&s.w);
}

/* --- who approves --- */

TEST(who_approves_reads_how_its_run_began)
{
	struct scene s;

	open_scene(&s, "SECRET_DB_MIGRATE_APPROVALS=1");
	(void)text_copy(s.job.ref, sizeof(s.job.ref), "refs/heads/x*y");
	assert_int_equal(wants(&s, &s.job, DB_MIGRATE), 202);
	if (!world_says(&s.w,
		"for 10 min at most, for run 4711 of octo/shop, begun by mona: push refs/heads/x*y aaaaaaa"))
		fail_msg("%s", s.w.aid.said);
	world_close(&s.w);
}

/* --- what else may be wrong with the settings --- */

/* Two environments on one host and port: neither is changed by what is lent. */
TEST(a_target_that_another_application_has_too_holds_up_nothing_that_is_only_read)
{
	struct scene s;

	open_scene(&s, NULL);
	world_application(&s.w, "blog", SHARED);
	world_application(&s.w, "shop",
	    SHARED "WORKFLOW_SHOP_IS=github 456789 deploy.yml@refs/heads/main\n"
		   "WORKFLOW_SHOP_MAY=secret.db:production\nSECRET_DB_PATH=kv2 secret shop\n"
		   "SECRET_DB_FOR=production\n");
	(void)text_copy(s.job.workflow, sizeof(s.job.workflow), "shop/shop");
	assert_non_null(settings_refusal(s.w.aid.settings, "shop/production"));
	assert_int_equal(wants(&s, &s.job, "/v1/secret/db"), 202);
	is_made(&s);
	assert_true(looks(&s, &s.job).is_lent);
	world_close(&s.w);
}
