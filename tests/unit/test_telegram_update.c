/* test_telegram_update.c - what somebody did in a chat is read as it was, or refused. */
/* SPDX-License-Identifier: ISC */
#include "telegram/telegram_update.h"

#include "lib/buf.h"
#include "lib/text.h"
#include "lib/clean.h"
#include "unit.h"

#define FROM  "\"from\":{\"id\":4711,\"is_bot\":false,\"first_name\":\"Ada\",\"username\":\"ada\"}"
#define GROUP "\"chat\":{\"id\":-1001,\"type\":\"supergroup\",\"title\":\"Ops\"}"
#define HOME  "\"chat\":{\"id\":4711,\"type\":\"private\"}"
#define WROTE(more) \
	"{\"update_id\":9,\"message\":{\"message_id\":5,\"date\":1," FROM "," GROUP "," more "}}"

static struct queue_list events;
static int status;
static int64_t offset;

static struct event *
raw_of(enum event_source source, const char *bytes)
{
	struct event *raw = telegram_update_raw(source, strdup(bytes), strlen(bytes), "our_bot");

	assert_non_null(raw);
	return raw;
}

static struct event *
take(void)
{
	struct queue_link *link = queue_list_take(&events);

	assert_non_null(link);
	return QUEUE_ITEM(link, struct event, link);
}

/* The update that a webhook's body is read as. */
static struct update
read_one(const char *bytes)
{
	struct event *raw = raw_of(SOURCE_TELEGRAM_WEBHOOK, bytes);
	struct event *event;
	struct update update;
	bool read = telegram_update_decode_webhook(raw, &events, &status, &offset);

	assert_int_equal(status, 200);
	event = take();
	assert_int_equal(events.length, 0);
	assert_int_equal(event->kind, EVENT_UPDATE);
	update = *event->u.update;
	assert_int_equal(read, update.refusal != UPDATE_REFUSED_UNREADABLE);
	event_free(event);
	event_free(raw);
	return update;
}

TEST(a_text_is_read_with_who_and_where)
{
	/* Goal: every field that a decision needs. */
	struct update u = read_one(WROTE("\"text\":\"/deploy staging\",\"message_thread_id\":77,"
					 "\"is_topic_message\":true"));

	assert_int_equal(u.id, 9);
	assert_int_equal(u.kind, UPDATE_TEXT);
	assert_int_equal(u.refusal, UPDATE_REFUSED_NONE);
	assert_int_equal(u.address.chat, -1001);
	assert_int_equal(u.address.thread, 77);
	assert_false(u.is_private);
	assert_int_equal(u.person, 4711);
	assert_string_equal(u.name, "@ada");
	assert_string_equal(u.text, "/deploy staging");
	assert_true(read_one(
	    "{\"update_id\":1,\"message\":{\"message_id\":1," FROM "," HOME ",\"text\":\"hi\"}}")
			.is_private);
}

TEST(a_reply_names_what_it_is_a_reply_to)
{
	/* Goal: what is answered by a reply to its message is found by that one's id. */
	assert_int_equal(read_one(WROTE("\"text\":\"the fix\",\"reply_to_message\":"
					"{\"message_id\":4242,\"date\":1," GROUP "}"))
			     .reply_to,
	    4242);
	assert_int_equal(read_one(WROTE("\"text\":\"a\"")).reply_to, 0);
	assert_int_equal(
	    read_one(WROTE("\"text\":\"a\",\"reply_to_message\":\"4242\"")).reply_to, 0);
	assert_int_equal(
	    read_one(WROTE("\"text\":\"a\",\"reply_to_message\":{\"message_id\":\"1\"}")).reply_to,
	    0);
}

TEST(the_bytes_of_a_line_stay_as_they_came)
{
	/* Goal: what must be exact is judged by what was sent, not by what is shown of it. */
	static const char came[] = "a\xc2\xa0 b\r\n\xe2\x80\x8b ";
	struct update u = read_one(WROTE("\"text\":\"a\\u00a0 b\\r\\n\\u200b \""));

	assert_string_equal(u.text, "a b");
	assert_int_equal(u.raw_size, sizeof(came) - 1);
	assert_memory_equal(u.raw, came, u.raw_size);
}

#define DIGITS	"0123456789abcdef"
#define TOKEN_1 "deploybot_" DIGITS DIGITS DIGITS DIGITS

