/* environment_id.c - which environment of which application, read and written.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/environment_id.h"

#include <stdio.h>

/* Length of the name that stands there, 0 for none. */
static size_t
name_length(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	size_t n = strspn(text, letters);

	return text[0] >= 'a' && text[0] <= 'z' && n < ENVIRONMENT_NAME_MAX ? n : 0;
}

bool
environment_name_is_valid(const char *name)
{
	size_t n = name_length(name);

	return n > 0 && name[n] == '\0';
}

bool
environment_client_is_valid(const char *id)
{
	return id[0] != '\0' && id[0] != '-' && strlen(id) < ENVIRONMENT_CLIENT_MAX &&
	    id[strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

const char *
environment_client(const char *text)
{
	const size_t n = strlen(ENVIRONMENT_CLIENT "/");

	return strncmp(text, ENVIRONMENT_CLIENT "/", n) == 0 ? text + n : NULL;
}

bool
environment_id_parse(const char *text, struct environment_id *ret)
{
	size_t n = name_length(text);
	bool is_named = n > 0 && text[n] == '/';
	const char *name = is_named ? text + n + 1 : text;

	if (!(environment_client(text) != NULL ? environment_client_is_valid(name) :
						 environment_name_is_valid(name)))
		return false;
	*ret = (struct environment_id){ .application = "" };
	if (is_named)
		memcpy(ret->application, text, n);
	memcpy(ret->name, name, strlen(name));
	return true;
}

const char *
environment_id_text(const char *application, const char *name, char out[ENVIRONMENT_ID_MAX])
{
	(void)snprintf(out, ENVIRONMENT_ID_MAX, "%.*s%s%.*s", ENVIRONMENT_NAME_MAX - 1, application,
	    application[0] != '\0' ? "/" : "", ENVIRONMENT_CLIENT_MAX - 1, name);
	return out;
}

const char *
environment_id_file(const char *text, char out[ENVIRONMENT_ID_MAX])
{
	char *slash;

	(void)snprintf(out, ENVIRONMENT_ID_MAX, "%s", text); /* valid: fits */
	slash = strchr(out, '/');
	if (slash != NULL)
		*slash = '.';
	return out;
}

bool
environment_id_is_of(const char *text, const char *application)
{
	size_t n = strlen(application);

	if (n == 0)
		return strchr(text, '/') == NULL;
	return strncmp(text, application, n) == 0 && text[n] == '/';
}

bool
environment_is_production(const char *text)
{
	const char *slash = strchr(text, '/'), *name = slash != NULL ? slash + 1 : text;

	return environment_client(text) == NULL &&
	    (strcmp(name, "production") == 0 || strcmp(name, "prod") == 0 ||
		strncmp(name, "production-", strlen("production-")) == 0 ||
		strncmp(name, "prod-", strlen("prod-")) == 0);
}
