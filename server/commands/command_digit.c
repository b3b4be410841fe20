/* command_digit.c - a button of the pad that a code is typed on.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/factor/decide_pad.h"

void
command_digit(struct tx *tx, const struct update *update, const struct request *request)
{
	decide_pad_press(tx, update, request); /* whose it is, its row says */
}
