/* jwks.c - two requests, one behind the other, for all who wait.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "clients/jwks.h"

#include <stdlib.h>
#include <string.h>

#include "clients/jwks_answer.h"
#include "lib/clock.h"
#include "lib/err.h"
#include "lib/http_client.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "types/limits.h"

#define REQUEST_MS (JWKS_WAIT_MS / 2 - 100) /* of each of the two */

struct caller {
	jwks_key_fn *on_key;
	void *ctx;
	char kid[JWT_KID];
};

struct jwks {
	struct http_client *client;
	char issuer[JWKS_URL];
	char keys_url[JWKS_URL]; /* "": not asked for yet */
	struct jwks_keys *keys;	 /* NULL: none were ever fetched */
	int64_t fetched_at;	 /* monotonic ms, 0: never */
	int64_t tried_at;
	char failure[LIMIT_LINE];
	struct http_client_call *call; /* NULL: none is in progress */
	size_t n_callers;
	struct caller callers[JWKS_CALLERS];
};

struct jwks *
jwks_new(struct http_client *client, const char *issuer)
{
	struct jwks *jwks = mem_new(1, sizeof(*jwks));

	jwks->client = client;
	text_set(jwks->issuer, issuer); /* a setting's: it fits */
	return jwks;
}

/* --- who waits --- */

static bool
is_known(const struct jwks *jwks, int64_t now)
{
	return jwks->fetched_at != 0 && now - jwks->fetched_at < JWKS_OLD_MS;
}

static void
answer(const struct jwks *jwks, jwks_key_fn *on_key, void *ctx, const char *kid)
{
	const struct crypto_rsa *key = jwks_find(jwks->keys, kid);

	if (!is_known(jwks, clock_monotonic_ms()))
		on_key(ctx, JWKS_UNREACHABLE, NULL);
	else if (key != NULL)
		on_key(ctx, JWKS_FOUND, key);
	else
		on_key(ctx, jwks->failure[0] != '\0' ? JWKS_UNREACHABLE : JWKS_NO_SUCH_KEY, NULL);
}

/* Whoever asks meanwhile is answered at once. */
static void
answer_all(struct jwks *jwks)
{
	while (jwks->n_callers > 0) {
		struct caller first = jwks->callers[0];

		jwks->n_callers--;
		memmove(jwks->callers, jwks->callers + 1, jwks->n_callers * sizeof(first));
		answer(jwks, first.on_key, first.ctx, first.kid);
	}
}

void
jwks_free(struct jwks *jwks)
{
	if (jwks == NULL)
		return;
	http_client_cancel(jwks->call);
	jwks->fetched_at = 0;
	answer_all(jwks);
	jwks_keys_free(jwks->keys);
	free(jwks);
}

const char *
jwks_failure(const struct jwks *jwks)
{
	return jwks->failure;
}

static void
fail(struct jwks *jwks, const char *why)
{
	if (jwks->failure[0] == '\0')
		log_warning(
		    "keys of %s, which tokens of jobs are checked by, cannot be fetched: %s",
		    jwks->issuer, why);
	text_set(jwks->failure, why); /* cut is fine */
	jwks->keys_url[0] = '\0';
	answer_all(jwks);
}

/* --- fetching --- */

static void on_configuration(void *ctx, const struct http_client_result *http);
static void on_keys(void *ctx, const struct http_client_result *http);

static void
start(struct jwks *jwks, const char *url,
    void (*on_done)(void *ctx, const struct http_client_result *http))
{
	static const char *const headers[] = { "Accept: application/json", NULL };
	const struct http_client_request request = {
		.label = "the issuer of tokens",
		.url = url,
		.headers = headers,
		.timeout_ms = REQUEST_MS,
		.answer_max = JWKS_ANSWER_MAX,
		.on_done = on_done,
		.ctx = jwks,
	};
	struct err err;

	jwks->call = http_client_start(jwks->client, &request, &err);
	if (jwks->call == NULL)
		fail(jwks, err.text);
}

static void
fetch(struct jwks *jwks)
{
	char url[JWKS_URL];

	jwks->tried_at = clock_monotonic_ms();
	if (jwks->keys_url[0] != '\0')
		start(jwks, jwks->keys_url, on_keys);
	else if (jwks_configuration_url(jwks->issuer, url))
		start(jwks, url, on_configuration);
	else
		fail(jwks, "the issuer's address is too long");
}

/* False: it failed with what is said. */
static bool
came(struct jwks *jwks, const struct http_client_result *http)
{
	char why[LIMIT_LINE];

	jwks->call = NULL;
	if (http->code == ERR_NONE && http->status == 200)
		return true;
	text_setf(why, "the issuer of tokens answered with %d", http->status);
	fail(jwks, http->code != ERR_NONE ? http->text : why);
	return false;
}

static void
on_configuration(void *ctx, const struct http_client_result *http)
{
	struct jwks *jwks = ctx;
	struct err err;

	if (!came(jwks, http))
		return;
	if (jwks_read_configuration(
		http->body, http->body_size, jwks->issuer, jwks->keys_url, &err))
		start(jwks, jwks->keys_url, on_keys);
	else
		fail(jwks, err.text);
}

static void
on_keys(void *ctx, const struct http_client_result *http)
{
	struct jwks *jwks = ctx;
	struct jwks_keys *keys;
	struct err err;

	if (!came(jwks, http))
		return;
	keys = jwks_read_keys(http->body, http->body_size, &err);
	if (keys == NULL) {
		fail(jwks, err.text);
		return;
	}
	jwks_keys_free(jwks->keys);
	jwks->keys = keys;
	jwks->fetched_at = clock_monotonic_ms();
	jwks->failure[0] = '\0';
	answer_all(jwks);
}

/* --- asking --- */

/* Is it time to ask the issuer, for that key or because the set is old? */
static bool
is_to_be_fetched(const struct jwks *jwks, const char *kid, int64_t now)
{
	bool is_missing = jwks_find(jwks->keys, kid) == NULL;

	if (jwks->tried_at != 0 && now - jwks->tried_at < JWKS_PAUSE_MS)
		return false;
	return is_missing || now - jwks->fetched_at >= JWKS_FRESH_MS;
}

void
jwks_get(struct jwks *jwks, const char *kid, jwks_key_fn *on_key, void *ctx)
{
	int64_t now = clock_monotonic_ms();
	bool has_it = is_known(jwks, now) && jwks_find(jwks->keys, kid) != NULL;
	bool is_due = jwks->call == NULL && is_to_be_fetched(jwks, kid, now);

	/* An old set is renewed behind whoever has their key; with the call kid may go. */
	if (has_it || (jwks->call == NULL && !is_due)) {
		answer(jwks, on_key, ctx, kid);
		if (is_due && jwks->call == NULL)
			fetch(jwks);
		return;
	}
	if (jwks->n_callers == JWKS_CALLERS) {
		on_key(ctx, JWKS_UNREACHABLE, NULL);
		return;
	}
	jwks->callers[jwks->n_callers] = (struct caller){ .on_key = on_key, .ctx = ctx };
	(void)text_copy(jwks->callers[jwks->n_callers++].kid, JWT_KID, kid); /* jwt_read(): fits */
	if (jwks->call == NULL)
		fetch(jwks);
}
