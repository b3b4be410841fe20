/* run_verdict.c - reads an exit record.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "deployment/run_verdict.h"

#include <stdio.h>
#include <string.h>

#include "lib/clean.h"
#include "lib/text.h"

#define EXIT_UNREACHABLE 69 /* as deploy/common.sh has it */

static bool
can_roll_back(const struct deployment *deployment, const struct run_ended *ended)
{
	return deployment_can_roll_back(deployment) && !ended->no_rollback;
}

bool
run_verdict_never_began(const struct run_ended *ended)
{
	return ended->refused || !ended->gate_opened || ended->exec_errno != 0;
}

bool
run_verdict_is_unknown(const struct run_ended *ended)
{
	return ended->folder_gone || (ended->unswept && ended->gate_opened);
}

bool
run_verdict_is_success(const struct run_ended *ended)
{
	return !run_verdict_never_began(ended) && !ended->lost && !ended->timed_out &&
	    ended->signal_number == 0 && ended->exit_status == 0;
}

/* A first release of which its hosts have said that they are as they were: nothing of it runs, and
 * there is nothing to roll back. */
static bool
is_undone(const struct deployment *deployment, const struct run_ended *ended)
{
	return ended->undone && !run_verdict_is_success(ended) &&
	    deployment->program == PROGRAM_DEPLOY && deployment->state != DEPLOY_ROLLING_BACK &&
	    deployment->previous[0] == '\0';
}

static bool
target_changed(const struct deployment *deployment, const struct run_ended *ended)
{
	if (run_verdict_never_began(ended))
		return deployment->target_changed;
	if (ended->lost && !(ended->migration && deployment->program == PROGRAM_DEPLOY))
		return true;
	return !is_undone(deployment, ended) && (ended->released || deployment->target_changed);
}

void
run_verdict_describe(const struct run_ended *ended, char out[LIMIT_LINE])
{
	size_t room = LIMIT_LINE;
	char line[190]; /* behind the longest of the words below it fits whole */
	const char *colon = ended->detail[0] != '\0' ? ": " : "";
	char at_deadline[TEXT_DURATION_SIZE + 32] = "", took[TEXT_DURATION_SIZE];

	(void)clean_line(line, sizeof(line), ended->detail, strlen(ended->detail));
	if (ended->timed_out)
		text_setf(at_deadline, " at its deadline%s%s",
		    ended->duration_ms > 0 ? ", after " : "",
		    ended->duration_ms > 0 ? text_duration(took, ended->duration_ms) : "");
	if (ended->refused)
		(void)snprintf(out, room, "%s", ended->detail);
	else if (!ended->gate_opened)
		(void)snprintf(out, room, "the script was not started%s%s", colon, line);
	else if (ended->exec_errno != 0)
		(void)snprintf(out, room, "the script could not be started%s%s", colon, line);
	else if (ended->lost)
		(void)snprintf(out, room,
		    "it was killed; all that it had started on deploybot's machine was ended");
	else if (ended->signal_number != 0)
		(void)snprintf(out, room, "killed by signal %d%.40s%s%s", ended->signal_number,
		    ended->signal_number == 9 && !ended->timed_out && !ended->ended_on_request ?
			" (out of memory?)" :
			at_deadline,
		    colon, line);
	else
		(void)snprintf(
		    out, room, "exit %d%.40s%s%s", ended->exit_status, at_deadline, colon, line);
}

bool
run_verdict_is_unreachable(const struct run_times *times)
{
	return times->exit_status == EXIT_UNREACHABLE && times->signal_number == 0;
}

static void
describe_not_started(struct run_verdict *verdict, const struct run_ended *ended)
{
	text_setf(verdict->detail, "could not be started: %.180s",
	    ended->detail[0] != '\0' ? ended->detail : "its script was not started");
}

static enum deploy_why
why_of(const struct run_ended *ended)
{
	if (run_verdict_never_began(ended))
		return DEPLOY_WHY_NOT_STARTED;
	if (ended->lost)
		return DEPLOY_WHY_INTERRUPTED;
	if (ended->timed_out)
		return DEPLOY_WHY_TIMED_OUT;
	return DEPLOY_WHY_SCRIPT;
}

/* The target is as it was, and the database may not be. */
static enum deploy_event
before_release(const struct deployment *deployment, const struct run_ended *ended)
{
	bool migrates = deployment->program == PROGRAM_DEPLOY &&
	    (ended->migration || deployment->migration[0] != '\0');

	return migrates ? DEPLOY_ON_MIGRATION_FAILED : DEPLOY_ON_FAILED_BEFORE_RELEASE;
}

