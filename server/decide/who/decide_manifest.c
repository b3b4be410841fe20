/* decide_manifest.c - an agent says what it may be ordered, and admins learn that it changed.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/who/decide_manifest.h"

#include <inttypes.h>
#include <stdio.h>

#include "decide/decide_reply.h"
#include "decide/factor/decide_factor.h"
#include "decide/who/decide_agent.h"
#include "lib/fingerprint.h"
#include "lib/text.h"
#include "store/row_effect.h"
#include "store/row_peer.h"
#include "store/row_rate_limit.h"

#define CHANGES		10 /* of one agent at once, then one in each of these */
#define CHANGE_EVERY_MS (360 * INT64_C(1000))
#define SAID_EACH_MS	(60 * INT64_C(1000))
#define SHOWN		10

static void
audit(struct tx *tx, const struct peer *peer, const char *list, const char *differing)
{
	const char *meta[] = { "identity", peer->identity, NULL, NULL, NULL, NULL, NULL, NULL,
		NULL };
	char digest[FINGERPRINT_DIGEST];
	size_t n = 2;

	decide_audit_fact(meta, &n, "manifest", fingerprint_digest(list, digest));
	decide_audit_fact(meta, &n, "manifest_before", peer->manifest);
	decide_audit_fact(meta, &n, "changed", differing);
	decide_audit(tx, AUDIT_CODE_PEER_MANIFEST, "system", NULL, "ok", meta);
}

/* Who has root there, or the key, may say another one with each connection. */
static bool
is_too_often(struct tx *tx, const struct peer *peer)
{
	return !row_rate_limit_take(tx, CHANGES, CHANGE_EVERY_MS, "manifest:%s", peer->identity);
}

static void
leave(struct tx *tx, const struct peer *peer, const char *why)
{
	if (row_rate_limit_take(tx, 1, SAID_EACH_MS, "manifest"))
		tx_log(tx, LOG_LEVEL_WARNING, "%s: its list of capabilities is not taken: %s",
		    peer->identity, why);
}

/* Once a minute: of those that follow, when it is over. */
static void
say(struct tx *tx, const struct peer *peer, const char *differing)
{
	if (row_effect_has_timer(tx, TIMER_MANIFESTS))
		return;
	if (row_rate_limit_take(tx, 1, SAID_EACH_MS, "manifests"))
		decide_factor_tell(tx, 0,
		    "🔐 Agent changed: " MARK_BOLD "%s" MARK_BOLD
		    ": %s\nIts host starts something else for these now, or nothing: what waits is asked anew. Was it not you? %sdeploybot agent revoke %s%s on the server ends it.",
		    peer_name(peer), differing, MARK_CODE, peer_name(peer), MARK_CODE);
	else
		(void)row_effect_timer(tx, TIMER_MANIFESTS, "", 0, tx->at + SAID_EACH_MS);
}

void
decide_manifests_due(struct tx *tx)
{
	struct peer peers[SHOWN];
	int64_t n, since = tx->effect->ordered_at; /* what changed before was said before */
	size_t shown = row_peer_changed(tx, since, peers, SHOWN, &n);
	char names[SHOWN * CRYPTO_CA_IDENTITY], more[32];
	size_t at = 0;

	for (size_t i = 0; i < shown; i++)
		at += (size_t)snprintf(names + at, sizeof(names) - at, "%s%s", i == 0 ? "" : ", ",
		    peer_name(&peers[i]));
	text_setf(more, " and %" PRId64 " more", n - (int64_t)shown);
	if (n == 0 || !row_rate_limit_take(tx, 1, SAID_EACH_MS, "manifests"))
		return;
	decide_factor_tell(tx, 0,
	    "🔐 %" PRId64 " agent%s changed: " MARK_BOLD "%s" MARK_BOLD
	    "%s\nWhat these hosts start is another thing now, or nothing: what waits is asked anew. Was it not you? %sdeploybot agent revoke NAME%s on the server ends one; what changed is in the audit (peer_manifest).",
	    n, n == 1 ? "" : "s", names, n > (int64_t)shown ? more : "", MARK_CODE, MARK_CODE);
}

static void
take(struct tx *tx, const struct peer *peer, const char *list)
{
	char before[LIMIT_MANIFEST], differing[LIMIT_LINE / 2];

	(void)fingerprint_differing(
	    row_peer_manifest(tx, peer->identity, before), list, differing, sizeof(differing));
	row_peer_set_manifest(tx, peer->identity, list);
	audit(tx, peer, list, differing);
	decide_agent_look(tx, peer_name(peer));
	if (peer->manifest[0] != '\0')
		say(tx, peer, differing);
}

void
decide_manifest_said(struct tx *tx, const char *identity, const char *list)
{
	struct peer peer = row_peer_get(tx, identity);
	char digest[FINGERPRINT_DIGEST];

	if (peer.identity[0] == '\0' || peer.revoked_at != 0)
		return;
	if (strcmp(fingerprint_digest(list, digest), peer.manifest) == 0)
		return;
	if (!peer_is_manifest(list))
		leave(tx, &peer, "it is none");
	else if (is_too_often(tx, &peer))
		leave(tx, &peer, "it is another one again and again");
	else
		take(tx, &peer, list);
}
