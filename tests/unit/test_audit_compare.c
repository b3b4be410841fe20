/* Goal: whatever is done to the log, the witness shows it, and it is called what it is.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "store/audit_compare.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/file.h"
#include "store/audit_chain.h"

#define ENTRIES	  12
#define FIRST	  5 /* of the first version; then the second begins */
#define OBJECT	  3 /* entries of one */
#define SEEN_MAX  64
#define DAY_MS	  INT64_C(86400000)
#define OLD	  (4 * DAY_MS) /* entries are of the day before the third */
#define LINES_MAX 64

struct seen {
	enum audit_found what;
	int64_t first, last;
	char detail[640];
};

struct world {
	char folder[64], log[96];
	char *line[LINES_MAX]; /* of the log, without newlines */
	size_t n;
	struct buf text;
	struct audit_copy *copy;
	struct audit_compared result;
	struct seen seen[SEEN_MAX];
	size_t n_seen;
	struct err err;
};

static void
on_found(void *ctx, const struct audit_finding *finding)
{
	struct world *w = ctx;
	struct seen *seen = &w->seen[w->n_seen];

	assert_true(w->n_seen < SEEN_MAX);
	*seen = (struct seen){ finding->what, finding->first, finding->last, "" };
	if (finding->detail != NULL)
		(void)snprintf(seen->detail, sizeof(seen->detail), "%s", finding->detail);
	w->n_seen++;
}

/* Writes the line of this content behind the head. */
static char *
make_line(struct audit_chain *head, const char *content)
{
	struct audit_line line = { .at = 86400000 + 1000 * head->seq,
		.user_id = "telegram:1",
		.action = "denied",
		.outcome = "denied",
		.severity = "info",
		.meta = content,
		.version = head->seq < FIRST ? 1 : AUDIT_VERSION,
		.code = "denied",
		.principal = "telegram" };
	struct buf text;
	struct err err;

	buf_init(&text, AUDIT_LINE_MAX);
	assert_true(audit_chain_write(head, &line, &text, &err));
	return buf_take(&text);
}

static void
make_lines(struct world *w, struct audit_chain *chain, int64_t n)
{
	char content[64];

	for (int64_t i = 0; i < n; i++) {
		(void)snprintf(content, sizeof(content), "{\"x\":\"content %lld\"}",
		    (long long)(chain->seq + 1));
		w->line[w->n++] = make_line(chain, content);
	}
}

/* Entries first to last of the log as it is now. */
static void
add_object(struct world *w, size_t first, size_t last, int64_t at)
{
	struct audit_claim claim;
	char name[96], head[LIMIT_AUDIT_HEAD];
	struct buf text;

	buf_init(&text, 1 << 20);
	for (size_t i = first; i <= last; i++) {
		buf_adds(&text, w->line[i - 1]);
		buf_addc(&text, '\n');
	}
	assert_true(
	    audit_chain_read(w->line[last - 1], strlen(w->line[last - 1]), &claim, &w->err));
	audit_chain_short(&claim.is, head);
	(void)snprintf(name, sizeof(name), "deploybot-a/%zu-%zu-%s.jsonl", first, last, head);
	assert_true(audit_copy_add_object(w->copy, name, at, text.data, text.size, &w->err));
	buf_done(&text);
}

static void
new_copy(struct world *w)
{
	audit_copy_free(w->copy);
	w->copy = audit_copy_new(on_found, w, &w->err);
	assert_non_null(w->copy);
}

static void
finish_copy(struct world *w)
{
	assert_true(audit_copy_finish(w->copy, &w->err));
}

static int
set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct audit_chain chain = { 0 };

	(void)snprintf(w->folder, sizeof(w->folder), "/tmp/test_audit_compare.XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	(void)snprintf(w->log, sizeof(w->log), "%s/audit.log", w->folder);
	buf_init(&w->text, 1 << 20);
	make_lines(w, &chain, ENTRIES);
	new_copy(w);
	for (size_t i = 1; i <= ENTRIES; i += OBJECT)
		add_object(w, i, i + OBJECT - 1, (int64_t)i * 60000);
	finish_copy(w);
	assert_int_equal(w->n_seen, 0);
	*state = w;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < w->n; i++)
		free(w->line[i]);
	audit_copy_free(w->copy);
	buf_done(&w->text);
	(void)unlink(w->log);
	(void)rmdir(w->folder);
	free(w);
	return 0;
}

