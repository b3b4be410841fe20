/* Goal: a backup that is put back is there whole or not at all, and nothing is lost.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "store/store_restore.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/db_upkeep.h"
#include "lib/file.h"
#include "lib/text.h"
#include "store/row_message.h"
#include "store/store_backup.h"
#include "tests/unit/store_aid.h"
#include "types/settings.h"
#include "unit.h"

TESTS_OF_A_FILE

#define KILLED 77

/* Each step that reaches the disk is one at which a kill may come; below 0: none does. */
static int steps_left = -1;

static void
step(void)
{
	if (steps_left == 0)
		_exit(KILLED);
	if (steps_left > 0)
		steps_left--;
}

static void *
real(const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);

	assert_non_null(found);
	return found;
}

int
rename(const char *from, const char *to)
{
	void *found = real("rename");
	int (*call)(const char *, const char *);

	memcpy(&call, &found, sizeof(call));
	step();
	return call(from, to);
}

int
fsync(int fd)
{
	void *found = real("fsync");
	int (*call)(int);

	memcpy(&call, &found, sizeof(call));
	step();
	return call(fd);
}

struct scene {
	struct store_aid aid;
	char backup[128]; /* of one message */
	char *live;	  /* the database, of three */
	size_t live_size;
	char folder[128]; /* in which it stands */
	char audit[160];
	struct store_restore where;
};

static int
setup(void **state)
{
	static struct scene scene;
	struct store_backup made;

	memset(&scene, 0, sizeof(scene));
	steps_left = -1;
	store_aid_open(&scene.aid, NULL, NULL, NULL);
	(void)snprintf(scene.backup, sizeof(scene.backup), "%s/copy", scene.aid.folder);
	(void)snprintf(scene.folder, sizeof(scene.folder), "%s/state", scene.aid.folder);
	(void)snprintf(scene.audit, sizeof(scene.audit), "%s/audit.log", scene.folder);
	scene.where = (struct store_restore){ scene.folder, scene.audit };
	store_aid_act(&scene.aid, store_aid_act_send, NULL);
	assert_true(store_backup(scene.aid.path, scene.backup, &made, &scene.aid.err));
	store_aid_act(&scene.aid, store_aid_act_send, NULL);
	store_aid_act(&scene.aid, store_aid_act_send, NULL);
	store_close(scene.aid.store);
	scene.aid.store = NULL;
	scene.live = file_read(scene.aid.path, 1 << 24, &scene.live_size, NULL);
	assert_non_null(scene.live);
	*state = &scene;
	return 0;
}

static int
remove_one(
    const char *path, UNUSED const struct stat *st, UNUSED int flag, UNUSED struct FTW *where)
{
	return remove(path);
}

