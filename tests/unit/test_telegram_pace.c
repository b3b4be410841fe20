/* test_telegram_pace.c - nobody is ever sent more than Telegram takes. */
/* SPDX-License-Identifier: ISC */
#include "telegram/telegram_pace.h"

#include "unit.h"

#define GROUP  (-1001234567890)
#define PERSON 4711

/* Sends as fast as it may from `from` to `to`; returns how many and, in times, when. */
static size_t
flood(struct telegram_pace *pace, int64_t chat, enum telegram_pace_kind kind, int64_t from,
    int64_t to, int64_t *times, size_t room)
{
	size_t n = 0;

	for (int64_t now = from; now < to; now += 10) {
		if (telegram_pace_wait_ms(pace, chat, 0, kind, now) > 0)
			continue;
		telegram_pace_sent(pace, chat, 0, kind, now);
		assert_true(n < room);
		times[n++] = now;
	}
	return n;
}

static size_t
most_within(const int64_t *times, size_t n, int64_t window_ms)
{
	size_t most = 0;

	for (size_t first = 0, last = 0; last < n; last++) {
		while (times[last] - times[first] >= window_ms)
			first++;
		if (last - first + 1 > most)
			most = last - first + 1;
	}
	return most;
}

TEST(a_group_gets_20_in_any_minute)
{
	/* Goal: the limit holds in every window, and it is used. */
	struct telegram_pace *pace = calloc(1, sizeof(*pace));
	static int64_t times[1000];
	size_t n;

	assert_non_null(pace);
	n = flood(pace, GROUP, TELEGRAM_PACE_ALARM, 1000, 600000, times, 1000);
	assert_int_equal(most_within(times, n, 60000), 20);
	assert_in_range(n, 190, 200);
	free(pace);
}

TEST(a_person_gets_one_a_second_after_a_short_burst)
{
	/* Goal: answers come at once, floods do not. */
	struct telegram_pace *pace = calloc(1, sizeof(*pace));
	static int64_t times[1000];
	size_t n;

	assert_non_null(pace);
	n = flood(pace, PERSON, TELEGRAM_PACE_SEND, 1000, 61000, times, 1000);
	assert_int_equal(most_within(times, n, 900), 4);
	assert_in_range(n, 55, 62);
	free(pace);
}

/* Goal: however much is sent, a failure finds room for itself and what it replies to. */
TEST(all_that_is_sent_leaves_room_for_alarms)
{
	struct telegram_pace *pace = calloc(1, sizeof(*pace));
	static int64_t times[1000];
	size_t n;

	assert_non_null(pace);
	n = flood(pace, GROUP, TELEGRAM_PACE_SEND, 1000, 300000, times, 1000);
	assert_int_equal(most_within(times, n, 60000), 17);
	for (int64_t i = 0, at = times[n - 1] + 1050; i < 3; i++, at += 1050) {
		assert_int_equal(telegram_pace_wait_ms(pace, GROUP, 0, TELEGRAM_PACE_ALARM, at), 0);
		telegram_pace_sent(pace, GROUP, 0, TELEGRAM_PACE_ALARM, at);
	}
	free(pace);
}

TEST(edits_in_a_group_are_3_s_apart_and_sends_do_not_wait_for_them)
{
	/* Goal: Telegram counts edits of a group more strictly. */
	struct telegram_pace *pace = calloc(1, sizeof(*pace));

	assert_non_null(pace);
	telegram_pace_sent(pace, GROUP, 0, TELEGRAM_PACE_EDIT, 1000);
	assert_int_equal(telegram_pace_wait_ms(pace, GROUP, 0, TELEGRAM_PACE_EDIT, 1000), 3000);
	assert_int_equal(telegram_pace_wait_ms(pace, GROUP, 0, TELEGRAM_PACE_SEND, 1000), 0);
	assert_int_equal(telegram_pace_wait_ms(pace, GROUP, 0, TELEGRAM_PACE_EDIT, 4000), 0);
	free(pace);
}

