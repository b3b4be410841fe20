/* order.c - challenge, epoch and signature of an order, in this order.  Side: agent. */
/* SPDX-License-Identifier: ISC */
#include "agent/order.h"

#include <inttypes.h>

#include "lib/order_bytes.h"
#include "lib/text.h"

bool
order_challenge_draw(struct order_challenge *ret, int64_t now, struct err *err)
{
	uint8_t bytes[PROTOCOL_CHALLENGE_HEX / 2];

	*ret = (struct order_challenge){ .due = now + ORDER_WAIT_MS };
	if (!crypto_random(bytes, sizeof(bytes), err))
		return false;
	text_hex(ret->hex, bytes, sizeof(bytes));
	return true;
}

static bool
check_challenge(
    const struct order_challenge *valid, const char *given, int64_t now, struct err *err)
{
	if (valid->hex[0] == '\0')
		return err_set(err, ERR_DENIED, "no challenge is valid: was the order repeated?");
	if (strcmp(valid->hex, given) != 0)
		return err_set(err, ERR_DENIED, "the order answers another challenge");
	return now < valid->due ||
	    err_set(err, ERR_DENIED, "the order came more than %d s behind its challenge",
		ORDER_WAIT_MS / 1000);
}

static bool
check_signature(
    const struct protocol_message *order, const struct order_context *context, struct err *err)
{
	const struct order_bytes signed_fields = { .kind = protocol_kind_name(order->kind),
		.agent = context->settings->name,
		.capability = context->capability,
		.run = context->run,
		.epoch = order->proof.epoch,
		.manifest = context->manifest,
		.challenge = order->proof.challenge };
	uint8_t bytes[ORDER_BYTES_MAX], signature[CRYPTO_ED25519_SIGNATURE];
	size_t size = order_bytes_write(&signed_fields, bytes);

	if (size == 0 ||
	    !text_unhex(signature, sizeof(signature), order->proof.signature, strlen(order->proof.signature)))
		return err_set(err, ERR_DENIED, "the order is not signed");
	for (size_t i = 0; i < context->settings->key_count; i++)
		if (crypto_ed25519_verify(context->settings->keys[i], bytes, size, signature) ==
		    CRYPTO_PROVEN)
			return true;
	return err_set(err, ERR_DENIED,
	    "the order is not signed by an order key that is known here, for the agent %s and what it says",
	    context->settings->name);
}

bool
order_check(struct order_challenge *challenge, const struct protocol_message *order,
    const struct order_context *context, int64_t now, struct err *err)
{
	const struct order_challenge valid = *challenge;

	*challenge = (struct order_challenge){ .due = 0 };
	if (!check_challenge(&valid, order->proof.challenge, now, err))
		return false;
	if (order->proof.epoch < context->epoch)
		return err_set(err, ERR_DENIED,
		    "the order is of epoch %" PRIu64 "; orders of epoch %" PRIu64 " were taken",
		    order->proof.epoch, context->epoch);
	return check_signature(order, context, err);
}
