/* Goal: a log becomes a document that is safe to send, of any size, in small steps.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "runs/run_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "lib/err.h"
#include "lib/loop.h"
#include "lib/redact.h"
#include "runs/run_files.h"
#include "unit.h"

#define SECRET "hunter2-is-the-secret"

static char folder[64];

static void
path_of(char path[128], const char *name)
{
	(void)snprintf(path, 128, "%s/runs%s%s", folder, *name != '\0' ? "/" : "", name);
}

static int
make_folder(void **state)
{
	char path[128];

	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/test_run_log-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	path_of(path, "");
	if (mkdir(path, 0700) != 0)
		return -1;
	path_of(path, "7");
	return mkdir(path, 0700);
}

static int
drop_folder(void **state)
{
	char path[128];

	(void)state;
	path_of(path, "7/log");
	(void)unlink(path);
	path_of(path, "7");
	(void)rmdir(path);
	path_of(path, "");
	(void)rmdir(path);
	return rmdir(folder); /* fails when a temporary file was left */
}

static FILE *
open_log(void)
{
	char path[128];
	FILE *log;

	path_of(path, "7/log");
	log = fopen(path, "we");
	assert_non_null(log);
	return log;
}

static struct run_log_job *
start(int64_t run, const char *head, struct redact *redact, struct err *err)
{
	uint64_t size;
	int log = run_files_open_log(folder, run, &size, err);

	return log == -1 ? NULL : run_log_start(folder, log, head, redact, err);
}

/* The document, unpacked where it is packed; to be freed. */
static char *
document(struct run_log_job *job, size_t *ret_size)
{
	int copy = dup(run_log_fd(job));
	size_t room = (size_t)96 << 20, size = 0;
	char *text = malloc(room);
	gzFile file;
	int got;

	assert_non_null(text);
	assert_int_equal(lseek(copy, 0, SEEK_SET), 0);
	file = gzdopen(copy, "r"); /* reads plain files as they are */
	assert_non_null(file);
	while ((got = gzread(file, text + size, 1 << 20)) > 0)
		size += (size_t)got;
	assert_int_equal(got, 0);
	assert_int_equal(gzclose(file), Z_OK);
	*ret_size = size;
	return text;
}

static struct run_log_job *
make_document(int64_t *steps)
{
	struct redact *redact = redact_new();
	struct err err = { .code = ERR_NONE };
	struct run_log_job *job;
	enum run_log_state step;

	assert_true(redact_add(redact, SECRET, NULL));
	job = start(7, "", redact, &err);
	assert_non_null(job);
	do {
		step = run_log_step(job, &err);
		++*steps;
	} while (step == RUN_LOG_MORE);
	assert_int_equal(step, RUN_LOG_DONE);
	redact_free(redact);
	return job;
}

TEST(a_small_log_is_plain_text)
{
	struct run_log_job *job;
	FILE *log = open_log();
	int64_t steps = 0;
	size_t size;
	char *text;

	(void)fprintf(log, "\x1b[31mone\x1b[0m\npass=%s\nlast", SECRET);
	(void)fclose(log);
	job = make_document(&steps);
	assert_false(run_log_is_gzip(job));
	text = document(job, &size);
	assert_int_equal(size, run_log_size(job));
	assert_int_equal(size, strlen("one\npass=***\nlast"));
	assert_memory_equal(text, "one\npass=***\nlast", size);
	free(text);
	run_log_free(job);
}

TEST(an_empty_log_is_an_empty_document)
{
	struct run_log_job *job;
	int64_t steps = 0;

	(void)fclose(open_log());
	job = make_document(&steps);
	assert_int_equal(run_log_size(job), 0);
	run_log_free(job);
}

TEST(a_large_log_is_packed_and_no_secret_slips_between_two_pieces)
{
	struct run_log_job *job;
	FILE *log = open_log();
	int64_t steps = 0;
	size_t size;
	char *text;

	for (int i = 0; i < 60000; i++)
		(void)fprintf(log, "%d %s x%.*s\n", i, SECRET, i % 17, "................");
	(void)fclose(log);
	job = make_document(&steps);
	assert_true(run_log_is_gzip(job));
	assert_true(run_log_size(job) < RUN_LOG_PLAIN_MAX);
	text = document(job, &size);
	assert_null(memmem(text, size, SECRET, strlen(SECRET)));
	assert_null(memmem(text, size, "hunter2", 7));
	assert_non_null(memmem(text, size, "\n59999 *** x", 12));
	free(text);
	run_log_free(job);
}

TEST(a_line_without_end_is_broken_after_it_was_redacted)
{
	struct run_log_job *job;
	FILE *log = open_log();
	int64_t steps = 0;
	size_t size;
	char *text;

	for (int i = 0; i < 3990; i++)
		(void)fputc('x', log);
	(void)fprintf(log, "%s", SECRET); /* across the place where the line is broken */
	for (int i = 0; i < 5000; i++)
		(void)fputc('y', log);
	(void)fclose(log);
	job = make_document(&steps);
	text = document(job, &size);
	assert_null(memmem(text, size, "hunter", 6));
	assert_non_null(memmem(text, size, "x***y", 5));
	assert_non_null(memchr(text, '\n', size));
	free(text);
	run_log_free(job);
}

