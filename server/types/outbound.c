/* outbound.c - where the server itself may connect to.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "types/outbound.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <strings.h>

#include "lib/address.h"
#include "lib/url.h"

struct outbound {
	bool is_public;
	const char *const *link; /* addresses of the link that are meant; NULL: none */
	bool is_link_alone; /* only `link` is meant (NULL: none), and where is_near this machine */
	bool is_near;
};

static const struct {
	const char *word, *host;
} places[] = {
#define OUTBOUND(name, word, host, what) { word, host },
#include "types/outbound.def"
};

static const struct outbound public = { .is_public = true }, named = { .is_public = false };

/* What has the keys of a role: THE places of a link that anything here may ask. */
static const char *const instance[] = { "169.254.169.254", "fd00:ec2::254", NULL };
static const char *const task[] = { "169.254.170.2", NULL };
static const char *const container[] = { "169.254.170.2", "169.254.170.23", "fd00:ec2::23", NULL };
static const struct outbound of_instance = { .link = instance, .is_link_alone = true },
			     of_task = { .link = task, .is_link_alone = true },
			     of_container = { .link = container,
				     .is_link_alone = true,
				     .is_near = true },
			     of_container_tls = { .link = container },
			     of_this_machine = { .is_link_alone = true, .is_near = true };

static const struct outbound *
credentials_of(const char *url)
{
	char host[URL_HOST];

	if (url != NULL && strncmp(url, "https://", sizeof("https://") - 1) == 0)
		return &of_container_tls;
	(void)url_host(url, host);
	if (strcmp(host, instance[0]) == 0)
		return &of_instance;
	return strcmp(host, task[0]) == 0 ? &of_task : &of_container;
}

static bool
is_one_of(const struct sockaddr *address, const char *const *list)
{
	struct in6_addr meant6;
	struct in_addr meant;

	for (; list != NULL && *list != NULL; list++) {
		if (address->sa_family == AF_INET && inet_pton(AF_INET, *list, &meant) == 1 &&
		    memcmp(&((const struct sockaddr_in *)(const void *)address)->sin_addr, &meant,
			sizeof(meant)) == 0)
			return true;
		if (address->sa_family == AF_INET6 && inet_pton(AF_INET6, *list, &meant6) == 1 &&
		    memcmp(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr,
			&meant6, sizeof(meant6)) == 0)
			return true;
	}
	return false;
}

const void *
outbound_of(enum outbound_place place, const char *url)
{
	const char *host = places[place].host;
	char of_url[URL_HOST];

	if (place == OUTBOUND_AWS_CREDENTIALS)
		return credentials_of(url);
	/* Whatever a name leads to: a token in the clear leaves this machine never. */
	if ((place == OUTBOUND_VAULT || place == OUTBOUND_OPA) &&
	    (url == NULL || strncasecmp(url, "https://", sizeof("https://") - 1) != 0))
		return &of_this_machine;
	return host != NULL && strcmp(url_host(url, of_url), host) == 0 ? &public : &named;
}

bool
outbound_allows(const struct sockaddr *address, const void *outbound)
{
	const struct outbound *of = outbound;

	if (is_one_of(address, of->link))
		return true;
	if (of->is_link_alone)
		return of->is_near && address_class(address) == ADDRESS_LOOPBACK;
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
	const struct outbound *of = outbound;

	return of->is_public;
}

const char *
outbound_word(enum outbound_place place)
{
	return places[place].word;
}
