/* link_serve.c - the server's side: hosts connect, each is checked, and its packets go to the server.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "link/link_serve.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/clock.h"
#include "lib/err.h"
#include "lib/http_listen.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "lib/version.h"
#include "link/link_calls.h"
#include "link/link_channel.h"
#include "link/link_known.h"
#include "link/link_listen.h"
#include "link/link_socket.h"

#define NAMES	 4096
#define FILES	 16384 /* descriptors */
#define SHAKING	 8     /* of so many descriptors one is for handshakes */
#define RIVAL_MS 5000  /* who has a rival answers within */
#define KNOWN_MS 60000 /* an answer of the server's is kept for */
/* Bytes that wait for the server.  Beyond it no host is read that sends something, until half of
 * that is gone: many hosts within their credit would else fill what one socket may have. */
#define BEHIND 1048576

enum peer_state { SHAKES, ASKS, GREETS, HERE, ENROLS, ENROLLED };

struct peer {
	struct link_tls tls;
	struct link_serve *serve;
	TAILQ_ENTRY(peer) next;
	SLIST_ENTRY(peer) of_name;
	TAILQ_ENTRY(peer) of_paused;
	struct link_channels channels;
	struct link_identity who;
	enum peer_state state;
	int64_t request;  /* ASKS, ENROLS; 0: it has not sent its packet yet */
	int64_t ahead_s;  /* of its wall clock before ours, as hello said it */
	int64_t rival_at; /* monotonic; 0: none */
	bool may_renew;	  /* it was asked, and has not answered */
	bool is_paused;	  /* it has something to say, and the server is behind */
	char version[64];
	char address[HTTP_LISTEN_PEER_SIZE];
	char rival[HTTP_LISTEN_PEER_SIZE];
};

TAILQ_HEAD(peers, peer);

struct link_serve {
	struct link_poll poll;
	const struct link_settings *settings;
	struct ssl_ctx_st *context;
	struct link_listen listen;
	struct link_calls calls;
	struct link_socket *server; /* NULL: it is not connected */
	struct peers shaking, here, paused;
	size_t shaking_count, shaking_max; /* handshakes at once: of more the oldest gives way */
	SLIST_HEAD(peer_names, peer) names[NAMES];
	struct link_known_table known;
	int64_t request;
};

static void on_open(struct link_tls *tls, const struct link_identity *who);
static void on_frame(struct link_tls *tls, const struct link_frame *frame);
static void on_end(struct link_tls *tls, const char *why);
static bool may_read(struct link_tls *tls);
static void on_server_packet(struct link_socket *local, const char *packet, size_t size);
static void on_server_sent(struct link_socket *local, void *token, size_t size);
static void on_server_lost(struct link_socket *local, const char *why);

static const struct link_tls_events tls_events = { on_open, on_frame, on_end, may_read };
static const struct link_socket_events server_events = { on_server_packet, on_server_sent,
	on_server_lost };

static struct peer *
peer_of(struct link_tls *tls)
{
	return (struct peer *)tls;
}

/* A word to the server, as one line. */
#define say(serve, ...) link_socket_say((serve)->server, "link 0\n", __VA_ARGS__)

static void
say_here(struct peer *peer)
{
	say(peer->serve, "here %s %s %" PRId64 " %s %s\n", peer->who.name, peer->who.digest,
	    clock_wall_ms() / 1000 + peer->ahead_s, peer->version, peer->address);
}

static void
pass_on(struct peer *peer, uint32_t channel, const char *packet, size_t size, void *token)
{
	char head[LINK_NAME + 16];

	(void)snprintf(head, sizeof(head), "%s %u\n", peer->who.name, channel); /* fits */
	link_socket_send(peer->serve->server, head, packet, size, token);
}

/* --- who is here --- */

static size_t
hash(const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name != '\0'; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619u;
	return hash % NAMES;
}

static struct peer *
find(struct link_serve *serve, const char *name)
{
	struct peer *peer;

	SLIST_FOREACH(peer, &serve->names[hash(name)], of_name)
	if (strcmp(peer->who.name, name) == 0)
		break;
	return peer;
}

