/* Goal: a row's number is its counter's next, and none is given twice, whatever is undone or killed.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/store_ids.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/err.h"
#include "store/row_approval.h"
#include "store/row_block.h"
#include "store/row_dedupe.h"
#include "store/row_deployment.h"
#include "store/row_effect.h"
#include "store/row_environment.h"
#include "store/row_hold.h"
#include "store/row_message.h"
#include "store/row_past.h"
#include "store/row_pipeline.h"
#include "store/row_principal.h"
#include "store/row_queue.h"
#include "store/row_redelivery.h"
#include "store/row_run.h"
#include "store/row_token.h"
#include "store/store_inside.h"
#include "store/tx_try.h"
#include "tests/unit/ids_aid.h"
#include "tests/unit/store_aid.h"
#include "unit.h"

#define IDS_TEST(name) TEST_OF(name, struct store_aid *aid, set_up, tear_down)

static struct store_aid store;

static int
set_up(void **state)
{
	store_aid_open(&store, NULL, NULL, "ENABLE_TOKEN_AUTH=true",
	    "AUTH_TOKEN_SECRET=0123456789abcdef0123456789abcdef01234567", NULL);
	*state = &store;
	return 0;
}

static int
tear_down(UNUSED void **state)
{
	store_aid_close(&store);
	return 0;
}

/* --- a row of each; they return its number, 0: its function does not say --- */

static int64_t
add_work_at(struct tx *tx, int64_t place)
{
	struct deployment work = { .environment = "staging", .place = place };

	row_deployment_add(tx, &work);
	return work.id;
}

static int64_t
add_work(struct tx *tx, UNUSED const char *name)
{
	return add_work_at(tx, 0);
}

static int64_t
add_place(struct tx *tx, UNUSED const char *name)
{
	int64_t place = row_queue_draw(tx);

	(void)add_work_at(tx, place);
	return place;
}

static int64_t
add_run(struct tx *tx, const char *name)
{
	return row_run_add(tx, add_work(tx, name), PROGRAM_DEPLOY, "local");
}

static int64_t
add_approval(struct tx *tx, const char *name)
{
	row_approval_add(tx, add_work(tx, name), &(struct approval){ .person = 11 });
	return 0;
}

static int64_t
add_block(struct tx *tx, const char *name)
{
	struct block block = { .at = 1 };

	(void)snprintf(block.commit, sizeof(block.commit), "%s", name);
	row_block_add(tx, "staging", &block);
	return row_block_newest(tx, "staging");
}

static int64_t
add_effect(struct tx *tx, UNUSED const char *name)
{
	return row_effect_order(tx, &(struct effect){ .kind = EFFECT_TIMER, .due = 1 });
}

static int64_t
add_forge_hook(struct tx *tx, const char *name)
{
	return row_redelivery_hook(tx, "", name, true).id;
}

static int64_t
add_hold(struct tx *tx, const char *name)
{
	struct hold hold = { .kind = HOLD_LOCK, .person = 11 };

	(void)snprintf(hold.target, sizeof(hold.target), "%s", name);
	row_hold_add(tx, &hold);
	return hold.id;
}

static int64_t
add_inbox(struct tx *tx, const char *name)
{
	assert_true(row_dedupe_add(tx, "github", name, NULL) || tx->failed);
	return 0;
}

static int64_t
add_message(struct tx *tx, UNUSED const char *name)
{
	static char head[] = "hello";

	return row_message_add(tx, &(struct message){ .address.chat = 1, .head = head });
}

static int64_t
add_past(struct tx *tx, const char *name)
{
	static struct git_answer answer = { .n_past = 1, .past = { { .commit = "abc" } } };

	assert_true(row_past_set(tx, add_work(tx, name), &answer) || tx->failed);
	return 0;
}

static int64_t
add_pipeline_red(struct tx *tx, const char *name)
{
	static struct pipeline_run run;
	static struct pipeline_red red;

	red = (struct pipeline_red){ .chat = 1 };
	(void)snprintf(run.file, sizeof(run.file), "%s", name);
	row_pipeline_set_red(tx, "", &run, &red);
	return red.id;
}

