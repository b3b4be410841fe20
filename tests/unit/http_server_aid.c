/* http_server_aid.c - a server with a few routes, and clients that send it bytes.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "lib/http_server_inside.h"
#include "http_server_aid.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUDGET 1000

static const char *const json[] = { "application/json", NULL };

static void
on_patience_over(UNUSED struct loop_timer *timer, void *ctx)
{
	((struct server_aid *)ctx)->is_over = true;
}

/* --- routes --------------------------------------------------------------------------------- */

static void
count_free(void *user)
{
	(*(unsigned *)user)++;
}

static void
see_piece(struct http_request *request, const void *data, size_t size, void *ctx)
{
	struct server_aid *f = ctx;

	(void)request;
	(void)data;
	f->piece_bytes += size;
}

static void
echo(struct http_request *request, void *ctx)
{
	const struct http_header headers[] = { { "X-Echo", "yes" }, { NULL, NULL } };
	struct server_aid *f = ctx;
	size_t size;
	char *body = http_request_take_body(request, &size);

	(void)snprintf(f->seen, sizeof(f->seen), "%s %s from %s", request->method, request->path,
	    http_request_client(request));
	http_request_answer(request, 200, headers, body, size);
	free(body);
}

static void
keep(struct http_request *request, void *ctx)
{
	struct server_aid *f = ctx;

	assert_true(f->kept_count < KEPT_MAX);
	http_request_set_user(request, &f->users_freed, count_free);
	f->kept[f->kept_count++] = request;
}

static void
refuse_stranger(struct http_request *request, UNUSED void *ctx)
{
	if (http_request_header(request, "X-Key") == NULL)
		http_request_answer(request, 401, NULL, NULL, 0);
}

static void
say_fine(struct http_request *request, UNUSED void *ctx)
{
	http_request_answer(request, 200, NULL, NULL, 0);
}

static struct http_route routes[] = {
	{ .methods = "POST",
	    .path = "/echo",
	    .body_max = 900,
	    .types = json,
	    .on_piece = see_piece,
	    .on_request = echo },
	{ .methods = "POST", .path = "/later", .body_max = 900, .on_request = keep },
	{ .methods = "POST",
	    .path = "/soon",
	    .body_max = 900,
	    .answer_timeout_ms = 30,
	    .on_request = keep },
	{ .methods = "POST", .path = "/huge", .body_max = 100000000, .on_request = keep },
	{ .methods = "POST",
	    .path = "/streamed",
	    .body_max = 100000000,
	    .is_streamed = true,
	    .on_piece = see_piece,
	    .on_request = keep },
	{ .methods = "POST",
	    .path = "/keyed",
	    .body_max = 10000000,
	    .on_begin = refuse_stranger,
	    .on_request = say_fine },
	{ .methods = "GET, HEAD", .path = "/echo", .on_request = echo },
	{ .methods = "GET", .path = "/below/", .on_request = echo },
};

/* --- fixture -------------------------------------------------------------------------------- */

struct http_server_config
server_aid_config(struct server_aid *f)
{
	for (size_t i = 0; i < COUNT(routes); i++)
		routes[i].ctx = f;
	return (struct http_server_config){
		.routes = routes, .route_count = COUNT(routes), .budget_bytes = BUDGET
	};
}

void
server_aid_start(struct server_aid *f, const struct http_server_config *config, const char *where)
{
	struct err err;

	f->server = http_server_new(f->loop, config, where, &err);
	if (f->server == NULL)
		fail_msg("%s", err.text);
}

int
server_aid_set_up(void **state)
{
	struct server_aid *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return -1;
	f->loop = loop_new(NULL);
	loop_timer_init(&f->patience, on_patience_over, f);
	f->peer.fd = f->second.fd = -1;
	*state = f;
	return 0;
}

void
peer_hang_up(struct connection *peer)
{
	if (peer->fd < 0)
		return;
	loop_io_stop(&peer->io);
	(void)close(peer->fd);
	peer->fd = -1;
}

int
server_aid_tear_down(void **state)
{
	struct server_aid *f = *state;

	peer_hang_up(&f->peer);
	peer_hang_up(&f->second);
	http_server_free(f->server);
	loop_timer_stop(&f->patience);
	loop_free(f->loop);
	free(f);
	return 0;
}

static void
on_peer_readable(struct loop_io *io, unsigned events, void *ctx)
{
	struct connection *peer = ctx;
	ssize_t got = recv(peer->fd, peer->in + peer->size, sizeof(peer->in) - 1 - peer->size, 0);

	(void)events;
	if (got < 0 && errno == EAGAIN)
		return;
	if (got <= 0) {
		peer->is_closed = true;
		loop_io_stop(io);
		return;
	}
	peer->size += (size_t)got;
	peer->in[peer->size] = '\0';
}

void
peer_watch(struct server_aid *f, struct connection *peer)
{
	assert_true(peer->fd >= 0);
	peer->size = 0;
	peer->in[0] = '\0';
	peer->is_closed = false;
	assert_int_equal(fcntl(peer->fd, F_SETFL, O_NONBLOCK), 0);
	loop_io_init(&peer->io, on_peer_readable, peer);
	loop_io_start(f->loop, &peer->io, peer->fd, LOOP_READ);
}

void
peer_call(struct server_aid *f, struct connection *peer)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons(http_server_port(f->server)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(peer->fd, (void *)&address, sizeof(address)), 0);
	peer_watch(f, peer);
}

void
peer_say(struct connection *peer, const void *text, size_t size)
{
	assert_int_equal(send(peer->fd, text, size, MSG_NOSIGNAL), size);
}

void
peer_post(struct connection *peer, const char *path, size_t size)
{
	char text[2048];
	int used = snprintf(text, sizeof(text),
	    "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	    "Content-Length: %zu\r\n\r\n",
	    path, size);

	assert_true((size_t)used + size < sizeof(text));
	memset(text + used, 'a', size);
	peer_say(peer, text, (size_t)used + size);
}

bool
peer_has_answer(const struct connection *peer)
{
	return strstr(peer->in, "\r\n\r\n") != NULL;
}

void
server_aid_start_with(struct server_aid *f, const struct http_server_config *config)
{
	server_aid_start(f, config, "127.0.0.1:0");
	peer_call(f, &f->peer);
}

void
server_aid_start_and_call(struct server_aid *f)
{
	struct http_server_config config = server_aid_config(f);

	server_aid_start_with(f, &config);
}
