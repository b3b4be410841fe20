/* Goal: what is one call of Telegram is made, also when it had begun before a start, and reported.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "effects/perform.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/loop.h"
#include "lib/text.h"
#include "telegram/telegram.h"
#include "tests/unit/fake_telegram.h"
#include "types/settings.h"
#include "unit.h"

struct scene {
	struct loop *loop;
	struct fake_telegram *fake;
	struct settings *bot;
	struct telegram *telegram;
	struct perform perform;
	enum event_kind reports; /* this, of whatever is performed */
	int64_t reported;
	char failure[LIMIT_LINE];
	bool is_done;
};

static void
take(void *ctx, struct event *event)
{
	struct scene *scene = ctx;

	assert_int_equal(event->kind, scene->reports);
	scene->reported = event->effect;
	(void)text_copy(scene->failure, LIMIT_LINE, event->u.message_sent.failure);
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

static void
pin(struct scene *scene, int64_t id, bool is_off, bool is_recovered)
{
	struct effect *effect = effect_new(EFFECT_PIN_MESSAGE);

	assert_non_null(effect);
	effect->id = id;
	effect->is_recovered = is_recovered;
	effect->u.pin_message =
	    (struct effect_pin_message){ .chat = -555, .remote_id = 77, .is_off = is_off };
	scene->reports = EVENT_MESSAGE_PINNED;
	scene->is_done = false;
	perform_effect(&scene->perform, effect);
}

TEST_WITH(what_telegram_says_to_a_pin_is_reported, begin, finish)
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
	struct scene *scene = *state;
	const char *body;

	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *method = cases[i].is_off ? "unpinChatMessage" : "pinChatMessage";

		fake_telegram_script(scene->fake, method, cases[i].status, cases[i].answer);
		pin(scene, (int64_t)i + 1, cases[i].is_off, i == 1);
		assert_true(fake_run_until(scene->loop, &scene->is_done, 20000));
		assert_int_equal(scene->reported, i + 1);
		assert_string_equal(scene->failure, cases[i].failure);
	}
	assert_int_equal(fake_telegram_count(scene->fake, "pinChatMessage"), 3);
	body = fake_telegram_heard(scene->fake, "pinChatMessage", 0)->body;
	assert_string_equal(
	    body, "{\"chat_id\":-555,\"message_id\":77,\"disable_notification\":true}");
	body = fake_telegram_heard(scene->fake, "unpinChatMessage", 0)->body;
	assert_string_equal(body, "{\"chat_id\":-555,\"message_id\":77}");
}

static void
leave(struct scene *scene, int64_t id, bool is_recovered)
{
	struct effect *effect = effect_new(EFFECT_LEAVE_CHAT);

	assert_non_null(effect);
	effect->id = id;
	effect->is_recovered = is_recovered;
	effect->u.leave_chat.chat = -555;
	scene->reports = EVENT_CHAT_LEFT;
	scene->is_done = false;
	perform_effect(&scene->perform, effect);
}

TEST_WITH(a_chat_is_left_and_that_reported_whatever_telegram_says, begin, finish)
{
	struct scene *scene = *state;

	fake_telegram_script(scene->fake, "leaveChat", 200, "{\"ok\":true,\"result\":true}");
	fake_telegram_script(scene->fake, "leaveChat", 400,
	    "{\"ok\":false,\"error_code\":400,\"description\":\"Bad Request: chat not found\"}");
	for (int64_t id = 1; id <= 2; id++) {
		leave(scene, id, id == 2);
		assert_true(fake_run_until(scene->loop, &scene->is_done, 20000));
		assert_int_equal(scene->reported, id);
		assert_int_equal(fake_telegram_count(scene->fake, "leaveChat"), id);
	}
}

TEST_WITH(what_is_in_hand_is_freed_at_the_end, begin, finish)
{
	pin(*state, 1, false, false);
	leave(*state, 2, false);
}