static int64_t
add_principal(struct tx *tx, const char *name)
{
	return principal_row(row_principal_of(tx, PRINCIPAL_HOOK, "", name));
}

static int64_t
add_release(struct tx *tx, UNUSED const char *name)
{
	int64_t id = row_environment_release(tx, &(struct release){ .environment = "staging" });

	assert_int_equal(tx_number(tx, "SELECT origin FROM release WHERE id = $1", DB_I64(id)), id);
	return id;
}

static int64_t
add_token(struct tx *tx, const char *name)
{
	struct token token = { .role = "admin" };

	(void)snprintf(token.name, sizeof(token.name), "%s", name);
	return row_token_add(tx, &token, name);
}

static int64_t (*const adds[STORE_ID_COUNT])(struct tx *tx, const char *name) = {
	[STORE_ID_APPROVAL] = add_approval,
	[STORE_ID_BLOCK] = add_block,
	[STORE_ID_EFFECT] = add_effect,
	[STORE_ID_FORGE_HOOK] = add_forge_hook,
	[STORE_ID_HOLD] = add_hold,
	[STORE_ID_INBOX] = add_inbox,
	[STORE_ID_MESSAGE] = add_message,
	[STORE_ID_PAST] = add_past,
	[STORE_ID_PIPELINE_RED] = add_pipeline_red,
	[STORE_ID_PLACE] = add_place,
	[STORE_ID_PRINCIPAL] = add_principal,
	[STORE_ID_RELEASE] = add_release,
	[STORE_ID_RUN] = add_run,
	[STORE_ID_TOKEN] = add_token,
	[STORE_ID_WORK] = add_work,
};

static const char *const newest[] = {
#define NEWEST(name, word, column, table) "SELECT MAX(" column ") FROM " table,
	STORE_IDS(NEWEST)
#undef NEWEST
};

/* Nobody had that name, in this process or in another. */
static const char *
name_new(void)
{
	static char name[40];
	static int n;

	(void)snprintf(name, sizeof(name), "n%d-%d", (int)getpid(), ++n);
	return name;
}

/* --- decided, undone, killed --- */

static void
act_add(struct tx *tx, void *arg)
{
	const enum store_id id = *(const enum store_id *)arg;
	int64_t *last = &tx->store->mark.ids.last[id];
	int64_t next, said;

	*last += 100; /* far from the other tables', and from what the engine would give */
	next = *last + 1;
	said = adds[id](tx, name_new());
	assert_false(tx->failed);
	assert_true(said == 0 || said == next);
	assert_int_equal(*last, next);
	assert_int_equal(tx_number_sql(tx, &(struct db_sql){ newest[id], NULL, 0 }), next);
}

/* And so it stands in its row behind the commit (check_ids()), and behind the next start. */
IDS_TEST(each_row_has_the_number_that_was_given)
{
	for (enum store_id id = 0; id < STORE_ID_COUNT; id++) {
		struct store_ids before;

		assert_non_null(adds[id]);
		store_aid_act(aid, act_add, &id);
		before = aid->store->mark.ids;
		store_aid_reopen(aid);
		assert_memory_equal(&aid->store->mark.ids, &before, sizeof(before));
		store_aid_act(aid, act_add, &id);
	}
}

static void
add_all(struct tx *tx, int64_t said[STORE_ID_COUNT])
{
	for (enum store_id id = 0; id < STORE_ID_COUNT; id++)
		said[id] = adds[id](tx, name_new());
}

static void
act_add_all(struct tx *tx, void *arg)
{
	add_all(tx, arg);
}

static void
act_add_and_fail(struct tx *tx, void *arg)
{
	add_all(tx, arg);
	tx_fail(tx, ERR_INVALID, "so far, and no further");
}

static void
act_try(struct tx *tx, void *arg)
{
	assert_true(tx_try(tx, act_add_all, arg));
}

