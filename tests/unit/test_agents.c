/* Goal: an agent is ordered one run at a time, with proof; what no agent says ends its connection.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "agents_world.h"

static struct agent_link *
acme(struct world *w)
{
	return agents_find(w->agents, "agent:acme");
}

static void
greet(struct world *w)
{
	int ready = w->ready;

	send_packet(w, ACME " 1", HELLO);
	WAIT_FOR(w, w->ready > ready);
}

static void
connect_again(struct world *w)
{
	send_packet(w, "link 0", "gone " ACME " it has hung up\n");
	say_here(w, UNIT);
	expect(w, ACME " 1\nhello\n");
}

static enum packet_sent
send_run(struct world *w, uint64_t id)
{
	struct protocol_message run = { .kind = PROTOCOL_RUN,
		.id = id,
		.program = PROTOCOL_PROGRAM_ACTION,
		.environment = "acme",
		.argument = "restart-web",
		.fingerprint = MANIFEST,
		.deadline_s = 60,
		.deployment = 7 };

	return agent_link_send(acme(w), &run, NULL);
}

static void
answer_challenge(struct world *w, const char *challenge)
{
	char packet[96];
	int ready = w->ready;

	(void)snprintf(packet, sizeof(packet), "challenge\nchallenge %s\n", challenge);
	send_packet(w, ACME " 1", packet);
	WAIT_FOR(w, w->ready > ready);
}

/* --- */

AGENTS_TEST(its_list_of_capabilities_is_reported_where_it_is_another_one)
{
	greet(w);
	assert_string_equal(w->manifest, "restart-web=" UNIT);
	(void)text_copy(w->manifest, sizeof(w->manifest), "?");
	(void)text_copy(w->renewal, sizeof(w->renewal), "?");
	agents_take_peers(
	    w->agents, known_acme("restart-web=" UNIT)); /* as the commit behind that has it */
	connect_again(w);
	greet(w);
	assert_string_equal(w->manifest, "?");
}

AGENTS_TEST(an_order_answers_a_challenge_with_a_signature)
{
	assert_int_equal(send_run(w, 12), PACKET_LATER); /* it has not said hello */
	greet(w);
	assert_int_equal(send_run(w, 12), PACKET_LATER);
	expect(w, ACME " 1\nchallenge\n");
	assert_int_equal(send_run(w, 12), PACKET_LATER); /* not asked for twice */
	answer_challenge(w, CHALLENGE);
	assert_int_equal(send_run(w, 12), PACKET_SENT);
	expect(w, ACME " 1\nrun\nid 12\n");
	check_signature(w, "run", CHALLENGE);
	send_packet(w, ACME " 1", "started\nid 12\n");
	WAIT_FOR(w, w->messages == 1);
	assert_int_equal(w->message.kind, PROTOCOL_STARTED);
}

AGENTS_TEST(an_order_that_nobody_can_say_is_refused)
{
	struct protocol_message run = { .kind = PROTOCOL_RUN,
		.id = 12,
		.program = PROTOCOL_PROGRAM_ACTION,
		.environment = "no such name",
		.argument = "restart-web",
		.deadline_s = 60 };
	struct err err;

	greet(w);
	assert_int_equal(agent_link_send(acme(w), &run, &err), PACKET_LATER);
	expect(w, ACME " 1\nchallenge\n");
	answer_challenge(w, CHALLENGE);
	assert_int_equal(agent_link_send(acme(w), &run, &err), PACKET_REFUSED);
	assert_non_null(strstr(err.text, "environment"));
}

