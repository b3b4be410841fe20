/* agent_link.c - one agent or remote runner: greeted, ordered one thing at a time, with proof.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "runs/agent_link.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/fingerprint.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "runs/link_client.h"
#include "types/peer_renewal.h"

#define AGAIN_FIRST_MS	 1000
#define AGAIN_MOST_MS	 60000
#define RENEWAL_FIRST_MS 1000
#define RENEWAL_EACH_MS	 60000

#define NO_RUN INT64_MAX

static const struct bucket_rate renewal_rate = { .capacity = 10, .token_ms = 500 };

/* Of one that has runs, or whose process is away: thousands have neither. */
struct busy {
	struct agent_link *agent;
	uint64_t exchange;			    /* the run that has its word; 0: none */
	unsigned asked;				    /* challenges that it has not answered */
	char challenge[PROTOCOL_CHALLENGE_HEX + 1]; /* for that run; "": none */
	int64_t again_ms;
	struct loop_timer again;    /* it is greeted anew */
	struct loop_timer gone;	    /* rows are to say so */
	struct loop_timer beat;	    /* whether it answers at all */
	struct agent_read question; /* for that: of no run that there is */
	bool is_silent;		    /* since the last time */
};

struct agent_link {
	const struct agent_link_world *world;
	struct agent_channels channels;
	struct busy *busy; /* NULL: it is not */
	struct agent_seen seen;
	unsigned follows;	 /* runs */
	unsigned greeted;	 /* hellos that it has not answered */
	int64_t look_at;	 /* monotonic ms: whether it is to be asked to renew */
	int64_t asked_at;	 /* the same: it was; 0: never */
	struct agent_feed *feed; /* of a remote runner; NULL: it is an agent */
	uint64_t highest;	 /* of its last hello, which was reported */
	bool is_runner;
	bool may_renew; /* it was, and has not answered */
	bool is_here;
	bool is_greeted;
	bool may_be_gone; /* rows may say so */
	char identity[];
};

/* --- what is said --- */

static bool
send_message(
    const struct agent_link *agent, const struct protocol_message *message, struct err *err)
{
	return agent_channels_send(&agent->channels, AGENT_CHANNEL_RUNNER, message, err);
}

static void
say(const struct agent_link *agent, const struct protocol_message *message)
{
	if (!send_message(agent, message, NULL))
		abort(); /* what has no text can always be said */
}

static void
greet(struct agent_link *agent)
{
	agent->greeted++;
	if (agent->feed != NULL)
		agent->feed->is_begun = false;
	say(agent,
	    &(struct protocol_message){ .kind = PROTOCOL_HELLO,
		.version = PROTOCOL_VERSION,
		.proof.epoch = agent->world->epoch });
}

static void
on_again(UNUSED struct loop_timer *timer, void *ctx)
{
	greet(((struct busy *)ctx)->agent);
}

static void disconnect(struct agent_link *agent, const char *why);

/* --- whether rows say that it is disconnected --- */

static void
say_runner(struct agent_link *agent, bool is_connected, uint64_t highest)
{
	char runner[LIMIT_RUNNER];

	agent->may_be_gone = !is_connected;
	agent->world->on_runner(
	    agent->world->ctx, peer_runner(agent->identity, runner), is_connected, highest);
}

static void
on_gone_long(UNUSED struct loop_timer *timer, void *ctx)
{
	say_runner(((struct busy *)ctx)->agent, false, 0);
}

/* --- whether it answers --- */

static void
on_beaten(UNUSED struct agent_read *question, UNUSED const struct protocol_message *nothing)
{
}

/* Its host answers link's pings also where its own process hangs, and others wait for that. */
static void
on_beat(UNUSED struct loop_timer *timer, void *ctx)
{
	struct busy *busy = ctx;
	struct agent_link *agent = busy->agent;

	if (agent->is_greeted && busy->is_silent) {
		log_warning("%s answers nothing: it is disconnected", agent->identity);
		disconnect(agent, "it answers nothing");
		return;
	}
	busy->is_silent = true;
	agent_reads_add(&agent->channels, &busy->question);
}

/* --- what those have that are busy --- */