TEST(decoration_leaves_room_for_what_matters)
{
	/* Goal: after minutes of live edits a message still goes at once. */
	struct telegram_pace *pace = calloc(1, sizeof(*pace));
	static int64_t times[1000];
	size_t n;

	assert_non_null(pace);
	n = flood(pace, GROUP, TELEGRAM_PACE_DECORATION, 1000, 300000, times, 1000);
	assert_true(n > 50);
	assert_int_equal(
	    telegram_pace_wait_ms(pace, GROUP, 0, TELEGRAM_PACE_SEND, times[n - 1]), 0);
	assert_true(most_within(times, n, 60000) <= 12);
	free(pace);
}

/* Goal: whoever asks is answered at once, and again when the answer is known. */
TEST(edits_leave_room_for_an_answer_and_its_edit)
{
	static const int64_t chats[] = { GROUP, PERSON };
	static int64_t times[1000];

	for (size_t i = 0; i < COUNT(chats); i++) {
		struct telegram_pace *pace = calloc(1, sizeof(*pace));
		size_t n;
		int64_t at;

		assert_non_null(pace);
		n = flood(pace, chats[i], TELEGRAM_PACE_EDIT, 1000, 300000, times, 1000);
		assert_true(n > 60);
		at = times[n - 1];
		for (int answer = 0; answer < 2; answer++) {
			assert_int_equal(
			    telegram_pace_wait_ms(pace, chats[i], 0, TELEGRAM_PACE_SEND, at), 0);
			telegram_pace_sent(pace, chats[i], 0, TELEGRAM_PACE_SEND, at);
		}
		free(pace);
	}
}

TEST(all_chats_together_get_30_a_second)
{
	/* Goal: many chats do not add up to a refusal. */
	struct telegram_pace *pace = calloc(1, sizeof(*pace));
	static int64_t times[10000];
	size_t n = 0;

	assert_non_null(pace);
	for (int64_t now = 1000; now < 11000; now++)
		for (int64_t chat = 1; chat < 40; chat++) {
			if (telegram_pace_wait_ms(pace, chat, 0, TELEGRAM_PACE_SEND, now) > 0)
				continue;
			telegram_pace_sent(pace, chat, 0, TELEGRAM_PACE_SEND, now);
			assert_true(n < COUNT(times));
			times[n++] = now;
		}
	assert_true(most_within(times, n, 1000) <= 30);
	assert_true(n > 240);
	free(pace);
}

TEST(a_429_silences_its_chat_and_no_other)
{
	/* Goal: retry_after is obeyed to the second. */
	struct telegram_pace *pace = calloc(1, sizeof(*pace));

	assert_non_null(pace);
	telegram_pace_block(pace, GROUP, 1000, 17000);
	assert_int_equal(telegram_pace_wait_ms(pace, GROUP, 0, TELEGRAM_PACE_SEND, 1000), 17000);
	assert_int_equal(telegram_pace_wait_ms(pace, PERSON, 0, TELEGRAM_PACE_SEND, 1000), 0);
	assert_int_equal(telegram_pace_wait_ms(pace, GROUP, 0, TELEGRAM_PACE_SEND, 18000), 0);
	free(pace);
}

TEST(more_chats_than_places_forget_the_one_used_longest_ago)
{
	/* Goal: strangers in any number take no more memory. */
	struct telegram_pace *pace = calloc(1, sizeof(*pace));

	assert_non_null(pace);
	telegram_pace_block(pace, GROUP, 5000, 60000);
	for (int64_t i = 0; i < TELEGRAM_PACE_CHATS - 1; i++)
		telegram_pace_sent(pace, 100 + i, 0, TELEGRAM_PACE_SEND, 10000 + i * 100);
	assert_true(telegram_pace_wait_ms(pace, GROUP, 0, TELEGRAM_PACE_SEND, 30000) > 0);
	telegram_pace_sent(pace, 99, 0, TELEGRAM_PACE_SEND, 31000);
	assert_true(telegram_pace_wait_ms(pace, GROUP, 0, TELEGRAM_PACE_SEND, 31001) > 0);
	free(pace);
}
