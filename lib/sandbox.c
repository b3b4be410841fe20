/* sandbox.c - what this process can never do from now on, whatever its code comes to.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <sys/socket.h>

#include "lib/err.h"
#include "lib/file.h"
#include "lib/landlock.h"

#define FAMILY_MASK UINT64_C(0xffffffff) /* the kernel looks at 32 bits of it, whatever is above */
#define FAMILY_BITS 5			 /* families of 0 to 31 are looked at one by one */

static const int never[] = {
#define NEVER(call) SCMP_SYS(call),
#include "lib/sandbox.def"
};

static const struct {
	int call;
	int number;
} denied[] = {
#define DENIED(call, number) { SCMP_SYS(call), number },
#include "lib/sandbox.def"
};

static bool
is_ours(unsigned family)
{
	return family == AF_UNIX || family == AF_INET || family == AF_INET6 || family == AF_NETLINK;
}

/* Returns 0, or an errno negated, as all of libseccomp's do.  A rule compares an argument once. */
static int
deny_families(scmp_filter_ctx filter)
{
	int why = 0;

	for (unsigned family = 0; why == 0 && family < 1U << FAMILY_BITS; family++)
		if (!is_ours(family))
			why = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(socket), 1,
			    SCMP_A0(SCMP_CMP_MASKED_EQ, FAMILY_MASK, family));
	for (unsigned bit = FAMILY_BITS; why == 0 && bit < 32; bit++)
		why = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(socket), 1,
		    SCMP_A0(SCMP_CMP_MASKED_EQ, UINT64_C(1) << bit, UINT64_C(1) << bit));
	return why;
}

/* What is opened for reading may be cut by it all the same, which Landlock knows since its third
 * version alone. */
static int
deny_cutting(scmp_filter_ctx filter)
{
	int why = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(openat), 1,
	    SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_TRUNC, O_RDONLY | O_TRUNC));

	return why != 0 ? why :
			  seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(open), 1,
			      SCMP_A1(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_TRUNC, O_RDONLY | O_TRUNC));
}

static int
deny_calls(scmp_filter_ctx filter)
{
	/* By default a call of another architecture ends its thread alone. */
	int why = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

	for (size_t i = 0; why == 0 && i < COUNT(never); i++)
		why = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, never[i], 0);
	if (why == 0)
		why = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(clone), 1,
		    SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
	for (size_t i = 0; why == 0 && i < COUNT(denied); i++)
		why = seccomp_rule_add(
		    filter, SCMP_ACT_ERRNO((unsigned)denied[i].number), denied[i].call, 0);
	if (why == 0)
		why = deny_cutting(filter);
	return why == 0 ? deny_families(filter) : why;
}

static bool
enter_seccomp(struct err *err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int why = -ENOMEM;

	if (filter != NULL) {
		why = deny_calls(filter);
		if (why == 0)
			why = seccomp_load(filter);
		seccomp_release(filter);
	}
	return why == 0 || err_errno(err, ERR_DENIED, -why, "the filter of calls (seccomp)");
}

static bool
allow_below(int rules, int version, const char *path, uint64_t rights, struct err *err)
{
	CLEANUP(file_closep) int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT || err_errno(err, ERR_DENIED, errno, "%s", path);
	return landlock_allow(rules, version, fd, rights, err) || err_wrap(err, "%s", path);
}

static bool
enter_landlock(int version, const char *const folders[], size_t n, struct err *err)
{
	CLEANUP(file_closep)
	int rules = landlock_new(version, LANDLOCK_CHANGE | LANDLOCK_EXECUTE, err);
	bool ok = rules >= 0 &&
	    allow_below(rules, version, "/dev/null", LANDLOCK_WRITE | LANDLOCK_TRUNCATE, err);

	for (size_t i = 0; ok && i < n; i++)
		ok = allow_below(rules, version, folders[i], LANDLOCK_CHANGE, err);
	return ok && landlock_enter(rules, err);
}

bool
sandbox_enter(const char *const folders[], size_t n, int *ret_landlock, struct err *err)
{
	int version = landlock_version(err);

	if (version < 0 || (version > 0 && !enter_landlock(version, folders, n, err)) ||
	    !enter_seccomp(err))
		return false;
	*ret_landlock = version;
	return true;
}
