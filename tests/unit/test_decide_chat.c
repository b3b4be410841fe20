/* Goal: groups that the settings do not know are left in silence; one that moved is still known.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_chat.h"

#include "decide_aid.h"
#include "handlers/handlers.h"
#include "lib/db.h"
#include "lib/text.h"
#include "store/row_button.h"
#include "store/row_chat.h"
#include "store/row_message.h"

#define OURS	"ALLOWED_CHATS=-1002"
#define FOREIGN INT64_C(-555)
#define NEW	INT64_C(-100777)

/* The group that is left; 0: none. */
static int64_t
left(struct world *w)
{
	struct effect *effect;
	int64_t chat;

	if (world_count(w, EFFECT_LEAVE_CHAT) == 0)
		return 0;
	effect = world_take(w, EFFECT_LEAVE_CHAT);
	chat = effect->u.leave_chat.chat;
	effect_free(effect);
	return chat;
}

static size_t
waiting(const struct world *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_open; i++)
		n += w->open[i]->kind == EFFECT_TIMER && w->open[i]->u.timer.kind == TIMER_LEAVE;
	return n;
}

static void
check_left(struct world *w, int64_t chat)
{
	assert_int_equal(waiting(w), 1);
	world_due(w, TIMER_LEAVE);
	assert_int_equal(left(w), chat);
}

WORLD_TEST_OF(a_group_that_is_not_allowed_is_left_in_silence, OURS)
{
	/* Whoever it is; and whatever was done there. */
	(void)world_text_in(w, WORLD_ADMIN, FOREIGN, "/deploy staging");
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);
	check_left(w, FOREIGN);
	w->aid.at += 60001;
	(void)world_decide(w, world_update(w, UPDATE_OTHER, 0, FOREIGN)); /* it was added */
	check_left(w, FOREIGN);
	w->aid.at += 60001;
	(void)world_press(w, WORLD_STRANGER, FOREIGN, "abc");
	check_left(w, FOREIGN);
	assert_int_equal(w->n_screen, 0);
	assert_int_equal(w->n_toasts, 0);
}

WORLD_TEST_OF(it_is_left_once_a_minute_at_most, OURS)
{
	for (int i = 0; i < 50; i++)
		(void)world_text_in(w, WORLD_STRANGER, FOREIGN, "/status");
	check_left(w, FOREIGN);
	w->aid.at += 50000;
	(void)world_text_in(w, WORLD_STRANGER, FOREIGN, "/status");
	assert_int_equal(waiting(w), 0);
	(void)world_text_in(w, WORLD_STRANGER, FOREIGN - 1, "/status"); /* each for itself */
	check_left(w, FOREIGN - 1);
}

TEST(our_own_and_private_ones_are_not_left)
{
	struct world w;

	world_open(&w, OURS, NULL);
	(void)world_text_in(&w, WORLD_ADMIN, WORLD_GROUP, "/whoami");
	assert_string_equal(world_copies(world_last(&w), "📋 Copy this chat's id"), "-1002");
	(void)world_text_in(&w, WORLD_ADMIN, WORLD_TEAM, "/whoami"); /* TELEGRAM_CHAT_ID */
	(void)world_text_in(&w, WORLD_ADMIN, WORLD_ADMIN, "/whoami");
	(void)world_text_in(&w, WORLD_STRANGER, WORLD_STRANGER, "/whoami");
	assert_string_equal(world_copies(world_last(&w), "📋 Copy your id"), "99");
	assert_int_equal(waiting(&w), 0);
	world_close(&w);
	world_open(&w, NULL); /* unset: any */
	(void)world_text_in(&w, WORLD_ADMIN, FOREIGN, "/whoami");
	assert_int_equal(waiting(&w), 0);
	world_close(&w);
}

/* One with a chat of its own, beside this setting. */
static void
application(struct world *w, const char *line)
{
	char apps[128];

	world_application(w, "shop", "TELEGRAM_CHAT_ID=-777\n");
	(void)snprintf(apps, sizeof(apps), "APPS_DIRECTORY=%s/apps", w->aid.folder);
	world_settings(w, apps, "GITHUB_REPOSITORY=", line, NULL);
}

WORLD_TEST_OF(an_applications_chat_is_ours, OURS)
{
	application(w, OURS);
	(void)world_text_in(w, WORLD_ADMIN, -777, "/whoami");
	assert_int_equal(waiting(w), 0);
	(void)world_text_in(w, WORLD_ADMIN, FOREIGN, "/whoami");
	check_left(w, FOREIGN);
}

static struct event *
moved(struct world *w, int64_t from, int64_t to)
{
	struct event *event = world_update(w, UPDATE_MIGRATED, 0, from);

	event->u.update->new_chat = to;
	return event;
}

