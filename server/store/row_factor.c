/* row_factor.c - second factors and recovery codes as rows; opens and closes what is sealed.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_factor.h"

#include "lib/crypto.h"
#include "lib/seal.h"
#include "store/store_inside.h"

TX_READER(read_factor, struct factor, TX_I64(person), TX_I64(made_at), TX_I64(made_by),
    TX_I64(enrolled_at), TX_I64(last_step), TX_I64(failures), TX_I64(locked_until),
    TX_I64(reset_message), TX_I64(reset_at), TX_I64(picture), TX_I64(proven_at))

struct factor
row_factor_get(struct tx *tx, int64_t person)
{
	return tx_first(tx, struct factor, read_factor,
	    "SELECT person, made_at, made_by, enrolled_at, last_step, failures, locked_until,"
	    " reset_message, reset_at, picture, proven_at FROM factor WHERE person = $1",
	    DB_I64(person));
}

static bool
seal(struct tx *tx, int64_t person, const struct factor_secret *secret, char out[SEAL_TEXT],
    struct err *err)
{
	uint8_t nonce[SEAL_NONCE];
	char place[FACTOR_PLACE];

	if (tx->settings->totp_keys == NULL)
		return err_set(err, ERR_MISSING, "TOTP_KEY_FILE is not set, or cannot be read");
	tx_draw(tx, nonce, sizeof(nonce));
	return seal_close(tx->settings->totp_keys, factor_secret_place(person, place), nonce,
	    secret, sizeof(*secret), out, err);
}

bool
row_factor_make(
    struct tx *tx, int64_t person, int64_t by, struct factor_secret *ret, struct err *err)
{
	char text[SEAL_TEXT];

	tx_draw(tx, ret->totp, sizeof(ret->totp));
	tx_draw(tx, ret->recovery, sizeof(ret->recovery));
	if (!seal(tx, person, ret, text, err))
		return false;
	row_factor_drop(tx, person);
	(void)tx_run(tx,
	    "INSERT INTO factor (person, sealed, made_at, made_by) VALUES ($1, $2, $3, $4)",
	    DB_I64(person), DB_TEXT(text), DB_I64(tx->at), DB_I64(by)); /* sticky */
	return true;
}

static void
read_sealed(const struct db_rows *rows, void *out)
{
	tx_text(rows, 0, out, SEAL_TEXT);
}

bool
row_factor_open(struct tx *tx, int64_t person, struct factor_secret *ret, struct err *err)
{
	char text[SEAL_TEXT] = "";

	if (tx_read_sql(tx, read_sealed, text, sizeof(text), 1,
		DB_SQL("SELECT sealed FROM factor WHERE person = $1", DB_I64(person))) == 0)
		return err_set(err, ERR_MISSING, "there is no second factor");
	return factor_secret_open(tx->settings, person, text, ret, err);
}

void
row_factor_save(struct tx *tx, const struct factor *factor)
{
	(void)tx_run(tx,
	    "UPDATE factor SET enrolled_at = $2, last_step = $3, failures = $4, locked_until = $5,"
	    " reset_message = $6, reset_at = $7, proven_at = $8 WHERE person = $1",
	    DB_I64(factor->person), DB_I64(factor->enrolled_at), DB_I64(factor->last_step),
	    DB_I64(factor->failures), DB_I64(factor->locked_until), DB_I64(factor->reset_message),
	    DB_I64(factor->reset_at), DB_I64(factor->proven_at)); /* sticky */
}

void
row_factor_drop(struct tx *tx, int64_t person)
{
	(void)tx_run(tx, "DELETE FROM factor WHERE person = $1", DB_I64(person));
	row_factor_drop_recovery(tx, person);
}

void
row_factor_drop_recovery(struct tx *tx, int64_t person)
{
	(void)tx_run(tx, "DELETE FROM recovery WHERE person = $1", DB_I64(person)); /* sticky */
}

/* --- all of them --- */

