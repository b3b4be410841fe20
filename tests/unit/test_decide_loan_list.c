/* Goal: whoever wants a secret back finds it, and ends no other one.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_loan_list.h"

#include "chat/chat_text.h"
#include "lib/text.h"
#include "loan_say_aid.h"
#include "store/row_deployment.h"

/* --- what is lent now --- */

/* Of others those alone that they may revoke; none of what has ended. */
TEST(what_is_lent_is_listed_for_who_has_it_or_may_revoke_it)
{
	struct scene s;

	open_scene(&s, NULL);
	is_asked(&s);
	is_lent(&s);
	is_lent_to(&s, OPS);
	(void)world_text_in(&s.w, WORLD_ADMIN, WORLD_ADMIN, "/secrets");
	assert_non_null(strstr(world_plain(world_last(&s.w)),
	    "\n\nLent now; /revoke <number> ends it:"
	    "\n#1 db-migrate of production, workflow:shop, until 00:10"
	    "\n#2 stripe of production, @eve, until 00:10"));
	(void)world_text_in(&s.w, OPS, OPS, "/secrets");
	assert_non_null(strstr(world_plain(world_last(&s.w)), "ends it:\n#2 stripe"));
	assert_null(strstr(world_plain(world_last(&s.w)), "#1"));
	(void)world_text(&s.w, WORLD_ADMIN, "/revoke 1");
	(void)world_text_in(&s.w, WORLD_ADMIN, WORLD_ADMIN, "/secrets");
	assert_non_null(
	    strstr(world_plain(world_last(&s.w)), "workflow:shop, being revoked, at the latest"));
	world_vault(&s.w, EFFECT_VAULT_REVOKE, &DONE);
	(void)world_text(&s.w, WORLD_ADMIN, "/revoke 2");
	world_vault(&s.w, EFFECT_VAULT_REVOKE, &DONE);
	(void)world_text_in(&s.w, WORLD_ADMIN, WORLD_ADMIN, "/secrets");
	assert_null(strstr(world_plain(world_last(&s.w)), "Lent now"));
	world_close(&s.w);
}

struct theirs {
	bool is_theirs, may_end;
	size_t found;
};

static void
ask_whose(struct tx *tx, void *ret)
{
	struct theirs *theirs = ret;
	struct chat_text text = CHAT_TEXT_EMPTY;
	struct decide_loans_found found;
	struct deployment work;

	row_deployment_get(tx, 1, &work);
	decide_loan_find(tx, OPS, "", &found, &text);
	*theirs = (struct theirs){ decide_loan_is_theirs(tx, OPS, &work),
		decide_loan_may_end(tx, OPS, &work), found.n };
	buf_done(&text.buf);
}

/* Before the settings that have changed end what they were lent, and by any door. */
TEST(who_was_removed_from_the_settings_neither_ends_nor_reads_what_they_were_lent)
{
	for (int is_removed = 0; is_removed < 2; is_removed++) {
		struct theirs theirs = { 0 };
		struct scene s;

		open_scene(&s, NULL);
		is_lent_to(&s, OPS);
		if (is_removed)
			world_settings(&s.w, VAULT, LENDS, NULL);
		world_act(&s.w, ask_whose, &theirs);
		assert_int_equal(theirs.is_theirs, !is_removed);
		assert_int_equal(theirs.may_end, !is_removed);
		assert_int_equal(theirs.found, !is_removed);
		if (is_removed) {
			(void)world_text_in(&s.w, OPS, OPS, "/secrets");
			(void)world_text_in(&s.w, OPS, OPS, "/revoke 1");
			assert_null(world_says_in(&s.w, OPS, "Lent now"));
			assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 0);
		}
		world_close(&s.w);
	}
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
	(void)world_text_in(&s.w, 13, 13, "/secrets");
	assert_non_null(strstr(world_plain(world_last(&s.w)), "There is no secret that you may"));
	assert_non_null(strstr(world_plain(world_last(&s.w)), "\n#10 db-migrate"));
	assert_null(strstr(world_plain(world_last(&s.w)), "\n#11 "));
	assert_non_null(strstr(world_plain(world_last(&s.w)), "\nand 2 more"));
	world_close(&s.w);
}

