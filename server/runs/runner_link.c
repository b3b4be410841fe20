/* runner_link.c - a socket to a healthy runner: connected, used, connected again.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "runs/runner_link.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "lib/packet_socket.h"
#include "lib/text.h"
#include "runs/runner_child.h"

#define AGAIN_FIRST_MS 100
#define STEADY_MS      60000 /* lived so long: its next end is a new story */
#define LONG_AWAY_MS   3000  /* whoever waits for it is notified that it is in vain */
#define TURN_MAX       16    /* messages in one turn */
#define BEATS_MAX      2     /* in the time that it may be silent */
#define END_WAIT_MS    2000  /* of a child, from closing its socket to its end */
#define EXIT_SETTINGS  78
#define LATER_MS       60000	 /* a child that knows a later epoch: another says the same */
#define BEAT_RUN       INT64_MAX /* a run that nobody ever orders: `never` is the heartbeat */

#define RUNNER_LINK_MAGIC 0x52756e4cu

/* How a socket to a runner is had, and what becomes of one that is of no use: the only difference
 * between a runner of ours and one that is a service of its own. */
struct way {
	int64_t again_most_ms; /* between two tries */
	bool is_final;	       /* one of another version stays so */
	/* Fills link->fd. */
	bool (*get)(struct runner_link *link, struct err *err);
	/* It closed, or said what cannot be understood: link->fd is closed.  Sooner or later
	 * lost(). */
	void (*on_useless)(struct runner_link *link, const char *why);
	/* It gives no heartbeat. */
	void (*on_silent)(struct runner_link *link, const char *why);
};

struct runner_link {
	unsigned magic;
	struct loop *loop;
	struct runner_link_config config;
	const struct way *way;
	char *socket;		    /* of a service; NULL: a child */
	struct runner_child *child; /* NULL: a service */
	bool owns_child;
	int fd; /* -1: there is none */
	bool is_ready;
	bool said_hello; /* this one, ever */
	bool is_fatal;
	bool has_unsent; /* PACKET_LATER was given */
	bool is_later;	 /* this one knows a later epoch than ours */
	int64_t started_ms;
	int64_t again_ms;
	int64_t away_since_ms; /* 0: it is there */
	char why_away[200];    /* as it was logged; "": nothing was */
	struct loop_io io;
	struct loop_timer again;
	struct loop_timer beat;
	unsigned beats; /* asked for since it said anything */
};

static const struct way child_way, service_way;

static void on_child_end(void *ctx, const struct runner_starter_said *said);
static void on_socket(struct loop_io *io, unsigned events, void *ctx);
static void on_again(struct loop_timer *timer, void *ctx);
static void on_beat(struct loop_timer *timer, void *ctx);
static void kill_child(struct runner_link *link, const char *why);

/* --- beginning ---------------------------------------------------------------------------- */

static void
say_hello(struct runner_link *link)
{
	const struct protocol_message hello = { .kind = PROTOCOL_HELLO,
		.version = PROTOCOL_VERSION,
		.proof.epoch = link->config.epoch };

	/* An empty socket takes one message, or its other end is dead and reading sees that, or the
	 * kernel has no memory for it: then another is greeted, a little later. */
	if (packet_send(link->fd, &hello, NULL) == PACKET_LATER) {
		link->beats = BEATS_MAX;
		loop_timer_start(link->loop, &link->beat, 0, 0);
	}
}

static bool
begin(struct runner_link *link, struct err *err)
{
	if (!link->way->get(link, err))
		return false;
	link->said_hello = link->is_later = false;
	link->started_ms = loop_now_ms();
	loop_io_start(link->loop, &link->io, link->fd, LOOP_READ);
	link->beats = 0;
	loop_timer_start(link->loop, &link->beat, link->config.answer_ms / BEATS_MAX,
	    link->config.answer_ms / BEATS_MAX);
	say_hello(link);
	return true;
}

