/* Goal: the last lines of a log can be shown to anybody: clean, redacted, few.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "runs/run_tail.h"
#include "types/limits.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/redact.h"
#include "runs/run_files.h"
#include "unit.h"

#define SECRET "hunter2-is-the-secret"

#define LOG(number, redactor) \
	&(const struct run_tail_log) \
	{ \
		.state_directory = folder, .run = (number), .redact = (redactor) \
	}

static char folder[64];

static int
make_folder(void **state)
{
	char path[128];

	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/test_run_tail-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/runs", folder);
	return mkdir(path, 0700);
}

static int
drop_folder(void **state)
{
	char path[128];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/runs/7/log", folder);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/runs/7", folder);
	(void)rmdir(path);
	(void)snprintf(path, sizeof(path), "%s/runs", folder);
	(void)rmdir(path);
	return rmdir(folder);
}

static void
write_log(const char *text)
{
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/runs/7", folder);
	(void)mkdir(path, 0700);
	(void)snprintf(path, sizeof(path), "%s/runs/7/log", folder);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static struct redact *
knows_the_secret(void)
{
	struct redact *redact = redact_new();

	assert_non_null(redact);
	assert_true(redact_add(redact, SECRET, NULL));
	return redact;
}

static void
assert_tail(
    const struct run_tail_bytes *bytes, const struct run_tail_shape *shape, const char *expected)
{
	CLEANUP(redact_freep) struct redact *redact = knows_the_secret();
	struct buf out;

	buf_init(&out, 65536);
	run_tail_of(bytes, redact, shape, &out);
	assert_string_equal(buf_text(&out), expected);
	buf_done(&out);
}

static void
tail_is(const char *text, bool is_cut, bool is_growing, const char *expected)
{
	const struct run_tail_shape shape = { 3, 1000, true, false };
	const struct run_tail_bytes bytes = { text, strlen(text), is_cut, is_growing };

	assert_tail(&bytes, &shape, expected);
}

TEST(the_last_lines_are_shown)
{
	tail_is("", false, true, "");
	tail_is("one", false, false, "one");
	tail_is("1\n2\n3\n4\n5\n", false, true, "3\n4\n5");
	tail_is("1\n\n  \n2\n\n", false, true, "1\n2");
	tail_is("1\n==> build\n2\n", false, true, "1\n2");
	tail_is("\x1b[32mok\x1b[0m\n10%\r99%\n", false, true, "ok\n99%");
}

/* Whoever prints a guess without the end of its line reads nothing from what is shown. */
TEST(no_guess_is_told_from_what_a_secret_begins_with)
{
	static const char *const guesses[] = { "hunter", "hunte~", "h", "~", "" };
	const struct run_tail_shape shape = { 3, 1000, false, false };
	CLEANUP(redact_freep) struct redact *redact = redact_new();
	char log[64];

	assert_true(redact_add(redact, "hunter2-of-vault", NULL));
	for (size_t i = 0; i < COUNT(guesses); i++) {
		struct run_tail_bytes bytes = { .data = log, .is_growing = true };
		CLEANUP(buf_done) struct buf out = buf_make(64);

		(void)snprintf(log, sizeof(log), "whole\nbehind %s", guesses[i]);
		bytes.size = strlen(log);
		run_tail_of(&bytes, redact, &shape, &out);
		assert_string_equal(buf_text(&out), "whole");
	}
}

/* Goal: of a failure the lines of its step alone, whatever was said before, or noted behind it. */
TEST(of_one_step_are_its_own_lines)
{
	static const struct {
		const char *log, *shown;
	} rows[] = {
		{ "==> build\n1\n==> push\n2\n3\n", "2\n3" },
		{ "==> build\n1\n==> migrate\n2\n==> migrate-failed 3\n", "2" },
		{ "1\n2\n", "1\n2" },
		{ "==> build\n", "" },
	};
	const struct run_tail_shape shape = { 5, 1000, true, true };

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct run_tail_bytes bytes = { rows[i].log, strlen(rows[i].log), false,
			false };

		assert_tail(&bytes, &shape, rows[i].shown);
	}
}

