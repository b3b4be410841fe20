/* Goal: what is left of a run that is over goes, in pieces; of one that is not, nothing.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/run_purge.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runner/run_folder.h"
#include "unit.h"

#define MB (1024 * 1024)

static char folder[64];
static int root;

static int
begin(UNUSED void **state)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/test_run_forget-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	root = run_folder_root(folder, NULL);
	return root == -1 ? -1 : mkdirat(root, "7", 0700);
}

static int
finish(void **state)
{
	static const char *const names[] = { "7/exit", "7/log", "7/other" };
	char path[128];

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		(void)unlinkat(root, names[i], 0);
	(void)unlinkat(root, "7/folder", AT_REMOVEDIR);
	(void)unlinkat(root, "7", AT_REMOVEDIR);
	(void)close(root);
	(void)snprintf(path, sizeof(path), "%s/runs", folder);
	return rmdir(path) == 0 ? rmdir(folder) : -1;
}

static void
make_file(const char *name, const char *text, off_t size)
{
	int fd = openat(root, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd != -1);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	if (size > 0)
		assert_int_equal(ftruncate(fd, size), 0);
	(void)close(fd);
}

static enum protocol_removal
forget(uint64_t id, char text[256])
{
	struct protocol_message said;

	run_purge(root, id, &said);
	assert_int_equal(said.kind, PROTOCOL_PURGED);
	assert_int_equal(said.id, id);
	(void)snprintf(text, 256, "%s", said.text);
	return said.removal;
}

TEST_WITH(a_folder_is_removed_with_what_is_in_it, begin, finish)
{
	char text[256];

	make_file("7/exit", "exit\ngate 1\n", 0);
	make_file("7/log", "x\n", 0);
	make_file("7/other", "x\n", 0);
	assert_int_equal(forget(7, text), PROTOCOL_REMOVAL_GONE);
	assert_string_equal(text, "");
	assert_int_equal(faccessat(root, "7", F_OK, 0), -1);
	assert_int_equal(forget(7, text), PROTOCOL_REMOVAL_GONE); /* not there: fine */
}

/* Giving back 2 GB at once may hold a runner for a second. */
TEST_WITH(a_large_log_is_cut_piece_by_piece, begin, finish)
{
	char text[256];

	make_file("7/exit", "exit\ngate 1\n", 0);
	make_file("7/log", "x\n", 200 * MB);
	for (int i = 0; i < 3; i++) {
		struct stat st;

		assert_int_equal(forget(7, text), PROTOCOL_REMOVAL_MORE);
		assert_int_equal(fstatat(root, "7/log", &st, 0), 0);
		assert_int_equal(st.st_size, (200 - 64 * (i + 1)) * MB);
		assert_int_equal(
		    faccessat(root, "7/exit", F_OK, 0), 0); /* last, or it would stay */
	}
	assert_int_equal(forget(7, text), PROTOCOL_REMOVAL_GONE);
	assert_int_equal(faccessat(root, "7", F_OK, 0), -1);
}

/* Whoever owns a server must not be able to make a run that goes on unknown. */
TEST_WITH(nothing_of_a_run_without_a_record_goes, begin, finish)
{
	char text[256];
	struct stat st;

	make_file("7/log", "x\n", 200 * MB);
	assert_int_equal(forget(7, text), PROTOCOL_REMOVAL_STAY);
	assert_string_equal(text, "run 7: it has no exit record: it has not ended");
	make_file("7/exit", "", PROTOCOL_RECORD_BYTES); /* room, as its supervisor makes it */
	assert_int_equal(forget(7, text), PROTOCOL_REMOVAL_STAY);
	assert_int_equal(fstatat(root, "7/log", &st, 0), 0);
	assert_int_equal(st.st_size, 200 * MB);
}

/* The runner was killed, or the power went, between the last file and the folder. */
TEST_WITH(a_folder_that_was_emptied_before_goes_too, begin, finish)
{
	char text[256];

	assert_int_equal(forget(7, text), PROTOCOL_REMOVAL_GONE);
	assert_int_equal(faccessat(root, "7", F_OK, 0), -1);
}

TEST_WITH(a_record_of_another_release_is_a_record, begin, finish)
{
	char text[256];

	make_file("7/exit", "done\nhow well\n", 0);
	assert_int_equal(forget(7, text), PROTOCOL_REMOVAL_GONE);
}

TEST_WITH(what_cannot_be_removed_is_named, begin, finish)
{
	char text[256];

	make_file("7/exit", "exit\ngate 1\n", 0);
	assert_int_equal(mkdirat(root, "7/folder", 0700), 0);
	assert_int_equal(forget(7, text), PROTOCOL_REMOVAL_STAY);
	assert_string_equal(text, "run 7: folder: Is a directory");
}
