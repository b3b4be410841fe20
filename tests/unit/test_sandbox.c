/* Goal: a process in the sandbox dies of each call that the server never makes, writes below its folders and nowhere
 * else, and goes on doing what the server does. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/landlock.h"
#include "lib/sandbox.h"
#include "unit.h"

#define WENT_ON	  0
#define NOT_ASKED 77
#define X32	  0x40000000 /* __X32_SYSCALL_BIT of <asm/unistd.h> */

static char folder[64], inside[96], beside[96];

static int
begin(UNUSED void **state)
{
	const char *where = getenv("TMPDIR");

	(void)snprintf(
	    folder, sizeof(folder), "%.40s/sandbox-XXXXXX", where != NULL ? where : "/tmp");
	if (mkdtemp(folder) == NULL)
		return -1;
	(void)snprintf(inside, sizeof(inside), "%s/inside", folder);
	(void)snprintf(beside, sizeof(beside), "%s/beside", folder);
	return mkdir(inside, 0700) != 0 || mkdir(beside, 0700) != 0;
}

static int
end(UNUSED void **state)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/mine", inside);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/folder", inside);
	(void)rmdir(path);
	return rmdir(inside) + rmdir(beside) + rmdir(folder);
}
TEST_GROUP(begin, end)

/* What becomes of a process that enters and then does that: its wait status. */
static int
fate(int (*act)(const void *ctx), const void *ctx)
{
	const char *const folders[] = { inside, "/nowhere/to/be/found" };
	int status = 0, version = -1;
	struct err err;
	pid_t pid = fork();

	if (pid == 0) {
		(void)signal(SIGSEGV, SIG_DFL); /* cmocka's would go on with the next test */
		if (!sandbox_enter(folders, COUNT(folders), &version, &err)) {
			(void)fprintf(stderr, "%s\n", err.text);
			_exit(NOT_ASKED);
		}
		_exit(act(ctx));
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

/* --- what it never does ------------------------------------------------------------------- */

static int
call(const void *number)
{
	(void)syscall(*(const long *)number, 0, 0, 0, 0, 0, 0);
	return WENT_ON;
}

TEST(each_call_of_the_list_ends_the_process)
{
	static const struct {
		const char *name;
		long number;
	} never[] = {
#define NEVER(call) { #call, SYS_##call },
#include "lib/sandbox.def"
	};

	(void)state;
	for (size_t i = 0; i < COUNT(never); i++)
		assert_killed(fate(call, &never[i].number), never[i].name);
}

static int
make_process(UNUSED const void *ctx)
{
	if (syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) == 0)
		_exit(WENT_ON);
	return WENT_ON;
}

static int
start_program(UNUSED const void *ctx)
{
	(void)fork(); /* as system() begins */
	return WENT_ON;
}

static int
ask_refused(const void *number)
{
	return syscall(*(const long *)number, 0, 0, 0, 0, 0, 0) == -1 ? errno : WENT_ON;
}

TEST(what_a_library_may_ask_for_gets_an_errno)
{
	static const struct {
		long number;
		int wanted;
	} denied[] = {
#define DENIED(call, number) { SYS_##call, number },
#include "lib/sandbox.def"
	};

	(void)state;
	for (size_t i = 0; i < COUNT(denied); i++) {
		int status = fate(ask_refused, &denied[i].number);

		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), denied[i].wanted);
	}
}

TEST(no_process_is_made_by_any_door)
{
	(void)state;
	assert_killed(fate(make_process, NULL), "clone");
	assert_killed(fate(start_program, NULL), "fork()");
}

static void *
call_in_thread(void *asks)
{
	if (asks != NULL)
		(void)syscall(SYS_ptrace, 0, 0, 0, 0);
	return NULL;
}

static int
make_thread(const void *asks)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, call_in_thread, (void *)(uintptr_t)asks) != 0)
		return 1;
	return pthread_join(thread, NULL) == 0 ? WENT_ON : 2;
}

TEST(a_thread_can_be_made_and_takes_all_of_the_process_with_it)
{
	(void)state;
	assert_int_equal(fate(make_thread, NULL), WENT_ON);
	assert_killed(fate(make_thread, inside), "ptrace of a later thread");
}

#ifdef __x86_64__
static int
call_as_i386(UNUSED const void *ctx)
{
	long ret = 20; /* getpid of i386 */

	__asm__ volatile("int $0x80" : "+a"(ret) : : "memory");
	return WENT_ON;
}

