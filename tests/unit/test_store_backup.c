/* Goal: a copy under way shows one moment, and an odd place for it is told in words.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "store/store_backup.h"

#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/db.h"
#include "lib/db_backup.h"
#include "lib/file.h"
#include "store/row_message.h"
#include "tests/unit/store_aid.h"
#include "unit.h"

TESTS_OF_A_FILE

/* sqlite's own, but where somebody has a lock for longer than our patience (SQLITE_BUSY). */
static bool is_locked;
int sqlite3_backup_step(void *backup, int pages);

int
sqlite3_backup_step(void *backup, int pages)
{
	void *found = dlsym(RTLD_NEXT, "sqlite3_backup_step");
	int (*real)(void *, int);

	memcpy(&real, &found, sizeof(real));
	return is_locked ? 5 : real(backup, pages);
}

struct scene {
	struct store_aid aid;
	char file[128];
};

static int
setup(void **state)
{
	static struct scene scene;

	store_aid_open(&scene.aid, NULL, NULL, NULL);
	(void)snprintf(scene.file, sizeof(scene.file), "%s/copy", scene.aid.folder);
	*state = &scene;
	return 0;
}

static int
teardown(void **state)
{
	struct scene *scene = *state;

	(void)unlink(scene->file);
	store_aid_close(&scene->aid);
	return 0;
}

#define SCENE_TEST(name) TEST_OF(name, struct scene *scene, setup, teardown)

static int64_t
messages_in(const char *path)
{
	struct err err;
	struct db *db = db_open(path, DB_READ_ONLY, &err);
	int64_t count = -1;

	assert_non_null(db);
	assert_true(db_one_i64(&count, db, &err, "SELECT COUNT(*) FROM message"));
	db_close(db);
	return count;
}

/* What is committed stands in the log beside the database at first. */
SCENE_TEST(what_stands_in_the_log_alone_is_in_the_copy)
{
	struct store_backup made;
	struct stat st;

	for (int i = 0; i < 3; i++)
		store_aid_act(&scene->aid, store_aid_act_send, NULL);
	assert_true(store_backup(scene->aid.path, scene->file, &made, &scene->aid.err));
	store_aid_act(&scene->aid, store_aid_act_send, NULL); /* the store goes on */
	assert_int_equal(messages_in(scene->file), 3);
	assert_int_equal(stat(scene->file, &st), 0);
	assert_int_equal(st.st_size, made.size);
	assert_int_equal(st.st_mode & 0777, 0600);
}

/* A store that was opened from the copy is a store. */
SCENE_TEST(a_copy_opens_as_a_store)
{
	struct store_backup made;

	store_aid_act(&scene->aid, store_aid_act_send, NULL);
	assert_true(store_backup(scene->aid.path, scene->file, &made, &scene->aid.err));
	scene->aid.config.path = scene->file;
	store_aid_reopen(&scene->aid);
	assert_int_equal(store_aid_count(&scene->aid, EFFECT_SEND_MESSAGE), 1);
	store_aid_act(&scene->aid, store_aid_act_send, NULL);
	store_close(scene->aid.store);
	scene->aid.store = NULL;
	assert_int_equal(messages_in(scene->file), 2);
}

/* The store's log as it is while the store is open: what a crash leaves behind. */
static char *
keep_log(const struct scene *scene, char log[DATABASE_AID_PATH + 32], size_t *ret_size)
{
	char *bytes;

	(void)snprintf(log, DATABASE_AID_PATH + 32, "%s-wal", scene->aid.path);
	bytes = file_read(log, 1 << 24, ret_size, NULL);
	assert_non_null(bytes);
	assert_true(*ret_size > 4096);
	return bytes;
}

static void
put_copy_in_place(struct scene *scene)
{
	size_t size;
	char *bytes = file_read(scene->file, 1 << 24, &size, NULL);

	assert_non_null(bytes);
	assert_true(file_write(scene->aid.path, bytes, size, 0600, &scene->aid.err));
	free(bytes);
}

