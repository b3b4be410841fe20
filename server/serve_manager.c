/* serve_manager.c - the service manager: the socket it gives us, and what it is sent.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/log.h"
#include "serve_inside.h"

/* FileDescriptorName=local in its unit; one without peer credentials is none. */
static bool
is_local(int fd, const char *name)
{
	return strcmp(name, "local") == 0 && sd_is_socket(fd, AF_UNIX, SOCK_STREAM, 1) > 0;
}

static void
free_names(char **names)
{
	for (char **name = names; name != NULL && *name != NULL; name++)
		free(*name);
	free(names);
}

/*
 * The first that HTTP can be served on; it outlives us with the manager, so nobody is refused while
 * we restart.  Variables are unset and all of it is close-on-exec: none of it is our children's.
 */
bool
serve_manager_sockets(int *ret_fd, int *ret_local_fd, struct err *err)
{
	char **names = NULL;
	int count = sd_listen_fds_with_names(1, &names), found = -1;

	if (count < 0)
		return err_errno(err, ERR_CONFIG, -count, "LISTEN_FDS");
	for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + count; fd++) {
		if (*ret_local_fd < 0 && is_local(fd, names[fd - SD_LISTEN_FDS_START])) {
			*ret_local_fd = fd;
			continue;
		}
		bool is_served = found < 0 &&
		    (sd_is_socket(fd, AF_INET, SOCK_STREAM, 1) > 0 ||
			sd_is_socket(fd, AF_INET6, SOCK_STREAM, 1) > 0 ||
			sd_is_socket(fd, AF_UNIX, SOCK_STREAM, 1) > 0);

		if (is_served) {
			found = fd;
			continue;
		}
		log_warning("socket activation: descriptor %d is not served: %s", fd,
		    found >= 0 ? "one socket is enough" : "it is no stream socket that listens");
		(void)close(fd); /* whoever connects there would wait for ever */
	}
	free_names(names);
	if (count > 0 && found < 0 && *ret_local_fd < 0)
		return err_set(err, ERR_CONFIG,
		    "socket activation: none of %d descriptors can be served: the .socket unit needs ListenStream=",
		    count);
	*ret_fd = found;
	return true;
}

/* A loop that no longer turns says nothing: the manager ends us (WatchdogSec=) and starts us again.
 * A hung store is no reason: what it waits for would hang the next one too. */
static void
on_alive(UNUSED struct loop_timer *timer, UNUSED void *ctx)
{
	(void)sd_notify(0, "WATCHDOG=1"); /* nobody may have asked */
}

void
serve_manager_ready(struct serve *serve)
{
	uint64_t every_us = 0;

	(void)sd_notify(0, "READY=1");
	loop_timer_init(&serve->alive_timer, on_alive, serve);
	if (sd_watchdog_enabled(0, &every_us) > 0) {
		int64_t half_ms = (int64_t)(every_us / 2000);

		loop_timer_start(serve->loop, &serve->alive_timer, 0, half_ms > 0 ? half_ms : 1);
	}
}

void
serve_manager_stopping(void)
{
	(void)sd_notify(0, "STOPPING=1");
}

void
serve_manager_refused(const char *why)
{
	(void)sd_notifyf(0, "STATUS=cannot start: %s", why);
}
