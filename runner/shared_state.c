/* shared_state.c - the runner's folders in a state directory shared with another user's server.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/shared_state.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/owner.h"
#include "lib/path.h"

struct folder {
	const char *name;
	mode_t mode;
	bool is_shared; /* of the state directory's group */
};

static const struct folder folders[] = {
	{ "runs", 02750, true },
	{ "git", 0700, false },
	{ "apps", 0700, false },
	{ "approved", 0700, false },
};

/* What is wrong with one: a sentence, or an errno. */
struct fault {
	const char *text;
	int number;
};

/* What a moment may cure is no wrong place: the service manager starts us again. */
static bool
may_pass(int number)
{
	return number == ENOSPC || number == EDQUOT || number == EIO || number == ENOMEM ||
	    number == EMFILE || number == ENFILE;
}

/* With the command that fixes it. */
static bool
say_fault(const struct folder *folder, const char *state, gid_t group, const struct fault *fault,
    struct err *err)
{
	char owner[OWNER_NAME], its_group[OWNER_NAME];

	if (may_pass(fault->number))
		return err_errno(err, ERR_IO, fault->number, "%s/%s", state, folder->name);
	if (fault->number == EROFS)
		return err_set(err, ERR_CONFIG,
		    "the state directory's %s/: %s: mount it writable, or name it in the unit's ReadWritePaths=: %s/%s",
		    folder->name, strerrordesc_np(EROFS), state, folder->name);
	return err_set(err, ERR_CONFIG,
	    "the state directory's %s/: %s: fix it: install -d -m %04o -o %s -g %s %s/%s",
	    folder->name, fault->text != NULL ? fault->text : strerrordesc_np(fault->number),
	    (unsigned)folder->mode, owner_user(geteuid(), "", owner),
	    owner_group(folder->is_shared ? group : getegid(), "", its_group), state, folder->name);
}

/* Just made by us, and empty. */
static bool
give_mode(int fd, const struct folder *folder, gid_t group)
{
	if (folder->is_shared && fchown(fd, (uid_t)-1, group) != 0)
		return false;
	return fchmod(fd, folder->mode) == 0;
}

static const char *
find_fault(const struct stat *st, const struct folder *folder, gid_t group)
{
	if (st->st_uid != geteuid())
		return "it belongs to another user";
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return "others may write there";
	if (folder->is_shared && st->st_gid != group)
		return "it does not have the state directory's group";
	if (folder->is_shared && (st->st_mode & 02050) != 02050)
		return "the server could not read what is made there";
	return NULL;
}

static struct fault
check_folder(int at, int fd, bool is_new, const struct folder *folder, gid_t group)
{
	struct fault fault = { 0 };
	struct stat st;

	/* Its name is flushed too: without it every run's flushed record would vanish. */
	if ((is_new && (!give_mode(fd, folder, group) || fsync(at) == -1)) || fstat(fd, &st) == -1)
		return (struct fault){ .number = errno };
	fault.text = find_fault(&st, folder, group);
	if (fault.text == NULL && faccessat(fd, ".", W_OK, AT_EACCESS) == -1)
		fault.number = errno; /* a read-only disk */
	return fault;
}

/* Its descriptor, or -1. */
static int
folder_open(int at, const struct folder *folder, const char *state, gid_t group, struct err *err)
{
	bool is_new = mkdirat(at, folder->name, 0700) == 0;
	CLEANUP(file_closep) int fd = -1;
	struct fault fault = { 0 };

	if (is_new || errno == EEXIST)
		fd = openat(at, folder->name, O_DIRECTORY | O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd == -1)
		fault.number = errno;
	else
		fault = check_folder(at, fd, is_new, folder, group);
	if (fault.text == NULL && fault.number == 0)
		return TAKE_FD(fd);
	return ERR_FD(say_fault(folder, state, group, &fault, err));
}

/* Whoever owns a folder above ours, or may write there, may put others in place of ours. */
static bool
check_above(const char *state, gid_t its_group, struct err *err)
{
	char group[OWNER_NAME];
	struct err why;

	if (path_is_safe(state, &why))
		return true;
	return err_set(err, ERR_CONFIG,
	    "others could put folders in place of the runner's: %.140s: make the state directory root:%s and mode 1770",
	    why.text, owner_group(its_group, "", group));
}

/* Not the descriptor that forked supervisors hold for a while: the lock would stay with them. */
static bool
take_lock(int root, const char *state, struct err *err)
{
	CLEANUP(file_closep) int fd = openat(root, ".", O_DIRECTORY | O_RDONLY | O_CLOEXEC);

	if (fd != -1 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
		(void)TAKE_FD(fd); /* open, and so locked, until we end */
		return true;
	}
	if (errno == EWOULDBLOCK)
		return err_set(err, ERR_BUSY,
		    "another runner uses %s/runs: stop it first, or use another --state", state);
	return err_errno(err, ERR_IO, errno, "locking %s/runs", state);
}

int
shared_state_open(const char *state, struct err *err)
{
	CLEANUP(file_closep) int at = open(state, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (at == -1 || fstat(at, &st) == -1)
		return ERR_FD(err_set(err, ERR_CONFIG,
		    "state directory %s: %s: the runner's user must be in its group, and the group be allowed to read it",
		    state, strerrordesc_np(errno)));
	if (!check_above(state, st.st_gid, err))
		return -1;
	for (size_t i = COUNT(folders); i-- > 0;) {
		CLEANUP(file_closep) int fd = folder_open(at, &folders[i], state, st.st_gid, err);

		if (fd == -1)
			return -1;
		if (i == 0) /* runs; the others were only looked at */
			return take_lock(fd, state, err) ? TAKE_FD(fd) : -1;
	}
	return -1;
}
