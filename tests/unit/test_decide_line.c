/* Goal: a line is accepted once, from whom it is, for what is theirs, now; each no says which part.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide/approval/decide_line.h"

#include <liboath/oath.h>
#include <unistd.h>

#include <liboath/oath.h>

#include "decide_aid.h"
#include "lib/text.h"
#include "lib/totp.h"
#include "store/row_factor.h"
#include "store/row_nonce.h"

#define CONTRACTOR 44
#define NONCE	   "0123456789abcdef"
#define OTHER	   "fedcba9876543210"

#define CLIENTS \
	"CLIENTS=acme,beta", "CLIENT_ACME_HOST=web@acme.example", \
	    "CLIENT_ACME_ACTIONS=restart-web,service-status", "CLIENT_ACME_WEB_UNIT=web.service", \
	    "CLIENT_BETA_HOST=local", "CLIENT_BETA_ACTIONS=restart-web", \
	    "CLIENT_BETA_WEB_UNIT=web.service", "ROLE_CONTRACTOR_IDS=44", \
	    "ROLE_CONTRACTOR_MAY=do.restart-web:client/acme"

static void
say(struct world *w, int64_t person, const char *what, const char *nonce, int64_t ahead_s)
{
	struct approve_line line = { .ts = w->aid.at / 1000 + ahead_s };
	char text[APPROVE_LINE_SIZE];

	(void)text_copy(line.action, sizeof(line.action), what);
	line.action[strcspn(what, " ")] = '\0';
	(void)text_copy(line.client, sizeof(line.client), strchr(what, ' ') + 1);
	(void)text_copy(line.nonce, sizeof(line.nonce), nonce);
	(void)world_text(w, person, approve_line_print(&line, text));
}

static void
refused(struct world *w, const char *words, const char *audit)
{
	if (strstr(world_plain(world_last(w)), words) == NULL)
		fail_msg("%s", world_plain(world_last(w)));
	assert_int_equal(strncmp(world_plain(world_last(w)), "⛔ APPROVE line not accepted: ",
			     strlen("⛔ APPROVE line not accepted: ")),
	    0);
	assert_true(world_audited(w, "\"denied\"", audit) > 0);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_newest(w, "client/acme").id, 0);
}

/* The same door as /do: what that refuses is refused here. */
WORLD_TEST_OF(a_line_costs_what_do_costs, CLIENTS, "COST_LIMIT_PER_USER=1")
{
	for (int i = 0; i <= 10; i++) { /* what it takes to run is added at its end */
		char nonce[17];

		(void)snprintf(nonce, sizeof(nonce), "%016d", i);
		say(w, CONTRACTOR, "restart-web acme", nonce, 0);
		if (world_peek(w, EFFECT_RUN) == NULL)
			break;
		world_run_ends(w, (struct run_ended){ .gate_opened = true });
	}
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says(w, "Limit used up: "));
}

WORLD_TEST_OF(a_line_is_work_that_is_confirmed_already, CLIENTS)
{
	struct deployment work;

	say(w, CONTRACTOR, "restart-web acme", NONCE, 0);
	work = world_newest(w, "client/acme");
	assert_int_equal(work.state, DEPLOY_RUNNING);
	assert_int_equal(work.requested_by, CONTRACTOR);
	assert_int_equal(work.confirmed_by, CONTRACTOR);
	assert_non_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_audited(w, "action_requested", "confirmed"), 1);
}

WORLD_TEST_OF(it_is_accepted_once_by_anybody, CLIENTS)
{
	say(w, CONTRACTOR, "restart-web acme", NONCE, 0);
	world_run_ends(w, (struct run_ended){ .gate_opened = true });
	for (int i = 0; i < 2; i++) {
		say(w, i == 0 ? CONTRACTOR : WORLD_ADMIN, "restart-web acme", NONCE, 1);
		assert_non_null(strstr(world_last(w)->text, "its nonce was used already"));
		assert_null(world_peek(w, EFFECT_RUN));
	}
	say(w, WORLD_ADMIN, "restart-web beta", NONCE, 0);
	assert_non_null(strstr(world_last(w)->text, "its nonce was used already"));
	say(w, CONTRACTOR, "restart-web acme", OTHER, 0);
	assert_non_null(world_peek(w, EFFECT_RUN));
}