AGENTS_TEST(one_run_has_its_word_until_it_is_answered)
{
	greet(w);
	assert_int_equal(send_run(w, 12), PACKET_LATER);
	expect(w, ACME " 1\nchallenge\n");
	assert_int_equal(send_run(w, 13), PACKET_LATER);
	answer_challenge(w, CHALLENGE);
	assert_int_equal(send_run(w, 13), PACKET_LATER);
	assert_int_equal(send_run(w, 12), PACKET_SENT);
	expect(w, ACME " 1\nrun\nid 12\n");
	send_packet(w, ACME " 1", "refused\nid 99\nwhy failed\n"); /* of whom it was not asked */
	send_packet(w, ACME " 1", "piece\nid 12\n\nnobody has asked");
	send_packet(w, ACME " 1", "refused\nid 12\nwhy failed\n");
	WAIT_FOR(w, w->messages == 1);
	assert_int_equal(w->message.id, 12);
	assert_int_equal(send_run(w, 13), PACKET_LATER);
	expect(w, ACME " 1\nchallenge\n"); /* the one before was for the other */
}

/* The last that was drawn alone is valid there. */
AGENTS_TEST(a_challenge_for_a_run_that_is_followed_no_more_is_for_nobody)
{
	greet(w);
	agent_link_follow(acme(w), 12, true);
	assert_int_equal(send_run(w, 12), PACKET_LATER);
	expect(w, ACME " 1\nchallenge\n");
	agent_link_follow(acme(w), 12, false);
	assert_int_equal(send_run(w, 13), PACKET_LATER);
	expect(w, ACME " 1\nchallenge\n");
	send_packet(w, ACME " 1", "challenge\nchallenge " OTHER "\n");
	send_packet(w, "link 0", "check " ACME " " UNIT " 7\n");
	expect(w, "link 0\nchecked 7 yes\n"); /* so the one before has come */
	assert_int_equal(send_run(w, 13), PACKET_LATER);
	answer_challenge(w, CHALLENGE);
	assert_int_equal(send_run(w, 13), PACKET_SENT);
	expect(w, ACME " 1\nrun\nid 13\n");
	assert_non_null(strstr(w->packet, CHALLENGE));
}

AGENTS_TEST(who_follows_a_run_learns_that_its_agent_is_gone)
{
	greet(w);
	agent_link_follow(acme(w), 12, true);
	assert_string_equal(w->runner, "agent:acme here"); /* a row of before may say else */
	send_packet(w, "link 0", "gone " ACME " it has hung up\n");
	WAIT_FOR(w, w->down == 1);
	assert_int_equal(send_run(w, 12), PACKET_LATER);
	WAIT_FOR(w, strcmp(w->runner, "agent:acme gone") == 0);
	say_here(w, UNIT);
	expect(w, ACME " 1\nhello\n");
	greet(w);
	assert_string_equal(w->runner, "agent:acme here");
	agent_link_follow(acme(w), 12, false);
}

AGENTS_TEST(what_no_agent_says_ends_its_connection)
{
	static const char *const said[] = { "started\nid 12\n", "answer\nid 1\n\n", "no\n", "",
		"hello\nversion 2\n", "hello\nversion 3\ncapability x y\n" };

	for (size_t i = 0; i < COUNT(said); i++) {
		int down = w->down;

		send_packet(w, ACME " 1", said[i]);
		send_packet(w, ACME " 1", HELLO); /* too late */
		WAIT_FOR(w, w->down > down);
		expect(w, ACME " 0\nclose\nchannel 0\n");
		connect_again(w);
	}
	greet(w);
	send_packet(w, ACME " 1", "exit\n"); /* a supervisor's */
	expect(w, ACME " 0\nclose\nchannel 0\n");
	connect_again(w);
	greet(w);
	send_packet(w, ACME " 1", HELLO); /* unasked */
	expect(w, ACME " 0\nclose\nchannel 0\n");
	assert_int_equal(w->messages, 0);
	assert_string_equal(w->manifest, "restart-web=" UNIT);
}

AGENTS_TEST(who_was_not_upgraded_yet_is_no_attacker)
{
	char why[LIMIT_LINE];

	send_packet(w, ACME " 1", "hello\nversion 2\n");
	expect(w, ACME " 0\nclose\nchannel 0\ntext it speaks another version of the protocol");
	agent_link_why(acme(w), why);
	assert_string_equal(why, "acme's agent speaks another version of the protocol");
	assert_int_equal(agents_seen_of(agents_seen(w->agents), ACME).refused_version, 2);
	connect_again(w);
	greet(w);
	assert_int_equal(agents_seen_of(agents_seen(w->agents), ACME).refused_version, 0);
}

