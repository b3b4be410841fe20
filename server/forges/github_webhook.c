/* github_webhook.c - from the head of a request to the store's answer.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "forges/github_webhook.h"

#include <stdlib.h>

#include "forges/github_delivery.h"
#include "forges/github_signature.h"
#include "lib/crash_point.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "types/refusals.h"
#include "types/secret.h"
#include "types/settings.h"

#define WEBHOOK_MAGIC 0x67687765u
#define INBOUND_MAGIC 0x67686472u

struct github_webhook {
	unsigned magic;
	struct github_webhook_config config;
	struct settings *keyed; /* those that `keys` are made of; one reference */
	size_t n_keys;		/* of each value of the main file's, then of its applications */
	struct crypto_hmac_key **keys; /* NULL: not made yet */
};

/* One request, from its head to its answer. */
struct inbound {
	unsigned magic;
	struct github_webhook *webhook;
	struct http_request *request;
	char application[ENVIRONMENT_NAME_MAX]; /* whose webhook it is */
	struct secret secret;			/* its name alone: no value */
	/* By each of its values; NULL: there is none, it was compared, or could not go on. */
	struct crypto_hmac *macs[SECRET_VALUES];
	uint8_t given[GITHUB_SIGNATURE_SIZE];
};

static void drop_keys(struct github_webhook *webhook);
static http_server_begin_fn on_begin;
static http_server_piece_fn on_piece;
static http_server_request_fn on_request;
static event_done on_decided;

static const char json_type[] = "application/json";
static const char form_type[] = "application/x-www-form-urlencoded";
static const char *const types[] = { json_type, form_type, NULL };
static const char *const form_types[] = { form_type, NULL };

struct github_webhook *
github_webhook_new(const struct github_webhook_config *config)
{
	struct github_webhook *webhook = mem_new(1, sizeof(*webhook));

	webhook->magic = WEBHOOK_MAGIC;
	webhook->config = *config;
	return webhook;
}

void
github_webhook_free(struct github_webhook *webhook)
{
	if (webhook == NULL)
		return;
	OBJ_CHECK(webhook, WEBHOOK_MAGIC);
	drop_keys(webhook);
	settings_unref(webhook->keyed);
	webhook->magic = 0;
	free(webhook);
}

void
github_webhook_routes(struct github_webhook *webhook, struct http_route ret[GITHUB_WEBHOOK_ROUTES])
{
	static const char *const paths[] = { GITHUB_WEBHOOK_PATH, GITHUB_WEBHOOK_PATHS };

	_Static_assert(COUNT(paths) == GITHUB_WEBHOOK_ROUTES, "a route for each path");
	for (size_t i = 0; i < COUNT(paths); i++)
		ret[i] = (struct http_route){
			.methods = "POST",
			.path = paths[i],
			.body_max = GITHUB_WEBHOOK_BODY_MAX,
			.types = types,
			.on_begin = on_begin,
			.on_piece = on_piece,
			.on_request = on_request,
			.ctx = webhook,
		};
}

const char *
github_webhook_application(const struct settings *settings, const char *path)
{
	const struct settings *application;

	if (strcmp(path, GITHUB_WEBHOOK_PATH) == 0)
		return "";
	if (!text_starts(path, GITHUB_WEBHOOK_PATHS) || path[strlen(GITHUB_WEBHOOK_PATHS)] == '\0')
		return NULL;
	application = settings_application(settings, path + strlen(GITHUB_WEBHOOK_PATHS));
	return application == NULL || application->github_webhook_secret == NULL ?
	    NULL :
	    application->application;
}

/* --- answers --- */

/* application NULL: the path is unknown, and strangers' paths are not counted.  text: or NULL. */
static void
answer(struct github_webhook *webhook, struct http_request *request, const char *application,
    int status, const char *text)
{
	static const struct http_header come_again[] = { { "Retry-After", "10" }, { NULL, NULL } };

	if (webhook->config.count_request != NULL && application != NULL)
		webhook->config.count_request(webhook->config.ctx, application, status);
	http_request_answer(request, status, status == 503 ? come_again : NULL, text,
	    text == NULL ? 0 : strlen(text));
}

static void
refuse(struct github_webhook *webhook, struct http_request *request, const char *application)
{
	log_debug("a request to " GITHUB_WEBHOOK_PATH
		  "%s%s was refused: its signature is missing or wrong",
	    application[0] != '\0' ? "/" : "", application);
	refusals_add(webhook->config.refusals, "github", "signature", application,
	    http_request_client(request), false);
	answer(webhook, request, application, 401, NULL);
}

/* --- the keys --- */

