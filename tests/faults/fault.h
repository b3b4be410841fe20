/* fault.h - which call fails, and how: for fault_calls.c and for test programs.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * Everything stands in one page of shared memory (FAULT_PAGE names its file), so that a campaign
 * looks at it and changes it while programs run (tests/faults/fault_page.py knows the layout).
 * Safe in threads, forks and signal handlers; it allocates nothing.
 *
 * A call fails when the page is armed and either the rule says so (the n-th call of a class, for so
 * many times) or its site does.  A site is a class, a role and where the call comes from: 4 frames
 * above it and 4 of the program itself, as offsets in their files, so that a site has the same
 * key in every run of one build.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* malloc: also mmap.  open: whatever changes folders and files.  socket: whatever else makes a
 * descriptor.  net: bind, connect and the like.  wait: poll, epoll_wait. */
#define FAULT_CLASSES(C) \
	C(malloc) C(read) C(write) C(flush) C(open) C(socket) C(net) C(fork) C(wait)

/* supervisor: also who asks git.  leader: a forked one until it becomes a script, which is let be.
 * */
#define FAULT_ROLES(R) R(server) R(runner) R(supervisor) R(main_process)

/* What its descriptor is: an error that the kernel never gives for it proves nothing. */
#define FAULT_KINDS(K) K(none) K(file) K(folder) K(pipe) K(stream) K(packet) K(other)

#define X(name) FAULT_CLASS_##name,
enum fault_class { FAULT_CLASSES(X) FAULT_CLASS_COUNT };
#undef X
#define X(name) FAULT_ROLE_##name,
enum fault_role { FAULT_ROLES(X) FAULT_ROLE_COUNT };
#undef X
#define X(name) FAULT_KIND_##name,
enum fault_kind { FAULT_KINDS(X) FAULT_KIND_COUNT };
#undef X

#define FAULT_MAGIC   UINT64_C(0x31304c5546544c46)
#define FAULT_MODULES 64
#define FAULT_SITES   32768 /* a power of two */
#define FAULT_FRAMES  9

struct fault_site {
	_Atomic uint64_t key;	/* 0: free */
	_Atomic uint32_t ready; /* what follows is written */
	uint8_t class, role, kind, frame_count;
	_Atomic uint64_t calls;
	_Atomic uint32_t fail; /* so many more of its calls, after `skip` */
	_Atomic uint32_t skip;
	int32_t error;	    /* 0: only a part is done */
	_Atomic uint32_t hits;
	char call[16];
	uint64_t frames[FAULT_FRAMES]; /* a hash of the file's name << 48 | offset in it */
};

struct fault_page {
	_Atomic uint64_t magic;
	_Atomic uint32_t armed;
	_Atomic uint32_t sites_on; /* sites are told apart: some microseconds for each call */
	/* the rule */
	uint32_t class, roles; /* bits */
	int32_t error;	       /* 0: only a part is done */
	uint32_t kinds;	       /* bits; 0: any */
	uint64_t after; /* calls that are let pass */
	uint64_t count; /* then so many fail */
	_Atomic uint64_t seen;
	_Atomic uint64_t rule_hits;
	char path[128]; /* what its file's name contains; empty: any */
	_Atomic uint64_t calls[FAULT_ROLE_COUNT][FAULT_CLASS_COUNT];
	_Atomic uint64_t hits[FAULT_ROLE_COUNT][FAULT_CLASS_COUNT];
	_Atomic uint64_t sites_lost; /* the table was full */
	_Atomic uint64_t last_hit;   /* key of the site, when sites are on */
	_Atomic uint32_t module_count;
	uint32_t pad2;
	struct {
		char name[56];
		_Atomic uint64_t hash; /* 0: free */
	} modules[FAULT_MODULES];
	struct fault_site sites[FAULT_SITES];
};

struct fault_verdict {
	int error;     /* 0: it goes on */
	bool is_short; /* with a part of what it was asked for */
};

/* One passage of a call.  `fd` -1 and `path` NULL where there is none.  errno stays what it was. */
struct fault_verdict fault_look(enum fault_class class, const char *call, int fd, const char *path);

/* A child was forked by us: whose role it has now. */
void fault_forked(void);

/* For a test program under it, which finds them as weak symbols: its page, and which part of its
 * run counts.  Without a call everything does. */
struct fault_page *fault_page(void);
void fault_window(bool is_open);

/* The program that is given an environment of its own, and that we follow all the same. */
bool fault_is_runner(const char *path);
