/* audit_chain.c - canonical bytes, their hash, and whether they follow.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "store/audit_chain.h"

#include "lib/buf.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/text.h"
#include "store/audit_field.h"

#define PREV ",\"prev\":\""
#define HASH "\",\"hash\":\""
#define END  "\"}"
#define HEX  (2 * (size_t)AUDIT_HASH)
#define TAIL (sizeof(PREV) - 1 + HEX + sizeof(HASH) - 1 + HEX + sizeof(END) - 1)

/* How a line begins; the time itself is covered by the hash. */
#define TIME	  "{\"timestamp\":\""
#define SEQ	  "\",\"seq\":"
#define TIME_SIZE 24 /* 2026-11-20T07:10:48.123Z */
#define START	  (sizeof(TIME) - 1 + TIME_SIZE + sizeof(SEQ) - 1)

static const char *const core_fields[] = {
	"timestamp",
	"seq",
	"user_id",
	"action",
	"environment",
	"commit",
	"outcome",
	"severity",
	"deployment",
	"prev",
	"hash",
	"version",
	"code",
	"principal",
	"violation_type",
	"application",
	"need",
	"factor",
};

bool
audit_chain_is_core(const char *name)
{
	return text_index(name, core_fields, COUNT(core_fields)) < COUNT(core_fields);
}

static bool
hash_of(const uint8_t prev[AUDIT_HASH], const char *head, size_t size, uint8_t out[AUDIT_HASH],
    struct err *err)
{
	CLEANUP(crypto_sha256_freep) struct crypto_sha256 *hash = crypto_sha256_new(err);
	uint64_t canonical = (uint64_t)size + 1;
	uint8_t length[8];

	for (size_t i = 0; i < sizeof(length); i++)
		length[i] = (uint8_t)(canonical >> (56 - 8 * i));
	return hash != NULL && crypto_sha256_add(hash, prev, AUDIT_HASH, err) &&
	    crypto_sha256_add(hash, length, sizeof(length), err) &&
	    crypto_sha256_add(hash, head, size, err) && crypto_sha256_add(hash, "}", 1, err) &&
	    crypto_sha256_finish(hash, out, err);
}

/* --- writing --- */

static void
put_or_null(struct json_out *json, const char *key, const char *text)
{
	json_put_str(json, key, text == NULL || text[0] == '\0' ? NULL : text);
}

/* The object without its closing brace. */
static void
write_fields(const struct audit_line *line, int64_t seq, struct buf *out)
{
	char time[TEXT_TIME_SIZE];
	size_t meta = strlen(line->meta);
	struct json_out json = json_out_begin(out, '{');

	json_put_str(&json, "timestamp", text_time_ms(time, line->at));
	json_put_i64(&json, "seq", seq);
	json_put_str(&json, "user_id", line->user_id);
	json_put_str(&json, "action", line->action);
	put_or_null(&json, "environment", line->environment);
	put_or_null(&json, "commit", line->commit);
	json_put_str(&json, "outcome", line->outcome);
	json_put_str(&json, "severity", line->severity);
	json_put_i64_if(&json, "deployment", line->deployment != 0, line->deployment);
	json_out_end(&json);
	if (!buf_failed(out))
		buf_cut(out, out->size - 1);
	if (meta > 2) { /* {…}: its inside, behind a comma */
		buf_addc(out, ',');
		buf_add(out, line->meta + 1, meta - 2);
	}
}

static bool
write_first(
    struct audit_chain *head, const struct audit_line *line, struct buf *out, struct err *err)
{
	struct audit_chain next = { .seq = head->seq + 1, .version = 1 };
	char hex[HEX + 1];
	size_t start = out->size;

	write_fields(line, next.seq, out);
	if (!buf_check(out, err) ||
	    !hash_of(head->hash, out->data + start, out->size - start, next.hash, err))
		return false;
	buf_adds(out, PREV);
	text_hex(hex, head->hash, AUDIT_HASH);
	buf_adds(out, hex);
	buf_adds(out, HASH);
	text_hex(hex, next.hash, AUDIT_HASH);
	buf_adds(out, hex);
	buf_adds(out, END);
	if (!buf_check(out, err))
		return false;
	*head = next;
	return true;
}

static void
put_if_any(struct json_out *json, const char *key, const char *text)
{
	if (text != NULL && text[0] != '\0')
		json_put_str(json, key, text);
}

/* All that is ours; the order comes later.  hash NULL: without it. */
static void
write_core(const struct audit_line *line, const struct audit_chain *head, const uint8_t *hash,
    struct buf *out)
{
	char time[TEXT_TIME_SIZE], hex[HEX + 1];
	struct json_out json = json_out_begin(out, '{');

