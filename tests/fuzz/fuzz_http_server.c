/* fuzz_http_server.c - raw bytes into the real server: a route sees only what has one meaning.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * The bytes are also read by a reader of our own that takes nothing but RFC 9112 without its
 * leniencies, and stops where that ends.  What routes were called with must be what it read,
 * from the first on: anything else somebody in front of us might have read differently.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/http_server.h"
#include "lib/http_server_inside.h"
#include "lib/text.h"
#include "tests/fuzz/fuzz.h"

#define PATIENCE_MS  20000
#define SOON_MS	     5 /* libmicrohttpd may miss an end that comes with the last bytes */
#define BODY_MAX     512
#define REQUESTS_MAX 64
#define TOKEN	     "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

struct seen {
	char method[8];
	char path[16];
	size_t size;
	char body[BODY_MAX];
};

static struct {
	struct loop *loop;
	struct http_server *server;
	struct sockaddr_un address;
	socklen_t address_size;
	size_t count;
	struct seen calls[REQUESTS_MAX];
} world;

/* --- the server ----------------------------------------------------------------------------- */

static void
on_request(struct http_request *request, void *ctx)
{
	struct seen *seen = &world.calls[world.count++];
	char *body;

	(void)ctx;
	assert(world.count < REQUESTS_MAX);
	(void)text_copy(seen->method, sizeof(seen->method), request->method);
	(void)text_copy(seen->path, sizeof(seen->path), request->path);
	body = http_request_take_body(request, &seen->size);
	assert(seen->size <= sizeof(seen->body));
	if (seen->size > 0)
		memcpy(seen->body, body, seen->size);
	free(body);
	http_request_answer(request, 200, NULL, NULL, 0);
}

static const struct http_route routes[] = {
	{ .methods = "POST", .path = "/hook", .body_max = BODY_MAX, .on_request = on_request },
	{ .methods = "GET, HEAD", .path = "/", .on_request = on_request },
};

/* A name of the kernel's choice: no file, no port to run out of. */
static int
listen_somewhere(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert(fd >= 0);
	world.address.sun_family = AF_UNIX;
	if (bind(fd, (struct sockaddr *)&world.address, sizeof(sa_family_t)) != 0 ||
	    listen(fd, 16) != 0)
		abort();
	world.address_size = sizeof(world.address);
	if (getsockname(fd, (struct sockaddr *)&world.address, &world.address_size) != 0)
		abort();
	return fd;
}

static void
end_world(void)
{
	http_server_free(world.server);
	loop_free(world.loop);
}

static void
make_world(void)
{
	static const struct http_server_config config = { .routes = routes,
		.route_count = COUNT(routes),
		.request_timeout_ms = SOON_MS,
		.idle_timeout_ms = SOON_MS };

	world.loop = loop_new(NULL);
	assert(world.loop != NULL);
	world.server = http_server_new_on(world.loop, &config, listen_somewhere(), NULL);
	assert(world.server != NULL);
	(void)atexit(end_world); /* fails only when memory is short */
}

/* --- the client ----------------------------------------------------------------------------- */

struct client {
	int fd;
	const uint8_t *data;
	size_t left;
	bool is_over;
};

static void
on_ready(struct loop_io *io, unsigned events, void *ctx)
{
	struct client *client = ctx;
	char answer[4096];
	ssize_t n;

	if ((events & LOOP_WRITE) != 0 && client->left == 0) {
		(void)shutdown(client->fd, SHUT_WR); /* closed by now: all the better */
		loop_io_start(world.loop, io, client->fd, LOOP_READ);
	} else if ((events & LOOP_WRITE) != 0) {
		n = send(client->fd, client->data, client->left, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN)
			client->left = 0; /* refused before the end */
		if (n > 0) {
			client->data += n;
			client->left -= (size_t)n;
		}
	}
	if ((events & LOOP_READ) != 0) {
		n = recv(client->fd, answer, sizeof(answer), 0);
		client->is_over = n == 0 || (n < 0 && errno != EAGAIN);
	}
}

static void
on_patience_over(UNUSED struct loop_timer *timer, UNUSED void *ctx)
{
	abort(); /* a client that has said all it says must be answered or cut off */
}

/* Sends all, says in the next turn that it was all, and reads until the server closes. */
static void
talk(const uint8_t *data, size_t size)
{
	struct client client = { .data = data, .left = size };
	struct loop_timer patience;
	struct loop_io io;

	client.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (client.fd < 0 ||
	    connect(client.fd, (struct sockaddr *)&world.address, world.address_size) != 0)
		abort();
	loop_timer_init(&patience, on_patience_over, NULL);
	loop_timer_start(world.loop, &patience, PATIENCE_MS, 0);
	loop_io_init(&io, on_ready, &client);
	loop_io_start(world.loop, &io, client.fd, LOOP_READ | LOOP_WRITE);
	while (!client.is_over)
		loop_run_once(world.loop);
	loop_io_stop(&io);
	loop_timer_stop(&patience);
	(void)close(client.fd);
}

/* --- the reader that takes no leniencies ------------------------------------------------------ */

struct reader {
	const char *at;
	const char *end;
};

/*
 * The end of a head: CRLF CRLF, or four bytes that libmicrohttpd cannot be made to tell from it.
 * It puts NULs over both bytes of a line's end and over the colon of a line without a name, ends a
 * value at a NUL, and takes a line that begins with a NUL for the empty one.  A name of no bytes,
 * NUL and CR are refused by whoever does not end the head there (RFC 9110, 5.1 and 5.5), so it is
 * not read in two ways.
 */
