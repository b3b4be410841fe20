/* handle_update.c - somebody wrote, pressed a button, or their chat moved.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "commands/commands.h"
#include "decide/who/decide_allowed.h"
#include "decide/approval/decide_approval.h"
#include "decide/decide_chat.h"
#include "decide/factor/decide_factor_state.h"
#include "decide/decide_limit.h"
#include "decide/approval/decide_line.h"
#include "decide/who/decide_console.h"
#include "decide/who/decide_login.h"
#include "decide/factor/decide_pad.h"
#include "decide/factor/decide_pad_astray.h"
#include "decide/tell/decide_pin.h"
#include "decide/decide_reply.h"
#include "decide/who/decide_session.h"
#include "decide/who/decide_token.h"
#include "handlers/handlers.h"
#include "lib/text.h"
#include "store/row_chat.h"
#include "store/row_message.h"
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
	if (strcmp(button->request.action, "confirm") != 0 &&
	    strcmp(button->request.action, "approve") != 0)
		return false; /* a no, and a yes that is withdrawn, may wait */
	row_deployment_get(tx, request_number(&button->request, "work"), &work);
	return deployment_is_rollback(&work);
}

/* Whoever presses second is told that somebody else was first. */
static void
handle_used_button(struct tx *tx, const struct update *update, const struct button_row *button)
{
	struct deployment deployment;

	row_deployment_get(tx, request_number(&button->request, "work"), &deployment);
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

static void
carry_out(struct tx *tx, const struct update *update, UNUSED void *arg)
{
	if (update->kind == UPDATE_TEXT)
		commands_handle(tx, update);
	else
		handle_press(tx, update);
	tx->request = NULL; /* it was theirs */
}

/* Where a code is needed nothing was done: it is asked for.  Where one has come, what it was asked
 * for is decided as if it came now. */
static void
handle_said(struct tx *tx, const struct update *update)
{
	if (decide_factor_asks(tx, update, carry_out, NULL))
		decide_pad_ask(tx, update);
	else if (decide_factor_typed(tx)[0] != '\0')
		decide_pad_use(tx, update, carry_out);
}

/* Somebody may wait for what they sent; where nobody takes archives a file is nobody's business. */
static bool
is_lost_archive(const struct settings *settings, const struct update *update)
{
	bool takes = update_is_deploy(update);

	for (size_t i = 0; !takes && update->has_file && i < settings->environment_count; i++)
		takes = settings->environments[i].takes_uploads;
	return takes && update->is_caption && update->is_private;
}

static void
handle_new(struct tx *tx, const struct update *update)
{
	struct token leaked;
	bool is_leaked;

	decide_console_leaked(tx, update);
	is_leaked = decide_token_leaked(tx, update, &leaked); /* whose group it is says nothing */
	if (decide_chat_is_foreign(tx, update)) {
		tx->is_toasted =
		    decide_is_stranger(tx, update->person); /* nobody counts them there */
		return;
	}
	if (decide_login_astray(tx, update) || decide_pad_astray(tx, update))
		return;
	if (is_leaked)
		(void)decide_sendf(tx, &update->address,
		    "🔐 Token revoked: " MARK_BOLD "%s" MARK_BOLD
		    " was typed here, where others see it. Delete that message.",
		    leaked.name);
	if (update->refusal != UPDATE_REFUSED_NONE) {
		if (!decide_line_refused(tx, update) && wants_something(update))
			decide_audit_denied(tx, update, AUDIT_CODE_DENIED_MESSAGE,
			    update->kind == UPDATE_PRESS ? "press" : "message", "",
			    update_refusal_words(update->refusal));
		if (is_lost_archive(tx->settings, update) &&
		    !decide_is_stranger(tx, update->person))
			(void)decide_sendf(tx, &update->address,
			    "Archive not taken: send it here as one file, not as a photo, in an album, forwarded, edited or through a bot, with the caption %s/deploy%s and an environment.",
			    MARK_CODE, MARK_CODE);
		if (update->refusal == UPDATE_REFUSED_UNREADABLE && update->callback[0] != '\0')
			decide_expired(tx, update);
		return;
	}
	if (update->is_private && !decide_is_stranger(tx, update->person) &&
	    row_chat_note_private(tx, update->person)) {
		row_message_catch_up(tx, update->person);
		decide_approvals_show(tx, update->person);
	}
	switch (update->kind) {
	case UPDATE_TEXT:
	case UPDATE_PRESS:
		decide_session_touch(tx, update->person);
		handle_said(tx, update);
		break;
	case UPDATE_MIGRATED:
		decide_pin_move(tx, update->address.chat, update->new_chat);
		(void)decide_chat_move(tx, update->address.chat, update->new_chat);
		break;
	case UPDATE_OTHER:
		break;
	}
}

/* Without an answer its button turns for a minute, whatever came of the press. */
static void
answer_press(struct tx *tx, const struct update *update)
{
	if (update->kind == UPDATE_PRESS && update->refusal == UPDATE_REFUSED_NONE &&
	    !tx->is_toasted)
		decide_toastf(tx, update, false, "%s", "");
}

void
handle_update(struct tx *tx, const struct event *event)
{
	const struct update *update = event->u.update;
	char key[24];

	text_setf(key, "%" PRId64, update->id);
	if (update->id != 0 && !row_dedupe_add(tx, "telegram", key, NULL)) {
		tx->answer.is_duplicate = true;
		return;
	}
	handle_new(tx, update);
	answer_press(tx, update);
}