/* Of what one may have others learn nothing. */
TEST(a_group_does_not_read_what_somebody_may_have)
{
	struct scene s;

	open_scene(&s, NULL);
	is_asked(&s);
	is_lent(&s);
	(void)world_text(&s.w, WORLD_ADMIN, "/secrets");
	assert_string_equal(
	    world_plain(world_last(&s.w)), "🔐 /secrets works in our private chat only.");
	assert_null(world_says_in(&s.w, WORLD_GROUP, "db-migrate"));
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
	(void)world_press(&s.w, WORLD_ADMIN, WORLD_GROUP, world_button(which, "#3 stripe of @eve"));
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

/* By its number it is; whoever may not, sees none or names none reads what any command says. */
TEST(what_is_asked_for_is_cancelled_by_its_number)
{
	struct scene s;

	open_scene(&s, "SECRET_DB_MIGRATE_APPROVALS=1", "SECRET_STRIPE_APPROVALS=1");
	is_asked(&s);
	(void)world_text_in(&s.w, OPS, OPS, "/get_secret stripe");
	world_answers(&s.w, WORLD_ADMIN, "/cancel 99", "No \"99\". There are: staging production");
	world_answers(&s.w, OPS, "/cancel 1", "⛔ Denied: production cancel: ");
	world_answers(&s.w, 13, "/cancel 1", "you have no role here");
	assert_int_equal(world_deployment(&s.w, 1).state, DEPLOY_AWAITING_APPROVAL);
	world_answers(&s.w, WORLD_ADMIN, "/cancel #1",
	    "⏳ Cancelling: production secret #1 db-migrate of workflow:shop.");
	assert_int_equal(world_deployment(&s.w, 1).state, DEPLOY_CANCELLED);
	world_answers(&s.w, WORLD_ADMIN, "/cancel 1",
	    "Secret of production: #1 db-migrate of workflow:shop was not lent.");
	(void)world_text_in(&s.w, OPS, OPS, "/cancel 2"); /* their own */
	(void)says(&s, OPS, "⏳ Cancelling: production secret #2 stripe of @eve.");
	assert_string_equal(s.w.toast, ""); /* it is answered once */
	assert_int_equal(world_deployment(&s.w, 2).state, DEPLOY_CANCELLED);
	world_close(&s.w);
}

/* Of an environment that they do not see they learn nothing. */
TEST(the_number_of_what_somebody_does_not_see_is_none)
{
	struct scene s;

	open_scene(&s, "SECRET_DB_MIGRATE_APPROVALS=1", "ROLE_LEAD_IDS=44",
	    "ROLE_LEAD_MAY=cancel:staging");
	is_asked(&s);
	(void)world_text(&s.w, 44, "/cancel 1");
	assert_non_null(strstr(world_plain(world_last(&s.w)), "No \"1\"."));
	(void)world_text(&s.w, 44, "/revoke db-migrate");
	assert_non_null(
	    strstr(world_plain(world_last(&s.w)), "There is no secret lent now by the name"));
	assert_int_equal(world_deployment(&s.w, 1).state, DEPLOY_AWAITING_APPROVAL);
	world_close(&s.w);
}

/* --- by its name --- */

TEST(what_is_lent_by_one_name_alone_is_revoked_by_it)
{
	struct scene s;

	open_scene(&s, NULL);
	world_answers(&s.w, WORLD_ADMIN, "/revoke db-migrate",
	    "There is no secret lent now by the name db-migrate that you may revoke: /secrets lists what is lent and asked for.");
	is_asked(&s);
	is_lent(&s);
	(void)world_text_in(&s.w, OPS, OPS, "/revoke db-migrate"); /* they may not */
	(void)says(&s, OPS, "⛔ Denied: cancel: ");
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 0);
	world_answers(&s.w, WORLD_ADMIN, "/revoke db-migrate",
	    "Secret of production: #1 db-migrate of workflow:shop is being revoked at Vault.");
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 1);
	world_close(&s.w);
}

