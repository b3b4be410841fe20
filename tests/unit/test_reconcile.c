/* Goal: a run that cannot be reconciled says what hinders it, one that was lost what is known of it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "runner/reconcile.h"

#include "unit.h"
#include "runner/run_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* It said "pid 0" alone, also where something was alive that only its control group knew of. */
TEST(what_hinders_the_end_of_a_run_is_said_where_no_process_can_be_named)
{
	char folder[] = "/tmp/test_settle.XXXXXX";
	struct reconciling reconciling = { 0 };
	struct protocol_message said;
	pid_t supervisor = 0;
	int root;

	assert_non_null(mkdtemp(folder));
	root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(root >= 0);
	assert_int_equal(mkdirat(root, "7", 0700), 0);
	assert_int_equal(mkdirat(root, "7/exit", 0700), 0); /* nowhere to write its record */

	assert_false(reconcile_look(&reconciling, root, 7, &said, &supervisor));
	assert_int_equal(reconciling.count, 1);
	assert_false(reconcile_turn(&reconciling, 0, &said));
	assert_int_not_equal(said.kind, PROTOCOL_STUCK); /* not at once */
	reconciling.all[0].stuck_at = 0;
	assert_false(reconcile_turn(&reconciling, 0, &said));
	assert_int_equal(said.kind, PROTOCOL_STUCK);
	assert_int_equal(said.id, 7);
	assert_int_equal(said.pid, 0);
	assert_string_equal(said.text, "creating the exit record: Is a directory");

	assert_int_equal(unlinkat(root, "7/exit", AT_REMOVEDIR), 0);
	for (int i = 0; reconciling.count > 0; i++) {
		assert_true(i < 100);
		(void)reconcile_turn(&reconciling, 0, &said);
	}
	assert_int_equal(said.state, PROTOCOL_STATE_LOST);
	assert_int_equal(unlinkat(root, "7/exit", 0), 0);
	assert_int_equal(unlinkat(root, "7", AT_REMOVEDIR), 0);
	assert_int_equal(close(root), 0);
	assert_int_equal(rmdir(folder), 0);
}

/* What a killed supervisor leaves: its record's room and draft, and whom it had started. */
static int
make_left_run(int root, const struct protocol_message *draft)
{
	const struct process_main gone = { .pid = 4194304, .start = 1, .boot = "-", .tag = "7-0a" };
	int folder, claimed;

	assert_int_equal(mkdirat(root, "7", 0700), 0);
	folder = openat(root, "7", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(run_folder_main_process_write(folder, &gone, NULL));
	claimed = run_folder_claim(folder, NULL);
	assert_true(claimed >= 0);
	if (draft != NULL)
		assert_true(run_folder_draft_write(claimed, draft, NULL));
	assert_int_equal(close(claimed), 0);
	return folder;
}

static struct protocol_message
reconcile_left_run(const struct protocol_message *draft, bool is_named)
{
	char path[] = "/tmp/test_settle.XXXXXX";
	struct reconciling reconciling = { 0 };
	struct protocol_message said;
	pid_t supervisor = 0;
	int root, folder;

	assert_non_null(mkdtemp(path));
	root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	folder = make_left_run(root, draft);
	if (!is_named)
		assert_int_equal(unlinkat(folder, "leader", 0), 0);
	assert_false(reconcile_look(&reconciling, root, 7, &said, &supervisor));
	for (int i = 0; reconciling.count > 0; i++) {
		assert_true(i < 100);
		(void)reconcile_turn(&reconciling, 0, &said);
	}
	assert_int_equal(said.state, PROTOCOL_STATE_LOST);
	assert_true(said.record.lost);
	(void)unlinkat(folder, "leader", 0); /* it may be gone, as above */
	assert_int_equal(unlinkat(folder, "exit", 0), 0);
	assert_int_equal(close(folder), 0);
	assert_int_equal(unlinkat(root, "7", AT_REMOVEDIR), 0);
	assert_int_equal(close(root), 0);
	assert_int_equal(rmdir(path), 0);
	return said;
}

static struct protocol_message
a_draft(const char *last, bool released)
{
	struct protocol_message draft = {
		.kind = PROTOCOL_EXIT,
		.record = { .gate = true, .migration = true, .released = released },
		.step_count = 2,
		.steps = { { .name = "migrate", .at = 1 }, { .at = 2 } },
	};

	(void)snprintf(draft.steps[1].name, sizeof(draft.steps[1].name), "%s", last);
	return draft;
}

/* It was rolled back, in the middle of its migration. */
TEST(a_lost_run_knows_what_its_supervisor_had_noted_of_a_migration)
{
	struct protocol_message draft = a_draft("migrated", false), said;

	said = reconcile_left_run(&draft, true);
	assert_true(said.record.gate && said.record.migration && !said.record.released);
	assert_int_equal(said.step_count, 2);
	assert_string_equal(said.steps[1].name, "migrated");

	draft = a_draft("release", true);
	said = reconcile_left_run(&draft, true);
	assert_true(said.record.gate && said.record.migration && said.record.released);
}

/* Who was started is not flushed, the draft is. */
TEST(after_a_power_cut_the_draft_is_what_is_known)
{
	const struct protocol_message draft = a_draft("migrated", false);
	struct protocol_message said = reconcile_left_run(&draft, false);

	assert_true(said.record.gate && said.record.migration && !said.record.released);
	assert_false(said.record.unswept);
}

TEST(without_a_draft_of_a_migration_it_counts_as_having_changed_the_target)
{
	struct protocol_message draft = a_draft("release", false), said;

	said = reconcile_left_run(NULL, true);
	assert_true(said.record.gate && said.record.released && !said.record.migration);
	draft.record.migration = false; /* a record that was being written */
	said = reconcile_left_run(&draft, true);
	assert_true(said.record.gate && said.record.released && !said.record.migration);
}

/* A disk that refuses the newest must not leave one that says less. */
TEST(a_draft_that_cannot_be_written_takes_the_one_before_with_it)
{
	struct protocol_message draft = a_draft("migrated", false), odd = draft, read;
	char path[] = "/tmp/test_draft.XXXXXX";
	int folder, claimed;

	assert_non_null(mkdtemp(path));
	folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	claimed = run_folder_claim(folder, NULL);
	assert_false(run_folder_draft_read(claimed, &read));
	assert_true(run_folder_draft_write(claimed, &draft, NULL));
	assert_int_equal(run_folder_record_read(folder, &read), RUN_FOLDER_NO_RECORD);
	assert_true(run_folder_draft_read(claimed, &read));
	odd.steps[0].name[0] = '\n';
	assert_false(run_folder_draft_write(claimed, &odd, NULL));
	assert_false(run_folder_draft_read(claimed, &read));

	assert_true(run_folder_draft_write(claimed, &draft, NULL));
	assert_int_equal(pwrite(claimed, "?", 1, 1), 1); /* torn */
	assert_false(run_folder_draft_read(claimed, &read));
	assert_int_equal(close(claimed), 0);
	assert_int_equal(unlinkat(folder, "exit", 0), 0);
	assert_int_equal(close(folder), 0);
	assert_int_equal(rmdir(path), 0);
}
