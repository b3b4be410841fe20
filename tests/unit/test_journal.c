/* Goal: the journal gets each line once, as fast as it takes them, and nobody waits for it.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "clients/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/err.h"
#include "tests/unit/until.h"

#define LINES 3000 /* more than any queue of a socket has room for */

struct scene {
	struct loop *loop;
	struct loop_timer patience;
	bool is_over;
	char folder[32], path[64];
	int fd;
	size_t n; /* lines that it has taken */
	struct loop_io io;
	bool is_done;
	size_t sent;
	struct err why;
};

static void
on_impatient(UNUSED struct loop_timer *timer, void *ctx)
{
	((struct scene *)ctx)->is_over = true;
}

/* One for each turn: slower than what sends. */
static void
on_datagram(UNUSED struct loop_io *io, UNUSED unsigned events, void *ctx)
{
	struct scene *scene = ctx;
	char got[1024], wanted[64];
	ssize_t size = recv(scene->fd, got, sizeof(got) - 1, MSG_DONTWAIT);

	assert_true(size > 0);
	got[size] = '\0';
	(void)snprintf(wanted, sizeof(wanted), "\nDEPLOYBOT_SEQ=%zu\nMESSAGE={", scene->n + 1);
	assert_non_null(strstr(got, wanted));
	scene->n++;
}

static int
begin(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	assert_non_null(scene);
	scene->loop = loop_new(NULL);
	loop_timer_init(&scene->patience, on_impatient, scene);
	loop_io_init(&scene->io, on_datagram, scene);
	(void)snprintf(scene->folder, sizeof(scene->folder), "/tmp/journal-XXXXXX");
	assert_non_null(mkdtemp(scene->folder));
	(void)snprintf(scene->path, sizeof(scene->path), "%s/socket", scene->folder);
	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", scene->path);
	scene->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(scene->fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	*state = scene;
	return 0;
}

static int
finish(void **state)
{
	struct scene *scene = *state;

	loop_io_stop(&scene->io);
	if (scene->fd >= 0)
		(void)close(scene->fd);
	(void)unlink(scene->path);
	assert_int_equal(rmdir(scene->folder), 0);
	loop_free(scene->loop);
	free(scene);
	return 0;
}

static void
on_done(void *ctx, size_t n, const struct err *why)
{
	struct scene *scene = ctx;

	assert_false(scene->is_done);
	scene->is_done = true;
	scene->sent = n;
	if (why != NULL)
		scene->why = *why;
}

static void
make_lines(struct buf *lines, size_t n)
{
	buf_init(lines, n * 32);
	for (size_t i = 1; i <= n; i++)
		buf_addf(lines, "{\"seq\":%zu}\n", i);
	assert_false(buf_failed(lines));
}

static struct journal_call *
start(struct scene *scene, const struct buf *lines, struct err *err)
{
	return journal_start(scene->loop,
	    &(struct journal_send){ .socket = scene->path,
		.lines = lines->data,
		.size = lines->size,
		.on_done = on_done,
		.ctx = scene },
	    err);
}

TEST_WITH(a_slow_journal_gets_every_line_in_its_order, begin, finish)
{
	struct scene *scene = *state;
	struct buf lines;

	make_lines(&lines, LINES);
	assert_non_null(start(scene, &lines, NULL));
	assert_false(scene->is_done);
	loop_run_once(scene->loop); /* as many as fit */
	assert_false(scene->is_done);
	loop_io_start(scene->loop, &scene->io, scene->fd, LOOP_READ);
	UNTIL(scene, scene->is_done && scene->n == LINES);
	assert_int_equal(scene->sent, LINES);
	assert_int_equal(scene->why.code, ERR_NONE);
	buf_done(&lines);
}

TEST_WITH(a_journal_that_ends_says_how_many_it_has, begin, finish)
{
	struct scene *scene = *state;
	struct buf lines;

	make_lines(&lines, LINES);
	assert_non_null(start(scene, &lines, NULL));
	loop_run_once(scene->loop);
	(void)close(scene->fd);
	scene->fd = -1;
	UNTIL(scene, scene->is_done);
	assert_true(scene->sent > 0 && scene->sent < LINES);
	assert_non_null(strstr(scene->why.text, "the journal: "));
	buf_done(&lines);
}

TEST_WITH(no_journal_is_an_error_that_names_its_socket, begin, finish)
{
	struct scene *scene = *state;
	struct err err = { 0 };
	struct buf lines;

	make_lines(&lines, 1);
	(void)unlink(scene->path);
	assert_null(start(scene, &lines, &err));
	assert_non_null(strstr(err.text, "the journal ("));
	assert_non_null(strstr(err.text, "/socket): No such file or directory"));
	assert_false(scene->is_done);
	buf_done(&lines);
}

TEST_WITH(a_cancelled_one_never_calls_back, begin, finish)
{
	struct scene *scene = *state;
	struct journal_call *call;
	struct buf lines;

	make_lines(&lines, LINES);
	call = start(scene, &lines, NULL);
	assert_non_null(call);
	loop_run_once(scene->loop);
	journal_cancel(call);
	journal_cancel(NULL);
	assert_false(scene->is_done);
	buf_done(&lines);
}
