/* address.h - what an IP address leads to: the internet, a private network, this machine, the link.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/socket.h>

#include "lib/base.h"

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

/* An address of IPv4 that stands in one of IPv6 (mapped, NAT64, 6to4) is judged as itself. */
enum address_class address_class(const struct sockaddr *address);
