/* Goal: what was lent is redacted until its time is over, and is wiped then.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/redact_value.h"

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/redact_lent.h"
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

/* Of whoever is so far the least lent, for there are shares. */
static uint64_t by = 1;

static bool
learn(struct redact *r, const char *value, int64_t until)
{
	by = by % REDACT_LENT_SHARE + 1;
	return redact_learn_until(
	    r, &(struct redact_lesson){ .value = value, .until = until, .by = by }, &err);
}

static bool
learn_with(struct redact *r, const char *value, char *part)
{
	return redact_learn_until(r,
	    &(struct redact_lesson){
		.value = value, .parts = &part, .n_parts = 1, .until = 1000, .by = 9 },
	    &err);
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

	by = REDACT_LENT_SHARE;
	assert_true(redact_add(r, "of-the-settings", &err));
	for (int i = 0; i < REDACT_LENT_MAX; i++) {
		(void)snprintf(value, sizeof(value), "lent-%d", 100 + i);
		assert_true(learn(r, value, 1000 + i));
	}
	for (int i = 0; i < REDACT_LENT_MAX; i++) {
		(void)snprintf(value, sizeof(value), "lent-%d", 100 + i);
		assert_true(learn(r, value, 1000 + i)); /* in the place that it has */
		assert_true(learn(r, "of-the-settings", 1000));
	}
	assert_false(learn(r, "one-more", 5000));
	assert_int_equal(err.code, ERR_BUSY);
	assert_false(learn_with(r, "one-more", "a-part"));
	assert_string_equal(err.text, "too much that was lent is kept out of logs");
	redact_check(r, "one-more lent-163", "one-more ***");
	assert_true(learn_with(r, "lent-163", "a-part")); /* takes none */
	assert_true(learn(r, "lent-100", 5000));
	for (int i = 1; i < REDACT_VALUES_MAX; i++) {
		(void)snprintf(value, sizeof(value), "settings-%d", i);
		assert_true(redact_add(r, value, &err));
	}
	assert_false(redact_add(r, "settings-too-many", &err));
	assert_int_equal(redact_forget(r, 1001), 1002);
	by = 1; /* the next is whose lent-101 was */
	assert_true(learn(r, "one-more", 5000));
	redact_check(r, "one-more lent-101 lent-100", "*** lent-101 ***");
	assert_false(learn(r, "yet-one-more", 5000));
}

TEST(values_that_are_lent_have_so_many_bytes_together)
{
	CLEANUP(redact_freep) struct redact *r = redact_new();
	enum { QUARTER = REDACT_LENT_BYTES / REDACT_LENT_SHARE };
	CLEANUP(freep) char *text = mem_alloc(QUARTER + 2);

	memset(text, 'a', QUARTER + 1);
	text[QUARTER + 1] = '\0';
	assert_false(learn(r, text, 1000)); /* it is more than anybody's share */
	assert_int_equal(err.code, ERR_BUSY);
	text[QUARTER] = '\0';
	for (char c = 'a'; c < 'd'; c++) {
		text[0] = c;
		assert_true(learn(r, text, 1000));
	}
	assert_true(learn(r, text + 6, 1000));
	by = (by + 2) % REDACT_LENT_SHARE + 1; /* the same one's */
	assert_true(learn(r, "abcdef", 1000));
	assert_false(learn(r, "bcdefg", 1000));
	assert_string_equal(err.text, "too much that was lent is kept out of logs");
	assert_int_equal(redact_forget(r, 1000), 0);
	assert_true(learn(r, "bcdefg", 1000));
}

/* Each of the nine forms of such a line is another. */
static void
write_lines(char *text, size_t size, int n, int first)
{
	size_t used = 0;

	for (int i = 0; i < n; i++)
		used += (size_t)snprintf(text + used, size - used, "%d>>>>line\n", first + i);
}