AGENTS_TEST(packets_of_nobody_and_of_other_channels_change_nothing)
{
	static const char *const heads[] = { "agent/other 1", ACME " 7", ACME " x", ACME, "x",
		ACME " 4294967296", "" };

	for (size_t i = 0; i < COUNT(heads); i++)
		send_packet(w, heads[i], HELLO);
	send_packet(w, ACME " 0", "close\nchannel 9\ntext no\n");
	send_packet(w, ACME " 0", "close\n");
	send_packet(w, ACME " 0", "open\nchannel 1\n");
	greet(w);
	assert_int_equal(w->ready, 1);
	assert_int_equal(w->down, 0);
	assert_null(agents_find(w->agents, "local"));
	assert_null(agents_find(w->agents, "agent:../x"));
}

/* --- a run's channel --- */

static void
on_run_message(void *ctx, const struct protocol_message *message)
{
	struct world *w = ctx;

	w->shut += message->kind == PROTOCOL_HELLO && !message->record.gate;
}

static void
on_run_unreadable(UNUSED void *ctx, UNUSED const char *why)
{
}

static void
on_run_closed(void *ctx)
{
	((struct world *)ctx)->closed++;
}

AGENTS_TEST(go_is_an_order_of_its_own)
{
	const struct supervisor_link_watch watch = { on_run_message, on_run_unreadable,
		on_run_closed, w };
	const struct effect_run order = { .run = 12, .action = "restart-web", .binding = MANIFEST };
	struct supervisor_link *link;
	struct err err;

	greet(w);
	link = supervisor_link_open_at(acme(w), &order, &watch, &err);
	assert_non_null(link);
	expect(w, ACME " 0\nopen\nchannel 2\nid 12\n");
	send_packet(w, ACME " 2", "hello\nversion 3\n");
	WAIT_FOR(w, w->shut == 1);
	supervisor_link_go(link);
	expect(w, ACME " 2\nchallenge\n");
	send_packet(w, ACME " 2", "challenge\nchallenge " CHALLENGE "\n");
	expect(w, ACME " 2\ngo\n");
	check_signature(w, "go", CHALLENGE);
	supervisor_link_end(link);
	expect(w, ACME " 2\nend\n");
	send_packet(w, ACME " 0", "close\nchannel 2\ntext it has ended\n");
	WAIT_FOR(w, w->closed == 1);
	supervisor_link_free(link);
	link = supervisor_link_open_at(acme(w), &order, &watch, &err);
	expect(w, ACME " 0\nopen\nchannel 3\n"); /* never the same number twice */
	supervisor_link_end(link);		 /* before `go`, which is not said then */
	supervisor_link_go(link);
	expect(w, ACME " 3\nend\n");
	supervisor_link_free(link);
	while (came(w))
		assert_null(strstr(w->packet, "\ngo\n"));
}

AGENTS_TEST(who_is_cut_off_is_ordered_nothing_whatever_link_does)
{
	greet(w);
	agents_take_peers(w->agents, known_peers_new(0));
	assert_int_equal(w->down, 1);
	assert_int_equal(send_run(w, 12), PACKET_LATER);
	expect(w, "link 0\ncut " ACME " ");
	send_packet(w, ACME " 1", HELLO);
	say_here(w, UNIT);
	expect(w, "link 0\ncut " ACME " ");
	assert_int_equal(send_run(w, 12), PACKET_LATER);
}

/* --- certificates --- */

#define NEXT	  "3333333333333333333333333333333333333333333333333333333333333333"
#define OTHER_KEY "4444444444444444444444444444444444444444444444444444444444444444"
#define ASKED	  ACME " 0\nrenew\nrenewal \n"

