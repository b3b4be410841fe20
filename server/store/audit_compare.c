/* audit_compare.c - pairs the log's lines with the witness's, then names those without one.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/audit_compare.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/text.h"
#include "store/audit_difference.h"
#include "store/audit_field.h"
#include "store/audit_lines.h"

#define HEAD_MIN  8    /* digits */
#define TEXTS_MAX 1000 /* lines that are kept, to say what of them was changed */
#define DETAIL	  600
#define PAYLOAD	  16
#define DAY_MS	  (24 * 3600 * INT64_C(1000))
#define SKEW_MS	  (3600 * INT64_C(1000)) /* of the server's clock and the witness's */

/* A line that is not, at its place, what the witness has. */
struct odd {
	int64_t seq;	/* as it says; 0: it cannot be read */
	int64_t before; /* entry of the line before it; 0: that is odd too, or there is none */
	int64_t most;	/* the greatest entry before it */
	size_t name;
	int64_t line;
	char *text; /* NULL: not kept */
	size_t size;
	uint8_t payload[PAYLOAD];
	int64_t match; /* the entry that it is, under whatever number; 0: none */
	bool has_payload;
	bool is_covered; /* the witness has this number */
};

struct payload {
	uint8_t digest[PAYLOAD];
	int64_t seq;
};

struct compare {
	struct audit_lines *lines;
	struct audit_copy *copy;
	struct audit_head **heads; /* by their digits */
	size_t n_heads;
	audit_found_fn *found;
	void *ctx;
	struct audit_finding pending;
	char detail[DETAIL];
	bool has_pending;
	bool is_faulty; /* a finding in the log */
	bool has_hole;	/* a number does not follow the one before it, whatever the witness has */

	struct removal {
		int64_t seq;		     /* the entry that says so; 0: none does */
		int64_t last;		     /* up to this entry closed files went */
		char head[LIMIT_AUDIT_HEAD]; /* of that one */
		char at[TEXT_TIME_SIZE];
	} removal;			   /* the newest */
	char first_prev[LIMIT_AUDIT_HEAD]; /* what the least entry of the log follows */

	struct audit_claim last; /* line that could be read; is.seq 0: none yet */
	bool last_is_line;	 /* the one directly before */
	int64_t last_same;	 /* it is as the witness has it, with this number; else 0 */
	int64_t most;		 /* the greatest number that was the witness's, or by itself */
	struct odd *odd;
	size_t n_odd, room_odd;
	char **names;
	size_t n_names;
	struct audit_compared result;
};

/* --- findings --- */

static void
flush(struct compare *c)
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

static void
tell(struct compare *c, const struct audit_finding *finding)
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
	flush(c);
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

	tell(c, &finding);
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

/* All of a line but what ties it to its place.  ret_has false: it has no fields to be read. */
static bool
payload_of(const char *line, size_t size, uint8_t out[PAYLOAD], bool *ret_has, struct err *err)
{
	static const char *const ties[] = { "seq", "prev", "hash" };
	struct audit_fields fields = { 0 };
	uint8_t digest[CRYPTO_SHA256_SIZE];
	struct buf text;
	size_t n = 0;
	bool ok;

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
	buf_init(&text, AUDIT_LINE_MAX);
	audit_fields_write(&fields, NULL, false, &text);
	ok = buf_check(&text, err) && crypto_sha256(text.data, text.size, digest, err);
	buf_done(&text);
	if (ok)
		memcpy(out, digest, PAYLOAD);
	return ok;
}

