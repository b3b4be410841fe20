/* Goal: a line changed, removed, put in, reordered or cut off the end is noticed.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "store/audit_chain.h"

#include "fail_nth.h"
#include "lib/buf.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/text.h"
#include "store/audit_field.h"
#include "unit.h"

#define N 6

static const struct audit_line sample = {
	.user_id = "telegram:11",
	.action = "deploy_requested",
	.outcome = "allowed",
	.severity = "info",
	.meta = "{}",
};

static struct audit_line
of_version(int version, const char *meta)
{
	struct audit_line line = sample;

	line.meta = meta;
	line.version = version;
	line.code = "deploy_requested";
	line.principal = "telegram";
	return line;
}

struct log {
	struct buf line[N];
	struct audit_chain head; /* what the database says */
};

static void
write_log(struct log *log)
{
	struct err err;

	memset(log, 0, sizeof(*log));
	for (int i = 0; i < N; i++) {
		buf_init(&log->line[i], AUDIT_LINE_MAX);
		assert_true(audit_chain_write(&log->head,
		    &(struct audit_line){
			.at = INT64_C(1767225600000) + i,
			.user_id = "telegram:11",
			.action = "deploy_requested",
			.environment = i % 2 == 0 ? "staging" : NULL,
			.commit = "",
			.outcome = "allowed",
			.severity = "info",
			.deployment = i,
			.meta = i % 2 == 0 ? "{\"reason\":\"x\"}" : "{}",
			.version = i < N / 2 ? 1 : AUDIT_VERSION,
			.code = "deploy_requested",
			.principal = "telegram",
			.violation = i == 4 ? "unauthorized" : NULL,
			.application = i == 5 ? "shop" : "",
		    },
		    &log->line[i], &err));
	}
}

static void
free_log(struct log *log)
{
	for (int i = 0; i < N; i++)
		buf_done(&log->line[i]);
}

/* Checks lines in this order, then the head; true: all is well. */
static bool
holds(const struct log *log, const int *order, int n)
{
	struct audit_chain head = { 0 };
	struct err err;

	for (int i = 0; i < n; i++)
		if (!audit_chain_check(
			&head, log->line[order[i]].data, log->line[order[i]].size, &err))
			return false;
	return head.seq == log->head.seq && memcmp(head.hash, log->head.hash, AUDIT_HASH) == 0;
}

TEST(a_log_that_nobody_touched_holds)
{
	struct log log;

	write_log(&log);
	assert_true(holds(&log, (const int[]){ 0, 1, 2, 3, 4, 5 }, N));
	free_log(&log);
}

TEST(a_line_is_json_with_its_fields_in_their_order)
{
	struct log log;

	write_log(&log);
	assert_non_null(strstr(buf_text(&log.line[0]),
	    "{\"timestamp\":\"2026-01-01T00:00:00.000Z\",\"seq\":1,\"user_id\":\"telegram:11\","
	    "\"action\":\"deploy_requested\",\"environment\":\"staging\",\"commit\":null,"
	    "\"outcome\":\"allowed\",\"severity\":\"info\",\"deployment\":null,"
	    "\"reason\":\"x\",\"prev\":\"0000000000000000"));
	for (int i = 0; i < N; i++) {
		struct json *json = json_decode(log.line[i].data, log.line[i].size, NULL);

		assert_non_null(json);
		assert_int_equal(json_get_i64_or(json, "seq", 0), i + 1);
		assert_int_equal(json_get_i64_or(json, "deployment", 0), i);
		json_free(json);
	}
	free_log(&log);
}

/* The hash as anybody can work it out, from the text of the line alone. */
TEST(the_hash_is_that_of_prev_length_and_canonical_bytes)
{
	uint8_t bytes[AUDIT_HASH + 8 + 1024] = { 0 }, hash[AUDIT_HASH];
	char hex[2 * AUDIT_HASH + 1];
	const char *line, *prev;
	struct log log;
	size_t size;

	write_log(&log);
	line = buf_text(&log.line[1]);
	prev = strstr(line, ",\"prev\":\"");
	assert_non_null(prev);
	assert_true(text_unhex(bytes, AUDIT_HASH, prev + 9, (size_t)2 * AUDIT_HASH));
	size = (size_t)(prev - line);
	memcpy(bytes + AUDIT_HASH + 8, line, size);
	bytes[AUDIT_HASH + 8 + size++] = '}';
	bytes[AUDIT_HASH + 6] = (uint8_t)(size >> 8);
	bytes[AUDIT_HASH + 7] = (uint8_t)size;
	assert_true(crypto_sha256(bytes, AUDIT_HASH + 8 + size, hash, NULL));
	text_hex(hex, hash, AUDIT_HASH);
	assert_non_null(strstr(line, hex));
	free_log(&log);
}

