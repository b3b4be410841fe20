/* row_pad.c - the pad that somebody types a code on, and what they did before it was asked for.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_pad.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/crypto.h"
#include "lib/seal.h"
#include "lib/text.h"
#include "store/store_inside.h"

#define PLACE 40

struct sealed_pad {
	struct pad pad;
	char digits[SEAL_TEXT];
};

static const char *
place_of(int64_t message, char out[PLACE])
{
	(void)snprintf(out, PLACE, "pad/%" PRId64, message);
	return out;
}

/* Sealed with what fills them up: all have one length. */
static void
seal_digits(struct tx *tx, int64_t message, const char *digits, char out[SEAL_TEXT])
{
	char padded[PAD_DIGITS] = "", place[PLACE];
	uint8_t nonce[SEAL_NONCE];
	struct err err;

	out[0] = '\0';
	text_set(padded, digits);
	tx_draw(tx, nonce, sizeof(nonce));
	if (tx->settings->totp_keys != NULL &&
	    !seal_close(tx->settings->totp_keys, place_of(message, place), nonce, padded,
		sizeof(padded), out, &err))
		tx_fail(tx, err.code, "%s", err.text);
	crypto_wipe(padded, sizeof(padded));
}

static void
open_digits(struct tx *tx, const char *sealed, struct pad *pad)
{
	char place[PLACE];

	if (tx->settings->totp_keys == NULL ||
	    !seal_open(tx->settings->totp_keys, place_of(pad->message, place), sealed, pad->digits,
		sizeof(pad->digits), NULL))
		pad->digits[0] = '\0';
	pad->digits[PAD_DIGITS - 1] = '\0';
}

TX_READER(read_pad, struct sealed_pad, TX_I64(pad.message), TX_TEXT(digits), TX_TEXT(pad.wants),
    TX_I64(pad.expires_at), TX_INT(pad.update.kind), TX_I64(pad.update.address.chat),
    TX_I64(pad.update.address.thread), TX_I64(pad.update.message), TX_I64(pad.update.reply_to),
    TX_FLAG(pad.update.is_private), TX_TEXT(pad.update.name), TX_TEXT(pad.update.button),
    TX_TEXT(pad.update.text), TX_I64(pad.work), TX_TEXT(pad.shown), TX_TEXT(pad.update.file.id),
    TX_TEXT(pad.update.file.name), TX_I64(pad.update.file.size))

static void
get(struct tx *tx, int64_t person, bool is_open, struct pad *ret)
{
	struct sealed_pad sealed;

	(void)tx_first_to(tx, read_pad, &sealed,
	    "SELECT message, digits, wants, expires_at, kind, chat, thread, written, reply_to,"
	    " is_private, name, button, text, work, shown, file, file_name, file_size"
	    " FROM pad WHERE person = $1"
	    " AND CASE WHEN expires_at > $2 THEN 1 ELSE 0 END = $3",
	    DB_I64(person), DB_I64(tx->at), DB_I64(is_open)); /* sticky */
	*ret = sealed.pad;
	ret->update.person = person;
	update_set_text(&ret->update, sealed.pad.update.text);
	if (ret->message == 0)
		return;
	if (ret->update.kind != UPDATE_PRESS)
		ret->update.kind = UPDATE_TEXT;
	open_digits(tx, sealed.digits, ret);
}

void
row_pad_get(struct tx *tx, int64_t person, struct pad *ret)
{
	get(tx, person, true, ret);
}

void
row_pad_get_expired(struct tx *tx, int64_t person, struct pad *ret)
{
	get(tx, person, false, ret);
}

void
row_pad_put(struct tx *tx, const struct pad *pad)
{
	const struct update *update = &pad->update;
	char digits[SEAL_TEXT];

	row_pad_drop(tx, update->person);
	seal_digits(tx, pad->message, pad->digits, digits);
	(void)tx_run(tx,
	    "INSERT INTO pad (person, message, digits, wants, expires_at, kind, chat, thread,"
	    " written, reply_to, is_private, name, button, text, work, shown, file, file_name,"
	    " file_size) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,"
	    " $16, $17, $18, $19)",
	    DB_I64(update->person), DB_I64(pad->message), DB_TEXT(digits), DB_TEXT(pad->wants),
	    DB_I64(pad->expires_at), DB_I64(update->kind), DB_I64(update->address.chat),
	    DB_I64(update->address.thread), DB_I64(update->message), DB_I64(update->reply_to),
	    DB_I64(update->is_private), DB_TEXT(update->name), DB_TEXT(update->button),
	    DB_TEXT(update->text), DB_I64(pad->work), DB_TEXT(pad->shown), DB_TEXT(update->file.id),
	    DB_TEXT(update->file.name), DB_I64(update->file.size)); /* sticky */
}

void
row_pad_set_digits(struct tx *tx, int64_t person, int64_t message, const char *digits)
{
	char sealed[SEAL_TEXT];

	seal_digits(tx, message, digits, sealed);
	(void)tx_run(tx, "UPDATE pad SET digits = $2 WHERE person = $1", DB_I64(person),
	    DB_TEXT(sealed)); /* sticky */
}

void
row_pad_drop(struct tx *tx, int64_t person)
{
	(void)tx_run(tx, "DELETE FROM pad WHERE person = $1", DB_I64(person)); /* sticky */
}

int64_t
row_pad_next(struct tx *tx, int64_t work, int64_t after)
{
	return tx_number(tx,
	    "SELECT COALESCE(MIN(person), 0) FROM pad WHERE work = $1 AND person > $2",
	    DB_I64(work), DB_I64(after));
}
