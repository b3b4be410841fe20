/* address.c - what an IP address leads to: the internet, a private network, this machine, the link.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "lib/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

/* The first that fits counts. */
static const struct {
	uint32_t network;
	int bits;
	enum address_class class;
} of_4[] = {
	{ 0x00000000, 8, ADDRESS_NOWHERE }, { 0x0a000000, 8, ADDRESS_PRIVATE },
	{ 0x64400000, 10, ADDRESS_PRIVATE }, { 0x7f000000, 8, ADDRESS_LOOPBACK },
	{ 0xa9fe0000, 16, ADDRESS_LINK_LOCAL }, { 0xac100000, 12, ADDRESS_PRIVATE },
	{ 0xc0a80000, 16, ADDRESS_PRIVATE },
	{ 0xe0000000, 3, ADDRESS_NOWHERE }, /* multicast, reserved, broadcast */
};

/* Likewise; `at` is where an address of IPv4 stands in it, 0: it is none. */
static const struct {
	unsigned char network[16];
	int bits, at;
	enum address_class class;
} of_6[] = {
	{ { [10] = 0xff, [11] = 0xff }, 96, 12, ADDRESS_NOWHERE },
	{ { 0x00, 0x64, 0xff, 0x9b }, 96, 12, ADDRESS_NOWHERE },
	{ { 0x20, 0x02 }, 16, 2, ADDRESS_NOWHERE },
	{ { [15] = 1 }, 128, 0, ADDRESS_LOOPBACK },
	{ { 0 }, 96, 0, ADDRESS_NOWHERE },
	{ { 0xfd, 0x00, 0x0e, 0xc2 }, 32, 0, ADDRESS_LINK_LOCAL },
	{ { 0xfc }, 7, 0, ADDRESS_PRIVATE },
	{ { 0xfe, 0x80 }, 10, 0, ADDRESS_LINK_LOCAL },
	{ { 0xff }, 8, 0, ADDRESS_NOWHERE },
};

static enum address_class
class_of_4(const unsigned char bytes[4])
{
	uint32_t address;

	memcpy(&address, bytes, sizeof(address));
	address = ntohl(address);
	for (size_t i = 0; i < COUNT(of_4); i++)
		if (((address ^ of_4[i].network) >> (32 - of_4[i].bits)) == 0)
			return of_4[i].class;
	return ADDRESS_PUBLIC;
}

static bool
begins_as(const unsigned char address[16], const unsigned char network[16], int bits)
{
	size_t whole = (size_t)bits / 8;
	int rest = bits % 8;

	return memcmp(address, network, whole) == 0 &&
	    (rest == 0 || ((address[whole] ^ network[whole]) >> (8 - rest)) == 0);
}

static enum address_class
class_of_6(const unsigned char bytes[16])
{
	for (size_t i = 0; i < COUNT(of_6); i++)
		if (begins_as(bytes, of_6[i].network, of_6[i].bits))
			return of_6[i].at > 0 ? class_of_4(bytes + of_6[i].at) : of_6[i].class;
	return ADDRESS_PUBLIC;
}

enum address_class
address_class(const struct sockaddr *address)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	switch (address->sa_family) {
	case AF_INET:
		memcpy(&in, address, sizeof(in));
		return class_of_4((const unsigned char *)&in.sin_addr);
	case AF_INET6:
		memcpy(&in6, address, sizeof(in6));
		return class_of_6(in6.sin6_addr.s6_addr);
	default:
		return ADDRESS_NOWHERE;
	}
}