TEST(any_byte_of_any_line_changed_is_noticed)
{
	struct log log;

	write_log(&log);
	for (int i = 0; i < N; i++) {
		for (size_t at = 0; at < log.line[i].size; at++) {
			for (int bit = 0; bit < 8; bit++) {
				log.line[i].data[at] ^= (char)(1 << bit);
				assert_false(holds(&log, (const int[]){ 0, 1, 2, 3, 4, 5 }, N));
				log.line[i].data[at] ^= (char)(1 << bit);
			}
		}
	}
	assert_true(holds(&log, (const int[]){ 0, 1, 2, 3, 4, 5 }, N));
	free_log(&log);
}

TEST(a_line_removed_reordered_repeated_or_cut_off_is_noticed)
{
	static const struct {
		int n;
		int order[8];
	} cases[] = {
		{ 5, { 1, 2, 3, 4, 5 } },
		{ 5, { 0, 1, 3, 4, 5 } },
		{ 6, { 0, 2, 1, 3, 4, 5 } },
		{ 6, { 0, 1, 2, 3, 5, 4 } },
		{ 7, { 0, 1, 1, 2, 3, 4, 5 } },
		{ 7, { 0, 1, 2, 3, 4, 5, 5 } },
		{ 5, { 0, 1, 2, 3, 4 } },
		{ 4, { 0, 1, 2, 3 } },
		{ 1, { 0 } },
		{ 0, { 0 } },
	};
	struct log log;

	write_log(&log);
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_false(holds(&log, cases[i].order, cases[i].n));
	free_log(&log);
}

/* Who can write the newest line could else leave out what the second version says. */
TEST(a_line_of_the_first_version_never_follows_one_of_the_second)
{
	struct audit_chain head, before;
	struct buf line;
	struct log log;
	struct err err;

	write_log(&log);
	before = head = log.head;
	buf_init(&line, AUDIT_LINE_MAX);
	assert_true(audit_chain_write(&head,
	    &(struct audit_line){ .user_id = "x",
		.action = "y",
		.outcome = "",
		.severity = "",
		.meta = "{}",
		.version = 1 },
	    &line, &err));
	assert_false(audit_chain_check(&before, line.data, line.size, &err));
	assert_non_null(strstr(err.text, "of an older version"));
	buf_done(&line);
	free_log(&log);
}

/* Of a line there is one form: another one with the same meaning is no line of ours. */
TEST(another_form_of_a_line_of_the_second_version_is_none)
{
	static const struct {
		const char *is;
		const char *becomes;
	} forms[] = {
		{ "\"seq\":1", "\"seq\":01" },
		{ "\"seq\":1", "\"seq\":1.0" },
		{ "\"seq\":1", "\"seq\": 1" },
		{ "\"seq\":1", "\"seq\":9007199254740992" },
		{ "\\u00e9", "\\u00E9" },
		{ "\\u00e9", "\xc3\xa9" },
		{ "\\u007f", "\x7f" },
		{ "\\n", "\\u000a" },
		{ "\\u0001", "\\u0000" },
		{ "\"reason\":", "\"\\u0072eason\":" },
		{ "x\"", "\\u0078\"" },
		{ "x\"", "\\/\"" },
		{ "x\"", "\\ud800\"" },
		{ "\"version\":2", "\"version\":3" },
		{ "\"version\":2", "\"version\":2,\"zz\":{}" },
		{ "\"version\":2", "\"version\":2,\"zz\":true" },
		{ "\"version\":2", "\"version\":2,\"version\":2" },
		{ "\"prev\":\"0", "\"prev\":\"" },
		{ "\"prev\":\"", "\"prev\":\"0" },
	};
	struct audit_chain head = { 0 };
	struct buf line, other;
	struct err err;

	buf_init(&line, AUDIT_LINE_MAX);
	buf_init(&other, AUDIT_LINE_MAX);
	assert_true(audit_chain_write(&head,
	    &(struct audit_line){ .user_id = "telegram:1",
		.action = "denied",
		.outcome = "denied",
		.severity = "info",
		.meta = "{\"reason\":\"\\u00e9\\u007f\\n\\u0001x\"}",
		.version = AUDIT_VERSION,
		.code = "denied",
		.principal = "telegram" },
	    &line, &err));
	for (size_t i = 0; i < COUNT(forms); i++) {
		const char *at = strstr(buf_text(&line), forms[i].is);

		assert_non_null(at);
		head = (struct audit_chain){ 0 };
		buf_clear(&other);
		buf_add(&other, line.data, (size_t)(at - line.data));
		buf_adds(&other, forms[i].becomes);
		buf_adds(&other, at + strlen(forms[i].is));
		assert_false(audit_chain_check(&head, other.data, other.size, &err));
	}
	buf_done(&line);
	buf_done(&other);
}

