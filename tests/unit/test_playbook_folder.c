/* Goal: all that a playbook is made of is in its mark, and what others could change has none.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/playbook_folder.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"
#include "unit.h"

static char root[64];

static char *
at(const char *name)
{
	static char path[2][256];
	static int n;

	n = !n;
	(void)snprintf(path[n], sizeof(path[n]), "%s/%s", root, name);
	return path[n];
}

static void
put(const char *name, const char *text)
{
	FILE *file = fopen(at(name), "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0 && fclose(file) == 0);
	assert_int_equal(chmod(at(name), 0644), 0);
}

static void
begin(void)
{
	(void)snprintf(root, sizeof(root), "/tmp/playbooks.XXXXXX");
	assert_non_null(mkdtemp(root));
	assert_int_equal(mkdir(at("roles"), 0755), 0);
	put("site.yml", "a");
	put("roles/x", "b");
}

static int
unlink_one(const char *path, const struct stat *status, int what, struct FTW *where)
{
	(void)status, (void)what, (void)where;
	return remove(path);
}

static void
end(void)
{
	assert_int_equal(nftw(root, unlink_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* "": it is refused, and that says so. */
static const char *
mark(const char *refusal)
{
	static char list[2][FINGERPRINT_LIST_MAX];
	static int n;
	struct err err = { .code = ERR_NONE };

	n = !n;
	list[n][0] = '\0';
	if (playbook_folder_add(root, list[n], &err))
		return list[n];
	if (refusal == NULL || strstr(err.text, refusal) == NULL)
		fail_msg("%s", err.text);
	assert_int_equal(err.code, ERR_CONFIG);
	return "";
}

TEST(names_modes_and_bytes_are_its_mark)
{
	const char *before;

	begin();
	before = mark(NULL);
	assert_memory_equal(before, "ANSIBLE_FOLDER/files=", 21);
	put("roles/x", "c");
	assert_string_not_equal(before, mark(NULL));
	put("roles/x", "b");
	assert_int_equal(chmod(at("site.yml"), 0755), 0);
	before = mark(NULL);
	assert_int_equal(chmod(at("site.yml"), 0644), 0);
	assert_string_not_equal(before, mark(NULL));
	before = mark(NULL);
	assert_int_equal(rename(at("roles/x"), at("roles/y")), 0);
	assert_string_not_equal(before, mark(NULL));
	before = mark(NULL);
	put("roles/.hidden", "");
	assert_string_not_equal(before, mark(NULL));
	before = mark(NULL);
	assert_int_equal(mkdir(at("files"), 0755), 0);
	assert_string_not_equal(before, mark(NULL));
	before = mark(NULL);
	assert_int_equal(mkdir(at(".git"), 0755), 0);
	put(".git/index", "of git");
	assert_string_equal(before, mark(NULL));
	end();
}

TEST(what_others_could_change_or_is_too_much_has_no_mark)
{
	char deep[256] = "d";

	begin();
	assert_int_equal(symlink("/etc/passwd", at("roles/link")), 0);
	assert_string_equal(mark("roles/link is a link"), "");
	assert_int_equal(unlink(at("roles/link")), 0);
	assert_int_equal(chmod(at("site.yml"), 0666), 0);
	assert_string_equal(mark("others may write site.yml"), "");
	assert_int_equal(chmod(at("site.yml"), 0644), 0);
	assert_int_equal(chmod(root, 0777), 0);
	assert_string_equal(mark("ANSIBLE_FOLDER"), "");
	assert_int_equal(chmod(root, 0770), 0);
	assert_string_equal(mark("may be written by others"), "");
	assert_int_equal(chmod(root, 0700), 0);
	put("large", "");
	assert_int_equal(truncate(at("large"), PLAYBOOK_BYTES_MAX + 1), 0);
	assert_string_equal(mark("large"), "");
	assert_int_equal(unlink(at("large")), 0);
	for (size_t i = 0; i <= PLAYBOOK_DEPTH_MAX; i++) {
		assert_int_equal(mkdir(at(deep), 0755), 0);
		(void)snprintf(deep + 2 * i + 1, sizeof(deep) - 2 * i - 1, "/d");
	}
	assert_string_equal(mark("deep"), "");
	end();
	assert_string_equal(mark("ANSIBLE_FOLDER"), "");
}
