/* Goal: what no forge has proven is no event, and what is proven is answered as it was decided.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "forges/forge_webhook.h"

#include "fail_nth.h"
#include "forges/forge_delivery.h"
#include "forges/forge_row.h"
#include "lib/base64.h"
#include "lib/buf.h"
#include "lib/crypto.h"
#include "lib/text.h"
#include "settings/sources/settings_load.h"
#include "tests/unit/applications_aid.h"
#include "tests/unit/hmac_of.h"
#include "tests/unit/http_ask.h"
#include "types/refusals.h"
#include "types/secret.h"
#include "types/settings.h"
#include "unit.h"

#define SECRET	"It's a Secret to Everybody"
#define OTHER	"another secret for everybody"
#define SHOPS	"the secret of the shop alone"
#define KEY	"0123456789abcdefghijklmn" /* in base64: */
#define SIGNING "whsec_MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1u"
#define ID	"72d3162e-cc78-11e3-81ab-4c9367dc0958"
#define FORM	"application/x-www-form-urlencoded"

#define EACH_FORGE(f) \
	enum delivery_forge f = 0; \
	f < DELIVERY_FORGE_COUNT; \
	f++

struct world {
	struct loop *loop;
	struct refusals *refusals;
	struct forge_webhook *webhook;
	struct http_route routes[FORGE_WEBHOOK_ROUTES];
	struct http_server *server;
	struct settings *settings;
	struct loop_task decide;
	struct event *event; /* the last delivery that was submitted */
	int64_t rejected;    /* what EVENT_REJECTEDs stand for */
	size_t rejected_events;
	char rejected_of[16];
	size_t previous_uses; /* EVENT_SECRET_USED */
	char used[SETTING_NAME_MAX];
	int decision; /* status of the next; 0: the store takes nothing */
	int counted;  /* status counted last */
	enum delivery_forge counted_forge;
	char counted_of[ENVIRONMENT_NAME_MAX];
};

static struct settings *
today(void *ctx)
{
	return ((struct world *)ctx)->settings;
}

static void
on_decide(struct loop_task *task, void *ctx)
{
	struct world *w = ctx;
	struct answer answer = { .status = w->decision };

	(void)task;
	w->event->done(w->event->done_ctx, &answer);
}

static bool
submit(void *ctx, struct event *event)
{
	struct world *w = ctx;

	if (w->decision == 0)
		return false;
	if (event->kind == EVENT_REJECTED) {
		(void)text_copy(w->rejected_of, sizeof(w->rejected_of), event->u.rejected.source);
		w->rejected += event->u.rejected.count;
		w->rejected_events++;
		event->done(event->done_ctx, &(struct answer){ .status = 200 });
		event_free(event);
		return true;
	}
	if (event->kind == EVENT_SECRET_USED) {
		assert_string_equal(event->u.secret_used.application, "");
		(void)text_copy(w->used, sizeof(w->used), event->u.secret_used.name);
		w->previous_uses++;
		event_free(event);
		return true;
	}
	assert_int_equal(event->kind, EVENT_DELIVERY);
	event_free(w->event);
	w->event = event;
	loop_defer(w->loop, &w->decide);
	return true;
}

static void
count(void *ctx, enum delivery_forge forge, const char *application, int status)
{
	struct world *w = ctx;

	w->counted = status;
	w->counted_forge = forge;
	(void)text_copy(w->counted_of, sizeof(w->counted_of), application);
}