static bool
add_odd(struct compare *c, int64_t seq, bool is_covered, struct err *err)
{
	struct odd *odd;

	if (c->n_odd == c->room_odd) {
		size_t room = c->room_odd == 0 ? 64 : 2 * c->room_odd;
		struct odd *more = reallocarray(c->odd, room, sizeof(*more));

		if (more == NULL)
			return err_set(err, ERR_NOMEM, "no memory for the lines that differ");
		c->odd = more;
		c->room_odd = room;
	}
	odd = &c->odd[c->n_odd];
	*odd = (struct odd){ .seq = seq,
		.before = c->last_same,
		.most = c->most,
		.name = c->n_names - 1,
		.line = c->lines->number,
		.is_covered = is_covered };
	if (seq != 0 &&
	    !payload_of(c->lines->line, c->lines->size, odd->payload, &odd->has_payload, err))
		return false;
	if (seq != 0 && c->n_odd < TEXTS_MAX) {
		odd->text = strndup(c->lines->line, c->lines->size);
		odd->size = c->lines->size;
	}
	c->n_odd++;
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

/* "entry 12 of 2026-11-20T07:10:48.123Z" */
static const char *
removal_text(const struct compare *c, char out[DETAIL])
{
	(void)snprintf(out, DETAIL, "entry %" PRId64 " of %s", c->removal.seq, c->removal.at);
	return out;
}

/* Is it by that that the log begins behind this entry?  Then its first line follows the head that
 * was stated when it went. */
static bool
is_by_rule(const struct compare *c, int64_t last)
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
	if (entry == NULL) {
		judge_alone(c, claim);
		judge_beginning(c, claim);
		if (c->n_odd > 0 && !add_odd(c, claim->is.seq, false, err))
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
	} else if (!add_odd(c, claim->is.seq, true, err)) {
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
	else if (!add_odd(c, 0, true, err))
		return false;
	c->last_same = 0;
	return true;
}

static bool
take_line(struct compare *c, enum audit_lines_next kind, struct err *err)
{
	struct audit_claim claim;
	struct err why = { 0 };
	bool is_line = kind != AUDIT_LINES_LONG &&
	    audit_chain_read(c->lines->line, c->lines->size, &claim, &why);

	if (!is_line && why.code == ERR_NOMEM)
		return err_set(err, ERR_NOMEM, "%s", why.text);
	if (kind == AUDIT_LINES_CUT)
		tell_here(c, FOUND_UNENDED, 0, 0, NULL);
	return is_line ? take_entry(c, &claim, err) : take_garbage(c, err);
}

static bool
note_name(struct compare *c, struct err *err)
{
	char **more;

	if (c->n_names > 0 && strcmp(c->names[c->n_names - 1], c->lines->name) == 0)
		return true;
	more = reallocarray(c->names, c->n_names + 1, sizeof(*more));
	if (more != NULL)
		c->names = more;
	if (more == NULL || (more[c->n_names] = strdup(c->lines->name)) == NULL)
		return err_set(err, ERR_NOMEM, "no memory for the log's names");
	c->n_names++;
	return true;
}

static bool
read_log(struct compare *c, struct err *err)
{
	enum audit_lines_next next;

	while ((next = audit_lines_next(c->lines, err)) < AUDIT_LINES_END)
		if (!note_name(c, err) || !take_line(c, next, err))
			return false;
	flush(c);
	return next == AUDIT_LINES_END;
}

/* --- who is whose --- */

static int
compare_payloads(const void *a, const void *b)
{
	const struct payload *left = a, *right = b;
	int order = memcmp(left->digest, right->digest, PAYLOAD);

	return order != 0 ? order : (left->seq > right->seq) - (left->seq < right->seq);
}

/* Of all entries that were not found. */
static struct payload *
read_payloads(struct compare *c, size_t *ret_n, struct err *err)
{
	size_t n, n_all = 0;
	const struct audit_copy_entry *entries = audit_copy_entries(c->copy, &n);
	struct payload *all = calloc(n + 1, sizeof(*all));
	char line[AUDIT_LINE_MAX];

	if (all == NULL)
		return ERR_NULL(err_set(err, ERR_NOMEM, "no memory for the lines that differ"));
	for (size_t i = 0; i < n; i++) {
		bool has = false;

		if (entries[i].is_found)
			continue;
		all[n_all].seq = entries[i].seq;
		if (!audit_copy_text(c->copy, &entries[i], line, err) ||
		    !payload_of(line, entries[i].size, all[n_all].digest, &has, err)) {
			free(all);
			return NULL;
		}
		n_all += has ? 1 : 0;
	}
	if (n_all > 1)
		qsort(all, n_all, sizeof(*all), compare_payloads);
	*ret_n = n_all;
	return all;
}

/* The first entry of that content that no line was yet; 0: none. */
static int64_t
find_payload(struct compare *c, const struct payload *all, size_t n, const uint8_t digest[PAYLOAD])
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(all[middle].digest, digest, PAYLOAD) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < n && memcmp(all[low].digest, digest, PAYLOAD) == 0; low++) {
		struct audit_copy_entry *entry = audit_copy_find(c->copy, all[low].seq);

		if (!entry->is_found) {
			entry->is_found = true;
			return entry->seq;
		}
	}
	return 0;
}

