/* audit_compare_read.c - reads the log, and pairs its lines with the witness's by their numbers.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/audit_compare_inside.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "lib/array.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/audit_field.h"

#define HEAD_MIN  8    /* digits */
#define TEXTS_MAX 1000 /* lines that are kept, to say what of them was changed */
#define DAY_MS	  (24 * 3600 * INT64_C(1000))
#define SKEW_MS	  (3600 * INT64_C(1000)) /* of the server's clock and the witness's */

/* --- findings --- */

void
audit_compare_flush(struct compare *c)
{
	if (c->has_pending)
		c->found(c->ctx, &c->pending);
	c->has_pending = false;
}

static bool
is_same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

void
audit_compare_tell(struct compare *c, const struct audit_finding *finding)
{
	struct audit_finding *last = &c->pending;
	const struct audit_copy_entry *entry;

	if (audit_found_severity(finding->what) == FOUND_LOG)
		c->is_faulty = true;
	if (c->has_pending && last->what == finding->what && finding->first != 0 &&
	    finding->first == last->last + 1 && is_same_text(finding->detail, last->detail)) {
		last->last = finding->last;
		return;
	}
	audit_compare_flush(c);
	*last = *finding;
	if (finding->detail != NULL) {
		(void)text_copy(c->detail, sizeof(c->detail), finding->detail);
		last->detail = c->detail;
	}
	if (c->copy != NULL && last->first != 0 && last->source == NULL &&
	    (entry = audit_copy_find(c->copy, last->first)) != NULL)
		last->source = audit_copy_source(c->copy, entry, &last->at);
	c->has_pending = true;
}

/* At the line that was read last. */
static void
tell_here(struct compare *c, enum audit_found what, int64_t first, int64_t last, const char *detail)
{
	const struct audit_finding finding = { .what = what,
		.first = first,
		.last = last,
		.file = c->names[c->n_names - 1],
		.line = c->lines->number,
		.detail = detail };

	audit_compare_tell(c, &finding);
}

/* --- heads --- */

bool
audit_head_read(struct audit_head *ret, const char *digits, int64_t at)
{
	size_t size = strlen(digits);

	if (!text_is_hex(digits, HEAD_MIN, (size_t)2 * AUDIT_HASH))
		return false;
	*ret = (struct audit_head){ .at = at };
	for (size_t i = 0; i < size; i++)
		ret->digits[i] = (char)tolower((unsigned char)digits[i]);
	return true;
}

static int
compare_heads(const void *a, const void *b)
{
	const struct audit_head *const *left = a, *const *right = b;

	return strcmp((*left)->digits, (*right)->digits);
}

