/* row_console.c - sessions of the console, and the codes that open one, as rows.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_console.h"

#include "lib/text.h"
#include "store/row_secret.h"
#include "store/store_inside.h"
#include "types/secret.h"

#define COLUMNS "mac, person, name, bot, began_at, used_at, ends_at, proof_at"

TX_READER(read_session, struct console_session, TX_TEXT(mac), TX_I64(person), TX_TEXT(name),
    TX_TEXT(bot), TX_I64(began_at), TX_I64(used_at), TX_I64(ends_at), TX_I64(proof_at))

/* Under the key that holds, or under the one before it.  False: there is none, or no memory. */
static bool
mac_of(struct tx *tx, size_t value, const char *text, char ret[ROW_CONSOLE_MAC])
{
	const struct secret secret = secret_get(tx->settings, SETTING_AUTH_TOKEN_SECRET);
	const char *key = secret.values[value];

	return key != NULL && tx_mac(tx, key, strlen(key), text, strlen(text), ret);
}

/* What stood under the previous key stands under the one that holds from its first use on. */
static void
move(struct tx *tx, struct console_session *session, const char *token)
{
	const struct secret secret = secret_get(tx->settings, SETTING_AUTH_TOKEN_SECRET);
	char mac[ROW_CONSOLE_MAC];

	if (session->person == 0 || !mac_of(tx, 0, token, mac))
		return;
	(void)tx_run(tx, "UPDATE console_session SET mac = $2 WHERE mac = $1",
	    DB_TEXT(session->mac), DB_TEXT(mac)); /* sticky */
	text_set(session->mac, mac);
	tx->store->are_tokens_stale = true;
	row_secret_used(tx, secret.application, secret.name);
}

struct console_session
row_console_find(struct tx *tx, const char *token)
{
	struct console_session session = { 0 };
	char mac[ROW_CONSOLE_MAC];

	for (size_t i = 0; session.person == 0 && token_is_session(token) && i < SECRET_VALUES;
	     i++) {
		if (!mac_of(tx, i, token, mac))
			continue;
		session = tx_first(tx, struct console_session, read_session,
		    "SELECT " COLUMNS " FROM console_session WHERE mac = $1", DB_TEXT(mac));
		if (i > 0)
			move(tx, &session, token);
	}
	return session;
}

struct console_session
row_console_next(struct tx *tx, const char *after)
{
	return tx_first(tx, struct console_session, read_session,
	    "SELECT " COLUMNS " FROM console_session WHERE mac > $1 ORDER BY mac LIMIT 1",
	    DB_TEXT(after));
}

struct console_session
row_console_idlest(struct tx *tx, int64_t person)
{
	if (person == 0)
		return tx_first(tx, struct console_session, read_session,
		    "SELECT " COLUMNS " FROM console_session ORDER BY used_at LIMIT 1");
	return tx_first(tx, struct console_session, read_session,
	    "SELECT " COLUMNS " FROM console_session WHERE person = $1 ORDER BY used_at LIMIT 1",
	    DB_I64(person));
}

int64_t
row_console_count(struct tx *tx, int64_t person)
{
	if (person == 0)
		return tx_number(tx, "SELECT COUNT(*) FROM console_session");
	return tx_number(
	    tx, "SELECT COUNT(*) FROM console_session WHERE person = $1", DB_I64(person));
}

void
row_console_add(struct tx *tx, const struct console_session *session, const char *token)
{
	char mac[ROW_CONSOLE_MAC];

	if (!mac_of(tx, 0, token, mac)) {
		tx_fail(tx, ERR_CONFIG, "AUTH_TOKEN_SECRET is not set");
		return;
	}
	tx->store->are_tokens_stale = true;
	(void)tx_run(tx,
	    "INSERT INTO console_session (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
	    DB_TEXT(mac), DB_I64(session->person), DB_TEXT(session->name), DB_TEXT(session->bot),
	    DB_I64(session->began_at), DB_I64(session->used_at), DB_I64(session->ends_at),
	    DB_I64(session->proof_at)); /* sticky */
}

void
row_console_save(struct tx *tx, const struct console_session *session)
{
	(void)tx_run(tx, "UPDATE console_session SET used_at = $2, proof_at = $3 WHERE mac = $1",
	    DB_TEXT(session->mac), DB_I64(session->used_at),
	    DB_I64(session->proof_at)); /* sticky */
}

void
row_console_drop(struct tx *tx, const struct console_session *session)
{
	tx->store->are_tokens_stale = true;
	(void)tx_run(
	    tx, "DELETE FROM console_session WHERE mac = $1", DB_TEXT(session->mac)); /* sticky */
}

/* --- codes --- */

void
row_console_put_code(
    struct tx *tx, int64_t person, const char *name, const char *code, int64_t until)
{
	char mac[ROW_CONSOLE_MAC];

	if (!mac_of(tx, 0, code, mac)) {
		tx_fail(tx, ERR_CONFIG, "AUTH_TOKEN_SECRET is not set");
		return;
	}
	(void)tx_run(tx, "DELETE FROM console_code WHERE until <= $1", DB_I64(tx->at)); /* sticky */
	(void)tx_run(tx,
	    "INSERT INTO console_code (person, mac, name, until) VALUES ($1, $2, $3, $4)"
	    " ON CONFLICT (person) DO UPDATE SET mac = $2, name = $3, until = $4",
	    DB_I64(person), DB_TEXT(mac), DB_TEXT(name), DB_I64(until)); /* sticky */
}

int64_t
row_console_take_code(struct tx *tx, const char *code, char ret_name[LIMIT_PERSON])
{
	char mac[ROW_CONSOLE_MAC];
	int64_t person;

	ret_name[0] = '\0';
	if (!mac_of(tx, 0, code, mac))
		return 0;
	person = tx_number(tx, "SELECT person FROM console_code WHERE mac = $1 AND until > $2",
	    DB_TEXT(mac), DB_I64(tx->at));
	if (person == 0)
		return 0;
	(void)tx_first_text(tx, ret_name, LIMIT_PERSON,
	    "SELECT name FROM console_code WHERE mac = $1", DB_TEXT(mac));
	(void)tx_run(tx, "DELETE FROM console_code WHERE mac = $1", DB_TEXT(mac)); /* sticky */
	return person;
}

/* --- for the loop --- */

static void
read_known(const struct db_rows *rows, void *out)
{
	struct known_token *known = out;
	const char *hex = db_col_text(rows, 0);

	*known = (struct known_token){ 0 };
	if (text_unhex(known->mac, sizeof(known->mac), hex, strlen(hex)))
		known->until = db_col_i64(rows, 1);
	else
		*known = (struct known_token){ 0 }; /* no row that we wrote: it fits nothing */
}

bool
row_console_known(struct tx *tx, struct known_tokens *ret)
{
	ret->n += tx_read(tx, read_known, ret->at + ret->n, SESSIONS_KNOWN,
	    "SELECT mac, ends_at FROM console_session WHERE ends_at > $1 LIMIT $2", DB_I64(tx->at),
	    DB_I64(SESSIONS_KNOWN));
	return !tx->failed;
}
