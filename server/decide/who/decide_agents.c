/* decide_agents.c - which agents there are, and how each is.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/who/decide_agents.h"

#include "chat/chat_agent.h"
#include "decide/decide_page.h"
#include "decide/decide_reply.h"
#include "decide/who/decide_peer.h"
#include "decide/who/decide_seen.h"
#include "decide/who/decide_sees.h"
#include "decide/work/decide_hosts.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/setting.h"
#include "lib/text.h"
#include "store/row_peer.h"

#define LISTED	     500 /* in one answer */
#define PAGE	     20
#define STATUS_SHOWN 10

static const struct agents_seen *
seen_by(const struct tx *tx)
{
	return tx->event->context.seen;
}

/* --- over /v1 --- */

static const char *
state_word(const struct peer *peer, const struct agent_seen *seen)
{
	static const char *const words[] = { [AGENT_UNSEEN] = "unseen",
		[AGENT_GONE] = "disconnected",
		[AGENT_SILENT] = "silent",
		[AGENT_CONNECTED] = "connected" };

	return peer->revoked_at != 0 ? "revoked" : words[seen->state];
}

static void
put(struct tx *tx, struct json_out *json, const struct peer *peer)
{
	struct chat_agent agent = decide_seen(tx, peer);
	struct chat_text said = CHAT_TEXT_EMPTY;
	char at[TEXT_TIME_SIZE];

	chat_agent(&said, &agent);
	json_out_object(json);
	json_put_str(json, "name", peer_name(peer));
	json_put_str(json, "key", peer->digest);
	json_put_str(json, "made_at", text_time_ms(at, peer->made_at));
	json_put_str(json, "made_by", peer->by);
	json_put_time(json, "revoked_at", peer->revoked_at);
	json_put_str(json, "state", state_word(peer, &agent.seen));
	json_put_time(
	    json, "disconnected_since", agent.seen.state == AGENT_GONE ? agent.seen.gone_at : 0);
	json_put_str(json, "version", agent.seen.version);
	json_put_time(json, "certificate_ends_at", peer->ends_at);
	json_put_time(json, "list_changed_at", peer->changed_at);
	json_put_i64(json, "clock_ahead_seconds", agent.seen.clock_ahead_s);
	json_put_str(json, "said", buf_text(&said.buf));
	buf_done(&said.buf);
}

/* "restart-web=3f9a… disk-free=…" */
static void
put_capabilities(struct tx *tx, struct json_out *json, const struct peer *peer)
{
	char list[LIMIT_MANIFEST], *rest = list, *one;

	(void)row_peer_manifest(tx, peer->identity, list);
	json_put_open(json, "capabilities", '[');
	while ((one = strsep(&rest, " ")) != NULL && one[0] != '\0') {
		char *digest = strchr(one, '='); /* peer_is_manifest() */

		*digest++ = '\0';
		json_out_object(json);
		json_put_str(json, "name", one);
		json_put_str(json, "digest", digest);
		json_out_end(json);
	}
	json_out_end(json);
}

static const char *
list_name(const char *role)
{
	return strcmp(role, PEER_RUNNER) == 0 ? "runners" : "agents";
}

static void
put_one(struct tx *tx, const char *role, const char *name, struct json_out *json)
{
	char identity[CRYPTO_CA_IDENTITY];
	struct peer peer;

	text_setf(identity, "%s%.*s", role, CRYPTO_CA_NAME_MAX, name);
	peer = row_peer_get(tx, identity);
	if (peer.identity[0] == '\0') {
		text_set(peer.identity, identity);
		decide_refusef(tx, 404, "there is no %s of that name: deploybot %s list",
		    decide_peer_role(&peer), decide_peer_role(&peer));
		return;
	}
	json_put_open(json, list_name(role), '[');
	put(tx, json, &peer);
	put_capabilities(tx, json, &peer);
	json_out_end(json);
	json_out_end(json);
	json_put_str(json, "next", NULL);
}

/* Of a page, in the order of identities. */
static size_t
count_of(const char *role, const struct peer *page, size_t n)
{
	while (n > 0 && !text_starts(page[n - 1].identity, role))
		n--;
	return n;
}

void
decide_agents_list(struct tx *tx, const struct api_request *api, struct json_out *json)
{
	struct peer page[ROW_PEER_PAGE];
	const char *role = api->operation == API_RUNNERS ? PEER_RUNNER : PEER_AGENT;
	char name[LIMIT_REF], after[CRYPTO_CA_IDENTITY];
	size_t n = ROW_PEER_PAGE, listed = 0;

	if (!decide_peer_may(tx, api))
		return;
	if (request_get(&api->request, "name", name)[0] != '\0') {
		put_one(tx, role, name, json);
		return;
	}
	text_setf(
	    after, "%s%.*s", role, CRYPTO_CA_NAME_MAX, request_get(&api->request, "after", name));
	json_put_open(json, list_name(role), '[');
	for (; n == ROW_PEER_PAGE && listed < LISTED; listed += n) {
		n = count_of(role, page, row_peer_list(tx, after, page, ROW_PEER_PAGE));
		for (size_t i = 0; i < n; i++) {
			put(tx, json, &page[i]);
			json_out_end(json);
		}
		if (n > 0)
			text_set(after, page[n - 1].identity);
	}
	json_out_end(json);
	json_put_str(json, "next", n == ROW_PEER_PAGE ? strchr(after, '/') + 1 : NULL);
}

