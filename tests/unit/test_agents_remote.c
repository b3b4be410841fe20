/* Goal: what a remote runner says bounds what the server does of it, and its runs wait for each other.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "agents_world.h"
#include "runs/git_queries.h"

static struct agent_link *
build(struct world *w)
{
	struct known_peers *known = known_peers_new(1);
	w->who = BUILD;
	known_peers_add(known, &(struct peer){ .identity = BUILD, .digest = MANIFEST });
	agents_take_peers(w->agents, known);
	send_packet(w, "link 0", "here " BUILD " " MANIFEST " 1767225600 0.2.0 192.0.2.1:1\n");
	while (w->packet[0] != 'r')
		WAIT_FOR(w, came(w));
	return agents_find(w->agents, "build-1");
}

/* What cannot be ended there holds nobody else up. */
AGENTS_TEST(a_remote_runner_says_of_its_runs_also_what_was_not_asked)
{
	struct agent_link *runner = build(w);
	struct protocol_message settle = { .kind = PROTOCOL_RECONCILE, .id = 9 };
	struct protocol_message run = { .kind = PROTOCOL_RUN, .id = 12 };

	send_packet(w, BUILD " 1", "hello\nversion 5\npid 7\nhighest 41\n");
	WAIT_FOR(w, w->ready > 0);
	assert_string_equal(w->runner, "build-1 here 41");
	agents_take_state(w->agents, state_file_new("", 5, "", 0));
	expect(w, BUILD " 1\nstate\nnumber 5\nsignature ");
	send_packet(w, BUILD " 1", "state\nnumber 5\n\n");
	send_packet(w, BUILD " 1", "settled\nid 77\nstate ended\n");
	WAIT_FOR(w, w->messages == 1);
	assert_int_equal(agent_link_send(runner, &settle, NULL), PACKET_SENT);
	expect(w, BUILD " 1\nsettle\nid 9\n");
	send_packet(w, BUILD " 1", "stuck\nid 9\npid 4\n");
	WAIT_FOR(w, w->messages == 2);
	assert_int_equal(agent_link_send(runner, &run, NULL), PACKET_LATER);
	expect(w, BUILD " 1\nchallenge\n");
	send_packet(w, BUILD " 1", "answer\nid 1\n\n"); /* whether it was asked others know */
	WAIT_FOR(w, w->messages == 3);
}

static void
expect_states(struct world *w)
{
	agents_take_state(w->agents, state_file_new("", 5, "", 0));
	expect(w, BUILD " 1\nstate\nnumber 5\nsignature ");
	send_packet(w, BUILD " 1", "state\nnumber 5\n\n");
}

static void
on_piece(struct agent_read *read, const struct protocol_message *piece)
{
	struct world *w = read->ctx;

	w->message = *piece;
	w->messages++;
}

/* Two runs that end together: the second is read when the first was. */
AGENTS_TEST(the_output_of_one_run_is_read_at_a_time)
{
	struct agent_link *runner = build(w);
	struct agent_channels *channels = agent_link_channels(runner);
	struct agent_read first = { .run = 12, .on_piece = on_piece, .ctx = w };
	struct agent_read second = { .run = 13, .from = 5, .on_piece = on_piece, .ctx = w };
	struct agent_read third = { .run = 14, .on_piece = on_piece, .ctx = w };

	agent_reads_add(channels, &first);
	agent_reads_add(channels, &second);
	send_packet(w, BUILD " 1", "hello\nversion 5\npid 7\n");
	expect(w, BUILD " 1\nread\nid 12\n");
	assert_null(strstr(w->packet, "from"));
	agent_reads_add(channels, &third);
	agent_reads_cancel(channels, &third);
	send_packet(w, BUILD " 1", "piece\nid 13\nfrom 5\nsize 9\n\nof one that was not asked");
	send_packet(w, BUILD " 1", "piece\nid 12\nfrom 5\nsize 9\n\nof another place");
	send_packet(w, BUILD " 1", "piece\nid 12\nsize 7\n\nits end");
	expect(w, BUILD " 1\nread\nid 13\nfrom 5\n");
	assert_int_equal(w->messages, 1);
	assert_int_equal(w->message.place.size, 7);
	agent_reads_cancel(channels, &second);
	agent_reads_add(channels, &first);
	expect(w, BUILD " 1\nread\nid 12\n");
	send_packet(w, BUILD " 1", "piece\nid 13\nfrom 5\nsize 9\n\nof what nobody waits for");
	send_packet(w, "link 0", "gone " BUILD " it has hung up\n");
	WAIT_FOR(w, w->down > 0);
	assert_true(first.is_waiting); /* it is asked of it when it is back */
	send_packet(w, "link 0", "here " BUILD " " MANIFEST " 1767225600 0.2.0 192.0.2.1:1\n");
	expect(w, BUILD " 1\nhello\n");
	send_packet(w, BUILD " 1", "hello\nversion 5\npid 7\n");
	expect(w, BUILD " 1\nread\nid 12\n");
	send_packet(w, BUILD " 1", "piece\nid 12\nsize 7\n\nits end");
	WAIT_FOR(w, w->messages == 2);
	assert_false(first.is_waiting);
}

