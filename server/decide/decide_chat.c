/* decide_chat.c - which chats are ours: where is reported, which is left, which has moved; deletions.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_chat.h"

#include <inttypes.h>

#include "lib/text.h"
#include "store/row_chat.h"
#include "store/row_effect.h"
#include "store/row_message.h"
#include "store/row_pin.h"
#include "store/row_rate_limit.h"
#include "types/settings.h"

#define LEAVE_EVERY_MS (60 * INT64_C(1000))
/* That a group of ours has become another one may be said behind what is said in that. */
#define LEAVE_BEHIND_MS (5 * INT64_C(1000))

int64_t
decide_chat_of(struct tx *tx, const char *environment)
{
	return row_chat_now(tx, settings_of(tx->settings, environment)->telegram_chat_id);
}

int64_t
decide_team_of(struct tx *tx, const char *environment)
{
	const struct settings *of = settings_of(tx->settings, environment);

	return settings_text(of, SETTING_TELEGRAM_CHAT_ID) != NULL ?
	    row_chat_now(tx, of->telegram_chat_id) :
	    0;
}

static bool
is_known(struct tx *tx, int64_t chat)
{
	char names[LIMIT_LINE];

	return !settings_is_given(tx->settings, SETTING_ALLOWED_CHATS) ||
	    settings_names_chat(tx->settings, chat, names, sizeof(names)) ||
	    settings_names_chat(tx->settings, row_chat_before(tx, chat), names, sizeof(names));
}

bool
decide_chat_is_foreign(struct tx *tx, const struct update *update)
{
	int64_t chat = update->address.chat;
	char name[24];

	if (chat == 0 || update->is_private || update->kind == UPDATE_MIGRATED ||
	    is_known(tx, chat))
		return false;
	text_setf(name, "%" PRId64, chat);
	if (row_rate_limit_take(tx, 1, LEAVE_EVERY_MS, "leave:%" PRId64, chat))
		(void)row_effect_timer(tx, TIMER_LEAVE, name, 0, tx->at + LEAVE_BEHIND_MS);
	return true;
}

void
decide_chat_leave(struct tx *tx, int64_t chat)
{
	struct effect *effect = is_known(tx, chat) ? NULL : effect_new(EFFECT_LEAVE_CHAT);

	if (is_known(tx, chat))
		return;
	if (effect != NULL)
		effect->u.leave_chat.chat = chat;
	(void)row_effect_add(tx, effect);
}

static void
log_moved(struct tx *tx, int64_t old_chat, int64_t new_chat)
{
	char names[LIMIT_LINE];

	if (settings_names_chat(tx->settings, old_chat, names, sizeof(names)))
		tx_log(tx, LOG_LEVEL_WARNING,
		    "the group %" PRId64 " became the supergroup %" PRId64 ": put that id into %s",
		    old_chat, new_chat, names);
}

bool
decide_chat_move(struct tx *tx, int64_t old_chat, int64_t new_chat)
{
	char names[LIMIT_LINE];

	/* Which rows are of it takes a look at all of them: not for whoever has a group. */
	if (!is_known(tx, old_chat) && !is_known(tx, new_chat))
		return false;
	row_message_move_chat(tx, old_chat, new_chat);
	/* Of others' groups no row is kept; what is pinned where it was ours is ended there. */
	if ((!settings_names_chat(tx->settings, old_chat, names, sizeof(names)) &&
		row_pin_get(tx, new_chat).timer == 0) ||
	    row_chat_now(tx, old_chat) == new_chat)
		return true;
	row_chat_move(tx, old_chat, new_chat);
	log_moved(tx, old_chat, new_chat);
	return true;
}

void
decide_chat_log_moved(struct tx *tx)
{
	int64_t chat;

	for (size_t i = 0; settings_next_chat(tx->settings, &i, &chat);)
		if (row_chat_now(tx, chat) != chat)
			log_moved(tx, chat, row_chat_now(tx, chat));
}

void
decide_chat_unwrite(struct tx *tx, const struct update *update)
{
	struct effect effect = { .kind = EFFECT_DELETE_MESSAGE };

	if (update->message == 0)
		return;
	effect.u.delete_message =
	    (struct effect_delete_message){ update->address.chat, update->message };
	(void)row_effect_order(tx, &effect);
}
