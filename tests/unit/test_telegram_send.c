/* test_telegram_send.c - a message stands in its chat in the end, or Telegram's no is told. */
/* SPDX-License-Identifier: ISC */
#include "telegram/telegram_send.h"

#include <fcntl.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/crypto.h"
#include "lib/log.h"
#include "telegram/telegram_api.h"
#include "tests/unit/fake_telegram.h"
#include "types/settings.h"
#include "unit.h"

struct world {
	struct loop *loop;
	struct fake_telegram *fake;
	struct settings *settings;
	struct telegram_api *api;
	struct telegram_send *send;
	size_t calls; /* counted for the metrics */
	int last_code;
	char live[64];
	int steps;
	bool is_done;
	bool was_dropped;
	struct message_sent said;
	char failure[256];
	bool is_stale; /* the lease */
};

static void
count_call(void *ctx, const char *method, int code)
{
	struct world *w = ctx;

	(void)method;
	w->calls++;
	w->last_code = code;
}

static void
on_live(void *ctx, const struct message *message, struct buf *marked)
{
	struct world *w = ctx;

	(void)message;
	buf_adds(marked, w->live);
}

static bool
may_send(void *ctx)
{
	return !((const struct world *)ctx)->is_stale;
}

static int
set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct err err;

	log_set_level(LOG_LEVEL_ERROR);
	w->loop = loop_new(&err);
	w->fake = fake_telegram_new(w->loop);
	w->settings = fake_telegram_settings(w->fake, NULL);
	w->api = telegram_api_new(w->loop, w->settings, count_call, w, &err);
	assert_non_null(w->api);
	const struct telegram_send_hooks hooks = {
		.live = on_live, .ctx = w, .may_send = may_send
	};

	w->send = telegram_send_new(w->loop, w->api, &hooks);
	assert_non_null(w->send);
	*state = w;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *w = *state;

	telegram_send_free(w->send);
	telegram_api_free(w->api);
	settings_unref(w->settings);
	fake_telegram_free(w->fake);
	loop_free(w->loop);
	free(w);
	return 0;
}

#define SCENE_TEST(name) TEST_OF(name, struct world *w, set_up, tear_down)

static void
on_said(void *ctx, const struct message_sent *said)
{
	struct world *w = ctx;

	w->is_done = true;
	if (said == NULL)
		w->was_dropped = true;
	else
		w->said = *said;
}

static void
on_ended(void *ctx, const char *failure)
{
	struct world *w = ctx;

	w->is_done = true;
	w->was_dropped = failure == NULL;
	(void)snprintf(w->failure, sizeof(w->failure), "%s", failure == NULL ? "" : failure);
}

static struct message
message_to(int64_t chat)
{
	return (struct message){ .id = 7,
		.address = { .chat = chat },
		.head = "h <\x01"
			"b\x01>" };
}

static void
say(struct world *w, struct message *message, int64_t ms)
{
	w->is_done = false;
	telegram_message_send(w->send, message, on_said, w);
	assert_false(w->is_done); /* never in the call that asks */
	assert_true(fake_run_until(w->loop, &w->is_done, ms));
}

static const char *
body(struct world *w, const char *method, size_t n)
{
	const struct fake_heard *heard = fake_telegram_heard(w->fake, method, n);

	assert_non_null(heard);
	return heard->body;
}

SCENE_TEST(a_message_is_sent_as_html_and_its_id_comes_back)
{
	/* Goal: the plain case, byte by byte. */
	struct message message = message_to(4711);

	message.address.thread = 9;
	message.buttons.n = 2;
	message.buttons.at[0] = (struct button){ .label = "Confirm", .id = "00ff" };
	message.buttons.at[1] = (struct button){ .label = "Copy", .copy = "APPROVE: x" };
	say(w, &message, 2000);
	assert_int_equal(w->said.message, 7);
	assert_int_equal(w->said.remote_id, 101);
	assert_string_equal(w->said.failure, "");
	assert_string_equal(body(w, "sendMessage", 0),
	    "{\"chat_id\":4711,\"message_thread_id\":9,"
	    "\"text\":\"h &lt;<b>b</b>&gt;\",\"parse_mode\":\"HTML\",\"link_preview_options\":"
	    "{\"is_disabled\":true},\"reply_markup\":{\"inline_keyboard\":[[{\"text\":\"Confirm\","
	    "\"callback_data\":\"00ff\"},{\"text\":\"Copy\",\"copy_text\":"
	    "{\"text\":\"APPROVE: x\"}}]]}}");
	assert_int_equal(w->calls, 1);
	assert_int_equal(w->last_code, 200);
}

