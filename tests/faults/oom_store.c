/* oom_store.c - histories of the simulation in which the store gets no memory, place by place.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 *	FAULT_ANY=1 FAULT_SITES=1 LD_PRELOAD=libfault.so oom_store SECONDS [SEED [KEY,KEY,…]]
 *
 * The store's batches and projections are the window in which allocations fail; what the simulation
 * itself needs while a handler runs is outside of it.  Each history is a process of its own: in it
 * one place fails that was seen and has not failed yet, which ends that process by an abort, until
 * all have or the time is over.  Behind it another process starts on what it left: the database and
 * the chain of the audit are whole, the invariants of a commit hold, nothing more is quarantined.
 * A seed with keys plays that history alone.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/crypto.h"
#include "lib/db_upkeep.h"
#include "lib/log.h"
#include "store/audit_verify.h"
#include "tests/faults/fault.h"
#include "tests/faults/invariants.h"
#include "tests/faults/look.h"
#include "tests/sim/sim_inside.h"

#define CALLS_AHEAD 4 /* its first call fails, or one soon after */
#define ABORTED	    77
#define LOOKS	    5 /* first histories, in which nothing fails */

__attribute__((weak)) struct fault_page *fault_page(void);
__attribute__((weak)) void fault_window(bool is_open);

/* --- the window: the linker leads the calls here (--wrap) ---------------------------------- */

bool __real_store_batch(struct store *store, struct queue_list *events,
    struct queue_list *ret_outcomes, struct err *err);
bool __wrap_store_batch(struct store *store, struct queue_list *events,
    struct queue_list *ret_outcomes, struct err *err);
bool __real_store_project(struct store *store, struct queue_list *ret_outcomes);
bool __wrap_store_project(struct store *store, struct queue_list *ret_outcomes);
void __real_sim_check_before(struct sim *sim, struct tx *tx, struct sim_before *ret);
void __wrap_sim_check_before(struct sim *sim, struct tx *tx, struct sim_before *ret);
void __real_sim_check_after(struct sim *sim, struct tx *tx, const struct sim_before *before);
void __wrap_sim_check_after(struct sim *sim, struct tx *tx, const struct sim_before *before);
store_decode __real_sim_chat_decode, __wrap_sim_chat_decode;

bool
__wrap_store_batch(struct store *store, struct queue_list *events, struct queue_list *ret_outcomes,
    struct err *err)
{
	bool ok;

	fault_window(true);
	ok = __real_store_batch(store, events, ret_outcomes, err);
	fault_window(false);
	return ok;
}

bool
__wrap_store_project(struct store *store, struct queue_list *ret_outcomes)
{
	bool is_behind;

	fault_window(true);
	is_behind = __real_store_project(store, ret_outcomes);
	fault_window(false);
	return is_behind;
}

void
__wrap_sim_check_before(struct sim *sim, struct tx *tx, struct sim_before *ret)
{
	fault_window(false);
	__real_sim_check_before(sim, tx, ret);
	fault_window(true);
}

void
__wrap_sim_check_after(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	fault_window(false);
	__real_sim_check_after(sim, tx, before);
	fault_window(true);
}

bool
__wrap_sim_chat_decode(
    struct event *raw, struct queue_list *ret_events, int *ret_status, int64_t *ret_offset)
{
	bool is_readable;

	fault_window(false);
	is_readable = __real_sim_chat_decode(raw, ret_events, ret_status, ret_offset);
	fault_window(true);
	return is_readable;
}

/* --- what fails in a history ---------------------------------------------------------------- */

/* Of mem_abort() alone: a failed assertion comes by no call of ours. */
void __wrap_abort(void);
void
__wrap_abort(void)
{
	_exit(ABORTED);
}

static uint64_t
draw(uint64_t *x)
{
	uint64_t z = *x += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static bool
is_ours(const struct fault_site *site)
{
	return atomic_load(&site->ready) != 0 && site->class == FAULT_CLASS_malloc;
}

bool
sim_lacks_memory(void)
{
	return atomic_load(&fault_page()->last_hit) != 0;
}

static void
arm(struct fault_site *site, uint64_t seed)
{
	uint64_t x = seed ^ site->key;

	site->error = 12; /* ENOMEM */
	atomic_store(&site->skip, draw(&x) % 2 == 0 ? 0 : (uint32_t)(draw(&x) % CALLS_AHEAD));
	atomic_store(&site->fail, 1);
}

static void
disarm(struct fault_page *page)
{
	for (size_t i = 0; i < FAULT_SITES; i++)
		atomic_store(&page->sites[i].fail, 0);
}

/* One that has not failed yet, from a place in the table that is drawn.  0: all have. */
static uint64_t
arm_one(struct fault_page *page, uint64_t seed)
{
	uint64_t x = seed;
	size_t from = draw(&x) % FAULT_SITES;

	disarm(page);
	for (size_t i = 0; i < FAULT_SITES; i++) {
		struct fault_site *site = &page->sites[(from + i) % FAULT_SITES];

		if (!is_ours(site) || atomic_load(&site->hits) > 0)
			continue;
		arm(site, seed);
		return site->key;
	}
	return 0;
}

/* As libfault.so keeps it, whether it was met already or not. */
static struct fault_site *
site_of(struct fault_page *page, uint64_t key)
{
	for (size_t i = 0; i < FAULT_SITES; i++) {
		struct fault_site *site = &page->sites[(key + i) % FAULT_SITES];

		if (site->key == 0) {
			site->key = key;
			site->class = FAULT_CLASS_malloc;
			site->ready = 1;
		}
		if (site->key == key)
			return site;
	}
	abort();
}

static void
arm_these(struct fault_page *page, uint64_t seed, char *keys)
{
	for (char *word; (word = strsep(&keys, ",")) != NULL;)
		arm(site_of(page, strtoull(word, NULL, 16)), seed);
}

/* --- histories ------------------------------------------------------------------------------ */

static int
in_a_child(void (*run)(uint64_t seed), uint64_t seed)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		run(seed);
		exit(0);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid ? status : -1;
}

