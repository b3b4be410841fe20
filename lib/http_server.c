/* http_server.c - libmicrohttpd in external-epoll mode inside our loop.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * What libmicrohttpd 0.9.75 wants: MHD_run() after every batch of resumes, for resuming wakes
 * nobody; MHD_get_timeout() asked before every wait, for data that it has read already wakes
 * nobody either; an answer queued in the first call, after the body or not at all; every
 * connection resumed before MHD_stop_daemon().
 * What it refuses by itself without asking us (no Host, a Content-Length that is no number) it
 * says with a page of its own, and with its head twice: it goes on from there as if it had refused
 * nothing, and builds the head again.  The second one is read as the beginning of the page; both
 * close the connection, and nothing behind is answered (test_http_request_head.c).  Later versions
 * are cured.  Not worth a filter of all that is sent: nginx, in front, lets none of these through.
 */
#include "lib/http_server.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/http_server_inside.h"
#include "lib/mem.h"

/* Head and read buffer of a connection.  Half of it is read at once: with 4 KB more a push of 8 KB
 * would come in one read.  All of it is cleared for each request, and becomes the process's own:
 * 256 connections are 4 MB. */
#define CONNECTION_MEMORY   (16 * 1024)
#define RETRY_AFTER_SECONDS "5"
#define STARVED_MS	    100
#define REFUSED_MAX	    8 /* beyond all places: they are told so, and closed */

/* Paths are compared as they were sent. */
static size_t
keep_target(UNUSED void *cls, UNUSED struct MHD_Connection *mhd, char *target)
{
	return strlen(target);
}

/* --- driving libmicrohttpd -------------------------------------------------------------------- */

static void
watch_epoll(struct http_server *server)
{
	const union MHD_DaemonInfo *info =
	    MHD_get_daemon_info(server->mhd, MHD_DAEMON_INFO_EPOLL_FD);

	loop_io_start(server->loop, &server->io, info->epoll_fd, LOOP_READ);
}

/* Its one word about a connection that could not be accepted. */
static void
on_mhd_says(void *cls, const char *format, UNUSED va_list args)
{
	struct http_server *server = cls;

	if (strncmp(format, "Error accepting", strlen("Error accepting")) == 0)
		server->is_refused = true;
}

/* Without any connection it would try again at once and for ever, on a whole core; with some it
 * waits until one of them closes: those who ask for nothing must not keep everybody else out. */
static void
wait_for_descriptors(struct http_server *server)
{
	server->is_starved = true;
	if (server->conn_count == 0)
		loop_io_stop(&server->io);
	else if (!loop_timer_is_started(&server->crowded))
		loop_timer_start(server->loop, &server->crowded, 0, 0);
	if (!loop_timer_is_started(&server->starved))
		loop_timer_start(server->loop, &server->starved, STARVED_MS, 0);
}

static void
run_mhd(struct http_server *server)
{
	loop_task_cancel(&server->run_again); /* what it would do is done here */
	server->has_resumed = false;
	server->is_refused = false;
	(void)MHD_run(server->mhd); /* fails only where epoll itself does; then asked again */
	if (server->is_refused && !server->is_closing)
		wait_for_descriptors(server);
}

static bool
has_data_waiting(struct http_server *server)
{
	MHD_UNSIGNED_LONG_LONG after_ms;

	return server->has_resumed ||
	    (MHD_get_timeout(server->mhd, &after_ms) == MHD_YES && after_ms == 0);
}

static void
on_mhd_ready(UNUSED struct loop_io *io, UNUSED unsigned events, void *ctx)
{
	run_mhd(ctx);
}

static void
on_turn_ends(UNUSED struct loop_prepare *prepare, void *ctx)
{
	struct http_server *server = ctx;

	if (has_data_waiting(server))
		loop_defer(server->loop, &server->run_again);
}

