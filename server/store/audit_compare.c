/* audit_compare.c - has the log read, then names what has no partner, of both sides.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/audit_compare.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/err.h"
#include "lib/mem.h"
#include "store/audit_compare_inside.h"
#include "store/audit_difference.h"

struct payload {
	uint8_t digest[PAYLOAD];
	int64_t seq;
};

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
	CLEANUP(freep) struct payload *all = mem_new(n + 1, sizeof(*all));
	char line[AUDIT_LINE_MAX];

	for (size_t i = 0; i < n; i++) {
		bool has = false;

		if (entries[i].is_found)
			continue;
		all[n_all].seq = entries[i].seq;
		if (!audit_copy_text(c->copy, &entries[i], line, err) ||
		    !audit_compare_payload(line, entries[i].size, all[n_all].digest, &has, err))
			return NULL;
		n_all += has ? 1 : 0;
	}
	if (n_all > 1)
		qsort(all, n_all, sizeof(*all), compare_payloads);
	*ret_n = n_all;
	return TAKE(all);
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
	CLEANUP(freep) struct payload *all = read_payloads(c, &n, err);

	if (all == NULL)
		return false;
	for (size_t i = 0; i < c->n_odd; i++)
		if (c->odd[i].has_payload)
			c->odd[i].match = find_payload(c, all, n, c->odd[i].payload);
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
		audit_difference(
		    &(struct audit_difference_lines){ line, entry->size, odd->text, odd->size },
		    out, DETAIL);
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

	audit_compare_tell(c, &finding);
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

/* --- all of them --- */

static void
judge_odd(struct compare *c)
{
	int64_t before = 0, most = 0;

	for (size_t i = 0; i < c->n_odd; i++) {
		const struct odd *odd = &c->odd[i];
		size_t n = audit_compare_foreign(c, i);

		if (n > 0) {
			i += n - 1;
			before = c->odd[i].seq;
			if (before > most)
				most = before;
			continue;
		}
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
	audit_compare_flush(c);
}

/* --- entries without a line --- */

/* Joined to no other; what went by a rule, with the entry that says so. */
static void
tell_alone(struct compare *c, enum audit_found what, int64_t first, int64_t last)
{
	char says[DETAIL];
	const struct audit_finding finding = { .what = what,
		.first = first,
		.last = last,
		.detail = what == FOUND_CUT_BY_RULE ? audit_compare_removal_text(c, says) : NULL };

	audit_compare_tell(c, &finding);
	audit_compare_flush(c);
}

static void
tell_missing(struct compare *c, int64_t first, int64_t last, bool is_front)
{
	bool is_end = last == c->result.covered && c->result.last < first && c->result.newer == 0;

	if (is_end || !is_front) {
		tell_alone(c, is_end ? FOUND_CUT_END : FOUND_REMOVED, first, last);
	} else if (!audit_compare_is_by_rule(c, last)) {
		tell_alone(c, FOUND_CUT_FRONT, 1, last);
	} else {
		if (first > 1) /* the witness does not have these (any more) */
			tell_alone(c, FOUND_CUT_BY_RULE, 1, first - 1);
		tell_alone(c, FOUND_CUT_BY_RULE, first, last);
	}
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
	bool is_rule = c->copy == NULL && audit_compare_is_by_rule(c, last);

	if (last >= 1 && (c->copy == NULL || audit_copy_find(c->copy, last) == NULL))
		tell_alone(c, is_rule ? FOUND_CUT_BY_RULE : FOUND_CUT_FRONT, 1, last);
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
			audit_compare_tell(c, &finding);
	}
	audit_compare_flush(c);
}

/* --- all of it --- */

static bool
judge(struct compare *c, struct err *err)
{
	if (c->n_odd > 0 && !pair_by_content(c, err))
		return false;
	if (c->copy != NULL) {
		judge_odd(c);
		judge_missing(c);
	}
	judge_front(c);
	judge_heads(c);
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
audit_compare(
    const struct audit_compare_config *config, struct audit_compared *ret, struct err *err)
{
	struct compare c = { .copy = config->copy, .found = config->found, .ctx = config->ctx };
	bool ok;

	c.lines = mem_new(1, sizeof(*c.lines));
	ok = audit_compare_read(&c, config->log, config->heads, config->n_heads, err) &&
	    judge(&c, err);
	done(&c);
	if (ok)
		*ret = c.result;
	return ok;
}
