/* Goal: what the server has said of as many hosts as may connect is kept, one by one.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "link/link_known.h"

#include "lib/crypto_ca.h"
#include "types/peers.h"
#include "unit.h"

static struct link_known_table table;

static struct link_identity
who(int number)
{
	struct link_identity ret = { 0 };

	(void)snprintf(ret.name, sizeof(ret.name), "agent/h%05d", number);
	(void)snprintf(ret.digest, sizeof(ret.digest), "%064d", number);
	return ret;
}

/* The rest of them is asked of once more, which is the server's to answer. */
TEST(of_twelve_thousand_almost_all_are_known)
{
	int known = 0;

	for (int i = 0; i < PEERS_MOST; i++) {
		struct link_identity of = who(i);

		link_known_set(&table, &of, true);
		assert_true(link_known_of(&table, &of)->yes);
	}
	for (int i = 0; i < PEERS_MOST; i++) {
		struct link_identity of = who(i);

		known += link_known_of(&table, &of)->yes;
	}
	assert_true(known > PEERS_MOST - PEERS_MOST / 100);
}

TEST(another_key_of_that_name_is_another_one)
{
	struct link_identity of = who(1), other = who(1);

	link_known_set(&table, &of, true);
	other.digest[0] = '1';
	assert_false(link_known_of(&table, &other)->yes);
	assert_true(link_known_of(&table, &of)->yes);
	link_known_set(&table, &of, false);
	assert_false(link_known_of(&table, &of)->yes);
	assert_true(link_known_of(&table, &of)->at != 0);
}
