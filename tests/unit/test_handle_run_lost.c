/* Goal: what outlives its killed supervisor is named where people look for it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"
#include "lib/text.h"
#include "runs/run_translate.h"

#define URL   "STAGING_HEALTH_URL=http://127.0.0.1:1/"
#define GROUP "something alive in the control group /sys/fs/cgroup/deploybot-run-7-0a"

static void
lose(struct world *w, const char *stuck)
{
	struct event *event = store_aid_event(&w->aid, EVENT_RUN_LOST);

	event->u.run_lost.run = world_active(w, "staging").run;
	(void)text_copy(event->u.run_lost.stuck, sizeof(event->u.run_lost.stuck), stuck);
	(void)world_decide(w, event);
}

TEST(what_hinders_the_end_is_said_as_far_as_it_is_known)
{
	static const struct {
		pid_t pid;
		const char *text, *said;
	} cases[] = {
		{ 4711, "", "process 4711 of it would not end" },
		{ 4711, GROUP, "process 4711 of it would not end: " GROUP },
		{ 0, GROUP, "its end could not be reconciled: " GROUP },
		{ 0, "writing the exit record: No space left on device",
		    "its end could not be reconciled: writing the exit record: No space left on "
		    "device" },
		{ 0, "", "its end could not be reconciled" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct protocol_message stuck = { .kind = PROTOCOL_STUCK, .pid = cases[i].pid };
		char said[LIMIT_LINE];

		(void)text_copy(stuck.text, sizeof(stuck.text), cases[i].text);
		run_translate_stuck(&stuck, said);
		assert_string_equal(said, cases[i].said);
	}
}

WORLD_TEST_OF(the_chat_says_what_is_alive_still, URL)
{
	world_starts_over(w, COMMIT_A, COMMIT_B);
	lose(w, "process 4711 of it would not end: " GROUP);
	assert_int_equal(world_active(w, "staging").state, DEPLOY_STOPPING);
	assert_non_null(
	    world_says(w, "it was killed, and process 4711 of it would not end: " GROUP));
	assert_non_null(world_says(w, "⏳ Stopping staging"));
}

/* Why it is taken back stands there already, and stays. */
WORLD_TEST_OF(a_rollback_that_is_stuck_says_so_beside_its_cause, URL)
{
	world_starts_over(w, COMMIT_A, COMMIT_B);
	world_run_ends(w, (struct run_ended){ .gate_opened = true, .released = true });
	world_probed(w, "503 instead of 200");
	assert_int_equal(world_active(w, "staging").state, DEPLOY_ROLLING_BACK);
	(void)world_run_starts(w);
	lose(w, "");
	assert_null(world_says(w, "supervisor"));
	lose(w, "its end could not be reconciled: " GROUP);
	assert_int_equal(world_active(w, "staging").state, DEPLOY_ROLLING_BACK);
	assert_non_null(
	    world_says(w, "it was killed, and its end could not be reconciled: " GROUP));
	assert_non_null(strstr(world_plain(world_says(w, GROUP)), "503 instead of 200"));
}
