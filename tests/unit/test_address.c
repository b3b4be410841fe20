/* Goal: each kind of address is known for what it leads to, in whatever spelling.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "lib/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/un.h>
#include <cmocka.h>

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

static void
each_network_ends_where_the_registry_says(void **state)
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

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (class_of(rows[i].text) != rows[i].class)
			fail_msg("%s is %d", rows[i].text, (int)class_of(rows[i].text));
}

static void
an_address_of_ipv4_within_one_of_ipv6_is_judged_as_itself(void **state)
{
	(void)state;
	assert_int_equal(class_of("::ffff:169.254.169.254"), ADDRESS_LINK_LOCAL);
	assert_int_equal(class_of("::ffff:127.0.0.1"), ADDRESS_LOOPBACK);
	assert_int_equal(class_of("::ffff:8.8.8.8"), ADDRESS_PUBLIC);
	assert_int_equal(class_of("64:ff9b::169.254.169.254"), ADDRESS_LINK_LOCAL);
	assert_int_equal(class_of("64:ff9b::a00:1"), ADDRESS_PRIVATE);
	assert_int_equal(class_of("2002:a9fe:a9fe::1"), ADDRESS_LINK_LOCAL);
	assert_int_equal(class_of("2002:808:808::1"), ADDRESS_PUBLIC);
}

static void
another_family_leads_nowhere(void **state)
{
	const struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "/run/docker.sock" };

	(void)state;
	assert_int_equal(address_class((const struct sockaddr *)&un), ADDRESS_NOWHERE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_network_ends_where_the_registry_says),
		cmocka_unit_test(an_address_of_ipv4_within_one_of_ipv6_is_judged_as_itself),
		cmocka_unit_test(another_family_leads_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
