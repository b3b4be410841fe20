/* Goal: what a zone under attack keeps out is warned of before, and nothing is deployed there unasked.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"
#include "store/row_cloudflare.h"

#define ZONE   "0123456789abcdef0123456789abcdef"
#define HEALTH "STAGING_HEALTH_URL=http://127.0.0.1:1/,https://WWW.Acme.example:8443/up"
#define HOOK \
	"TELEGRAM_MODE=polling", "TELEGRAM_WEBHOOK_URL=https://bot.acme.example/telegram/webhook"
#define DOMAIN	 "CLIENT_ACME_CLOUDFLARE_DOMAIN=acme.example"
#define IS_UNDER "www.acme.example is under attack at Cloudflare until "
#define CLIENT \
	"CLIENTS=acme", "CLIENT_ACME_CLOUDFLARE_ZONE=" ZONE, \
	    "CLIENT_ACME_ACTIONS=cf-under-attack,cf-normal", \
	    "CLOUDFLARE_API_TOKEN=cf-token-0123456789abcdefghijklmnopqrstuv"

/* Set under attack by us, until an hour from now. */
static void
put_zone(struct tx *tx, void *arg)
{
	struct cloudflare_row row = { .zone = ZONE,
		.target = "client/acme",
		.phase = *(const enum cloudflare_phase *)arg,
		.at = tx->at,
		.until = tx->at + 3600000 };

	row_cloudflare_save(tx, &row);
}

static void
is_in_phase(struct world *w, enum cloudflare_phase phase)
{
	world_act(w, put_zone, &phase);
}

static void
begin_attack(struct world *w)
{
	is_in_phase(w, CLOUDFLARE_IS_SET);
}

static void
remove_zone(struct tx *tx, UNUSED void *arg)
{
	row_cloudflare_remove(tx, ZONE);
}

static void
end_attack(struct world *w)
{
	world_act(w, remove_zone, NULL);
}

WORLD_TEST_OF(a_push_asks_first_and_says_why, CLIENT, DOMAIN, HEALTH)
{
	begin_attack(w);
	world_push_is_at(w, COMMIT_A);
	assert_int_equal(world_state(w), DEPLOY_AWAITING_CONFIRMATION);
	assert_non_null(world_says(w, "⚠️ " IS_UNDER));
	(void)world_press(
	    w, WORLD_ADMIN, WORLD_TEAM, world_button(world_says(w, IS_UNDER), "Deploy to"));
	world_git_same(w);
	assert_int_equal(world_state(w), DEPLOY_RUNNING); /* once: it was said */
}

WORLD_TEST_OF(what_a_person_types_asks_first, CLIENT, DOMAIN, HEALTH)
{
	begin_attack(w);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	assert_int_equal(world_state(w), DEPLOY_AWAITING_CONFIRMATION);
	assert_non_null(world_says(w, IS_UNDER));
}

/* Restoring it is refused for a day. */
WORLD_TEST_OF(what_could_not_be_restored_is_under_attack_still, CLIENT, DOMAIN, HEALTH)
{
	is_in_phase(w, CLOUDFLARE_IS_STUCK);
	w->aid.at += 24 * INT64_C(3600000);
	world_push_is_at(w, COMMIT_A);
	assert_int_equal(world_state(w), DEPLOY_AWAITING_CONFIRMATION);
	assert_non_null(world_says(w, "www.acme.example is under attack at Cloudflare still: "));
}

/* Not yet, not any more, another domain, or not said which. */
TEST(what_is_in_no_zone_under_attack_goes)
{
	static const char *const domains[] = { "CLIENT_ACME_CLOUDFLARE_DOMAIN=cme.example",
		"CLIENT_ACME_CLOUDFLARE_DOMAIN=", DOMAIN };
	struct world w;

	for (size_t i = 0; i < COUNT(domains); i++) {
		world_open(&w, CLIENT, domains[i], HEALTH, NULL);
		if (i < 2)
			begin_attack(&w);
		else
			is_in_phase(&w, CLOUDFLARE_IS_ASKING);
		world_push_is_at(&w, COMMIT_A);
		assert_int_equal(world_state(&w), DEPLOY_RUNNING);
		world_close(&w);
	}
	world_open(&w, CLIENT, DOMAIN, HEALTH, NULL);
	begin_attack(&w);
	end_attack(&w);
	world_push_is_at(&w, COMMIT_A);
	assert_int_equal(world_state(&w), DEPLOY_RUNNING);
	world_close(&w);
}