static void
log_away(struct runner_link *link, const char *why)
{
	if (link->config.is_quiet)
		return;
	if (link->socket == NULL) {
		log_error("deploybot-runner: %s; restarting it", why);
	} else if (strcmp(link->why_away, why) != 0) {
		/* Not at every try. */
		(void)text_copy(link->why_away, sizeof(link->why_away), why);
		log_error("the runner at %s is disconnected: %s; retrying until it is connected",
		    link->socket, why);
	}
}

static void
try_later(struct runner_link *link, const char *why)
{
	log_away(link, why);
	if (link->away_since_ms == 0)
		link->away_since_ms = loop_now_ms();
	loop_timer_start(link->loop, &link->again, link->again_ms, 0);
}

static bool
init_way(struct runner_link *link, const struct runner_link_config *config, struct err *err)
{
	link->config = *config;
	link->config.settings = NULL;
	if (config->socket == NULL) {
		link->way = &child_way;
		link->owns_child = config->child == NULL;
		link->child =
		    link->owns_child ? runner_child_new(config, NULL, NULL, err) : config->child;
		if (link->child != NULL)
			runner_child_watch(link->child, link->loop, on_child_end, link);
		return link->child != NULL;
	}
	link->way = &service_way;
	link->socket = mem_text(config->socket);
	return true;
}

struct runner_link *
runner_link_start(struct loop *loop, const struct runner_link_config *config, struct err *err)
{
	struct runner_link *link = mem_new(1, sizeof(*link));

	link->magic = RUNNER_LINK_MAGIC;
	link->loop = loop;
	link->fd = -1;
	link->again_ms = AGAIN_FIRST_MS;
	loop_io_init(&link->io, on_socket, link);
	loop_timer_init(&link->again, on_again, link);
	loop_timer_init(&link->beat, on_beat, link);
	if (!init_way(link, config, err)) {
		runner_link_free(link);
		return NULL;
	}
	if (begin(link, err))
		return link;
	if (link->socket == NULL) {
		runner_link_free(link);
		return NULL;
	}
	try_later(link, err->text); /* it may be started behind us */
	return link;
}

/* --- its end ------------------------------------------------------------------------------ */

static void
close_socket(struct runner_link *link)
{
	loop_timer_stop(&link->beat);
	loop_io_stop(&link->io);
	if (link->fd >= 0)
		close(link->fd);
	link->fd = -1;
	link->is_ready = false;
	link->has_unsent = false;
}

/* Said once: it will never work. */
static void
turn_fatal(struct runner_link *link, enum err_code code, const char *text)
{
	struct err why;

	if (link->is_fatal)
		return;
	link->is_fatal = true;
	(void)err_set(&why, code, "%s", text);
	link->config.on_fatal(link->config.ctx, &why);
}

/* The connection is lost: whoever waits is notified, and another is made after a while. */
static void
lost(struct runner_link *link, const char *why)
{
	link->config.on_down(link->config.ctx);
	if (link->is_fatal)
		return;
	if (loop_now_ms() - link->started_ms > STEADY_MS)
		link->again_ms = AGAIN_FIRST_MS;
	try_later(link, why);
	if (link->config.on_away != NULL)
		link->config.on_away(link->config.ctx, why);
}

static void
on_again(UNUSED struct loop_timer *timer, void *ctx)
{
	struct runner_link *link = OBJ_OF(struct runner_link, ctx, RUNNER_LINK_MAGIC);
	int64_t doubled;
	struct err err;

	if (link->child != NULL && runner_child_is_there(link->child)) {
		kill_child(link, "it does not end"); /* on_child_end() goes on */
		return;
	}
	doubled = link->again_ms * 2;
	link->again_ms = doubled < link->way->again_most_ms ? doubled : link->way->again_most_ms;
	if (begin(link, &err))
		return;
	try_later(link, err.text);
	if (link->socket == NULL || loop_now_ms() - link->away_since_ms >= LONG_AWAY_MS)
		link->config.on_down(link->config.ctx);
	if (link->config.on_away != NULL)
		link->config.on_away(link->config.ctx, err.text);
}

/* --- talking ------------------------------------------------------------------------------ */

static void
give_up(struct runner_link *link, const char *why)
{
	close_socket(link);
	link->way->on_useless(link, why);
}

