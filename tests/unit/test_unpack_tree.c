/* test_unpack_tree.c - goal: in an archive each name is there once; a digest is that of its lines.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <locale.h>

#include "lib/text.h"
#include "runner/unpack_tree.h"
#include "unit.h"

static struct unpack_tree *tree;
static struct unpack_refusal refusal;

static int
begin(UNUSED void **state)
{
	tree = unpack_tree_new();
	return tree == NULL || setlocale(LC_CTYPE, "C.UTF-8") == NULL;
}

static int
end(UNUSED void **state)
{
	unpack_tree_free(tree);
	return 0;
}

static bool
add(const char *path)
{
	size_t size = strlen(path);
	char copy[64];

	text_set(copy, path);
	copy[size - (path[size - 1] == '/')] = '\0';
	refusal.why = UNPACK_NONE;
	return unpack_tree_add(tree, copy, path[size - 1] == '/', &refusal);
}

static void
assert_refused(const char *path)
{
	if (add(path))
		fail_msg("%s is taken", path);
	assert_int_equal(refusal.why, UNPACK_NAME);
}

TEST_WITH(a_name_is_there_once, begin, end)
{
	assert_true(add("a/b"));
	assert_true(add("a/"));
	assert_true(add("c/"));
	assert_true(add("c/d"));
	assert_refused("a/b");
	assert_refused("a/");
	assert_refused("c/");
	assert_refused("a");
	assert_refused("a/b/");
	assert_refused("a/b/c");
}

TEST_WITH(capital_letters_make_no_other_name, begin, end)
{
	assert_true(add("Folder/one"));
	assert_true(add("\xC3\x9C"
			"ber"));
	assert_refused("folder/two");
	assert_refused("FOLDER/");
	assert_refused("Folder/ONE");
	assert_refused("\xC3\xBC"
		       "ber");
	assert_true(add("K"));
	assert_refused("\xE2\x84\xAA"); /* KELVIN SIGN, whose small letter is k */
}

TEST_WITH(folders_that_paths_alone_name_count_too, begin, end)
{
	char path[64];

	for (unsigned i = 0; i < UNPACK_NODES_MAX / 4; i++) {
		(void)snprintf(path, sizeof(path), "%u/a/b/c", i);
		assert_true(add(path));
	}
	assert_false(add("one-more"));
	assert_int_equal(refusal.why, UNPACK_BOMB);
}

TEST_WITH(a_single_top_folder_is_left_out, begin, end)
{
	assert_true(add("site/"));
	assert_true(add("site/a"));
	unpack_tree_strip(tree);
	assert_int_equal(tree->top, strlen("site/"));
	tree->top = 0;
	assert_true(add("site2/a"));
	unpack_tree_strip(tree);
	assert_int_equal(tree->top, 0);
}

TEST_WITH(a_file_at_the_top_is_no_folder_to_leave_out, begin, end)
{
	assert_true(add("site"));
	unpack_tree_strip(tree);
	assert_int_equal(tree->top, 0);
}

TEST_WITH(a_digest_is_that_of_the_sorted_lines_of_files, begin, end)
{
	static const char lines[] =
	    "0644 0000000000000000000000000000000000000000000000000000000000000000 b\n"
	    "0644 0100000000000000000000000000000000000000000000000000000000000000 a/c\n"
	    "0755 0000000000000000000000000000000000000000000000000000000000000000 a/d\n";
	uint8_t wanted[SHA256_SIZE], found[SHA256_SIZE];

	assert_true(add("top/a/c") && add("top/a/d") && add("top/b") && add("top/empty/"));
	unpack_tree_file(tree, "top/a/c")->sum[0] = 1;
	unpack_tree_file(tree, "top/a/d")->is_executable = true;
	assert_null(unpack_tree_file(tree, "top/a"));
	assert_null(unpack_tree_file(tree, "top/B"));
	unpack_tree_strip(tree);
	unpack_tree_digest(tree, found);
	sha256(lines, sizeof(lines) - 1, wanted);
	assert_memory_equal(found, wanted, sizeof(found));
}