TEST(they_fit_in_what_there_is)
{
	const struct run_tail_shape narrow = { 10, 7, false, false };
	const struct run_tail_bytes bytes = { "abc\nabc\nabc\n", 12, false, false };
	char line[1000];

	assert_tail(&bytes, &narrow, "abc\nabc");
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	{
		const struct run_tail_shape shape = { 3, 1000, false, false };
		const struct run_tail_bytes wide = { line, strlen(line), false, false };
		struct buf out;

		buf_init(&out, 65536);
		run_tail_of(&wide, NULL, &shape, &out);
		assert_int_equal(out.size, RUN_TAIL_LINE);
		assert_string_equal(buf_text(&out) + RUN_TAIL_LINE - 3, "\xe2\x80\xa6");
		buf_done(&out);
	}
}

TEST(secrets_are_not_shown)
{
	tail_is("token " SECRET " used\n", false, true, "token *** used");
	tail_is("hunter2\x1b[1m-is-the-\x1b[0msecret\n", false, true, "***");
	tail_is("hunter2-is-\x01the-sec\xe2\x80\x8bret\n", false, true, "***");
}

TEST(half_a_secret_is_not_shown_either)
{
	tail_is("a\nhunter2-is-the-s", false, true, "a");
	tail_is("the-secret\nb\n", true, true, "b");
	tail_is("QUJDREVGR0g=\n-----END PRIVATE KEY-----\nb\n", true, true, "b");
}

static unsigned
draw(unsigned *seed, unsigned below)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (*seed >> 8) % below;
}

/* Secrets alone have capitals: of each text that is cut anywhere no capital is shown. */
TEST(no_part_of_a_secret_is_shown_wherever_a_log_is_cut)
{
	static char large[REDACT_VALUE_MAX + 1], text[3 * RUN_TAIL_READ];
	struct redact *redact = redact_new();
	const char *const secrets[] = { "SECRET-ONE", "TWO:WITH/SIGNS?AND=MORE", "XYXYXYXYXX",
		large };

	memset(large, 'L', REDACT_VALUE_MAX);
	for (size_t i = 0; i < COUNT(secrets); i++)
		assert_true(redact_add(redact, secrets[i], NULL));
	for (unsigned seed = 1; seed <= 3000; seed++) {
		unsigned at = seed, line = draw(&at, 3) == 0 ? 30000 : 200;
		size_t size = 0, cut;
		struct run_tail_bytes bytes = { .is_cut = true };
		struct buf out;

		while (size < sizeof(text) - sizeof(large) - 16) {
			const char *secret = secrets[draw(&at, draw(&at, 8) == 0 ? 4 : 3)];

			if (draw(&at, 3) == 0) {
				memcpy(text + size, secret, strlen(secret));
				size += strlen(secret);
			}
			text[size++] = draw(&at, line) < 8 ? '\n' : (char)('a' + draw(&at, 26));
		}
		cut = size - 1 - draw(&at, RUN_TAIL_READ);
		bytes.data = text + cut;
		bytes.size = size - cut;
		buf_init(&out, sizeof(text));
		run_tail_plain(&bytes, redact, &out);
		assert_false(buf_failed(&out));
		for (size_t i = 0; i < out.size; i++)
			if (out.data[i] >= 'A' && out.data[i] <= 'Z')
				fail_msg(
				    "seed %u: a part of a secret at %zu of %zu", seed, i, out.size);
		buf_done(&out);
	}
	redact_free(redact);
}

TEST(a_log_that_is_not_there_shows_nothing)
{
	const struct run_tail_shape shape = { 3, 1000, true, false };
	char last[64] = "x";
	struct buf out;
	struct err err;

	buf_init(&out, 1000);
	assert_true(run_tail_read(LOG(12345, NULL), &shape, &out, &err));
	assert_string_equal(buf_text(&out), "");
	run_tail_last(LOG(12345, NULL), last, sizeof(last));
	assert_string_equal(last, "");
	buf_done(&out);
}

