/* Goal: a person is sent the command that reads what they were lent, once, and no memory keeps it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <malloc.h>

#include "clients/loan_shelf.h"
#include "effects/perform_inside.h"
#include "lib/mem.h"
#include "perform_aid.h"
#include "settings_aid.h"

#define WORK   31
#define PERSON 33
#define LENT   "hvs.CAESIOfTheLoanNumber0031"

#define VAULT "VAULT_ADDR=https://vault.example.org", "VAULT_TOKEN=hvs.0123456789abcdef0123"
#define SECRETS \
	"SECRET_DB_MIGRATE_PATH=kv2 secret django/database", "SECRET_DB_MIGRATE_FOR=production", \
	    "SECRET_OLD_PATH=kv1 kv old/key", "SECRET_OLD_FOR=staging", \
	    "SECRET_STRIPE_PATH=creds  database   stripe", "SECRET_STRIPE_FOR=production"

/* How many blocks were given back, or moved, with that text in them; NULL: none is looked for. */
static const char *looked_for;
static int n_left;

void __real_free(void *data);
void __wrap_free(void *data);
void *__real_reallocarray(void *data, size_t count, size_t size);
void *__wrap_reallocarray(void *data, size_t count, size_t size);

static void
look_at(const void *data)
{
	size_t size = data == NULL || looked_for == NULL ? 0 : malloc_usable_size((void *)data);

	n_left += size > 0 && memmem(data, size, looked_for, strlen(looked_for)) != NULL;
}

void
__wrap_free(void *data)
{
	look_at(data);
	__real_free(data);
}

void *
__wrap_reallocarray(void *data, size_t count, size_t size)
{
	look_at(data);
	return __real_reallocarray(data, count, size);
}

struct scene {
	struct perform_scene *of;
	struct settings *settings;
	struct event *result;
	bool is_done;
};

static void
take(void *ctx, struct event *event)
{
	struct scene *s = ctx;

	assert_null(s->result);
	s->result = event;
	s->is_done = true;
}

static int
begin(void **state)
{
	struct scene *s = mem_new(1, sizeof(*s));

	(void)perform_aid_begin((void **)&s->of);
	s->settings = LOAD(NULL, COMPLETE, VAULT, SECRETS);
	assert_non_null(s->settings);
	s->of->perform.submit = take;
	s->of->perform.submit_ctx = s;
	s->of->perform.loans = loan_shelf_new(s->of->loop, NULL);
	n_left = 0;
	*state = s;
	return 0;
}

static int
finish(void **state)
{
	struct scene *s = *state;

	looked_for = NULL;
	event_free(s->result);
	loan_shelf_free(s->of->perform.loans);
	settings_unref(s->settings);
	(void)perform_aid_finish((void **)&s->of);
	free(s);
	return 0;
}

#define SCENE_TEST(name) TEST_OF(name, struct scene *s, begin, finish)

static void
lend(struct scene *s, const char *name, bool is_recovered)
{
	struct effect *effect = effect_new(EFFECT_LEND_MESSAGE);

	effect->subject = WORK;
	effect->settings = settings_ref(s->settings);
	effect->is_recovered = is_recovered;
	effect->u.vault.chat = PERSON;
	(void)snprintf(effect->u.vault.name, sizeof(effect->u.vault.name), "%s", name);
	s->is_done = false;
	perform_aid_do(s->of, effect, 7);
}

static struct vault_said
said(struct scene *s)
{
	struct vault_said said;

	assert_true(fake_run_until(s->of->loop, &s->is_done, 20000));
	assert_int_equal(s->result->kind, EVENT_VAULT_SAID);
	assert_int_equal(s->result->effect, 7);
	said = s->result->u.vault_said;
	assert_null(strstr(said.why, LENT));
	event_free(TAKE(s->result));
	return said;
}

static void
keep(struct scene *s, const char *token)
{
	assert_true(loan_shelf_put(s->of->perform.loans, WORK, token));
}

static const char *
heard(struct scene *s, size_t n)
{
	const struct fake_heard *heard = fake_telegram_heard(s->of->fake, "sendMessage", n);

	assert_non_null(heard);
	return heard->body;
}

