/* link_client.c - the connection to deploybot-link: who may connect there, and their packets.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "runs/link_client.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/bucket.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/packet_socket.h"
#include "lib/queue_list.h"
#include "lib/text.h"
#include "runner/protocol.h"
#include "types/event.h"
#include "types/peer_renewal.h"

#define AGAIN_FIRST_MS 100
#define AGAIN_MOST_MS  5000
#define TURN_MAX       64			   /* packets in one turn */
#define PACKET_MAX     (PROTOCOL_PACKET_MAX + 256) /* with a name and a channel before it */
#define ENROLLED_HEAD  48			   /* bytes of the line before an answer */
#define WAITING_MAX    (3 * (size_t)PEERS_MOST)	   /* words; link takes all at once else */
#define WAITING_SIZE   (16 * (size_t)1024 * 1024)  /* bytes of them */

struct word {
	struct queue_link link;
	size_t size;
	char text[];
};

struct link_client {
	struct loop *loop;
	struct link_client_watch watch;
	char *path;
	int fd; /* -1: there is none */
	struct loop_io io;
	struct loop_timer again;
	int64_t again_ms;
	char why_away[128];				/* as it was logged; "": nothing was */
	struct known_peers *peers;			/* one reference */
	struct queue_list waiting;			/* words that link did not take */
	size_t waiting_size;				/* bytes of them */
	bool (*submit)(void *ctx, struct event *event); /* of who enrols */
	void *submit_ctx;
	struct bucket enrolments, twices;
};

/* Whoever finds the port can ask, and each has a decision: in all so many. */
static const struct bucket_rate enrolment_rate = { .capacity = 10, .token_ms = 6000 };

static const struct bucket_rate twice_rate = { .capacity = 3, .token_ms = 600000 };
#define TWICE_MAX     100
#define ADDRESS_CHARS "0123456789abcdefABCDEF.:[] "

struct enrolment {
	struct link_client *client;
	int64_t request;
};

/* --- what is said --- */

static void
drop_waiting(struct link_client *client)
{
	struct queue_link *link;

	while ((link = queue_list_take(&client->waiting)) != NULL)
		free(QUEUE_ITEM(link, struct word, link));
	client->waiting_size = 0;
}

static void
lost(struct link_client *client, const char *why)
{
	bool was_there = client->fd >= 0;

	if (was_there) {
		loop_io_stop(&client->io);
		(void)close(client->fd); /* whatever it says, it is gone */
	}
	client->fd = -1;
	drop_waiting(client);
	if (was_there)
		client->watch.on_gone(client->watch.ctx, NULL);
	if (strcmp(client->why_away, why) != 0)
		log_error(
		    "deploybot-link at %s is disconnected: %s; retrying until it is connected",
		    client->path, why);
	(void)text_copy(client->why_away, sizeof(client->why_away), why); /* cut is fine */
	loop_timer_start(client->loop, &client->again, client->again_ms, 0);
	client->again_ms =
	    client->again_ms * 2 < AGAIN_MOST_MS ? client->again_ms * 2 : AGAIN_MOST_MS;
}