SCENE_TEST(a_button_leads_to_a_page_in_the_chat_or_outside)
{
	struct message message = message_to(4711);

	buttons_add_link(&message.buttons, "Open", "https://bot.example/console/", true);
	buttons_add_link(&message.buttons, "Open", "https://bot.example/console/#w7", false);
	buttons_add_link(&message.buttons, "Open", "", false);
	assert_int_equal(message.buttons.n, 2);
	say(w, &message, 2000);
	assert_non_null(strstr(body(w, "sendMessage", 0),
	    "[[{\"text\":\"Open\",\"web_app\":{\"url\":\"https://bot.example/console/\"}},"
	    "{\"text\":\"Open\",\"url\":\"https://bot.example/console/#w7\"}]]"));
}

SCENE_TEST(a_row_of_buttons_can_be_read_on_a_phone)
{
	/* Goal: two at most in a row, three of one character, none that would be cut. */
	static const char *const labels[] = { "a", "b", "c", "shop/production", "shop/staging",
		"blog/production", "◀ 1/4", "3/4 ▶", "application/environment-x", "d", "e", "f" };
	struct message message = message_to(4711);
	char rows[1024] = "";
	const char *at;

	message.buttons.n = COUNT(labels);
	for (size_t i = 0; i < COUNT(labels); i++) {
		struct button *button = &message.buttons.at[i];

		(void)snprintf(button->label, sizeof(button->label), "%s", labels[i]);
		(void)snprintf(button->id, sizeof(button->id), "%02zu", i);
	}
	say(w, &message, 2000);
	at = strstr(body(w, "sendMessage", 0), "\"inline_keyboard\":");
	assert_non_null(at);
	for (at = strchr(at, '[') + 1; *at != '\0'; at++) {
		if (strncmp(at, "\"text\":\"", 8) == 0)
			(void)snprintf(rows + strlen(rows), sizeof(rows) - strlen(rows), "%.*s ",
			    (int)strcspn(at + 8, "\""), at + 8);
		if (*at == ']')
			(void)snprintf(rows + strlen(rows), sizeof(rows) - strlen(rows), "| ");
	}
	assert_string_equal(rows,
	    "a b c | shop/production | shop/staging | blog/production \\u25c0 1/4 | "
	    "3/4 \\u25b6 | application/environment-x | d e f | | ");
}

SCENE_TEST(a_message_that_was_sent_is_edited_and_not_modified_is_success)
{
	/* Goal: no second message, no error, buttons gone when there are none. */
	struct message message = message_to(4711);

	message.remote_id = 55;
	message.address.thread = 9;
	fake_telegram_script(w->fake, "editMessageText", 400,
	    "{\"ok\":false,\"error_code\":400,"
	    "\"description\":\"Bad Request: message is not modified: specified new message\"}");
	say(w, &message, 2000);
	assert_int_equal(w->said.remote_id, 55);
	assert_string_equal(w->said.failure, "");
	assert_non_null(strstr(body(w, "editMessageText", 0), "\"message_id\":55"));
	assert_null(strstr(body(w, "editMessageText", 0), "thread"));
	assert_null(strstr(body(w, "editMessageText", 0), "reply_markup"));
}

SCENE_TEST(a_message_that_is_gone_is_sent_anew)
{
	/* Goal: somebody deleted it; what matters is shown all the same. */
	struct message message = message_to(4711);

	message.remote_id = 55;
	fake_telegram_script(w->fake, "editMessageText", 400,
	    "{\"ok\":false,\"error_code\":400,"
	    "\"description\":\"Bad Request: message to edit not found\"}");
	say(w, &message, 4000);
	assert_int_equal(w->said.remote_id, 101);
	assert_int_equal(fake_telegram_count(w->fake, "sendMessage"), 1);
}

