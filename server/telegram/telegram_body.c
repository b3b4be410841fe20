/* telegram_body.c - the arguments of the methods that send and edit messages, as JSON.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "telegram/telegram_body.h"

#include "lib/buf.h"
#include "lib/json.h"
#include "lib/text.h"

/* More would be cut on a phone where several buttons stand in one row. */
#define ROW_UNITS   24
#define ROW_BUTTONS 2
#define ROW_KEYS    3 /* of one letter each: a pad of digits */

static void
put_button(struct json_out *json, const struct button *button)
{
	json_out_object(json);
	json_put_str(json, "text", button->label);
	if (button->copy[0] != '\0') {
		json_put_open(json, "copy_text", '{');
		json_put_str(json, "text", button->copy);
		json_out_end(json);
	} else if (button->is_web_app) {
		json_put_open(json, "web_app", '{');
		json_put_str(json, "url", button->link);
		json_out_end(json);
	} else if (button->link[0] != '\0') {
		json_put_str(json, "url", button->link);
	} else {
		json_put_str(json, "callback_data", button->id);
	}
	json_out_end(json);
}

/* As many buttons in a row as stay readable. */
static void
put_rows(struct json_out *json, const struct buttons *buttons)
{
	size_t used = 0, n = 0;

	json_out_array(json);
	for (size_t i = 0; i < buttons->n; i++) {
		const char *label = buttons->at[i].label;
		size_t units = text_utf16_length(label, strlen(label));

		if (i == 0 || used + units > ROW_UNITS ||
		    n >= (units == 1 ? ROW_KEYS : ROW_BUTTONS)) {
			if (i > 0)
				json_out_end(json);
			json_out_array(json);
			used = n = 0;
		}
		used += units;
		n++;
		put_button(json, &buttons->at[i]);
	}
	json_out_end(json);
	json_out_end(json);
}

static void
put_buttons(struct json_out *json, const struct buttons *buttons)
{
	if (buttons->n == 0)
		return; /* left out of an edit, it takes the old ones away */
	json_put_open(json, "reply_markup", '{');
	json_out_key(json, "inline_keyboard");
	put_rows(json, buttons);
	json_out_end(json);
}

/* What an edit has not.  A reply to what is gone is a message of its own. */
static void
put_sending(struct json_out *json, const struct telegram_body *body)
{
	const struct message *message = body->message;

	if (message->address.thread != 0)
		json_put_i64(json, "message_thread_id", message->address.thread);
	if (body->is_silent)
		json_put_bool(json, "disable_notification", true);
	if (message->reply_to == 0)
		return;
	json_put_open(json, "reply_parameters", '{');
	json_put_i64(json, "message_id", message->reply_to);
	json_put_bool(json, "allow_sending_without_reply", true);
	json_out_end(json);
}

void
telegram_body_message(const struct telegram_body *body, struct buf *out)
{
	const struct message *message = body->message;
	struct json_out json = json_out_begin(out, '{');

	json_put_i64(&json, "chat_id", message->address.chat);
	if (body->is_edit)
		json_put_i64(&json, "message_id", message->remote_id);
	else
		put_sending(&json, body);
	json_put_str(&json, "text", body->text);
	if (body->is_html)
		json_put_str(&json, "parse_mode", "HTML");
	json_put_open(&json, "link_preview_options", '{');
	json_put_bool(&json, "is_disabled", true);
	json_out_end(&json);
	put_buttons(&json, &message->buttons);
	json_out_end(&json);
}

void
telegram_body_toast(const struct effect_toast *toast, struct buf *out)
{
	size_t size = strlen(toast->text);
	struct json_out json = json_out_begin(out, '{');

	json_put_str(&json, "callback_query_id", toast->callback);
	json_out_key(&json, "text");
	json_out_strn(&json, toast->text, text_utf16_cut(toast->text, size, LIMIT_TOAST));
	if (toast->is_alert)
		json_put_bool(&json, "show_alert", true);
	json_out_end(&json);
}
