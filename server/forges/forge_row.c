/* forge_row.c - the rows of the forges, and what becomes of a body that its row's decoder reads.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "forges/forge_row.h"

#include "forges/forge_delivery.h"
#include "forges/github_delivery.h"
#include "lib/err.h"
#include "lib/json_mend.h"
#include "lib/text.h"

#define MB	  ((size_t)1024 * 1024)
#define AT(path_) .path = (path_), .paths = path_ "/"

/* Of a repository's webhook, and of an App's. */
#define AS_GITHUB \
	.body_max = 26 * MB, /* it sends nothing above 25 */ \
	    .takes_form = true, .scheme = FORGE_SHA256_HEX, .signature = "X-Hub-Signature-256", \
	.proof = "signature", .event = "X-GitHub-Event", .is_asked = github_delivery_is_asked, \
	.ids = { { .name = "X-GitHub-Delivery" } }, .decode = github_decode

/* They share one secret.  GitLab lists 20 commits at most, Bitbucket 5; a larger push is found by
 * polling.  GitLab sends nothing above 25 MB, and would count a 413 as a failure. */
#define GITLAB_MAX (26 * MB)
#define ONE_OF_MANY(word, most) \
	AT("/forge/webhook/" word), \
	    .body_max = (most), .secret = SETTING_FORGE_WEBHOOK_SECRET, \
	    .proof = "signature or token", \
	    .incomplete = "no body, or no id of the delivery in its headers\n"

const struct forge_row forge_rows[FORGE_ROWS] = {
	[DELIVERY_GITHUB] = { DELIVERY_GITHUB, AT("/github/webhook"), AS_GITHUB,
	    .secret = SETTING_GITHUB_WEBHOOK_SECRET },
	[FORGE_APP] = { DELIVERY_GITHUB, .path = "/github/app", AS_GITHUB,
	    .secret = SETTING_GITHUB_APP_WEBHOOK_SECRET },
	[DELIVERY_GITLAB] = { DELIVERY_GITLAB, ONE_OF_MANY("gitlab", GITLAB_MAX),
	    .scheme = FORGE_TOKEN, .signature = "X-Gitlab-Token",
	    .ids = { { .name = "Idempotency-Key", .of_unsigned_alone = true },
		{ .name = "webhook-id" }, { .name = "X-Gitlab-Event-UUID", .is_shared = true } },
	    .by_id_alone = true, .disables_on_errors = true, .decode = forge_decode_gitlab },
	/* It signs the JSON, also where its webhook is set to send a form. */
	[DELIVERY_GITEA] = { DELIVERY_GITEA, ONE_OF_MANY("gitea", 4 * MB), .scheme = FORGE_HEX,
	    .signature = "X-Gitea-Signature", .ids = { { .name = "X-Gitea-Delivery" } },
	    .decode = forge_decode_gitea },
	[DELIVERY_BITBUCKET] = { DELIVERY_BITBUCKET, ONE_OF_MANY("bitbucket", 4 * MB),
	    .scheme = FORGE_SHA256_HEX, .signature = "X-Hub-Signature",
	    .ids = { { .name = "X-Request-UUID", .is_shared = true } }, .by_id_alone = true,
	    .decode = forge_decode_bitbucket },
};

/* It was proven, so a person has set something up wrongly: it is audited. */
static bool
refuse(const struct delivery *told, struct queue_list *ret_events, int *ret_status)
{
	struct event *event = event_new(EVENT_REJECTED);
	struct rejected *rejected = &event->u.rejected;

	text_set(rejected->source, delivery_forge_word(told->forge));
	text_set(rejected->reason, "signed, but not what it says it is");
	text_set(rejected->application, told->hook);
	rejected->count = 1;
	queue_list_add(ret_events, &event->link);
	*ret_status = forge_rows[told->forge].disables_on_errors ? 202 : 400;
	return false;
}

/* What a person wrote may be no Unicode: the push is one all the same. */
static bool
decode(const struct delivery *told, const struct bytes *body, struct queue_list *ret_events,
    int *ret_status)
{
	CLEANUP(buf_done) struct buf mended = buf_make(body->size + JSON_MEND_MORE);
	forge_decoder *read = forge_rows[told->forge].decode;
	struct queue_list events = { 0 };
	struct err err;
	bool ok = read(told, body, &events, &err);

	if (!ok && json_mend(&mended, body->data, body->size)) {
		event_free_all(&events);
		ok = read(told, &(struct bytes){ mended.data, mended.size }, &events, &err);
	}
	if (ok) {
		queue_list_append(ret_events, &events);
		return true;
	}
	event_free_all(&events);
	if (err.code != ERR_IO)
		return refuse(told, ret_events, ret_status);
	*ret_status = 503; /* OpenSSL could not hash it: it says nothing of what came */
	return false;
}

bool
forge_decode(
    struct event *raw, struct queue_list *ret_events, int *ret_status, UNUSED int64_t *ret_offset)
{
	return decode(&raw->u.delivery, &raw->raw, ret_events, ret_status);
}

/* Undoes the form encoding in place; false for a '%' without two hex digits or a second field. */
static bool
unescape_form(char *text, size_t size, size_t *ret_size)
{
	char *out = text;

	for (size_t i = 0; i < size; i++) {
		char c = text[i];

		if (c == '&')
			return false;
		if (c == '+')
			c = ' ';
		if (c == '%') {
			if (size - i < 3 || !text_unhex(&c, 1, text + i + 1, 2))
				return false;
			i += 2;
		}
		*out++ = c;
	}
	*ret_size = (size_t)(out - text);
	return true;
}

bool
forge_decode_form(
    struct event *raw, struct queue_list *ret_events, int *ret_status, UNUSED int64_t *ret_offset)
{
	static const char name[] = "payload=";
	size_t name_size = sizeof(name) - 1;
	struct bytes body = raw->raw;

	if (body.size < name_size || memcmp(body.data, name, name_size) != 0)
		return refuse(&raw->u.delivery, ret_events, ret_status);
	body.data += name_size;
	if (!unescape_form(body.data, body.size - name_size, &body.size))
		return refuse(&raw->u.delivery, ret_events, ret_status);
	return decode(&raw->u.delivery, &body, ret_events, ret_status);
}
