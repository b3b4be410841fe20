/* Goal: a secret is lent once, to the job that asked, after the yes that it needs, and given back.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_loan.h"

#include "factor_aid.h"
#include "lib/mem.h"
#include "loan_aid.h"

#define MINUTE	   INT64_C(60000)
#define DB_MIGRATE "/v1/secret/db-migrate"

#define SETTINGS \
	"ENABLE_API_SERVER=true", "PUBLIC_URL=https://bot.example.org", \
	    "GITHUB_REPOSITORY=octo/shop", "VAULT_ADDR=https://vault.example.org", \
	    "VAULT_TOKEN=hvs.0123456789abcdef0123", \
	    "WORKFLOW_SHOP_IS=github 456789 deploy.yml@refs/heads/main", \
	    "SECRET_DB_MIGRATE_PATH=creds database migrate", "SECRET_DB_MIGRATE_FOR=production", \
	    "SECRET_DB_MIGRATE_TTL=10m", "SECRET_STRIPE_PATH=kv2 secret stripe", \
	    "SECRET_STRIPE_FOR=production"
#define MAY "WORKFLOW_SHOP_MAY=secret.db-migrate:production, gate:production"

static void
open_scene(struct scene *s, const char *more)
{
	*s = (struct scene){ .job = JOB_OF_SHOP };
	world_open(&s->w, SETTINGS, MAY, more, NULL);
}

static void
is_lent(struct scene *s)
{
	assert_int_equal(wants(s, DB_MIGRATE), 202);
	vault_says(s, EFFECT_VAULT_LEND, &MADE);
	assert_int_equal(is(s), DEPLOY_RUNNING);
	assert_true(looks(s).is_lent);
	assert_int_equal(is(s), DEPLOY_DONE);
}

/* GitHub says how a job of run 4711 has ended. */
static struct event *
over(struct scene *s, int64_t job)
{
	struct event *event = world_push(&s->w, "");
	struct delivery *delivery = &event->u.delivery;

	delivery->kind = DELIVERY_WORKFLOW_JOB;
	delivery->repository_id = 456789;
	(void)text_copy(delivery->repository, sizeof(delivery->repository), "Octo/Shop");
	delivery->job = mem_new(1, sizeof(*delivery->job));
	job_is_of(&delivery->job->of, "4711", COMMIT_A);
	(void)text_copy(delivery->job->of.repository_id, JOB_NUMBER, "456789");
	(void)snprintf(delivery->job->of.check_run, JOB_NUMBER, "%lld", (long long)job);
	delivery->job->of.attempt = 1;
	(void)text_copy(delivery->job->conclusion, sizeof(delivery->job->conclusion), "success");
	return event;
}

TEST(what_needs_no_yes_is_made_and_given_once)
{
	const struct effect_vault *lend;
	struct scene s;

	open_scene(&s, NULL);
	assert_int_equal(wants(&s, DB_MIGRATE), 202);
	lend = &world_peek(&s.w, EFFECT_VAULT_LEND)->u.vault;
	assert_string_equal(lend->name, "db-migrate");
	assert_int_equal(lend->ttl_s, 600);
	assert_int_equal(looks(&s).status, 202);
	vault_says(&s, EFFECT_VAULT_LEND, &MADE);
	assert_int_equal(looks(&s).status, 200);
	assert_int_equal(is(&s), DEPLOY_DONE);
	assert_int_equal(looks(&s).status, 410);
	assert_false(looks(&s).is_lent);
	world_close(&s.w);
}