struct sealed_row {
	int64_t person;
	char text[SEAL_TEXT];
};

TX_READER(read_sealed_row, struct sealed_row, TX_I64(person), TX_TEXT(text))

/* False: the keys do not open it. */
static bool
reseal(struct tx *tx, const struct sealed_row *row)
{
	struct factor_secret secret;
	char text[SEAL_TEXT];
	struct err err;

	if (!row_factor_open(tx, row->person, &secret, &err))
		return false;
	if (!seal_is_old(tx->settings->totp_keys, row->text))
		;
	else if (!seal(tx, row->person, &secret, text, &err))
		tx_fail(tx, err.code, "%s", err.text);
	else
		(void)tx_run(tx, "UPDATE factor SET sealed = $2 WHERE person = $1",
		    DB_I64(row->person), DB_TEXT(text)); /* sticky */
	crypto_wipe(&secret, sizeof(secret));
	return true;
}

int64_t
row_factor_reseal(struct tx *tx)
{
	struct sealed_row row = { 0 };
	int64_t unreadable = 0;

	while (tx_read(tx, read_sealed_row, &row, 1,
		   "SELECT person, sealed FROM factor WHERE person > $1 ORDER BY person LIMIT 1",
		   DB_I64(row.person)) == 1)
		unreadable += !reseal(tx, &row);
	return unreadable;
}

int64_t
row_factor_next(struct tx *tx, int64_t after)
{
	return tx_number(tx,
	    "SELECT COALESCE((SELECT person FROM factor WHERE person > $1 ORDER BY person LIMIT 1), 0)",
	    DB_I64(after));
}

bool
row_factor_is_any(struct tx *tx)
{
	return tx_number(tx, "SELECT EXISTS (SELECT 1 FROM factor WHERE enrolled_at <> 0)") != 0;
}

int64_t
row_factor_look(struct db *db, const struct seal_keys *keys, int64_t *ret_unreadable)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct factor_secret secret;
	struct sealed_row row;
	char place[FACTOR_PLACE];
	int64_t n = 0;

	*ret_unreadable = 0;
	if (db == NULL || !db_query(&rows, db, NULL, "SELECT person, sealed FROM factor"))
		return -1;
	for (; db_next(&rows); n++) {
		read_sealed_row(&rows, &row);
		*ret_unreadable += keys == NULL ||
		    !seal_open(keys, factor_secret_place(row.person, place), row.text, &secret,
			sizeof(secret), NULL);
		crypto_wipe(&secret, sizeof(secret));
	}
	return n;
}

/* --- recovery codes --- */

void
row_factor_add_recovery(struct tx *tx, int64_t person, const struct factor_secret *secret,
    const uint8_t code[TOTP_RECOVERY])
{
	char mac[CRYPTO_SHA256_HEX];

	if (tx_mac(tx, secret->recovery, sizeof(secret->recovery), code, TOTP_RECOVERY, mac))
		(void)tx_run(tx, "INSERT INTO recovery (person, mac) VALUES ($1, $2)",
		    DB_I64(person), DB_TEXT(mac)); /* sticky */
}

bool
row_factor_take_recovery(struct tx *tx, int64_t person, const struct factor_secret *secret,
    const uint8_t code[TOTP_RECOVERY])
{
	char mac[CRYPTO_SHA256_HEX];

	if (!tx_mac(tx, secret->recovery, sizeof(secret->recovery), code, TOTP_RECOVERY, mac) ||
	    tx_number(tx, "SELECT COUNT(*) FROM recovery WHERE person = $1 AND mac = $2",
		DB_I64(person), DB_TEXT(mac)) == 0)
		return false;
	return tx_run(tx, "DELETE FROM recovery WHERE person = $1 AND mac = $2", DB_I64(person),
	    DB_TEXT(mac));
}

int64_t
row_factor_count_recovery(struct tx *tx, int64_t person)
{
	return tx_number(tx, "SELECT COUNT(*) FROM recovery WHERE person = $1", DB_I64(person));
}