TEST(a_forged_line_with_a_hash_of_its_own_breaks_the_next)
{
	struct audit_chain head = { 0 };
	struct log log, forged;
	struct err err;

	write_log(&log);
	write_log(&forged);
	assert_true(audit_chain_check(&head, log.line[0].data, log.line[0].size, &err));
	buf_clear(&forged.line[1]);
	{
		struct audit_chain at = head;

		assert_true(audit_chain_write(&at,
		    &(struct audit_line){ .user_id = "x",
			.action = "y",
			.outcome = "",
			.severity = "",
			.meta = "{}" },
		    &forged.line[1], &err));
	}
	assert_true(audit_chain_check(&head, forged.line[1].data, forged.line[1].size, &err));
	assert_false(audit_chain_check(&head, log.line[2].data, log.line[2].size, &err));
	assert_non_null(strstr(err.text, "entry 3 does not follow"));
	free_log(&log);
	free_log(&forged);
}

/* An entry is written whole and chained, or not at all: the head moves with it alone. */
TEST(what_fails_in_the_middle_writes_no_entry_and_believes_none)
{
	struct audit_chain head, none = { 0 };
	bool ok, is_met = true;
	struct buf text;
	struct err err;

	for (int version = 1; version <= AUDIT_VERSION; version++, is_met = true) {
		struct audit_line line = of_version(version, "{}");

		for (unsigned n = 1; is_met; n++) {
			buf_init(&text, AUDIT_LINE_MAX);
			head = none;
			fail_nth(FAIL_CRYPTO, n);
			ok = audit_chain_write(&head, &line, &text, &err);
			is_met = fail_nth_met();
			assert_int_equal(ok, !is_met);
			assert_int_equal(head.seq, is_met ? 0 : 1);
			if (is_met)
				assert_int_not_equal(err.code, ERR_NONE);
			if (is_met)
				buf_done(&text);
		}
		is_met = true;
		for (unsigned n = 1; is_met; n++) {
			head = none;
			fail_nth(FAIL_CRYPTO, n);
			ok = audit_chain_check(
			    &head, text.data, text.size, n % 2 == 0 ? NULL : &err);
			is_met = fail_nth_met();
			assert_int_equal(ok, !is_met);
			assert_int_equal(head.seq, is_met ? 0 : 1);
		}
		buf_done(&text);
	}
}

/* Entries are put together in one buffer, and read out of one: what stands around is not theirs. */
TEST(an_entry_stands_beside_others)
{
	struct audit_chain head = { 0 }, check = { 0 };
	struct buf text;
	struct err err;
	size_t first;

	buf_init(&text, (size_t)2 * AUDIT_LINE_MAX);
	assert_true(audit_chain_write(&head, &sample, &text, &err));
	first = text.size;
	assert_true(audit_chain_write(&head, &sample, &text, &err));
	assert_true(audit_chain_check(&check, text.data, first, &err));
	assert_true(audit_chain_check(&check, text.data + first, text.size - first, &err));
	assert_int_equal(check.seq, 2);
	buf_done(&text);
}

TEST(an_entry_over_its_limit_is_not_written)
{
	for (int version = 1; version <= AUDIT_VERSION; version++) {
		struct audit_line line = of_version(version, "{\"a\":1}");
		struct audit_chain head = { 0 };
		struct buf text;
		struct err err;
		size_t whole;

		buf_init(&text, AUDIT_LINE_MAX);
		assert_true(audit_chain_write(&head, &line, &text, &err));
		whole = text.size;
		buf_done(&text);
		for (size_t cap = 1; cap <= whole; cap++) {
			struct audit_chain at = { 0 };
			bool ok;

			buf_init(&text, cap);
			ok = audit_chain_write(&at, &line, &text, &err);
			assert_int_equal(ok, cap == whole);
			assert_int_equal(at.seq, cap == whole ? 1 : 0);
			buf_done(&text);
		}
	}
}