TEST(what_needs_approvals_waits_for_them_and_not_for_hours)
{
	char text[64];
	struct scene s;

	open_scene(&s, "SECRET_DB_MIGRATE_APPROVALS=1");
	assert_int_equal(wants(&s, DB_MIGRATE), 202);
	assert_int_equal(is(&s), DEPLOY_AWAITING_APPROVAL);
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_LEND), 0);
	assert_int_equal(looks(&s).status, 202);
	(void)snprintf(text, sizeof(text), "/approve %lld", (long long)s.loan);
	(void)world_text(&s.w, WORLD_ADMIN, text);
	assert_int_equal(is(&s), DEPLOY_RUNNING);
	vault_says(&s, EFFECT_VAULT_LEND, &MADE);
	assert_int_equal(looks(&s).status, 200);

	(void)text_copy(s.job.run, sizeof(s.job.run), "4712");
	assert_int_equal(wants(&s, DB_MIGRATE), 202);
	world_due(&s.w, TIMER_APPROVAL); /* they are reminded */
	world_due(&s.w, TIMER_APPROVAL);
	assert_int_equal(is(&s), DEPLOY_EXPIRED);
	assert_int_equal(looks(&s).status, 403);
	assert_true(s.w.aid.at - world_deployment(&s.w, s.loan).requested_at < 16 * MINUTE);
	world_close(&s.w);
}

TEST(no_grant_and_no_such_secret_are_refused_alike)
{
	static const char *const names[] = { "/v1/secret/stripe", "/v1/secret/nothing",
		"/v1/secret/other/db-migrate" };
	struct scene s;

	open_scene(&s, NULL);
	for (size_t i = 0; i < COUNT(names); i++) {
		assert_int_equal(wants(&s, names[i]), 403);
		assert_int_equal(s.loan, 0);
	}
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_LEND), 0);
	world_close(&s.w);
}

TEST(the_same_job_asks_once_and_another_sees_nothing_of_it)
{
	struct job other = JOB_OF_SHOP;
	char path[64];
	int64_t first;
	struct scene s;

	open_scene(&s, "SECRET_DB_MIGRATE_APPROVALS=1");
	assert_int_equal(wants(&s, DB_MIGRATE), 202);
	first = s.loan;
	assert_int_equal(wants(&s, DB_MIGRATE), 202);
	assert_int_equal(s.loan, first);
	(void)text_copy(other.check_run, sizeof(other.check_run), "99002");
	(void)snprintf(path, sizeof(path), "/v1/loan/%lld", (long long)first);
	assert_int_equal(job_asks(&s.w, &other, API_LOAN, path, NULL).status, 404);
	(void)snprintf(path, sizeof(path), "/v1/loan-end/%lld", (long long)first);
	assert_int_equal(job_asks(&s.w, &other, API_LOAN_END, path, "{}").status, 404);
	assert_int_equal(is(&s), DEPLOY_AWAITING_APPROVAL);
	world_close(&s.w);
}

TEST(what_was_given_ends_with_its_job_when_that_says_so_and_in_time)
{
	struct scene s;

	open_scene(&s, NULL);
	is_lent(&s);
	assert_int_equal(world_decide(&s.w, over(&s, 99002)).status, 200);
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 0); /* another job's */
	assert_int_equal(world_decide(&s.w, over(&s, 99001)).status, 200);
	assert_string_equal(world_peek(&s.w, EFFECT_VAULT_REVOKE)->u.vault.accessor, ACCESSOR);
	vault_says(&s, EFFECT_VAULT_REVOKE, &ENDED);
	assert_int_equal(gives_back(&s), 202); /* twice is as once */
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 0);

	(void)text_copy(s.job.run, sizeof(s.job.run), "4712");
	is_lent(&s);
	assert_int_equal(gives_back(&s), 202);
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 1);
	vault_says(&s, EFFECT_VAULT_REVOKE, &ENDED);

	(void)text_copy(s.job.run, sizeof(s.job.run), "4713");
	is_lent(&s);
	world_due(&s.w, TIMER_LOAN); /* Vault says so, too */
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 1);
	world_close(&s.w);
}

TEST(what_is_audited_of_a_loan_has_its_number_and_a_part_of_its_accessor)
{
	static const char *const codes[] = { "\"secret_requested\"", "\"secret_lent\"",
		"\"secret_revoked\"" };
	struct scene s;

	open_scene(&s, NULL);
	is_lent(&s);
	assert_int_equal(gives_back(&s), 202);
	vault_says(&s, EFFECT_VAULT_REVOKE, &ENDED);
	for (size_t i = 0; i < COUNT(codes); i++)
		assert_int_equal(world_audited(&s.w, codes[i], "\"deployment\":1,"), 1);
	assert_int_equal(world_audited(&s.w, "\"accessor\":\"8609694a\"", NULL), 2);
	world_close(&s.w);
}

