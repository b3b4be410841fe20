/* Goal: an event that kills the program is quarantined, and nothing beside it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "deliver_aid.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/file.h"

static void
end_in_a_child(struct store_aid *aid, struct event *event, int by)
{
	struct queue_list events = { 0 };
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) { /* its own store on the same folder, as a program that starts */
		struct err err;
		struct store *store = store_open(&aid->config, &err);

		queue_list_add(&events, &event->link);
		if (store != NULL && store_batch(store, &events, &aid->outcomes, &err))
			_exit(0);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == by);
	event_free(event);
}

static void
crash_in_a_child(struct store_aid *aid, struct event *event)
{
	end_in_a_child(aid, event, SIGKILL);
}

DELIVER_TEST(an_event_that_killed_three_programs_is_quarantined)
{
	char *audit;

	store_close(aid->store);
	aid->store = NULL;
	store_aid_forget(aid);
	for (int i = 0; i < 3; i++)
		crash_in_a_child(aid, deliver_aid_raw(aid, "a/crash"));
	store_aid_reopen(aid);
	assert_int_equal(store_aid_decide(aid, deliver_aid_event(aid, "other", "x")).status, 202);
	deliver_aid.delivered = 0;
	assert_int_equal(store_aid_decide(aid, deliver_aid_raw(aid, "a/crash")).status, 200);
	assert_int_equal(deliver_aid.delivered, 0);
	(void)store_project(aid->store, &aid->outcomes);
	audit = store_aid_read(aid->audit_path);
	assert_non_null(strstr(audit, "put aside"));
	free(audit);
}

/* Where only the last is remembered each begins the other's count anew, for ever. */
DELIVER_TEST(two_events_that_kill_in_turn_are_both_quarantined)
{
	static const char *const words[] = { "a/crash", "b/crash", "c/crash" };

	store_close(aid->store);
	aid->store = NULL;
	store_aid_forget(aid);
	for (size_t i = 0; i < 3 * COUNT(words); i++)
		crash_in_a_child(aid, deliver_aid_raw(aid, words[i % COUNT(words)]));
	store_aid_reopen(aid);
	deliver_aid.delivered = 0;
	deliver_aid.may_crash = false;
	for (size_t i = 0; i < COUNT(words); i++)
		assert_int_equal(store_aid_decide(aid, deliver_aid_raw(aid, words[i])).status, 200);
	assert_int_equal(deliver_aid.delivered, 0);
	deliver_aid.may_crash = true;
}

/* Memory that is short for a minute says nothing of what was in progress. */
DELIVER_TEST(an_abort_for_memory_counts_apart)
{
	for (int round = 0; round < 2; round++) {
		store_close(TAKE(aid->store));
		store_aid_forget(aid);
		for (int i = 0; i < 29 + round; i++)
			end_in_a_child(aid, deliver_aid_raw(aid, "a/starve"), SIGABRT);
		deliver_aid.may_crash = false;
		store_aid_reopen(aid);
		deliver_aid.delivered = 0;
		assert_int_equal(store_aid_decide(aid, deliver_aid_raw(aid, "a/starve")).status,
		    round == 0 ? 202 : 200);
		assert_int_equal(deliver_aid.delivered, round == 0 ? 1 : 0);
		deliver_aid.may_crash = true;
	}
}

DELIVER_TEST(an_abort_for_memory_does_not_end_the_count_of_crashes)
{
	store_close(TAKE(aid->store));
	store_aid_forget(aid);
	for (int i = 0; i < 2; i++)
		crash_in_a_child(aid, deliver_aid_raw(aid, "a/crash"));
	deliver_aid.may_starve = true;
	end_in_a_child(aid, deliver_aid_raw(aid, "a/crash"), SIGABRT);
	deliver_aid.may_starve = false;
	crash_in_a_child(aid, deliver_aid_raw(aid, "a/crash"));
	deliver_aid.may_crash = false;
	store_aid_reopen(aid);
	deliver_aid.delivered = 0;
	(void)store_aid_decide(aid, deliver_aid_raw(aid, "a/crash"));
	assert_int_equal(deliver_aid.delivered, 0);
	deliver_aid.may_crash = true;
}

/* What was decided on in between is not what ends the program. */
DELIVER_TEST(an_event_that_was_decided_on_counts_anew)
{
	store_close(aid->store);
	aid->store = NULL;
	store_aid_forget(aid);
	for (int i = 0; i < 2; i++)
		crash_in_a_child(aid, deliver_aid_raw(aid, "a/crash"));
	deliver_aid.may_crash = false;
	store_aid_reopen(aid);
	deliver_aid.delivered = 0;
	assert_int_equal(store_aid_decide(aid, deliver_aid_raw(aid, "a/crash")).status, 202);
	assert_int_equal(deliver_aid.delivered, 1);
	store_close(aid->store);
	aid->store = NULL;
	store_aid_forget(aid);
	deliver_aid.may_crash = true;
	for (int i = 0; i < 2; i++)
		crash_in_a_child(aid, deliver_aid_raw(aid, "a/crash"));
	deliver_aid.may_crash = false;
	store_aid_reopen(aid);
	deliver_aid.delivered = 0;
	(void)store_aid_decide(aid, deliver_aid_raw(aid, "a/crash"));
	assert_int_equal(deliver_aid.delivered, 1);
	deliver_aid.may_crash = true;
}

DELIVER_TEST(what_is_quarantined_counts_until_that_is_on_disk)
{
	store_close(aid->store);
	aid->store = NULL;
	store_aid_forget(aid);
	for (int i = 0; i < 3; i++)
		crash_in_a_child(aid, deliver_aid_raw(aid, "a/crash"));
	store_aid_reopen(aid);
	deliver_aid.delivered = 0;
	assert_false(deliver_aid_commits(aid, deliver_aid_raw(aid, "a/crash")));
	assert_int_equal(store_aid_decide(aid, deliver_aid_raw(aid, "a/crash")).status, 200);
	assert_int_equal(deliver_aid.delivered, 0); /* or this test would have deliver_aid.ended */
}

/* Whoever made the file could cut it under our mapping, which would end us by a signal. */
DELIVER_TEST(a_page_that_another_user_made_is_refused)
{
	struct store_config config = aid->config;
	char poison[160];
	int status;
	pid_t pid;

	if (geteuid() != 0)
		skip(); /* it takes three users */
	(void)snprintf(poison, sizeof(poison), "%s/theirs", aid->folder);
	config.poison_path = poison;
	store_close(aid->store);
	aid->store = NULL;
	assert_true(file_write(poison, "", 0, 0666, NULL));
	assert_int_equal(chown(poison, 10002, 10002), 0);
	store_aid_give(aid, 10001);
	assert_int_equal(chmod(aid->folder, 01777), 0);
	pid = fork();
	if (pid == 0) {
		struct err err = { .code = ERR_NONE };

		if (setresuid(10001, 10001, 10001) == 0 && store_open(&config, &err) == NULL)
			_exit(err.code == ERR_CONFIG && strstr(err.text, poison) != NULL ? 0 : 2);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(unlink(poison), 0);
}
