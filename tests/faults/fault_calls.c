/* fault_calls.c - the calls that can fail, wrapped: each asks fault_look() and goes on to libc.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * A call is one wrapper: its class, its descriptor or path, and what it gives back when it fails.
 * What libc calls inside itself is not seen, but for allocations.
 */
#undef _FORTIFY_SOURCE
#include "tests/faults/fault.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* ---- on to libc -------------------------------------------------------------------------- */

/* What dlsym itself allocates before there is an allocator: never given back. */
static char early[16384] __attribute__((aligned(16)));
static _Atomic size_t early_used;
/* volatile: libc declares dlsym as one that never calls back, and it does: free and calloc. */
static __thread volatile bool resolving __attribute__((tls_model("initial-exec")));

static bool
is_early(const void *at)
{
	return (const char *)at >= early && (const char *)at < early + sizeof(early);
}

static void *
early_take(size_t size)
{
	size_t at = atomic_fetch_add(&early_used, (size + 31) / 16 * 16);

	if (at + size + 16 > sizeof(early))
		abort();
	*(size_t *)(void *)(early + at) = size;
	return early + at + 16;
}

static void *
resolve(_Atomic(void *) *place, const char *name)
{
	void *found;

	resolving = true;
	found = dlsym(RTLD_NEXT, name);
	resolving = false;
	if (found == NULL)
		abort();
	atomic_store_explicit(place, found, memory_order_release);
	return found;
}

