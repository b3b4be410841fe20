/* outbound.h - where the server itself may connect to.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * No address of a link is ever allowed (169.254.169.254 has the machine's credentials), whatever a
 * name leads to: it is asked for the very address connected to.  AWS_CREDENTIALS alone, which is
 * for them, may ask those that have them.  Private ones are allowed, where a health URL or a
 * setting names the host.
 */
#pragma once

#include <sys/socket.h>

#include "lib/base.h"

enum outbound_place {
#define OUTBOUND(name, ...) OUTBOUND_##name,
#include "types/outbound.def"
	OUTBOUND_COUNT
};

/* Which addresses a client of that place may connect to, for http_client_config.address_ctx: lives
 * for ever.  url: what it is asked for, or NULL, where a proxy is between. */
const void *outbound_of(enum outbound_place place, const char *url);

/* An http_client_address_fn. */
bool outbound_allows(const struct sockaddr *address, const void *outbound);

/* Are public addresses the only ones? */
bool outbound_is_public(const void *outbound);

/* "telegram" */
const char *outbound_word(enum outbound_place place);
