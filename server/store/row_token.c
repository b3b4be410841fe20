/* row_token.c - tokens, logins by them, and wrong ones that were typed, as rows.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_token.h"

#include "lib/crypto.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/row_secret.h"
#include "store/store_inside.h"
#include "types/principal.h"
#include "types/secret.h"

#define COLUMNS \
	"id, name, application, role, made_at, made_by, by_name, expires_at, person, used_at," \
	" revoked_at, revoked_why, fault, ended_at"

TX_READER(read_token, struct token, TX_I64(id), TX_TEXT(name), TX_TEXT(application), TX_TEXT(role),
    TX_I64(made_at), TX_I64(made_by), TX_TEXT(by), TX_I64(expires_at), TX_I64(person),
    TX_I64(used_at), TX_I64(revoked_at), TX_TEXT(revoked_why), TX_WORD(fault, token_fault_of),
    TX_I64(ended_at))

/* Under the key that there was before: from now on it stands under the one that holds. */
static void
move(struct tx *tx, const struct secret *secret, const struct token *token, const char *text)
{
	char mac[CRYPTO_SHA256_HEX];

	if (token->id == 0 ||
	    !tx_mac(tx, secret->values[0], strlen(secret->values[0]), text, strlen(text), mac))
		return;
	(void)tx_run(tx, "UPDATE token SET mac = $2 WHERE id = $1", DB_I64(token->id),
	    DB_TEXT(mac)); /* sticky */
	tx->store->are_tokens_stale = true;
	row_secret_used(tx, secret->application, secret->name);
}

struct token
row_token_find(struct tx *tx, const char *text)
{
	const struct secret secret = secret_get(tx->settings, SETTING_AUTH_TOKEN_SECRET);
	struct token token = { 0 };
	char mac[CRYPTO_SHA256_HEX];

	if (secret.values[0] == NULL || !token_is_text(text))
		return token;
	for (size_t i = 0; token.id == 0 && i < SECRET_VALUES; i++) {
		const char *key = secret.values[i];

		if (key == NULL || !tx_mac(tx, key, strlen(key), text, strlen(text), mac))
			continue;
		(void)tx_read(tx, read_token, &token, 1,
		    "SELECT " COLUMNS " FROM token WHERE mac = $1", DB_TEXT(mac));
		if (i > 0)
			move(tx, &secret, &token, text);
	}
	return token;
}

struct token
row_token_get(struct tx *tx, int64_t id)
{
	return tx_first(tx, struct token, read_token, "SELECT " COLUMNS " FROM token WHERE id = $1",
	    DB_I64(id));
}

struct token
row_token_named(struct tx *tx, const char *name)
{
	return tx_first(tx, struct token, read_token,
	    "SELECT " COLUMNS " FROM token WHERE name = $1 AND revoked_at = 0", DB_TEXT(name));
}

size_t
row_token_list(struct tx *tx, struct token ret[ROW_TOKEN_LIST])
{
	struct token token = { 0 };
	size_t n = 0;

	while (n < ROW_TOKEN_LIST &&
	    tx_read(tx, read_token, &token, 1,
		"SELECT " COLUMNS " FROM token WHERE name > $1 AND revoked_at = 0"
		" ORDER BY name LIMIT 1",
		DB_TEXT(token.name)) == 1)
		ret[n++] = token;
	return n;
}

int64_t
row_token_add(struct tx *tx, const struct token *token, const char *text)
{
	const char *key = tx->settings->auth_token_secret;
	int64_t id = tx_next_id(tx, STORE_ID_TOKEN);
	char mac[CRYPTO_SHA256_HEX];

	if (!tx_mac(tx, key, strlen(key), text, strlen(text), mac) ||
	    !tx_run(tx,
		"INSERT INTO token (name, mac, application, role, made_at, made_by, by_name,"
		" expires_at, id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
		DB_TEXT(token->name), DB_TEXT(mac), DB_TEXT(token->application),
		DB_TEXT(token->role), DB_I64(token->made_at), DB_I64(token->made_by),
		DB_TEXT(token->by), DB_I64(token->expires_at), DB_I64(id)))
		return 0;
	tx->store->are_tokens_stale = true;
	return id;
}

void
row_token_save(struct tx *tx, const struct token *token)
{
	tx->who.id = 0;
	tx->store->are_tokens_stale = true;
	(void)tx_run(tx,
	    "UPDATE token SET person = $2, used_at = $3, revoked_at = $4, revoked_why = $5,"
	    " application = $6, fault = $7, ended_at = $8 WHERE id = $1",
	    DB_I64(token->id), DB_I64(token->person), DB_I64(token->used_at),
	    DB_I64(token->revoked_at), DB_TEXT(token->revoked_why), DB_TEXT(token->application),
	    DB_TEXT(token_fault_rows[token->fault].word), DB_I64(token->ended_at)); /* sticky */
}

