/* fuzz_forge.c - what GitLab, Gitea and Bitbucket send: headers that prove, and bodies.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "forges/forge_delivery.h"
#include "forges/forge_signature.h"
#include "lib/text.h"
#include "tests/fuzz/fuzz.h"

#define SECRET	"a secret of the forge, 0123456789"
#define SIGNING "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

static void
check_headers(const char *value)
{
	const struct forge_headers headers = {
		.signature = value, .standard = value, .id = value, .timestamp = "1614265330"
	};
	const struct forge_headers named = {
		.signature = value, .standard = value, .id = "an-id", .timestamp = value
	};
	struct forge_signature read;
	enum forge_proof proof;

	for (enum delivery_forge forge = DELIVERY_GITLAB; forge < DELIVERY_FORGE_COUNT; forge++) {
		proof = forge_signature_read(forge, SECRET, &headers, &read);
		assert((proof == FORGE_PROVEN) ==
		    (forge == DELIVERY_GITLAB && strcmp(value, SECRET) == 0));
		assert(proof != FORGE_SIGNED || (read.count == 1 && read.before[0] == '\0'));
		proof = forge_signature_read(forge, NULL, &headers, &read);
		assert(proof == FORGE_REFUSED);
	}
	proof = forge_signature_read(DELIVERY_GITLAB, SIGNING, &headers, &read);
	assert(proof != FORGE_PROVEN && read.count <= FORGE_SIGNATURES_MAX);
	proof = forge_signature_read(DELIVERY_GITLAB, SIGNING, &named, &read);
	assert(proof != FORGE_PROVEN && strlen(read.before) < FORGE_SIGNED_BEFORE);
	if (forge_delivery_id_is_good(value, 20))
		assert(
		    value[0] != '\0' && strlen(value) <= 20 && strpbrk(value, "./ \"'%") == NULL);
}

static bool
is_printable(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

static void
check_event(const struct event *event)
{
	const struct delivery *d = &event->u.delivery;

	assert(event->kind == EVENT_DELIVERY && event->source == SOURCE_NONE);
	assert(strlen(d->id) < LIMIT_DELIVERY && memcmp(d->id, "an-id", 5) == 0);
	if (d->kind != DELIVERY_PUSH) {
		assert(d->kind == DELIVERY_OTHER);
		return;
	}
	assert(is_printable(d->branch) && is_printable(d->repository) && d->repository[0] != '\0');
	assert(strspn(d->login, " \t") == 0 && is_printable(d->login));
	assert(text_is_hex(d->after, 40, 64));
	assert(d->deleted == (strspn(d->after, "0") == strlen(d->after)));
}

static void
check_body(enum delivery_forge forge, const uint8_t *data, size_t size)
{
	struct event *raw = event_new(EVENT_DELIVERY);
	struct queue_list events = { 0 };
	int64_t offset = 42;
	int status = -1;
	bool is_good;
	struct queue_link *link;

	assert(raw != NULL);
	raw->u.delivery = (struct delivery){ .forge = forge,
		.id = "an-id",
		.by_id_alone = true,
		.id_is_shared = forge == DELIVERY_BITBUCKET };
	raw->raw.data = malloc(size > 0 ? size : 1);
	assert(raw->raw.data != NULL);
	memcpy(raw->raw.data, data, size);
	raw->raw.size = size;
	is_good = forge == DELIVERY_GITLAB ? forge_decode_gitlab(raw, &events, &status, &offset) :
	    forge == DELIVERY_GITEA	   ? forge_decode_gitea(raw, &events, &status, &offset) :
					     forge_decode_bitbucket(raw, &events, &status, &offset);
	assert(offset == 42 && events.length >= 1 && events.length <= FORGE_CHANGES_MAX);
	assert(is_good || (events.length == 1 && status == 400));
	while ((link = queue_list_take(&events)) != NULL) {
		struct event *event = QUEUE_ITEM(link, struct event, link);

		if (is_good)
			check_event(event);
		else
			assert(event->kind == EVENT_REJECTED);
		event_free(event);
	}
	event_free(raw);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *value = fuzz_string(data, size);

	check_headers(value);
	free(value);
	for (enum delivery_forge forge = DELIVERY_GITLAB; forge < DELIVERY_FORGE_COUNT; forge++)
		check_body(forge, data, size);
	return 0;
}
