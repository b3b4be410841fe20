/* compare_aid.c - a log, its copy at the witness, and what their comparison finds.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "compare_aid.h"

#include <unistd.h>

#define FIRST 5 /* of the first version; then the second begins */

void
compare_aid_on_found(void *ctx, const struct audit_finding *finding)
{
	struct world *w = ctx;
	struct seen *seen = &w->seen[w->n_seen];

	assert_true(w->n_seen < SEEN_MAX);
	*seen = (struct seen){ finding->what, finding->first, finding->last, "" };
	if (finding->detail != NULL)
		(void)snprintf(seen->detail, sizeof(seen->detail), "%s", finding->detail);
	w->n_seen++;
}

char *
compare_aid_line(struct audit_chain *head, const char *content)
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

void
compare_aid_lines(struct world *w, struct audit_chain *chain, int64_t n)
{
	char content[64];

	for (int64_t i = 0; i < n; i++) {
		(void)snprintf(content, sizeof(content), "{\"x\":\"content %lld\"}",
		    (long long)(chain->seq + 1));
		w->line[w->n++] = compare_aid_line(chain, content);
	}
}

void
compare_aid_add_object(struct world *w, size_t first, size_t last, int64_t at)
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

void
compare_aid_new_copy(struct world *w)
{
	audit_copy_free(w->copy);
	w->copy = audit_copy_new(compare_aid_on_found, w, &w->err);
	assert_non_null(w->copy);
}

void
compare_aid_finish_copy(struct world *w)
{
	assert_true(audit_copy_finish(w->copy, &w->err));
}

int
compare_aid_set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct audit_chain chain = { 0 };

	(void)snprintf(w->folder, sizeof(w->folder), "/tmp/test_audit_compare.XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	(void)snprintf(w->log, sizeof(w->log), "%s/audit.log", w->folder);
	buf_init(&w->text, 1 << 20);
	compare_aid_lines(w, &chain, ENTRIES);
	compare_aid_new_copy(w);
	for (size_t i = 1; i <= ENTRIES; i += OBJECT)
		compare_aid_add_object(w, i, i + OBJECT - 1, (int64_t)i * 60000);
	compare_aid_finish_copy(w);
	assert_int_equal(w->n_seen, 0);
	*state = w;
	return 0;
}

int
compare_aid_tear_down(void **state)
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

void
compare_aid_lay_out(struct world *w)
{
	buf_clear(&w->text);
	for (size_t i = 0; i < w->n; i++) {
		buf_adds(&w->text, w->line[i]);
		buf_addc(&w->text, '\n');
	}
}

void
compare_aid_bytes(struct world *w, const void *bytes, size_t size)
{
	FILE *file = fopen(w->log, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
	w->n_seen = 0;
	const struct audit_compare_config config = {
		.log = w->log, .copy = w->copy, .found = compare_aid_on_found, .ctx = w
	};

	if (!audit_compare(&config, &w->result, &w->err))
		fail_msg("%s", w->err.text);
}

void
compare_aid_run(struct world *w)
{
	compare_aid_lay_out(w);
	compare_aid_bytes(w, w->text.data, w->text.size);
}

bool
compare_aid_saw(const struct world *w, enum audit_found what, int64_t first, int64_t last)
{
	for (size_t i = 0; i < w->n_seen; i++)
		if (w->seen[i].what == what && w->seen[i].first == first && w->seen[i].last == last)
			return true;
	return false;
}

bool
compare_aid_is_named(const struct world *w, int64_t seq)
{
	for (size_t i = 0; i < w->n_seen; i++)
		if (audit_found_severity(w->seen[i].what) == FOUND_LOG && w->seen[i].first <= seq &&
		    seq <= w->seen[i].last)
			return true;
	return false;
}

void
compare_aid_fail(const struct world *w, const char *what, int64_t first, int64_t last)
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

void
compare_aid_remove_line(struct world *w, size_t at)
{
	free(w->line[at]);
	memmove(&w->line[at], &w->line[at + 1], (w->n - at - 1) * sizeof(w->line[0]));
	w->n--;
}

void
compare_aid_insert_line(struct world *w, size_t at, char *line)
{
	memmove(&w->line[at + 1], &w->line[at], (w->n - at) * sizeof(w->line[0]));
	w->line[at] = line;
	w->n++;
}

void
compare_aid_hash_anew(struct world *w, size_t at, size_t skip, const char *extra)
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
		w->line[w->n++] = compare_aid_line(&chain, extra);
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
