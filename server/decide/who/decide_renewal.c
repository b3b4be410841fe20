/* decide_renewal.c - the key of a peer gives way to the next one, when half of its life is over.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/who/decide_renewal.h"

#include "decide/decide_reply.h"
#include "lib/err.h"
#include "lib/crypto_renewal.h"
#include "lib/text.h"
#include "store/row_effect.h"
#include "store/row_peer.h"
#include "types/peer_renewal.h"

/* NULL: it is signed.  link is asked nothing: who owns it passes on what it likes. */
static const char *
fault_of(struct tx *tx, const struct peer *peer, const struct crypto_renewal *renewal)
{
	struct peer other = row_peer_of_key(tx, renewal->next);

	if (tx->settings->link.ca_key == NULL)
		return "LINK_CA_KEY is not set";
	if (peer->revoked_at != 0)
		return "it was revoked";
	if (!peer_may_renew(peer, tx->at))
		return "half of its life is not over, or one was signed within the hour";
	if (strcmp(peer->digest, renewal->key) != 0)
		return "another key than the one that it has asks for it";
	if (strcmp(peer->digest, renewal->next) == 0)
		return "its next key is the one that it has";
	if (other.identity[0] != '\0' && strcmp(other.identity, peer->identity) != 0)
		return "its next key has another name";
	return NULL;
}

static void
order(struct tx *tx, const struct peer *peer, const char *request)
{
	struct effect effect = { .kind = EFFECT_SIGN_CERTIFICATE,
		.u.sign_certificate.from = tx->at };

	text_set(effect.u.sign_certificate.identity, peer->identity);
	text_set(effect.u.sign_certificate.text, request);
	(void)row_effect_order(tx, &effect); /* sticky */
}

void
decide_renewal(struct tx *tx, const char *identity, const char *text)
{
	struct peer peer = row_peer_get(tx, identity);
	struct crypto_renewal renewal;
	struct err err;
	const char *fault = peer.identity[0] == '\0' ? "nobody of that name is enrolled" :
	    !crypto_renewal_read(text, identity, &renewal, &err) ? err.text :
								   fault_of(tx, &peer, &renewal);

	if (fault != NULL) {
		tx_log(tx, LOG_LEVEL_WARNING, "%s: its certificate is not renewed: %s", identity,
		    fault);
		return;
	}
	text_set(peer.next_digest, renewal.next);
	peer.next_ends_at = tx->at + PEER_LIFE_MS;
	row_peer_put(tx, &peer);
	order(tx, &peer, renewal.request);
}

void
decide_renewal_seen(struct tx *tx, const char *identity, const char *digest)
{
	struct peer peer = row_peer_get(tx, identity), before = peer;
	const char *meta[] = { "identity", peer.identity, NULL, NULL, NULL, NULL, NULL };
	size_t n = 2;

	if (peer.revoked_at != 0 || !peer_is_next(&peer, digest))
		return;
	text_set(peer.digest, digest);
	peer.ends_at = peer.next_ends_at;
	peer.next_digest[0] = '\0';
	peer.next_ends_at = 0;
	row_peer_put(tx, &peer);
	decide_audit_fact(meta, &n, "key", peer.digest);
	decide_audit_fact(meta, &n, "key_before", before.digest);
	decide_audit(tx, AUDIT_CODE_PEER_RENEWED, "system", NULL, "ok", meta);
}
