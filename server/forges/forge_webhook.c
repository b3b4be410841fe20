/* forge_webhook.c - from the head of a request to the store's answer.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "forges/forge_webhook.h"

#include <stdlib.h>

#include "forges/forge_delivery.h"
#include "forges/forge_signature.h"
#include "lib/crash_point.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "types/refusals.h"
#include "types/secret.h"
#include "types/settings.h"

#define WEBHOOK_MAGIC 0x66687765u
#define INBOUND_MAGIC 0x66686472u

/* Each has two routes: its path, and what begins with it and '/'. */
static const struct forge {
	enum delivery_forge forge;
	enum event_source source;
	const char *path;
	const char *paths;
	const char *signature; /* the header */
} forges[] = {
	{ DELIVERY_GITLAB, SOURCE_GITLAB, FORGE_WEBHOOK_PATH "gitlab", FORGE_WEBHOOK_PATH "gitlab/",
	    "X-Gitlab-Token" },
	{ DELIVERY_GITEA, SOURCE_GITEA, FORGE_WEBHOOK_PATH "gitea", FORGE_WEBHOOK_PATH "gitea/",
	    "X-Gitea-Signature" },
	{ DELIVERY_BITBUCKET, SOURCE_BITBUCKET, FORGE_WEBHOOK_PATH "bitbucket",
	    FORGE_WEBHOOK_PATH "bitbucket/", "X-Hub-Signature" },
};
_Static_assert(2 * COUNT(forges) == FORGE_WEBHOOK_ROUTES, "two routes for each");

/* Of one forge. */
struct inlet {
	struct forge_webhook *webhook;
	const struct forge *of;
};

struct forge_webhook {
	unsigned magic;
	struct forge_webhook_config config;
	struct inlet inlets[COUNT(forges)];
};

/* One request, from its head to its answer. */
struct inbound {
	unsigned magic;
	struct inlet *inlet;
	struct http_request *request;
	char application[ENVIRONMENT_NAME_MAX];
	struct secret secret; /* its name alone: no value */
	struct proof {
		enum forge_proof how;
		struct crypto_hmac *mac; /* NULL once it was compared, or could not go on */
		struct forge_signature signature;
	} proofs[SECRET_VALUES]; /* by each of its values */
};

static http_server_begin_fn on_begin;
static http_server_piece_fn on_piece;
static http_server_request_fn on_request;
static event_done on_decided;

struct forge_webhook *
forge_webhook_new(const struct forge_webhook_config *config)
{
	struct forge_webhook *webhook = mem_new(1, sizeof(*webhook));

	webhook->magic = WEBHOOK_MAGIC;
	webhook->config = *config;
	for (size_t i = 0; i < COUNT(forges); i++) {
		webhook->inlets[i].webhook = webhook;
		webhook->inlets[i].of = &forges[i];
	}
	return webhook;
}

void
forge_webhook_free(struct forge_webhook *webhook)
{
	if (webhook == NULL)
		return;
	OBJ_CHECK(webhook, WEBHOOK_MAGIC);
	webhook->magic = 0;
	free(webhook);
}

void
forge_webhook_routes(struct forge_webhook *webhook, struct http_route ret[FORGE_WEBHOOK_ROUTES])
{
	/* Gitea signs the JSON, also where its webhook is set to send a form. */
	static const char *const types[] = { "application/json", NULL };

	for (size_t i = 0; i < FORGE_WEBHOOK_ROUTES; i++)
		ret[i] = (struct http_route){
			.methods = "POST",
			.path = i % 2 == 0 ? forges[i / 2].path : forges[i / 2].paths,
			.body_max = FORGE_WEBHOOK_BODY_MAX,
			.types = types,
			.on_begin = on_begin,
			.on_piece = on_piece,
			.on_request = on_request,
			.ctx = &webhook->inlets[i / 2],
		};
}

static const struct forge *
forge_at(const char *path)
{
	for (size_t i = 0; i < COUNT(forges); i++)
		if (strcmp(path, forges[i].path) == 0 || text_starts(path, forges[i].paths))
			return &forges[i];
	return NULL;
}

const char *
forge_webhook_application(
    const struct settings *settings, const char *path, enum delivery_forge *ret_forge)
{
	const struct forge *forge = forge_at(path);
	const struct settings *of;

	if (forge == NULL)
		return NULL;
	*ret_forge = forge->forge;
	if (strcmp(path, forge->path) == 0)
		return "";
	of = path[strlen(forge->paths)] == '\0' ?
	    NULL :
	    settings_application(settings, path + strlen(forge->paths));
	return of == NULL || of->forge_webhook_secret == NULL ? NULL : of->application;
}

/* --- answers --- */

/* application NULL: the path is unknown, and strangers' paths are not counted.  text: or NULL. */
static void
answer(struct inlet *inlet, struct http_request *request, const char *application, int status,
    const char *text)
{
	static const struct http_header come_again[] = { { "Retry-After", "10" }, { NULL, NULL } };
	const struct forge_webhook_config *config = &inlet->webhook->config;

	if (config->count_request != NULL && application != NULL)
		config->count_request(config->ctx, inlet->of->forge, application, status);
	http_request_answer(request, status, status == 503 ? come_again : NULL, text,
	    text == NULL ? 0 : strlen(text));
}

