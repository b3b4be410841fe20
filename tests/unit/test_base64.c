/* Goal: base64 is read as RFC 4648 has it, and nothing near it is.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "lib/base64.h"

#include "unit.h"

TEST(what_is_encoded_comes_back)
{
	/* RFC 4648, section 10, and the whole alphabet. */
	static const struct {
		const char *text, *bytes;
		size_t size;
	} rows[] = { { "", "", 0 }, { "Zg==", "f", 1 }, { "Zm8=", "fo", 2 }, { "Zm9v", "foo", 3 },
		{ "Zm9vYg==", "foob", 4 }, { "Zm9vYmE=", "fooba", 5 }, { "Zm9vYmFy", "foobar", 6 },
		{ "AAAA", "\0\0\0", 3 }, { "//+/", "\xff\xff\xbf", 3 } };
	char out[8], text[BASE64_SIZE(sizeof(out))];
	size_t size;

	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_true(
		    base64_decode(rows[i].text, strlen(rows[i].text), out, sizeof(out), &size));
		assert_int_equal(size, rows[i].size);
		assert_memory_equal(out, rows[i].bytes, size);
		assert_string_equal(base64_encode(out, size, text), rows[i].text);
	}
}

TEST(what_is_near_it_is_refused)
{
	static const char *const texts[] = { "Z", "Zg", "Zg=", "Zg===", "=", "====", "Z===", "Zg=a",
		"Zm9v=", "Zm=v", "Zh==", "Zm9=", "Zm9v\n", " Zm9", "Zm9-", "Zm9_",
		"Zg==Zg==", "Zm9vYmFyZm9v" /* longer than there is room */ };
	char out[8];
	size_t size = 77;

	for (size_t i = 0; i < COUNT(texts); i++)
		if (base64_decode(texts[i], strlen(texts[i]), out, sizeof(out), &size))
			fail_msg("\"%s\" is base64", texts[i]);
	assert_int_equal(size, 77);
}

TEST(the_alphabet_of_urls_has_no_padding)
{
	static const char *const good[] = { "", "Zg", "Zm8", "Zm9v", "__-_" };
	static const char *const bad[] = { "Z", "Zg==", "Zg=", "Zh", "Zm9", "//+/", "Zm9v\n",
		"Zm9vZ", "Zm9vYmFyZm9v" };
	char out[8], text[BASE64_URL_SIZE(sizeof(out))];
	size_t size;

	for (size_t i = 0; i < COUNT(good); i++) {
		assert_true(base64_url_decode(good[i], strlen(good[i]), out, sizeof(out), &size));
		assert_string_equal(base64_url_encode(out, size, text), good[i]);
		assert_true(strlen(text) < BASE64_URL_SIZE(size));
	}
	size = 77;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (base64_url_decode(bad[i], strlen(bad[i]), out, sizeof(out), &size))
			fail_msg("\"%s\" is base64 of URLs", bad[i]);
	assert_int_equal(size, 77);
}
