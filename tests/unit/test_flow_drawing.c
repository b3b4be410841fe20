/* Goal: the pictures of state machines in docs/ are drawn from the tables that decide.  Side: start. */
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
#include "runner/supervisor_flow.h"

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

/* A rule as an arrow: numbers of states, and the event's name. */
struct arrow {
	int from, to;
	const char *on;
};
typedef struct arrow arrow_at(size_t i);
typedef const char *name_at(int state);

static struct arrow
deploy_arrow(size_t i)
{
	const struct deploy_rule *rule = &deploy_rules[i];

	return (struct arrow){ (int)rule->from, (int)rule->to, deploy_flow_event_name(rule->on) };
}

static const char *
deploy_name(int state)
{
	return deploy_flow_name((enum deploy_state)state);
}

static struct arrow
supervisor_arrow(size_t i)
{
	const struct supervisor_rule *rule = &supervisor_rules[i];

	return (
	    struct arrow){ (int)rule->from, (int)rule->to, supervisor_flow_event_name(rule->on) };
}

static const char *
supervisor_name(int state)
{
	return supervisor_flow_name((enum supervisor_state)state);
}

/* All the events that lead from one state to another, along one arrow. */
static void
draw_arrow(struct buf *out, int from, int to, size_t rules, arrow_at *arrow, name_at *name)
{
	bool begun = false;

	for (size_t i = 0; i < rules; i++) {
		struct arrow one = arrow(i);

		if (one.from != from || one.to != to)
			continue;
		if (!begun)
			buf_addf(out, "    %s --> %s :", name(from), name(to));
		buf_addf(out, "%s %s", begun ? "," : "", one.on);
		begun = true;
	}
	if (begun)
		buf_addc(out, '\n');
}

/* What stays in its state stands in the table alone. */
static void
draw_arrows(struct buf *out, int states, size_t rules, arrow_at *arrow, name_at *name)
{
	buf_addf(out, "\n```mermaid\nstateDiagram-v2\n    [*] --> %s\n", name(0));
	for (int from = 0; from < states; from++)
		for (int to = 0; to < states; to++)
			if (from != to)
				draw_arrow(out, from, to, rules, arrow, name);
	buf_adds(out, "```\n");
}

static void
draw_deployment(struct buf *out)
{
	buf_adds(out,
	    "# The life of a deployment\n\nDrawn from server/deployment/deploy_flow.c; "
	    "`make test` says when it is not the same any more.\n\n");
	draw_states(out);
	draw_rules(out);
	draw_arrows(out, DEPLOY_STATE_COUNT, deploy_rule_count, deploy_arrow, deploy_name);
}

static void
draw_supervisor_words(struct buf *out)
{
	buf_adds(out, "| state | what it is |\n|---|---|\n");
#define S(name, words) buf_adds(out, "| " #name " | " words " |\n");
	SUPERVISOR_STATES(S)
#undef S
	buf_adds(out, "\n| event | what it is | |\n|---|---|---|\n");
#define V(name, kind, words) buf_adds(out, "| " #name " | " words " | " #kind " |\n");
	SUPERVISOR_EVENTS(V)
#undef V
	buf_adds(out, "\n| TIME_UP in | ms | what it is |\n|---|---|---|\n");
#define W(name, ms, words) buf_adds(out, "| " #name " | " #ms " | " words " |\n");
	SUPERVISOR_WAITS(W)
#undef W
}

static void
draw_supervisor_rules(struct buf *out)
{
	static const char *const wait_names[] = {
#define W(name, ms, words) #name,
		SUPERVISOR_WAITS(W)
#undef W
	};
	static const char *const acts[] = {
#define A(name, function) [SUPERVISOR_DO_##name] = #name,
		SUPERVISOR_ACTS(A)
#undef A
	};

	buf_adds(out,
	    "\n| from | on | to | TIME_UP in | does, in this order |\n|---|---|---|---|---|\n");
	for (size_t i = 0; i < supervisor_rule_count; i++) {
		const struct supervisor_rule *rule = &supervisor_rules[i];

		buf_addf(out, "| %s | %s | %s | %s |", supervisor_flow_name(rule->from),
		    supervisor_flow_event_name(rule->on), supervisor_flow_name(rule->to),
		    wait_names[rule->wait]);
		for (size_t a = 0; rule->acts[a] != SUPERVISOR_DO_NOTHING; a++)
			buf_addf(out, "%s %s", a > 0 ? "," : "", acts[rule->acts[a]]);
		buf_adds(out, " |\n");
	}
}

static void
draw_supervisor(struct buf *out)
{
	buf_adds(out,
	    "\n# The supervisor of a run\n\nDrawn from runner/supervisor_flow.c. An event that "
	    "HOLDS "
	    "stays true, or is looked for each time: after each\nchange of state the table is "
	    "asked "
	    "again with all that hold, until none has a rule. One that counts ONCE is lost\nwhere "
	    "no "
	    "rule waits for it. Where two of a state's events hold, the upper rule counts.\n\n");
	draw_supervisor_words(out);
	draw_supervisor_rules(out);
	draw_arrows(
	    out, SUPERVISOR_STATE_COUNT, supervisor_rule_count, supervisor_arrow, supervisor_name);
}

/* In this order. */
static void (*const pictures[])(struct buf *out) = { draw_deployment, draw_supervisor };

static void
the_pictures_in_docs_are_the_tables(void **state)
{
	struct buf out;
	struct err err;
	char *there;

	(void)state;
	buf_init(&out, 1 << 16);
	for (size_t i = 0; i < COUNT(pictures); i++)
		pictures[i](&out);
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
		cmocka_unit_test(the_pictures_in_docs_are_the_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