/* All forges have the same secret and the same one before it; NULL: none. */
static struct settings *
settings_with(const char *secret, const char *previous)
{
	static const char *const names[] = { "GITHUB_WEBHOOK_SECRET", "FORGE_WEBHOOK_SECRET" };
	char lines[2 * COUNT(names)][128];
	char *list[10] = { (char[]){
			       "TELEGRAM_BOT_TOKEN=123456789:AAaaBBbbCCccDDddEEeeFFffGGggHHhhIIi" },
		(char[]){ "ADMIN_TELEGRAM_IDS=1" }, (char[]){ "STATE_DIRECTORY=/tmp" },
		(char[]){ "GITHUB_REPOSITORY=o/r" }, (char[]){ "REPOSITORY_PATH=o/r" } };
	struct settings_report report;
	struct settings *settings;
	size_t n = 5;

	for (size_t i = 0; i < 2 * COUNT(names); i++) {
		const char *value = i % 2 == 0 ? secret : previous;

		if (value == NULL)
			continue;
		(void)snprintf(lines[i], sizeof(lines[i]), "%s%s=%s", names[i / 2],
		    i % 2 == 0 ? "" : SECRET_PREVIOUS, value);
		list[n++] = lines[i];
	}
	if (!settings_load(NULL, list, &settings, &report))
		fail_msg("%s", report.lines[0].text);
	return settings;
}

static void
change_secrets(struct world *w, const char *secret, const char *previous)
{
	settings_unref(w->settings);
	w->settings = settings_with(secret, previous);
}

static int
set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct forge_webhook_config config = {
		.settings = today,
		.submit = submit,
		.count_request = count,
		.ctx = w,
	};
	struct http_server_config server = { .route_count = FORGE_WEBHOOK_ROUTES };
	struct err err;

	w->decision = 200;
	w->settings = settings_with(SECRET, NULL);
	w->loop = loop_new(&err);
	loop_task_init(&w->decide, on_decide, w);
	w->refusals = config.refusals =
	    refusals_new(&(struct refusals_config){ .loop = w->loop, .submit = submit, .ctx = w });
	w->webhook = forge_webhook_new(&config);
	forge_webhook_routes(w->webhook, w->routes);
	server.routes = w->routes;
	w->server = http_server_new(w->loop, &server, "127.0.0.1:0", &err);
	*state = w;
	return w->server == NULL;
}

static int
tear_down(void **state)
{
	struct world *w = *state;

	http_server_free(w->server);
	forge_webhook_free(w->webhook);
	refusals_free(w->refusals);
	loop_free(w->loop);
	settings_unref(w->settings);
	event_free(w->event);
	free(w);
	return 0;
}

#define SCENE_TEST(name) TEST_OF(name, struct world *w, set_up, tear_down)

/* --- requests --- */

struct post {
	enum delivery_forge forge;
	const char *body;   /* NULL: {} */
	size_t size;	    /* 0: of the text */
	const char *secret; /* that proves it; NULL: SECRET */
	const char *proof;  /* of its header instead; "": no such header */
	const char *event;  /* NULL: push; "": none */
	const char *id;	    /* NULL: one; "": none */
	const char *type;   /* NULL: application/json */
	const char *more;   /* further header lines */
	const char *name;   /* behind its path */
	unsigned fails;	    /* this call of OpenSSL; 0: none */
};

static void
add_header(struct buf *out, const char *name, const char *value)
{
	if (value[0] != '\0')
		buf_addf(out, "%s: %s\r\n", name, value);
}

static void
mac_of(const char *secret, const void *data, size_t size, uint8_t mac[CRYPTO_SHA256_SIZE])
{
	CLEANUP(crypto_hmac_key_freep)
	struct crypto_hmac_key *key = crypto_hmac_key_new(secret, strlen(secret), NULL);

	assert_true(hmac_of(key, data, size, mac, NULL));
}

/* As GitLab does with its signing token. */
static void
add_standard(struct buf *out, const struct post *p)
{
	char text[64] = "v1,";
	uint8_t mac[CRYPTO_SHA256_SIZE];
	struct buf signed_;

	buf_init(&signed_, 1 << 20);
	buf_adds(&signed_, ID ".1614265330.");
	buf_add(&signed_, p->body, p->size);
	mac_of(KEY, signed_.data, signed_.size, mac);
	buf_done(&signed_);
	(void)base64_encode(mac, sizeof(mac), text + strlen(text));
	buf_adds(out, "webhook-id: " ID "\r\nwebhook-timestamp: 1614265330\r\n");
	add_header(out, "webhook-signature", text);
}

