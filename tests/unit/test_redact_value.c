/* Goal: what was lent is redacted until its time is over, and is wiped then.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/redact_value.h"

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/redact.h"
#include "tests/unit/redact_aid.h"
#include "unit.h"

#define VALUE "p@ss/word+with&signs"
#define FORMS \
	"p@ss/word+with&signs p%40ss%2Fword%2Bwith%26signs cEBzcy93b3JkK3dpdGgmc2lnbnM= xcEBzcy93b3JkK3dpdGgmc2lnbnM="
#define STRUCK "*** *** ***M= x***M="

/* How many times VALUE was wiped. */
static int n_wiped;

void __real_explicit_bzero(void *data, size_t size);
void __wrap_explicit_bzero(void *data, size_t size);
void __wrap___explicit_bzero_chk(void *data, size_t size, size_t room);

void
__wrap_explicit_bzero(void *data, size_t size)
{
	n_wiped += size == strlen(VALUE) && memcmp(data, VALUE, size) == 0;
	__real_explicit_bzero(data, size);
}

/* What _FORTIFY_SOURCE makes of it. */
void
__wrap___explicit_bzero_chk(void *data, size_t size, size_t room)
{
	assert_true(size <= room);
	__wrap_explicit_bzero(data, size);
}

static struct err err;

static bool
learn(struct redact *r, const char *value, int64_t until)
{
	return redact_learn_until(r, value, false, until, &err);
}

TEST(a_value_that_was_lent_is_redacted_in_each_form_until_its_time_is_over)
{
	CLEANUP(redact_freep) struct redact *r = redact_new();

	redact_check(r, FORMS, FORMS);
	assert_true(learn(r, VALUE, 1000));
	redact_check(r, FORMS, STRUCK);
	assert_int_equal(redact_forget(r, 999), 1000);
	redact_check(r, FORMS, STRUCK);
	assert_int_equal(redact_forget(r, 1000), 0);
	redact_check(r, FORMS, FORMS);
}

TEST(what_is_forgotten_is_wiped)
{
	CLEANUP(redact_freep) struct redact *r = redact_new();

	assert_true(learn(r, VALUE, 1000));
	n_wiped = 0;
	assert_int_equal(redact_forget(r, 999), 1000);
	assert_int_equal(n_wiped, 0);
	assert_int_equal(redact_forget(r, 1000), 0);
	assert_int_equal(n_wiped, 1);
	assert_true(learn(r, VALUE, 1000));
	redact_free(TAKE(r));
	assert_int_equal(n_wiped, 2);
}

TEST(of_a_value_that_is_lent_twice_the_longer_time_counts)
{
	for (int64_t first = 1000; first <= 2000; first += 1000) {
		CLEANUP(redact_freep) struct redact *r = redact_new();

		assert_true(learn(r, VALUE, first) && learn(r, VALUE, 3000 - first));
		assert_int_equal(redact_forget(r, 1000), 2000);
		redact_check(r, FORMS, STRUCK);
		assert_int_equal(redact_forget(r, 2000), 0);
		redact_check(r, FORMS, FORMS);
	}
}

TEST(a_secret_of_the_settings_is_redacted_for_ever_though_it_was_lent)
{
	CLEANUP(redact_freep) struct redact *r = redact_new();

	assert_true(learn(r, VALUE, 1000) && redact_add(r, VALUE, &err));
	assert_true(redact_add(r, "of-the-settings", &err) && learn(r, "of-the-settings", 1000));
	assert_int_equal(redact_forget(r, 1000), 0);
	redact_check(r, FORMS " of-the-settings", STRUCK " ***");
	assert_true(learn(r, VALUE, 2000)); /* it is forgotten no more */
	assert_int_equal(redact_forget(r, 2000), 0);
	redact_check(r, FORMS, STRUCK);
}

TEST(each_line_of_it_is_redacted_too_and_one_of_two_values_until_the_later_time)
{
	CLEANUP(redact_freep) struct redact *r = redact_new();

	assert_true(learn(r, "line-of-both\nline-of-one\r\nab", 1000));
	assert_true(learn(r, "line-of-two\nline-of-both", 2000));
	redact_check(r, "line-of-both line-of-one line-of-two ab", "*** *** *** ab");
	assert_int_equal(redact_forget(r, 1000), 2000);
	redact_check(r, "line-of-both line-of-one line-of-two", "*** line-of-one ***");
	assert_int_equal(redact_forget(r, 2000), 0);
	redact_check(r, "line-of-both line-of-two", "line-of-both line-of-two");
}

