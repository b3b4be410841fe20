/* Goal: where that is set a job has the value itself, and what has read it ends as a loan does.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_loan.h"

#include "factor_aid.h"
#include "loan_aid.h"

#define BASE \
	"ENABLE_API_SERVER=true", "PUBLIC_URL=https://bot.example.org", \
	    "GITHUB_REPOSITORY=octo/shop", "VAULT_ADDR=https://vault.example.org", \
	    "VAULT_TOKEN=hvs.0123456789abcdef0123", \
	    "WORKFLOW_SHOP_IS=github 456789 deploy.yml@refs/heads/main", \
	    "WORKFLOW_SHOP_MAY=secret.db-migrate:production, secret.stripe:production", \
	    "SECRET_DB_MIGRATE_PATH=creds database migrate", "SECRET_DB_MIGRATE_FOR=production", \
	    "SECRET_DB_MIGRATE_DELIVERS=value", "SECRET_STRIPE_PATH=kv2 secret stripe", \
	    "SECRET_STRIPE_FOR=production", "SECRET_STRIPE_DELIVERS=value"

static void
open_scene(struct scene *s)
{
	*s = (struct scene){ .job = JOB_OF_SHOP };
	world_open(&s->w, BASE, NULL);
}

TEST(a_value_of_kv_is_given_once_and_what_has_read_it_ends_with_its_job)
{
	struct scene s;
	struct answer answer;
	char text[64];

	open_scene(&s);
	assert_int_equal(wants(&s, "/v1/secret/stripe"), 202);
	assert_string_equal(
	    world_peek(&s.w, EFFECT_VAULT_LEND)->u.vault.value, "kv2 secret stripe");
	assert_string_equal(world_peek(&s.w, EFFECT_VAULT_LEND)->u.vault.name, "stripe");
	vault_says(&s, EFFECT_VAULT_LEND, &MADE);
	answer = looks(&s);
	assert_true(answer.status == 200 && answer.is_lent);
	assert_int_equal(is(&s), DEPLOY_DONE);
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 0);
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_LOOK), 0);
	assert_int_equal(gives_back(&s), 202);
	assert_string_equal(world_peek(&s.w, EFFECT_VAULT_REVOKE)->u.vault.accessor, ACCESSOR);
	vault_says(&s, EFFECT_VAULT_REVOKE, &ENDED);
	(void)snprintf(text, sizeof(text), "/revoke %lld", (long long)s.loan);
	(void)world_text(&s.w, WORLD_ADMIN, text);
	assert_non_null(world_says(&s.w, "what Vault has made for it has ended"));
	world_close(&s.w);
}

/* An older version read KV without a token that has an accessor. */
TEST(what_an_older_version_has_kept_without_an_accessor_is_over_at_a_start)
{
	struct scene s;

	open_scene(&s);
	assert_int_equal(wants(&s, "/v1/secret/stripe"), 202);
	vault_says(&s, EFFECT_VAULT_LEND, &ENDED); /* it is done */
	world_restart(&s.w);
	assert_int_equal(is(&s), DEPLOY_FAILED);
	assert_int_equal(looks(&s).status, 410);
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 0);
	assert_int_equal(world_audited(&s.w, "secret_lost", NULL), 1);
	world_close(&s.w);
}

TEST(a_value_of_credentials_is_revoked_by_its_child)
{
	struct scene s;

	open_scene(&s);
	assert_int_equal(wants(&s, "/v1/secret/db-migrate"), 202);
	assert_string_equal(
	    world_peek(&s.w, EFFECT_VAULT_LEND)->u.vault.value, "creds database migrate");
	vault_says(&s, EFFECT_VAULT_LEND, &MADE);
	assert_true(looks(&s).is_lent);
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_LOOK), 0);
	assert_int_equal(gives_back(&s), 202);
	assert_string_equal(world_peek(&s.w, EFFECT_VAULT_REVOKE)->u.vault.accessor, ACCESSOR);
	vault_says(&s, EFFECT_VAULT_REVOKE, &ENDED);
	/* It is not asked for again while a child of before is there. */
	assert_int_equal(wants(&s, "/v1/secret/db-migrate"), 202);
	vault_says(&s, EFFECT_VAULT_LEND,
	    &(struct vault_said){ .accessor = ACCESSOR, .retry_after_s = 5, .why = "sealed" });
	assert_int_equal(is(&s), DEPLOY_FAILED);
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 1);
	assert_int_equal(looks(&s).status, 410);
	world_close(&s.w);
}

