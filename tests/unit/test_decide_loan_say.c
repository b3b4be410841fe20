/* Goal: who has what of Vault's, and what Vault has yet to do, is read where it was asked.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_loan_say.h"

#include "job_aid.h"
#include "lib/mem.h"
#include "lib/text.h"

#define ACCESSOR "8609694a-cab0-4b4f-9c4d-0123456789ab"
#define MINUTE	 INT64_C(60000)

#define SETTINGS \
	"ENABLE_API_SERVER=true", "PUBLIC_URL=https://bot.example.org", \
	    "GITHUB_REPOSITORY=octo/shop", "VAULT_ADDR=https://vault.example.org", \
	    "VAULT_TOKEN=hvs.0123456789abcdef0123", \
	    "WORKFLOW_SHOP_IS=github 456789 deploy.yml@refs/heads/main", \
	    "SECRET_DB_MIGRATE_PATH=creds database migrate", "SECRET_DB_MIGRATE_FOR=production", \
	    "SECRET_DB_MIGRATE_TTL=10m", "SECRET_STRIPE_PATH=kv2 secret stripe", \
	    "SECRET_STRIPE_FOR=production", \
	    "WORKFLOW_SHOP_MAY=secret.db-migrate:production, secret.stripe:production", \
	    "ROLE_OPS_IDS=12", "ROLE_OPS_MAY=secret.stripe:production"
#define OPS 12

#define MADE   ((struct vault_said){ .is_done = true, .accessor = ACCESSOR })
#define SENT   ((struct vault_said){ .is_done = true, .message = 770077 })
#define DONE   ((struct vault_said){ .is_done = true })
#define SEALED ((struct vault_said){ .retry_after_s = 5, .why = "503: Vault is sealed" })

struct scene {
	struct world w;
	struct job job;
};

#define open_scene(s, ...) \
	do { \
		*(s) = (struct scene){ .job = JOB_OF_SHOP }; \
		world_open(&(s)->w, SETTINGS, __VA_ARGS__, NULL); \
	} while (0)

/* A job's, which is the first work. */
static void
is_asked(struct scene *s)
{
	assert_int_equal(
	    job_asks(&s->w, &s->job, API_SECRET, "/v1/secret/db-migrate", "{}").status, 202);
}

static void
is_lent(struct scene *s)
{
	world_vault(&s->w, EFFECT_VAULT_LEND, &MADE);
	assert_true(job_asks(&s->w, &s->job, API_LOAN, "/v1/loan/1", NULL).is_lent);
}

static void
is_lent_to(struct scene *s, int64_t person)
{
	(void)world_text_in(&s->w, person, person, "/get_secret stripe");
	world_vault(&s->w, EFFECT_VAULT_LEND, &MADE);
	world_vault(&s->w, EFFECT_LEND_MESSAGE, &SENT);
}

static const char *
says(struct scene *s, int64_t chat, const char *text)
{
	const struct world_message *message = world_says_in(&s->w, chat, text);

	if (message == NULL)
		fail_msg("nothing says \"%s\"", text);
	return world_plain(message);
}

/* Their copies of the question go on behind its end, too. */
TEST(whoever_approved_it_reads_that_it_was_revoked)
{
	struct scene s;

	open_scene(&s, "SECRET_DB_MIGRATE_APPROVALS=1");
	(void)world_text_in(&s.w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "/start");
	is_asked(&s);
	(void)world_press(&s.w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN,
	    world_button(world_says_in(&s.w, WORLD_OTHER_ADMIN, "Awaiting approval"), "Approve"));
	is_lent(&s);
	(void)says(&s, WORLD_OTHER_ADMIN, "✅ Lent: production secret db-migrate");
	(void)world_press(&s.w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN,
	    world_button(world_says_in(&s.w, WORLD_OTHER_ADMIN, "✅ Lent"), "Revoke"));
	world_vault(&s.w, EFFECT_VAULT_REVOKE, &DONE);
	for (int i = 0; i < 2; i++) {
		int64_t chat = i == 0 ? WORLD_OTHER_ADMIN : WORLD_TEAM;

		(void)says(&s, chat, "↩️ Revoked: production secret db-migrate");
		assert_null(world_says_in(&s.w, chat, "✅ Lent"));
		assert_string_equal(
		    world_button(world_says_in(&s.w, chat, "↩️ Revoked"), "Revoke"), "");
	}
	world_close(&s.w);
}

