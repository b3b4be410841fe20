/* protocol.c - messages to text and back, from one table of fields.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "runner/protocol.h"

#include <ctype.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/clean.h"
#include "lib/column.h"
#include "lib/environment_id.h"
#include "lib/host_lines.h"
#include "lib/text.h"

#define BIT(kind)    (1U << PROTOCOL_##kind)
#define RECORD_KINDS (BIT(EXIT) | BIT(RECONCILED))
#define PLACE_KINDS  (BIT(RUN) | BIT(GIT_QUERY) | BIT(STATE_FILE))
#define ID_KINDS \
	(BIT(RUN) | BIT(STARTED) | BIT(REFUSED) | BIT(RECONCILE) | BIT(RECONCILED) | \
	    BIT(GIT_QUERY) | BIT(ANSWER) | BIT(PURGE) | BIT(PURGED) | BIT(PROGRESS) | BIT(READ) | \
	    BIT(PIECE))
#define PROVEN_KINDS (BIT(RUN) | BIT(GO) | BIT(STATE_FILE) | BIT(PURGE) | BIT(GIT_QUERY))
#define BODY_KINDS   (BIT(ANSWER) | BIT(PIECE) | BIT(STATE_FILE) | BIT(RUN))

enum field_type { FIELD_NUMBER, FIELD_WORD, FIELD_TEXT };

/* One `key value` line: who carries it, who must, where it lies, what it may be. */
struct field {
	const char *key;
	enum field_type type;
	unsigned int kinds;
	unsigned int required;
	size_t offset;
	size_t size;
	uint64_t max; /* numbers and words: largest value */
	const char *const *words;
	bool (*check)(const char *);
};

static bool is_boot(const char *text);
static bool is_filled(const char *text);
static bool is_commits(const char *text);
static bool is_hosts(const char *text);
static bool is_argument(const char *text);
static bool is_fingerprint(const char *text);
static bool is_challenge(const char *text);
static bool is_signature(const char *text);
static bool is_wave(const char *text);

static const char *const kind_words[] = { PROTOCOL_KINDS(COLUMN_SECOND) };
static const char *const source_words[] = { COMMIT_SOURCES(COLUMN_SECOND) };
static const char *const program_words[] = { PROTOCOL_PROGRAMS(COLUMN_SECOND) };
static const char *const git_query_words[] = { PROTOCOL_GIT_QUERIES(COLUMN_SECOND) };
static const char *const state_words[] = { PROTOCOL_STATES(COLUMN_SECOND) };
static const char *const why_words[] = { PROTOCOL_WHYS(COLUMN_SECOND) };
static const char *const removal_words[] = { PROTOCOL_REMOVALS(COLUMN_SECOND) };

#define AT(member) \
	offsetof(struct protocol_message, member), sizeof(((struct protocol_message *)0)->member)
#define NUMBER(key, member, max, kinds, required) \
	{ \
		key, FIELD_NUMBER, kinds, required, AT(member), max, NULL, NULL \
	}
#define FLAG(key, member, kinds) NUMBER(key, member, 1, kinds, 0)
#define WORD(key, member, words, kinds, required) \
	{ \
		key, FIELD_WORD, kinds, required, AT(member), COUNT(words) - 1, words, NULL \
	}
#define TEXT(key, member, check, kinds, required) \
	{ \
		key, FIELD_TEXT, kinds, required, AT(member), 0, NULL, check \
	}

#define WARNING(key, n) TEXT(key, record.warnings[n], is_filled, RECORD_KINDS, 0)