/* The headers that prove it, as its forge sends them. */
static void
add_proof(struct buf *out, const struct post *p)
{
	const struct forge_row *row = &forge_rows[p->forge];
	const char *secret = p->secret == NULL ? SECRET : p->secret;
	char text[80] = "";
	uint8_t mac[CRYPTO_SHA256_SIZE];

	switch (row->scheme) {
	case FORGE_TOKEN:
		if (strcmp(secret, SIGNING) == 0)
			add_standard(out, p);
		else
			add_header(out, row->signature, secret);
		return;
	case FORGE_SHA256_HEX:
		(void)text_copy(text, sizeof(text), "sha256=");
		break;
	case FORGE_HEX:
		break;
	}
	mac_of(secret, p->body, p->size, mac);
	text_hex(text + strlen(text), mac, sizeof(mac));
	add_header(out, row->signature, text);
}

static void
write_post(struct buf *out, struct post p)
{
	const struct forge_row *row = &forge_rows[p.forge];

	p.body = p.body == NULL ? "{}" : p.body;
	p.size = p.size > 0 ? p.size : strlen(p.body);
	buf_init(out, 64 << 20);
	buf_addf(out, "POST %s%s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n",
	    p.name == NULL ? row->path : row->paths, p.name == NULL ? "" : p.name, p.size);
	if (p.proof == NULL)
		add_proof(out, &p);
	else
		add_header(out, row->signature, p.proof);
	if (row->event != NULL)
		add_header(out, row->event, p.event == NULL ? "push" : p.event);
	add_header(out, row->ids[0].name, p.id == NULL ? ID : p.id);
	add_header(out, "Content-Type", p.type == NULL ? "application/json" : p.type);
	buf_adds(out, p.more == NULL ? "" : p.more);
	buf_adds(out, "\r\n");
	buf_add(out, p.body, p.size);
}

/* Sends it; returns the status, checks what else is answered. */
static int
post(struct world *w, struct post p)
{
	static struct http_asked asked;
	const char *incomplete = forge_rows[p.forge].incomplete;
	struct buf request;

	write_post(&request, p);
	w->counted = 0;
	fail_nth(FAIL_CRYPTO, p.fails);
	http_ask(w->loop, http_server_port(w->server), buf_text(&request), request.size, &asked);
	buf_done(&request);
	if (asked.status != (forge_rows[p.forge].disables_on_errors ? 202 : 400) ||
	    w->decision == asked.status || incomplete == NULL)
		incomplete = "";
	assert_string_equal(asked.body, incomplete);
	assert_true((asked.status == 503) == (strstr(asked.text, "Retry-After") != NULL));
	if (w->counted != 0 || asked.status < 404 || asked.status > 415) {
		assert_int_equal(w->counted, asked.status);
		assert_int_equal(w->counted_forge, p.forge);
	}
	return asked.status;
}

/* What a post of that forge with these members is answered. */
#define ANSWERS(status, of) assert_int_equal(post(w, (struct post){ .forge = (of) }), status)
#define ANSWERS_OF(status, of, ...) \
	assert_int_equal(post(w, (struct post){ .forge = (of), __VA_ARGS__ }), status)

/* --- each forge --- */

TEST(each_forge_has_a_row_of_its_own)
{
	for (EACH_FORGE(f)) {
		const struct forge_row *row = &forge_rows[f];

		if (row->path == NULL)
			fail_msg("%s has no row in forge_row.c", delivery_forge_word(f));
		assert_non_null(strstr(row->path, delivery_forge_word(f)));
		assert_memory_equal(row->paths, row->path, strlen(row->path));
		assert_string_equal(row->paths + strlen(row->path), "/");
		assert_true((row->event != NULL) == (row->is_asked != NULL));
		assert_non_null(row->ids[0].name);
		assert_non_null(row->decode);
	}
}

SCENE_TEST(a_proven_delivery_is_answered_as_it_was_decided)
{
	static const int decisions[] = { 200, 202, 400, 503 };

	for (EACH_FORGE(f))
		for (size_t i = 0; i < COUNT(decisions); i++) {
			w->decision = decisions[i];
			ANSWERS_OF(decisions[i], f, .body = "{\"a\":1}");
		}
	assert_int_equal(w->rejected, 0);
}

