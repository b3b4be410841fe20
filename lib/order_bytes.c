/* order_bytes.c - fields of an order with their lengths, one behind the other.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "lib/order_bytes.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>

#define VERSION 1

size_t
order_bytes_write(const struct order_bytes *order, uint8_t out[ORDER_BYTES_MAX])
{
	char run[24], epoch[24];
	const char *const fields[] = { order->kind, order->agent, order->capability, run, epoch,
		order->manifest, order->challenge };
	size_t size = 1;

	(void)snprintf(run, sizeof(run), "%" PRIu64, order->run);
	(void)snprintf(epoch, sizeof(epoch), "%" PRIu64, order->epoch);
	out[0] = VERSION;
	for (size_t i = 0; i < COUNT(fields); i++) {
		size_t length = strlen(fields[i]);
		uint32_t big = htobe32((uint32_t)length);

		if (length > ORDER_BYTES_MAX || size + sizeof(big) + length > ORDER_BYTES_MAX)
			return 0;
		memcpy(out + size, &big, sizeof(big));
		memcpy(out + size + sizeof(big), fields[i], length);
		size += sizeof(big) + length;
	}
	return size;
}