static bool
pair_by_content(struct compare *c, struct err *err)
{
	size_t n = 0;
	struct payload *all = read_payloads(c, &n, err);

	if (all == NULL)
		return false;
	for (size_t i = 0; i < c->n_odd; i++)
		if (c->odd[i].has_payload)
			c->odd[i].match = find_payload(c, all, n, c->odd[i].payload);
	free(all);
	return true;
}

/* What of it is other than the witness's, which fields above all. */
static void
describe_change(struct compare *c, const struct odd *odd, int64_t seq, char out[DETAIL])
{
	const struct audit_copy_entry *entry = audit_copy_find(c->copy, seq);
	char line[AUDIT_LINE_MAX];

	out[0] = '\0';
	if (odd->seq == 0)
		(void)snprintf(out, DETAIL, "it is no audit line any more");
	else if (!odd->has_payload)
		(void)snprintf(out, DETAIL, "its fields cannot be read any more");
	else if (odd->text != NULL && audit_copy_text(c->copy, entry, line, NULL))
		audit_difference(line, entry->size, odd->text, odd->size, out, DETAIL);
}

static void
tell_odd(struct compare *c, const struct odd *odd, enum audit_found what, int64_t seq,
    const char *detail)
{
	const struct audit_finding finding = { .what = what,
		.first = seq,
		.last = seq,
		.file = c->names[odd->name],
		.line = odd->line,
		.detail = detail == NULL || detail[0] == '\0' ? NULL : detail };

	tell(c, &finding);
}

static bool
take_if_free(struct compare *c, int64_t seq)
{
	struct audit_copy_entry *entry = audit_copy_find(c->copy, seq);

	if (entry == NULL || entry->is_found)
		return false;
	entry->is_found = true;
	return true;
}

/* Its content is the witness's entry `match`. */
static void
tell_matched(struct compare *c, const struct odd *odd, int64_t most)
{
	char detail[DETAIL] = "";

	if (odd->seq != odd->match)
		(void)snprintf(
		    detail, sizeof(detail), "its number is now %+" PRId64, odd->seq - odd->match);
	tell_odd(c, odd, odd->match < most ? FOUND_MOVED : FOUND_REHASHED, odd->match, detail);
}

/* As a change of the entry whose number it has, or else of the one that should stand there. */
static int64_t
tell_unmatched(struct compare *c, const struct odd *odd, int64_t before)
{
	int64_t seq = odd->seq != 0 && take_if_free(c, odd->seq) ? odd->seq :
	    take_if_free(c, before + 1)				 ? before + 1 :
								   0;
	char detail[DETAIL];

	if (seq == 0) {
		if (odd->is_covered)
			tell_odd(c, odd, FOUND_INSERTED, odd->seq,
			    odd->seq == 0 ? "it is no audit line" : NULL);
		return before;
	}
	describe_change(c, odd, seq, detail);
	tell_odd(c, odd, FOUND_CHANGED, seq, detail);
	return seq;
}

static void
judge_odd(struct compare *c)
{
	int64_t before = 0, most = 0;

	for (size_t i = 0; i < c->n_odd; i++) {
		const struct odd *odd = &c->odd[i];

		if (odd->before != 0)
			before = odd->before;
		if (odd->most > most)
			most = odd->most;
		if (odd->match != 0) {
			tell_matched(c, odd, most);
			before = odd->match;
		} else {
			before = tell_unmatched(c, odd, before);
		}
		if (before > most)
			most = before;
	}
	flush(c);
}

/* --- entries without a line --- */

static void
tell_missing(struct compare *c, int64_t first, int64_t last, bool is_front)
{
	bool is_end = last == c->result.covered && c->result.last < first && c->result.newer == 0;
	bool is_rule = is_front && !is_end && is_by_rule(c, last);
	char says[DETAIL];
	const struct audit_finding gone = { .what = FOUND_CUT_BY_RULE,
		.first = 1,
		.last = first - 1,
		.detail = is_rule ? removal_text(c, says) : NULL };
	const struct audit_finding finding = { .what = is_end ? FOUND_CUT_END :
		    is_rule				      ? FOUND_CUT_BY_RULE :
		    is_front				      ? FOUND_CUT_FRONT :
								FOUND_REMOVED,
		.first = is_front && !is_end && !is_rule ? 1 : first,
		.last = last,
		.detail = is_rule ? removal_text(c, says) : NULL };

	if (is_rule && first > 1) { /* the witness does not have these (any more) */
		tell(c, &gone);
		flush(c);
	}
	tell(c, &finding);
	flush(c);
}