SCENE_TEST(html_that_cannot_be_parsed_goes_once_more_as_plain_text)
{
	/* Goal: a mistake of ours costs the bold, not the message; and never a loop. */
	struct message message = message_to(4711);
	const char *no = "{\"ok\":false,\"error_code\":400,\"description\":"
			 "\"Bad Request: can't parse entities: x\"}";

	fake_telegram_script(w->fake, "sendMessage", 400, no);
	say(w, &message, 4000);
	assert_int_equal(w->said.remote_id, 101);
	assert_non_null(strstr(body(w, "sendMessage", 1), "\"text\":\"h <b>\""));
	assert_null(strstr(body(w, "sendMessage", 1), "parse_mode"));
	fake_telegram_script(w->fake, "sendMessage", 400, no);
	fake_telegram_script(w->fake, "sendMessage", 400, no);
	say(w, &message, 4000);
	assert_int_equal(fake_telegram_count(w->fake, "sendMessage"), 4);
	assert_non_null(strstr(w->said.failure, "can't parse"));
}

SCENE_TEST(a_429_is_waited_out_to_the_second)
{
	/* Goal: retry_after holds for the chat, and not for another. */
	struct message message = message_to(4711);
	struct message other = message_to(4712);

	fake_telegram_script(w->fake, "sendMessage", 429,
	    "{\"ok\":false,\"error_code\":429,"
	    "\"description\":\"Too Many Requests\",\"parameters\":{\"retry_after\":2}}");
	telegram_message_send(w->send, &message, on_said, w);
	assert_true(fake_run_until_heard(w->loop, w->fake, "sendMessage", 1, 2000));
	say(w, &other, 1000);
	w->is_done = false;
	assert_true(fake_run_until(w->loop, &w->is_done, 4000));
	assert_true(fake_telegram_heard(w->fake, "sendMessage", 2)->at -
		fake_telegram_heard(w->fake, "sendMessage", 0)->at >=
	    2000);
}

SCENE_TEST(while_another_server_may_lead_nothing_is_sent)
{
	struct message message = message_to(4711);

	w->is_stale = true;
	telegram_message_send(w->send, &message, on_said, w);
	assert_false(fake_run_until(w->loop, &w->is_done, 300));
	assert_int_equal(w->calls, 0);
	w->is_stale = false;
	assert_true(fake_run_until(w->loop, &w->is_done, 2000));
	assert_int_equal(w->calls, 1);
}

SCENE_TEST(a_server_that_fails_is_asked_again_until_it_works)
{
	/* Goal: an outage delays and never loses. */
	struct message message = message_to(4711);

	fake_telegram_script(w->fake, "sendMessage", 502, "<html>Bad Gateway</html>");
	fake_telegram_script(w->fake, "sendMessage", 500,
	    "{\"ok\":false,\"error_code\":500,"
	    "\"description\":\"Internal Server Error\"}");
	say(w, &message, 10000);
	assert_string_equal(w->said.failure, "");
	assert_int_equal(fake_telegram_count(w->fake, "sendMessage"), 3);
	assert_in_range(fake_telegram_heard(w->fake, "sendMessage", 1)->at -
		fake_telegram_heard(w->fake, "sendMessage", 0)->at,
	    450, 1800);
}

