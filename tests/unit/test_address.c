/* Goal: each kind of address is known for what it leads to, in whatever spelling.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "lib/address.h"

#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

static enum address_class
class_of(const char *text)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
		return address_class((const struct sockaddr *)&in);
	assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
	return address_class((const struct sockaddr *)&in6);
}

TEST(each_network_ends_where_the_registry_says)
{
	static const struct {
		const char *text;
		enum address_class class;
	} rows[] = {
		{ "0.0.0.0", ADDRESS_NOWHERE },
		{ "0.255.255.255", ADDRESS_NOWHERE },
		{ "1.0.0.0", ADDRESS_PUBLIC },
		{ "9.255.255.255", ADDRESS_PUBLIC },
		{ "10.0.0.0", ADDRESS_PRIVATE },
		{ "10.255.255.255", ADDRESS_PRIVATE },
		{ "11.0.0.0", ADDRESS_PUBLIC },
		{ "100.63.255.255", ADDRESS_PUBLIC },
		{ "100.64.0.0", ADDRESS_PRIVATE },
		{ "100.127.255.255", ADDRESS_PRIVATE },
		{ "100.128.0.0", ADDRESS_PUBLIC },
		{ "127.0.0.1", ADDRESS_LOOPBACK },
		{ "127.255.255.255", ADDRESS_LOOPBACK },
		{ "128.0.0.0", ADDRESS_PUBLIC },
		{ "149.154.167.220", ADDRESS_PUBLIC },
		{ "169.253.255.255", ADDRESS_PUBLIC },
		{ "169.254.0.0", ADDRESS_LINK_LOCAL },
		{ "169.254.169.254", ADDRESS_LINK_LOCAL },
		{ "169.254.255.255", ADDRESS_LINK_LOCAL },
		{ "169.255.0.0", ADDRESS_PUBLIC },
		{ "172.15.255.255", ADDRESS_PUBLIC },
		{ "172.16.0.0", ADDRESS_PRIVATE },
		{ "172.31.255.255", ADDRESS_PRIVATE },
		{ "172.32.0.0", ADDRESS_PUBLIC },
		{ "192.167.255.255", ADDRESS_PUBLIC },
		{ "192.168.0.0", ADDRESS_PRIVATE },
		{ "192.168.255.255", ADDRESS_PRIVATE },
		{ "192.169.0.0", ADDRESS_PUBLIC },
		{ "223.255.255.255", ADDRESS_PUBLIC },
		{ "224.0.0.1", ADDRESS_NOWHERE },
		{ "255.255.255.255", ADDRESS_NOWHERE },
		{ "::", ADDRESS_NOWHERE },
		{ "::1", ADDRESS_LOOPBACK },
		{ "::2", ADDRESS_NOWHERE },
		{ "2001:67c:4e8:f004::9", ADDRESS_PUBLIC },
		{ "fbff::1", ADDRESS_PUBLIC },
		{ "fc00::", ADDRESS_PRIVATE },
		{ "fd00:ec1:ffff::1", ADDRESS_PRIVATE },
		{ "fd00:ec2::254", ADDRESS_LINK_LOCAL },
		{ "fd00:ec3::", ADDRESS_PRIVATE },
		{ "fdff:ffff::1", ADDRESS_PRIVATE },
		{ "fe00::1", ADDRESS_PUBLIC },
		{ "fe80::1", ADDRESS_LINK_LOCAL },
		{ "febf:ffff::1", ADDRESS_LINK_LOCAL },
		{ "fec0::1", ADDRESS_PUBLIC },
		{ "ff02::1", ADDRESS_NOWHERE },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		if (class_of(rows[i].text) != rows[i].class)
			fail_msg("%s is %d", rows[i].text, (int)class_of(rows[i].text));
}

TEST(an_address_of_ipv4_within_one_of_ipv6_is_judged_as_itself)
{
	assert_int_equal(class_of("::ffff:169.254.169.254"), ADDRESS_LINK_LOCAL);
	assert_int_equal(class_of("::ffff:127.0.0.1"), ADDRESS_LOOPBACK);
	assert_int_equal(class_of("::ffff:8.8.8.8"), ADDRESS_PUBLIC);
	assert_int_equal(class_of("64:ff9b::169.254.169.254"), ADDRESS_LINK_LOCAL);
	assert_int_equal(class_of("64:ff9b::a00:1"), ADDRESS_PRIVATE);
	assert_int_equal(class_of("2002:a9fe:a9fe::1"), ADDRESS_LINK_LOCAL);
	assert_int_equal(class_of("2002:808:808::1"), ADDRESS_PUBLIC);
}

TEST(another_family_leads_nowhere)
{
	const struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "/run/docker.sock" };

	assert_int_equal(address_class((const struct sockaddr *)&un), ADDRESS_NOWHERE);
}

/* A customer of IPv6 has 2^64 addresses, and is one. */
TEST(addresses_of_one_network_are_counted_as_one)
{
	static const struct {
		const char *text, *group;
	} rows[] = {
		{ "192.0.2.7", "192.0.2.7" },
		{ "::ffff:192.0.2.7", "192.0.2.7" },
		{ "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64" },
		{ "2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64" },
		{ "2001:db8:1:3::", "2001:db8:1:3::/64" },
		{ "ffff:ffff:ffff:ffff:1::", "ffff:ffff:ffff:ffff::/64" },
		{ "::1", "::/64" },
		{ "unix", "unix" },
		{ "", "" },
	};
	char out[ADDRESS_GROUP];

	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(address_group(rows[i].text, out), rows[i].group);
}

TEST(a_network_has_its_addresses_and_no_others)
{
	static const char *const in[] = { "10.0.0.7", "172.16.0.0", "172.31.255.255",
		"::ffff:172.20.1.1", "fd00::1", "fdff:ffff::", "2001:db8:0:1::5",
		"2001:db8:0:1:ffff:ffff:ffff:ffff" };
	static const char *const out[] = { "10.0.0.6", "10.0.0.8", "172.15.255.255", "172.32.0.0",
		"fc00::1", "fe00::", "2001:db8:0:2::", "::10.0.0.7", "unix", "" };
	struct address_networks networks = { 0 };

	assert_true(address_networks_add(&networks, "10.0.0.7"));
	assert_true(address_networks_add(&networks, "172.16.0.0/12"));
	assert_true(address_networks_add(&networks, "fd00::/8"));
	assert_true(address_networks_add(&networks, "2001:db8:0:1::/64"));
	assert_false(address_networks_add(&networks, "172.16.0.0/11"));
	for (size_t i = 0; i < COUNT(in); i++)
		assert_true(address_networks_have(&networks, in[i]));
	for (size_t i = 0; i < COUNT(out); i++)
		assert_false(address_networks_have(&networks, out[i]));
	while (networks.n < ADDRESS_NETWORKS)
		assert_true(address_networks_add(&networks, "::1"));
	assert_false(address_networks_add(&networks, "::1"));
}
