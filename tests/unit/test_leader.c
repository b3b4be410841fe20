/* Goal: of several servers one decides, and what became of a commit is known before it is said.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/mem.h"
#include "store/leader.h"
#include "store/leader_fence.h"
#include "store/row_leader.h"
#include "store/store_inside.h"
#include "store/store_thread.h"
#include "tests/unit/store_aid.h"
#include "tests/unit/unit.h"

struct scene {
	struct store_aid aid;
	struct leader leader;
	struct leader_fence fence;
	struct db *outside;
	bool is_elsewhere; /* who takes is another server of that name */
};

static int64_t
number(struct scene *scene, const char *sql)
{
	int64_t ret = -1;

	if (!db_one_i64(&ret, scene->outside, &scene->aid.err, sql))
		fail_msg("%s", scene->aid.err.text);
	return ret;
}

static void
change(struct scene *scene, const char *sql)
{
	if (!db_run(scene->outside, &scene->aid.err, sql))
		fail_msg("%s", scene->aid.err.text);
}

static bool
takes(struct scene *scene, const char *name)
{
	bool leads;

	scene->leader = (struct leader){ .folder = "here" };
	(void)snprintf(scene->leader.holder, sizeof(scene->leader.holder), "%s", name);
	if (scene->is_elsewhere)
		(void)snprintf(scene->leader.folder, sizeof(scene->leader.folder), "there");
	if (!leader_take(scene->outside, false, &scene->leader, &leads, &scene->aid.err))
		fail_msg("%s", scene->aid.err.text);
	return leads;
}

/* A store of server a, which leads. */
static void
set_up(struct scene *scene)
{
	*scene = (struct scene){ 0 };
	store_aid_open(&scene->aid, NULL, NULL, NULL);
	store_close(TAKE(scene->aid.store));
	scene->outside = db_open(scene->aid.path, 0, &scene->aid.err);
	assert_non_null(scene->outside);
	assert_true(leader_make(scene->outside, &scene->aid.err));
	change(scene,
	    "UPDATE leader SET epoch = 0, batch = 0, holder = '', since = 0, renewed = 0, at = 0, leaves = 0");
	assert_true(takes(scene, "a"));
	leader_fence_init(&scene->fence, &scene->leader);
	scene->aid.config.fence = &scene->fence;
	store_aid_reopen(&scene->aid);
}

static void
tear_down(struct scene *scene)
{
	change(scene, "DROP TABLE leader");
	db_close(scene->outside);
	store_aid_close(&scene->aid);
}

static void
nothing(UNUSED struct tx *tx, UNUSED const struct event *event)
{
}

static void
count_answer(void *ctx, UNUSED const struct answer *answer)
{
	(*(int *)ctx)++;
}

/* One event from outside; whether its batch is durable. */
static bool
decide(struct scene *scene, int *answers)
{
	struct event *event = store_aid_event(&scene->aid, EVENT_API);
	struct queue_list events = { 0 };
	struct queue_link *link;
	bool ok;

	scene->aid.handlers[EVENT_API] = nothing;
	event->u.api = mem_new(1, sizeof(*event->u.api));
	event->done = count_answer;
	event->done_ctx = answers;
	queue_list_add(&events, &event->link);
	ok = store_batch(scene->aid.store, &events, &scene->aid.outcomes, &scene->aid.err);
	while ((link = queue_list_take(&scene->aid.outcomes)) != NULL) {
		struct outcome *outcome = QUEUE_ITEM(link, struct outcome, link);

		if (outcome->kind == OUTCOME_ANSWER)
			outcome->done(outcome->done_ctx, &outcome->answer);
		outcome_free(outcome);
	}
	assert_int_equal(events.length, 0);
	return ok;
}

/* --- the lease --- */