/* --- in a chat --- */

/* What is to be repaired stands first. */
static int
rank(const struct agents_seen *seen, size_t i)
{
	struct peer peer;

	return known_peers_get(seen->known, i, &peer)->revoked_at != 0 ? 2 :
	    seen->at[i].state == AGENT_CONNECTED		       ? 1 :
									 0;
}
#define RANKS 3

static void
add_line(struct tx *tx, const char *identity, struct chat_text *text)
{
	struct peer peer = row_peer_get(tx, identity);
	struct chat_agent agent = decide_seen(tx, &peer);

	chat_text_add(text, "\n%s %s" MARK_BOLD "%s" MARK_BOLD " ",
	    peer.revoked_at != 0		    ? "⚪" :
		agent.seen.state == AGENT_CONNECTED ? "🟢" :
						      "🔴",
	    peer_is_runner(&peer) ? "runner " : "", peer_name(&peer));
	chat_agent(text, &agent);
}

static void
add_link(struct tx *tx, struct chat_text *text)
{
	const struct agents_seen *seen = seen_by(tx);
	const struct chat_clock clock = decide_clock(tx, "");

	if (tx->settings->link.address != NULL && seen != NULL && seen->link_gone_at != 0)
		chat_text_since(text, "\n⚠️ deploybot-link is disconnected since ", &clock,
		    seen->link_gone_at, tx->at);
}

void
decide_agents_show(struct tx *tx, const struct request *request, struct chat_text *text,
    int64_t *ret_page, int64_t *ret_pages)
{
	const struct agents_seen *seen = seen_by(tx);
	size_t all = seen == NULL ? 0 : known_peers_count(seen->known), n[RANKS] = { 0 }, first,
	       k = 0;
	struct peer peer;

	for (size_t i = 0; i < all; i++)
		n[rank(seen, i)]++;
	first = decide_page(request, all, PAGE, ret_page, ret_pages);
	chat_text_add(
	    text, MARK_BOLD "Agents" MARK_BOLD ": %zu not connected, %zu connected", n[0], n[1]);
	if (n[2] > 0)
		chat_text_add(text, ", %zu revoked", n[2]);
	add_link(tx, text);
	for (size_t i = 0; i < RANKS * all; i++) {
		if (rank(seen, i % all) != (int)(i / all) || k++ < first || k > first + PAGE)
			continue;
		add_line(tx, known_peers_get(seen->known, i % all, &peer)->identity, text);
	}
}

/* --- of clients and environments --- */

struct status {
	struct chat_text *text;
	bool is_of_all; /* targets: then only who is not connected */
	size_t n;	/* more than STATUS_SHOWN are counted alone */
};

static void
say_agent(struct tx *tx, const char *agent, const char *of, struct status *status)
{
	char identity[CRYPTO_CA_IDENTITY];
	struct peer peer = row_peer_get(tx, peer_identity(agent, identity));

	if ((status->is_of_all && agents_seen_of(seen_by(tx), identity).state == AGENT_CONNECTED) ||
	    status->n++ >= STATUS_SHOWN)
		return;
	if (peer.identity[0] != '\0')
		add_line(tx, identity, status->text);
	else
		chat_text_add(
		    status->text, "\n🔴 " MARK_BOLD "%s" MARK_BOLD " is not enrolled", agent);
	chat_text_code(status->text, ", agent of ", of);
}

/* "": any. */
static bool
is_meant(struct tx *tx, int64_t person, const char *target, const char *one)
{
	return decide_sees(tx, person, one) && (target[0] == '\0' || strcmp(one, target) == 0);
}

bool
decide_agents_status(struct tx *tx, int64_t person, const char *target, struct chat_text *text)
{
	const struct settings *s = tx->settings;
	struct status status = { text, target[0] == '\0', 0 };
	char name[CRYPTO_CA_NAME_MAX + 1];

	for (size_t i = 0; i < s->client_count; i++) {
		const struct client_settings *client = &s->clients[i];
		const char *agent = peer_of_host(client->host);

		if (agent != NULL && is_meant(tx, person, target, client->target))
			say_agent(tx, agent, client->target, &status);
	}
	for (size_t i = 0; i < s->environment_count; i++) {
		const struct environment_settings *e = &s->environments[i];
		CLEANUP(freep) char *all = NULL;
		const char *names;

		if (e->agents == NULL || !is_meant(tx, person, target, e->name))
			continue;
		names = all = decide_hosts_of(tx, e->agents);
		while (setting_next(&names, name, sizeof(name)))
			say_agent(tx, name, e->name, &status);
	}
	if (status.n > STATUS_SHOWN)
		chat_text_add(text, "\n… and %zu agents more", status.n - STATUS_SHOWN);
	return status.n > 0;
}
