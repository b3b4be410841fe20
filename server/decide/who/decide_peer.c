/* decide_peer.c - which agents and remote runners may connect to deploybot-link, and by which key.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/who/decide_peer.h"

#include <inttypes.h>

#include "decide/decide_limit.h"
#include "decide/decide_reply.h"
#include "decide/factor/decide_factor.h"
#include "decide/factor/decide_lacks.h"
#include "decide/who/decide_agent.h"
#include "decide/work/decide_hosts.h"
#include "lib/text.h"
#include "policy/policy.h"
#include "store/row_deployment.h"
#include "store/row_peer.h"
#include "store/row_peer_code.h"
#include "store/row_runner.h"
#include "types/principal.h"

#define KEY_SHOWN 12 /* digits of a key in a sentence */

const char *
decide_peer_role(const struct peer *peer)
{
	return peer_is_runner(peer) ? "runner" : "agent";
}

const char *
decide_peer_role_begins(const struct peer *peer)
{
	return peer_is_runner(peer) ? "Runner" : "Agent";
}

/* By whom the peer was enrolled, or is revoked now. */
static void
audit(struct tx *tx, enum audit_code code, const struct peer *peer, const char *before)
{
	const char *meta[] = { "name", peer->by, NULL, NULL, NULL, NULL, NULL, NULL, NULL };
	size_t n = 2;

	decide_audit_fact(meta, &n, "identity", peer->identity);
	decide_audit_fact(meta, &n, "key", peer->digest);
	decide_audit_fact(meta, &n, "key_before", before);
	decide_audit(tx, code, decide_user_here(tx, peer->made_by), NULL, "ok", meta);
}

bool
decide_peer_read_name(struct tx *tx, const struct api_request *api, struct peer *ret)
{
	char name[LIMIT_REF];

	(void)request_get(&api->request, "name", name);
	if (!peer_is_name(name) ||
	    (api->operation == API_RUNNER && strcmp(name, RUNNER_LOCAL) == 0)) {
		decide_refusef(tx, 400,
		    "a name: letters a-z, digits, . and -, %d at most, a letter or digit first; of a runner not local",
		    CRYPTO_CA_NAME_MAX);
		return false;
	}
	*ret = (struct peer){ .made_at = tx->at, .made_by = api->from.person };
	text_set(ret->by, api->from.name);
	text_setf(ret->identity, "%s%.*s", api->operation == API_RUNNER ? PEER_RUNNER : PEER_AGENT,
	    CRYPTO_CA_NAME_MAX, name);
	return true;
}

static bool
read_key(struct tx *tx, const struct api_request *api, struct peer *peer)
{
	char key[LIMIT_REF];

	if (peer_is_digest(request_get(&api->request, "key", key)))
		return text_copy(peer->digest, sizeof(peer->digest), key);
	decide_refusef(
	    tx, 400, "a key: the 64 hexadecimal digits that deploybot ca sign says of it");
	return false;
}

bool
decide_peer_key_is_free(struct tx *tx, const char *digest)
{
	struct peer other = row_peer_of_key(tx, digest);

	if (other.identity[0] == '\0')
		return true;
	decide_refusef(tx, 409, "%s has that key%s: each host has its own", peer_name(&other),
	    other.revoked_at != 0 ? ", which was revoked" : "");
	return false;
}

bool
decide_peer_name_is_free(
    struct tx *tx, const struct peer *peer, const struct peer *before, bool is_move)
{
	if (is_move && before->identity[0] == '\0')
		decide_refusef(tx, 404, "there is no %s of that name: deploybot %s enrol %s",
		    decide_peer_role(peer), decide_peer_role(peer), peer_name(peer));
	else if (!is_move && before->identity[0] != '\0')
		decide_refusef(tx, 409,
		    "that name has the key %.*s…: deploybot %s move gives it to another", KEY_SHOWN,
		    before->digest, decide_peer_role(peer));
	else if (!is_move && row_peer_is_full(tx))
		decide_refusef(tx, 409, "there are %d, which is the most", PEERS_MOST);
	else
		return true;
	return false;
}

bool
decide_peer_lacks_factor(struct tx *tx, const struct api_request *api, const struct peer *peer)
{
	char what[CRYPTO_CA_IDENTITY + 16];

	text_setf(what, "%s %s %s", decide_peer_role(peer), api->request.action, peer_name(peer));
	return policy_needs_factor(tx->settings, POLICY_TOKEN, "", POLICY_ALL) &&
	    decide_lacks_factor_for(tx, &api->from, what);
}

void
decide_peer_put(struct tx *tx, const struct peer *peer, const char *before, bool is_move)
{
	row_peer_put(tx, peer);
	decide_hosts_agents(tx);
	if (is_move && !peer_is_runner(peer))
		decide_hosts_move(tx, peer_name(peer));
	audit(tx, is_move ? AUDIT_CODE_PEER_MOVED : AUDIT_CODE_PEER_ENROLLED, peer, before);
	decide_factor_tell(tx, 0,
	    "🔐 %s %s: " MARK_BOLD "%s" MARK_BOLD " has the key " MARK_CODE "%.*s…" MARK_CODE
	    ", by %s. Was it not you? " MARK_CODE "deploybot %s revoke %s" MARK_CODE
	    " on the server ends it.",
	    decide_peer_role_begins(peer), is_move ? "moved" : "enrolled", peer_name(peer),
	    KEY_SHOWN, peer->digest, peer->by, decide_peer_role(peer), peer_name(peer));
}

