/* notify_client.c - one message to one of NOTIFY_<NAME>_TO: its call, by kind.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "clients/notify_client.h"

#include <stdlib.h>

#include "clients/notify_answer.h"
#include "clients/outbound_client.h"
#include "lib/base64.h"
#include "lib/clock.h"
#include "lib/crypto.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/signing_key.h"
#include "lib/text.h"
#include "notify/render.h"

#define TIMEOUT_MS 15000
#define BODY_MAX   20000 /* Standard Webhooks 1.0.0: payloads are below 20 kB */
#define ANSWER_MAX ((size_t)16 * 1024)
#define SIGNATURES (2 * (BASE64_SIZE(CRYPTO_SHA256_SIZE) + 3)) /* "v1,…", a blank between */
#define HEADERS	   5

struct notify_clients {
	struct http_client *of[NOTIFY_KIND_COUNT];
};

struct notify_call {
	struct http_client_call *http;
	enum notify_kind kind;
	bool is_taken; /* a 200 has come, and a first piece of what it says */
	notify_done_fn *on_done;
	void *ctx;
};

/* What a call is made of, until it is started. */
struct draft {
	const struct notify_request *of;
	struct buf body;
	char url[NOTIFY_URL];
	char lines[HEADERS][1200];
	const char *headers[HEADERS + 1];
	size_t n;
	struct http_client_mail mail;
};

struct notify_clients *
notify_clients_new(struct loop *loop, struct err *err)
{
	static const enum outbound_place places[] = {
#define KIND(name, word) OUTBOUND_NOTIFY_##name,
		NOTIFY_KINDS(KIND)
#undef KIND
	};
	struct notify_clients *clients = mem_new(1, sizeof(*clients));

	for (size_t i = 0; i < NOTIFY_KIND_COUNT; i++) {
		const void *outbound = outbound_of(places[i], NULL);

		clients->of[i] = i == NOTIFY_TO_MAIL ?
		    http_client_new(loop,
			&(struct http_client_config){ .connections_max = NOTIFY_MAX,
			    .in_flight_max = NOTIFY_MAX,
			    .protocols = "smtp,smtps",
			    .address_is_allowed = outbound_allows,
			    .address_ctx = outbound },
			err) :
		    outbound_client(loop, outbound, NOTIFY_MAX, 0, err);
		if (clients->of[i] == NULL) {
			notify_clients_free(clients);
			return NULL;
		}
	}
	return clients;
}

void
notify_clients_free(struct notify_clients *clients)
{
	for (size_t i = 0; clients != NULL && i < NOTIFY_KIND_COUNT; i++)
		http_client_free(clients->of[i]);
	free(clients);
}

/* --- a call, by kind --- */

#define add_header(draft, ...) \
	do { \
		text_setf((draft)->lines[(draft)->n], __VA_ARGS__); \
		(draft)->headers[(draft)->n] = (draft)->lines[(draft)->n]; \
		(draft)->n++; \
	} while (0)

/* "v1,…" of id.timestamp.body under each key that is set: both during a rotation. */
static bool
sign(const struct draft *draft, int64_t at_s, char out[SIGNATURES + 32], struct err *err)
{
	const struct notify *to = draft->of->to;
	const char *const secrets[] = { to->secret, to->secret_previous };
	CLEANUP(buf_done) struct buf text = buf_make(BODY_MAX + 128);
	uint8_t key[SIGNING_KEY_MAX], mac[CRYPTO_SHA256_SIZE];
	char *end = stpcpy(out, "webhook-signature:"), encoded[BASE64_SIZE(sizeof(mac))];
	bool ok = true;
	size_t size;

	buf_addf(&text, "%s.%lld.%s", draft->of->key, (long long)at_s, buf_text(&draft->body));
	for (size_t i = 0; i < COUNT(secrets) && ok; i++) {
		if (secrets[i] == NULL)
			continue;
		ok = buf_check(&text, err);
		if (ok && !signing_key_read(secrets[i], key, &size))
			ok = err_set(err, ERR_CONFIG, "its _SECRET is no whsec_…");
		ok = ok && crypto_hmac(key, size, buf_text(&text), text.size, mac, err);
		if (ok) {
			end = stpcpy(end, " v1,");
			end = stpcpy(end, base64_encode(mac, sizeof(mac), encoded));
		}
	}
	crypto_wipe(key, sizeof(key));
	return ok;
}

