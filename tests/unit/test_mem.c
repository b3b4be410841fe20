/* Goal: whoever finds no memory ends at once with one line, and the next start has lost nothing.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fail_nth.h"
#include "lib/array.h"
#include "lib/buf.h"
#include "lib/json.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/mem_trim.h"
#include "lib/redact.h"
#include "store/audit_verify.h"
#include "deliver_aid.h"

static const char line[] = "out of memory: aborted\n";

static unsigned call; /* the one that fails */

static void
arm(void)
{
	fail_nth(FAIL_MEMORY, call);
}

/* The work in a process of its own, whose n-th allocation fails.  True: it came to that one. */
static bool
aborts(void (*work)(void), unsigned n)
{
	char said[256];
	int ends[2], status;
	size_t size = 0;
	ssize_t got;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)dup2(ends[1], STDERR_FILENO);
		call = n;
		work();
		_exit(fail_nth_met() ? 3 : 0);
	}
	(void)close(ends[1]);
	while ((got = read(ends[0], said + size, sizeof(said) - 1 - size)) > 0)
		size += (size_t)got;
	(void)close(ends[0]);
	said[size] = '\0';
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status)) { /* 3: it went on without it */
		if (WEXITSTATUS(status) != 0)
			fail_msg("call %u: exit %d: %s", n, WEXITSTATUS(status), said);
		return false;
	}
	assert_int_equal(WTERMSIG(status), SIGABRT);
	assert_string_equal(said, line);
	return true;
}

static void
read_json(void)
{
	static char text[20000] = "{\"list\":[1,2.5,true,null],\"word\":\"";
	size_t size = strlen(text);

	memset(text + size, 'a', sizeof(text) - size);
	memcpy(text + sizeof(text) - 2, "\"}", 2);
	arm();
	json_free(json_decode(text, sizeof(text), NULL));
}

static void
keep_secrets(void)
{
	CLEANUP(buf_done) struct buf out = buf_make(65536);
	CLEANUP(redact_freep) struct redact *r = NULL;
	struct redact_stream *s;

	arm();
	r = redact_new();
	s = redact_stream_new(r, false);
	assert(redact_add(r, "first-secret-line\r\nsecond-secret-line", NULL));
	redact_stream_add(s, "first-secr", 10, &out);
	redact_stream_end(s, &out);
	redact_stream_free(s);
}

static void
grow(void)
{
	size_t count = 0, room = 0;
	char *text = NULL;

	arm();
	assert(array_add(&text, &count, 1) != NULL);
	array_reserve(&text, count, &room, 64, 1);
	free(text);
	free(mem_text("ab"));
	free(mem_textn("abc", 2));
	free(mem_resize(mem_alloc(1), 100));
}

static void
make_loop(void)
{
	struct loop_timer timers[64];
	struct loop *loop;

	arm();
	loop = loop_new(NULL);
	for (size_t i = 0; i < COUNT(timers); i++) {
		loop_timer_init(&timers[i], NULL, NULL);
		loop_timer_start(loop, &timers[i], 1000, 0);
	}
	loop_free(loop);
}

TEST(whoever_finds_no_memory_says_so_and_aborts)
{
	static const struct {
		void (*work)(void);
		unsigned least;
	} works[] = { { read_json, 4 }, { keep_secrets, 20 }, { grow, 5 }, { make_loop, 3 } };

	for (size_t i = 0; i < COUNT(works); i++) {
		unsigned n = 1;

		while (aborts(works[i].work, n))
			n++;
		if (n <= works[i].least)
			fail_msg("work %zu: %u calls", i, n);
	}
}

static volatile uint32_t *marked;

static void
mark(void)
{
	mem_mark(marked);
	mem_abort();
}

TEST(the_mark_is_set_before_it_ends)
{
	marked =
	    mmap(NULL, sizeof(*marked), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(marked != MAP_FAILED);
	assert_true(aborts(mark, 1));
	assert_int_equal(*marked, 1);
}

static struct store_aid *aid;

/* A program that starts on that folder, and is delivered something. */
static void
start_and_decide(void)
{
	struct queue_list events = { 0 }, outcomes = { 0 };
	struct event *event = deliver_aid_raw(aid, "a/ada");
	struct store *store;
	struct err err;

	queue_list_add(&events, &event->link);
	arm();
	store = store_open(&aid->config, &err);
	if (store == NULL || !store_recover(store, aid->settings, aid->at, &outcomes, &err) ||
	    !store_batch(store, &events, &outcomes, &err))
		_exit(4);
	(void)store_project(store, &outcomes);
	for (struct queue_link *link; (link = queue_list_take(&outcomes)) != NULL;)
		outcome_free(QUEUE_ITEM(link, struct outcome, link));
	store_close(store);
}

/* Each place of a start and of a decision, once: it stands whole, or not at all, the chain of the
 * audit holds, and what comes again is neither decided twice nor quarantined. */
TEST_WITH(a_start_or_decision_without_memory_leaves_nothing_half_done, deliver_aid_setup,
    store_aid_teardown)
{
	unsigned n = 1;

	aid = *state;
	store_close(TAKE(aid->store));
	store_aid_forget(aid);
	for (; aborts(start_and_decide, n); n++) {
		struct audit_verified verified;
		struct err err;

		if (!audit_verify(aid->path, aid->audit_path, &verified, &err))
			fail_msg("call %u: %s", n, err.text);
	}
	assert_true(n > 50);
	store_aid_reopen(aid);
	assert_int_equal(store_aid_count(aid, EFFECT_GIT_QUERY), 1);
	deliver_aid.delivered = 0;
	(void)store_aid_decide(aid, deliver_aid_raw(aid, "a/ada"));
	assert_int_equal(deliver_aid.delivered, 1);
	assert_int_equal(store_aid_count(aid, EFFECT_GIT_QUERY), 1);
	aid = NULL;
}

static size_t
pages_of_the_program(void)
{
	char text[512];
	size_t kib = 0, one;
	bool is_ours = false;
	FILE *file = fopen("/proc/self/smaps", "re");

	assert_non_null(file);
	while (fgets(text, sizeof(text), file) != NULL) {
		if (strstr(text, " r-xp ") != NULL || strstr(text, " r--p ") != NULL)
			is_ours = strchr(text, '/') != NULL;
		else if (strchr(text, '-') != NULL && strchr(text, ':') != NULL)
			is_ours = false;
		else if (is_ours && sscanf(text, "Rss: %zu kB", &one) == 1)
			kib += one;
	}
	(void)fclose(file);
	return kib;
}

TEST(what_starting_alone_has_read_is_given_back_and_is_there_again)
{
	size_t before = pages_of_the_program(), after;

	mem_trim();
	after = pages_of_the_program();
	if (after * 4 > before * 3)
		fail_msg("%zu KiB of files before, %zu behind it", before, after);
	for (int i = 0; i < 2; i++) { /* both run what was given back */
		free(mem_text("text"));
		mem_trim();
	}
}