/* What is enrolled from now on. */
static void
take_peers(struct world *w, const char *digest, const char *next, int64_t ends_at)
{
	struct known_peers *known = known_peers_new(1);
	struct peer peer = { .identity = ACME, .ends_at = ends_at < 0 ? 0 : ends_at };

	(void)text_copy(peer.digest, sizeof(peer.digest), digest);
	(void)text_copy(peer.next_digest, sizeof(peer.next_digest), next);
	known_peers_set_renewed(known, ends_at >= 0);
	known_peers_add(known, &peer);
	agents_take_peers(w->agents, known);
}

/* Whether it is asked for its next key, while an exchange there and back is behind its timer. */
static bool
is_asked(struct world *w)
{
	int64_t until_ms = loop_now_ms() + 1500;

	while (loop_now_ms() < until_ms)
		loop_run_once(w->loop);
	return came(w) && strcmp(w->packet, ASKED) == 0;
}

AGENTS_TEST(a_host_is_asked_for_its_next_key_when_it_is_due_and_answers_once)
{
	take_peers(w, UNIT, "", 0);
	expect(w, ASKED);
	send_packet(w, ACME " 0", "renew\nrenewal a b c\n");
	WAIT_FOR(w, strcmp(w->renewal, "a b c") == 0);
	send_packet(w, ACME " 0", "renew\nrenewal d e f\n");
	greet(w);
	assert_string_equal(w->renewal, "a b c");
	connect_again(w);
	assert_false(is_asked(w)); /* within the hour */
}

AGENTS_TEST(a_host_is_not_asked_for_a_next_key_before_that)
{
	take_peers(w, UNIT, "", clock_wall_ms() + PEER_LIFE_MS / 2 + 60000);
	assert_false(is_asked(w));
	send_packet(w, ACME " 0", "renew\nrenewal a b c\n");
	greet(w);
	assert_string_equal(w->renewal, "?");
}

AGENTS_TEST(where_the_authority_is_offline_no_host_is_asked_for_its_next_key)
{
	take_peers(w, UNIT, "", -1);
	assert_false(is_asked(w));
}

AGENTS_TEST(the_next_key_of_a_name_connects_and_is_reported)
{
	take_peers(w, UNIT, NEXT, INT64_MAX);
	send_packet(w, "link 0", "check " ACME " " UNIT " 7");
	expect(w, "link 0\nchecked 7 yes\n");
	assert_string_equal(w->seen, "");
	send_packet(w, "link 0", "check " ACME " " NEXT " 8");
	expect(w, "link 0\nchecked 8 yes\n");
	assert_string_equal(w->seen, NEXT);
	w->seen[0] = '\0';
	say_here(w, NEXT);
	WAIT_FOR(w, strcmp(w->seen, NEXT) == 0);
}

AGENTS_TEST(the_key_of_before_is_cut_and_its_host_stays_connected)
{
	greet(w);
	take_peers(w, UNIT, NEXT, INT64_MAX);
	take_peers(w, NEXT, "", INT64_MAX);
	expect(w, "link 0\ncut " ACME " " UNIT "\n");
	assert_int_equal(w->down, 0);
	send_packet(w, "link 0", "check " ACME " " UNIT " 7");
	expect(w, "link 0\nchecked 7 no another key");
	take_peers(w, NEXT, OTHER_KEY, INT64_MAX);
	take_peers(w, NEXT, "", INT64_MAX);
	expect(w, "link 0\ncut " ACME " " OTHER_KEY "\n"); /* one that nobody has seen */
	assert_int_equal(w->down, 0);
	take_peers(w, UNIT, "", INT64_MAX);
	expect(w, "link 0\ncut " ACME " " NEXT "\n");
	assert_int_equal(w->down, 1);
}

/* --- who is connected --- */

