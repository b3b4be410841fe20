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

static bool
learn_by(struct redact *r, struct share_by by, const char *value, int64_t until)
{
	return redact_learn_until(
	    r, &(struct redact_lesson){ .value = value, .until = until, .by = by }, &err);
}

/* Of whoever is so far the least lent, for there are shares: each is of a group of its own. */
static uint64_t by = 1;

static bool
learn(struct redact *r, const char *value, int64_t until)
{
	by = by % SHARE_OF_ONE + 1;
	return learn_by(r, (struct share_by){ by, by }, value, until);
}

static bool
learn_with(struct redact *r, const char *value, char *part)
{
	return redact_learn_until(r,
	    &(struct redact_lesson){
		.value = value, .parts = &part, .n_parts = 1, .until = 1000, .by = { 9, 9 } },
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

	by = SHARE_OF_ONE;
	assert_true(redact_add(r, "of-the-settings", &err));
	for (int i = 0; i < REDACT_LENT_MAX; i++) {
		(void)snprintf(value, sizeof(value), "lent-%d", 100 + i);
		assert_true(learn(r, value, 1000 + i));
	}
	for (int i = 0; i < REDACT_LENT_MAX; i++) {
		(void)snprintf(value, sizeof(value), "lent-%d", 100 + i);
		assert_true(learn(r, value, 1000 + i)); /* in the place that it has */
	}
	assert_false(learn(r, "one-more", 5000));
	assert_int_equal(err.code, ERR_BUSY);
	assert_false(learn_with(r, "one-more", "a-part"));
	assert_string_equal(err.text, "too much that was lent is kept out of logs");
	assert_false(learn(r, "of-the-settings", 5000)); /* whoever knows it */
	redact_check(r, "one-more lent-163", "one-more ***");
	for (int i = 1; i < REDACT_VALUES_MAX; i++) {
		(void)snprintf(value, sizeof(value), "settings-%d", i);
		assert_true(redact_add(r, value, &err));
	}
	assert_false(redact_add(r, "settings-too-many", &err));
	assert_true(learn_by(r, (struct share_by){ 1, 1 }, "lent-100", 5000)); /* whose it is */
	assert_int_equal(redact_forget(r, 1001), 1002);
	by = 1; /* the next is whose lent-101 was */
	assert_true(learn(r, "one-more", 5000));
	redact_check(r, "one-more lent-101 lent-100", "*** lent-101 ***");
	assert_false(learn(r, "yet-one-more", 5000));
}

/* What one had takes up their share for their own time, and the next one's what they renew. */
TEST(a_value_of_two_is_charged_to_each_of_them_for_their_own_time)
{
	static const struct share_by a = { 1, 1 }, b = { 2, 2 };
	CLEANUP(redact_freep) struct redact *r = redact_new();
	char value[32];

	for (int i = 0; i < REDACT_LENT_MAX / SHARE_OF_ONE; i++) {
		(void)snprintf(value, sizeof(value), "of-both-%d", 100 + i);
		assert_true(learn_by(r, a, value, 1000) && learn_by(r, b, value, 1000));
		assert_true(learn_by(r, b, value, 3000)); /* renewed: in the place that it has */
		assert_true(learn_by(r, b, value, 2000));
	}
	assert_true(redact_is_full(r, &a) && redact_is_full(r, &b));
	assert_int_equal(redact_forget(r, 999), 1000);
	assert_true(redact_is_full(r, &a));
	assert_int_equal(redact_forget(r, 1000), 3000);
	redact_check(r, "of-both-100 of-both-115", "*** ***");
	assert_true(!redact_is_full(r, &a) && redact_is_full(r, &b));
	assert_true(learn_by(r, a, "of-the-first", 2000));
	assert_false(learn_by(r, b, "of-the-next", 2000));
	assert_int_equal(redact_forget(r, 2999), 3000);
	assert_true(redact_is_full(r, &b));
	assert_int_equal(redact_forget(r, 3000), 0);
	redact_check(r, "of-both-100 of-the-first", "of-both-100 of-the-first");
	assert_true(learn_by(r, b, "of-the-next", 4000));
}

/* A field of what another has, or a secret of the settings, is no place for nothing. */
TEST(what_others_know_already_takes_up_a_share_as_well)
{
	static const struct share_by b = { 2, 2 };
	CLEANUP(redact_freep) struct redact *r = redact_new();
	char value[32];
	int n = 0;

	for (int i = 0; i < 40; i++) {
		(void)snprintf(value, sizeof(value), "a-field-%d", 100 + i);
		if (i % 2 == 0)
			assert_true(redact_add(r, value, &err));
		else
			assert_true(redact_learn_until(r,
			    &(struct redact_lesson){ .value = "of-all-the-fields",
				.parts = (char *[]){ value },
				.n_parts = 1,
				.until = 1000,
				.by = { 1, 1 } },
			    &err));
		n += learn_by(r, b, value, 1000) ? 1 : 0;
	}
	assert_int_equal(n, REDACT_LENT_MAX / SHARE_OF_ONE);
	assert_true(redact_is_full(r, &b));
}

TEST(workflows_of_one_application_leave_half_of_all_to_others)
{
	CLEANUP(redact_freep) struct redact *r = redact_new();
	char value[32];
	int n = 0;

	for (uint64_t one = 1; one <= 4; one++)
		for (int i = 0; i < REDACT_LENT_MAX / SHARE_OF_ONE; i++) {
			(void)snprintf(value, sizeof(value), "value-%d-%d", (int)one, 100 + i);
			n += learn_by(r, (struct share_by){ one, 7 }, value, 1000) ? 1 : 0;
		}
	assert_int_equal(n, REDACT_LENT_MAX / SHARE_OF_GROUP);
	assert_int_equal(err.code, ERR_BUSY);
	assert_string_equal(
	    err.text, "too much that was lent to the same application is kept out of logs");
	assert_true(redact_is_full(r, &(struct share_by){ 5, 7 }));
	assert_false(redact_is_full(r, &(struct share_by){ 5, 8 }));
	assert_true(learn_by(r, (struct share_by){ 5, 8 }, "of-another-application", 1000));
}

/* Of letters that do not repeat themselves. */
static void
fill(char *text, size_t size)
{
	uint32_t state = 1;

	for (size_t i = 0; i < size; i++) {
		state = state * 1664525 + 1013904223;
		text[i] = (char)('a' + (state >> 24) % 26);
	}
	text[size] = '\0';
}

TEST(values_that_are_lent_have_so_many_bytes_together)
{
	CLEANUP(redact_freep) struct redact *r = redact_new();
	enum { QUARTER = REDACT_LENT_BYTES / SHARE_OF_ONE };
	CLEANUP(freep) char *text = mem_alloc(QUARTER + 2);

	fill(text, QUARTER + 1);
	assert_false(learn(r, text, 1000)); /* it is more than anybody's share */
	assert_int_equal(err.code, ERR_BUSY);
	text[QUARTER] = '\0';
	for (char c = 'a'; c < 'd'; c++) {
		text[0] = c;
		assert_true(learn(r, text, 1000));
	}
	assert_true(learn(r, text + 6, 1000));
	by = (by + 2) % SHARE_OF_ONE + 1; /* the same one's */
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
	enum { LINES = REDACT_LENT_NEEDLES / SHARE_OF_ONE / 9 };
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
	assert_false(learn_by(r, (struct share_by){ 5, 5 }, text, 1000));
	assert_string_equal(err.text, "too much that was lent is kept out of logs");
	assert_int_equal(redact_forget(r, 1000), 0);
	assert_true(learn(r, text, 1000));
	redact_check(r, "10000>>>>line 50000>>>>line", "10000>>>>line ***");
}

static bool
is_full(struct redact *r, uint64_t one)
{
	return redact_is_full(r, &(struct share_by){ one, one });
}

/* Whoever is lent much keeps nobody else from being lent anything. */
TEST(nobody_takes_up_more_than_a_quarter_of_places_lines_or_bytes)
{
	enum { LINES = REDACT_LENT_NEEDLES / SHARE_OF_ONE / 9 };
	CLEANUP(redact_freep) struct redact *r = redact_new();
	static char text[REDACT_LENT_BYTES / SHARE_OF_ONE + 1];
	struct redact_lesson of = { .value = text, .until = 1000, .by = { 7, 7 } };

	assert_false(is_full(r, 7));
	for (int i = 0; i < REDACT_LENT_MAX / SHARE_OF_ONE; i++) {
		(void)snprintf(text, sizeof(text), "lent-%d", 100 + i);
		assert_true(redact_learn_until(r, &of, &err));
	}
	assert_true(redact_learn_until(r, &of, &err)); /* it is known */
	assert_true(is_full(r, 7) && !is_full(r, 8));
	(void)snprintf(text, sizeof(text), "one-more");
	assert_false(redact_learn_until(r, &of, &err));
	assert_int_equal(err.code, ERR_BUSY);
	of.by = (struct share_by){ 8, 8 };
	assert_true(redact_learn_until(r, &of, &err));
	write_lines(text, sizeof(text), LINES - 2, 10000);
	assert_true(redact_learn_until(r, &of, &err));
	assert_true(is_full(r, 8) && !is_full(r, 9));
	write_lines(text, sizeof(text), 1, 20000);
	assert_false(redact_learn_until(r, &of, &err));
	assert_string_equal(err.text, "too much that was lent to the same one is kept out of logs");
	fill(text, sizeof(text) - 1);
	of.by = (struct share_by){ 9, 9 };
	assert_true(redact_learn_until(r, &of, &err));
	assert_true(is_full(r, 9) && !is_full(r, 10));
	assert_int_equal(redact_forget(r, 1000), 0);
	assert_false(is_full(r, 7) || is_full(r, 8) || is_full(r, 9));
}

TEST(of_a_value_that_does_not_fit_nothing_is_learned)
{
	enum { LINES = REDACT_LENT_NEEDLES / SHARE_OF_ONE / 9 };
	CLEANUP(redact_freep) struct redact *r = redact_new();
	static char text[LINES * 16];

	write_lines(text, sizeof(text), LINES - 1, 10000);
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

/* --- what many that begin alike cost --- */

/* What the order of all of them is to find, by a look at each. */
static enum redact_match
find_slowly(const struct redact_values *v, const char *t, size_t n, bool is_last, size_t *ret_size)
{
	*ret_size = 0;
	for (size_t i = 0; i < COUNT(v->by_first); i++)
		for (size_t k = 0; k < v->by_first[i].count; k++) {
			const struct redact_needle *needle = v->by_first[i].list[k];
			bool is_more = needle->size > n;

			if (memcmp(needle->bytes, t, is_more ? n : needle->size) != 0)
				continue;
			if (is_more && !is_last)
				return REDACT_MORE;
			if (!is_more && needle->size > *ret_size)
				*ret_size = needle->size;
		}
	return *ret_size > 0 ? REDACT_YES : REDACT_NO;
}

static void
compare_with_slow(const struct redact_values *v, const char *text, size_t n)
{
	for (size_t at = 0; at < n; at++)
		for (int is_last = 0; is_last < 2; is_last++) {
			size_t size = 0, want;
			enum redact_match is =
			    redact_value_match(v, text + at, n - at, is_last == 1, &size);

			assert_int_equal(
			    is, find_slowly(v, text + at, n - at, is_last == 1, &want));
			assert_true(is != REDACT_YES || size == want);
		}
}

static uint32_t
next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 16;
}

/* Of two letters, nearly all of one: many begin with many others. */
static void
fill_alike(char *text, size_t size, uint32_t *state)
{
	for (size_t i = 0; i < size; i++)
		text[i] = next_random(state) % 12 == 0 ? 'b' : 'a';
	text[size] = '\0';
}

TEST(of_many_that_begin_with_others_the_longest_is_found)
{
	CLEANUP(freep) struct redact_filter *none = mem_new(1, sizeof(*none));
	CLEANUP(freep) struct redact_values *v = mem_new(1, sizeof(*v));
	uint32_t seed = 1;
	char text[257];

	redact_filter_init(none);
	redact_value_init(v, none);
	for (int i = 0; i < 300; i++) {
		fill_alike(text, 6 + next_random(&seed) % 60, &seed);
		redact_value_add(v, text, 1000 + i);
		if (i % 100 != 99)
			continue;
		redact_value_forget(v, none, 900 + i);
		fill_alike(text, 256, &seed);
		compare_with_slow(v, text, 256);
	}
	redact_value_done(v);
}

/* A text of what its lines have in common cost each byte all of them. */
TEST(lines_that_begin_alike_are_redacted_each)
{
	enum { LINES = 220, SAME = 284 };
	CLEANUP(redact_freep) struct redact *r = redact_new();
	CLEANUP(freep) char *text = mem_alloc(LINES * (SAME + 6) + 1);
	char *line = text, one[SAME + 12];

	memset(one, 'a', SAME);
	for (int i = 0; i < LINES; i++) {
		memset(line, 'a', SAME);
		line += SAME;
		line += snprintf(line, 7, "%05d\n", i);
	}
	assert_true(learn(r, text, 1000));
	(void)snprintf(one + SAME, 12, "00219 00220");
	redact_check(r, one, "*** 00220");
	one[SAME] = '\0';
	redact_check(r, one, one);
}

/* At each of its places a text of that is compared with all of it. */
TEST(a_value_that_repeats_its_beginning_is_refused)
{
	static const struct {
		size_t each, size;
		bool is_kept;
	} rows[] = { { 1, 511, true }, { 1, 512, false }, { 31, 512, false }, { 32, 512, true },
		{ 32, 513, false }, { 33, 528, true }, { 33, 529, false }, { 4000, 64000, true },
		{ 4000, 64001, false } };
	static char text[65000];

	for (size_t i = 0; i < COUNT(rows); i++)
		for (int where = 0; where < 3; where++) {
			CLEANUP(redact_freep) struct redact *r = redact_new();
			char *part = text + 10;
			bool is_kept;

			memcpy(text, "the-first\n", 10);
			fill(part, rows[i].each);
			for (size_t at = rows[i].each; at < rows[i].size; at++)
				part[at] = part[at - rows[i].each];
			part[rows[i].size] = '\0';
			err = (struct err){ 0 };
			is_kept = where == 0 ? learn(r, part, 1000) :
			    where == 1	     ? learn(r, text, 1000) :
					       learn_with(r, "whatever", part);
			assert_int_equal(is_kept, rows[i].is_kept);
			assert_int_equal(err.code, is_kept ? 0 : ERR_LIMIT);
			if (!is_kept)
				assert_string_equal(
				    err.text, "it repeats itself too often to keep it out of logs");
		}
}

/* A chain of certificates and a key, a table, settings, JSON, and what is empty for the most. */
static void
write_ordinary(int which, char *text, size_t size)
{
	static const char *const lines[] = { "-----BEGIN CERTIFICATE-----\n",
		"MIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJ\n",
		"2026-11-28,production,shop,0,0,0,0,0,0,0,0,0,0,0,0,", "DATABASE_REPLICA_PASSWORD_",
		"{\"username\":\"shop-production-reader\",\"password\":\"", "    \"private_key_" };
	static const char padding[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	uint32_t state = (uint32_t)which + 1;
	size_t used = 0;

	for (int i = 0; i < 60; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s%u%u=%s\n", lines[which],
		    i % 4 == 0 ? lines[1] : "", next_random(&state), next_random(&state), padding);
}

TEST(ordinary_values_are_kept_though_their_lines_begin_alike)
{
	static char text[64 << 10], shown[64 << 10];

	for (int which = 0; which < 6; which++) {
		CLEANUP(redact_freep) struct redact *r = redact_new();
		struct err why = { 0 };

		write_ordinary(which, text, sizeof(text));
		if (!redact_learn_until(r,
			&(struct redact_lesson){ .value = text, .until = 1000, .by = { 1, 1 } },
			&why))
			fail_msg("%d: %s", which, why.text);
		(void)snprintf(shown, sizeof(shown), "%s", text);
		redact_check(r, shown, "***");
	}
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
