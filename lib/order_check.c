/* order_check.c - challenge, epoch and signature of an order, in this order.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/order_check.h"

#include <inttypes.h>

#include "lib/clock.h"
#include "lib/err.h"
#include "lib/text.h"

bool
order_challenge_draw(struct order_challenge *ret, struct err *err)
{
	uint8_t bytes[ORDER_CHALLENGE_HEX / 2];

	*ret = (struct order_challenge){ .due = clock_monotonic_ms() + ORDER_WAIT_MS };
	if (!crypto_random(bytes, sizeof(bytes), err))
		return false;
	text_hex(ret->hex, bytes, sizeof(bytes));
	return true;
}

bool
order_is_signed(const char *text, const struct order_bytes *order, const struct order_keys *keys)
{
	uint8_t bytes[ORDER_BYTES_MAX], signature[CRYPTO_ED25519_SIGNATURE];
	size_t size = order_bytes_write(order, bytes);

	if (size == 0 || !text_unhex(signature, sizeof(signature), text, strlen(text)))
		return false;
	for (size_t i = 0; i < keys->count; i++)
		if (crypto_ed25519_verify(keys->all[i], bytes, size, signature) == CRYPTO_PROVEN)
			return true;
	return false;
}

bool
order_check(struct order_challenge *challenge, const struct order_shown *shown,
    const struct order_keys *keys, struct err *err)
{
	const struct order_challenge valid = *challenge;
	struct order_bytes bytes = shown->bytes;

	*challenge = (struct order_challenge){ .due = 0 };
	if (valid.hex[0] == '\0' || strcmp(valid.hex, bytes.challenge) != 0)
		return err_set(err, ERR_DENIED,
		    "it answers no challenge that is valid: was the order repeated?");
	if (clock_monotonic_ms() >= valid.due)
		return err_set(err, ERR_DENIED, "it came more than %d s behind its challenge",
		    ORDER_WAIT_MS / 1000);
	if (bytes.epoch < shown->lowest)
		return err_set(err, ERR_DENIED,
		    "it is of epoch %" PRIu64 ", and epoch %" PRIu64 " has begun", bytes.epoch,
		    shown->lowest);
	bytes.agent = keys->name;
	return order_is_signed(shown->signature, &bytes, keys) ||
	    err_set(err, ERR_DENIED, "no order key that is known here has signed this for %s",
		keys->name);
}