SCENE_TEST(what_telegram_says_finally_is_told)
{
	/* Goal: blocked, moved, topic deleted: each in its own words. */
	struct message message = message_to(-42);
	int log = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	assert_true(log >= 0);
	log_to(log);
	log_set_level(LOG_LEVEL_WARNING);
	fake_telegram_script(w->fake, "sendMessage", 403,
	    "{\"ok\":false,\"error_code\":403,"
	    "\"description\":\"Forbidden: bot was blocked by the user\"}");
	say(w, &message, 2000);
	assert_int_equal(w->said.remote_id, 0);
	assert_string_equal(w->said.failure, "Forbidden: bot was blocked by the user");
	assert_false(w->said.is_closed);	      /* a group: that is for who reads the log */
	assert_int_equal(lseek(log, 0, SEEK_END), 0); /* it is logged where it is decided */
	log_to(-1);
	(void)close(log);
	log_set_level(LOG_LEVEL_ERROR);
	message.address.chat = 42;
	fake_telegram_script(w->fake, "sendMessage", 400,
	    "{\"ok\":false,\"error_code\":400,\"description\":\"Bad Request: chat not found\"}");
	say(w, &message, 2000);
	assert_true(w->said.is_closed);
	fake_telegram_script(w->fake, "sendMessage", 403,
	    "{\"ok\":false,\"error_code\":403,"
	    "\"description\":\"Forbidden: bot can't initiate conversation with a user\"}");
	say(w, &message, 2000);
	assert_true(w->said.is_closed);
	message.address.chat = -42;
	fake_telegram_script(w->fake, "sendMessage", 400,
	    "{\"ok\":false,\"error_code\":400,"
	    "\"description\":\"Bad Request: group chat was upgraded\",\"parameters\":"
	    "{\"migrate_to_chat_id\":-10042}}");
	say(w, &message, 2000);
	assert_int_equal(w->said.new_chat, -10042);
	assert_string_equal(w->said.failure, "");
	message.address.thread = 5;
	fake_telegram_script(w->fake, "sendMessage", 400,
	    "{\"ok\":false,\"error_code\":400,"
	    "\"description\":\"Bad Request: message thread not found\"}");
	say(w, &message, 2000);
	assert_true(w->said.thread_gone);
	assert_string_equal(w->said.failure, "");
}

SCENE_TEST(a_live_part_stands_below_the_head)
{
	/* Goal: a step's edit does not take the output away. */
	struct message message = message_to(4711);

	message.live_run = 3;
	(void)snprintf(w->live, sizeof(w->live), "live");
	say(w, &message, 2000);
	assert_non_null(strstr(body(w, "sendMessage", 0), "&gt;\\nlive"));
}

static void
on_edited(void *ctx, int64_t message, bool is_gone)
{
	struct world *w = ctx;

	assert_int_equal(message, 7);
	assert_false(is_gone);
	w->last_code = -1;
}

SCENE_TEST(a_message_waits_for_the_live_edit_in_progress_and_none_begins_before_it)
{
	/* Goal: nothing old lands on something final. */
	struct message message = message_to(4711);

	message.remote_id = 55;
	fake_telegram_script(w->fake, "editMessageText", 0, "");
	assert_true(telegram_send_live_edit(w->send, &message, "live", on_edited, w));
	assert_false(telegram_send_live_edit(w->send, &message, "live", on_edited, w));
	telegram_message_send(w->send, &message, on_said, w);
	fake_run_for(w->loop, 300);
	assert_int_equal(fake_telegram_count(w->fake, "editMessageText"), 1);
	assert_false(w->is_done);
}

SCENE_TEST(a_message_that_waits_lets_no_live_edit_pass)
{
	/* Goal: what matters goes first, also while it is held up. */
	struct message message = message_to(4711);

	message.remote_id = 55;
	telegram_message_send(w->send, &message, on_said, w);
	assert_false(telegram_send_live_edit(w->send, &message, "live", on_edited, w));
}

SCENE_TEST(a_toast_too_late_is_done)
{
	/* Goal: "query is too old" is no failure. */
	struct effect_toast toast = { .callback = "438", .text = "no", .is_alert = true };

	fake_telegram_script(w->fake, "answerCallbackQuery", 400,
	    "{\"ok\":false,\"error_code\":400,"
	    "\"description\":\"Bad Request: query is too old and response timeout expired or query "
	    "ID"
	    " is invalid\"}");
	telegram_toast(w->send, &toast, on_ended, w);
	assert_true(fake_run_until(w->loop, &w->is_done, 2000));
	assert_string_equal(w->failure, "");
	assert_string_equal(body(w, "answerCallbackQuery", 0),
	    "{\"callback_query_id\":\"438\",\"text\":\"no\",\"show_alert\":true}");
}