static void
on_starved(UNUSED struct loop_timer *timer, void *ctx)
{
	struct http_server *server = ctx;

	watch_epoll(server);
	run_mhd(server);
}

static void
on_run_again(UNUSED struct loop_task *task, void *ctx)
{
	run_mhd(ctx);
}

/* A bug, here or there: libmicrohttpd cannot go on. */
static _Noreturn void
on_panic(UNUSED void *cls, const char *file, unsigned line, const char *why)
{
	(void)fprintf(stderr, "libmicrohttpd %s:%u: %s\n", file, line, why == NULL ? "" : why);
	abort();
}

/* --- life of the server ----------------------------------------------------------------------- */

#define DEFAULT(field, value) ((field) = (field) == 0 ? (value) : (field))

static void
fill_defaults(struct http_server_config *config)
{
	DEFAULT(config->connections_max, 256);
	DEFAULT(config->budget_bytes, (size_t)64 * 1024 * 1024);
	DEFAULT(config->budget_wait_ms, 3000);
	DEFAULT(config->request_timeout_ms, 10000);
	DEFAULT(config->answer_timeout_ms, 8000);
	DEFAULT(config->idle_timeout_ms, 75000);
}

static bool
make_shared_responses(struct http_server *server)
{
	static const struct http_header close_it[] = { { "Connection", "close" }, { NULL, NULL } };
	static const struct http_header later[] = { { "Connection", "close" },
		{ "Retry-After", RETRY_AFTER_SECONDS }, { NULL, NULL } };

	server->empty = http_request_response(NULL, NULL, 0);
	server->empty_close = http_request_response(close_it, NULL, 0);
	server->unavailable = http_request_response(later, NULL, 0);
	return server->empty != NULL && server->empty_close != NULL && server->unavailable != NULL;
}

/* Nothing of its error log is shown; no Date, which shows a stranger our clock. */
static struct MHD_Daemon *
start_mhd(struct http_server *server, int listen_fd)
{
	MHD_set_panic_func(on_panic, NULL);
	return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME |
		MHD_USE_SUPPRESS_DATE_NO_CLOCK | MHD_USE_ERROR_LOG,
	    0, NULL, NULL, http_request_on_access, server, MHD_OPTION_EXTERNAL_LOGGER, on_mhd_says,
	    server, MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_CONNECTION_LIMIT,
	    server->config.connections_max +
		(server->config.connections_per_user != 0 ? REFUSED_MAX : 0),
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
	    MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_CONNECTION,
	    http_server_conn_on_notify, server, MHD_OPTION_NOTIFY_COMPLETED,
	    http_request_on_completed, server, MHD_OPTION_URI_LOG_CALLBACK,
	    http_server_conn_on_line, server, MHD_OPTION_UNESCAPE_CALLBACK, keep_target, server,
	    MHD_OPTION_END);
}

static struct http_server *
new_server(struct loop *loop, const struct http_server_config *config)
{
	struct http_server *server = mem_new(1, sizeof(*server));

	server->magic = HTTP_SERVER_MAGIC;
	server->loop = loop;
	server->config = *config;
	fill_defaults(&server->config);
	for (size_t i = 0; i < config->route_count; i++)
		assert(config->routes[i].on_request != NULL &&
		    (!config->routes[i].is_streamed || config->routes[i].on_piece != NULL));
	http_budget_init(&server->budget, server->config.budget_bytes);
	loop_io_init(&server->io, on_mhd_ready, server);
	loop_prepare_init(&server->prepare, on_turn_ends, server);
	loop_timer_init(&server->crowded, http_server_conn_on_crowded, server);
	loop_timer_init(&server->starved, on_starved, server);
	loop_task_init(&server->run_again, on_run_again, server);
	loop_task_init(&server->share_memory, http_request_on_share_memory, server);
	return server;
}

struct http_server *
http_server_new_on(
    struct loop *loop, const struct http_server_config *config, int listen_fd, struct err *err)
{
	struct http_server *server = new_server(loop, config);

