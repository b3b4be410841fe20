/* lease.c - a standby asks each 250 ms, a leader renews each second.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/lease.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/db_upkeep.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "lib/thread.h"
#include "store/audit_end.h"
#include "store/row_server.h"
#include "store/row_leader.h"
#include "store/store_beside.h"
#include "store/store_foreign.h"
#include "store/store_inside.h"
#include "store/store_move.h"

#define STACK_BYTES   (512 * 1024) /* of which only what is used takes memory */
#define BOOT_ID	      40
#define CLOCK_EACH_MS 60000
#define LEAVES_MS     15000 /* from when it listens no more: callers are answered, the store ends */

struct lease {
	struct lease_config config;
	struct leader self; /* its name and folder */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t woken;
	/* Under the lock, as is what was seen. */
	bool ends, leaves, is_woken;
	struct lease_seen seen;
	char *marks;		   /* for its row; under the lock */
	struct audit_chain known;  /* the last entry of its own audit log when it was started */
	struct leader_fence fence; /* once it leads */
	_Atomic bool acts;	   /* behind its start */
	/* clock_boottime_ms() of the last lease_check(), whose thread waits for no database. */
	_Atomic int64_t checked_ms;
	/* The thread's. */
	struct db *db;
	int64_t row_due_ms;    /* its row is written then */
	char row_problem[240]; /* why it was not, as was said last */
	int64_t leaves_by;     /* clock_boottime_ms(); 0: it stays */
	int64_t clock_read_ms; /* a leader's was compared with the database's */
};

/* Nothing in memory outlives its epoch: no file is finished, nobody is answered. */
static _Noreturn void
end_deposed(struct lease *lease, const char *why)
{
	int64_t before = atomic_load(&lease->checked_ms), stood_ms = clock_boottime_ms() - before;

	if (before != 0 && stood_ms > LEADER_ACTS_MS)
		log_error("this server leads no longer: it stood still for %" PRId64 " s",
		    stood_ms / 1000);
	else
		log_error("this server leads no longer: %s", why);
	_exit(err_exit_status(ERR_CHANGED));
}

static void
show(struct lease *lease, const struct lease_seen *seen)
{
	bool is_new;

	(void)pthread_mutex_lock(&lease->lock);
	is_new = seen->leads != lease->seen.leads || seen->is_led != lease->seen.is_led ||
	    seen->epoch != lease->seen.epoch || strcmp(seen->holder, lease->seen.holder) != 0 ||
	    strcmp(seen->problem, lease->seen.problem) != 0;
	lease->seen = *seen;
	(void)pthread_mutex_unlock(&lease->lock);
	if (is_new && lease->config.on_change != NULL)
		lease->config.on_change(lease->config.ctx);
}

void
lease_look(struct lease *lease, struct lease_seen *ret)
{
	(void)pthread_mutex_lock(&lease->lock);
	*ret = lease->seen;
	(void)pthread_mutex_unlock(&lease->lock);
}

void
lease_note(struct lease *lease, const struct settings *settings)
{
	char *marks, *before;

	if (lease == NULL)
		return;
	marks = row_server_marks(settings);
	(void)pthread_mutex_lock(&lease->lock);
	before = lease->marks;
	lease->marks = marks;
	(void)pthread_mutex_unlock(&lease->lock);
	free(before);
}

void
lease_check(struct lease *lease, bool decides)
{
	bool is_at_work = leader_fence_is_at_work(&lease->fence);

	atomic_store(&lease->acts, true);
	if (!decides && !is_at_work)
		end_deposed(lease, "its store gets no answer of the database");
	if (!is_at_work && !leader_fence_is_fresh(&lease->fence, LEADER_LEASE_MS))
		end_deposed(lease, "the database does not answer");
	atomic_store(&lease->checked_ms, clock_boottime_ms());
}

struct leader_fence *
lease_fence(struct lease *lease)
{
	return &lease->fence;
}

/* --- a standby --- */

/* Whose clock differs would stamp the audit with times that others do not have. */
static bool
has_right_clock(const struct leader *leader, struct lease_seen *seen)
{
	int64_t off = clock_wall_ms() - leader->clock_ms;

	if (off <= LEADER_CLOCK_MS && off >= -LEADER_CLOCK_MS)
		return true;
	(void)snprintf(seen->problem, sizeof(seen->problem),
	    "this machine's clock is %" PRId64 " s %s the database's: set it",
	    (off < 0 ? -off : off) / 1000, off < 0 ? "behind" : "before");
	return false;
}

