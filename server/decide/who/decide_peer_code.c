/* decide_peer_code.c - a host enrols by a code that an admin has drawn for it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/who/decide_peer_code.h"

#include "decide/decide_reply.h"
#include "decide/factor/decide_factor.h"
#include "decide/who/decide_allowed.h"
#include "decide/who/decide_peer.h"
#include "lib/enrol_code.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/text.h"
#include "store/row_effect.h"
#include "store/row_peer.h"
#include "store/row_peer_code.h"
#include "store/row_stranger.h"

#define OPEN_MS (10 * 60 * INT64_C(1000))

bool
decide_peer_code_is_wanted(const struct api_request *api)
{
	char key[LIMIT_REF];

	return (strcmp(api->request.action, "enrol") == 0 ||
		   strcmp(api->request.action, "move") == 0) &&
	    request_get(&api->request, "key", key)[0] == '\0';
}

static bool
has_authority(struct tx *tx)
{
	if (tx->settings->link.ca_key != NULL)
		return true;
	decide_refusef(tx, 409,
	    "LINK_CA_KEY is not set, so the authority is offline: deploybot ca sign signs by hand, and its key is enrolled: docs/agents.md");
	return false;
}

static void
say_line(struct tx *tx, const struct peer *peer, const char *code, struct json_out *json)
{
	const struct settings_link *link = &tx->settings->link;
	const char *name = peer_name(peer);
	char line[512], used[LIMIT_LINE];

	text_setf(line, "sudo /usr/lib/deploybot/deploybot-link enrol %s %s %s %s",
	    decide_peer_role(peer), link->address, code, link->fingerprint); /* it fits */
	if (peer_is_runner(peer))
		text_setf(used, "Settings here that name it: RUNNERS=%s and <ENV>_RUNNER=%s.", name,
		    name);
	else
		text_setf(used,
		    "Settings here that name it: CLIENT_<ID>_HOST=agent:%s, or DEPLOY_TRANSPORT=agent and <ENV>_HOST=%s.",
		    name, name);
	json_put_str(json, "code", code);
	json_put_str(json, "line", line);
	decide_answer(tx,
	    "Typed on the host within 10 minutes, once; its first name is LINK_ADDRESS, in whose place another one may stand by which the host reaches deploybot-link.");
	decide_answer(tx, used);
}

static void
prove(struct tx *tx, const char *text, struct peer_code *code)
{
	struct enrol_proof proof;
	struct err err;

	if (!enrol_code_proof(text, &proof, &err) ||
	    !enrol_code_digest(proof.id, code->digest, &err))
		tx_fail(tx, err.code, "%s", err.text);
	else
		text_set(code->secret, proof.secret);
}

void
decide_peer_code(struct tx *tx, const struct api_request *api, struct json_out *json)
{
	struct peer_code code = { .until = tx->at + OPEN_MS,
		.made_by = api->from.person,
		.is_move = strcmp(api->request.action, "move") == 0 };
	uint8_t drawn[ENROL_CODE_DRAWN];
	char text[ENROL_CODE];
	struct peer peer, before;

	if (!decide_peer_may(tx, api) || !decide_peer_read_name(tx, api, &peer))
		return;
	before = row_peer_get(tx, peer.identity);
	if (!decide_peer_name_is_free(tx, &peer, &before, code.is_move) || !has_authority(tx) ||
	    decide_peer_lacks_factor(tx, api, &peer))
		return;
	text_set(code.identity, peer.identity);
	text_set(code.by, api->from.name);
	tx_draw(tx, drawn, sizeof(drawn));
	enrol_code_text(drawn, text);
	prove(tx, text, &code);
	row_peer_code_put(tx, &code);
	decide_audit(tx, AUDIT_CODE_PEER_CODE_MADE, decide_user_here(tx, code.made_by), NULL, "ok",
	    (const char *const[]){ "name", code.by, "identity", code.identity, NULL });
	decide_factor_tell(tx, 0,
	    "🔐 %s code made: " MARK_BOLD "%s" MARK_BOLD
	    " enrols by it within 10 minutes, by %s. Was it not you? " MARK_CODE
	    "deploybot %s revoke %s" MARK_CODE " on the server ends it.",
	    decide_peer_role_begins(&peer), peer_name(&peer), code.by, decide_peer_role(&peer),
	    peer_name(&peer));
	say_line(tx, &peer, text, json);
	crypto_wipe(text, sizeof(text));
	crypto_wipe(drawn, sizeof(drawn));
}

/* --- a host shows one --- */

/* Which part of it is wrong stands in the audit alone. */
static void
deny(struct tx *tx, const struct enrol *enrol, const char *why)
{
	row_stranger_audit(tx, why, 1, enrol->address,
	    &(struct audit_entry){
		.code = AUDIT_CODE_PEER_CODE_REFUSED, .user = "enrol", .outcome = "denied" },
	    (const char *const[]){ "reason", why, "client", enrol->address, NULL });
	decide_refusef(tx, 403,
	    "no code that is open for that: enrol NAME, of deploybot agent or runner on the server, makes a new one");
}