TEST(the_end_of_a_large_log_is_read)
{
	const struct run_tail_shape shape = { 2, 1000, true, false };
	struct buf text;
	char last[64];
	struct buf out;
	struct err err;

	buf_init(&text, 200000);
	for (int i = 0; i < 10000; i++)
		buf_addf(&text, "line %04d\n", i);
	write_log(buf_text(&text));
	buf_done(&text);
	buf_init(&out, 1000);
	assert_true(run_tail_read(LOG(7, NULL), &shape, &out, &err));
	assert_string_equal(buf_text(&out), "line 9998\nline 9999");
	run_tail_last(LOG(7, NULL), last, sizeof(last));
	assert_string_equal(last, "line 9999");
	buf_done(&out);
}

TEST(the_last_lines_are_bounded_and_without_steps_and_secrets)
{
	struct redact *redact = redact_new();
	struct buf text;
	char end[LIMIT_TAIL] = "x", small[32];

	assert_non_null(redact);
	assert_true(redact_add(redact, "a-secret-of-ours", NULL));
	write_log("==> job\none\n\n  two a-secret-of-ours\x1b[31m\n==> end\nthree\n");
	run_tail_end(LOG(7, redact), false, end, sizeof(end));
	assert_null(strstr(end, "a-secret"));
	assert_null(strstr(end, "==>"));
	assert_ptr_equal(strstr(end, "one\n"), end);
	assert_string_equal(end + strlen(end) - 6, "\nthree");
	run_tail_end(LOG(12345, redact), false, end, sizeof(end));
	assert_string_equal(end, "");
	buf_init(&text, 200000);
	for (int i = 0; i < 1000; i++)
		buf_addf(&text, "%150d\n", i);
	write_log(buf_text(&text));
	buf_done(&text);
	run_tail_end(LOG(7, redact), false, end, sizeof(end));
	assert_in_range(strlen(end), 150, LIMIT_TAIL - 1);
	assert_string_equal(end + strlen(end) - 3, "999");
	run_tail_end(LOG(7, redact), false, small, sizeof(small));
	assert_true(strlen(small) < sizeof(small));
	redact_free(redact);
}

/* Goal: it is said in private, and no team's chat shows it with the output of a run. */
TEST(what_the_application_logged_is_apart_from_what_a_run_said)
{
	struct redact *redact = redact_new();
	char found[LIMIT_APPLICATION_LOG] = "x", small[32] = "x", end[LIMIT_TAIL];
	struct buf text;

	assert_non_null(redact);
	assert_true(redact_add(redact, "a-secret-of-ours", NULL));
	write_log("==> application log\n|app| one\n|app|\n|app|  two\n|app| ==> release\nours\n"
		  "|app| last\n|app| half of a li");
	run_tail_application(LOG(7, redact), false, found, sizeof(found));
	assert_string_equal(found, "one\n two\n==> release\nlast");
	run_tail_end(LOG(7, redact), false, end, sizeof(end));
	assert_string_equal(end, "ours");
	run_tail_last(LOG(7, redact), end, sizeof(end));
	assert_string_equal(end, "ours");

	/* Nothing in a line undoes its mark, reads as ours, or is a secret. */
	write_log(
	    "|app| \x1b[31mred\x1b[0m \xe2\x80\xaegnp.exe \xc2\x9b\xff\n"
	    "|app| a-secret-of-ours x\n|app| -----BEGIN RSA PRIVATE KEY-----\n|app| MIIE\n|app| -----END RSA PRIVATE KEY-----\n");
	run_tail_application(LOG(7, redact), false, found, sizeof(found));
	assert_string_equal(found, "red gnp.exe ?\n*** x\n***");
	run_tail_end(LOG(7, redact), false, end, sizeof(end));
	assert_string_equal(end, "");

	buf_init(&text, 2000000);
	buf_adds(&text, "|app| ");
	for (int i = 0; i < 100000; i++)
		buf_adds(&text, "0123456789");
	buf_adds(&text, "\n|app| behind\n");
	write_log(buf_text(&text)); /* longer than what is read of it */
	run_tail_application(LOG(7, redact), false, found, sizeof(found));
	assert_string_equal(found, "behind"); /* of a long log's end */
	buf_adds(&text, "|app| half");
	write_log(buf_text(&text) + 900000);
	run_tail_application(LOG(7, redact), false, found, sizeof(found));
	assert_string_equal(found, "behind");
	buf_clear(&text);
	for (int i = 0; i < 200; i++)
		buf_addf(&text, "|app| %300d\n", i);
	write_log(buf_text(&text));
	buf_done(&text);
	run_tail_application(LOG(7, redact), false, found, sizeof(found));
	assert_in_range(strlen(found), 1500, sizeof(found) - 1);
	run_tail_application(LOG(7, redact), false, small, sizeof(small));
	assert_string_equal(small, "");
	run_tail_application(LOG(12345, redact), false, found, sizeof(found));
	assert_string_equal(found, "");
	redact_free(redact);
}