static void
refuse(struct inlet *inlet, struct http_request *request, const char *application)
{
	log_debug("a request to %s%s%s was refused: its signature or token is missing or wrong",
	    inlet->of->path, application[0] != '\0' ? "/" : "", application);
	refusals_add(inlet->webhook->config.refusals, delivery_forge_word(inlet->of->forge),
	    "signature", application, http_request_client(request), false);
	answer(inlet, request, application, 401, NULL);
}

/* --- a request, in the order of what happens --- */

static void
inbound_free(void *user)
{
	struct inbound *inbound = OBJ_OF(struct inbound, user, INBOUND_MAGIC);

	for (size_t i = 0; i < SECRET_VALUES; i++)
		crypto_hmac_drop(inbound->proofs[i].mac);
	inbound->magic = 0;
	free(inbound);
}

/* Of what is signed, with what stands in front of the body.  False: no memory, or no key. */
static bool
begin_mac(const struct inbound *inbound, struct proof *proof, const char *secret)
{
	CLEANUP(crypto_hmac_key_freep) struct crypto_hmac_key *key = NULL;
	const char *before = proof->signature.before;
	struct err err;

	if (!forge_secret_key(inbound->inlet->of->forge, secret, &key, &err)) {
		log_error("the key of %s: %s", inbound->inlet->of->path, err.text);
		return false;
	}
	proof->mac = crypto_hmac_begin(key, NULL);
	return proof->mac != NULL &&
	    (before[0] == '\0' || crypto_hmac_add(proof->mac, before, strlen(before), NULL));
}

static struct inbound *
inbound_new(struct inlet *inlet, struct http_request *request, const char *application)
{
	struct inbound *inbound = mem_new(1, sizeof(*inbound));

	inbound->magic = INBOUND_MAGIC;
	inbound->inlet = inlet;
	inbound->request = request;
	(void)text_copy(inbound->application, sizeof(inbound->application), application);
	return inbound;
}

/* What the head says by each value of the secret.  False: no memory, or no key. */
static bool
begin(struct inbound *inbound, const struct settings *of, enum delivery_forge forge,
    const struct forge_headers *headers)
{
	inbound->secret = secret_get(of, SETTING_FORGE_WEBHOOK_SECRET);
	inbound->secret.application = inbound->application;
	for (size_t i = 0; i < SECRET_VALUES; i++) {
		/* The settings may be others when all of it is there. */
		const char *value = TAKE(inbound->secret.values[i]);
		struct proof *proof = &inbound->proofs[i];

		proof->how = forge_signature_read(forge, value, headers, &proof->signature);
		if (proof->how == FORGE_SIGNED && !begin_mac(inbound, proof, value))
			return false;
	}
	return true;
}

static bool
may_go_on(const struct inbound *inbound)
{
	return inbound->proofs[0].how != FORGE_REFUSED || inbound->proofs[1].how != FORGE_REFUSED;
}

static void
on_begin(struct http_request *request, void *ctx)
{
	struct inlet *inlet = ctx;
	struct settings *now = inlet->webhook->config.settings(inlet->webhook->config.ctx);
	/* NULL when there are two of one. */
	const struct forge_headers headers = {
		.signature = http_request_header(request, inlet->of->signature),
		.standard = http_request_header(request, "webhook-signature"),
		.id = http_request_header(request, "webhook-id"),
		.timestamp = http_request_header(request, "webhook-timestamp"),
	};
	enum delivery_forge forge;
	const char *application =
	    forge_webhook_application(now, http_request_path(request), &forge);
	const struct settings *of =
	    application == NULL ? NULL : settings_application(now, application);
	struct inbound *inbound;

	if (of == NULL || of->forge_webhook_secret == NULL) {
		answer(inlet, request, application, 404, NULL);
		return;
	}
	inbound = inbound_new(inlet, request, application);
	http_request_set_user(request, inbound, inbound_free);
	if (!begin(inbound, of, forge, &headers))
		answer(inlet, request, application, 503, NULL);
	else if (!may_go_on(inbound))
		refuse(inlet, request, application);
}

static void
on_piece(struct http_request *request, const void *data, size_t size, UNUSED void *ctx)
{
	struct inbound *inbound = http_request_user(request);

	OBJ_CHECK(inbound, INBOUND_MAGIC);
	/* Nothing may be answered here: without its MAC it is refused when all of it is there. */
	for (size_t i = 0; i < SECRET_VALUES; i++) {
		struct proof *proof = &inbound->proofs[i];

		if (proof->mac != NULL && !crypto_hmac_add(proof->mac, data, size, NULL))
			crypto_hmac_drop(TAKE(proof->mac));
	}
}

