/* sim_blocks.c - what starts contains nothing blocked but what somebody was shown, or pushed over.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * Since when what is blocked, when which push was heard of, and which commits stood in the text
 * that somebody said yes to: counted in decisions, from rows that ended and from what the chat
 * shows, not from what the server notes for the same question.
 */
#include "tests/sim/sim_inside.h"

static struct sim_block *
find(struct sim_blocks *of, const struct sim_block *like)
{
	for (size_t i = 0; i < of->n; i++)
		if (of->at[i].environment == like->environment &&
		    of->at[i].commit == like->commit && of->at[i].when == like->when)
			return &of->at[i];
	return NULL;
}

/* What is blocked by now; what is blocked once more, since now. */
static void
note_blocks(struct sim *sim, struct tx *tx)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct sim_blocks before = sim->blocks;
	struct sim_blocks *now = &sim->blocks;
	struct err err;

	now->n = 0;
	sim_check_must(sim,
	    db_query(&rows, tx->db, &err, "SELECT environment, commit_id, at FROM block"), &err);
	while (db_next(&rows)) {
		struct sim_block *block = &now->at[now->n++];
		const struct sim_block *was;

		assert(now->n < COUNT(now->at));
		*block = (struct sim_block){ .environment = sim_environment(db_col_text(&rows, 0)),
			.commit = sim_forge_index(sim, db_col_text(&rows, 1)),
			.when = db_col_i64(&rows, 2) };
		was = find(&before, block);
		block->since = was != NULL ? was->since : sim->n_decisions;
	}
}

/* --- pushes --- */

void
sim_blocks_pushed(struct sim *sim, int branch)
{
	assert(sim->n_pushes < COUNT(sim->pushes));
	sim->pushes[sim->n_pushes++] =
	    (struct sim_push){ .branch = branch, .commit = sim->head[branch] };
}

/* By a delivery, or by git: as the head of its branch. */
static bool
says_so(const struct sim *sim, const struct tx *tx, const struct sim_push *push)
{
	const struct event *event = tx->event;
	bool is_taken = tx->answer.status == 200;
	const char *commit = sim->commits[push->commit], *branch = sim_branch_name(push->branch);
	const char *answer =
	    event->kind == EVENT_GIT_ANSWERED ? event->u.git_answered.answer : NULL;
	char polled[80], asked[160];

	for (size_t i = 0; i < sim->n_deliveries && event->kind == EVENT_DELIVERY; i++)
		if (sim->deliveries[i].branch == push->branch &&
		    strcmp(sim->deliveries[i].id, event->u.delivery.id) == 0)
			return strcmp(event->u.delivery.after, commit) == 0 && is_taken;
	(void)snprintf(polled, sizeof(polled), "head %s %s\n", commit, branch);
	(void)snprintf(asked, sizeof(asked), "branch %s\nbranch_commit %s\n", branch, commit);
	return answer != NULL && (strstr(answer, polled) != NULL || strstr(answer, asked) != NULL);
}

/* Git says what the branch's head is, whatever it is. */
static bool
shows_head(const struct tx *tx, int branch)
{
	const char *answer = tx->event->u.git_answered.answer;
	char polled[80], asked[80];

	(void)snprintf(polled, sizeof(polled), " %s\n", sim_branch_name(branch));
	(void)snprintf(asked, sizeof(asked), "branch %s\nbranch_commit ", sim_branch_name(branch));
	return answer != NULL &&
	    ((strncmp(answer, "head ", 5) == 0 && strstr(answer, polled) != NULL) ||
		strstr(answer, asked) != NULL);
}

