/* oom_store.c - histories of the simulation in which the store gets no memory, place by place.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 *	FAULT_ANY=1 FAULT_SITES=1 LD_PRELOAD=libfault.so oom_store SECONDS [SEED [KEY,KEY,…]]
 *
 * The store's batches and projections are the window in which allocations fail; what the simulation
 * itself needs while a handler runs is outside of it.  Each history is a process of its own, so
 * that its leaks are its own: in it some places fail once that were seen and have not failed yet,
 * until all have or the time is over.  After each commit and at rest the invariants hold.
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

#include "lib/crypto.h"
#include "lib/log.h"
#include "tests/faults/fault.h"
#include "tests/sim/sim_inside.h"

#define AT_ONCE	    24 /* places that fail in one history */
#define CALLS_AHEAD 4  /* its first call fails, or one soon after */
#define LOOKS	    5  /* first histories, in which nothing fails */

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

static uint64_t hits_before; /* this batch */

static uint64_t
hits(void)
{
	return atomic_load(&fault_page()->hits[FAULT_ROLE_server][FAULT_CLASS_malloc]);
}

static bool
has_failed_one(void)
{
	return hits() != hits_before;
}

bool
__wrap_store_batch(struct store *store, struct queue_list *events, struct queue_list *ret_outcomes,
    struct err *err)
{
	bool ok;

	hits_before = hits();
	fault_window(true);
	ok = __real_store_batch(store, events, ret_outcomes, err);
	fault_window(false);
	return ok;
}

bool
__wrap_store_project(struct store *store, struct queue_list *ret_outcomes)
{
	bool is_behind;
	uint64_t before;

	do { /* the store's thread would try again in a moment */
		before = hits();
		fault_window(true);
		is_behind = __real_store_project(store, ret_outcomes);
		fault_window(false);
	} while (is_behind && hits() != before);
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

/* Those that have not failed yet, from a place in the table that is drawn. */
static size_t
arm_some(struct fault_page *page, uint64_t seed, uint64_t keys[AT_ONCE])
{
	uint64_t x = seed;
	size_t from = draw(&x) % FAULT_SITES, n = 0;

	disarm(page);
	for (size_t i = 0; i < FAULT_SITES && n < AT_ONCE; i++) {
		struct fault_site *site = &page->sites[(from + i) % FAULT_SITES];

		if (!is_ours(site) || atomic_load(&site->hits) > 0)
			continue;
		arm(site, seed);
		keys[n++] = site->key;
	}
	return n;
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

/* True when it came to its rest with all invariants whole and nothing leaked. */
static bool
play(uint64_t seed)
{
	struct sim_totals totals = { 0 };
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		sim_is_short_of_memory = has_failed_one;
		sim_play(seed, &totals);
		exit(0); /* a sanitizer looks for leaks */
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static void
tell_failure(uint64_t seed, const uint64_t *keys, size_t n)
{
	const struct fault_page *page = fault_page();

	(void)printf("FAILED %" PRIu64 " ", seed);
	for (size_t i = 0; i < n; i++)
		(void)printf("%s%016" PRIx64, i == 0 ? "" : ",", keys[i]);
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
	uint64_t keys[AT_ONCE];
	unsigned known, hit;
	size_t n = 1;

	uint64_t i = 0;

	for (; n > 0 && time(NULL) < until; i++) {
		n = i < LOOKS ? AT_ONCE : arm_some(page, seed + i, keys);
		if (!play(seed + i)) {
			tell_failure(seed + i, keys, i < LOOKS ? 0 : n);
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
