/* route_key.c - a signed request against the keys of all workflows.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "routes/route_key.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/base64.h"
#include "lib/err.h"
#include "lib/signing_key.h"
#include "lib/text.h"
#include "types/settings.h"
#include "types/workflow.h"

#define TIMESTAMP_MOST INT64_C(9999999999)

static struct crypto_hmac *
begin(const char *key, const char *before, const struct route_key_request *request, struct err *err)
{
	CLEANUP(crypto_hmac_key_freep) struct crypto_hmac_key *prepared = NULL;
	CLEANUP(crypto_hmac_dropp) struct crypto_hmac *mac = NULL;

	if (!forge_secret_key(FORGE_TOKEN, key, &prepared, err))
		return NULL;
	mac = crypto_hmac_begin(prepared, err);
	if (mac == NULL || !crypto_hmac_add(mac, before, strlen(before), err) ||
	    !crypto_hmac_add(mac, request->method, strlen(request->method), err) ||
	    !crypto_hmac_add(mac, " ", 1, err) ||
	    !crypto_hmac_add(mac, request->path, strlen(request->path), err) ||
	    !crypto_hmac_add(mac, "\n", 1, err) ||
	    (request->size > 0 && !crypto_hmac_add(mac, request->body, request->size, err)))
		return NULL;
	return TAKE(mac);
}

/* --- what is signed is checked --- */

/* Nothing of it is believed yet. */
static enum route_job_result
read_headers(const struct forge_headers *headers, int64_t now_ms, struct forge_signature *ret,
    char why[LIMIT_LINE])
{
	int64_t at, now = now_ms / 1000;

	if (forge_signature_read(FORGE_TOKEN, SIGNING_KEY_MARK, headers, ret) != FORGE_SIGNED ||
	    strlen(headers->id) >= JOB_ID || ret->count > ROUTE_KEY_PROOFS ||
	    !text_to_i64(headers->timestamp, 0, TIMESTAMP_MOST, &at, NULL)) {
		(void)snprintf(why, LIMIT_LINE,
		    "a signed request has a webhook-id (1 to %d of A-Z a-z 0-9 _ -), a webhook-timestamp (seconds) and a webhook-signature (v1, and base64 of HMAC-SHA256; %d at most), each once",
		    JOB_ID - 1, ROUTE_KEY_PROOFS);
		return ROUTE_JOB_FORM;
	}
	if (at >= now - ROUTE_KEY_OFF_S && at <= now + ROUTE_KEY_OFF_S)
		return ROUTE_JOB_LET_IN;
	(void)snprintf(why, LIMIT_LINE,
	    "webhook-timestamp is %" PRId64
	    " s %s the server's clock, and %d are taken: sign it anew, by a right clock",
	    at < now ? now - at : at - now, at < now ? "behind" : "before", ROUTE_KEY_OFF_S);
	return ROUTE_JOB_TIMES;
}

/* Which workflow it is of: how many there are, and the last of them. */
static size_t
find(const struct settings *settings, const struct route_key_request *request,
    const struct forge_signature *signature, struct route_key_found *ret, bool *ret_is_unknown)
{
	uint8_t computed[CRYPTO_SHA256_SIZE];
	struct workflow workflow;
	size_t n = 0, is_its;

	for (size_t at = 0; workflow_next(settings, &at, &workflow); n += is_its) {
		is_its = 0;
		for (size_t i = 0; i < SECRET_VALUES && workflow.key.values[i] != NULL; i++) {
			struct crypto_hmac *mac =
			    begin(workflow.key.values[i], signature->before, request, NULL);
			enum crypto_proof proof = mac == NULL ?
			    CRYPTO_UNKNOWN :
			    forge_signature_check(mac, signature, computed);

			*ret_is_unknown |= proof == CRYPTO_UNKNOWN;
			if (proof != CRYPTO_PROVEN)
				continue;
			is_its = 1;
			ret->is_previous = ret->job.is_by_previous = i > 0;
			ret->secret = workflow.key;
			text_set(ret->job.workflow, workflow.id);
		}
	}
	return n;
}

static enum route_job_result
refuse(char why[LIMIT_LINE], enum route_job_result result, const char *said)
{
	(void)text_copy(why, LIMIT_LINE, said);
	return result;
}

enum route_job_result
route_key_check(const struct settings *settings, const struct route_key_request *request,
    int64_t now_ms, struct route_key_found *ret)
{
	struct forge_signature signature;
	enum route_job_result result;
	bool is_unknown = false;
	size_t n;

	*ret = (struct route_key_found){ .job = { .attempt = 1 } };
	result = read_headers(&request->headers, now_ms, &signature, ret->why);
	if (result != ROUTE_JOB_LET_IN)
		return result;
	n = find(settings, request, &signature, ret, &is_unknown);
	if (is_unknown)
		return refuse(
		    ret->why, ROUTE_JOB_UNCHECKED, "no memory to check the signature: try again");
	if (n == 0)
		return refuse(ret->why, ROUTE_JOB_SIGNATURE,
		    "webhook-signature is by no WORKFLOW_<NAME>_KEY, or of another request: signed is id.timestamp.METHOD path, a newline and the body");
	if (n > 1)
		return refuse(ret->why, ROUTE_JOB_WORKFLOW,
		    "several workflows have this key: each needs a WORKFLOW_<NAME>_KEY of its own");
	text_set(ret->job.token, request->headers.id);
	ret->job.expires_at = now_ms + 1000 * ROUTE_KEY_OFF_S;
	return ROUTE_JOB_LET_IN;
}

/* --- and made --- */

bool
route_key_sign(const char *key, const struct route_key_request *request,
    char ret[ROUTE_KEY_SIGNATURE], struct err *err)
{
	CLEANUP(crypto_hmac_dropp) struct crypto_hmac *mac = NULL;
	uint8_t computed[CRYPTO_SHA256_SIZE];
	char before[FORGE_SIGNED_BEFORE], text[BASE64_SIZE(CRYPTO_SHA256_SIZE)];

	if (!signing_key_is_meant(key))
		return err_set(err, ERR_CONFIG, "expected " SIGNING_KEY_MARK " and base64");
	text_setf(before, "%s.%s.", request->headers.id,
	    request->headers.timestamp); /* the caller's own: it fits */
	mac = begin(key, before, request, err);
	if (mac == NULL || !crypto_hmac_finish(mac, computed, err))
		return false;
	(void)snprintf(
	    ret, ROUTE_KEY_SIGNATURE, "v1,%s", base64_encode(computed, sizeof(computed), text));
	return true;
}