SCENE_TEST(the_event_holds_the_raw_body_its_mac_and_what_the_head_said)
{
	static const char body[] = "{\"ref\":\"refs/heads/m\\u00e4in\"}", odd[] = "payload=%7B%7D";

	for (EACH_FORGE(f)) {
		const struct forge_row *row = &forge_rows[f];
		uint8_t mac[CRYPTO_SHA256_SIZE] = { 0 };
		const struct delivery *is;

		ANSWERS_OF(200, f, .body = body);
		is = &w->event->u.delivery;
		assert_int_equal(w->event->source, SOURCE_DELIVERY);
		assert_int_equal(w->event->raw.size, strlen(body));
		assert_memory_equal(w->event->raw.data, body, strlen(body));
		assert_int_equal(is->forge, f);
		assert_int_equal(is->kind, row->event == NULL ? DELIVERY_OTHER : DELIVERY_PUSH);
		assert_string_equal(is->id, ID);
		assert_int_equal(is->id_is_shared, row->ids[0].is_shared);
		assert_int_equal(is->by_id_alone, row->by_id_alone);
		if (row->scheme != FORGE_TOKEN)
			mac_of(SECRET, body, strlen(body), mac);
		assert_memory_equal(is->digest, mac, sizeof(mac));
		ANSWERS_OF(row->takes_form ? 200 : 415, f, .body = odd, .event = "ping",
		    .type = FORM "; charset=utf-8");
		assert_int_equal(w->event->source == SOURCE_DELIVERY_FORM, row->takes_form);
	}
}

SCENE_TEST(the_previous_secret_opens_too_and_is_counted_until_it_is_gone)
{
	for (EACH_FORGE(f)) {
		w->previous_uses = 0;
		change_secrets(w, SECRET, OTHER);
		ANSWERS(200, f);
		assert_int_equal(w->previous_uses, 0);
		change_secrets(w, OTHER, SECRET);
		ANSWERS(200, f);
		ANSWERS(200, f);
		assert_int_equal(w->previous_uses, 2);
		change_secrets(w, OTHER, SIGNING);
		ANSWERS_OF(200, f, .secret = SIGNING);
		assert_int_equal(w->previous_uses, 3);
		ANSWERS(401, f);
		change_secrets(w, OTHER, NULL);
		ANSWERS(401, f);
		assert_int_equal(w->previous_uses, 3);
		assert_string_equal(w->used, secret_get(w->settings, forge_rows[f].secret).name);
	}
}

SCENE_TEST(without_the_right_proof_nothing_happens_but_a_count)
{
	static const char *const bad[] = { "", "sha256=", "x",
		"sha1=757107ea0eb2509fc211221cce984b8a37570b6d",
		"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
		"sha256=757107EA0EB2509FC211221CCE984B8A37570B6D7586C22C46F4379C8B043E17" };

	for (EACH_FORGE(f)) {
		for (size_t i = 0; i < COUNT(bad); i++)
			ANSWERS_OF(401, f, .proof = bad[i]);
		ANSWERS_OF(401, f, .secret = OTHER);
	}
	assert_null(w->event);
}

/* 503: no 401, and no try is counted.  Each call of OpenSSL fails, by each value of the secret. */
SCENE_TEST(what_cannot_be_proven_for_want_of_memory_is_503)
{
	static const struct {
		const char *proves, *secret, *previous;
	} rows[] = { { SECRET, SECRET, NULL }, { SIGNING, SIGNING, NULL },
		{ SECRET, SECRET, OTHER }, { SECRET, OTHER, SECRET } };
	int status;

	for (EACH_FORGE(f))
		for (size_t i = 0; i < COUNT(rows); i++)
			for (unsigned n = 1;; n++) {
				change_secrets(w, rows[i].secret, rows[i].previous);
				status = post(w,
				    (struct post){
					.forge = f, .secret = rows[i].proves, .fails = n });
				if (!fail_nth_met()) {
					assert_int_equal(status, 200);
					assert_true(n > 1 || forge_rows[f].scheme == FORGE_TOKEN);
					break;
				}
				/* Where the other value holds it is proven. */
				assert_true(
				    status == 503 || (status == 200 && rows[i].previous != NULL));
			}
	assert_int_equal(w->rejected, 0);
}

