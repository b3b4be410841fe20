/* runner_child.c - the runner as a process of ours: started, watched, killed.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "runs/runner_child.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/mem.h"
#include "runs/runner_link.h"

#define ANSWER_S 10 /* how long a starter may think about it */

#define RUNNER_CHILD_MAGIC 0x52756e63u

struct runner_child {
	unsigned magic;
	pid_t starter; /* not waited for before the end: it is its own until then */
	int fd;	       /* to the starter */
	char *path;
	bool is_there;
	struct loop *loop;  /* NULL: nobody watches it yet */
	struct loop_io end; /* of the runner, and of the starter */
	runner_child_end_fn *on_end;
	void *ctx;
};

static void on_said(struct loop_io *io, unsigned events, void *ctx);

/* --- its beginning ------------------------------------------------------------------------ */

static char *
path_beside_us(struct err *err)
{
	static const char name[] = "deploybot-runner";
	char own[4096];
	ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);
	char *slash;

	if (n < 0)
		return ERR_NULL(err_errno(err, ERR_IO, errno, "finding our own executable"));
	own[n] = '\0';
	slash = strrchr(own, '/');
	assert(slash != NULL);
	slash[1] = '\0';
	return mem_textf("%s%s", own, name);
}

struct runner_child *
runner_child_new(
    const struct runner_link_config *config, void (*wipe)(void *ctx), void *ctx, struct err *err)
{
	const struct timeval patience = { .tv_sec = ANSWER_S };
	struct runner_link_config of = *config;
	struct runner_child *child = mem_new(1, sizeof(*child));

	child->magic = RUNNER_CHILD_MAGIC;
	child->fd = child->starter = -1;
	child->path = config->path != NULL ? mem_text(config->path) : path_beside_us(err);
	of.path = child->path;
	if (child->path != NULL)
		child->starter = runner_starter_fork(&of, wipe, ctx, &child->fd, err);
	if (child->starter < 0) {
		runner_child_free(child);
		return NULL;
	}
	(void)setsockopt(child->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return child;
}

void
runner_child_watch(
    struct runner_child *child, struct loop *loop, runner_child_end_fn *on_end, void *ctx)
{
	OBJ_CHECK(child, RUNNER_CHILD_MAGIC);
	child->loop = loop;
	child->on_end = on_end;
	child->ctx = ctx;
	loop_io_init(&child->end, on_said, child);
	loop_io_start(loop, &child->end, child->fd, LOOP_READ);
}

/* --- what its starter is told ------------------------------------------------------------- */

static bool
tell(const struct runner_child *child, char word, int fd)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .header = { .cmsg_level = SOL_SOCKET,
			  .cmsg_type = SCM_RIGHTS,
			  .cmsg_len = CMSG_LEN(sizeof(int)) } };
	struct iovec part = { .iov_base = &word, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (fd >= 0) {
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
		message.msg_control = control.room;
		message.msg_controllen = sizeof(control.room);
	}
	return sendmsg(child->fd, &message, MSG_NOSIGNAL) == 1;
}

/* A starter that does not answer is ended: what it says later would be taken for something else. */
static bool
start(struct runner_child *child, int child_fd, struct err *err)
{
	struct runner_starter_said said;
	ssize_t n;

	if (!tell(child, RUNNER_STARTER_START, child_fd))
		return err_errno(
		    err, ERR_IO, errno, "asking the process that starts %s", child->path);
	do
		n = recv(child->fd, &said, sizeof(said), 0);
	while (n < 0 && errno == EINTR); /* with a time-out it is not restarted */
	if (n != sizeof(said)) {
		(void)err_errno(
		    err, ERR_IO, n < 0 ? errno : EPIPE, "the process that starts %s", child->path);
		(void)kill(child->starter, SIGKILL);
		return false;
	}
	return said.what == RUNNER_STARTER_STARTED ||
	    err_errno(err, ERR_IO, said.value, "starting %s", child->path);
}

bool
runner_child_start(struct runner_child *child, int *ret_fd, struct err *err)
{
	int pair[2];

	OBJ_CHECK(child, RUNNER_CHILD_MAGIC);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return err_errno(err, ERR_IO, errno, "a socket for the runner");
	child->is_there = start(child, pair[1], err);
	close(pair[1]);
	if (!child->is_there) {
		close(pair[0]);
		return false;
	}
	*ret_fd = pair[0];
	return true;
}

bool
runner_child_is_there(const struct runner_child *child)
{
	OBJ_CHECK(child, RUNNER_CHILD_MAGIC);
	return child->is_there;
}

void
runner_child_kill(struct runner_child *child)
{
	OBJ_CHECK(child, RUNNER_CHILD_MAGIC);
	(void)tell(child, RUNNER_STARTER_KILL, -1); /* dead already is fine */
}

const char *
runner_child_path(const struct runner_child *child)
{
	OBJ_CHECK(child, RUNNER_CHILD_MAGIC);
	return child->path;
}

/* --- its end ------------------------------------------------------------------------------ */

static void
on_said(UNUSED struct loop_io *io, UNUSED unsigned events, void *ctx)
{
	struct runner_child *child = OBJ_OF(struct runner_child, ctx, RUNNER_CHILD_MAGIC);
	struct runner_starter_said said;
	ssize_t n = recv(child->fd, &said, sizeof(said), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != sizeof(said)) {
		said = (struct runner_starter_said){ .what = RUNNER_STARTER_GONE };
		loop_io_stop(&child->end);
	}
	child->is_there = false;
	child->on_end(child->ctx, &said);
}

void
runner_child_leave(struct runner_child *child)
{
	if (child == NULL)
		return;
	OBJ_CHECK(child, RUNNER_CHILD_MAGIC);
	if (child->loop != NULL)
		loop_io_stop(&child->end);
	child->loop = NULL;
}

void
runner_child_free(struct runner_child *child)
{
	if (child == NULL)
		return;
	OBJ_CHECK(child, RUNNER_CHILD_MAGIC);
	runner_child_leave(child);
	if (child->fd >= 0) {
		(void)close(child->fd);
		(void)kill(child->starter, SIGKILL); /* at that it ends, unless it was stopped */
		(void)waitpid(child->starter, NULL, 0);
	}
	free(child->path);
	child->magic = 0;
	free(child);
}
