/* fault.c - decides which call fails: a page of shared memory, its rule, its sites.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 *	LD_PRELOAD=libfault.so FAULT=write:ENOSPC:3 FAULT_REPORT=/dev/stderr program
 *
 *	FAULT=class:error:n[+count|+forever][:process=ROLE of fault.h][:path=part of it]
 *	FAULT_SITES=1		tells sites apart, by 4 frames above each call and 4 of the program;
 *				another number: so many above
 *	FAULT_PAGE=file		the page stands there, and is used as it is when it is one already
 *	FAULT_REPORT=file	a line for each hit, and the totals when the program exits
 */
#include "tests/faults/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <unwind.h>

#define NEAR_FRAMES 4
#define OWN_FRAMES  4
#define DEPTH_MAX   40

#define X(name) #name,
static const char *const class_names[] = { FAULT_CLASSES(X) };
static const char *const role_names[] = { FAULT_ROLES(X) };
#undef X

struct module {
	uintptr_t start, end, base;
	uint64_t hash;
	bool is_program;
	bool is_sanitizer;
};

static struct fault_page *page;
static enum fault_role role;
static struct module modules[FAULT_MODULES];
static size_t module_count;
static size_t near_frames = NEAR_FRAMES;
static const struct module *fault_module; /* ours: its frames say nothing */
static char report_path[256];
/* Tests' own programs count only in their windows. */
static bool by_window, window_open = true;
static __thread volatile bool inside __attribute__((tls_model("initial-exec")));

/* Cut where it does not fit.  No text_copy(): this stands below every program. */
static void
copy(char *to, size_t room, const char *from)
{
	size_t n = strnlen(from, room - 1);

	memcpy(to, from, n);
	to[n] = '\0';
}

/* ---- sites ------------------------------------------------------------------------------- */

static uint64_t
mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ (hash >> 29);
}

static uint64_t
hash_of(const char *text)
{
	uint64_t hash = 1;

	for (; *text != '\0'; text++)
		hash = mix(hash, (unsigned char)*text);
	return hash;
}

static const struct module *
module_of(uintptr_t at)
{
	for (size_t i = 0; i < module_count; i++)
		if (at >= modules[i].start && at < modules[i].end)
			return &modules[i];
	return NULL;
}

static void
name_module(const char *name, uint64_t hash)
{
	for (size_t i = 0; i < FAULT_MODULES; i++) {
		uint64_t free_one = 0;

		if (atomic_load(&page->modules[i].hash) == hash)
			return;
		if (!atomic_compare_exchange_strong(&page->modules[i].hash, &free_one, hash))
			continue;
		copy(page->modules[i].name, sizeof(page->modules[i].name), name);
		return;
	}
}

static int
on_module(struct dl_phdr_info *info, size_t size, void *ctx)
{
	bool is_first = module_count == 0;
	struct module *module = &modules[module_count];
	char own[256];
	const char *name = info->dlpi_name;
	ssize_t n;

	(void)size;
	(void)ctx;
	if (module_count == FAULT_MODULES)
		return 1;
	if (is_first) {
		n = readlink("/proc/self/exe", own, sizeof(own) - 1);
		own[n > 0 ? n : 0] = '\0';
		name = own;
	}
	if (strrchr(name, '/') != NULL)
		name = strrchr(name, '/') + 1;
	*module = (struct module){ .start = UINTPTR_MAX,
		.base = info->dlpi_addr,
		.hash = hash_of(name) >> 48,
		.is_program = is_first,
		.is_sanitizer = strstr(name, "asan.so") != NULL };
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + part->p_vaddr;

		if (part->p_type != PT_LOAD)
			continue;
		if (start < module->start)
			module->start = start;
		if (start + part->p_memsz > module->end)
			module->end = start + part->p_memsz;
	}
	name_module(name, module->hash | 1);
	module->hash |= 1;
	module_count++;
	return 0;
}

static enum fault_kind
kind_of(int fd)
{
	struct stat st;
	int type = 0;
	socklen_t size = sizeof(type);

	if (fd < 0)
		return FAULT_KIND_none;
	if (fstat(fd, &st) != 0)
		return FAULT_KIND_other;
	if (S_ISREG(st.st_mode))
		return FAULT_KIND_file;
	if (S_ISDIR(st.st_mode))
		return FAULT_KIND_folder;
	if (S_ISFIFO(st.st_mode))
		return FAULT_KIND_pipe;
	if (!S_ISSOCK(st.st_mode))
		return FAULT_KIND_other;
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_STREAM)
		return FAULT_KIND_packet;
	return FAULT_KIND_stream;
}