static void
has(const char *body, const char *part)
{
	if (strstr(body, part) == NULL)
		fail_msg("no %s in %s", part, body);
}

static size_t
n_sent(const struct scene *s)
{
	return fake_telegram_count(s->of->fake, "sendMessage");
}

/* --- what is sent --- */

SCENE_TEST(a_person_is_sent_the_command_that_reads_it_and_the_token_to_copy)
{
	struct vault_said got;

	keep(s, LENT);
	lend(s, "db-migrate", false);
	got = said(s);
	assert_true(got.is_done);
	assert_int_not_equal(got.message, 0);
	assert_string_equal(got.why, "");
	assert_int_equal(n_sent(s), 1);
	has(heard(s, 0), "\"chat_id\":33,");
	has(heard(s, 0),
	    "\"text\":\"\\ud83d\\udd10 db-migrate of production: once, 2 min\\n"
	    "<pre>export VAULT_ADDR='https://vault.example.org'; t=$(vault unwrap -field=token '" LENT
	    "') &amp;&amp; VAULT_TOKEN=$t vault kv get -mount=secret django/database</pre>\\n"
	    "Not valid? Somebody has it: /revoke 31\",");
	has(heard(s, 0),
	    "{\"text\":\"\\ud83d\\udccb Copy the wrapping token\",\"copy_text\":{\"text\":\"" LENT
	    "\"}}");
	assert_null(strstr(heard(s, 0), "protect_content"));
	assert_null(strstr(heard(s, 0), "VAULT_NAMESPACE"));
}

/* The command takes six or seven of them, and its button has to be seen without scrolling. */
SCENE_TEST(around_the_command_stand_two_lines_of_a_phone)
{
	enum { PHONE = 40, ESCAPED = sizeof("\\ud83d\\udd10") - 1, WIDE = 2 };
	const char *head, *tail;

	keep(s, LENT);
	lend(s, "db-migrate", false);
	assert_true(said(s).is_done);
	head = strstr(heard(s, 0), "\\ud83d\\udd10 ");
	assert_non_null(head);
	tail = strstr(head, "</pre>\\n");
	assert_non_null(tail);
	tail += strlen("</pre>\\n");
	assert_in_range(strstr(head, "\\n<pre>") - head, 1, PHONE + ESCAPED - WIDE);
	assert_in_range(strcspn(tail, "\""), 1, PHONE);
	assert_null(memmem(tail, strcspn(tail, "\""), "\\n", 2));
}