static struct busy *
busy_of(struct agent_link *agent)
{
	struct busy *busy = agent->busy;

	if (busy != NULL)
		return busy;
	busy = agent->busy = mem_new(1, sizeof(*busy));
	busy->agent = agent;
	busy->again_ms = AGAIN_FIRST_MS;
	busy->question = (struct agent_read){ .run = NO_RUN, .on_piece = on_beaten };
	loop_timer_init(&busy->beat, on_beat, busy);
	loop_timer_start(
	    agent->world->loop, &busy->beat, agent->world->silent_ms, agent->world->silent_ms);
	loop_timer_init(&busy->again, on_again, busy);
	loop_timer_init(&busy->gone, on_gone_long, busy);
	return busy;
}

static void
free_busy(struct agent_link *agent)
{
	if (agent->busy == NULL)
		return;
	agent_reads_cancel(&agent->channels, &agent->busy->question);
	loop_timer_stop(&agent->busy->beat);
	loop_timer_stop(&agent->busy->again);
	loop_timer_stop(&agent->busy->gone);
	free(agent->busy);
	agent->busy = NULL;
}

/* --- what it is ordered --- */

bool
agent_link_sign(const struct agent_link *agent, struct order_bytes *order,
    struct protocol_proof *proof, struct err *err)
{
	return agent_channels_sign(&agent->channels, order, proof, err);
}

/* Signed for the challenge that is there. */
static bool
sign_run(const struct agent_link *agent, struct protocol_message *message, struct err *err)
{
	struct order_bytes order = { .kind = protocol_kind_name(PROTOCOL_RUN),
		.capability = message->argument,
		.run = message->id,
		.manifest = message->fingerprint };

	memcpy(message->proof.challenge, agent->busy->challenge, sizeof(message->proof.challenge));
	if (agent->is_runner) /* more than that is said to it */
		return agent_channels_prove(&agent->channels, message, err);
	return agent_link_sign(agent, &order, &message->proof, err);
}

static bool
may_order(const struct agent_link *agent)
{
	return agent->feed == NULL || (agent->feed->is_begun && agent->feed->is_over);
}

/* Whatever has become of those before: its script sees the newest of its own environment. */
static void
send_state_of(struct agent_link *agent, const struct protocol_message *run)
{
	char environment[ENVIRONMENT_ID_MAX];

	if (agent->feed != NULL)
		agent_feed_send(agent->feed,
		    environment_id_text(run->application, run->environment, environment));
}

enum packet_sent
agent_link_send(struct agent_link *agent, struct protocol_message *message, struct err *err)
{
	bool is_free = message->kind == PROTOCOL_GIT_QUERY || message->kind == PROTOCOL_PURGE;
	struct busy *busy = busy_of(agent);

	if (!agent->is_greeted ||
	    (!is_free && busy->exchange != 0 && busy->exchange != message->id))
		return PACKET_LATER;
	if (is_free) /* of a remote runner */
		return agent_channels_prove(&agent->channels, message, err) &&
			send_message(agent, message, err) ?
		    PACKET_SENT :
		    PACKET_REFUSED;
	if (message->kind == PROTOCOL_RUN && !may_order(agent))
		return PACKET_LATER;
	if (message->kind == PROTOCOL_RUN && busy->challenge[0] == '\0') {
		if (busy->exchange == 0) {
			busy->asked++;
			say(agent, &(struct protocol_message){ .kind = PROTOCOL_CHALLENGE });
		}
		busy->exchange = message->id;
		return PACKET_LATER;
	}
	if (message->kind == PROTOCOL_RUN)
		send_state_of(agent, message);
	if (message->kind == PROTOCOL_RUN && !may_order(agent))
		return PACKET_LATER; /* so many had changed that it could not be sent yet */
	if (message->kind == PROTOCOL_RUN && !sign_run(agent, message, err))
		return PACKET_REFUSED;
	if (!send_message(agent, message, err))
		return PACKET_REFUSED;
	busy->exchange = message->id;
	busy->challenge[0] = '\0';
	return PACKET_SENT;
}

