/* forge_webhook.c - from the head of a request to the store's answer.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "forges/forge_webhook.h"

#include "forges/forge_delivery.h"
#include "forges/forge_row.h"
#include "lib/crash_point.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "types/refusals.h"
#include "types/secret.h"
#include "types/settings.h"

#define WEBHOOK_MAGIC 0x66687765u
#define INBOUND_MAGIC 0x66686472u

/* Of one row. */
struct inlet {
	struct forge_webhook *webhook;
	const struct forge_row *row;
};

struct forge_webhook {
	unsigned magic;
	struct forge_webhook_config config;
	struct inlet inlets[FORGE_ROWS];
	struct settings *keyed;	       /* those that `keys` are made of; one reference */
	size_t n_keys;		       /* the main file's, then its applications'; slot_of() */
	struct crypto_hmac_key **keys; /* NULL: not made yet */
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

static const char form_type[] = "application/x-www-form-urlencoded";

static void drop_keys(struct forge_webhook *webhook);
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
	for (size_t i = 0; i < FORGE_ROWS; i++)
		webhook->inlets[i] = (struct inlet){ webhook, &forge_rows[i] };
	return webhook;
}

void
forge_webhook_free(struct forge_webhook *webhook)
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
forge_webhook_routes(struct forge_webhook *webhook, struct http_route ret[FORGE_WEBHOOK_ROUTES])
{
	static const char *const types[] = { "application/json", NULL };
	static const char *const types_and_form[] = { "application/json", form_type, NULL };

	for (size_t i = 0; i < FORGE_WEBHOOK_ROUTES; i++) { /* the last is the App's */
		const struct forge_row *row = &forge_rows[i / 2];

		ret[i] = (struct http_route){
			.methods = "POST",
			.path = i % 2 == 0 ? row->path : row->paths,
			.body_max = row->body_max,
			.types = row->takes_form ? types_and_form : types,
			.on_begin = on_begin,
			.on_piece = on_piece,
			.on_request = on_request,
			.ctx = &webhook->inlets[i / 2],
		};
	}
}

const char *
forge_webhook_application(
    const struct settings *settings, const char *path, enum delivery_forge *ret_forge)
{
	for (size_t i = 0; i < FORGE_ROWS; i++) {
		const struct forge_row *row = &forge_rows[i];
		const struct settings *of;

		if (strcmp(path, row->path) != 0 &&
		    (row->paths == NULL || !text_starts(path, row->paths)))
			continue;
		*ret_forge = row->forge;
		if (strcmp(path, row->path) == 0)
			return "";
		path += strlen(row->paths);
		of = path[0] == '\0' ? NULL : settings_application(settings, path);
		return of == NULL || secret_get(of, row->secret).values[0] == NULL ?
		    NULL :
		    of->application;
	}
	return NULL;
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
		config->count_request(config->ctx, inlet->row->forge, application, status);
	http_request_answer(request, status, status == 503 ? come_again : NULL, text,
	    text == NULL ? 0 : strlen(text));
}

static void
refuse(struct inlet *inlet, struct http_request *request, const char *application)
{
	log_debug("a request to %s%s%s was refused: its %s is missing or wrong", inlet->row->path,
	    application[0] != '\0' ? "/" : "", application, inlet->row->proof);
	refusals_add(inlet->webhook->config.refusals, delivery_forge_word(inlet->row->forge),
	    "signature", application, http_request_client(request), false);
	answer(inlet, request, application, 401, NULL);
}

/* --- the keys --- */

static void
drop_keys(struct forge_webhook *webhook)
{
	for (size_t i = 0; i < webhook->n_keys; i++)
		crypto_hmac_key_free(webhook->keys[i]);
	free(webhook->keys);
}

/* Room for the keys of these settings. */
static void
take_settings(struct forge_webhook *webhook, struct settings *now)
{
	if (now == webhook->keyed)
		return;
	drop_keys(webhook);
	webhook->n_keys = (now->application_count + 1) * FORGE_ROWS * SECRET_VALUES;
	webhook->keys = mem_new(webhook->n_keys, sizeof(struct crypto_hmac_key *));
	settings_unref(webhook->keyed);
	webhook->keyed = settings_ref(now);
}

/* Where the key of one value of its secret stands. */
static struct crypto_hmac_key **
slot_of(const struct inlet *inlet, const struct settings *application, size_t value)
{
	const struct settings *keyed = inlet->webhook->keyed;
	size_t i = 0; /* the main file's */

	if (application != keyed)
		for (i = 1; keyed->applications[i - 1] != application; i++)
			assert(i < keyed->application_count);
	i = i * FORGE_ROWS + (size_t)(inlet->row - forge_rows);
	return &inlet->webhook->keys[i * SECRET_VALUES + value];
}

