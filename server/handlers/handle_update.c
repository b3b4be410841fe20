/* handle_update.c - somebody wrote, pressed a button, or their chat moved.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>

#include "commands/commands.h"
#include "decide/decide_chat.h"
#include "decide/decide_limit.h"
#include "decide/decide_reply.h"
#include "handlers/handlers.h"
#include "store/row_dedupe.h"
#include "store/row_deployment.h"
#include "store/row_button.h"

/* Nobody is kept from stopping, or from answering what a rollback asks. */
static bool
is_always(struct tx *tx, const struct button_row *button)
{
	struct deployment work;

	if (commands_is_always(button->request.action))
		return true;
	work = row_deployment_get(tx, request_number(&button->request, "work"));
	return deployment_is_rollback(&work);
}

/* Whoever presses second is told that somebody else was first. */
static void
handle_used_button(struct tx *tx, const struct update *update, const struct button_row *button)
{
	struct deployment deployment =
	    row_deployment_get(tx, request_number(&button->request, "work"));

	if (strcmp(button->request.action, "confirm") == 0 && deployment.confirmed_by != 0)
		decide_toastf(
		    tx, update, false, "%s has confirmed it already.", deployment.confirmer);
	else
		decide_expired(tx, update);
}

static void
handle_press(struct tx *tx, const struct update *update)
{
	struct button_row button = row_button_get(tx, update->button);

	if (decide_is_too_fast(tx, update, "press", is_always(tx, &button)))
		return;
	if (button.id[0] == '\0' || button.chat != update->address.chat)
		decide_expired(tx, update);
	else if (!button.is_open)
		handle_used_button(tx, update, &button);
	else
		commands_press(tx, update, &button);
}

/* Of what is not looked at, talk is no request: a group's forwards do not fill the audit. */
static bool
wants_something(const struct update *update)
{
	struct chat_command command;

	return update->kind != UPDATE_TEXT || update->refusal == UPDATE_REFUSED_UNREADABLE ||
	    chat_command_parse(update->text, &command);
}

void
handle_update(struct tx *tx, const struct event *event)
{
	const struct update *update = event->u.update;
	char key[24];

	(void)snprintf(key, sizeof(key), "%" PRId64, update->id);
	if (update->id != 0 && !row_dedupe_add(tx, "telegram", key, NULL)) {
		tx->answer.is_duplicate = true;
		return;
	}
	if (decide_chat_is_foreign(tx, update))
		return;
	if (update->refusal != UPDATE_REFUSED_NONE) {
		if (wants_something(update))
			decide_audit_denied(tx, update,
			    update->kind == UPDATE_PRESS ? "press" : "message", "",
			    update_refusal_words(update->refusal));
		if (update->refusal == UPDATE_REFUSED_UNREADABLE && update->callback[0] != '\0')
			decide_expired(tx, update);
		return;
	}
	switch (update->kind) {
	case UPDATE_TEXT:
		commands_handle(tx, update);
		break;
	case UPDATE_PRESS:
		handle_press(tx, update);
		break;
	case UPDATE_MIGRATED:
		decide_chat_move(tx, update->address.chat, update->new_chat);
		break;
	case UPDATE_OTHER:
		break;
	}
}
