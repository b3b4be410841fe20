/* Goal: a QR code is drawn in a terminal, with a white frame around it, or given as rows.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/qr.h"

#include "lib/buf.h"
#include "unit.h"

TEST(a_drawing_has_two_rows_a_line)
{
	struct buf drawn;
	size_t lines = 0;

	buf_init(&drawn, 65536);
	assert_true(qr_terminal("A", &drawn, NULL));
	for (size_t i = 0; i < drawn.size; i++)
		lines += drawn.data[i] == '\n';
	assert_int_equal(lines, 15);
	/* The corner's frame: seven modules above, and between its sides a white row. */
	assert_non_null(strstr(buf_text(&drawn), "    █▀▀▀▀▀█"));
	buf_done(&drawn);
}

static void
count_row(void *ctx, const char *row)
{
	int *n = ctx;

	assert_int_equal(strlen(row), 21);
	assert_int_equal(strspn(row, "01"), 21);
	if (*n == 0)
		assert_true(strncmp(row, "11111110", 8) == 0); /* a finder, and no frame */
	++*n;
}

/* What they show test_flow_factor.py reads, by other hands. */
TEST(its_rows_are_those_of_the_code_alone)
{
	int n = 0;

	qr_rows("A", count_row, &n);
	assert_int_equal(n, 21);
}

static void
fail_row(UNUSED void *ctx, UNUSED const char *row)
{
	fail_msg("there is no code of it");
}

TEST(a_text_that_is_too_long_is_refused)
{
	char text[QR_TEXT_MAX + 2];
	struct buf out;

	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	buf_init(&out, (size_t)1 << 20);
	assert_false(qr_terminal(text, &out, NULL));
	qr_rows(text, fail_row, NULL);
	text[QR_TEXT_MAX] = '\0';
	assert_true(qr_terminal(text, &out, NULL));
	buf_done(&out);
}