	json_put_str(&json, "action", line->action);
	put_if_any(&json, "application", line->application);
	json_put_str(&json, "code", line->code);
	put_or_null(&json, "commit", line->commit);
	json_put_i64_if(&json, "deployment", line->deployment != 0, line->deployment);
	put_or_null(&json, "environment", line->environment);
	put_if_any(&json, "factor", line->factor);
	put_if_any(&json, "need", line->need);
	json_put_str(&json, "outcome", line->outcome);
	text_hex(hex, head->hash, AUDIT_HASH);
	json_put_str(&json, "prev", hex);
	json_put_str(&json, "principal", line->principal);
	json_put_i64(&json, "seq", head->seq + 1);
	json_put_str(&json, "severity", line->severity);
	json_put_str(&json, "timestamp", text_time_ms(time, line->at));
	json_put_str(&json, "user_id", line->user_id);
	json_put_i64(&json, "version", AUDIT_VERSION);
	put_if_any(&json, "violation_type", line->violation);
	if (hash != NULL) {
		text_hex(hex, hash, AUDIT_HASH);
		json_put_str(&json, "hash", hex);
	}
	json_out_end(&json);
}

/* Ours and those of meta, in their order. */
static bool
gather(struct audit_fields *fields, const struct buf *core, const char *meta, int64_t seq,
    struct err *err)
{
	if (!buf_check(core, err))
		return false;
	if (audit_fields_read(fields, core->data, core->size) &&
	    audit_fields_read(fields, meta, strlen(meta)) && audit_fields_sort(fields))
		return true;
	return err_set(err, ERR_INVALID, "entry %lld cannot be written as a line", (long long)seq);
}

static bool
hash_second(const struct audit_fields *fields, uint8_t out[AUDIT_HASH], struct err *err)
{
	CLEANUP(buf_done) struct buf plain = buf_make(AUDIT_LINE_MAX);

	audit_fields_write(fields, "hash", true, &plain);
	buf_addc(&plain, '\n');
	return buf_check(&plain, err) && crypto_sha256(plain.data, plain.size, out, err);
}

static bool
write_second(
    struct audit_chain *head, const struct audit_line *line, struct buf *out, struct err *err)
{
	struct audit_chain next = { .seq = head->seq + 1, .version = AUDIT_VERSION };
	struct audit_fields fields = { 0 };
	CLEANUP(buf_done) struct buf core = buf_make(AUDIT_LINE_MAX);
	bool ok;

	write_core(line, head, NULL, &core);
	ok = gather(&fields, &core, line->meta, next.seq, err) &&
	    hash_second(&fields, next.hash, err);
	if (ok) {
		buf_clear(&core);
		fields.n = 0;
		write_core(line, head, next.hash, &core);
		ok = gather(&fields, &core, line->meta, next.seq, err);
	}
	if (ok) {
		audit_fields_write(&fields, NULL, false, out);
		ok = buf_check(out, err);
	}
	if (ok)
		*head = next;
	return ok;
}

bool
audit_chain_write(
    struct audit_chain *head, const struct audit_line *line, struct buf *out, struct err *err)
{
	return line->version == AUDIT_VERSION ? write_second(head, line, out, err) :
						write_first(head, line, out, err);
}

/* --- checking --- */

/* Of one that is_first(). */
static bool
seq_of_first(const char *text, size_t size, int64_t *ret)
{
	char digits[24];
	size_t n = 0;

	if (size <= START || memcmp(text + sizeof(TIME) - 1 + TIME_SIZE, SEQ, sizeof(SEQ) - 1) != 0)
		return false;
	text += START;
	size -= START;
	while (n < size && n + 1 < sizeof(digits) && text[n] >= '0' && text[n] <= '9') {
		digits[n] = text[n];
		n++;
	}
	digits[n] = '\0';
	return n < size && text[n] == ',' && text_to_i64(digits, 1, INT64_MAX, ret, NULL);
}

static bool
is_first(const char *text, size_t size)
{
	return size > sizeof(TIME) - 1 && memcmp(text, TIME, sizeof(TIME) - 1) == 0;
}

/* In their order, and of that version. */
static bool
read_second(const char *text, size_t size, struct audit_fields *fields, int64_t *ret_seq)
{
	int64_t version, seq;

	fields->n = 0;
	if (size > AUDIT_LINE_MAX || !audit_fields_read(fields, text, size))
		return false;
	if (!audit_fields_are_sorted(fields) ||
	    !audit_field_number(audit_fields_get(fields, "version"), &version) ||
	    version != AUDIT_VERSION ||
	    !audit_field_number(audit_fields_get(fields, "seq"), &seq) || seq == 0)
		return false;
	*ret_seq = seq;
	return true;
}