TEST(of_several_that_are_lent_by_one_name_a_person_says_which_one_is_revoked)
{
	const struct world_message *which;
	struct scene s;

	open_scene(&s, NULL);
	is_asked(&s);
	is_lent(&s);
	(void)text_copy(s.job.run, sizeof(s.job.run), "4712");
	is_asked(&s);
	world_vault(&s.w, EFFECT_VAULT_LEND, &MADE);
	assert_true(job_asks(&s.w, &s.job, API_LOAN, "/v1/loan/2", NULL).is_lent);
	(void)world_text(&s.w, WORLD_ADMIN, "/revoke db-migrate");
	which = world_last(&s.w);
	assert_string_equal(world_plain(which),
	    "❓ /revoke: which? One at a time."
	    "\n#1 db-migrate of production, workflow:shop, until 00:10"
	    "\n#2 db-migrate of production, workflow:shop, until 00:10");
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 0);
	(void)world_press(
	    &s.w, WORLD_ADMIN, WORLD_GROUP, world_button(which, "#2 db-migrate of workflow:shop"));
	assert_int_equal(world_peek(&s.w, EFFECT_VAULT_REVOKE)->subject, 2);
	(void)world_text(&s.w, WORLD_ADMIN, "/revoke db-migrate"); /* #2, or the other one? */
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 1);
	world_close(&s.w);
}

/* The one that they mean is just being revoked, or is over since minutes: they may mean another. */
TEST(whose_secret_is_revoked_by_its_name_is_asked_where_another_may_be_meant)
{
	const struct world_message *which;
	struct scene s;

	open_scene(
	    &s, "ROLE_LEAD_IDS=13", "ROLE_LEAD_MAY=cancel:production, secret.stripe:production");
	is_lent_to(&s, OPS);
	is_lent_to(&s, 13);
	(void)world_text_in(&s.w, 13, 13, "/revoke 2");
	(void)world_text_in(&s.w, 13, 13, "/revoke stripe");
	which = world_says_in(&s.w, 13,
	    "❓ /revoke: which? One at a time."
	    "\n#1 stripe of production, @eve, until 00:10\n#2 stripe of production");
	assert_non_null(strstr(world_plain(which), ", being revoked, at the latest 00:10"));
	assert_string_equal(world_labels(which), "✋ #1 stripe of @eve");
	world_vault(&s.w, EFFECT_VAULT_REVOKE, &DONE);
	(void)world_text_in(&s.w, 13, 13, "/revoke stripe");
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 0);
	(void)world_text_in(&s.w, OPS, OPS, "/revoke stripe"); /* it is their own */
	assert_int_equal(world_peek(&s.w, EFFECT_VAULT_REVOKE)->subject, 1);
	(void)world_text_in(&s.w, OPS, OPS, "/revoke stripe");
	(void)says(
	    &s, OPS, "#1 stripe of @eve is being revoked: Vault has not said yet that it is.");
	world_close(&s.w);
}

TEST(what_they_may_revoke_has_a_button_each_where_none_is_named)
{
	struct scene s;

	open_scene(&s, NULL);
	is_asked(&s);
	is_lent(&s);
	is_lent_to(&s, OPS);
	(void)world_text_in(&s.w, OPS, OPS, "/revoke");
	assert_string_equal(
	    world_labels(world_says_in(&s.w, OPS, "❓ /revoke")), "✋ #2 stripe of @eve");
	(void)world_text(&s.w, WORLD_ADMIN, "/revoke");
	assert_non_null(world_button(world_last(&s.w), "✋ #1 db-migrate of workflow:shop"));
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 0);
	world_close(&s.w);
}