static void
enrol(struct tx *tx, const struct api_request *api, bool is_move)
{
	struct peer peer, before;

	if (!decide_peer_read_name(tx, api, &peer))
		return;
	before = row_peer_get(tx, peer.identity);
	if (!decide_peer_name_is_free(tx, &peer, &before, is_move) || !read_key(tx, api, &peer) ||
	    !decide_peer_key_is_free(tx, peer.digest) || decide_peer_lacks_factor(tx, api, &peer))
		return;
	decide_peer_put(tx, &peer, before.digest, is_move);
	decide_answer(tx,
	    is_move ? "Moved: the key of before is good for nothing any more." :
		      "Enrolled: who has that key may connect by that name.");
}

void
decide_peer_twice(struct tx *tx, const char *identity, const char *addresses)
{
	const struct peer peer = row_peer_get(tx, identity);

	if (peer.identity[0] == '\0' || peer.revoked_at != 0)
		return;
	decide_audit(tx, AUDIT_CODE_PEER_TWICE, "system", NULL, "denied",
	    (const char *const[]){ "identity", peer.identity, "client", addresses, NULL });
	decide_factor_tell(tx, 0,
	    "🔐 Two hosts have one key: " MARK_BOLD "%s" MARK_BOLD
	    ", from %.100s. The second is refused; is it a copy? " MARK_CODE
	    "deploybot %s move %s" MARK_CODE " on the server gives its name a new key.",
	    peer_name(&peer), addresses, decide_peer_role(&peer), peer_name(&peer));
}

/* What it has begun goes on there, and nobody learns how it ends. */
static void
answer_revoked(struct tx *tx, const struct peer *peer)
{
	char runner[LIMIT_RUNNER], line[LIMIT_LINE];
	struct deployment work;
	int64_t run;

	run = row_runner_next_run(tx, peer_runner(peer->identity, runner), 0);
	row_deployment_of_run(tx, run, &work);
	text_setf(line, "Revoked: it is disconnected, and connects no more.");
	if (work.id != 0)
		text_setf(line,
		    "Revoked: it is disconnected, and connects no more. #%" PRId64
		    " goes on there and is not followed: deploybot abandon %" PRId64
		    ", or deploybot %s move %s.",
		    work.id, work.id, decide_peer_role(peer), peer_name(peer));
	decide_answer(tx, line);
}

static void
revoke(struct tx *tx, const struct api_request *api)
{
	struct peer by, peer;
	bool had_code;

	if (!decide_peer_read_name(tx, api, &by))
		return;
	peer = row_peer_get(tx, by.identity);
	had_code = row_peer_code_drop(tx, by.identity);
	if (had_code && peer.identity[0] == '\0') {
		decide_answer(tx, "Nobody has enrolled by its code, which counts no more.");
		return;
	}
	if (peer.identity[0] == '\0' || peer.revoked_at != 0) {
		decide_refusef(tx, 404,
		    peer.revoked_at != 0 ?
			"it is revoked already, the %s of that name: deploybot %s list" :
			"there is no %s of that name: deploybot %s list",
		    decide_peer_role(&by), decide_peer_role(&by));
		return;
	}
	peer.revoked_at = tx->at;
	row_peer_put(tx, &peer);
	decide_hosts_agents(tx);
	decide_agent_look(tx, peer_name(&peer));
	text_set(by.digest, peer.digest);
	audit(tx, AUDIT_CODE_PEER_REVOKED, &by, NULL);
	decide_factor_tell(tx, 0,
	    "🔐 %s revoked: " MARK_BOLD "%s" MARK_BOLD " connects no more, by %s.",
	    decide_peer_role_begins(&peer), peer_name(&peer), api->from.name);
	answer_revoked(tx, &peer);
}

bool
decide_peer_may(struct tx *tx, const struct api_request *api)
{
	if (decide_is_too_fast(tx, &api->from, "agent", false) ||
	    !decide_may(tx, &api->from, POLICY_ADMIN, POLICY_ALL))
		return false;
	if (tx->settings->link.address == NULL)
		decide_refusef(tx, 409,
		    "LINK_ADDRESS is not set, so nobody can connect: sudo deploybot ca init link-ca says which settings are written first (docs/agents.md)");
	return tx->settings->link.address != NULL;
}

void
decide_peer(struct tx *tx, const struct api_request *api)
{
	const char *word = api->request.action;

	if (!decide_peer_may(tx, api))
		return;
	if (strcmp(word, "revoke") == 0)
		revoke(tx, api);
	else if (strcmp(word, "enrol") == 0 || strcmp(word, "move") == 0)
		enrol(tx, api, strcmp(word, "move") == 0);
	else
		decide_refusef(tx, 400, "expected enrol, move or revoke");
}