/* Of two servers with one name each would take the lease of the other for its own. */
static bool
is_free(const struct lease *lease, const struct leader *leader, struct lease_seen *seen)
{
	if (leader->left_ms < 0 || leader->holder[0] == '\0' || leader_is(leader, &lease->self))
		return true;
	if (strcmp(leader->holder, lease->self.holder) == 0)
		(void)snprintf(seen->problem, sizeof(seen->problem),
		    "another server is called %s too, and leads: give one of them another SERVER_NAME",
		    leader->holder);
	return false;
}

/* What no other folder is, whatever its path: the one whose lock this server has.  A copy of the
 * whole machine has another boot. */
static void
name_folder(const char *path, char out[LEADER_FOLDER])
{
	struct statx st = { 0 };
	char boot[BOOT_ID] = "";

	(void)!file_read_small(AT_FDCWD, "/proc/sys/kernel/random/boot_id", boot, sizeof(boot));
	boot[strcspn(boot, "\n")] = '\0';
	(void)statx(AT_FDCWD, path, 0, STATX_INO | STATX_BTIME, &st); /* it is there */
	(void)snprintf(out, LEADER_FOLDER, "%s-%" PRIu64 "-%" PRId64 ".%09" PRIu32, boot,
	    (uint64_t)st.stx_ino, (int64_t)st.stx_btime.tv_sec, (uint32_t)st.stx_btime.tv_nsec);
}

/* An older program stays a standby, or nobody would lead once it has refused to start. */
static bool
knows_schema(int64_t version, struct lease_seen *seen)
{
	if (version <= store_schema_newest())
		return true;
	(void)snprintf(seen->problem, sizeof(seen->problem),
	    "the database is of a newer program: upgrade this one");
	return false;
}

/* Others see by that who could lead. */
static bool
name_session(struct lease *lease, const struct lease_seen *seen, struct err *err)
{
	char as[sizeof(ROW_LEADER_STANDBY) + LIMIT_RUNNER];

	(void)snprintf(as, sizeof(as), "%s%s",
	    seen->leads			 ? "deploybot lease " :
		seen->problem[0] == '\0' ? ROW_LEADER_STANDBY :
					   "deploybot waits ",
	    lease->self.holder);
	return db_run(
	    lease->db, err, "SELECT set_config('application_name', $1, false)", DB_TEXT(as));
}

/* A start that is refused raises no epoch: what the database was moved to knows none of it.  Nor is
 * anything begun anew beside what is only to be taken along. */
static bool
may_serve(struct lease *lease, int64_t version, struct err *err)
{
	const struct lease_config *config = &lease->config;
	char beside[STORE_BESIDE];

	if (version == 0 && store_beside(config->database, config->folder, beside))
		return err_set(err, ERR_CONFIG, "%s", beside);
	return version == 0 ||
	    store_move_check(lease->db, config->is_moved_back, config->is_restored, err) ||
	    err_wrap(err, "DATABASE_URL");
}

/* Whoever starts it has said that the database is one of before. */
static bool
is_of_before(const struct lease *lease)
{
	return lease->config.is_restored || lease->config.is_moved_back;
}

static bool
leads_elsewhere(const struct lease *lease, const struct leader *leader)
{
	return leader->holder[0] != '\0' && leader->left_ms > 0 &&
	    !leader_is(leader, &lease->self) && strcmp(leader->holder, LEADER_MOVED) != 0;
}

/* Nobody goes on as if nothing were lost.  False: it is not known. */
static bool
has_all(struct lease *lease, const struct leader *leader, int64_t version, struct lease_seen *seen,
    struct err *err)
{
	int64_t newest = 0;
	bool is_in = lease->known.seq == 0 || is_of_before(lease);

	if (!is_in && version != 0 &&
	    !audit_end_is_in(lease->db, &lease->known, &is_in, &newest, err))
		return false;
	if (!is_in && leads_elsewhere(lease, leader))
		(void)snprintf(seen->problem, sizeof(seen->problem),
		    "%s leads without %sentry %" PRId64
		    ", which this server's audit log ends with: move that log away (audit.log*), and start this server again",
		    leader->holder, newest >= lease->known.seq ? "that " : "", lease->known.seq);
	else if (!is_in && newest == 0)
		(void)text_copy(seen->problem, sizeof(seen->problem), STORE_FOREIGN_EMPTY);
	else if (!is_in && newest >= lease->known.seq)
		(void)snprintf(seen->problem, sizeof(seen->problem),
		    "entry %" PRId64
		    " of the database is another than this server's audit log ends with: it is another database, or that log branched: move it away (audit.log*), and start this server again",
		    lease->known.seq);
	else if (!is_in)
		(void)snprintf(seen->problem, sizeof(seen->problem),
		    "the database lacks entry %" PRId64
		    ", which this server's audit log ends with; it ends with %" PRId64
		    ": with deploybot and its sockets stopped `deploybot serve --rewound` goes on without",
		    lease->known.seq, newest);
	return true;
}

