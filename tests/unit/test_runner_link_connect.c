/* Goal: a runner that is a service is connected to whenever it is there, for ever, and never harmed.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "runs/runner_link.h"

#include <sys/socket.h>
#include <unistd.h>

#include "lib/packet_socket.h"
#include "lib/text.h"
#include "unit.h"

#define TICK_MS 5

struct world {
	struct loop *loop;
	struct runner_link *link;
	char folder[64];
	char path[96];
	int listener; /* the service's; -1: it is away */
	int there;    /* its end of the connection; -1: none */
	struct loop_timer tick;
	int ready;
	int down;
	int away;
	int fatal;
	char why[240];
	int64_t reconciled; /* the run that was spoken of last */
	uint64_t epoch;	    /* in which the server leads */
};

/* Asks until it is so, and not once more: accepts() acts. */
#define WAIT_FOR(w, condition) \
	do { \
		int64_t until_ms = loop_now_ms() + PATIENCE_MS; \
		bool is_so; \
		while (!(is_so = (condition)) && loop_now_ms() < until_ms) \
			loop_run_once((w)->loop); \
		assert_true(is_so); \
	} while (0)

static void
on_ready(void *ctx)
{
	((struct world *)ctx)->ready++;
}

static void
on_message(void *ctx, const struct protocol_message *message)
{
	((struct world *)ctx)->reconciled = (int64_t)message->id;
}

static void
on_writable(UNUSED void *ctx)
{
}

static void
on_down(void *ctx)
{
	((struct world *)ctx)->down++;
}

static void
on_away(void *ctx, const char *why)
{
	struct world *w = ctx;

	w->away++;
	(void)text_copy(w->why, sizeof(w->why), why);
}

static void
on_fatal(void *ctx, UNUSED const struct err *why)
{
	((struct world *)ctx)->fatal++;
}

/* Only so that a turn of the loop ends. */
static void
on_tick(UNUSED struct loop_timer *timer, UNUSED void *ctx)
{
}

static int
begin(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return -1;
	*state = w;
	w->listener = w->there = -1;
	(void)snprintf(w->folder, sizeof(w->folder), "/tmp/test_runner_link-XXXXXX");
	if (mkdtemp(w->folder) == NULL)
		return -1;
	(void)snprintf(w->path, sizeof(w->path), "%s/socket", w->folder);
	w->loop = loop_new(NULL);
	loop_timer_init(&w->tick, on_tick, w);
	loop_timer_start(w->loop, &w->tick, TICK_MS, TICK_MS);
	return w->loop == NULL;
}

static void
go_away(struct world *w)
{
	if (w->there != -1)
		(void)close(w->there);
	if (w->listener != -1)
		(void)close(w->listener);
	(void)unlink(w->path);
	w->there = w->listener = -1;
}

static int
finish(void **state)
{
	struct world *w = *state;

	runner_link_free(w->link);
	go_away(w);
	loop_timer_stop(&w->tick);
	loop_free(w->loop);
	(void)rmdir(w->folder);
	free(w);
	return 0;
}

#define SCENE_TEST(name) TEST_OF(name, struct world *w, begin, finish)

static void
listen_there(struct world *w)
{
	w->listener = packet_socket(w->path, true);
	assert_int_equal(listen(w->listener, 4), 0);
}

static void
connect_as(struct world *w, const char *path, int64_t answer_ms, bool is_quiet)
{
	const struct runner_link_config config = {
		.socket = path,
		.answer_ms = answer_ms,
		.epoch = w->epoch,
		.is_quiet = is_quiet,
		.on_ready = on_ready,
		.on_message = on_message,
		.on_writable = on_writable,
		.on_down = on_down,
		.on_away = on_away,
		.on_fatal = on_fatal,
		.ctx = w,
	};
	struct err err;

	w->link = runner_link_start(w->loop, &config, &err);
	assert_non_null(w->link);
	assert_int_equal(w->ready + w->down + w->away + w->fatal, 0); /* never inside the call */
}

static void
connect_to(struct world *w, const char *path, int64_t answer_ms)
{
	connect_as(w, path, answer_ms, false);
}

/* The service takes the next connection and hears hello on it. */
static bool
accepts(struct world *w)
{
	char packet[64] = "";

	if (w->there != -1)
		(void)close(w->there);
	w->there = accept4(w->listener, NULL, NULL, SOCK_CLOEXEC);
	if (w->there == -1)
		return false;
	assert_true(recv(w->there, packet, sizeof(packet) - 1, 0) > 0);
	assert_string_equal(
	    packet, w->epoch == 0 ? "hello\nversion 5\n" : "hello\nversion 5\nepoch 17\n");
	return true;
}

static void
say(const struct world *w, const char *words)
{
	assert_int_equal(
	    send(w->there, words, strlen(words), MSG_NOSIGNAL), (ssize_t)strlen(words));
}

static void
meet(struct world *w)
{
	int before = w->ready;

	WAIT_FOR(w, accepts(w));
	say(w, "hello\nversion 5\npid 7\n");
	WAIT_FOR(w, w->ready == before + 1);
	assert_true(runner_link_is_ready(w->link));
}

