/* sigv4.c - the canonical request, the string to sign, the key of a day.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "lib/sigv4.h"

#include <ctype.h>
#include <stdio.h>

#include "lib/buf.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/text.h"

#define ALGORITHM     "AWS4-HMAC-SHA256"
#define SCOPE_END     "s3/aws4_request"
#define CANONICAL_MAX 16384
#define PAIRS_MAX     32 /* of a query */
#define DATE	      17 /* 20130524T000000Z and its NUL */
#define DAY	      8

/* A piece of text: a header's name and its value, or a pair of a query. */
struct piece {
	const char *name, *value;
	size_t name_size, value_size;
};

struct signing {
	const struct sigv4_request *request;
	const struct sigv4_credentials *credentials;
	char date[DATE];
	char scope[DAY + 1 + SIGV4_REGION_MAX + sizeof("/" SCOPE_END)];
	struct buf names; /* of what is signed: host;x-amz-date */
	struct buf canonical;
};

void
sigv4_encode(struct buf *out, const char *text, bool is_path)
{
	for (; *text != '\0'; text++) {
		const unsigned char c = (unsigned char)*text;

		if ((c < 0x80 && isalnum(c)) || strchr("-._~", c) != NULL || (is_path && c == '/'))
			buf_addc(out, (char)c);
		else
			buf_addf(out, "%%%02X", c);
	}
}

static int
compare_text(const char *a, size_t a_size, const char *b, size_t b_size)
{
	const int order = memcmp(a, b, a_size < b_size ? a_size : b_size);

	return order != 0 ? order : (a_size > b_size) - (a_size < b_size);
}

static int
by_name_and_value(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;
	const int order = compare_text(x->name, x->name_size, y->name, y->name_size);

	return order != 0 ? order : compare_text(x->value, x->value_size, y->value, y->value_size);
}

/* In the order of their names; "x" without a value is "x=". */
static bool
add_query(struct buf *out, const char *query, struct err *err)
{
	struct piece pairs[PAIRS_MAX];
	size_t n = 0;

	while (query != NULL && *query != '\0') {
		const size_t size = strcspn(query, "&"), name_size = strcspn(query, "=&");

		if (n == PAIRS_MAX)
			return err_set(err, ERR_LIMIT, "a query has more than %d names", PAIRS_MAX);
		pairs[n++] = (struct piece){ .name = query,
			.name_size = name_size,
			.value = name_size < size ? query + name_size + 1 : "",
			.value_size = name_size < size ? size - name_size - 1 : 0 };
		query += size + (query[size] == '&');
	}
	qsort(pairs, n, sizeof(pairs[0]), by_name_and_value);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_addc(out, '&');
		buf_add(out, pairs[i].name, pairs[i].name_size);
		buf_addc(out, '=');
		buf_add(out, pairs[i].value, pairs[i].value_size);
	}
	return true;
}

static int
by_name_of_header(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;
	const int order = strncasecmp(
	    x->name, y->name, x->name_size < y->name_size ? x->name_size : y->name_size);

	return order != 0 ? order : (x->name_size > y->name_size) - (x->name_size < y->name_size);
}

static void
add_lower(struct buf *out, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		buf_addc(out, (char)tolower((unsigned char)text[i]));
}

/* Without blanks around it, and one where there are several. */
static void
add_value(struct buf *out, const char *value)
{
	bool is_first = true;

	while (*(value += strspn(value, " \t")) != '\0') {
		const size_t size = strcspn(value, " \t");

		if (!is_first)
			buf_addc(out, ' ');
		buf_add(out, value, size);
		value += size;
		is_first = false;
	}
}

static bool
find_headers(const struct sigv4_request *request, struct piece out[SIGV4_HEADERS_MAX], size_t *n,
    struct err *err)
{
	for (const char *const *line = request->headers; line != NULL && *line != NULL; line++) {
		const size_t size = strcspn(*line, ":");

		if ((*line)[size] != ':' || size == 0 || !text_is_plain(*line))
			return err_set(err, ERR_INVALID, "a header to sign is not \"Name: value\"");
		if (*n == SIGV4_HEADERS_MAX)
			return err_set(
			    err, ERR_LIMIT, "more than %d headers to sign", SIGV4_HEADERS_MAX);
		out[(*n)++] =
		    (struct piece){ .name = *line, .name_size = size, .value = *line + size + 1 };
	}
	return true;
}

static struct piece
header(const char *name, const char *value)
{
	return (struct piece){ .name = name, .name_size = strlen(name), .value = value };
}

/* What is signed, in the order of the names; the names stand once more behind it. */
static bool
add_headers(struct signing *s, struct err *err)
{
	struct piece all[SIGV4_HEADERS_MAX] = { header("host", s->request->host),
		header("x-amz-content-sha256", s->request->payload),
		header("x-amz-date", s->date) };
	const char *token = s->credentials->token;
	size_t n = 3;

	if (token != NULL && token[0] != '\0')
		all[n++] = header("x-amz-security-token", token);
	if (!find_headers(s->request, all, &n, err))
		return false;
	qsort(all, n, sizeof(all[0]), by_name_of_header);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && by_name_of_header(&all[i - 1], &all[i]) == 0)
			return err_set(err, ERR_INVALID, "a header to sign is there twice");
		add_lower(&s->canonical, all[i].name, all[i].name_size);
		buf_addc(&s->canonical, ':');
		add_value(&s->canonical, all[i].value);
		buf_addc(&s->canonical, '\n');
		if (i > 0)
			buf_addc(&s->names, ';');
		add_lower(&s->names, all[i].name, all[i].name_size);
	}
	buf_addf(&s->canonical, "\n%s\n", buf_text(&s->names));
	return true;
}

