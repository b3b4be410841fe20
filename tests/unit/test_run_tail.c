/* Goal: the last lines of a log can be shown to anybody: clean, redacted, few.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "runs/run_tail.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/redact.h"
#include "runs/run_files.h"

#define SECRET "hunter2-is-the-secret"

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
	struct redact *redact = redact_new(NULL);

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
	const struct run_tail_shape shape = { 3, 1000, true };
	const struct run_tail_bytes bytes = { text, strlen(text), is_cut, is_growing };

	assert_tail(&bytes, &shape, expected);
}

static void
the_last_lines_are_shown(void **state)
{
	(void)state;
	tail_is("", false, true, "");
	tail_is("one", false, false, "one");
	tail_is("1\n2\n3\n4\n5\n", false, true, "3\n4\n5");
	tail_is("1\n\n  \n2\n\n", false, true, "1\n2");
	tail_is("1\n==> build\n2\n", false, true, "1\n2");
	tail_is("\x1b[32mok\x1b[0m\n10%\r99%\n", false, true, "ok\n99%");
}

static void
they_fit_in_what_there_is(void **state)
{
	const struct run_tail_shape narrow = { 10, 7, false };
	const struct run_tail_bytes bytes = { "abc\nabc\nabc\n", 12, false, false };
	char line[1000];

	(void)state;
	assert_tail(&bytes, &narrow, "abc\nabc");
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	{
		const struct run_tail_shape shape = { 3, 1000, false };
		const struct run_tail_bytes wide = { line, strlen(line), false, false };
		struct buf out;

		buf_init(&out, 65536);
		run_tail_of(&wide, NULL, &shape, &out);
		assert_int_equal(out.size, RUN_TAIL_LINE);
		assert_string_equal(buf_text(&out) + RUN_TAIL_LINE - 3, "\xe2\x80\xa6");
		buf_done(&out);
	}
}

static void
secrets_are_not_shown(void **state)
{
	(void)state;
	tail_is("token " SECRET " used\n", false, true, "token *** used");
	tail_is("hunter2\x1b[1m-is-the-\x1b[0msecret\n", false, true, "***");
	tail_is("hunter2-is-\x01the-sec\xe2\x80\x8bret\n", false, true, "***");
}

static void
half_a_secret_is_not_shown_either(void **state)
{
	(void)state;
	tail_is("a\nhunter2-is-the-s", false, true, "a");
	tail_is("the-secret\nb\n", true, true, "b");
	tail_is("QUJDREVGR0g=\n-----END PRIVATE KEY-----\nb\n", true, true, "b");
}

static void
a_log_that_is_not_there_shows_nothing(void **state)
{
	const struct run_tail_shape shape = { 3, 1000, true };
	char last[64] = "x";
	struct buf out;
	struct err err;

	(void)state;
	buf_init(&out, 1000);
	assert_true(run_tail_read(folder, 12345, NULL, &shape, &out, &err));
	assert_string_equal(buf_text(&out), "");
	run_tail_last(folder, 12345, NULL, last, sizeof(last));
	assert_string_equal(last, "");
	buf_done(&out);
}

static void
the_end_of_a_large_log_is_read(void **state)
{
	const struct run_tail_shape shape = { 2, 1000, true };
	struct buf text;
	char last[64];
	struct buf out;
	struct err err;

	(void)state;
	buf_init(&text, 200000);
	for (int i = 0; i < 10000; i++)
		buf_addf(&text, "line %04d\n", i);
	write_log(buf_text(&text));
	buf_done(&text);
	buf_init(&out, 1000);
	assert_true(run_tail_read(folder, 7, NULL, &shape, &out, &err));
	assert_string_equal(buf_text(&out), "line 9998\nline 9999");
	run_tail_last(folder, 7, NULL, last, sizeof(last));
	assert_string_equal(last, "line 9999");
	buf_done(&out);
}

static void
a_link_in_place_of_a_log_is_not_followed(void **state)
{
	const struct run_tail_shape shape = { 2, 1000, true };
	char path[128];
	struct buf out;
	struct err err = { .code = ERR_NONE };

	(void)state;
	write_log("x\n");
	(void)snprintf(path, sizeof(path), "%s/runs/7/log", folder);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	buf_init(&out, 1000);
	assert_false(run_tail_read(folder, 7, NULL, &shape, &out, &err));
	assert_string_equal(buf_text(&out), "");
	buf_done(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_lines_are_shown),
		cmocka_unit_test(they_fit_in_what_there_is),
		cmocka_unit_test(secrets_are_not_shown),
		cmocka_unit_test(half_a_secret_is_not_shown_either),
		cmocka_unit_test(a_log_that_is_not_there_shows_nothing),
		cmocka_unit_test(the_end_of_a_large_log_is_read),
		cmocka_unit_test(a_link_in_place_of_a_log_is_not_followed),
	};

	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