/* It may be alive, here or elsewhere, or half done: nothing else is begun for it, not even a
 * rollback. */
static struct run_verdict
not_known(const struct deployment *deployment, const struct run_ended *ended)
{
	struct run_verdict verdict = { .event = DEPLOY_ON_FOLDER_GONE, .target_changed = true };

	if (deployment->state != DEPLOY_ROLLING_BACK)
		verdict.why = DEPLOY_WHY_INTERRUPTED;
	if (ended->folder_gone)
		text_setf(verdict.detail, "%.180s: what it left is not known", ended->detail);
	else
		text_setf(verdict.detail, "it was killed; some of it may still be running");
	return verdict;
}

/* Again only where its script never ran: what it did once is not done twice. */
static struct run_verdict
verdict_of_action(const struct deployment *action, const struct run_ended *ended, int attempts_max)
{
	struct run_verdict verdict = { .target_changed = action->target_changed };
	bool is_running = action->state == DEPLOY_RUNNING;

	if (run_verdict_is_success(ended)) {
		verdict.event = DEPLOY_ON_SCRIPT_OK;
		text_set(verdict.detail, ended->detail);
		return verdict;
	}
	if (is_running && !ended->refused && !ended->gate_opened && !ended->ended_on_request &&
	    action->attempts < attempts_max) {
		verdict.event = DEPLOY_ON_AGAIN;
		return verdict;
	}
	verdict.event = run_verdict_never_began(ended) ? DEPLOY_ON_FAILED_BEFORE_RELEASE :
							 DEPLOY_ON_SCRIPT_FAILED;
	if (is_running)
		verdict.why = why_of(ended);
	if (action->why != DEPLOY_WHY_CANCELLED)
		run_verdict_describe(ended, verdict.detail);
	return verdict;
}

struct run_verdict
run_verdict(const struct deployment *deployment, const struct run_ended *ended, int attempts_max)
{
	struct run_verdict verdict = { .target_changed = target_changed(deployment, ended) };
	bool is_back = deployment->state == DEPLOY_ROLLING_BACK;
	bool again = (!ended->refused && !ended->gate_opened && !ended->ended_on_request) ||
	    (is_back && ended->lost);

	if (run_verdict_is_unknown(ended))
		return not_known(deployment, ended);
	if (ended->is_changed && deployment->state == DEPLOY_RUNNING) {
		verdict.event = DEPLOY_ON_CHANGED;
		return verdict;
	}
	if (deployment_is_action(deployment))
		return verdict_of_action(deployment, ended, attempts_max);
	if (run_verdict_is_success(ended)) {
		verdict.event = deployment->urls[0] != '\0' ? DEPLOY_ON_SCRIPT_OK :
							      DEPLOY_ON_SCRIPT_OK_UNPROBED;
		/* It ended before it was stopped: there may be no release to roll back to. */
		if (deployment->state == DEPLOY_STOPPING && !verdict.target_changed)
			verdict.event = before_release(deployment, ended);
		else if (deployment->state == DEPLOY_STOPPING && !can_roll_back(deployment, ended))
			verdict.event = DEPLOY_ON_SCRIPT_FAILED_NO_ROLLBACK;
		else
			verdict.target_changed = true; /* it says that its release is up */
		return verdict;
	}
	if (again && deployment->state != DEPLOY_STOPPING && deployment->attempts < attempts_max) {
		verdict.event = DEPLOY_ON_AGAIN;
		return verdict;
	}
	if (!verdict.target_changed && !is_back)
		verdict.event = before_release(deployment, ended);
	else
		verdict.event = can_roll_back(deployment, ended) ?
		    DEPLOY_ON_SCRIPT_FAILED :
		    DEPLOY_ON_SCRIPT_FAILED_NO_ROLLBACK;
	/* Whoever cancelled it, or whatever was wrong before the rollback, is the reason. */
	if (deployment->state == DEPLOY_RUNNING)
		verdict.why = why_of(ended);
	if (is_back && run_verdict_never_began(ended))
		describe_not_started(&verdict, ended);
	else if (is_back || deployment->why != DEPLOY_WHY_CANCELLED)
		run_verdict_describe(ended, verdict.detail);
	else if (!verdict.target_changed && !ended->lost && ended->signal_number != 0)
		text_setf(verdict.detail, "%.200s, then killed by signal %d", deployment->detail,
		    ended->signal_number);
	return verdict;
}