static const struct field fields[] = {
	NUMBER("id", id, INT64_MAX, ID_KINDS | BIT(STUCK), ID_KINDS),
	NUMBER("version", version, 1000000, BIT(HELLO), BIT(HELLO)),
	NUMBER("highest", id, INT64_MAX, BIT(HELLO), 0),
	NUMBER("number", id, INT64_MAX, BIT(STATE_FILE), BIT(STATE_FILE)),
	NUMBER("from", place.from, INT64_MAX, BIT(READ) | BIT(PIECE), 0),
	NUMBER("size", place.size, INT64_MAX, BIT(PIECE), 0),
	FLAG("results", place.is_results, BIT(READ) | BIT(PIECE)),
	NUMBER("pid", pid, INT_MAX, BIT(HELLO) | BIT(STUCK), BIT(STUCK)),
	NUMBER("start", process.start, UINT64_MAX, BIT(HELLO), 0),
	TEXT("boot", process.boot, is_boot, BIT(HELLO), 0),
	WORD("program", program, program_words, BIT(RUN), BIT(RUN)),
	TEXT("application", application, environment_name_is_valid, PLACE_KINDS, 0),
	TEXT("environment", environment, environment_client_is_valid, PLACE_KINDS, BIT(RUN)),
	TEXT("argument", argument, is_argument, BIT(RUN), BIT(RUN)),
	TEXT("client", client, environment_client_is_valid, BIT(RUN), 0),
	NUMBER("deadline_s", deadline_s, PROTOCOL_DEADLINE_MAX_S, BIT(RUN), BIT(RUN)),
	NUMBER("grace_s", grace_s, PROTOCOL_GRACE_MAX_S, BIT(RUN), 0),
	NUMBER("deployment", deployment, INT64_MAX, BIT(RUN), BIT(RUN)),
	TEXT("previous", previous, protocol_is_release, BIT(RUN), 0),
	TEXT("ref", ref, protocol_is_ref, BIT(RUN) | BIT(GIT_QUERY), 0),
	TEXT("without", without, is_hosts, BIT(RUN), 0),
	TEXT("wave", wave, is_wave, BIT(RUN), 0),
	NUMBER("failures_max", failures_max, HOST_LINES_MAX, BIT(RUN), 0),
	WORD("source", source, source_words, BIT(RUN), 0),
	TEXT("tree", tree, is_fingerprint, BIT(RUN), 0),
	FLAG("promoted", is_promoted, BIT(RUN)),
	TEXT("ticket", settings, text_is_plain, BIT(RUN), 0),
	TEXT("tag", tag, text_is_plain, BIT(RUN), 0),
	TEXT("installation", proof.installation, is_challenge, BIT(RUN), 0),
	TEXT("fingerprint", fingerprint, is_fingerprint, BIT(RUN) | BIT(ANSWER), 0),
	TEXT("challenge", proof.challenge, is_challenge, BIT(CHALLENGE) | BIT(RUN) | BIT(GO), 0),
	TEXT("signature", proof.signature, is_signature, PROVEN_KINDS, 0),
	NUMBER("epoch", proof.epoch, INT64_MAX, BIT(HELLO) | PROVEN_KINDS, 0),
	NUMBER("clock_s", proof.clock_s, INT64_MAX, BIT(HELLO), 0),
	TEXT("manifest", manifest.digest, is_fingerprint, BIT(HELLO), 0),
	TEXT("settings", settings, text_is_plain, BIT(REFUSED) | BIT(ANSWER), 0),
	WORD("why", why, why_words, BIT(REFUSED), BIT(REFUSED)),
	NUMBER("errno", error, INT_MAX, BIT(REFUSED), 0),
	TEXT("text", text, text_is_plain,
	    BIT(REFUSED) | BIT(ANSWER) | BIT(STUCK) | BIT(PURGED) | BIT(PROGRESS) | BIT(STATE_FILE),
	    0),
	WORD("removal", removal, removal_words, BIT(PURGED), BIT(PURGED)),
	WORD("state", state, state_words, BIT(RECONCILED), BIT(RECONCILED)),
	WORD("question", query, git_query_words, BIT(GIT_QUERY), BIT(GIT_QUERY)),
	FLAG("progress", wants_progress, BIT(GIT_QUERY)),
	TEXT("branch", branch, protocol_is_ref, BIT(GIT_QUERY), 0),
	TEXT("base", base, protocol_is_commit, BIT(GIT_QUERY), 0),
	TEXT("blocked", blocked, is_commits, BIT(GIT_QUERY), 0),
	TEXT("after", after, protocol_is_commit, BIT(GIT_QUERY), 0),
	TEXT("paths", paths, is_filled, BIT(GIT_QUERY), 0),
	TEXT("branches", branches, is_filled, BIT(GIT_QUERY), 0),
	FLAG("gate", record.gate, BIT(HELLO) | RECORD_KINDS),
	FLAG("released", record.released, BIT(HELLO) | RECORD_KINDS),
	FLAG("no_rollback", record.no_rollback, BIT(HELLO) | RECORD_KINDS),
	FLAG("migration", record.migration, BIT(HELLO) | RECORD_KINDS),
	FLAG("drains", record.drains, RECORD_KINDS),
	FLAG("undone", record.undone, RECORD_KINDS),
	FLAG("timed_out", record.timed_out, BIT(ANSWER) | RECORD_KINDS),
	FLAG("ended", record.ended, RECORD_KINDS),
	FLAG("lost", record.lost, RECORD_KINDS),
	FLAG("unswept", record.unswept, RECORD_KINDS),
	NUMBER("exec_errno", record.exec_errno, INT_MAX, RECORD_KINDS, 0),
	NUMBER("status", record.status, 255, BIT(ANSWER) | RECORD_KINDS, 0),
	NUMBER("signal", record.signal, 127, RECORD_KINDS, 0),
	NUMBER("ended_at", record.ended_at, INT64_MAX, RECORD_KINDS, 0),
	TEXT("image", record.image, protocol_is_image, BIT(HELLO) | BIT(STEP) | RECORD_KINDS, 0),
	NUMBER("warnings", record.warning_count, INT_MAX, RECORD_KINDS, 0),
	WARNING("warning1", 0),
	WARNING("warning2", 1),
	WARNING("warning3", 2),
	WARNING("warning4", 3),
	WARNING("warning5", 4),
	WARNING("warning6", 5),
	WARNING("warning7", 6),
	WARNING("warning8", 7),
};