/* Says why, to the peer and in the log. */
static void PRINTF(2, 3) refuse(struct peer *peer, const char *fmt, ...)
{
	struct link_word word = { .kind = LINK_CLOSE };
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(word.text, sizeof(word.text), fmt, args);
	va_end(args);
	link_tls_say(&peer->tls, &word);
	link_tls_end(&peer->tls, "%s", word.text);
}

/* Two hosts with one key, or one whose old connection is dead: the old one is asked. */
static void
meet_rival(struct peer *old, struct peer *rival)
{
	if (old->rival_at == 0) {
		(void)text_copy(old->rival, sizeof(old->rival), rival->address);
		old->rival_at = clock_monotonic_ms();
		link_tls_say(&old->tls, &(struct link_word){ .kind = LINK_PING });
	}
	refuse(rival, "%s is connected with this key, from %s", old->who.name, old->address);
}

/* Of two that are there; what came before it proves nothing. */
static void
on_pong(struct peer *peer)
{
	if (peer->rival_at == 0)
		return;
	log_warning("%s: two hosts have one key: %s is connected, %s was refused", peer->who.name,
	    peer->address, peer->rival);
	say(peer->serve, "twice %s %s %s\n", peer->who.name, peer->address, peer->rival);
	peer->rival_at = 0;
}

static void
look_at_rival(struct peer *peer, int64_t now)
{
	if (peer->rival_at == 0)
		return;
	if (peer->is_paused)
		peer->rival_at = now; /* its answer could not be read */
	else if (now - peer->rival_at >= RIVAL_MS)
		link_tls_end(
		    &peer->tls, "it does not answer, and connects anew from %s", peer->rival);
}

static void
arrive(struct peer *peer, const struct link_word *hello)
{
	struct link_serve *serve = peer->serve;
	struct peer *old = find(serve, peer->who.name);
	struct link_word answer = {
		.kind = LINK_HELLO, .name = "server", .at = clock_wall_ms() / 1000
	};

	if (old != NULL && strcmp(old->who.digest, peer->who.digest) == 0) {
		meet_rival(old, peer);
		return;
	}
	if (old != NULL)
		link_tls_end(
		    &old->tls, "it has connected with another key, from %s", peer->address);
	peer->ahead_s = hello->at - clock_wall_ms() / 1000;
	(void)text_copy(peer->version, sizeof(peer->version), hello->version);
	TAILQ_REMOVE(&serve->shaking, peer, next);
	serve->shaking_count--;
	TAILQ_INSERT_TAIL(&serve->here, peer, next);
	SLIST_INSERT_HEAD(&serve->names[hash(peer->who.name)], peer, of_name);
	peer->state = HERE;
	link_tls_ready(&peer->tls);
	(void)text_copy(answer.version, sizeof(answer.version), version_text);
	link_tls_say(&peer->tls, &answer);
	log_info(
	    "%s is connected from %s, version %s", peer->who.name, peer->address, peer->version);
	say_here(peer);
}

static void
greet(struct peer *peer)
{
	peer->state = GREETS;
	link_tls_hold(&peer->tls, false);
}

static void
ask(struct peer *peer)
{
	peer->state = ASKS;
	peer->request = ++peer->serve->request;
	link_tls_hold(&peer->tls, true);
	say(peer->serve, "check %s %s %" PRId64 "\n", peer->who.name, peer->who.digest,
	    peer->request);
}

static void
on_open(struct link_tls *tls, const struct link_identity *who)
{
	struct peer *peer = peer_of(tls);
	const struct link_known *known;
	bool is_new;

	peer->who = *who;
	if (tls->enrols) {
		peer->state = ENROLS;
		return;
	}
	if (strchr(who->name, '/') == NULL) {
		refuse(peer,
		    who->name[0] == '\0' ? "its certificate does not name an agent or a runner" :
					   "it shows a certificate of a server");
		return;
	}
	known = link_known_of(&peer->serve->known, who);
	is_new = known->at != 0 && clock_monotonic_ms() - known->at < KNOWN_MS;
	if (is_new && !known->yes)
		refuse(peer, "the server has refused this certificate less than a minute ago");
	else if (known->yes && (is_new || peer->serve->server == NULL))
		greet(peer);
	else if (peer->serve->server != NULL)
		ask(peer);
	else
		refuse(peer, "deploybot is not connected, and this certificate is not known yet");
}

