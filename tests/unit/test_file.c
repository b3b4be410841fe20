/* Goal: files are replaced whole, and a path that others could change is known.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>

#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/path.h"
#include "unit.h"

static char folder[64];
static off_t grows_by; /* behind each look at its size */

int
fstat(int fd, struct stat *st)
{
	int status = fstatat(fd, "", st, AT_EMPTY_PATH);

	st->st_size -= grows_by;
	return status;
}

static const char *
in(const char *name)
{
	static char paths[4][256];
	static unsigned turn;
	char *path = paths[turn++ % 4];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static int
set_up(UNUSED void **state)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/test_file.XXXXXX");
	assert_non_null(mkdtemp(folder));
	return 0;
}

static int
tear_down(void **state)
{
	static const char *const names[] = { "open/key", "open", "link", "file", "a/b/c", "a/b",
		"a", "loop", "" };

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		(void)remove(in(names[i]));
	assert_int_not_equal(access(folder, F_OK), 0); /* no temporary file was left */
	return 0;
}

/* A log that others write, for one: it was "larger than" the size that it had a moment before. */
TEST_WITH(what_grows_while_it_is_read_is_read_up_to_the_limit, set_up, tear_down)
{
	struct err err;
	size_t size;
	char *text;

	assert_true(file_write(in("file"), "0123456789", 10, 0600, &err));
	for (grows_by = 0; grows_by < 10; grows_by++) {
		text = file_read(in("file"), 10, &size, &err);
		assert_non_null(text);
		assert_int_equal(size, 10);
		assert_string_equal(text, "0123456789");
		free(text);
		assert_null(file_read(in("file"), 9, &size, &err));
		assert_int_equal(err.code, ERR_LIMIT);
		assert_non_null(strstr(err.text, "is larger than 9 bytes"));
	}
	grows_by = 0;
}

TEST_WITH(what_is_written_whole_is_read_whole, set_up, tear_down)
{
	struct stat st;
	struct err err;
	size_t size;
	char *text;

	assert_true(file_write(in("file"), "old", 3, 0644, &err));
	assert_true(file_write(in("file"), "new\0er", 6, 0600, &err));
	assert_int_equal(stat(in("file"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	text = file_read(in("file"), 6, &size, &err);
	assert_non_null(text);
	assert_int_equal(size, 6);
	assert_memory_equal(text, "new\0er", 7);
	free(text);
	assert_null(file_read(in("file"), 5, &size, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	text = file_read("/proc/self/stat", 8192, &size, &err);
	assert_non_null(text);
	assert_true(size > 0);
	free(text);
}

TEST_WITH(what_is_no_file_is_refused, set_up, tear_down)
{
	struct err err;

	assert_null(file_read(in("none"), 10, NULL, &err));
	assert_int_equal(err.code, ERR_MISSING);
	assert_null(file_read(folder, 10, NULL, &err));
	assert_int_equal(err.code, ERR_INVALID);
	assert_int_equal(mkfifo(in("file"), 0600), 0);
	assert_null(file_read(in("file"), 10, NULL, &err));
	assert_int_equal(err.code, ERR_INVALID);
	assert_false(file_write(in("none/file"), "x", 1, 0600, &err));
}

TEST_WITH(folders_are_made_with_those_above, set_up, tear_down)
{
	struct stat st;
	struct err err;

	assert_true(file_mkdirs(in("a/b/c"), 0700, &err));
	assert_true(file_mkdirs(in("a/b/c/"), 0755, &err));
	assert_int_equal(stat(in("a/b"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_true(file_write(in("file"), "", 0, 0600, &err));
	assert_false(file_mkdirs(in("file"), 0700, &err));
	assert_false(file_mkdirs(in("file/x"), 0700, &err));
	assert_false(file_mkdirs("", 0700, &err));
}

TEST_WITH(a_path_is_safe_below_a_sticky_folder_and_not_below_an_open_one, set_up, tear_down)
{
	struct err err;

	assert_true(file_mkdirs(in("open"), 0700, &err));
	assert_true(file_write(in("open/key"), "x", 1, 0600, &err));
	if (!path_is_safe(in("open/key"), &err))
		fail_msg("%s", err.text);
	assert_true(path_is_private(in("open/key"), false, &err));
	assert_int_equal(symlink("open/key", in("link")), 0);
	assert_true(path_is_safe(in("link"), &err));
	assert_int_equal(chmod(in("open"), 0777), 0);
	assert_false(path_is_safe(in("open/key"), &err));
	assert_int_equal(err.code, ERR_DENIED);
	assert_non_null(strstr(err.text, "/open may be written by others (mode 0777)"));
	assert_false(path_is_safe(in("link"), &err));
	assert_int_equal(chmod(in("open"), 0700), 0);
	assert_int_equal(chmod(in("open/key"), 0640), 0);
	assert_false(path_is_private(in("open/key"), false, &err));
	assert_true(path_is_private(in("open/key"), true, &err));
	assert_int_equal(chmod(in("open/key"), 0620), 0);
	assert_false(path_is_safe(in("open/key"), &err));
	assert_false(path_is_safe("relative", &err));
	assert_false(path_is_safe(in("none"), &err));
	assert_int_equal(err.code, ERR_MISSING);
	assert_true(path_is_safe("/", &err));
}

TEST_WITH(a_path_that_another_user_owns_is_safe_where_that_one_may, set_up, tear_down)
{
	struct err err;

	if (geteuid() != 0)
		skip(); /* only root gives a file away */
	assert_true(file_write(in("file"), "x", 1, 0600, &err));
	assert_int_equal(chown(in("file"), 5, 5), 0);
	assert_false(path_is_safe(in("file"), &err));
	assert_true(path_is_safe_with(in("file"), 5, &err));
	assert_false(path_is_safe_with(in("file"), 6, &err));
}

TEST_WITH(links_that_lead_round_end, set_up, tear_down)
{
	struct err err;

	assert_int_equal(symlink("loop", in("loop")), 0);
	assert_false(path_is_safe(in("loop"), &err));
	assert_non_null(strstr(err.text, "too many links"));
}

TEST_WITH(a_file_of_somebody_else_is_not_safe, set_up, tear_down)
{
	struct err err;

	if (geteuid() != 0)
		skip(); /* only root can give a file away */
	assert_true(file_write(in("file"), "x", 1, 0600, &err));
	assert_int_equal(chown(in("file"), 12345, 0), 0);
	assert_false(path_is_safe(in("file"), &err));
	assert_non_null(strstr(err.text, "belongs to user 12345"));
}

/* What is there already is not repaired by its folder. */
TEST_WITH(a_file_that_cannot_be_made_is_said_with_what_to_do, set_up, tear_down)
{
	struct err err;

	assert_false(file_creation_failed(EROFS, "/nowhere/x", &err));
	assert_string_equal(
	    err.text, "creating /nowhere/x (mount it writable): Read-only file system");
	assert_false(file_creation_failed(EACCES, "/nowhere/x", &err));
	assert_non_null(
	    strstr(err.text, "must be able to write in its folder): Permission denied"));
	assert_false(file_creation_failed(EACCES, "/etc/passwd", &err));
	assert_string_equal(err.text, "opening /etc/passwd, of user 0: Permission denied");
}
