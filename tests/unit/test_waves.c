/* Goal: waves rise to all hosts, in whole hosts, and what does not is refused.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/err.h"
#include "types/waves.h"
#include "unit.h"

static const struct fit {
	const char *text;
	size_t hosts;
	size_t ends[WAVES_MAX];
} fits[] = {
	{ NULL, 12, { 12 } },
	{ "100%", 0, { 0 } },
	{ "1, 100%", 2, { 1, 2 } },
	{ "1, 10%, 100%", 12, { 1, 2, 12 } },
	{ "1, 10%, 100%", 1000, { 1, 100, 1000 } },
	{ "1, 10%, 100%", 5, { 1, 5 } }, /* a wave that would add none is left out */
	{ "1, 100%", 1, { 1 } },
	{ "3, 50%, 12", 12, { 3, 6, 12 } },
	{ "1,2,3,4,5,6,7,8,9,10", 10, { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 } },
};

TEST(waves_rise_to_all_hosts)
{
	for (size_t i = 0; i < COUNT(fits); i++) {
		struct waves waves;
		struct err err;
		size_t n = 1;

		while (n < WAVES_MAX && fits[i].ends[n] != 0)
			n++;
		assert_true(waves_read(fits[i].text, fits[i].hosts, &waves, &err));
		assert_int_equal(waves.n, n);
		for (size_t k = 0; k < n; k++)
			assert_int_equal(waves.ends[k], fits[i].ends[k]);
	}
}

TEST(a_wave_that_is_more_than_there_are_is_all_of_them)
{
	struct waves waves;

	waves_fit("1, 50, 100%", 3, &waves);
	assert_int_equal(waves.n, 2);
	assert_true(waves.ends[0] == 1 && waves.ends[1] == 3);
	waves_fit("50%, 2, 100%", 12, &waves); /* which fell, of as many */
	assert_int_equal(waves.n, 2);
	assert_true(waves.ends[0] == 6 && waves.ends[1] == 12);
	waves_fit("1,2,3,4,5,6,7,8,9,100%", 12, &waves);
	assert_int_equal(waves.n, 10);
	assert_int_equal(waves.ends[9], 12);
}

static const struct misfit {
	const char *text;
	size_t hosts;
	const char *says;
} misfits[] = {
	{ "3, 100%", 2, "wave 3 is more than its 2 hosts" },
	{ "50%, 10%, 100%", 12, "wave 10% is less than 50% before it, of 12 hosts" },
	{ "4, 10%, 100%", 12, "wave 10% is less than 4 before it, of 12 hosts" },
	{ "1, 10%", 12, "its last wave is 10%: write 100% behind it" },
	{ "1", 12, "its last wave is 1: write 100% behind it" },
};

TEST(what_falls_or_leaves_hosts_out_is_refused)
{
	for (size_t i = 0; i < COUNT(misfits); i++) {
		struct waves waves;
		struct err err = { 0 };

		assert_false(waves_read(misfits[i].text, misfits[i].hosts, &waves, &err));
		if (strstr(err.text, misfits[i].says) == NULL)
			fail_msg("%s: %s", misfits[i].text, err.text);
	}
}

TEST(failures_are_rounded_down)
{
	assert_int_equal(waves_failures(NULL, 12), 0);
	assert_int_equal(waves_failures("2%", 12), 0);
	assert_int_equal(waves_failures("2%", 50), 1);
	assert_int_equal(waves_failures("2%", 99), 1);
	assert_int_equal(waves_failures("3", 12), 3);
}

TEST(hosts_of_a_list_are_counted)
{
	assert_int_equal(waves_hosts(NULL), 0);
	assert_int_equal(waves_hosts("h1, h2:2222,h3"), 3);
}

TEST(a_plan_is_shown_by_the_hosts_that_are_first_and_by_numbers)
{
	struct waves_shown shown;

	waves_show("web1:22\nh1:22 h2:2222\nh3:22", &shown);
	assert_int_equal(shown.n, 3);
	assert_string_equal(shown.first, "web1");
	assert_int_equal(shown.of[1], 2);
	waves_show("h1:22 h2:2222 h3:22\nh4:22", &shown);
	assert_string_equal(shown.first, "h1, h2:2222, h3");
	waves_show("h1 h2 h3 h4\nh5", &shown);
	assert_string_equal(shown.first, "");
	assert_int_equal(shown.of[0], 4);
	waves_show("", &shown);
	assert_int_equal(shown.n, 0);
}