static void
judge_missing(struct compare *c)
{
	size_t n;
	const struct audit_copy_entry *entries = audit_copy_entries(c->copy, &n);
	int64_t first = 0;
	bool is_any = false; /* was found before */

	for (size_t i = 0; i < n; i++) {
		bool is_last;

		if (entries[i].is_found) {
			is_any = true;
			continue;
		}
		if (first == 0)
			first = entries[i].seq;
		is_last = i + 1 == n || entries[i + 1].is_found ||
		    entries[i + 1].seq != entries[i].seq + 1;
		if (is_last) {
			tell_missing(c, first, entries[i].seq,
			    !is_any && (c->result.entries == 0 || c->result.first > first));
			first = 0;
		}
	}
}

/* The log begins behind entry 1, and the witness does not have what is missing. */
static void
judge_front(struct compare *c)
{
	int64_t last = c->result.first - 1;
	bool is_rule = c->copy == NULL && is_by_rule(c, last);
	char says[DETAIL];
	const struct audit_finding finding = { .what =
						   is_rule ? FOUND_CUT_BY_RULE : FOUND_CUT_FRONT,
		.first = 1,
		.last = last,
		.detail = is_rule ? removal_text(c, says) : NULL };

	if (last < 1 || (c->copy != NULL && audit_copy_find(c->copy, last) != NULL))
		return;
	tell(c, &finding);
	flush(c);
}

static void
judge_heads(struct compare *c)
{
	for (size_t i = 0; i < c->n_heads; i++) {
		const struct audit_finding finding = {
			.what = FOUND_HEAD_MISSING,
			.source = c->heads[i]->digits,
			.at = c->heads[i]->at,
			.detail = c->heads[i]->by,
		};

		if (c->heads[i]->seq == 0)
			tell(c, &finding);
	}
	flush(c);
}

/* --- all of it --- */

static bool
compare(struct compare *c, const char *path, struct err *err)
{
	size_t n = 0;
	struct audit_copy_entry *entries = c->copy == NULL ? NULL : audit_copy_entries(c->copy, &n);

	for (size_t i = 0; i < n; i++)
		entries[i].is_found = false;
	c->result.covered = newest_covered(c);
	if (!audit_lines_open(c->lines, path, err) || !read_log(c, err) ||
	    (c->n_odd > 0 && !pair_by_content(c, err)))
		return false;
	if (c->copy != NULL) {
		judge_odd(c);
		judge_missing(c);
	}
	judge_front(c);
	judge_heads(c);
	return true;
}

static bool
sort_heads(struct compare *c, struct audit_head *heads, size_t n, struct err *err)
{
	c->heads = calloc(n + 1, sizeof(struct audit_head *));
	if (c->heads == NULL)
		return err_set(err, ERR_NOMEM, "no memory for the heads");
	for (size_t i = 0; i < n; i++) {
		heads[i].seq = 0;
		c->heads[i] = &heads[i];
	}
	c->n_heads = n;
	if (n > 1)
		qsort(c->heads, n, sizeof(struct audit_head *), compare_heads);
	return true;
}

static void
done(struct compare *c)
{
	for (size_t i = 0; i < c->n_odd; i++)
		free(c->odd[i].text);
	for (size_t i = 0; i < c->n_names; i++)
		free(c->names[i]);
	free(c->odd);
	free(c->names);
	free(c->heads);
	if (c->lines != NULL)
		audit_lines_close(c->lines);
	free(c->lines);
}

bool
audit_compare(const char *path, struct audit_copy *copy, struct audit_head *heads, size_t n,
    audit_found_fn *found, void *ctx, struct audit_compared *ret, struct err *err)
{
	struct compare c = { .copy = copy, .found = found, .ctx = ctx };
	bool ok;

	c.lines = calloc(1, sizeof(*c.lines));
	ok = (c.lines != NULL || err_set(err, ERR_NOMEM, "no memory to read the log")) &&
	    sort_heads(&c, heads, n, err) && compare(&c, path, err);
	done(&c);
	if (ok)
		*ret = c.result;
	return ok;
}