SCENE_TEST(each_kind_has_its_own_command)
{
	static const struct {
		const char *name, *command;
	} rows[] = {
		{ "db-migrate", "vault kv get -mount=secret django/database</pre>" },
		{ "old", "vault kv get -mount=kv old/key</pre>" },
		{ "stripe", "vault read database/creds/stripe</pre>" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		keep(s, LENT);
		lend(s, rows[i].name, false);
		assert_true(said(s).is_done);
		has(heard(s, i), rows[i].command);
	}
}

SCENE_TEST(a_namespace_is_a_part_of_the_command)
{
	settings_unref(s->settings);
	s->settings = LOAD(NULL, COMPLETE, VAULT, SECRETS, "VAULT_NAMESPACE=team/a");
	assert_non_null(s->settings);
	keep(s, LENT);
	lend(s, "old", false);
	assert_true(said(s).is_done);
	has(heard(s, 0),
	    "export VAULT_ADDR='https://vault.example.org' VAULT_NAMESPACE='team/a'; t=$(");
}

/* Telegram copies 256 letters; a longer one stands in the command alone, whole. */
SCENE_TEST(a_long_token_has_no_button_and_is_whole)
{
	static const size_t sizes[] = { 256, 257, 511, 512, VAULT_TOKEN_MAX };
	char token[VAULT_TOKEN_MAX + 1], part[VAULT_TOKEN_MAX + 64];

	for (size_t i = 0; i < COUNT(sizes); i++) {
		memset(token, 'a', sizeof(token));
		(void)memcpy(token, LENT, strlen(LENT));
		token[sizes[i]] = '\0';
		keep(s, token);
		lend(s, "db-migrate", false);
		assert_true(said(s).is_done);
		(void)snprintf(part, sizeof(part), "-field=token '%s') ", token);
		has(heard(s, i), part);
		assert_int_equal(strstr(heard(s, i), "copy_text") != NULL, sizes[i] == 256);
	}
}

/* --- what is not sent --- */

SCENE_TEST(what_is_not_kept_or_was_given_is_not_sent)
{
	lend(s, "db-migrate", false);
	assert_string_equal(said(s).why, "what was lent is gone: ask again");
	keep(s, LENT);
	lend(s, "db-migrate", false);
	assert_true(said(s).is_done);
	lend(s, "db-migrate", false);
	assert_string_equal(said(s).why, "what was lent is gone: ask again");
	assert_int_equal(n_sent(s), 1);
}

SCENE_TEST(what_the_settings_lend_no_longer_is_not_sent)
{
	struct vault_said got;

	keep(s, LENT);
	lend(s, "shop/db-migrate", false);
	got = said(s);
	assert_false(got.is_done);
	assert_int_equal(got.message, 0);
	assert_string_equal(got.why, "what was lent is gone: ask again");
	assert_int_equal(n_sent(s), 0);
}

SCENE_TEST(what_telegram_refuses_is_said_with_its_reason)
{
	struct vault_said got;

	fake_telegram_script(s->of->fake, "sendMessage", 403,
	    "{\"ok\":false,\"error_code\":403,\"description\":\"Forbidden: bot was blocked by the user\"}");
	keep(s, LENT);
	lend(s, "db-migrate", false);
	got = said(s);
	assert_false(got.is_done);
	assert_int_equal(got.message, 0);
	assert_string_equal(got.why, "Forbidden: bot was blocked by the user");
	assert_int_equal(n_sent(s), 1);
}

/* OWN: nobody knows whether it was sent, and its text is gone. */
SCENE_TEST(what_was_being_sent_when_the_program_ended_is_not_sent_again)
{
	struct vault_said got;

	keep(s, LENT);
	lend(s, "db-migrate", true);
	got = said(s);
	assert_false(got.is_done);
	assert_string_equal(got.why, "deploybot was restarted while it was sent: ask again");
	assert_int_equal(n_sent(s), 0);
}

/* --- what is left of it --- */

SCENE_TEST(no_memory_is_given_back_with_it)
{
	for (int is_refused = 0; is_refused < 2; is_refused++) {
		if (is_refused)
			fake_telegram_script(s->of->fake, "sendMessage", 403,
			    "{\"ok\":false,\"error_code\":403,\"description\":\"Forbidden\"}");
		keep(s, LENT);
		looked_for = LENT;
		lend(s, "db-migrate", false);
		assert_int_equal(said(s).is_done, !is_refused);
		looked_for = NULL;
		assert_int_equal(n_left, 0);
	}
}

/* At one of these lengths what stands behind it is where a buffer would have to grow. */
SCENE_TEST(no_memory_is_given_back_with_it_however_long_it_is)
{
	for (size_t size = 32; size < 620; size += 40) {
		char token[VAULT_TOKEN_MAX + 1] = "hvs.";

		memset(token + 4, 'k', size - 4);
		keep(s, token);
		looked_for = token;
		lend(s, "db-migrate", false);
		assert_true(said(s).is_done);
		looked_for = NULL;
		assert_int_equal(n_left, 0);
	}
}

/* Under the sanitizers: Telegram has not answered. */
SCENE_TEST(the_program_may_end_meanwhile)
{
	fake_telegram_script(s->of->fake, "sendMessage", 0, NULL);
	keep(s, LENT);
	lend(s, "db-migrate", false);
	assert_true(fake_run_until_heard(s->of->loop, s->of->fake, "sendMessage", 1, 20000));
	telegram_free(TAKE(s->of->telegram));
	assert_string_equal(said(s).why, "deploybot was stopped while it was sent: ask again");
}