#define STEP_KINDS (BIT(HELLO) | BIT(STEP) | RECORD_KINDS)

/* ---- what may be said -------------------------------------------------------------------- */

static size_t
hex_length(const char *text)
{
	return strspn(text, "0123456789abcdef");
}

static bool
is_boot(const char *text)
{
	return strlen(text) == 36 && strspn(text, "0123456789abcdef-") == 36;
}

static bool
is_filled(const char *text)
{
	return text[0] != '\0' && text_is_plain(text);
}

static bool
is_commits(const char *text)
{
	while (hex_length(text) >= 7 && hex_length(text) <= 64 && text[hex_length(text)] == ' ')
		text += hex_length(text) + 1;
	return protocol_is_commit(text);
}

static bool
is_hosts(const char *text)
{
	for (const char *c = text; *c != '\0'; c++)
		if (!isalnum((unsigned char)*c) && strchr(".:_-,", *c) == NULL)
			return false;
	return text[0] != '\0';
}

static bool
is_fingerprint(const char *text)
{
	return hex_length(text) == 64; /* more has no room in its field */
}

static bool
is_challenge(const char *text)
{
	return hex_length(text) == PROTOCOL_CHALLENGE_HEX;
}

static bool
is_signature(const char *text)
{
	return hex_length(text) == PROTOCOL_SIGNATURE_HEX;
}

/* Of so many. */
static bool
is_wave(const char *text)
{
	size_t digits = strspn(text, "0123456789"), all;

	if (digits < 1 || digits > 2 || text[0] == '0' || text[digits] != '/')
		return false;
	text += digits + 1;
	all = strspn(text, "0123456789");
	return all >= 1 && all <= 2 && text[0] != '0' && text[all] == '\0';
}

/* A release, or a word. */
static bool
is_argument(const char *text)
{
	return protocol_is_release(text) || text_is_word(text, PROTOCOL_TARGET_WORD);
}

const char *
protocol_kind_name(enum protocol_kind kind)
{
	assert(kind < PROTOCOL_KIND_COUNT);
	return kind_words[kind];
}

const char *
protocol_program_name(enum protocol_program program)
{
	assert(program < COUNT(program_words));
	return program_words[program];
}

/* ---- fields ------------------------------------------------------------------------------ */

static uint64_t
number_get(const struct field *field, const struct protocol_message *message)
{
	const char *at = (const char *)message + field->offset;
	uint64_t wide;
	uint32_t narrow;

	switch (field->size) {
	case sizeof(bool):
		return *(const bool *)at ? 1 : 0;
	case sizeof(narrow):
		memcpy(&narrow, at, sizeof(narrow));
		return narrow;
	default:
		assert(field->size == sizeof(wide));
		memcpy(&wide, at, sizeof(wide));
		return wide;
	}
}

static void
number_set(const struct field *field, struct protocol_message *message, uint64_t value)
{
	char *at = (char *)message + field->offset;
	uint32_t narrow = (uint32_t)value;

	switch (field->size) {
	case sizeof(bool):
		*(bool *)at = value != 0;
		break;
	case sizeof(narrow):
		memcpy(at, &narrow, sizeof(narrow));
		break;
	default:
		assert(field->size == sizeof(value));
		memcpy(at, &value, sizeof(value));
	}
}

