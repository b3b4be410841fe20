/* Goal: an order and a record say in the protocol's words what they said in ours.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "runs/run_translate.h"

#include "lib/clock.h"
#include "unit.h"

#define COMMIT "1a2b3c4d1a2b3c4d1a2b3c4d1a2b3c4d1a2b3c4d1a2b3c4d1a2b3c4d1a2b3c4d" /* SHA-256's */
#define IMAGE  "sha256:3f2a9c10000000000000000000000000000000000000000000000000000000ff"

TEST(a_release_is_its_commit_and_its_image)
{
	static const struct {
		struct effect_run order;
		const char *argument;
		const char *previous;
	} cases[] = {
		{ { .commit = COMMIT }, COMMIT, "" },
		{ { .commit = COMMIT, .previous = "9f8e7d6" }, COMMIT, "9f8e7d6" },
		{ { .commit = COMMIT, .image = IMAGE, .previous = COMMIT, .previous_image = IMAGE },
		    COMMIT "@" IMAGE, COMMIT "@" IMAGE },
	};
	char packet[PROTOCOL_PACKET_MAX];
	struct protocol_message said;
	size_t len;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct effect_run order = cases[i].order;

		order.run = 1;
		order.deadline_s = 600;
		order.program = PROGRAM_ROLLBACK;
		order.environment[0] = 's';
		run_translate_order(&order, 10, &said);
		assert_string_equal(said.argument, cases[i].argument);
		assert_string_equal(said.previous, cases[i].previous);
		assert_true(protocol_encode(&said, packet, sizeof(packet), &len, NULL));
	}
}

TEST(a_record_keeps_its_image)
{
	const struct run_context context = { .log = { .state_directory = "/nowhere", .run = 1 } };
	const struct protocol_record record = { .exec_errno = 2, .image = IMAGE };

	assert_string_equal(
	    run_translate_record(&context, &record, &(struct run_ended){ 0 })->image, IMAGE);
}

TEST(a_record_says_whether_all_was_swept)
{
	struct protocol_record record = { .lost = true, .unswept = true, .exec_errno = 1 };
	struct run_context context = { .log = { .state_directory = "/nowhere", .run = 1 } };

	assert_true(run_translate_record(&context, &record, &(struct run_ended){ 0 })->unswept);
	record.unswept = false;
	assert_false(run_translate_record(&context, &record, &(struct run_ended){ 0 })->unswept);
}

TEST(a_record_has_what_was_warned_of)
{
	const struct run_context context = { .log = { .state_directory = "/nowhere", .run = 1 } };
	static struct protocol_record record = { .exec_errno = 2, .warning_count = 9 };
	struct run_ended ended;
	char want[2 * LIMIT_LINE];

	(void)snprintf(record.warnings[0], sizeof(record.warnings[0]),
	    "token ghp_0123456789abcdef0123456789abcdef0123 \u202e\xff is old");
	memset(record.warnings[1], 'o', PROTOCOL_WARNING);
	record.warnings[1][PROTOCOL_WARNING - 2] = ' '; /* the last word may be half a secret */
	run_translate_record(&context, &record, &ended);
	assert_int_equal(ended.warnings.said, 9);
	(void)snprintf(want, sizeof(want), "token *** ? is old\n%.*s…", PROTOCOL_WARNING - 2,
	    record.warnings[1]);
	assert_string_equal(ended.warnings.lines, want);
	for (size_t i = 0; i < PROTOCOL_WARNINGS; i++)
		memcpy(record.warnings[i], record.warnings[1], PROTOCOL_WARNING);
	run_translate_record(&context, &record, &ended);
	assert_true(strlen(ended.warnings.lines) > (size_t)PROTOCOL_WARNINGS * PROTOCOL_WARNING);
}

TEST(of_an_agents_record_nothing_of_a_release_is_taken)
{
	struct protocol_message said = { .kind = PROTOCOL_EXIT,
		.step_count = 1,
		.steps = { { .name = "removed 0123456789abcdef0123456789abcdef" } },
		.record = { .gate = true,
		    .released = true,
		    .no_rollback = true,
		    .migration = true,
		    .drains = true,
		    .undone = true,
		    .unswept = true,
		    .status = 3,
		    .image = "sha256:",
		    .warning_count = 1,
		    .warnings = { "look" } } };

	run_translate_agent(&said);
	assert_int_equal(said.step_count, 0);
	assert_true(said.record.gate);
	assert_int_equal(said.record.status, 3);
	assert_false(said.record.released || said.record.no_rollback || said.record.migration ||
	    said.record.drains || said.record.undone || said.record.unswept);
	assert_int_equal(said.record.image[0] + said.record.warnings[0][0], '\0');
	assert_int_equal(said.record.warning_count, 0);
}

/* By our clock, where its host's is off by years; by its own, where that can be. */
TEST(how_long_a_run_elsewhere_took_is_no_matter_of_its_hosts_clock)
{
	static const int64_t years = INT64_C(10) * 365 * 24 * 3600 * 1000;
	const struct run_tail_bytes nothing = { .size = 0 };
	const int64_t now = clock_wall_ms(), ends[] = { now - 2000, now - years, now + years };
	const struct run_context context = { .went_at = now - 5000,
		.is_agents = true,
		.log = { .state_directory = "/nowhere", .run = 1, .said = &nothing } };

	for (size_t i = 0; i < COUNT(ends); i++) {
		const struct protocol_record record = { .gate = true, .ended_at = ends[i] };
		struct run_ended ended = { 0 };

		(void)run_translate_record(&context, &record, &ended);
		assert_in_range(ended.duration_ms, i == 0 ? 3000 : 5000, i == 0 ? 3000 : 65000);
	}
}