/* The first of those that are not before these 8 digits. */
static size_t
first_head(const struct compare *c, const char *hex)
{
	size_t low = 0, high = c->n_heads;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strncmp(c->heads[middle]->digits, hex, HEAD_MIN) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
look_for_heads(struct compare *c, const struct audit_claim *claim)
{
	char hex[2 * AUDIT_HASH + 1];

	if (c->n_heads == 0)
		return;
	text_hex(hex, claim->is.hash, AUDIT_HASH);
	for (size_t i = first_head(c, hex);
	     i < c->n_heads && strncmp(c->heads[i]->digits, hex, HEAD_MIN) == 0; i++)
		if (text_starts(hex, c->heads[i]->digits))
			c->heads[i]->seq = claim->is.seq;
}

/* --- lines without a partner --- */

bool
audit_compare_payload(
    const char *line, size_t size, uint8_t out[PAYLOAD], bool *ret_has, struct err *err)
{
	static const char *const ties[] = { "seq", "prev", "hash" };
	struct audit_fields fields = { 0 };
	uint8_t digest[CRYPTO_SHA256_SIZE];
	CLEANUP(buf_done) struct buf text = buf_make(AUDIT_LINE_MAX);
	size_t n = 0;

	*ret_has = audit_fields_read(&fields, line, size);
	if (!*ret_has)
		return true;
	for (size_t i = 0; i < fields.n; i++) {
		char key[8] = "";

		if (fields.at[i].key_size < sizeof(key))
			memcpy(key, fields.at[i].key, fields.at[i].key_size);
		if (text_index(key, ties, COUNT(ties)) == COUNT(ties))
			fields.at[n++] = fields.at[i];
	}
	fields.n = n;
	audit_fields_write(&fields, NULL, false, &text);
	if (!buf_check(&text, err) || !crypto_sha256(text.data, text.size, digest, err))
		return false;
	memcpy(out, digest, PAYLOAD);
	return true;
}

/* claim NULL: it is no line. */
static bool
add_odd(struct compare *c, const struct audit_claim *claim, bool is_covered, struct err *err)
{
	int64_t seq = claim == NULL ? 0 : claim->is.seq;
	struct odd *odd;

	array_reserve(&c->odd, c->n_odd, &c->room_odd, 64, sizeof(*c->odd));
	odd = &c->odd[c->n_odd];
	*odd = (struct odd){ .seq = seq,
		.before = c->last_same,
		.most = c->most,
		.name = c->n_names - 1,
		.line = c->lines->number,
		.is_covered = is_covered,
		.behind = c->last.is.seq,
		.is_sound = claim != NULL && memcmp(claim->hash, claim->is.hash, AUDIT_HASH) == 0,
		.follows = claim != NULL && seq == c->last.is.seq + 1 &&
		    memcmp(claim->prev, c->last.hash, AUDIT_HASH) == 0 };
	if (seq != 0 &&
	    !audit_compare_payload(
		c->lines->line, c->lines->size, odd->payload, &odd->has_payload, err))
		return false;
	if (seq != 0 && c->n_odd < TEXTS_MAX) {
		odd->text = mem_textn(c->lines->line, c->lines->size);
		odd->size = c->lines->size;
	}
	c->n_odd++;
	c->last_is_odd = true;
	return true;
}

/* --- a line of which the witness has nothing --- */

static int64_t
newest_covered(const struct compare *c)
{
	size_t n = 0;
	const struct audit_copy_entry *entries =
	    c->copy == NULL ? NULL : audit_copy_entries(c->copy, &n);

	return n == 0 ? 0 : entries[n - 1].seq;
}

/* Numbers below this one that neither the log nor the witness has, behind those that were seen. */
static void
look_for_missing(struct compare *c, int64_t seq)
{
	int64_t first = c->result.last + 1, last = seq - 1;

	if (c->result.entries == 0) /* the front is reported at the end */
		return;
	while (last >= first && c->copy != NULL && audit_copy_find(c->copy, last) != NULL)
		last--;
	while (first <= last && c->copy != NULL && audit_copy_find(c->copy, first) != NULL)
		first++;
	if (first <= last)
		tell_here(c, FOUND_REMOVED, first, last, NULL);
}

/* By its own chain, as far as that goes. */
static void
judge_alone(struct compare *c, const struct audit_claim *claim)
{
	int64_t seq = claim->is.seq;

	if (memcmp(claim->hash, claim->is.hash, AUDIT_HASH) != 0)
		tell_here(c, FOUND_CHANGED, seq, seq, "its hash is not that of what it says");
	else if (c->result.entries > 0 && seq <= c->result.last)
		tell_here(c, FOUND_MOVED, seq, seq, NULL);
	else if (c->last.is.seq == seq - 1 && seq > 1 &&
	    memcmp(claim->prev, c->last.hash, AUDIT_HASH) != 0)
		tell_here(c, FOUND_UNLINKED, seq, seq, NULL);
	else if (c->last.is.seq == seq - 1 && claim->is.version < c->last.is.version)
		tell_here(c, FOUND_UNLINKED, seq, seq, "it is of an older version");
}

/* The first line of all follows nothing. */
static void
judge_beginning(struct compare *c, const struct audit_claim *claim)
{
	static const uint8_t zero[AUDIT_HASH];

	if (claim->is.seq == 1 && memcmp(claim->prev, zero, sizeof(zero)) != 0)
		tell_here(c, FOUND_UNLINKED, 1, 1, "its prev is not zero");
}

/* --- what went by AUDIT_KEEP_DAYS --- */

/* Wall ms; 0: it is no time. */
static int64_t
time_of(const char *text)
{
	struct tm tm = { 0 };
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

	return rest == NULL || (*rest != '.' && *rest != 'Z') ? 0 : 1000 * (int64_t)timegm(&tm);
}

static int64_t
field_i64(const struct audit_fields *fields, const char *name, int64_t most)
{
	char text[24];
	int64_t ret = 0;

	(void)audit_field_text(audit_fields_get(fields, name), text, sizeof(text));
	return text_to_i64(text, 1, most, &ret, NULL) ? ret : 0;
}

/* When did it say so?  Not behind its arrival at the witness, and not in what is to come. */
static int64_t
moment_of(const struct compare *c, int64_t seq, const char *says)
{
	const struct audit_copy_entry *entry = audit_copy_find(c->copy, seq);
	int64_t at = time_of(says), arrived = 0;

	if (entry != NULL)
		(void)audit_copy_source(c->copy, entry, &arrived);
	arrived = (arrived != 0 ? arrived : clock_wall_ms()) + SKEW_MS;
	return at < arrived ? at : arrived;
}

/* What the witness has of the last entry that went: was it that one, and old enough? */
static bool
is_true(struct compare *c, const struct removal *removal, int64_t days, struct err *err)
{
	const struct audit_copy_entry *entry =
	    c->copy == NULL ? NULL : audit_copy_find(c->copy, removal->last);
	char line[AUDIT_LINE_MAX], head[LIMIT_AUDIT_HEAD], why[DETAIL] = "";
	char says[TEXT_TIME_SIZE] = "", written[TEXT_TIME_SIZE];
	struct audit_fields fields = { 0 };
	struct audit_claim claim;
	int64_t at;

	if (entry == NULL)
		return true;
	if (!audit_copy_text(c->copy, entry, line, err) ||
	    !audit_chain_read(line, entry->size, &claim, err))
		return false;
	audit_chain_short(&claim.is, head);
	if (audit_fields_read(&fields, line, entry->size))
		(void)audit_field_text(audit_fields_get(&fields, "timestamp"), says, sizeof(says));
	at = time_of(says);
	if (strcmp(head, removal->head) != 0)
		(void)snprintf(
		    why, sizeof(why), "the witness has another entry %" PRId64, removal->last);
	else if (moment_of(c, removal->seq, removal->at) < at + days * DAY_MS)
		(void)snprintf(why, sizeof(why),
		    "entry %" PRId64 " of %s was younger than the %" PRId64 " days that it says",
		    removal->last, text_time(written, at), days);
	if (why[0] != '\0')
		tell_here(c, FOUND_REMOVAL_FALSE, removal->seq, removal->seq, why);
	return why[0] == '\0';
}

/* The line is as the witness has it, or sound by itself: does it say that closed files went? */
static bool
take_removal(struct compare *c, int64_t seq, struct err *err)
{
	static const char code[] = "\"code\":\"files_removed\"";
	struct audit_fields fields = { 0 };
	struct removal found = { .seq = seq };
	int64_t days;

	if (memmem(c->lines->line, c->lines->size, code, sizeof(code) - 1) == NULL ||
	    !audit_fields_read(&fields, c->lines->line, c->lines->size))
		return true;
	found.last = field_i64(&fields, "last", seq - 1);
	days = field_i64(&fields, "days", 36500);
	(void)audit_field_text(audit_fields_get(&fields, "head"), found.head, sizeof(found.head));
	(void)audit_field_text(audit_fields_get(&fields, "timestamp"), found.at, sizeof(found.at));
	if (found.last == 0 || days == 0 || found.at[strspn(found.at, "0123456789-:.TZ")] != '\0')
		return true;
	err->code = ERR_NONE;
	if (!is_true(c, &found, days, err))
		return err->code == ERR_NONE;
	if (found.last >= c->removal.last)
		c->removal = found;
	return true;
}

const char *
audit_compare_removal_text(const struct compare *c, char out[DETAIL])
{
	(void)snprintf(out, DETAIL, "entry %" PRId64 " of %s", c->removal.seq, c->removal.at);
	return out;
}

bool
audit_compare_is_by_rule(const struct compare *c, int64_t last)
{
	const struct removal *removal = &c->removal;

	return removal->seq != 0 && last <= removal->last && c->result.entries > 0 &&
	    (c->result.first <= removal->last || strcmp(c->first_prev, removal->head) == 0);
}

/* --- each line --- */

/* It stands in the log as the witness has it; at its place? */
static void
take_same(struct compare *c, struct audit_copy_entry *entry, const struct audit_claim *claim)
{
	int64_t seq = entry->seq;

	if (entry->is_found) {
		tell_here(c, FOUND_INSERTED, seq, seq, "a second time");
		return;
	}
	entry->is_found = true;
	c->result.same++;
	if (seq < c->most)
		tell_here(c, FOUND_MOVED, seq, seq, NULL);
	else if (c->last.is.seq == seq - 1 && c->last.is.seq != 0 && c->last_same == 0 &&
	    audit_copy_find(c->copy, seq - 1) == NULL &&
	    memcmp(claim->prev, c->last.hash, AUDIT_HASH) != 0)
		tell_here(c, FOUND_UNLINKED, seq - 1, seq - 1,
		    "the next entry, which the witness has, follows another one");
	if (seq > c->most)
		c->most = seq;
}

static void
end_line(struct compare *c, const struct audit_claim *claim, int64_t same)
{
	int64_t seq = claim->is.seq;

	if (c->result.entries > 0 && seq != c->last.is.seq + 1)
		c->has_hole = true;
	c->last = *claim;
	c->last_same = same;
	if (c->result.entries == 0 || seq < c->result.first) {
		struct audit_chain before = { 0 };

		memcpy(before.hash, claim->prev, AUDIT_HASH);
		audit_chain_short(&before, c->first_prev);
		c->result.first = seq;
	}
	if (seq > c->result.last)
		c->result.last = seq;
	c->result.entries++;
	audit_chain_short(&claim->is, c->result.head);
	if (seq > c->result.covered)
		c->result.newer++;
	if (!c->is_faulty && !c->has_hole && c->n_odd == 0)
		c->result.flawless = seq;
	look_for_heads(c, claim);
}

/* Of the last line, which is odd: does this one stand behind it? */
static void
note_next(struct compare *c, const struct audit_claim *claim)
{
	struct odd *odd;

	if (!c->last_is_odd)
		return;
	c->last_is_odd = false;
	odd = &c->odd[c->n_odd - 1];
	odd->next = claim->is.seq;
	odd->is_followed =
	    claim->is.seq == odd->seq + 1 && memcmp(claim->prev, c->last.hash, AUDIT_HASH) == 0;
}

static bool
take_entry(struct compare *c, const struct audit_claim *claim, struct err *err)
{
	struct audit_copy_entry *entry =
	    c->copy == NULL ? NULL : audit_copy_find(c->copy, claim->is.seq);
	uint8_t digest[CRYPTO_SHA256_SIZE];
	int64_t same = 0;

	if (!audit_lines_fits_name(c->lines, claim->is.seq))
		tell_here(c, FOUND_FILE_NAME, claim->is.seq, claim->is.seq, NULL);
	look_for_missing(c, claim->is.seq);
	note_next(c, claim);
	if (entry == NULL) {
		judge_alone(c, claim);
		judge_beginning(c, claim);
		if (c->n_odd > 0 && !add_odd(c, claim, false, err))
			return false;
		if (claim->is.seq > c->most && c->n_odd == 0)
			c->most = claim->is.seq;
		if (memcmp(claim->hash, claim->is.hash, AUDIT_HASH) == 0 &&
		    !take_removal(c, claim->is.seq, err))
			return false;
		end_line(c, claim, 0);
		return true;
	}
	if (!crypto_sha256(c->lines->line, c->lines->size, digest, err))
		return false;
	if (memcmp(digest, entry->digest, sizeof(entry->digest)) == 0) {
		take_same(c, entry, claim);
		if (!take_removal(c, entry->seq, err))
			return false;
		same = entry->seq;
	} else if (!add_odd(c, claim, true, err)) {
		return false;
	}
	end_line(c, claim, same);
	return true;
}

static bool
take_garbage(struct compare *c, struct err *err)
{
	if (c->copy == NULL)
		tell_here(c, FOUND_CHANGED, 0, 0, "it is no audit line");
	else if (!add_odd(c, NULL, true, err))
		return false;
	c->last_same = 0;
	return true;
}

static bool
take_line(struct compare *c, enum audit_lines_next kind, struct err *err)
{
	struct audit_claim claim;
	bool is_line = kind != AUDIT_LINES_LONG &&
	    audit_chain_read(c->lines->line, c->lines->size, &claim, NULL);

	if (kind == AUDIT_LINES_CUT)
		tell_here(c, FOUND_UNENDED, 0, 0, NULL);
	return is_line ? take_entry(c, &claim, err) : take_garbage(c, err);
}

static void
note_name(struct compare *c)
{
	char **more;

	if (c->n_names > 0 && strcmp(c->names[c->n_names - 1], c->lines->name) == 0)
		return;
	more = array_add(&c->names, &c->n_names, sizeof(*more));
	*more = mem_text(c->lines->name);
}

static bool
read_log(struct compare *c, struct err *err)
{
	enum audit_lines_next next;

	while ((next = audit_lines_next(c->lines, err)) < AUDIT_LINES_END) {
		note_name(c);
		if (!take_line(c, next, err))
			return false;
	}
	audit_compare_flush(c);
	return next == AUDIT_LINES_END;
}

/* --- all of it --- */

static void
sort_heads(struct compare *c, struct audit_head *heads, size_t n)
{
	c->heads = mem_new(n + 1, sizeof(struct audit_head *));
	for (size_t i = 0; i < n; i++) {
		heads[i].seq = 0;
		c->heads[i] = &heads[i];
	}
	c->n_heads = n;
	if (n > 1)
		qsort(c->heads, n, sizeof(struct audit_head *), compare_heads);
}

bool
audit_compare_read(
    struct compare *c, const char *path, struct audit_head *heads, size_t n_heads, struct err *err)
{
	size_t n = 0;
	struct audit_copy_entry *entries = c->copy == NULL ? NULL : audit_copy_entries(c->copy, &n);

	for (size_t i = 0; i < n; i++)
		entries[i].is_found = false;
	c->result.covered = newest_covered(c);
	sort_heads(c, heads, n_heads);
	return audit_lines_open(c->lines, path, err) && read_log(c, err);
}