void
row_token_use(struct tx *tx, const struct token *token)
{
	(void)tx_run(tx, "UPDATE token SET used_at = $2 WHERE id = $1", DB_I64(token->id),
	    DB_I64(tx->at)); /* sticky */
}

void
row_token_rename(struct tx *tx, const char *from, const char *to)
{
	tx->who.id = 0;
	tx->store->are_tokens_stale = true;
	(void)tx_run(tx, "UPDATE token SET application = $2 WHERE application = $1", DB_TEXT(from),
	    DB_TEXT(to)); /* sticky */
}

/* --- is it valid? --- */

size_t
row_token_role(const struct settings *settings, const struct token *token)
{
	bool is_unknown = token->application[0] == *ROLE_OF_UNKNOWN;

	return roles_find(settings->roles, is_unknown ? "" : token->application, token->role);
}

const char *
row_token_role_text(const struct token *token, char out[ROLE_TEXT])
{
	bool is_found =
	    token->application[0] != *ROLE_OF_UNKNOWN && token->application[0] != *ROLE_OF_SEVERAL;

	return role_id_text(is_found ? token->application : "", token->role, out);
}

struct policy_end
row_token_end(const struct settings *settings, const struct token *token)
{
	const struct policy_right right = { .role = row_token_role(settings, token),
		.until = token->expires_at,
		.maker = token->made_by };

	return right.role != 0 ? policy_end_of(settings, &right) :
				 (struct policy_end){ .by = POLICY_ENDS_WITH_ROLE };
}

enum token_fault
row_token_fault(const struct settings *settings, const struct token *token, int64_t at)
{
	struct policy_end end;

	if (token->id == 0)
		return TOKEN_UNKNOWN;
	if (settings->auth_token_secret == NULL)
		return TOKEN_OFF;
	if (token->revoked_at != 0)
		return TOKEN_REVOKED;
	if (token->ended_at != 0)
		return token->fault != TOKEN_GOOD ? token->fault : TOKEN_UNKNOWN;
	end = row_token_end(settings, token);
	if (at < end.at)
		return TOKEN_GOOD;
	if (token->application[0] == *ROLE_OF_SEVERAL)
		return TOKEN_ROLE_SEVERAL;
	switch (end.by) {
	case POLICY_ENDS_ITSELF:
		return TOKEN_EXPIRED;
	case POLICY_ENDS_WITH_ROLE:
		return end.at == 0 ? TOKEN_ROLE_GONE : TOKEN_ROLE_ENDED;
	case POLICY_ENDS_WITH_MAKER:
		break;
	}
	return end.at == 0 ? TOKEN_MAKER_GONE : TOKEN_MAKER_ENDED;
}

bool
row_token_read(const char *database, const char *name, struct token *ret, struct err *err)
{
	CLEANUP(db_closep) struct db *db = db_open(database, DB_READ_ONLY, err);
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };

	*ret = (struct token){ 0 };
	if (db == NULL ||
	    !db_query(&rows, db, err,
		"SELECT " COLUMNS " FROM token WHERE name = $1 AND revoked_at = 0", DB_TEXT(name)))
		return false;
	if (db_next(&rows))
		read_token(&rows, ret);
	return db_rows_end(&rows, err);
}

bool
row_token_clear(struct tx *tx, int64_t max)
{
	return tx_changes(tx,
		   "DELETE FROM token WHERE id IN (SELECT id FROM token"
		   " WHERE ((revoked_at <> 0 AND revoked_at < $1) OR expires_at < $1"
		   " OR (ended_at <> 0 AND ended_at < $1))"
		   " AND id NOT IN (SELECT p.token FROM work w JOIN press p ON p.work = w.id"
		   " WHERE w.emergency <> '' AND w.reviewed_at = 0) LIMIT $2)",
		   DB_I64(tx->at - ROW_TOKEN_KEPT_MS), DB_I64(max)) == max;
}

/* --- for the loop --- */

static void
read_mac(const struct db_rows *rows, void *out)
{
	struct known_token *known = out;
	const char *hex = db_col_text(rows, 0);

	*known = (struct known_token){ 0 };
	if (!text_unhex(known->mac, sizeof(known->mac), hex, strlen(hex)))
		*known = (struct known_token){ 0 }; /* no row that we wrote: it fits nothing */
}

/* 0: it is not valid. */
static int64_t
valid_until(const struct tx *tx, const struct token *token)
{
	bool is_good = row_token_fault(tx->settings, token, tx->at) == TOKEN_GOOD;

	return is_good ? row_token_end(tx->settings, token).at : 0;
}

