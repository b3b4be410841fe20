/* Goal: a chat that is to be left is, once, also when that had begun before a start.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "perform_aid.h"

static void
leave(struct perform_scene *scene, int64_t id, bool is_recovered)
{
	struct effect *effect = effect_new(EFFECT_LEAVE_CHAT);

	effect->is_recovered = is_recovered;
	effect->u.leave_chat.chat = -555;
	perform_aid_do(scene, effect, id);
}

TEST_WITH(it_is_left_and_reported_whatever_telegram_says, perform_aid_begin, perform_aid_finish)
{
	struct perform_scene *scene = *state;

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

TEST_WITH(what_is_in_hand_is_freed_at_the_end, perform_aid_begin, perform_aid_finish)
{
	leave(*state, 1, false);
}