static bool
ends_head(const char *at, size_t left)
{
	size_t ends = 0;

	for (size_t i = 0; i < 4; i++) {
		if (i == left || memchr("\r\n\0:", at[i], 4) == NULL)
			return false;
		ends += at[i] == '\n';
	}
	return ends == 2 && at[3] == '\n';
}

/* A line with CRLF (or, as above, NUL LF) behind it, or NULL; also when it holds a NUL or CR.
 * *ret_is_last: the head ends with it. */
static char *
take_line(struct reader *reader, bool *ret_is_last)
{
	size_t left = (size_t)(reader->end - reader->at), size = 0;
	char *line;

	while (size < left && memchr("\r\n\0", reader->at[size], 3) == NULL)
		size++;
	left -= size;
	*ret_is_last = size > 0 && ends_head(reader->at + size, left);
	if (!*ret_is_last && (left < 2 || reader->at[size] == '\n' || reader->at[size + 1] != '\n'))
		return NULL;
	line = fuzz_string((const uint8_t *)reader->at, size);
	reader->at += size + (*ret_is_last ? 4 : 2);
	return line;
}

/* METHOD SP target SP HTTP/1.x */
static bool
read_request_line(char *line, struct seen *ret)
{
	char *target = strchr(line, ' '), *version;

	if (target == NULL)
		return false;
	*target++ = '\0';
	version = strchr(target, ' ');
	if (version == NULL)
		return false;
	*version++ = '\0';
	target[strcspn(target, "?")] = '\0';
	(void)text_copy(ret->path, sizeof(ret->path), target); /* cut, as what was called with */
	return strspn(line, TOKEN) == strlen(line) &&
	    text_copy(ret->method, sizeof(ret->method), line) && text_starts(version, "HTTP/1.") &&
	    version[7] >= '0' && version[7] <= '9' && version[8] == '\0';
}

/* Counts lengths; a field that makes the framing another is a no. */
static bool
read_field(char *line, struct seen *ret, unsigned *lengths)
{
	size_t name = strspn(line, TOKEN);
	char *value = line + name + 1;
	int64_t length;

	if (name == 0 || line[name] != ':')
		return false;
	line[name] = '\0';
	value += strspn(value, " \t");
	for (size_t n = strlen(value); n > 0 && strchr(" \t", value[n - 1]) != NULL; n--)
		value[n - 1] = '\0';
	if (strcasecmp(line, "Transfer-Encoding") == 0)
		return false;
	if (strcasecmp(line, "Content-Length") != 0)
		return true;
	if (value[strspn(value, "0123456789")] != '\0')
		return false;
	value += strspn(value, "0") == strlen(value) ? 0 : strspn(value, "0");
	if (value[0] == '\0' || ++*lengths > 1 || (value[0] == '0' && value[1] != '\0'))
		value = value[0] == '\0' ? value : value + strlen(value) - 1;
	if (*lengths > 1 || !text_to_i64(value, 0, BODY_MAX, &length, NULL))
		return false;
	ret->size = (size_t)length;
	return true;
}

static bool
read_head(struct reader *reader, struct seen *ret)
{
	unsigned lengths = 0;
	bool is_last;
	char *line = take_line(reader, &is_last);
	bool is_good = line != NULL && read_request_line(line, ret);

	while (is_good && !is_last) {
		free(line);
		line = take_line(reader, &is_last);
		if (line == NULL || line[0] == '\0')
			break;
		is_good = read_field(line, ret, &lengths);
	}
	is_good = is_good && line != NULL;
	free(line);
	return is_good;
}

/* Before a request they are passed over (RFC 9112, 2.2), by nginx with any line end.  libmicrohttpd
 * takes a line that begins with a NUL for an empty one too, and does not tell; everybody else must
 * refuse that one, so it hides nothing that would be acted on. */
static void
skip_empty_lines(struct reader *reader)
{
	while (reader->at < reader->end) {
		size_t left = (size_t)(reader->end - reader->at);
		const char *stop = *reader->at == '\0' ? memchr(reader->at, '\n', left) : NULL;

		if (*reader->at != '\r' && *reader->at != '\n' && stop == NULL)
			return;
		reader->at = stop == NULL ? reader->at + 1 : stop + 1;
	}
}

/* The next request; false: there is none, or it could be read in more than one way. */
static bool
read_request(struct reader *reader, struct seen *ret)
{
	skip_empty_lines(reader);
	*ret = (struct seen){ .size = 0 };
	if (!read_head(reader, ret) || (size_t)(reader->end - reader->at) < ret->size)
		return false;
	memcpy(ret->body, reader->at, ret->size);
	reader->at += ret->size;
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader reader = { (const char *)data, (const char *)data + size };

	if (world.server == NULL)
		make_world();
	world.count = 0;
	talk(data, size < 16000 ? size : 16000);
	for (size_t i = 0; i < world.count; i++) {
		struct seen expected;

		assert(read_request(&reader, &expected));
		assert(strcmp(world.calls[i].method, expected.method) == 0);
		assert(strcmp(world.calls[i].path, expected.path) == 0);
		assert(world.calls[i].size == expected.size);
		assert(memcmp(world.calls[i].body, expected.body, expected.size) == 0);
	}
	return 0;
}
