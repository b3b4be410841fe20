/* agents_world.h - agents and remote runners behind a deploybot-link that a test plays.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "runs/agents.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/fingerprint.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/packet_socket.h"
#include "lib/text.h"
#include "runs/link_client.h"
#include "runs/supervisor_link.h"
#include "types/effect.h"
#include "unit.h"

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

static inline void
on_said(void *ctx, enum event_kind kind, const char *identity, const char *list)
{
	struct world *w = ctx;

	assert_string_equal(identity, ACME);
	assert_true(text_copy(
	    kind == EVENT_PEER_RENEWAL ? w->renewal : w->manifest, sizeof(w->manifest), list));
}

static inline bool
submit(void *ctx, struct event *event)
{
	struct world *w = ctx;

	assert_int_equal(event->kind, EVENT_PEER_SEEN);
	assert_string_equal(event->u.peer.identity, ACME);
	assert_true(text_copy(w->seen, sizeof(w->seen), event->u.peer.text));
	event_free(event);
	return true;
}

static inline void
on_runner(void *ctx, const char *runner, bool is_connected, uint64_t highest)
{
	struct world *w = ctx;

	(void)snprintf(w->runner, sizeof(w->runner), "%s %s%s%.0d", runner,
	    is_connected ? "here" : "gone", highest == 0 ? "" : " ", (int)highest);
}

static inline void
on_message(void *ctx, const struct agent_link *agent, const struct protocol_message *message)
{
	struct world *w = ctx;

	assert_string_equal(agent_link_identity(agent), w->who == NULL ? ACME : w->who);
	w->message = *message;
	w->messages++;
}

static inline void
on_ready(void *ctx)
{
	((struct world *)ctx)->ready++;
}

static inline void
on_down(void *ctx, UNUSED const struct agent_link *agent)
{
	((struct world *)ctx)->down++;
}

static inline void
on_tick(UNUSED struct loop_timer *timer, UNUSED void *ctx)
{
}

/* --- what link sends and gets --- */

static inline void
send_packet(const struct world *w, const char *head, const char *body)
{
	char packet[4096];
	int n = snprintf(packet, sizeof(packet), "%s\n%s", head, body);

	assert_int_equal(send(w->link, packet, (size_t)n, 0), n);
}

/* Its host has connected, with that key, and a clock that is right. */
static inline void
say_here(const struct world *w, const char *key)
{
	char head[160];

	(void)snprintf(head, sizeof(head), "here " ACME " %s %" PRId64 " 0.2.0 192.0.2.1:1\n", key,
	    clock_wall_ms() / 1000);
	send_packet(w, "link 0", head);
}

static inline bool
came(struct world *w)
{
	ssize_t n = recv(w->link, w->packet, sizeof(w->packet) - 1, MSG_DONTWAIT);

	if (n > 0)
		w->packet[n] = '\0';
	return n > 0;
}

static inline void
expect(struct world *w, const char *start)
{
	WAIT_FOR(w, came(w));
	if (!text_starts(w->packet, start))
		fail_msg("wanted %s, not %s", start, w->packet);
}

static inline bool
is_accepted(struct world *w)
{
	w->link = accept4(w->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	return w->link >= 0;
}

/* "key value" of the last packet. */
static inline void
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

static inline void
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

static inline struct known_peers *
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

static inline void
listen_there(struct world *w)
{
	w->listener = packet_socket(w->path, true);
	assert_int_equal(listen(w->listener, 4), 0);
}

static int64_t world_silent_ms; /* 0: as in the server */

static inline int
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
	    &(struct agents_config){
		w->loop, w->path, w->key, on_said, on_runner, w, world_silent_ms, 0 },
	    &err);
	assert_non_null(w->agents);
	agents_join(w->agents, &(struct agent_link_runs){ on_message, on_ready, on_down, w });
	link_client_on_enrol(agents_link(w->agents), submit, w);
	listen_there(w);
	assert_null(agents_seen(w->agents));
	agents_take_peers(w->agents, known_acme(NULL));
	WAIT_FOR(w, is_accepted(w));
	expect(w, "link 0\nlist\n");
	say_here(w, UNIT);
	expect(w, ACME " 1\nhello\nversion 5\n");
	return 0;
}

static inline int
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