/* --- what hosts send --- */

static void
hear_word(struct peer *peer, const struct link_word *word)
{
	char packet[LINK_WORD_MAX];

	if (!link_channels_hear(&peer->channels, word))
		return;
	if (word->kind == LINK_PONG) {
		on_pong(peer);
	} else if (word->kind == LINK_HELLO && strcmp(word->name, peer->who.name) == 0) {
		arrive(peer, word);
	} else if (word->kind == LINK_HELLO) {
		refuse(peer, "no hello of %s", peer->who.name);
	} else if (word->kind == LINK_CLOSE || peer->may_renew) {
		peer->may_renew &= word->kind == LINK_CLOSE;
		if (peer->serve->server != NULL && word->channel < LINK_CALLS_FROM)
			pass_on(peer, 0, packet, link_word_write(word, packet), NULL);
	}
}

/* Its one packet goes to the server, which answers. */
static void
enrol(struct peer *peer, const struct link_frame *frame)
{
	static const char no[] = "no deploybot is disconnected from its link\n";
	struct link_serve *serve = peer->serve;
	char head[HTTP_LISTEN_PEER_SIZE + 48];

	if (peer->request != 0 || frame->channel != 0) {
		link_tls_end(&peer->tls, "more than one packet of who enrols, or one of channel %u",
		    frame->channel);
	} else if (serve->server == NULL) {
		link_tls_send(&peer->tls, 0, no, strlen(no));
		link_tls_end(&peer->tls, "deploybot is disconnected from its link");
	} else {
		peer->request = ++serve->request;
		(void)snprintf(head, sizeof(head), "link 0\nenrol %" PRId64 " %s\n", peer->request,
		    peer->address); /* fits */
		link_socket_send(serve->server, head, frame->packet, frame->size, NULL);
	}
}

static void
on_frame(struct link_tls *tls, const struct link_frame *frame)
{
	struct peer *peer = peer_of(tls);
	struct link_channel *channel;
	struct link_word word;
	struct err err;

	if (peer->state >= ENROLS) {
		enrol(peer, frame);
	} else if (frame->channel == 0) {
		if (link_word_read(frame->packet, frame->size, LINK_OF_HOST, &word, &err))
			hear_word(peer, &word);
		else
			refuse(peer, "%s", err.text);
	} else if (peer->state != HERE) {
		refuse(peer, "a packet before hello");
	} else if ((channel = link_channels_came(&peer->channels, frame)) != NULL) {
		if (channel->number >= LINK_CALLS_FROM)
			link_calls_answer(channel, frame);
		else if (peer->serve->server != NULL)
			pass_on(peer, frame->channel, frame->packet, frame->size, channel);
		else
			link_channel_passed(channel, frame->size);
	}
}

/* --- a server that is behind --- */

static void
resume(struct peer *peer)
{
	if (!peer->is_paused)
		return;
	TAILQ_REMOVE(&peer->serve->paused, peer, of_paused);
	peer->is_paused = false;
	link_tls_hold(&peer->tls, false);
}

/* In the order in which they were paused, so that each has its turn. */
static void
resume_all(struct link_serve *serve)
{
	while (!TAILQ_EMPTY(&serve->paused))
		resume(TAILQ_FIRST(&serve->paused));
}

static bool
may_read(struct link_tls *tls)
{
	struct peer *peer = peer_of(tls);
	struct link_serve *serve = peer->serve;

	if (serve->server == NULL ||
	    (serve->server->out.size <= BEHIND && TAILQ_EMPTY(&serve->paused)))
		return true;
	peer->is_paused = true;
	TAILQ_INSERT_TAIL(&serve->paused, peer, of_paused);
	link_tls_hold(tls, true);
	return false;
}