/* Who had it, when and until when: one entry says so. */
TEST(what_was_lent_is_audited_with_whose_run_it_was_and_its_end)
{
	char run[64];
	struct scene s;

	open_scene(&s, NULL);
	is_lent(&s);
	(void)snprintf(run, sizeof(run), "\"run\":\"%s\"", s.job.run);
	assert_int_equal(world_audited(&s.w, "\"secret_lent\"", "\"secret\":\"db-migrate\""), 1);
	assert_int_equal(world_audited(&s.w, "\"secret_lent\"", "\"path\":\"creds database "), 1);
	assert_int_equal(world_audited(&s.w, "\"secret_lent\"", run), 1);
	assert_int_equal(world_audited(&s.w, "\"secret_lent\"", "\"until\":\"20"), 1);
	world_due(&s.w, TIMER_LOAN);
	assert_int_equal(world_audited(&s.w, "\"secret_revoked\"", NULL), 0);
	vault_says(&s, EFFECT_VAULT_REVOKE, &ENDED);
	assert_int_equal(
	    world_audited(&s.w, "\"secret_revoked\"", "\"why\":\"its time is over\""), 1);
	world_close(&s.w);
}

TEST(what_nobody_fetches_is_revoked)
{
	struct scene s;

	open_scene(&s, NULL);
	assert_int_equal(wants(&s, DB_MIGRATE), 202);
	vault_says(&s, EFFECT_VAULT_LEND, &MADE);
	world_due(&s.w, TIMER_LOAN);
	assert_int_equal(is(&s), DEPLOY_FAILED);
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 1);
	assert_int_equal(looks(&s).status, 410);
	world_close(&s.w);
}

TEST(what_could_not_be_revoked_is_tried_until_vault_ends_it)
{
	static const int pauses_s[] = { 1, 5, 30, 60, 60 };
	struct scene s;

	open_scene(&s, NULL);
	is_lent(&s);
	assert_int_equal(gives_back(&s), 202);
	for (size_t i = 0; i < COUNT(pauses_s); i++) { /* of ten minutes */
		vault_says(
		    &s, EFFECT_VAULT_REVOKE, &(struct vault_said){ .why = "503: Vault is sealed" });
		assert_in_range(
		    world_peek(&s.w, EFFECT_VAULT_REVOKE)->u.vault.not_before - s.w.aid.at,
		    pauses_s[i] * 1000 - 500, pauses_s[i] * 1000);
	}
	s.w.aid.at += 10 * MINUTE;
	for (size_t i = COUNT(pauses_s); i <= 13; i++) {
		assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 1);
		vault_says(&s, EFFECT_VAULT_REVOKE, &(struct vault_said){ .why = "sealed" });
	}
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 0);
	assert_int_equal(world_audited(&s.w, "\"secret_revoked\"", "ended by Vault"), 1);
	world_close(&s.w);
}

TEST(what_is_lost_at_a_start_is_revoked_first_thing)
{
	struct scene s;

	open_scene(&s, NULL);
	assert_int_equal(wants(&s, DB_MIGRATE), 202);
	vault_says(&s, EFFECT_VAULT_LEND, &MADE);
	world_restart(&s.w);
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 1);
	assert_int_equal(is(&s), DEPLOY_FAILED);
	assert_int_equal(looks(&s).status, 410);
	world_close(&s.w);
}

TEST(what_is_cancelled_while_vault_makes_it_is_revoked)
{
	char text[64];
	struct scene s;

	open_scene(&s, NULL);
	assert_int_equal(wants(&s, DB_MIGRATE), 202);
	(void)snprintf(text, sizeof(text), "/revoke %lld", (long long)s.loan);
	(void)world_text(&s.w, WORLD_ADMIN, text);
	assert_int_equal(is(&s), DEPLOY_FAILED);
	vault_says(&s, EFFECT_VAULT_LEND, &MADE);
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 1);
	assert_false(looks(&s).is_lent);
	world_close(&s.w);
}

