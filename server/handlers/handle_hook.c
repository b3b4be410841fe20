/* handle_hook.c - a call of /hooks: decided once, as if the hook had typed its line.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/factor/decide_factor_try.h"
#include "decide/decide_reply.h"
#include "decide/view/decide_begun.h"
#include "handlers/handlers.h"
#include "lib/buf.h"
#include "lib/json.h"
#include "store/row_hook.h"
#include "store/row_principal.h"

static void
act(struct tx *tx, const struct update *update, void *arg)
{
	const struct hook_call *call = arg;

	commands_request(tx, update, &call->request);
}

static struct hook_use
use_of(const struct hook_call *call)
{
	return (struct hook_use){ .id = call->id, .key = call->key, .digest = call->digest };
}

/* Begun is 202; what only said something was refused. */
static void
decide(struct tx *tx, struct hook_call *call)
{
	struct hook_use use = use_of(call);

	if (decide_factor_asks(tx, &call->from, act, call)) {
		decide_factor_refuse_program(tx, &call->from, &call->request);
	} else if (tx->answer.status == 200) {
		tx->answer.status = tx->answer.work != 0 ? 202 : 409;
	}
	if (tx->answer.status != 429) /* that is tried again */
		row_hook_note(tx, &use);
}

static void
put_answer(struct tx *tx)
{
	struct buf out = { .cap = LIMIT_ANSWER_TEXT };
	struct json_out json = json_out_begin(&out, '{');

	decide_put_begun(tx, &json);
	json_out_end(&json);
	free(tx->answer.text);
	tx_check(tx, &out);
	tx->answer.text = buf_take(&out);
}

void
handle_hook(struct tx *tx, const struct event *event)
{
	struct hook_call *call = event->u.hook;
	struct hook_use use = use_of(call);
	struct hook_answer before = row_hook_find(tx, &use);

	call->from.person = row_principal_of_id(tx, PRINCIPAL_HOOK, call->id);

	if (before.status == 0) {
		decide(tx, call);
	} else if (before.is_other) {
		decide_refusef(tx, 422, "this key was used with another body within 24 hours");
	} else {
		tx->answer.status = before.status;
		tx->answer.work = before.work;
		tx->answer.is_duplicate = true;
		decide_answer(
		    tx, before.said[0] != '\0' ? before.said : "the same call came before");
	}
	put_answer(tx);
}
