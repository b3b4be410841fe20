/* Goal: initData proves who has opened the page, when its HMAC is of our bot and of now.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "telegram/telegram_init_data.h"

#include <stdio.h>

#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/text.h"
#include "unit.h"

#define BOT   "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0"
#define USER  "user=%7B%22id%22%3A33%2C%22first_name%22%3A%22Cy%22%2C%22username%22%3A%22cy%22%7D"
#define NOW_S INT64_C(1767225600)

static char told[128];

/* Its hash is of what is decoded, whatever stands in it. */
static const char *
sign(const char *bot, const char *decoded, const char *encoded)
{
	static char texts[32][16384]; /* more than one test has at once */
	static size_t n;
	char *text = texts[n++ % COUNT(texts)], hex[65];
	uint8_t key[32], mac[32];

	assert_true(crypto_hmac("WebAppData", 10, bot, strlen(bot), key, NULL));
	assert_true(crypto_hmac(key, sizeof(key), decoded, strlen(decoded), mac, NULL));
	text_hex(hex, mac, sizeof(mac));
	(void)snprintf(text, sizeof(texts[0]), "%s&hash=%s", encoded, hex);
	return text;
}

#define DECODED(at) \
	"auth_date=" at "\nquery_id=AA\nuser={\"id\":33,\"first_name\":\"Cy\",\"username\":\"cy\"}"
#define ENCODED(at) "query_id=AA&" USER "&auth_date=" at
#define GOOD	    sign(BOT, DECODED("1767225600"), ENCODED("1767225600"))

static bool
proves(const char *text, int64_t at_s)
{
	struct telegram_init_data data;
	struct err err = { 0 };
	bool is_right = telegram_init_data_check(BOT, text, at_s * 1000, &data, &err);

	text_set(told, err.text);
	if (is_right)
		assert_int_equal(data.person, 33);
	return is_right;
}

TEST(initdata_of_our_bot_and_of_now_names_its_person)
{
	struct telegram_init_data data;
	struct err err;

	assert_true(proves(GOOD, NOW_S));
	assert_true(telegram_init_data_check(BOT, GOOD, NOW_S * 1000, &data, &err));
	assert_string_equal(data.name, "@cy");
	assert_string_equal(data.hash, strstr(GOOD, "&hash=") + strlen("&hash="));
}

/* The same pairs in another order are the same, with one hash: once is once. */
TEST(shuffled_it_is_the_same)
{
	const char *hash = strstr(GOOD, "&hash=") + 1;
	char text[1024];

	(void)snprintf(text, sizeof(text), "auth_date=1767225600&%s&query_id=AA&%s", hash, USER);
	assert_true(proves(text, NOW_S));
}

TEST(it_is_good_for_five_minutes_and_not_ahead_of_our_clock)
{
	assert_true(proves(GOOD, NOW_S + 300));
	assert_false(proves(GOOD, NOW_S + 301));
	assert_true(proves(GOOD, NOW_S - 20));
	assert_false(proves(GOOD, NOW_S - 21));
	assert_false(proves(GOOD, NOW_S - 86400)); /* from tomorrow */
	assert_false(proves(GOOD, NOW_S + 86400)); /* a day old */
	assert_non_null(strstr(told, "open the page anew"));
}

TEST(what_is_of_another_form_proves_nothing)
{
	static char large[65536 + 1];
	const char *good = GOOD, *hash = strstr(good, "&hash=");
	char text[2048];
	const char *const bad[] = {
		"",
		"&",
		"=",
		"hash=",
		"user",
		"user=%7B",
		"%",
		"user=%",
		"user=%4",
		"a=%00",
		"a=%zz",
		ENCODED("1767225600"),
		ENCODED("1767225600") "&hash=",
		ENCODED("1767225600") "&hash=00",
		sign("999:another-bot", DECODED("1767225600"), ENCODED("1767225600")),
		sign(BOT, "a=1\na=1\n" DECODED("1767225600"), "a=1&a=1&" ENCODED("1767225600")),
		sign(
		    BOT, "auth_date=1767225600\nuser=no json", "user=no+json&auth_date=1767225600"),
		sign(BOT, "auth_date=1767225600\nuser=no json",
		    "user=no%20json&auth_date=1767225600"),
		sign(BOT, "auth_date=1767225600\nuser={\"id\":\"33\"}",
		    "user={\"id\":\"33\"}&auth_date=1767225600"),
		sign(BOT, "auth_date=1767225600\nuser={\"id\":-33}",
		    "user={\"id\":-33}&auth_date=1767225600"),
		sign(BOT, "auth_date=1767225600", "auth_date=1767225600"),
		sign(BOT, DECODED("1767225600.0"), ENCODED("1767225600.0")),
		sign(BOT, DECODED(""), ENCODED("")),
		sign(BOT, "query_id=AA\nuser={\"id\":33}", "query_id=AA&user={\"id\":33}"),
	};

	for (size_t i = 0; i < COUNT(bad); i++)
		if (proves(bad[i], NOW_S))
			fail_msg("%zu: %s", i, bad[i]);
	/* One digit is another; in capitals it would count a second time. */
	text_set(text, good);
	text[strlen(text) - 1] ^= 1;
	assert_false(proves(text, NOW_S));
	text_set(text, good);
	for (char *at = text + (hash - good) + strlen("&hash="); *at != '\0'; at++)
		*at = (char)(*at >= 'a' ? *at - 32 : *at);
	assert_false(proves(text, NOW_S));
	memset(large, 'a', sizeof(large) - 1);
	(void)snprintf(large, 32, "auth_date=1767225600&a=");
	large[strlen(large)] = 'b';
	assert_false(proves(large, NOW_S)); /* 64 KB */
}