bool
audit_chain_seq(const char *text, size_t size, int64_t *ret)
{
	struct audit_fields fields;

	return is_first(text, size) ? seq_of_first(text, size, ret) :
				      read_second(text, size, &fields, ret);
}

/* As it is written: lower case, so that a hash has one form. */
static bool
read_hash(const char *hex, uint8_t out[AUDIT_HASH])
{
	char again[HEX + 1];

	if (!text_unhex(out, AUDIT_HASH, hex, HEX))
		return false;
	text_hex(again, out, AUDIT_HASH);
	return memcmp(again, hex, HEX) == 0;
}

/* The line's end: …,"prev":"<hex>","hash":"<hex>"} */
static bool
read_tail(const char *text, size_t size, uint8_t prev[AUDIT_HASH], uint8_t hash[AUDIT_HASH])
{
	const char *at;

	if (size < TAIL)
		return false;
	at = text + size - TAIL;
	if (memcmp(at, PREV, sizeof(PREV) - 1) != 0)
		return false;
	at += sizeof(PREV) - 1;
	if (!read_hash(at, prev))
		return false;
	at += HEX;
	if (memcmp(at, HASH, sizeof(HASH) - 1) != 0)
		return false;
	at += sizeof(HASH) - 1;
	return read_hash(at, hash) && memcmp(at + HEX, END, sizeof(END) - 1) == 0;
}

/* A field that is a hash. */
static bool
read_hash_field(const struct audit_fields *fields, const char *key, uint8_t out[AUDIT_HASH])
{
	const struct audit_field *field = audit_fields_get(fields, key);

	return field != NULL && field->value_size == HEX + 2 && read_hash(field->value + 1, out);
}

/* False, with err->code ERR_NONE where it is no line. */
static bool
read_first_claim(const char *text, size_t size, struct audit_claim *ret, struct err *err)
{
	ret->is.version = 1;
	return seq_of_first(text, size, &ret->is.seq) &&
	    read_tail(text, size, ret->prev, ret->hash) &&
	    hash_of(ret->prev, text, size - TAIL, ret->is.hash, err);
}

static bool
read_second_claim(const char *text, size_t size, struct audit_claim *ret, struct err *err)
{
	struct audit_fields fields;

	ret->is.version = AUDIT_VERSION;
	return read_second(text, size, &fields, &ret->is.seq) &&
	    read_hash_field(&fields, "prev", ret->prev) &&
	    read_hash_field(&fields, "hash", ret->hash) && hash_second(&fields, ret->is.hash, err);
}

/* *err is the caller's, who may not want it: NULL. */
static bool
read_claim(const char *text, size_t size, int64_t behind, struct audit_claim *ret, struct err *err)
{
	struct err why = { 0 };
	bool ok = is_first(text, size) ? read_first_claim(text, size, ret, &why) :
					 read_second_claim(text, size, ret, &why);

	if (ok)
		return true;
	if (why.code == ERR_NONE)
		(void)err_set(
		    &why, ERR_INVALID, "behind entry %lld stands no audit line", (long long)behind);
	if (err != NULL)
		*err = why;
	return false;
}

bool
audit_chain_read(const char *text, size_t size, struct audit_claim *ret, struct err *err)
{
	*ret = (struct audit_claim){ 0 };
	return read_claim(text, size, 0, ret, err);
}

bool
audit_chain_check(struct audit_chain *head, const char *text, size_t size, struct err *err)
{
	struct audit_claim claim = { 0 };

	if (!read_claim(text, size, head->seq, &claim, err))
		return false;
	if (claim.is.seq != head->seq + 1)
		return err_set(err, ERR_INVALID, "behind entry %lld stands entry %lld",
		    (long long)head->seq, (long long)claim.is.seq);
	if (memcmp(claim.prev, head->hash, AUDIT_HASH) != 0)
		return err_set(err, ERR_INVALID, "entry %lld does not follow the one before it",
		    (long long)claim.is.seq);
	if (memcmp(claim.hash, claim.is.hash, AUDIT_HASH) != 0)
		return err_set(err, ERR_INVALID, "entry %lld was changed", (long long)claim.is.seq);
	if (claim.is.version < head->version)
		return err_set(err, ERR_INVALID,
		    "entry %lld is of an older version than the one before it",
		    (long long)claim.is.seq);
	*head = claim.is;
	return true;
}

void
audit_chain_short(const struct audit_chain *head, char ret_short[LIMIT_AUDIT_HEAD])
{
	text_hex(ret_short, head->hash, LIMIT_AUDIT_HEAD / 2);
}
