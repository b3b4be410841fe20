/* Goal: who has what of Vault's, and what Vault has yet to do, is read where it was asked.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_loan_say.h"

#include "decide/tell/decide_tell.h"
#include "factor_aid.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "loan_say_aid.h"
#include "store/row_environment.h"

/* Their copies of the question go on behind its end, too. */
TEST(whoever_approved_it_reads_that_it_was_revoked)
{
	struct scene s;

	open_scene(&s, "SECRET_DB_MIGRATE_APPROVALS=1");
	(void)world_text_in(&s.w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "/start");
	is_asked(&s);
	(void)world_press(&s.w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN,
	    world_button(world_says_in(&s.w, WORLD_OTHER_ADMIN, "❓ Lend? "), "Approve"));
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
		    "tried again until 00:10\nℹ️ revoked by @ada\nrequested by"));
	}
	world_vault(&s.w, EFFECT_VAULT_REVOKE, &DONE);
	assert_null(strstr(says(&s, WORLD_TEAM, "↩️ Revoked: production"), "sealed"));
	assert_int_equal(
	    world_audited(&s.w, "\"secret_revoked\"", "\"why\":\"revoked by @ada\""), 1);
	assert_null(world_says_in(&s.w, WORLD_TEAM, "⏳ Revoking: "));
	world_close(&s.w);
}

/* What is typed says of it what its message says. */
TEST(show_says_of_a_loan_how_it_stands)
{
	static const char *const shown[] = { "✅ Lent: production secret db-migrate\n",
		"⏳ Revoking: production secret db-migrate\n",
		"↩️ Revoked: production secret db-migrate\n" };
	static const char *const listed[] = { "✅ #1 ", "⏳ #1 ", "↩️ #1 " };
	struct scene s;

	open_scene(&s, NULL);
	is_asked(&s);
	is_lent(&s);
	for (size_t i = 0; i < COUNT(shown); i++) {
		if (i == 1)
			(void)world_text(&s.w, WORLD_ADMIN, "/revoke 1");
		else if (i == 2)
			world_vault(&s.w, EFFECT_VAULT_REVOKE, &DONE);
		(void)world_text_in(&s.w, WORLD_ADMIN, WORLD_ADMIN, "/show 1");
		assert_int_equal(
		    strncmp(world_plain(world_last(&s.w)), shown[i], strlen(shown[i])), 0);
		(void)world_text_in(&s.w, WORLD_ADMIN, WORLD_ADMIN, "/history production");
		assert_non_null(strstr(world_plain(world_last(&s.w)), listed[i]));
	}
	world_close(&s.w);
}

