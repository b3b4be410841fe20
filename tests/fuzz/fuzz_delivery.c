/* fuzz_delivery.c - a signed delivery's body, as JSON and as a form.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "forges/forge_row.h"
#include "lib/text.h"
#include "tests/fuzz/fuzz.h"
#include "lib/clean.h"

typedef bool
decoder(struct event *raw, struct queue_list *ret, int *ret_status, int64_t *ret_offset);

static struct event *
decode(decoder *decode_with, enum delivery_kind kind, const void *body, size_t size)
{
	struct event *raw = event_new(EVENT_DELIVERY);
	struct queue_list events = { 0 };
	int status = -1;
	int64_t offset = 42;
	struct queue_link *link;
	struct event *event;
	bool is_good;

	assert(raw != NULL);
	raw->u.delivery.kind = kind;
	raw->raw.data = malloc(size > 0 ? size : 1);
	assert(raw->raw.data != NULL);
	memcpy(raw->raw.data, body, size);
	raw->raw.size = size;
	is_good = decode_with(raw, &events, &status, &offset);
	assert(offset == 42 && events.length == 1);
	link = queue_list_take(&events);
	event = QUEUE_ITEM(link, struct event, link);
	assert(is_good ? event->kind == EVENT_DELIVERY :
			 event->kind == EVENT_REJECTED && status == 400);
	event_free(raw);
	return event;
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
check(const struct event *event, enum delivery_kind kind)
{
	const struct delivery *d = &event->u.delivery;

	if (event->kind != EVENT_DELIVERY)
		return;
	assert(d->kind == kind || (d->kind == DELIVERY_OTHER && d->job != NULL));
	assert((d->run != NULL) == (kind == DELIVERY_WORKFLOW_RUN));
	assert((d->job != NULL) ==
	    (kind != DELIVERY_PUSH && kind != DELIVERY_PING && kind != DELIVERY_OTHER));
	if (d->job != NULL) {
		assert(is_printable(d->job->conclusion) && is_printable(d->repository));
		assert(is_printable(d->job->environment) && is_printable(d->job->of.actor));
		assert(strspn(d->job->of.run, "0123456789") == strlen(d->job->of.run));
		assert(d->job->of.run[0] > '0' && d->repository_id > 0);
		assert((d->job->of.sha[0] != '\0') == (kind == DELIVERY_GATE_RULE));
	}
	if (d->run != NULL) {
		assert(is_printable(d->run->file) && strpbrk(d->run->file, "@") == NULL);
		assert(text_is_hex(d->run->commit, 40, 40) && is_printable(d->run->conclusion));
		assert((d->run->conclusion[0] != '\0') == (d->run->rank == PIPELINE_IS_OVER));
		assert(d->run->run > 0 && d->run->number > 0 && d->run->attempt > 0);
	}
	assert(is_printable(d->branch) && is_printable(d->repository) && is_printable(d->login));
	assert(clean_is_utf8(d->branch, strlen(d->branch)));
	assert(clean_is_utf8(d->repository, strlen(d->repository)));
	assert(d->login[strspn(d->login, "?") + strcspn(d->login + strspn(d->login, "?"), " ")] ==
	    '\0');
	if (kind == DELIVERY_PUSH) {
		assert(d->repository[0] != '\0');
		assert(strlen(d->after) == 40 || strlen(d->after) == 64);
		assert(text_is_hex(d->after, 40, 64));
	}
}

/* As the other, but for the run's address. */
static bool
is_same(struct delivery *d, struct delivery *other)
{
	struct pipeline_run *a = TAKE(d->run), *b = TAKE(other->run);
	bool is = memcmp(d, other, sizeof(*d)) == 0 && (a == NULL) == (b == NULL) &&
	    (a == NULL || memcmp(a, b, sizeof(*a)) == 0);

	free(a);
	free(b);
	return is;
}

/* x → payload=x, everything escaped that may be. */
static void
write_form(const uint8_t *data, size_t size, struct buf *out)
{
	buf_adds(out, "payload=");
	for (size_t i = 0; i < size; i++) {
		char hex[3];

		if (data[i] == ' ') {
			buf_addc(out, '+');
			continue;
		}
		text_hex(hex, &data[i], 1);
		buf_addc(out, '%');
		buf_adds(out, hex);
	}
	assert(!buf_failed(out));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf form;

	buf_init(&form, 8 + 3 * size);
	write_form(data, size, &form);
	for (enum delivery_kind kind = 0; kind < DELIVERY_KIND_COUNT; kind++) {
		struct event *json = decode(forge_decode, kind, data, size);
		struct event *same = decode(forge_decode_form, kind, form.data, form.size);
		struct event *odd = decode(forge_decode_form, kind, data, size);

		check(json, kind);
		check(odd, kind);
		assert(json->kind == same->kind);
		if (json->kind == EVENT_DELIVERY)
			assert(is_same(&json->u.delivery, &same->u.delivery));
		event_free(json);
		event_free(same);
		event_free(odd);
	}
	buf_done(&form);
	return 0;
}