TEST(of_a_huge_log_head_and_tail_are_left)
{
	struct run_log_job *job;
	FILE *log = open_log();
	int64_t steps = 0;
	size_t size;
	char *text;

	(void)fprintf(log, "the beginning\n");
	for (int i = 0; i < 700000; i++)
		(void)fprintf(log,
		    "%06d "
		    "........................................................................\n",
		    i);
	(void)fprintf(log, "the end\n");
	(void)fclose(log);
	job = make_document(&steps);
	assert_true(run_log_is_gzip(job));
	text = document(job, &size);
	assert_true((int64_t)size < RUN_LOG_WHOLE_MAX);
	assert_memory_equal(text, "the beginning\n", 14);
	assert_memory_equal(text + size - 8, "the end\n", 8);
	assert_non_null(memmem(text, size, " MB of the log are left out here", 32));
	assert_null(memmem(text, size, "\n350000 ", 8));
	assert_true(steps > 2 * ((22 << 20) / 32768 - 1)); /* a piece each: 1 to 3 ms of work */
	free(text);
	run_log_free(job);
}

#define HEAD (22 << 20) /* bytes */

/* The document of a log whose head ends with a guess: whether it is shown up to there. */
static bool
shows_at_the_end_of_the_head(const char *guess)
{
	static char lines[1 << 20];
	FILE *log = open_log();
	struct run_log_job *job;
	int64_t steps = 0;
	size_t size;
	char *text;
	bool shows;

	memset(lines, '.', sizeof(lines));
	for (size_t i = 79; i < sizeof(lines); i += 80)
		lines[i] = '\n';
	for (int i = 0; i < 22; i++)
		(void)fwrite(lines, 1, i == 21 ? sizeof(lines) - 100 : sizeof(lines), log);
	(void)fprintf(log, "\nguess%*s%s", (int)(94 - strlen(guess)), "", guess);
	assert_int_equal(ftell(log), HEAD);
	for (int i = 0; i < 25; i++)
		(void)fwrite(lines, 1, sizeof(lines), log);
	(void)fclose(log);
	job = make_document(&steps);
	text = document(job, &size);
	assert_non_null(memmem(text, size, " MB of the log are left out here", 32));
	shows = memmem(text, size, "guess", 5) != NULL;
	free(text);
	run_log_free(job);
	return shows;
}

TEST(no_guess_at_the_end_of_the_head_is_told_from_a_secret)
{
	assert_false(shows_at_the_end_of_the_head("hunter2-is"));
	assert_false(shows_at_the_end_of_the_head("hunter2-it"));
}

TEST(a_run_without_log_is_said_so)
{
	struct err err = { .code = ERR_NONE };

	assert_null(start(8, "", NULL, &err));
	assert_int_equal(err.code, ERR_MISSING);
}

/* A link that a script left would send another file to the chat; a fifo would hold the loop. */
TEST(what_is_no_file_in_the_place_of_a_log_is_refused)
{
	struct redact *redact = redact_new();
	struct err err = { .code = ERR_NONE };
	char path[128];

	path_of(path, "7/log");
	(void)unlink(path); /* another test's */
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_null(start(7, "", redact, &err));
	assert_int_equal(err.code, ERR_IO);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_null(start(7, "", redact, &err));
	assert_int_equal(err.code, ERR_INVALID);
	assert_int_equal(unlink(path), 0);
	redact_free(redact);
}

/* Goal: its head stands before it, as clean as the rest; what is empty has none. */
TEST(what_it_is_about_stands_before_it)
{
	CLEANUP(redact_freep) struct redact *redact = redact_new();

	assert_true(redact_add(redact, SECRET, NULL));
	for (int is_empty = 0; is_empty < 2; is_empty++) {
		char text[256] = "";
		struct run_log_job *job;
		FILE *log = open_log();
		struct err err;

		if (!is_empty)
			(void)fputs("built\n", log);
		(void)fclose(log);
		job = start(7, "staging #2 " SECRET "\nexit 1", redact, &err);
		assert_non_null(job);
		while (run_log_step(job, &err) == RUN_LOG_MORE)
			continue;
		assert_true(pread(run_log_fd(job), text, sizeof(text) - 1, 0) == run_log_size(job));
		assert_string_equal(text, is_empty ? "" : "staging #2 ***\nexit 1\n\nbuilt\n");
		run_log_free(job);
	}
}

TEST(a_job_can_be_dropped_half_way)
{
	struct run_log_job *job;
	FILE *log = open_log();
	struct err err;

	for (int i = 0; i < 300000; i++)
		(void)fprintf(log, "line %d\n", i);
	(void)fclose(log);
	job = start(7, "", NULL, &err);
	assert_non_null(job);
	assert_int_equal(run_log_step(job, &err), RUN_LOG_MORE);
	run_log_free(job);
	run_log_free(NULL);
}

TEST_GROUP(make_folder, drop_folder)
