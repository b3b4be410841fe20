/* landlock.c - folders that this process can write below, and nothing beside them.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/landlock.h"

#include <errno.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/err.h"

int
landlock_version(struct err *err)
{
	long version =
	    syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	if (version >= 0)
		return (int)version;
	if (errno == ENOSYS || errno == EOPNOTSUPP)
		return 0;
	return ERR_FD(err_errno(err, ERR_DENIED, errno, "asking for Landlock"));
}

static uint64_t
known(int version, uint64_t rights)
{
	if (version < 3)
		rights &= ~LANDLOCK_TRUNCATE;
	if (version < 2)
		rights &= ~LANDLOCK_REFER;
	return rights;
}

int
landlock_new(int version, uint64_t rights, struct err *err)
{
	const struct landlock_ruleset_attr attr = { .handled_access_fs = known(version, rights) };
	long rules = syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);

	return rules >= 0 ? (int)rules :
			    ERR_FD(err_errno(err, ERR_DENIED, errno, "making rules of Landlock"));
}

bool
landlock_allow(int rules, int version, int fd, uint64_t rights, struct err *err)
{
	const struct landlock_path_beneath_attr attr = { .allowed_access = known(version, rights),
		.parent_fd = fd };

	return syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &attr, 0) == 0 ||
	    err_errno(err, ERR_DENIED, errno, "a rule of Landlock");
}

bool
landlock_enter(int rules, struct err *err)
{
	return (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
		   syscall(SYS_landlock_restrict_self, rules, 0) == 0) ||
	    err_errno(err, ERR_DENIED, errno, "entering Landlock");
}
