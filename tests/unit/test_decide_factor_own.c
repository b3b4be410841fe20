/* Goal: a second factor is begun in the chat, shown once by the page, and confirmed by others.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "console_aid.h"
#include "factor_aid.h"

#include "lib/file.h"
#include "lib/json.h"
#include "lib/text.h"
#include "store/row_factor.h"
#include "store/row_principal.h"
#include "store/store_inside.h"
#include "types/principal.h"

#define CY    WORLD_STAGING_USER
#define SHOW  API_OWN_FACTOR, "/v1/factor", "{}"
#define BEGUN "🔐 Second factor begun: the console shows its QR code"

static struct person cy = { .id = CY };

static void
open_chat_alone(struct world *w)
{
	factor_write_key(FACTOR_KEY);
	world_open(w, CONSOLE_ON, TOKEN_AID_ON, "ROLE_RATE_LIMIT=0", "REQUIRE_OTP=deploy:*",
	    factor_key_setting, NULL);
}

/* Both admins have one. */
static void
open_chat(struct world *w)
{
	open_chat_alone(w);
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
delete_it(struct world *w)
{
	struct effect *effect = world_take(w, EFFECT_DELETE_MESSAGE);

	assert_non_null(effect);
	(void)store_aid_report(&w->aid, effect);
	world_act(w, say_nothing, NULL); /* delivers what was said */
}

/* Who begins one gets its secret to know, as they would by the page. */
static void
make(struct world *w)
{
	(void)world_text_in(w, CY, CY, "/2fa");
	assert_non_null(world_says_in(w, CY, BEGUN));
	assert_int_equal(factor_of_cy(w).proven_at, 0);
}

static int
show(struct world *w, const char *token)
{
	return token_aid_call(w, token, SHOW);
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

/* --- what the page shows --- */

/* Is that what stands in the row, in the form that apps read? */
static void
is_cys(struct world *w)
{
	struct err err;
	struct json *json = json_decode(w->aid.said, strlen(w->aid.said), &err);
	char secret[TOTP_SECRET_TEXT], plain[TOTP_SECRET_TEXT] = "", end[TEXT_TIME_SIZE];
	const char *shown;
	int64_t made_at;
	size_t n;

	assert_non_null(json);
	made_at = factor_of_cy(w).made_at;
	totp_secret_text(cy.secret, secret);
	shown = json_get_str(json, "secret");
	assert_int_equal(strlen(shown), 39);
	for (n = 0; *shown != '\0'; shown++)
		if (*shown != ' ')
			plain[n++] = *shown;
	assert_string_equal(plain, secret);
	assert_non_null(strstr(json_get_str(json, "uri"), secret));
	assert_true(text_starts(json_get_str(json, "uri"), "otpauth://totp/"));
	n = json_count(json_get(json, "qr"));
	assert_true(n >= 21);
	for (size_t i = 0; i < n; i++) {
		const char *row = json_str(json_at(json_get(json, "qr"), i));

		assert_int_equal(strlen(row), n);
		assert_int_equal(strspn(row, "01"), n);
		assert_true(text_starts(row, i < 7 ? "1" : i == 7 ? "00000000" : ""));
	}
	assert_string_equal(
	    json_get_str(json, "ends"), text_time_ms(end, made_at + 10 * MINUTE_MS));
	json_free(json);
}

FACTOR_TEST_BARE(it_is_shown_once_to_its_person_by_the_page)
{
	const char *token, *others, *api;
	const struct button *opens;

	open_chat(w);
	token = console_aid_by_code(w, CY);
	others = console_aid_by_app(w, ada.id, "a");
	api = token_aid_make(w, WORLD_ADMIN, "t", "admin", "9d");
	assert_int_equal(show(w, token), 404); /* nothing was begun */
	assert_non_null(strstr(w->aid.said, "begin with /2fa in our private chat"));
	make(w);
	opens = &world_says_in(w, CY, BEGUN)->buttons.at[0];
	assert_string_equal(opens->label, "🖥 Open");
	assert_string_equal(opens->link, "https://bot.example/console/");
	assert_true(opens->is_web_app);
	assert_int_equal(show(w, others), 404); /* of another */
	assert_int_equal(show(w, api), 403);
	assert_int_equal(token_aid_ask(w, CY, SHOW), 403); /* on the machine */
	assert_null(strstr(w->aid.said, "secret"));
	assert_int_equal(show(w, token), 200);
	is_cys(w);
	assert_int_equal(world_audited(w, "factor_shown", "\"by\":\"the page\""), 1);
	assert_int_equal(world_audited(w, "factor_made", "\"person\":\"33\""), 1);
	assert_int_equal(show(w, token), 404);
	assert_null(strstr(w->aid.said, "otpauth"));
	assert_int_equal(show(w, console_aid_by_app(w, CY, "b")), 404);
	w->aid.at += MINUTE_MS;
	make(w); /* another one */
	assert_int_equal(show(w, token), 200);
	is_cys(w);
	assert_int_equal(token_aid_call(w, token, API_ME, "/v1/me", NULL), 200);
	assert_non_null(strstr(w->aid.said, "\"has_factor\":false,\"factor_waits\":true"));
	prove(w);
	assert_int_equal(token_aid_call(w, token, API_ME, "/v1/me", NULL), 200);
	assert_non_null(strstr(w->aid.said, "\"factor_waits\":false"));
}

/* What has gone by somebody else's hand is not shown again, nor what is over. */
FACTOR_TEST_BARE(it_is_shown_while_it_waits_alone)
{
	const char *token;

	open_chat(w);
	token = console_aid_by_app(w, CY, "a");
	make(w);
	(void)factor_of_cy(w);
	prove(w); /* whoever knows it has read it */
	assert_int_equal(show(w, token), 404);
	w->aid.at += 24 * 60 * MINUTE_MS;
	token = console_aid_by_app(w, CY, "b");
	make(w);
	w->aid.at += 10 * MINUTE_MS;
	token = console_aid_by_app(w, CY, "c");
	assert_int_equal(show(w, token), 404);
	/* Made on the server it is shown there. */
	assert_int_equal(world_audited(w, "factor_shown", NULL), 0);
}

static void
made_by_bob(struct tx *tx, UNUSED void *arg)
{
	struct factor_secret secret;

	assert_true(row_factor_make(tx, CY, bob.id, &secret, NULL));
}

FACTOR_TEST_BARE(what_others_have_made_is_not_shown)
{
	open_chat(w);
	world_act(w, made_by_bob, NULL);
	assert_int_equal(show(w, console_aid_by_app(w, CY, "a")), 404);
}

/* They prove again that it is they, and the others' role is over. */
FACTOR_TEST_BARE(an_old_login_or_one_without_a_role_is_shown_nothing)
{
	const char *token;

	open_chat(w);
	token = console_aid_by_code(w, CY);
	w->aid.at += 9 * MINUTE_MS;
	make(w);
	w->aid.at += MINUTE_MS;
	assert_int_equal(show(w, token), 403);
	assert_non_null(strstr(w->aid.said, "you logged in more than 10 minutes ago"));
	assert_int_equal(show(w, console_aid_by_app(w, CY, "a")), 200);
	w->aid.at += MINUTE_MS;
	make(w);
	token = console_aid_by_app(w, CY, "b");
	world_settings(w, CONSOLE_ON, factor_key_setting, "STAGING_TELEGRAM_IDS=", NULL);
	assert_int_equal(show(w, token), 401);
	assert_null(strstr(w->aid.said, "otpauth"));
}

/* The answer alone has it: no row, no message. */
FACTOR_TEST_BARE(the_secret_stands_in_no_row)
{
	const char *token;
	char secret[TOTP_SECRET_TEXT], path[300];
	char *database;
	size_t size;

	open_chat(w);
	token = console_aid_by_app(w, CY, "a");
	make(w);
	assert_int_equal(show(w, token), 200);
	(void)factor_of_cy(w);
	totp_secret_text(cy.secret, secret);
	for (int i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s%s", w->aid.path, i == 0 ? "" : "-wal");
		database = file_read(path, 1 << 26, &size, NULL);
		if (database == NULL)
			continue;
		assert_null(memmem(database, size, secret, strlen(secret)));
		assert_null(memmem(database, size, cy.secret, sizeof(cy.secret)));
		free(database);
	}
}

/* --- and what comes of it --- */

FACTOR_TEST_BARE(a_scanned_one_counts_when_another_admin_has_confirmed_it)
{
	open_chat(w);
	make(w);
	prove(w);
	assert_string_equal(world_copies(world_says_in(w, CY, "Code accepted. Your second factor"),
				"📋 Copy the command"),
	    "deploybot 2fa confirm 33");
	assert_string_equal(world_plain(asked(w, ada.id)),
	    "🔐 Second factor to confirm: @cy, telegram:33, made one in the chat just now. Ask them in another way whether they did, before you confirm it.");
	assert_int_equal(factor_of_cy(w).enrolled_at, 0);
	(void)world_text_in(w, CY, CY, "/2fa");
	assert_non_null(world_says_in(
	    w, CY, "counts when another admin has confirmed it, or root on the server"));

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
FACTOR_TEST_BARE(the_code_of_a_new_one_that_is_typed_alone_is_deleted)
{
	open_chat(w);
	make(w);
	(void)world_text_in(w, CY, CY, "123456");
	assert_string_equal(world_plain(world_last(w)),
	    "🔐 Not taken: write /2fa confirm before the code. Your message is deleted.");
	delete_it(w);
	(void)world_text(w, CY, "123 456");
	assert_string_equal(world_plain(world_says(w, "🔐 Not taken")),
	    "🔐 Not taken: write /2fa confirm before the code in our private chat. Your message is deleted.");
	delete_it(w);
	prove(w);
	(void)world_text_in(w, CY, CY, "123456"); /* nothing waits for it */
	assert_int_equal(world_count(w, EFFECT_DELETE_MESSAGE), 0);
	assert_int_equal(factor_of_cy(w).enrolled_at, 0);
}

FACTOR_TEST_BARE(nobody_confirms_their_own_nor_without_the_grant_nor_their_code)
{
	struct factor none;

	open_chat(w);
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

	open_chat_alone(w);
	world_act(w, factor_enrol, &bob);
	(void)world_text_in(w, ada.id, ada.id, "/2fa");
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

	open_chat_alone(&w);
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
	open_chat_alone(&w);
	make(&w);
	prove(&w);
	assert_non_null(world_says_in(&w, CY,
	    "once root has confirmed it on the server (no other admin has one yet): deploybot 2fa confirm 33"));
	factor_close(&w);
}

FACTOR_TEST_BARE(what_nobody_confirms_in_time_is_over)
{
	open_chat(w);
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
	open_chat(w);
	make(w);
	world_act(w, confirm_nothing_here, NULL);
	prove(w);
	world_act(w, confirm_here, NULL);
	assert_int_not_equal(factor_of_cy(w).enrolled_at, 0);
}

FACTOR_TEST_BARE(without_the_page_root_makes_it)
{
	static const char *const urls[] = { "PUBLIC_URL=http://127.0.0.1:8080", NULL };

	open_chat(w);
	(void)world_text(w, CY, "/2fa"); /* a group */
	assert_int_equal(factor_of_cy(w).person, 0);
	for (size_t i = 0; i < COUNT(urls); i++) {
		world_settings(w, factor_key_setting, TOKEN_AID_KEY, urls[i],
		    "ENABLE_API_SERVER=true", "CONSOLE=true", NULL);
		(void)world_text_in(w, CY, CY, "/2fa");
		assert_non_null(world_says_in(w, CY, "Root or another admin makes one: "));
		assert_int_equal(factor_of_cy(w).person, 0);
	}
}

static void
shown_before(struct tx *tx, UNUSED void *arg)
{
	struct factor_secret secret;

	assert_true(row_factor_make(tx, CY, CY, &secret, NULL));
	assert_true(tx_run(tx, "UPDATE factor SET picture = 777 WHERE person = $1", DB_I64(CY)));
}

/* Of versions that showed it in the chat: the message goes, once, and what it showed counts no
 * more. */
FACTOR_TEST_BARE(a_picture_that_still_stands_in_a_chat_is_deleted)
{
	const struct effect *deletion;

	open_chat(w);
	world_act(w, shown_before, NULL);
	world_restart(w);
	deletion = world_peek(w, EFFECT_DELETE_MESSAGE);
	assert_non_null(deletion);
	assert_int_equal(deletion->u.delete_message.chat, CY);
	assert_int_equal(deletion->u.delete_message.remote_id, 777);
	assert_non_null(world_says_in(w, CY, "Second factor not made"));
	assert_int_equal(factor_of_cy(w).person, 0);
	delete_it(w);
	world_restart(w);
	assert_int_equal(world_count(w, EFFECT_DELETE_MESSAGE), 0);
}
