/* Goal: the picture of a deployment's life in docs/ is drawn from the table that decides.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "deployment/deploy_flow.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/file.h"

#define PICTURE	   "docs/deployment-states.md"
#define DRAWN_ANEW "build/deployment-states.md"

static const char *const class_names[] = {
	[DEPLOY_CLASS_OPEN] = "asked for, nothing begun",
	[DEPLOY_CLASS_QUEUED] = "waits for its environment",
	[DEPLOY_CLASS_ACTIVE] = "active: keeps its environment busy",
	[DEPLOY_CLASS_FINAL] = "ended",
};

static const char *const act_names[] = {
#define A(name) #name,
	DEPLOY_ACTS(A)
#undef A
};

static void
draw_states(struct buf *out)
{
	buf_adds(out, "| state | what it is |\n|---|---|\n");
	for (int s = 0; s < DEPLOY_STATE_COUNT; s++)
		buf_addf(out, "| %s | %s |\n", deploy_flow_word((enum deploy_state)s),
		    class_names[deploy_flow_class((enum deploy_state)s)]);
}

static void
draw_rules(struct buf *out)
{
	buf_adds(out, "\n| from | on | to | does, in this order |\n|---|---|---|---|\n");
	for (size_t i = 0; i < deploy_rule_count; i++) {
		const struct deploy_rule *rule = &deploy_rules[i];

		buf_addf(out, "| %s | %s | %s |", deploy_flow_word(rule->from),
		    deploy_flow_event_name(rule->on), deploy_flow_word(rule->to));
		for (size_t a = 0; a < rule->acts.n; a++)
			buf_addf(out, "%s %s", a > 0 ? "," : "", act_names[rule->acts.todo[a]]);
		buf_adds(out, " |\n");
	}
}

/* One arrow for each pair of states, with all the events that lead along it. */
static void
draw_arrows(struct buf *out)
{
	buf_adds(out, "\n```mermaid\nstateDiagram-v2\n    [*] --> REQUESTED\n");
	for (int from = 0; from < DEPLOY_STATE_COUNT; from++) {
		for (int to = 0; to < DEPLOY_STATE_COUNT; to++) {
			const char *comma = "";

			if (from == to)
				continue;
			for (size_t i = 0; i < deploy_rule_count; i++) {
				const struct deploy_rule *rule = &deploy_rules[i];

				if (rule->from != (enum deploy_state)from ||
				    rule->to != (enum deploy_state)to)
					continue;
				if (comma[0] == '\0')
					buf_addf(out,
					    "    %s --> %s : ", deploy_flow_name(rule->from),
					    deploy_flow_name(rule->to));
				buf_addf(out, "%s%s", comma, deploy_flow_event_name(rule->on));
				comma = ", ";
			}
			if (comma[0] != '\0')
				buf_addc(out, '\n');
		}
	}
	buf_adds(out, "```\n");
}

static void
the_picture_in_docs_is_the_table(void **state)
{
	struct buf out;
	struct err err;
	char *there;

	(void)state;
	buf_init(&out, 1 << 16);
	buf_adds(&out,
	    "# The life of a deployment\n\nDrawn from server/deployment/deploy_flow.c; "
	    "`make test` says when it is not the same any more.\n\n");
	draw_states(&out);
	draw_rules(&out);
	draw_arrows(&out);
	assert_false(buf_failed(&out));
	there = file_read(PICTURE, 1 << 16, NULL, &err);
	if (there == NULL || strcmp(there, buf_text(&out)) != 0) {
		assert_true(file_mkdirs("build", 0755, &err));
		assert_true(file_write(DRAWN_ANEW, out.data, out.size, 0644, &err));
		print_error("cp " DRAWN_ANEW " " PICTURE "\n");
	}
	assert_non_null(there);
	assert_string_equal(there, buf_text(&out));
	free(there);
	buf_done(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_picture_in_docs_is_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