TEST(what_vault_has_not_revoked_yet_says_so_until_it_has)
{
	struct scene s;

	open_scene(&s, NULL);
	is_asked(&s);
	is_lent(&s);
	assert_non_null(strstr(says(&s, WORLD_TEAM, "✅ Lent: production secret db-migrate"),
	    "\nuntil 00:10 at the latest; /revoke 1 ends it now"));
	(void)world_text(&s.w, WORLD_ADMIN, "/revoke 1");
	(void)says(&s, WORLD_TEAM, "⏳ Revoking: production secret db-migrate");
	for (int i = 0; i < 2; i++) {
		world_vault(&s.w, EFFECT_VAULT_REVOKE, &SEALED);
		assert_non_null(strstr(says(&s, WORLD_TEAM, "⏳ Revoking: "),
		    "\nIt may still be used: Vault has not revoked it yet: 503: Vault is sealed; "
		    "tried again until 00:10\nℹ️ by @ada\nrequested by"));
	}
	world_vault(&s.w, EFFECT_VAULT_REVOKE, &DONE);
	assert_null(strstr(says(&s, WORLD_TEAM, "↩️ Revoked: production"), "sealed"));
	assert_int_equal(world_audited(&s.w, "\"secret_revoked\"", "\"why\":\"by @ada\""), 1);
	assert_null(world_says_in(&s.w, WORLD_TEAM, "⏳ Revoking: "));
	world_close(&s.w);
}

TEST(what_has_ended_by_its_time_is_not_called_revoked)
{
	struct scene s;

	open_scene(&s, NULL);
	is_asked(&s);
	is_lent(&s);
	world_due(&s.w, TIMER_LOAN);
	world_vault(&s.w, EFFECT_VAULT_REVOKE, &(struct vault_said){ .is_done = true });
	(void)says(&s, WORLD_TEAM, "✅ Was lent: production secret db-migrate");
	assert_null(world_says_in(&s.w, WORLD_TEAM, "ends it now"));
	world_close(&s.w);
}

TEST(whoever_asked_reads_once_that_vault_is_sealed)
{
	const struct world_message *message;
	char *first;
	struct scene s;

	open_scene(&s, NULL);
	(void)world_text_in(&s.w, OPS, OPS, "/get_secret stripe");
	world_vault(&s.w, EFFECT_VAULT_LEND, &SEALED);
	message = world_says_in(&s.w, OPS, "⏳ Waiting for Vault: production secret stripe\n");
	assert_non_null(message);
	assert_non_null(strstr(world_plain(message), "\n503: Vault is sealed"));
	(void)world_text_in(&s.w, 13, 13, "/revoke 1");
	assert_int_equal(world_deployment(&s.w, 1).state, DEPLOY_RUNNING);
	first = mem_text(world_plain(message));
	world_due(&s.w, TIMER_LOAN);
	world_vault(&s.w, EFFECT_VAULT_LEND,
	    &(struct vault_said){ .retry_after_s = 5, .why = "no answer" });
	assert_string_equal(says(&s, OPS, "⏳ Waiting for Vault: "), first);
	free(first);
	world_due(&s.w, TIMER_LOAN);
	world_vault(&s.w, EFFECT_VAULT_LEND, &MADE);
	message = world_says_in(&s.w, OPS, "⏳ Lending: production secret stripe");
	assert_non_null(message);
	assert_null(world_says_in(&s.w, OPS, "sealed"));
	(void)world_press(&s.w, OPS, OPS, world_button(message, "Stop"));
	assert_int_equal(world_deployment(&s.w, 1).state, DEPLOY_FAILED);
	world_close(&s.w);
}

/* It stands behind their back: an edit makes no sound. */
TEST(whoever_has_not_used_it_is_rung)
{
	const struct world_message *message;
	struct scene s;

	open_scene(&s, NULL);
	is_lent_to(&s, OPS);
	for (int i = 0; i < 4; i++)
		world_vault(&s.w, EFFECT_VAULT_LOOK, &DONE);
	message = world_says_in(&s.w, OPS, "↩️ Not used: production secret stripe\n");
	assert_non_null(message);
	assert_false(message->is_silent);
	assert_non_null(strstr(world_plain(message), "/get_secret stripe asks again"));
	world_close(&s.w);
}

/* --- what is lent now --- */