/* Its answer is on the way when its job is over, or needs it no longer. */
TEST(what_vault_makes_for_a_job_that_is_over_is_revoked)
{
	for (int says_so = 0; says_so < 2; says_so++) {
		struct scene s;

		open_scene(&s, NULL);
		assert_int_equal(wants(&s, DB_MIGRATE), 202);
		if (says_so)
			assert_int_equal(gives_back(&s), 202);
		else
			assert_int_equal(world_decide(&s.w, over(&s, 99001)).status, 200);
		assert_int_equal(is(&s), DEPLOY_FAILED);
		vault_says(&s, EFFECT_VAULT_LEND, &MADE);
		assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 1);
		world_close(&s.w);
	}
}

TEST(what_waits_for_a_yes_and_is_needed_no_longer_is_cancelled)
{
	struct scene s;

	open_scene(&s, "SECRET_DB_MIGRATE_APPROVALS=1");
	assert_int_equal(wants(&s, DB_MIGRATE), 202);
	assert_int_equal(gives_back(&s), 202);
	assert_int_equal(is(&s), DEPLOY_CANCELLED);
	assert_int_equal(looks(&s).status, 403);
	(void)text_copy(s.job.run, sizeof(s.job.run), "4712");
	assert_int_equal(wants(&s, DB_MIGRATE), 202);
	(void)world_decide(&s.w, over(&s, 99001)); /* of run 4711 */
	assert_int_equal(is(&s), DEPLOY_AWAITING_APPROVAL);
	world_close(&s.w);
}

TEST(vault_that_is_sealed_is_asked_again_and_what_it_refuses_ends)
{
	struct scene s;

	open_scene(&s, NULL);
	assert_int_equal(wants(&s, DB_MIGRATE), 202);
	vault_says(&s, EFFECT_VAULT_LEND,
	    &(struct vault_said){ .retry_after_s = 5, .why = "503: Vault is sealed" });
	assert_int_equal(is(&s), DEPLOY_RUNNING);
	world_due(&s.w, TIMER_LOAN);
	vault_says(&s, EFFECT_VAULT_LEND, &(struct vault_said){ .why = "403: permission denied" });
	assert_int_equal(is(&s), DEPLOY_FAILED);
	assert_non_null(strstr(world_deployment(&s.w, s.loan).detail, "permission denied"));
	assert_int_equal(looks(&s).status, 409); /* it is no denial of theirs */
	assert_non_null(world_says(&s.w, "⛔ Not lent: production secret db-migrate"));

	(void)text_copy(s.job.run, sizeof(s.job.run), "4712");
	assert_int_equal(wants(&s, DB_MIGRATE), 202);
	vault_says(&s, EFFECT_VAULT_LEND,
	    &(struct vault_said){ .is_unsure = true, .retry_after_s = 5, .why = "no answer" });
	assert_int_equal(is(&s), DEPLOY_FAILED); /* it may have been made: nothing is repeated */
	assert_int_equal(looks(&s).status, 410);
	assert_null(world_says(&s.w, "Result unknown"));
	world_close(&s.w);
}

/* Two applications may have secrets of one name. */
TEST(a_secret_of_an_application_has_a_policy_of_its_own)
{
	struct scene s;

	s = (struct scene){ .job = JOB_OF_SHOP };
	world_open(&s.w, SETTINGS, MAY, NULL);
	world_application(&s.w, "shop",
	    "WORKFLOW_SHOP_IS=github 456789 deploy.yml@refs/heads/main\n"
	    "WORKFLOW_SHOP_MAY=secret.db-migrate:production\n"
	    "SECRET_DB_MIGRATE_PATH=kv2 secret shop\nSECRET_DB_MIGRATE_FOR=production\n");
	(void)text_copy(s.job.workflow, sizeof(s.job.workflow), "shop/shop");
	assert_int_equal(wants(&s, DB_MIGRATE), 202);
	assert_string_equal(world_peek(&s.w, EFFECT_VAULT_LEND)->u.vault.name, "shop.db-migrate");
	world_close(&s.w);
}