TEST(values_that_are_lent_have_64_places_beside_those_of_the_settings)
{
	CLEANUP(redact_freep) struct redact *r = redact_new();
	char value[32];

	assert_true(redact_add(r, "of-the-settings", &err));
	for (int i = 0; i < REDACT_LENT_MAX; i++) {
		(void)snprintf(value, sizeof(value), "lent-%d", 100 + i);
		assert_true(learn(r, value, 1000 + i));
		assert_true(learn(r, value, 1000 + i)); /* in the place that it has */
		assert_true(learn(r, "of-the-settings", 1000));
	}
	assert_false(learn(r, "one-more", 5000));
	assert_int_equal(err.code, ERR_BUSY);
	redact_check(r, "one-more lent-163", "one-more ***");
	assert_true(redact_learn_until(r, "a-part", true, 5000, &err)); /* takes none */
	assert_true(learn(r, "lent-100", 5000));
	for (int i = 1; i < REDACT_VALUES_MAX; i++) {
		(void)snprintf(value, sizeof(value), "settings-%d", i);
		assert_true(redact_add(r, value, &err));
	}
	assert_false(redact_add(r, "settings-too-many", &err));
	assert_int_equal(redact_forget(r, 1001), 1002);
	assert_true(learn(r, "one-more", 5000));
	redact_check(r, "one-more lent-101 lent-100", "*** lent-101 ***");
	assert_false(learn(r, "yet-one-more", 5000));
}

TEST(values_that_are_lent_have_so_many_bytes_together)
{
	CLEANUP(redact_freep) struct redact *r = redact_new();
	CLEANUP(freep) char *text = mem_alloc(REDACT_LENT_BYTES + 2);

	memset(text, 'a', REDACT_LENT_BYTES + 1);
	text[REDACT_LENT_BYTES + 1] = '\0';
	assert_false(learn(r, text, 1000));
	assert_int_equal(err.code, ERR_BUSY);
	text[REDACT_LENT_BYTES - 6] = '\0';
	assert_true(learn(r, text, 1000) && learn(r, "abcdef", 1000));
	assert_false(learn(r, "bcdefg", 1000));
	assert_int_equal(redact_forget(r, 1000), 0);
	assert_true(learn(r, "bcdefg", 1000));
}

static void
write_lines(char *text, size_t size, int n, int first)
{
	size_t used = 0;

	for (int i = 0; i < n; i++)
		used += (size_t)snprintf(text + used, size - used, "line-%d\n", first + i);
}

TEST(values_that_are_lent_have_so_many_lines_together)
{
	enum { LINES = REDACT_LENT_NEEDLES / 9 };
	CLEANUP(redact_freep) struct redact *r = redact_new();
	static char text[LINES * 16];

	write_lines(text, sizeof(text), LINES, 10000);
	assert_false(learn(r, text, 1000));
	assert_int_equal(err.code, ERR_LIMIT);
	write_lines(text, sizeof(text), LINES - 1, 10000);
	assert_true(learn(r, text, 1000));
	redact_check(r, "line-10000 line-11818", "*** ***");
	write_lines(text, sizeof(text), LINES - 1, 20000);
	assert_false(redact_learn_until(r, text, true, 1000, &err));
	assert_int_equal(err.code, ERR_BUSY);
	assert_int_equal(redact_forget(r, 1000), 0);
	assert_true(redact_learn_until(r, text, true, 1000, &err));
	redact_check(r, "line-10000 line-20000", "line-10000 ***");
}

TEST(a_value_that_is_too_short_is_refused_and_a_part_is_left_out)
{
	CLEANUP(redact_freep) struct redact *r = redact_new();

	assert_false(learn(r, "12345", 1000));
	assert_int_equal(err.code, ERR_INVALID);
	assert_string_equal(err.text, "it is shorter than 6 bytes");
	assert_true(redact_learn_until(r, "12345", true, 1000, &err));
	redact_check(r, "12345 123456", "12345 123456");
	assert_true(learn(r, "123456", 1000));
	redact_check(r, "12345 123456", "12345 ***");
}

TEST(a_stream_that_holds_the_beginning_of_a_value_back_goes_on_when_it_is_forgotten)
{
	CLEANUP(redact_freep) struct redact *r = redact_new();
	CLEANUP(buf_done) struct buf out = buf_make(100);
	struct redact_stream *s = redact_stream_new(r, false);

	assert_true(learn(r, VALUE, 1000));
	redact_stream_add(s, "a p@ss", 6, &out);
	assert_string_equal(buf_text(&out), "a ");
	assert_int_equal(redact_forget(r, 1000), 0);
	redact_stream_add(s, "/word+with&signs b", 18, &out);
	redact_stream_end(s, &out);
	assert_string_equal(buf_text(&out), "a " VALUE " b");
	redact_stream_free(s);
}