/* What git alone says may have been pushed as soon as git said so of another commit. */
static void
note_pushes(struct sim *sim, struct tx *tx)
{
	int branch = -1; /* whose repository git was asked about */

	if (tx->event->kind == EVENT_GIT_ANSWERED && tx->effect != NULL)
		branch = sim_branch(sim_environment(tx->effect->u.git_query.environment));
	for (size_t i = 0; i < sim->n_pushes; i++) {
		struct sim_push *push = &sim->pushes[i];

		if (push->heard_at != 0 || (branch >= 0 && push->branch / 2 != branch / 2) ||
		    !says_so(sim, tx, push))
			continue;
		push->heard_at = sim->n_decisions;
		push->came_after = branch < 0 ? sim->n_decisions : sim->head_shown_at[push->branch];
	}
	for (int b = 0; b < SIM_ENVIRONMENTS && branch >= 0; b++)
		if (b / 2 == branch / 2 && shows_head(tx, b))
			sim->head_shown_at[b] = sim->n_decisions;
}

/* When the newest push of that came, at the earliest; 0: none was heard of. */
static uint32_t
came_after(const struct sim *sim, int branch, int commit)
{
	uint32_t at = 0;

	for (size_t i = 0; i < sim->n_pushes; i++)
		if (sim->pushes[i].branch == branch && sim->pushes[i].commit == commit &&
		    sim->pushes[i].heard_at != 0 && sim->pushes[i].came_after > at)
			at = sim->pushes[i].came_after;
	return at;
}

/* --- what somebody says yes to --- */

static void
note_shown(struct sim *sim, int64_t work, int environment, int commit, const char *text)
{
	for (size_t i = 0; i < sim->blocks.n; i++) {
		const struct sim_block *block = &sim->blocks.at[i];
		char digits[8];

		if (block->environment != environment ||
		    !sim_uploads_contains(commit, block->commit))
			continue;
		(void)snprintf(digits, sizeof(digits), "%.7s", sim->commits[block->commit]);
		if (strstr(text, digits) == NULL)
			continue;
		assert(sim->n_shown < COUNT(sim->shown_blocks));
		sim->shown_blocks[sim->n_shown++] =
		    (struct sim_shown){ work, block->commit, sim->n_decisions };
	}
}

/* What stood above the button when it was pressed: by now it may say something else.  Of what a
 * code completes that was before the code's own buttons were. */
static const char *
pressed_text(const struct sim *sim, const struct update *press)
{
	for (size_t i = sim->n_presses; i > 0 && i + SIM_PRESSES > sim->n_presses; i--) {
		const struct sim_press *noted = &sim->presses[(i - 1) % SIM_PRESSES];

		if (strcmp(noted->button, press->button) == 0 &&
		    (press->id == 0 || noted->update <= press->id))
			return noted->text;
	}
	return "";
}

static int64_t
number(struct sim *sim, struct tx *tx, const char *sql)
{
	int64_t n = 0;
	struct err err;

	sim_check_must(sim, db_one_i64(&n, tx->db, &err, sql), &err);
	return n;
}

/* Without a button: the words of its newest message, as they stood before it was answered. */
static void
find_text(struct sim *sim, struct tx *tx, int64_t work, char *ret, size_t room)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	sim_check_must(sim,
	    db_query(&rows, tx->db, &err,
		"SELECT m.head FROM message m WHERE m.id = (SELECT MAX(w.message, w.also_message,"
		" COALESCE((SELECT MAX(s.message) FROM work_shown s WHERE s.work = w.id), 0))"
		" FROM work w WHERE w.id = $1)",
		DB_I64(work)),
	    &err);
	ret[0] = '\0';
	if (db_next(&rows))
		(void)text_copy(ret, room, db_col_text(&rows, 0));
}

void
sim_blocks_before(struct sim *sim, struct tx *tx, struct sim_before *ret)
{
	const struct api_request *api = tx->event->kind == EVENT_API ? tx->event->u.api : NULL;
	int64_t work = api != NULL ? request_number(&api->request, "work") : ret->says_of.work;

	sim->n_decisions++;
	ret->last_approval = number(sim, tx, "SELECT COALESCE(MAX(id), 0) FROM approval");
	ret->shown[0] = '\0';
	if (ret->said == NULL)
		return;
	if (ret->said->kind == UPDATE_PRESS)
		(void)text_copy(ret->shown, sizeof(ret->shown), pressed_text(sim, ret->said));
	else if (work != 0)
		find_text(sim, tx, work, ret->shown, sizeof(ret->shown));
}