WORLD_TEST_OF(a_group_that_moved_is_known_by_both_ids, OURS)
{
	/* Telegram may say that we are in the new one before it says which that was. */
	(void)world_decide(w, world_update(w, UPDATE_OTHER, 0, NEW));
	assert_int_equal(waiting(w), 1);
	(void)world_decide(w, moved(w, WORLD_GROUP, NEW));
	world_due(w, TIMER_LEAVE);
	assert_int_equal(left(w), 0);
	(void)world_text_in(w, WORLD_ADMIN, NEW, "/whoami");
	assert_non_null(world_says_in(w, NEW, "Your Telegram id"));
	w->aid.at += 60001;
	(void)world_text_in(w, WORLD_ADMIN, NEW, "/whoami");
	assert_int_equal(waiting(w), 0);
	/* Another's group does not become ours by moving. */
	(void)world_decide(w, moved(w, FOREIGN, FOREIGN - 1));
	(void)world_text_in(w, WORLD_ADMIN, FOREIGN - 1, "/whoami");
	check_left(w, FOREIGN - 1);
}

/* What is sent to TELEGRAM_CHAT_ID goes to the id of today at once, not by way of a refusal. */
WORLD_TEST(what_is_reported_goes_to_the_new_id)
{
	(void)world_decide(w, moved(w, WORLD_TEAM, NEW));
	(void)world_decide(w, world_push(w, "main"));
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_non_null(world_says_in(w, NEW, "Deploy to production?"));
	assert_null(world_says_in(w, WORLD_TEAM, ""));
	assert_int_equal(row_chat_moved(NULL, WORLD_TEAM), 0);
}

static void
act_now(struct tx *tx, UNUSED void *arg)
{
	assert_int_equal(row_chat_now(tx, FOREIGN), FOREIGN);
	assert_int_equal(row_chat_now(tx, WORLD_TEAM), NEW);
	assert_int_equal(row_chat_before(tx, NEW), WORLD_TEAM);
	assert_int_equal(row_chat_before(tx, WORLD_TEAM), 0);
}

WORLD_TEST(only_what_settings_name_is_a_row_and_doctor_reads_it)
{
	CLEANUP(db_closep) struct db *db = NULL;

	(void)world_decide(w, moved(w, WORLD_TEAM, NEW));
	(void)world_decide(w, moved(w, FOREIGN, FOREIGN - 1));
	world_act(w, act_now, NULL);
	db = db_open(w->aid.path, DB_READ_ONLY, &w->aid.err);
	assert_int_equal(row_chat_moved(db, WORLD_TEAM), NEW);
	assert_int_equal(row_chat_moved(db, FOREIGN), 0);
}

static void
look_for_button(struct tx *tx, void *arg)
{
	struct request request = request_of("status", "staging");

	*(struct button_row *)arg = row_button_find(tx, &request, FOREIGN);
}

static void
add_button(struct tx *tx, UNUSED void *arg)
{
	struct button_row button = { .request = request_of("status", "staging"), .chat = FOREIGN };

	row_button_add(tx, &button);
}

/* Which rows are of it is a look at all of them, and whoever has a group may send that it moved. */
WORLD_TEST_OF(for_a_group_that_is_not_ours_no_row_is_looked_at, OURS)
{
	struct button_row button;

	world_act(w, add_button, NULL);
	(void)world_decide(w, moved(w, FOREIGN, FOREIGN - 1));
	world_act(w, look_for_button, &button);
	assert_int_equal(button.chat, FOREIGN);
}

static void
add_message(struct tx *tx, UNUSED void *arg)
{
	struct message message = { .address.chat = FOREIGN, .head = (char *)"deploys" };

	(void)row_message_add(tx, &message);
}

/* The settings named it once.  Telegram says where it is now, each time that it is written to. */
TEST(what_cannot_follow_its_group_is_not_sent_for_ever)
{
	struct store_aid aid;
	struct effect *effect;

	store_aid_open(&aid, handlers, NULL, OURS, NULL);
	store_aid_act(&aid, add_message, NULL);
	effect = store_aid_take(&aid, EFFECT_SEND_MESSAGE);
	effect->result->u.message_sent = (struct message_sent){
		.message = effect->subject, .chat = FOREIGN, .new_chat = FOREIGN - 1
	};
	(void)store_aid_report(&aid, effect);
	assert_int_equal(store_aid_count(&aid, EFFECT_SEND_MESSAGE), 0);
	store_aid_close(&aid);
}

WORLD_TEST(settings_that_name_a_chat_are_named)
{
	char names[LIMIT_LINE];
	int64_t chat;
	size_t n = 0;

	application(w, "ALLOWED_CHATS=-1001,-9");
	assert_true(settings_names_chat(w->aid.settings, WORLD_TEAM, names, sizeof(names)));
	assert_string_equal(names, "ALLOWED_CHATS, TELEGRAM_CHAT_ID");
	assert_true(settings_names_chat(w->aid.settings, -777, names, sizeof(names)));
	assert_string_equal(names, "shop: TELEGRAM_CHAT_ID");
	assert_false(settings_names_chat(w->aid.settings, FOREIGN, names, sizeof(names)));
	assert_false(settings_names_chat(w->aid.settings, 0, names, sizeof(names)));
	for (size_t i = 0; settings_next_chat(w->aid.settings, &i, &chat);)
		n++;
	assert_int_equal(n, 3); /* each once */
}