void
agent_link_why(const struct agent_link *agent, char out[LIMIT_LINE])
{
	const char *name = strchr(agent->identity, '/') + 1;
	const struct known_peers *known = link_client_peers(agent->world->link);
	size_t at = known_peers_find(known, agent->identity);
	const char *link = link_client_is_connected(agent->world->link) ?
	    "" :
	    " is not reached: deploybot-link on the server itself";
	char since[TEXT_DURATION_SIZE], who[CRYPTO_CA_IDENTITY + 16];
	struct peer peer;

	(void)snprintf(who, sizeof(who), agent->is_runner ? "the runner %s" : "%s's agent", name);
	if (agent->is_here)
		(void)snprintf(out, LIMIT_LINE, "%s %s", who,
		    !agent->is_greeted	  ? "does not answer, though its host is connected" :
			!may_order(agent) ? "does not know yet what is live elsewhere" :
			agent->busy != NULL && agent->busy->exchange != 0 ? "does not answer" :
									    "is at another run");
	else if (at == known_peers_count(known))
		(void)snprintf(out, LIMIT_LINE, "%s is not enrolled", who);
	else if (known_peers_get(known, at, &peer)->revoked_at != 0)
		(void)snprintf(out, LIMIT_LINE, "%s was revoked", who);
	else if (agent->seen.refused_version != 0)
		(void)snprintf(out, LIMIT_LINE, "%s speaks another version of the protocol", who);
	else if (agent->seen.gone_at == 0)
		(void)snprintf(out, LIMIT_LINE, "%s%s is not connected", who, link);
	else
		(void)snprintf(out, LIMIT_LINE, "%s%s has been disconnected for %s", who, link,
		    text_duration(since, clock_wall_ms() - agent->seen.gone_at));
}

static void
note_runner(struct agent_link *agent)
{
	if (agent->busy == NULL && agent->follows == 0)
		return;
	if (agent->follows == 0 && (agent->is_greeted || !agent->is_here) &&
	    agent->busy->exchange == 0 && agent->busy->asked == 0) {
		free_busy(agent);
		return;
	}
	if (agent->is_greeted || agent->follows == 0)
		loop_timer_stop(&busy_of(agent)->gone);
	else if (!loop_timer_is_started(&busy_of(agent)->gone))
		loop_timer_start(agent->world->loop, &busy_of(agent)->gone, AGENT_LINK_GONE_MS, 0);
	if (agent->is_greeted && agent->follows > 0 && agent->may_be_gone)
		say_runner(agent, true, 0);
}

void
agent_link_follow(struct agent_link *agent, int64_t run, bool is_followed)
{
	agent->follows += is_followed ? 1U : -1U;
	if (!is_followed && agent->busy != NULL && agent->busy->exchange == (uint64_t)run) {
		agent->busy->exchange = 0; /* nobody waits for its answer */
		agent->busy->challenge[0] = '\0';
	}
	note_runner(agent);
}

/* --- what is heard --- */

/* Nothing that was said to it is answered. */
static void
down(struct agent_link *agent)
{
	agent_seen_end(&agent->seen, clock_wall_ms());
	agent->is_greeted = false;
	agent->greeted = 0;
	if (agent->feed != NULL)
		agent->feed->is_begun = false;
	if (agent->busy != NULL) {
		agent->busy->exchange = 0;
		agent->busy->asked = 0;
		agent->busy->challenge[0] = '\0';
		loop_timer_stop(&agent->busy->again);
	}
	agent_reads_end(&agent->channels);
	note_runner(agent);
	agent->world->runs.on_down(agent->world->runs.ctx, agent);
}

/* Its host connects anew after a while. */
static void
disconnect(struct agent_link *agent, const char *why)
{
	char word[128];
	int size = snprintf(word, sizeof(word), "close\nchannel 0\ntext %s\n", why);

	link_client_send(agent->world->link, agent->identity, 0, word, (size_t)size);
	agent_link_set(agent, NULL); /* what of it is on its way already counts for nothing */
}

static void
hang_up(struct agent_link *agent, const char *why)
{
	log_error("%s said what no agent says: %s: it is disconnected", agent->identity, why);
	disconnect(agent, "it said what no agent says");
}