static bool
is_closed(const struct world *w)
{
	char packet[64];
	ssize_t n;

	do {
		n = recv(w->there, packet, sizeof(packet), MSG_DONTWAIT);
	} while (n > 0);
	return n == 0;
}

SCENE_TEST(one_that_comes_later_is_connected_to)
{
	connect_to(w, w->path, 60000);
	WAIT_FOR(w, w->away == 2);
	assert_non_null(strstr(w->why, "there is no such socket: start deploybot-runner"));
	listen_there(w);
	meet(w);
	assert_int_equal(w->down, 0); /* it was not long: nobody who waits is told */
	say(w, "settled\nid 5\nstate never\n");
	WAIT_FOR(w, w->reconciled == 5);
}

/* How often these words stand in what is logged while it is tried four times. */
static int
count_logged(struct world *w, bool is_quiet, const char *words)
{
	int ours = dup(STDERR_FILENO), count = 0;
	FILE *said = tmpfile();
	char line[512];

	assert_true(said != NULL && ours != -1);
	assert_true(dup2(fileno(said), STDERR_FILENO) != -1);
	connect_as(w, w->path, 60000, is_quiet);
	WAIT_FOR(w, w->away == 4);
	assert_true(dup2(ours, STDERR_FILENO) != -1);
	(void)close(ours);
	rewind(said);
	while (fgets(line, sizeof(line), said) != NULL)
		count += strstr(line, words) != NULL;
	(void)fclose(said);
	return count;
}

SCENE_TEST(the_absence_of_one_is_logged_once)
{
	assert_int_equal(count_logged(w, false, "is disconnected: there is no such socket"), 1);
}

/* Whoever prints it (doctor) has it by its callback. */
SCENE_TEST(a_quiet_link_logs_nothing)
{
	assert_int_equal(count_logged(w, true, ""), 0);
	assert_non_null(strstr(w->why, "there is no such socket"));
}

SCENE_TEST(one_that_goes_is_connected_to_again)
{
	listen_there(w);
	connect_to(w, w->path, 60000);
	meet(w);
	go_away(w);
	WAIT_FOR(w, w->down == 1 && w->away >= 2);
	assert_false(runner_link_is_ready(w->link));
	listen_there(w);
	meet(w);
	assert_int_equal(w->fatal, 0);
}

/* What was asked of it is not to wait for ever. */
SCENE_TEST(while_one_is_away_for_long_those_who_wait_are_told)
{
	connect_to(w, w->path, 60000);
	WAIT_FOR(w, w->down == 1);
	assert_true(w->away >= 4);
}

SCENE_TEST(the_connection_to_one_that_gives_no_sign_of_life_is_made_again)
{
	listen_there(w);
	connect_to(w, w->path, 100);
	meet(w);
	WAIT_FOR(w, is_closed(w));
	assert_string_equal(w->why, "it does not answer");
	WAIT_FOR(w, accepts(w)); /* and now it does not even say hello */
	WAIT_FOR(w, is_closed(w));
	assert_string_equal(w->why, "it says no hello");
	meet(w);
}

/* An upgrade starts both again, in any order. */
SCENE_TEST(one_of_another_version_is_tried_again)
{
	listen_there(w);
	connect_to(w, w->path, 60000);
	for (int i = 0; i < 2; i++) {
		WAIT_FOR(w, accepts(w));
		say(w, "hello\nversion 99\npid 7\n");
		WAIT_FOR(w, is_closed(w));
		assert_non_null(strstr(w->why, "it speaks version 99, this program version 5"));
	}
	meet(w);
	assert_int_equal(w->fatal, 0);
}

SCENE_TEST(one_that_knows_a_later_epoch_is_ordered_nothing)
{
	w->epoch = 17;
	listen_there(w);
	connect_to(w, w->path, 60000);
	WAIT_FOR(w, accepts(w));
	say(w, "hello\nversion 5\npid 7\nepoch 18\n");
	WAIT_FOR(w, is_closed(w));
	assert_non_null(strstr(w->why, "it said a later epoch than ours: another server has led"));
	meet(w);
}

SCENE_TEST(where_there_is_one_server_none_is_compared)
{
	listen_there(w);
	connect_to(w, w->path, 60000);
	WAIT_FOR(w, accepts(w));
	say(w, "hello\nversion 5\npid 7\nepoch 18\n");
	WAIT_FOR(w, w->ready == 1);
}

SCENE_TEST(what_cannot_be_read_or_comes_before_hello_ends_the_connection)
{
	static const char *const words[] = { "nonsense", "settled\nid 5\nstate never\n" };

	listen_there(w);
	connect_to(w, w->path, 60000);
	for (size_t i = 0; i < COUNT(words); i++) {
		WAIT_FOR(w, accepts(w));
		say(w, words[i]);
		WAIT_FOR(w, is_closed(w));
	}
	meet(w);
}

SCENE_TEST(a_path_that_is_too_long_is_said)
{
	char path[121];

	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	connect_to(w, path, 60000);
	WAIT_FOR(w, w->away == 1);
	assert_string_equal(w->why, "its path is longer than 107 bytes");
}