static bool
write_webhook(struct draft *draft, struct err *err)
{
	const struct notify_request *of = draft->of;
	bool is_about_work = text_index(of->word,
				 (const char *const[]){ notify_word_text(NOTIFY_UNSENT),
				     notify_word_text(NOTIFY_TEST) },
				 2) == 2;
	struct json_out json = json_out_begin(&draft->body, '{');
	int64_t at_s = clock_wall_ms() / 1000;
	char type[48], signatures[SIGNATURES + 32];

	text_setf(type, "%s.%s", is_about_work ? "deployment" : "notify", of->word);
	json_put_str(&json, "type", type);
	json_put_time(&json, "timestamp", of->at);
	json_out_key(&json, "data");
	json_out_raw(&json, of->data);
	json_out_end(&json);
	if (!sign(draft, at_s, signatures, err))
		return false;
	add_header(draft, "webhook-id: %s", of->key);
	add_header(draft, "webhook-timestamp: %lld", (long long)at_s);
	add_header(draft, "%s", signatures);
	return true;
}

void
notify_matrix_url(const struct notify *to, const char *rest, char ret[NOTIFY_URL])
{
	static const char hex[] = "0123456789ABCDEF";
	CLEANUP(buf_done) struct buf room = buf_make(NOTIFY_URL / 2);
	size_t base = strlen(to->url);

	for (const char *c = to->room == NULL ? "" : to->room; *c != '\0'; c++)
		if (strchr("._~-", *c) != NULL || (*c >= '0' && *c <= '9') ||
		    (*c >= 'A' && *c <= 'Z') || (*c >= 'a' && *c <= 'z'))
			buf_addc(&room, *c);
		else
			buf_addf(&room, "%%%c%c", hex[(unsigned char)*c >> 4], hex[*c & 15]);
	(void)snprintf(ret, NOTIFY_URL, "%.*s/_matrix/client/v3/rooms/%s/%s",
	    (int)(base > 0 && to->url[base - 1] == '/' ? base - 1 : base), to->url, buf_text(&room),
	    rest);
}

/* PUT …/send/…/TXN: the same key is one event there, however often it is sent. */
static void
write_matrix(struct draft *draft)
{
	const struct notify *to = draft->of->to;
	char rest[96];

	text_setf(rest, "send/m.room.message/%s", draft->of->key);
	notify_matrix_url(to, rest, draft->url);
	add_header(draft, "Authorization: Bearer %s", to->secret == NULL ? "" : to->secret);
	render_matrix(draft->of->text, &draft->body);
}

struct http_client *
notify_client_of(const struct notify_clients *clients, enum notify_kind kind)
{
	return clients->of[kind];
}

bool
notify_is_in_clear(const struct notify *to)
{
	static const char *const names[] = { "127.0.0.1", "localhost", "[::1]" };
	char room[URL_PLACE];
	const char *host = notify_place(to, room);
	size_t size = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");

	for (size_t i = 0; i < COUNT(names) && !text_starts_ci(to->url, "smtps://"); i++)
		if (strlen(names[i]) == size && strncmp(host, names[i], size) == 0)
			return true;
	return false;
}

/* The mail of a message that is sent twice has the same id: its readers show it once. */
static void
write_mail(struct draft *draft, struct buf *subject, char id[320])
{
	const struct notify *to = draft->of->to;
	const char *at = to->from == NULL ? NULL : strchr(to->from, '@');

	render_subject(draft->of->text, subject);
	render_plain(draft->of->text, &draft->body);
	(void)snprintf(id, 320, "%s@%s", draft->of->key, at == NULL ? "deploybot" : at + 1);
	draft->mail = (struct http_client_mail){ .from = to->from == NULL ? "" : to->from,
		.to = to->address == NULL ? "" : to->address,
		.subject = buf_text(subject),
		.id = id,
		.text = buf_text(&draft->body),
		.at = draft->of->at,
		.is_in_clear = notify_is_in_clear(to) };
}

