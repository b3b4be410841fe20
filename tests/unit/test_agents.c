/* Goal: an agent is ordered one run at a time, with proof; what no agent says ends its connection.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "runs/agents.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/fingerprint.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "runs/link_client.h"
#include "runs/supervisor_link.h"
#include "types/effect.h"
#include "unit.h"

#define PATIENCE_MS 300000
#define ACME	    "agent/acme"
#define BUILD	    "runner/build-1"
#define CHALLENGE   "0123456789abcdef0123456789abcdef"
#define OTHER	    "fedcba9876543210fedcba9876543210"
#define UNIT	    "1111111111111111111111111111111111111111111111111111111111111111"
#define MANIFEST    "2222222222222222222222222222222222222222222222222222222222222222"
#define HELLO	    "hello\nversion 3\nmanifest " MANIFEST "\ncapability restart-web " UNIT "\n"

struct world {
	struct loop *loop;
	struct loop_timer tick;
	char folder[64];
	char path[96];
	char key[CRYPTO_CA_PEM];
	uint8_t public[CRYPTO_ED25519_KEY];
	int listener, link; /* deploybot-link's */
	struct agents *agents;
	char packet[PROTOCOL_PACKET_MAX + 128]; /* the last that came there */
	char manifest[LIMIT_MANIFEST];		/* that was reported; "?": none was */
	char renewal[LIMIT_MANIFEST];		/* that it has asked for; "?": none was */
	char seen[LIMIT_MANIFEST];		/* key that has connected */
	char runner[LIMIT_RUNNER + 8];
	struct protocol_message message;
	int messages, ready, down;
	const char *who;  /* of whom there are messages; NULL: ACME */
	int closed, shut; /* of a run's channel: that it closed, and hellos of a shut gate */
};

#define WAIT_FOR(w, condition) \
	do { \
		int64_t until_ms = loop_now_ms() + PATIENCE_MS; \
		bool is_so; \
		while (!(is_so = (condition)) && loop_now_ms() < until_ms) \
			loop_run_once((w)->loop); \
		assert_true(is_so); \
	} while (0)

static void
on_said(void *ctx, enum event_kind kind, const char *identity, const char *list)
{
	struct world *w = ctx;

	assert_string_equal(identity, ACME);
	assert_true(text_copy(
	    kind == EVENT_PEER_RENEWAL ? w->renewal : w->manifest, sizeof(w->manifest), list));
}

static bool
submit(void *ctx, struct event *event)
{
	struct world *w = ctx;

	assert_int_equal(event->kind, EVENT_PEER_SEEN);
	assert_string_equal(event->u.peer.identity, ACME);
	assert_true(text_copy(w->seen, sizeof(w->seen), event->u.peer.text));
	event_free(event);
	return true;
}

static void
on_runner(void *ctx, const char *runner, bool is_connected, uint64_t highest)
{
	struct world *w = ctx;

	(void)snprintf(w->runner, sizeof(w->runner), "%s %s%s%.0d", runner,
	    is_connected ? "here" : "gone", highest == 0 ? "" : " ", (int)highest);
}

static void
on_message(void *ctx, const struct agent_link *agent, const struct protocol_message *message)
{
	struct world *w = ctx;

	assert_string_equal(agent_link_identity(agent), w->who == NULL ? ACME : w->who);
	w->message = *message;
	w->messages++;
}

static void
on_ready(void *ctx)
{
	((struct world *)ctx)->ready++;
}

static void
on_down(void *ctx, UNUSED const struct agent_link *agent)
{
	((struct world *)ctx)->down++;
}

static void
on_tick(UNUSED struct loop_timer *timer, UNUSED void *ctx)
{
}

/* --- what link sends and gets --- */

static void
send_packet(const struct world *w, const char *head, const char *body)
{
	char packet[4096];
	int n = snprintf(packet, sizeof(packet), "%s\n%s", head, body);

	assert_int_equal(send(w->link, packet, (size_t)n, 0), n);
}

static bool
came(struct world *w)
{
	ssize_t n = recv(w->link, w->packet, sizeof(w->packet) - 1, MSG_DONTWAIT);

	if (n > 0)
		w->packet[n] = '\0';
	return n > 0;
}

static void
expect(struct world *w, const char *start)
{
	WAIT_FOR(w, came(w));
	if (!text_starts(w->packet, start))
		fail_msg("wanted %s, not %s", start, w->packet);
}

