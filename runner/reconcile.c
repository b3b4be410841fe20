/* reconcile.c - makes certain that a run without a supervisor is over, and says how.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/reconcile.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/crash_point.h"
#include "lib/file.h"
#include "runner/cgroup.h"
#include "runner/run_folder.h"

#define CLEAN_LOOKS    2
#define STUCK_AFTER_MS 5000
#define STUCK_EVERY_MS 10000

static bool
reconciled(struct protocol_message *ret, uint64_t id, enum protocol_state state)
{
	ret->kind = PROTOCOL_RECONCILED;
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

/* False: there is none.  One that nobody understands was written by a supervisor too, when nothing
 * of the run that should not was alive any more; its supervisor may still read what a daemon says.
 * */
static bool
reconciled_by_record(int folder, struct protocol_message *ret, uint64_t id)
{
	switch (run_folder_record_read(folder, ret)) {
	case RUN_FOLDER_RECORD:
		break;
	case RUN_FOLDER_FOREIGN:
		(void)fprintf(stderr,
		    "deploybot-runner: run %" PRIu64
		    ": its exit record has an unknown format (another version wrote it): it counts as lost\n",
		    id);
		fill_unknown(ret);
		break;
	default:
		return false;
	}
	return reconciled(ret, id, ret->record.lost ? PROTOCOL_STATE_LOST : PROTOCOL_STATE_ENDED);
}

/* Takes ownership of folder. */
static void
reconcile_add(struct reconciling *reconciling, uint64_t id, int folder)
{
	struct reconcile *reconcile = &reconciling->all[reconciling->count++];

	CRASH_POINT(reconcile_begun);
	*reconcile = (struct reconcile){ .id = id, .folder = folder, .claimed = -1 };
	reconcile->stuck_at = clock_monotonic_ms() + STUCK_AFTER_MS;
	if (!run_folder_main_process_read(folder, &reconcile->main_process))
		run_folder_tag_read(folder, reconcile->main_process.tag);
}

bool
reconcile_has(const struct reconciling *reconciling, uint64_t id)
{
	for (size_t i = 0; i < reconciling->count; i++) {
		if (reconciling->all[i].id == id)
			return true;
	}
	return false;
}

bool
reconcile_look(struct reconciling *reconciling, int root, uint64_t id, struct protocol_message *ret,
    pid_t *ret_supervisor)
{
	CLEANUP(file_closep) int folder = -1;
	struct err err;

	if (reconcile_has(reconciling, id))
		return false;
	memset(ret, 0, sizeof(*ret));
	folder = run_folder_open(root, id, &err);
	if (folder == -1 && err.code == ERR_MISSING)
		return reconciled(ret, id, PROTOCOL_STATE_NEVER);
	if (folder != -1 && reconciled_by_record(folder, ret, id))
		return true;
	memset(ret, 0, sizeof(*ret));
	*ret_supervisor = folder == -1 ? 0 : run_folder_holder(folder);
	if (*ret_supervisor > 0)
		return reconciled(ret, id, PROTOCOL_STATE_ALIVE);
	if (reconciling->count < RECONCILE_MAX) /* else when the server asks again */
		reconcile_add(reconciling, id, TAKE_FD(folder));
	return false;
}

/* What had left its session and cleared its environment is found by its group or by its parent. */
static bool
is_swept(const struct reconcile *reconcile)
{
	return reconcile->main_process.in_group || reconcile->bond == RECONCILE_WHOLE ||
	    !process_is_of_this_boot(&reconcile->main_process);
}

/* What may have happened: without a main process on disk no gate could open.  Behind the begin of
 * a migration its supervisor's draft says whether the release was begun. */
static void
fill_lost(const struct reconcile *reconcile, struct protocol_message *ret)
{
	bool is_named = reconcile->main_process.pid > 0;
	struct protocol_message draft;

	fill_unknown(ret);
	ret->record.gate = is_named;
	ret->record.released = is_named;
	ret->record.unswept = is_named && !is_swept(reconcile);
	if (!run_folder_draft_read(reconcile->claimed, &draft) || !draft.record.gate ||
	    !draft.record.migration)
		return;
	ret->record.gate = true;
	ret->record.migration = true;
	ret->record.released = draft.record.released;
	ret->record.no_rollback = draft.record.no_rollback;
	ret->step_count = draft.step_count;
	memcpy(ret->steps, draft.steps, sizeof(ret->steps));
}

static void
reconcile_remove(struct reconciling *reconciling, size_t i)
{
	struct reconcile *reconcile = &reconciling->all[i];

	file_closep(&reconcile->claimed);
	file_closep(&reconcile->folder);
	*reconcile = reconciling->all[--reconciling->count];
}

/* A record of the supervisor's that came between our look and our lock. */
static bool
claim(struct reconciling *reconciling, size_t i, struct protocol_message *ret, struct err *err)
{
	struct reconcile *reconcile = &reconciling->all[i];
	uint64_t id = reconcile->id;

	reconcile->claimed = run_folder_claim(reconcile->folder, err);
	if (reconcile->claimed != -1 || err->code != ERR_DENIED ||
	    !reconciled_by_record(reconcile->folder, ret, id))
		return false;
	reconcile_remove(reconciling, i);
	return true;
}