/* Plain decimal digits, no sign, no leading zero but "0" itself. */
static bool
number_parse(const char *text, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;
	const char *p;

	if (*text == '\0' || (text[0] == '0' && text[1] != '\0'))
		return false;
	for (p = text; *p != '\0'; p++) {
		uint64_t digit = (uint64_t)(*p - '0');

		if (*p < '0' || *p > '9' || value > (max - digit) / 10 || digit > max)
			return false;
		value = value * 10 + digit;
	}
	*ret = value;
	return true;
}

static bool
word_parse(const struct field *field, const char *text, uint64_t *ret)
{
	*ret = text_index(text, field->words + 1, field->max) + 1;
	return *ret <= field->max;
}

/* Is there anything to say?  Zero and empty are what a reader assumes of a missing line. */
static bool
field_is_empty(const struct field *field, const struct protocol_message *message)
{
	if (field->type == FIELD_TEXT)
		return *((const char *)message + field->offset) == '\0';
	return number_get(field, message) == 0;
}

static bool
field_is_valid(const struct field *field, const struct protocol_message *message)
{
	const char *text = (const char *)message + field->offset;

	if (field->type == FIELD_TEXT)
		return memchr(text, '\0', field->size) != NULL && field->check(text);
	return number_get(field, message) <= field->max;
}

static bool
field_read(
    const struct field *field, const char *value, struct protocol_message *ret, struct err *err)
{
	uint64_t number = 0;
	bool good;

	switch (field->type) {
	case FIELD_NUMBER:
		good = number_parse(value, field->max, &number);
		break;
	case FIELD_WORD:
		good = word_parse(field, value, &number);
		break;
	default:
		good = strlen(value) < field->size && field->check(value);
	}
	if (!good)
		return err_set(
		    err, ERR_INVALID, "%s: bad %s", protocol_kind_name(ret->kind), field->key);
	if (field->type == FIELD_TEXT)
		memcpy((char *)ret + field->offset, value, strlen(value) + 1);
	else
		number_set(field, ret, number);
	return true;
}

/* ---- writing ----------------------------------------------------------------------------- */

struct writer {
	char *buf;
	size_t cap;
	size_t len;
	bool full;
};

static void write_line(struct writer *out, const char *fmt, ...) PRINTF(2, 3);

static void
write_line(struct writer *out, const char *fmt, ...)
{
	size_t room = out->cap - out->len, size;
	va_list args;

	va_start(args, fmt);
	size =
	    (size_t)vsnprintf(out->buf + out->len, room, fmt, args); /* < 0: more than any room */
	va_end(args);
	if (size >= room)
		out->full = true;
	else
		out->len += size;
}

static bool
write_field(struct writer *out, const struct field *field, const struct protocol_message *message,
    struct err *err)
{
	const char *text = (const char *)message + field->offset;

	if (field_is_empty(field, message)) {
		/* A number may well be 0; a word or a text that must be there may not be empty. */
		if ((field->required & 1U << message->kind) != 0 && field->type != FIELD_NUMBER)
			return err_set(err, ERR_INVALID, "%s: %s is missing",
			    protocol_kind_name(message->kind), field->key);
		if ((field->required & 1U << message->kind) == 0)
			return true;
	} else if (!field_is_valid(field, message)) {
		return err_set(
		    err, ERR_INVALID, "%s: bad %s", protocol_kind_name(message->kind), field->key);
	}
	if (field->type == FIELD_TEXT)
		write_line(out, "%s %s\n", field->key, text);
	else if (field->type == FIELD_WORD)
		write_line(out, "%s %s\n", field->key, field->words[number_get(field, message)]);
	else
		write_line(out, "%s %" PRIu64 "\n", field->key, number_get(field, message));
	return true;
}

static bool
write_steps(struct writer *out, const struct protocol_message *message, struct err *err)
{
	if (message->step_count > PROTOCOL_STEPS_ROOM)
		return err_set(err, ERR_INVALID, "%zu steps", message->step_count);
	for (size_t i = 0; i < message->step_count; i++) {
		const struct protocol_step *step = &message->steps[i];

		if (step->name[0] == '\0' || !text_is_plain(step->name) || step->at < 0)
			return err_set(err, ERR_INVALID, "step %zu is bad", i);
		write_line(out, "step %" PRId64 " %s\n", step->at, step->name);
	}
	return true;
}