/* It was upgraded before us, or was not yet: nobody has attacked. */
static void
refuse_version(struct agent_link *agent, unsigned version)
{
	agent->seen.refused_version = (uint8_t)(version > UINT8_MAX ? UINT8_MAX : version);
	log_warning(
	    "%s speaks version %u of the protocol, we speak %d: upgrade deploybot %s (docs/OPERATIONS.md, Upgrade)",
	    agent->identity, version, PROTOCOL_VERSION,
	    version < PROTOCOL_VERSION ? "there" : "here");
	disconnect(agent, "it speaks another version of the protocol: install the same");
}

/* The process there has ended, or there is none. */
static void
greet_later(struct agent_link *agent)
{
	struct busy *busy;

	down(agent);
	busy = busy_of(agent);
	loop_timer_start(agent->world->loop, &busy->again, busy->again_ms, 0);
	busy->again_ms = busy->again_ms * 2 < AGAIN_MOST_MS ? busy->again_ms * 2 : AGAIN_MOST_MS;
}

static void
take_manifest(const struct agent_link *agent, const struct protocol_manifest *manifest)
{
	const struct known_peers *known = link_client_peers(agent->world->link);
	size_t at = known_peers_find(known, agent->identity);
	struct peer peer;
	CLEANUP(buf_done) struct buf list = buf_make(LIMIT_MANIFEST);
	char digest[FINGERPRINT_DIGEST];

	for (size_t i = 0; i < manifest->count; i++)
		buf_addf(&list, "%s%s=%s", i == 0 ? "" : " ", manifest->all[i].name,
		    manifest->all[i].digest);
	static_assert(LIMIT_MANIFEST > PROTOCOL_CAPABILITIES_MAX *
		    (PROTOCOL_CAPABILITY + sizeof(manifest->all[0].digest) + 1),
	    "each manifest fits");
	if (at < known_peers_count(known) &&
	    strcmp(fingerprint_digest(buf_text(&list), digest),
		known_peers_get(known, at, &peer)->manifest) != 0)
		agent->world->on_said(
		    agent->world->ctx, EVENT_PEER_MANIFEST, agent->identity, buf_text(&list));
}

static void
take_hello(struct agent_link *agent, const struct protocol_message *message)
{
	bool is_new = !agent->is_greeted;

	if (agent->greeted == 0) {
		hang_up(agent, "hello unasked");
		return;
	}
	agent->greeted--;
	if (agent->is_runner ? message->version != PROTOCOL_VERSION :
			       message->version < PROTOCOL_AGENT_SINCE) {
		refuse_version(agent, message->version);
		return;
	}
	agent->seen.refused_version = 0;
	if (!agent->is_runner)
		take_manifest(agent, &message->manifest);
	if (message->proof.clock_s != 0)
		agent_seen_clock(&agent->seen, message->proof.clock_s);
	agent->is_greeted = true;
	if (is_new)
		agent->seen.here_at = clock_wall_ms();
	if (agent->busy != NULL)
		agent->busy->again_ms = AGAIN_FIRST_MS;
	if (agent->is_runner && (agent->may_be_gone || message->id != agent->highest))
		say_runner(agent, true, message->id);
	agent->highest = message->id;
	if (agent->feed != NULL)
		agent_feed_begin(agent->feed);
	note_runner(agent);
	agent_reads_begin(&agent->channels);
	if (is_new)
		agent->world->runs.on_ready(agent->world->runs.ctx);
}

static void
take_state_answer(struct agent_link *agent, const struct protocol_message *answer)
{
	if (agent_feed_answered(agent->feed, answer))
		agent->world->runs.on_ready(agent->world->runs.ctx);
}

/* Another manifest, or more that is live elsewhere, may be known behind another hello. */
static bool
is_to_be_greeted(const struct agent_link *agent, const struct protocol_message *answer)
{
	return answer->kind == PROTOCOL_REFUSED &&
	    (answer->why == PROTOCOL_WHY_CHANGED ||
		(agent->feed != NULL && agent->feed->has_failed));
}

/* Of several that were asked for, the last makes those before it void. */
static void
take_challenge(struct agent_link *agent, const struct protocol_message *message)
{
	struct busy *busy = agent->busy;

	if (busy == NULL)
		return;
	busy->asked -= busy->asked > 0 ? 1 : 0;
	if (busy->asked != 0 || busy->exchange == 0)
		return;
	memcpy(busy->challenge, message->proof.challenge, sizeof(busy->challenge));
	agent->world->runs.on_ready(agent->world->runs.ctx);
}

