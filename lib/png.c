/* png.c - a small picture in black and white as PNG (RFC 2083), not compressed.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/png.h"

#include "lib/buf.h"
#include "lib/crypto.h"
#include "lib/err.h"

#define ROW_MAX	   (PNG_SIDE_MAX / 8 + 2)
#define DATA_MAX   (PNG_SIDE_MAX * ROW_MAX)
#define ZLIB_EXTRA 11 /* before the rows and behind them */
_Static_assert(DATA_MAX <= 65535, "one stored block");

static uint32_t
crc_of(const uint8_t *data, size_t size, uint32_t crc)
{
	for (size_t i = 0; i < size; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ ((crc & 1) != 0 ? UINT32_C(0xedb88320) : 0);
	}
	return crc;
}

static uint32_t
adler_of(const uint8_t *data, size_t size)
{
	uint32_t a = 1, b = 0;

	for (size_t i = 0; i < size; i++) {
		a = (a + data[i]) % 65521;
		b = (b + a) % 65521;
	}
	return b << 16 | a;
}

static void
put_u32(uint8_t out[4], uint32_t n)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(n >> (24 - 8 * i));
}

static void
add_chunk(struct buf *out, const char *type, const uint8_t *data, size_t size)
{
	uint8_t number[4];
	uint32_t crc = crc_of((const uint8_t *)type, 4, UINT32_MAX);

	put_u32(number, (uint32_t)size);
	buf_add(out, (const char *)number, 4);
	buf_add(out, type, 4);
	buf_add(out, (const char *)data, size);
	put_u32(number, ~crc_of(data, size, crc));
	buf_add(out, (const char *)number, 4);
}

/* Rows of bits, white is 1, each behind a byte that says "no filter". */
static size_t
draw(int side, bool (*is_black)(const void *ctx, int x, int y), const void *ctx, uint8_t *rows)
{
	size_t row_size = (size_t)(side + 7) / 8 + 1;

	memset(rows, 0, row_size * (size_t)side);
	for (int y = 0; y < side; y++)
		for (int x = 0; x < side; x++)
			if (!is_black(ctx, x, y))
				rows[(size_t)y * row_size + 1 + (size_t)x / 8] |=
				    (uint8_t)(0x80 >> x % 8);
	return row_size * (size_t)side;
}

bool
png_square(int side, bool (*is_black)(const void *ctx, int x, int y), const void *ctx,
    struct buf *out, struct err *err)
{
	static const uint8_t magic[] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' };
	uint8_t header[13] = { [8] = 1, [9] = 0 }; /* a bit for each pixel, grey */
	uint8_t data[DATA_MAX + ZLIB_EXTRA];
	size_t size;

	if (side < 1 || side > PNG_SIDE_MAX)
		return err_set(err, ERR_LIMIT, "a picture of 1 to %d pixels", PNG_SIDE_MAX);
	put_u32(header, (uint32_t)side);
	put_u32(header + 4, (uint32_t)side);
	size = draw(side, is_black, ctx, data + 7);
	memcpy(data, (const uint8_t[]){ 0x78, 0x01, 0x01 }, 3); /* zlib; the last block, stored */
	data[3] = (uint8_t)size;
	data[4] = (uint8_t)(size >> 8);
	data[5] = (uint8_t)~data[3];
	data[6] = (uint8_t)~data[4];
	put_u32(data + 7 + size, adler_of(data + 7, size));
	buf_add(out, (const char *)magic, sizeof(magic));
	add_chunk(out, "IHDR", header, sizeof(header));
	add_chunk(out, "IDAT", data, size + ZLIB_EXTRA);
	add_chunk(out, "IEND", NULL, 0);
	crypto_wipe(data, sizeof(data));
	return buf_check(out, err);
}