/* "agent ID MAC" */
struct shown {
	char role[16], digest[LIMIT_DIGEST], mac[LIMIT_DIGEST];
	const char *request; /* what stands on the lines behind it */
};

/* False: it does not begin so. */
static bool
read_shown(struct tx *tx, const struct enrol *enrol, struct shown *ret)
{
	char line[sizeof(ret->role) + 2 * LIMIT_DIGEST], *rest = line;
	size_t size = strcspn(enrol->text, "\n");
	const char *role, *id;
	struct err err;

	*ret = (struct shown){ .request = enrol->text + size + 1 };
	if (size >= sizeof(line) || enrol->text[size] == '\0')
		return false;
	text_setf(line, "%.*s", (int)size, enrol->text);
	role = strsep(&rest, " ");
	id = strsep(&rest, " ");
	if (rest == NULL || !text_copy(ret->role, sizeof(ret->role), role) ||
	    !text_copy(ret->mac, sizeof(ret->mac), rest))
		return false;
	if (!enrol_code_digest(id, ret->digest, &err))
		tx_fail(tx, err.code, "%s", err.text);
	return true;
}

static bool
is_proven(struct tx *tx, const struct peer_code *code, const struct shown *shown)
{
	char mac[LIMIT_DIGEST];
	struct err err;

	if (!enrol_code_mac(code->secret, "ask", shown->request, mac, &err)) {
		tx_fail(tx, err.code, "%s", err.text);
		return false;
	}
	return crypto_same_text(shown->mac, mac);
}

/* NULL: that code counts, for that role and request. */
static const char *
fault_of(struct tx *tx, const struct peer_code *code, const struct shown *shown)
{
	size_t size = strcspn(code->identity, "/");

	if (code->identity[0] == '\0')
		return "enrolment: no such code";
	if (tx->at >= code->until)
		return "enrolment: a code that is late";
	if (strlen(shown->role) != size || strncmp(shown->role, code->identity, size) != 0)
		return "enrolment: a code of another role";
	if (!is_proven(tx, code, shown))
		return "enrolment: a request that was changed on its way";
	if (!decide_is_allowed(tx, code->made_by, POLICY_ADMIN, POLICY_ALL))
		return "enrolment: a code of who is no admin any more";
	return NULL;
}

/* In the commit that enrols the key, or, of one that asks again, without any other change. */
static void
sign(struct tx *tx, const struct enrol *enrol, const struct peer_code *code, const char *request)
{
	struct effect effect = { .kind = EFFECT_SIGN_CERTIFICATE,
		.u.sign_certificate = { .request = enrol->request, .from = tx->at } };

	text_set(effect.u.sign_certificate.identity, code->identity);
	text_set(effect.u.sign_certificate.secret, code->secret);
	text_set(effect.u.sign_certificate.text, request);
	(void)row_effect_order(tx, &effect); /* sticky */
}

static void
enrol_key(struct tx *tx, struct peer_code *code, const char *key)
{
	struct peer before = row_peer_get(tx, code->identity);
	struct peer peer = {
		.made_at = tx->at, .made_by = code->made_by, .ends_at = tx->at + PEER_LIFE_MS
	};

	text_set(peer.identity, code->identity);
	text_set(peer.digest, key);
	text_set(peer.by, code->by);
	if (!decide_peer_name_is_free(tx, &peer, &before, code->is_move) ||
	    !decide_peer_key_is_free(tx, key))
		return;
	text_set(code->key, key);
	row_peer_code_put(tx, code);
	decide_peer_put(tx, &peer, before.digest, code->is_move);
}

void
decide_peer_code_use(struct tx *tx, const struct enrol *enrol)
{
	char key[LIMIT_DIGEST];
	struct shown shown;
	bool is_one = read_shown(tx, enrol, &shown);
	struct peer_code code = row_peer_code_get(tx, shown.digest);
	const char *fault =
	    is_one ? fault_of(tx, &code, &shown) : "enrolment: a packet without a code";
	struct err err;

	if (fault != NULL) {
		deny(tx, enrol, fault);
		return;
	}
	if (!has_authority(tx))
		return;
	if (!crypto_ca_check_request(shown.request, key, &err)) {
		decide_refusef(tx, 400, "%s", err.text);
		return;
	}
	if (code.key[0] == '\0')
		enrol_key(tx, &code, key);
	if (tx->answer.status != 200)
		return;
	if (strcmp(code.key, key) != 0 || strcmp(row_peer_get(tx, code.identity).digest, key) != 0)
		deny(tx, enrol, "enrolment: a code that another key has used");
	else
		sign(tx, enrol, &code, shown.request);
}
