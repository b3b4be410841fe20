/* fuzz_forge.c - headers that prove a delivery, and the bodies of GitLab, Gitea and Bitbucket.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "forges/forge_delivery.h"
#include "forges/forge_row.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/text.h"
#include "tests/fuzz/fuzz.h"
#include "types/pipeline_run.h"

#define SECRET	"a secret of the forge, 0123456789"
#define DIGITS	(2 * (size_t)CRYPTO_SHA256_SIZE)
#define SIGNING "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

/* 64 lower-case digits, said once more, in other words. */
static bool
is_hex(const char *value)
{
	size_t size = strlen(value);

	for (; *value != '\0'; value++)
		if (!(*value >= '0' && *value <= '9') && !(*value >= 'a' && *value <= 'f'))
			return false;
	return size == DIGITS;
}

static bool
is_sha256(const char *value)
{
	return strlen(value) == 7 + DIGITS && memcmp(value, "sha256=", 7) == 0 && is_hex(value + 7);
}

static void
check_schemes(const char *value, const struct forge_headers *headers)
{
	const enum forge_proof expected[] = {
		[FORGE_HEX] = is_hex(value) ? FORGE_SIGNED : FORGE_REFUSED,
		[FORGE_SHA256_HEX] = is_sha256(value) ? FORGE_SIGNED : FORGE_REFUSED,
		[FORGE_TOKEN] = strcmp(value, SECRET) == 0 ? FORGE_PROVEN : FORGE_REFUSED,
	};
	struct forge_signature read;
	char again[DIGITS + 1];

	for (enum forge_scheme i = 0; i < COUNT(expected); i++) {
		enum forge_proof proof = forge_signature_read(i, NULL, headers, &read);

		assert(proof == FORGE_REFUSED);
		proof = forge_signature_read(i, SECRET, headers, &read);
		assert(proof == expected[i]);
		if (proof != FORGE_SIGNED)
			continue;
		assert(read.count == 1 && read.before[0] == '\0');
		text_hex(again, read.given[0], sizeof(read.given[0]));
		assert(strcmp(again, value + strlen(value) - DIGITS) == 0);
	}
}

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

	check_schemes(value, &headers);
	proof = forge_signature_read(FORGE_TOKEN, SIGNING, &headers, &read);
	assert(proof != FORGE_PROVEN && read.count <= FORGE_SIGNATURES_MAX);
	proof = forge_signature_read(FORGE_TOKEN, SIGNING, &named, &read);
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
check_run(const struct pipeline_run *run)
{
	assert(run->counts == run->is_own);
	assert(run->run > 0 && run->number > 0 && run->attempt > 0);
	assert(memcmp(run->repository_id, "gitlab:", 7) == 0 && text_is_hex(run->commit, 40, 64));
	assert(is_printable(run->file) && is_printable(run->branch) && is_printable(run->title));
	assert(is_printable(run->actor) && is_printable(run->repository));
	assert((run->rank == PIPELINE_IS_OVER) == (run->conclusion[0] != '\0'));
	for (const char *c = run->failed; *c != '\0'; c++)
		assert(*c == '\n' || ((unsigned char)*c >= 0x20 && *c != 0x7f));
}

static void
check_pipeline(const struct delivery *d)
{
	assert(d->forge == DELIVERY_GITLAB && d->job == NULL);
	assert((d->kind == DELIVERY_WORKFLOW_RUN) == (d->run->run != 0));
	if (d->kind == DELIVERY_OTHER)
		assert(!d->run->is_own && !d->run->counts);
	else
		check_run(d->run);
}

/* What GitLab's API says: one of a list, and the jobs of that one, or of any. */
static void
check_answers(const uint8_t *data, size_t size)
{
	CLEANUP(json_freep)
	struct json *said = json_decode((const char *)data, size, NULL);
	struct pipeline_run run, any = { .run = 0 };
	struct err err;

	if (pipeline_run_read_listed(said, "g/s/n", &run, &err) && run.run != 0) {
		run.attempt = 1;
		check_run(&run);
		if (pipeline_run_read_jobs(said, &run, &err))
			check_run(&run);
	}
	if (pipeline_run_read_jobs(
		json_holds_array(said) ? said : json_get(said, "jobs"), &any, &err))
		assert(any.run > 0 && any.attempt > 0 && !any.counts &&
		    memcmp(any.repository_id, "gitlab:", 7) == 0);
}

static void
check_event(const struct event *event)
{
	const struct delivery *d = &event->u.delivery;

	assert(event->kind == EVENT_DELIVERY && event->source == SOURCE_NONE);
	assert(strlen(d->id) < LIMIT_DELIVERY && memcmp(d->id, "an-id", 5) == 0);
	if (d->run != NULL) {
		check_pipeline(d);
		return;
	}
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
	is_good = forge_decode(raw, &events, &status, &offset);
	assert(offset == 42 && events.length >= 1 && events.length <= FORGE_CHANGES_MAX);
	assert(is_good || (events.length == 1 && status == (forge == DELIVERY_GITLAB ? 202 : 400)));
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
	check_answers(data, size);
	for (enum delivery_forge forge = DELIVERY_GITLAB; forge < DELIVERY_FORGE_COUNT; forge++)
		check_body(forge, data, size);
	return 0;
}