/* Its job holds the gate, and the environment with it. */
TEST(a_job_behind_its_open_gate_is_lent_what_it_needs)
{
	struct scene s;

	open_scene(&s, "PRODUCTION_CONFIRM=false");
	assert_int_equal(
	    job_asks(&s.w, &s.job, API_GATE, "/v1/gate", "{\"environment\": \"production\"}")
		.status,
	    202);
	world_git(&s.w, (struct world_git){ .commit = s.job.sha });
	assert_int_equal(world_newest(&s.w, "production").state, DEPLOY_RUNNING);
	is_lent(&s);
	world_close(&s.w);
}

TEST(a_grant_withdrawn_before_the_last_yes_lends_nothing)
{
	char text[64];
	struct scene s;

	open_scene(&s, "SECRET_DB_MIGRATE_APPROVALS=1");
	assert_int_equal(wants(&s, DB_MIGRATE), 202);
	world_settings(&s.w, SETTINGS, "SECRET_DB_MIGRATE_APPROVALS=1",
	    "WORKFLOW_SHOP_MAY=secret.stripe:production", NULL);
	world_settings_read(&s.w);
	(void)snprintf(text, sizeof(text), "/approve %lld", (long long)s.loan);
	(void)world_text(&s.w, WORLD_ADMIN, text);
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_LEND), 0);
	assert_int_not_equal(is(&s), DEPLOY_RUNNING);
	world_close(&s.w);
}

/* By whoever may cancel there: by its button, or by its number. */
TEST(what_was_lent_is_revoked_by_who_may)
{
	char text[64];
	struct scene s;

	open_scene(&s, NULL);
	is_lent(&s);
	(void)snprintf(text, sizeof(text), "/revoke %lld", (long long)s.loan);
	(void)world_text(&s.w, WORLD_STAGING_USER, text);
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 0);
	(void)world_press(&s.w, WORLD_ADMIN, WORLD_TEAM,
	    world_button(world_says_in(&s.w, WORLD_TEAM, "✅ Lent: production"), "Revoke"));
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 1);
	vault_says(&s, EFFECT_VAULT_REVOKE, &ENDED);
	assert_non_null(world_says_in(&s.w, WORLD_TEAM, "↩️ Revoked: production"));
	world_answers(&s.w, WORLD_ADMIN, text, "is over");
	world_close(&s.w);
}

/* A code is a person's: whoever approves gives theirs. */
TEST(where_a_code_is_wanted_and_nobody_approves_nothing_is_lent)
{
	struct scene s;

	factor_write_key(FACTOR_KEY);
	s = (struct scene){ .job = JOB_OF_SHOP };
	world_open(&s.w, SETTINGS, MAY, "REQUIRE_OTP=secret.db-migrate:production",
	    factor_key_setting, NULL);
	assert_int_equal(wants(&s, DB_MIGRATE), 403);
	world_close(&s.w);
}

/* An action of that name only looks, and needs none. */
TEST(a_secret_that_is_called_as_an_action_needs_its_code_too)
{
	struct scene s;

	factor_write_key(FACTOR_KEY);
	s = (struct scene){ .job = JOB_OF_SHOP };
	world_open(&s.w, SETTINGS, "SECRET_DISK_FREE_PATH=kv2 secret disk",
	    "SECRET_DISK_FREE_FOR=production", "WORKFLOW_SHOP_MAY=secret.disk-free:production",
	    "REQUIRE_OTP=secret:production", factor_key_setting, NULL);
	assert_int_equal(wants(&s, "/v1/secret/disk-free"), 403);
	assert_non_null(strstr(s.w.aid.said, "REQUIRE_OTP"));
	world_close(&s.w);
}

