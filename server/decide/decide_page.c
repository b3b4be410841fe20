/* decide_page.c - keyboards of choices and of pages.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_page.h"

#include <inttypes.h>

#include "chat/chat_hold.h"
#include "decide/decide_reply.h"
#include "lib/text.h"
#include "store/row_button.h"
#include "store/row_message.h"
#include "store/row_witness.h"

#define ONCE_MS	 (600 * INT64_C(1000))
#define PAGES_MS (24 * 3600 * INT64_C(1000))

static void
show_own(struct tx *tx, const struct update *update, const struct request *request, bool is_once,
    int64_t lasts_ms, const char *label, struct buttons *keyboard)
{
	struct button_row button = {
		.request = *request,
		.chat = update->address.chat,
		.person = update->person,
		.is_once = is_once,
		.expires_at = tx->at + lasts_ms,
	};

	row_button_show(tx, &button, label, keyboard);
}

void
decide_own_button(struct tx *tx, const struct update *update, const struct request *request,
    int64_t lasts_ms, const char *label, struct buttons *keyboard)
{
	show_own(tx, update, request, false, lasts_ms, label, keyboard);
}

void
decide_kept_button(struct tx *tx, const struct update *update, const struct request *request,
    int64_t lasts_ms, int64_t message, const char *label, struct buttons *keyboard)
{
	struct button_row row = row_button_find_in(tx, request, message);

	if (row.is_open)
		row_button_show(tx, &row, label, keyboard);
	else
		decide_own_button(tx, update, request, lasts_ms, label, keyboard);
}

void
decide_once_button(struct tx *tx, const struct update *update, const struct request *request,
    const char *label, struct buttons *keyboard)
{
	show_own(tx, update, request, true, ONCE_MS, label, keyboard);
}

size_t
decide_page(
    const struct request *request, size_t n, size_t each, int64_t *ret_page, int64_t *ret_pages)
{
	int64_t page = request_get_number(request, "page");

	*ret_pages = n == 0 ? 1 : (int64_t)((n + each - 1) / each);
	*ret_page = page < 1 ? 1 : page > *ret_pages ? *ret_pages : page;
	return (size_t)(*ret_page - 1) * each;
}

static void
add_page(struct tx *tx, const struct update *update, const struct request *request, int64_t page,
    const char *label, struct buttons *keyboard)
{
	struct request at = *request;

	request_drop(&at, "page");
	request_add_number(&at, "page", page);
	decide_own_button(tx, update, &at, PAGES_MS, label, keyboard);
}

void
decide_page_buttons(struct tx *tx, const struct update *update, const struct request *request,
    int64_t page, int64_t pages, struct buttons *keyboard)
{
	char label[LIMIT_BUTTON];

	text_setf(label, "◀ %" PRId64 "/%" PRId64, page - 1, pages);
	if (page > 1)
		add_page(tx, update, request, page - 1, label, keyboard);
	text_setf(label, "%" PRId64 "/%" PRId64 " ▶", page + 1, pages);
	if (page < pages)
		add_page(tx, update, request, page + 1, label, keyboard);
}

int64_t
decide_send_keyboard(struct tx *tx, const struct update *update, const struct request *request,
    struct message *as, struct chat_text *text)
{
	int64_t row = request == NULL ? 0 : request->message;
	int64_t page = row == 0 ? 0 : request_get_number(request, "page");

	if (row_witness_is_late(tx) && !buf_failed(&text->buf)) {
		chat_text_add(text, CHAT_HOLD_UNWITNESSED);
		tx_check(tx, &text->buf);
	}
	as->head = chat_text_take(text);
	if (as->head != NULL && decide_is_answered(update)) {
		decide_answer(tx, as->head);
		message_done(as);
		return 0;
	}
	as->address = update->address;
	as->is_silent = as->is_answer = true;
	if (row != 0) {
		row_button_close_keyboard(tx, row);
		row_message_change(tx, row, as);
	} else {
		row = row_message_add(tx, as);
	}
	row_button_set_message(tx, &as->buttons, row);
	message_done(as);
	if (page != 0)
		decide_toastf(tx, update, false, "Page %" PRId64, page);
	return row;
}

void
decide_choice(struct tx *tx, const struct update *update, const struct request *request,
    const char *target, struct buttons *keyboard)
{
	struct request chosen = *request;

	request_drop(&chosen, "page");
	request_drop(&chosen, REQUEST_TYPED);
	text_set(chosen.target, target);
	decide_once_button(tx, update, &chosen, target, keyboard);
}