AGENTS_TEST(why_nothing_is_sent_to_a_runner_is_said)
{
	struct agent_link *runner = build(w);
	struct known_peers *known = known_peers_new(1);
	char why[LIMIT_LINE];

	agent_link_why(runner, why);
	assert_string_equal(
	    why, "the runner build-1 does not answer, though its host is connected");
	known_peers_add(
	    known, &(struct peer){ .identity = BUILD, .digest = MANIFEST, .revoked_at = 1 });
	agents_take_peers(w->agents, known);
	WAIT_FOR(w, agent_link_seen(runner).state == AGENT_GONE);
	agent_link_why(runner, why);
	assert_string_equal(why, "the runner build-1 was revoked");
	agents_take_peers(w->agents, known_peers_new(1));
	agent_link_why(runner, why);
	assert_string_equal(why, "the runner build-1 is not enrolled");
}

#define SILENT_MS 1000

static int
begin_silent(void **state)
{
	world_silent_ms = SILENT_MS;
	begin(state);
	world_silent_ms = 0;
	return 0;
}

/* Its host answers link's pings, and what is asked of it would be waited for without end. */
TEST_OF(
    whoever_hangs_is_disconnected_from_and_who_answers_is_not, struct world *w, begin_silent, end)
{
	static const char question[] = BUILD " 1\nread\nid 9223372036854775807\n";
	int64_t end_ms;
	int down;

	agent_link_follow(build(w), 0, true);
	send_packet(w, BUILD " 1", "hello\nversion 5\npid 7\n");
	WAIT_FOR(w, w->ready > 0);
	down = w->down; /* of the agent that is enrolled no more */
	for (int i = 0; i < 3; i++) {
		WAIT_FOR(w, w->down > down || came(w));
		assert_string_equal(w->packet, question);
		assert_int_equal(w->down, down);
		send_packet(w, BUILD " 1", "piece\nid 9223372036854775807\n\n");
	}
	end_ms = loop_now_ms() + 20 * SILENT_MS;
	WAIT_FOR(w, w->down > down || loop_now_ms() > end_ms);
	assert_true(w->down > down);
	for (w->packet[0] = '\0'; !text_starts(w->packet, BUILD " 0\n");)
		WAIT_FOR(w, came(w));
	assert_string_equal(w->packet, BUILD " 0\nclose\nchannel 0\ntext it answers nothing\n");
}

AGENTS_TEST(a_hello_that_says_nothing_new_is_reported_to_nobody)
{
	struct agent_link *runner = build(w);
	static const char again[] = "close\nchannel 1\n";

	agent_link_follow(runner, 0, true);
	send_packet(w, BUILD " 1", "hello\nversion 5\npid 7\nhighest 41\n");
	WAIT_FOR(w, strcmp(w->runner, "build-1 here 41") == 0);
	for (int highest = 41; highest <= 42; highest++) {
		char hello[64];

		w->runner[0] = '\0';
		send_packet(w, BUILD " 0", again); /* its process has ended */
		expect(w, BUILD " 1\nhello\n");
		(void)snprintf(
		    hello, sizeof(hello), "hello\nversion 5\npid 7\nhighest %d\n", highest);
		w->ready = 0;
		send_packet(w, BUILD " 1", hello);
		WAIT_FOR(w, w->ready > 0);
		assert_string_equal(w->runner, highest == 41 ? "" : "build-1 here 42");
	}
	agent_link_follow(runner, 0, false);
}

