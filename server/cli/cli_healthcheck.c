/* cli_healthcheck.c - `deploybot healthcheck`: GET /healthz of the running server.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/cli.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/text.h"
#include "routes/route_instance.h"
#include "telegram/telegram_webhook.h"
#include "types/settings.h"

#define ANSWER_MAX 2048
#define PATIENCE_S 3 /* of each step; docker's own limit is 30 s for all */

static bool
connect_socket(int fd, const struct sockaddr *address, socklen_t size, struct err *err)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };

	/* SO_SNDTIMEO holds for connect(2) too. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0)
		return err_errno(err, ERR_IO, errno, "setsockopt");
	if (connect(fd, address, size) != 0)
		return err_errno(err, ERR_IO, errno, "no process listens");
	return true;
}

static bool
connect_unix(const char *path, int *ret, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		return err_set(err, ERR_INVALID, "the path is too long: %s", path);
	memcpy(address.sun_path, path, strlen(path));
	*ret = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*ret < 0)
		return err_errno(err, ERR_IO, errno, "socket");
	return connect_socket(*ret, (struct sockaddr *)&address, sizeof(address), err);
}

/* Who listens on every address is reached on loopback. */
static const char *
reachable(const char *address)
{
	if (strcmp(address, "0.0.0.0") == 0)
		return "127.0.0.1";
	return strcmp(address, "::") == 0 ? "::1" : address;
}

static bool
connect_ip(const char *address, int port, int *ret, struct err *err)
{
	const struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *found;
	char service[16];
	bool ok;

	(void)snprintf(service, sizeof(service), "%d", port);
	if (getaddrinfo(reachable(address), service, &hints, &found) != 0)
		return err_set(err, ERR_INVALID, "not an address: %s", address);
	*ret = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ok = *ret >= 0 ? connect_socket(*ret, found->ai_addr, found->ai_addrlen, err) :
			 err_errno(err, ERR_IO, errno, "socket");
	freeaddrinfo(found);
	return ok;
}

static bool
send_request(int fd, const char *request, struct err *err)
{
	return send(fd, request, strlen(request), MSG_NOSIGNAL) == (ssize_t)strlen(request) ||
	    err_errno(err, ERR_IO, errno, "it does not read");
}

/* Prints what a name that leads to this server answers too. */
static bool
ask_instance(int fd, struct err *err)
{
	static const char request[] =
	    "GET " TELEGRAM_WEBHOOK_PATH " HTTP/1.1\r\nHost: localhost\r\n"
	    "" ROUTE_INSTANCE_HEADER ": ?\r\nConnection: close\r\n\r\n";
	char answer[ANSWER_MAX + 1] = "";
	const char *line;
	size_t size = 0;
	ssize_t n = 1;

	if (!send_request(fd, request, err))
		return false;
	while (n > 0 && size < ANSWER_MAX) {
		n = recv(fd, answer + size, ANSWER_MAX - size, 0);
		size += n > 0 ? (size_t)n : 0;
	}
	line = strstr(answer, "\r\n\r\ndeploybot ");
	if (n < 0 || line == NULL || !text_starts(answer, "HTTP/1.1 200 "))
		return err_set(err, ERR_IO,
		    "what listens there does not say which server it is: is it of another version?");
	(void)fputs(line + strlen("\r\n\r\n"), stdout);
	return true;
}

static bool
ask(int fd, struct err *err)
{
	static const char request[] =
	    "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
	static const char wanted[] = "HTTP/1.1 200 ";
	char answer[sizeof(wanted)] = "";
	ssize_t n;

	if (!send_request(fd, request, err))
		return false;
	n = recv(fd, answer, sizeof(wanted) - 1, MSG_WAITALL);
	if (n < 0)
		return err_errno(err, ERR_TIMEOUT, errno, "it does not answer");
	if (strcmp(answer, wanted) != 0)
		return err_set(err, ERR_IO, "unhealthy: it answered \"%s\"", answer);
	return true;
}

int
cli_healthcheck(const struct cli *cli)
{
	static const char *const flags[] = { "--instance" };
	CLEANUP(settings_unrefp) struct settings *s = NULL;
	CLEANUP(file_closep) int fd = -1;
	struct err err;
	bool ok;

	if (!cli_takes(cli, flags, COUNT(flags), "[--instance]"))
		return EX_USAGE;
	s = cli_settings(cli, false);
	if (s == NULL)
		return EX_CONFIG;
	ok = s->listen_address[0] == '/' ?
	    connect_unix(s->listen_address, &fd, &err) :
	    connect_ip(s->listen_address, s->api_server_port, &fd, &err);
	if (ok && (cli_has_flag(cli, flags[0]) ? ask_instance(fd, &err) : ask(fd, &err)))
		return EX_OK;
	(void)fprintf(stderr, "%s port %d: %s\n", s->listen_address, s->api_server_port, err.text);
	return 1;
}