/* What one decision notes of itself names no other person, number or outcome than the entry's. */
TEST(what_would_be_no_line_or_say_a_field_twice_is_not_written)
{
	static const struct {
		const char *meta;
		int64_t deployment;
	} cases[] = {
		{ "{\"user_id\":\"telegram:11\"}", 0 },
		{ "{\"seq\":7}", 0 },
		{ "{\"a\":{}}", 0 },
		{ "{\"a\":1", 0 },
		{ "{}", AUDIT_INTEGER_MAX + 1 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct audit_line line = of_version(AUDIT_VERSION, cases[i].meta);
		struct audit_chain head = { 0 };
		struct buf text;
		struct err err;

		line.deployment = cases[i].deployment;
		buf_init(&text, AUDIT_LINE_MAX);
		assert_false(audit_chain_write(&head, &line, &text, &err));
		assert_non_null(strstr(err.text, "entry 1 cannot be written as a line"));
		assert_int_equal(head.seq, 0);
		buf_done(&text);
	}
}

/* It is none, however well it is formed. */
TEST(a_line_that_is_longer_than_any_is_none)
{
	struct buf text;
	int64_t seq = 0;

	for (size_t over = 0; over < 2; over++) {
		buf_init(&text, AUDIT_LINE_MAX + 1);
		buf_adds(&text, "{\"seq\":7,\"version\":2,\"x\":\"");
		while (text.size < AUDIT_LINE_MAX + over - 2)
			buf_addc(&text, 'x');
		buf_adds(&text, "\"}");
		assert_int_equal(audit_chain_seq(text.data, text.size, &seq), over == 0);
		buf_done(&text);
	}
	assert_int_equal(seq, 7);
}

/* What is no line at all, is cut short, or has its hash in another form. */
TEST(what_is_no_line_of_ours_is_not_believed)
{
	struct audit_chain head = { 0 };
	struct log log;
	struct err err;
	char *line;
	size_t size;

	write_log(&log);
	line = log.line[0].data;
	size = log.line[0].size;
	for (size_t cut = 0; cut < size; cut++) {
		assert_false(audit_chain_check(&head, line, cut, &err));
		assert_non_null(strstr(err.text, "stands no audit line"));
	}
	for (const char *c = strstr(line, ",\"prev\":\""); c < line + size; c++) {
		char was = *c;

		line[c - line] = '_';
		head = (struct audit_chain){ 0 };
		assert_false(audit_chain_check(&head, line, size, &err));
		assert_non_null(strstr(err.text, "stands no audit line"));
		line[c - line] = was;
	}
	for (char *c = line + size - 3; c > line + size - 67; c--)
		if (*c >= 'a' && *c <= 'f')
			*c = (char)(*c - 'a' + 'A');
	assert_false(audit_chain_check(&head, line, size, &err)); /* a hash has one form */
	assert_int_equal(head.seq, 0);
	free_log(&log);
}

TEST(a_sequence_number_is_read_whole_or_not)
{
#define AT "{\"timestamp\":\"2026-01-01T00:00:00.000Z\",\"seq\":"
	static const struct {
		const char *text;
		int64_t seq; /* 0: none */
	} cases[] = {
		{ AT "1,", 1 },
		{ AT "9223372036854775807,", INT64_MAX },
		{ AT "9223372036854775808,", 0 },
		{ AT "00000000000000000000001,", 0 },
		{ AT "111111111111111111111111111111,", 0 },
		{ AT "0,", 0 },
		{ AT "-1,", 0 },
		{ AT "12", 0 },
		{ AT "12}", 0 },
		{ AT ",", 0 },
		{ AT, 0 },
		{ "{\"timestamp\":_2026-01-01T00:00:00.000Z\",\"seq\":1,", 0 },
		{ "{\"timestamp\":\"2026-01-01T00:00:00.000Z\",\"seq\"_1,", 0 },
		{ "", 0 },
		{ "{\"timestamp\":\"2026-01-01T00:00:00.000Z\",\"sex\":1,", 0 },
		{ "{\"timestomp\":\"2026-01-01T00:00:00.000Z\",\"seq\":1,", 0 },
	};
#undef AT

	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t size = strlen(cases[i].text);
		char *bare = malloc(size + (size == 0)); /* what stands behind is not read */
		int64_t seq = 0;
		bool ok;

		assert_non_null(bare);
		memcpy(bare, cases[i].text, size);
		ok = audit_chain_seq(bare, size, &seq);
		assert_int_equal(ok, cases[i].seq != 0);
		if (ok) {
			assert_int_equal(seq, cases[i].seq);
			assert_false(audit_chain_seq(bare, size - 1, &seq)); /* nor a comma */
		}
		free(bare);
	}
}

TEST(core_fields_are_known_and_the_short_hash_is_the_hash)
{
	static const char *const core[] = { "timestamp", "seq", "user_id", "action", "environment",
		"commit", "outcome", "severity", "deployment", "prev", "hash" };
	struct audit_chain head = { .hash = { 0xde, 0xad, 0xbe, 0xef, 0x01 } };
	char text[LIMIT_AUDIT_HEAD];

	for (size_t i = 0; i < COUNT(core); i++)
		assert_true(audit_chain_is_core(core[i]));
	assert_false(audit_chain_is_core("reason"));
	assert_false(audit_chain_is_core(""));
	audit_chain_short(&head, text);
	assert_string_equal(text, "deadbeef01000000");
}
