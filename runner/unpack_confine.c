/* unpack_confine.c - leaves a process nothing but its descriptors, its memory and one folder.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "runner/unpack_confine.h"

#include <errno.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/landlock.h"

#define MB (1024UL * 1024UL)
/* Each right of the first three versions, reading and executing too. */
#define EVERY_RIGHT UINT64_C(0x7fff)

static bool
set_limits(struct err *err)
{
	static const struct {
		__rlimit_resource_t what;
		rlim_t most;
	} limits[] = { { RLIMIT_AS, 256 * MB }, { RLIMIT_CPU, 30 }, { RLIMIT_FSIZE, 512 * MB },
		{ RLIMIT_NPROC, 0 }, { RLIMIT_NOFILE, 16 }, { RLIMIT_CORE, 0 } };

	for (size_t i = 0; i < COUNT(limits); i++) {
		/* A second more, or the kernel's SIGKILL would come in the place of SIGXCPU. */
		const struct rlimit limit = { limits[i].most,
			limits[i].most + (limits[i].what == RLIMIT_CPU) };

		if (setrlimit(limits[i].what, &limit) != 0)
			return err_errno(err, ERR_DENIED, errno, "a limit of the process");
	}
	return true;
}

static bool
enter_landlock(int folder, struct err *err)
{
	int version = landlock_version(err), rules;
	bool is_good;

	if (version == 0)
		return err_set(err, ERR_DENIED, "this kernel has no Landlock (Linux 5.13)");
	rules = version > 0 ? landlock_new(version, EVERY_RIGHT, err) : -1;
	if (rules == -1)
		return false;
	is_good = landlock_allow(rules, version, folder,
		      LANDLOCK_WRITE | LANDLOCK_MAKE_DIR | LANDLOCK_MAKE_REG, err) &&
	    landlock_enter(rules, err);
	(void)close(rules);
	return is_good;
}

/* Of memory none becomes code.  openat2 alone opens; where, Landlock says. */
static bool
allow_calls(scmp_filter_ctx filter)
{
	static const int calls[] = { SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(pwrite64),
		SCMP_SYS(lseek), SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(newfstatat),
		SCMP_SYS(openat2), SCMP_SYS(mkdirat), SCMP_SYS(utimensat), SCMP_SYS(brk),
		SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex),
		SCMP_SYS(getrandom), SCMP_SYS(sysinfo), SCMP_SYS(clock_gettime),
		SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(rt_sigreturn),
		SCMP_SYS(rt_sigprocmask), SCMP_SYS(restart_syscall), SCMP_SYS(exit),
		SCMP_SYS(exit_group) };
	static const int of_memory[] = { SCMP_SYS(mmap), SCMP_SYS(mprotect) };

	for (size_t i = 0; i < COUNT(calls); i++)
		if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0) != 0)
			return false;
	for (size_t i = 0; i < COUNT(of_memory); i++)
		if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, of_memory[i], 1,
			SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) != 0)
			return false;
	return true;
}

/* By default a call of another architecture ends its thread alone. */
static bool
enter_seccomp(struct err *err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int status = 0;
	bool is_good = filter != NULL &&
	    seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0 &&
	    allow_calls(filter) && (status = seccomp_load(filter)) == 0;

	seccomp_release(filter);
	return is_good || err_errno(err, ERR_DENIED, -status, "a filter of system calls");
}

bool
unpack_confine(int folder, struct err *err)
{
	return set_limits(err) && enter_landlock(folder, err) && enter_seccomp(err);
}
