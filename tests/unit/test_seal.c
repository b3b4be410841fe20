/* Goal: a sealed secret opens with its key, in its place, and nowhere else.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/seal.h"

#include <unistd.h>

#include "lib/err.h"
#include "unit.h"

#define OLD "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define NEW "101112131415161718191a1b1c1d1e1f000102030405060708090a0b0c0d0e0f"

static const uint8_t nonce[SEAL_NONCE] = "a fresh one!";

static bool
read_text(const char *text, struct seal_keys *ret, struct err *err)
{
	char path[] = "/tmp/test_seal.XXXXXX";
	int fd = mkstemp(path);
	bool ok;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
	ok = seal_read(path, ret, err);
	(void)unlink(path);
	return ok;
}

static struct seal_keys
keys_of(const char *text)
{
	struct seal_keys keys;

	assert_true(read_text(text, &keys, NULL));
	return keys;
}

TEST(a_file_holds_one_key_or_two_and_says_what_is_wrong)
{
	static const struct {
		const char *text;
		size_t count; /* 0: it is refused */
	} cases[] = {
		{ OLD, 1 },
		{ OLD "\n", 1 },
		{ "# the key\r\n\r\n" OLD "\r\n", 1 },
		{ NEW "\n" OLD "\n", 2 },
		{ "", 0 },
		{ "# none\n", 0 },
		{ OLD "0\n", 0 },
		{ OLD OLD "\n", 0 },
		{ " " OLD "\n", 0 },
		{ OLD "\n" OLD "\n", 0 },
		{ NEW "\n" OLD "\n" OLD "\n", 0 },
		{ "0g0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", 0 },
	};
	struct seal_keys keys;
	struct err err;

	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(read_text(cases[i].text, &keys, &err), cases[i].count > 0);
		assert_int_equal(keys.count, cases[i].count);
		if (cases[i].count == 0)
			assert_null(strstr(err.text, "0203"));
	}
}

TEST(a_file_that_is_none_is_refused)
{
	char text[SEAL_FILE_MAX + 2];
	struct seal_keys keys;
	struct err err;

	memset(text, '\n', sizeof(text));
	memcpy(text, NEW, 64);
	text[sizeof(text) - 1] = '\0';
	assert_false(read_text(text, &keys, &err));
	text[SEAL_FILE_MAX] = '\0';
	assert_true(read_text(text, &keys, &err));
	assert_false(seal_read("/tmp/test_seal.gone", &keys, &err));
	assert_int_equal(keys.count, 0);
	assert_int_equal(err.code, ERR_MISSING);
}

TEST(it_opens_in_its_place_alone)
{
	struct seal_keys keys = keys_of(OLD);
	char text[SEAL_TEXT] = "as it was", other[SEAL_TEXT], out[6];
	uint8_t large[SEAL_MAX + 1] = { 0 };
	struct err err;

	assert_false(seal_close(&keys, "factor/11", nonce, large, sizeof(large), text, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	assert_string_equal(text, "as it was");
	assert_true(seal_close(&keys, "factor/11", nonce, "secret", 6, text, &err));
	assert_null(strstr(text, "secret"));
	assert_true(seal_open(&keys, "factor/11", text, out, 6, &err));
	assert_memory_equal(out, "secret", 6);
	assert_false(seal_open(&keys, "factor/22", text, out, 6, &err));
	assert_int_equal(err.code, ERR_DENIED);
	assert_memory_equal(out, "\0\0\0\0\0\0", 6);
	assert_false(seal_open(&keys, "pad/11", text, out, 6, &err));
	assert_int_equal(err.code, ERR_DENIED);
	for (size_t i = 0; text[i] != '\0'; i++) {
		memcpy(other, text, sizeof(other));
		other[i] = other[i] == '0' ? '1' : '0';
		assert_false(seal_open(&keys, "factor/11", other, out, 6, NULL));
		other[i] = '\0';
		assert_false(seal_open(&keys, "factor/11", other, out, 6, NULL));
	}
	assert_false(seal_open(&keys, "factor/11", text, out, 5, &err));
	assert_int_equal(err.code, ERR_INVALID);
}

TEST(the_old_key_opens_and_the_new_one_seals)
{
	struct seal_keys old = keys_of(OLD), both = keys_of(NEW "\n" OLD), fresh = keys_of(NEW);
	struct seal_keys none = { .count = 0 };
	char text[SEAL_TEXT], again[SEAL_TEXT], out[6];
	struct err err;

	assert_true(seal_close(&old, "factor/11", nonce, "secret", 6, text, &err));
	assert_false(seal_is_old(&old, text));
	assert_true(seal_is_old(&both, text));
	assert_true(seal_open(&both, "factor/11", text, out, 6, &err));
	assert_true(seal_close(&both, "factor/11", nonce, out, 6, again, &err));
	assert_false(seal_is_old(&both, again));
	assert_true(seal_open(&fresh, "factor/11", again, out, 6, &err));
	assert_false(seal_open(&fresh, "factor/11", text, out, 6, &err));
	assert_int_equal(err.code, ERR_MISSING);
	assert_false(seal_open(&none, "factor/11", text, out, 6, &err));
	assert_int_equal(err.code, ERR_MISSING);
	assert_false(seal_close(&none, "factor/11", nonce, "secret", 6, text, &err));
	assert_int_equal(err.code, ERR_MISSING);
}
