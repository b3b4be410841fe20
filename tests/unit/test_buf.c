/* Goal: a buffer never exceeds its cap and tells of its first failure at the end.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/buf.h"

#include "lib/err.h"
#include "unit.h"

TEST(what_is_added_is_there_and_ends_with_nul)
{
	struct buf b;

	buf_init(&b, 4096);
	assert_string_equal(buf_text(&b), "");
	buf_adds(&b, "one ");
	buf_addf(&b, "%d%c", 2, '!');
	buf_addc(&b, '\n');
	assert_string_equal(buf_text(&b), "one 2!\n");
	for (int i = 0; i < 300; i++)
		buf_addf(&b, "%03d,", i);
	assert_int_equal(b.size, 7 + 1200);
	assert_string_equal(buf_text(&b) + 7 + 1196, "299,");
	buf_done(&b);
}

TEST(at_the_cap_nothing_more_is_added_and_the_failure_stays)
{
	struct err err;
	struct buf b;

	buf_init(&b, 300);
	for (int i = 0; i < 30; i++)
		buf_adds(&b, "0123456789");
	assert_false(buf_failed(&b));
	assert_int_equal(b.size, 300);
	buf_addc(&b, 'x');
	assert_true(buf_failed(&b));
	buf_add(&b, "", 0);
	assert_int_equal(b.size, 300);
	assert_false(buf_check(&b, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	assert_null(buf_take(&b));
	assert_false(buf_failed(&b));
}

TEST(taking_gives_the_text_away)
{
	struct buf b;
	char *text;

	buf_init(&b, 10);
	text = buf_take(&b);
	assert_string_equal(text, "");
	free(text);
	buf_adds(&b, "abc");
	text = buf_take(&b);
	assert_string_equal(text, "abc");
	assert_int_equal(b.size, 0);
	free(text);
}

TEST(the_front_and_the_end_can_be_removed)
{
	struct buf b;

	buf_init(&b, 100);
	buf_drop_front(&b, 5);
	buf_adds(&b, "abcdef");
	buf_drop_front(&b, 2);
	buf_cut(&b, 3);
	buf_cut(&b, 30);
	assert_string_equal(buf_text(&b), "cde");
	buf_drop_front(&b, 99);
	assert_string_equal(buf_text(&b), "");
	buf_wipe(&b);
}
