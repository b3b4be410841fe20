/* Goal: a key of Standard Webhooks is whsec_ and base64 of 24 to 64 bytes, and nothing else is.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/signing_key.h"

#include "lib/setting.h"
#include "unit.h"

#define OF_24 "MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1u"
#define OF_64 OF_24 OF_24 "MDEyMzQ1Njc4OWFiY2RlZg=="
#define OF_65 OF_24 OF_24 "MDEyMzQ1Njc4OWFiY2RlZmc="

TEST(a_key_has_24_to_64_bytes)
{
	uint8_t key[SIGNING_KEY_MAX];
	size_t size = 0;

	assert_true(signing_key_read("whsec_" OF_24, key, &size));
	assert_int_equal(size, 24);
	assert_memory_equal(key, "0123456789abcdefghijklmn", 24);
	assert_true(signing_key_read("whsec_" OF_64, key, &size));
	assert_int_equal(size, 64);
}

TEST(what_is_no_key_is_refused_as_a_setting_too)
{
	static const char *const bad[] = { "", "whsec_", OF_24, "WHSEC_" OF_24, " whsec_" OF_24,
		"whsec_MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG0=", "whsec_" OF_65, "whsec_" OF_64 OF_64,
		"whsec_" OF_24 "\n", "whsec_" OF_24 " ", "whsec_-DEyMzQ1Njc4OWFiY2RlZmdoaWprbG1u",
		"whsec_" OF_24 "MA", "whsec_" OF_24 "MA===", "whsec_=" OF_24,
		"whsec_whsec_" OF_24 };
	uint8_t key[SIGNING_KEY_MAX];
	static const uint8_t none[SIGNING_KEY_MAX];
	size_t size = 7;

	for (size_t i = 0; i < COUNT(bad); i++) {
		memset(key, 1, sizeof(key));
		if (signing_key_read(bad[i], key, &size) || size != 7)
			fail_msg("read: %s", bad[i]);
		assert_memory_equal(key, none, sizeof(key)); /* nor is half of one left there */
		if (setting_check(SETTING_TYPE_SIGNING_KEY, bad[i], true, NULL))
			fail_msg("taken: %s", bad[i]);
	}
	assert_true(setting_check(SETTING_TYPE_SIGNING_KEY, "whsec_" OF_24, true, NULL));
	assert_true(setting_check(SETTING_TYPE_SIGNING_KEY, "whsec_" OF_64, true, NULL));
}
