/* Goal: a run's log is read wherever it is, and of a runner that is away or lies that is said.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "agents_world.h"
#include "lib/buf.h"
#include "lib/redact.h"
#include "runs/run_log.h"
#include "runs/run_output.h"
#include "runs/run_source.h"

struct got {
	char text[1024], failure[LIMIT_LINE];
	int64_t next, size;
	int times;
	char start[16], end[16]; /* of a document */
};

static struct run_source *
build(struct world *w, struct redact *redact)
{
	struct known_peers *known = known_peers_new(1);

	known_peers_add(known, &(struct peer){ .identity = BUILD, .digest = MANIFEST });
	agents_take_peers(w->agents, known);
	send_packet(w, "link 0", "here " BUILD " " MANIFEST " 1767225600 0.2.0 192.0.2.1:1\n");
	while (w->packet[0] != 'r')
		WAIT_FOR(w, came(w));
	send_packet(w, BUILD " 1", "hello\nversion 5\npid 7\n");
	WAIT_FOR(w, w->ready > 0);
	return run_source_new(w->loop, w->agents, w->folder, redact);
}

static void
on_shown(void *ctx, const struct buf *text, int64_t next, const char *failure)
{
	struct got *got = ctx;

	got->times++;
	got->next = next;
	(void)snprintf(got->text, sizeof(got->text), "%s", text == NULL ? "" : buf_text(text));
	(void)snprintf(got->failure, sizeof(got->failure), "%s", failure == NULL ? "" : failure);
}

static void
on_document(void *ctx, struct run_log_job *job, const char *failure)
{
	struct got *got = ctx;
	struct err err;

	got->times++;
	(void)snprintf(got->failure, sizeof(got->failure), "%s", failure == NULL ? "-" : failure);
	if (job == NULL)
		return;
	got->failure[0] = '\0';
	while (run_log_step(job, &err) == RUN_LOG_MORE)
		continue;
	got->size = run_log_size(job);
	assert_int_equal(pread(run_log_fd(job), got->start, 15, 0), 15);
	assert_int_equal(pread(run_log_fd(job), got->end, 15, got->size - 15), 15);
	run_log_free(job);
}

static struct run_source_order
of(struct got *got, int64_t offset)
{
	return (struct run_source_order){
		.runner = "build-1", .run = 12, .offset = offset, .head = "", .ctx = got
	};
}

/* A piece of `size` bytes that begins with `text`, dots behind it. */
static void
say_piece(const struct world *w, int64_t from, int64_t log_size, const char *text, size_t size)
{
	static char packet[PROTOCOL_PACKET_MAX];
	int n = snprintf(packet, sizeof(packet), BUILD " 1\npiece\nid 12\nfrom %lld\nsize %lld\n\n",
	    (long long)from, (long long)log_size);

	memset(packet + n, '.', size);
	memcpy(packet + n, text, strlen(text));
	assert_int_equal(send(w->link, packet, (size_t)n + size, 0), (ssize_t)size + n);
}

AGENTS_TEST(a_piece_is_asked_of_its_runner_and_shown_without_secrets)
{
	CLEANUP(redact_freep) struct redact *redact = redact_new();
	struct run_source *source = build(w, redact);
	struct got got = { .times = 0 };
	struct run_source_order order = of(&got, 0);

	assert_true(redact_add(redact, "hunter2-is-it", NULL));
	run_source_piece(source, &order, on_shown);
	expect(w, BUILD " 1\nread\nid 12\nfrom 1\n");
	assert_int_equal(got.times, 0);
	say_piece(w, 1, 28, "key hunter2-is-it\nnot whole", 27);
	WAIT_FOR(w, got.times == 1);
	assert_string_equal(got.text, "key ***\n");
	assert_int_equal(got.next, 18);
	order = of(&got, 9000); /* what stands before it is looked at, and not shown */
	run_source_piece(source, &order, on_shown);
	expect(w, BUILD " 1\nread\nid 12\nfrom 809\n");
	say_piece(w, 809, 8193 + 808 - 1, "", 8192); /* nothing is behind it */
	WAIT_FOR(w, got.times == 2);
	assert_string_equal(got.text, "");
	assert_int_equal(got.next, 9000);
	run_source_free(source);
}

AGENTS_TEST(who_is_away_or_says_nothing_is_named)
{
	int64_t began_ms = loop_now_ms();
	struct run_source *source = build(w, NULL);
	struct got got = { .times = 0 };
	struct run_source_order order = of(&got, 0);

	run_source_piece(source, &order, on_shown);
	WAIT_FOR(w, got.times == 1 || loop_now_ms() > began_ms + 4 * RUN_SOURCE_WAIT_MS);
	assert_int_equal(got.times, 1);
	assert_string_equal(got.failure, "the runner build-1 does not answer");
	run_source_piece(source, &order, on_shown);
	run_source_document(source, &order, on_document); /* it waits behind the first */
	send_packet(w, "link 0", "gone " BUILD " it has hung up\n");
	WAIT_FOR(w, got.times == 3);
	assert_non_null(strstr(got.failure, "the runner build-1 has been disconnected for "));
	run_source_piece(source, &order, on_shown); /* that it is away is known */
	assert_int_equal(got.times, 4);
	run_source_document(source, &order, on_document);
	assert_int_equal(got.times, 5);
	run_source_free(source);
}