static bool
is_accepted(struct world *w)
{
	w->link = accept4(w->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	return w->link >= 0;
}

/* "key value" of the last packet. */
static void
value(const struct world *w, const char *key, char *out, size_t room)
{
	char start[32];
	const char *at;

	(void)snprintf(start, sizeof(start), "\n%s ", key);
	at = strstr(w->packet, start);
	assert_non_null(at);
	at += strlen(start);
	(void)snprintf(out, room, "%.*s", (int)strcspn(at, "\n"), at);
}

static void
check_signature(const struct world *w, const char *kind, const char *challenge)
{
	const struct order_bytes order = { .kind = kind,
		.agent = "acme",
		.capability = "restart-web",
		.run = 12,
		.manifest = MANIFEST,
		.challenge = challenge };
	uint8_t bytes[ORDER_BYTES_MAX], signature[CRYPTO_ED25519_SIGNATURE];
	size_t size = order_bytes_write(&order, bytes);
	char hex[256];

	value(w, "signature", hex, sizeof(hex));
	assert_true(text_unhex(signature, sizeof(signature), hex, strlen(hex)));
	value(w, "challenge", hex, sizeof(hex));
	assert_string_equal(hex, challenge);
	assert_int_equal(crypto_ed25519_verify(w->public, bytes, size, signature), CRYPTO_PROVEN);
}

static struct known_peers *
known_acme(const char *list)
{
	struct known_peers *known = known_peers_new(1);
	struct peer peer = { .identity = ACME, .digest = UNIT };

	if (list != NULL)
		(void)fingerprint_digest(list, peer.manifest);
	known_peers_add(known, &peer);
	return known;
}

/* --- a world with one agent, which is connected --- */

static void
listen_there(struct world *w)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	assert_true(text_copy(address.sun_path, sizeof(address.sun_path), w->path));
	w->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(w->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(w->listener, 4), 0);
}

static int
begin(void **state)
{
	struct world *w = mem_new(1, sizeof(*w));
	char public[CRYPTO_SHA256_HEX];
	struct err err;

	*state = w;
	(void)text_copy(w->folder, sizeof(w->folder), "/tmp/deploybot-agents-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	(void)snprintf(w->path, sizeof(w->path), "%s/link.sock", w->folder);
	(void)text_copy(w->manifest, sizeof(w->manifest), "?");
	(void)text_copy(w->renewal, sizeof(w->renewal), "?");
	w->loop = loop_new(&err);
	loop_timer_init(&w->tick, on_tick, w); /* a socket of the test's wakes no loop */
	loop_timer_start(w->loop, &w->tick, 1, 1);
	assert_true(crypto_ca_make_order_key(w->key, &err));
	assert_true(crypto_ca_order_public(w->key, public, &err));
	assert_true(text_unhex(w->public, sizeof(w->public), public, strlen(public)));
	w->agents = agents_new(
	    &(struct agents_config){ w->loop, w->path, w->key, on_said, on_runner, w }, &err);
	assert_non_null(w->agents);
	agents_join(w->agents, &(struct agent_link_runs){ on_message, on_ready, on_down, w });
	link_client_on_enrol(agents_link(w->agents), submit, w);
	listen_there(w);
	assert_null(agents_seen(w->agents));
	agents_take_peers(w->agents, known_acme(NULL));
	WAIT_FOR(w, is_accepted(w));
	expect(w, "link 0\nlist\n");
	send_packet(w, "link 0", "here " ACME " " UNIT " 1767225600 0.2.0 192.0.2.1:1\n");
	expect(w, ACME " 1\nhello\nversion 3\n");
	return 0;
}

static int
end(void **state)
{
	struct world *w = *state;

	agents_free(w->agents);
	loop_timer_stop(&w->tick);
	loop_free(w->loop);
	close(w->link);
	close(w->listener);
	(void)unlink(w->path);
	(void)rmdir(w->folder);
	free(w);
	return 0;
}

#define AGENTS_TEST(name) TEST_OF(name, struct world *w, begin, end)

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
	send_packet(w, "link 0", "here " ACME " " UNIT " 1767225600 0.2.0 192.0.2.1:1\n");
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
	send_packet(w, "link 0", "here " ACME " " UNIT " 1767225600 0.2.0 192.0.2.1:1\n");
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
	send_packet(w, "link 0", "here " ACME " " UNIT " 1767225600 0.2.0 192.0.2.1:1\n");
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
	send_packet(w, "link 0", "here " ACME " " NEXT " 1767225600 0.2.0 192.0.2.1:1\n");
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
	assert_true(seen.clock_ahead_s < 0); /* that of the test was set long ago */
	before = agents_seen_ref(agents_seen(w->agents));
	send_packet(w, "link 0", "gone " ACME " it has hung up\n");
	WAIT_FOR(w, w->down == 1);
	seen = agents_seen_of(agents_seen(w->agents), ACME);
	assert_int_equal(seen.state, AGENT_GONE);
	assert_true(clock_wall_ms() - seen.gone_at < PATIENCE_MS);
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

AGENTS_TEST(without_link_nobody_is_connected)
{
	greet(w);
	assert_int_equal(agents_seen(w->agents)->link_gone_at, 0);
	close(w->link);
	WAIT_FOR(w, w->down == 1);
	assert_int_equal(agents_seen_of(agents_seen(w->agents), ACME).state, AGENT_GONE);
	assert_true(agents_seen(w->agents)->link_gone_at != 0);
	WAIT_FOR(w, is_accepted(w));
}

/* --- a remote runner --- */

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
