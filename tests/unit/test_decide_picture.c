/* Goal: in the chat a second factor counts when it was scanned and another admin has said whose it is.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "factor_aid.h"

#include "store/row_principal.h"
#include "store/row_factor.h"
#include "store/store_inside.h"
#include "types/principal.h"

#define CY WORLD_STAGING_USER

static struct person cy = { .id = CY };

static void
open_chat_alone(struct world *w, const char *setting)
{
	factor_write_key(FACTOR_KEY);
	world_open(w, factor_key_setting, "REQUIRE_OTP=deploy:*", setting, NULL);
}

/* Both admins have one. */
static void
open_chat(struct world *w, const char *setting)
{
	open_chat_alone(w, setting);
	world_act(w, factor_enrol, &ada);
	world_act(w, factor_enrol, &bob);
}

static void
read_cys(struct tx *tx, void *arg)
{
	struct factor_secret secret;

	*(struct factor *)arg = row_factor_get(tx, CY);
	if (row_factor_open(tx, CY, &secret, NULL))
		memcpy(cy.secret, secret.totp, sizeof(cy.secret));
}

static struct factor
factor_of_cy(struct world *w)
{
	struct factor factor = { 0 };

	world_act(w, read_cys, &factor);
	return factor;
}

static void
say_nothing(UNUSED struct tx *tx, UNUSED void *arg)
{
}

static void
end_effect(struct world *w, enum effect_kind kind, int64_t remote_id, const char *failure)
{
	struct effect *effect = world_take(w, kind);
	struct message_sent *said;

	assert_non_null(effect);
	said = &effect->result->u.message_sent;
	said->remote_id = remote_id;
	(void)snprintf(said->failure, sizeof(said->failure), "%s", failure);
	(void)store_aid_report(&w->aid, effect);
	world_act(w, say_nothing, NULL); /* delivers what was said */
}

/* They ask for one, and are sent its picture. */
static void
make(struct world *w)
{
	(void)world_text_in(w, CY, CY, "/2fa");
	end_effect(w, EFFECT_PICTURE, 777, "");
	assert_int_equal(factor_of_cy(w).picture, 777);
}

static void
prove(struct world *w)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "/2fa confirm %s", factor_code(w, &cy, 0));
	(void)world_text_in(w, CY, CY, text);
}

static struct world_message *
asked(struct world *w, int64_t admin)
{
	struct world_message *message = world_says_in(w, admin, "Second factor to confirm");

	assert_non_null(message);
	return message;
}

FACTOR_TEST_BARE(a_scanned_one_counts_when_another_admin_has_confirmed_it)
{
	const struct effect *deletion;

	open_chat(w, "TOTP_ENROL=chat");
	make(w);
	prove(w);
	assert_string_equal(world_copies(world_says_in(w, CY, "Code accepted. Your second factor"),
				"📋 Copy the command"),
	    "deploybot 2fa confirm 33");
	deletion = world_peek(w, EFFECT_DELETE_MESSAGE);
	assert_non_null(deletion);
	assert_int_equal(deletion->u.delete_message.chat, CY);
	assert_int_equal(deletion->u.delete_message.remote_id, 777);
	end_effect(w, EFFECT_DELETE_MESSAGE, 0, "");
	assert_string_equal(world_plain(asked(w, ada.id)),
	    "🔐 Second factor to confirm: @cy, telegram:33, made one in the chat just now. Ask them in another way whether they did, before you confirm it.");
	assert_int_equal(factor_of_cy(w).enrolled_at, 0);
	(void)world_text_in(w, CY, CY, "/2fa");
	assert_non_null(world_says_in(
	    w, CY, "counts when another admin has confirmed it, or root on the server"));
	assert_null(world_peek(w, EFFECT_PICTURE));

	factor_press(w, bob.id, asked(w, bob.id), "Confirm");
	assert_int_equal(factor_of_cy(w).enrolled_at, 0);
	factor_type(w, &bob, factor_code(w, &bob, 0));
	assert_string_equal(w->toast, "Confirmed.");
	assert_int_not_equal(factor_of_cy(w).enrolled_at, 0);
	assert_non_null(world_says_in(w, CY, "Second factor: telegram:33 has one, confirmed"));
	assert_non_null(world_says_in(w, CY, "deploybot 2fa codes 33"));
	assert_int_equal(world_audited(w, "factor_enrolled", "\"person\":\"33\""), 1);
	factor_press(w, ada.id, asked(w, ada.id), "Confirm");
	assert_string_equal(w->toast, "This button has expired or was used.");
	(void)world_text(w, CY, "/deploy staging");
	factor_type(w, &cy, factor_code(w, &cy, 0)); /* the one that proved it */
	assert_non_null(strstr(w->toast, "was used already"));
	factor_type(w, &cy, factor_code(w, &cy, 1));
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 1);
}

