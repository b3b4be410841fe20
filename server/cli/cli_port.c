/* cli_port.c - a GET of the running server's own port, answered at once.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "cli/cli_port.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "lib/err.h"
#include "lib/file.h"
#include "lib/text.h"
#include "routes/route_instance.h"
#include "telegram/telegram_webhook.h"
#include "types/settings.h"

#define PATIENCE_S 3 /* of each step; docker's own limit is 30 s for all */

DEFINE_FREEP(struct addrinfo, freeaddrinfo)

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
	CLEANUP(freeaddrinfop) struct addrinfo *found = NULL;
	char service[16];

	(void)snprintf(service, sizeof(service), "%d", port);
	if (getaddrinfo(reachable(address), service, &hints, &found) != 0)
		return err_set(err, ERR_INVALID, "not an address: %s", address);
	*ret = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return *ret >= 0 ? connect_socket(*ret, found->ai_addr, found->ai_addrlen, err) :
			   err_errno(err, ERR_IO, errno, "socket");
}

/* Up to the end of the answer, or of the room. */
static bool
receive(int fd, char answer[CLI_PORT_ANSWER + 1], struct err *err)
{
	size_t size = 0;
	ssize_t n = 1;

	while (n > 0 && size < CLI_PORT_ANSWER) {
		n = recv(fd, answer + size, CLI_PORT_ANSWER - size, 0);
		size += n > 0 ? (size_t)n : 0;
	}
	answer[size] = '\0';
	if (size == 0 && n < 0)
		return err_errno(err, ERR_TIMEOUT, errno, "it does not answer");
	return size > 0 || err_set(err, ERR_IO, "it ends the connection without an answer");
}

bool
cli_port_get(const struct settings *settings, const char *path, const char *header,
    char answer[CLI_PORT_ANSWER + 1], struct err *err)
{
	CLEANUP(file_closep) int fd = -1;
	char request[256];
	int size = snprintf(request, sizeof(request),
	    "GET %s HTTP/1.1\r\nHost: localhost\r\n%s%sConnection: close\r\n\r\n", path,
	    header == NULL ? "" : header, header == NULL ? "" : "\r\n");
	bool ok = settings->listen_address[0] == '/' ?
	    connect_unix(settings->listen_address, &fd, err) :
	    connect_ip(settings->listen_address, settings->api_server_port, &fd, err);

	assert(size > 0 && (size_t)size < sizeof(request)); /* both are ours */
	answer[0] = '\0';
	if (!ok)
		return false;
	if (send(fd, request, (size_t)size, MSG_NOSIGNAL) != size)
		return err_errno(err, ERR_IO, errno, "it does not read");
	return receive(fd, answer, err);
}

bool
cli_port_has_header(const char *answer, const char *name)
{
	const char *end = strstr(answer, "\r\n\r\n");

	for (const char *line = strstr(answer, "\r\n"); line != NULL && line < end;
	     line = strstr(line + 2, "\r\n"))
		if (text_starts_ci(line + 2, name) && line[2 + strlen(name)] == ':')
			return true;
	return false;
}

const char *
cli_port_body(const char *answer)
{
	const char *end = strstr(answer, "\r\n\r\n");

	return end == NULL || !text_starts(answer, "HTTP/1.1 200 ") ? NULL : end + 4;
}

bool
cli_port_instance(
    const struct settings *settings, char answer[CLI_PORT_ANSWER + 1], struct err *err)
{
	const char *body;

	if (!cli_port_get(
		settings, TELEGRAM_WEBHOOK_PATH, ROUTE_INSTANCE_HEADER ": ?", answer, err))
		return false;
	body = cli_port_body(answer);
	if (body == NULL || !text_starts(body, "deploybot "))
		return err_set(err, ERR_IO,
		    "what listens there does not say which server it is: is it of another version?");
	memmove(answer, body, strlen(body) + 1);
	return true;
}