WORLD_TEST_OF(the_wrong_part_is_named, CLIENTS)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "approve: restart-web acme nonce=" NONCE " ts=1", "its start" },
		{ "APPROVE: restart-web  acme nonce=" NONCE " ts=1", "one space too many" },
		{ "APPROVE: restart\xe2\x80\x93web acme nonce=" NONCE " ts=1", "typographic dash" },
		{ "APPROVE: restart-web acme nonce=0123456789ABCDEF ts=1", "upper-case" },
		{ "APPROVE: restart-web acme nonce=" NONCE " ts=01", "begins with 0" },
		{ "APPROVE: restart-web acme nonce=" NONCE " ts=1\nand more", "line break" },
		{ "APPROVE: restart-web acme nonce=" NONCE " ts=1 otp=12345", "otp is too short" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		(void)world_text(w, WORLD_ADMIN, cases[i].text);
		refused(w, cases[i].words, "not accepted: its form");
	}
}

WORLD_TEST_OF(a_client_that_is_not_there_and_one_that_is_not_theirs_are_alike, CLIENTS)
{
	static const char *const whats[] = { "restart-web gamma", "restart-web beta",
		"service-status acme", "reboot acme" };

	for (size_t i = 0; i < COUNT(whats); i++) {
		say(w, CONTRACTOR, whats[i], NONCE, 0);
		refused(w, "no such action on such a client that you may do",
		    "not accepted: not theirs");
	}
	say(w, WORLD_ADMIN, "run-job acme", NONCE, 0);
	refused(w, "type it with /do", "not accepted: its argument");
}

WORLD_TEST_OF(a_ts_is_within_five_minutes_both_ways, CLIENTS)
{
	say(w, CONTRACTOR, "restart-web acme", NONCE, -301);
	refused(w, "more than 5 minutes ago", "not accepted: ts");
	say(w, CONTRACTOR, "restart-web acme", NONCE, 301);
	refused(w, "ahead of this server", "not accepted: ts");
	say(w, CONTRACTOR, "restart-web acme", NONCE, -300);
	assert_int_equal(world_newest(w, "client/acme").state, DEPLOY_RUNNING);
	world_run_ends(w, (struct run_ended){ .gate_opened = true });
	say(w, CONTRACTOR, "restart-web acme", OTHER, 300);
	assert_int_equal(world_newest(w, "client/acme").state, DEPLOY_RUNNING);
}

static void
act_purge(struct tx *tx, UNUSED void *arg)
{
	(void)row_nonce_clear(tx, 9);
	assert_true(row_nonce_purged(tx) > 0);
}

WORLD_TEST_OF(a_clock_that_goes_back_accepts_nothing_twice, CLIENTS)
{
	int64_t then;

	then = w->aid.at;
	say(w, CONTRACTOR, "restart-web acme", NONCE, 0);
	world_run_ends(w, (struct run_ended){ .gate_opened = true });
	w->aid.at += 2 * 86400 * INT64_C(1000);
	world_act(w, act_purge, NULL);
	w->aid.at = then;
	say(w, CONTRACTOR, "restart-web acme", NONCE, 0);
	assert_non_null(strstr(world_last(w)->text, "more than 5 minutes ago"));
	assert_null(world_peek(w, EFFECT_RUN));
}

WORLD_TEST_OF(a_stranger_gets_no_answer, CLIENTS)
{
	size_t said;

	said = w->n_screen;
	say(w, WORLD_STRANGER, "restart-web acme", NONCE, 0);
	(void)world_text(w, WORLD_STRANGER, "approve: what?");
	(void)world_text_in(w, WORLD_STRANGER, WORLD_STRANGER, "APPROVE: x y nonce=1 ts=2");
	assert_int_equal(w->n_screen, said);
	assert_int_equal(world_audited(w, "\"denied\"", "approve line"), 1);
	say(w, CONTRACTOR, "restart-web acme", NONCE, 0); /* its nonce is not used up */
	assert_non_null(world_peek(w, EFFECT_RUN));
}

WORLD_TEST_OF(what_somebody_else_wrote_approves_nothing, CLIENTS)
{
	static const enum update_refusal refusals[] = { UPDATE_REFUSED_FORWARDED,
		UPDATE_REFUSED_EDITED, UPDATE_REFUSED_CAPTION };

	for (size_t i = 0; i < COUNT(refusals); i++) {
		struct event *event = world_update(w, UPDATE_TEXT, WORLD_ADMIN, WORLD_GROUP);
		struct update *update = event->u.update;

		update->refusal = refusals[i];
		update->raw_size = (size_t)snprintf(update->raw, sizeof(update->raw),
		    "APPROVE: restart-web acme nonce=" NONCE " ts=%" PRId64, w->aid.at / 1000);
		(void)text_copy(update->text, sizeof(update->text), update->raw);
		(void)world_decide(w, event);
		refused(w, "send the line yourself", update_refusal_words(refusals[i]));
	}
}

/* --- the second factor --- */

static uint8_t secret[TOTP_SECRET];

