/* Goal: OPA is asked about actions, loans and gates as about deployments; never about what restores.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid_inside.h"
#include "do_aid.h"
#include "lib/text.h"
#include "loan_aid.h"

#define URL "OPA_URL=http://127.0.0.1:8181/v1/data/deploybot/allow"
#define JOBS \
	"ENABLE_API_SERVER=true", "PUBLIC_URL=https://bot.example.org", \
	    "GITHUB_REPOSITORY=octo/shop", \
	    "WORKFLOW_SHOP_IS=github 456789 deploy.yml@refs/heads/main", \
	    "WORKFLOW_SHOP_MAY=secret.db-migrate:production, gate:production", \
	    "VAULT_ADDR=https://vault.example.org", "VAULT_TOKEN=hvs.0123456789abcdef0123", \
	    "SECRET_DB_MIGRATE_PATH=creds database migrate", "SECRET_DB_MIGRATE_FOR=production"

static void
says(struct world *w, enum opa_verdict verdict, const char *reason)
{
	struct effect *effect = world_must_take(w, EFFECT_OPA);

	effect->result->u.opa_said = (struct opa_answer){ .verdict = verdict, .decision = "d-1" };
	(void)text_copy(effect->result->u.opa_said.reason, LIMIT_LINE, reason);
	world_report(w, effect);
}

static void
is_asked(struct world *w, const char *stage, const char *action, const char *target)
{
	char wanted[160];

	(void)snprintf(wanted, sizeof(wanted),
	    "\"stage\":\"%s\",\"action\":\"%s\",\"target\":\"%s\"", stage, action, target);
	assert_int_equal(world_count(w, EFFECT_OPA), 1);
	if (strstr(world_peek(w, EFFECT_OPA)->u.opa.input, wanted) == NULL)
		fail_msg("no %s in %s", wanted, world_peek(w, EFFECT_OPA)->u.opa.input);
}

WORLD_TEST_OF(an_action_is_asked_about_before_its_question_and_before_it_starts, CLIENTS, URL)
{
	(void)world_text(w, WORLD_ADMIN, "/do restart-web acme");
	is_asked(w, "request", "do.restart-web", "client/acme");
	assert_null(world_says(w, "❓ Run this?"));
	says(w, OPA_YES, "");
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says(w, "❓ Run this? client/acme restart-web"), "restart-web"));
	is_asked(w, "start", "do.restart-web", "client/acme");
	says(w, OPA_YES, "");
	assert_string_equal(do_aid_run(w)->action, "restart-web");
}

WORLD_TEST_OF(an_action_that_opa_refuses_is_not_done, CLIENTS, URL)
{
	(void)world_text(w, WORLD_ADMIN, "/do restart-web acme");
	says(w, OPA_NO, "nobody restarts");
	assert_int_equal(do_aid_newest(w).state, DEPLOY_REFUSED);
	assert_non_null(world_says(w, "OPA: nobody restarts"));
	(void)world_text(w, WORLD_ADMIN, "/do service-status acme");
	is_asked(w, "request", "do.service-status", "client/acme");
	says(w, OPA_YES, "");
	is_asked(w, "start", "do.service-status", "client/acme");
	says(w, OPA_NO, "nobody looks");
	assert_int_equal(do_aid_newest(w).state, DEPLOY_REFUSED);
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
}

WORLD_TEST_OF(what_restores_is_not_asked_about, URL, "CLIENTS=acme",
    "CLIENT_ACME_CLOUDFLARE_ZONE=0123456789abcdef0123456789abcdef",
    "CLIENT_ACME_ACTIONS=cf-under-attack,cf-normal",
    "CLOUDFLARE_API_TOKEN=cf-token-0123456789abcdefghijklmnopqrstuv")
{
	(void)world_text(w, WORLD_ADMIN, "/do cf-normal acme low");
	assert_int_equal(world_count(w, EFFECT_OPA), 0);
	assert_int_equal(do_aid_newest(w).state, DEPLOY_RUNNING);
	(void)world_text(w, WORLD_ADMIN, "/do cf-under-attack acme");
	is_asked(w, "request", "do.cf-under-attack", "client/acme");
}

WORLD_TEST_OF(nobody_is_asked_about_for_looking, CLIENTS, URL)
{
	static const char *const typed[] = { "/status", "/help", "/history staging",
		"/queue staging", "/lock staging x", "/unlock staging", "/cancel staging",
		"/whoami" };

	for (size_t i = 0; i < COUNT(typed); i++)
		(void)world_text(w, WORLD_ADMIN, typed[i]);
	assert_int_equal(world_count(w, EFFECT_OPA), 0);
}

TEST(a_loan_is_asked_about_and_a_no_is_said_to_its_job)
{
	struct scene s = { .job = JOB_OF_SHOP };

	world_open(&s.w, JOBS, URL, NULL);
	assert_int_equal(wants(&s, "/v1/secret/db-migrate"), 202);
	is_asked(&s.w, "request", "secret.db-migrate", "production");
	assert_int_equal(looks(&s).status, 202);
	says(&s.w, OPA_YES, "");
	is_asked(&s.w, "start", "secret.db-migrate", "production");
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_LEND), 0);
	says(&s.w, OPA_YES, "");
	vault_says(&s, EFFECT_VAULT_LEND, &MADE);
	assert_int_equal(looks(&s).status, 200);
	(void)text_copy(s.job.run, sizeof(s.job.run), "4712");
	assert_int_equal(wants(&s, "/v1/secret/db-migrate"), 202);
	says(&s.w, OPA_NO, "not now");
	assert_int_equal(is(&s), DEPLOY_REFUSED);
	assert_int_equal(looks(&s).status, 403);
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_LEND), 0);
	world_close(&s.w);
}

static int64_t
wait_at_gate(struct scene *s)
{
	struct answer answer =
	    job_asks(&s->w, &s->job, API_GATE, "/v1/gate", "{\"environment\": \"production\"}");

	world_git(&s->w, (struct world_git){ .commit = COMMIT_A });
	return answer.work;
}

TEST(a_gate_is_asked_about_behind_git_and_a_no_refuses_it)
{
	struct scene s = { .job = JOB_OF_SHOP };
	int64_t gate;

	world_open(&s.w, "PRODUCTION_CONFIRM=false", JOBS, URL, NULL);
	gate = wait_at_gate(&s);
	is_asked(&s.w, "request", "gate", "production");
	says(&s.w, OPA_YES, "");
	if (world_count(&s.w, EFFECT_GIT_QUERY) > 0)
		world_git(&s.w, (struct world_git){ .commit = COMMIT_A });
	is_asked(&s.w, "start", "gate", "production");
	says(&s.w, OPA_YES, "");
	if (world_count(&s.w, EFFECT_GIT_QUERY) > 0)
		world_git(&s.w, (struct world_git){ .commit = COMMIT_A });
	assert_int_equal(world_deployment(&s.w, gate).state, DEPLOY_RUNNING);
	(void)text_copy(s.job.run, sizeof(s.job.run), "4712");
	gate = wait_at_gate(&s);
	says(&s.w, OPA_NO, "not now");
	assert_int_equal(world_deployment(&s.w, gate).state, DEPLOY_REFUSED);
	world_close(&s.w);
}

/* Another push took its question away while OPA was asked. */
WORLD_TEST_OF(a_push_with_a_question_is_asked_about_first, "STAGING_CONFIRM=true", URL)
{
	world_push_is_at(w, COMMIT_A);
	is_asked(w, "request", "deploy", "staging");
	assert_null(world_says(w, "❓"));
	says(w, OPA_YES, "");
	assert_int_equal(world_state(w), DEPLOY_AWAITING_CONFIRMATION);
	world_push_is_at(w, COMMIT_B);
	says(w, OPA_NO, "not now");
	assert_int_equal(world_state(w), DEPLOY_REFUSED);
}
