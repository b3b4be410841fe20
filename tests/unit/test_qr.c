/* Goal: a QR code is drawn in a terminal or as a PNG, with a white frame around it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/qr.h"

#include "lib/buf.h"
#include "lib/png.h"
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

/* What it shows test_flow_factor.py reads, by other hands. */
TEST(a_picture_is_a_png_of_its_size)
{
	static const uint8_t begins[] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0, 13,
		'I', 'H', 'D', 'R', 0, 0, 0, 174, 0, 0, 0, 174, 1, 0, 0, 0, 0 };
	static const uint8_t ends[] = { 0, 0, 0, 0, 'I', 'E', 'N', 'D', 0xae, 0x42, 0x60, 0x82 };
	struct buf drawn;

	buf_init(&drawn, 65536);
	assert_true(qr_png("A", &drawn, NULL)); /* 21 modules, 4 around, 6 pixels each */
	assert_memory_equal(drawn.data, begins, sizeof(begins));
	assert_memory_equal(drawn.data + drawn.size - sizeof(ends), ends, sizeof(ends));
	buf_done(&drawn);
	buf_init(&drawn, 100);
	assert_false(qr_png("A", &drawn, NULL));
	buf_done(&drawn);
}

static bool
is_white(UNUSED const void *ctx, UNUSED int x, UNUSED int y)
{
	return false;
}

TEST(a_picture_of_another_size_is_refused)
{
	static const int sides[] = { -1, 0, PNG_SIDE_MAX + 1 };
	struct buf drawn;

	buf_init(&drawn, 1 << 17);
	for (size_t i = 0; i < COUNT(sides); i++)
		assert_false(png_square(sides[i], is_white, NULL, &drawn, NULL));
	assert_int_equal(drawn.size, 0);
	assert_true(png_square(PNG_SIDE_MAX, is_white, NULL, &drawn, NULL));
	buf_done(&drawn);
}

TEST(a_text_that_is_too_long_is_refused)
{
	char text[QR_TEXT_MAX + 2];
	struct buf out;

	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	buf_init(&out, (size_t)1 << 20);
	assert_false(qr_terminal(text, &out, NULL));
	assert_false(qr_png(text, &out, NULL));
	text[QR_TEXT_MAX] = '\0';
	assert_true(qr_terminal(text, &out, NULL));
	assert_true(qr_png(text, &out, NULL));
	buf_done(&out);
}