TEST(a_token_is_taken_out_of_a_text_wherever_it_stands)
{
	static const char *const texts[] = { "/login " TOKEN_1, "/login@our_bot " TOKEN_1,
		"/login@other_bot " TOKEN_1, "look: " TOKEN_1 "!", "/deploy staging " TOKEN_1 };
	static const char *const keys[] = { "message", "edited_message", "channel_post" };
	char bytes[1024];

	for (size_t i = 0; i < COUNT(texts) * COUNT(keys); i++) {
		struct update u;

		(void)snprintf(bytes, sizeof(bytes),
		    "{\"update_id\":9,\"%s\":{\"message_id\":5,\"date\":1," FROM "," GROUP
		    ",\"text\":\"%s\"}}",
		    keys[i / COUNT(texts)], texts[i % COUNT(texts)]);
		u = read_one(bytes);
		assert_string_equal(u.token, TOKEN_1);
		memset(u.token, 0, sizeof(u.token));
		if (memmem(&u, sizeof(u), "0123456789abcdef", 16) != NULL)
			fail_msg("%s: it stands in the update", bytes);
	}
}

TEST(ids_beyond_53_bits_are_exact)
{
	/* Goal: an id is no floating-point number. */
	struct update u =
	    read_one("{\"update_id\":1,\"message\":{\"message_id\":2,\"from\":{\"id\":"
		     "9007199254740993,\"is_bot\":false,\"first_name\":\"x\"},\"chat\":{\"id\":"
		     "-9007199254740993,\"type\":\"group\"},\"text\":\"a\"}}");

	assert_true(u.person == INT64_C(9007199254740993));
	assert_true(u.address.chat == INT64_C(-9007199254740993));
}

TEST(a_thread_counts_only_as_a_real_topic)
{
	/* Goal: a reply's thread and the General topic (1) are none: sending there fails. */
	assert_int_equal(
	    read_one(WROTE("\"text\":\"a\",\"message_thread_id\":77")).address.thread, 0);
	assert_int_equal(read_one(WROTE("\"text\":\"a\",\"message_thread_id\":1,"
					"\"is_topic_message\":true"))
			     .address.thread,
	    0);
}