SCENE_TEST(a_chat_is_left_and_a_final_no_is_told)
{
	fake_telegram_script(w->fake, "leaveChat", 500, "{}"); /* that passes */
	fake_telegram_script(w->fake, "leaveChat", 200, "{\"ok\":true,\"result\":true}");
	telegram_leave(w->send, -555, on_ended, w);
	assert_true(fake_run_until(w->loop, &w->is_done, 5000));
	assert_string_equal(w->failure, "");
	assert_int_equal(fake_telegram_count(w->fake, "leaveChat"), 2);
	assert_string_equal(body(w, "leaveChat", 0), "{\"chat_id\":-555}");
	w->is_done = false;
	fake_telegram_script(w->fake, "leaveChat", 403,
	    "{\"ok\":false,\"error_code\":403,\"description\":\"Forbidden: bot is not a member\"}");
	telegram_leave(w->send, -555, on_ended, w);
	assert_true(fake_run_until(w->loop, &w->is_done, 5000));
	assert_string_equal(w->failure, "Forbidden: bot is not a member");
}

SCENE_TEST(a_message_is_deleted_and_one_that_is_gone_counts_as_that)
{
	fake_telegram_script(w->fake, "deleteMessage", 500, "{}"); /* that passes */
	fake_telegram_script(w->fake, "deleteMessage", 200, "{\"ok\":true,\"result\":true}");
	telegram_delete(w->send, 4711, 77, on_ended, w);
	assert_true(fake_run_until(w->loop, &w->is_done, 5000));
	assert_string_equal(w->failure, "");
	assert_string_equal(body(w, "deleteMessage", 1), "{\"chat_id\":4711,\"message_id\":77}");
	w->is_done = false;
	fake_telegram_script(w->fake, "deleteMessage", 400,
	    "{\"ok\":false,\"error_code\":400,\"description\":\"Bad Request: message to delete not found\"}");
	telegram_delete(w->send, 4711, 77, on_ended, w);
	assert_true(fake_run_until(w->loop, &w->is_done, 5000));
	assert_string_equal(w->failure, "");
	w->is_done = false;
	fake_telegram_script(w->fake, "deleteMessage", 400,
	    "{\"ok\":false,\"error_code\":400,\"description\":\"Bad Request: message can't be deleted\"}");
	telegram_delete(w->send, 4711, 77, on_ended, w);
	assert_true(fake_run_until(w->loop, &w->is_done, 5000));
	assert_string_equal(w->failure, "Bad Request: message can't be deleted");
}

static enum telegram_file_state
on_prepare(struct telegram_file *file, void *ctx)
{
	struct world *w = ctx;
	FILE *made;

	if (w->steps++ < 3)
		return TELEGRAM_FILE_MORE;
	made = tmpfile();
	assert_non_null(made);
	for (int i = 0; i < 30000; i++)
		assert_true(fprintf(made, "line %d\n", i) > 0);
	assert_int_equal(fflush(made), 0);
	file->size = ftell(made);
	file->fd = dup(fileno(made));
	file->name = "staging-7.log";
	(void)fclose(made);
	return TELEGRAM_FILE_READY;
}

SCENE_TEST(a_document_is_made_in_steps_and_sent_whole_again_after_a_failure)
{
	/* Goal: every byte, from the beginning each time. */
	struct telegram_file file = {
		.address = { .chat = 4711 }, .caption = "log", .fd = -1, .prepare = on_prepare
	};

	fake_telegram_script(w->fake, "sendDocument", 500, "{}");
	telegram_document(w->send, &file, on_ended, w);
	assert_true(fake_run_until(w->loop, &w->is_done, 8000));
	assert_string_equal(w->failure, "");
	const struct fake_heard *heard = fake_telegram_heard(w->fake, "sendDocument", 1);

	assert_non_null(heard);
	assert_non_null(strstr(heard->body, "filename=\"staging-7.log\""));
	assert_non_null(strstr(heard->body, "\r\n\r\nline 0\nline 1\n"));
	assert_non_null(strstr(heard->body, "line 29999\n\r\n--"));
	(void)close(file.fd);
}

SCENE_TEST(ending_drops_what_waits_and_says_so)
{
	/* Goal: the row stays, nothing leaks. */
	struct message message = message_to(4711);

	fake_telegram_script(w->fake, "sendMessage", 0, "");
	telegram_message_send(w->send, &message, on_said, w);
	assert_true(fake_run_until_heard(w->loop, w->fake, "sendMessage", 1, 2000));
	telegram_send_free(w->send);
	w->send = NULL;
	assert_true(w->was_dropped);
}

