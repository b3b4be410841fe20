/* http_server_conn.c - connections: their one timer, and room for new ones.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "lib/buf.h"
#include "lib/http_server_inside.h"
#include "lib/mem.h"

/* Whoever connects has this long to send a request before they count as idle; and while places are
 * few, a request this long for its body to come, or for its answer to be read. */
#define IDLE_MIN_MS 500
#define SLOW_MIN_MS 1000
#define USERS_TEXT  160

/* A timer that fires too early is armed again then: so the usual case, a deadline that moves away,
 * costs nothing. */
void
http_server_conn_set_deadline(struct http_server_conn *conn, int64_t after_ms)
{
	conn->deadline = loop_now_ms() + after_ms;
	if (loop_timer_is_started(&conn->timer) && conn->armed <= conn->deadline)
		return;
	conn->armed = conn->deadline;
	loop_timer_start(conn->server->loop, &conn->timer, after_ms, 0);
}

void
http_server_conn_suspend(struct http_server_conn *conn)
{
	conn->is_suspended = true;
	MHD_suspend_connection(conn->mhd);
}

void
http_server_conn_resume(struct http_server_conn *conn)
{
	if (!conn->is_suspended)
		return;
	conn->is_suspended = false;
	/* What it was suspended for has come: that deadline may be due in this very turn. */
	http_server_conn_set_deadline(conn, conn->server->config.request_timeout_ms);
	conn->server->has_resumed = true; /* http_server.c sees to the MHD_run() */
	MHD_resume_connection(conn->mhd);
}

/* libmicrohttpd sees the end and cleans up. */
static void
cut(struct http_server_conn *conn)
{
	conn->is_cut = true;
	(void)shutdown(conn->fd, SHUT_RDWR);
}

static void
on_deadline(UNUSED struct loop_timer *timer, void *ctx)
{
	struct http_server_conn *conn = ctx;
	int64_t left_ms;

	OBJ_CHECK(conn, HTTP_SERVER_CONN_MAGIC);
	left_ms = conn->deadline - loop_now_ms();
	if (left_ms > 0) {
		conn->armed = conn->deadline;
		loop_timer_start(conn->server->loop, &conn->timer, left_ms, 0);
		return;
	}
	if (conn->is_suspended)
		http_server_conn_resume(conn); /* without what it waited for: it is answered 503 */
	else
		cut(conn);
}

/* --- coming and going ------------------------------------------------------------------------- */

struct http_server_conn *
http_server_conn_of(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info == NULL ? NULL : info->socket_context;
}

/* Nothing that they sent waits for us to read it: a burst is accepted before any of it is read. */
static bool
is_quiet(const struct http_server_conn *conn)
{
	int unread = 0;

	return ioctl(conn->fd, FIONREAD, &unread) == 0 && unread == 0;
}

unsigned
http_server_unanswered(const struct http_server *server)
{
	const struct http_server_conn *conn;
	int64_t now = loop_now_ms();
	unsigned found = 0;

	OBJ_CHECK(server, HTTP_SERVER_MAGIC);
	for (conn = LIST_FIRST(&server->conns); conn != NULL; conn = LIST_NEXT(conn, of_server))
		if (!conn->is_cut &&
		    (conn->request != NULL || !is_quiet(conn) ||
			(!conn->had_request && now - conn->opened < IDLE_MIN_MS)))
			found++;
	return found;
}

/* Asks for nothing, or has not asked to the end; but one that came just now is no idler. */
static bool
is_idle(const struct http_server_conn *conn, int64_t now)
{
	return conn->request == NULL && !conn->is_cut && now - conn->opened >= IDLE_MIN_MS &&
	    is_quiet(conn);
}

/* Has asked, and it is they who are waited for: the rest of a body, or the room for an answer that
 * was handed out; one that was made in this turn was not. */
static bool
is_slow(const struct http_server_conn *conn, int64_t now)
{
	const struct http_request *request = conn->request;

	return request != NULL && !conn->is_cut && !conn->is_suspended &&
	    now - conn->asked >= SLOW_MIN_MS &&
	    ((request->phase == HTTP_REQUEST_ANSWERED && request->response == NULL) ||
		(request->phase == HTTP_REQUEST_BODY && is_quiet(conn)));
}