/* Not every kernel has a door for such calls (IA32_EMULATION): who tries then dies of SIGSEGV. */
static bool
kernel_takes_i386(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		(void)signal(SIGSEGV, SIG_DFL);
		_exit(call_as_i386(NULL));
	}
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status);
}

TEST(a_call_of_another_architecture_ends_the_process)
{
	static const long x32_getpid = X32 | SYS_getpid;
	int status = fate(call_as_i386, NULL);

	(void)state;
	if (kernel_takes_i386())
		assert_killed(status, "i386");
	else
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	assert_killed(fate(call, &x32_getpid), "x32");
}
#endif

static int
open_socket(const void *ctx)
{
	long fd = syscall(SYS_socket, *(const long *)ctx, SOCK_DGRAM, 0);

	return fd >= 0 || errno == EAFNOSUPPORT ? WENT_ON : errno;
}

TEST(sockets_are_of_four_families)
{
	(void)state;
	for (long family = 0; family < 300; family++) {
		bool is_ours = family == AF_UNIX || family == AF_INET || family == AF_INET6 ||
		    family == AF_NETLINK;
		int status = fate(open_socket, &family);

		if (is_ours)
			assert_int_equal(status, WENT_ON);
		else
			assert_killed(status, "socket");
	}
	/* The kernel looks at 32 bits of it, whatever stands above. */
	assert_int_equal(fate(open_socket, &(long){ 0x100000000 | AF_INET }), WENT_ON);
	assert_killed(fate(open_socket, &(long){ 0x100000000 | AF_PACKET }), "AF_PACKET");
	assert_killed(fate(open_socket, &(long){ -1 }), "-1");
}

/* --- where it writes ---------------------------------------------------------------------- */

static int
write_in(const void *where)
{
	char path[128], other[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/file", (const char *)where);
	(void)snprintf(other, sizeof(other), "%s/folder", (const char *)where);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	if (fd < 0 || write(fd, "x", 1) != 1 || ftruncate(fd, 0) != 0 || close(fd) != 0)
		return errno;
	if (mkdir(other, 0700) != 0)
		return errno;
	(void)snprintf(other, sizeof(other), "%s/folder/file", (const char *)where);
	if (rename(path, other) != 0 || unlink(other) != 0)
		return errno;
	fd = open(where, O_TMPFILE | O_RDWR, 0600);
	return fd < 0 && errno != EOPNOTSUPP ? errno : WENT_ON;
}

static int
write_null(UNUSED const void *ctx)
{
	int fd = open("/dev/null", O_WRONLY | O_TRUNC);

	return fd >= 0 && write(fd, "x", 1) == 1 ? WENT_ON : errno;
}

static int
cut(const void *path)
{
	return truncate(path, 0) == 0 ? WENT_ON : errno;
}

static int
cut_by_opening(const void *path)
{
	return open(path, O_RDONLY | O_TRUNC) >= 0 ? WENT_ON : errno;
}

static int
read_all(UNUSED const void *ctx)
{
	struct addrinfo *found = NULL;
	int fd = open("/etc/hostname", O_RDONLY);

	if (fd < 0)
		return errno;
	return getaddrinfo("localhost", "80", NULL, &found) == 0 ? WENT_ON : 1;
}

static int
move_out(UNUSED const void *ctx)
{
	char from[128], to[128];

	(void)snprintf(from, sizeof(from), "%s/mine", inside);
	(void)snprintf(to, sizeof(to), "%s/mine", beside);
	return rename(from, to) == 0 ? WENT_ON : errno;
}

static void
make_file(const char *where, char ret[128])
{
	int fd;

	(void)snprintf(ret, 128, "%s/mine", where);
	fd = open(ret, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
}

static int
refused(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(it_writes_below_its_folders_and_nowhere_else)
{
	char path[128];

	(void)state;
	assert_int_equal(fate(write_in, inside), WENT_ON);
	assert_int_equal(fate(write_null, NULL), WENT_ON);
	assert_int_equal(fate(read_all, NULL), WENT_ON);
	make_file(inside, path);
	assert_int_equal(refused(fate(cut, path)), EPERM);
	assert_int_equal(refused(fate(cut_by_opening, path)), EPERM);
	if (landlock_version(NULL) == 0)
		skip(); /* seccomp alone; `deploybot doctor` says so */
	assert_int_equal(refused(fate(write_in, beside)), EACCES);
	assert_int_equal(refused(fate(write_in, "/tmp")), EACCES);
	assert_true(refused(fate(move_out, NULL)) > 0);
}
