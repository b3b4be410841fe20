/* base64.c - four letters become three bytes, and three bytes four letters.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "lib/base64.h"

struct alphabet {
	const char *letters;
	bool is_padded;
};

#define UP_TO_61 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static const struct alphabet standard = { UP_TO_61 "+/", true }, of_urls = { UP_TO_61 "-_", false };

/* Every bit where first <= c <= last, else none. */
static int
within(int c, int first, int last)
{
	return -(int)((unsigned)((first - 1 - c) & (c - last - 1)) >> 31);
}

/* Secrets are read: the time does not say which letter it is.  -1: none of the alphabet. */
static int
value_of(const struct alphabet *alphabet, char letter)
{
	int c = (unsigned char)letter, of_62 = (unsigned char)alphabet->letters[62],
	    of_63 = (unsigned char)alphabet->letters[63];

	return -1 + (within(c, 'A', 'Z') & (c - 'A' + 1)) + (within(c, 'a', 'z') & (c - 'a' + 27)) +
	    (within(c, '0', '9') & (c - '0' + 53)) + (within(c, of_62, of_62) & 63) +
	    (within(c, of_63, of_63) & 64);
}

/* One to three bytes of so many letters; false: no such letters, or bits behind the last byte. */
static bool
decode_four(const struct alphabet *alphabet, const char *four, size_t letters_used, uint8_t out[3])
{
	uint32_t bits = 0;

	for (size_t i = 0; i < 4; i++) {
		int value = i < letters_used ? value_of(alphabet, four[i]) : 0;

		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
	}
	out[0] = (uint8_t)(bits >> 16);
	out[1] = (uint8_t)(bits >> 8);
	out[2] = (uint8_t)bits;
	return (letters_used != 2 || (out[1] == 0 && out[2] == 0)) &&
	    (letters_used != 3 || out[2] == 0);
}

/* Where decoded bytes go. */
struct bytes {
	uint8_t *at;
	size_t size, room;
};

/* Without padding. */
static bool
decode(const struct alphabet *alphabet, const char *text, size_t size, struct bytes *to)
{
	if (size % 4 == 1)
		return false;
	for (size_t at = 0; at < size; at += 4) {
		size_t n = size - at < 4 ? size - at : 4;
		uint8_t three[3];

		if (!decode_four(alphabet, text + at, n, three) || to->size + n - 1 > to->room)
			return false;
		memcpy(to->at + to->size, three, n - 1);
		to->size += n - 1;
	}
	return true;
}

bool
base64_decode(const char *text, size_t size, void *out, size_t room, size_t *ret_size)
{
	struct bytes to = { out, 0, room };
	size_t padding = 0;

	if (size % 4 != 0)
		return false;
	while (padding < 2 && padding < size && text[size - 1 - padding] == '=')
		padding++;
	if (!decode(&standard, text, size - padding, &to))
		return false;
	*ret_size = to.size;
	return true;
}

bool
base64_url_decode(const char *text, size_t size, void *out, size_t room, size_t *ret_size)
{
	struct bytes to = { out, 0, room };

	if (!decode(&of_urls, text, size, &to))
		return false;
	*ret_size = to.size;
	return true;
}

static char *
encode(const struct alphabet *alphabet, const void *data, size_t size, char *out)
{
	const uint8_t *from = data;
	char *to = out;

	for (size_t at = 0; at < size; at += 3) {
		size_t letters = at + 3 <= size ? 4 : size - at + 1;
		uint32_t bits = 0;

		for (size_t i = at; i < at + 3; i++)
			bits = bits << 8 | (i < size ? from[i] : 0);
		for (size_t i = 0; i < 4; i++)
			if (i < letters)
				*to++ = alphabet->letters[bits >> (18 - 6 * i) & 63];
			else if (alphabet->is_padded)
				*to++ = '=';
	}
	*to = '\0';
	return out;
}

char *
base64_encode(const void *data, size_t size, char *out)
{
	return encode(&standard, data, size, out);
}

char *
base64_url_encode(const void *data, size_t size, char *out)
{
	return encode(&of_urls, data, size, out);
}
