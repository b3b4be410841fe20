/* store_poison.c - the key of the event in progress, in a mapped page that outlives us.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/file.h"
#include "lib/text.h"
#include "store/store_inside.h"

#define POISON_MAGIC  "poison1"
#define POISON_KEY    112
#define POISON_STARTS 3
#define POISON_SIZE   4096

/* The page.  A crash of the program leaves it as it was; one of the machine may lose it, and
 * then the count begins anew. */
struct poison {
	char magic[8];
	char in_progress[POISON_KEY]; /* "": between two events */
	char last[POISON_KEY];	      /* found in progress at the last start */
	uint32_t starts;	      /* in a row */
};

static struct poison *
map_page(const char *path, struct err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat st = { .st_uid = (uid_t)-1 };
	void *map;
	int failed;

	if (fd < 0)
		return ERR_NULL(err_errno(err, ERR_IO, errno, "opening %s", path));
	/* What is cut under a mapping ends us by a signal. */
	(void)fstat(fd, &st); /* else its owner stays unknown */
	if (!file_owner_is_ours(st.st_uid, path, err)) {
		(void)close(fd); /* nothing was written */
		return NULL;
	}
	failed = posix_fallocate(fd, 0, POISON_SIZE); /* so that no write meets a full disk */
	map = failed != 0 ? MAP_FAILED :
			    mmap(NULL, POISON_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		(void)err_errno(err, ERR_IO, failed != 0 ? failed : errno, "mapping %s", path);
		map = NULL;
	}
	(void)close(fd); /* the mapping stays */
	return map;
}

/* What the last program left: the same key again, another, or none. */
static void
count_start(struct poison *page)
{
	bool known = memcmp(page->magic, POISON_MAGIC, sizeof(page->magic)) == 0 &&
	    memchr(page->in_progress, '\0', POISON_KEY) != NULL &&
	    memchr(page->last, '\0', POISON_KEY) != NULL;

	if (!known) {
		memset(page, 0, sizeof(*page));
		memcpy(page->magic, POISON_MAGIC, sizeof(page->magic));
	}
	if (page->starts >= POISON_STARTS)
		page->in_progress[0] = '\0'; /* it is quarantined when it comes, however late */
	else if (page->in_progress[0] == '\0')
		page->starts = 0;
	else if (strcmp(page->in_progress, page->last) == 0)
		page->starts++;
	else
		page->starts = 1;
	if (page->in_progress[0] != '\0')
		memcpy(page->last, page->in_progress, sizeof(page->last));
	page->in_progress[0] = '\0';
}

struct poison *
store_poison_open(const char *path, struct err *err)
{
	struct poison *page = map_page(path, err);

	if (page != NULL)
		count_start(page);
	return page;
}

void
store_poison_close(struct poison *poison)
{
	if (poison != NULL)
		(void)munmap(poison, POISON_SIZE); /* of a mapping that is there: cannot fail */
}

bool
store_poison_is(const struct poison *poison, const char *key)
{
	return poison != NULL && poison->starts >= POISON_STARTS && strcmp(poison->last, key) == 0;
}

void
store_poison_forget(struct poison *poison)
{
	if (poison != NULL)
		poison->starts = 0;
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