/* A command takes it, which its message says as well. */
FACTOR_TEST_BARE(the_code_of_a_picture_that_is_typed_alone_is_deleted)
{
	open_chat(w, "TOTP_ENROL=chat");
	make(w);
	(void)world_text_in(w, CY, CY, "123456");
	assert_string_equal(world_plain(world_last(w)),
	    "🔐 Not taken: write /2fa confirm before the code. Your message is deleted.");
	end_effect(w, EFFECT_DELETE_MESSAGE, 0, "");
	(void)world_text(w, CY, "123 456");
	assert_string_equal(world_plain(world_says(w, "🔐 Not taken")),
	    "🔐 Not taken: write /2fa confirm before the code in our private chat. Your message is deleted.");
	end_effect(w, EFFECT_DELETE_MESSAGE, 0, "");
	prove(w);
	end_effect(w, EFFECT_DELETE_MESSAGE, 0, ""); /* its picture */
	(void)world_text_in(w, CY, CY, "123456");    /* nothing waits for it */
	assert_int_equal(world_count(w, EFFECT_DELETE_MESSAGE), 0);
	assert_int_equal(factor_of_cy(w).enrolled_at, 0);
}

FACTOR_TEST_BARE(only_the_person_is_in_the_effect)
{
	struct db *db;
	struct db_rows rows = { 0 };
	char body[80];

	open_chat(w, "TOTP_ENROL=chat");
	(void)world_text_in(w, CY, CY, "/2fa");
	assert_int_equal(world_peek(w, EFFECT_PICTURE)->u.picture.person, CY);
	assert_string_not_equal(world_peek(w, EFFECT_PICTURE)->u.picture.sealed, "");
	db = db_open(w->aid.path, DB_READ_ONLY, &w->aid.err);
	assert_non_null(db);
	assert_true(
	    db_query(&rows, db, &w->aid.err, "SELECT body FROM effect WHERE kind = 'picture'"));
	assert_true(db_next(&rows));
	(void)snprintf(body, sizeof(body), "{\"person\":33,\"made_at\":%" PRId64 "}",
	    world_peek(w, EFFECT_PICTURE)->u.picture.made_at);
	assert_string_equal(db_col_text(&rows, 0), body);
	assert_false(db_next(&rows));
	assert_true(db_rows_end(&rows, &w->aid.err));
	db_close(db);
}

FACTOR_TEST_BARE(nobody_confirms_their_own_nor_without_the_grant_nor_their_code)
{
	struct factor none;

	open_chat(w, "TOTP_ENROL=chat");
	make(w);
	(void)world_text_in(w, CY, CY, "/2fa confirm 000000");
	assert_non_null(world_says_in(w, CY, "Not confirmed: that is not its code"));
	none = factor_of_cy(w);
	assert_int_equal(none.proven_at, 0);
	prove(w);
	factor_press(w, CY, asked(w, ada.id), "Confirm");
	assert_int_equal(factor_of_cy(w).enrolled_at, 0);
	/* Bob has one, and gives a code of his. */
	factor_press(w, bob.id, asked(w, bob.id), "Confirm");
	assert_int_equal(factor_of_cy(w).enrolled_at, 0);
	factor_type(w, &bob, factor_code(w, &bob, 0));
	assert_int_not_equal(factor_of_cy(w).enrolled_at, 0);
}

static void
read_adas(struct tx *tx, void *arg)
{
	struct factor_secret secret;

	(void)arg;
	assert_true(row_factor_open(tx, ada.id, &secret, NULL));
	memcpy(ada.secret, secret.totp, sizeof(ada.secret));
}

static void
drop_bobs(struct tx *tx, UNUSED void *arg)
{
	row_factor_drop(tx, bob.id);
}