#define NEXT(name) \
	({ \
		static _Atomic(void *) place; \
		void *found = atomic_load_explicit(&place, memory_order_acquire); \
		(__typeof__(&(name)))(found != NULL ? found : resolve(&place, #name)); \
	})

/* Most calls: -1 and errno.  `given` are the arguments as libc gets them. */
#define WRAP(class, type, name, fd, path, parameters, given) \
	EXPORT type name parameters \
	{ \
		const struct fault_verdict verdict = \
		    fault_look(FAULT_CLASS_##class, #name, fd, path); \
\
		if (verdict.error != 0) { \
			errno = verdict.error; \
			return -1; \
		} \
		return NEXT(name) given; \
	}

/* The same for those that give the error back. */
#define WRAP_GIVES(class, name, parameters, given) \
	EXPORT int name parameters \
	{ \
		const struct fault_verdict verdict = \
		    fault_look(FAULT_CLASS_##class, #name, -1, NULL); \
\
		return verdict.error != 0 ? verdict.error : NEXT(name) given; \
	}

/* And for those that do a part: `n` of a buffer. */
#define WRAP_PART(class, name, fd, parameters, given) \
	EXPORT ssize_t name parameters \
	{ \
		const struct fault_verdict verdict = \
		    fault_look(FAULT_CLASS_##class, #name, fd, NULL); \
\
		if (verdict.error != 0) { \
			errno = verdict.error; \
			return -1; \
		} \
		if (verdict.is_short && n > 1) \
			n /= 2; \
		return NEXT(name) given; \
	}

/* ---- malloc ------------------------------------------------------------------------------ */

#define REFUSED(name) \
	(!resolving && fault_look(FAULT_CLASS_malloc, name, -1, NULL).error != 0 ? \
		(errno = ENOMEM, true) : \
		false)

EXPORT void *
malloc(size_t size)
{
	if (resolving)
		return early_take(size);
	return REFUSED("malloc") ? NULL : NEXT(malloc)(size);
}

EXPORT void *
calloc(size_t count, size_t size)
{
	if (resolving)
		return early_take(count * size); /* static, so zero */
	return REFUSED("calloc") ? NULL : NEXT(calloc)(count, size);
}

EXPORT void
free(void *at)
{
	/* While dlsym works it frees what it noted of an earlier error: a few bytes that stay. */
	if (!resolving && !is_early(at))
		NEXT(free)(at);
}

EXPORT void *
realloc(void *at, size_t size)
{
	void *now;

	if (resolving || is_early(at)) {
		now = resolving ? early_take(size) : malloc(size);
		if (now != NULL && at != NULL) {
			size_t had = *(size_t *)(void *)((char *)at - 16);

			memcpy(now, at, had < size ? had : size);
		}
		return now;
	}
	return REFUSED("realloc") ? NULL : NEXT(realloc)(at, size);
}

EXPORT void *
reallocarray(void *at, size_t count, size_t size)
{
	size_t all;

	if (__builtin_mul_overflow(count, size, &all)) {
		errno = ENOMEM;
		return NULL;
	}
	return REFUSED("reallocarray") ? NULL : NEXT(realloc)(at, all);
}

/* Not by way of libc's: a sanitizer's own would not come to our malloc. */
EXPORT char *
strndup(const char *text, size_t most)
{
	size_t n = strnlen(text, most);
	char *made = REFUSED("strdup") ? NULL : NEXT(malloc)(n + 1);

	if (made == NULL)
		return NULL;
	memcpy(made, text, n);
	made[n] = '\0';
	return made;
}

EXPORT char *
strdup(const char *text)
{
	return strndup(text, SIZE_MAX);
}

EXPORT char *__strdup(const char *text);

EXPORT char *
__strdup(const char *text)
{
	return strndup(text, SIZE_MAX);
}

EXPORT void *
aligned_alloc(size_t alignment, size_t size)
{
	return REFUSED("aligned_alloc") ? NULL : NEXT(aligned_alloc)(alignment, size);
}

WRAP_GIVES(
    malloc, posix_memalign, (void **ret, size_t alignment, size_t size), (ret, alignment, size))

EXPORT void *
mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	return REFUSED("mmap") ? MAP_FAILED : NEXT(mmap)(at, size, protection, flags, fd, offset);
}

EXPORT void *
mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	return REFUSED("mmap") ? MAP_FAILED : NEXT(mmap)(at, size, protection, flags, fd, offset);
}

/* ---- read -------------------------------------------------------------------------------- */

WRAP_PART(read, read, fd, (int fd, void *to, size_t n), (fd, to, n))
WRAP_PART(read, pread, fd, (int fd, void *to, size_t n, off_t at), (fd, to, n, at))
WRAP_PART(read, pread64, fd, (int fd, void *to, size_t n, off_t at), (fd, to, n, at))
WRAP_PART(read, recv, fd, (int fd, void *to, size_t n, int flags), (fd, to, n, flags))
WRAP_PART(read, recvfrom, fd,
    (int fd, void *restrict to, size_t n, int flags, __SOCKADDR_ARG from,
	socklen_t *restrict length),
    (fd, to, n, flags, from, length))
WRAP(read, ssize_t, recvmsg, fd, NULL, (int fd, struct msghdr *message, int flags),
    (fd, message, flags))
WRAP(read, ssize_t, readv, fd, NULL, (int fd, const struct iovec *parts, int count),
    (fd, parts, count))

/* Under these names _FORTIFY_SOURCE calls them. */
ssize_t __read_chk(int fd, void *to, size_t n, size_t room);
ssize_t __pread_chk(int fd, void *to, size_t n, off_t at, size_t room);
ssize_t __pread64_chk(int fd, void *to, size_t n, off_t at, size_t room);
ssize_t __recv_chk(int fd, void *to, size_t n, size_t room, int flags);

WRAP_PART(read, __read_chk, fd, (int fd, void *to, size_t n, size_t room), (fd, to, n, room))
WRAP_PART(read, __pread_chk, fd, (int fd, void *to, size_t n, off_t at, size_t room),
    (fd, to, n, at, room))
WRAP_PART(read, __pread64_chk, fd, (int fd, void *to, size_t n, off_t at, size_t room),
    (fd, to, n, at, room))
WRAP_PART(read, __recv_chk, fd, (int fd, void *to, size_t n, size_t room, int flags),
    (fd, to, n, room, flags))

/* ---- write ------------------------------------------------------------------------------- */

WRAP_PART(write, write, fd, (int fd, const void *from, size_t n), (fd, from, n))
WRAP_PART(write, pwrite, fd, (int fd, const void *from, size_t n, off_t at), (fd, from, n, at))
WRAP_PART(write, pwrite64, fd, (int fd, const void *from, size_t n, off_t at), (fd, from, n, at))
WRAP_PART(write, send, fd, (int fd, const void *from, size_t n, int flags), (fd, from, n, flags))
WRAP_PART(write, sendto, fd,
    (int fd, const void *from, size_t n, int flags, __CONST_SOCKADDR_ARG to, socklen_t length),
    (fd, from, n, flags, to, length))
WRAP_PART(write, splice, out,
    (int in, off64_t *in_at, int out, off64_t *out_at, size_t n, unsigned flags),
    (in, in_at, out, out_at, n, flags))
WRAP_PART(write, sendfile64, out, (int out, int in, off64_t *at, size_t n), (out, in, at, n))
WRAP_PART(write, sendfile, out, (int out, int in, off_t *at, size_t n), (out, in, at, n))

/* Of several parts, half of the first is a part. */
EXPORT ssize_t
writev(int fd, const struct iovec *parts, int count)
{
	const struct fault_verdict verdict = fault_look(FAULT_CLASS_write, "writev", fd, NULL);
	struct iovec half;

	if (verdict.error != 0) {
		errno = verdict.error;
		return -1;
	}
	if (!verdict.is_short || count < 1 || parts[0].iov_len < 2)
		return NEXT(writev)(fd, parts, count);
	half = (struct iovec){ parts[0].iov_base, parts[0].iov_len / 2 };
	return NEXT(writev)(fd, &half, 1);
}

EXPORT ssize_t
sendmsg(int fd, const struct msghdr *message, int flags)
{
	const struct fault_verdict verdict = fault_look(FAULT_CLASS_write, "sendmsg", fd, NULL);
	struct msghdr shorter = *message;
	struct iovec half;

	if (verdict.error != 0) {
		errno = verdict.error;
		return -1;
	}
	if (verdict.is_short && message->msg_iovlen > 0 && message->msg_iov[0].iov_len > 1) {
		half =
		    (struct iovec){ message->msg_iov[0].iov_base, message->msg_iov[0].iov_len / 2 };
		shorter.msg_iov = &half;
		shorter.msg_iovlen = 1;
	}
	return NEXT(sendmsg)(fd, &shorter, flags);
}

/* ---- flush ------------------------------------------------------------------------------- */

WRAP(flush, int, fsync, fd, NULL, (int fd), (fd))
WRAP(flush, int, fdatasync, fd, NULL, (int fd), (fd))

/* ---- open: files and folders ------------------------------------------------------------- */

#define MODE_OF(flags) \
	({ \
		mode_t mode = 0; \
		if (((flags) & (O_CREAT | O_TMPFILE)) != 0) { \
			va_list list; \
			va_start(list, flags); \
			mode = va_arg(list, mode_t); \
			va_end(list); \
		} \
		mode; \
	})

#define WRAP_OPEN(name) \
	EXPORT int name(const char *path, int flags, ...) \
	{ \
		const struct fault_verdict verdict = \
		    fault_look(FAULT_CLASS_open, "open", -1, path); \
\
		if (verdict.error != 0) { \
			errno = verdict.error; \
			return -1; \
		} \
		return NEXT(name)(path, flags, MODE_OF(flags)); \
	}
#define WRAP_OPENAT(name) \
	EXPORT int name(int at, const char *path, int flags, ...) \
	{ \
		const struct fault_verdict verdict = \
		    fault_look(FAULT_CLASS_open, "openat", -1, path); \
\
		if (verdict.error != 0) { \
			errno = verdict.error; \
			return -1; \
		} \
		return NEXT(name)(at, path, flags, MODE_OF(flags)); \
	}

WRAP_OPEN(open)
WRAP_OPEN(open64)
WRAP_OPENAT(openat)
WRAP_OPENAT(openat64)

int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int at, const char *path, int flags);
int __openat64_2(int at, const char *path, int flags);

WRAP(open, int, __open_2, -1, path, (const char *path, int flags), (path, flags))
WRAP(open, int, __open64_2, -1, path, (const char *path, int flags), (path, flags))
WRAP(open, int, __openat_2, -1, path, (int at, const char *path, int flags), (at, path, flags))
WRAP(open, int, __openat64_2, -1, path, (int at, const char *path, int flags), (at, path, flags))

WRAP(open, int, mkdir, -1, path, (const char *path, mode_t mode), (path, mode))
WRAP(open, int, mkdirat, -1, path, (int at, const char *path, mode_t mode), (at, path, mode))
WRAP(open, int, rename, -1, to, (const char *from, const char *to), (from, to))
WRAP(
    open, int, renameat, -1, to, (int a, const char *from, int b, const char *to), (a, from, b, to))
WRAP(open, int, renameat2, -1, to, (int a, const char *from, int b, const char *to, unsigned flags),
    (a, from, b, to, flags))
WRAP(open, int, unlink, -1, path, (const char *path), (path))
WRAP(open, int, unlinkat, -1, path, (int at, const char *path, int flags), (at, path, flags))
WRAP(open, int, rmdir, -1, path, (const char *path), (path))
WRAP(open, int, ftruncate, fd, NULL, (int fd, off_t size), (fd, size))
WRAP(open, int, ftruncate64, fd, NULL, (int fd, off_t size), (fd, size))
WRAP(open, int, fallocate, fd, NULL, (int fd, int mode, off_t at, off_t size), (fd, mode, at, size))
WRAP(open, int, fallocate64, fd, NULL, (int fd, int mode, off_t at, off_t size),
    (fd, mode, at, size))
WRAP_GIVES(open, posix_fallocate, (int fd, off_t at, off_t size), (fd, at, size))
WRAP_GIVES(open, posix_fallocate64, (int fd, off_t at, off_t size), (fd, at, size))

/* Only what makes a descriptor or takes a lock: to let go of one never fails. */
#define WRAP_FCNTL(name) \
	EXPORT int name(int fd, int command, ...) \
	{ \
		struct fault_verdict verdict = { 0 }; \
		va_list list; \
		void *argument; \
\
		va_start(list, command); \
		argument = va_arg(list, void *); \
		va_end(list); \
		if (command == F_DUPFD || command == F_DUPFD_CLOEXEC) \
			verdict = fault_look(FAULT_CLASS_socket, "dup", -1, NULL); \
		else if (command == F_SETLK && ((struct flock *)argument)->l_type != F_UNLCK) \
			verdict = fault_look(FAULT_CLASS_open, "lock", fd, NULL); \
		if (verdict.error != 0) { \
			errno = verdict.error; \
			return -1; \
		} \
		return NEXT(name)(fd, command, argument); \
	}

WRAP_FCNTL(fcntl)
WRAP_FCNTL(fcntl64)

/* ---- socket and net ---------------------------------------------------------------------- */

WRAP(socket, int, socket, -1, NULL, (int domain, int type, int protocol), (domain, type, protocol))
WRAP(socket, int, socketpair, -1, NULL, (int domain, int type, int protocol, int ends[2]),
    (domain, type, protocol, ends))
WRAP(
    net, int, bind, fd, NULL, (int fd, __CONST_SOCKADDR_ARG to, socklen_t length), (fd, to, length))
WRAP(net, int, listen, fd, NULL, (int fd, int backlog), (fd, backlog))
WRAP(socket, int, accept, fd, NULL, (int fd, __SOCKADDR_ARG from, socklen_t *restrict length),
    (fd, from, length))
WRAP(socket, int, accept4, fd, NULL,
    (int fd, __SOCKADDR_ARG from, socklen_t *restrict length, int flags), (fd, from, length, flags))
WRAP(net, int, connect, fd, NULL, (int fd, __CONST_SOCKADDR_ARG to, socklen_t length),
    (fd, to, length))
WRAP(net, int, setsockopt, fd, NULL,
    (int fd, int level, int name, const void *value, socklen_t size),
    (fd, level, name, value, size))
WRAP(socket, int, pipe, -1, NULL, (int ends[2]), (ends))
WRAP(socket, int, pipe2, -1, NULL, (int ends[2], int flags), (ends, flags))
WRAP(socket, int, epoll_create1, -1, NULL, (int flags), (flags))
/* Only what the kernel may refuse: it never lacks memory to let go. */
EXPORT int
epoll_ctl(int epoll, int what, int fd, struct epoll_event *event)
{
	struct fault_verdict verdict = { 0 };

	if (what == EPOLL_CTL_ADD)
		verdict = fault_look(FAULT_CLASS_net, "epoll_ctl", fd, NULL);
	if (verdict.error != 0) {
		errno = verdict.error;
		return -1;
	}
	return NEXT(epoll_ctl)(epoll, what, fd, event);
}

WRAP(socket, int, eventfd, -1, NULL, (unsigned count, int flags), (count, flags))
WRAP(socket, int, timerfd_create, -1, NULL, (clockid_t clock, int flags), (clock, flags))
WRAP(socket, int, signalfd, -1, NULL, (int fd, const sigset_t *set, int flags), (fd, set, flags))
WRAP(socket, int, pidfd_open, -1, NULL, (pid_t pid, unsigned flags), (pid, flags))
WRAP(socket, int, dup2, -1, NULL, (int from, int to), (from, to))
WRAP(socket, int, dup3, -1, NULL, (int from, int to, int flags), (from, to, flags))

/* ---- wait -------------------------------------------------------------------------------- */

WRAP(wait, int, poll, -1, NULL, (struct pollfd * fds, nfds_t count, int timeout),
    (fds, count, timeout))
WRAP(wait, int, epoll_wait, -1, NULL,
    (int epoll, struct epoll_event *events, int most, int timeout), (epoll, events, most, timeout))

int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t room);
WRAP(wait, int, __poll_chk, -1, NULL, (struct pollfd * fds, nfds_t count, int timeout, size_t room),
    (fds, count, timeout, room))

/* ---- fork -------------------------------------------------------------------------------- */

EXPORT pid_t
fork(void)
{
	const struct fault_verdict verdict = fault_look(FAULT_CLASS_fork, "fork", -1, NULL);
	pid_t pid;

	if (verdict.error != 0) {
		errno = verdict.error;
		return -1;
	}
	pid = NEXT(fork)();
	if (pid == 0)
		fault_forked();
	return pid;
}

WRAP(fork, int, execve, -1, path, (const char *path, char *const argv[], char *const envp[]),
    (path, argv, envp))
WRAP_GIVES(fork, pthread_create,
    (pthread_t *restrict ret, const pthread_attr_t *restrict how, void *(*start)(void *),
	void *restrict arg),
    (ret, how, start, arg))

/* The runner has an environment of its own, in which we are not: we follow it, and nobody else. */
static void
environment_with_us(char *const given[], char *ret[], size_t room)
{
	static const char *const ours[] = { "LD_PRELOAD=", "FAULT",
		"ASAN_OPTIONS=", "LSAN_OPTIONS=", "UBSAN_OPTIONS=", "POWER" };
	size_t n = 0;

	for (; *given != NULL && n < room / 2; given++)
		ret[n++] = *given;
	for (char **one = environ; *one != NULL && n < room - 1; one++)
		for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
			if (strncmp(*one, ours[i], strlen(ours[i])) == 0)
				ret[n++] = *one;
	ret[n] = NULL;
}

EXPORT int
posix_spawn(pid_t *restrict ret, const char *restrict path,
    const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *restrict how,
    char *const argv[restrict], char *const envp[restrict])
{
	const struct fault_verdict verdict = fault_look(FAULT_CLASS_fork, "posix_spawn", -1, path);
	char *with_us[512];

	if (verdict.error != 0)
		return verdict.error;
	if (!fault_is_runner(path))
		return NEXT(posix_spawn)(ret, path, actions, how, argv, envp);
	environment_with_us(envp, with_us, sizeof(with_us) / sizeof(*with_us));
	return NEXT(posix_spawn)(ret, path, actions, how, argv, with_us);
}