/* False: it is not taken now. */
static bool
send_now(struct link_client *client, const struct word *word)
{
	return send(client->fd, word->text, word->size, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 ||
	    (errno != EAGAIN && errno != ENOBUFS && errno != ENOMEM);
}

void
link_client_send(struct link_client *client, const char *identity, uint32_t channel,
    const char *packet, size_t size)
{
	char head[CRYPTO_CA_IDENTITY + 16];
	int n = snprintf(head, sizeof(head), "%s %" PRIu32 "\n", identity, channel);
	struct word *word;

	assert((size_t)n < sizeof(head));
	if (client->fd < 0)
		return;
	word = mem_new(1, sizeof(*word) + (size_t)n + size);
	word->size = (size_t)n + size;
	memcpy(word->text, head, (size_t)n);
	memcpy(word->text + n, packet, size);
	if (client->waiting.length == 0 && send_now(client, word)) {
		free(word);
		return;
	}
	queue_list_add(&client->waiting, &word->link);
	client->waiting_size += word->size;
	if (client->waiting.length > WAITING_MAX || client->waiting_size > WAITING_SIZE)
		(void)shutdown(client->fd, SHUT_RDWR); /* it takes nothing: on_socket() sees that */
	if (client->waiting.length == 1)
		loop_io_start(client->loop, &client->io, client->fd, LOOP_READ | LOOP_WRITE);
}

static void PRINTF(2, 3) say(struct link_client *client, const char *fmt, ...)
{
	char text[512];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	assert((size_t)n < sizeof(text)); /* hear() lets in no longer name or key */
	link_client_send(client, "link", 0, text, (size_t)n);
}

static void
flush(struct link_client *client)
{
	struct queue_link *link;

	while ((link = client->waiting.first) != NULL) {
		struct word *word = QUEUE_ITEM(link, struct word, link);

		if (!send_now(client, word))
			return;
		(void)queue_list_take(&client->waiting);
		client->waiting_size -= word->size;
		free(word);
	}
	loop_io_start(client->loop, &client->io, client->fd, LOOP_READ);
}

static void
cut(struct link_client *client, const char *identity, const char *digest, const char *why)
{
	log_warning("%s is cut off: %s", identity, why);
	say(client, "cut %s %s\n", identity, digest);
	client->watch.on_gone(client->watch.ctx, identity); /* whatever link does */
}

/* --- what is heard --- */

/* It is here by that key, which is good. */
static void
note_key(struct link_client *client, const char *identity, const char *digest)
{
	size_t i = known_peers_find(client->peers, identity);
	struct event *event;
	struct peer peer;

	if (i == known_peers_count(client->peers) ||
	    !peer_is_next(known_peers_get(client->peers, i, &peer), digest) ||
	    client->submit == NULL)
		return;
	event = event_new(EVENT_PEER_SEEN);
	(void)text_copy(event->u.peer.identity, sizeof(event->u.peer.identity), identity);
	(void)text_copy(event->u.peer.text, sizeof(event->u.peer.text), digest); /* fit */
	if (!client->submit(client->submit_ctx, event))
		event_free(event); /* it is seen again when it connects anew */
}

/* twice NAME ADDRESS OTHER: at each try of the second, and so said a few times alone. */
static void
hear_twice(struct link_client *client, const char *identity, const char *addresses)
{
	struct event *event;

	if (strlen(addresses) >= TWICE_MAX || addresses[strspn(addresses, ADDRESS_CHARS)] != '\0') {
		log_error("deploybot-link said addresses that are none");
		return;
	}
	log_error("%s: two hosts have one key: %s", identity, addresses);
	if (client->submit == NULL || !bucket_take(&client->twices, twice_rate, loop_now_ms(), 1))
		return;
	event = event_new(EVENT_PEER_TWICE);
	(void)text_copy(event->u.peer.identity, sizeof(event->u.peer.identity), identity);
	(void)text_copy(event->u.peer.text, sizeof(event->u.peer.text), addresses); /* fit */
	if (!client->submit(client->submit_ctx, event))
		event_free(event); /* it stands in the log */
}

/* check NAME DIGEST REQUEST */
static void
hear_check(struct link_client *client, const char *identity, char *rest)
{
	const char *digest = strsep(&rest, " ");
	const char *why;
	int64_t request;

	if (rest == NULL || !peer_is_digest(digest) ||
	    !text_to_i64(rest, 0, INT64_MAX, &request, NULL)) {
		log_error("deploybot-link: a check without a key or a number");
		return;
	}
	why = known_peers_fault(client->peers, identity, digest);
	say(client, "checked %" PRId64 " %s%s\n", request, why == NULL ? "yes" : "no ",
	    why == NULL ? "" : why);
	if (why != NULL)
		log_warning("refused %.80s with the key %.12s: %s", identity, digest, why);
	else
		note_key(client, identity, digest);
}

/* here NAME DIGEST AT VERSION ADDRESS: link has let it in, perhaps by what we said earlier. */
static void
hear_here(struct link_client *client, const char *identity, char *rest)
{
	const char *digest = strsep(&rest, " "), *at = rest == NULL ? NULL : strsep(&rest, " ");
	const char *version = rest == NULL ? "" : strsep(&rest, " ");
	const char *why = known_peers_fault(client->peers, identity, digest);
	int64_t clock_s;

	if (!peer_is_digest(digest))
		log_error("deploybot-link: a host without a key");
	else if (why != NULL)
		cut(client, identity, digest, why);
	else if (at == NULL || !text_to_i64(at, INT64_MIN, INT64_MAX, &clock_s, NULL))
		log_error("deploybot-link: a host without a clock");
	else {
		note_key(client, identity, digest);
		client->watch.on_here(client->watch.ctx, identity, clock_s, version);
	}
}

void
link_client_enrolled(struct link_client *client, int64_t request, const char *text)
{
	size_t size = strlen(text) + ENROLLED_HEAD;
	CLEANUP(freep) char *whole = mem_alloc(size);

	size = (size_t)snprintf(whole, size, "enrolled %" PRId64 "\n%s", request, text);
	link_client_send(client, "link", 0, whole, size);
}

/* A yes is answered with the certificate, when that is signed. */
static void
on_decided(void *ctx, const struct answer *answer)
{
	struct enrolment *enrolment = ctx;
	char text[LIMIT_LINE];

	(void)snprintf(text, sizeof(text), "no %s\n",
	    answer->text != NULL ?
		answer->text :
		"deploybot could not decide on that: try it again"); /* cut is fine */
	if (answer->status != 200)
		link_client_enrolled(enrolment->client, enrolment->request, text);
	free(enrolment);
}

/* enrol REQUEST ADDRESS, and what was sent, as a text: no request for a certificate has a NUL. */
static void
hear_enrol(struct link_client *client, int64_t request, const char *address, const char *text)
{
	struct event *event;
	struct enrolment *enrolment;

	if (!bucket_take(&client->enrolments, enrolment_rate, loop_now_ms(), 1)) {
		link_client_enrolled(client, request,
		    "no ten hosts have tried to enrol within a minute: try it again in one\n");
		return;
	}
	event = event_new(EVENT_ENROL);
	event->u.enrol = mem_new(1, sizeof(*event->u.enrol));
	event->u.enrol->request = request;
	(void)text_copy(event->u.enrol->address, sizeof(event->u.enrol->address), address);
	(void)text_copy(event->u.enrol->text, sizeof(event->u.enrol->text), text);
	enrolment = mem_new(1, sizeof(*enrolment));
	*enrolment = (struct enrolment){ client, request };
	event->done = on_decided;
	event->done_ctx = enrolment;
	if (client->submit(client->submit_ctx, event))
		return;
	on_decided(enrolment, &(struct answer){ .status = 503 });
	event_free(event);
}

/* A word of link itself. */
static void
hear_word(struct link_client *client, char *rest)
{
	const char *kind, *identity;
	char *body = rest;
	int64_t request;
	bool is_whole;

	rest = strsep(&body, "\n");
	kind = strsep(&rest, " ");
	identity = strsep(&rest, " ");
	is_whole = rest != NULL && strlen(identity) < CRYPTO_CA_IDENTITY;
	if (is_whole && strcmp(kind, "enrol") == 0 && body != NULL &&
	    strlen(body) <= ENROL_PACKET && text_to_i64(identity, 0, INT64_MAX, &request, NULL)) {
		hear_enrol(client, request, rest, body);
	} else if (is_whole && strcmp(kind, "check") == 0) {
		hear_check(client, identity, rest);
	} else if (is_whole && strcmp(kind, "here") == 0) {
		hear_here(client, identity, rest);
	} else if (is_whole && strcmp(kind, "twice") == 0) {
		hear_twice(client, identity, rest);
	} else if (is_whole && strcmp(kind, "gone") == 0) { /* link itself logs why */
		client->watch.on_gone(client->watch.ctx, identity);
	} else {
		log_error("deploybot-link said what is not known: %.40s", kind);
	}
}

/* NAME CHANNEL, and the packet behind that line. */
static void
hear(struct link_client *client, char *packet, size_t size)
{
	char *line_end = memchr(packet, '\n', size);
	char *number = memchr(packet, ' ', size);
	int64_t channel;

	if (line_end == NULL || number == NULL || number > line_end ||
	    number - packet >= CRYPTO_CA_IDENTITY) {
		log_error("deploybot-link: a packet without a name and a channel");
		return;
	}
	*line_end++ = '\0';
	*number++ = '\0';
	if (!text_to_i64(number, 0, UINT32_MAX, &channel, NULL))
		log_error("deploybot-link: a packet of no channel");
	else if (strcmp(packet, "link") == 0)
		hear_word(client, line_end);
	else
		client->watch.on_packet(client->watch.ctx, packet, (uint32_t)channel, line_end,
		    (size_t)(packet + size - line_end));
}

static void
on_socket(UNUSED struct loop_io *io, unsigned events, void *ctx)
{
	struct link_client *client = ctx;
	char packet[PACKET_MAX + 1];
	ssize_t size = 0;

	if ((events & LOOP_WRITE) != 0)
		flush(client);
	for (int n = 0; n < TURN_MAX; n++) {
		size = recv(client->fd, packet, PACKET_MAX, MSG_DONTWAIT);
		if (size <= 0)
			break;
		packet[size] = '\0';
		hear(client, packet, (size_t)size);
	}
	if (client->waiting.length > WAITING_MAX || client->waiting_size > WAITING_SIZE)
		lost(client, "it takes nothing");
	else if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR))
		lost(client, "it closed the connection");
}