AGENTS_TEST(who_is_connected_is_remembered_and_since_when_not)
{
	struct agents_seen *before;
	struct agent_seen seen = agents_seen_of(agents_seen(w->agents), ACME);
	char here[160];

	assert_int_equal(seen.state, AGENT_SILENT); /* it has not said hello */
	greet(w);
	seen = agents_seen_of(agents_seen(w->agents), ACME);
	assert_int_equal(seen.state, AGENT_CONNECTED);
	assert_string_equal(seen.version, "0.2.0");
	assert_in_range(seen.clock_ahead_s + 100, 0, 100);
	before = agents_seen_ref(agents_seen(w->agents));
	send_packet(w, "link 0", "gone " ACME " it has hung up\n");
	WAIT_FOR(w, w->down == 1);
	seen = agents_seen_of(agents_seen(w->agents), ACME);
	assert_int_equal(seen.state, AGENT_GONE);
	assert_true(clock_wall_ms() - seen.gone_at < PATIENCE_MS);
	assert_int_equal(seen.here_at, 0);
	assert_int_equal(agents_seen_of(before, ACME).state, AGENT_CONNECTED); /* it is a picture */
	agents_seen_unref(before);
	assert_int_equal(agents_seen_of(agents_seen(w->agents), "agent/other").state, AGENT_UNSEEN);
	(void)snprintf(here, sizeof(here),
	    "here " ACME " " UNIT " %lld 0.2.0-of-a-long-name 192.0.2.1:1\n",
	    (long long)(clock_wall_ms() / 1000 + 7200));
	send_packet(w, "link 0", here);
	expect(w, ACME " 1\nhello\n");
	seen = agents_seen_of(agents_seen(w->agents), ACME);
	assert_in_range(seen.clock_ahead_s, 7100, 7200);
	assert_string_equal(seen.version, "0.2.0-of-a-long-na");
}

/* Of what its host said as it connected that is known no more. */
AGENTS_TEST(a_clock_that_was_off_is_asked_for_again_until_it_is_right)
{
	char packet[400];

	for (int64_t off_s = 7200; off_s >= 0; off_s -= 7200) {
		(void)snprintf(packet, sizeof(packet), HELLO "clock_s %" PRId64 "\n",
		    clock_wall_ms() / 1000 + off_s);
		send_packet(w, ACME " 1", packet);
		send_packet(w, "link 0", "check " ACME " " UNIT " 7\n");
		expect(w, "link 0\nchecked 7 yes\n"); /* so that has come */
		assert_in_range(agents_seen_of(agents_seen(w->agents), ACME).clock_ahead_s + 100,
		    off_s, off_s + 100);
		if (off_s > 0)
			expect(w, ACME " 1\nhello\nversion 5\n");
	}
}

AGENTS_TEST(a_process_that_ends_is_gone_since_then_and_a_short_connection_changes_nothing)
{
	struct agent_seen seen;
	int64_t gone_at;

	greet(w);
	seen = agents_seen_of(agents_seen(w->agents), ACME);
	assert_in_range(clock_wall_ms() - seen.here_at, 0, PATIENCE_MS);
	assert_int_equal(seen.gone_at, 0);
	send_packet(w, ACME " 0", "close\nchannel 1\n"); /* its host stays connected */
	WAIT_FOR(w, w->down == 1);
	seen = agents_seen_of(agents_seen(w->agents), ACME);
	assert_int_equal(seen.state, AGENT_SILENT);
	gone_at = seen.gone_at;
	assert_in_range(clock_wall_ms() - gone_at, 0, PATIENCE_MS);
	expect(w, ACME " 1\nhello\n");
	greet(w);
	send_packet(w, "link 0", "gone " ACME " it has hung up\n");
	WAIT_FOR(w, w->down == 2);
	assert_int_equal(agents_seen_of(agents_seen(w->agents), ACME).gone_at, gone_at);
}

AGENTS_TEST(without_link_nobody_is_connected)
{
	char why[LIMIT_LINE];

	greet(w);
	assert_int_equal(agents_seen(w->agents)->link_gone_at, 0);
	close(w->link);
	WAIT_FOR(w, w->down == 1);
	assert_int_equal(agents_seen_of(agents_seen(w->agents), ACME).state, AGENT_GONE);
	assert_true(agents_seen(w->agents)->link_gone_at != 0);
	agent_link_why(agents_find(w->agents, "agent:acme"), why);
	assert_true(text_starts(why,
	    "acme's agent is not reached: deploybot-link on the server itself "
	    "has been disconnected for "));
	WAIT_FOR(w, is_accepted(w));
}