static bool
hex_of(const struct buf *text, char out[CRYPTO_SHA256_HEX], struct err *err)
{
	uint8_t hash[CRYPTO_SHA256_SIZE];

	if (!buf_check(text, err) || !crypto_sha256(buf_text(text), text->size, hash, err))
		return false;
	text_hex(out, hash, sizeof(hash));
	return true;
}

/* A key for this day, region and service; with it the string is signed. */
static bool
sign_text(
    const struct signing *s, const char *text, char ret_hex[CRYPTO_SHA256_HEX], struct err *err)
{
	char first[sizeof("AWS4") + SIGV4_SECRET_KEY_MAX], day[DAY + 1];
	uint8_t key[CRYPTO_SHA256_SIZE];
	const char *const steps[] = { s->request->region, "s3", "aws4_request", text };
	bool ok;

	(void)snprintf(first, sizeof(first), "AWS4%s", s->credentials->secret_key);
	(void)snprintf(day, sizeof(day), "%.*s", DAY, s->date);
	ok = crypto_hmac(first, strlen(first), day, strlen(day), key, err);
	for (size_t i = 0; i < COUNT(steps) && ok; i++)
		ok = crypto_hmac(key, sizeof(key), steps[i], strlen(steps[i]), key, err);
	if (ok)
		text_hex(ret_hex, key, sizeof(key));
	crypto_wipe(first, sizeof(first));
	crypto_wipe(key, sizeof(key));
	return ok;
}

/* 2013-05-24T00:00:00Z without its dashes and colons. */
static void
set_date(struct signing *s)
{
	char text[TEXT_TIME_SIZE];
	size_t n = 0;

	(void)text_time(text, s->request->at);
	for (const char *c = text; *c != '\0' && n + 1 < DATE; c++)
		if (*c != '-' && *c != ':')
			s->date[n++] = *c;
	s->date[n] = '\0';
	(void)snprintf(
	    s->scope, sizeof(s->scope), "%.*s/%s/" SCOPE_END, DAY, s->date, s->request->region);
}

static bool
check(const struct sigv4_request *request, const struct sigv4_credentials *credentials,
    struct err *err)
{
	const char *token = credentials->token;

	if (credentials->access_key[0] == '\0' ||
	    strlen(credentials->access_key) > SIGV4_ACCESS_KEY_MAX ||
	    !text_is_plain(credentials->access_key) || credentials->secret_key[0] == '\0' ||
	    strlen(credentials->secret_key) > SIGV4_SECRET_KEY_MAX)
		return err_set(err, ERR_CONFIG,
		    "no key of AWS: an access key is 1 to %d letters, a secret key 1 to %d",
		    SIGV4_ACCESS_KEY_MAX, SIGV4_SECRET_KEY_MAX);
	if (token != NULL && (strlen(token) > SIGV4_TOKEN_MAX || !text_is_plain(token)))
		return err_set(err, ERR_CONFIG, "no session token of AWS: longer than %d letters",
		    SIGV4_TOKEN_MAX);
	if (!text_is_word(request->region, SIGV4_REGION_MAX))
		return err_set(err, ERR_CONFIG, "\"%.63s\" is no region", request->region);
	assert(text_is_hex(request->payload, CRYPTO_SHA256_HEX - 1, CRYPTO_SHA256_HEX - 1));
	return true;
}

static bool
sign(struct signing *s, struct sigv4_lines *ret, struct err *err)
{
	const struct sigv4_request *request = s->request;
	char hash[CRYPTO_SHA256_HEX], signature[CRYPTO_SHA256_HEX];
	CLEANUP(buf_done) struct buf text = buf_make(CANONICAL_MAX);

	buf_addf(&s->canonical, "%s\n%s\n", request->method, request->path);
	if (!add_query(&s->canonical, request->query, err))
		return false;
	buf_addc(&s->canonical, '\n');
	if (!add_headers(s, err))
		return false;
	buf_adds(&s->canonical, request->payload);
	if (!hex_of(&s->canonical, hash, err))
		return false;
	buf_addf(&text, ALGORITHM "\n%s\n%s\n%s", s->date, s->scope, hash);
	if (!buf_check(&text, err) || !sign_text(s, buf_text(&text), signature, err))
		return false;
	if ((size_t)snprintf(ret->authorization, sizeof(ret->authorization),
		"Authorization: " ALGORITHM " Credential=%s/%s, SignedHeaders=%s, Signature=%s",
		s->credentials->access_key, s->scope, buf_text(&s->names),
		signature) >= sizeof(ret->authorization))
		return err_set(err, ERR_LIMIT, "the names of the headers to sign are too long");
	return true;
}

bool
sigv4_sign(const struct sigv4_request *request, const struct sigv4_credentials *credentials,
    struct sigv4_lines *ret, struct err *err)
{
	struct signing s = { .request = request, .credentials = credentials };
	const char *token = credentials->token;
	bool ok;

	if (!check(request, credentials, err))
		return false;
	buf_init(&s.names, CANONICAL_MAX);
	buf_init(&s.canonical, CANONICAL_MAX);
	set_date(&s);
	ok = sign(&s, ret, err);
	buf_done(&s.names);
	buf_wipe(&s.canonical); /* the token stands in it */
	if (!ok)
		return false;
	(void)snprintf(ret->date, sizeof(ret->date), "x-amz-date: %s", s.date);
	(void)snprintf(
	    ret->payload, sizeof(ret->payload), "x-amz-content-sha256: %s", request->payload);
	ret->token[0] = '\0';
	if (token != NULL && token[0] != '\0')
		(void)snprintf(ret->token, sizeof(ret->token), "x-amz-security-token: %s", token);
	return true;
}
