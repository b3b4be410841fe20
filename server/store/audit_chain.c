/* audit_chain.c - canonical bytes, their hash, and whether they follow.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "store/audit_chain.h"

#include "lib/buf.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/text.h"

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

static const char *const core[] = {
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
};

bool
audit_chain_is_core(const char *name)
{
	return text_index(name, core, COUNT(core)) < COUNT(core);
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
	struct json_out json;
	size_t meta = strlen(line->meta);

	json_out_init(&json, out);
	json_out_object(&json);
	json_put_str(&json, "timestamp", text_time_ms(time, line->at));
	json_put_i64(&json, "seq", seq);
	json_put_str(&json, "user_id", line->user_id);
	json_put_str(&json, "action", line->action);
	put_or_null(&json, "environment", line->environment);
	put_or_null(&json, "commit", line->commit);
	json_put_str(&json, "outcome", line->outcome);
	json_put_str(&json, "severity", line->severity);
	if (line->deployment != 0)
		json_put_i64(&json, "deployment", line->deployment);
	else
		json_put_null(&json, "deployment");
	json_out_end(&json);
	if (!buf_failed(out))
		buf_cut(out, out->size - 1);
	if (meta > 2) { /* {…}: its inside, behind a comma */
		buf_addc(out, ',');
		buf_add(out, line->meta + 1, meta - 2);
	}
}

bool
audit_chain_write(
    struct audit_chain *head, const struct audit_line *line, struct buf *out, struct err *err)
{
	struct audit_chain next = { .seq = head->seq + 1 };
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

/* --- checking --- */

bool
audit_chain_seq(const char *text, size_t size, int64_t *ret)
{
	char digits[24];
	size_t n = 0;

	if (size <= START || memcmp(text, TIME, sizeof(TIME) - 1) != 0 ||
	    memcmp(text + sizeof(TIME) - 1 + TIME_SIZE, SEQ, sizeof(SEQ) - 1) != 0)
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

bool
audit_chain_check(struct audit_chain *head, const char *text, size_t size, struct err *err)
{
	struct audit_chain next = { 0 };
	uint8_t prev[AUDIT_HASH], told[AUDIT_HASH];

	if (!audit_chain_seq(text, size, &next.seq) || !read_tail(text, size, prev, told))
		return err_set(err, ERR_INVALID, "behind entry %lld stands no audit line",
		    (long long)head->seq);
	if (next.seq != head->seq + 1)
		return err_set(err, ERR_INVALID, "behind entry %lld stands entry %lld",
		    (long long)head->seq, (long long)next.seq);
	if (memcmp(prev, head->hash, AUDIT_HASH) != 0)
		return err_set(err, ERR_INVALID, "entry %lld does not follow the one before it",
		    (long long)next.seq);
	if (!hash_of(prev, text, size - TAIL, next.hash, err))
		return false;
	if (memcmp(told, next.hash, AUDIT_HASH) != 0)
		return err_set(err, ERR_INVALID, "entry %lld was changed", (long long)next.seq);
	*head = next;
	return true;
}

void
audit_chain_short(const struct audit_chain *head, char ret_short[LIMIT_AUDIT_HEAD])
{
	text_hex(ret_short, head->hash, LIMIT_AUDIT_HEAD / 2);
}