bool
row_token_known(struct tx *tx, struct known_tokens *ret)
{
	CLEANUP(freep) struct token *all = mem_new(TOKENS_KNOWN, sizeof(*all));
	size_t n;

	/* Both in the same order: the second has the MACs of the first. */
	n = tx_read(tx, read_token, all, TOKENS_KNOWN,
	    "SELECT " COLUMNS " FROM token WHERE revoked_at = 0 ORDER BY id LIMIT $1",
	    DB_I64(TOKENS_KNOWN));
	ret->n = tx_read(tx, read_mac, ret->at, TOKENS_KNOWN,
	    "SELECT mac FROM token WHERE revoked_at = 0 ORDER BY id LIMIT $1",
	    DB_I64(TOKENS_KNOWN));
	for (size_t i = 0; i < n && i < ret->n; i++)
		ret->at[i].until = valid_until(tx, &all[i]);
	ret->n += tx_read(tx, read_mac, ret->at + ret->n, TOKENS_KNOWN,
	    "SELECT mac FROM token WHERE revoked_at <> 0 ORDER BY revoked_at DESC LIMIT $1",
	    DB_I64(TOKENS_KNOWN));
	return !tx->failed;
}

/* --- logins --- */

TX_READER(read_session, struct session, TX_I64(person), TX_I64(token), TX_TEXT(name),
    TX_I64(began_at), TX_I64(used_at))

struct session
row_session_get(struct tx *tx, int64_t person)
{
	return tx_first(tx, struct session, read_session,
	    "SELECT person, token, name, began_at, used_at FROM session WHERE person = $1",
	    DB_I64(person));
}

struct session
row_session_next(struct tx *tx, int64_t after)
{
	return tx_first(tx, struct session, read_session,
	    "SELECT person, token, name, began_at, used_at FROM session WHERE person > $1"
	    " ORDER BY person LIMIT 1",
	    DB_I64(after));
}

void
row_session_put(struct tx *tx, const struct session *session)
{
	tx->who.id = 0;
	(void)tx_run(tx,
	    "INSERT INTO session (person, token, name, began_at, used_at)"
	    " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (person) DO UPDATE"
	    " SET token = $2, name = $3, began_at = $4, used_at = $5",
	    DB_I64(session->person), DB_I64(session->token), DB_TEXT(session->name),
	    DB_I64(session->began_at), DB_I64(session->used_at)); /* sticky */
}

void
row_session_drop(struct tx *tx, int64_t person)
{
	tx->who.id = 0;
	(void)tx_run(tx, "DELETE FROM session WHERE person = $1", DB_I64(person)); /* sticky */
}

int64_t
row_session_end(const struct tx *tx, const struct session *session, const struct token *token)
{
	int64_t idle = session->used_at + tx->settings->session_timeout_ms;
	int64_t end = row_token_end(tx->settings, token).at;

	return idle < end ? idle : end;
}

size_t
row_token_lent(struct tx *tx, int64_t person)
{
	struct session session = { 0 };
	int64_t id = principal_token(person);
	struct token token;

	if (person == 0 || tx->settings->auth_token_secret == NULL)
		return 0;
	if (id == 0)
		session = row_session_get(tx, person);
	token = row_token_get(tx, id != 0 ? id : session.token);
	if (row_token_fault(tx->settings, &token, tx->at) != TOKEN_GOOD ||
	    (id == 0 && tx->at >= row_session_end(tx, &session, &token)))
		return 0;
	return row_token_role(tx->settings, &token);
}

int64_t
row_token_acting(struct tx *tx, int64_t person)
{
	int64_t bearer = principal_token(person);

	return bearer != 0 || person <= 0 ? bearer : row_session_get(tx, person).token;
}

/* --- wrong ones --- */

TX_READER(read_try, struct login_try, TX_I64(failures), TX_I64(since), TX_I64(locked_until))

struct login_try
row_login_try_get(struct tx *tx, int64_t person)
{
	return tx_first(tx, struct login_try, read_try,
	    "SELECT failures, since, locked_until FROM login_try WHERE person = $1",
	    DB_I64(person));
}

void
row_login_try_put(struct tx *tx, int64_t person, const struct login_try *tries)
{
	(void)tx_run(tx, "DELETE FROM login_try WHERE since <= $1 AND locked_until <= $2",
	    DB_I64(tx->at - ROW_LOGIN_TRY_MS), DB_I64(tx->at)); /* sticky */
	(void)tx_run(tx,
	    "INSERT INTO login_try (person, failures, since, locked_until)"
	    " VALUES ($1, $2, $3, $4) ON CONFLICT (person) DO UPDATE"
	    " SET failures = $2, since = $3, locked_until = $4",
	    DB_I64(person), DB_I64(tries->failures), DB_I64(tries->since),
	    DB_I64(tries->locked_until)); /* sticky */
}