static bool
write_capabilities(struct writer *out, const struct protocol_message *message, struct err *err)
{
	if (message->manifest.count > PROTOCOL_CAPABILITIES_MAX)
		return err_set(err, ERR_INVALID, "%zu capabilities", message->manifest.count);
	for (size_t i = 0; i < message->manifest.count; i++) {
		const struct protocol_capability *one = &message->manifest.all[i];

		if (!text_is_word(one->name, PROTOCOL_CAPABILITY) || !is_fingerprint(one->digest))
			return err_set(err, ERR_INVALID, "capability %zu is bad", i);
		write_line(out, "capability %s %s\n", one->name, one->digest);
	}
	return true;
}

static bool
check_body(const struct protocol_message *message, struct err *err)
{
	size_t most = message->kind == PROTOCOL_PIECE ? PROTOCOL_PIECE_MAX :
	    message->kind == PROTOCOL_STATE_FILE      ? PROTOCOL_STATE_MAX :
							PROTOCOL_ANSWER_MAX;

	if (message->body_len > most)
		return err_set(err, ERR_LIMIT, "%s of %zu bytes", protocol_kind_name(message->kind),
		    message->body_len);
	return message->kind != PROTOCOL_RUN || message->body_len == 0 ||
	    protocol_are_hosts(message->body, message->body_len) ||
	    err_set(err, ERR_INVALID, "run: bad hosts");
}

static bool
write_body(struct writer *out, const struct protocol_message *message, struct err *err)
{
	if (!check_body(message, err))
		return false;
	if (message->kind == PROTOCOL_RUN && message->body_len == 0)
		return true; /* as before there were any */
	write_line(out, "\n");
	if (message->body_len > out->cap - out->len)
		return err_set(err, ERR_LIMIT, "answer does not fit");
	if (message->body_len > 0)
		memcpy(out->buf + out->len, message->body, message->body_len);
	out->len += message->body_len;
	return true;
}

bool
protocol_encode(
    const struct protocol_message *message, char *buf, size_t cap, size_t *ret_len, struct err *err)
{
	struct writer out = { .buf = buf, .cap = cap };

	assert(message->kind < PROTOCOL_KIND_COUNT);
	write_line(&out, "%s\n", protocol_kind_name(message->kind));
	for (size_t i = 0; i < COUNT(fields); i++) {
		if ((fields[i].kinds & 1U << message->kind) != 0 &&
		    !write_field(&out, &fields[i], message, err))
			return false;
	}
	if ((STEP_KINDS & 1U << message->kind) != 0 && !write_steps(&out, message, err))
		return false;
	if (message->kind == PROTOCOL_HELLO && !write_capabilities(&out, message, err))
		return false;
	if ((BODY_KINDS & 1U << message->kind) != 0 && !write_body(&out, message, err))
		return false;
	if (out.full)
		return err_set(err, ERR_LIMIT, "%s does not fit in %zu bytes",
		    protocol_kind_name(message->kind), cap);
	*ret_len = out.len;
	return true;
}

/* ---- reading ----------------------------------------------------------------------------- */

#define LINE_MAX_BYTES 8704 /* longer than any field: `ticket` and its key */

/* Takes one line out of [*data, end) into line, without its '\n'. */
static bool
read_line(const char **data, const char *end, char line[LINE_MAX_BYTES], struct err *err)
{
	const char *stop = memchr(*data, '\n', (size_t)(end - *data));
	size_t len;

	if (stop == NULL)
		return err_set(err, ERR_INVALID, "a line without end");
	len = (size_t)(stop - *data);
	if (len >= LINE_MAX_BYTES || memchr(*data, '\0', len) != NULL)
		return err_set(err, ERR_INVALID, "a line too long or with NUL");
	memcpy(line, *data, len);
	line[len] = '\0';
	*data = stop + 1;
	return true;
}

static bool
read_kind(const char *word, struct protocol_message *ret, struct err *err)
{
	ret->kind = (enum protocol_kind)text_index(word, kind_words, COUNT(kind_words));
	if (ret->kind == PROTOCOL_KIND_COUNT)
		return err_set(
		    err, ERR_INVALID, "no such message: %.20s", text_is_plain(word) ? word : "?");
	return true;
}

