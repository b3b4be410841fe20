/* Goal: base64 is read as RFC 4648 has it, and nothing near it is.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "lib/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void
what_is_encoded_comes_back(void **state)
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

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_true(
		    base64_decode(rows[i].text, strlen(rows[i].text), out, sizeof(out), &size));
		assert_int_equal(size, rows[i].size);
		assert_memory_equal(out, rows[i].bytes, size);
		assert_string_equal(base64_encode(out, size, text), rows[i].text);
	}
}

static void
what_is_near_it_is_refused(void **state)
{
	static const char *const texts[] = { "Z", "Zg", "Zg=", "Zg===", "=", "====", "Z===", "Zg=a",
		"Zm9v=", "Zm=v", "Zh==", "Zm9=", "Zm9v\n", " Zm9", "Zm9-", "Zm9_",
		"Zg==Zg==", "Zm9vYmFyZm9v" /* longer than there is room */ };
	char out[8];
	size_t size = 77;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		if (base64_decode(texts[i], strlen(texts[i]), out, sizeof(out), &size))
			fail_msg("\"%s\" is base64", texts[i]);
	assert_int_equal(size, 77);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_encoded_comes_back),
		cmocka_unit_test(what_is_near_it_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
