/* serve_users.c - asks a directory elsewhere (LDAP) for users that LOCAL_<USER>_IS names, on a thread.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/file.h"
#include "lib/mem.h"
#include "serve_inside.h"
#include "settings/sources/settings_users.h"

#define AGAIN_MS 60000 /* somebody unknown connects, and again */

/* What the thread has, and hands back; whom the loop no longer waits for it frees itself. */
struct asking {
	int fd;
	size_t n;
	struct settings_user *users;
};

static void
free_asking(struct asking *asking)
{
	if (asking == NULL)
		return;
	free(asking->users);
	free(asking);
}

/* It may take minutes, and the server may end meanwhile. */
static void *
ask(void *ctx)
{
	struct asking *asking = ctx;
	CLEANUP(file_closep) int fd = asking->fd; /* only sent to */

	for (size_t i = 0; i < asking->n; i++)
		settings_user_ask(&asking->users[i]);
	if (send(fd, &asking, sizeof(asking), MSG_NOSIGNAL) != (ssize_t)sizeof(asking))
		free_asking(asking);
	return NULL;
}

static bool
start_thread(struct asking *asking)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, before;
	bool is_started;

	if (pthread_attr_init(&attr) != 0)
		return false;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the loop's */
	is_started = pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) == 0 &&
	    pthread_create(&thread, &attr, ask, asking) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)pthread_attr_destroy(&attr); /* always 0 */
	return is_started;
}

static struct asking *
take_answer(struct serve *serve)
{
	struct asking *asking = NULL;
	CLEANUP(file_closep) int fd = loop_io_fd(&serve->users_io); /* only read from */

	if (recv(fd, &asking, sizeof(asking), MSG_DONTWAIT) != (ssize_t)sizeof(asking))
		asking = NULL;
	loop_io_stop(&serve->users_io);
	serve->asks_users = false;
	return asking;
}

static void
on_answer(UNUSED struct loop_io *io, UNUSED unsigned events, void *ctx)
{
	struct serve *serve = ctx;
	struct asking *asking = take_answer(serve);

	if (asking != NULL)
		serve->on_users(serve, asking->users, asking->n);
	free_asking(asking);
}

void
serve_users_ask(struct serve *serve, bool is_paced)
{
	struct asking *asking;
	int fds[2];

	if (serve->asks_users || serve_is_stopping(serve) ||
	    (is_paced && serve->users_asked_at != 0 &&
		loop_now_ms() - serve->users_asked_at < AGAIN_MS))
		return;
	asking = mem_new(1, sizeof(*asking));
	asking->users = settings_users_elsewhere(serve->settings, &asking->n);
	if (asking->users == NULL ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0) {
		free_asking(asking);
		return;
	}
	if (is_paced)
		serve->users_asked_at = loop_now_ms();
	asking->fd = fds[1];
	if (!start_thread(asking)) {
		log_warning("LOCAL_<USER>_IS: no thread to look for users: see the next look");
		(void)close(fds[0]);
		(void)close(fds[1]);
		free_asking(asking);
		return;
	}
	serve->asks_users = true;
	loop_io_init(&serve->users_io, on_answer, serve);
	loop_io_start(serve->loop, &serve->users_io, fds[0], LOOP_READ);
}

void
serve_users_stop(struct serve *serve)
{
	if (serve->asks_users)
		free_asking(take_answer(serve));
}