/* A stack, as far as it says where a call came from. */
struct look {
	uint64_t *frames;
	size_t n, own, near;
	int depth;
	bool is_sanitizers; /* it asks, and has no use for an error */
};

static _Unwind_Reason_Code
on_frame(struct _Unwind_Context *context, void *ctx)
{
	struct look *look = ctx;
	uintptr_t at = _Unwind_GetIP(context);
	const struct module *module = module_of(at);

	if (look->depth++ == DEPTH_MAX)
		return _URC_END_OF_STACK;
	if (module == fault_module || module == NULL)
		return _URC_NO_REASON;
	look->is_sanitizers |= module->is_sanitizer && look->near < near_frames;
	if (look->near++ >= near_frames && !module->is_program)
		return _URC_NO_REASON;
	look->frames[look->n++] = module->hash << 48 | (at - module->base);
	look->own += module->is_program;
	return look->own == OWN_FRAMES || look->n == FAULT_FRAMES ? _URC_END_OF_STACK :
								    _URC_NO_REASON;
}

static struct fault_site *
site_of(enum fault_class class, const char *call, int fd, bool *ret_is_sanitizers)
{
	uint64_t frames[FAULT_FRAMES] = { 0 };
	struct look look = { .frames = frames };
	size_t n = ((void)_Unwind_Backtrace(on_frame, &look), look.n);
	enum fault_kind kind = kind_of(fd);
	uint64_t key = mix(mix(1, class * 256U + role * 16U + kind), hash_of(call));

	*ret_is_sanitizers = look.is_sanitizers;
	for (size_t i = 0; i < n; i++)
		key = mix(key, frames[i]);
	key |= 1;
	for (size_t i = 0; i < FAULT_SITES; i++) {
		struct fault_site *site = &page->sites[(key + i) % FAULT_SITES];
		uint64_t found = 0;

		if (atomic_compare_exchange_strong(&site->key, &found, key)) {
			site->class = (uint8_t) class;
			site->role = (uint8_t)role;
			site->kind = (uint8_t)kind;
			site->frame_count = (uint8_t)n;
			copy(site->call, sizeof(site->call), call);
			memcpy(site->frames, frames, sizeof(frames));
			atomic_store(&site->ready, 1);
			return site;
		}
		if (found == key) {
			if (site->frame_count == 0 && n > 0) { /* armed before it was met */
				memcpy(site->frames, frames, sizeof(frames));
				site->frame_count = (uint8_t)n;
			}
			return site;
		}
	}
	atomic_fetch_add(&page->sites_lost, 1);
	return NULL;
}

/* ---- a passage --------------------------------------------------------------------------- */

static bool
take_one(_Atomic uint32_t *number)
{
	uint32_t have = atomic_load(number);

	while (have > 0)
		if (atomic_compare_exchange_weak(number, &have, have - 1))
			return true;
	return false;
}

static bool
is_path(int fd, const char *path)
{
	char link[64], name[512];
	ssize_t n;

	if (page->path[0] == '\0')
		return true;
	if (path != NULL && strstr(path, page->path) != NULL)
		return true;
	if (fd < 0)
		return false;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, name, sizeof(name) - 1);
	name[n > 0 ? n : 0] = '\0';
	return strstr(name, page->path) != NULL;
}

static bool
can_be_short(int fd)
{
	enum fault_kind kind = kind_of(fd);

	return kind == FAULT_KIND_file || kind == FAULT_KIND_pipe || kind == FAULT_KIND_stream;
}

static bool
rule_says(enum fault_class class, int fd, const char *path)
{
	uint64_t nth;

	if (page->count == 0 || page->class != class || (page->roles & 1U << role) == 0 ||
	    (page->kinds != 0 && (page->kinds & 1U << kind_of(fd)) == 0) || !is_path(fd, path) ||
	    (page->error == 0 && !can_be_short(fd)))
		return false;
	nth = atomic_fetch_add(&page->seen, 1);
	if (nth < page->after || nth - page->after >= page->count)
		return false;
	atomic_fetch_add(&page->rule_hits, 1);
	return true;
}