TEST(it_is_decoded_once)
{
	/* As signed its name is "%41", which is said as "%2541". */
	assert_true(
	    proves(sign(BOT, "auth_date=1767225600\nuser={\"id\":33,\"first_name\":\"%41\"}",
		       "auth_date=1767225600&user={\"id\":33,\"first_name\":\"%2541\"}"),
		NOW_S));
	assert_false(proves(sign(BOT, "auth_date=1767225600\nuser={\"id\":33,\"first_name\":\"A\"}",
				"auth_date=1767225600&user={\"id\":33,\"first_name\":\"%2541\"}"),
	    NOW_S));
	/* A plus is one, and no blank. */
	assert_true(
	    proves(sign(BOT, "auth_date=1767225600\nuser={\"id\":33,\"first_name\":\"a+b\"}",
		       "auth_date=1767225600&user={\"id\":33,\"first_name\":\"a+b\"}"),
		NOW_S));
}

/* A line end in a value would be another pair to what is signed. */
TEST(no_pair_hides_in_a_value)
{
	static const char decoded[] = "a=1\nab=2\n" DECODED("1767225600");

	assert_true(proves(sign(BOT, decoded, "a=1&ab=2&" ENCODED("1767225600")), NOW_S));
	assert_false(proves(sign(BOT, decoded, "a=1%0Aab=2&" ENCODED("1767225600")), NOW_S));
}

/* The vector of github.com/Telegram-Mini-Apps/init-data-golang issue 11, with the key that is
 * derived from its bot's token: right with `signature`, and wrong without. */
TEST(the_public_vector_is_right)
{
	static const char text[] =
	    "user=%7B%22id%22%3A279058397%2C%22first_name%22%3A%22Vladislav%20%2B%20-%20%3F%20%5C"
	    "%2F%22%2C%22last_name%22%3A%22Kibenko%22%2C%22username%22%3A%22vdkfrost%22%2C%22lang"
	    "uage_code%22%3A%22ru%22%2C%22is_premium%22%3Atrue%2C%22allows_write_to_pm%22%3Atrue%"
	    "2C%22photo_url%22%3A%22https%3A%5C%2F%5C%2Ft.me%5C%2Fi%5C%2Fuserpic%5C%2F320%5C%2F4F"
	    "PEE4tmP3ATHa57u6MqTDih13LTOiMoKoLDRG4PnSA.svg%22%7D&chat_instance=813472220031428115"
	    "1&chat_type=private&auth_date=1733509682&signature=TYJxVcisqbWjtodPepiJ6ghziUL94-KNp"
	    "G8Pau-X7oNNLNBM72APCpi_RKiUlBvcqo5L-LAxIc3dnTzcZX_PDg&hash=a433d8f9847bd6addcc563bff"
	    "7cc82c89e97ea0d90c11fe5729cae6796a36d73";
	static const char key_hex[] =
	    "231a7ce63f8a4f94a57ed1b31763396f5195134575445dcb13695a5de2e8b1f7";
	struct telegram_init_data data;
	struct err err;
	uint8_t key[32];

	assert_true(text_unhex(key, sizeof(key), key_hex, strlen(key_hex)));
	assert_true(telegram_init_data_check_key(key, text, INT64_C(1733509682000), &data, &err));
	assert_int_equal(data.person, 279058397);
	assert_string_equal(data.name, "@vdkfrost");
}
