/* Goal: a message is pinned without a sound, or no more, and what Telegram says to that is reported.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "perform_aid.h"

static void
pin(struct perform_scene *scene, int64_t id, bool is_off, bool is_recovered)
{
	struct effect *effect = effect_new(EFFECT_PIN_MESSAGE);

	effect->is_recovered = is_recovered;
	effect->u.pin_message =
	    (struct effect_pin_message){ .chat = -555, .remote_id = 77, .is_off = is_off };
	perform_aid_do(scene, effect, id);
}

TEST_WITH(what_telegram_says_is_reported, perform_aid_begin, perform_aid_finish)
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
	struct perform_scene *scene = *state;
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

TEST_WITH(what_is_in_hand_is_freed_at_the_end, perform_aid_begin, perform_aid_finish)
{
	pin(*state, 1, false, false);
}