static void
play_whole(uint64_t seed)
{
	struct sim_totals totals = { 0 };

	sim_play(seed, &totals);
}

static void
on_broken(UNUSED void *ctx, const char *invariant, const char *evidence)
{
	(void)printf("broken: %s: %s\n", invariant, evidence);
	exit(1);
}

static void
must(bool good, const struct err *err)
{
	if (!good)
		on_broken(NULL, "the_next_start_goes_on", err->text);
}

/* Events that are quarantined: a history kills one of its own three times. */
static int64_t
count_quarantined(void)
{
	struct err err;
	struct db *db = db_open(sim_server_path(), DB_READ_ONLY, &err);
	struct invariants of = { db, NULL, 0, on_broken, NULL };
	int64_t n;

	must(db != NULL, &err);
	n = invariants_number(&of, "SELECT COUNT(*) FROM audit WHERE code = 'event_quarantined'");
	db_close(db);
	return n;
}

/* The next start, on what an abort left. */
static void
start_behind(UNUSED uint64_t seed)
{
	const struct store_config config = { .path = sim_server_path(),
		.audit_path = sim_server_audit_path(),
		.environments_path = sim_server_environments_path(),
		.poison_path = sim_server_poison_path() };
	struct queue_list outcomes = { 0 };
	struct err err = { .text = "" };
	struct audit_verified verified;
	struct look look = { 0 };
	struct invariants of;
	struct store *store;
	int64_t n_before;
	struct db *db;

	disarm(fault_page());
	sim_disk_heals_behind();
	n_before = count_quarantined();
	store = store_open(&config, &err);
	must(store != NULL, &err);
	if (store_project(store, &outcomes))
		on_broken(NULL, "the_next_start_goes_on", "a file cannot be written");
	outcome_free_all(&outcomes);
	store_close(store);
	db = db_open(sim_server_path(), DB_READ_ONLY, &err);
	must(db != NULL && db_quick_check(db, NULL, &err) && look_at(&look, db, 1, &err), &err);
	of = (struct invariants){ db, &look, clock_wall_ms(), on_broken, NULL };
	invariants_of_commit(&of);
	if (count_quarantined() != n_before)
		on_broken(NULL, "nothing_is_quarantined", "an event is");
	look_done(&look);
	db_close(db);
	must(audit_verify(sim_server_path(), sim_server_audit_path(), &verified, &err), &err);
}

/* True when it came to its rest with all invariants whole, or was aborted and can go on. */
static bool
play(uint64_t seed)
{
	int status = in_a_child(play_whole, seed);

	if (WIFEXITED(status) && WEXITSTATUS(status) == ABORTED)
		status = in_a_child(start_behind, seed);
	return status == 0;
}

static void
tell_failure(uint64_t seed, uint64_t key)
{
	const struct fault_page *page = fault_page();

	(void)printf("FAILED %" PRIu64 " %016" PRIx64, seed, key);
	(void)printf("\nlast_hit %016" PRIx64, atomic_load(&page->last_hit));
	for (size_t i = 0; i < FAULT_SITES; i++)
		for (size_t k = 0;
		     page->sites[i].key == page->last_hit && k < page->sites[i].frame_count; k++)
			(void)printf(" %" PRIx64, page->sites[i].frames[k]);
	(void)printf("\n");
}

/* Places known, failed. */
static void
count(const struct fault_page *page, unsigned *ret_known, unsigned *ret_hit)
{
	*ret_known = *ret_hit = 0;
	for (size_t i = 0; i < FAULT_SITES; i++) {
		*ret_known += is_ours(&page->sites[i]);
		*ret_hit += is_ours(&page->sites[i]) && atomic_load(&page->sites[i].hits) > 0;
	}
}

static bool
campaign(struct fault_page *page, uint64_t seed, time_t until)
{
	unsigned known, hit;
	uint64_t key = 1, i = 0;

	for (; key != 0 && time(NULL) < until; i++) {
		key = i < LOOKS ? 1 : arm_one(page, seed + i);
		if (!play(seed + i)) {
			tell_failure(seed + i, key);
			return false;
		}
		if (i % 100 == 99) {
			count(page, &known, &hit);
			(void)printf("  %" PRIu64 " histories: %u of %u places got no memory\n",
			    i + 1, hit, known);
			(void)fflush(stdout);
		}
	}
	count(page, &known, &hit);
	(void)printf("store: %u places ask for memory, %u got none once\n", known, hit);
	return hit > 0 || i <= LOOKS + 1; /* or the time was too short for more than looking */
}

int
main(int argc, char *argv[])
{
	struct fault_page *page = fault_page == NULL ? NULL : fault_page();
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)time(NULL);
	bool ok;

	if (page == NULL || argc < 2) {
		(void)fputs("oom_store SECONDS [SEED [KEYS]], under libfault.so\n", stderr);
		return 64;
	}
	fault_window(false);
	log_to(open("/dev/null", O_WRONLY | O_CLOEXEC));
	if (!crypto_start(NULL))
		return 71;
	sim_begin();
	atomic_store(&page->armed, 1);
	if (argc > 3) {
		arm_these(page, seed, argv[3]);
		ok = play(seed);
	} else {
		ok = campaign(page, seed, time(NULL) + strtol(argv[1], NULL, 10));
	}
	sim_end();
	return ok ? 0 : 1;
}
