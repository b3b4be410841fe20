/* decide_first_admin.c - a one-time link, by which the first admin says who they are.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/who/decide_first_admin.h"

#include <stdlib.h>

#include "decide/factor/decide_factor.h"
#include "decide/decide_limit.h"
#include "decide/decide_reply.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/text.h"
#include "store/row_first_admin.h"
#include "types/principal.h"

#define CODE_BYTES  8
#define CODE_DIGITS ((size_t)CODE_BYTES * 2)
#define OPEN_MS	    (10 * 60 * INT64_C(1000))

static void
digest_code(struct tx *tx, const char *code, char ret[ROW_FIRST_ADMIN_DIGEST])
{
	uint8_t digest[CRYPTO_SHA256_SIZE];
	struct err err;

	ret[0] = '\0';
	if (crypto_sha256(code, strlen(code), digest, &err))
		text_hex(ret, digest, sizeof(digest));
	else
		tx_fail(tx, err.code, "%s", err.text);
}

static void
make_link(struct tx *tx, const struct update *from, struct json_out *json)
{
	struct first_admin_link link = { .until = tx->at + OPEN_MS };
	char code[CODE_DIGITS + 1], until[TEXT_TIME_SIZE];
	uint8_t drawn[CODE_BYTES];

	if (decide_is_too_fast(tx, from, "first-admin", false))
		return;
	tx_draw(tx, drawn, sizeof(drawn));
	text_hex(code, drawn, sizeof(drawn));
	digest_code(tx, code, link.digest);
	row_first_admin_put(tx, &link);
	decide_factor_audit(tx, from, AUDIT_CODE_FIRST_ADMIN_LINK, 0);
	json_put_str(json, "code", code);
	json_put_str(json, "until", text_time_ms(until, link.until));
	/* The number of the bot that we receive for, which stands in front of its secret. */
	json_put_i64(json, "bot", strtoll(tx->settings->telegram_bot_token, NULL, 10));
	decide_answer(tx, "Made: who opens it within 10 minutes is shown.");
}

static void
show_link(struct tx *tx, struct json_out *json)
{
	struct first_admin_link link = row_first_admin_get(tx);

	if (link.person != 0)
		json_put_i64(json, "person", link.person);
	else
		json_put_str(json, "person", NULL);
	json_put_bool(
	    json, "is_open", link.digest[0] != '\0' && link.person == 0 && tx->at < link.until);
}

void
decide_first_admin(struct tx *tx, const struct api_request *api, struct json_out *json)
{
	if (!principal_is_root(api->from.person)) {
		if (!decide_is_too_fast(tx, &api->from, "first-admin", false))
			decide_deny(tx, &api->from, POLICY_ADMIN, "", "first-admin",
			    "only root on the machine may ask for that");
	} else if (api->operation == API_FIRST_ADMIN_LINK) {
		make_link(tx, &api->from, json);
	} else {
		show_link(tx, json);
	}
}

bool
decide_first_admin_opens(struct tx *tx, const struct update *update, const char *code)
{
	struct first_admin_link link;
	char digest[ROW_FIRST_ADMIN_DIGEST];

	if (update->person <= 0 || strlen(code) != CODE_DIGITS)
		return false;
	link = row_first_admin_get(tx);
	if (link.digest[0] == '\0' || link.person != 0 || tx->at >= link.until)
		return false;
	digest_code(tx, code, digest);
	if (!crypto_same_text(digest, link.digest))
		return false;
	link.person = update->person;
	row_first_admin_put(tx, &link);
	decide_factor_audit(tx, update, AUDIT_CODE_FIRST_ADMIN_OPENED, update->person);
	(void)decide_sendf(tx, &update->address,
	    "Your id is shown on the server now: whoever sets it up makes you the first admin.");
	return true;
}