/* As many changes are on their way as may be: its own state is sent when one of them is there. */
AGENTS_TEST(no_run_is_sent_ahead_of_what_is_live_in_its_environment)
{
	struct agent_link *runner = build(w);
	struct protocol_message run = { .kind = PROTOCOL_RUN,
		.id = 12,
		.program = PROTOCOL_PROGRAM_DEPLOY,
		.environment = "staging",
		.argument = "1a2b3c4",
		.deadline_s = 60 };

	agents_take_state(w->agents, state_file_new("staging", 4, "{}\n", 3));
	send_packet(w, BUILD " 1", "hello\nversion 5\npid 7\n");
	expect(w, BUILD " 1\nstate\n");
	expect_states(w);
	send_packet(w, BUILD " 1", "state\nnumber 5\n\n");
	WAIT_FOR(w, w->ready > 1);
	assert_int_equal(agent_link_send(runner, &run, NULL), PACKET_LATER);
	expect(w, BUILD " 1\nchallenge\n");
	send_packet(w, BUILD " 1", "challenge\nchallenge " CHALLENGE "\n");
	WAIT_FOR(w, w->ready > 2);
	for (int i = 0; i < 8; i++)
		agents_take_state(w->agents, state_file_new("staging", 6 + i, "[]\n", 3));
	assert_int_equal(agent_link_send(runner, &run, NULL), PACKET_LATER);
	for (int i = 0; i < 8; i++) {
		expect(w, BUILD " 1\nstate\n");
		send_packet(w, BUILD " 1", "state\nnumber 13\n\n");
	}
	expect(w, BUILD " 1\nstate\nnumber 13\n");
	send_packet(w, BUILD " 1", "state\nnumber 13\n\n");
	WAIT_FOR(w, agent_link_send(runner, &run, NULL) == PACKET_SENT);
	expect(w, BUILD " 1\nstate\n"); /* its own once more */
	expect(w, BUILD " 1\nrun\nid 12\n");
}

/* --- git --- */

static void
note_answer(void *ctx, const struct runs_answer *said)
{
	(void)text_copy(ctx, 64, said->text);
}

/* Goal: a commit whose author or subject is no text does not keep git from being read. */
TEST(what_git_says_is_text)
{
	static const char said[] = "subject a\0\xff\xc0\xaf\xed\xa0\x80\nend\n";
	const struct effect_git_query order = { .kind = GIT_QUERY_COMMITS };
	char answered[64] = "";
	const struct runs_git_query_config config = {
		.order = &order, .on_answer = note_answer, .ctx = answered
	};
	struct git_queries queries = { .n = 0 };
	struct err err;

	assert_non_null(git_queries_add(&queries, &config, NULL, &err));
	git_queries_take(&queries, NULL,
	    &(struct protocol_message){
		.kind = PROTOCOL_ANSWER, .id = 1, .body = said, .body_len = sizeof(said) - 1 });
	assert_string_equal(answered, "subject a???????\nend\n");
	git_queries_done(&queries);
}

TEST(one_remote_runner_has_half_of_the_git_queries_at_most)
{
	static char one, other;
	struct agent_link *agents[] = { (void *)&one, (void *)&other };
	const struct effect_git_query order = { .kind = GIT_QUERY_SETTINGS };
	const struct runs_git_query_config config = { .order = &order };
	struct git_queries queries = { .n = 0 };
	struct err err;

	for (int i = 0; i < RUNS_GIT_QUERIES_MAX / 2; i++)
		assert_non_null(git_queries_add(&queries, &config, agents[0], &err));
	assert_null(git_queries_add(&queries, &config, agents[0], &err));
	assert_int_equal(err.code, ERR_BUSY);
	assert_non_null(git_queries_add(&queries, &config, agents[1], &err));
	assert_non_null(git_queries_add(&queries, &config, NULL, &err));
	git_queries_done(&queries);
}
