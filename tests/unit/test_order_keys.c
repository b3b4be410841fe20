/* Goal: who executes has a name and one or two order keys, out of a file that is root's.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/order_keys.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/file.h"
#include "unit.h"

#define KEY  "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
#define PATH "/tmp/order_keys.test"

static struct order_keys settings;
static struct err err;

static bool
is_read(const char *text)
{
	bool good;

	assert_true(file_write(PATH, text, strlen(text), 0640, NULL));
	good = order_keys_read(&settings, "AGENT_NAME", PATH, &err);
	(void)unlink(PATH);
	assert_true(good || err.code == ERR_CONFIG);
	return good;
}

TEST(a_name_and_one_key_or_two_are_read)
{
	assert_true(is_read("AGENT_NAME=acme\nORDER_KEYS=" KEY "\n"));
	assert_string_equal(settings.name, "acme");
	assert_int_equal(settings.count, 1);
	assert_int_equal(settings.all[0][0], 0xd7);
	assert_true(is_read("AGENT_NAME=acme\nORDER_KEYS=\" " KEY "  " KEY " \"\n"));
	assert_int_equal(settings.count, 2);
}

TEST(all_else_is_refused)
{
	static const char *const texts[] = { "", "AGENT_NAME=acme\n", "ORDER_KEYS=" KEY "\n",
		"AGENT_NAME=acme\nORDER_KEYS=" KEY "0\n", "AGENT_NAME=acme\nORDER_KEYS=abc\n",
		"AGENT_NAME=acme\nORDER_KEYS=\"" KEY " " KEY " " KEY "\"\n",
		"AGENT_NAME=a/b\nORDER_KEYS=" KEY "\n",
		"AGENT_NAME=" KEY "\nORDER_KEYS=" KEY "\n", /* of 64 bytes */
		"AGENT_NAME=acme\nORDER_KEYS=" KEY "\nSHELL=1\n",
		"RUNNER_NAME=acme\nORDER_KEYS=" KEY "\n" };

	for (size_t i = 0; i < COUNT(texts); i++)
		assert_false(is_read(texts[i]));
	assert_false(order_keys_read(&settings, "AGENT_NAME", PATH, &err)); /* there is none */
}

TEST(a_file_that_others_may_write_is_refused)
{
	static const char text[] = "AGENT_NAME=acme\nORDER_KEYS=" KEY "\n";

	assert_true(file_write(PATH, text, strlen(text), 0640, NULL));
	assert_int_equal(chmod(PATH, 0642), 0);
	assert_false(order_keys_read(&settings, "AGENT_NAME", PATH, &err));
	(void)unlink(PATH);
}