static void
the_lease_is_one_server_s(struct scene *scene)
{
	bool leads;

	assert_int_equal(scene->leader.epoch, 1);
	assert_false(takes(scene, "b"));
	assert_string_equal(scene->leader.holder, "a");
	assert_in_range(scene->leader.left_ms, 1, LEADER_LEASE_MS);
	assert_true(leader_give_up(scene->outside, 1, &scene->aid.err));
	assert_true(takes(scene, "b"));
	assert_int_equal(scene->leader.epoch, 2);
	assert_false(takes(scene, "a"));
	change(scene, "UPDATE leader SET renewed = renewed - 4500"); /* none for so long */
	assert_true(takes(scene, "a"));
	assert_int_equal(scene->leader.epoch, 3);
	assert_true(takes(scene, "a")); /* itself, of before */
	assert_int_equal(scene->leader.epoch, 4);
	scene->is_elsewhere = true;
	assert_false(takes(scene, "a")); /* another that is called so */
	assert_int_equal(scene->leader.epoch, 4);
	change(scene, "UPDATE leader SET renewed = renewed - 4500");
	scene->leader = (struct leader){ .holder = "b", .folder = "there" };
	assert_true(leader_take(scene->outside, true, &scene->leader, &leads, &scene->aid.err));
	assert_true(
	    scene->leader.epoch > INT64_C(1700000000)); /* of a database of before: seconds */
}

static void
only_whose_epoch_it_is_renews_and_gives_up(struct scene *scene)
{
	int64_t before;
	bool leads;

	change(scene, "UPDATE leader SET renewed = renewed - 3000");
	before = number(scene, "SELECT renewed FROM leader");
	assert_true(leader_renew(scene->outside, 2, false, &leads, &scene->aid.err));
	assert_false(leads);
	assert_true(leader_give_up(scene->outside, 2, &scene->aid.err));
	assert_false(takes(scene, "b"));
	assert_true(number(scene, "SELECT renewed FROM leader") == before);
	assert_true(leader_renew(scene->outside, 1, false, &leads, &scene->aid.err));
	assert_true(leads);
	assert_true(number(scene, "SELECT renewed FROM leader") > before);
}

static bool
leaves(struct scene *scene)
{
	struct leader leader;

	if (!leader_read(scene->outside, &leader, &scene->aid.err))
		fail_msg("%s", scene->aid.err.text);
	return leader.leaves;
}

static void
who_leaves_says_so_until_another_leads(struct scene *scene)
{
	bool leads;

	assert_false(leaves(scene));
	assert_true(leader_renew(scene->outside, 1, true, &leads, &scene->aid.err) && leads);
	assert_true(leaves(scene));
	assert_false(takes(scene, "b"));
	assert_true(leader_give_up(scene->outside, 1, &scene->aid.err));
	assert_true(takes(scene, "b"));
	assert_false(leaves(scene));
}

static void
who_could_lead_is_seen(struct scene *scene)
{
	char standby[LIMIT_RUNNER] = "-";

	assert_true(row_leader_standby(scene->outside, standby, &scene->aid.err));
	assert_string_equal(standby, "");
	change(scene, "SELECT set_config('application_name', '" ROW_LEADER_STANDBY "b', false)");
	assert_true(row_leader_standby(scene->outside, standby, &scene->aid.err));
	assert_string_equal(standby, "b");
	change(scene, "SELECT set_config('application_name', 'deploybot', false)");
	assert_true(row_leader_standby(scene->outside, standby, &scene->aid.err));
	assert_string_equal(standby, "");
}

/* --- the fence --- */

/* A migration: whoever waits for the row sees it as it is at the end. */
static void
a_long_transaction_renews_at_its_end(struct scene *scene)
{
	struct db *db = scene->aid.store->db;

	assert_true(db_begin(db, &scene->aid.err));
	assert_true(db_run(db, &scene->aid.err, "UPDATE leader SET renewed = renewed - 5000"));
	scene->fence.sent_ms -= 5000;
	scene->fence.renewed_ms -= 5000;
	assert_true(db_commit(db, &scene->aid.err));
	assert_true(leader_fence_is_fresh(&scene->fence, LEADER_ACTS_MS));
	assert_false(takes(scene, "b"));
}

