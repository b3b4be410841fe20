/* decide_pad_close.c - a pad of buttons goes, and its message says why.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/factor/decide_pad_close.h"

#include "decide/decide_reply.h"
#include "lib/crypto.h"
#include "store/row_button.h"

void
decide_pad_close(struct tx *tx, const struct pad *pad, enum chat_first first, const char *rest)
{
	struct chat_text text = CHAT_TEXT_EMPTY;

	row_button_close_keyboard(tx, pad->message);
	row_pad_drop(tx, pad->update.person);
	chat_first(&text, first, pad->wants);
	chat_text_outside(&text, "", rest);
	decide_change(tx, pad->message, NULL, &text);
}

void
decide_pad_over(struct tx *tx, int64_t work, const char *why)
{
	int64_t person = 0;
	struct pad pad;

	while ((person = row_pad_next(tx, work, person)) != 0 && !tx->failed) {
		row_pad_get(tx, person, &pad);
		if (pad.message != 0)
			decide_pad_close(tx, &pad, FIRST_CODE_REFUSED, why);
		crypto_wipe(pad.digits, sizeof(pad.digits));
	}
}