/* Whoever has just confirmed or approved something was shown that text. */
static void
note_yes(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	sim_check_must(sim,
	    db_query(&rows, tx->db, &err,
		"SELECT w.id, w.environment, w.commit_id, w.confirmed_by, EXISTS (SELECT 1 FROM"
		" approval a WHERE a.work = w.id AND a.id > $1) FROM work w"
		" WHERE (w.program = 'deploy' OR w.action = 'open-gate') AND w.ended_at = 0",
		DB_I64(before->last_approval)),
	    &err);
	while (db_next(&rows)) {
		int64_t work = db_col_i64(&rows, 0), by = db_col_i64(&rows, 3);

		if (db_col_i64(&rows, 4) == 0 &&
		    (by == 0 || by == sim_before_confirmer(before, work)))
			continue;
		note_shown(sim, work, sim_environment(db_col_text(&rows, 1)),
		    sim_forge_index(sim, db_col_text(&rows, 2)), before->shown);
	}
}

void
sim_blocks_after(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	note_pushes(sim, tx);
	if (before->said != NULL)
		note_yes(sim, tx, before);
	note_blocks(sim, tx);
}

/* --- what begins --- */

static bool
was_shown(const struct sim *sim, int64_t work, const struct sim_block *block)
{
	for (size_t i = 0; i < sim->n_shown; i++)
		if (sim->shown_blocks[i].work == work &&
		    sim->shown_blocks[i].commit == block->commit &&
		    sim->shown_blocks[i].at > block->since)
			return true;
	return false;
}

void
sim_blocks_check_begun(struct sim *sim, struct tx *tx, int64_t work)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	int environment, commit;
	uint32_t came = 0;
	struct err err;

	sim_check_must(sim,
	    db_query(&rows, tx->db, &err,
		/* What a workflow asks for is like a push of it. */
		"SELECT environment, commit_id, (cause IN ('push', 'poll', 'job') OR requested_by = $2) AND confirmed_by = 0 AND NOT EXISTS"
		" (SELECT 1 FROM approval a WHERE a.work = w.id AND a.voided_at = 0)"
		" FROM work w WHERE id = $1 AND (program = 'deploy' OR action = 'open-gate')",
		DB_I64(work), DB_I64(SIM_WORKFLOW)),
	    &err);
	if (!db_next(&rows))
		return;
	environment = sim_environment(db_col_text(&rows, 0));
	commit = sim_forge_index(sim, db_col_text(&rows, 1));
	if (db_col_i64(&rows, 2) != 0)
		came = came_after(sim, sim_branch(environment), commit);
	for (size_t i = 0; i < sim->blocks.n; i++) {
		const struct sim_block *block = &sim->blocks.at[i];

		if (block->environment != environment ||
		    !sim_uploads_contains(commit, block->commit))
			continue;
		if (came > block->since)
			sim_note(sim, SIM_FIXED_FORWARD);
		else if (was_shown(sim, work, block))
			sim_note(sim, SIM_BLOCK_SHOWN);
		else
			sim_fail(sim, "what_starts_contains_nothing_blocked_unawares",
			    "deployment %" PRId64
			    " of %.7s to %s contains %.7s, blocked by decision"
			    " %" PRIu32 " (its push came behind %" PRIu32 ")",
			    work, sim->commits[commit], sim_environments[environment],
			    sim->commits[block->commit], block->since, came);
	}
}

/* --- what was not committed --- */

void
sim_blocks_remember(struct sim *sim)
{
	sim->committed_blocks = sim->blocks;
	sim->committed_at = sim->n_decisions;
	sim->committed_shown = sim->n_shown;
	sim->committed.n_due = sim->notify.n_due;
}

void
sim_blocks_forget(struct sim *sim)
{
	sim->blocks = sim->committed_blocks;
	sim->n_shown = sim->committed_shown;
	sim->notify.n_due = sim->committed.n_due;
	for (size_t i = 0; i < sim->n_pushes; i++)
		if (sim->pushes[i].heard_at > sim->committed_at)
			sim->pushes[i].heard_at = 0;
}