/* Credentials are new ones each time; what is read again may be known. */
TEST(credentials_that_the_loop_has_no_room_for_are_not_made)
{
	struct scene s;
	struct event *event;

	open_scene(&s);
	event = job_event(&s.w, &s.job, API_SECRET, "/v1/secret/db-migrate", "{}");
	event->u.api->is_crowded = true;
	assert_int_equal(world_decide(&s.w, event).status, 429);
	assert_non_null(strstr(s.w.aid.said, "takes up its share of what is kept out of logs"));
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_LEND), 0);
	event = job_event(&s.w, &s.job, API_SECRET, "/v1/secret/stripe", "{}");
	event->u.api->is_crowded = true;
	assert_int_equal(world_decide(&s.w, event).status, 202);
	world_close(&s.w);
}

TEST(a_person_is_lent_a_token_whatever_is_delivered_to_jobs)
{
	struct scene s;

	open_scene(&s);
	(void)world_text_in(&s.w, WORLD_ADMIN, WORLD_ADMIN, "/get_secret stripe");
	assert_string_equal(world_peek(&s.w, EFFECT_VAULT_LEND)->u.vault.value, "");
	world_close(&s.w);
}

/* What a yes for something else does not cover. */
static const char *const other[] = { "SECRET_DB_MIGRATE_PATH=creds database root",
	"SECRET_DB_MIGRATE_TTL=1h", "SECRET_DB_MIGRATE_DELIVERS=token" };

static void
set_other(struct scene *s, size_t i)
{
	world_settings(&s->w, other[i], BASE, "SECRET_DB_MIGRATE_APPROVALS=1", NULL);
	world_settings_read(&s->w);
}

static void
is_approved(struct scene *s)
{
	char text[64];

	open_scene(s);
	world_settings(&s->w, BASE, "SECRET_DB_MIGRATE_APPROVALS=1", NULL);
	world_settings_read(&s->w);
	assert_int_equal(wants(s, "/v1/secret/db-migrate"), 202);
	(void)snprintf(text, sizeof(text), "/approve %lld", (long long)s->loan);
	(void)world_text(&s->w, WORLD_ADMIN, text);
}

TEST(what_was_approved_is_what_is_made_when_vault_answers_again)
{
	for (size_t i = 0; i < COUNT(other); i++) {
		struct scene s;

		is_approved(&s);
		vault_says(&s, EFFECT_VAULT_LEND,
		    &(struct vault_said){ .retry_after_s = 5, .why = "sealed" });
		set_other(&s, i);
		world_due(&s.w, TIMER_LOAN);
		assert_int_equal(world_count(&s.w, EFFECT_VAULT_LEND), 0);
		assert_int_equal(is(&s), DEPLOY_QUEUED); /* it is asked anew */
		world_close(&s.w);
	}
}

TEST(what_was_made_is_not_given_by_other_settings)
{
	for (size_t i = 0; i < COUNT(other); i++) {
		struct scene s;

		is_approved(&s);
		vault_says(&s, EFFECT_VAULT_LEND, &MADE);
		set_other(&s, i);
		assert_int_equal(looks(&s).status, 410);
		assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 1);
		world_close(&s.w);
	}
}

TEST(a_value_that_nobody_waits_for_any_more_is_wiped)
{
	struct scene s;

	open_scene(&s);
	assert_int_equal(wants(&s, "/v1/secret/stripe"), 202);
	vault_says(&s, EFFECT_VAULT_LEND, &MADE);
	assert_int_equal(gives_back(&s), 202);
	assert_string_equal(world_peek(&s.w, EFFECT_VAULT_REVOKE)->u.vault.accessor, ACCESSOR);
	vault_says(&s, EFFECT_VAULT_REVOKE, &ENDED);
	assert_int_equal(is(&s), DEPLOY_FAILED);
	world_close(&s.w);
}