/* One write: lines of several processes do not mix. */
static void
report(const char *text, int length)
{
	int fd;

	if (report_path[0] == '\0' || length <= 0)
		return;
	fd = (int)syscall(
	    SYS_openat, AT_FDCWD, report_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	(void)syscall(SYS_write, fd, text, (size_t)length);
	(void)syscall(SYS_close, fd);
}

static void
report_hit(enum fault_class class, const char *call, int error, const struct fault_site *site)
{
	char line[512];
	int n =
	    snprintf(line, sizeof(line), "%s %llu %s %s pid %d %s site %016llx", class_names[class],
		(unsigned long long)atomic_load(&page->calls[role][class]), call, role_names[role],
		(int)syscall(SYS_getpid), error == 0 ? "short" : strerrorname_np(error),
		site == NULL ? 0ULL : (unsigned long long)site->key);

	for (size_t i = 0; site != NULL && i < site->frame_count; i++)
		n += snprintf(line + n, sizeof(line) - (size_t)n, " %llx",
		    (unsigned long long)site->frames[i]);
	line[n++] = '\n';
	report(line, n);
}

static struct fault_verdict
decide(enum fault_class class, const char *call, int fd, const char *path)
{
	struct fault_site *site = NULL;
	int error = 0;
	bool hit = false, is_sanitizers = false;

	atomic_fetch_add_explicit(&page->calls[role][class], 1, memory_order_relaxed);
	if (atomic_load(&page->sites_on) != 0)
		site = site_of(class, call, fd, &is_sanitizers);
	if (site != NULL)
		atomic_fetch_add_explicit(&site->calls, 1, memory_order_relaxed);
	if (atomic_load(&page->armed) == 0 || is_sanitizers)
		return (struct fault_verdict){ 0 };
	if (site != NULL && atomic_load(&site->fail) > 0 && !take_one(&site->skip) &&
	    take_one(&site->fail)) {
		hit = true;
		error = site->error;
	} else if (rule_says(class, fd, path)) {
		hit = true;
		error = page->error;
	}
	if (!hit)
		return (struct fault_verdict){ 0 };
	if (site != NULL) {
		atomic_fetch_add(&site->hits, 1);
		atomic_store(&page->last_hit, site->key);
	}
	atomic_fetch_add(&page->hits[role][class], 1);
	report_hit(class, call, error, site);
	return (struct fault_verdict){ error, error == 0 };
}

struct fault_verdict
fault_look(enum fault_class class, const char *call, int fd, const char *path)
{
	struct fault_verdict verdict;
	int before = errno;

	if (page == NULL || inside || (by_window && !window_open))
		return (struct fault_verdict){ 0 };
	inside = true;
	verdict = decide(class, call, fd, path);
	inside = false;
	errno = before;
	return verdict;
}

void
fault_forked(void)
{
	if (role == FAULT_ROLE_runner || role == FAULT_ROLE_supervisor)
		role++;
}

__attribute__((visibility("default"))) struct fault_page *
fault_page(void)
{
	return page;
}

__attribute__((visibility("default"))) void
fault_window(bool is_open)
{
	by_window = true;
	window_open = is_open;
}

bool
fault_is_runner(const char *path)
{
	static const char name[] = "deploybot-runner";
	size_t n = strlen(path);

	return page != NULL && n >= sizeof(name) - 1 &&
	    strcmp(path + n - (sizeof(name) - 1), name) == 0;
}

/* ---- the page ---------------------------------------------------------------------------- */

static int
find(const char *const names[], size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -1;
}

static _Noreturn void
refuse(const char *what)
{
	static const char text[] = "libfault: FAULT cannot be read at ";

	(void)syscall(SYS_write, 2, text, sizeof(text) - 1);
	(void)syscall(SYS_write, 2, what, strlen(what));
	(void)syscall(SYS_write, 2, "\n", 1);
	_exit(64);
}

static int
error_number(const char *name)
{
	if (strcmp(name, "short") == 0)
		return 0;
	for (int i = 1; i < 134; i++)
		if (strerrorname_np(i) != NULL && strcmp(strerrorname_np(i), name) == 0)
			return i;
	refuse(name);
}

static void
read_count(char *text)
{
	char *plus = strchr(text, '+'), *end;

	page->after = strtoull(text, &end, 10);
	if (end == text || page->after == 0)
		refuse(text);
	page->after--;
	page->count = 1;
	if (plus != NULL)
		page->count =
		    strcmp(plus, "+forever") == 0 ? UINT64_MAX : strtoull(plus + 1, NULL, 10);
}

static void
read_rule(const char *given)
{
	char text[256], *rest = text, *word;
	int found;

	if (strlen(given) >= sizeof(text))
		refuse(given);
	memcpy(text, given, strlen(given) + 1);
	page->roles = (1U << FAULT_ROLE_COUNT) - 1;
	for (int i = 0; (word = strsep(&rest, ":")) != NULL; i++) {
		if (i == 0) {
			found = find(class_names, FAULT_CLASS_COUNT, word);
			if (found < 0)
				refuse(word);
			page->class = (uint32_t)found;
		} else if (i == 1) {
			page->error = error_number(word);
		} else if (i == 2) {
			read_count(word);
		} else if (strncmp(word, "process=", 8) == 0) {
			found = find(role_names, FAULT_ROLE_COUNT, word + 8);
			if (found < 0)
				refuse(word);
			page->roles = 1U << found;
		} else if (strncmp(word, "path=", 5) == 0) {
			copy(page->path, sizeof(page->path), word + 5);
		} else {
			refuse(word);
		}
	}
	if (page->count == 0)
		refuse(given);
	atomic_store(&page->armed, 1);
}

/* By the kernel's own calls: libc's are wrapped. */
static void
map_page(const char *file)
{
	int fd = -1, flags = MAP_SHARED | MAP_ANONYMOUS;
	uint64_t fresh = 0;
	void *at;

	if (file != NULL) {
		fd = (int)syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0 || syscall(SYS_ftruncate, fd, sizeof(*page)) != 0)
			refuse(file);
		flags = MAP_SHARED;
	}
	at = (void *)syscall(SYS_mmap, NULL, sizeof(*page), PROT_READ | PROT_WRITE, flags, fd, 0);
	if (at == MAP_FAILED)
		refuse("mmap");
	if (fd >= 0)
		(void)syscall(SYS_close, fd);
	page = at;
	(void)atomic_compare_exchange_strong(&page->magic, &fresh, FAULT_MAGIC);
}

