/* store_poison.c - the event in progress, and those that ended us, in a mapped page that outlives us.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "lib/err.h"
#include "lib/file.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/store_inside.h"

#define POISON_MAGIC  "poison2"
#define POISON_KEY    112
#define POISON_STARTS 3
#define POISON_MEMORY 30
#define POISON_SIZE   4096
#define POISON_KEYS   32 /* that ended the program, and were not decided on since */

struct poison_key {
	char key[POISON_KEY]; /* "": free, and so are those behind it */
	uint32_t starts;      /* that found it in progress */
};

/* The page.  A crash of the program leaves it as it was; one of the machine may lose it, and
 * then the counts begin anew.  A set of keys: events that end the program in turn would begin
 * each other's count anew. */
struct poison {
	char magic[8];
	char in_progress[POISON_KEY];	     /* "": between two events */
	struct poison_key seen[POISON_KEYS]; /* the one found last stands first */
	/* Of the same places: starts in a row that found it in progress behind an abort for memory.
	 * Where memory is short for a while, an innocent event is in progress as well. */
	uint32_t without_memory[POISON_KEYS];
	uint32_t is_without_memory; /* the program ended so: mem_mark() */
};

_Static_assert(sizeof(struct poison) <= POISON_SIZE, "it is one page");

static struct poison *
map_page(const char *path, struct err *err)
{
	CLEANUP(file_closep)
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat st = { .st_uid = (uid_t)-1 };
	void *map;
	int failed;

	if (fd < 0)
		return ERR_NULL(file_creation_failed(errno, path, err));
	/* What is cut under a mapping ends us by a signal. */
	(void)fstat(fd, &st); /* else its owner stays unknown */
	if (!file_owner_is_ours(st.st_uid, path, err))
		return NULL;
	failed = posix_fallocate(fd, 0, POISON_SIZE); /* so that no write meets a full disk */
	map = failed != 0 ? MAP_FAILED :
			    mmap(NULL, POISON_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return ERR_NULL(
		    err_errno(err, ERR_IO, failed != 0 ? failed : errno, "mapping %s", path));
	return map; /* which stays without its descriptor */
}

static bool
is_sound(const struct poison *page)
{
	bool sound = memcmp(page->magic, POISON_MAGIC, sizeof(page->magic)) == 0 &&
	    memchr(page->in_progress, '\0', POISON_KEY) != NULL;

	for (size_t i = 0; i < POISON_KEYS; i++)
		sound = sound && memchr(page->seen[i].key, '\0', POISON_KEY) != NULL;
	return sound;
}

/* Its place in the set; POISON_KEYS: none. */
static size_t
find(const struct poison *page, const char *key)
{
	for (size_t i = 0; i < POISON_KEYS && page->seen[i].key[0] != '\0'; i++)
		if (strcmp(page->seen[i].key, key) == 0)
			return i;
	return POISON_KEYS;
}

static void
move(struct poison *page, size_t to, size_t from, size_t n)
{
	memmove(&page->seen[to], &page->seen[from], n * sizeof(page->seen[0]));
	memmove(&page->without_memory[to], &page->without_memory[from],
	    n * sizeof(page->without_memory[0]));
}

/* What the last program left in progress is counted, and stands first. */
static void
count_start(struct poison *page)
{
	struct poison_key now = { 0 };
	uint32_t without_memory = 0;
	bool is_memory;
	size_t at;

	if (!is_sound(page)) {
		memset(page, 0, sizeof(*page));
		memcpy(page->magic, POISON_MAGIC, sizeof(page->magic));
	}
	is_memory = page->is_without_memory != 0;
	page->is_without_memory = 0;
	if (page->in_progress[0] == '\0')
		return;
	at = find(page, page->in_progress);
	memcpy(now.key, page->in_progress, sizeof(now.key));
	if (at < POISON_KEYS) {
		now.starts = page->seen[at].starts;
		without_memory = page->without_memory[at];
	} else {
		at = POISON_KEYS -
		    1; /* where all are taken, the one that was found longest ago goes */
	}
	now.starts += is_memory ? 0 : 1;
	move(page, 1, 0, at);
	page->seen[0] = now;
	page->without_memory[0] = is_memory ? without_memory + 1 : 0;
	page->in_progress[0] = '\0';
}

struct poison *
store_poison_open(const char *path, struct err *err)
{
	struct poison *page = map_page(path, err);

	if (page != NULL) {
		count_start(page);
		mem_mark(&page->is_without_memory);
	}
	return page;
}

void
store_poison_close(struct poison *poison)
{
	if (poison == NULL)
		return;
	mem_mark(NULL);
	(void)munmap(poison, POISON_SIZE); /* of a mapping that is there: cannot fail */
}

bool
store_poison_is(const struct poison *poison, const char *key)
{
	size_t at = poison == NULL ? POISON_KEYS : find(poison, key);

	return at < POISON_KEYS &&
	    (poison->seen[at].starts >= POISON_STARTS ||
		poison->without_memory[at] >= POISON_MEMORY);
}

bool
store_poison_is_empty(const struct poison *poison)
{
	return poison == NULL || poison->seen[0].key[0] == '\0';
}

void
store_poison_forget(struct poison *poison, const char *key)
{
	size_t at = poison == NULL ? POISON_KEYS : find(poison, key);

	if (at == POISON_KEYS)
		return;
	move(poison, at, at + 1, POISON_KEYS - at - 1);
	memset(&poison->seen[POISON_KEYS - 1], 0, sizeof(poison->seen[0]));
	poison->without_memory[POISON_KEYS - 1] = 0;
}

void
store_poison_enter(struct poison *poison, const char *key)
{
	if (poison == NULL)
		return;
	(void)text_copy(poison->in_progress, POISON_KEY, key); /* keys are made to fit */
	__atomic_signal_fence(__ATOMIC_SEQ_CST); /* it stands there before the handler begins */
}

void
store_poison_leave(struct poison *poison)
{
	if (poison == NULL)
		return;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	poison->in_progress[0] = '\0';
}