SCENE_TEST(two_proofs_are_none)
{
	for (EACH_FORGE(f)) {
		char line[256];
		struct buf proof;

		buf_init(&proof, sizeof(line));
		add_proof(&proof, &(struct post){ .forge = f, .body = "{}", .size = 2 });
		(void)text_copy(line, sizeof(line), buf_text(&proof));
		buf_done(&proof);
		ANSWERS_OF(401, f, .more = line);
		ANSWERS_OF(200, f, .proof = "", .more = line);
		if (forge_rows[f].scheme != FORGE_TOKEN)
			ANSWERS_OF(401, f, .body = "{} ", .proof = "", .more = line);
	}
}

SCENE_TEST(refusals_are_told_once_a_minute_with_their_number)
{
	for (EACH_FORGE(f)) {
		w->rejected_events = 0;
		w->rejected = 0;
		for (int i = 0; i < 5; i++)
			ANSWERS_OF(401, f, .proof = "x");
		assert_int_equal(w->rejected_events, 1);
		assert_int_equal(w->rejected, 1);
		assert_string_equal(w->rejected_of, delivery_forge_word(f));
	}
}

SCENE_TEST(a_store_that_takes_nothing_is_503_and_keeps_no_refusal_from_its_answer)
{
	for (EACH_FORGE(f)) {
		w->decision = 0;
		ANSWERS(503, f);
		ANSWERS_OF(401, f, .proof = "x");
		assert_int_equal(w->rejected_events, 0);
		w->decision = 200;
		ANSWERS(200, f);
	}
}

/* An App's and an organization's webhook have numbers that are none of a repository's. */
SCENE_TEST(the_number_is_that_of_a_repositorys_webhook)
{
#define TYPE "X-GitHub-Hook-Installation-Target-Type: "
	static const struct {
		const char *more;
		int64_t number;
	} rows[] = { { "X-GitHub-Hook-ID: 501\r\n" TYPE "repository\r\n", 501 },
		{ "X-GitHub-Hook-ID: 501\r\n" TYPE "integration\r\n", 0 },
		{ "X-GitHub-Hook-ID: 501\r\n" TYPE "organization\r\n", 0 },
		{ "X-GitHub-Hook-ID: 501\r\n", 0 }, { TYPE "repository\r\n", 0 },
		{ "X-GitHub-Hook-ID: 0\r\n" TYPE "repository\r\n", 0 },
		{ "X-GitHub-Hook-ID: 5x\r\n" TYPE "repository\r\n", 0 },
		{ "X-GitHub-Hook-ID: 99999999999999999999\r\n" TYPE "repository\r\n", 0 } };
#undef TYPE

	for (size_t i = 0; i < COUNT(rows); i++) {
		ANSWERS_OF(200, DELIVERY_GITHUB, .more = rows[i].more);
		assert_int_equal(w->event->u.delivery.hook_number, rows[i].number);
	}
}

SCENE_TEST(the_names_of_event_and_delivery_must_be_there_once)
{
	for (EACH_FORGE(f)) {
		const struct forge_row *row = &forge_rows[f];
		int status = row->disables_on_errors ? 202 : 400;
		char event[128], id[128];

		(void)snprintf(id, sizeof(id), "%s: 1\r\n", row->ids[0].name);
		ANSWERS_OF(status, f, .id = "");
		ANSWERS_OF(status, f, .id = "a b");
		ANSWERS_OF(status, f, .id = "a'--");
		ANSWERS_OF(status, f, .more = id);
		ANSWERS_OF(status, f, .body = "");
		if (row->event == NULL)
			continue;
		(void)snprintf(event, sizeof(event), "%s: ping\r\n", row->event);
		ANSWERS_OF(400, f, .event = "");
		ANSWERS_OF(400, f, .more = event);
	}
	assert_null(w->event);
}

