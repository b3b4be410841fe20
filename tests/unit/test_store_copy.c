/* Goal: before a migration the database is copied, and nothing in its way is harmed.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "schema_aid.h"

#include <glob.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/file.h"
#include "store/store_inside.h"

TESTS_OF_A_FILE

/* The store's database as that version made it. */
static void
become(struct store_aid *aid, int64_t version)
{
	struct db *db;

	assert_int_equal(unlink(aid->path), 0); /* it was closed: nothing is beside it */
	db = schema_aid_open(aid);
	assert_true(store_schema_migrate(db, NULL, version, &aid->err));
	db_close(db);
}

static char *
copy_name(struct store_aid *aid, const char *suffix)
{
	static char path[DATABASE_AID_PATH + 32];

	(void)snprintf(path, sizeof(path), "%s%s", aid->path, suffix);
	return path;
}

static bool
is_copied(struct store_aid *aid, const char *suffix)
{
	return access(copy_name(aid, suffix), F_OK) == 0;
}

SCHEMA_TEST(a_copy_is_made_before_a_migration_and_at_no_other_start)
{
	struct stat st;
	struct db *db;

	assert_false(is_copied(aid, ".v1") || is_copied(aid, ".v2")); /* it was made anew */
	become(aid, 1);
	store_aid_reopen(aid);
	store_close(aid->store);
	aid->store = NULL;
	assert_int_equal(stat(copy_name(aid, ".v1"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	db = db_open(copy_name(aid, ".v1"), 0, &aid->err);
	assert_non_null(db);
	assert_int_equal(schema_aid_version(aid, db), 1);
	db_close(db);
	db = schema_aid_open(aid);
	assert_int_equal(schema_aid_version(aid, db), store_schema_newest());
	db_close(db);
	assert_int_equal(unlink(copy_name(aid, ".v1")), 0);
	store_aid_reopen(aid);
	store_close(aid->store);
	aid->store = NULL;
	assert_false(is_copied(aid, ".v1") || is_copied(aid, ".v2"));
}

SCHEMA_TEST(without_a_copy_nothing_is_migrated_unless_that_was_said)
{
	struct db *db;

	become(aid, 1);
	assert_int_equal(mkdir(copy_name(aid, ".v1"), 0700), 0); /* no file gets this name */
	assert_null(store_open(&aid->config, &aid->err));
	assert_non_null(strstr(aid->err.text, "--no-copy"));
	assert_false(is_copied(aid, ".v1.new") || is_copied(aid, ".v1.new.partial"));
	assert_int_equal(rmdir(copy_name(aid, ".v1")), 0);
	assert_int_equal(mkdir(copy_name(aid, ".v1.new.partial"), 0700), 0); /* nor is it begun */
	assert_null(store_open(&aid->config, &aid->err));
	db = schema_aid_open(aid);
	assert_int_equal(schema_aid_version(aid, db), 1);
	db_close(db);
	aid->config.no_copy = true;
	store_aid_reopen(aid);
	store_close(aid->store);
	aid->store = NULL;
	db = schema_aid_open(aid);
	assert_int_equal(schema_aid_version(aid, db), store_schema_newest());
	db_close(db);
	assert_false(is_copied(aid, ".v1"));
}

/* The newest two by version; an older one of the same version is replaced, whatever a killed start
 * left on the way is too, and files that are called otherwise stay. */
SCHEMA_TEST(of_the_copies_the_last_two_are_kept)
{
	static const char *const before[] = { ".v2", ".v3", ".v4", ".v5", ".v5.new", ".v7",
		".v3x" };
	struct stat st;

	for (size_t i = 0; i < COUNT(before); i++)
		assert_true(file_write(copy_name(aid, before[i]), "older", 5, 0600, &aid->err));
	assert_true(store_copy_make(aid->path, 5, &aid->err));
	assert_int_equal(stat(copy_name(aid, ".v5"), &st), 0);
	assert_true(st.st_size > 4096);
	assert_true(is_copied(aid, ".v4") && is_copied(aid, ".v7") && is_copied(aid, ".v3x"));
	assert_false(is_copied(aid, ".v2") || is_copied(aid, ".v3") || is_copied(aid, ".v5.new"));
}

/* Of another user, or a folder: room on the disk would not help. */
SCHEMA_TEST(what_is_in_the_way_of_a_copy_is_named)
{
	assert_int_equal(mkdir(copy_name(aid, ".v5.new"), 0700), 0);
	assert_false(store_copy_make(aid->path, 5, &aid->err));
	assert_non_null(strstr(aid->err.text, "upgrade: remove what is in its way, or start"));
	assert_non_null(strstr(aid->err.text, ".v5.new is a folder"));
	assert_int_equal(rmdir(copy_name(aid, ".v5.new")), 0);
}

#define US   10001
#define THEM 10002

/* Of another user's, in a folder with the sticky bit: we cannot take it away. */
static void
put_theirs(const char *path, int kind)
{
	int made = kind == 0 ? mkdir(path, 0700) :
	    kind == 1	     ? symlink("/nowhere", path) :
	    kind == 2	     ? mkfifo(path, 0600) :
			       mknod(path, S_IFREG | 0666, 0);

	assert_int_equal(made, 0);
	assert_int_equal(lchown(path, THEM, THEM), 0);
}

static int
copy_as_us(struct store_aid *aid)
{
	int status;
	pid_t pid;

	(void)fflush(NULL);
	pid = fork();
	if (pid == 0)
		_exit(
		    setresuid(US, US, US) == 0 && store_copy_make(aid->path, 5, &aid->err) ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

/* The runner's user kept a server that was upgraded from starting. */
SCHEMA_TEST(what_another_user_puts_in_the_way_of_a_copy_is_passed_by)
{
	static const char *const names[] = { ".v5", ".v5.new", ".v5.new.partial",
		".v5.new.partial-journal" };
	char folder[DATABASE_AID_PATH + 32];
	glob_t found;

	if (geteuid() != 0)
		skip(); /* it takes three users */
	(void)snprintf(folder, sizeof(folder), "%s", aid->path);
	*strrchr(folder, '/') = '\0';
	assert_int_equal(chmod(folder, 01777), 0);
	store_aid_give(aid, US);
	for (size_t i = 0; i < COUNT(names) * 4; i++) {
		const char *path = copy_name(aid, names[i / 4]);

		put_theirs(path, (int)(i % 4));
		assert_int_equal(copy_as_us(aid), 0);
		assert_int_equal(remove(copy_name(aid, names[i / 4])), 0);
		assert_int_equal(glob(copy_name(aid, ".v5.????????"), 0, NULL, &found), 0);
		assert_int_equal(found.gl_pathc, 1);
		assert_int_equal(unlink(found.gl_pathv[0]), 0);
		globfree(&found);
	}
	assert_int_equal(copy_as_us(aid), 0);
	assert_true(is_copied(aid, ".v5"));
}
