/* Goal: whatever is done to the log, the witness shows it, and it is called what it is.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "compare_aid.h"

COMPARE_TEST(a_log_that_nobody_touched_has_nothing_to_be_said_of)
{
	compare_aid_run(w);
	assert_int_equal(w->n_seen, 0);
	assert_int_equal(w->result.same, ENTRIES);
	assert_int_equal(w->result.covered, ENTRIES);
	assert_int_equal(w->result.newer, 0);
	assert_int_equal(w->result.flawless, ENTRIES);
}

COMPARE_TEST(each_byte_that_is_changed_is_noticed_at_its_entry)
{
	size_t entry = 1;

	compare_aid_lay_out(w);
	for (size_t i = 0; i < w->text.size; i++) {
		char was = w->text.data[i];

		w->text.data[i] ^= 1;
		compare_aid_bytes(w, w->text.data, w->text.size);
		w->text.data[i] = was;
		if (!compare_aid_is_named(w, (int64_t)entry) && !(was == '\n' && entry == ENTRIES))
			fail_msg("byte %zu of entry %zu", i, entry);
		assert_true(w->n_seen > 0);
		for (int64_t other = 1; other <= ENTRIES; other++)
			if (other != (int64_t)entry && compare_aid_is_named(w, other) &&
			    !(was == '\n' && other == (int64_t)entry + 1))
				fail_msg("byte %zu of entry %zu: %lld is named, too", i, entry,
				    (long long)other);
		if (was == '\n')
			entry++;
	}
	assert_int_equal(entry, ENTRIES + 1);
}

COMPARE_TEST(a_log_that_ends_after_any_byte_is_said_to_be_cut)
{
	size_t whole = 0;

	compare_aid_lay_out(w);
	for (size_t i = 0; i < w->text.size; i++) {
		compare_aid_bytes(w, w->text.data, i);
		if (i > 0 && w->text.data[i - 1] == '\n')
			whole++;
		assert_true(w->n_seen > 0);
		if (w->text.data[i] == '\n')
			assert_true(
			    compare_aid_saw(w, FOUND_UNENDED, 0, 0)); /* all but the newline */
		else if (i == 0 || w->text.data[i - 1] == '\n')
			ASSERT_SAW(w, 1, CUT_END, (int64_t)whole + 1, ENTRIES);
		else
			assert_true(compare_aid_is_named(w, (int64_t)whole + 1));
		assert_int_equal(w->result.same, whole + (w->text.data[i] == '\n' ? 1 : 0));
	}
}

COMPARE_TEST(each_line_that_is_removed_is_named_and_no_other)
{
	for (size_t i = 0; i < ENTRIES; i++) {
		char *line = strdup(w->line[i]);

		compare_aid_remove_line(w, i);
		compare_aid_run(w);
		if (i == 0)
			ASSERT_SAW(w, 1, CUT_FRONT, 1, 1);
		else if (i == ENTRIES - 1)
			ASSERT_SAW(w, 1, CUT_END, ENTRIES, ENTRIES);
		else
			ASSERT_SAW(w, 1, REMOVED, (int64_t)i + 1, (int64_t)i + 1);
		/* Whole is what stands before the hole, though the witness has what is gone. */
		assert_int_equal(w->result.flawless, i == 0 ? ENTRIES : i);
		compare_aid_insert_line(w, i, line);
	}
}

COMPARE_TEST(a_beginning_that_is_missing_is_said_to_be_cut_off)
{
	for (int i = 0; i < 4; i++)
		compare_aid_remove_line(w, 0);
	compare_aid_run(w);
	ASSERT_SAW(w, 1, CUT_FRONT, 1, 4);
}

COMPARE_TEST(a_line_that_is_put_in_is_no_change_of_those_around_it)
{
	struct audit_claim claim;

	for (size_t i = 1; i <= ENTRIES; i++) {
		struct audit_chain chain;

		assert_true(
		    audit_chain_read(w->line[i - 1], strlen(w->line[i - 1]), &claim, &w->err));
		chain = claim.is;
		compare_aid_insert_line(w, i, compare_aid_line(&chain, "{\"x\":\"put in\"}"));
		compare_aid_run(w);
		if (i < ENTRIES)
			ASSERT_SAW(w, 1, INSERTED, (int64_t)i + 1, (int64_t)i + 1);
		else
			assert_int_equal(w->result.newer, 1); /* nobody can know better */
		compare_aid_remove_line(w, i);
		compare_aid_insert_line(w, i, strdup("{\"x\":1}"));
		compare_aid_run(w);
		ASSERT_SAW(w, 1, INSERTED, 0, 0);
		compare_aid_remove_line(w, i);
		compare_aid_insert_line(w, i, strdup(w->line[i - 1]));
		compare_aid_run(w);
		ASSERT_SAW(w, 1, INSERTED, (int64_t)i, (int64_t)i);
		compare_aid_remove_line(w, i);
	}
}

