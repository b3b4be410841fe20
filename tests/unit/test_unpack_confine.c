/* test_unpack_confine.c - goal: what unpacks an archive can make files below one folder, and dies of every other call;
 * without each of its walls it does not begin.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/landlock.h"
#include "runner/unpack_confine.h"
#include "unit.h"

#define WENT_ON	  0
#define NOT_BEGUN 77
#define X32	  0x40000000 /* __X32_SYSCALL_BIT of <asm/unistd.h> */
#define CALL(name) \
	{ \
#name, SYS_##name \
	}

static char folder[64], beside[80];
static int fd;

static rlim_t memory; /* that it may have */

int __real_setrlimit(__rlimit_resource_t what, const struct rlimit *limit);
int __wrap_setrlimit(__rlimit_resource_t what, const struct rlimit *limit);

/* A sanitizer needs more memory than that: there it is only noted. */
int
__wrap_setrlimit(__rlimit_resource_t what, const struct rlimit *limit)
{
	if (what == RLIMIT_AS)
		memory = limit->rlim_cur;
#ifdef __SANITIZE_ADDRESS__
	if (what == RLIMIT_AS)
		return 0;
#endif
	return __real_setrlimit(what, limit);
}

static int
begin(UNUSED void **state)
{
	const char *where = getenv("TMPDIR");

	(void)snprintf(
	    folder, sizeof(folder), "%.40s/unpack-XXXXXX", where != NULL ? where : "/tmp");
	if (mkdtemp(folder) == NULL)
		return -1;
	(void)snprintf(beside, sizeof(beside), "%s.beside", folder);
	fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd == -1;
}

static int
end(UNUSED void **state)
{
	(void)unlinkat(fd, "file", 0);
	(void)unlinkat(fd, "there", 0);
	(void)unlinkat(fd, "sub", AT_REMOVEDIR);
	(void)close(fd);
	return rmdir(folder);
}
TEST_GROUP(begin, end)

/* Without what a sanitizer does before what never returns. */
static void
leave(int status)
{
	(void)syscall(SYS_exit_group, status);
}

/* What becomes of a process that is confined and then does that: its wait status. */
static int
fate(int (*act)(long number), long number)
{
	int status = 0;
	struct err err;
	pid_t pid = fork();

	if (pid == 0) {
		if (!unpack_confine(fd, &err)) {
			(void)fprintf(stderr, "%s\n", err.text);
			_exit(NOT_BEGUN);
		}
		leave(act(number));
	}
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
	return status;
}

static void
assert_killed(int status, const char *what)
{
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
		fail_msg("%s: it goes on (status %#x)", what, (unsigned)status);
}

/* With arguments that do nothing where it goes through. */
static int
call(long number)
{
	(void)syscall(number, -1L, 0L, 0L, 0L, 0L, 0L);
	return WENT_ON;
}

TEST(every_other_call_ends_it)
{
	static const struct {
		const char *name;
		long number;
	} calls[] = { CALL(execve), CALL(execveat), CALL(clone), CALL(clone3), CALL(ptrace),
		CALL(process_vm_readv), CALL(process_vm_writev), CALL(kcmp), CALL(socket),
		CALL(socketpair), CALL(connect), CALL(bind), CALL(listen), CALL(accept4),
		CALL(sendto), CALL(recvfrom), CALL(sendmsg), CALL(recvmsg), CALL(openat),
		CALL(unlinkat), CALL(renameat2), CALL(linkat), CALL(symlinkat), CALL(mknodat),
		CALL(fchmodat), CALL(fchmod), CALL(fchownat), CALL(fchown), CALL(truncate),
		CALL(ftruncate), CALL(readlinkat), CALL(getdents64), CALL(statx), CALL(statfs),
		CALL(kill), CALL(tgkill), CALL(tkill), CALL(prctl), CALL(seccomp), CALL(prlimit64),
		CALL(setrlimit), CALL(io_uring_setup), CALL(io_uring_enter), CALL(bpf),
		CALL(perf_event_open), CALL(userfaultfd), CALL(mount), CALL(umount2), CALL(setns),
		CALL(unshare), CALL(pivot_root), CALL(chroot), CALL(chdir), CALL(init_module),
		CALL(delete_module), CALL(kexec_load), CALL(keyctl), CALL(add_key),
		CALL(request_key), CALL(personality), CALL(open_by_handle_at), CALL(memfd_create),
		CALL(dup), CALL(dup3), CALL(fcntl), CALL(ioctl), CALL(pipe2), CALL(eventfd2),
		CALL(sendfile), CALL(splice), CALL(copy_file_range), CALL(setuid), CALL(setgroups),
		CALL(shmget), CALL(mq_open), CALL(inotify_init1), CALL(landlock_create_ruleset),
		CALL(pidfd_open), CALL(ppoll), CALL(nanosleep), CALL(setxattr), CALL(chown),
		CALL(rt_sigaction) };

	for (size_t i = 0; i < COUNT(calls); i++)
		assert_killed(fate(call, calls[i].number), calls[i].name);
}

static int
map_code(UNUSED long number)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	    MAP_FAILED;
}

static int
make_code(UNUSED long number)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

TEST(no_memory_becomes_code)
{
	assert_killed(fate(map_code, 0), "mmap");
	assert_killed(fate(make_code, 0), "mprotect");
}

#ifdef __x86_64__
static int
call_of_i386(long number)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(number) : "memory", "cc");
	return WENT_ON;
}