static bool
is_taken(const struct world *w, const char *names, const struct release_ticket_of *here)
{
	struct release_ticket ticket = { .run = 12,
		.environment = "shop/staging",
		.program = "deploy",
		.until_s = 1767225660 },
			      read;
	struct release_call call = { "acme", "check", "60 program=1", CHALLENGE };
	char text[RELEASE_TICKET_MAX], signature[2 * CRYPTO_ED25519_SIGNATURE + 1];
	char digest[FINGERPRINT_DIGEST];

	assert_true(agents_ticket(w->agents, &ticket, names, text, NULL));
	assert_true(release_call_sign(text, &call, signature, NULL));
	*strrchr(text, ' ') = '\0'; /* what the agent is shown */
	if (!release_ticket_read(text, here, &read, NULL) ||
	    !release_ticket_is_for(
		&read, "acme", fingerprint_digest("release=" UNIT, digest), NULL))
		return false;
	assert_memory_equal(&read, &ticket, sizeof(read));
	assert_true(release_call_is_signed(&read, &call, signature));
	call.words = "61 program=1";
	assert_false(release_call_is_signed(&read, &call, signature));
	return true;
}

AGENTS_TEST(a_ticket_names_the_agents_whose_list_is_known)
{
	struct order_keys keys = { .name = "acme", .count = 1 };
	const struct release_ticket_of here = { .keys = &keys, .now_s = 1767225600 };
	struct peer revoked = { .identity = ACME, .digest = UNIT, .revoked_at = 1 };
	struct known_peers *known = known_peers_new(1);

	memcpy(keys.all[0], w->public, sizeof(w->public));
	assert_false(is_taken(w, "other, acme", &here)); /* it never said one */
	agents_take_peers(w->agents, known_acme("release=" UNIT));
	assert_true(is_taken(w, "other, acme", &here));
	assert_true(is_taken(w, "acme", &here));
	assert_false(is_taken(w, "other", &here));
	(void)fingerprint_digest("release=" UNIT, revoked.manifest);
	known_peers_add(known, &revoked);
	agents_take_peers(w->agents, known);
	assert_false(is_taken(w, "acme", &here));
}

/* As many as a setting has, with the longest names: its order goes to the runner. */
AGENTS_TEST(a_ticket_of_64_agents_with_the_longest_names_fits_its_order)
{
	struct release_ticket ticket = { .run = INT64_MAX,
		.environment = "an-application/an-environment-of-the-longest-name-of",
		.program = "rollback",
		.until_s = INT64_MAX };
	struct protocol_message order = { .kind = PROTOCOL_RUN,
		.id = 12,
		.program = PROTOCOL_PROGRAM_ROLLBACK,
		.environment = "staging",
		.argument = "target:x",
		.deadline_s = 1,
		.deployment = 1 };
	static struct protocol_message read;
	struct known_peers *known = known_peers_new(SETTING_HOSTS_MAX);
	char names[SETTING_HOSTS_MAX * (CRYPTO_CA_NAME_MAX + 1) + 1] = "",
								  packet[PROTOCOL_PACKET_MAX];
	size_t size;

	for (size_t i = 0; i < SETTING_HOSTS_MAX; i++) {
		struct peer peer = { .digest = UNIT, .manifest = UNIT };
		char *name = names + strlen(names);

		(void)snprintf(name, CRYPTO_CA_NAME_MAX + 2, "%0*zu,", CRYPTO_CA_NAME_MAX, i);
		(void)snprintf(
		    peer.identity, sizeof(peer.identity), "agent/%.*s", CRYPTO_CA_NAME_MAX, name);
		known_peers_add(known, &peer);
	}
	agents_take_peers(w->agents, known);
	assert_true(agents_ticket(w->agents, &ticket, names, order.settings, NULL));
	assert_int_equal(strlen(ticket.agents), sizeof(ticket.agents) - 1);
	assert_true(protocol_encode(&order, packet, sizeof(packet), &size, NULL));
	assert_true(protocol_decode(packet, size, &read, NULL));
	assert_string_equal(read.settings, order.settings);
}