COMPARE_TEST(lines_that_change_places_are_moved_not_changed)
{
	for (size_t i = 0; i + 1 < ENTRIES; i++) {
		char *line = w->line[i];

		w->line[i] = w->line[i + 1];
		w->line[i + 1] = line;
		compare_aid_run(w);
		ASSERT_SAW(w, 1, MOVED, (int64_t)i + 1, (int64_t)i + 1);
		w->line[i + 1] = w->line[i];
		w->line[i] = line;
	}
}

COMPARE_TEST(segments_that_change_places_are_moved_whole)
{
	char *line[3];

	memcpy(line, &w->line[3], sizeof(line));
	memmove(&w->line[3], &w->line[6], sizeof(line));
	memcpy(&w->line[6], line, sizeof(line));
	compare_aid_run(w);
	ASSERT_SAW(w, 1, MOVED, 4, 6);
}

COMPARE_TEST(a_change_that_all_later_hashes_were_made_to_fit_is_found_where_it_is)
{
	compare_aid_hash_anew(w, 3, 1, "{\"x\":\"another\"}");
	compare_aid_run(w);
	ASSERT_SAW(w, 2, CHANGED, 4, 4);
	ASSERT_SAW(w, 2, REHASHED, 5, ENTRIES);
	assert_non_null(strstr(w->seen[0].detail, "x was \"content 4\", is \"another\""));
	assert_int_equal(w->result.flawless, 3);
}

COMPARE_TEST(of_a_changed_entry_who_did_it_is_said_first_and_the_hash_not_at_all)
{
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
	compare_aid_run(w);
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

COMPARE_TEST(a_line_put_in_with_all_later_numbers_made_to_fit_is_found)
{
	compare_aid_hash_anew(w, 6, 0, "{\"x\":\"put in\"}");
	compare_aid_run(w);
	ASSERT_SAW(w, 2, INSERTED, 7, 7);
	ASSERT_SAW(w, 2, REHASHED, 7, ENTRIES);
	assert_string_equal(w->seen[1].detail, "its number is now +1");
}

COMPARE_TEST(a_line_removed_with_all_later_numbers_made_to_fit_is_found)
{
	compare_aid_hash_anew(w, 6, 1, NULL);
	compare_aid_run(w);
	ASSERT_SAW(w, 2, REMOVED, 7, 7);
	ASSERT_SAW(w, 2, REHASHED, 8, ENTRIES);
	assert_string_equal(w->seen[0].detail, "its number is now -1");
}

COMPARE_TEST(a_log_that_was_written_anew_whole_has_nothing_of_the_old_one)
{
	struct audit_chain chain = { 0 };

	for (size_t i = 0; i < w->n; i++)
		free(w->line[i]);
	w->n = 0;
	for (int i = 0; i < ENTRIES; i++)
		w->line[w->n++] = compare_aid_line(&chain, "{\"x\":\"clean\"}");
	compare_aid_run(w);
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

COMPARE_TEST(of_many_that_were_written_anew_the_one_that_differs_in_more_is_named)
{
	struct audit_claim claim;

	assert_true(audit_chain_read(w->line[5], strlen(w->line[5]), &claim, &w->err));
	write_anew(w, claim.is, 7, ENTRIES, 9);
	compare_aid_run(w);
	ASSERT_SAW(w, 2, REWRITTEN, 7, ENTRIES);
	ASSERT_SAW(w, 2, CHANGED, 9, 9);
	assert_string_equal(w->seen[0].detail, "x differs in all, user_id in 1 (9), need in 1 (9)");
	assert_string_equal(w->seen[1].detail,
	    "user_id was \"telegram:1\", is \"telegram:666\", need was not there, is \"approval\"");
}

COMPARE_TEST(of_lines_of_another_chain_both_breaks_are_said_by_their_numbers)
{
	write_anew(w, (struct audit_chain){ 0 }, 7, 10, 0);
	compare_aid_run(w);
	ASSERT_SAW(w, 1, FOREIGN, 7, 10);
	assert_string_equal(w->seen[0].detail,
	    "entry 7 does not follow entry 6, entry 11 does not follow entry 10; x differs in all");
}
