/* Goal: what is one call of Telegram is made, also when it had begun before a start, and reported.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "perform_aid.h"

#define SCENE_TEST(name) \
	TEST_OF(name, struct perform_scene *scene, perform_aid_begin, perform_aid_finish)

static void
pin(struct perform_scene *scene, int64_t id, bool is_off, bool is_recovered)
{
	struct effect *effect = effect_new(EFFECT_PIN_MESSAGE);

	assert_non_null(effect);
	effect->is_recovered = is_recovered;
	effect->u.pin_message =
	    (struct effect_pin_message){ .chat = -555, .remote_id = 77, .is_off = is_off };
	perform_aid_do(scene, effect, id);
}

SCENE_TEST(what_telegram_says_to_a_pin_is_reported)
{
	static const struct {
		bool is_off;
		int status;
		const char *answer;
		const char *failure;
	} cases[] = {
		{ false, 200, "{\"ok\":true,\"result\":true}", "" },
		{ false, 400,
		    "{\"ok\":false,\"error_code\":400,\"description\":\"Bad Request: CHAT_NOT_MODIFIED\"}",
		    "" },
		{ false, 400,
		    "{\"ok\":false,\"error_code\":400,\"description\":\"Bad Request: not enough rights\"}",
		    "Bad Request: not enough rights" },
		{ true, 200, "{\"ok\":true,\"result\":true}", "" },
	};
	const char *body;

	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *method = cases[i].is_off ? "unpinChatMessage" : "pinChatMessage";

		fake_telegram_script(scene->fake, method, cases[i].status, cases[i].answer);
		pin(scene, (int64_t)i + 1, cases[i].is_off, i == 1);
		perform_aid_until_reported(scene);
		assert_int_equal(scene->kind, EVENT_MESSAGE_PINNED);
		assert_int_equal(scene->reported, i + 1);
		assert_string_equal(scene->said.failure, cases[i].failure);
	}
	assert_int_equal(fake_telegram_count(scene->fake, "pinChatMessage"), 3);
	body = fake_telegram_heard(scene->fake, "pinChatMessage", 0)->body;
	assert_string_equal(
	    body, "{\"chat_id\":-555,\"message_id\":77,\"disable_notification\":true}");
	body = fake_telegram_heard(scene->fake, "unpinChatMessage", 0)->body;
	assert_string_equal(body, "{\"chat_id\":-555,\"message_id\":77}");
}

static void
leave(struct perform_scene *scene, int64_t id, bool is_recovered)
{
	struct effect *effect = effect_new(EFFECT_LEAVE_CHAT);

	assert_non_null(effect);
	effect->is_recovered = is_recovered;
	effect->u.leave_chat.chat = -555;
	perform_aid_do(scene, effect, id);
}

SCENE_TEST(a_chat_is_left_and_that_reported_whatever_telegram_says)
{
	fake_telegram_script(scene->fake, "leaveChat", 200, "{\"ok\":true,\"result\":true}");
	fake_telegram_script(scene->fake, "leaveChat", 400,
	    "{\"ok\":false,\"error_code\":400,\"description\":\"Bad Request: chat not found\"}");
	for (int64_t id = 1; id <= 2; id++) {
		leave(scene, id, id == 2);
		perform_aid_until_reported(scene);
		assert_int_equal(scene->kind, EVENT_CHAT_LEFT);
		assert_int_equal(scene->reported, id);
		assert_int_equal(fake_telegram_count(scene->fake, "leaveChat"), id);
	}
}

SCENE_TEST(what_is_in_hand_is_freed_at_the_end)
{
	pin(scene, 1, false, false);
	leave(scene, 2, false);
}
