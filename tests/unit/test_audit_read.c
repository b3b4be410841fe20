/* Goal: what is read of a log's files is a chain, or the line is named at which it is none.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "store/audit_read.h"

#include <unistd.h>

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/file.h"
#include "store/audit_chain.h"
#include "unit.h"

#define ENTRIES 6

struct world {
	char folder[64], log[96];
	char *line[ENTRIES];
	int64_t seen[ENTRIES];
	size_t n_seen;
	struct err err;
};

#define A_DENIAL(when) \
	{ \
		.at = (when), .user_id = "telegram:1", .action = "denied", .outcome = "denied", \
		.severity = "info", .meta = "{}", .version = AUDIT_VERSION, .code = "denied", \
		.principal = "telegram" \
	}

static int
set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct audit_chain chain = { 0 };

	(void)snprintf(w->folder, sizeof(w->folder), "/tmp/test_audit_read.XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	(void)snprintf(w->log, sizeof(w->log), "%s/audit.log", w->folder);
	for (size_t i = 0; i < ENTRIES; i++) {
		const struct audit_line line = A_DENIAL(86400000 + 1000 * (int64_t)i);
		struct buf text;

		buf_init(&text, AUDIT_LINE_MAX);
		assert_true(audit_chain_write(&chain, &line, &text, &w->err));
		w->line[i] = buf_take(&text);
	}
	*state = w;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < ENTRIES; i++)
		free(w->line[i]);
	(void)unlink(w->log);
	(void)rmdir(w->folder);
	free(w);
	return 0;
}

#define SCENE_TEST(name) TEST_OF(name, struct world *w, set_up, tear_down)

static bool
on_line(void *ctx, UNUSED const char *line, UNUSED size_t size, const struct audit_fields *fields,
    UNUSED const char *name)
{
	struct world *w = ctx;

	assert_true(w->n_seen < ENTRIES);
	return audit_field_number(audit_fields_get(fields, "seq"), &w->seen[w->n_seen++]);
}

/* Lines of these numbers. */
static bool
read_these(struct world *w, const char *numbers, bool in_any_order)
{
	const struct audit_source source = { .log = w->log, .in_any_order = in_any_order };
	struct buf text;
	bool ok;

	buf_init(&text, (size_t)ENTRIES * AUDIT_LINE_MAX);
	for (; *numbers != '\0'; numbers++)
		buf_addf(&text, "%s\n", w->line[*numbers - '1']);
	assert_true(file_write(w->log, text.data, text.size, 0600, &w->err));
	buf_done(&text);
	w->n_seen = 0;
	ok = audit_read(&source, &(struct audit_filter){ 0 }, on_line, w, &w->err);
	assert_int_equal(unlink(w->log), 0);
	return ok;
}

SCENE_TEST(a_log_is_read_in_its_order_wherever_it_begins)
{
	assert_true(read_these(w, "123456", false));
	assert_int_equal(w->n_seen, 6);
	assert_true(read_these(w, "456", false));
	assert_int_equal(w->n_seen, 3);
	assert_int_equal(w->seen[0], 4);
}

SCENE_TEST(what_stands_in_another_order_ends_the_reading_at_its_line)
{
	static const struct {
		const char *numbers, *says;
		size_t n;
	} cases[] = {
		{ "12353", "line 4: behind entry 3 stands entry 5", 3 },
		{ "1234562", "line 7: behind entry 6 stands entry 2", 6 },
		{ "11", "line 2: behind entry 1 stands entry 1", 1 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_false(read_these(w, cases[i].numbers, false));
		assert_int_equal(w->err.code, ERR_INVALID);
		assert_non_null(strstr(w->err.text, cases[i].says));
		assert_non_null(strstr(w->err.text, "audit verify says more"));
		assert_int_equal(w->n_seen, cases[i].n);
	}
	assert_true(read_these(w, "12353", true)); /* asked for all the same */
	assert_int_equal(w->n_seen, 5);
}

SCENE_TEST(what_was_changed_is_not_read_as_an_entry)
{
	char *at = strstr(w->line[3], "telegram:1");

	assert_non_null(at);
	at[9] = '6';
	assert_false(read_these(w, "123456", false));
	assert_non_null(strstr(w->err.text, "line 4: its hash is not that of what it says"));
	assert_int_equal(w->n_seen, 3);
}

/* Each is sound by itself, and has the number that fits. */
SCENE_TEST(a_line_of_another_chain_is_not_read_as_the_next)
{
	struct audit_chain other = { .seq = 3, .version = AUDIT_VERSION };
	const struct audit_line line = A_DENIAL(86400000);
	struct buf text;

	buf_init(&text, AUDIT_LINE_MAX);
	assert_true(audit_chain_write(&other, &line, &text, &w->err));
	free(w->line[3]);
	w->line[3] = buf_take(&text);
	assert_false(read_these(w, "1234", false));
	assert_non_null(strstr(w->err.text, "line 4: it does not follow the line before it"));
}