/* It answers about the run that it was asked of: of others, whosever they are, it says nothing. */
static void
take_answer(struct agent_link *agent, const struct protocol_message *message)
{
	struct busy *busy = agent->busy;

	if (busy == NULL || message->id != busy->exchange)
		return;
	busy->exchange = 0;
	busy->challenge[0] = '\0';
	if (is_to_be_greeted(agent, message))
		greet(agent);
	agent->world->runs.on_message(agent->world->runs.ctx, agent, message);
	agent->world->runs.on_ready(agent->world->runs.ctx);
}

/* What a runner says also while it is asked of a run: of others by itself, or of none. */
static bool
is_unasked(const struct agent_link *agent, const struct protocol_message *message)
{
	return message->kind == PROTOCOL_STUCK || message->kind == PROTOCOL_ANSWER ||
	    message->kind == PROTOCOL_PROGRESS || message->kind == PROTOCOL_PURGED ||
	    (message->kind == PROTOCOL_RECONCILED &&
		(agent->busy == NULL || message->id != agent->busy->exchange));
}

/* One whose processes cannot be ended yet has its answer: others are not to wait for that. */
static void
take_unasked(struct agent_link *agent, const struct protocol_message *message)
{
	if (message->kind == PROTOCOL_STUCK && agent->busy != NULL &&
	    message->id == agent->busy->exchange)
		agent->busy->exchange = 0;
	agent->world->runs.on_message(agent->world->runs.ctx, agent, message);
	agent->world->runs.on_ready(agent->world->runs.ctx);
}

static void
take_message(struct agent_link *agent, const struct protocol_message *message)
{
	if (message->kind == PROTOCOL_HELLO)
		take_hello(agent, message);
	else if (!agent->is_greeted)
		hang_up(agent, "a word before hello");
	else if (message->kind == PROTOCOL_CHALLENGE)
		take_challenge(agent, message);
	else if (message->kind == PROTOCOL_STATE_FILE && agent->feed != NULL)
		take_state_answer(agent, message);
	else if (agent->is_runner && is_unasked(agent, message))
		take_unasked(agent, message);
	else if (message->kind == PROTOCOL_STARTED || message->kind == PROTOCOL_REFUSED ||
	    message->kind == PROTOCOL_RECONCILED)
		take_answer(agent, message);
	else if (message->kind == PROTOCOL_PIECE)
		agent_reads_take(&agent->channels, message);
	else
		hang_up(agent, protocol_kind_name(message->kind));
}

void
agent_link_look(struct agent_link *agent)
{
	static const char word[] = "renew\nrenewal \n";
	const struct known_peers *known = link_client_peers(agent->world->link);
	size_t at;
	int64_t now = clock_monotonic_ms();
	struct peer peer;

	if (!agent->is_here || now < agent->look_at)
		return;
	agent->look_at = now + RENEWAL_EACH_MS;
	if (!agent->is_runner && agent->is_greeted &&
	    llabs(agent->seen.clock_ahead_s) > AGENT_CLOCK_OFF_S)
		greet(agent); /* its hello says whether somebody has set it */
	at = known_peers_find(known, agent->identity);
	if (!known_peers_are_renewed(known) || at == known_peers_count(known) ||
	    !peer_may_renew(known_peers_get(known, at, &peer), clock_wall_ms()) ||
	    (agent->asked_at != 0 && now - agent->asked_at < PEER_RENEWAL_MS) ||
	    !bucket_take(agent->world->renewals, renewal_rate, now, 1))
		return;
	agent->asked_at = now;
	agent->may_renew = true;
	link_client_send(agent->world->link, agent->identity, 0, word, sizeof(word) - 1);
}

/* Once for each time that it was asked. */
static void
take_renewal(struct agent_link *agent, const char *text)
{
	if (agent->may_renew)
		agent->world->on_said(agent->world->ctx, EVENT_PEER_RENEWAL, agent->identity, text);
	agent->may_renew = false;
}

