/* address.c - tables of special networks, and addresses as texts.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "lib/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "lib/text.h"

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

/* --- texts --- */

static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

/* One of IPv4 as it stands in IPv6. */
static bool
read_text(const char *text, unsigned char ret[16])
{
	memcpy(ret, mapped, sizeof(mapped));
	return inet_pton(AF_INET, text, ret + sizeof(mapped)) == 1 ||
	    inet_pton(AF_INET6, text, ret) == 1;
}

const char *
address_group(const char *text, char out[ADDRESS_GROUP])
{
	unsigned char address[16];
	bool is_one = read_text(text, address);
	char network[ADDRESS_TEXT];

	if (is_one && memcmp(address, mapped, sizeof(mapped)) == 0) {
		(void)inet_ntop(AF_INET, address + sizeof(mapped), out, ADDRESS_GROUP); /* fits */
	} else if (is_one) {
		memset(address + 8, 0, 8);
		(void)inet_ntop(AF_INET6, address, network, sizeof(network)); /* fits */
		(void)snprintf(out, ADDRESS_GROUP, "%s/64", network);
	} else {
		(void)text_copy(out, ADDRESS_GROUP, text); /* cut is fine */
	}
	return out;
}

bool
address_networks_add(struct address_networks *networks, const char *text)
{
	struct address_network network = { 0 };
	char address[ADDRESS_TEXT];
	const char *slash = strchr(text, '/');
	size_t size = slash == NULL ? strlen(text) : (size_t)(slash - text);
	bool is_4 = strchr(text, ':') == NULL;
	int64_t bits = is_4 ? 32 : 128;

	if (networks->n == ADDRESS_NETWORKS || size >= sizeof(address) ||
	    (slash != NULL && !text_to_i64(slash + 1, 0, bits, &bits, NULL)))
		return false;
	memcpy(address, text, size);
	address[size] = '\0';
	network.prefix = (int)bits;
	network.bits = network.prefix + (is_4 ? 96 : 0);
	if (!read_text(address, network.at))
		return false;
	for (int bit = network.bits; bit < 128; bit++)
		if ((network.at[bit / 8] >> (7 - bit % 8) & 1) != 0)
			return false;
	networks->network[networks->n++] = network;
	return true;
}

bool
address_networks_have(const struct address_networks *networks, const char *text)
{
	unsigned char address[16];

	if (!read_text(text, address))
		return false;
	for (size_t i = 0; i < networks->n; i++)
		if (begins_as(address, networks->network[i].at, networks->network[i].bits))
			return true;
	return false;
}
