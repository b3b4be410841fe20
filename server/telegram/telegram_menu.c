/* telegram_menu.c - the list of commands that Telegram offers, for each chat what its people may do.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "telegram/telegram_menu.h"

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "policy/policy.h"
#include "telegram/telegram_api.h"
#include "telegram/telegram_pause.h"
#include "types/settings.h"

#define MENU_MAGIC     0x74676d65u
#define PAUSE_FIRST_MS 2000
#define PAUSE_MAX_MS   300000
#define BETWEEN_MS     100 /* a menu is in nobody's way */

struct target {
	int64_t chat; /* 0: all private chats */
	bool is_team; /* whoever is in it: they are offered everything */
	bool is_gone; /* the settings do not name it any more: Telegram keeps a menu for ever */
	bool has_moved;
};

struct telegram_menu {
	unsigned magic;
	struct loop *loop;
	struct telegram_api *api;
	const struct telegram_menu_command *commands;
	size_t command_count;
	struct loop_timer timer;
	struct telegram_call *call;
	unsigned failures; /* in a row */
	struct settings *settings;
	bool had_console; /* settings of before had it: its buttons go */
	bool is_button;	  /* of the target in hand the button of its menu is next */
	size_t n;	  /* targets */
	size_t next;
	struct target *target;
};

static void on_time(struct loop_timer *timer, void *ctx);
static void set_next(struct telegram_menu *menu);
static void on_set(void *ctx, const struct telegram_result *result);

struct telegram_menu *
telegram_menu_new(struct loop *loop, struct telegram_api *api,
    const struct telegram_menu_command *commands, size_t count)
{
	struct telegram_menu *menu = mem_new(1, sizeof(*menu));

	menu->magic = MENU_MAGIC;
	menu->loop = loop;
	menu->api = api;
	menu->commands = commands;
	menu->command_count = count;
	loop_timer_init(&menu->timer, on_time, menu);
	return menu;
}

void
telegram_menu_free(struct telegram_menu *menu)
{
	if (menu == NULL)
		return;
	OBJ_CHECK(menu, MENU_MAGIC);
	loop_timer_stop(&menu->timer);
	telegram_api_cancel(menu->call);
	settings_unref(menu->settings);
	free(menu->target);
	free(menu);
}

/* The first mention of a chat counts. */
static void
add_target(struct telegram_menu *menu, int64_t chat, bool is_team)
{
	for (size_t i = 0; i < menu->n; i++)
		if (menu->target[i].chat == chat)
			return;
	menu->target[menu->n++] = (struct target){ .chat = chat, .is_team = is_team };
}

/* One that moved is named by its old id, and has its menu. */
static void
add_gone(struct telegram_menu *menu, const struct target *before, bool is_done)
{
	size_t n = menu->n;

	if (before->has_moved || (before->is_gone && is_done))
		return;
	add_target(menu, before->chat, false);
	if (menu->n > n)
		menu->target[n].is_gone = true;
}

static size_t
count_chats(const struct settings *settings)
{
	int64_t chat;
	size_t n = 0;

	for (size_t i = 0; settings_next_chat(settings, &i, &chat);)
		n++;
	return n;
}

/* All private chats, the groups that settings name, each person with a role, and those of before.
 * Without memory there are none. */
static void
find_targets(struct telegram_menu *menu)
{
	const struct settings *settings = menu->settings;
	const struct roles *roles = settings->roles;
	CLEANUP(freep) struct target *before = menu->target;
	size_t n_before = menu->n;
	int64_t chat;

	menu->n = 0;
	menu->target = mem_new(
	    1 + count_chats(settings) + roles->member_count + n_before, sizeof(*menu->target));
	add_target(menu, 0, false);
	for (size_t i = 0; settings_next_chat(settings, &i, &chat);)
		add_target(menu, chat, chat < 0); /* else it is a person's */
	for (size_t i = 0; i < roles->member_count; i++)
		if (roles->member[i].person > 0) /* else a user of this machine */
			add_target(menu, roles->member[i].person, false);
	for (size_t i = 0; i < n_before; i++)
		add_gone(menu, &before[i], i < menu->next);
}

void
telegram_menu_set(struct telegram_menu *menu, struct settings *settings)
{
	OBJ_CHECK(menu, MENU_MAGIC);
	/* One call at a time: a pause of the menus before would begin a second one. */
	loop_timer_stop(&menu->timer);
	telegram_api_cancel(menu->call);
	menu->call = NULL;
	menu->failures = 0;
	menu->is_button = false;
	menu->had_console |= menu->settings != NULL && menu->settings->console;
	settings_unref(menu->settings);
	menu->settings = settings_ref(settings);
	find_targets(menu);
	menu->next = 0;
	set_next(menu);
}