FACTOR_TEST_BARE(an_admins_own_is_confirmed_by_the_other_one)
{
	char text[32];

	open_chat_alone(w, "TOTP_ENROL=chat");
	world_act(w, factor_enrol, &bob);
	(void)world_text_in(w, ada.id, ada.id, "/2fa");
	end_effect(w, EFFECT_PICTURE, 777, "");
	world_act(w, read_adas, NULL);
	(void)snprintf(text, sizeof(text), "/2fa confirm %s", factor_code(w, &ada, 0));
	(void)world_text_in(w, ada.id, ada.id, text);
	assert_non_null(world_says_in(w, ada.id, "🔐 Code accepted."));
	assert_null(world_says_in(w, ada.id, "Second factor to confirm"));
	factor_press(w, ada.id, asked(w, bob.id), "Confirm"); /* in bob's chat */
	assert_null(world_says_in(w, ada.id, "has one, confirmed"));
	factor_press(w, bob.id, asked(w, bob.id), "Confirm");
	factor_type(w, &bob, factor_code(w, &bob, 0));
	assert_non_null(world_says_in(w, ada.id, "has one, confirmed"));
}

/* Whoever has taken over the account of an admin who has no second factor confirms nothing, nor is
 * asked; root is named. */
TEST(who_has_none_confirms_nobodys)
{
	struct world w;

	open_chat_alone(&w, "TOTP_ENROL=chat");
	world_act(&w, factor_enrol, &bob);
	make(&w);
	prove(&w);
	assert_null(world_says_in(&w, ada.id, "Second factor to confirm"));
	world_act(&w, drop_bobs, NULL); /* reset, after he was asked */
	factor_press(&w, bob.id, asked(&w, bob.id), "Confirm");
	if (strstr(w.toast, "it needs a code of your own, and you have none: root does it") == NULL)
		fail_msg("%s", w.toast);
	assert_int_equal(factor_of_cy(&w).enrolled_at, 0);
	factor_close(&w);
	/* Where no other admin has one. */
	open_chat_alone(&w, "TOTP_ENROL=chat");
	make(&w);
	prove(&w);
	assert_non_null(world_says_in(&w, CY,
	    "once root has confirmed it on the server (no other admin has one yet): deploybot 2fa confirm 33"));
	factor_close(&w);
}

/* Two at once: nobody could tell which of both pictures was deleted. */
FACTOR_TEST_BARE(a_picture_that_comes_late_is_deleted)
{
	open_chat(w, "TOTP_ENROL=chat");
	(void)world_text_in(w, CY, CY, "/2fa");
	w->aid.at += MINUTE_MS;
	(void)world_text_in(w, CY, CY, "/2fa");
	end_effect(w, EFFECT_PICTURE, 777, "");
	assert_int_equal(world_peek(w, EFFECT_DELETE_MESSAGE)->u.delete_message.remote_id, 777);
	end_effect(w, EFFECT_DELETE_MESSAGE, 0, "Bad Request: message can't be deleted");
	assert_int_equal(factor_of_cy(w).person, CY); /* it was of the one before */
	end_effect(w, EFFECT_PICTURE, 778, "");
	assert_null(world_peek(w, EFFECT_DELETE_MESSAGE));
	assert_int_equal(factor_of_cy(w).picture, 778);
}

TEST(a_picture_goes_after_two_minutes_and_one_of_an_older_secret_at_once)
{
	struct world w;

	open_chat(&w, "TOTP_ENROL=chat");
	make(&w);
	world_due(&w, TIMER_PICTURE);
	assert_int_equal(world_peek(&w, EFFECT_DELETE_MESSAGE)->u.delete_message.remote_id, 777);
	end_effect(&w, EFFECT_DELETE_MESSAGE, 0, "");
	prove(&w); /* it was scanned before */
	assert_non_null(world_says_in(&w, CY, "🔐 Code accepted."));
	assert_null(world_peek(&w, EFFECT_DELETE_MESSAGE));
	factor_close(&w);

	open_chat(&w, "TOTP_ENROL=chat");
	make(&w);
	w.aid.at += MINUTE_MS;
	(void)world_text_in(&w, CY, CY, "/2fa"); /* another secret */
	assert_int_equal(world_peek(&w, EFFECT_DELETE_MESSAGE)->u.delete_message.remote_id, 777);
	end_effect(&w, EFFECT_DELETE_MESSAGE, 0, "");
	end_effect(&w, EFFECT_PICTURE, 778, "");
	world_due(&w, TIMER_PICTURE); /* the older one's */
	assert_null(world_peek(&w, EFFECT_DELETE_MESSAGE));
	world_due(&w, TIMER_PICTURE);
	assert_int_equal(world_peek(&w, EFFECT_DELETE_MESSAGE)->u.delete_message.remote_id, 778);
	factor_close(&w);
}