/* NULL: no memory, or none can be made of that text. */
static const struct crypto_hmac_key *
take_key(
    const struct inlet *inlet, const struct settings *application, size_t value, const char *secret)
{
	struct crypto_hmac_key **key = slot_of(inlet, application, value);
	const char *name = application->application;
	struct err err;

	if (*key == NULL && !forge_secret_key(inlet->row->scheme, secret, key, &err))
		log_error("the key of %s%s%s: %s", inlet->row->path, name[0] != '\0' ? "/" : "",
		    name, err.text);
	return *key;
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
begin_mac(struct proof *proof, const struct crypto_hmac_key *key)
{
	const char *before = proof->signature.before;

	proof->mac = key == NULL ? NULL : crypto_hmac_begin(key, NULL);
	return proof->mac != NULL &&
	    (before[0] == '\0' || crypto_hmac_add(proof->mac, before, strlen(before), NULL));
}

static struct inbound *
inbound_new(struct inlet *inlet, struct http_request *request, const char *application,
    const struct secret *secret)
{
	struct inbound *inbound = mem_new(1, sizeof(*inbound));

	inbound->magic = INBOUND_MAGIC;
	inbound->inlet = inlet;
	inbound->request = request;
	text_set(inbound->application, application);
	inbound->secret = *secret;
	inbound->secret.application = inbound->application;
	return inbound;
}

/* What the head says by each value of the secret.  False: no memory, or no key. */
static bool
begin(struct inbound *inbound, const struct settings *of, const struct forge_headers *headers)
{
	const struct inlet *inlet = inbound->inlet;

	for (size_t i = 0; i < SECRET_VALUES; i++) {
		/* The settings may be others when all of it is there. */
		const char *value = TAKE(inbound->secret.values[i]);
		struct proof *proof = &inbound->proofs[i];

		proof->how =
		    forge_signature_read(inlet->row->scheme, value, headers, &proof->signature);
		if (proof->how == FORGE_SIGNED && !begin_mac(proof, take_key(inlet, of, i, value)))
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
		.signature = http_request_header(request, inlet->row->signature),
		.standard = http_request_header(request, "webhook-signature"),
		.id = http_request_header(request, "webhook-id"),
		.timestamp = http_request_header(request, "webhook-timestamp"),
	};
	enum delivery_forge forge; /* the inlet's */
	const char *application =
	    forge_webhook_application(now, http_request_path(request), &forge);
	const struct settings *of =
	    application == NULL ? NULL : settings_application(now, application);
	struct inbound *inbound;
	struct secret secret;

	if (of != NULL)
		secret = secret_get(of, inlet->row->secret);
	if (of == NULL || secret.values[0] == NULL) {
		answer(inlet, request, application, 404, NULL);
		return;
	}
	take_settings(inlet->webhook, now);
	inbound = inbound_new(inlet, request, application, &secret);
	http_request_set_user(request, inbound, inbound_free);
	if (!begin(inbound, of, &headers))
		answer(inlet, request, application, 503, NULL);
	else if (!may_go_on(inbound))
		refuse(inlet, request, application);
}

static void
on_piece(struct http_request *request, const void *data, size_t size, UNUSED void *ctx)
{
	struct inbound *inbound = http_request_user(request);

	OBJ_CHECK(inbound, INBOUND_MAGIC);
	/* Nothing may be answered here: without its MAC it is 503 when all of it is there. */
	for (size_t i = 0; i < SECRET_VALUES; i++) {
		struct proof *proof = &inbound->proofs[i];

		if (proof->mac != NULL && !crypto_hmac_add(proof->mac, data, size, NULL))
			crypto_hmac_drop(TAKE(proof->mac));
	}
}

/* By which id it is known when it comes again; false: it has none. */
static bool
take_id(const struct inbound *inbound, enum forge_proof how, struct delivery *delivery)
{
	const struct forge_id *ids = inbound->inlet->row->ids;

	for (size_t i = 0; i < FORGE_IDS_MAX && ids[i].name != NULL; i++) {
		const char *id = ids[i].of_unsigned_alone && how == FORGE_SIGNED ?
		    NULL :
		    http_request_header(inbound->request, ids[i].name);

		if (id == NULL)
			continue;
		delivery->id_is_shared = ids[i].is_shared;
		return forge_delivery_id_is_good(
			   id, ids[i].is_shared ? FORGE_SHARED_ID : LIMIT_DELIVERY - 1) &&
		    text_copy(delivery->id, sizeof(delivery->id), id);
	}
	return false;
}

/* GitHub's number of the webhook, of a repository's alone; it is not signed. */
static void
take_hook(struct http_request *request, struct delivery *delivery)
{
	const char *number = http_request_header(request, "X-GitHub-Hook-ID");
	const char *of = http_request_header(request, "X-GitHub-Hook-Installation-Target-Type");

	if (number == NULL || of == NULL || strcmp(of, "repository") != 0 ||
	    !text_to_i64(number, 1, INT64_MAX, &delivery->hook_number, NULL))
		delivery->hook_number = 0;
}

/* The event of a request that is proven; *ret_status says why there is none. */
static struct event *
new_delivery(const struct inbound *inbound, enum forge_proof how, int *ret_status)
{
	static const char *const form_types[] = { form_type, NULL };
	const struct forge_row *row = inbound->inlet->row;
	struct http_request *request = inbound->request;
	const char *name = row->event == NULL ? NULL : http_request_header(request, row->event);
	struct delivery delivery = { .forge = row->forge,
		.by_app = row == &forge_rows[FORGE_APP],
		.by_id_alone = row->by_id_alone };
	struct event *event;
	struct bytes raw;

	*ret_status = row->disables_on_errors ? 202 : 400;
	if ((row->event != NULL && name == NULL) || !take_id(inbound, how, &delivery) ||
	    http_request_body_size(request) == 0)
		return NULL;
	raw.data = http_request_take_body(request, &raw.size);
	*ret_status = 202;
	if (row->event != NULL && !row->is_asked(name, &raw, &delivery.kind)) {
		free(raw.data);
		return NULL;
	}
	take_hook(request, &delivery);
	text_set(delivery.hook, inbound->application);
	event = event_new(EVENT_DELIVERY);
	event->source =
	    http_guard_type_is_in(http_request_header(request, "Content-Type"), form_types) ?
	    SOURCE_DELIVERY_FORM :
	    SOURCE_DELIVERY;
	event->u.delivery = delivery;
	event->raw = raw;
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
	how = has_lost_mac(inbound) ? FORGE_UNKNOWN : prove(inbound, digest);
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
		    status == 400 || inlet->row->disables_on_errors ? inlet->row->incomplete :
								      NULL);
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