/* Goal: what Telegram may have is known when the program ends: what is out, and what got no answer
 * before; not what waits, what was refused, or an edit. */
SCENE_TEST(what_telegram_may_have_is_known_at_the_end)
{
	struct message edit = message_to(4712), refused = message_to(4713), lost = message_to(4714);
	int64_t rows[2] = { 0 };

	edit.id = 3;
	edit.remote_id = 55;
	refused.id = 4;
	lost.id = 5;
	assert_int_equal(telegram_send_unanswered(w->send, rows, 2), 0);
	fake_telegram_script(w->fake, "sendMessage", 429,
	    "{\"ok\":false,\"error_code\":429,\"description\":\"slower\","
	    "\"parameters\":{\"retry_after\":600}}");
	telegram_message_send(w->send, &refused, on_said, w);
	assert_true(fake_run_until_heard(w->loop, w->fake, "sendMessage", 1, 2000));
	fake_telegram_script(w->fake, "sendMessage", 502, "<html>Bad Gateway</html>");
	telegram_message_send(w->send, &lost, on_said, w);
	assert_true(fake_run_until_heard(w->loop, w->fake, "sendMessage", 2, 2000));
	fake_telegram_script(w->fake, "editMessageText", 0, "");
	telegram_message_send(w->send, &edit, on_said, w);
	assert_true(fake_run_until_heard(w->loop, w->fake, "editMessageText", 1, 2000));
	while (w->calls < 2)
		fake_run_for(w->loop, 10);
	assert_false(telegram_send_end(w->send)); /* both were answered, in a way */
	assert_int_equal(telegram_send_unanswered(w->send, rows, 2), 1);
	assert_int_equal(rows[0], 5);
}

/* Goal: at its end the program begins nothing, and knows what is out. */
SCENE_TEST(at_the_end_nothing_more_is_begun)
{
	struct message out = message_to(4711), other = message_to(4712);
	int64_t row = 0;

	fake_telegram_script(w->fake, "sendMessage", 0, "");
	telegram_message_send(w->send, &out, on_said, w);
	assert_true(fake_run_until_heard(w->loop, w->fake, "sendMessage", 1, 2000));
	assert_true(telegram_send_end(w->send));
	other.id = 8;
	telegram_message_send(w->send, &other, on_said, w);
	fake_run_for(w->loop, 50);
	assert_int_equal(fake_telegram_count(w->fake, "sendMessage"), 1);
	assert_int_equal(telegram_send_unanswered(w->send, &row, 1), 1);
	assert_int_equal(row, 7);
	assert_int_equal(
	    telegram_send_unanswered(w->send, &row, 0), 1); /* too many: still counted */
}

SCENE_TEST(the_token_stands_in_no_error)
{
	/* Goal: what fails is named, the URL is not. */
	struct message message = message_to(4711);

	fake_telegram_script(w->fake, "sendMessage", 403,
	    "{\"ok\":false,\"error_code\":403,"
	    "\"description\":\"no\"}");
	say(w, &message, 2000);
	assert_null(strstr(w->said.failure, "123456:"));
}

/* Between the chats too the oldest counts, and what went is forgotten. */
SCENE_TEST(the_oldest_message_that_waits_is_known)
{
	struct message first = message_to(42), second = message_to(43);
	int64_t before = clock_wall_ms(), since;

	assert_int_equal(telegram_send_waiting_since(w->send), 0);
	telegram_message_send(w->send, &first, on_said, w);
	since = telegram_send_waiting_since(w->send);
	assert_true(since >= before && since <= clock_wall_ms());
	while (clock_wall_ms() == since) /* a millisecond: the second one comes later */
		continue;
	w->is_done = false;
	telegram_message_send(w->send, &second, on_said, w);
	assert_int_equal(telegram_send_waiting_since(w->send), since);
	while (telegram_send_waiting_since(w->send) != 0) {
		w->is_done = false;
		assert_true(fake_run_until(w->loop, &w->is_done, 5000));
	}
	assert_int_equal(w->said.message, 7);
}

int
main(void)
{
	struct err err;

	if (!crypto_start(&err))
		return 1;
	return unit_run(NULL);
}
