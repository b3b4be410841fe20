/* settle.c - makes certain that a run without a keeper is over, and says how.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/settle.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/crash_point.h"
#include "runner/cgroup.h"
#include "runner/run_folder.h"

#define CLEAN_LOOKS    2
#define STUCK_AFTER_MS 5000
#define STUCK_EVERY_MS 10000

static bool
settled(struct protocol_message *ret, uint64_t id, enum protocol_state state)
{
	ret->kind = PROTOCOL_SETTLED;
	ret->id = id;
	ret->state = state;
	return true;
}

/* Nobody knows what it did. */
static void
fill_unknown(struct protocol_message *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->kind = PROTOCOL_EXIT;
	ret->record.lost = true;
	ret->record.gate = true;
	ret->record.released = true;
	ret->record.ended_at = clock_wall_ms();
}

/* False: there is none.  One that nobody understands was written by a keeper too, when nothing of
 * the run that should not was alive any more; its keeper may still read what a daemon says. */
static bool
settled_by_record(int folder, struct protocol_message *ret, uint64_t id)
{
	switch (run_folder_record_read(folder, ret)) {
	case RUN_FOLDER_RECORD:
		break;
	case RUN_FOLDER_FOREIGN:
		(void)fprintf(stderr,
		    "deploybot-runner: run %" PRIu64
		    ": its record is not understood: another release wrote it; it counts as lost\n",
		    id);
		fill_unknown(ret);
		break;
	default:
		return false;
	}
	return settled(ret, id, ret->record.lost ? PROTOCOL_STATE_LOST : PROTOCOL_STATE_ENDED);
}

/* Takes ownership of folder. */
static void
settle_add(struct settling *settling, uint64_t id, int folder)
{
	struct settle *settle = &settling->all[settling->count++];

	CRASH_POINT(settle_begun);
	*settle = (struct settle){ .id = id, .folder = folder, .claimed = -1 };
	settle->stuck_at = clock_monotonic_ms() + STUCK_AFTER_MS;
	if (!run_folder_leader_read(folder, &settle->leader))
		run_folder_tag_read(folder, settle->leader.tag);
}

bool
settle_has(const struct settling *settling, uint64_t id)
{
	for (size_t i = 0; i < settling->count; i++) {
		if (settling->all[i].id == id)
			return true;
	}
	return false;
}

bool
settle_look(struct settling *settling, int root, uint64_t id, struct protocol_message *ret,
    pid_t *ret_keeper)
{
	struct err err;
	int folder;

	if (settle_has(settling, id))
		return false;
	memset(ret, 0, sizeof(*ret));
	folder = run_folder_open(root, id, &err);
	if (folder == -1 && err.code == ERR_MISSING)
		return settled(ret, id, PROTOCOL_STATE_NEVER);
	if (folder != -1 && settled_by_record(folder, ret, id)) {
		(void)close(folder);
		return true;
	}
	memset(ret, 0, sizeof(*ret));
	*ret_keeper = folder == -1 ? 0 : run_folder_holder(folder);
	if (*ret_keeper > 0) {
		(void)close(folder);
		return settled(ret, id, PROTOCOL_STATE_ALIVE);
	}
	if (settling->count < SETTLE_MAX)
		settle_add(settling, id, folder);
	else if (folder != -1)
		(void)close(folder); /* asked again when the server asks again */
	return false;
}

/* What may have happened: without a leader's name on disk no gate could open. */
static void
fill_lost(const struct settle *settle, struct protocol_message *ret)
{
	bool may_have_run = settle->leader.pid > 0;

	fill_unknown(ret);
	ret->record.gate = may_have_run;
	ret->record.released = may_have_run;
}

static void
settle_remove(struct settling *settling, size_t i)
{
	struct settle *settle = &settling->all[i];

	if (settle->claimed != -1)
		(void)close(settle->claimed);
	if (settle->folder != -1)
		(void)close(settle->folder);
	*settle = settling->all[--settling->count];
}

/* A record of the keeper's that came between our look and our lock. */
static bool
claim(struct settling *settling, size_t i, struct protocol_message *ret, struct err *err)
{
	struct settle *settle = &settling->all[i];
	uint64_t id = settle->id;

	settle->claimed = run_folder_claim(settle->folder, err);
	if (settle->claimed != -1 || err->code != ERR_DENIED ||
	    !settled_by_record(settle->folder, ret, id))
		return false;
	settle_remove(settling, i);
	return true;
}

/* A look at /proc is no snapshot: one may fork behind it.  Two in a row that find nothing count. */
static bool
nothing_lives(struct settle *settle, pid_t *ret_one, struct err *err)
{
	char group[CGROUP_PATH];
	bool lives = cgroup_kill(settle->leader.tag, ret_one, group);
	int found = process_signal_run(&settle->leader, SIGKILL, ret_one);

	if (found == 0 && !lives)
		settle->clean++;
	else
		settle->clean = 0;
	if (lives)
		(void)err_set(err, ERR_BUSY, "something alive in the control group %s", group);
	else if (found == -1)
		(void)err_set(err, ERR_IO, "/proc cannot be read");
	CRASH_POINT(settle_killed);
	return settle->clean >= CLEAN_LOOKS;
}

bool
settle_turn(struct settling *settling, size_t i, struct protocol_message *ret)
{
	struct settle *settle = &settling->all[i];
	int64_t now = clock_monotonic_ms();
	uint64_t id = settle->id;
	struct err err = { .code = ERR_NONE };
	pid_t one = 0;

	memset(ret, 0, sizeof(*ret));
	if (settle->claimed == -1 && claim(settling, i, ret, &err))
		return true;
	if (settle->claimed != -1 && nothing_lives(settle, &one, &err)) {
		fill_lost(settle, ret);
		if (run_folder_record_write(settle->claimed, ret, &err)) {
			CRASH_POINT(settle_recorded);
			settle_remove(settling, i);
			return settled(ret, id, PROTOCOL_STATE_LOST);
		}
	}
	memset(ret, 0, sizeof(*ret));
	ret->kind = PROTOCOL_HELLO;
	if (now < settle->stuck_at)
		return false;
	settle->stuck_at = now + STUCK_EVERY_MS;
	ret->kind = PROTOCOL_STUCK;
	ret->id = id;
	ret->pid = one;
	(void)clean_line(ret->text, sizeof(ret->text), err.text, strlen(err.text));
	return false;
}
