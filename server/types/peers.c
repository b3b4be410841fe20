/* peers.c - who may connect to deploybot-link: an agent or a remote runner, and its key.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/peers.h"

#include <stdio.h>

#include "lib/text.h"

const char *
peer_name(const struct peer *peer)
{
	return strchr(peer->identity, '/') + 1; /* there is one in each */
}

bool
peer_is_runner(const struct peer *peer)
{
	return text_starts(peer->identity, PEER_RUNNER);
}

bool
peer_is_name(const char *name)
{
	size_t size = strlen(name);

	return size > 0 && size <= CRYPTO_CA_NAME_MAX && strchr(".-", name[0]) == NULL &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") == size;
}

bool
peer_is_digest(const char *text)
{
	return strlen(text) == LIMIT_DIGEST - 1 &&
	    strspn(text, "0123456789abcdef") == LIMIT_DIGEST - 1;
}

const char *
peer_of_host(const char *host)
{
	static const char agent[] = "agent:";

	return host != NULL && strncmp(host, agent, sizeof(agent) - 1) == 0 &&
		peer_is_name(host + sizeof(agent) - 1) ?
	    host + sizeof(agent) - 1 :
	    NULL;
}

const char *
peer_runner(const char *identity, char out[LIMIT_RUNNER])
{
	(void)snprintf(out, LIMIT_RUNNER, "%s%.*s",
	    text_starts(identity, PEER_AGENT) ? "agent:" : "", CRYPTO_CA_NAME_MAX,
	    strchr(identity, '/') + 1);
	return out;
}

const char *
peer_identity(const char *name, char out[CRYPTO_CA_IDENTITY])
{
	(void)snprintf(out, CRYPTO_CA_IDENTITY, PEER_AGENT "%.*s", CRYPTO_CA_NAME_MAX, name);
	return out;
}

/* --- what it may be ordered --- */

#define DIGITS	       (LIMIT_DIGEST - 1)
#define NAME_MAX_BYTES 30 /* PROTOCOL_CAPABILITY */

static size_t
name_size(const char *at)
{
	return strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789-");
}

static int
compare_names(const char *a, size_t a_size, const char *b, size_t b_size)
{
	int order = memcmp(a, b, a_size < b_size ? a_size : b_size);

	return order != 0 ? order : (a_size > b_size) - (a_size < b_size);
}

bool
peer_is_manifest(const char *list)
{
	const char *before = NULL;
	size_t before_size = 0;

	if (list[0] == '\0')
		return true;
	if (strlen(list) >= LIMIT_MANIFEST)
		return false;
	for (;;) {
		size_t size = name_size(list);

		if (size == 0 || size > NAME_MAX_BYTES || list[size] != '=' ||
		    strspn(list + size + 1, "0123456789abcdef") != DIGITS ||
		    (before != NULL && compare_names(before, before_size, list, size) >= 0))
			return false;
		before = list;
		before_size = size;
		list += size + 1 + DIGITS;
		if (list[0] == '\0')
			return true;
		if (list[0] != ' ')
			return false;
		list++;
	}
}

const char *
peer_capability(const char *list, const char *name)
{
	size_t size = strlen(name);

	for (; list != NULL && list[0] != '\0'; list = strchr(list, ' ')) {
		list += list[0] == ' ';
		if (strncmp(list, name, size) == 0 && list[size] == '=')
			return list + size + 1;
	}
	return NULL;
}