/* While the database answers in it nobody else leads; outside one that says nothing of the row. */
static void
a_transaction_outlasts_a_lease(struct scene *scene)
{
	struct db *db = scene->aid.store->db;
	int64_t one;

	scene->fence.renewed_ms -= 5000;
	scene->fence.answered_ms = 0;
	assert_true(db_one_i64(&one, db, &scene->aid.err, "SELECT epoch FROM leader"));
	assert_false(leader_fence_is_at_work(&scene->fence));
	change(scene, "UPDATE leader SET renewed = renewed - 5000");
	assert_true(db_begin(db, &scene->aid.err));
	change(scene, "SET lock_timeout = '100ms'");
	scene->fence.answered_ms = 0;
	assert_true(db_one_i64(&one, db, &scene->aid.err, "SELECT epoch FROM leader"));
	assert_true(leader_fence_is_at_work(&scene->fence));
	assert_false(leader_fence_is_fresh(&scene->fence, LEADER_LEASE_MS));
	scene->leader = (struct leader){ .holder = "b", .folder = "there" };
	assert_false(
	    leader_take(scene->outside, false, &scene->leader, &(bool){ false }, &scene->aid.err));
	db_rollback(db);
}

static void
take_long(struct tx *tx, UNUSED const struct event *event)
{
	tx->store->config.fence->sent_ms -= LEADER_RENEW_MS;
}

/* The lease is renewed between two: whatever comes at once is no one transaction. */
static void
a_batch_ends_when_it_is_long(struct scene *scene)
{
	struct crossing *crossing = crossing_new(NULL, NULL);
	int64_t before = number(scene, "SELECT batch FROM leader");
	struct store_thread *thread;
	int answers = 0;

	scene->aid.handlers[EVENT_API] = take_long;
	for (int i = 0; i < 4; i++) {
		struct event *event = store_aid_event(&scene->aid, EVENT_API);

		event->u.api = mem_new(1, sizeof(*event->u.api));
		event->done = count_answer;
		event->done_ctx = &answers;
		assert_true(crossing_submit(crossing, event));
	}
	thread = store_thread_start(TAKE(scene->aid.store), crossing, &scene->aid.err);
	assert_non_null(thread);
	crossing_close(crossing);
	store_thread_join(thread, NULL, 0);
	assert_int_equal(number(scene, "SELECT batch FROM leader"), before + 4);
	crossing_free(crossing);
	store_aid_reopen(&scene->aid);
}

static void
each_transaction_raises_the_batch(struct scene *scene)
{
	int64_t before = number(scene, "SELECT batch FROM leader");
	int answers = 0;

	assert_true(before >= 1); /* that it recovered is one */
	change(scene, "UPDATE leader SET renewed = renewed - 3000");
	assert_true(decide(scene, &answers) && decide(scene, &answers));
	assert_int_equal(answers, 2);
	assert_int_equal(number(scene, "SELECT batch FROM leader"), before + 2);
	assert_true(number(scene, "SELECT at FROM leader") == scene->aid.at);
	assert_true(store_end(scene->aid.store, NULL, 0, &scene->aid.err));
	assert_int_equal(number(scene, "SELECT batch FROM leader"), before + 3);
	assert_false(takes(scene, "b")); /* each has renewed the lease */
}

/* The second server has taken over; this one lives, and knows nothing of it. */
static void
who_was_deposed_decides_nothing(struct scene *scene)
{
	int64_t n = number(scene, "SELECT COUNT(*) FROM audit");
	int answers = 0;

	assert_true(leader_give_up(scene->outside, 1, &scene->aid.err) && takes(scene, "b"));
	scene->aid.handlers[EVENT_API] = nothing;
	assert_false(decide(scene, &answers));
	assert_int_equal(scene->aid.err.code, ERR_CHANGED);
	assert_int_equal(answers, 0); /* not even 503 */
	assert_false(store_end(scene->aid.store, NULL, 0, &scene->aid.err));
	assert_int_equal(number(scene, "SELECT COUNT(*) FROM audit"), n);
	assert_int_equal(scene->leader.epoch, 2);
}

