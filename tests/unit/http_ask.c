/* http_ask.c - a blocking-looking client on a non-blocking socket.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "tests/unit/http_ask.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/loop.h"

struct git_query_queue {
	int fd;
	const char *request;
	size_t size;
	size_t sent;
	struct http_asked *ret;
	size_t got;
	bool is_done;
};

/* Whether the head and as much of a body as it promises are there. */
static bool
is_whole(const struct http_asked *asked, size_t got)
{
	const char *end = strstr(asked->text, "\r\n\r\n");
	const char *length = strcasestr(asked->text, "\r\nContent-Length:");

	if (end == NULL)
		return false;
	if (length == NULL || length > end)
		return false;
	return got >= (size_t)(end + 4 - asked->text) + strtoul(length + 17, NULL, 10);
}

static void
on_ready(struct loop_io *io, unsigned events, void *ctx)
{
	struct git_query_queue *a = ctx;
	ssize_t n;

	(void)io;
	if ((events & LOOP_WRITE) != 0 && a->sent < a->size) {
		n = send(a->fd, a->request + a->sent, a->size - a->sent, MSG_NOSIGNAL);
		if (n > 0)
			a->sent += (size_t)n;
		else if (n < 0 && errno != EAGAIN)
			a->sent = a->size; /* refused before the end: the answer is there */
	}
	if ((events & LOOP_READ) == 0)
		return;
	n = recv(a->fd, a->ret->text + a->got, sizeof(a->ret->text) - 1 - a->got, 0);
	if (n > 0)
		a->got += (size_t)n;
	a->ret->text[a->got] = '\0';
	a->is_done = (n <= 0 && errno != EAGAIN) || n == 0 || is_whole(a->ret, a->got);
}

static int
connect_to(uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert(fd >= 0);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		assert(errno == EINPROGRESS);
	return fd;
}

void
http_ask(struct loop *loop, uint16_t port, const void *request, size_t size, struct http_asked *ret)
{
	struct git_query_queue a = {
		.fd = connect_to(port), .request = request, .size = size, .ret = ret
	};
	struct loop_io io;

	memset(ret, 0, sizeof(*ret));
	loop_io_init(&io, on_ready, &a);
	loop_io_start(loop, &io, a.fd, LOOP_READ | LOOP_WRITE);
	while (!a.is_done)
		loop_run_once(loop);
	loop_io_stop(&io);
	(void)close(a.fd);
	if (strncmp(ret->text, "HTTP/1.1 ", 9) == 0)
		ret->status = (int)strtol(ret->text + 9, NULL, 10);
	ret->body = strstr(ret->text, "\r\n\r\n");
	ret->body = ret->body == NULL ? "" : ret->body + 4;
}
