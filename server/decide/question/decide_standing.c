/* decide_standing.c - somebody asks for what a question is open about: where that question stands.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/question/decide_standing.h"

#include <inttypes.h>
#include <stdio.h>

#include "deployment/deployment.h"
#include "store/row_button.h"
#include "store/row_message.h"

/* A supergroup's id is -100 in front of the one that links have. */
#define SUPERGROUPS INT64_C(-1000000000000)

size_t
decide_standing_list(
    struct tx *tx, const struct deployment *work, int64_t ret[DECIDE_STANDING_ROWS])
{
	size_t n = row_shown_list(tx, work->id, SHOWN_APPROVER, ret);

	ret[n++] = work->message;
	ret[n++] = work->also_message;
	return n + row_button_list_messages(tx, work->id, ret + n, DECIDE_STANDING_OTHERS);
}

int64_t
decide_standing_in(struct tx *tx, const struct deployment *work, const struct chat_address *address)
{
	int64_t rows[DECIDE_STANDING_ROWS];
	size_t n = decide_standing_list(tx, work, rows);

	for (size_t i = 0; i < n; i++) {
		CLEANUP(message_done) struct message message = { 0 };

		if (rows[i] != 0)
			row_message_get(tx, rows[i], &message);
		if (rows[i] != 0 && message.address.chat == address->chat)
			return rows[i];
	}
	return 0;
}

/* False: it is in no supergroup, or was not sent yet. */
static bool
link_of(struct tx *tx, int64_t row, char ret[DECIDE_STANDING_LINK])
{
	CLEANUP(message_done) struct message message = { 0 };

	if (row != 0)
		row_message_get(tx, row, &message);
	if (message.remote_id == 0 || message.address.chat >= SUPERGROUPS)
		return false;
	(void)snprintf(ret, DECIDE_STANDING_LINK, "https://t.me/c/%" PRId64 "/%" PRId64,
	    SUPERGROUPS - message.address.chat, message.remote_id);
	return true;
}

const char *
decide_standing_link(struct tx *tx, const struct deployment *work,
    const struct chat_address *address, char ret[DECIDE_STANDING_LINK])
{
	int64_t rows[DECIDE_STANDING_ROWS];
	size_t n = decide_standing_list(tx, work, rows);

	ret[0] = '\0';
	if (link_of(tx, decide_standing_in(tx, work, address), ret))
		return ret;
	for (size_t i = 0; i < n; i++)
		if (link_of(tx, rows[i], ret))
			break;
	return ret;
}
