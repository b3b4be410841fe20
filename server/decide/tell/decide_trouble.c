/* decide_trouble.c - what is pressed where something is down, or not known: the three lines' buttons.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/tell/decide_trouble.h"

#include <stdio.h>

#include "chat/chat_deployment.h"
#include "decide/who/decide_allowed.h"
#include "decide/view/decide_application_log.h"
#include "decide/queue/decide_previous.h"
#include "store/row_button.h"
#include "store/row_environment.h"

#define FRESH_MS INT64_C(3600000) /* then its button is expired */

static const char *
label_looked(const char *environment, char label[static LIMIT_BUTTON])
{
	(void)snprintf(label, LIMIT_BUTTON, "▶️ Resume queue of %.40s", environment);
	return label;
}

void
decide_trouble_add_looked(
    struct tx *tx, const char *environment, int64_t chat, int64_t message, struct buttons *buttons)
{
	const struct request request = request_of("looked", environment);
	struct button_row row = row_button_find_in(tx, &request, message);
	char label[LIMIT_BUTTON];

	if (message == 0 || !row.is_open)
		row = (struct button_row){ .request = request, .chat = chat };
	row_button_show(tx, &row, label_looked(environment, label), buttons);
}

static bool
may_in(struct tx *tx, enum policy_action action, const char *name, int64_t chat)
{
	return chat < 0 || decide_is_allowed(tx, chat, action, name);
}

static void
add(struct tx *tx, const char *action, const char *what, const char *name, int64_t chat,
    struct buttons *buttons)
{
	struct request request = request_of(action, name);
	char label[LIMIT_BUTTON];

	if (strcmp(action, "rollback") == 0)
		request_add_number(&request, DECIDE_TROUBLE, 1);
	row_button_show_for(tx, &request, chat, tx->at + FRESH_MS,
	    chat_deployment_label(what, name, label), buttons);
}

void
decide_trouble_buttons(struct tx *tx, const char *environment, int64_t chat, bool can_roll_back,
    struct buttons *buttons)
{
	struct environment now;
	const struct request logs = request_of("logs", environment);
	const struct request looked = request_of("looked", environment);
	char label[LIMIT_BUTTON];

	row_environment_get(tx, environment, &now);
	if (may_in(tx, POLICY_LOG, environment, chat) &&
	    decide_can_ask_application_log(tx, environment))
		row_button_show_for(tx, &logs, chat, 0, "📄 Application log", buttons);
	if (can_roll_back && now.current.id != 0 && may_in(tx, POLICY_ROLLBACK, environment, chat))
		add(tx, "rollback", CHAT_ROLL_BACK, environment, chat, buttons);
	else if (now.unknown_since != 0 && may_in(tx, POLICY_DEPLOY, environment, chat))
		add(tx, "deploy", "🚀 Deploy to", environment, chat, buttons);
	if (now.unknown_since != 0 && may_in(tx, POLICY_ROLLBACK, environment, chat))
		row_button_show_for(
		    tx, &looked, chat, 0, label_looked(environment, label), buttons);
	else if (now.unknown_since == 0 && may_in(tx, POLICY_DEPLOY, environment, chat))
		add(tx, "deploy", "🚀 Deploy to", environment, chat, buttons);
}
