/* command_status.c - /status [environment or application]: what is known; asks the health URLs.  Side: store. */
/* SPDX-License-Identifier: ISC */

#include "commands/commands.h"
#include "decide/decide_page.h"
#include "decide/view/decide_status.h"
#include "decide/question/decide_where.h"
#include "store/row_effect.h"

/* Health is mostly known sooner, so that it is one message. */
#define MOMENT_MS 300

static void
show(struct tx *tx, const struct update *update, const struct request *request)
{
	struct message message = { 0 };
	struct chat_text text = CHAT_TEXT_EMPTY;
	struct effect *probe = decide_status_probe(tx, update, request);
	const struct decide_status_health health = { probe != NULL ? &probe->u.probe : NULL, NULL };
	int64_t row = 0;

	message.held_until = probe != NULL ? tx->at + MOMENT_MS : 0;
	if (decide_status(tx, update, request, &health, 0, &message.buttons, &text))
		row = decide_send_keyboard(tx, update, request, &message, &text);
	if (probe == NULL)
		return;
	probe->u.probe.message = row;
	row_button_set_effect(tx, row, row_effect_add(tx, probe));
}

void
command_status(struct tx *tx, const struct update *update, const struct request *request)
{
	CLEANUP(decide_scope_done) struct decide_scope scope = { 0 };

	if (decide_scope(tx, update, POLICY_STATUS, request, &scope))
		show(tx, update, request);
}