/* What no question showed is found when its turn comes, and at the press. */
TEST(an_attack_that_begins_meanwhile_is_asked_about)
{
	struct world w;
	int64_t queued;

	world_open(&w, CLIENT, DOMAIN, HEALTH, NULL);
	world_push_is_at(&w, COMMIT_A);
	world_push_is_at(&w, COMMIT_B);
	queued = world_newest(&w, "staging").id;
	assert_int_equal(world_deployment(&w, queued).state, DEPLOY_QUEUED);
	begin_attack(&w);
	assert_int_equal(world_run_starts(&w), 200);
	world_run_ends(&w, FAILED_BEFORE_RELEASE);
	assert_int_equal(world_deployment(&w, queued).state, DEPLOY_QUEUED);
	assert_true(world_deployment(&w, queued).wait.is_asked_anew);
	assert_non_null(world_says(&w, "Not started: staging: " IS_UNDER));
	world_close(&w);

	world_open(&w, CLIENT, DOMAIN, HEALTH, "STAGING_CONFIRM=true", NULL);
	world_push_is_at(&w, COMMIT_A);
	begin_attack(&w);
	(void)world_press(&w, WORLD_ADMIN, WORLD_TEAM, world_button(world_last(&w), "Deploy to"));
	world_git_same(&w);
	assert_int_equal(world_state(&w), DEPLOY_AWAITING_CONFIRMATION);
	assert_non_null(world_says(&w, "Not started: staging: " IS_UNDER));
	world_close(&w);
}

WORLD_TEST_OF(a_rollback_is_not_held_up, CLIENT, DOMAIN, HEALTH)
{
	world_two_go_live(w, COMMIT_A, COMMIT_B);
	(void)world_text(w, WORLD_ADMIN, "/rollback staging");
	begin_attack(w);
	(void)world_press(
	    w, WORLD_ADMIN, WORLD_GROUP, world_button(world_says(w, "Roll back"), "Roll back"));
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
}

WORLD_TEST_OF(who_approves_is_warned, CLIENT, DOMAIN, HEALTH, "STAGING_APPROVALS=1")
{
	begin_attack(w);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	(void)world_press(
	    w, WORLD_ADMIN, WORLD_GROUP, world_button(world_says(w, IS_UNDER), "Deploy to"));
	world_git_same(w);
	assert_int_equal(world_state(w), DEPLOY_AWAITING_APPROVAL);
	assert_non_null(strstr(world_plain(world_says(w, "Awaiting approval")), IS_UNDER));
}

TEST(the_question_before_an_attack_says_what_lies_there)
{
	struct world w;

	world_open(&w, CLIENT, DOMAIN, HEALTH, HOOK, NULL);
	world_answers(&w, WORLD_ADMIN, "/do cf-under-attack acme",
	    "⚠️ bot.acme.example lies in that zone: Telegram and GitHub will not reach deploybot; the health check of staging looks there: deployments will ask first");
	world_close(&w);

	world_open(&w, CLIENT, "CLIENT_ACME_CLOUDFLARE_DOMAIN=example.org", HEALTH, HOOK, NULL);
	world_answers(&w, WORLD_ADMIN, "/do cf-under-attack acme", "Run this?");
	assert_null(world_says(&w, "⚠️"));
	assert_non_null(world_says(&w, "it cannot be stopped; /do cf-normal acme undoes it\nClou"));
	assert_non_null(world_says(&w, "(example.org), for 60 minutes\n"));
	world_close(&w);
}

/* Who may do that to the client need not know what else there is. */
WORLD_TEST_OF(an_environment_that_they_do_not_see_is_not_named, CLIENT, DOMAIN, HEALTH,
    "PRODUCTION_HEALTH_URL=https://acme.example/", "ROLE_GUARD_IDS=44",
    "ROLE_GUARD_MAY=do:client/acme,status:production")
{
	world_answers(w, 44, "/do cf-under-attack acme",
	    "\n⚠️ the health check of production and 1 more looks there: d");
}

/* A line is confirmed already, and has shown nothing. */
WORLD_TEST_OF(what_nobody_was_shown_is_asked_before_an_attack, CLIENT, DOMAIN, HEALTH)
{
	char line[128];

	(void)snprintf(line, sizeof(line),
	    "APPROVE: cf-under-attack acme nonce=0123456789abcdef ts=%" PRId64, w->aid.at / 1000);
	(void)world_text(w, WORLD_ADMIN, line);
	assert_true(world_newest(w, "client/acme").wait.is_asked_anew);
	assert_non_null(world_says(w, "Not started: client/acme cf-under-attack"));
}
