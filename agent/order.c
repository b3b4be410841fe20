/* order.c - challenge, epoch and signature of an order, in this order.  Side: agent. */
/* SPDX-License-Identifier: ISC */
#include "agent/order.h"

#include <inttypes.h>

#include "lib/clock.h"
#include "lib/err.h"
#include "lib/text.h"

bool
order_challenge_draw(struct order_challenge *ret, struct err *err)
{
	uint8_t bytes[PROTOCOL_CHALLENGE_HEX / 2];

	*ret = (struct order_challenge){ .due = clock_monotonic_ms() + ORDER_WAIT_MS };
	if (!crypto_random(bytes, sizeof(bytes), err))
		return false;
	text_hex(ret->hex, bytes, sizeof(bytes));
	return true;
}

static bool
is_signed(const struct protocol_proof *proof, const struct order_bytes *order,
    const struct agent_settings *settings)
{
	uint8_t bytes[ORDER_BYTES_MAX], signature[CRYPTO_ED25519_SIGNATURE];
	size_t size = order_bytes_write(order, bytes);

	if (size == 0 ||
	    !text_unhex(signature, sizeof(signature), proof->signature, strlen(proof->signature)))
		return false;
	for (size_t i = 0; i < settings->key_count; i++)
		if (crypto_ed25519_verify(settings->keys[i], bytes, size, signature) ==
		    CRYPTO_PROVEN)
			return true;
	return false;
}

bool
order_check(struct order_challenge *challenge, const struct protocol_message *order,
    const struct order_bytes *expected, const struct agent_settings *settings, struct err *err)
{
	const struct order_challenge valid = *challenge;
	struct order_bytes fields = *expected;

	*challenge = (struct order_challenge){ .due = 0 };
	if (valid.hex[0] == '\0' || strcmp(valid.hex, order->proof.challenge) != 0)
		return err_set(err, ERR_DENIED,
		    "it answers no challenge that is valid: was the order repeated?");
	if (clock_monotonic_ms() >= valid.due)
		return err_set(err, ERR_DENIED, "it came more than %d s behind its challenge",
		    ORDER_WAIT_MS / 1000);
	if (order->proof.epoch < expected->epoch)
		return err_set(err, ERR_DENIED,
		    "it is of epoch %" PRIu64 ", and epoch %" PRIu64 " has begun",
		    order->proof.epoch, expected->epoch);
	fields.kind = protocol_kind_name(order->kind);
	fields.agent = settings->name;
	fields.epoch = order->proof.epoch;
	fields.challenge = order->proof.challenge;
	return is_signed(&order->proof, &fields, settings) ||
	    err_set(err, ERR_DENIED,
		"no order key that is known here has signed this for the agent %s", settings->name);
}
