/* Goal: the signed bytes of an order are as its format says, and no two orders have the same.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/order_bytes.h"

#include "unit.h"

static const struct order_bytes order = {
	.kind = "run",
	.agent = "acme",
	.capability = "restart-web",
	.run = 12,
	.epoch = 0,
	.manifest = "ab",
	.challenge = "cd",
};

TEST(fields_stand_with_their_lengths_behind_a_version)
{
	static const char bytes[] = "\1"
				    "\0\0\0\3run"
				    "\0\0\0\4acme"
				    "\0\0\0\13restart-web"
				    "\0\0\0\2"
				    "12"
				    "\0\0\0\1"
				    "0"
				    "\0\0\0\2"
				    "ab"
				    "\0\0\0\2"
				    "cd";
	uint8_t out[ORDER_BYTES_MAX];

	assert_int_equal(order_bytes_write(&order, out), sizeof(bytes) - 1);
	assert_memory_equal(out, bytes, sizeof(bytes) - 1);
}

/* Letters that move from one field to its neighbour make another order. */
TEST(orders_that_differ_have_other_bytes)
{
	struct order_bytes others[] = { order, order, order, order, order, order, order, order };
	uint8_t out[ORDER_BYTES_MAX], other[ORDER_BYTES_MAX];
	size_t size = order_bytes_write(&order, out);

	others[0].kind = "go";
	others[1].agent = "acm";
	others[2].capability = "restart-we";
	others[3].run = 13;
	others[4].epoch = 1;
	others[5].manifest = "abc";
	others[6].challenge = "ce";
	others[7].agent = "acmer";
	others[7].capability = "estart-web";
	for (size_t i = 0; i < COUNT(others); i++) {
		size_t its = order_bytes_write(&others[i], other);

		assert_int_not_equal(its, 0);
		assert_true(its != size || memcmp(out, other, size) != 0);
	}
}

TEST(an_order_that_does_not_fit_has_no_bytes)
{
	struct order_bytes longer = order;
	uint8_t out[ORDER_BYTES_MAX];
	char name[ORDER_BYTES_MAX + 2];

	memset(name, 'a', sizeof(name));
	longer.agent = name;
	name[ORDER_BYTES_MAX - 50] = '\0'; /* all of it but the name has 50 bytes */
	assert_int_equal(order_bytes_write(&longer, out), ORDER_BYTES_MAX);
	name[ORDER_BYTES_MAX - 50] = 'a';
	name[ORDER_BYTES_MAX - 49] = '\0';
	assert_int_equal(order_bytes_write(&longer, out), 0);
	name[ORDER_BYTES_MAX - 49] = 'a';
	name[ORDER_BYTES_MAX + 1] = '\0';
	assert_int_equal(order_bytes_write(&longer, out), 0);
}