TEST(values_that_are_lent_have_so_many_lines_together)
{
	enum { LINES = REDACT_LENT_NEEDLES / REDACT_LENT_SHARE / 9 };
	CLEANUP(redact_freep) struct redact *r = redact_new();
	static char text[LINES * 16];

	write_lines(text, sizeof(text), LINES, 10000);
	assert_false(learn(r, text, 1000));
	assert_int_equal(err.code, ERR_LIMIT);
	write_lines(text, sizeof(text), LINES - 1, 10000);
	assert_true(learn(r, text, 1000));
	redact_check(r, "10000>>>>line 10453>>>>line", "*** ***");
	for (int i = 2; i < 5; i++) {
		write_lines(text, sizeof(text), LINES - 1, 10000 * i);
		assert_true(learn(r, text, 1000));
	}
	write_lines(text, sizeof(text), 8, 50000);
	assert_false(learn(r, text, 1000));
	assert_string_equal(err.text, "too much that was lent is kept out of logs");
	assert_int_equal(redact_forget(r, 1000), 0);
	assert_true(learn(r, text, 1000));
	redact_check(r, "10000>>>>line 50000>>>>line", "10000>>>>line ***");
}

/* Whoever is lent much keeps nobody else from being lent anything. */
TEST(nobody_takes_up_more_than_a_quarter_of_places_lines_or_bytes)
{
	enum { LINES = REDACT_LENT_NEEDLES / REDACT_LENT_SHARE / 9 };
	CLEANUP(redact_freep) struct redact *r = redact_new();
	static char text[REDACT_LENT_BYTES / REDACT_LENT_SHARE + 1];
	struct redact_lesson of = { .value = text, .until = 1000, .by = 7 };

	assert_false(redact_is_full(r, 7));
	for (int i = 0; i < REDACT_LENT_MAX / REDACT_LENT_SHARE; i++) {
		(void)snprintf(text, sizeof(text), "lent-%d", 100 + i);
		assert_true(redact_learn_until(r, &of, &err));
	}
	assert_true(redact_learn_until(r, &of, &err)); /* it is known */
	assert_true(redact_is_full(r, 7) && !redact_is_full(r, 8));
	(void)snprintf(text, sizeof(text), "one-more");
	assert_false(redact_learn_until(r, &of, &err));
	assert_int_equal(err.code, ERR_BUSY);
	of.by = 8;
	assert_true(redact_learn_until(r, &of, &err));
	write_lines(text, sizeof(text), LINES - 3, 10000);
	assert_true(redact_learn_until(r, &of, &err));
	assert_true(redact_is_full(r, 8) && !redact_is_full(r, 9));
	write_lines(text, sizeof(text), 1, 20000);
	assert_false(redact_learn_until(r, &of, &err));
	assert_string_equal(err.text, "too much that was lent to the same one is kept out of logs");
	memset(text, 'a', sizeof(text) - 1);
	of.by = 9;
	assert_true(redact_learn_until(r, &of, &err));
	assert_true(redact_is_full(r, 9) && !redact_is_full(r, 10));
	assert_int_equal(redact_forget(r, 1000), 0);
	assert_false(redact_is_full(r, 7) || redact_is_full(r, 8) || redact_is_full(r, 9));
}

TEST(of_a_value_that_does_not_fit_nothing_is_learned)
{
	enum { LINES = REDACT_LENT_NEEDLES / REDACT_LENT_SHARE / 9 };
	CLEANUP(redact_freep) struct redact *r = redact_new();
	static char text[LINES * 16];

	write_lines(text, sizeof(text), LINES - 2, 10000);
	assert_false(learn_with(r, "the-whole-of-it", text));
	assert_int_equal(err.code, ERR_LIMIT);
	redact_check(r, "the-whole-of-it 10000>>>>line", "the-whole-of-it 10000>>>>line");
	write_lines(text, sizeof(text), LINES - 4, 10000);
	assert_true(learn_with(r, "the-whole-of-it", text));
	redact_check(r, "the-whole-of-it 10000>>>>line", "*** ***");
	write_lines(text, sizeof(text), LINES - 4, 20000);
	assert_false(learn_with(r, "of-another-one", text));
	assert_int_equal(err.code, ERR_BUSY);
	redact_check(r, "of-another-one 20000>>>>line", "of-another-one 20000>>>>line");
}

TEST(a_value_that_is_too_short_is_refused_and_a_part_is_left_out)
{
	CLEANUP(redact_freep) struct redact *r = redact_new();

	assert_false(learn(r, "12345", 1000));
	assert_int_equal(err.code, ERR_INVALID);
	assert_string_equal(err.text, "it is shorter than 6 bytes");
	assert_true(learn_with(r, "whatever", "12345"));
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