IDS_TEST(what_is_undone_gives_its_numbers_back)
{
	int64_t tried[STORE_ID_COUNT], failed[STORE_ID_COUNT], kept[STORE_ID_COUNT];
	struct store_ids before;

	store_aid_act(aid, act_add_all, kept);
	before = aid->store->mark.ids;
	store_aid_act(aid, act_try, tried);
	assert_memory_equal(&aid->store->mark.ids, &before, sizeof(before));
	assert_false(store_aid_try(aid, act_add_and_fail, failed));
	store_aid_act(aid, act_add_all, kept);
	assert_memory_equal(tried, kept, sizeof(kept));
	assert_memory_equal(failed, kept, sizeof(kept));
}

/* Decides without end, and says to `out` what each commit has left on disk. */
static void
decide_on(struct store_aid *aid, int out)
{
	int64_t said[STORE_ID_COUNT];

	store_aid_reopen(aid);
	for (;;) {
		store_aid_act(aid, act_add_all, said);
		store_aid_forget(aid);
		if (write(out, &aid->store->mark.ids, sizeof(struct store_ids)) < 0)
			_exit(1);
	}
}

/* Returns what was on disk when that many commits had been. */
static struct store_ids
kill_behind(struct store_aid *aid, int commits)
{
	struct store_ids told = { 0 };
	int status, pipes[2];
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		decide_on(aid, pipes[1]);
	assert_int_equal(close(pipes[1]), 0);
	while (commits-- > 0)
		assert_int_equal(read(pipes[0], &told, sizeof(told)), sizeof(told));
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_int_equal(close(pipes[0]), 0);
	return told;
}

IDS_TEST(whatever_is_killed_no_number_is_given_twice)
{
	for (int commits = 1; commits <= 6; commits++) {
		int64_t said[STORE_ID_COUNT];
		struct store_ids told;

		store_close(aid->store);
		aid->store = NULL;
		store_aid_forget(aid);
		told = kill_behind(aid, commits);
		store_aid_reopen(aid);
		for (int i = 0; i < STORE_ID_COUNT; i++)
			assert_true(aid->store->mark.ids.last[i] >= told.last[i]);
		store_aid_act(aid, act_add_all, said); /* none of them is another's */
	}
}

/* --- what else could be wrong --- */

static void
act_use_up(struct tx *tx, UNUSED void *arg)
{
	tx->store->mark.ids.last[STORE_ID_MESSAGE] = INT64_MAX;
	(void)row_message_add(tx, &(struct message){ .address.chat = 1 });
}

IDS_TEST(numbers_that_are_used_up_are_said_to_be)
{
	int64_t said[STORE_ID_COUNT];

	assert_false(store_aid_try(aid, act_use_up, NULL));
	assert_int_equal(aid->err.code, ERR_CONFIG);
	assert_non_null(strstr(aid->err.text, "the numbers of message are used up"));
	store_aid_act(aid, act_add_all, said);
}

/* Of one database, whoever opens it; of another a different one. */
IDS_TEST(an_installation_is_drawn_once)
{
	char first[LIMIT_INSTALLATION], again[LIMIT_INSTALLATION], other[LIMIT_INSTALLATION];

	assert_true(store_ids_installation(aid->store->db, first, &aid->err));
	assert_int_equal(strspn(first, "0123456789abcdef"), LIMIT_INSTALLATION - 1);
	store_aid_reopen(aid);
	assert_true(store_ids_installation(aid->store->db, again, &aid->err));
	assert_string_equal(again, first);
	assert_true(db_run(aid->store->db, &aid->err,
	    "DELETE FROM counter WHERE name IN ('installation 1', 'installation 2')"));
	assert_true(store_ids_installation(aid->store->db, other, &aid->err));
	assert_string_not_equal(other, first);
}

static void
act_deliver(struct tx *tx, void *arg)
{
	*(bool *)arg = row_dedupe_add(tx, "github", "the same", NULL);
}

/* Its commit has nothing to write, and waits for no disk. */
IDS_TEST(a_duplicate_takes_no_number)
{
	struct store_ids before;
	bool is_new = false;

	store_aid_act(aid, act_deliver, &is_new);
	assert_true(is_new);
	before = aid->store->mark.ids;
	store_aid_act(aid, act_deliver, &is_new);
	assert_false(is_new);
	assert_memory_equal(&aid->store->mark.ids, &before, sizeof(before));
}