/* --- the connection --- */

/* What link has of them may be a yes of before, which counts while we are stopped. */
static void
say_revoked(struct link_client *client)
{
	struct peer peer;

	for (size_t i = 0; i < known_peers_count(client->peers); i++) {
		if (known_peers_get(client->peers, i, &peer)->revoked_at == 0)
			continue;
		say(client, "cut %s %s\n", peer.identity, peer.digest);
		if (peer.next_digest[0] != '\0')
			say(client, "cut %s %s\n", peer.identity, peer.next_digest);
	}
}

static void
connect_now(struct link_client *client)
{
	client->fd = packet_socket(client->path, false);
	if (client->fd < 0) {
		lost(client, strerrordesc_np(errno));
		return;
	}
	client->again_ms = AGAIN_FIRST_MS;
	client->why_away[0] = '\0';
	loop_io_start(client->loop, &client->io, client->fd, LOOP_READ);
	log_info("deploybot-link at %s is connected", client->path);
	say(client, "list\n");
	say_revoked(client);
}

static void
on_again(UNUSED struct loop_timer *timer, void *ctx)
{
	connect_now(ctx);
}

struct link_client *
link_client_new(struct loop *loop, const char *path, const struct link_client_watch *watch)
{
	struct link_client *client = mem_new(1, sizeof(*client));

	client->loop = loop;
	client->watch = *watch;
	client->path = mem_text(path);
	client->fd = -1;
	client->again_ms = AGAIN_FIRST_MS;
	loop_io_init(&client->io, on_socket, client);
	loop_timer_init(&client->again, on_again, client);
	return client;
}

