/* host_lines.c - hosts as lines of a text, and one spelling of each.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "lib/host_lines.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "lib/text.h"

const char *
host_plain(const char *host, char out[HOST_TEXT])
{
	const char *end = host[0] == '[' ? strchr(host, ']') : NULL;
	size_t size = end != NULL ? (size_t)(end - host) + 1 : strcspn(host, ":");
	const char *port = host[size] == ':' ? host + size : ":22";
	char name[HOST_TEXT], shortest[INET6_ADDRSTRLEN];
	struct in6_addr address;

	text_setf(name, "%.*s", (int)size, host);
	for (char *c = name; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	if (end != NULL && size > 2) {
		name[size - 1] = '\0';
		if (inet_pton(AF_INET6, name + 1, &address) == 1 &&
		    inet_ntop(AF_INET6, &address, shortest, sizeof(shortest)) != NULL)
			text_setf(name, "[%s]", shortest);
	}
	(void)snprintf(out, HOST_TEXT, "%.254s%.6s", name, port);
	return out;
}

bool
host_is_plain(const char *text)
{
	const char *port = strrchr(text, ':');
	char plain[HOST_TEXT];

	return (isalnum((unsigned char)text[0]) || text[0] == '[') && port != NULL &&
	    port[1] != '\0' && strspn(port + 1, "0123456789") == strlen(port + 1) &&
	    strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._-:[]") == strlen(text) &&
	    strcmp(host_plain(text, plain), text) == 0;
}

bool
host_is_pattern(const char *list)
{
	return strchr(list, '*') != NULL;
}

bool
host_matches(const char *pattern, const char *text)
{
	size_t begin = strcspn(pattern, "*"), size = strlen(text), end;

	if (pattern[begin] == '\0')
		return strcmp(pattern, text) == 0;
	end = strlen(pattern + begin + 1);
	return size >= begin + end && strncmp(pattern, text, begin) == 0 &&
	    strcspn(text + begin, ":/") >= size - end - begin &&
	    strcmp(text + size - end, pattern + begin + 1) == 0;
}

bool
host_overlaps(const char *one, const char *other)
{
	size_t begin = strcspn(one, "*"), begin_other = strcspn(other, "*");

	if (one[begin] == '\0' || other[begin_other] == '\0')
		return one[begin] == '\0' ? host_matches(other, one) : host_matches(one, other);
	return strncmp(one, other, begin < begin_other ? begin : begin_other) == 0 &&
	    strcmp(one + begin, other + begin_other) == 0;
}

bool
host_lines_next(const char **at, const char *end, char ret[HOST_TEXT])
{
	const char *stop = *at < end ? memchr(*at, '\n', (size_t)(end - *at)) : NULL;
	size_t size = stop == NULL ? HOST_TEXT : (size_t)(stop - *at);

	if (size >= HOST_TEXT || memchr(*at, '\0', size) != NULL)
		return false;
	memcpy(ret, *at, size);
	ret[size] = '\0';
	*at = stop + 1;
	return true;
}