/* --- started and ended --- */

static void
on_answer(void *ctx, const struct http_client_result *http)
{
	struct notify_call *call = ctx;
	bool is_answered = http->code == ERR_NONE;
	struct notify_said said = notify_judge(&(struct notify_reply){ .kind = call->kind,
	    .status = call->is_taken ? 200 : http->status,
	    .body = is_answered ? http->body : http->why,
	    .size = is_answered ? http->body_size : strlen(http->why),
	    .retry_after_s = is_answered ? http_client_retry_after(http) : 0 });
	notify_done_fn *on_done = call->on_done;
	void *done_ctx = call->ctx;

	said.took_ms = http->total_ms;
	free(call);
	on_done(done_ctx, &said);
}

/* What a webhook says with its 200 is nothing to us, however long it is, or where it breaks off. */
static bool
skip(void *ctx, UNUSED const void *data, UNUSED size_t size)
{
	((struct notify_call *)ctx)->is_taken = true;
	return true;
}

static bool
write_call(struct draft *draft, struct buf *subject, char id[320], struct err *err)
{
	const struct notify_request *of = draft->of;

	text_set(draft->url, of->to->url);
	if (of->to->kind != NOTIFY_TO_MAIL)
		add_header(draft, "Content-Type: application/json");
	switch (of->to->kind) {
	case NOTIFY_TO_WEBHOOK:
		return write_webhook(draft, err) && buf_check(&draft->body, err);
	case NOTIFY_TO_SLACK:
		render_slack(of->text, &draft->body);
		break;
	case NOTIFY_TO_DISCORD:
		render_discord(of->text, &draft->body);
		break;
	case NOTIFY_TO_MATRIX:
		write_matrix(draft);
		break;
	default:
		write_mail(draft, subject, id);
		break;
	}
	return buf_check(&draft->body, err);
}

struct notify_call *
notify_start(struct notify_clients *clients, const struct notify_request *request, struct err *err)
{
	const struct notify *to = request->to;
	CLEANUP(freep) struct draft *draft = mem_new(1, sizeof(*draft));
	CLEANUP(buf_done) struct buf subject = buf_make(NOTIFY_TEXT);
	CLEANUP(freep) struct notify_call *call = mem_new(1, sizeof(*call));
	char id[320];

	if (to->url == NULL)
		return ERR_NULL(err_set(err, ERR_CONFIG, "its _URL is not set"));
	draft->of = request;
	draft->body = buf_make(BODY_MAX);
	*call = (struct notify_call){
		.kind = to->kind, .on_done = request->on_done, .ctx = request->ctx
	};
	if (write_call(draft, &subject, id, err))
		call->http = http_client_start(clients->of[to->kind],
		    &(struct http_client_request){ .label = "notify",
			.url = draft->url,
			.method = to->kind == NOTIFY_TO_MATRIX ? "PUT" : NULL,
			.headers = draft->headers,
			.body = to->kind == NOTIFY_TO_MAIL ? NULL : buf_text(&draft->body),
			.body_size = draft->body.size,
			.mail = to->kind == NOTIFY_TO_MAIL ? &draft->mail : NULL,
			.timeout_ms = TIMEOUT_MS,
			.answer_max = ANSWER_MAX,
			.on_piece = to->kind == NOTIFY_TO_WEBHOOK ? skip : NULL,
			.on_done = on_answer,
			.ctx = call },
		    err);
	buf_done(&draft->body);
	crypto_wipe(draft, sizeof(*draft));
	return call->http != NULL ? TAKE(call) : NULL;
}

void
notify_cancel(struct notify_call *call)
{
	if (call == NULL)
		return;
	http_client_cancel(call->http);
	free(call);
}