void
reconcile_bind(struct reconciling *reconciling, uint64_t id, enum reconcile_bond bond)
{
	for (size_t i = 0; i < reconciling->count; i++) {
		if (reconciling->all[i].id == id)
			reconciling->all[i].bond = bond;
	}
}

static struct reconcile *
next_whole(struct reconciling *reconciling, const struct reconcile *before)
{
	struct reconcile *one =
	    before == NULL ? reconciling->all : reconciling->all + (before - reconciling->all) + 1;

	while (one < reconciling->all + reconciling->count && one->bond != RECONCILE_WHOLE)
		one++;
	return one < reconciling->all + reconciling->count ? one : NULL;
}

bool
reconcile_needs_look(const struct reconciling *reconciling)
{
	for (size_t i = 0; i < reconciling->count; i++) {
		if (reconciling->all[i].bond == RECONCILE_WHOLE)
			return true;
	}
	return false;
}

static void
cut_bonds(struct reconciling *reconciling)
{
	for (size_t i = 0; i < reconciling->count; i++) {
		if (reconciling->all[i].bond == RECONCILE_WHOLE)
			reconciling->all[i].bond = RECONCILE_CUT;
		reconciling->all[i].left = 0;
	}
}

/* Kills it where it is the run's.  *ret_owner: what it says itself. */
static bool
take_child(
    struct reconcile *run, const struct process *child, bool is_only, enum process_owner *ret_owner)
{
	pid_t one;

	*ret_owner = process_owner(child, &run->main_process);
	if (*ret_owner != PROCESS_OF_RUN &&
	    (!is_only || *ret_owner == PROCESS_OF_ANOTHER ||
		child->start < run->main_process.start))
		return false;
	if (process_signal_tree(child, SIGKILL, &one) != 0)
		run->left++;
	return true;
}

void
reconcile_share(struct reconciling *reconciling, struct orphans *orphans,
    const struct process fresh[], int count, size_t ended)
{
	struct reconcile *one;
	size_t candidates = ended;

	for (one = NULL; (one = next_whole(reconciling, one)) != NULL; candidates++)
		one->left = 0;
	if (count == -1) {
		cut_bonds(reconciling);
		return;
	}
	for (int i = 0; i < count; i++) {
		enum process_owner owner = PROCESS_OF_NOBODY;
		bool is_taken = false;

		for (one = NULL; !is_taken && (one = next_whole(reconciling, one)) != NULL;)
			is_taken = take_child(one, &fresh[i], candidates == 1, &owner);
		if (is_taken)
			continue;
		orphans_keep(orphans, &fresh[i]);
		if (candidates > 1 && owner == PROCESS_OF_NOBODY)
			cut_bonds(reconciling);
	}
}

/* A look at /proc is no snapshot: one may fork behind it.  Two in a row that find nothing count. */
static bool
nothing_lives(struct reconcile *reconcile, pid_t *ret_one, struct err *err)
{
	char group[CGROUP_PATH];
	bool lives = cgroup_kill(reconcile->main_process.tag, ret_one, group);
	int found = process_signal_run(&reconcile->main_process, SIGKILL, ret_one);

	if (found == 0 && !lives && reconcile->left == 0)
		reconcile->clean++;
	else
		reconcile->clean = 0;
	if (lives)
		(void)err_set(err, ERR_BUSY, "something alive in the control group %s", group);
	else if (found == -1)
		(void)err_set(err, ERR_IO, "/proc cannot be read");
	CRASH_POINT(reconcile_killed);
	return reconcile->clean >= CLEAN_LOOKS;
}

bool
reconcile_turn(struct reconciling *reconciling, size_t i, struct protocol_message *ret)
{
	struct reconcile *reconcile = &reconciling->all[i];
	int64_t now = clock_monotonic_ms();
	uint64_t id = reconcile->id;
	struct err err = { .code = ERR_NONE };
	pid_t one = 0;

	memset(ret, 0, sizeof(*ret));
	if (reconcile->bond == RECONCILE_AWAITED)
		return false;
	if (reconcile->claimed == -1 && claim(reconciling, i, ret, &err))
		return true;
	if (reconcile->claimed != -1 && nothing_lives(reconcile, &one, &err)) {
		fill_lost(reconcile, ret);
		if (run_folder_record_write(reconcile->claimed, ret, &err)) {
			CRASH_POINT(reconcile_recorded);
			reconcile_remove(reconciling, i);
			return reconciled(ret, id, PROTOCOL_STATE_LOST);
		}
	}
	memset(ret, 0, sizeof(*ret));
	ret->kind = PROTOCOL_HELLO;
	if (now < reconcile->stuck_at)
		return false;
	reconcile->stuck_at = now + STUCK_EVERY_MS;
	ret->kind = PROTOCOL_STUCK;
	ret->id = id;
	ret->pid = one;
	(void)clean_line(ret->text, sizeof(ret->text), err.text, strlen(err.text));
	return false;
}
