/* Goal: the loop opens a secret, shows it to its person alone, and has it deleted.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "effects/perform.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/loop.h"
#include "lib/qr.h"
#include "telegram/telegram.h"
#include "tests/unit/fake_telegram.h"
#include "types/factor_secret.h"
#include "types/settings.h"
#include "unit.h"

#define PERSON 33

static const struct seal_keys keys = {
	.count = 1,
	.key = { { .id = "0badcafe", .key = "a key of 32 bytes, of this test" } },
};
static const struct factor_secret secret = { .totp = "12345678901234567890" };

struct scene {
	struct loop *loop;
	struct fake_telegram *fake;
	struct settings *bot;
	struct telegram *telegram;
	struct perform perform;
	struct message_sent said;
	bool is_done;
};

static void
take(void *ctx, struct event *event)
{
	struct scene *scene = ctx;

	scene->said = event->u.message_sent;
	scene->is_done = true;
	event_free(event);
}

static bool
take_update(void *ctx, struct event *event)
{
	(void)ctx;
	(void)event;
	return false;
}

static int
begin(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	struct err err;

	assert_non_null(scene);
	scene->loop = loop_new(NULL);
	scene->fake = fake_telegram_new(scene->loop);
	scene->bot = fake_telegram_settings(scene->fake, NULL);
	scene->bot->totp_keys = &keys; /* freed is what it has inside */
	scene->telegram = telegram_new(
	    &(struct telegram_config){
		.loop = scene->loop, .settings = scene->bot, .submit = take_update, .ctx = scene },
	    &err);
	assert_non_null(scene->telegram);
	scene->perform = (struct perform){ .loop = scene->loop,
		.telegram = scene->telegram,
		.submit = take,
		.submit_ctx = scene };
	*state = scene;
	return 0;
}

static int
finish(void **state)
{
	struct scene *scene = *state;

	perform_done(&scene->perform);
	telegram_free(scene->telegram);
	settings_unref(scene->bot);
	fake_telegram_free(scene->fake);
	loop_free(scene->loop);
	free(scene);
	return 0;
}

/* Sealed for that row; performed, until it is reported. */
static void
show(struct scene *scene, int64_t sealed_for, bool is_recovered)
{
	struct effect *effect = effect_new(EFFECT_PICTURE);
	const uint8_t nonce[SEAL_NONCE] = "fresh nonce";
	char place[FACTOR_PLACE];

	assert_non_null(effect);
	effect->u.picture.person = PERSON;
	effect->is_recovered = is_recovered;
	effect->settings = settings_ref(scene->bot);
	if (sealed_for != 0)
		assert_true(seal_close(&keys, factor_secret_place(sealed_for, place), nonce,
		    &secret, sizeof(secret), effect->u.picture.sealed, NULL));
	scene->is_done = false;
	perform_effect(&scene->perform, effect);
	assert_true(fake_run_until(scene->loop, &scene->is_done, 20000));
}

TEST_WITH(its_person_is_sent_the_picture_of_its_secret, begin, finish)
{
	struct scene *scene = *state;
	const struct fake_heard *heard;
	struct buf drawn;
	char uri[TOTP_URI];

	show(scene, PERSON, false);
	assert_string_equal(scene->said.failure, "");
	assert_int_not_equal(scene->said.remote_id, 0);
	heard = fake_telegram_heard(scene->fake, "sendPhoto", 0);
	assert_non_null(heard);
	assert_non_null(strstr(heard->body, "name=\"chat_id\"\r\n\r\n33\r\n"));
	assert_non_null(strstr(heard->body, "name=\"photo\"; filename=\"2fa.png\""));
	assert_non_null(strstr(heard->body, "image/png"));
	buf_init(&drawn, 1 << 17);
	factor_secret_uri(scene->bot, PERSON, &secret, uri);
	assert_true(qr_png(uri, &drawn, NULL));
	assert_non_null(memmem(heard->body, heard->size, buf_text(&drawn), drawn.size));
	assert_null(memmem(heard->body, heard->size, "GEZDGNBV", 8)); /* nor as words */
	buf_done(&drawn);
}

TEST_WITH(what_cannot_be_opened_or_may_have_been_sent_is_not_shown, begin, finish)
{
	struct scene *scene = *state;

	show(scene, PERSON + 1, false); /* moved from another's row */
	assert_string_not_equal(scene->said.failure, "");
	show(scene, 0, false); /* it is gone */
	assert_string_not_equal(scene->said.failure, "");
	show(scene, PERSON, true);
	assert_string_equal(scene->said.failure, "deploybot was restarted meanwhile");
	assert_int_equal(fake_telegram_count(scene->fake, "sendPhoto"), 0);
	fake_telegram_script(scene->fake, "sendPhoto", 403,
	    "{\"ok\":false,\"error_code\":403,\"description\":\"Forbidden: bot was blocked by the user\"}");
	show(scene, PERSON, false);
	assert_string_equal(scene->said.failure, "Forbidden: bot was blocked by the user");
	assert_int_equal(scene->said.remote_id, 0);
}

TEST_WITH(it_is_deleted_also_where_that_had_begun_before_a_start, begin, finish)
{
	struct scene *scene = *state;

	for (int i = 0; i < 2; i++) {
		struct effect *effect = effect_new(EFFECT_DELETE_MESSAGE);

		assert_non_null(effect);
		effect->is_recovered = i == 1;
		effect->u.delete_message.chat = PERSON;
		effect->u.delete_message.remote_id = 77;
		scene->is_done = false;
		fake_telegram_script(
		    scene->fake, "deleteMessage", 200, "{\"ok\":true,\"result\":true}");
		perform_effect(&scene->perform, effect);
		assert_true(fake_run_until(scene->loop, &scene->is_done, 20000));
		assert_string_equal(scene->said.failure, "");
	}
	fake_telegram_script(scene->fake, "deleteMessage", 400,
	    "{\"ok\":false,\"error_code\":400,\"description\":\"Bad Request: message can't be deleted\"}");
	scene->is_done = false;
	perform_effect(&scene->perform, effect_new(EFFECT_DELETE_MESSAGE));
	assert_true(fake_run_until(scene->loop, &scene->is_done, 20000));
	assert_string_equal(scene->said.failure, "Bad Request: message can't be deleted");
}