AGENTS_TEST(who_waits_when_the_server_stops_is_called_back)
{
	struct run_source *source = build(w, NULL);
	struct got piece = { .times = 0 }, document = { .times = 0 };
	struct run_source_order order = of(&piece, 0), all = of(&document, 0);

	run_source_piece(source, &order, on_shown);
	run_source_document(source, &all, on_document);
	run_source_free(source);
	assert_string_equal(piece.failure, "the server stops: ask again in a moment");
	assert_int_equal(document.times, 1);
	assert_string_equal(document.failure, "-"); /* its row is open */
}

AGENTS_TEST(a_document_is_made_of_as_many_pieces_as_there_are)
{
	struct run_source *source = build(w, NULL);
	struct got got = { .times = 0 };
	struct run_source_order order = of(&got, 0);

	run_source_document(source, &order, on_document);
	expect(w, BUILD " 1\nread\nid 12\nfrom 1\n");
	say_piece(w, 1, 65536 + 16, "the first line\n", 65536);
	expect(w, BUILD " 1\nread\nid 12\nfrom 65537\n");
	say_piece(w, 65537, 65536 + 99, "\nthe last line.\n and what came since", 99);
	WAIT_FOR(w, got.times == 1);
	assert_string_equal(got.failure, "");
	assert_string_equal(got.start, "the first line\n");
	assert_string_equal(got.end, "the last line.\n");
	run_source_free(source);
}

/* 22 MB of its beginning and of its end are all that is asked for. */
AGENTS_TEST(of_a_log_too_long_the_middle_is_not_asked_for)
{
	const int64_t size = INT64_C(1) << 40, part = INT64_C(22) << 20;
	struct run_source *source = build(w, NULL);
	struct got got = { .times = 0 };
	struct run_source_order order = of(&got, 0);
	bool is_end = false;
	int asked = 0;

	run_source_document(source, &order, on_document);
	for (char from[32]; got.times == 0 && asked < 1000; asked++) {
		expect(w, BUILD " 1\nread\nid 12\nfrom ");
		value(w, "from", from, sizeof(from));
		is_end = strtoll(from, NULL, 10) + 65535 == size;
		say_piece(w, strtoll(from, NULL, 10), size, "", is_end ? 1 : 65536);
		if (is_end)
			WAIT_FOR(w, got.times == 1);
	}
	assert_int_equal(asked, 2 * part / 65536);
	assert_string_equal(got.failure, "its runner has less of it than it said");
	run_source_free(source);
}

AGENTS_TEST(a_runner_that_has_less_than_it_said_is_asked_no_more)
{
	struct run_source *source = build(w, NULL);
	struct got got = { .times = 0 };
	struct run_source_order order = of(&got, 0);

	run_source_document(source, &order, on_document);
	expect(w, BUILD " 1\nread\nid 12\nfrom 1\n");
	say_piece(w, 1, INT64_MAX, "a", 1);
	WAIT_FOR(w, got.times == 1);
	assert_true(strlen(got.failure) > 1);
	run_source_document(source, &order, on_document);
	expect(w, BUILD " 1\nread\nid 12\nfrom 1\n");
	say_piece(w, 1, 70000, "a", 1);
	WAIT_FOR(w, got.times == 2);
	assert_string_equal(got.failure, "its runner has less of it than it said");
	run_source_free(source);
}

static void
on_last(void *ctx, const struct run_tail_bytes *bytes)
{
	struct got *got = ctx;

	got->times++;
	(void)snprintf(got->text, sizeof(got->text), "%.*s", (int)bytes->size, bytes->data);
}

/* What was asked for before a run had ended may lack its last lines. */
AGENTS_TEST(the_end_of_an_output_is_asked_for_behind_the_end_of_the_run)
{
	struct run_source *source = build(w, NULL);
	struct got got = { .times = 0 };
	struct run_output output = { .is_last = false };

	run_output_begin(
	    &output, agent_link_channels(agents_find(w->agents, "build-1")), 12, on_last, &got);
	assert_int_equal(run_output_now(&output)->size, 0);
	expect(w, BUILD " 1\nread\nid 12\n");
	send_packet(w, BUILD " 1", "piece\nid 12\nsize 4\n\none\n");
	WAIT_FOR(w, run_output_now(&output)->size == 4);
	assert_true(run_output_now(&output)->is_growing);
	expect(w, BUILD " 1\nread\nid 12\n");
	run_output_last(&output);
	send_packet(w, BUILD " 1", "piece\nid 12\nsize 4\n\none\n");
	expect(w, BUILD " 1\nread\nid 12\n");
	assert_int_equal(got.times, 0);
	send_packet(w, BUILD " 1", "piece\nid 12\nsize 8\n\none\ntwo\n");
	WAIT_FOR(w, got.times == 1);
	assert_string_equal(got.text, "one\ntwo\n");
	run_output_done(&output);
	run_source_free(source);
}

TEST_GROUP(NULL, NULL)
