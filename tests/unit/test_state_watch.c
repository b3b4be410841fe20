/* Goal: the disk of the state directory and the newest backup are seen, again and again.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "routes/state_watch.h"

#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/loop.h"
#include "types/backup.h"
#include "unit.h"

struct seen {
	struct loop *loop;
	struct state_facts facts;
};

static void
on_seen(void *ctx, const struct state_facts *facts)
{
	struct seen *seen = ctx;

	seen->facts = *facts;
	loop_stop(seen->loop);
}

TEST(a_disk_has_a_size_and_no_backup_is_none)
{
	char folder[] = "/tmp/test_state_watch.XXXXXX", stamp[80], check[80], passed[80];
	struct seen seen = { .loop = loop_new(NULL) };
	struct state_watch *watch;
	struct stat st;

	assert_non_null(mkdtemp(folder));
	(void)snprintf(stamp, sizeof(stamp), "%s/" BACKUP_STAMP, folder);
	watch = state_watch_start(seen.loop, folder, on_seen, &seen);
	assert_non_null(watch);
	loop_run(seen.loop);
	assert_true(seen.facts.size > 0 && seen.facts.free > 0);
	assert_true(seen.facts.free <= seen.facts.size);
	assert_true(seen.facts.free_share >= 0 && seen.facts.free_share <= 1);
	assert_int_equal(seen.facts.backup_at, 0);
	assert_int_equal(seen.facts.check_begun_at, 0);
	assert_int_equal(seen.facts.check_passed_at, 0);

	assert_true(file_write(stamp, "x\n", 2, 0640, NULL));
	assert_int_equal(stat(stamp, &st), 0);
	assert_int_equal(state_watch_look(folder).backup_at, st.st_mtime);
	(void)snprintf(check, sizeof(check), "%s/" STATE_CHECK_BEGUN, folder);
	assert_true(file_write(check, "", 0, 0640, NULL));
	assert_int_equal(stat(check, &st), 0);
	assert_int_equal(state_watch_look(folder).check_begun_at, st.st_mtime);
	assert_int_equal(state_watch_look(folder).check_passed_at, 0);
	(void)snprintf(passed, sizeof(passed), "%s/" STATE_CHECK_PASSED, folder);
	assert_int_equal(rename(check, passed), 0);
	assert_int_equal(state_watch_look(folder).check_begun_at, 0);
	assert_int_equal(state_watch_look(folder).check_passed_at, st.st_mtime);
	assert_int_equal(unlink(passed), 0);

	assert_int_equal(unlink(stamp), 0);
	assert_int_equal(symlink("/etc/passwd", stamp), 0); /* none of ours */
	assert_int_equal(state_watch_look(folder).backup_at, 0);
	assert_int_equal(state_watch_look("/nowhere/at/all").size, 0);

	state_watch_free(watch);
	loop_free(seen.loop);
	(void)unlink(stamp);
	assert_int_equal(rmdir(folder), 0);
}

/* Regression: with no inode left nothing could be made, and 96 % were free. */
TEST(what_is_free_is_the_less_of_bytes_and_inodes)
{
	assert_true(state_watch_free_share(1000, 250, 1000, 500) == 0.25);
	assert_true(state_watch_free_share(1000, 960, 1000, 0) == 0);
	assert_true(state_watch_free_share(1000, 750, 0, 0) == 0.75); /* as btrfs */
	assert_true(state_watch_free_share(0, 0, 0, 0) == 0);
}