/* Of before, where that key has not the name any more.  Where the other one has it, it may be the
 * one that is connected. */
static void
cut_key(struct link_client *client, const struct peer *old, const char *digest)
{
	const char *why = known_peers_fault(client->peers, old->identity, digest);

	if (digest[0] == '\0' || why == NULL)
		return;
	if (known_peers_fault(client->peers, old->identity, old->digest) == NULL ||
	    known_peers_fault(client->peers, old->identity, old->next_digest) == NULL)
		say(client, "cut %s %s\n", old->identity, digest);
	else
		cut(client, old->identity, digest, why);
}

static void
cut_others(struct link_client *client, const struct known_peers *before)
{
	struct peer old;

	for (size_t i = 0; i < known_peers_count(before); i++) {
		if (known_peers_get(before, i, &old)->revoked_at != 0)
			continue;
		cut_key(client, &old, old.digest);
		cut_key(client, &old, old.next_digest);
	}
}

/* Link may have asked about them a moment ago. */
static void
let_new(struct link_client *client, const struct known_peers *before)
{
	struct peer peer;

	for (size_t i = 0; i < known_peers_count(client->peers); i++) {
		(void)known_peers_get(client->peers, i, &peer);
		if (peer.revoked_at == 0 &&
		    known_peers_fault(before, peer.identity, peer.digest) != NULL)
			say(client, "let %s %s\n", peer.identity, peer.digest);
	}
}

void
link_client_on_enrol(
    struct link_client *client, bool (*submit)(void *ctx, struct event *event), void *ctx)
{
	client->submit = submit;
	client->submit_ctx = ctx;
}

void
link_client_take_peers(struct link_client *client, struct known_peers *peers)
{
	struct known_peers *before = client->peers;
	bool is_first = before == NULL;

	client->peers = peers;
	if (client->fd >= 0 && !is_first) {
		cut_others(client, before);
		let_new(client, before);
	}
	known_peers_unref(before);
	if (is_first && client->path != NULL) /* before, nobody could have been answered */
		connect_now(client);
}

struct known_peers *
link_client_peers(const struct link_client *client)
{
	return client->peers;
}

bool
link_client_is_connected(const struct link_client *client)
{
	return client->fd >= 0;
}

void
link_client_free(struct link_client *client)
{
	if (client == NULL)
		return;
	loop_io_stop(&client->io);
	loop_timer_stop(&client->again);
	if (client->fd >= 0)
		(void)close(client->fd); /* nothing is to come from there */
	drop_waiting(client);
	known_peers_unref(client->peers);
	free(client->path);
	free(client);
}