static void
remove_folder(const struct scene *scene)
{
	if (access(scene->folder, F_OK) == 0)
		assert_int_equal(nftw(scene->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static int
teardown(void **state)
{
	struct scene *scene = *state;

	free(scene->live);
	remove_folder(scene);
	(void)unlink(scene->backup);
	store_aid_close(&scene->aid);
	return 0;
}

#define SCENE_TEST(name) TEST_OF(name, struct scene *scene, setup, teardown)

static void
put(const struct scene *scene, const char *name, const char *bytes, size_t size)
{
	char path[256];
	struct err err;

	(void)snprintf(path, sizeof(path), "%s/%s", scene->folder, name);
	assert_true(file_write(path, bytes, size, 0600, &err));
}

/* As a server that was killed leaves it. */
static void
make_state(const struct scene *scene)
{
	remove_folder(scene);
	assert_int_equal(mkdir(scene->folder, 0700), 0);
	put(scene, STORE_FILE, scene->live, scene->live_size);
	put(scene, STORE_FILE "-wal", "its log", 7);
	put(scene, "audit.log", "newest", 6);
	put(scene, "audit.log.12", "closed", 6);
	put(scene, "audit.loggia", "others'", 7);
}

static bool
has(const char *folder, const char *name)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return access(path, F_OK) == 0;
}

static int64_t
messages_in(const char *folder)
{
	char path[512];
	struct err err;
	int64_t count = -1;
	struct db *db;

	(void)snprintf(path, sizeof(path), "%s/" STORE_FILE, folder);
	db = db_open(path, DB_READ_ONLY, &err);
	assert_non_null(db);
	assert_true(db_one_i64(&count, db, &err, "SELECT COUNT(*) FROM message"));
	db_close(db);
	return count;
}

static bool
restore(const struct scene *scene, char away[STORE_RESTORE_AWAY], struct err *err)
{
	int fd = open(scene->backup, O_RDONLY | O_CLOEXEC);
	struct store_backup made;
	bool is_restored, ok;

	assert_true(fd >= 0);
	ok = store_restore_begin(&scene->where, fd, scene->backup, &made, away, err) &&
	    store_restore_finish(&scene->where, &is_restored, err) && is_restored;
	(void)close(fd);
	return ok;
}

/* Dead at a step, or at its end; false: it was not killed. */
static bool
kill_at(const struct scene *scene, int steps)
{
	char away[STORE_RESTORE_AWAY];
	struct err err;
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		steps_left = steps;
		_exit(restore(scene, away, &err) ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == KILLED);
	return WEXITSTATUS(status) == KILLED;
}

/* The first folder of what was there before. */
static void
find_away(const struct scene *scene, char out[512])
{
	DIR *dir = opendir(scene->folder);
	char first[256] = "";
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		if (text_starts(entry->d_name, "before-") &&
		    (first[0] == '\0' || strcmp(entry->d_name, first) < 0))
			(void)snprintf(first, sizeof(first), "%s", entry->d_name);
	(void)closedir(dir);
	assert_true(first[0] != '\0');
	(void)snprintf(out, 512, "%s/%s", scene->folder, first);
}

static void
is_as_it_was(const struct scene *scene)
{
	static const char *const names[] = { STORE_FILE "-wal", "audit.log", "audit.log.12" };
	char path[256];
	size_t size;
	char *bytes;

	for (size_t i = 0; i < COUNT(names); i++)
		assert_true(has(scene->folder, names[i]));
	(void)snprintf(path, sizeof(path), "%s/" STORE_FILE, scene->folder);
	bytes = file_read(path, 1 << 24, &size, NULL);
	assert_non_null(bytes);
	assert_int_equal(size, scene->live_size);
	assert_memory_equal(bytes, scene->live, size);
	free(bytes);
}

static void
is_restored(const struct scene *scene)
{
	static const char *const names[] = { STORE_FILE "-wal", "audit.log", "audit.log.12" };
	char away[512], log[600];

	find_away(scene, away);
	assert_int_equal(messages_in(scene->folder), 1);
	for (size_t i = 0; i < COUNT(names); i++) {
		assert_false(has(scene->folder, names[i]));
		assert_true(has(away, names[i]));
	}
	(void)snprintf(log, sizeof(log), "%s/" STORE_FILE "-wal", away);
	assert_int_equal(unlink(log), 0); /* what this test has there is no log */
	assert_int_equal(messages_in(away), 3);
	assert_true(has(scene->folder, "audit.loggia"));
}

/* The next start, or the same command again, finishes it where it has begun to count. */
SCENE_TEST(killed_at_any_step_it_is_the_old_database_or_the_new_one_whole)
{
	int killed = 0, old = 0;
	bool is_marked;

	for (;; killed++) {
		make_state(scene);
		if (!kill_at(scene, killed))
			break;
		assert_true(store_restore_finish(&scene->where, &is_marked, &scene->aid.err));
		if (is_marked)
			is_restored(scene);
		else
			is_as_it_was(scene);
		old += !is_marked;
	}
	is_restored(scene);
	assert_true(old >= 2);		/* before the mark */
	assert_true(killed - old >= 8); /* behind it */
}

SCENE_TEST(the_mark_stays_until_a_start_on_the_copy_is_committed)
{
	char away[STORE_RESTORE_AWAY];
	bool is_marked;

	make_state(scene);
	assert_true(restore(scene, away, &scene->aid.err));
	for (int i = 0; i < 2; i++) {
		assert_true(store_restore_finish(&scene->where, &is_marked, &scene->aid.err));
		assert_true(is_marked);
	}
	store_restore_spent(scene->folder);
	assert_true(store_restore_finish(&scene->where, &is_marked, &scene->aid.err));
	assert_false(is_marked);
	is_restored(scene);
}

SCENE_TEST(a_second_one_within_the_second_keeps_what_the_first_has_kept)
{
	char first[STORE_RESTORE_AWAY], second[STORE_RESTORE_AWAY], path[512];

	make_state(scene);
	assert_true(restore(scene, first, &scene->aid.err));
	assert_true(restore(scene, second, &scene->aid.err));
	assert_string_not_equal(first, second);
	is_restored(scene);
	(void)snprintf(path, sizeof(path), "%s/%s", scene->folder, second);
	assert_int_equal(messages_in(path), 1);
}

/* Of the wrong one, then of the right one, which is killed: what the first has moved away is all
 * that there is of the database of before. */
SCENE_TEST(killed_at_any_step_a_second_one_keeps_what_the_first_has_kept)
{
	char first[STORE_RESTORE_AWAY];
	bool is_marked, killed = true;

	for (int steps = 0; killed; steps++) {
		make_state(scene);
		assert_true(restore(scene, first, &scene->aid.err));
		killed = kill_at(scene, steps);
		assert_true(store_restore_finish(&scene->where, &is_marked, &scene->aid.err));
		assert_true(is_marked);
		is_restored(scene);
	}
}

/* Where the last page begins that is the first of a table or index: none of the schema's, without
 * which it would not open. */
static size_t
find_page(const char *file)
{
	CLEANUP(db_closep) struct db *db = db_open(file, DB_READ_ONLY, NULL);
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };

	assert_non_null(db);
	assert_true(db_query(&rows, db, NULL, "SELECT MAX(rootpage) FROM sqlite_master"));
	assert_true(db_next(&rows));
	return (size_t)(db_col_i64(&rows, 0) - 1) * 4096;
}

/* As a disk may give it back: it opens, and a page of it is none. */
static void
put_damaged(const struct scene *scene)
{
	char *bytes = malloc(scene->live_size);
	struct err err;

	assert_non_null(bytes);
	memcpy(bytes, scene->live, scene->live_size);
	assert_true(file_write(scene->backup, bytes, scene->live_size, 0600, &err));
	memset(bytes + find_page(scene->backup), 0xff, 4096);
	assert_true(file_write(scene->backup, bytes, scene->live_size, 0600, &err));
	free(bytes);
}

/* Nothing is moved for it. */
SCENE_TEST(what_is_no_backup_of_ours_is_refused)
{
	static const char *const texts[] = { "", "no database", "SQLite format 3" };
	char away[STORE_RESTORE_AWAY];
	struct err err;
	struct db *db;

	for (size_t i = 0; i < COUNT(texts); i++) {
		make_state(scene);
		assert_true(file_write(scene->backup, texts[i], strlen(texts[i]), 0600, &err));
		assert_false(restore(scene, away, &err));
		assert_non_null(strstr(err.text, "backup"));
		is_as_it_was(scene);
		assert_false(has(scene->folder, STORE_FILE ".restore"));
		assert_false(has(scene->folder, "restore"));
	}
	make_state(scene);
	put_damaged(scene);
	assert_false(restore(scene, away, &err));
	assert_non_null(strstr(err.text, "no backup that can be restored"));
	is_as_it_was(scene);
	assert_true(file_write(scene->backup, scene->live, scene->live_size, 0600, &err));
	db = db_open(scene->backup, 0, &err);
	assert_non_null(db);
	assert_true(db_set_user_version(db, 1000, &err));
	db_close(db);
	assert_false(restore(scene, away, &err));
	assert_non_null(strstr(err.text, "has version 1000 and this program knows"));
	is_as_it_was(scene);
}

/* Whoever may write into the folder could have put it there. */
SCENE_TEST(a_mark_of_another_user_or_with_a_path_in_it_is_refused)
{
	static const char *const texts[] = { "", "before-../../x", "elsewhere", "before-1/2" };
	char mark[256];
	bool is_marked;

	make_state(scene);
	for (size_t i = 0; i < COUNT(texts); i++) {
		put(scene, "restore", texts[i], strlen(texts[i]));
		assert_false(store_restore_finish(&scene->where, &is_marked, &scene->aid.err));
		assert_non_null(strstr(scene->aid.err.text, "names no folder"));
	}
	put(scene, "restore", "before-20261124-000000", 22);
	(void)snprintf(mark, sizeof(mark), "%s/restore", scene->folder);
	if (geteuid() == 0) { /* nobody else can give a file away */
		assert_int_equal(chown(scene->aid.folder, 65533, 65533), 0);
		assert_int_equal(chown(scene->folder, 65533, 65533), 0);
		assert_int_equal(chmod(mark, 0644), 0);
		assert_int_equal(chown(mark, 65534, 65534), 0);
		assert_int_equal(seteuid(65533), 0);
		assert_false(store_restore_finish(&scene->where, &is_marked, &scene->aid.err));
		assert_int_equal(seteuid(0), 0);
		assert_non_null(strstr(scene->aid.err.text, "was made by user 65534"));
	}
	is_as_it_was(scene);
}
