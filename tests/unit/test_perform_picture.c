/* Goal: the loop opens a secret, shows it to its person alone, and has it deleted.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "perform_aid.h"

#include "lib/buf.h"
#include "lib/qr.h"
#include "types/factor_secret.h"

#define PERSON 33

static const struct seal_keys keys = {
	.count = 1,
	.key = { { .id = "0badcafe", .key = "a key of 32 bytes, of this test" } },
};
static const struct factor_secret secret = { .totp = "12345678901234567890" };

static int
begin(void **state)
{
	int status = perform_aid_begin(state);

	((struct perform_scene *)*state)->bot->totp_keys = &keys; /* freed is what it has inside */
	return status;
}

/* Sealed for that row; performed, until it is reported. */
static void
show(struct perform_scene *scene, int64_t sealed_for, bool is_recovered)
{
	struct effect *effect = effect_new(EFFECT_PICTURE);
	const uint8_t nonce[SEAL_NONCE] = "fresh nonce";
	char place[FACTOR_PLACE];

	effect->u.picture.person = PERSON;
	effect->is_recovered = is_recovered;
	effect->settings = settings_ref(scene->bot);
	if (sealed_for != 0)
		assert_true(seal_close(&keys, factor_secret_place(sealed_for, place), nonce,
		    &secret, sizeof(secret), effect->u.picture.sealed, NULL));
	perform_aid_do(scene, effect, 0);
	perform_aid_until_reported(scene);
}

#define SCENE_TEST(name) TEST_OF(name, struct perform_scene *scene, begin, perform_aid_finish)

SCENE_TEST(its_person_is_sent_the_picture_of_its_secret)
{
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

SCENE_TEST(what_cannot_be_opened_or_may_have_been_sent_is_not_shown)
{
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

SCENE_TEST(it_is_deleted_also_where_that_had_begun_before_a_start)
{
	for (int i = 0; i < 2; i++) {
		struct effect *effect = effect_new(EFFECT_DELETE_MESSAGE);

		effect->is_recovered = i == 1;
		effect->u.delete_message.chat = PERSON;
		effect->u.delete_message.remote_id = 77;
		fake_telegram_script(
		    scene->fake, "deleteMessage", 200, "{\"ok\":true,\"result\":true}");
		perform_aid_do(scene, effect, 0);
		perform_aid_until_reported(scene);
		assert_string_equal(scene->said.failure, "");
	}
	fake_telegram_script(scene->fake, "deleteMessage", 400,
	    "{\"ok\":false,\"error_code\":400,\"description\":\"Bad Request: message can't be deleted\"}");
	perform_aid_do(scene, effect_new(EFFECT_DELETE_MESSAGE), 0);
	perform_aid_until_reported(scene);
	assert_string_equal(scene->said.failure, "Bad Request: message can't be deleted");
}
