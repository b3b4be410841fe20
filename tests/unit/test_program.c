/* Goal: a run's limits are those that its settings and docs/deploy-scripts.md say.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/program.h"

#include <time.h>

#include "lib/err.h"
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