/* It was revoked, too; who else had it is what is to be known first. */
TEST(show_says_first_that_somebody_else_may_have_had_it)
{
	struct scene s;

	open_scene(&s, NULL);
	is_asked(&s);
	is_lent(&s);
	assert_int_equal(job_asks(&s.w, &s.job, API_LOAN, "/v1/loan/1", NULL).status, 410);
	world_vault(&s.w, EFFECT_VAULT_REVOKE, &DONE);
	(void)world_text_in(&s.w, WORLD_ADMIN, WORLD_ADMIN, "/show 1");
	assert_non_null(
	    strstr(world_plain(world_last(&s.w)), "❌ Was lent: production secret db-migrate\n"));
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

/* Until then it says that it may still be used: that waits for no minute of its group. */
TEST(its_end_goes_before_other_edits_though_its_work_has_ended_before)
{
	struct scene s;
	size_t n = 0;

	open_scene(&s, NULL);
	is_asked(&s);
	is_lent(&s);
	(void)world_text(&s.w, WORLD_ADMIN, "/revoke 1");
	s.w.aid.at += MINUTE;
	s.w.is_telegram_away = true;
	world_vault(&s.w, EFFECT_VAULT_REVOKE, &DONE);
	for (size_t i = 0; i < s.w.n_open; i++)
		if (s.w.open[i]->kind == EFFECT_SEND_MESSAGE &&
		    strstr(s.w.open[i]->u.send_message.message.head, "Revoked: ") != NULL) {
			assert_true(s.w.open[i]->u.send_message.message.is_closing);
			n++;
		}
	assert_true(n > 0);
	world_telegram_back(&s.w);
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
	for (int i = 0; i < 5; i++)
		world_vault(&s.w, EFFECT_VAULT_LOOK, &DONE);
	message = world_says_in(&s.w, OPS, "↩️ Not used: production secret stripe\n");
	assert_non_null(message);
	assert_false(message->is_silent);
	assert_non_null(strstr(world_plain(message), "/get_secret stripe asks again"));
	world_close(&s.w);
}

/* --- the question --- */

static size_t
count_said(struct scene *s, int64_t chat, const char *part)
{
	size_t n = 0;

	for (size_t i = 0; i < WORLD_SCREEN; i++) {
		const struct world_message *message = &s->w.screen[i];

		n += message->row != 0 && message->chat == chat && !message->is_silent &&
		    strstr(world_plain(message), part) != NULL;
	}
	return n;
}

static void
is_sent_in_private(struct scene *s)
{
	(void)world_text_in(&s->w, WORLD_ADMIN, WORLD_ADMIN, "/start");
	(void)world_text_in(&s->w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "/start");
}

/* A lock screen shows forty letters: what, where.  A group reads no path, nor does /show there. */
TEST(who_may_say_yes_reads_in_private_what_is_read_at_vault)
{
	struct scene s;

	open_scene(&s, "SECRET_DB_MIGRATE_APPROVALS=1", "SECRET_STRIPE_APPROVALS=1");
	is_asked(&s);
	assert_non_null(strstr(says(&s, WORLD_ADMIN, "❓ Lend? production secret db-migrate\n"),
	    "\ncreds database migrate for 10 min at most, for run 4711 of octo/shop, begun by mona"));
	assert_non_null(strstr(says(&s, WORLD_TEAM, "❓ Lend? production secret db-migrate\n"),
	    "\nfor 10 min at most, for run 4711 of octo/shop, begun by mona"));
	(void)world_text_in(&s.w, OPS, OPS, "/get_secret stripe");
	assert_non_null(strstr(
	    says(&s, OPS, "❓ Lend? production secret stripe"), "\nkv2 secret stripe for 10 min"));
	(void)world_text(&s.w, WORLD_ADMIN, "/show 2");
	assert_null(world_says_in(&s.w, WORLD_GROUP, "kv2 secret"));
	assert_null(world_says_in(&s.w, WORLD_TEAM, "kv2 secret"));
	assert_null(world_says_in(&s.w, WORLD_TEAM, "creds database"));
	world_due(&s.w, TIMER_APPROVAL);
	(void)says(&s, WORLD_ADMIN, "❓ Lend now? production secret db-migrate\ncreds database");
	world_close(&s.w);
}

static void
read_text(struct tx *tx, void *arg)
{
	struct deployment work;
	char **text = arg;

	*text = decide_tell_text(tx, row_deployment_get(tx, 1, &work), WORLD_ADMIN);
}

/* Over /v1, where a terminal keeps it, an admin reads no more than a group. */
TEST(what_stands_in_private_is_not_repeated_over_the_api)
{
	struct scene s;
	char *text = NULL;

	open_scene(&s, "SECRET_STRIPE_APPROVALS=1");
	(void)world_text_in(&s.w, OPS, OPS, "/get_secret stripe");
	(void)says(&s, OPS, "kv2 secret stripe");
	world_act(&s.w, read_text, &text);
	assert_non_null(strstr(text, "secret"));
	assert_non_null(strstr(text, "for 10 min at most"));
	assert_null(strstr(text, "kv2"));
	free(text);
	world_close(&s.w);
}

/* All of whom are reached in private: the group has it without a sound, as each approval. */
TEST(who_may_say_yes_is_rung_once)
{
	struct scene s;

	open_scene(&s, "SECRET_DB_MIGRATE_APPROVALS=1");
	is_sent_in_private(&s);
	is_asked(&s);
	assert_true(world_says_in(&s.w, WORLD_TEAM, "❓ Lend? ")->is_silent);
	assert_false(world_says_in(&s.w, WORLD_ADMIN, "❓ Lend? ")->is_silent);
	assert_false(world_says_in(&s.w, WORLD_OTHER_ADMIN, "❓ Lend? ")->is_silent);
	world_close(&s.w);
}

/* What is asked and cancelled in turn, each half minute for ten minutes. */
static size_t
asks_and_cancels(struct scene *s, bool is_person, int64_t approver)
{
	size_t before = world_rings_in(&s->w, approver);

	for (int i = 0; i < 20; i++) {
		char command[32];
		struct answer answer;

		s->w.aid.at += MINUTE / 2;
		if (is_person) {
			(void)world_text_in(&s->w, OPS, OPS, "/get_secret stripe");
			(void)snprintf(command, sizeof(command), "/cancel %d", i + 1);
			(void)world_text_in(&s->w, OPS, OPS, command);
		} else {
			is_asked(s);
			(void)snprintf(command, sizeof(command), "/v1/loan-end/%d", i + 1);
			answer = job_asks(&s->w, &s->job, API_LOAN_END, command, "{}");
			assert_int_equal(answer.status, 202);
		}
		assert_int_equal(world_deployment(&s->w, i + 1).state, DEPLOY_CANCELLED);
	}
	return world_rings_in(&s->w, approver) - before;
}

static void
is_down(struct tx *tx, UNUSED void *arg)
{
	row_environment_down(tx, "production");
}

/* Also of what is down, where whoever deploys rings each time.  What is beyond makes no sound. */
TEST(who_asks_and_cancels_at_will_rings_approvers_a_few_times)
{
	for (int i = 0; i < 4; i++) {
		struct scene s;

		open_scene(&s, "SECRET_DB_MIGRATE_APPROVALS=1", "SECRET_STRIPE_APPROVALS=1");
		is_sent_in_private(&s);
		if (i >= 2)
			world_act(&s.w, is_down, NULL);
		assert_in_range(asks_and_cancels(&s, i % 2 == 0, WORLD_OTHER_ADMIN), 1, 6);
		world_close(&s.w);
	}
}

/* At night a sound is for who has to do something: a yes, or that somebody else may have it.  That
 * it is lent asks nothing of anybody; a person who waits for it is sent the command. */
TEST(what_is_lent_after_a_yes_makes_no_sound)
{
	size_t n_rings;
	struct scene s;

	open_scene(&s, "SECRET_DB_MIGRATE_APPROVALS=1", "SECRET_STRIPE_APPROVALS=1");
	is_asked(&s);
	(void)world_text_in(&s.w, OPS, OPS, "/get_secret stripe");
	assert_int_equal(count_said(&s, WORLD_TEAM, "❓ Lend? production secret db-migrate"), 1);
	assert_int_equal(count_said(&s, WORLD_TEAM, "❓ Lend? production secret stripe"), 1);
	(void)world_text(&s.w, WORLD_ADMIN, "/approve 1");
	(void)world_text(&s.w, WORLD_ADMIN, "/approve 2");
	n_rings = world_rings(&s.w);
	s.w.aid.at += 2 * MINUTE; /* longer than whoever asked looks at it */
	world_vault(&s.w, EFFECT_VAULT_LEND, &MADE);
	world_vault(&s.w, EFFECT_VAULT_LEND, &MADE);
	world_vault(&s.w, EFFECT_LEND_MESSAGE, &SENT);
	assert_true(job_asks(&s.w, &s.job, API_LOAN, "/v1/loan/1", NULL).is_lent);
	assert_non_null(world_says_in(&s.w, WORLD_TEAM, "✅ Lent: production secret db-migrate"));
	assert_non_null(world_says_in(&s.w, OPS, "✅ Lent: production secret stripe"));
	assert_int_equal(world_rings(&s.w), n_rings);
	assert_int_equal(job_asks(&s.w, &s.job, API_LOAN, "/v1/loan/1", NULL).status, 410);
	assert_int_equal(count_said(&s, WORLD_ADMIN, "🔐 Fetched twice: "), 1);
	world_close(&s.w);
}

TEST(who_has_no_second_factor_is_not_rung_for_a_yes_that_needs_a_code)
{
	struct scene s;

	factor_write_key(FACTOR_KEY);
	open_scene(&s, "SECRET_DB_MIGRATE_APPROVALS=1", "REQUIRE_OTP=secret.db-migrate:production",
	    factor_key_setting);
	is_sent_in_private(&s);
	is_asked(&s);
	assert_null(world_says_in(&s.w, WORLD_ADMIN, "❓ Lend? "));
	assert_non_null(strstr(says(&s, WORLD_TEAM, "❓ Lend? "),
	    "\n⚠️ nobody who may approve it has a second factor, which it needs: /2fa in private "));
	world_act(&s.w, factor_enrol, &ada);
	(void)text_copy(s.job.run, sizeof(s.job.run), "4712");
	is_asked(&s);
	assert_false(world_says_in(&s.w, ada.id, "❓ Lend? ")->is_silent);
	assert_null(world_says_in(&s.w, WORLD_OTHER_ADMIN, "❓ Lend? "));
	assert_null(strstr(says(&s, WORLD_TEAM, "run 4712"), "second factor"));
	assert_true(world_says_in(&s.w, WORLD_TEAM, "run 4712")->is_silent);
	factor_close(&s.w);
}

/* They were asked nothing, and the group is silent where all who may are rung. */
TEST(who_has_a_second_factor_since_it_was_asked_is_asked_by_the_reminder)
{
	struct scene s;

	factor_write_key(FACTOR_KEY);
	open_scene(&s, "SECRET_DB_MIGRATE_APPROVALS=1", "REQUIRE_OTP=secret.db-migrate:production",
	    factor_key_setting);
	is_sent_in_private(&s);
	world_act(&s.w, factor_enrol, &ada);
	is_asked(&s);
	assert_null(world_says_in(&s.w, bob.id, "❓ Lend"));
	world_act(&s.w, factor_enrol, &bob);
	world_due(&s.w, TIMER_APPROVAL);
	assert_false(world_says_in(&s.w, ada.id, "❓ Lend now? ")->is_silent);
	assert_false(world_says_in(&s.w, bob.id, "❓ Lend")->is_silent);
	assert_string_not_equal(world_button(world_says_in(&s.w, bob.id, "❓ Lend"), "Approve"), "");
	assert_int_equal(count_said(&s, bob.id, "❓ Lend"), 1);
	factor_close(&s.w);
}

/* "Approved" is no end: nobody has it. */
TEST(whoever_was_asked_reads_that_vault_is_waited_for)
{
	struct scene s;

	open_scene(&s, "SECRET_DB_MIGRATE_APPROVALS=1");
	is_sent_in_private(&s);
	is_asked(&s);
	(void)world_text(&s.w, WORLD_ADMIN, "/approve 1");
	(void)says(&s, WORLD_OTHER_ADMIN, "Approved: production secret db-migrate");
	world_vault(&s.w, EFFECT_VAULT_LEND, &SEALED);
	(void)says(&s, WORLD_TEAM, "⏳ Waiting for Vault: production secret db-migrate");
	assert_non_null(strstr(says(&s, WORLD_OTHER_ADMIN, "⏳ Waiting for Vault: "), "sealed"));
	world_due(&s.w, TIMER_LOAN);
	world_vault(&s.w, EFFECT_VAULT_LEND, &MADE);
	(void)says(&s, WORLD_OTHER_ADMIN, "Approved: production secret db-migrate");
	world_close(&s.w);
}

TEST(a_question_says_what_its_asker_has_already)
{
	struct scene s;

	open_scene(&s, NULL);
	is_lent_to(&s, OPS);
	world_settings(&s.w, SETTINGS, "SECRET_STRIPE_APPROVALS=1", NULL);
	is_sent_in_private(&s);
	(void)world_text_in(&s.w, OPS, OPS, "/get_secret stripe");
	assert_non_null(strstr(says(&s, WORLD_ADMIN, "❓ Lend? production secret stripe"),
	    "; @eve has #1 until 00:10"));
	assert_non_null(strstr(
	    says(&s, WORLD_TEAM, "❓ Lend? production secret stripe"), "; @eve has #1 until 00:10"));
	(void)world_text(&s.w, WORLD_ADMIN, "/revoke 1");
	is_asked(&s); /* by another, of another */
	(void)world_text(&s.w, WORLD_ADMIN, "/approve 2");
	assert_int_equal(world_deployment(&s.w, 2).state, DEPLOY_RUNNING);
	world_close(&s.w);
}

/* It is closed by whatever ends what its code is for. */
TEST(the_pad_for_a_yes_is_closed_when_somebody_else_ends_what_it_is_for)
{
	for (int is_expired = 0; is_expired < 2; is_expired++) {
		struct scene s;

		factor_write_key(FACTOR_KEY);
		open_scene(&s, "SECRET_DB_MIGRATE_APPROVALS=1",
		    "REQUIRE_OTP=secret.db-migrate:production", factor_key_setting);
		world_act(&s.w, factor_enrol, &ada);
		is_asked(&s);
		if (is_expired)
			world_due(&s.w, TIMER_APPROVAL);
		s.w.aid.at += is_expired ? 7 * MINUTE : 0;
		(void)world_press(&s.w, ada.id, WORLD_TEAM,
		    world_button(world_says_in(&s.w, WORLD_TEAM, "❓ Lend"), "Approve"));
		(void)says(
		    &s, ada.id, "🔐 Code for production, lending db-migrate to workflow:shop: ");
		if (is_expired)
			world_due(&s.w, TIMER_APPROVAL);
		else
			(void)world_text(&s.w, WORLD_OTHER_ADMIN, "/cancel 1");
		assert_string_equal(says(&s, ada.id, "🔐"),
		    "🔐 Not done: production, lending db-migrate to workflow:shop: it is over; no code was used.");
		assert_string_equal(world_labels(world_says_in(&s.w, ada.id, "🔐")), "");
		factor_close(&s.w);
	}
}

/* Whoever else has a pad open has nothing to type any more; with another yes lacking they have. */
TEST(the_pad_for_a_yes_is_closed_by_the_last_yes_of_another)
{
	for (int n = 1; n < 3; n++) {
		struct scene s;

		factor_write_key(FACTOR_KEY);
		open_scene(&s,
		    n == 1 ? "SECRET_DB_MIGRATE_APPROVALS=1" : "SECRET_DB_MIGRATE_APPROVALS=2",
		    "REQUIRE_OTP=secret.db-migrate:production", factor_key_setting);
		world_act(&s.w, factor_enrol, &ada);
		world_act(&s.w, factor_enrol, &bob);
		is_asked(&s);
		for (int i = 0; i < 2; i++)
			(void)world_press(&s.w, i == 0 ? bob.id : ada.id, WORLD_TEAM,
			    world_button(world_says_in(&s.w, WORLD_TEAM, "❓ Lend"), "Approve"));
		factor_type(&s.w, &ada, factor_code(&s.w, &ada, 0));
		assert_int_equal(
		    world_says_in(&s.w, bob.id,
			"workflow:shop: @ada has approved it: nothing left to do.") != NULL,
		    n == 1);
		assert_int_equal(world_labels(world_says_in(&s.w, bob.id, "🔐"))[0] == '\0', n == 1);
		if (n == 2) {
			s.w.aid.at += 2 * MINUTE;
			world_due(&s.w, TIMER_PAD);
			(void)says(&s, bob.id, "Press Approve again to get a new pad.");
		}
		factor_close(&s.w);
	}
}

/* --- its end --- */

/* As its question does: whose job waits for it is looked for by that. */
TEST(the_run_of_its_job_stands_where_it_has_ended)
{
	struct scene s;

	open_scene(&s, "SECRET_DB_MIGRATE_APPROVALS=1");
	is_asked(&s);
	world_due(&s.w, TIMER_APPROVAL);
	world_due(&s.w, TIMER_APPROVAL);
	assert_non_null(
	    strstr(says(&s, WORLD_TEAM, "⛔ Approval expired: production secret db-migrate"),
		"\nfor run 4711 of octo/shop"));
	world_settings(&s.w, SETTINGS, NULL);
	(void)text_copy(s.job.run, sizeof(s.job.run), "4712");
	is_asked(&s);
	world_vault(&s.w, EFFECT_VAULT_LEND, &MADE);
	assert_true(job_asks(&s.w, &s.job, API_LOAN, "/v1/loan/2", NULL).is_lent);
	world_due(&s.w, TIMER_LOAN);
	world_vault(&s.w, EFFECT_VAULT_REVOKE, &DONE);
	assert_non_null(strstr(says(&s, WORLD_TEAM, "✅ Was lent: production secret db-migrate"),
	    "\nfor run 4712 of octo/shop"));
	world_close(&s.w);
}

#define ALIVE \
	"❌ Not revoked: production secret db-migrate" \
	"\n#1 is alive at Vault since 00:00 and may be used: 503: Vault is sealed" \
	"\nTried again until 00:10, when Vault ends it, or once it is unsealed."

/* What Vault does within seconds rings nobody, and what nobody has asked to be revoked. */
TEST(who_wanted_it_revoked_and_admins_are_rung_once_while_it_is_alive_and_once_when_it_is_not)
{
	for (int tries = 2; tries < 5; tries++) {
		struct scene s;

		open_scene(&s, NULL);
		is_asked(&s);
		is_lent(&s);
		(void)world_text(&s.w, WORLD_ADMIN, "/revoke 1");
		for (int i = 0; i < tries; i++)
			world_vault(&s.w, EFFECT_VAULT_REVOKE, &SEALED);
		for (int i = 0; i < 2; i++)
			assert_int_equal(
			    count_said(&s, i == 0 ? WORLD_ADMIN : WORLD_OTHER_ADMIN, ALIVE),
			    tries > 2);
		assert_null(world_says_in(&s.w, WORLD_TEAM, "❌ Not revoked"));
		world_vault(&s.w, EFFECT_VAULT_REVOKE, &DONE);
		assert_int_equal(count_said(&s, WORLD_ADMIN,
				     "↩️ Revoked: production secret db-migrate"
				     "\n#1 can be used no more: Vault has revoked it now."),
		    tries > 2);
		world_close(&s.w);
	}
}

/* What is made for each who reads it outlives its time where Vault is sealed; a token does not. */
TEST(of_what_is_read_by_a_token_alone_a_sealed_vault_keeps_nothing_alive)
{
	struct scene s;

	open_scene(&s, NULL);
	is_lent_to(&s, OPS);
	(void)world_text(&s.w, WORLD_ADMIN, "/revoke 1");
	for (int i = 0; i < 3; i++)
		world_vault(&s.w, EFFECT_VAULT_REVOKE, &SEALED);
	assert_non_null(
	    strstr(says(&s, WORLD_ADMIN, "❌ Not revoked: "), "until 00:10, when Vault ends it."));
	s.w.aid.at += 10 * MINUTE;
	while (world_count(&s.w, EFFECT_VAULT_REVOKE) > 0)
		world_vault(&s.w, EFFECT_VAULT_REVOKE, &SEALED);
	assert_non_null(strstr(says(&s, WORLD_ADMIN, "✅ Was lent: "),
	    "#1 can be used no more: it has ended at Vault."));
	world_close(&s.w);
}

/* Vault was sealed for as long as it was good. */
TEST(who_was_rung_that_it_is_alive_is_rung_when_it_has_ended_by_itself)
{
	struct scene s;

	open_scene(&s, NULL);
	is_asked(&s);
	is_lent(&s);
	(void)world_text(&s.w, WORLD_ADMIN, "/revoke 1");
	s.w.aid.at += 10 * MINUTE;
	while (world_count(&s.w, EFFECT_VAULT_REVOKE) > 0)
		world_vault(&s.w, EFFECT_VAULT_REVOKE, &SEALED);
	assert_int_equal(count_said(&s, WORLD_OTHER_ADMIN,
			     "❌ Not revoked: production secret db-migrate"
			     "\n#1 is tried no more: Vault ends it once it is unsealed."),
	    1);
	assert_int_equal(count_said(&s, WORLD_OTHER_ADMIN, "❌ Not revoked"), 2);
	world_close(&s.w);
}

static void
ends_early(struct scene *s, size_t how)
{
	if (how == 0)
		(void)job_asks(&s->w, &s->job, API_LOAN, "/v1/loan/1", NULL);
	else if (how == 1)
		(void)job_asks(&s->w, &s->job, API_LOAN_FAILED, "/v1/loan-failed/1", "{}");
	for (int i = 0; how == 2 && i < 5; i++)
		world_vault(&s->w, EFFECT_VAULT_LOOK, &DONE);
	if (how == 3) {
		world_settings(&s->w, VAULT, LENDS, NULL);
		world_settings_read(&s->w);
	}
}

TEST(of_what_its_job_gives_back_nobody_is_rung)
{
	struct scene s;

	open_scene(&s, NULL);
	is_asked(&s);
	is_lent(&s);
	(void)job_asks(&s.w, &s.job, API_LOAN_END, "/v1/loan-end/1", "{}");
	for (int i = 0; i < 4; i++)
		world_vault(&s.w, EFFECT_VAULT_REVOKE, &SEALED);
	assert_null(world_says(&s.w, "❌ Not revoked"));
	world_close(&s.w);
}

/* Admins, of whoever it was: nobody has pressed anything. */
TEST(of_what_ends_early_admins_are_rung_once_while_it_is_alive_and_once_when_it_is_not)
{
	static const char *const ends[] = { "fetched twice", "its job could not unwrap it",
		"not used", "who asked for it may not have it any more" };

	for (size_t how = 0; how < COUNT(ends); how++)
		for (int is_late = 0; is_late < 2; is_late++) {
			struct scene s;

			open_scene(&s, NULL);
			is_asked(&s);
			is_lent(&s);
			if (is_late && how < 2) {
				(void)job_asks(&s.w, &s.job, API_LOAN_END, "/v1/loan-end/1", "{}");
				for (int i = 0; i < 5; i++)
					world_vault(&s.w, EFFECT_VAULT_REVOKE, &SEALED);
				assert_null(world_says(&s.w, "❌ Not revoked"));
			}
			ends_early(&s, how);
			assert_non_null(strstr(says(&s, WORLD_TEAM, "⏳ Revoking: "), ends[how]));
			for (int i = 0; i < 5; i++)
				world_vault(&s.w, EFFECT_VAULT_REVOKE, &SEALED);
			if (count_said(&s, WORLD_ADMIN, ALIVE) != 1)
				fail_msg("end %zu, late %d", how, is_late);
			assert_int_equal(count_said(&s, WORLD_OTHER_ADMIN, ALIVE), 1);
			world_vault(&s.w, EFFECT_VAULT_REVOKE, &DONE);
			assert_int_equal(
			    count_said(&s, WORLD_ADMIN, "#1 can be used no more: "), 1);
			/* Somebody else may have had it, whatever Vault has done since. */
			assert_int_equal(
			    world_says_in(&s.w, WORLD_TEAM, "❌ Was lent: production") != NULL,
			    how < 2);
			assert_null(world_says_in(&s.w, WORLD_TEAM, "✅"));
			assert_null(world_says_in(&s.w, WORLD_TEAM, "interrupted"));
			world_close(&s.w);
		}
}

TEST(what_was_not_wrapped_as_it_is_to_be_rings_while_it_is_alive)
{
	struct scene s;

	open_scene(&s, NULL);
	is_asked(&s);
	world_vault(&s.w, EFFECT_VAULT_LEND,
	    &(struct vault_said){
		.accessor = ACCESSOR, .is_wrong = true, .why = "wrapped by another" });
	for (int i = 0; i < 4; i++)
		world_vault(&s.w, EFFECT_VAULT_REVOKE, &SEALED);
	assert_int_equal(count_said(&s, WORLD_ADMIN, "❌ Not revoked: production secret"), 1);
	world_close(&s.w);
}