/* They gave it. */
TEST(whoever_approved_it_may_revoke_it_and_reads_how)
{
	struct scene s;

	open_scene(&s, "SECRET_DB_MIGRATE_APPROVALS=1", "ROLE_LEADS_IDS=13, 14",
	    "ROLE_LEADS_MAY=approve:production");
	(void)world_text_in(&s.w, 13, 13, "/start");
	(void)world_text_in(&s.w, 14, 14, "/start");
	is_asked(&s);
	(void)world_text_in(&s.w, 13, 13, "/approve 1");
	is_lent(&s);
	assert_non_null(
	    strstr(says(&s, 13, "✅ Lent: production"), "at the latest; /revoke 1 ends it now"));
	assert_null(strstr(says(&s, 14, "✅ Lent: production"), "/revoke"));
	assert_string_equal(world_labels(world_says_in(&s.w, 14, "✅ Lent: production")), "");
	(void)world_text_in(&s.w, 14, 14, "/revoke 1");
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 0);
	(void)world_press(&s.w, 13, 13, world_button(world_says_in(&s.w, 13, "✅ Lent"), "Revoke"));
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 1);
	world_close(&s.w);
}

TEST(of_many_that_are_lent_by_one_name_ten_are_offered)
{
	char run[8], path[32];
	struct scene s;

	open_scene(&s, NULL);
	for (int i = 0; i < 11; i++) {
		(void)snprintf(run, sizeof(run), "%d", 5000 + i);
		(void)text_copy(s.job.run, sizeof(s.job.run), run);
		(void)snprintf(path, sizeof(path), "/v1/loan/%d", i + 1);
		is_asked(&s);
		world_vault(&s.w, EFFECT_VAULT_LEND, &MADE);
		assert_true(job_asks(&s.w, &s.job, API_LOAN, path, NULL).is_lent);
		s.w.aid.at += MINUTE / 5;
	}
	(void)world_text(&s.w, WORLD_ADMIN, "/revoke db-migrate");
	assert_non_null(strstr(world_plain(world_last(&s.w)), "\nand 1 more"));
	world_close(&s.w);
}

/* As /pending has it; of others those alone that they may end, or approve. */
TEST(what_is_asked_for_is_listed_with_its_number)
{
	struct scene s;

	open_scene(&s, "SECRET_DB_MIGRATE_APPROVALS=1");
	is_asked(&s);
	(void)world_text_in(&s.w, OPS, OPS, "/get_secret stripe");
	(void)world_text_in(&s.w, WORLD_ADMIN, WORLD_ADMIN, "/secrets");
	assert_non_null(strstr(world_plain(world_last(&s.w)),
	    "\n\nAsked for:"
	    "\n#1 db-migrate of production, workflow:shop, awaiting approval; /cancel 1 ends it"
	    "\n#2 stripe of production, @eve, in progress; /cancel 2 ends it"));
	world_vault(&s.w, EFFECT_VAULT_LEND, &MADE); /* and Telegram has not taken it yet */
	(void)world_text_in(&s.w, OPS, OPS, "/secrets");
	assert_non_null(strstr(world_plain(world_last(&s.w)), "Asked for:\n#2 stripe"));
	assert_null(strstr(world_plain(world_last(&s.w)), "#1"));
	world_close(&s.w);
}

/* Whoever may approve and not cancel is denied what they would be told to type. */
TEST(who_may_only_say_yes_reads_of_no_way_to_end_it)
{
	const char *listed;
	struct scene s;

	open_scene(&s, "SECRET_DB_MIGRATE_APPROVALS=1", "SECRET_STRIPE_APPROVALS=1",
	    "ROLE_LEADS_IDS=13", "ROLE_LEADS_MAY=approve:production, secret.stripe:production");
	is_asked(&s);
	(void)world_text_in(&s.w, 13, 13, "/get_secret stripe");
	(void)world_text_in(&s.w, 13, 13, "/secrets");
	listed = world_plain(world_last(&s.w));
	assert_non_null(strstr(listed,
	    "\n\nAsked for:"
	    "\n#1 db-migrate of production, workflow:shop, awaiting approval"
	    "\n#2 stripe of production, "));
	assert_non_null(strstr(listed, ", awaiting approval; /cancel 2 ends it")); /* their own */
	assert_null(strstr(listed, "/cancel 1"));
	assert_null(strstr(listed, "<number> ends it"));
	world_answers(&s.w, 13, "/cancel 1", "⛔ Denied: production cancel: ");
	world_close(&s.w);
}