static void
nor_does_it_recover(struct scene *scene)
{
	struct queue_list outcomes = { 0 };

	assert_true(leader_give_up(scene->outside, 1, &scene->aid.err) && takes(scene, "b"));
	store_close(scene->aid.store);
	scene->aid.store = store_open(&scene->aid.config, &scene->aid.err);
	assert_non_null(scene->aid.store);
	assert_false(store_recover(
	    scene->aid.store, scene->aid.settings, scene->aid.at, &outcomes, &scene->aid.err));
	assert_int_equal(scene->aid.err.code, ERR_CHANGED);
	assert_int_equal(outcomes.length, 0);
}

static void
time_never_goes_back(struct scene *scene)
{
	int64_t at = scene->aid.at + 7200000;
	int answers = 0;

	scene->fence.at = at; /* what the server before has decided last */
	assert_true(decide(scene, &answers));
	assert_true(number(scene, "SELECT at FROM leader") == at);
}

/* --- commits whose answer does not come --- */

enum cut { CUT_NEVER, CUT_BEFORE, CUT_BEHIND };

/* A way to PostgreSQL that is cut once, at a COMMIT: before it is there, or behind its answer. */
struct way {
	pthread_t thread;
	int listens, stops[2];
	char folder[64], there[128];
	enum cut cut;
	int n_cut;
};

static int
connect_there(const struct way *way)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(to.sun_path, sizeof(to.sun_path), "%.107s", way->there);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		abort();
	return fd;
}

static bool
pass(int from, int to, char *data, ssize_t *n)
{
	*n = recv(from, data, 65536, 0);
	return *n > 0 && (to < 0 || send(to, data, (size_t)*n, MSG_NOSIGNAL) == *n);
}

static void
serve_one(struct way *way, int client)
{
	static char data[65536];
	int server = connect_there(way);
	struct pollfd fds[] = { { client, POLLIN, 0 }, { server, POLLIN, 0 },
		{ way->stops[0], POLLIN, 0 } };
	bool goes_on = true;
	ssize_t n;

	while (goes_on && poll(fds, COUNT(fds), -1) > 0 && fds[2].revents == 0) {
		if (fds[0].revents != 0) {
			goes_on = pass(client, -1, data, &n);
			bool is_commit = goes_on && way->cut != CUT_NEVER &&
			    memmem(data, (size_t)n, "COMMIT", 6) != NULL;

			if (is_commit && way->cut == CUT_BEFORE)
				break;
			goes_on = goes_on && send(server, data, (size_t)n, MSG_NOSIGNAL) == n;
			if (is_commit) {
				goes_on = pass(server, -1, data, &n); /* and is lost */
				break;
			}
		} else if (fds[1].revents != 0) {
			goes_on = pass(server, client, data, &n);
		}
	}
	if (goes_on && fds[2].revents == 0) {
		way->cut = CUT_NEVER;
		way->n_cut++;
	}
	(void)close(client);
	(void)close(server);
}

static void *
serve_way(void *ctx)
{
	struct way *way = ctx;
	struct pollfd fds[] = { { way->listens, POLLIN, 0 }, { way->stops[0], POLLIN, 0 } };

	while (poll(fds, COUNT(fds), -1) > 0 && fds[1].revents == 0) {
		int client = accept4(way->listens, NULL, NULL, SOCK_CLOEXEC);

		if (client >= 0)
			serve_one(way, client);
	}
	return NULL;
}

