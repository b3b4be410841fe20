/* http_listen.c - opens listening sockets and names their peers.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/http_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/file.h"

#define BACKLOG	    511 /* as nginx; the kernel's somaxconn limits it further */
#define SOCKET_MODE 0660

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
	struct sockaddr_storage room;
};

static bool
parse_port(const char *text, uint16_t *ret_port)
{
	char *end;
	unsigned long port;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	port = strtoul(text, &end, 10);
	if (errno != 0 || *end != '\0' || port > UINT16_MAX)
		return false;
	*ret_port = (uint16_t)port;
	return true;
}

static bool
parse_inet(const char *where, union address *ret_address, socklen_t *ret_size)
{
	char host[INET6_ADDRSTRLEN + 2];
	const char *colon = strrchr(where, ':');
	size_t size = colon == NULL ? 0 : (size_t)(colon - where);
	uint16_t port;

	if (size == 0 || size >= sizeof(host) || !parse_port(colon + 1, &port))
		return false;
	memcpy(host, where, size);
	host[size] = '\0';
	memset(ret_address, 0, sizeof(*ret_address));
	if (host[0] == '[' && host[size - 1] == ']') {
		host[size - 1] = '\0';
		ret_address->in6.sin6_family = AF_INET6;
		ret_address->in6.sin6_port = htons(port);
		*ret_size = sizeof(ret_address->in6);
		return inet_pton(AF_INET6, host + 1, &ret_address->in6.sin6_addr) == 1;
	}
	ret_address->in.sin_family = AF_INET;
	ret_address->in.sin_port = htons(port);
	*ret_size = sizeof(ret_address->in);
	return inet_pton(AF_INET, host, &ret_address->in.sin_addr) == 1;
}

static bool
parse_unix(const char *path, union address *ret_address, socklen_t *ret_size)
{
	if (*path == '\0' || strlen(path) >= sizeof(ret_address->un.sun_path))
		return false;
	memset(ret_address, 0, sizeof(*ret_address));
	ret_address->un.sun_family = AF_UNIX;
	memcpy(ret_address->un.sun_path, path, strlen(path) + 1);
	*ret_size = sizeof(ret_address->un);
	return true;
}

/* Removes a socket file that no process listens on any more; leaves everything else. */
static void
remove_stale(const union address *address, socklen_t size)
{
	CLEANUP(file_closep) int fd = -1;
	struct stat st;

	if (lstat(address->un.sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
		return;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, &address->any, size) != 0 && errno == ECONNREFUSED)
		(void)unlink(address->un.sun_path); /* bind says so if it stays */
}

static bool
bind_and_listen(int fd, const union address *address, socklen_t size)
{
	int on = 1;

	if (address->any.sa_family == AF_UNIX)
		remove_stale(address, size);
	else if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
		return false;
	if (address->any.sa_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0)
		return false;
	if (bind(fd, &address->any, size) != 0)
		return false;
	if (address->any.sa_family == AF_UNIX && chmod(address->un.sun_path, SOCKET_MODE) != 0)
		return false;
	return listen(fd, BACKLOG) == 0;
}

/* Whoever gave it to us may have left it blocking, and to our children. */
static bool
adopt(int fd, struct err *err)
{
	int flags = fcntl(fd, F_GETFL), type = 0, listens = 0;
	socklen_t size = sizeof(type);

	if (flags < 0)
		return err_errno(err, ERR_CONFIG, errno, "listen on descriptor %d", fd);
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_STREAM ||
	    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens == 0)
		return err_set(
		    err, ERR_CONFIG, "descriptor %d is no stream socket that listens", fd);
	if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
		return err_errno(err, ERR_IO, errno, "listen on descriptor %d", fd);
	return true;
}

static int
open_given(const char *number, struct err *err)
{
	uint16_t fd;

	if (!parse_port(number, &fd))
		return ERR_FD(
		    err_set(err, ERR_CONFIG, "listen on \"fd:%s\": expected a number", number));
	return adopt(fd, err) ? fd : -1;
}

int
http_listen_open(const char *where, struct err *err)
{
	union address address;
	socklen_t size = 0;
	bool is_unix = strncmp(where, "unix:", 5) == 0;
	CLEANUP(file_closep) int fd = -1;

	if (strncmp(where, "fd:", 3) == 0)
		return open_given(where + 3, err);
	if (!(is_unix ? parse_unix(where + 5, &address, &size) :
			parse_inet(where, &address, &size)))
		return ERR_FD(err_set(err, ERR_CONFIG,
		    "listen on \"%s\": expected ADDRESS:PORT, [ADDRESS]:PORT or unix:PATH", where));
	fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && bind_and_listen(fd, &address, size))
		return TAKE_FD(fd);
	if (errno == EADDRINUSE && !is_unix)
		(void)err_set(err, ERR_IO,
		    "listen on %s: Address already in use: stop the program that has it, or set another port (ss -ltnp, as root, names it)",
		    where);
	else
		(void)err_errno(err, ERR_IO, errno, "listen on %s", where);
	return -1;
}

uint16_t
http_listen_port(int fd)
{
	union address address = { 0 };
	socklen_t size = sizeof(address);

	if (getsockname(fd, &address.any, &size) != 0)
		return 0;
	if (address.any.sa_family == AF_INET)
		return ntohs(address.in.sin_port);
	return address.any.sa_family == AF_INET6 ? ntohs(address.in6.sin6_port) : 0;
}

void
http_listen_name(int fd, char ret[HTTP_LISTEN_NAME_SIZE])
{
	union address address = { 0 };
	socklen_t size = sizeof(address);
	char host[INET6_ADDRSTRLEN] = "";

	ret[0] = '\0';
	if (getsockname(fd, &address.any, &size) != 0)
		return;
	if (address.any.sa_family == AF_UNIX)
		(void)snprintf(ret, HTTP_LISTEN_NAME_SIZE, "unix:%.*s",
		    (int)sizeof(address.un.sun_path), address.un.sun_path);
	else if (address.any.sa_family == AF_INET)
		(void)snprintf(ret, HTTP_LISTEN_NAME_SIZE, "%s:%u",
		    inet_ntop(AF_INET, &address.in.sin_addr, host, sizeof(host)),
		    http_listen_port(fd));
	else if (address.any.sa_family == AF_INET6)
		(void)snprintf(ret, HTTP_LISTEN_NAME_SIZE, "[%s]:%u",
		    inet_ntop(AF_INET6, &address.in6.sin6_addr, host, sizeof(host)),
		    http_listen_port(fd));
}

bool
http_listen_peer(const struct sockaddr *address, char text[HTTP_LISTEN_PEER_SIZE])
{
	const struct sockaddr_in6 *in6 = (const void *)address;
	const struct sockaddr_in *in = (const void *)address;

	(void)snprintf(text, HTTP_LISTEN_PEER_SIZE, "unix");
	if (address == NULL || address->sa_family == AF_UNIX)
		return address != NULL;
	if (address->sa_family == AF_INET) {
		(void)inet_ntop(AF_INET, &in->sin_addr, text, HTTP_LISTEN_PEER_SIZE);
		return (ntohl(in->sin_addr.s_addr) >> 24) == 127;
	}
	if (address->sa_family != AF_INET6)
		return false;
	(void)inet_ntop(AF_INET6, &in6->sin6_addr, text, HTTP_LISTEN_PEER_SIZE);
	return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

bool
http_listen_is_address(const char *text)
{
	unsigned char room[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, text, room) == 1 || inet_pton(AF_INET6, text, room) == 1;
}