TEST(an_approval_of_a_loan_asks_for_a_code)
{
	struct scene s;

	factor_write_key(FACTOR_KEY);
	s = (struct scene){ .job = JOB_OF_SHOP };
	world_open(&s.w, SETTINGS, MAY, "REQUIRE_OTP=secret.db-migrate:production",
	    factor_key_setting, "SECRET_DB_MIGRATE_APPROVALS=1", NULL);
	world_act(&s.w, factor_enrol, &ada);
	assert_int_equal(wants(&s, DB_MIGRATE), 202);
	(void)world_press(&s.w, ada.id, WORLD_TEAM,
	    world_button(world_says_in(&s.w, WORLD_TEAM, "❓ Lend? "), "Approve"));
	assert_int_equal(is(&s), DEPLOY_AWAITING_APPROVAL);
	assert_non_null(world_says_in(
	    &s.w, ada.id, "Code for production, lending db-migrate to workflow:shop"));
	factor_type(&s.w, &ada, factor_code(&s.w, &ada, 0));
	assert_int_equal(is(&s), DEPLOY_RUNNING);
	factor_close(&s.w);
}

TEST(a_vault_that_stays_sealed_for_all_its_time_may_be_asked_again_later)
{
	struct scene s;

	open_scene(&s, "SECRET_WAIT=1m");
	assert_int_equal(wants(&s, DB_MIGRATE), 202);
	vault_says(
	    &s, EFFECT_VAULT_LEND, &(struct vault_said){ .retry_after_s = 90, .why = "sealed" });
	assert_int_equal(is(&s), DEPLOY_FAILED);
	assert_int_equal(looks(&s).status, 410);
	world_close(&s.w);
}

/* While Vault is sealed, or when it waits to be fetched. */
TEST(a_grant_withdrawn_behind_the_last_yes_gives_nothing)
{
	for (int is_made = 0; is_made < 2; is_made++) {
		struct scene s;

		open_scene(&s, NULL);
		assert_int_equal(wants(&s, DB_MIGRATE), 202);
		vault_says(&s, EFFECT_VAULT_LEND,
		    is_made ? &MADE : &(struct vault_said){ .retry_after_s = 5, .why = "sealed" });
		world_settings(&s.w, SETTINGS, "WORKFLOW_SHOP_MAY=secret.stripe:production", NULL);
		if (!is_made)
			world_due(&s.w, TIMER_LOAN);
		assert_int_equal(looks(&s).status, 403);
		assert_int_equal(is(&s), DEPLOY_FAILED);
		assert_int_equal(world_count(&s.w, EFFECT_VAULT_LEND), 0);
		assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), is_made);
		world_close(&s.w);
	}
}

TEST(a_workflow_asks_five_times_a_minute)
{
	char run[8];
	struct scene s;

	open_scene(&s, NULL);
	for (int i = 0; i < 6; i++) {
		(void)snprintf(run, sizeof(run), "%d", 5000 + i);
		(void)text_copy(s.job.run, sizeof(s.job.run), run);
		assert_int_equal(wants(&s, DB_MIGRATE), i < 5 ? 202 : 429);
	}
	world_close(&s.w);
}

/* --- somebody else may have it --- */

static int
could_not_unwrap(struct scene *s)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/v1/loan-failed/%lld", (long long)s->loan);
	return job_asks(&s->w, &s->job, API_LOAN_FAILED, path, "{}").status;
}

#define ALARM "🔐 Alarm: production secret db-migrate: its job could not unwrap it"

/* Also where its job has given it back: whoever was first may have done that. */
TEST(admins_are_sent_once_that_a_job_could_not_unwrap_what_it_was_given)
{
	for (int is_given_back = 0; is_given_back < 2; is_given_back++) {
		struct scene s;

		open_scene(&s, NULL);
		is_lent(&s);
		if (is_given_back)
			assert_int_equal(gives_back(&s), 202);
		assert_int_equal(could_not_unwrap(&s), 202);
		assert_non_null(world_says_in(&s.w, WORLD_ADMIN, ALARM));
		assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 1);
		assert_int_equal(world_audited(&s.w, "\"code\":\"secret_unwrap_failed\"",
				     "\"severity\":\"high\""),
		    1);
		vault_says(&s, EFFECT_VAULT_REVOKE, &ENDED);
		assert_int_equal(could_not_unwrap(&s), 202);
		assert_int_equal(
		    world_audited(&s.w, "secret_unwrap_failed", "\"deployment\":1,"), 1);
		world_close(&s.w);
	}
}

