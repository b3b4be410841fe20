/* link_dial.h - connects to a name, without waiting for who looks it up.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <netdb.h>

#include "link/link_settings.h"

/* Is where it is until the program ends: the look-up writes there. */
struct link_dial {
	const struct link_address *address; /* is set, all else 0 */
	struct addrinfo hints;
	struct gaicb request;
	bool is_asked;
	const struct addrinfo *next; /* of its addresses, which are tried one by one */
};

/* A socket that connects; -1 with *err: it failed, -1 without: ask again. */
int link_dial_try(struct link_dial *dial, struct err *err) MUST_USE;
