/* Goal: the pictures of state machines in docs/ are drawn from the tables that decide.  Side: start. */
/* SPDX-License-Identifier: ISC */

#include "deployment/deploy_flow.h"

#include "unit.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/file.h"
#include "runner/supervisor_flow.h"
#include "runs/run_flow.h"

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

/* Those of one class, in one row. */
static void
draw_states(struct buf *out)
{
	buf_adds(out, "| state | what it is |\n|---|---|\n");
	for (size_t class = 0; class < COUNT(class_names); class ++) {
		const char *before = "| ";

		for (int s = 0; s < DEPLOY_STATE_COUNT; s++) {
			if ((size_t)deploy_flow_class((enum deploy_state)s) != class)
				continue;
			buf_addf(out, "%s%s", before, deploy_flow_word((enum deploy_state)s));
			before = ", ";
		}
		buf_addf(out, " | %s |\n", class_names[class]);
	}
}

/* Do they lead from one state to another with the same acts? */
static bool
is_alike(const struct deploy_rule *one, const struct deploy_rule *other)
{
	if (one->from != other->from || one->to != other->to || one->acts.n != other->acts.n)
		return false;
	for (size_t a = 0; a < one->acts.n; a++)
		if (one->acts.todo[a] != other->acts.todo[a])
			return false;
	return true;
}

/* The first of those alike with that event; with is_any, with whichever. */
static const struct deploy_rule *
first_of(const struct deploy_rule *rule, bool is_any)
{
	const struct deploy_rule *first = deploy_rules;

	while (!is_alike(first, rule) || (!is_any && first->on != rule->on))
		first++;
	return first;
}

/* An event, and of which programs it is. */
static void
draw_event(struct buf *out, const struct deploy_rule *rule)
{
	static const char letters[] = {
		[PROGRAM_DEPLOY] = 'D', [PROGRAM_ROLLBACK] = 'R', [PROGRAM_ACTION] = 'A'
	};
	unsigned programs = 0;

	for (size_t i = 0; i < deploy_rule_count; i++)
		if (first_of(&deploy_rules[i], false) == rule)
			programs |= (unsigned)deploy_rules[i].programs;
	buf_addf(out, "%s ", deploy_flow_event_name(rule->on));
	for (size_t p = 0; p < COUNT(letters); p++)
		if ((programs & (unsigned)DEPLOY_OF(p)) != 0)
			buf_addc(out, letters[p]);
}

static void
draw_rules(struct buf *out)
{
	buf_adds(out,
	    "\nBehind an event stands of which programs its rule is: D deploy, R rollback, A action.\n\n"
	    "| from | on | to | does, in this order |\n|---|---|---|---|\n");
	for (size_t i = 0; i < deploy_rule_count; i++) {
		const struct deploy_rule *rule = &deploy_rules[i];
		const char *before = "";

		if (first_of(rule, true) != rule)
			continue;
		buf_addf(out, "| %s | ", deploy_flow_word(rule->from));
		for (size_t k = i; k < deploy_rule_count; k++) {
			if (!is_alike(rule, &deploy_rules[k]) ||
			    first_of(&deploy_rules[k], false) != &deploy_rules[k])
				continue;
			buf_adds(out, before);
			draw_event(out, &deploy_rules[k]);
			before = ", ";
		}
		buf_addf(out, " | %s |", deploy_flow_word(rule->to));
		for (size_t a = 0; a < rule->acts.n; a++)
			buf_addf(out, "%s %s", a > 0 ? "," : "", act_names[rule->acts.todo[a]]);
		buf_adds(out, " |\n");
	}
}

/* A rule: numbers of states, and the names of its event, wait and acts. */
struct arrow {
	int from, to;
	const char *on, *wait;
	const char *acts[4]; /* NULL is behind the last */
};
typedef struct arrow arrow_at(size_t i);
typedef const char *name_at(int state);

static struct arrow
deploy_arrow(size_t i)
{
	const struct deploy_rule *rule = &deploy_rules[i];

	return (struct arrow){
		.from = (int)rule->from, .to = (int)rule->to, .on = deploy_flow_event_name(rule->on)
	};
}

static const char *
deploy_name(int state)
{
	return deploy_flow_name((enum deploy_state)state);
}

/* Does any event lead from one state to the other? */
static bool
is_led(int from, int to, size_t rules, arrow_at *arrow)
{
	for (size_t i = 0; i < rules; i++)
		if (arrow(i).from == from && arrow(i).to == to)
			return true;
	return false;
}

/* A state machine.  No arrow leads to the states from `drawn` on: ends of most others. */
struct picture {
	int states, drawn;
	size_t rules;
	arrow_at *arrow;
	name_at *name;
};

/* Which state leads to which, a line for each: by which event says the table above it. */
static void
draw_arrows(struct buf *out, const struct picture *picture)
{
	for (int s = picture->drawn; s < picture->states; s++)
		buf_addf(out, "%s%s", s == picture->drawn ? "\nNot drawn is what leads to " : ", ",
		    picture->name(s));
	buf_addf(
	    out, "%s\n```mermaid\nflowchart TD\n", picture->drawn < picture->states ? ".\n" : "");
	for (int from = 0; from < picture->states; from++) {
		const char *before = " -->";

		for (int to = 0; to < picture->drawn; to++) {
			if (from == to || !is_led(from, to, picture->rules, picture->arrow))
				continue;
			if (before[1] == '-')
				buf_addf(out, "    %s", picture->name(from));
			buf_addf(out, "%s %s", before, picture->name(to));
			before = " &";
		}
		if (before[1] == '&')
			buf_addc(out, '\n');
	}
	buf_adds(out, "```\n");
}

