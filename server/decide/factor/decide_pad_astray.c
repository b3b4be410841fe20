/* decide_pad_astray.c - a code that is typed as a message, which nothing takes.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/factor/decide_pad_astray.h"

#include "decide/decide_chat.h"
#include "decide/decide_limit.h"
#include "decide/decide_reply.h"
#include "decide/factor/decide_factor_own.h"
#include "decide/factor/decide_pad.h"
#include "lib/text.h"
#include "lib/totp.h"

#define DIGITS "0123456789"
#define HALF   (TOTP_DIGITS / 2)

/* "123456", or as apps show it, "123 456". */
static bool
is_code(const char *text)
{
	return totp_is_code(text) ||
	    (strlen(text) == TOTP_DIGITS + 1 && strspn(text, DIGITS) == HALF && text[HALF] == ' ' &&
		strspn(text + HALF + 1, DIGITS) == HALF);
}

/* Alone, or behind what it may be for: "/approve 12 123456".  What stands alone behind a command is
 * a number. */
static bool
has_code(const char *text)
{
	const char *words = strchr(text, ' '), *end = text + strlen(text), *before;
	bool has = is_code(text);

	if (text[0] != '/' || text_starts_ci(text, "/2fa"))
		return has;
	for (size_t n = TOTP_DIGITS + 1; n <= TOTP_DIGITS + 2 && (size_t)(end - text) > n; n++) {
		before = end - n;
		has = has || (*before == ' ' && before != words && is_code(before + 1));
	}
	return has;
}

/* A group does not read what it is asked for. */
static void
say_where(struct tx *tx, const struct update *update, bool has_pad)
{
	const char *name = tx->event->context.own_name;
	bool is_linked = !update->is_private && name[0] != '\0';

	(void)decide_sendf(tx, &update->address,
	    "🔐 Not taken: %s%s%s%s%s. Your message is deleted.",
	    has_pad ? "press the code on the pad" :
		      "write " MARK_CODE "/2fa confirm" MARK_CODE " before the code",
	    update->is_private ? "" : " in our private chat", is_linked ? ", https://t.me/" : "",
	    is_linked ? name : "", has_pad ? ", by its buttons" : "");
}

bool
decide_pad_astray(struct tx *tx, const struct update *update)
{
	CLEANUP(decide_pad_wipe) struct pad pad = { 0 };

	if (update->kind != UPDATE_TEXT || !has_code(update->text))
		return false;
	row_pad_get(tx, update->person, &pad);
	if (pad.message == 0 && !decide_factor_own_waits(tx, update->person))
		return false;
	if (decide_is_too_fast(tx, update, "code", false))
		return true;
	decide_chat_unwrite(tx, update);
	say_where(tx, update, pad.message != 0);
	return true;
}
