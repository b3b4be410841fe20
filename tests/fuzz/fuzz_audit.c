/* fuzz_audit.c - audit lines: what is written checks, and nothing else does.  Side: start. */
/* SPDX-License-Identifier: ISC */
/* Input: user, action, environment, commit, outcome, severity and metadata, a line each; also
 * taken as one line of the log. */
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/json.h"
#include "store/audit_chain.h"
#include "store/audit_field.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/json_walk.h"

enum { USER, ACTION, ENVIRONMENT, COMMIT, OUTCOME, SEVERITY, META, TEXTS };

/* As audit_chain.c has them; one that was added there is found by the lines that do not check. */
static bool
has_core(const struct json *object)
{
	static const char *const core[] = { "timestamp", "seq", "user_id", "action", "environment",
		"commit", "outcome", "severity", "deployment", "prev", "hash", "version", "code",
		"principal", "violation_type", "application", "need", "factor" };

	for (size_t i = 0; i < COUNT(core); i++) {
		assert(audit_chain_is_core(core[i]));
		if (json_get(object, core[i]) != NULL)
			return true;
	}
	return false;
}

/* A flat object without our own names, as the store writes it; else "{}". */
static void
write_meta(const char *text, struct buf *out)
{
	struct json *root = json_decode(text, strlen(text), NULL);
	struct audit_fields fields = { 0 };

	if (root != NULL && json_holds_object(root) && !has_core(root)) {
		struct json_out json = { .buf = out };

		json_walk_out(&json, root);
	}
	if (out->size == 0 || !audit_fields_read(&fields, out->data, out->size) ||
	    fields.n > AUDIT_FIELDS_MAX / 2 || out->size > AUDIT_LINE_MAX / 2) {
		buf_clear(out);
		buf_adds(out, "{}");
	}
	json_free(root);
}

/* What was read is written again as it was, and what jq would print has the same fields. */
static void
check_fields(const char *text, size_t size)
{
	struct audit_fields fields = { 0 }, again = { 0 };
	struct buf out;

	if (!audit_fields_read(&fields, text, size))
		return;
	buf_init(&out, 1 << 24);
	audit_fields_write(&fields, NULL, false, &out);
	assert(out.size == size && memcmp(out.data, text, size) == 0);
	assert(audit_fields_read(&again, out.data, out.size) && again.n == fields.n);
	buf_clear(&out);
	audit_fields_write(&fields, NULL, true, &out);
	json_free(json_decode(out.data, out.size, NULL));
	for (size_t i = 0; i < fields.n; i++) {
		char value[64];

		(void)audit_field_text(&fields.at[i], value, sizeof(value));
	}
	buf_done(&out);
}

/* The line is one JSON object and says what it was made of. */
static void
check_content(const struct buf *line, int64_t seq)
{
	struct json *root = json_decode(line->data, line->size, NULL);

	assert(root != NULL && json_get_i64_or(root, "seq", 0) == seq);
	assert(json_get_str(root, "user_id") != NULL && json_get_str(root, "hash") != NULL);
	json_free(root);
	for (size_t i = 0; i < line->size; i++)
		assert(line->data[i] >= 0x20 && line->data[i] < 0x7f);
}

/* Any byte changed, or one line out, is noticed. */
static void
check_tampering(struct buf *first, const struct buf *second, uint64_t *seed)
{
	struct audit_chain head = { 0 };
	size_t at = fuzz_draw(seed) % first->size;
	uint8_t flip = (uint8_t)(1 + fuzz_draw(seed) % 255);

	assert(!audit_chain_check(&head, second->data, second->size, NULL));
	first->data[at] = (char)((uint8_t)first->data[at] ^ flip);
	assert(!audit_chain_check(&head, first->data, first->size, NULL));
	assert(!audit_chain_check(&head, first->data, at, NULL));
	assert(head.seq == 0);
}

static void
check_chain(const struct audit_line *line, uint64_t seed)
{
	struct audit_chain written = { 0 }, checked = { 0 };
	struct buf lines[2];
	struct err err;

	for (size_t i = 0; i < COUNT(lines); i++) {
		int64_t seq = 0;

		buf_init(&lines[i], 1 << 24);
		if (!audit_chain_write(&written, line, &lines[i], &err)) {
			assert(line->version == AUDIT_VERSION && i == 0); /* too long a line */
			goto out;
		}
		assert(audit_chain_check(&checked, lines[i].data, lines[i].size, &err));
		assert(memcmp(&written, &checked, sizeof(written)) == 0);
		assert(audit_chain_seq(lines[i].data, lines[i].size, &seq));
		assert(seq == written.seq && seq == (int64_t)i + 1);
		check_content(&lines[i], seq);
	}
	check_tampering(&lines[0], &lines[1], &seed);
out:
	for (size_t i = 0; i < COUNT(lines); i++)
		buf_done(&lines[i]);
}

/* Bytes from elsewhere: a first line at most, and only with a hash that holds. */
static void
check_raw(const uint8_t *data, size_t size)
{
	struct audit_chain head = { 0 };
	struct err err = { .text = "" };
	int64_t seq = 0;

	if (!audit_chain_check(&head, (const char *)data, size, &err))
		assert(head.seq == 0 && err.text[0] != '\0');
	else
		assert(
		    head.seq == 1 && audit_chain_seq((const char *)data, size, &seq) && seq == 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t seed = fuzz_seed(data, size);
	char *copy = fuzz_string(data, size), *rest = copy;
	const char *texts[TEXTS];
	struct buf meta;

	check_raw(data, size);
	check_fields((const char *)data, size);
	for (size_t i = 0; i < TEXTS; i++) {
		char *text = strsep(&rest, "\n");

		texts[i] = text == NULL ? "" : text;
	}
	buf_init(&meta, 1 << 23);
	write_meta(texts[META], &meta);
	const struct audit_line line = {
		.at = (int64_t)fuzz_draw(&seed) * 1000,
		.user_id = texts[USER],
		.action = texts[ACTION],
		.environment = texts[ENVIRONMENT],
		.commit = texts[COMMIT],
		.outcome = texts[OUTCOME],
		.severity = texts[SEVERITY],
		.deployment = fuzz_draw(&seed) % 3,
		.meta = buf_text(&meta),
		.version = AUDIT_VERSION - fuzz_draw(&seed) % 2,
		.code = texts[ACTION],
		.principal = texts[USER],
		.violation = texts[OUTCOME],
		.factor = texts[SEVERITY],
	};

	check_chain(&line, seed);
	buf_done(&meta);
	free(copy);
	return 0;
}