/* Goal: what a migration said is shown where that failed, and not of what failed behind it. */
TEST(the_last_words_of_a_migration_are_those_of_its_end)
{
	struct redact *redact = redact_new();
	char found[LIMIT_APPLICATION_LOG];
	struct buf text;

	assert_non_null(redact);
	write_log("==> migrate\n|app| altering\n==> migrated\n==> release\n");
	run_tail_application(LOG(7, redact), false, found, sizeof(found));
	assert_string_equal(found, "");
	write_log("==> migrate\n|app| altering\n==> migrated\n==> release\n|app| no port\n");
	run_tail_application(LOG(7, redact), false, found, sizeof(found));
	assert_string_equal(found, "no port");
	write_log("|app| ==> migrated\n|app| ==> migrated \n");
	run_tail_application(LOG(7, redact), true, found, sizeof(found));
	assert_string_equal(found, "==> migrated\n==> migrated");
	buf_init(&text, 2000000);
	buf_adds(&text, "==> migrate\n|app| the first\n");
	for (int i = 0; i < 2000; i++)
		buf_addf(&text, "|app| %200d\n", i);
	buf_adds(&text, "|app| duplicate column name: price\n==> migrate-failed 1\n");
	write_log(buf_text(&text));
	buf_done(&text);
	run_tail_application(LOG(7, redact), true, found, sizeof(found));
	assert_non_null(strstr(found, "1999\nduplicate column name: price"));
	redact_free(redact);
}

/* Goal: docker says why behind the id of a container, which nobody needs whole. */
TEST(an_id_is_shortened_before_the_words_behind_it_are_cut)
{
	const struct run_tail_shape shape = { 3, 4000, true, false };
	struct redact *redact = redact_new();
	struct buf out;
	struct err err;

	assert_non_null(redact);
	write_log("h1: compose up failed: Error response from daemon: driver failed programming "
		  "external connectivity on endpoint mail-web-1 (" HEX64
		  "): Bind for 0.0.0.0:8080 failed: port is already allocated\n"
		  "short: " HEX64 "\n" HEX64 HEX64 HEX64 HEX64 " " HEX64 "\n");
	buf_init(&out, 4000);
	assert_true(run_tail_read(LOG(7, redact), &shape, &out, &err));
	assert_string_equal(buf_text(&out),
	    "h1: compose up failed: Error response from daemon: driver failed programming external "
	    "connectivity on endpoint mail-web-1 (0123456789ab…): Bind for 0.0.0.0:8080 failed: "
	    "port is already allocated\nshort: " HEX64 "\n0123456789ab… 0123456789ab…");
	buf_done(&out);
	redact_free(redact);
}

TEST(a_link_in_place_of_a_log_is_not_followed)
{
	const struct run_tail_shape shape = { 2, 1000, true, false };
	char path[128];
	struct buf out;
	struct err err = { .code = ERR_NONE };

	write_log("x\n");
	(void)snprintf(path, sizeof(path), "%s/runs/7/log", folder);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	buf_init(&out, 1000);
	assert_false(run_tail_read(LOG(7, NULL), &shape, &out, &err));
	assert_string_equal(buf_text(&out), "");
	buf_done(&out);
}

TEST_GROUP(make_folder, drop_folder)