/* A shell between server and runner is let be. */
static bool
is_ours(const char *name)
{
	return strncmp(name, "deploybot", 9) == 0 || getenv("FAULT_ANY") != NULL;
}

static void
begin(void)
{
	const char *file = getenv("FAULT_PAGE"), *rule = getenv("FAULT"), *where, *sites;
	uint64_t frames[FAULT_FRAMES];
	struct look warm = { .frames = frames };
	bool is_new;

	if (!is_ours(program_invocation_short_name) ||
	    (file == NULL && rule == NULL && getenv("FAULT_SITES") == NULL))
		return;
	inside = true;
	map_page(file);
	is_new = page->count == 0;
	(void)dl_iterate_phdr(on_module, NULL);
	fault_module = module_of((uintptr_t)&begin);
	(void)_Unwind_Backtrace(on_frame, &warm); /* what it does once, it does now */
	where = getenv("FAULT_REPORT");
	if (where != NULL)
		copy(report_path, sizeof(report_path), where);
	if (strcmp(program_invocation_short_name, "deploybot-runner") == 0)
		role = FAULT_ROLE_runner;
	sites = getenv("FAULT_SITES");
	if (sites != NULL) {
		near_frames = strcmp(sites, "1") == 0 ? NEAR_FRAMES : strtoul(sites, NULL, 10);
		atomic_store(&page->sites_on, 1);
	}
	if (rule != NULL && is_new)
		read_rule(rule);
	inside = false;
}

static void
report_totals(void)
{
	char line[256];

	for (int r = 0; r < FAULT_ROLE_COUNT; r++) {
		for (int c = 0; c < FAULT_CLASS_COUNT; c++) {
			uint64_t calls = atomic_load(&page->calls[r][c]);
			int n = snprintf(line, sizeof(line), "total %s %s %llu hit %llu\n",
			    class_names[c], role_names[r], (unsigned long long)calls,
			    (unsigned long long)atomic_load(&page->hits[r][c]));

			if (calls > 0)
				report(line, n);
		}
	}
}

__attribute__((constructor)) static void
on_load(void)
{
	begin();
}

__attribute__((destructor)) static void
on_unload(void)
{
	if (page == NULL)
		return;
	inside = true;
	report_totals();
	inside = false;
}
