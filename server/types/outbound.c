/* outbound.c - where the server itself may connect to.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "types/outbound.h"

#include <string.h>

#include "lib/address.h"
#include "lib/url.h"

struct outbound {
	bool is_public;
};

static const struct {
	const char *word, *host;
} places[] = {
#define OUTBOUND(name, word, host, what) { word, host },
#include "types/outbound.def"
#undef OUTBOUND
};

static const struct outbound public = { .is_public = true }, named = { .is_public = false };

const void *
outbound_of(enum outbound_place place, const char *url)
{
	const char *host = places[place].host;
	char of_url[URL_HOST];

	return host != NULL && strcmp(url_host(url, of_url), host) == 0 ? &public : &named;
}

bool
outbound_allows(const struct sockaddr *address, const void *outbound)
{
	switch (address_class(address)) {
	case ADDRESS_PUBLIC:
		return true;
	case ADDRESS_PRIVATE:
	case ADDRESS_LOOPBACK:
		return !outbound_is_public(outbound);
	case ADDRESS_LINK_LOCAL:
	case ADDRESS_NOWHERE:
		break;
	}
	return false;
}

bool
outbound_is_public(const void *outbound)
{
	return ((const struct outbound *)outbound)->is_public;
}

const char *
outbound_word(enum outbound_place place)
{
	return places[place].word;
}