/* What it said makes no sense. */
static void
give_up_said(struct runner_link *link, const char *what, const char *detail)
{
	char why[200];

	(void)snprintf(why, sizeof(why), "it said %s%s", what, detail);
	/* Of a service its absence is logged, with this reason. */
	if (link->socket == NULL && !link->config.is_quiet)
		log_error("deploybot-runner: %s", why);
	give_up(link, why);
}

static void
turn_ready(struct runner_link *link)
{
	if (link->why_away[0] != '\0')
		log_info("the runner at %s is connected", link->socket);
	link->why_away[0] = '\0';
	link->away_since_ms = 0;
	link->is_ready = true;
	link->config.on_ready(link->config.ctx);
}

static void
take_version(struct runner_link *link, unsigned version)
{
	char text[200];

	(void)snprintf(text, sizeof(text),
	    "%.80s speaks version %u, this program version %d: install the same version of both",
	    link->socket != NULL ? "it" : runner_child_path(link->child), version,
	    PROTOCOL_VERSION);
	if (link->way->is_final)
		turn_fatal(link, ERR_CONFIG, text);
	else
		give_up(link, text);
}

static void
take_hello(struct runner_link *link, const struct protocol_message *message)
{
	link->said_hello = message->kind == PROTOCOL_HELLO;
	link->is_later = link->config.epoch != 0 && message->proof.epoch > link->config.epoch;
	if (message->kind != PROTOCOL_HELLO)
		give_up_said(link, protocol_kind_name(message->kind), " before hello");
	else if (message->version != PROTOCOL_VERSION)
		take_version(link, message->version);
	else if (link->is_later)
		give_up_said(link, "a later epoch than ours: another server has led since, ",
		    "or the database is an older one: then remove its runs/epoch");
	else
		turn_ready(link);
}

static bool
hear_one(struct runner_link *link)
{
	char buffer[PROTOCOL_PACKET_MAX];
	struct protocol_message message;
	struct err err = { .code = ERR_NONE };

	switch (packet_receive(link->fd, buffer, &message, &err)) {
	case PACKET_MESSAGE:
		link->beats = 0;
		if (link->is_ready)
			link->config.on_message(link->config.ctx, &message);
		else
			take_hello(link, &message);
		return link->fd >= 0 && !link->is_fatal;
	case PACKET_NONE:
		return false;
	case PACKET_BAD:
		give_up_said(link, "what cannot be read: ", err.text);
		return false;
	default:
		give_up(link, "it closed the connection");
		return false;
	}
}

static void
on_socket(UNUSED struct loop_io *io, unsigned events, void *ctx)
{
	struct runner_link *link = OBJ_OF(struct runner_link, ctx, RUNNER_LINK_MAGIC);

	if ((events & LOOP_WRITE) != 0) {
		link->has_unsent = false;
		loop_io_start(link->loop, &link->io, link->fd, LOOP_READ);
		link->config.on_writable(link->config.ctx);
	}
	for (unsigned n = 0; (events & LOOP_READ) != 0 && link->fd >= 0 && n < TURN_MAX; n++) {
		if (!hear_one(link))
			break;
	}
}

/* It takes its orders one by one: who answers this has answered all before it, or is at them. */
static void
on_beat(UNUSED struct loop_timer *timer, void *ctx)
{
	const struct protocol_message beat = { .kind = PROTOCOL_RECONCILE, .id = BEAT_RUN };
	struct runner_link *link = OBJ_OF(struct runner_link, ctx, RUNNER_LINK_MAGIC);

	if (link->beats++ >= BEATS_MAX)
		link->way->on_silent(
		    link, link->is_ready ? "it does not answer" : "it says no hello");
	else if (runner_link_send(link, &beat, NULL) == PACKET_REFUSED)
		abort(); /* a message of our own that is wrong; reading sees all else */
}

/* --- a child of ours ---------------------------------------------------------------------- */

static bool
get_child(struct runner_link *link, struct err *err)
{
	return runner_child_start(link->child, &link->fd, err);
}

/* Closing its socket has ended a healthy runner; another is killed (on_again).
 * Supervisors are in sessions of their own and notice nothing. */
