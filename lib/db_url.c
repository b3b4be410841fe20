/* db_url.c - the URL of a database, looked at without connecting.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/db_url.h"

#include "lib/db_libpq.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/text.h"

bool
db_is_url(const char *path)
{
	return text_starts(path, "postgres://") || text_starts(path, "postgresql://");
}

bool
db_url_answers(const char *url)
{
	static const char *const keys[] = { "connect_timeout", "dbname", NULL };
	PGPing ping = PQpingParams(keys, (const char *const[]){ "3", url, NULL }, 1);

	return ping == PQPING_OK || ping == PQPING_REJECT;
}

/* A password that is not escaped ends up in another part of the URL, which libpq shows. */
static bool
is_plain(const PQconninfoOption *o)
{
	if (o->val == NULL)
		return true;
	if (strcmp(o->keyword, "port") == 0)
		return o->val[strspn(o->val, "0123456789,")] == '\0';
	return (strcmp(o->keyword, "host") != 0 && strcmp(o->keyword, "dbname") != 0) ||
	    strchr(o->val, '@') == NULL;
}

/* The text of a part; NULL: none. */
static const char *
part(const PQconninfoOption *options, const char *keyword)
{
	for (const PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++)
		if (strcmp(o->keyword, keyword) == 0 && o->val != NULL && o->val[0] != '\0')
			return o->val;
	return NULL;
}

bool
db_url_check(const char *url, struct err *err)
{
	PQconninfoOption *options = PQconninfoParse(url, NULL);
	bool ok = options != NULL;

	for (PQconninfoOption *o = options; ok && o->keyword != NULL; o++)
		ok = is_plain(o);
	ok = ok && part(options, "dbname") != NULL &&
	    (part(options, "host") != NULL || part(options, "hostaddr") != NULL);
	PQconninfoFree(options);
	return ok ||
	    err_set(err, ERR_CONFIG,
		"the database's URL cannot be read: postgres://USER:PASSWORD@HOST/DATABASE, with %%40 for an @ in its password, %%2F for a /, %%3A for a :");
}

static bool
is_here(const char *host, size_t size)
{
	static const char *const here[] = { "localhost", "127.0.0.1", "::1" };

	for (size_t i = 0; i < COUNT(here); i++)
		if (strlen(here[i]) == size && memcmp(here[i], host, size) == 0)
			return true;
	return host[0] == '/';
}

bool
db_url_is_private(const char *url)
{
	PQconninfoOption *options = PQconninfoParse(url, NULL);
	const char *mode = part(options, "sslmode"), *at = part(options, "hostaddr");
	bool is_verified = mode != NULL && strcmp(mode, "verify-full") == 0, all_here = true;

	for (at = at == NULL ? part(options, "host") : at; at != NULL && *at != '\0';
	     at += strcspn(at, ","), at += *at == ',')
		all_here = all_here && is_here(at, strcspn(at, ","));
	PQconninfoFree(options);
	return is_verified || all_here;
}

char *
db_url_password(const char *url)
{
	PQconninfoOption *options = PQconninfoParse(url, NULL);
	const char *password = part(options, "password");
	char *ret = password == NULL ? NULL : mem_text(password);

	PQconninfoFree(options); /* which wipes nothing: the settings have it in memory anyway */
	return ret;
}