static void
act_enrol(struct tx *tx, UNUSED void *arg)
{
	struct factor_secret made;
	struct factor factor;
	struct err err;

	if (!row_factor_make(tx, WORLD_ADMIN, 0, &made, &err))
		fail_msg("%s", err.text);
	memcpy(secret, made.totp, sizeof(secret));
	factor = row_factor_get(tx, WORLD_ADMIN);
	factor.enrolled_at = tx->at;
	row_factor_save(tx, &factor);
}

static void
open_with_factor(struct world *w)
{
	char path[] = "/tmp/test_line.XXXXXX", setting[64];
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_true(dprintf(fd, "%064d\n", 7) == 65);
	assert_int_equal(close(fd), 0);
	(void)snprintf(setting, sizeof(setting), "TOTP_KEY_FILE=%s", path);
	world_open(w, CLIENTS, setting, "REQUIRE_OTP=do:client/acme", NULL);
	world_act(w, act_enrol, NULL);
	assert_int_equal(unlink(path), 0);
}

static void
say_code(struct world *w, const char *nonce, const char *code)
{
	char text[APPROVE_LINE_SIZE];

	(void)snprintf(text, sizeof(text),
	    "APPROVE: restart-web acme nonce=%s ts=%" PRId64 " otp=%s", nonce, w->aid.at / 1000,
	    code);
	(void)world_text(w, WORLD_ADMIN, text);
}

static const char *
code_now(struct world *w)
{
	static char code[TOTP_DIGITS + 1];

	assert_int_equal(oath_totp_generate((const char *)secret, TOTP_SECRET,
			     (time_t)(w->aid.at / 1000), TOTP_STEP_S, 0, TOTP_DIGITS, code),
	    OATH_OK);
	return code;
}

WORLD_TEST_BARE(a_wrong_code_costs_a_failure_and_no_nonce)
{
	char wrong[TOTP_DIGITS + 1];

	open_with_factor(w);
	(void)text_copy(wrong, sizeof(wrong), code_now(w));
	wrong[0] = wrong[0] == '9' ? '0' : (char)(wrong[0] + 1);
	say_code(w, NONCE, wrong);
	refused(w, "otp: wrong code: 4 more tries", "not accepted: otp");
	assert_int_equal(world_audited(w, wrong, NULL), 0);
	say_code(w, NONCE, code_now(w));
	assert_int_equal(world_newest(w, "client/acme").state, DEPLOY_RUNNING);
}

WORLD_TEST_BARE(a_code_that_was_used_opens_no_other_line)
{
	open_with_factor(w);
	say_code(w, NONCE, code_now(w));
	world_run_ends(w, (struct run_ended){ .gate_opened = true });
	say_code(w, OTHER, code_now(w));
	assert_non_null(strstr(world_last(w)->text, "was used already"));
	assert_null(world_peek(w, EFFECT_RUN));
}

WORLD_TEST_BARE(a_line_without_its_code_asks_for_it_and_goes_on)
{
	const char *code;

	open_with_factor(w);
	say(w, WORLD_ADMIN, "restart-web acme", NONCE, 0);
	assert_null(world_peek(w, EFFECT_RUN));
	code = code_now(w);
	for (size_t i = 0; i < TOTP_DIGITS; i++) {
		const char key[2] = { code[i], '\0' };

		(void)world_press(w, WORLD_ADMIN, WORLD_ADMIN,
		    world_button(world_says_in(w, WORLD_ADMIN, "Code for"), key));
	}
	assert_int_equal(world_newest(w, "client/acme").state, DEPLOY_RUNNING);
	say(w, WORLD_ADMIN, "restart-web acme", NONCE, 0);
	assert_non_null(strstr(world_last(w)->text, "its nonce was used already"));
}

WORLD_TEST_OF(talk_is_not_answered, CLIENTS)
{
	size_t said;

	said = w->n_screen;
	(void)world_text(w, WORLD_ADMIN, "I approve of that");
	(void)world_text(w, WORLD_ADMIN, "approved: fine");
	assert_int_equal(w->n_screen, said);
}

WORLD_TEST_OF(a_code_stands_nowhere, CLIENTS)
{
	(void)world_text(
	    w, WORLD_ADMIN, "APPROVE: restart-web acme nonce=" NONCE " ts=1 otp=918273");
	(void)world_text(w, WORLD_ADMIN, "APPROVE: restart-web acme nonce=X ts=1 otp=918273");
	assert_int_equal(world_audited(w, "918273", NULL), 0);
	for (size_t i = 0; i < w->n_screen; i++)
		assert_null(strstr(w->screen[i].text, "918273"));
}