static void
await_end(struct runner_link *link, UNUSED const char *why)
{
	loop_timer_start(link->loop, &link->again, END_WAIT_MS, 0);
}

static void
kill_child(struct runner_link *link, const char *why)
{
	if (!link->config.is_quiet)
		log_error("deploybot-runner: %s; killing it", why);
	runner_child_kill(link->child);
}

static const struct way child_way = {
	.again_most_ms = 30000,
	.is_final = true,
	.get = get_child,
	.on_useless = await_end,
	.on_silent = kill_child,
};

static void
on_child_end(void *ctx, const struct runner_starter_said *said)
{
	struct runner_link *link = OBJ_OF(struct runner_link, ctx, RUNNER_LINK_MAGIC);
	char why[64];

	/* What it said last stands in the socket still: a hello of another version, say. */
	if (link->fd >= 0)
		on_socket(&link->io, LOOP_READ, link);
	close_socket(link);
	loop_timer_stop(&link->again);
	if (said->what == RUNNER_STARTER_GONE)
		turn_fatal(link, ERR_IO, "the process that starts deploybot-runner was killed");
	else if (!link->said_hello && said->what == RUNNER_STARTER_EXITED &&
	    said->value == EXIT_SETTINGS)
		turn_fatal(link, ERR_CONFIG,
		    "deploybot-runner refused its settings; the reason is logged above");
	(void)snprintf(why, sizeof(why),
	    said->what == RUNNER_STARTER_EXITED ? "it ended with status %d" :
						  "it was killed by signal %d",
	    said->value);
	if (link->is_later)
		link->again_ms = LATER_MS;
	lost(link, link->is_later ? "it knows a later epoch than ours: see the log" : why);
}

/* --- a service ---------------------------------------------------------------------------- */

static const char *
say_failure(int number)
{
	switch (number) {
	case ENOENT:
		return "there is no such socket: start deploybot-runner, or set RUNNER_SOCKET right";
	case ECONNREFUSED:
		return "no process listens there: start deploybot-runner";
	case EACCES:
		return "permission denied: our user must be in the group of the socket and of its folder";
	case EPROTOTYPE:
		return "that is not the socket of a deploybot-runner";
	case EAGAIN:
		return "it accepts no connections";
	case ENAMETOOLONG:
		return "its path is longer than 107 bytes";
	default:
		return strerrordesc_np(number);
	}
}

static bool
get_connection(struct runner_link *link, struct err *err)
{
	link->fd = packet_socket(link->socket, false);
	return link->fd >= 0 || err_set(err, ERR_IO, "%s", say_failure(errno));
}

static void
connect_anew(struct runner_link *link, const char *why)
{
	close_socket(link);
	lost(link, why);
}

static const struct way service_way = {
	.again_most_ms = 5000,
	.get = get_connection,
	.on_useless = connect_anew,
	.on_silent = connect_anew,
};

/* --- for its owner ------------------------------------------------------------------------ */

bool
runner_link_is_ready(const struct runner_link *link)
{
	OBJ_CHECK(link, RUNNER_LINK_MAGIC);
	return link->is_ready;
}

enum packet_sent
runner_link_send(struct runner_link *link, const struct protocol_message *message, struct err *err)
{
	enum packet_sent sent;

	OBJ_CHECK(link, RUNNER_LINK_MAGIC);
	if (!link->is_ready)
		return PACKET_LATER; /* on_ready comes */
	sent = packet_send(link->fd, message, err);
	if (sent == PACKET_LATER && !link->has_unsent) {
		link->has_unsent = true;
		loop_io_start(link->loop, &link->io, link->fd, LOOP_READ | LOOP_WRITE);
	}
	return sent;
}

void
runner_link_free(struct runner_link *link)
{
	if (link == NULL)
		return;
	OBJ_CHECK(link, RUNNER_LINK_MAGIC);
	loop_timer_stop(&link->again);
	close_socket(link);
	runner_child_leave(link->child);
	if (link->owns_child)
		runner_child_free(link->child);
	free(link->socket);
	link->magic = 0;
	free(link);
}
