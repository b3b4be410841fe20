/* doctor_known_hosts.c - does one of ssh's known_hosts files have a key of that host?  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "cli/doctor/doctor.h"

#define HOST_MAX 300

/* "acme.example", "[acme.example]:2222": as known_hosts has [USER@]HOST[:PORT]. */
static void
to_known(const char *host, char out[HOST_MAX])
{
	const char *at = strrchr(host, '@'), *end, *port;

	host = at != NULL ? at + 1 : host;
	end = host[0] == '[' ? strchr(host, ']') : strchr(host, ':');
	port = end == NULL ? "" : host[0] == '[' ? end + 1 : end;
	if (host[0] == '[')
		host++;
	if (end == NULL)
		end = host + strlen(host);
	if (port[0] == '\0' || strcmp(port, ":22") == 0)
		(void)snprintf(out, HOST_MAX, "%.*s", (int)(end - host), host);
	else
		(void)snprintf(out, HOST_MAX, "[%.*s]%s", (int)(end - host), host, port);
}

/* names: of one line, commas between.  A pattern's brackets are a port's. */
static bool
names_host(const char *names, size_t size, const char *host)
{
	for (const char *name = names; name < names + size;) {
		size_t length = strcspn(name, ", \t\n");

		if (length == strlen(host) && strncasecmp(name, host, length) == 0)
			return true;
		if (memchr(name, '*', length) != NULL && name[0] != '[') {
			char pattern[HOST_MAX];

			(void)snprintf(pattern, sizeof(pattern), "%.*s", (int)length, name);
			if (fnmatch(pattern, host, 0) == 0)
				return true;
		}
		name += length + 1;
	}
	return false;
}

bool
doctor_knows_host(const char *known, const char *client_host)
{
	char host[HOST_MAX];

	to_known(client_host, host);
	while (*known != '\0') {
		const char *line = known;

		known += strcspn(known, "\n");
		known += *known == '\n';
		if (*line == '@' && strcspn(line, " \t") < strcspn(line, "\n"))
			line += strcspn(line, " \t") + 1;
		if (*line == '|') /* a hash says nothing to us: it may be this one */
			return true;
		if (*line != '#' && names_host(line, strcspn(line, " \t\n"), host))
			return true;
	}
	return false;
}
