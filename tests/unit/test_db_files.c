/* Goal: what another user puts beside a database never gets into it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/db.h"

#include "unit.h"
#include "lib/err.h"
#include "lib/file.h"

#define US   10001
#define THEM 10002

struct chat_address {
	char folder[64];
	char path[96];
};

static const char *const names[] = { "", "-journal", "-wal", "-shm" };

static void
name_file(const struct chat_address *p, const char *suffix, char ret[128])
{
	(void)snprintf(ret, 128, "%s%s", p->path, suffix);
}

static int
set_up(void **state)
{
	struct chat_address *p = calloc(1, sizeof(*p));

	(void)snprintf(p->folder, sizeof(p->folder), "/tmp/test_db_files.XXXXXX");
	if (mkdtemp(p->folder) == NULL)
		return -1;
	(void)snprintf(p->path, sizeof(p->path), "%s/db", p->folder);
	*state = p;
	return chmod(p->folder, 01777);
}

static int
tear_down(void **state)
{
	struct chat_address *p = *state;
	char path[128];

	for (size_t i = 0; i < COUNT(names); i++) {
		name_file(p, names[i], path);
		(void)unlink(path);
	}
	(void)rmdir(p->folder);
	free(p);
	return 0;
}

/* Opens it as the server's user: 0, or 1 and the error is about the file of that suffix. */
static int
open_as_us(const struct chat_address *p, const char *suffix)
{
	char path[128];
	int status;
	pid_t pid;

	(void)fflush(NULL);
	pid = fork();
	if (pid == 0) {
		struct err err = { .code = ERR_NONE };
		struct db *db = setresuid(US, US, US) != 0 ? NULL : db_open(p->path, 0, &err);

		if (db != NULL && db_script(db, "CREATE TABLE IF NOT EXISTS t(x);", &err)) {
			db_close(db);
			_exit(0);
		}
		name_file(p, suffix, path);
		_exit(err.code == ERR_CONFIG && strstr(err.text, path) != NULL ? 1 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
put_theirs(const struct chat_address *p, const char *suffix)
{
	char path[128];

	name_file(p, suffix, path);
	assert_true(file_write(path, "theirs", 6, 0666, NULL));
	assert_int_equal(chown(path, THEM, THEM), 0);
}

/* A journal or a log is written into the database at the next start, whoever made it: so the
 * runner's user could say what stands there. */
TEST_WITH(what_another_user_put_there_is_refused_until_it_is_gone, set_up, tear_down)
{
	const struct chat_address *p = *state;
	char path[128];

	if (geteuid() != 0)
		skip(); /* it takes three users */
	for (size_t i = 0; i < COUNT(names); i++) {
		put_theirs(p, names[i]);
		assert_int_equal(open_as_us(p, names[i]), 1);
		name_file(p, names[i], path);
		assert_int_equal(unlink(path), 0);
		assert_int_equal(open_as_us(p, ""), 0);
	}
}

/* Else who may write in the folder makes one while we are away, and we do not start. */
TEST_WITH(the_names_beside_it_stay_taken, set_up, tear_down)
{
	const struct chat_address *p = *state;
	char path[128];
	struct stat st;
	struct err err;
	struct db *db;

	for (int i = 0; i < 3; i++) {
		db = db_open(p->path, 0, &err);
		assert_non_null(db);
		assert_true(db_script(
		    db, "CREATE TABLE IF NOT EXISTS t(x); INSERT INTO t VALUES(1);", &err));
		name_file(p, "-journal", path);
		assert_int_equal(access(path, F_OK), 0);
		db_close(db);
		for (size_t k = 1; k < COUNT(names); k++) {
			name_file(p, names[k], path);
			assert_int_equal(stat(path, &st), 0);
			assert_int_equal(st.st_mode & 07777, 0600);
			assert_true(k == 3 || st.st_size == 0); /* all is in the database */
		}
	}
}