/* A channel that its host has closed, or what it was asked for. */
static void
take_word(struct agent_link *agent, const char *packet, size_t size)
{
	char word[LIMIT_MANIFEST], *rest = word;
	const char *kind;
	int64_t number;

	(void)snprintf(word, sizeof(word), "%.*s", (int)size, packet);
	kind = strsep(&rest, "\n");
	if (strcmp(kind, "renew") == 0 && rest != NULL && text_starts(rest, "renewal "))
		take_renewal(agent, strsep(&rest, "\n") + strlen("renewal "));
	if (strcmp(kind, "close") != 0 || rest == NULL || !text_starts(rest, "channel "))
		return;
	rest += strlen("channel ");
	if (!text_to_i64(strsep(&rest, "\n"), 0, UINT32_MAX, &number, NULL))
		return;
	if (number == AGENT_CHANNEL_RUNNER)
		greet_later(agent);
	else
		agent_channels_close(&agent->channels, (uint32_t)number);
}

void
agent_link_take(struct agent_link *agent, uint32_t channel, const char *packet, size_t size)
{
	struct protocol_message message;
	struct err err;

	if (!agent->is_here)
		return;
	if (channel == AGENT_CHANNEL_RUNNER && agent->busy != NULL)
		agent->busy->is_silent = false;
	if (channel == 0)
		take_word(agent, packet, size);
	else if (channel != AGENT_CHANNEL_RUNNER)
		agent_channels_take(&agent->channels, channel, packet, size);
	else if (protocol_decode(packet, size, &message, &err))
		take_message(agent, &message);
	else
		hang_up(agent, err.text);
}

void
agent_link_set(struct agent_link *agent, const struct agent_seen *host)
{
	bool was_here = agent->is_here;

	agent->is_here = host != NULL;
	if (host != NULL) {
		agent->seen.clock_ahead_s = host->clock_ahead_s;
		memcpy(agent->seen.version, host->version, sizeof(host->version));
	}
	if (was_here == agent->is_here)
		return;
	if (agent->is_here) {
		if (agent->busy != NULL)
			agent->busy->again_ms = AGAIN_FIRST_MS;
		agent_channels_begin(&agent->channels);
		greet(agent);
		agent->look_at = clock_monotonic_ms() + RENEWAL_FIRST_MS;
		return;
	}
	agent->is_greeted = false; /* whose channel closes asks for it at once */
	agent_channels_end(&agent->channels);
	down(agent);
}

struct agent_seen
agent_link_seen(const struct agent_link *agent)
{
	struct agent_seen seen = agent->seen;

	seen.state = agent->is_greeted ? AGENT_CONNECTED :
	    agent->is_here	       ? AGENT_SILENT :
	    seen.gone_at != 0	       ? AGENT_GONE :
					 AGENT_UNSEEN;
	return seen;
}

/* --- beginning and end --- */

struct agent_link *
agent_link_new(const struct agent_link_world *world, const char *identity)
{
	size_t size = strlen(identity) + 1;
	struct agent_link *agent = mem_new(1, sizeof(*agent) + size);

	memcpy(agent->identity, identity, size);
	agent->world = world;
	agent->is_runner = text_starts(agent->identity, PEER_RUNNER);
	agent->channels.link = world->link;
	agent->channels.identity = agent->identity;
	agent->channels.seed = world->seed;
	agent->channels.epoch = world->epoch;
	SLIST_INIT(&agent->channels.all);
	STAILQ_INIT(&agent->channels.reads.waiting);
	if (agent->is_runner) {
		agent->feed = mem_new(1, sizeof(*agent->feed));
		agent_feed_join(agent->feed, world->states, &agent->channels);
	}
	agent->may_be_gone = true; /* a server before this one may have said so */
	return agent;
}

void
agent_link_free(struct agent_link *agent)
{
	free_busy(agent);
	if (agent->feed != NULL)
		agent_feed_leave(agent->feed);
	free(agent->feed);
	free(agent);
}

const char *
agent_link_identity(const struct agent_link *agent)
{
	return agent->identity;
}

struct agent_channels *
agent_link_channels(struct agent_link *agent)
{
	return &agent->channels;
}
