/* main_process.c - forks the first process of a run, which waits at its gate.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/main_process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/crash_point.h"
#include "lib/file.h"

#define CHILD_GATE     MAIN_PROCESS_THIRD /* where the child keeps its end until the gate opens */
#define CHILD_ERROR    4
#define CHILD_THIRD    5   /* where it is until the gate's place is free */
#define NEVER_RAN      125 /* exit status of one that did not come to exec */
#define FORK_TRIES     3
#define FORK_PAUSE_NS  50000000L /* and twice that the next time */
#define KERNEL_SIGNALS 64	 /* KILL and STOP refuse, which is fine */
#define OOM_SCORE_MAX  1000
#define OOM_SCORE_MORE 300 /* as if it used 30 % of the memory more */

static struct rlimit core_limit = { .rlim_cur = 0, .rlim_max = RLIM_INFINITY };
static bool core_limit_known;

void
main_process_no_core(void)
{
	struct rlimit none;

	if (getrlimit(RLIMIT_CORE, &core_limit) == -1)
		return;
	core_limit_known = true;
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = core_limit.rlim_max };
	(void)setrlimit(RLIMIT_CORE, &none); /* lowering cannot be refused */
}

/* ---- in the child ------------------------------------------------------------------------ */

int
main_process_oom_score(void)
{
	char text[16];

	if (file_read_small(AT_FDCWD, "/proc/self/oom_score_adj", text, sizeof(text)) <= 0)
		return 0;
	return (int)strtol(text, NULL, 10);
}

/* The script is killed, whose supervisor says so; not the other way round.  Raising it is always
 * allowed. */
static void
child_ends_first(void)
{
	int score = main_process_oom_score() + OOM_SCORE_MORE, len;
	CLEANUP(file_closep) int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	char text[16];

	len = snprintf(text, sizeof(text), "%d", score > OOM_SCORE_MAX ? OOM_SCORE_MAX : score);
	if (fd != -1)
		(void)!write(fd, text, (size_t)len); /* else the supervisor may be chosen first */
}

/* Moves the descriptors to their places: 0, 1, 2, gate, error, the third, and nothing above. */
static bool
child_descriptors(const struct main_process_plan *plan, int gate, int error)
{
	int null = open("/dev/null", O_RDONLY);
	int high_gate = fcntl(gate, F_DUPFD, 16);
	int high_error = fcntl(error, F_DUPFD, 16);
	int high_output = fcntl(plan->output, F_DUPFD, 16);
	int high_input = fcntl(plan->input > 0 ? plan->input : null, F_DUPFD, 16);
	int high_third = fcntl(plan->third > 0 ? plan->third : null, F_DUPFD, 16);

	if (high_gate == -1 || high_error == -1 || high_output == -1 || high_input == -1 ||
	    high_third == -1)
		return false;
	return dup2(high_input, STDIN_FILENO) != -1 && dup2(high_output, STDOUT_FILENO) != -1 &&
	    dup2(high_output, STDERR_FILENO) != -1 && dup2(high_gate, CHILD_GATE) != -1 &&
	    dup3(high_error, CHILD_ERROR, O_CLOEXEC) != -1 &&
	    dup3(high_third, CHILD_THIRD, O_CLOEXEC) != -1 &&
	    syscall(SYS_close_range, CHILD_THIRD + 1, ~0U, 0) == 0;
}

static bool
child_wait_for_gate(void)
{
	char byte;
	ssize_t n;

	do {
		n = read(CHILD_GATE, &byte, 1);
	} while (n == -1 && errno == EINTR);
	(void)close(CHILD_GATE);
	return n == 1;
}

/* By the kernel's own call: libc refuses to touch 32 and 33, which a parent may have ignored. */
static void
child_reset_signals(void)
{
	static const unsigned char all_default[64]; /* struct sigaction, zero: SIG_DFL */

	for (int i = 1; i <= KERNEL_SIGNALS; i++)
		(void)syscall(SYS_rt_sigaction, i, all_default, NULL, (size_t)KERNEL_SIGNALS / 8);
}