/* How many there can be: without a descriptor for another one, as many as there are. */
static unsigned
places(const struct http_server *server)
{
	return server->is_starved ? server->conn_count : server->config.connections_max;
}

static bool
is_crowded(const struct http_server *server)
{
	return server->conn_count >= places(server) - places(server) / 8;
}

/* Cuts as many as are wanted of those who may go, the oldest first; returns how many. */
static unsigned
cut_oldest(struct http_server *server,
    bool (*may_go)(const struct http_server_conn *conn, int64_t now), unsigned wanted)
{
	struct http_server_conn *conn;
	int64_t now = loop_now_ms();
	unsigned found = 0, n;

	for (conn = LIST_FIRST(&server->conns); conn != NULL; conn = LIST_NEXT(conn, of_server))
		found += may_go(conn, now) ? 1 : 0;
	n = found;
	for (conn = LIST_FIRST(&server->conns); conn != NULL; conn = LIST_NEXT(conn, of_server))
		if (may_go(conn, now) && n-- <= wanted)
			cut(conn); /* new ones are put in front */
	return found < wanted ? found : wanted;
}

/* Few places are left: idle ones make room, and where they are too few slow ones, until a quarter
 * is free.  Else whoever fills all places with bodies that do not come has them until their
 * deadline, which is all the patience that GitHub has. */
static void
make_room(struct http_server *server)
{
	unsigned wanted = server->conn_count - places(server) * 3 / 4;

	wanted -= cut_oldest(server, is_idle, wanted);
	(void)cut_oldest(server, is_slow, wanted);
}

void
http_server_conn_on_crowded(struct loop_timer *timer, void *ctx)
{
	struct http_server *server = ctx;

	if (!is_crowded(server))
		return;
	if (server->config.on_few == NULL || !server->config.on_few(server->config.ctx))
		make_room(server);
	loop_timer_start(server->loop, timer, IDLE_MIN_MS, 0);
}

static bool
counts(const struct http_server_conn *conn, const struct http_server_conn *for_whom,
    enum http_server_crowd of)
{
	return !conn->is_cut &&
	    (of == HTTP_SERVER_CROWD_ALL ||
		(of == HTTP_SERVER_CROWD_USER ? conn->uid == for_whom->uid : conn->is_guest));
}

static unsigned
count(const struct http_server_conn *conn, enum http_server_crowd of)
{
	const struct http_server_conn *other;
	unsigned n = 0;

	for (other = LIST_FIRST(&conn->server->conns); other != NULL;
	     other = LIST_NEXT(other, of_server))
		n += counts(other, conn, of) ? 1 : 0;
	return n;
}

/* Whose the places are: "33 (4), 0 (1)"; as many as there is room for. */
static void
name_users(const struct http_server_conn *conn, enum http_server_crowd why, struct buf *users)
{
	const struct http_server_conn *other, *before;

	for (other = LIST_NEXT(conn, of_server); other != NULL;
	     other = LIST_NEXT(other, of_server)) {
		if (!counts(other, conn, why))
			continue;
		before = LIST_NEXT(conn, of_server);
		while (before->is_cut || before->uid != other->uid)
			before = LIST_NEXT(before, of_server);
		if (before == other)
			buf_addf(users, "%s%u (%u)", users->size > 0 ? ", " : "", other->uid,
			    count(other, HTTP_SERVER_CROWD_USER) -
				(other->uid == conn->uid ? 1 : 0));
	}
}

/* libmicrohttpd reads nothing of who is cut, also where it came before this. */
static void
refuse(struct http_server_conn *conn, enum http_server_crowd why)
{
	const struct http_server_config *config = &conn->server->config;
	const char *said;
	CLEANUP(buf_done) struct buf users = buf_make(USERS_TEXT);

	name_users(conn, why, &users);
	said = config->on_crowded == NULL ?
	    NULL :
	    config->on_crowded(config->ctx, conn->uid, why, buf_text(&users));
	if (said != NULL) /* where it does not fit they are closed all the same */
		(void)send(conn->fd, said, strlen(said), MSG_DONTWAIT | MSG_NOSIGNAL);
	cut(conn);
}