/* The log's bytes as they would be. */
static void
lay_out(struct world *w)
{
	buf_clear(&w->text);
	for (size_t i = 0; i < w->n; i++) {
		buf_adds(&w->text, w->line[i]);
		buf_addc(&w->text, '\n');
	}
}

static void
compare_bytes(struct world *w, const void *bytes, size_t size)
{
	FILE *file = fopen(w->log, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
	w->n_seen = 0;
	if (!audit_compare(w->log, w->copy, NULL, 0, on_found, w, &w->result, &w->err))
		fail_msg("%s", w->err.text);
}

static void
compare(struct world *w)
{
	lay_out(w);
	compare_bytes(w, w->text.data, w->text.size);
}

static bool
saw(const struct world *w, enum audit_found what, int64_t first, int64_t last)
{
	for (size_t i = 0; i < w->n_seen; i++)
		if (w->seen[i].what == what && w->seen[i].first == first && w->seen[i].last == last)
			return true;
	return false;
}

/* Is it named in what is wrong with the log? */
static bool
is_named(const struct world *w, int64_t seq)
{
	for (size_t i = 0; i < w->n_seen; i++)
		if (audit_found_severity(w->seen[i].what) == FOUND_LOG && w->seen[i].first <= seq &&
		    seq <= w->seen[i].last)
			return true;
	return false;
}

#define ASSERT_SAW(w, n, what, first, last) \
	do { \
		if ((w)->n_seen != (n) || !saw(w, FOUND_##what, first, last)) \
			fail_seen(w, #what, first, last); \
	} while (0)

static void
fail_seen(const struct world *w, const char *what, int64_t first, int64_t last)
{
	static const char *const names[] = {
#define F(name, severity) #name,
		AUDIT_FOUNDS(F)
#undef F
	};

	for (size_t i = 0; i < w->n_seen; i++)
		print_message("found %s %lld-%lld %s\n", names[w->seen[i].what],
		    (long long)w->seen[i].first, (long long)w->seen[i].last, w->seen[i].detail);
	fail_msg("wanted %s %lld-%lld", what, (long long)first, (long long)last);
}

static void
remove_line(struct world *w, size_t at)
{
	free(w->line[at]);
	memmove(&w->line[at], &w->line[at + 1], (w->n - at - 1) * sizeof(w->line[0]));
	w->n--;
}

static void
insert_line(struct world *w, size_t at, char *line)
{
	memmove(&w->line[at + 1], &w->line[at], (w->n - at) * sizeof(w->line[0]));
	w->line[at] = line;
	w->n++;
}

/* As somebody would who owns the machine: from line `at` on, numbers and hashes are made to fit. */
static void
hash_anew(struct world *w, size_t at, size_t skip, const char *extra)
{
	struct audit_chain chain = { 0 };
	struct audit_claim claim;
	char content[64];
	size_t n = w->n;

	if (at > 0) {
		assert_true(
		    audit_chain_read(w->line[at - 1], strlen(w->line[at - 1]), &claim, &w->err));
		chain = claim.is;
	}
	for (size_t i = at; i < n; i++)
		free(w->line[i]);
	w->n = at;
	if (extra != NULL)
		w->line[w->n++] = make_line(&chain, extra);
	/* The time is part of the content, so it is that of the old number. */
	for (size_t i = at + skip; i < n; i++) {
		struct audit_line line = { .at = 86400000 + 1000 * (int64_t)i,
			.user_id = "telegram:1",
			.action = "denied",
			.outcome = "denied",
			.severity = "info",
			.meta = content,
			.version = i < FIRST ? 1 : AUDIT_VERSION,
			.code = "denied",
			.principal = "telegram" };
		struct buf text;

		(void)snprintf(content, sizeof(content), "{\"x\":\"content %zu\"}", i + 1);
		buf_init(&text, AUDIT_LINE_MAX);
		assert_true(audit_chain_write(&chain, &line, &text, &w->err));
		w->line[w->n++] = buf_take(&text);
	}
}

/* --- what is found --- */

static void
a_log_that_nobody_touched_has_nothing_to_be_said_of(void **state)
{
	struct world *w = *state;

	compare(w);
	assert_int_equal(w->n_seen, 0);
	assert_int_equal(w->result.same, ENTRIES);
	assert_int_equal(w->result.covered, ENTRIES);
	assert_int_equal(w->result.newer, 0);
	assert_int_equal(w->result.flawless, ENTRIES);
}

static void
each_byte_that_is_changed_is_noticed_at_its_entry(void **state)
{
	struct world *w = *state;
	size_t entry = 1;

	lay_out(w);
	for (size_t i = 0; i < w->text.size; i++) {
		char was = w->text.data[i];

		w->text.data[i] ^= 1;
		compare_bytes(w, w->text.data, w->text.size);
		w->text.data[i] = was;
		if (!is_named(w, (int64_t)entry) && !(was == '\n' && entry == ENTRIES))
			fail_msg("byte %zu of entry %zu", i, entry);
		assert_true(w->n_seen > 0);
		for (int64_t other = 1; other <= ENTRIES; other++)
			if (other != (int64_t)entry && is_named(w, other) &&
			    !(was == '\n' && other == (int64_t)entry + 1))
				fail_msg("byte %zu of entry %zu: %lld is named, too", i, entry,
				    (long long)other);
		if (was == '\n')
			entry++;
	}
	assert_int_equal(entry, ENTRIES + 1);
}

static void
a_log_that_ends_after_any_byte_is_said_to_be_cut(void **state)
{
	struct world *w = *state;
	size_t whole = 0;

	lay_out(w);
	for (size_t i = 0; i < w->text.size; i++) {
		compare_bytes(w, w->text.data, i);
		if (i > 0 && w->text.data[i - 1] == '\n')
			whole++;
		assert_true(w->n_seen > 0);
		if (w->text.data[i] == '\n')
			assert_true(saw(w, FOUND_UNENDED, 0, 0)); /* all but the newline */
		else if (i == 0 || w->text.data[i - 1] == '\n')
			ASSERT_SAW(w, 1, CUT_END, (int64_t)whole + 1, ENTRIES);
		else
			assert_true(is_named(w, (int64_t)whole + 1));
		assert_int_equal(w->result.same, whole + (w->text.data[i] == '\n' ? 1 : 0));
	}
}

static void
each_line_that_is_removed_is_named_and_no_other(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < ENTRIES; i++) {
		char *line = strdup(w->line[i]);

		remove_line(w, i);
		compare(w);
		if (i == 0)
			ASSERT_SAW(w, 1, CUT_FRONT, 1, 1);
		else if (i == ENTRIES - 1)
			ASSERT_SAW(w, 1, CUT_END, ENTRIES, ENTRIES);
		else
			ASSERT_SAW(w, 1, REMOVED, (int64_t)i + 1, (int64_t)i + 1);
		/* Whole is what stands before the hole, though the witness has what is gone. */
		assert_int_equal(w->result.flawless, i == 0 ? ENTRIES : i);
		insert_line(w, i, line);
	}
}

static void
a_beginning_that_is_missing_is_said_to_be_cut_off(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 4; i++)
		remove_line(w, 0);
	compare(w);
	ASSERT_SAW(w, 1, CUT_FRONT, 1, 4);
}

/* The entry that says that closed files went, up to that one; digits: another head than its own. */
static void
add_removal(struct world *w, struct audit_chain *chain, size_t last, const char *digits, int64_t at)
{
	char content[128], head[LIMIT_AUDIT_HEAD];
	struct audit_line line = { .at = at,
		.user_id = "system",
		.action = "files_removed",
		.outcome = "ok",
		.severity = "info",
		.meta = content,
		.version = AUDIT_VERSION,
		.code = "files_removed",
		.principal = "system" };
	struct audit_claim claim;
	struct buf text;

	assert_true(
	    audit_chain_read(w->line[last - 1], strlen(w->line[last - 1]), &claim, &w->err));
	audit_chain_short(&claim.is, head);
	(void)snprintf(content, sizeof(content),
	    "{\"first\":\"1\",\"last\":\"%zu\",\"head\":\"%s\",\"days\":\"2\"}", last,
	    digits != NULL ? digits : head);
	buf_init(&text, AUDIT_LINE_MAX);
	assert_true(audit_chain_write(chain, &line, &text, &w->err));
	w->line[w->n++] = buf_take(&text);
}

/* The log without those first entries, after such an entry, against an object of all (to: up to
 * this one) or by itself. */
static void
cut_after_removal_at(struct world *w, size_t cut, size_t last, const char *digits, size_t to,
    int64_t at, int64_t arrived)
{
	struct audit_chain chain = { 0 };

	for (size_t i = 0; i < w->n; i++)
		free(w->line[i]);
	w->n = 0;
	make_lines(w, &chain, ENTRIES);
	add_removal(w, &chain, last, digits, at);
	make_lines(w, &chain, 1);
	new_copy(w);
	if (to > 0)
		add_object(w, 1, to, arrived);
	finish_copy(w);
	if (to == 0) {
		audit_copy_free(w->copy);
		w->copy = NULL;
	}
	for (size_t i = 0; i < cut; i++)
		remove_line(w, 0);
	w->n_seen = 0;
	compare(w);
}

static void
cut_after_removal(struct world *w, size_t cut, size_t last, const char *digits, size_t to)
{
	cut_after_removal_at(w, cut, last, digits, to, OLD, OLD);
}

static void
a_removal_that_is_too_young_or_of_another_entry_is_a_finding_and_no_excuse(void **state)
{
	struct world *w = *state;

	cut_after_removal_at(w, 4, 4, NULL, ENTRIES + 2, 3 * DAY_MS, OLD);
	ASSERT_SAW(w, 2, REMOVAL_FALSE, ENTRIES + 1, ENTRIES + 1);
	assert_string_equal(w->seen[0].detail,
	    "entry 4 of 1970-01-02T00:00:03Z was younger than the 2 days that it says");
	assert_int_equal(w->seen[1].what, FOUND_CUT_FRONT);
	cut_after_removal_at(w, 4, 4, NULL, ENTRIES + 2, 3 * DAY_MS + 3000, OLD);
	ASSERT_SAW(w, 1, CUT_BY_RULE, 1, 4);
	/* It says another time than it can have been there, an hour for clocks that differ. */
	cut_after_removal_at(w, 4, 4, NULL, ENTRIES + 2, 9 * DAY_MS, 3 * DAY_MS);
	ASSERT_SAW(w, 1, CUT_BY_RULE, 1, 4);
	cut_after_removal_at(w, 4, 4, NULL, ENTRIES + 2, 9 * DAY_MS, 3 * DAY_MS - 3600000);
	ASSERT_SAW(w, 2, REMOVAL_FALSE, ENTRIES + 1, ENTRIES + 1);
	cut_after_removal_at(w, 0, 4, "0123456789abcdef", ENTRIES + 2, OLD, OLD);
	ASSERT_SAW(w, 1, REMOVAL_FALSE, ENTRIES + 1, ENTRIES + 1);
	assert_string_equal(w->seen[0].detail, "the witness has another entry 4");
}

static void
a_beginning_that_went_by_its_age_is_known_by_the_entry_that_says_so(void **state)
{
	struct world *w = *state;

	cut_after_removal(w, 4, 4, NULL, ENTRIES + 2);
	ASSERT_SAW(w, 1, CUT_BY_RULE, 1, 4);
	assert_string_equal(w->seen[0].detail, "entry 13 of 1970-01-05T00:00:00.000Z");
	cut_after_removal(w, 4, 4, NULL, ENTRIES); /* the entry is newer than the witness */
	ASSERT_SAW(w, 1, CUT_BY_RULE, 1, 4);
	cut_after_removal(w, 3, 4, NULL, ENTRIES); /* not all of them are gone yet */
	ASSERT_SAW(w, 1, CUT_BY_RULE, 1, 3);
	cut_after_removal(w, 5, 4, NULL, ENTRIES); /* one more is */
	ASSERT_SAW(w, 1, CUT_FRONT, 1, 5);
	cut_after_removal(w, 4, 4, "0123456789abcdef", ENTRIES); /* another log's */
	ASSERT_SAW(w, 2, REMOVAL_FALSE, ENTRIES + 1, ENTRIES + 1);
	assert_int_equal(w->seen[1].what, FOUND_CUT_FRONT);
	cut_after_removal(w, 4, 4, NULL, 0); /* by its own word alone */
	ASSERT_SAW(w, 1, CUT_BY_RULE, 1, 4);
	cut_after_removal(w, 4, 4, "0123456789abcdef", 0);
	ASSERT_SAW(w, 1, CUT_FRONT, 1, 4);
}

static void
a_line_that_is_put_in_is_no_change_of_those_around_it(void **state)
{
	struct world *w = *state;
	struct audit_claim claim;

	for (size_t i = 1; i <= ENTRIES; i++) {
		struct audit_chain chain;

		assert_true(
		    audit_chain_read(w->line[i - 1], strlen(w->line[i - 1]), &claim, &w->err));
		chain = claim.is;
		insert_line(w, i, make_line(&chain, "{\"x\":\"put in\"}"));
		compare(w);
		if (i < ENTRIES)
			ASSERT_SAW(w, 1, INSERTED, (int64_t)i + 1, (int64_t)i + 1);
		else
			assert_int_equal(w->result.newer, 1); /* nobody can know better */
		remove_line(w, i);
		insert_line(w, i, strdup("{\"x\":1}"));
		compare(w);
		ASSERT_SAW(w, 1, INSERTED, 0, 0);
		remove_line(w, i);
		insert_line(w, i, strdup(w->line[i - 1]));
		compare(w);
		ASSERT_SAW(w, 1, INSERTED, (int64_t)i, (int64_t)i);
		remove_line(w, i);
	}
}

static void
lines_that_change_places_are_moved_not_changed(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i + 1 < ENTRIES; i++) {
		char *line = w->line[i];

		w->line[i] = w->line[i + 1];
		w->line[i + 1] = line;
		compare(w);
		ASSERT_SAW(w, 1, MOVED, (int64_t)i + 1, (int64_t)i + 1);
		w->line[i + 1] = w->line[i];
		w->line[i] = line;
	}
}

static void
segments_that_change_places_are_moved_whole(void **state)
{
	struct world *w = *state;
	char *line[3];

	memcpy(line, &w->line[3], sizeof(line));
	memmove(&w->line[3], &w->line[6], sizeof(line));
	memcpy(&w->line[6], line, sizeof(line));
	compare(w);
	ASSERT_SAW(w, 1, MOVED, 4, 6);
}

static void
a_change_that_all_later_hashes_were_made_to_fit_is_found_where_it_is(void **state)
{
	struct world *w = *state;

	hash_anew(w, 3, 1, "{\"x\":\"another\"}");
	compare(w);
	ASSERT_SAW(w, 2, CHANGED, 4, 4);
	ASSERT_SAW(w, 2, REHASHED, 5, ENTRIES);
	assert_non_null(strstr(w->seen[0].detail, "x was \"content 4\", is \"another\""));
	assert_int_equal(w->result.flawless, 3);
}

static void
of_a_changed_entry_who_did_it_is_said_first_and_the_hash_not_at_all(void **state)
{
	struct world *w = *state;
	struct audit_claim claim;
	struct audit_line line = { .at = 86400000,
		.user_id = "telegram:9",
		.action = "denied",
		.outcome = "allowed",
		.environment = "shop/production",
		.severity = "info",
		.version = AUDIT_VERSION,
		.code = "denied",
		.principal = "telegram" };
	char content[400] = "{\"x\":\"";
	struct buf text;

	(void)memset(content + 6, 'y', 380);
	(void)snprintf(content + 386, sizeof(content) - 386, "\"}");
	line.meta = content;
	assert_true(audit_chain_read(w->line[7], strlen(w->line[7]), &claim, &w->err));
	free(w->line[8]);
	buf_init(&text, AUDIT_LINE_MAX);
	assert_true(audit_chain_write(&claim.is, &line, &text, &w->err));
	w->line[8] = buf_take(&text);
	compare(w);
	ASSERT_SAW(w, 1, CHANGED, 9, 9);
	assert_int_equal(strncmp(w->seen[0].detail,
			     "user_id was \"telegram:1\", is \"telegram:9\", outcome was "
			     "\"denied\", is \"allowed\", environment was ",
			     60),
	    0);
	assert_null(strstr(w->seen[0].detail, "hash was"));
	assert_null(strstr(w->seen[0].detail, "prev"));
	assert_non_null(strstr(w->seen[0].detail, "…"));
	assert_non_null(strstr(w->seen[0].detail, "; hashed anew"));
}

static void
a_line_put_in_with_all_later_numbers_made_to_fit_is_found(void **state)
{
	struct world *w = *state;

	hash_anew(w, 6, 0, "{\"x\":\"put in\"}");
	compare(w);
	ASSERT_SAW(w, 2, INSERTED, 7, 7);
	ASSERT_SAW(w, 2, REHASHED, 7, ENTRIES);
	assert_string_equal(w->seen[1].detail, "its number is now +1");
}

static void
a_line_removed_with_all_later_numbers_made_to_fit_is_found(void **state)
{
	struct world *w = *state;

	hash_anew(w, 6, 1, NULL);
	compare(w);
	ASSERT_SAW(w, 2, REMOVED, 7, 7);
	ASSERT_SAW(w, 2, REHASHED, 8, ENTRIES);
	assert_string_equal(w->seen[0].detail, "its number is now -1");
}

static void
a_log_that_was_written_anew_whole_has_nothing_of_the_old_one(void **state)
{
	struct world *w = *state;
	struct audit_chain chain = { 0 };

	for (size_t i = 0; i < w->n; i++)
		free(w->line[i]);
	w->n = 0;
	for (int i = 0; i < ENTRIES; i++)
		w->line[w->n++] = make_line(&chain, "{\"x\":\"clean\"}");
	compare(w);
	assert_int_equal(w->n_seen, 1);
	assert_int_equal(w->seen[0].what, FOUND_FOREIGN);
	assert_int_equal(w->seen[0].first, 1);
	assert_int_equal(w->seen[0].last, ENTRIES);
	assert_int_equal(w->result.same, 0);
}

/* Entries `first` to `last` say something else and follow `chain`; `odd` is another person's. */
static void
write_anew(struct world *w, struct audit_chain chain, size_t first, size_t last, size_t odd)
{
	chain.seq = (int64_t)first - 1;
	chain.version = AUDIT_VERSION;
	for (size_t seq = first; seq <= last; seq++) {
		struct audit_line line = { .at = 86400000 + 1000 * ((int64_t)seq - 1),
			.user_id = seq == odd ? "telegram:666" : "telegram:1",
			.action = "denied",
			.outcome = "denied",
			.severity = "info",
			.meta = seq == odd ? "{\"need\":\"approval\",\"x\":\"other\"}" :
					     "{\"x\":\"other\"}",
			.version = AUDIT_VERSION,
			.code = "denied",
			.principal = "telegram" };
		struct buf text;

		buf_init(&text, AUDIT_LINE_MAX);
		assert_true(audit_chain_write(&chain, &line, &text, &w->err));
		free(w->line[seq - 1]);
		w->line[seq - 1] = buf_take(&text);
	}
}

static void
of_many_that_were_written_anew_the_one_that_differs_in_more_is_named(void **state)
{
	struct world *w = *state;
	struct audit_claim claim;

	assert_true(audit_chain_read(w->line[5], strlen(w->line[5]), &claim, &w->err));
	write_anew(w, claim.is, 7, ENTRIES, 9);
	compare(w);
	ASSERT_SAW(w, 2, REWRITTEN, 7, ENTRIES);
	ASSERT_SAW(w, 2, CHANGED, 9, 9);
	assert_string_equal(w->seen[0].detail, "x differs in all, user_id in 1 (9), need in 1 (9)");
	assert_string_equal(w->seen[1].detail,
	    "user_id was \"telegram:1\", is \"telegram:666\", need was not there, is \"approval\"");
}

static void
of_lines_of_another_chain_both_breaks_are_said_by_their_numbers(void **state)
{
	struct world *w = *state;

	write_anew(w, (struct audit_chain){ 0 }, 7, 10, 0);
	compare(w);
	ASSERT_SAW(w, 1, FOREIGN, 7, 10);
	assert_string_equal(w->seen[0].detail,
	    "entry 7 does not follow entry 6, entry 11 does not follow entry 10; x differs in all");
}

static void
what_came_behind_the_witness_is_judged_by_the_chain(void **state)
{
	struct world *w = *state;
	struct audit_claim claim;
	struct audit_chain chain;

	assert_true(
	    audit_chain_read(w->line[ENTRIES - 1], strlen(w->line[ENTRIES - 1]), &claim, &w->err));
	chain = claim.is;
	make_lines(w, &chain, 4);
	compare(w);
	assert_int_equal(w->n_seen, 0);
	assert_int_equal(w->result.newer, 4);
	w->line[ENTRIES + 1][80] ^= 1;
	compare(w);
	assert_true(is_named(w, ENTRIES + 2));
	w->line[ENTRIES + 1][80] ^= 1;
	remove_line(w, ENTRIES + 1);
	compare(w);
	ASSERT_SAW(w, 1, REMOVED, ENTRIES + 2, ENTRIES + 2);
}

/* The witness lost its second object: the entry behind it still ties what stands there. */
static void
what_the_witness_lacks_is_tied_by_what_it_has_behind_it(void **state)
{
	struct world *w = *state;

	new_copy(w);
	add_object(w, 1, 3, 0);
	add_object(w, 7, 12, 0);
	w->n_seen = 0;
	finish_copy(w);
	ASSERT_SAW(w, 1, COPY_GAP, 4, 6);
	compare(w);
	assert_int_equal(w->n_seen, 0);
	for (size_t i = 3; i < 6; i++) {
		char *line = strdup(w->line[i]);

		for (size_t at = 0; line[at] != '\0'; at++) {
			w->line[i][at] ^= 1;
			compare(w);
			if (!is_named(w, (int64_t)i + 1))
				fail_msg("byte %zu of entry %zu", at, i + 1);
			w->line[i][at] ^= 1;
		}
		remove_line(w, i);
		compare(w);
		ASSERT_SAW(w, 1, REMOVED, (int64_t)i + 1, (int64_t)i + 1);
		insert_line(w, i, line);
	}
	/* Written anew so that they fit to each other, but not to entry 7. */
	struct audit_claim claim;
	assert_true(audit_chain_read(w->line[4], strlen(w->line[4]), &claim, &w->err));
	struct audit_chain chain = claim.is;
	free(w->line[5]);
	w->line[5] = make_line(&chain, "{\"x\":\"other\"}");
	compare(w);
	ASSERT_SAW(w, 1, UNLINKED, 6, 6);
}

static void
of_two_objects_that_differ_and_have_no_time_neither_counts(void **state)
{
	struct world *w = *state;
	struct audit_claim claim;
	struct audit_chain chain;

	assert_true(audit_chain_read(w->line[10], strlen(w->line[10]), &claim, &w->err));
	chain = claim.is;
	new_copy(w);
	add_object(w, 1, 11, 0);
	add_object(w, 12, 12, 0);
	free(w->line[11]);
	w->line[11] = make_line(&chain, "{\"x\":\"written anew, or restored\"}");
	add_object(w, 12, 12, 0);
	w->n_seen = 0;
	finish_copy(w);
	ASSERT_SAW(w, 1, COPY_DIFFERS, 12, 12);
	compare(w);
	assert_int_equal(w->n_seen, 0); /* neither for this log ... */
	assert_int_equal(w->result.covered, 11);
	assert_int_equal(w->result.newer, 1); /* ... nor against it */
}

static void
a_witness_that_began_later_ties_what_was_before(void **state)
{
	struct world *w = *state;

	new_copy(w);
	add_object(w, 7, 12, 0);
	w->n_seen = 0;
	finish_copy(w);
	ASSERT_SAW(w, 1, COPY_LATE, 1, 6);
	compare(w);
	assert_int_equal(w->n_seen, 0);
	hash_anew(w, 2, 1, "{\"x\":\"other\"}");
	compare(w);
	assert_true(w->n_seen > 0);
}

/* --- the witness itself --- */

static void
of_two_objects_with_one_number_the_older_counts_and_both_are_named(void **state)
{
	struct world *w = *state;
	char *was = w->line[4];
	struct audit_claim claim;
	struct audit_chain chain;

	assert_true(audit_chain_read(w->line[3], strlen(w->line[3]), &claim, &w->err));
	chain = claim.is;
	new_copy(w);
	add_object(w, 1, 12, 1000);
	add_object(w, 2, 4, 2000);
	w->n_seen = 0;
	finish_copy(w);
	ASSERT_SAW(w, 1, COPY_TWICE, 2, 4);

	w->line[4] = make_line(&chain, "{\"x\":\"forged\"}");
	new_copy(w);
	add_object(w, 5, 5, 3000); /* it came first, and is younger */
	free(w->line[4]);
	w->line[4] = was;
	add_object(w, 1, 12, 1000);
	w->n_seen = 0;
	finish_copy(w);
	ASSERT_SAW(w, 1, COPY_DIFFERS, 5, 5);
	compare(w);
	assert_int_equal(w->n_seen, 0);
}

static void
an_object_that_is_not_what_its_name_says_does_not_count(void **state)
{
	static const char *const names[] = { "1-2-0123456789abcdef.jsonl", "x.jsonl", "2-1-x" };
	struct world *w = *state;
	char text[4096];

	(void)snprintf(text, sizeof(text), "%s\n%s\n", w->line[0], w->line[1]);
	new_copy(w);
	w->n_seen = 0;
	for (size_t i = 0; i < COUNT(names); i++)
		assert_true(
		    audit_copy_add_object(w->copy, names[i], 0, text, strlen(text), &w->err));
	assert_true(audit_copy_add_object(w->copy, names[0], 0, text, strlen(text) - 1, &w->err));
	assert_true(audit_copy_add_object(w->copy, names[0], 0, "", 0, &w->err));
	assert_int_equal(w->n_seen, 5);
	for (size_t i = 0; i < w->n_seen; i++)
		assert_int_equal(w->seen[i].what, FOUND_COPY_BAD);
	finish_copy(w);
	assert_int_equal(audit_copy_objects(w->copy), 0);
}

static void
objects_of_two_histories_do_not_follow_each_other(void **state)
{
	struct world *w = *state;

	new_copy(w);
	add_object(w, 1, 6, 0);
	hash_anew(w, 2, 1, "{\"x\":\"other\"}");
	add_object(w, 7, 12, 0);
	w->n_seen = 0;
	finish_copy(w);
	ASSERT_SAW(w, 1, COPY_UNLINKED, 7, 7);
}

static void
another_copy_of_the_log_is_a_witness_line_by_line(void **state)
{
	struct world *w = *state;
	char path[96];

	(void)snprintf(path, sizeof(path), "%s/copy", w->folder);
	lay_out(w);
	w->text.data[strlen(w->line[0]) + 50] ^= 1; /* the copy is damaged at entry 2 */
	assert_true(file_write(path, w->text.data, w->text.size, 0600, &w->err));
	new_copy(w);
	w->n_seen = 0;
	assert_true(audit_copy_add_log(w->copy, path, &w->err));
	finish_copy(w);
	assert_true(saw(w, FOUND_COPY_BAD, 0, 0));
	assert_true(saw(w, FOUND_COPY_GAP, 2, 2));
	compare(w);
	assert_int_equal(w->n_seen, 0);
	remove_line(w, 8);
	compare(w);
	ASSERT_SAW(w, 1, REMOVED, 9, 9);
	(void)unlink(path);
}

/* --- heads --- */

static void
a_head_that_somebody_kept_is_found_while_the_log_has_it(void **state)
{
	struct world *w = *state;
	struct audit_head heads[3];
	struct audit_claim claim;
	char hex[2 * AUDIT_HASH + 1] = "";

	assert_true(audit_chain_read(w->line[8], strlen(w->line[8]), &claim, &w->err));
	for (size_t i = 0; i < AUDIT_HASH; i++)
		(void)snprintf(hex + 2 * i, 3, "%02X", claim.hash[i]);
	assert_true(audit_head_read(&heads[0], hex, 77));
	hex[16] = '\0';
	assert_true(audit_head_read(&heads[1], hex, 0));
	assert_true(audit_head_read(&heads[2], "0123456789abcdef", 5));
	hex[7] = '\0';
	assert_false(audit_head_read(&heads[2], hex, 0));
	assert_false(audit_head_read(&heads[2], "0123456x", 0));
	lay_out(w);
	assert_true(file_write(w->log, w->text.data, w->text.size, 0600, &w->err));
	w->n_seen = 0;
	assert_true(audit_compare(w->log, NULL, heads, 3, on_found, w, &w->result, &w->err));
	ASSERT_SAW(w, 1, HEAD_MISSING, 0, 0);
	assert_int_equal(heads[0].seq, 9);
	assert_int_equal(heads[1].seq, 9);
	assert_int_equal(heads[2].seq, 0);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(a_log_that_nobody_touched_has_nothing_to_be_said_of),
		T(each_byte_that_is_changed_is_noticed_at_its_entry),
		T(a_log_that_ends_after_any_byte_is_said_to_be_cut),
		T(each_line_that_is_removed_is_named_and_no_other),
		T(a_beginning_that_is_missing_is_said_to_be_cut_off),
		T(a_beginning_that_went_by_its_age_is_known_by_the_entry_that_says_so),
		T(a_removal_that_is_too_young_or_of_another_entry_is_a_finding_and_no_excuse),
		T(a_line_that_is_put_in_is_no_change_of_those_around_it),
		T(lines_that_change_places_are_moved_not_changed),
		T(segments_that_change_places_are_moved_whole),
		T(a_change_that_all_later_hashes_were_made_to_fit_is_found_where_it_is),
		T(of_a_changed_entry_who_did_it_is_said_first_and_the_hash_not_at_all),
		T(a_line_put_in_with_all_later_numbers_made_to_fit_is_found),
		T(a_line_removed_with_all_later_numbers_made_to_fit_is_found),
		T(a_log_that_was_written_anew_whole_has_nothing_of_the_old_one),
		T(of_many_that_were_written_anew_the_one_that_differs_in_more_is_named),
		T(of_lines_of_another_chain_both_breaks_are_said_by_their_numbers),
		T(what_came_behind_the_witness_is_judged_by_the_chain),
		T(what_the_witness_lacks_is_tied_by_what_it_has_behind_it),
		T(of_two_objects_that_differ_and_have_no_time_neither_counts),
		T(a_witness_that_began_later_ties_what_was_before),
		T(of_two_objects_with_one_number_the_older_counts_and_both_are_named),
		T(an_object_that_is_not_what_its_name_says_does_not_count),
		T(objects_of_two_histories_do_not_follow_each_other),
		T(another_copy_of_the_log_is_a_witness_line_by_line),
		T(a_head_that_somebody_kept_is_found_while_the_log_has_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