TEST(a_call_of_another_architecture_ends_all_of_it)
{
	assert_killed(fate(call_of_i386, 20), "getpid of i386");
	assert_killed(fate(call_of_i386, 3), "read of i386");
	assert_killed(fate(call, SYS_read | X32), "read of x32");
}
#endif

static int
open_at(int at, const char *path, unsigned flags)
{
	struct open_how how = { .flags = flags, .mode = (flags & O_CREAT) != 0 ? 0600 : 0 };

	return (int)syscall(SYS_openat2, at, path, &how, sizeof(how));
}

static bool
is_denied(int at, const char *path, unsigned flags)
{
	return open_at(at, path, flags) == -1 && errno == EACCES;
}

/* The number of the step that was not as it must be. */
static int
use_files(UNUSED long number)
{
	int made = open_at(fd, "file", O_WRONLY | O_CREAT | O_EXCL);

	if (made == -1 || pwrite(made, "x", 1, 0) != 1)
		return 1;
	if (mkdirat(fd, "sub", 0700) != 0)
		return 2;
	if (!is_denied(fd, "there", O_RDONLY) || !is_denied(fd, "sub", O_RDONLY | O_DIRECTORY))
		return 3;
	if (!is_denied(AT_FDCWD, "/etc/passwd", O_RDONLY) ||
	    !is_denied(AT_FDCWD, "/proc/self/environ", O_RDONLY))
		return 4;
	if (!is_denied(AT_FDCWD, beside, O_WRONLY | O_CREAT) ||
	    mkdirat(AT_FDCWD, beside, 0700) == 0)
		return 5;
	return WENT_ON;
}

TEST(it_makes_files_below_its_folder_and_reads_none)
{
	int there = openat(fd, "there", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_not_equal(there, -1);
	(void)close(there);
	assert_int_equal(fate(use_files, 0), WENT_ON);
	assert_int_equal(access(beside, F_OK), -1);
}

static int gate[2];

static int
wait_at_gate(UNUSED long number)
{
	char byte;

	return read(gate[0], &byte, 1) == 1 ? WENT_ON : 1;
}

static void
assert_says(pid_t pid, const char *file, const char *words)
{
	char path[48], text[4096];
	FILE *stream;
	size_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	stream = fopen(path, "re");
	assert_non_null(stream);
	n = fread(text, 1, sizeof(text) - 1, stream);
	(void)fclose(stream);
	text[n] = '\0';
	if (strstr(text, words) == NULL)
		fail_msg("%s has no \"%s\":\n%s", file, words, text);
}

TEST(its_memory_time_files_and_processes_are_limited)
{
	bool is_good = false;
	int told[2], status = 0;
	struct err err;
	pid_t pid;

	assert_true(pipe(gate) == 0 && pipe(told) == 0);
	pid = fork();
	if (pid == 0) {
		(void)close(gate[1]); /* it ends with us, however we do */
		is_good = unpack_confine(fd, &err) && memory == 256UL * 1024 * 1024;
		leave(write(told[1], &is_good, 1) == 1 ? wait_at_gate(0) : 1);
	}
	assert_true(close(told[1]) == 0 && read(told[0], &is_good, 1) == 1 && is_good);
	assert_says(pid, "limits", "Max cpu time              30                   31");
	assert_says(pid, "limits", "Max file size             536870912            536870912");
	assert_says(pid, "limits", "Max processes             0                    0");
	assert_says(pid, "limits", "Max open files            16                   16");
	assert_says(pid, "limits", "Max core file size        0                    0");
	assert_says(pid, "status", "NoNewPrivs:\t1");
	assert_says(pid, "status", "Seccomp:\t2");
	assert_true(write(gate[1], "g", 1) == 1 && waitpid(pid, &status, 0) == pid);
	assert_int_equal(status, WENT_ON);
	assert_true(close(gate[0]) == 0 && close(gate[1]) == 0 && close(told[0]) == 0);
}

/* A kernel, or a unit, that answers one call so: exit status of a process that is confined then. */
static int
confined_where(int number, uint32_t answer)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
		struct err err;

		if (seccomp_rule_add(filter, answer, number, 0) != 0 || seccomp_load(filter) != 0)
			_exit(1);
		leave(unpack_confine(fd, &err) ? WENT_ON : NOT_BEGUN);
	}
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return WEXITSTATUS(status);
}

TEST(without_one_of_its_walls_it_does_not_begin)
{
	assert_int_equal(confined_where(SCMP_SYS(getppid), SCMP_ACT_ERRNO(EPERM)), WENT_ON);
	assert_int_equal(
	    confined_where(SCMP_SYS(landlock_create_ruleset), SCMP_ACT_ERRNO(ENOSYS)), NOT_BEGUN);
	assert_int_equal(
	    confined_where(SCMP_SYS(landlock_create_ruleset), SCMP_ACT_ERRNO(EPERM)), NOT_BEGUN);
	assert_int_equal(
	    confined_where(SCMP_SYS(landlock_restrict_self), SCMP_ACT_ERRNO(EPERM)), NOT_BEGUN);
	assert_int_equal(confined_where(SCMP_SYS(seccomp), SCMP_ACT_ERRNO(EPERM)), NOT_BEGUN);
	assert_int_equal(confined_where(SCMP_SYS(prlimit64), SCMP_ACT_ERRNO(EPERM)), NOT_BEGUN);
}