/* By the first that is there; one that several deliveries share is told from the others. */
SCENE_TEST(each_header_of_an_id_is_asked_in_its_turn)
{
	for (EACH_FORGE(f)) {
		const struct forge_id *ids = forge_rows[f].ids;
		char more[256] = "", longest[LIMIT_DELIVERY + 1], line[sizeof(longest) + 32];

		for (size_t i = FORGE_IDS_MAX; i-- > 0;) {
			size_t most = ids[i].is_shared ? FORGE_SHARED_ID : LIMIT_DELIVERY - 1;

			if (ids[i].name == NULL)
				continue;
			memset(longest, 'a', sizeof(longest));
			longest[most + 1] = '\0';
			(void)snprintf(line, sizeof(line), "%s: %s\r\n", ids[i].name, longest);
			ANSWERS_OF(forge_rows[f].disables_on_errors ? 202 : 400, f, .id = "",
			    .more = line);
			longest[most] = '\0';
			(void)snprintf(line, sizeof(line), "%s: %s\r\n", ids[i].name, longest);
			ANSWERS_OF(200, f, .id = "", .more = line);
			assert_string_equal(w->event->u.delivery.id, longest);
			(void)snprintf(more + strlen(more), sizeof(more) - strlen(more),
			    "%s: an-id-%zu\r\n", ids[i].name, i);
			(void)snprintf(longest, sizeof(longest), "an-id-%zu", i);
			ANSWERS_OF(200, f, .id = "", .more = more);
			assert_string_equal(w->event->u.delivery.id, longest);
			assert_int_equal(w->event->u.delivery.id_is_shared, ids[i].is_shared);
		}
	}
}

/* Of what is signed the signed id counts.  To other forges it is a key as it stands. */
SCENE_TEST(a_signing_token_is_gitlabs_alone_and_signs_the_id)
{
	change_secrets(w, SIGNING, NULL);
	for (EACH_FORGE(f)) {
		ANSWERS_OF(200, f, .secret = SIGNING, .id = "another");
		assert_string_equal(w->event->u.delivery.id, f == DELIVERY_GITLAB ? ID : "another");
	}
}

/* Its name is not signed: what may be a push is read, and told that it is none. */
SCENE_TEST(what_nobody_asked_for_is_202_without_the_store_unless_it_may_be_a_push)
{
	static const char form[] = "payload=%7B%22action%22%3A1%7D";
	static const char form_of_a_push[] = "payload=%7B%22before%22%3A1%7D";

	ANSWERS_OF(202, DELIVERY_GITHUB, .body = "{\"action\":\"created\"}", .event = "star");
	ANSWERS_OF(202, DELIVERY_GITHUB, .body = "no JSON", .event = "Push");
	ANSWERS_OF(202, DELIVERY_GITHUB, .body = form, .event = "star", .type = FORM);
	assert_null(w->event);
	w->decision = 400;
	ANSWERS_OF(400, DELIVERY_GITHUB, .body = "{\"before\":2,\"after\":3}", .event = "star");
	ANSWERS_OF(400, DELIVERY_GITHUB, .body = form_of_a_push, .event = "star", .type = FORM);
	assert_int_equal(w->event->u.delivery.kind, DELIVERY_OTHER);
}

SCENE_TEST(the_secret_is_the_one_of_the_moment)
{
	for (EACH_FORGE(f)) {
		change_secrets(w, SECRET, NULL);
		ANSWERS_OF(401, f, .secret = OTHER);
		change_secrets(w, OTHER, NULL);
		ANSWERS_OF(200, f, .secret = OTHER);
		ANSWERS(401, f);
		change_secrets(w, NULL, NULL);
		ANSWERS_OF(404, f, .secret = OTHER);
		assert_int_equal(w->counted, 404);
		change_secrets(w, SECRET, NULL);
		ANSWERS(200, f);
	}
}

/* GitLab's: it is no signing token, so nothing can be proven. */
SCENE_TEST(a_secret_that_can_be_no_key_is_503)
{
	change_secrets(w, "whsec_QUJDREVGR0hJSktMTU5PUA==", NULL);
	ANSWERS_OF(503, DELIVERY_GITLAB, .secret = SIGNING);
	assert_int_equal(w->rejected, 0);
}