/* Who has connected; who has too many already is told so, whom the kernel does not know is cut. */
static void
limit_user(struct http_server *server, struct http_server_conn *conn)
{
	const struct http_server_config *config = &server->config;
	struct ucred peer;
	socklen_t size = sizeof(peer);

	conn->has_uid = getsockopt(conn->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	    size == sizeof(peer) && peer.uid != (uid_t)-1;
	conn->uid = conn->has_uid ? peer.uid : (uid_t)-1;
	conn->is_guest = config->is_guest != NULL && config->is_guest(config->ctx, conn->uid);
	if (!conn->has_uid)
		cut(conn);
	else if (count(conn, HTTP_SERVER_CROWD_USER) > config->connections_per_user)
		refuse(conn, HTTP_SERVER_CROWD_USER);
	else if (conn->is_guest && count(conn, HTTP_SERVER_CROWD_GUESTS) > config->guests_max)
		refuse(conn, HTTP_SERVER_CROWD_GUESTS);
	else if (count(conn, HTTP_SERVER_CROWD_ALL) > config->connections_max &&
	    cut_oldest(server, is_idle, 1) == 0 && cut_oldest(server, is_slow, 1) == 0)
		refuse(conn, HTTP_SERVER_CROWD_ALL);
}

static void
open_conn(struct http_server *server, struct MHD_Connection *mhd, void **socket_context)
{
	struct http_server_conn *conn = mem_new(1, sizeof(*conn));

	*socket_context = conn;
	server->is_starved = false;
	/* At the limit nobody is accepted, so nobody could ask again: the timer does. */
	if (is_crowded(server) && !loop_timer_is_started(&server->crowded))
		loop_timer_start(server->loop, &server->crowded, 0, 0);
	conn->magic = HTTP_SERVER_CONN_MAGIC;
	conn->opened = conn->asked = loop_now_ms();
	conn->server = server;
	conn->mhd = mhd;
	conn->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	conn->peer_is_local = http_listen_peer(
	    MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr,
	    conn->peer);
	LIST_INSERT_HEAD(&server->conns, conn, of_server);
	server->conn_count++;
	loop_timer_init(&conn->timer, on_deadline, conn);
	http_server_conn_set_deadline(conn, server->config.request_timeout_ms);
	if (server->config.connections_per_user != 0)
		limit_user(server, conn);
}

static void
close_conn(struct http_server_conn *conn)
{
	struct http_server *server;

	OBJ_CHECK(conn, HTTP_SERVER_CONN_MAGIC);
	server = conn->server;
	if (conn->must_linger)
		http_linger_keep(server->linger, conn->fd);
	loop_timer_stop(&conn->timer);
	LIST_REMOVE(conn, of_server);
	/* libmicrohttpd, at its limit, sees new connections only from its next run on; which
	 * also shows whether there is a descriptor now. */
	if (server->conn_count >= server->config.connections_max || server->is_starved)
		loop_defer(server->loop, &server->run_again);
	server->is_starved = false;
	server->conn_count--;
	conn->magic = 0;
	free(conn);
}

void
http_server_conn_on_notify(void *cls, struct MHD_Connection *mhd, void **socket_context,
    enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		open_conn(cls, mhd, socket_context);
	else if (*socket_context != NULL)
		close_conn(TAKE(*socket_context));
}

/* --- a request begins ------------------------------------------------------------------------- */

/* libmicrohttpd takes anything up to the last blank of the line for the target, a bare CR too. */
static bool
is_visible(const char *target)
{
	for (; *target != '\0'; target++)
		if ((unsigned char)*target <= ' ' || *target == 0x7f)
			return false;
	return true;
}

/* The first request's time runs since the connection was made. */
void *
http_server_conn_on_line(void *cls, const char *target, struct MHD_Connection *mhd)
{
	struct http_server *server = cls;
	struct http_server_conn *conn = http_server_conn_of(mhd);

	if (conn == NULL)
		return NULL;
	if (conn->had_request) {
		http_server_conn_set_deadline(conn, server->config.request_timeout_ms);
		conn->asked = loop_now_ms();
	}
	conn->had_request = true;
	conn->target_size = target == NULL ? 0 : strlen(target);
	conn->has_odd_target = target != NULL && !is_visible(target);
	return NULL;
}