TEST(whoever_else_wrote_it_is_refused)
{
	/* Goal: a forward, a channel, a bot never act in a person's name. */
	static const struct {
		const char *update;
		enum update_refusal refusal;
	} cases[] = {
		{ WROTE("\"text\":\"/a\",\"forward_origin\":{\"type\":\"user\"}"),
		    UPDATE_REFUSED_FORWARDED },
		{ WROTE("\"text\":\"/a\",\"forward_date\":5"), UPDATE_REFUSED_FORWARDED },
		{ WROTE("\"text\":\"/a\",\"sender_chat\":{\"id\":-1}"),
		    UPDATE_REFUSED_SENDER_CHAT },
		{ WROTE("\"text\":\"/a\",\"via_bot\":{\"id\":1}"), UPDATE_REFUSED_VIA_BOT },
		{ "{\"update_id\":1,\"message\":{\"message_id\":1,\"from\":{\"id\":1,\"is_bot\":"
		  "true,"
		  "\"first_name\":\"B\"}," GROUP ",\"text\":\"/a\"}}",
		    UPDATE_REFUSED_BOT },
		{ "{\"update_id\":1,\"message\":{\"message_id\":1,\"from\":{\"id\":1,\"is_bot\":"
		  "\"no\","
		  "\"first_name\":\"B\"}," GROUP ",\"text\":\"/a\"}}",
		    UPDATE_REFUSED_BOT },
		{ "{\"update_id\":1,\"edited_message\":{\"message_id\":1," FROM "," GROUP
		  ",\"text\":\"/a\"}}",
		    UPDATE_REFUSED_EDITED },
		{ WROTE("\"photo\":[],\"caption\":\"/a\""), UPDATE_REFUSED_CAPTION },
		{ WROTE("\"photo\":[],\"caption\":\"/a\",\"forward_date\":5"),
		    UPDATE_REFUSED_FORWARDED },
		{ "{\"update_id\":1,\"channel_post\":{\"message_id\":1," GROUP ",\"text\":\"/a\"}}",
		    UPDATE_REFUSED_CHANNEL },
		{ "{\"update_id\":1,\"message\":{\"message_id\":1," GROUP ",\"text\":\"/a\"}}",
		    UPDATE_REFUSED_SENDER_CHAT },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(read_one(cases[i].update).refusal, cases[i].refusal);
}

#define SENT(more) \
	"{\"update_id\":9,\"message\":{\"message_id\":5,\"date\":1," FROM "," HOME "," more "}}"
#define DOCUMENT \
	"\"document\":{\"file_id\":\"BQAC-g_1\",\"file_name\":\"si\\nte.zip\",\"file_size\":1234}"

TEST(an_archive_is_deploy_under_one_document_in_private_and_nothing_else)
{
	static const struct {
		const char *update;
		bool is_archive;
	} cases[] = {
		{ SENT(DOCUMENT ",\"caption\":\"/deploy staging\""), true },
		{ SENT(DOCUMENT ",\"caption\":\"/Deploy@our_bot staging\""), true },
		{ SENT(DOCUMENT ",\"caption\":\"/deployed staging\""), false },
		{ SENT(DOCUMENT ",\"caption\":\"/rollback staging\""), false },
		{ SENT(DOCUMENT ",\"caption\":\"deploy staging\""), false },
		{ SENT(DOCUMENT), false },
		{ WROTE(DOCUMENT ",\"caption\":\"/deploy staging\""), false },
		{ SENT(DOCUMENT ",\"media_group_id\":\"1\",\"caption\":\"/deploy staging\""),
		    false },
		{ SENT(DOCUMENT ",\"animation\":{},\"caption\":\"/deploy staging\""), false },
		{ SENT(DOCUMENT ",\"photo\":[],\"caption\":\"/deploy staging\""), false },
		{ SENT(DOCUMENT ",\"edit_date\":5,\"caption\":\"/deploy staging\""), false },
		{ SENT(DOCUMENT ",\"forward_origin\":{},\"caption\":\"/deploy staging\""), false },
		{ SENT(DOCUMENT ",\"via_bot\":{},\"caption\":\"/deploy staging\""), false },
		{ SENT("\"photo\":[],\"caption\":\"/deploy staging\""), false },
		{ SENT("\"document\":{\"file_id\":\"a/b\"},\"caption\":\"/deploy staging\""),
		    false },
		{ SENT("\"document\":{\"file_id\":\"\"},\"caption\":\"/deploy staging\""), false },
		{ SENT("\"document\":[],\"caption\":\"/deploy staging\""), false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct update update = read_one(cases[i].update);

		if ((update.file.id[0] != '\0') != cases[i].is_archive ||
		    (update.refusal == UPDATE_REFUSED_NONE && update.kind == UPDATE_TEXT) !=
			cases[i].is_archive)
			fail_msg("%s", cases[i].update);
	}
}

TEST(an_archive_keeps_its_word_its_name_and_its_size)
{
	struct update update = read_one(SENT(DOCUMENT ",\"caption\":\"/deploy staging\""));

	assert_string_equal(update.file.id, "BQAC-g_1");
	assert_string_equal(update.file.name, "si te.zip");
	assert_int_equal(update.file.size, 1234);
	assert_string_equal(update.text, "/deploy staging");
	assert_true(update.is_caption);
}

TEST(a_file_without_a_caption_is_one_that_somebody_may_miss)
{
	struct update update = read_one(SENT(DOCUMENT));

	assert_int_equal(update.kind, UPDATE_TEXT);
	assert_int_equal(update.refusal, UPDATE_REFUSED_CAPTION);
	assert_true(update.has_file);
	assert_string_equal(update.text, "");
	update = read_one(WROTE(DOCUMENT)); /* in a group */
	assert_int_equal(update.kind, UPDATE_OTHER);
	assert_false(update.has_file);
}

TEST(a_command_to_us_loses_our_name_and_one_to_another_bot_is_nothing)
{
	/* Goal: two bots in a group do not answer each other's commands. */
	assert_string_equal(
	    read_one(WROTE("\"text\":\"/deploy@Our_Bot staging\"")).text, "/deploy staging");
	assert_string_equal(read_one(WROTE("\"text\":\"/help@our_bot\"")).text, "/help");
	assert_int_equal(
	    read_one(WROTE("\"text\":\"/deploy@other_bot staging\"")).kind, UPDATE_OTHER);
	assert_int_equal(read_one(WROTE("\"text\":\"/deploy@ staging\"")).kind, UPDATE_OTHER);
	assert_string_equal(
	    read_one(WROTE("\"text\":\"mail me@other_bot\"")).text, "mail me@other_bot");
}

TEST(a_command_with_a_name_is_nothing_before_ours_is_known)
{
	/* Goal: while getMe has not answered nobody else's command is taken for ours. */
	struct event *raw = raw_of(SOURCE_TELEGRAM_WEBHOOK, WROTE("\"text\":\"/a@our_bot\""));
	struct event *event;

	raw->context.own_name[0] = '\0';
	assert_true(telegram_update_decode_webhook(raw, &events, &status, &offset));
	event = take();
	assert_int_equal(event->u.update->kind, UPDATE_OTHER);
	event_free(event);
	event_free(raw);
}

TEST(what_is_invisible_is_taken_out_of_texts_and_names)
{
	/* Goal: no mark of ours, no reversal of what is read, comes from outside. */
	struct update u = read_one(
	    "{\"update_id\":1,\"message\":{\"message_id\":1,\"from\":{\"id\":1,"
	    "\"is_bot\":false,\"first_name\":\"A\\u202eb\\u0001\",\"last_name\":\"C\"}," GROUP
	    ",\"text\":\"/d\\u0002e\\u200bploy\\u202e x\"}}");

	assert_null(strpbrk(u.text, "\x01\x02\x03\x04"));
	assert_null(strstr(u.text, "\xe2\x80\xae"));
	assert_null(strpbrk(u.name, "\x01\x02\x03\x04"));
	assert_null(strstr(u.name, "\xe2\x80\xae"));
}

/* Goal: who has no username does not look like somebody who has, like deploybot or like a message
 * of its, and nobody like nobody. */
#define CUT  "ääääääääääääääääää…"
#define LONG "äääääääääääääääääääääääääääääääääääää"

TEST(only_a_username_stands_behind_an_at)
{
	static const char *const cases[][2] = {
		{ "\"first_name\":\"@ada\"", "“ada” (id 7)" },
		{ "\"first_name\":\"\\uff20ad\\ufe6b\"", "“ad” (id 7)" }, /* read as one */
		{ "\"first_name\":\"\\u3164\\uff20\\u3164\"", "id 7" },
		{ "\"first_name\":\"\\u200b@ad@a\",\"last_name\":\"@b\"", "“ad a b” (id 7)" },
		{ "\"first_name\":\"@ada\",\"username\":\"eve\"", "@eve" },
		{ "\"first_name\":\"/rollback\",\"last_name\":\"now.\"", "“rollback now.” (id 7)" },
		{ "\"first_name\":\"https://evil.example/x\"", "“https: evil example/x” (id 7)" },
		{ "\"first_name\":\"\\u200b\\u202e\"", "id 7" },
		{ "\"first_name\":\" @ \",\"username\":\"\"", "id 7" },
		{ "\"is_bot\":false", "id 7" },
		{ "\"first_name\":\"deploybot\"", "“deploybot” (id 7)" },
		{ "\"first_name\":\"daemon\",\"last_name\":\"(from the machine)\"",
		    "“daemon (from the machine)” (id 7)" },
		{ "\"first_name\":\"telegram:1\\u201d (id 1) \\u201c\"",
		    "“telegram:1 (id 1)” (id 7)" },
		{ "\"first_name\":\"✅ Live: shop/production\"",
		    "“✅ Live: shop/production” (id 7)" },
		{ "\"first_name\":\"" LONG "\"", "“" CUT "” (id 7)" },
	};
	char body[512];

	for (size_t i = 0; i < COUNT(cases); i++) {
		(void)snprintf(body, sizeof(body),
		    "{\"update_id\":1,\"message\":{\"message_id\":1,\"from\":{\"id\":7,%s}," GROUP
		    ",\"text\":\"/status\"}}",
		    cases[i][0]);
		struct update u = read_one(body);

		assert_string_equal(u.name, cases[i][1]);
	}
}

TEST(a_long_text_is_cut_between_characters)
{
	/* Goal: bounded, and still UTF-8. */
	static char body[20000];
	size_t size = (size_t)snprintf(body, sizeof(body),
	    "{\"update_id\":1,\"message\":{\"message_id\""
	    ":1," FROM "," GROUP ",\"text\":\"");

	for (int i = 0; i < 4096; i++)
		size += (size_t)snprintf(body + size, sizeof(body) - size, "\xe2\x82\xac");
	(void)snprintf(body + size, sizeof(body) - size, "\"}}");
	struct update u = read_one(body);

	assert_true(strlen(u.text) < LIMIT_TEXT_IN);
	assert_true(strlen(u.text) > LIMIT_TEXT_IN - 8);
	assert_true(clean_is_utf8(u.text, strlen(u.text)));
}

TEST(a_press_is_read_also_without_its_message)
{
	/* Goal: old messages are inaccessible or absent; the press counts all the same. */
	struct update u =
	    read_one("{\"update_id\":3,\"callback_query\":{\"id\":\"438\"," FROM
		     ",\"message\":{\"message_id\":8,\"date\":0," GROUP "},\"data\":\"00ff\"}}");

	assert_int_equal(u.kind, UPDATE_PRESS);
	assert_string_equal(u.callback, "438");
	assert_string_equal(u.button, "00ff");
	assert_int_equal(u.address.chat, -1001);
	u = read_one(
	    "{\"update_id\":3,\"callback_query\":{\"id\":\"438\"," FROM ",\"data\":\"00ff\"}}");
	assert_int_equal(u.kind, UPDATE_PRESS);
	assert_int_equal(u.address.chat, 0);
}

TEST(forged_button_data_is_no_question)
{
	/* Goal: only what can be an id of ours reaches the database. */
	static const char *const forged[] = { "", "a b", "A'--", "../x",
		"0123456789012345678901234567890123" };
	char body[512];

	for (size_t i = 0; i < COUNT(forged); i++) {
		(void)snprintf(body, sizeof(body),
		    "{\"update_id\":3,\"callback_query\":{\"id\":\"1\"," FROM ",\"data\":\"%s\"}}",
		    forged[i]);
		assert_string_equal(read_one(body).button, "");
	}
}

TEST(a_group_that_becomes_a_supergroup_tells_its_new_id)
{
	/* Goal: the chat is followed. */
	struct update u = read_one(WROTE("\"migrate_to_chat_id\":-100777"));

	assert_int_equal(u.kind, UPDATE_MIGRATED);
	assert_int_equal(u.address.chat, -1001);
	assert_int_equal(u.new_chat, -100777);
}

TEST(the_new_supergroup_tells_which_it_was)
{
	/* Goal: it is followed, whichever of the two updates comes first. */
	struct update u = read_one(WROTE("\"migrate_from_chat_id\":-77"));

	assert_int_equal(u.kind, UPDATE_MIGRATED);
	assert_int_equal(u.address.chat, -77);
	assert_int_equal(u.new_chat, -1001);
}

#define MEMBER(status) \
	"{\"update_id\":4,\"my_chat_member\":{\"chat\":{\"id\":-7,\"type\":\"group\"}," \
	"\"from\":{\"id\":9,\"first_name\":\"E\"},\"new_chat_member\":{\"status\":" status "}}}"

TEST(where_we_are_new_is_said_and_where_we_left_is_not)
{
	/* Goal: a group that we left is not left again. */
	assert_int_equal(read_one(MEMBER("\"member\"")).address.chat, -7);
	assert_int_equal(read_one(MEMBER("\"administrator\"")).address.chat, -7);
	assert_int_equal(read_one(MEMBER("\"left\"")).address.chat, 0);
	assert_int_equal(read_one(MEMBER("\"kicked\"")).address.chat, 0);
	assert_int_equal(read_one(MEMBER("7")).address.chat, 0);
	assert_int_equal(read_one(MEMBER("\"member\"")).kind, UPDATE_OTHER);
	assert_false(read_one(MEMBER("\"member\"")).is_private);
}

TEST(what_is_no_text_is_acknowledged_and_forgotten)
{
	/* Goal: photos, joins and kinds not known yet are no errors. */
	static const char *const others[] = { WROTE("\"photo\":[]"),
		"{\"update_id\":4,\"my_chat_member\":{\"chat\":{\"id\":1}}}",
		"{\"update_id\":4,\"something_new\":{}}" };

	for (size_t i = 0; i < COUNT(others); i++) {
		struct update u = read_one(others[i]);

		assert_int_equal(u.kind, UPDATE_OTHER);
		assert_int_equal(u.refusal, UPDATE_REFUSED_NONE);
	}
}

/* Goal: a name or a text that is no Unicode is one in which that is replaced. */
TEST(what_is_no_unicode_is_replaced)
{
#define ODD "\\u0000\\ud800\xff\xc0\xaf\xed\xa0\x80"
#define PUT "\xef\xbf\xbd" /* U+FFFD */
	struct update u = read_one("{\"update_id\":9,\"message\":{\"message_id\":1,\"date\":1,"
				   "\"from\":{\"id\":7,\"is_bot\":false,\"first_name\":\"A" ODD
				   "\"},\"chat\":{\"id\":7,\"type\":\"private\"},"
				   "\"text\":\"/status x" ODD "\"}}");

	assert_int_equal(u.refusal, UPDATE_REFUSED_NONE);
	assert_string_equal(u.text, "/status x" PUT PUT PUT PUT PUT PUT PUT PUT);
	assert_non_null(strstr(u.name, "A" PUT PUT PUT PUT PUT PUT PUT PUT "\xe2\x80\x9d"));
}

TEST(what_cannot_be_read_is_acknowledged_with_its_number_and_audited)
{
	/* Goal: a poison update never blocks its chat. */
	static const struct {
		const char *bytes;
		int64_t id;
	} cases[] = {
		{ "", 0 },
		{ "nonsense", 0 },
		{ "[]", 0 },
		{ "{\"update_id\":\"9\"}", 0 },
		{ "{\"update_id\":9,\"message\":{\"message_id\":1}}", 9 },
		{ "{\"update_id\":9,\"message\":7}", 9 },
		{ "{\"update_id\":9,\"update_id\":10,\"message\":{}}", 9 },
		{ "{\"update_id\":9,\"message\":{\"text\":\"\xff\"}}", 9 },
		{ "{\"update_id\":9,\"callback_query\":{\"data\":\"x\"}}", 9 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct update u = read_one(cases[i].bytes);

		assert_int_equal(u.refusal, UPDATE_REFUSED_UNREADABLE);
		assert_int_equal(u.id, cases[i].id);
		assert_string_equal(u.text, "");
	}
}

TEST(a_press_that_cannot_be_read_can_be_answered_all_the_same)
{
	/* Goal: the client of whoever pressed does not wait until it gives up. */
	static const struct {
		const char *query;
		const char *callback;
	} cases[] = {
		{ "{\"data\":\"\xff\",\"id\":\"4711\"}", "4711" }, /* of nobody */
		{ "{\"id\":4711,\"data\":\"\\u0000\"}", "" },
		{ "{\"id\":\"47 1\",\"data\":\"\\u0000\"}", "" },
		{ "{\"id\":\"\",\"data\":\"\\u0000\"}", "" },
		{ "{\"id\":\"0123456789012345678901234567890123456789012345678901234567890123\"}",
		    "" },
		{ "7", "" },
	};
	char text[256];

	for (size_t i = 0; i < COUNT(cases); i++) {
		(void)snprintf(
		    text, sizeof(text), "{\"update_id\":9,\"callback_query\":%s}", cases[i].query);
		struct update u = read_one(text);

		assert_int_equal(u.refusal, UPDATE_REFUSED_UNREADABLE);
		assert_string_equal(u.callback, cases[i].callback);
		assert_string_equal(u.button, "");
	}
}

static bool
poll(const char *bytes)
{
	struct event *raw = raw_of(SOURCE_TELEGRAM_POLL, bytes);
	bool read = telegram_update_decode_poll(raw, &events, &status, &offset);

	event_free(raw);
	return read;
}

TEST(one_bad_update_of_a_poll_spoils_no_other)
{
	/* Goal: three updates, the second twice wrong: three events, all acknowledged. */
	struct event *event[3];

	assert_true(poll("{\"ok\":true,\"result\":[" WROTE(
	    "\"text\":\"a]}\\\"\"") ", {\"update_id\":10,\"message\":{\"a\":1,\"a\":2}} "
				    ",{\"update_id\":11}]}"));
	assert_int_equal(status, 200);
	assert_int_equal(offset, 12);
	assert_int_equal(events.length, 3);
	for (size_t i = 0; i < 3; i++)
		event[i] = take();
	assert_string_equal(event[0]->u.update->text, "a]}\"");
	assert_int_equal(event[1]->u.update->refusal, UPDATE_REFUSED_UNREADABLE);
	assert_int_equal(event[1]->u.update->id, 10);
	assert_int_equal(event[2]->u.update->kind, UPDATE_OTHER);
	for (size_t i = 0; i < 3; i++)
		event_free(event[i]);
}

TEST(a_longer_update_is_not_decoded_and_moves_the_offset)
{
	/* Goal: memory follows what is read, and what is not read does not come again. */
	static char bytes[TELEGRAM_UPDATE_MAX + 64];
	const char *head = WROTE("\"text\":\"/status\"");
	int size = snprintf(bytes, sizeof(bytes), "%s", head);
	const char *const answer = "{\"ok\":true,\"result\":[%s]}";
	char *whole;

	memset(bytes + size, ' ', sizeof(bytes) - (size_t)size);
	bytes[size - 1] = ' ';
	bytes[TELEGRAM_UPDATE_MAX - 1] = '}';
	bytes[TELEGRAM_UPDATE_MAX] = '\0';
	assert_string_equal(read_one(bytes).text, "/status");
	bytes[TELEGRAM_UPDATE_MAX - 1] = ' ';
	bytes[TELEGRAM_UPDATE_MAX] = '}';
	bytes[TELEGRAM_UPDATE_MAX + 1] = '\0';
	assert_int_equal(read_one(bytes).refusal, UPDATE_REFUSED_UNREADABLE);
	assert_int_equal(read_one(bytes).id, 9);

	assert_true(asprintf(&whole, answer, bytes) > 0);
	struct event *raw = raw_of(SOURCE_TELEGRAM_POLL, whole);

	assert_true(telegram_update_decode_poll(raw, &events, &status, &offset));
	assert_int_equal(offset, 10);
	struct event *event = take();

	assert_int_equal(event->u.update->refusal, UPDATE_REFUSED_UNREADABLE);
	event_free(event);
	event_free(raw);
	free(whole);
}

TEST(a_poll_gives_no_more_than_was_asked_for)
{
	/* Goal: an endless answer costs no memory; what is left out is not acknowledged. */
	struct buf bytes;
	struct queue_link *link;

	buf_init(&bytes, 1 << 20);
	buf_adds(&bytes, "{\"ok\":true,\"result\":[{\"update_id\":1}");
	for (int i = 2; i <= 3 * LIMIT_UPDATES; i++)
		buf_addf(&bytes, ",{\"update_id\":%d}", i);
	buf_adds(&bytes, "]}");
	assert_true(poll(buf_text(&bytes)));
	assert_int_equal(events.length, LIMIT_UPDATES);
	assert_int_equal(offset, LIMIT_UPDATES + 1);
	while ((link = queue_list_take(&events)) != NULL)
		event_free(QUEUE_ITEM(link, struct event, link));
	buf_done(&bytes);
}

TEST(an_answer_that_is_none_moves_nothing)
{
	/* Goal: the same updates are asked for again. */
	static const char *const broken[] = { "", "<html>", "{}", "{\"ok\":true,\"result\":{}}",
		"{\"ok\":true,\"result\":[{\"update_id\":5}",
		"{\"ok\":true,\"result\":[{\"update_id\":5},", "{\"result\":[\"" };

	for (size_t i = 0; i < COUNT(broken); i++) {
		assert_false(poll(broken[i]));
		assert_int_equal(status, 502);
		assert_int_equal(events.length, 0);
	}
	assert_true(poll("{\"ok\":true,\"result\":[]}"));
	assert_int_equal(offset, 0);
}

TEST(no_shortened_or_changed_answer_is_read_beyond_its_end)
{
	/* Goal: every prefix, and every byte changed, ends in some verdict (sanitizers watch). */
	const char *whole = "{\"ok\":true,\"result\":[" WROTE("\"text\":\"\\\"x\\\\\"") "]}";
	size_t size = strlen(whole);
	static const char changes[] = "\"\\{}[],: 9";

	for (size_t i = 0; i <= size; i++)
		for (size_t c = 0; c < sizeof(changes); c++) {
			char *bytes = malloc(i + 1);
			struct queue_link *link;

			assert_non_null(bytes);
			memcpy(bytes, whole, i);
			if (i > 0)
				bytes[i / 2 + i % 3 < i ? i / 2 + i % 3 : 0] = changes[c];
			struct event *raw = telegram_update_raw(SOURCE_TELEGRAM_POLL, bytes, i, "");

			assert_non_null(raw);
			(void)telegram_update_decode_poll(raw, &events, &status, &offset);
			(void)telegram_update_decode_webhook(raw, &events, &status, &offset);
			while ((link = queue_list_take(&events)) != NULL)
				event_free(QUEUE_ITEM(link, struct event, link));
			event_free(raw);
		}
}
