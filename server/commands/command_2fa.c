/* command_2fa.c - /2fa: shows one's own second factor, takes a recovery code, resets another's.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "commands/commands.h"
#include "decide/factor/decide_factor.h"
#include "decide/factor/decide_factor_state.h"
#include "decide/factor/decide_lacks.h"
#include "decide/factor/decide_pad.h"
#include "decide/factor/decide_factor_own.h"
#include "decide/decide_reply.h"
#include "decide/who/decide_principal.h"
#include "decide/tell/decide_whom.h"
#include "lib/text.h"

#define CONFIRM "confirm "
#define RECOVER "recover "
#define RESET	"reset "

static void
show(struct tx *tx, const struct update *update)
{
	struct factor factor = decide_factor_of(tx, update->person);
	struct chat_text text = CHAT_TEXT_EMPTY;

	if (factor.enrolled_at == 0 && tx->settings->enrols_by_page) {
		decide_factor_own_begin(tx, update);
		return;
	}
	if (factor.enrolled_at == 0) {
		(void)decide_sendf(tx, &update->address,
		    "🔐 You have no second factor. Root or another admin makes one: " MARK_CODE
		    "deploybot 2fa add %" PRId64 MARK_CODE,
		    update->person);
		return;
	}
	chat_text_ago(&text, "🔐 You have a second factor, since ", factor.enrolled_at, tx->at);
	chat_text_add(&text,
	    ", and %" PRId64 " recovery codes. " MARK_CODE "/2fa recover <code>" MARK_CODE
	    " takes one of them in the place of a code.",
	    row_factor_count_recovery(tx, update->person));
	(void)decide_send(tx, &update->address, &text);
}

/* What a pad asks for goes on with it. */
static void
recover(struct tx *tx, const struct update *update, const char *typed)
{
	char why[LIMIT_LINE];
	CLEANUP(decide_pad_wipe) struct pad pad;

	if (!decide_pad_get(tx, update, &pad))
		return;
	if (pad.message != 0) /* a blank is refused as a code; "" would be none */
		decide_factor_set_typed(tx, typed[0] != '\0' ? typed : " ");
	else if (!decide_factor_recover(tx, update, update->person, typed, why))
		(void)decide_sendf(tx, &update->address, "🔐 Not accepted: %s.", why);
}

static void
reset(struct tx *tx, const struct update *update, const char *typed)
{
	char what[LIMIT_LINE], whose[DECIDE_WHOSE];
	int64_t person = 0;

	if (!text_to_i64(typed, 1, INT64_MAX, &person, NULL)) {
		(void)decide_sendf(
		    tx, &update->address, "Whose? " MARK_CODE "/2fa reset <Telegram id>" MARK_CODE);
		return;
	}
	text_setf(what, "2FA reset of %" PRId64, person);
	if (!decide_factor_may(tx, update, what) ||
	    !decide_factor_gives_code(tx, update, person, what) ||
	    decide_lacks_factor_for(tx, update, what))
		return;
	if (decide_factor_of(tx, person).person == 0) {
		(void)decide_sendf(tx, &update->address, "🔐 %s has no second factor.",
		    decide_whose(tx, person, whose));
		return;
	}
	decide_factor_reset(tx, update, person);
	(void)decide_sendf(tx, &update->address,
	    "🔐 Done: the second factor of %s ends within 10 minutes. They and all admins are notified.",
	    decide_whose(tx, person, whose));
}

void
command_2fa(struct tx *tx, const struct update *update, const struct request *request)
{
	char text[LIMIT_REF];

	(void)request_get(request, COMMANDS_TEXT, text);
	if (!decide_may(tx, update, POLICY_TALK, ""))
		return;
	if (!update->is_private)
		(void)decide_send_firstf(tx, &update->address, FIRST_CODE_REFUSED, "/2fa",
		    "it works in our private chat only. A recovery code sent here was not used, and others have seen it.");
	else if (!decide_has_own_role(tx, update->person))
		(void)decide_send_firstf(tx, &update->address, FIRST_CODE_REFUSED, "/2fa",
		    "a login by a token makes no second factor.");
	else if (text[0] == '\0')
		show(tx, update);
	else if (text_starts_ci(text, CONFIRM))
		decide_factor_own_prove(tx, update, text + strlen(CONFIRM));
	else if (text_starts_ci(text, RECOVER))
		recover(tx, update, text + strlen(RECOVER));
	else if (text_starts_ci(text, RESET))
		reset(tx, update, text + strlen(RESET));
	else
		(void)decide_sendf(tx, &update->address,
		    "Usage: " MARK_CODE "/2fa" MARK_CODE ", " MARK_CODE
		    "/2fa confirm <code>" MARK_CODE ", " MARK_CODE "/2fa recover <code>" MARK_CODE
		    " or " MARK_CODE "/2fa reset <id>" MARK_CODE);
}