static void
draw_deployment(struct buf *out)
{
	buf_adds(out,
	    "# The life of work on a target\n\nDrawn from server/deployment/deploy_flow.c; "
	    "`make test` says when it is not the same any more.\n\n");
	draw_states(out);
	draw_rules(out);
	draw_arrows(out,
	    &(struct picture){
		DEPLOY_STATE_COUNT, DEPLOY_REFUSED, deploy_rule_count, deploy_arrow, deploy_name });
}

/* --- the two tables of a run, which are of one shape --- */

#define HEAD_OF_STATES "| state | what it is |\n|---|---|\n"
#define HEAD_OF_EVENTS "\n| event | what it is | |\n|---|---|---|\n"
#define HEAD_OF_WAITS  "\n| TIME_UP in | ms | what it is |\n|---|---|---|\n"
#define HEAD_OF_RULES \
	"\n| from | on | to | TIME_UP in | does, in this order |\n|---|---|---|---|---|\n"

#define S(name, words)	     "| " #name " | " words " |\n"
#define V(name, kind, words) "| " #name " | " words " | " #kind " |\n"
#define W(name, ms, words)   "| " #name " | " #ms " | " words " |\n"
static const char supervisor_words[] = HEAD_OF_STATES SUPERVISOR_STATES(S)
HEAD_OF_EVENTS
SUPERVISOR_EVENTS(V)
HEAD_OF_WAITS SUPERVISOR_WAITS(W);
static const char run_words[] = HEAD_OF_STATES RUN_STATES(S)
HEAD_OF_EVENTS
RUN_EVENTS(V)
HEAD_OF_WAITS RUN_WAITS(W);
#undef S
#undef V
#undef W

#define W(name, ms, words) #name,
#define A(name, function)  #name,
static struct arrow
supervisor_arrow(size_t i)
{
	static const char *const waits[] = { SUPERVISOR_WAITS(W) };
	static const char *const acts[] = { NULL, SUPERVISOR_ACTS(A) };
	const struct supervisor_rule *rule = &supervisor_rules[i];

	static_assert(SUPERVISOR_ACTS_MAX == 3, "all acts are drawn");
	return (struct arrow){ .from = (int)rule->from,
		.to = (int)rule->to,
		.on = supervisor_flow_event_name(rule->on),
		.wait = waits[rule->wait],
		.acts = { acts[rule->acts[0]], acts[rule->acts[1]], acts[rule->acts[2]] } };
}

static struct arrow
run_arrow(size_t i)
{
	static const char *const waits[] = { RUN_WAITS(W) };
	static const char *const acts[] = { NULL, RUN_ACTS(A) };
	const struct run_rule *rule = &run_rules[i];

	return (struct arrow){ .from = (int)rule->from,
		.to = (int)rule->to,
		.on = run_flow_event_name(rule->on),
		.wait = waits[rule->wait],
		.acts = { acts[rule->act] } };
}
#undef W
#undef A

static const char *
supervisor_name(int state)
{
	return supervisor_flow_name((enum supervisor_state)state);
}

static const char *
run_name(int state)
{
	return run_flow_name((enum run_state)state);
}

/* Do they lead from one state to another, with the same wait and acts? */
static bool
is_beside(struct arrow one, struct arrow other)
{
	if (one.from != other.from || one.to != other.to || one.wait != other.wait)
		return false;
	for (size_t a = 0; a < COUNT(one.acts); a++)
		if (one.acts[a] != other.acts[a])
			return false;
	return true;
}

/* Neighbours that differ by their event alone are one row; their order decides, so it stays. */
static void
draw_arrow_rules(struct buf *out, size_t rules, arrow_at *arrow, name_at *name)
{
	buf_adds(out, HEAD_OF_RULES);
	for (size_t i = 0; i < rules; i++) {
		struct arrow one = arrow(i);

		buf_addf(out, "| %s | %s", name(one.from), one.on);
		for (; i + 1 < rules && is_beside(one, arrow(i + 1)); i++)
			buf_addf(out, ", %s", arrow(i + 1).on);
		buf_addf(out, " | %s | %s |", name(one.to), one.wait);
		for (size_t a = 0; one.acts[a] != NULL; a++)
			buf_addf(out, "%s %s", a > 0 ? "," : "", one.acts[a]);
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
	    "rule waits for it. Where two of a state's events hold, the upper rule counts, and in one row the first.\n\n");
	buf_adds(out, supervisor_words);
	draw_arrow_rules(out, supervisor_rule_count, supervisor_arrow, supervisor_name);
	draw_arrows(out,
	    &(struct picture){ SUPERVISOR_STATE_COUNT, SUPERVISOR_STATE_COUNT,
		supervisor_rule_count, supervisor_arrow, supervisor_name });
}

static void
draw_run(struct buf *out)
{
	buf_adds(out,
	    "\n# A run, as the server follows it\n\nDrawn from server/runs/run_flow.c; HOLDS and "
	    "ONCE are as above. A run that was ordered before this start\nbegins in "
	    "TO_RECONCILE. With LOG_LEVEL=debug the log says each change of state.\n\n");
	buf_adds(out, run_words);
	draw_arrow_rules(out, run_rule_count, run_arrow, run_name);
	draw_arrows(out,
	    &(struct picture){ RUN_STATE_COUNT, RUN_END, run_rule_count, run_arrow, run_name });
}

/* In this order. */
static void (*const pictures[])(struct buf *out) = { draw_deployment, draw_supervisor, draw_run };

TEST(the_pictures_in_docs_are_the_tables)
{
	struct buf out;
	struct err err;
	char *there;

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