static void
drop_keys(struct github_webhook *webhook)
{
	for (size_t i = 0; i < webhook->n_keys; i++)
		crypto_hmac_key_free(webhook->keys[i]);
	free(webhook->keys);
	webhook->keys = NULL;
	webhook->n_keys = 0;
}

/* Room for the keys of these settings. */
static void
take_settings(struct github_webhook *webhook, struct settings *now)
{
	struct crypto_hmac_key **keys;

	if (now == webhook->keyed)
		return;
	keys =
	    mem_new((now->application_count + 1) * SECRET_VALUES, sizeof(struct crypto_hmac_key *));
	drop_keys(webhook);
	webhook->keys = keys;
	webhook->n_keys = (now->application_count + 1) * SECRET_VALUES;
	settings_unref(webhook->keyed);
	webhook->keyed = settings_ref(now);
}

/* Where the keys of that one stand. */
static struct crypto_hmac_key **
slots_of(struct github_webhook *webhook, const struct settings *application)
{
	size_t i = 0;

	while (
	    i < webhook->keyed->application_count && webhook->keyed->applications[i] != application)
		i++;
	return &webhook->keys[application == webhook->keyed ? 0 : (i + 1) * SECRET_VALUES];
}

/* The keys of that application's webhook, of each value of its secret.  NULL: there is no secret,
 * or no key could be made of it (*ret_status: 404 or 503). */
static struct crypto_hmac_key **
take_keys(struct github_webhook *webhook, const char *application, struct secret *ret_secret,
    int *ret_status)
{
	struct settings *now = webhook->config.settings(webhook->config.ctx);
	const struct settings *of =
	    application == NULL ? NULL : settings_application(now, application);
	struct crypto_hmac_key **keys;
	struct err err;

	*ret_status = 404;
	if (of == NULL || of->github_webhook_secret == NULL)
		return NULL;
	*ret_status = 503;
	take_settings(webhook, now);
	*ret_secret = secret_get(of, SETTING_GITHUB_WEBHOOK_SECRET);
	keys = slots_of(webhook, of);
	for (size_t i = 0; i < SECRET_VALUES; i++) {
		const char *value = ret_secret->values[i];

		if (keys[i] != NULL || value == NULL)
			continue;
		keys[i] = crypto_hmac_key_new(value, strlen(value), &err);
		if (keys[i] == NULL) {
			log_error("the key of " GITHUB_WEBHOOK_PATH "%s%s: %s",
			    application[0] != '\0' ? "/" : "", application, err.text);
			return NULL;
		}
	}
	return keys;
}

/* --- a request, in the order of what happens --- */

static void
drop_macs(struct inbound *inbound)
{
	for (size_t i = 0; i < SECRET_VALUES; i++)
		crypto_hmac_drop(TAKE(inbound->macs[i]));
}

static void
inbound_free(void *user)
{
	struct inbound *inbound = OBJ_OF(struct inbound, user, INBOUND_MAGIC);

	drop_macs(inbound);
	inbound->magic = 0;
	free(inbound);
}

static struct inbound *
inbound_new(struct github_webhook *webhook, struct http_request *request, const char *application,
    struct crypto_hmac_key *const keys[SECRET_VALUES])
{
	struct inbound *inbound = mem_new(1, sizeof(*inbound));

	inbound->magic = INBOUND_MAGIC;
	inbound->webhook = webhook;
	inbound->request = request;
	(void)text_copy(inbound->application, sizeof(inbound->application), application);
	for (size_t i = 0; i < SECRET_VALUES; i++) {
		if (keys[i] == NULL)
			continue;
		inbound->macs[i] = crypto_hmac_begin(keys[i], NULL);
		if (inbound->macs[i] == NULL) {
			inbound_free(inbound);
			return NULL;
		}
	}
	return inbound;
}

static void
on_begin(struct http_request *request, void *ctx)
{
	struct github_webhook *webhook = OBJ_OF(struct github_webhook, ctx, WEBHOOK_MAGIC);
	uint8_t given[GITHUB_SIGNATURE_SIZE];
	const char *application;
	struct crypto_hmac_key **keys;
	struct inbound *inbound;
	struct secret secret;
	int status;

	application = github_webhook_application(
	    webhook->config.settings(webhook->config.ctx), http_request_path(request));
	keys = take_keys(webhook, application, &secret, &status);
	if (keys == NULL) {
		answer(webhook, request, application, status, NULL);
		return;
	}
	/* NULL when there are two of them. */
	if (!github_signature_parse(http_request_header(request, "X-Hub-Signature-256"), given)) {
		refuse(webhook, request, application);
		return;
	}
	inbound = inbound_new(webhook, request, application, keys);
	memcpy(inbound->given, given, sizeof(given));
	/* The settings may be others when all of it is there. */
	inbound->secret = secret;
	inbound->secret.application = inbound->application;
	memset(inbound->secret.values, 0, sizeof(inbound->secret.values));
	http_request_set_user(request, inbound, inbound_free);
}

