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

	send_packet(w, BUILD " 1", "hello\nversion 3\npid 7\nhighest 41\n");
	WAIT_FOR(w, w->ready > 0);
	assert_string_equal(w->runner, "build-1 here 41");
	agents_take_state(w->agents, state_file_new("", 5, "", 0));
	expect(w, BUILD " 1\nstate\nnumber 5\n\n");
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
	expect(w, BUILD " 1\nstate\nnumber 5\n\n");
	send_packet(w, BUILD " 1", "state\nnumber 5\n\n");
}

/* Two runs that end together: the second is read when the first was. */
AGENTS_TEST(the_output_of_one_run_is_read_at_a_time)
{
	struct agent_link *runner = build(w);
	struct protocol_message first = { .kind = PROTOCOL_READ, .id = 12 };
	struct protocol_message second = { .kind = PROTOCOL_READ, .id = 13 };

	agent_link_follow(runner, 12, true);
	agent_link_follow(runner, 13, true);
	send_packet(w, BUILD " 1", "hello\nversion 3\npid 7\n");
	WAIT_FOR(w, w->ready > 0);
	assert_int_equal(agent_link_send(runner, &first, NULL), PACKET_SENT);
	assert_int_equal(agent_link_send(runner, &second, NULL), PACKET_LATER);
	send_packet(w, BUILD " 1", "piece\nid 12\n\nits end");
	WAIT_FOR(w, w->messages == 1);
	assert_int_equal(agent_link_send(runner, &second, NULL), PACKET_SENT);
	agent_link_follow(runner, 13, false); /* its end was reported without */
	assert_int_equal(agent_link_send(runner, &first, NULL), PACKET_SENT);
	agent_link_follow(runner, 12, false);
}

AGENTS_TEST(a_hello_that_says_nothing_new_is_reported_to_nobody)
{
	struct agent_link *runner = build(w);
	static const char again[] = "close\nchannel 1\n";

	agent_link_follow(runner, 0, true);
	send_packet(w, BUILD " 1", "hello\nversion 3\npid 7\nhighest 41\n");
	WAIT_FOR(w, strcmp(w->runner, "build-1 here 41") == 0);
	for (int highest = 41; highest <= 42; highest++) {
		char hello[64];

		w->runner[0] = '\0';
		send_packet(w, BUILD " 0", again); /* its process has ended */
		expect(w, BUILD " 1\nhello\n");
		(void)snprintf(
		    hello, sizeof(hello), "hello\nversion 3\npid 7\nhighest %d\n", highest);
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
	send_packet(w, BUILD " 1", "hello\nversion 3\npid 7\n");
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
