/* serve_listen.c - where the network reaches this server, from its first moment as a standby on.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "lib/err.h"
#include "lib/http_listen.h"
#include "lib/log.h"
#include "serve_inside.h"
#include "serve_listen.h"

/* As http_listen_name() says it. */
static void
address_of(const struct settings *settings, char *out, size_t room)
{
	const char *address = settings->listen_address;

	if (address[0] == '/')
		(void)snprintf(out, room, "unix:%s", address);
	else
		(void)snprintf(out, room, strchr(address, ':') != NULL ? "[%s]:%d" : "%s:%d",
		    address, settings->api_server_port);
}

static void
listen_text(const struct serve *serve, char *out, size_t room)
{
	if (serve->given.fd >= 0)
		(void)snprintf(out, room, "fd:%d", serve->given.fd);
	else
		address_of(serve->settings, out, room);
}

bool
serve_listen(struct serve *serve, const struct http_server_config *config, struct err *err)
{
	char listen[256];

	if (serve->http != NULL) {
		http_server_serve(serve->http, config);
		return true;
	}
	listen_text(serve, listen, sizeof(listen));
	serve->http = http_server_new(serve->loop, config, listen, err);
	return serve->http != NULL;
}

bool
serve_listen_room(void *ctx)
{
	return route_watch_make_room(((struct serve *)ctx)->runner.waiting);
}

/* A port that is changed in the settings alone is served by nobody. */
static void
say_given(const struct serve *serve)
{
	char given[HTTP_LISTEN_NAME_SIZE], set[HTTP_LISTEN_NAME_SIZE];

	http_listen_name(serve->given.fd, given);
	address_of(serve->settings, set, sizeof(set));
	log_info("ready: listening on %s from the service manager, state in %s", given,
	    serve->settings->state_directory);
	if (strcmp(given, set) != 0)
		log_warning(
		    "LISTEN_ADDRESS and API_SERVER_PORT say %s, and count for nothing: the socket unit says where: systemctl edit deploybot.socket",
		    set);
}

void
serve_listen_say(const struct serve *serve)
{
	uint16_t port = http_server_port(serve->http);

	if (serve->given.fd >= 0) {
		say_given(serve);
	} else if (port != 0)
		log_info("ready: listening on %s:%u, state in %s", serve->settings->listen_address,
		    port, serve->settings->state_directory);
	else
		log_info("ready: listening on %s, state in %s", serve->settings->listen_address,
		    serve->settings->state_directory);
}

/* Everybody may connect: the kernel says who they are. */
static bool
open_own(
    struct serve *serve, const struct http_server_config *config, const char *path, struct err *err)
{
	char listen[128];

	(void)snprintf(listen, sizeof(listen), "unix:%s", path); /* fits: its type sees to that */
	serve->local_http = http_server_new(serve->loop, config, listen, err);
	return serve->local_http != NULL &&
	    (chmod(path, 0666) == 0 || err_errno(err, ERR_IO, errno, "chmod %s", path));
}

void
serve_listen_local(
    struct serve *serve, const struct http_server_config *config, int given, struct err *err)
{
	const char *path = settings_local_socket(serve->settings);

	if (given >= 0)
		serve->local_http = http_server_new_on(serve->loop, config, given, err);
	else if (path != NULL && !open_own(serve, config, path, err))
		http_server_free(TAKE(serve->local_http));
}

/* A place that has no descriptor is worse than none: a probe would fail for it. */
void
serve_listen_allow(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= LIMIT_DESCRIPTORS)
		return;
	limit.rlim_cur = limit.rlim_max < LIMIT_DESCRIPTORS ? limit.rlim_max : LIMIT_DESCRIPTORS;
	(void)setrlimit(RLIMIT_NOFILE, &limit); /* with the usual 1,024 it works too */
}
