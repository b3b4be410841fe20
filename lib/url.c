/* url.c - which host an address names.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "lib/url.h"

#include "lib/text.h"

const char *
url_host(const char *url, char out[URL_HOST])
{
	const char *at = url == NULL ? NULL : strstr(url, "://");
	size_t size;

	out[0] = '\0';
	if (at == NULL)
		return out;
	at += strlen("://");
	size = *at == '[' ? 0 : strcspn(at, ":/?#");
	if (size > 0 && at[size - 1] == '.')
		size--;
	if (size >= URL_HOST)
		return out;
	for (size_t i = 0; i < size; i++)
		out[i] = (char)(at[i] >= 'A' && at[i] <= 'Z' ? at[i] - 'A' + 'a' : at[i]);
	out[size] = '\0';
	return out;
}

const char *
url_place(const char *url, char out[URL_PLACE])
{
	const char *at = url == NULL ? NULL : strstr(url, "://");
	size_t size = at == NULL ? 0 : strcspn(at + strlen("://"), "/?#");

	if (size >= URL_PLACE)
		size = 0;
	if (size > 0)
		memcpy(out, at + strlen("://"), size);
	out[size] = '\0';
	return out;
}

bool
url_host_is_in(const char *host, const char *domain)
{
	size_t size = strlen(host), below = strlen(domain);

	return size >= below && text_ends(host, domain) && below > 0 &&
	    (size == below || host[size - below - 1] == '.');
}
