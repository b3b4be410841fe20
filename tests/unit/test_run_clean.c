/* Goal: whatever a program prints comes out as plain text, however it is cut in pieces.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "runs/run_clean.h"

#include <time.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/text.h"
#include "unit.h"

struct sample {
	const char *in;
	const char *out;
};

static void
check(const struct sample *samples, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct run_clean clean;
		struct buf out;

		buf_init(&out, 65536);
		run_clean_init(&clean);
		run_clean_add(&clean, samples[i].in, strlen(samples[i].in), &out);
		run_clean_end(&clean, &out);
		assert_string_equal(buf_text(&out), samples[i].out);
		buf_done(&out);
	}
}

TEST(escape_sequences_are_gone)
{
	static const struct sample samples[] = {
		{ "plain\n", "plain\n" },
		{ "\x1b[31mred\x1b[0m\n", "red\n" },
		{ "\x1b[38;5;196;1mred\x1b[m", "red" },
		{ "\x1b]0;title\x07shown", "shown" },
		{ "\x1b]8;;http://evil/\x1b\\link\x1b]8;;\x1b\\", "link" },
		{ "\x1bP1$r0m\x1b\\dcs", "dcs" },
		{ "\x1b_apc\x1b\\\x1b^pm\x1b\\\x1bXsos\x1b\\x", "x" },
		{ "\x1b(Bcharset\x1b=\x1b>", "charset" },
		{ "\xc2\x9b"
		  "31mC1 CSI",
		    "C1 CSI" },
		{ "\xc2\x9d"
		  "0;t\x07"
		  "C1 OSC",
		    "C1 OSC" },
		{ "\x1b[31\nline", "\nline" },
		{ "\x1b]0;no end\nline", "\nline" },
		{ "a\x1b[\x1b[31mb", "ab" },
		{ "\x1b[2J\x1b[1;1Hhome", "home" },
		{ "ends in\x1b", "ends in" },
		{ "ends in\x1b[3", "ends in" },
	};

	check(samples, COUNT(samples));
}

TEST(controls_and_tricks_are_gone)
{
	static const struct sample samples[] = {
		{ "a\x01\x02\x07"
		  "b\x7f\x0e",
		    "ab" },
		{ "tab\there", "tab here" },
		{ "abc\xe2\x80\xae"
		  "fed",
		    "abcfed" },
		{ "zero\xe2\x80\x8bwidth\xef\xbb\xbf", "zerowidth" },
		{ "line\xe2\x80\xa8sep", "linesep" },
		{ "umlaut \xc3\xa4 \xe2\x82\xac \xf0\x9f\x9a\x80",
		    "umlaut \xc3\xa4 \xe2\x82\xac \xf0\x9f\x9a\x80" },
		{ "bad\xff\xfe"
		  "byte",
		    "bad??byte" },
		{ "cut\xe2\x82"
		  "x",
		    "cut??x" },
		{ "overlong\xc0\xaf", "overlong??" },
		{ "surrogate\xed\xa0\x80", "surrogate???" },
		{ "end\xf0\x9f\x9a", "end???" },
		{ "raw C1 \x9b"
		  "31m",
		    "raw C1 ?31m" },
	};

	check(samples, COUNT(samples));
}

TEST(a_progress_bar_leaves_its_last_state)
{
	static const struct sample samples[] = {
		{ "10%\r20%\r100%\ndone\n", "100%\ndone\n" },
		{ "dos\r\nlines\r\n", "dos\nlines\n" },
		{ "kept\r", "kept" },
		{ "1\r\r\r2", "2" },
		{ "spin |\b/\b-\n", "spin -\n" },
		{ "\xc3\xa4\b\xc3\xb6", "\xc3\xb6" },
		{ "a\n\bb", "a\nb" },
	};

	check(samples, COUNT(samples));
}

TEST(a_sequence_without_end_hides_only_so_much)
{
	struct run_clean clean;
	struct buf out;

	buf_init(&out, 65536);
	run_clean_init(&clean);
	run_clean_add(&clean, "\x1b]0;", 4, &out);
	for (int i = 0; i < RUN_CLEAN_SEQUENCE; i++)
		run_clean_add(&clean, "x", 1, &out);
	run_clean_add(&clean, "here again", 10, &out);
	run_clean_end(&clean, &out);
	assert_non_null(strstr(buf_text(&out), "here again"));
	buf_done(&out);
}

TEST(a_line_without_end_is_passed_on_whole)
{
	struct run_clean clean;
	struct buf out;

	buf_init(&out, 1 << 20);
	run_clean_init(&clean);
	for (int i = 0; i < 100000; i++)
		run_clean_add(&clean, "x", 1, &out);
	assert_true(out.size >= 100000 - RUN_CLEAN_LINE);
	run_clean_add(&clean, "\rnew", 4, &out);
	run_clean_end(&clean, &out);
	assert_int_equal(out.size, 100000 + 4); /* what is out cannot be taken back: a line's end */
	assert_string_equal(buf_text(&out) + 100000, "\nnew");
	buf_done(&out);
}

TEST(long_lines_are_broken_between_characters)
{
	struct run_wrap wrap = { .max = 4 };
	struct buf out;

	buf_init(&out, 1000);
	run_wrap_add(&wrap, "abcdef\nab", 9, &out);
	run_wrap_add(&wrap, "cd\xc3", 3, &out);
	run_wrap_add(&wrap, "\xa4x", 2, &out);
	assert_string_equal(buf_text(&out), "abcd\nef\nabcd\n\xc3\xa4x");
	buf_done(&out);
}

/* Bytes that make trouble come more often than others. */
static size_t
random_text(unsigned *seed, char *out, size_t max)
{
	static const char spice[] =
	    "\x1b[]P_\\\x07\r\n\b;m31\xc2\x9b\x9d\xe2\x80\xae\xf0\x9f\x9a\x80 az";
	size_t n = (size_t)rand_r(seed) % max;

	for (size_t i = 0; i < n; i++)
		out[i] = rand_r(seed) % 3 == 0 ? (char)rand_r(seed) :
						 spice[(size_t)rand_r(seed) % (sizeof(spice) - 1)];
	return n;
}

static void
assert_is_plain(const struct buf *out)
{
	for (size_t at = 0, n; at < out->size; at += n) {
		uint32_t code;

		n = text_decode(out->data + at, out->size - at, &code);
		assert_true(n > 0);
		assert_true(code == '\n' || !clean_is_harmful(code));
	}
}

TEST(where_it_is_cut_changes_nothing)
{
	unsigned seed = (unsigned)time(NULL);

	print_message("seed %u\n", seed);
	for (int round = 0; round < 3000; round++) {
		char text[6000];
		size_t size = random_text(&seed, text, round % 50 == 0 ? sizeof(text) : 200);
		struct run_clean one, many;
		struct buf whole, pieces;

		buf_init(&whole, 65536);
		buf_init(&pieces, 65536);
		run_clean_init(&one);
		run_clean_init(&many);
		run_clean_add(&one, text, size, &whole);
		run_clean_end(&one, &whole);
		for (size_t at = 0, n; at < size; at += n) {
			n = 1 + (size_t)rand_r(&seed) % 5;
			n = n > size - at ? size - at : n;
			run_clean_add(&many, text + at, n, &pieces);
		}
		run_clean_end(&many, &pieces);
		assert_int_equal(whole.size, pieces.size);
		assert_memory_equal(buf_text(&whole), buf_text(&pieces), whole.size);
		assert_true(whole.size <= size + size / RUN_CLEAN_LINE);
		assert_is_plain(&whole);
		buf_done(&whole);
		buf_done(&pieces);
	}
}
