/* release_ticket.c - a ticket is signed and written; read, compared and proven.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/release_ticket.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/err.h"
#include "lib/fingerprint.h"
#include "lib/order_check.h"
#include "lib/text.h"

/* order: the texts outlive it; digest and until are its. */
static struct order_bytes
bytes_of(const struct release_ticket *ticket, char digest[FINGERPRINT_DIGEST], char until[24])
{
	(void)snprintf(until, 24, "%" PRId64, ticket->until_s);
	return (struct order_bytes){ .kind = "ticket",
		.agent = ticket->environment,
		.capability = ticket->program,
		.run = ticket->run,
		.epoch = ticket->epoch,
		.manifest = fingerprint_digest(ticket->agents, digest),
		.challenge = until };
}

bool
release_ticket_make(const struct release_ticket *ticket, const uint8_t seed[CRYPTO_ED25519_KEY],
    char ret[RELEASE_TICKET_MAX], struct err *err)
{
	uint8_t bytes[ORDER_BYTES_MAX], signature[CRYPTO_ED25519_SIGNATURE];
	char digest[FINGERPRINT_DIGEST], until[24], hex[2 * CRYPTO_ED25519_SIGNATURE + 1];
	const struct order_bytes order = bytes_of(ticket, digest, until);
	size_t size = order_bytes_write(&order, bytes);

	if (!crypto_ed25519_sign(seed, bytes, size, signature, err))
		return false;
	text_hex(hex, signature, sizeof(signature));
	static_assert(RELEASE_TICKET_AGENTS + ENVIRONMENT_ID_MAX + sizeof(hex) + 75 + RELEASE_KEY <
		RELEASE_TICKET_MAX,
	    "each ticket fits");
	(void)snprintf(ret, RELEASE_TICKET_MAX, "%" PRIu64 " %" PRIu64 " %s %s %s %s %s",
	    ticket->run, ticket->epoch, ticket->environment, ticket->program, until, ticket->agents,
	    hex);
	return true;
}

static bool
check(const struct release_ticket *ticket, const char *signature,
    const struct release_ticket_of *of, struct err *err)
{
	char digest[FINGERPRINT_DIGEST], until[24];
	const struct order_bytes order = bytes_of(ticket, digest, until);

	if (!order_is_signed(signature, &order, of->keys))
		return err_set(
		    err, ERR_DENIED, "no order key that is known here has signed this ticket");
	if (ticket->epoch < of->lowest)
		return err_set(err, ERR_DENIED,
		    "its ticket is of epoch %" PRIu64 ", and epoch %" PRIu64 " has begun",
		    ticket->epoch, of->lowest);
	return of->now_s < ticket->until_s ||
	    err_set(err, ERR_DENIED,
		"its ticket ended %" PRId64 " s ago, by the clock of this host",
		of->now_s - ticket->until_s);
}

bool
release_ticket_read(const char *text, const struct release_ticket_of *of,
    struct release_ticket *ret, struct err *err)
{
	char copy[RELEASE_TICKET_MAX], *rest = copy;
	int64_t run, epoch;

	*ret = (struct release_ticket){ .run = 0 };
	if (text_copy(copy, sizeof(copy), text)) {
		const char *fields[7] = { NULL };

		for (size_t i = 0; i < COUNT(fields); i++)
			fields[i] = strsep(&rest, " ");
		if (fields[6] != NULL && rest == NULL &&
		    text_to_i64(fields[0], 1, INT64_MAX, &run, NULL) &&
		    text_to_i64(fields[1], 0, INT64_MAX, &epoch, NULL) &&
		    text_copy(ret->environment, sizeof(ret->environment), fields[2]) &&
		    text_copy(ret->program, sizeof(ret->program), fields[3]) &&
		    text_to_i64(fields[4], 0, INT64_MAX, &ret->until_s, NULL) &&
		    text_copy(ret->agents, sizeof(ret->agents), fields[5])) {
			ret->run = (uint64_t)run;
			ret->epoch = (uint64_t)epoch;
			return check(ret, fields[6], of, err);
		}
	}
	return err_set(err, ERR_INVALID, "what it shows is no ticket");
}

bool
release_ticket_is_for(
    const struct release_ticket *ticket, const char *agent, const char *manifest, struct err *err)
{
	char one[ORDER_KEYS_NAME + FINGERPRINT_DIGEST + 1];
	size_t size;

	(void)snprintf(one, sizeof(one), "%s=%s", agent, manifest);
	for (const char *at = ticket->agents; *at != '\0'; at += size + (at[size] == ',')) {
		size = strcspn(at, ",");
		if (size == strlen(one) && memcmp(at, one, size) == 0)
			return true;
	}
	return err_set(err, ERR_DENIED,
	    "its ticket is not for %s, or the units of this host are not those that it is for",
	    agent);
}

/* --- calls --- */

bool
release_key_make(char key[RELEASE_KEY], char seed[RELEASE_KEY], struct err *err)
{
	uint8_t secret[CRYPTO_ED25519_KEY], public[CRYPTO_ED25519_KEY];
	bool good = crypto_random(secret, sizeof(secret), err) &&
	    crypto_ed25519_public(secret, public, err);

	if (good) {
		text_hex(key, public, sizeof(public));
		text_hex(seed, secret, sizeof(secret));
	}
	crypto_wipe(secret, sizeof(secret));
	return good;
}

static size_t
call_bytes(const struct release_call *call, uint8_t out[ORDER_BYTES_MAX])
{
	char digest[FINGERPRINT_DIGEST];

	return order_bytes_write(&(struct order_bytes){ .kind = "call",
				     .agent = call->agent,
				     .capability = call->act,
				     .manifest = fingerprint_digest(call->words, digest),
				     .challenge = call->challenge },
	    out);
}

bool
release_call_sign(const char *ticket, const struct release_call *call,
    char ret[2 * CRYPTO_ED25519_SIGNATURE + 1], struct err *err)
{
	uint8_t seed[CRYPTO_ED25519_KEY], bytes[ORDER_BYTES_MAX];
	uint8_t signature[CRYPTO_ED25519_SIGNATURE];
	const char *hex = strrchr(ticket, ' ');
	size_t size = call_bytes(call, bytes);
	bool good = hex != NULL && text_unhex(seed, sizeof(seed), hex + 1, strlen(hex + 1));

	if (size == 0)
		return err_set(err, ERR_LIMIT, "the call is too long to sign: an act of %zu bytes",
		    strlen(call->act));
	if (!good)
		return err_set(err, ERR_INVALID, "the ticket has no key behind it");
	good = crypto_ed25519_sign(seed, bytes, size, signature, err);
	if (good)
		text_hex(ret, signature, sizeof(signature));
	crypto_wipe(seed, sizeof(seed));
	return good;
}

bool
release_call_is_signed(
    const struct release_ticket *ticket, const struct release_call *call, const char *signature)
{
	uint8_t key[CRYPTO_ED25519_KEY], bytes[ORDER_BYTES_MAX], raw[CRYPTO_ED25519_SIGNATURE];
	const char *at = ticket->agents;
	size_t size = call_bytes(call, bytes);

	for (; *at != '\0' && *at != '='; at += *at == ',')
		at += strcspn(at, ",");
	return size > 0 && *at == '=' &&
	    text_unhex(key, sizeof(key), at + 1, strcspn(at + 1, ",")) &&
	    text_unhex(raw, sizeof(raw), signature, strlen(signature)) &&
	    crypto_ed25519_verify(key, bytes, size, raw) == CRYPTO_PROVEN;
}