static bool
ask(struct lease *lease, struct lease_seen *seen, struct err *err)
{
	struct leader leader;
	int64_t version;

	if (lease->db == NULL) {
		lease->db = db_open(lease->config.database, 0, err);
		if (lease->db == NULL || !store_foreign_check(lease->db, &version, err) ||
		    !leader_make(lease->db, err))
			return false;
	}
	if (!db_begin_bare(lease->db, err))
		return false;
	db_rollback(lease->db); /* it is there again, if it was cut */
	if (!leader_read(lease->db, &leader, err) || !db_user_version(lease->db, &version, err))
		return false;
	seen->read_ms = clock_monotonic_ms();
	if (!may_serve(lease, version, err))
		return false;
	if (is_of_before(lease) && leads_elsewhere(lease, &leader))
		return err_set(err, ERR_CONFIG,
		    "%s leads: what is said of a database of before is for the one that is to lead: stop that one first, or start this one without",
		    leader.holder);
	if (!has_all(lease, &leader, version, seen, err))
		return false;
	if (seen->problem[0] == '\0' && has_right_clock(&leader, seen) &&
	    knows_schema(version, seen) && is_free(lease, &leader, seen)) {
		leader = lease->self;
		if (!leader_take(lease->db, is_of_before(lease), &leader, &seen->leads, err))
			return false;
	}
	if (!name_session(lease, seen, err))
		return false;
	(void)text_copy(seen->holder, sizeof(seen->holder), leader.holder);
	seen->is_led =
	    leader.holder[0] != '\0' && !leader.leaves && leader.left_ms > LEADER_ACTS_MS;
	seen->leaves = leader.leaves;
	seen->is_read = true;
	seen->epoch = leader.epoch;
	seen->since = leader.since;
	seen->n_replicas = -1;
	if (seen->leads)
		leader_fence_init(&lease->fence, &leader);
	return true;
}

/* --- a leader --- */

static void
look_at_clock(struct lease *lease)
{
	struct lease_seen seen = { 0 };
	struct leader leader;
	struct err err;

	if (clock_monotonic_ms() - lease->clock_read_ms < CLOCK_EACH_MS)
		return;
	lease->clock_read_ms = clock_monotonic_ms();
	if (leader_read(lease->db, &leader, &err) && !has_right_clock(&leader, &seen))
		log_error("%s", seen.problem);
}

/* A transaction of the store's renews it too, and holds the row until it ends: that of a migration
 * for long, when nothing is done yet that the fence does not end. */
static bool
renew(struct lease *lease, bool leaves)
{
	int64_t sent_ms = clock_boottime_ms();
	struct err err;
	bool leads;

	if (leaves && lease->leaves_by == 0)
		lease->leaves_by = sent_ms + LEAVES_MS;
	if (leaves && sent_ms > lease->leaves_by) {
		atomic_store(&lease->checked_ms, 0); /* nothing is checked behind the loop */
		end_deposed(lease, "it has not come to its end"); /* a standby waits for that */
	}
	if (leader_renew(lease->db, lease->fence.epoch, leaves, &leads, &err)) {
		if (!leads)
			end_deposed(lease, "another has taken over");
		leader_fence_renewed(&lease->fence, sent_ms);
		look_at_clock(lease);
		return true;
	}
	if (atomic_load(&lease->acts) && !leader_fence_is_at_work(&lease->fence) &&
	    !leader_fence_is_fresh(&lease->fence, LEADER_LEASE_MS))
		end_deposed(lease, err.text);
	return false;
}

/* --- the thread --- */

/* Each reason once: doctor on the other server calls who writes none gone. */
static void
write_row(struct lease *lease)
{
	CLEANUP(freep) char *marks = NULL;
	struct err err = { 0 };

	if (lease->db == NULL || clock_monotonic_ms() < lease->row_due_ms)
		return;
	lease->row_due_ms = clock_monotonic_ms() + ROW_SERVER_EACH_MS;
	(void)pthread_mutex_lock(&lease->lock);
	marks = mem_text(lease->marks);
	(void)pthread_mutex_unlock(&lease->lock);
	if (!row_server_write(lease->db, lease->self.holder, marks, &err) &&
	    strcmp(err.text, lease->row_problem) != 0)
		log_warning("the row that doctor compares servers by: %s", err.text);
	(void)text_copy(lease->row_problem, sizeof(lease->row_problem), err.text); /* cut */
}

/* For the metrics: what does not answer is seen by the lease itself. */
static void
look_beside(struct lease *lease)
{
	char standby[LIMIT_RUNNER] = "";
	int64_t n_replicas = -1;
	bool ok;

	if (clock_monotonic_ms() < lease->row_due_ms)
		return;
	ok = row_leader_standby(lease->db, standby, NULL) &&
	    row_leader_replicas(lease->db, &n_replicas, NULL);
	(void)pthread_mutex_lock(&lease->lock);
	lease->seen.has_standby = standby[0] != '\0';
	lease->seen.n_replicas = ok ? n_replicas : -1;
	(void)pthread_mutex_unlock(&lease->lock);
}

