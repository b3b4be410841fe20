/* Goal: a log is shown piece by piece, whole lines at a time, clean and redacted, from any place on.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "runs/run_piece.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/redact.h"
#include "unit.h"

#define SECRET "hunter2-is-the-secret"

static char folder[64];
static struct redact *redact;

static int
make_folder(void **state)
{
	char path[128];

	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/test_run_piece-XXXXXX");
	if (mkdtemp(folder) == NULL || (redact = redact_new()) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/runs", folder);
	if (mkdir(path, 0700) != 0)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/runs/7", folder);
	return mkdir(path, 0700) == 0 && redact_add(redact, SECRET, NULL) ? 0 : -1;
}

static int
drop_folder(void **state)
{
	char path[128];

	(void)state;
	redact_free(redact);
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

	(void)snprintf(path, sizeof(path), "%s/runs/7/log", folder);
	assert_true(file_write(path, text, strlen(text), 0600, NULL));
}

/* What is shown from there on; *offset moves. */
static const char *
piece(int64_t *offset, bool is_ended)
{
	static char shown[RUN_PIECE * 2];
	struct buf out;
	struct err err;

	buf_init(&out, sizeof(shown));
	if (!run_piece_read(
		&(struct run_tail_log){ .state_directory = folder, .run = 7, .redact = redact },
		*offset, is_ended, &out, offset, &err))
		fail_msg("%s", err.text);
	(void)snprintf(shown, sizeof(shown), "%s", buf_text(&out));
	buf_done(&out);
	return shown;
}

TEST(whole_lines_are_shown_once_and_the_last_when_it_has_ended)
{
	int64_t offset = 0;

	assert_string_equal(piece(&offset, false), ""); /* there is no log yet */
	write_log("one\ntwo\nthr");
	assert_string_equal(piece(&offset, false), "one\ntwo\n");
	assert_int_equal(offset, 8);
	assert_string_equal(piece(&offset, false), "");
	write_log("one\ntwo\nthree\nfour");
	assert_string_equal(piece(&offset, false), "three\n");
	assert_string_equal(piece(&offset, true), "four");
	assert_int_equal(offset, 18);
	assert_string_equal(piece(&offset, true), "");
	offset = 1000000; /* beyond it */
	assert_string_equal(piece(&offset, true), "");
	assert_int_equal(offset, 1000000);
}

TEST(what_is_shown_is_clean_and_without_secrets)
{
	static const char log[] = "a \x1b[31mred\x1b[0m word\nthe secret is " SECRET "\n";
	int64_t offset = 0;

	write_log(log);
	assert_string_equal(piece(&offset, false), "a red word\nthe secret is ***\n");
	assert_int_equal(offset, sizeof(log) - 1);
}

/* Its first line stood in the piece before. */
TEST(the_rest_of_a_private_key_is_not_shown)
{
	static const char first[] = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
	int64_t offset = sizeof(first) - 1;

	write_log("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAAB3NzaC1yc2E\n"
		  "-----END OPENSSH PRIVATE KEY-----\nbehind it\n");
	assert_null(strstr(piece(&offset, false), "AAAAB3"));
	offset = 0;
	assert_null(strstr(piece(&offset, false), "AAAAB3"));
}

/* The end of the key has not been printed yet. */
TEST(a_private_key_is_not_shown_while_it_is_printed)
{
	static const char first[] =
	    "before\n-----BEGIN OPENSSH PRIVATE KEY-----\nAAAAB3NzaC1yc2E\n";

	write_log(
	    "before\n-----BEGIN OPENSSH PRIVATE KEY-----\nAAAAB3NzaC1yc2E\nBBBBB3NzaC1yc2E\n");
	for (int64_t from = 0; from <= (int64_t)sizeof(first) - 1; from++) {
		int64_t offset = from;
		const char *shown = piece(&offset, false);

		assert_null(strstr(shown, "AAB3N"));
		assert_null(strstr(shown, "BBB3N"));
	}
}

/* Whoever asks chooses the place, also one in the middle of a secret. */
TEST(the_rest_of_a_line_is_not_shown)
{
	static const char log[] = "the secret is " SECRET "\nnext\n" SECRET;

	write_log(log);
	for (int64_t from = 0; from < (int64_t)sizeof(log); from++) {
		int64_t offset = from;

		assert_null(strstr(piece(&offset, true), "ecret\n"));
		assert_int_equal(offset, sizeof(log) - 1);
	}
	for (int64_t from = 1; from < 30; from++) {
		int64_t offset = from;

		assert_string_equal(piece(&offset, false), "next\n");
	}
}

TEST(a_secret_across_the_end_of_a_piece_is_not_shown)
{
	static char log[RUN_PIECE * 3];
	const size_t at = RUN_PIECE - 10; /* of the secret 10 bytes fit */
	int64_t offset = 0;
	const char *shown;

	memset(log, 'x', sizeof(log) - 1);
	memcpy(log + at, SECRET, strlen(SECRET));
	memcpy(log + sizeof(log) - 8, "\nbehind", 7);
	write_log(log);
	shown = piece(&offset, true);
	assert_int_equal(offset, RUN_PIECE);
	assert_string_equal(shown, "\xe2\x80\xa6\n"); /* no guess is told from a secret */
	assert_string_equal(piece(&offset, true), "");
	assert_int_equal(offset, RUN_PIECE * 2);
	assert_string_equal(piece(&offset, true), "behind");
}

TEST(a_long_log_comes_in_several_pieces)
{
	static char log[RUN_PIECE * 3];
	int64_t offset = 0, before = -1, n = 0;
	size_t lines = 0;

	for (size_t i = 0; i + 1 < sizeof(log); i++)
		log[i] = i % 50 == 49 ? '\n' : 'x';
	write_log(log);
	for (; offset != before; n++) {
		before = offset;
		for (const char *at = piece(&offset, true); *at != '\0'; at++)
			lines += *at == '\n' ? 1 : 0;
	}
	assert_int_equal(offset, sizeof(log) - 1);
	assert_int_equal(lines, (sizeof(log) - 1) / 50);
	assert_in_range(n, 4, 6);
}

TEST_GROUP(make_folder, drop_folder)
