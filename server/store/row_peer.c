/* row_peer.c - agents and remote runners that are enrolled, as rows.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_peer.h"

#include "lib/fingerprint.h"
#include "lib/text.h"
#include "store/store_inside.h"

#define OF_KEY \
	"identity, digest, made_at, made_by, by_name, revoked_at, ends_at, next_digest, next_ends_at"
#define COLUMNS OF_KEY ", manifest_at, manifest_digest"

TX_READER(read_peer, struct peer, TX_TEXT(identity), TX_TEXT(digest), TX_I64(made_at),
    TX_I64(made_by), TX_TEXT(by), TX_I64(revoked_at), TX_I64(ends_at), TX_TEXT(next_digest),
    TX_I64(next_ends_at), TX_I64(changed_at), TX_TEXT(manifest))

struct peer
row_peer_get(struct tx *tx, const char *identity)
{
	return tx_first(tx, struct peer, read_peer,
	    "SELECT " COLUMNS " FROM peer WHERE identity = $1", DB_TEXT(identity));
}

struct peer
row_peer_of_key(struct tx *tx, const char *digest)
{
	return tx_first(tx, struct peer, read_peer,
	    "SELECT " COLUMNS " FROM peer WHERE digest = $1"
	    " UNION ALL SELECT " COLUMNS " FROM peer WHERE next_digest = $1 AND next_digest <> ''",
	    DB_TEXT(digest));
}

void
row_peer_put(struct tx *tx, const struct peer *peer)
{
	tx->store->are_peers_stale = true;
	(void)tx_run(tx,
	    "INSERT INTO peer (" OF_KEY ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
	    " ON CONFLICT (identity) DO UPDATE SET digest = $2, made_at = $3, made_by = $4,"
	    " by_name = $5, revoked_at = $6, ends_at = $7, next_digest = $8, next_ends_at = $9",
	    DB_TEXT(peer->identity), DB_TEXT(peer->digest), DB_I64(peer->made_at),
	    DB_I64(peer->made_by), DB_TEXT(peer->by), DB_I64(peer->revoked_at),
	    DB_I64(peer->ends_at), DB_TEXT(peer->next_digest),
	    DB_I64(peer->next_ends_at)); /* sticky */
}

void
row_peer_set_manifest(struct tx *tx, const char *identity, const char *list)
{
	char digest[FINGERPRINT_DIGEST];

	tx->store->are_peers_stale = true;
	(void)tx_run(tx,
	    "UPDATE peer SET manifest = $2, manifest_digest = $3,"
	    " manifest_at = CASE manifest_digest WHEN '' THEN 0 ELSE $4 END WHERE identity = $1",
	    DB_TEXT(identity), DB_TEXT(list), DB_TEXT(fingerprint_digest(list, digest)),
	    DB_I64(tx->at)); /* sticky */
}

const char *
row_peer_manifest(struct tx *tx, const char *identity, char ret[LIMIT_MANIFEST])
{
	return tx_first_text(tx, ret, LIMIT_MANIFEST,
	    "SELECT manifest FROM peer WHERE identity = $1", DB_TEXT(identity));
}

size_t
row_peer_changed(struct tx *tx, int64_t since, struct peer *ret, size_t n, int64_t *ret_all)
{
	*ret_all = tx_number(tx,
	    "SELECT COUNT(*) FROM peer WHERE manifest_at >= $1 AND revoked_at = 0", DB_I64(since));
	return tx_read(tx, read_peer, ret, n,
	    "SELECT " COLUMNS " FROM peer WHERE manifest_at >= $1 AND revoked_at = 0"
	    " ORDER BY identity LIMIT $2",
	    DB_I64(since), DB_I64((int64_t)n));
}

static int64_t
count(struct tx *tx)
{
	return tx_number(tx, "SELECT COUNT(*) FROM peer");
}

size_t
row_peer_list(struct tx *tx, const char *after, struct peer *ret, size_t n)
{
	return tx_read(tx, read_peer, ret, n,
	    "SELECT " COLUMNS " FROM peer WHERE identity > $1 ORDER BY identity LIMIT $2",
	    DB_TEXT(after), DB_I64((int64_t)n));
}

struct identity {
	row_peer_identity text;
};
TX_READER(read_identity, struct identity, TX_TEXT(text))

/* No name has a character behind z. */
size_t
row_peer_agents(struct tx *tx, const char *begin, row_peer_identity *ret, size_t n)
{
	row_peer_identity first, end;

	text_setf(first, PEER_AGENT "%s", begin);
	text_setf(end, PEER_AGENT "%s{", begin);
	return tx_read(tx, read_identity, ret, n,
	    "SELECT identity FROM peer WHERE identity >= $1 AND identity < $2 AND revoked_at = 0"
	    " ORDER BY identity LIMIT $3",
	    DB_TEXT(first), DB_TEXT(end), DB_I64((int64_t)n));
}

struct known_peers *
row_peer_known(struct tx *tx)
{
	struct known_peers *known = known_peers_new((size_t)count(tx));
	struct peer page[ROW_PEER_PAGE];
	char after[CRYPTO_CA_IDENTITY] = "";
	size_t got = ROW_PEER_PAGE;

	while (got == ROW_PEER_PAGE) {
		got = row_peer_list(tx, after, page, ROW_PEER_PAGE);
		for (size_t i = 0; i < got; i++)
			known_peers_add(known, &page[i]);
		if (got > 0)
			text_set(after, page[got - 1].identity);
	}
	if (!tx->failed)
		return known;
	known_peers_unref(known);
	return NULL;
}

bool
row_peer_is_full(struct tx *tx)
{
	return count(tx) >= PEERS_MOST;
}
