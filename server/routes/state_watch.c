/* state_watch.c - twice a minute: the room on STATE_DIRECTORY's disk, the newest backup and check.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "routes/state_watch.h"

#include <limits.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "types/backup.h"

#define MAGIC 0x73776174u

struct state_watch {
	unsigned magic;
	struct loop_timer timer;
	char *directory;
	state_watch_fn *on_seen;
	void *ctx;
};

/* When a stamp was written; 0: there is none. */
static int64_t
time_of(const char *directory, const char *name)
{
	char stamp[PATH_MAX];
	struct stat st;

	text_setf(stamp, "%s/%s", directory, name);
	return lstat(stamp, &st) == 0 && S_ISREG(st.st_mode) ? (int64_t)st.st_mtime : 0;
}

double
state_watch_free_share(uint64_t blocks, uint64_t free_blocks, uint64_t inodes, uint64_t free_inodes)
{
	double bytes = blocks == 0 ? 0 : (double)free_blocks / (double)blocks;
	double names = inodes == 0 ? 1 : (double)free_inodes / (double)inodes;

	return bytes < names ? bytes : names;
}

struct state_facts
state_watch_look(const char *directory)
{
	struct state_facts facts = {
		.backup_at = time_of(directory, BACKUP_STAMP),
		.check_begun_at = time_of(directory, STATE_CHECK_BEGUN),
		.check_passed_at = time_of(directory, STATE_CHECK_PASSED),
	};
	struct statvfs fs;

	if (statvfs(directory, &fs) == 0) {
		facts.size = (int64_t)(fs.f_blocks * fs.f_frsize);
		facts.free = (int64_t)(fs.f_bavail * fs.f_frsize);
		facts.free_share =
		    state_watch_free_share(fs.f_blocks, fs.f_bavail, fs.f_files, fs.f_favail);
	}
	return facts;
}

static void
on_due(UNUSED struct loop_timer *timer, void *ctx)
{
	struct state_watch *watch = OBJ_OF(struct state_watch, ctx, MAGIC);
	struct state_facts facts = state_watch_look(watch->directory);

	watch->on_seen(watch->ctx, &facts);
}

struct state_watch *
state_watch_start(struct loop *loop, const char *directory, state_watch_fn *on_seen, void *ctx)
{
	struct state_watch *watch = mem_new(1, sizeof(*watch));
	char *copy = mem_text(directory);

	*watch = (struct state_watch){
		.magic = MAGIC, .directory = copy, .on_seen = on_seen, .ctx = ctx
	};
	loop_timer_init(&watch->timer, on_due, watch);
	loop_timer_start(loop, &watch->timer, 0, STATE_WATCH_PERIOD_MS);
	return watch;
}

void
state_watch_free(struct state_watch *watch)
{
	if (watch == NULL)
		return;
	OBJ_CHECK(watch, MAGIC);
	loop_timer_stop(&watch->timer);
	watch->magic = 0;
	free(watch->directory);
	free(watch);
}