static void
on_server_sent(struct link_socket *local, void *token, size_t size)
{
	if (token != NULL)
		link_channel_passed(token, size);
	if (local->out.size <= BEHIND / 2)
		resume_all(local->watch.ctx);
}

/* --- who ends --- */

static void
on_end(struct link_tls *tls, const char *why)
{
	struct peer *peer = peer_of(tls);
	struct link_serve *serve = peer->serve;

	resume(peer);
	if (peer->state == HERE) {
		TAILQ_REMOVE(&serve->here, peer, next);
		SLIST_REMOVE(&serve->names[hash(peer->who.name)], peer, peer, of_name);
		log_info("%s is disconnected (%s): %s", peer->who.name, peer->address, why);
		say(serve, "gone %s %s\n", peer->who.name, why);
		return;
	}
	TAILQ_REMOVE(&serve->shaking, peer, next);
	serve->shaking_count--;
	if (peer->state == ENROLLED)
		log_info("%s has asked to enrol, and was answered", peer->address);
	else
		log_warning("refused %s%s%s: %s", peer->address,
		    peer->who.name[0] == '\0' ? "" : ", ", peer->who.name, why);
}

static void
on_peer_over(struct link_watch *watch, UNUSED uint32_t events)
{
	struct peer *peer = (struct peer *)watch;

	link_listen_again(&peer->serve->listen);
	link_channels_done(&peer->channels);
	free(peer);
}

static void
on_channel_close(struct link_channel *channel)
{
	const struct link_serve *serve = peer_of(channel->of->tls)->serve;

	link_calls_over(channel);
	if (serve->server != NULL)
		link_packets_forget(&serve->server->out, channel);
}

/* --- what the server sends --- */

/* open and close of a channel, and renew; all else is not for hosts. */
static void
pass_word(struct peer *peer, const char *packet, size_t size)
{
	char answer[LINK_WORD_MAX];
	struct link_channel *channel;
	struct link_word word;
	struct err err;

	if (!link_word_read(packet, size, LINK_OF_SERVER, &word, &err) ||
	    (word.kind != LINK_OPEN && word.kind != LINK_CLOSE && word.kind != LINK_RENEW)) {
		log_error("%s: the server sent a word that is not for hosts", peer->who.name);
		return;
	}
	if (word.kind == LINK_RENEW)
		peer->may_renew = word.renewal[0] == '\0';
	if (word.kind == LINK_RENEW ||
	    (word.kind == LINK_OPEN && link_channels_add(&peer->channels, word.channel) != NULL)) {
		link_tls_say(&peer->tls, &word);
		return;
	}
	channel = link_channels_find(&peer->channels, word.channel);
	if (word.kind == LINK_CLOSE && word.channel == 0)
		refuse(peer, "%s", word.text);
	else if (word.kind == LINK_CLOSE && channel != NULL)
		link_channel_close(channel, word.text);
	else if (word.kind == LINK_OPEN) {
		word.kind = LINK_CLOSE;
		(void)text_copy(word.text, sizeof(word.text), "it is open, or there are too many");
		log_error("%s: channel %" PRId64 ": %s", peer->who.name, word.channel, word.text);
		pass_on(peer, 0, answer, link_word_write(&word, answer), NULL);
	}
}

/* Who waits for the answer to that. */
static struct peer *
find_request(struct link_serve *serve, enum peer_state state, int64_t request)
{
	struct peer *peer;

	TAILQ_FOREACH(peer, &serve->shaking, next)
	if (peer->state == state && peer->request == request)
		break;
	return peer;
}

static void
hear_checked(struct link_serve *serve, int64_t request, bool yes, const char *why)
{
	struct peer *peer = find_request(serve, ASKS, request);

	if (peer == NULL)
		return;
	link_known_set(&serve->known, &peer->who, yes);
	if (yes)
		greet(peer);
	else
		refuse(peer, "the server refuses this certificate: %s", why);
}

/* What stands behind the newline goes to the host as it is, which closes the connection. */
static void
hear_enrolled(struct link_serve *serve, int64_t request, const char *packet, size_t size)
{
	struct peer *peer = find_request(serve, ENROLS, request);

	if (peer == NULL || size == 0)
		return;
	peer->state = ENROLLED;
	link_tls_send(&peer->tls, 0, packet + 1, size - 1);
}