static void
on_piece(struct http_request *request, const void *data, size_t size, void *ctx)
{
	struct inbound *inbound = http_request_user(request);

	OBJ_CHECK((struct github_webhook *)ctx, WEBHOOK_MAGIC);
	OBJ_CHECK(inbound, INBOUND_MAGIC);
	/* Nothing may be answered here: without its MAC it is refused when all of it is there. */
	for (size_t i = 0; i < SECRET_VALUES; i++)
		if (inbound->macs[i] != NULL &&
		    !crypto_hmac_add(inbound->macs[i], data, size, NULL)) {
			drop_macs(inbound);
			break;
		}
}

/* The event of a request whose signature holds; *ret_status says why there is none. */
static struct event *
new_delivery(struct http_request *request, int *ret_status)
{
	const char *name = http_request_header(request, "X-GitHub-Event");
	const char *id = http_request_header(request, "X-GitHub-Delivery");
	const char *type = http_request_header(request, "Content-Type");
	enum delivery_kind kind = github_delivery_kind(name);
	struct event *event;
	struct bytes raw;

	*ret_status = 400;
	if (name == NULL || id == NULL || !github_delivery_id_is_good(id) ||
	    http_request_body_size(request) == 0)
		return NULL;
	raw.data = http_request_take_body(request, &raw.size);
	if (!github_delivery_is_to_be_read(kind, &raw)) {
		*ret_status = 202;
		free(raw.data);
		return NULL;
	}
	event = event_new(EVENT_DELIVERY);
	event->source =
	    http_guard_type_is_in(type, form_types) ? SOURCE_GITHUB_FORM : SOURCE_GITHUB_JSON;
	event->u.delivery.kind = kind;
	(void)text_copy(event->u.delivery.id, sizeof(event->u.delivery.id), id);
	event->raw = raw;
	return event;
}

/* By the value that holds, or the one before it: both are always compared. */
static enum crypto_proof
prove(struct inbound *inbound, uint8_t ret_digest[GITHUB_SIGNATURE_SIZE])
{
	const struct github_webhook_config *config = &inbound->webhook->config;
	enum crypto_proof now =
	    github_signature_check(TAKE(inbound->macs[0]), inbound->given, ret_digest);
	enum crypto_proof before = inbound->macs[1] == NULL ?
	    CRYPTO_REFUSED :
	    github_signature_check(TAKE(inbound->macs[1]), inbound->given, ret_digest);

	if (before == CRYPTO_PROVEN && now != CRYPTO_PROVEN)
		secret_note_used(&inbound->secret, config->submit, config->ctx);
	return now == CRYPTO_PROVEN || before == CRYPTO_REFUSED ? now : before;
}

static void
on_request(struct http_request *request, void *ctx)
{
	struct github_webhook *webhook = OBJ_OF(struct github_webhook, ctx, WEBHOOK_MAGIC);
	struct inbound *inbound = http_request_user(request);
	uint8_t digest[GITHUB_SIGNATURE_SIZE];
	enum crypto_proof proof;
	struct event *event;
	int status;

	OBJ_CHECK(inbound, INBOUND_MAGIC);
	if (inbound->macs[0] == NULL) {
		answer(webhook, request, inbound->application, 503, NULL);
		return;
	}
	proof = prove(inbound, digest);
	if (proof == CRYPTO_REFUSED) {
		refuse(webhook, request, inbound->application);
		return;
	}
	if (proof == CRYPTO_UNKNOWN) {
		answer(webhook, request, inbound->application, 503, NULL);
		return;
	}
	event = new_delivery(request, &status);
	if (event == NULL) {
		answer(webhook, request, inbound->application, status, NULL);
		return;
	}
	(void)text_copy(
	    event->u.delivery.hook, sizeof(event->u.delivery.hook), inbound->application);
	memcpy(event->u.delivery.digest, digest, sizeof(digest));
	event->done = on_decided;
	event->done_ctx = inbound;
	CRASH_POINT(push_read);
	if (!webhook->config.submit(webhook->config.ctx, event)) {
		event_free(event);
		answer(webhook, request, inbound->application, 503, NULL);
	}
}

static void
on_decided(void *ctx, const struct answer *decided)
{
	struct inbound *inbound = OBJ_OF(struct inbound, ctx, INBOUND_MAGIC);

	answer(inbound->webhook, inbound->request, inbound->application, decided->status,
	    decided->text);
}