FACTOR_TEST_BARE(where_its_picture_stays_or_never_came_a_secret_counts_no_more)
{
	open_chat(w, "TOTP_ENROL=chat");
	make(w);
	prove(w);
	end_effect(w, EFFECT_DELETE_MESSAGE, 0, "Bad Request: message can't be deleted");
	assert_int_equal(factor_of_cy(w).person, 0);
	assert_non_null(world_says_in(w, CY, "could not be deleted, so it does not count"));
	factor_press(w, bob.id, asked(w, bob.id), "Confirm");
	assert_string_equal(w->toast, "This button has expired or was used.");
	(void)world_text_in(w, CY, CY, "/2fa");
	end_effect(w, EFFECT_PICTURE, 0, "Forbidden: bot was blocked by the user");
	assert_int_equal(factor_of_cy(w).person, 0);
	assert_non_null(world_says_in(w, CY, "could not be sent, so it does not count"));
}

FACTOR_TEST_BARE(what_nobody_confirms_in_time_is_over)
{
	open_chat(w, "TOTP_ENROL=chat");
	make(w);
	w->aid.at += 10 * MINUTE_MS;
	prove(w);
	assert_non_null(world_says_in(w, CY, "There is nothing to confirm"));
	make(w);
	prove(w);
	w->aid.at += 24 * 60 * MINUTE_MS;
	factor_press(w, bob.id, asked(w, bob.id), "Confirm");
	assert_string_equal(w->toast, "This button has expired or was used.");
	assert_int_equal(factor_of_cy(w).enrolled_at, 0);
}

static void
confirm_here(struct tx *tx, UNUSED void *arg)
{
	assert_int_equal(
	    factor_ask(tx, row_principal_of(tx, PRINCIPAL_USER, "", "admin"), "confirm", CY, ""),
	    200);
	assert_int_equal(
	    factor_ask(tx, row_principal_of(tx, PRINCIPAL_USER, "", "admin"), "confirm", CY, ""),
	    409);
}

static void
confirm_nothing_here(struct tx *tx, UNUSED void *arg)
{
	assert_int_equal(
	    factor_ask(tx, row_principal_of(tx, PRINCIPAL_USER, "", "admin"), "confirm", CY, ""),
	    409); /* not proven */
}

FACTOR_TEST_BARE(root_may_confirm_what_was_proven)
{
	open_chat(w, "TOTP_ENROL=chat");
	make(w);
	world_act(w, confirm_nothing_here, NULL);
	prove(w);
	world_act(w, confirm_here, NULL);
	assert_int_not_equal(factor_of_cy(w).enrolled_at, 0);
}

TEST(the_setting_says_whether_it_is_made_in_the_chat)
{
	static const struct {
		const char *setting;
		bool is_made;
	} rows[] = { { "TOTP_ENROL=chat", true }, { "TOTP_ENROL=server", false },
		{ "ENVIRONMENT=development", true } };
	struct world w;

	for (size_t i = 0; i < COUNT(rows); i++) {
		open_chat(&w, rows[i].setting);
		(void)world_text(&w, CY, "/2fa"); /* a group */
		assert_null(world_peek(&w, EFFECT_PICTURE));
		(void)world_text_in(&w, CY, CY, "/2fa");
		assert_int_equal(world_count(&w, EFFECT_PICTURE), rows[i].is_made);
		assert_int_equal(world_says_in(&w, CY, "Root or another admin makes one: ") == NULL,
		    rows[i].is_made);
		factor_close(&w);
	}
	/* It is taken away meanwhile. */
	open_chat(&w, "TOTP_ENROL=chat");
	make(&w);
	prove(&w);
	world_settings(&w, factor_key_setting, "TOTP_ENROL=server", NULL);
	factor_press(&w, bob.id, asked(&w, bob.id), "Confirm");
	assert_int_equal(factor_of_cy(&w).enrolled_at, 0);
	factor_close(&w);
}
