/* Goal: frames and words of channel 0 are read as they were sent, and nothing out of bounds is.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "link/link_frame.h"

#include "unit.h"

static enum link_frame_state
state_of(uint32_t size, size_t given)
{
	static char data[LINK_FRAME_HEAD + PROTOCOL_PACKET_MAX + 1];
	uint32_t head = __builtin_bswap32(size);
	struct link_frame frame;

	memcpy(data, &head, sizeof(head));
	return link_frame_read(data, given, &frame);
}

TEST(a_frame_has_1_to_80_kilobytes_and_another_one_is_wrong_as_soon_as_that_is_seen)
{
	static const struct {
		uint32_t size;
		size_t given;
		enum link_frame_state state;
	} cases[] = {
		{ 1, 0, LINK_FRAME_PART },
		{ 0, 3, LINK_FRAME_PART },
		{ 0, 4, LINK_FRAME_WRONG },
		{ UINT32_MAX, 4, LINK_FRAME_WRONG },
		{ PROTOCOL_PACKET_MAX + 1, 4, LINK_FRAME_WRONG },
		{ PROTOCOL_PACKET_MAX, 4, LINK_FRAME_PART },
		{ 1, 7, LINK_FRAME_PART },
		{ 1, 8, LINK_FRAME_PART },
		{ 1, 9, LINK_FRAME_WHOLE },
		{ PROTOCOL_PACKET_MAX, 7 + PROTOCOL_PACKET_MAX, LINK_FRAME_PART },
		{ PROTOCOL_PACKET_MAX, 8 + PROTOCOL_PACKET_MAX, LINK_FRAME_WHOLE },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(state_of(cases[i].size, cases[i].given), cases[i].state);
}

TEST(a_frame_is_read_as_its_head_was_written)
{
	char data[LINK_FRAME_HEAD + 4] = "";
	struct link_frame frame;

	link_frame_head(data, 0x01020304, 3);
	assert_memory_equal(data, "\0\0\0\3\1\2\3\4", LINK_FRAME_HEAD);
	assert_int_equal(link_frame_read(data, sizeof(data), &frame), LINK_FRAME_WHOLE);
	assert_int_equal(frame.size, 3);
	assert_int_equal(frame.channel, 0x01020304);
	assert_ptr_equal(frame.packet, data + LINK_FRAME_HEAD);
}

TEST(a_word_is_read_as_it_was_written)
{
	static const struct link_word words[] = {
		{ .kind = LINK_HELLO,
		    .name = "agent/acme",
		    .version = "0.2.0",
		    .at = 1767225600,
		    .epoch = 7 },
		{ .kind = LINK_OPEN, .channel = UINT32_MAX, .id = INT64_MAX },
		{ .kind = LINK_CLOSE, .channel = 0, .text = "it has ended" },
		{ .kind = LINK_CREDIT, .channel = 1, .bytes = LINK_WINDOW },
		{ .kind = LINK_PING },
		{ .kind = LINK_PONG },
		{ .kind = LINK_RENEW },
		{ .kind = LINK_RENEW, .renewal = "a b -----BEGIN x-----,y," },
	};
	char packet[LINK_WORD_MAX];
	struct link_word read;
	struct err err;

	for (size_t i = 0; i < COUNT(words); i++) {
		size_t size = link_word_write(&words[i], packet);

		assert_true(link_word_read(packet, size, LINK_OF_SERVER, &read, &err));
		assert_memory_equal(&read, &words[i], sizeof(read));
	}
}

static bool
reads(const char *packet, enum link_sender from)
{
	struct link_word word;
	struct err err = { .text = "" };
	bool good = link_word_read(packet, strlen(packet), from, &word, &err);

	assert_true(good || err.text[0] != '\0');
	return good;
}

TEST(a_key_that_is_not_known_is_skipped)
{
	assert_true(reads("credit\nbytes 1\nlater x y\nchannel 1\n", LINK_OF_HOST));
	assert_true(reads("ping\nlater 1\n", LINK_OF_HOST));
}

/* What deploybot-link 0.2.0 writes, byte by byte: a host of it, and a server of it.  It stays. */
TEST(the_hello_of_the_first_version_is_read)
{
	static const char of_host[] =
	    "hello\nat 1767225600\nepoch 7\nname agent/acme\nversion 0.2.0\n";
	static const char of_server[] =
	    "hello\nat 1767225600\nepoch 0\nname server\nversion 0.2.0\n";
	struct link_word word;
	struct err err;

	assert_true(link_word_read(of_host, strlen(of_host), LINK_OF_HOST, &word, &err));
	assert_int_equal(word.at, 1767225600);
	assert_int_equal(word.epoch, 7);
	assert_string_equal(word.name, "agent/acme");
	assert_true(link_word_read(of_server, strlen(of_server), LINK_OF_SERVER, &word, &err));
}

TEST(a_word_is_text)
{
	static const char hello[] =
	    "hello\nname agent/acme\nversion 0\xff\xc0\xaf\xed\xa0\x80\nat 1\n";
	struct link_word word;

	assert_true(link_word_read(hello, strlen(hello), LINK_OF_HOST, &word, NULL));
	assert_string_equal(word.version, "0??????");
	assert_false(link_word_read("ping\0\n", 6, LINK_OF_HOST, &word, NULL));
}

TEST(a_field_that_an_older_version_does_not_send_has_its_default)
{
	static const char hello[] = "hello\nname agent/acme\nversion 0\nat 1\n";
	struct link_word word;
	struct err err;

	assert_true(link_word_read(hello, strlen(hello), LINK_OF_HOST, &word, &err));
	assert_int_equal(word.epoch, 0);
}

TEST(what_is_odd_missing_or_there_twice_is_refused)
{
	static const char *const wrong[] = {
		"",
		"\n",
		"ping",
		"nothing\n",
		"ping\n\n",
		"ping\nx\n",
		"credit\nchannel 1\n",
		"credit\nchannel 1\nbytes 0\n",
		"credit\nchannel 0\nbytes 1\n",
		"credit\nchannel 1\nbytes 262145\n",
		"credit\nchannel 1\nbytes 1\nbytes 1\n",
		"credit\nchannel 4294967296\nbytes 1\n",
		"credit\nchannel -1\nbytes 1\n",
		"close\nchannel 1\n",
		"close\nchannel 1\ntext \x1b[0m\n",
		"hello\nname \nversion 1\nepoch 0\nat 0\n",
		"hello\nname a\nversion 1 2\nepoch 0\nat 0\n",
		"hello\nname a\nversion 1\nepoch -1\nat 0\n",
		"hello\nname a\nversion 1\nepoch 0\n",
		"hello\nname a\nepoch 0\nat 0\n",
		"hello\nversion 1\nepoch 0\nat 0\n",
	};

	for (size_t i = 0; i < COUNT(wrong); i++)
		if (reads(wrong[i], LINK_OF_HOST))
			fail_msg("%s", wrong[i]);
}

TEST(a_host_opens_no_channel)
{
	assert_true(reads("open\nchannel 2\nid 1\n", LINK_OF_SERVER));
	assert_false(reads("open\nchannel 2\nid 1\n", LINK_OF_HOST));
}