/* False: it is to end. */
static bool
rest(struct lease *lease, int ms, bool *ret_leaves)
{
	struct timespec until;
	bool goes_on;

	(void)clock_gettime(CLOCK_MONOTONIC, &until); /* cannot fail */
	until.tv_nsec += ms % 1000 * 1000000L;
	until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	(void)pthread_mutex_lock(&lease->lock);
	while (!lease->is_woken && pthread_cond_timedwait(&lease->woken, &lease->lock, &until) == 0)
		continue;
	lease->is_woken = false;
	goes_on = !lease->ends;
	*ret_leaves = lease->leaves;
	(void)pthread_mutex_unlock(&lease->lock);
	return goes_on;
}

static void
stand_by(struct lease *lease)
{
	struct lease_seen seen = { 0 };
	struct err err;

	seen.read_ms = lease->seen.read_ms;
	if (!ask(lease, &seen, &err)) {
		seen = (struct lease_seen){ .read_ms = seen.read_ms };
		(void)text_copy(seen.problem, sizeof(seen.problem), err.text); /* cut */
		db_close(TAKE(lease->db)); /* the next may be to another server of it */
	}
	show(lease, &seen);
}

static void *
run(void *ctx)
{
	struct lease *lease = ctx;
	struct lease_seen seen;
	bool leaves;

	for (;;) {
		lease_look(lease, &seen);
		if (!rest(lease, seen.leads ? LEADER_RENEW_MS : LEASE_ASK_MS, &leaves))
			return NULL;
		if (!seen.leads)
			stand_by(lease);
		else if (renew(lease, leaves))
			look_beside(lease);
		write_row(lease);
	}
}

static int
start(struct lease *lease)
{
	pthread_condattr_t clock;

	(void)pthread_mutex_init(&lease->lock, NULL);
	(void)pthread_condattr_init(&clock);
	(void)pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&lease->woken, &clock);
	(void)pthread_condattr_destroy(&clock);
	lease_note(lease, lease->config.settings);
	return thread_start(&lease->thread, STACK_BYTES, run, lease);
}

struct lease *
lease_start(const struct lease_config *config, struct err *err)
{
	struct lease *lease = mem_new(1, sizeof(*lease));
	struct err why = { 0 };
	int failed;

	lease->config = *config;
	(void)text_copy(lease->self.holder, sizeof(lease->self.holder), config->name); /* fits */
	name_folder(config->folder, lease->self.folder);
	if (!audit_end_read(config->settings->audit_log_path, &lease->known, &why))
		log_warning("the audit log: %s", why.text); /* as is said when it is written */
	why = (struct err){ 0 };
	lease->clock_read_ms = clock_monotonic_ms();
	if (!ask(lease, &lease->seen, &why)) {
		lease->seen = (struct lease_seen){ 0 };
		(void)text_copy(lease->seen.problem, sizeof(lease->seen.problem), why.text);
	}
	failed = why.code == ERR_CONFIG ? 0 : start(lease);
	if (why.code != ERR_CONFIG && failed == 0)
		return lease;
	if (failed == 0)
		(void)err_set(err, why.code, "%s", why.text);
	else
		(void)err_errno(err, ERR_IO, failed, "starting the lease's thread");
	db_close(lease->db);
	free(lease->marks);
	free(lease);
	return NULL;
}

bool
lease_may_act(struct lease *lease)
{
	return lease == NULL || leader_fence_is_fresh(lease_fence(lease), LEADER_ACTS_MS);
}

static void
wake(struct lease *lease, bool ends)
{
	(void)pthread_mutex_lock(&lease->lock);
	lease->ends = ends;
	lease->leaves = lease->is_woken = true;
	(void)pthread_cond_signal(&lease->woken);
	(void)pthread_mutex_unlock(&lease->lock);
}

void
lease_leave(struct lease *lease)
{
	wake(lease, false);
}

void
lease_stop(struct lease *lease, bool gives_up)
{
	struct err err;

	if (lease == NULL)
		return;
	wake(lease, true);
	(void)pthread_join(lease->thread, NULL);
	if (gives_up && lease->seen.leads && !leader_give_up(lease->db, lease->fence.epoch, &err))
		log_warning("the lease is not given up: %s", err.text);
	db_close(lease->db);
	(void)pthread_cond_destroy(&lease->woken);
	(void)pthread_mutex_destroy(&lease->lock);
	free(lease->marks);
	free(lease);
}