/* By which id it is known when it comes again; false: it has none. */
static bool
take_id(struct inbound *inbound, enum forge_proof how, struct delivery *delivery)
{
	static const char *const headers[] = { [DELIVERY_GITEA] = "X-Gitea-Delivery",
		[DELIVERY_BITBUCKET] = "X-Request-UUID",
		[DELIVERY_GITLAB] = "X-Gitlab-Event-UUID" };
	struct http_request *request = inbound->request;
	const char *id = NULL;

	delivery->by_id_alone = delivery->forge != DELIVERY_GITEA;
	if (delivery->forge == DELIVERY_GITLAB) {
		/* Of a signed one its id is signed too; both are the same. */
		id = how == FORGE_SIGNED ? NULL : http_request_header(request, "Idempotency-Key");
		id = id != NULL ? id : http_request_header(request, "webhook-id");
	}
	delivery->id_is_shared = id == NULL && delivery->forge != DELIVERY_GITEA;
	if (id == NULL)
		id = http_request_header(request, headers[delivery->forge]);
	return id != NULL &&
	    forge_delivery_id_is_good(
		id, delivery->id_is_shared ? FORGE_SHARED_ID : LIMIT_DELIVERY - 1) &&
	    text_copy(delivery->id, sizeof(delivery->id), id);
}

/* The event of a request that is proven; *ret_status says why there is none. */
static struct event *
new_delivery(struct inbound *inbound, enum forge_proof how, int *ret_status)
{
	struct event *event = event_new(EVENT_DELIVERY);
	struct delivery *delivery;

	delivery = &event->u.delivery;
	delivery->forge = inbound->inlet->of->forge;
	event->source = inbound->inlet->of->source;
	(void)text_copy(delivery->hook, sizeof(delivery->hook), inbound->application);
	*ret_status = 400;
	if (http_request_body_size(inbound->request) == 0 || !take_id(inbound, how, delivery)) {
		event_free(event);
		return NULL;
	}
	event->raw.data = http_request_take_body(inbound->request, &event->raw.size);
	return event;
}

static bool
has_lost_mac(const struct inbound *inbound)
{
	for (size_t i = 0; i < SECRET_VALUES; i++)
		if (inbound->proofs[i].how == FORGE_SIGNED && inbound->proofs[i].mac == NULL)
			return true;
	return false;
}

/* By which value of its secret it holds, the one before it last: both are always compared. */
static enum forge_proof
prove(struct inbound *inbound, uint8_t ret_digest[CRYPTO_SHA256_SIZE])
{
	const struct forge_webhook_config *config = &inbound->inlet->webhook->config;
	enum crypto_proof is[SECRET_VALUES];

	for (size_t i = 0; i < SECRET_VALUES; i++) {
		struct proof *proof = &inbound->proofs[i];

		is[i] = proof->how == FORGE_PROVEN ? CRYPTO_PROVEN : CRYPTO_REFUSED;
		if (proof->how == FORGE_SIGNED)
			is[i] =
			    forge_signature_check(TAKE(proof->mac), &proof->signature, ret_digest);
	}
	if (is[0] == CRYPTO_PROVEN)
		return inbound->proofs[0].how;
	if (is[1] != CRYPTO_PROVEN)
		return is[0] == CRYPTO_UNKNOWN || is[1] == CRYPTO_UNKNOWN ? FORGE_UNKNOWN :
									    FORGE_REFUSED;
	secret_note_used(&inbound->secret, config->submit, config->ctx);
	return inbound->proofs[1].how;
}

static void
on_request(struct http_request *request, void *ctx)
{
	struct inlet *inlet = ctx;
	struct inbound *inbound = http_request_user(request);
	uint8_t digest[CRYPTO_SHA256_SIZE] = { 0 };
	enum forge_proof how;
	struct event *event;
	int status;

	OBJ_CHECK(inbound, INBOUND_MAGIC);
	if (has_lost_mac(inbound)) {
		answer(inlet, request, inbound->application, 503, NULL);
		return;
	}
	how = prove(inbound, digest);
	if (how == FORGE_REFUSED) {
		refuse(inlet, request, inbound->application);
		return;
	}
	if (how == FORGE_UNKNOWN) {
		answer(inlet, request, inbound->application, 503, NULL);
		return;
	}
	event = new_delivery(inbound, how, &status);
	if (event == NULL) {
		answer(inlet, request, inbound->application, status,
		    status == 400 ? "no body, or no id of the delivery in its headers\n" : NULL);
		return;
	}
	memcpy(event->u.delivery.digest, digest, sizeof(digest));
	event->done = on_decided;
	event->done_ctx = inbound;
	CRASH_POINT(push_read);
	if (!inlet->webhook->config.submit(inlet->webhook->config.ctx, event)) {
		event_free(event);
		answer(inlet, request, inbound->application, 503, NULL);
	}
}

static void
on_decided(void *ctx, const struct answer *decided)
{
	struct inbound *inbound = OBJ_OF(struct inbound, ctx, INBOUND_MAGIC);

	answer(
	    inbound->inlet, inbound->request, inbound->application, decided->status, decided->text);
}