/* Nobody can have had it: it was not given yet. */
TEST(what_was_not_given_cannot_fail_to_be_unwrapped)
{
	struct scene s;

	open_scene(&s, NULL);
	assert_int_equal(wants(&s, DB_MIGRATE), 202);
	(void)text_copy(s.job.check_run, sizeof(s.job.check_run), "99002");
	assert_int_equal(could_not_unwrap(&s), 404);
	(void)text_copy(s.job.check_run, sizeof(s.job.check_run), "99001");
	assert_int_equal(could_not_unwrap(&s), 202);
	assert_int_equal(is(&s), DEPLOY_FAILED);
	assert_null(world_says(&s.w, ALARM));
	assert_int_equal(world_audited(&s.w, "secret_unwrap_failed", NULL), 0);
	world_close(&s.w);
}

TEST(admins_are_sent_that_vault_wrapped_something_else)
{
	struct scene s;

	open_scene(&s, NULL);
	assert_int_equal(wants(&s, DB_MIGRATE), 202);
	vault_says(&s, EFFECT_VAULT_LEND,
	    &(struct vault_said){
		.is_wrong = true, .accessor = ACCESSOR, .why = "another creation_path" });
	assert_int_equal(is(&s), DEPLOY_FAILED);
	assert_non_null(world_says_in(&s.w, WORLD_ADMIN,
	    "🔐 Alarm: production secret db-migrate: another creation_path. It is being revoked."));
	assert_int_equal(world_audited(&s.w, "secret_unwrap_failed", "8609694a"), 1);
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 1);
	assert_int_equal(looks(&s).status, 409);
	world_close(&s.w);
}

TEST(what_the_loop_has_not_is_not_given_and_is_revoked_in_time)
{
	struct scene s;
	struct event *event;

	open_scene(&s, NULL);
	assert_int_equal(wants(&s, DB_MIGRATE), 202);
	vault_says(&s, EFFECT_VAULT_LEND, &MADE);
	event = job_event(&s.w, &s.job, API_LOAN, "/v1/loan/1", NULL);
	event->u.api->is_kept = false;
	assert_int_equal(world_decide(&s.w, event).status, 202);
	world_due(&s.w, TIMER_LOAN);
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 1);
	assert_int_equal(looks(&s).status, 410);
	world_close(&s.w);
}

/* --- what is said --- */

TEST(what_it_is_for_stands_in_the_question)
{
	struct scene s;

	open_scene(&s, "SECRET_DB_MIGRATE_APPROVALS=1");
	assert_int_equal(
	    job_asks(&s.w, &s.job, API_SECRET, DB_MIGRATE, "{\"reason\": \"job *migrate*\"}")
		.status,
	    202);
	assert_non_null(world_says(&s.w, "db-migrate for \"job *migrate*\""));
	assert_int_equal(world_audited(&s.w, "\"reason\":\"job *migrate*\"", NULL), 1);
	world_close(&s.w);
}

TEST(a_job_of_gitlab_ends_what_it_was_lent)
{
	struct event *event;
	struct scene s;

	open_scene(&s, NULL);
	world_settings(&s.w, SETTINGS, MAY, "GITLAB_URL=https://gitlab.example.org",
	    "WORKFLOW_LAB_IS=gitlab 22 .gitlab-ci.yml@refs/heads/main",
	    "WORKFLOW_LAB_MAY=secret.db-migrate:production", "REPOSITORY_PATH=group/shop", NULL);
	world_settings_read(&s.w);
	job_is_gitlabs(&s.job, "99001");
	(void)text_copy(s.job.workflow, sizeof(s.job.workflow), "lab");
	is_lent(&s);
	event = over(&s, 99001);
	event->u.delivery.forge = DELIVERY_GITLAB;
	(void)text_copy(event->u.delivery.repository, LIMIT_REF, "group/shop");
	(void)text_copy(event->u.delivery.job->of.repository_id, JOB_NUMBER, "gitlab:22");
	assert_int_equal(world_decide(&s.w, event).status, 200);
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 1);
	world_close(&s.w);
}
