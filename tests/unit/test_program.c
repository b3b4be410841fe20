/* Goal: a run's limits are those that its settings and docs/deploy-scripts.md say.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/fingerprint.h"
#include "lib/text.h"
#include "unit.h"

TEST(a_migration_has_its_own_seconds_and_those_that_end_it)
{
	static const struct {
		enum protocol_program program;
		const char *command, *script;
		int64_t await_s, migrate_s;
	} cases[] = {
		{ PROTOCOL_PROGRAM_DEPLOY, "bin/migrate", "", 77 + 180, 77 + 360 },
		{ PROTOCOL_PROGRAM_DEPLOY, "bin/migrate", "/bin/true", 77 + 180, 77 + 360 },
		{ PROTOCOL_PROGRAM_DEPLOY, "", "", 0, 0 },
		{ PROTOCOL_PROGRAM_ROLLBACK, "bin/migrate", "", 0, 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct program_dirs dirs = { .state = "/nonexistent", .scripts = "/nonexistent" };
		struct protocol_message order = {
			.kind = PROTOCOL_RUN,
			.program = cases[i].program,
			.environment = "staging",
			.argument = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d",
			.deployment = 7,
			.ref = "main",
			.tag = "1-00000000000000000000000000000000",
		};
		struct program_plan plan;
		struct err err;

		assert_int_equal(setenv("MIGRATE_COMMAND", cases[i].command, 1), 0);
		assert_int_equal(setenv("MIGRATE_TIMEOUT_SECONDS", "77", 1), 0);
		assert_int_equal(setenv("DEPLOY_SCRIPT", cases[i].script, 1), 0);
		if (!program_plan(&plan, &order, &dirs, &err))
			fail_msg("%s", err.text);
		assert_int_equal(plan.await_limit_s, cases[i].await_s);
		assert_int_equal(plan.migrate_limit_s, cases[i].migrate_s);
		program_plan_done(&plan);
	}
}

static const char *
variable(const struct program_plan *plan, const char *name)
{
	size_t size = strlen(name);

	for (size_t i = 0; plan->envp[i] != NULL; i++)
		if (strncmp(plan->envp[i], name, size) == 0 && plan->envp[i][size] == '=')
			return plan->envp[i] + size + 1;
	return "";
}

#define TREE  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* What was approved is an upload, with that tree: nothing else is shipped by it. */
TEST(an_order_is_refused_whose_source_or_tree_is_not_what_was_bound)
{
	static const struct {
		enum commit_source source;
		const char *tree;
	} bound = { SOURCE_UPLOAD, TREE },
	  cases[] = { { SOURCE_UPLOAD, TREE }, { SOURCE_GIT, "" }, { SOURCE_GIT, TREE },
		  { SOURCE_UPLOAD, OTHER }, { SOURCE_UPLOAD, "" } };
	char folder[] = "/tmp/deploybot-program-XXXXXX", approved[sizeof(folder) + 16];
	struct program_dirs dirs = { .state = mkdtemp(folder), .scripts = "/nonexistent" };
	struct protocol_message order = {
		.kind = PROTOCOL_RUN,
		.program = PROTOCOL_PROGRAM_DEPLOY,
		.environment = "staging",
		.argument = OTHER,
		.deployment = 7,
		.tag = "1-00000000000000000000000000000000",
	};
	char list[FINGERPRINT_LIST_MAX];
	struct program_plan plan;
	struct err err;

	assert_int_equal(setenv("DEPLOY_SCRIPT", "", 1), 0);
	assert_true(program_list(&order, &dirs, list, &err));
	(void)fingerprint_of_order(list, bound.source, bound.tree, order.fingerprint);
	for (size_t i = 0; i < COUNT(cases); i++) {
		order.source = cases[i].source;
		text_set(order.tree, cases[i].tree);
		if (program_plan(&plan, &order, &dirs, &err) != (i == 0))
			fail_msg("case %zu: %s", i, i == 0 ? err.text : "taken");
		if (i > 0) {
			assert_int_equal(err.code, ERR_CHANGED);
		} else {
			assert_string_equal(variable(&plan, "SOURCE"), "upload");
			assert_string_equal(variable(&plan, "TREE"), TREE);
		}
		program_plan_done(&plan);
	}
	order.fingerprint[0] = order.tree[0] = '\0';
	order.source = SOURCE_GIT;
	assert_true(program_plan(&plan, &order, &dirs, &err));
	assert_string_equal(variable(&plan, "SOURCE"), "git");
	assert_string_equal(variable(&plan, "TREE"), "");
	program_plan_done(&plan);
	(void)snprintf(approved, sizeof(approved), "%s/approved", folder);
	assert_int_equal(rmdir(approved), 0);
	assert_int_equal(rmdir(folder), 0);
}