	server->linger = http_linger_new(loop);
	if (make_shared_responses(server))
		server->mhd = start_mhd(server, listen_fd);
	if (server->mhd == NULL) {
		(void)err_set(err, ERR_IO, "HTTP server: memory or descriptors are short");
		(void)close(listen_fd); /* nothing came in */
		http_server_free(server);
		return NULL;
	}
	server->port = http_listen_port(listen_fd);
	watch_epoll(server);
	loop_prepare_start(loop, &server->prepare);
	return server;
}

struct http_server *
http_server_new(
    struct loop *loop, const struct http_server_config *config, const char *listen, struct err *err)
{
	int fd = http_listen_open(listen, err);
	struct http_server *server;

	if (fd < 0)
		return NULL;
	server = http_server_new_on(loop, config, fd, err);
	if (server != NULL && strncmp(listen, "unix:", 5) == 0)
		server->socket_path = mem_text(listen + 5);
	return server;
}

void
http_server_serve(struct http_server *server, const struct http_server_config *config)
{
	struct http_server_conn *conn;

	OBJ_CHECK(server, HTTP_SERVER_MAGIC);
	server->config = *config;
	fill_defaults(&server->config);
	for (conn = LIST_FIRST(&server->conns); conn != NULL; conn = LIST_NEXT(conn, of_server)) {
		if (conn->request == NULL || !conn->request->is_held)
			continue;
		conn->request->is_held = false;
		conn->request->is_unheld = true;
		http_server_conn_resume(conn);
	}
}

uint16_t
http_server_port(const struct http_server *server)
{
	OBJ_CHECK(server, HTTP_SERVER_MAGIC);
	return server->port;
}

unsigned
http_server_open_requests(const struct http_server *server)
{
	OBJ_CHECK(server, HTTP_SERVER_MAGIC);
	return server->open_count;
}

void
http_server_quiesce(struct http_server *server)
{
	int fd;

	OBJ_CHECK(server, HTTP_SERVER_MAGIC);
	if (server->is_quiesced)
		return;
	server->is_quiesced = true;
	fd = MHD_quiesce_daemon(server->mhd);
	if (fd >= 0)
		(void)close(fd); /* it only listened */
	if (server->socket_path != NULL)
		(void)unlink(server->socket_path); /* the next start replaces it */
}

/* Suspended connections get 503, then all get what the sockets take. */
static void
finish_requests(struct http_server *server)
{
	struct http_server_conn *conn;

	server->is_closing = true;
	for (conn = LIST_FIRST(&server->conns); conn != NULL; conn = LIST_NEXT(conn, of_server))
		http_server_conn_resume(conn);
	for (int i = 0; i < 8 && (i == 0 || has_data_waiting(server)); i++)
		run_mhd(server);
}

static void
orphan_requests(struct http_server *server)
{
	struct http_request *request;

	while ((request = LIST_FIRST(&server->routes_requests)) != NULL) {
		LIST_REMOVE(request, of_routes);
		request->server = NULL;
	}
}

void
http_server_free(struct http_server *server)
{
	if (server == NULL)
		return;
	OBJ_CHECK(server, HTTP_SERVER_MAGIC);
	if (server->mhd != NULL) {
		http_server_quiesce(server);
		finish_requests(server);
		loop_prepare_stop(&server->prepare);
		loop_timer_stop(&server->crowded);
		loop_timer_stop(&server->starved);
		loop_io_stop(&server->io);
		MHD_stop_daemon(server->mhd);
	}
	loop_task_cancel(&server->run_again);
	loop_task_cancel(&server->share_memory);
	orphan_requests(server);
	http_linger_free(server->linger);
	MHD_destroy_response(server->empty); /* takes NULL */
	MHD_destroy_response(server->empty_close);
	MHD_destroy_response(server->unavailable);
	free(server->socket_path);
	server->magic = 0;
	free(server);
}
