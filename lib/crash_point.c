/* crash_point.c - dies at the passage that the environment names.  Of test builds alone.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/crash_point.h"

#ifdef DEPLOYBOT_CRASH_POINTS

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PIDS_MAX 256
#define LATE_NS	 100000000L

/* As tests/faults/crash.py reads it. */
struct page {
	uint32_t is_over; /* whoever made the page wants no more of it */
	uint32_t passed[CRASH_POINT_COUNT];
	uint32_t died[CRASH_POINT_COUNT];
	uint32_t n_pids;
	int32_t pids[PIDS_MAX]; /* of everybody who came by a point */
};

static const char *const names[] = {
#define CRASH(name, who, faults, flow, words) #name,
#include "lib/crash_point.def"
};

/* Never unmapped: the last passage is the process's end. */
static struct page *
map_page(void)
{
	static struct page own;
	const char *path = getenv("DEPLOYBOT_CRASH_PAGE");
	int fd = path == NULL ? -1 : open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	void *map = MAP_FAILED;

	if (fd != -1 && ftruncate(fd, sizeof(struct page)) == 0)
		map = mmap(NULL, sizeof(struct page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd != -1)
		(void)close(fd);
	return map == MAP_FAILED ? &own : map;
}

/* Two threads may come by first together: the second mapping of the page is the same page. */
static struct page *
get_page(void)
{
	static struct page *page;
	static pid_t listed;

	if (page == NULL)
		page = map_page();
	if (listed != getpid()) {
		uint32_t n = __atomic_fetch_add(&page->n_pids, 1, __ATOMIC_SEQ_CST);

		listed = getpid();
		if (n < PIDS_MAX)
			page->pids[n] = listed;
	}
	return page;
}

static int
is_wanted(enum crash_point point, uint32_t passage, const char *wanted)
{
	size_t length = strlen(names[point]);
	unsigned long first = 1, last = 1;
	char *end;

	if (wanted == NULL || strncmp(wanted, names[point], length) != 0 ||
	    (wanted[length] != ':' && wanted[length] != '\0'))
		return 0;
	if (wanted[length] == ':' && wanted[length + 1] >= '0' && wanted[length + 1] <= '9') {
		first = last = strtoul(wanted + length + 1, &end, 10);
		if (*end == '-')
			last = strtoul(end + 1, NULL, 10);
	}
	return passage >= first && passage <= last;
}

void
crash_point_pass(enum crash_point point)
{
	const char *wanted = getenv("DEPLOYBOT_CRASH");
	struct page *page = get_page();
	uint32_t passage = __atomic_add_fetch(&page->passed[point], 1, __ATOMIC_SEQ_CST);

	if (page->is_over || !is_wanted(point, passage, wanted))
		return;
	(void)__atomic_add_fetch(&page->died[point], 1, __ATOMIC_SEQ_CST);
	if (strstr(wanted, ":late") != NULL)
		(void)nanosleep(&(struct timespec){ .tv_nsec = LATE_NS }, NULL);
	for (uint32_t i = 0; strstr(wanted, ":power") != NULL && i < page->n_pids; i++)
		if (i < PIDS_MAX && page->pids[i] > 0 && page->pids[i] != getpid())
			(void)kill(page->pids[i], SIGKILL);
	(void)kill(getpid(), SIGKILL);
}

#endif