/* The URL's folder of sockets in the place of the other. */
static void
way_open(struct way *way, const char *url, char out[DATABASE_AID_PATH])
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	const char *host = strstr(url, "host=") + 5;
	int size = (int)strcspn(host, "&");

	*way = (struct way){ .folder = "/tmp/way.XXXXXX" };
	assert_non_null(mkdtemp(way->folder));
	(void)snprintf(way->there, sizeof(way->there), "%.*s/.s.PGSQL.5432", size, host);
	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s/.s.PGSQL.5432", way->folder);
	(void)snprintf(
	    out, DATABASE_AID_PATH, "%.*s%s%s", (int)(host - url), url, way->folder, host + size);
	way->listens = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(way->listens, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(way->listens, 8), 0);
	assert_int_equal(pipe(way->stops), 0);
	assert_int_equal(pthread_create(&way->thread, NULL, serve_way, way), 0);
}

static void
way_close(struct way *way)
{
	char path[128];

	(void)close(way->stops[1]);
	assert_int_equal(pthread_join(way->thread, NULL), 0);
	(void)close(way->stops[0]);
	(void)close(way->listens);
	(void)snprintf(path, sizeof(path), "%s/.s.PGSQL.5432", way->folder);
	(void)unlink(path);
	(void)rmdir(way->folder);
}

static void
what_became_of_a_cut_commit_is_known(struct scene *scene, enum cut cut)
{
	struct way way;
	char url[DATABASE_AID_PATH];
	int64_t before;
	int answers = 0;
	bool ok;

	way_open(&way, scene->aid.path, url);
	scene->aid.config.path = url;
	store_aid_reopen(&scene->aid);
	before = number(scene, "SELECT batch FROM leader");
	way.cut = cut;
	ok = decide(scene, &answers);
	assert_int_equal(way.n_cut, 1);
	assert_int_equal(atomic_load(&scene->fence.n_unknown), 1);
	assert_int_equal(answers, 1);
	assert_int_equal(ok, cut == CUT_BEHIND);
	/* What is there is said behind a commit of its own whose answer came. */
	assert_int_equal(number(scene, "SELECT batch FROM leader"), before + (ok ? 2 : 0));
	assert_true(decide(scene, &answers));
	assert_int_equal(answers, 2);
	store_close(TAKE(scene->aid.store));
	way_close(&way);
	scene->aid.config.path = scene->aid.path;
	store_aid_reopen(&scene->aid);
}

static void
a_commit_that_was_lost_is_not_there(struct scene *scene)
{
	what_became_of_a_cut_commit_is_known(scene, CUT_BEFORE);
}

static void
a_commit_whose_answer_was_lost_is_there(struct scene *scene)
{
	what_became_of_a_cut_commit_is_known(scene, CUT_BEHIND);
}

/* Meanwhile another has taken over: what it holds is not answered, durable as it may be. */
static void
who_is_deposed_meanwhile_says_nothing(struct scene *scene)
{
	struct way way;
	char url[DATABASE_AID_PATH];
	int answers = 0;

	way_open(&way, scene->aid.path, url);
	scene->aid.config.path = url;
	store_aid_reopen(&scene->aid);
	way.cut = CUT_BEHIND;
	scene->aid.handlers[EVENT_API] = nothing;
	change(scene,
	    "CREATE FUNCTION depose() RETURNS trigger LANGUAGE plpgsql AS"
	    " $$ BEGIN NEW.epoch := 2; RETURN NEW; END $$");
	change(scene,
	    "CREATE TRIGGER depose BEFORE UPDATE ON leader FOR EACH ROW EXECUTE FUNCTION depose()");
	assert_false(decide(scene, &answers));
	assert_int_equal(scene->aid.err.code, ERR_CHANGED);
	assert_int_equal(answers, 0);
	store_close(TAKE(scene->aid.store));
	way_close(&way);
	change(scene, "DROP FUNCTION depose CASCADE");
	change(scene, "UPDATE leader SET epoch = 1");
	scene->fence.is_deposed = false;
	scene->fence.batch = number(scene, "SELECT batch FROM leader");
	scene->aid.config.path = scene->aid.path;
	store_aid_reopen(&scene->aid);
}