/* `AT NAME` */
static bool
read_step(char *value, struct protocol_message *ret, struct err *err)
{
	char *name = strchr(value, ' ');
	struct protocol_step *step;
	uint64_t at;

	if (ret->step_count == PROTOCOL_STEPS_ROOM)
		return err_set(err, ERR_INVALID, "too many steps");
	step = &ret->steps[ret->step_count];
	if (name == NULL)
		return err_set(err, ERR_INVALID, "a step without a name");
	*name++ = '\0';
	if (!number_parse(value, INT64_MAX, &at) || name[0] == '\0' || !text_is_plain(name) ||
	    strlen(name) > PROTOCOL_STEP_NAME)
		return err_set(err, ERR_INVALID, "bad step");
	step->at = (int64_t)at;
	memcpy(step->name, name, strlen(name) + 1);
	ret->step_count++;
	return true;
}

/* `NAME DIGEST` */
static bool
read_capability(char *value, struct protocol_message *ret, struct err *err)
{
	char *digest = strchr(value, ' ');
	struct protocol_capability *one;

	if (ret->manifest.count == PROTOCOL_CAPABILITIES_MAX)
		return err_set(err, ERR_INVALID, "too many capabilities");
	one = &ret->manifest.all[ret->manifest.count];
	if (digest != NULL)
		*digest++ = '\0';
	if (digest == NULL || !text_is_word(value, PROTOCOL_CAPABILITY) ||
	    strlen(digest) != sizeof(one->digest) - 1 || !is_fingerprint(digest))
		return err_set(err, ERR_INVALID, "bad capability");
	memcpy(one->name, value, strlen(value) + 1);
	memcpy(one->digest, digest, sizeof(one->digest));
	ret->manifest.count++;
	return true;
}

static bool
read_field(char *line, struct protocol_message *ret, bool seen[COUNT(fields)], struct err *err)
{
	char *value = strchr(line, ' ');

	if (value == NULL)
		return err_set(
		    err, ERR_INVALID, "%s: a line without a value", protocol_kind_name(ret->kind));
	*value++ = '\0';
	if (strcmp(line, "step") == 0 && (STEP_KINDS & 1U << ret->kind) != 0)
		return read_step(value, ret, err);
	if (strcmp(line, "capability") == 0 && ret->kind == PROTOCOL_HELLO)
		return read_capability(value, ret, err);
	for (size_t i = 0; i < COUNT(fields); i++) {
		if ((fields[i].kinds & 1U << ret->kind) == 0 || strcmp(fields[i].key, line) != 0)
			continue;
		if (seen[i])
			return err_set(
			    err, ERR_INVALID, "%s: %s twice", protocol_kind_name(ret->kind), line);
		seen[i] = true;
		return field_read(&fields[i], value, ret, err);
	}
	return true; /* of a newer version */
}

static bool
check_complete(
    const struct protocol_message *message, const bool seen[COUNT(fields)], struct err *err)
{
	for (size_t i = 0; i < COUNT(fields); i++) {
		if ((fields[i].required & 1U << message->kind) != 0 && !seen[i])
			return err_set(err, ERR_INVALID, "%s: %s is missing",
			    protocol_kind_name(message->kind), fields[i].key);
	}
	if (message->kind == PROTOCOL_RUN && message->deadline_s == 0)
		return err_set(err, ERR_INVALID, "run: bad deadline_s");
	if ((ID_KINDS & 1U << message->kind) != 0 && message->id == 0)
		return err_set(err, ERR_INVALID, "%s: bad id", protocol_kind_name(message->kind));
	if (message->kind == PROTOCOL_STEP && message->step_count != 1)
		return err_set(err, ERR_INVALID, "step: not one step");
	return true;
}

bool
protocol_decode(const char *data, size_t len, struct protocol_message *ret, struct err *err)
{
	const char *end = data + len;
	char line[LINE_MAX_BYTES];
	bool seen[COUNT(fields)] = { false };

	line[0] = '\0';
	memset(ret, 0, sizeof(*ret));
	if (!read_line(&data, end, line, err) || !read_kind(line, ret, err))
		return false;
	while (data < end) {
		if (!read_line(&data, end, line, err))
			return false;
		if (line[0] == '\0')
			break;
		clean_bytes(line); /* a text that is cut in bytes, or whatever a script says */
		if (!read_field(line, ret, seen, err))
			return false;
	}
	if (ret->kind == PROTOCOL_RUN && data == end)
		return check_complete(ret, seen, err);
	if ((BODY_KINDS & 1U << ret->kind) != 0) {
		ret->body = data;
		ret->body_len = (size_t)(end - data);
		if (!check_body(ret, err))
			return false;
	} else if (data < end) {
		return err_set(err, ERR_INVALID, "%s: a body", protocol_kind_name(ret->kind));
	}
	return check_complete(ret, seen, err);
}
