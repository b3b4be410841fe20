/* Goal: what the witness has counts for as much as it can prove, and no more.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "compare_aid.h"

#include <unistd.h>

#include "lib/file.h"

#define OLD (4 * DAY_MS) /* entries are of the day before the third */

/* --- what it lacks --- */

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
	compare_aid_lines(w, &chain, ENTRIES);
	add_removal(w, &chain, last, digits, at);
	compare_aid_lines(w, &chain, 1);
	compare_aid_new_copy(w);
	if (to > 0)
		compare_aid_add_object(w, 1, to, arrived);
	compare_aid_finish_copy(w);
	if (to == 0) {
		audit_copy_free(w->copy);
		w->copy = NULL;
	}
	for (size_t i = 0; i < cut; i++)
		compare_aid_remove_line(w, 0);
	w->n_seen = 0;
	compare_aid_run(w);
}

static void
cut_after_removal(struct world *w, size_t cut, size_t last, const char *digits, size_t to)
{
	cut_after_removal_at(w, cut, last, digits, to, OLD, OLD);
}

COMPARE_TEST(a_removal_that_is_too_young_or_of_another_entry_is_a_finding_and_no_excuse)
{
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

COMPARE_TEST(a_beginning_that_went_by_its_age_is_known_by_the_entry_that_says_so)
{
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

COMPARE_TEST(what_came_behind_the_witness_is_judged_by_the_chain)
{
	struct audit_claim claim;
	struct audit_chain chain;

	assert_true(
	    audit_chain_read(w->line[ENTRIES - 1], strlen(w->line[ENTRIES - 1]), &claim, &w->err));
	chain = claim.is;
	compare_aid_lines(w, &chain, 4);
	compare_aid_run(w);
	assert_int_equal(w->n_seen, 0);
	assert_int_equal(w->result.newer, 4);
	w->line[ENTRIES + 1][80] ^= 1;
	compare_aid_run(w);
	assert_true(compare_aid_is_named(w, ENTRIES + 2));
	w->line[ENTRIES + 1][80] ^= 1;
	compare_aid_remove_line(w, ENTRIES + 1);
	compare_aid_run(w);
	ASSERT_SAW(w, 1, REMOVED, ENTRIES + 2, ENTRIES + 2);
}

/* The witness lost its second object: the entry behind it still ties what stands there. */
COMPARE_TEST(what_the_witness_lacks_is_tied_by_what_it_has_behind_it)
{
	compare_aid_new_copy(w);
	compare_aid_add_object(w, 1, 3, 0);
	compare_aid_add_object(w, 7, 12, 0);
	w->n_seen = 0;
	compare_aid_finish_copy(w);
	ASSERT_SAW(w, 1, COPY_GAP, 4, 6);
	compare_aid_run(w);
	assert_int_equal(w->n_seen, 0);
	for (size_t i = 3; i < 6; i++) {
		char *line = strdup(w->line[i]);

		for (size_t at = 0; line[at] != '\0'; at++) {
			w->line[i][at] ^= 1;
			compare_aid_run(w);
			if (!compare_aid_is_named(w, (int64_t)i + 1))
				fail_msg("byte %zu of entry %zu", at, i + 1);
			w->line[i][at] ^= 1;
		}
		compare_aid_remove_line(w, i);
		compare_aid_run(w);
		ASSERT_SAW(w, 1, REMOVED, (int64_t)i + 1, (int64_t)i + 1);
		compare_aid_insert_line(w, i, line);
	}
	/* Written anew so that they fit to each other, but not to entry 7. */
	struct audit_claim claim;
	assert_true(audit_chain_read(w->line[4], strlen(w->line[4]), &claim, &w->err));
	struct audit_chain chain = claim.is;
	free(w->line[5]);
	w->line[5] = compare_aid_line(&chain, "{\"x\":\"other\"}");
	compare_aid_run(w);
	ASSERT_SAW(w, 1, UNLINKED, 6, 6);
}

COMPARE_TEST(of_two_objects_that_differ_and_have_no_time_neither_counts)
{
	struct audit_claim claim;
	struct audit_chain chain;

	assert_true(audit_chain_read(w->line[10], strlen(w->line[10]), &claim, &w->err));
	chain = claim.is;
	compare_aid_new_copy(w);
	compare_aid_add_object(w, 1, 11, 0);
	compare_aid_add_object(w, 12, 12, 0);
	free(w->line[11]);
	w->line[11] = compare_aid_line(&chain, "{\"x\":\"written anew, or restored\"}");
	compare_aid_add_object(w, 12, 12, 0);
	w->n_seen = 0;
	compare_aid_finish_copy(w);
	ASSERT_SAW(w, 1, COPY_DIFFERS, 12, 12);
	compare_aid_run(w);
	assert_int_equal(w->n_seen, 0); /* neither for this log ... */
	assert_int_equal(w->result.covered, 11);
	assert_int_equal(w->result.newer, 1); /* ... nor against it */
}

COMPARE_TEST(a_witness_that_began_later_ties_what_was_before)
{
	compare_aid_new_copy(w);
	compare_aid_add_object(w, 7, 12, 0);
	w->n_seen = 0;
	compare_aid_finish_copy(w);
	ASSERT_SAW(w, 1, COPY_LATE, 1, 6);
	compare_aid_run(w);
	assert_int_equal(w->n_seen, 0);
	compare_aid_hash_anew(w, 2, 1, "{\"x\":\"other\"}");
	compare_aid_run(w);
	assert_true(w->n_seen > 0);
}

/* --- the witness itself --- */

COMPARE_TEST(of_two_objects_with_one_number_the_older_counts_and_both_are_named)
{
	char *was = w->line[4];
	struct audit_claim claim;
	struct audit_chain chain;

	assert_true(audit_chain_read(w->line[3], strlen(w->line[3]), &claim, &w->err));
	chain = claim.is;
	compare_aid_new_copy(w);
	compare_aid_add_object(w, 1, 12, 1000);
	compare_aid_add_object(w, 2, 4, 2000);
	w->n_seen = 0;
	compare_aid_finish_copy(w);
	ASSERT_SAW(w, 1, COPY_TWICE, 2, 4);

	w->line[4] = compare_aid_line(&chain, "{\"x\":\"forged\"}");
	compare_aid_new_copy(w);
	compare_aid_add_object(w, 5, 5, 3000); /* it came first, and is younger */
	free(w->line[4]);
	w->line[4] = was;
	compare_aid_add_object(w, 1, 12, 1000);
	w->n_seen = 0;
	compare_aid_finish_copy(w);
	ASSERT_SAW(w, 1, COPY_DIFFERS, 5, 5);
	compare_aid_run(w);
	assert_int_equal(w->n_seen, 0);
}

COMPARE_TEST(an_object_that_is_not_what_its_name_says_does_not_count)
{
	static const char *const names[] = { "1-2-0123456789abcdef.jsonl", "x.jsonl", "2-1-x" };
	char text[4096];

	(void)snprintf(text, sizeof(text), "%s\n%s\n", w->line[0], w->line[1]);
	compare_aid_new_copy(w);
	w->n_seen = 0;
	for (size_t i = 0; i < COUNT(names); i++)
		assert_true(
		    audit_copy_add_object(w->copy, names[i], 0, text, strlen(text), &w->err));
	assert_true(audit_copy_add_object(w->copy, names[0], 0, text, strlen(text) - 1, &w->err));
	assert_true(audit_copy_add_object(w->copy, names[0], 0, "", 0, &w->err));
	assert_int_equal(w->n_seen, 5);
	for (size_t i = 0; i < w->n_seen; i++)
		assert_int_equal(w->seen[i].what, FOUND_COPY_BAD);
	compare_aid_finish_copy(w);
	assert_int_equal(audit_copy_objects(w->copy), 0);
}

COMPARE_TEST(objects_of_two_histories_do_not_follow_each_other)
{
	compare_aid_new_copy(w);
	compare_aid_add_object(w, 1, 6, 0);
	compare_aid_hash_anew(w, 2, 1, "{\"x\":\"other\"}");
	compare_aid_add_object(w, 7, 12, 0);
	w->n_seen = 0;
	compare_aid_finish_copy(w);
	ASSERT_SAW(w, 1, COPY_UNLINKED, 7, 7);
}

COMPARE_TEST(another_copy_of_the_log_is_a_witness_line_by_line)
{
	char path[96];

	(void)snprintf(path, sizeof(path), "%s/copy", w->folder);
	compare_aid_lay_out(w);
	w->text.data[strlen(w->line[0]) + 50] ^= 1; /* the copy is damaged at entry 2 */
	assert_true(file_write(path, w->text.data, w->text.size, 0600, &w->err));
	compare_aid_new_copy(w);
	w->n_seen = 0;
	assert_true(audit_copy_add_log(w->copy, path, &w->err));
	compare_aid_finish_copy(w);
	assert_true(compare_aid_saw(w, FOUND_COPY_BAD, 0, 0));
	assert_true(compare_aid_saw(w, FOUND_COPY_GAP, 2, 2));
	compare_aid_run(w);
	assert_int_equal(w->n_seen, 0);
	compare_aid_remove_line(w, 8);
	compare_aid_run(w);
	ASSERT_SAW(w, 1, REMOVED, 9, 9);
	(void)unlink(path);
}

/* --- heads --- */

COMPARE_TEST(a_head_that_somebody_kept_is_found_while_the_log_has_it)
{
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
	compare_aid_lay_out(w);
	assert_true(file_write(w->log, w->text.data, w->text.size, 0600, &w->err));
	w->n_seen = 0;
	assert_true(audit_compare(
	    &(struct audit_compare_config){ w->log, NULL, heads, 3, compare_aid_on_found, w },
	    &w->result, &w->err));
	ASSERT_SAW(w, 1, HEAD_MISSING, 0, 0);
	assert_int_equal(heads[0].seq, 9);
	assert_int_equal(heads[1].seq, 9);
	assert_int_equal(heads[2].seq, 0);
}