static _Noreturn void
child(const struct main_process_plan *plan, int gate, int error, pid_t parent)
{
	sigset_t none;
	int number;

	CRASH_POINT(main_process_at_gate);
	/* The parent's end is checked after PDEATHSIG is set: before it, it would go unnoticed. */
	if (setsid() == -1 || prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != parent ||
	    !child_descriptors(plan, gate, error) || chdir("/") == -1)
		_exit(NEVER_RAN);
	(void)umask(077);
	if (plan->ends_first)
		child_ends_first();
	child_reset_signals();
	if (!child_wait_for_gate())
		_exit(NEVER_RAN);
	if (core_limit_known)
		(void)setrlimit(RLIMIT_CORE, &core_limit); /* back to what it was */
	(void)sigemptyset(&none);
	(void)pthread_sigmask(SIG_SETMASK, &none, NULL); /* at its gate nothing but KILL ends it */
	CRASH_POINT(main_process_let_go);
	if (plan->third > 0)
		(void)dup2(CHILD_THIRD, CHILD_GATE); /* what it is for says that it is not there */
	(void)execve(plan->path, plan->argv, plan->envp);
	number = errno;
	(void)!write(CHILD_ERROR, &number, sizeof(number)); /* 4 bytes into an empty pipe */
	_exit(NEVER_RAN);
}

/* ---- in the supervisor ----------------------------------------------------------------------- */

/*
 * Into its group at birth: to move it there later takes the kernel 20 ms, before each script.  With
 * one thread and all signals blocked this is fork().  Where it is refused (before Linux 5.7, or by
 * who made the group) it is born in ours, and found otherwise.
 */
static pid_t
fork_into(int group, bool *ret_in_group)
{
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
	long pid;

	if (group != -1) {
		args.cgroup = (__u64)group;
		pid = syscall(SYS_clone3, &args, sizeof(args));
		*ret_in_group = pid != -1;
		if (pid != -1 || errno == EAGAIN)
			return (pid_t)pid;
	}
	return fork();
}

/* A machine short of processes may have one in a moment. */
static pid_t
fork_patiently(int group, bool *ret_in_group)
{
	pid_t pid = -1;

	for (int i = 0; i < FORK_TRIES; i++) {
		pid = fork_into(group, ret_in_group);
		if (pid != -1 || errno != EAGAIN)
			break;
		(void)nanosleep(&(struct timespec){ .tv_nsec = FORK_PAUSE_NS << i }, NULL);
	}
	return pid;
}

bool
main_process_fork(struct main_process *ret, const struct main_process_plan *plan, struct err *err)
{
	int gate[2], error[2];
	sigset_t all, before;
	pid_t us = getpid();
	int number;

	*ret = (struct main_process){ .pid = -1, .gate = -1, .error = -1 };
	if (pipe2(gate, O_CLOEXEC) == -1)
		return err_errno(err, ERR_IO, errno, "pipe");
	ret->gate = gate[1];
	if (pipe2(error, O_CLOEXEC | O_NONBLOCK) == -1) {
		(void)close(gate[0]);
		return err_errno(err, ERR_IO, errno, "pipe");
	}
	ret->error = error[0];
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	ret->pid = fork_patiently(plan->group, &ret->in_group);
	if (ret->pid == 0)
		child(plan, gate[0], error[1], us);
	number = errno;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)close(gate[0]);
	(void)close(error[1]);
	return ret->pid != -1 || err_errno(err, ERR_IO, number, "fork");
}

void
main_process_open_gate(struct main_process *main_process)
{
	if (main_process->gate == -1)
		return;
	/* One that died at its gate is noticed by its end. */
	(void)!write(main_process->gate, "g", 1);
	(void)close(main_process->gate);
	main_process->gate = -1;
}

int
main_process_exec_errno(const struct main_process *main_process)
{
	int number;

	return read(main_process->error, &number, sizeof(number)) == sizeof(number) ? number : 0;
}

void
main_process_done(struct main_process *main_process)
{
	file_closep(&main_process->gate);
	file_closep(&main_process->error);
}