/* --- applications --- */

static void
open_applications(struct world *w, const char *github, const char *others)
{
	change_secrets(w, SECRET, NULL);
	applications_aid_add(w->settings, "blog", "GITHUB_REPOSITORY=o/blog", NULL);
	applications_aid_add(w->settings, "shop", "GITHUB_REPOSITORY=o/shop", github, others, NULL);
}

/* The path chooses the key: a secret opens its own webhook and no other. */
SCENE_TEST(the_path_chooses_the_key_and_the_event_says_which)
{
	for (EACH_FORGE(f)) {
		open_applications(w, "GITHUB_WEBHOOK_SECRET=" SHOPS, "FORGE_WEBHOOK_SECRET=" SHOPS);
		ANSWERS(200, f);
		assert_string_equal(w->event->u.delivery.hook, "");
		assert_string_equal(w->counted_of, "");
		ANSWERS_OF(200, f, .secret = SHOPS, .name = "shop");
		assert_string_equal(w->event->u.delivery.hook, "shop");
		assert_string_equal(w->counted_of, "shop");
		ANSWERS_OF(401, f, .secret = SHOPS);
		assert_string_equal(w->counted_of, "");
		ANSWERS_OF(401, f, .name = "shop");
		assert_string_equal(w->counted_of, "shop");
		open_applications(w, "GITHUB_WEBHOOK_SECRET=" OTHER, "FORGE_WEBHOOK_SECRET=" OTHER);
		ANSWERS_OF(401, f, .secret = SHOPS, .name = "shop");
	}
}

/* Also of an application that has no secret of its own, or one that is another forge's. */
SCENE_TEST(a_path_that_is_no_application_s_is_404_and_counts_nothing)
{
	static const char *const names[] = { "", "blog", "none", "shop/", "Shop", "shop/staging" };

	for (EACH_FORGE(f)) {
		enum delivery_forge forge;
		char path[64];

		open_applications(w, "GITHUB_WEBHOOK_SECRET=" SHOPS, "FORGE_WEBHOOK_SECRET=" SHOPS);
		for (size_t i = 0; i < COUNT(names); i++) {
			ANSWERS_OF(404, f, .name = names[i]);
			ANSWERS_OF(404, f, .name = names[i], .secret = SHOPS);
			assert_int_equal(w->counted, 0);
			(void)snprintf(path, sizeof(path), "%s%s", forge_rows[f].paths, names[i]);
			assert_null(forge_webhook_application(w->settings, path, &forge));
		}
		(void)snprintf(path, sizeof(path), "%sshop", forge_rows[f].path);
		assert_null(forge_webhook_application(w->settings, path, &forge));
		if (forge_rows[f].secret == SETTING_GITHUB_WEBHOOK_SECRET)
			open_applications(w, "FORGE_WEBHOOK_SECRET=" SHOPS, NULL);
		else
			open_applications(w, "GITHUB_WEBHOOK_SECRET=" SHOPS, NULL);
		ANSWERS_OF(404, f, .name = "shop", .secret = SHOPS);
	}
	assert_null(w->event);
}

SCENE_TEST(other_types_are_415_and_other_methods_405)
{
	static struct http_asked asked;

	for (EACH_FORGE(f)) {
		char get[128];

		ANSWERS_OF(415, f, .type = "text/plain");
		ANSWERS_OF(415, f, .type = "");
		(void)snprintf(
		    get, sizeof(get), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", forge_rows[f].path);
		http_ask(w->loop, http_server_port(w->server), get, strlen(get), &asked);
		assert_int_equal(asked.status, 405);
	}
	assert_null(w->event);
}

SCENE_TEST(a_body_is_taken_up_to_the_size_of_its_row)
{
	for (EACH_FORGE(f)) {
		size_t most = forge_rows[f].body_max;
		char *body = malloc(most + 1);

		memset(body, ' ', most + 1);
		ANSWERS_OF(200, f, .body = body, .size = most);
		assert_int_equal(w->event->raw.size, most);
		ANSWERS_OF(413, f, .body = body, .size = most + 1);
		free(body);
	}
}