static void
on_time(UNUSED struct loop_timer *timer, void *ctx)
{
	set_next(ctx);
}

static bool
is_offered(const struct telegram_menu *menu, const struct target *target, enum policy_action action)
{
	return target->is_team ||
	    policy_decide_somewhere(
		menu->settings, principal_of_person(target->chat), action, clock_wall_ms())
		.verdict == POLICY_ALLOW;
}

static void
put_commands(const struct telegram_menu *menu, const struct target *target, struct json_out *json)
{
	json_put_open(json, "commands", '[');
	for (size_t i = 0; i < menu->command_count; i++) {
		if (!menu->commands[i].is_there(
			menu->settings, menu->commands[i].word, menu->commands[i].action) ||
		    !is_offered(menu, target, menu->commands[i].action))
			continue;
		json_out_object(json);
		json_put_str(json, "command", menu->commands[i].word);
		json_put_str(json, "description", menu->commands[i].description);
		json_out_end(json);
	}
	json_out_end(json);
}

static void
put_scope(const struct target *target, struct json_out *json)
{
	json_put_open(json, "scope", '{');
	json_put_str(json, "type", target->chat == 0 ? "all_private_chats" : "chat");
	if (target->chat != 0)
		json_put_i64(json, "chat_id", target->chat);
	json_out_end(json);
}

/* The button that opens the console, of who may see anything; in a private chat alone. */
static bool
has_button(const struct telegram_menu *menu, const struct target *target)
{
	return target->chat > 0 && (menu->settings->console || menu->had_console);
}

static void
put_button(const struct telegram_menu *menu, const struct target *target, struct json_out *json)
{
	const char *base = settings_text(menu->settings, SETTING_PUBLIC_URL);
	char url[LIMIT_LINK];

	json_put_i64(json, "chat_id", target->chat);
	json_put_open(json, "menu_button", '{');
	if (!menu->settings->console || base == NULL || !text_starts(base, "https://") ||
	    target->is_gone || !is_offered(menu, target, POLICY_TALK)) {
		json_put_str(json, "type", "default");
	} else {
		text_setf(url, "%s%sconsole/", base, text_ends(base, "/") ? "" : "/");
		json_put_str(json, "type", "web_app");
		json_put_str(json, "text", "Console");
		json_put_open(json, "web_app", '{');
		json_put_str(json, "url", url);
		json_out_end(json);
	}
	json_out_end(json);
}

static void
try_later(struct telegram_menu *menu, int64_t retry_after_s)
{
	menu->failures++;
	loop_timer_start(menu->loop, &menu->timer,
	    telegram_pause_ms(menu->failures, PAUSE_FIRST_MS, PAUSE_MAX_MS, retry_after_s), 0);
}

static void
set_next(struct telegram_menu *menu)
{
	const struct target *target;
	CLEANUP(buf_done) struct buf body = buf_make((size_t)64 * 1024);

	OBJ_CHECK(menu, MENU_MAGIC);
	assert(menu->call == NULL && menu->next <= menu->n);
	if (menu->next == menu->n)
		return;
	target = &menu->target[menu->next];
	struct json_out json = json_out_begin(&body, '{');

	if (menu->is_button)
		put_button(menu, target, &json);
	if (!menu->is_button && !target->is_gone)
		put_commands(menu, target, &json);
	if (!menu->is_button)
		put_scope(target, &json);
	json_out_end(&json);

	menu->call = telegram_api_post(menu->api,
	    menu->is_button	? "setChatMenuButton" :
		target->is_gone ? "deleteMyCommands" :
				  "setMyCommands",
	    &body, on_set, menu, NULL);
	if (menu->call == NULL)
		try_later(menu, 0);
}

static void
on_set(void *ctx, const struct telegram_result *result)
{
	struct telegram_menu *menu = OBJ_OF(struct telegram_menu, ctx, MENU_MAGIC);

	menu->call = NULL;
	if (telegram_result_is_passing(result)) {
		try_later(menu, result->retry_after_s);
		return;
	}
	if (result->new_chat != 0 && !menu->target[menu->next].has_moved) {
		menu->target[menu->next].chat = result->new_chat;
		menu->target[menu->next].has_moved = true;
		loop_timer_start(menu->loop, &menu->timer, BETWEEN_MS, 0);
		return;
	}
	if (!result->ok)
		log_debug("no menu in chat %lld: %s", (long long)menu->target[menu->next].chat,
		    result->description);
	menu->failures = 0;
	menu->is_button = !menu->is_button && has_button(menu, &menu->target[menu->next]);
	menu->next += menu->is_button ? 0 : 1;
	loop_timer_start(menu->loop, &menu->timer, BETWEEN_MS, 0);
}