/* Restored after a crash, with the old log forgotten beside it: its pages must not get in. */
SCENE_TEST(a_copy_beside_the_log_of_another_database_is_refused_until_that_is_gone)
{
	struct store_backup made;
	char log[DATABASE_AID_PATH + 32], *bytes;
	size_t size;

	store_aid_act(&scene->aid, store_aid_act_send, NULL);
	assert_true(store_backup(scene->aid.path, scene->file, &made, &scene->aid.err));
	for (int i = 0; i < 200; i++)
		store_aid_act(&scene->aid, store_aid_act_send, NULL);
	bytes = keep_log(scene, log, &size);
	store_close(scene->aid.store);
	put_copy_in_place(scene);
	assert_true(file_write(log, bytes, size, 0600, &scene->aid.err));
	free(bytes);
	scene->aid.store = store_open(&scene->aid.config, &scene->aid.err);
	assert_null(scene->aid.store);
	assert_int_equal(scene->aid.err.code, ERR_CONFIG);
	assert_non_null(strstr(scene->aid.err.text, "-wal is not the log of the database beside"));
	assert_int_equal(unlink(log), 0);
	scene->aid.store = store_open(&scene->aid.config, &scene->aid.err);
	assert_non_null(scene->aid.store);
	assert_int_equal(messages_in(scene->aid.path), 1);
}

/* Another user made it beforehand, in a folder of everybody's: he could read what is written. */
SCENE_TEST(what_another_user_made_is_not_written_into)
{
	struct store_backup made;
	char partial[DATABASE_AID_PATH + 32];

	if (geteuid() != 0)
		skip(); /* nobody else can give a file away */
	(void)snprintf(partial, sizeof(partial), "%s.partial", scene->file);
	assert_true(file_write(partial, "his", 3, 0666, &scene->aid.err));
	assert_int_equal(chown(partial, 65534, 65534), 0);
	assert_false(store_backup(scene->aid.path, scene->file, &made, &scene->aid.err));
	assert_int_equal(scene->aid.err.code, ERR_BUSY);
	assert_int_equal(access(partial, F_OK), 0);
	assert_int_equal(unlink(partial), 0);
	assert_true(store_backup(scene->aid.path, scene->file, &made, &scene->aid.err));
}

/* cp alone: what stands in the log only is not in it, and looks as if it had been removed. */
SCENE_TEST(a_copy_without_its_log_is_known_and_a_backup_is_none)
{
	struct store_backup made;
	char log[DATABASE_AID_PATH + 32];

	assert_true(store_backup(scene->aid.path, scene->file, &made, &scene->aid.err));
	assert_false(db_backup_lacks_log(scene->file));
	assert_false(db_backup_lacks_log(scene->aid.path)); /* it is beside it */
	assert_int_equal(unlink(scene->file), 0);
	assert_int_equal(link(scene->aid.path, scene->file), 0);
	assert_true(db_backup_lacks_log(scene->file));
	(void)snprintf(log, sizeof(log), "%s-wal", scene->file);
	assert_true(file_write(log, "", 0, 0600, &scene->aid.err));
	assert_false(db_backup_lacks_log(scene->file)); /* all is in the database */
	assert_int_equal(unlink(log), 0);
	assert_false(db_backup_lacks_log(log)); /* nothing is there */
}

SCENE_TEST(an_odd_place_is_told_and_nothing_is_left_there)
{
	struct store_backup made;
	char path[256];

	assert_false(store_backup(scene->aid.path, scene->aid.folder, &made, &scene->aid.err));
	assert_non_null(strstr(scene->aid.err.text, "is a folder: name a file in it"));
	(void)snprintf(path, sizeof(path), "%s/no/where", scene->aid.folder);
	assert_false(store_backup(scene->aid.path, path, &made, &scene->aid.err));
	assert_int_equal(scene->aid.err.code, ERR_IO);
	assert_true(file_write(scene->file, "mine", 4, 0600, &scene->aid.err));
	assert_false(store_backup(scene->aid.path, scene->file, &made, &scene->aid.err));
	assert_int_equal(scene->aid.err.code, ERR_BUSY);
	(void)snprintf(path, sizeof(path), "%s.partial", scene->file);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_false(db_backup(scene->aid.path, path, &scene->aid.err)); /* it must be there */
}

SCENE_TEST(a_lock_that_is_not_given_up_is_no_empty_copy)
{
	assert_true(file_write(scene->file, "", 0, 0600, &scene->aid.err));
	is_locked = true;
	assert_false(db_backup(scene->aid.path, scene->file, &scene->aid.err));
	is_locked = false;
	assert_int_equal(scene->aid.err.code, ERR_BUSY);
	assert_non_null(strstr(scene->aid.err.text, "database is locked"));
	assert_true(db_backup(scene->aid.path, scene->file, &scene->aid.err));
}