/* What a database is asked while a commit waits for a second machine that is not there; those of
 * other programs wait beside it. */
static void *
cancel_the_wait(void *ctx)
{
	static const char *const steps[] = {
		"SELECT COUNT(*) FROM (SELECT pg_cancel_backend(pid) FROM pg_stat_activity"
		" WHERE wait_event = 'SyncRep' AND application_name = 'waits') AS cancelled",
		"SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
		" AND application_name = 'waits'",
	};
	struct err err;
	CLEANUP(db_closep) struct db *db = db_open(ctx, 0, &err);
	int64_t n;

	for (size_t i = 0; db != NULL && i < COUNT(steps); i++) {
		do
			if (!db_one_i64(&n, db, &err, steps[i]))
				abort();
		while (n == 0); /* the second: that which confirms it waits too */
	}
	if (db == NULL || !db_script(db, "ALTER SYSTEM SET synchronous_standby_names = ''", &err) ||
	    !db_one_i64(&n, db, &err, "SELECT pg_reload_conf()"))
		abort();
	return NULL;
}

static void
a_wait_that_was_cancelled_is_no_yes(struct scene *scene)
{
	char url[DATABASE_AID_PATH + 64];
	pthread_t thread;
	int64_t before, n_unknown;
	int answers = 0;

	(void)snprintf(url, sizeof(url), "%s%%20-csynchronous_commit%%3Don&application_name=waits",
	    scene->aid.path);
	scene->aid.config.path = url;
	store_aid_reopen(&scene->aid);
	assert_true(db_script(scene->outside,
	    "ALTER SYSTEM SET synchronous_standby_names = 'nobody'", &scene->aid.err));
	assert_int_equal(number(scene, "SELECT pg_reload_conf()"), 1);
	while (number(scene, "SELECT COUNT(*) FROM pg_settings WHERE setting = 'nobody'") == 0)
		continue;
	n_unknown = atomic_load(&scene->fence.n_unknown);
	assert_int_equal(pthread_create(&thread, NULL, cancel_the_wait, scene->aid.path), 0);
	do { /* until the checkpointer has read it too, no commit waits */
		before = number(scene, "SELECT batch FROM leader");
		answers = 0;
		assert_true(decide(scene, &answers));
	} while (atomic_load(&scene->fence.n_unknown) == n_unknown);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(answers, 1);
	assert_int_equal(number(scene, "SELECT batch FROM leader"), before + 2);
	store_close(TAKE(scene->aid.store));
	scene->aid.config.path = scene->aid.path;
	store_aid_reopen(&scene->aid);
}

TEST(one_of_several_servers_decides)
{
	static void (*const tests[])(struct scene *) = {
		the_lease_is_one_server_s,
		only_whose_epoch_it_is_renews_and_gives_up,
		who_leaves_says_so_until_another_leads,
		who_could_lead_is_seen,
		each_transaction_raises_the_batch,
		a_long_transaction_renews_at_its_end,
		a_transaction_outlasts_a_lease,
		a_batch_ends_when_it_is_long,
		who_was_deposed_decides_nothing,
		nor_does_it_recover,
		time_never_goes_back,
		a_commit_that_was_lost_is_not_there,
		a_commit_whose_answer_was_lost_is_there,
		who_is_deposed_meanwhile_says_nothing,
		a_wait_that_was_cancelled_is_no_yes,
	};
	struct scene scene;

	if (!database_aid_is_server()) {
		assert_true(database_aid_again());
		return;
	}
	for (size_t i = 0; i < COUNT(tests); i++) {
		set_up(&scene);
		tests[i](&scene);
		tear_down(&scene);
	}
}
