/* base64.c - four letters become three bytes, and three bytes four letters.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "lib/base64.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Secrets are read: the time does not say which letter it is. */
static int
value_of(char c)
{
	int value = -1;

	for (int i = 0; i < 64; i++)
		value = letters[i] == c ? i : value;
	return value;
}

/* One to three bytes; false: no such four letters, or bits behind the last byte. */
static bool
decode_four(const char four[4], size_t letters_used, uint8_t out[3])
{
	uint32_t bits = 0;

	for (size_t i = 0; i < 4; i++) {
		int value = i < letters_used ? value_of(four[i]) : 0;

		if (value < 0 || (i >= letters_used && four[i] != '='))
			return false;
		bits = bits << 6 | (uint32_t)value;
	}
	out[0] = (uint8_t)(bits >> 16);
	out[1] = (uint8_t)(bits >> 8);
	out[2] = (uint8_t)bits;
	return (letters_used != 2 || (out[1] == 0 && out[2] == 0)) &&
	    (letters_used != 3 || out[2] == 0);
}

bool
base64_decode(const char *text, size_t size, void *out, size_t room, size_t *ret_size)
{
	uint8_t *to = out;
	size_t used = 0;

	if (size % 4 != 0)
		return false;
	for (size_t at = 0; at < size; at += 4) {
		bool is_last = at + 4 == size;
		size_t n = is_last && text[at + 3] == '=' ? (text[at + 2] == '=' ? 2 : 3) : 4;
		uint8_t three[3];

		if (!decode_four(text + at, n, three) || used + n - 1 > room)
			return false;
		memcpy(to + used, three, n - 1);
		used += n - 1;
	}
	*ret_size = used;
	return true;
}

char *
base64_encode(const void *data, size_t size, char *out)
{
	const uint8_t *from = data;
	char *to = out;

	for (size_t at = 0; at < size; at += 3) {
		uint32_t bits = 0;

		for (size_t i = at; i < at + 3; i++)
			bits = bits << 8 | (i < size ? from[i] : 0);
		*to++ = letters[bits >> 18];
		*to++ = letters[bits >> 12 & 63];
		*to++ = (char)(at + 1 < size ? letters[bits >> 6 & 63] : '=');
		*to++ = (char)(at + 2 < size ? letters[bits & 63] : '=');
	}
	*to = '\0';
	return out;
}