static void
hear_known(struct link_serve *serve, const char *name, const char *digest, bool yes)
{
	struct peer *peer = yes ? NULL : find(serve, name), *next;
	struct link_identity who = { 0 };

	if (!text_copy(who.name, sizeof(who.name), name) ||
	    !text_copy(who.digest, sizeof(who.digest), digest))
		return;
	link_known_set(&serve->known, &who, yes);
	if (peer != NULL && strcmp(peer->who.digest, digest) == 0)
		refuse(peer, "its certificate is revoked");
	for (peer = yes ? NULL : TAILQ_FIRST(&serve->shaking); peer != NULL; peer = next) {
		next = TAILQ_NEXT(peer, next);
		if (peer->state == GREETS && memcmp(&peer->who, &who, sizeof(who)) == 0)
			refuse(peer, "its certificate is revoked");
	}
}

/* list; cut or let NAME DIGEST; checked REQUEST yes|no why; enrolled REQUEST, and an answer */
static void
hear_server(struct link_serve *serve, char *rest, const char *packet, size_t size)
{
	const char *kind = strsep(&rest, " ");
	const char *first = strsep(&rest, " ");
	const char *second = strsep(&rest, " ");
	int64_t request = 0;
	bool answers = text_to_i64(first == NULL ? "" : first, 0, INT64_MAX, &request, NULL);
	struct peer *peer;

	if (strcmp(kind, "list") == 0) {
		TAILQ_FOREACH(peer, &serve->here, next)
		{
			say_here(peer);
		}
	} else if ((strcmp(kind, "cut") == 0 || strcmp(kind, "let") == 0) && second != NULL) {
		hear_known(serve, first, second, strcmp(kind, "let") == 0);
	} else if (strcmp(kind, "checked") == 0 && second != NULL && answers) {
		hear_checked(serve, request, strcmp(second, "yes") == 0, rest == NULL ? "" : rest);
	} else if (strcmp(kind, "enrolled") == 0 && answers) {
		hear_enrolled(serve, request, packet, size);
	} else {
		log_error("the server sent a word that is not known");
	}
}

static void
on_server_packet(struct link_socket *local, const char *packet, size_t size)
{
	struct link_serve *serve = local->watch.ctx;
	const char *end = memchr(packet, '\n', size);
	char text[LINK_TEXT * 2];
	struct link_channel *channel;
	struct peer *peer;
	char *rest = text;
	const char *name;
	int64_t number;

	(void)snprintf(text, sizeof(text), "%.*s", end == NULL ? 0 : (int)(end - packet), packet);
	name = strsep(&rest, " ");
	size -= end == NULL ? 0 : (size_t)(end + 1 - packet);
	if (end == NULL || rest == NULL || !text_to_i64(rest, 0, UINT32_MAX, &number, NULL) ||
	    size == 0 || size > PROTOCOL_PACKET_MAX) {
		log_error(
		    "the server sent a packet of a wrong size, or without a name and a channel");
		return;
	}
	packet = end + 1;
	peer = find(serve, name);
	if (strcmp(name, "link") == 0) {
		end = memchr(packet, '\n', size - 1); /* something stands behind it, or none */
		(void)snprintf(text, sizeof(text), "%.*s", (int)size, packet);
		text[strcspn(text, "\n")] = '\0';
		hear_server(serve, text, end, end == NULL ? 0 : size - (size_t)(end - packet));
	} else if (peer == NULL) {
		say(serve, "gone %s it is not connected\n", name);
	} else if (number == 0) {
		pass_word(peer, packet, size);
	} else if ((channel = link_channels_find(&peer->channels, number)) != NULL &&
	    !link_channel_send(channel, packet, size)) {
		link_tls_end(&peer->tls, "channel %u: it takes nothing", channel->number);
	}
}

