/* address.h - what an IP address leads to: the internet, a private network, this machine, the link.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

struct sockaddr;

/* By IANA's registries of special addresses (RFC 6890). */
enum address_class {
	ADDRESS_PUBLIC,
	ADDRESS_PRIVATE,  /* RFC 1918, 100.64.0.0/10, fc00::/7 */
	ADDRESS_LOOPBACK, /* 127.0.0.0/8, ::1 */
	/* 169.254.0.0/16, fe80::/10, and fd00:ec2::/32 of AWS: who asks there gets the credentials
	 * of this machine */
	ADDRESS_LINK_LOCAL,
	ADDRESS_NOWHERE, /* no single host: 0.0.0.0/8, multicast, broadcast, another family */
};

#define ADDRESS_TEXT  46 /* of an address, with the NUL */
#define ADDRESS_GROUP (ADDRESS_TEXT + 4)

/* Whose requests are counted as one's: an address of IPv4; of IPv6 the network of 64 bits, of which
 * one customer has all, "2001:db8::/64".  What is no address is itself, cut.  Returns out. */
const char *address_group(const char *text, char out[ADDRESS_GROUP]);

#define ADDRESS_NETWORKS 16

/* Networks of IPv4 and IPv6; what is of IPv4 is as good mapped into IPv6. */
struct address_networks {
	size_t n;
	struct address_network {
		unsigned char at[16]; /* of IPv4 as it stands in IPv6 */
		int bits;	      /* of these */
		int prefix;	      /* as it was written */
	} network[ADDRESS_NETWORKS];
};

/* Adds "10.0.0.7", "10.0.0.0/8", "::1" or "fd00::/8", whose bits behind the prefix are 0.  False:
 * it is none of these, or there is no room. */
bool address_networks_add(struct address_networks *networks, const char *text) MUST_USE;

/* Is that address of one of them?  What is no address is not. */
bool address_networks_have(const struct address_networks *networks, const char *text) MUST_USE;

/* An address of IPv4 that stands in one of IPv6 (mapped, NAT64, 6to4) is judged as itself. */
enum address_class address_class(const struct sockaddr *address);