/* Of others those alone that they may revoke; none of what has ended. */
TEST(what_is_lent_is_listed_for_who_has_it_or_may_revoke_it)
{
	struct scene s;

	open_scene(&s, NULL);
	is_asked(&s);
	is_lent(&s);
	is_lent_to(&s, OPS);
	(void)world_text(&s.w, WORLD_ADMIN, "/secrets");
	assert_non_null(strstr(world_plain(world_last(&s.w)),
	    "\n\nLent now; /revoke <number> ends it:"
	    "\n#1 db-migrate of production, workflow:shop, until 00:10"
	    "\n#2 stripe of production, @eve, until 00:10"));
	(void)world_text(&s.w, OPS, "/secrets");
	assert_non_null(strstr(world_plain(world_last(&s.w)), "ends it:\n#2 stripe"));
	assert_null(strstr(world_plain(world_last(&s.w)), "#1"));
	(void)world_text(&s.w, WORLD_ADMIN, "/revoke 1");
	(void)world_text(&s.w, WORLD_ADMIN, "/secrets");
	assert_non_null(
	    strstr(world_plain(world_last(&s.w)), "workflow:shop, being revoked, at the latest"));
	world_vault(&s.w, EFFECT_VAULT_REVOKE, &DONE);
	(void)world_text(&s.w, WORLD_ADMIN, "/revoke 2");
	world_vault(&s.w, EFFECT_VAULT_REVOKE, &DONE);
	(void)world_text(&s.w, WORLD_ADMIN, "/secrets");
	assert_null(strstr(world_plain(world_last(&s.w)), "Lent now"));
	world_close(&s.w);
}

/* Whoever may stop what is there may ask for none of it. */
TEST(of_many_that_are_lent_ten_are_listed)
{
	char run[8];
	struct scene s;

	open_scene(&s, "ROLE_LEAD_IDS=13", "ROLE_LEAD_MAY=cancel:production");
	for (int i = 0; i < 12; i++) {
		char path[32];

		(void)snprintf(run, sizeof(run), "%d", 5000 + i);
		(void)text_copy(s.job.run, sizeof(s.job.run), run);
		(void)snprintf(path, sizeof(path), "/v1/loan/%d", i + 1);
		is_asked(&s);
		world_vault(&s.w, EFFECT_VAULT_LEND, &MADE);
		assert_true(job_asks(&s.w, &s.job, API_LOAN, path, NULL).is_lent);
		s.w.aid.at += MINUTE / 5;
	}
	(void)world_text(&s.w, 13, "/secrets");
	assert_non_null(strstr(world_plain(world_last(&s.w)), "There is no secret that you may"));
	assert_non_null(strstr(world_plain(world_last(&s.w)), "\n#10 db-migrate"));
	assert_null(strstr(world_plain(world_last(&s.w)), "\n#11 "));
	assert_non_null(strstr(world_plain(world_last(&s.w)), "\nand 2 more"));
	world_close(&s.w);
}

/* --- which one is cancelled --- */

/* The newest was, and it was named by what it is for. */
TEST(of_several_that_are_asked_for_a_person_says_which_one_is_cancelled)
{
	const struct world_message *which;
	struct scene s;

	open_scene(&s, "SECRET_DB_MIGRATE_APPROVALS=1");
	is_asked(&s);
	(void)world_text(&s.w, WORLD_ADMIN, "/cancel production");
	assert_string_equal(
	    world_plain(world_last(&s.w)), "⏳ Cancelling: production secret db-migrate.");
	(void)text_copy(s.job.run, sizeof(s.job.run), "4712");
	is_asked(&s);
	(void)world_text_in(&s.w, OPS, OPS, "/get_secret stripe for the refund");
	(void)world_text(&s.w, WORLD_ADMIN, "/cancel production");
	which = world_last(&s.w);
	assert_string_equal(world_plain(which),
	    "❓ /cancel: which? One at a time."
	    "\nproduction awaiting approval: secret db-migrate · workflow:shop"
	    "\nproduction in progress: secret stripe \"the refund\" · @eve");
	(void)world_press(&s.w, WORLD_ADMIN, WORLD_GROUP, world_button(which, "#3 stripe"));
	assert_int_equal(world_deployment(&s.w, 2).state, DEPLOY_AWAITING_APPROVAL);
	assert_int_equal(world_deployment(&s.w, 3).state, DEPLOY_FAILED);
	world_close(&s.w);
}

/* What is in progress there is meant by its name, whatever is asked for beside it. */
TEST(a_deployment_in_progress_is_cancelled_before_what_is_asked_for)
{
	struct scene s;

	open_scene(&s, "SECRET_DB_MIGRATE_APPROVALS=1", "PRODUCTION_CONFIRM=false");
	is_asked(&s);
	world_asks(&s.w, WORLD_ADMIN, "/deploy production", COMMIT_A);
	assert_int_equal(world_newest(&s.w, "production").state, DEPLOY_RUNNING);
	(void)world_text(&s.w, WORLD_ADMIN, "/cancel production");
	assert_int_equal(world_newest(&s.w, "production").state, DEPLOY_STOPPING);
	assert_int_equal(world_deployment(&s.w, 1).state, DEPLOY_AWAITING_APPROVAL);
	world_close(&s.w);
}
