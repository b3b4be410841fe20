/* subreaper.c - makes a forked process adopt and reap the orphans below it.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/subreaper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static bool
move_descriptors(int *const keep[], size_t count, struct err *err)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null == -1)
		return err_errno(err, ERR_IO, errno, "/dev/null");
	/* First all out of the way, then each to its place. */
	for (size_t i = 0; i < count; i++) {
		*keep[i] = fcntl(*keep[i], F_DUPFD_CLOEXEC, 64);
		if (*keep[i] == -1)
			return err_errno(err, ERR_IO, errno, "dup");
	}
	for (int fd = 0; fd <= 2; fd++)
		(void)dup2(null, fd); /* null is open: nothing to fail */
	for (size_t i = 0; i < count; i++) {
		if (dup3(*keep[i], 3 + (int)i, O_CLOEXEC) == -1)
			return err_errno(err, ERR_IO, errno, "dup");
		*keep[i] = 3 + (int)i;
	}
	if (syscall(SYS_close_range, 3 + (unsigned int)count, ~0U, 0) == -1)
		return err_errno(err, ERR_IO, errno, "close_range");
	return true;
}

int
subreaper_init(int *const keep[], size_t keep_count, struct err *err)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2,
		SIGTSTP, SIGTTIN, SIGTTOU };
	sigset_t child, none;
	int fd;

	for (size_t i = 0; i < COUNT(ignored); i++)
		(void)signal(ignored[i], SIG_IGN);
	if (setsid() == -1 || prctl(PR_SET_CHILD_SUBREAPER, 1) == -1)
		return ERR_FD(err_errno(err, ERR_IO, errno, "becoming a supervisor"));
	(void)prctl(PR_SET_NAME, "deploybot-keep"); /* decorates ps */
	if (!move_descriptors(keep, keep_count, err))
		return -1;
	(void)sigemptyset(&none);
	(void)pthread_sigmask(SIG_SETMASK, &none, NULL);
	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	(void)pthread_sigmask(SIG_BLOCK, &child, NULL);
	fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd == -1)
		(void)err_errno(err, ERR_IO, errno, "signalfd");
	return fd;
}

bool
subreaper_reap(int children, pid_t main_process, bool *ret_ended, int *ret_status)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	while (read(children, &info, sizeof(info)) > 0)
		continue; /* one signal may stand for many: ask waitpid */
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != main_process)
			continue;
		*ret_ended = true;
		*ret_status = status;
	}
	return pid == -1 && errno == ECHILD;
}