static void
on_server_lost(struct link_socket *local, const char *why)
{
	struct link_serve *serve = local->watch.ctx;
	struct peer *peer, *next;

	log_info("deploybot is disconnected: %s", why);
	serve->server = NULL;
	resume_all(serve);
	for (peer = TAILQ_FIRST(&serve->here); peer != NULL; peer = next) {
		next = TAILQ_NEXT(peer, next);
		/* Its runs' sockets are closed on the hosts, as they are when a server ends. */
		link_channels_close(&peer->channels, "deploybot is disconnected from its link");
	}
}

/* --- who connects --- */

static void
on_server_connect(struct link_watch *watch, UNUSED uint32_t events)
{
	struct link_serve *serve = watch->ctx;
	struct sockaddr_storage from;
	int fd = link_listen_take(&serve->listen, watch, &from);

	if (fd == -1)
		return;
	if (serve->server != NULL) {
		link_socket_end(serve->server);
		on_server_lost(serve->server, "another process of it has connected");
	}
	serve->server = link_socket_new(&serve->poll, fd, &server_events, serve);
	log_info("deploybot is connected");
}

static void
on_connect(struct link_watch *watch, UNUSED uint32_t events)
{
	struct link_serve *serve = watch->ctx;
	struct sockaddr_storage from;
	int fd = link_listen_take(&serve->listen, watch, &from);
	struct peer *peer;
	const int on = 1;

	if (fd == -1)
		return;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* else it is slower */
	if (serve->shaking_count == serve->shaking_max)
		link_tls_end(&TAILQ_FIRST(&serve->shaking)->tls, "more than %zu handshakes at once",
		    serve->shaking_max);
	peer = mem_new(1, sizeof(*peer));
	peer->serve = serve;
	peer->channels.on_close = on_channel_close;
	link_channels_init(&peer->channels, &peer->tls);
	(void)http_listen_peer((const void *)&from, peer->address);
	TAILQ_INSERT_TAIL(&serve->shaking, peer, next);
	serve->shaking_count++;
	peer->tls.on = &tls_events;
	peer->tls.watch.on_over = on_peer_over;
	link_tls_start(&peer->tls, &serve->poll, fd, serve->context, NULL);
}

static struct link_channels *
channels_of(void *ctx, const char *name)
{
	struct peer *peer = find(ctx, name);

	return peer == NULL ? NULL : &peer->channels;
}

static void
look_at(struct link_serve *serve, struct peers *peers, int64_t now)
{
	struct peer *next;

	for (struct peer *peer = TAILQ_FIRST(peers); peer != NULL; peer = next) {
		next = TAILQ_NEXT(peer, next);
		link_tls_second(&peer->tls, now, serve->settings->heartbeat_s * 1600);
		if (peer->tls.watch.fd != -1)
			look_at_rival(peer, now);
	}
}

static void
on_second(void *ctx)
{
	struct link_serve *serve = ctx;
	int64_t now = clock_monotonic_ms();

	look_at(serve, &serve->shaking, now);
	look_at(serve, &serve->here, now);
	link_listen_again(&serve->listen);
}

bool
link_serve(const struct link_settings *settings, struct ssl_ctx_st *context, struct err *err)
{
	static struct link_serve one; /* it lives as long as the program */
	struct link_serve *serve = &one;

	serve->listen = (struct link_listen){
		.on_host = on_connect, .on_server = on_server_connect, .ctx = serve
	};
	serve->shaking_max = link_listen_files(FILES) / SHAKING + 1;
	serve->settings = settings;
	serve->context = context;
	serve->request = clock_wall_ms() * 1000; /* numbers of before are nobody's */
	TAILQ_INIT(&serve->shaking);
	TAILQ_INIT(&serve->here);
	TAILQ_INIT(&serve->paused);
	if (!link_poll_init(&serve->poll, err) ||
	    !link_listen_open(&serve->listen, &serve->poll, settings, err))
		return false;
	serve->calls.listen = &serve->listen;
	link_calls_open(&serve->calls, &serve->poll, settings->calls, channels_of, serve);
	log_info("listening on %s", settings->address);
	for (;;)
		link_poll_turn(&serve->poll, on_second, serve);
}
