/* sim.h - histories of the whole program without time, network or processes, from a seed.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * The real store, handlers, commands, policy and deployment code; around them a world that one
 * seeded generator drives: clock, Telegram, GitHub, git, runner, supervisors, targets and power
 * cuts.  After every commit the invariants of sim_check.c hold, or the history ends the program: it
 * prints its seed, what happened last, and which invariant was broken.
 *
 *	sim_begin();
 *	for (seed = 1; seed <= 300; seed++)
 *		sim_play(seed, &totals);
 *	sim_end();
 */
#pragma once

#include <stdint.h>

#include "deployment/deploy_flow.h"

/* What goes wrong, on purpose.  One that no history reached tests nothing: see sim_totals. */
#define SIM_FAULTS(F) \
	F(POWER_CUT, "the server was killed") \
	F(HOST_CUT, "everything was killed") \
	F(CUT_BEFORE_COMMIT, "killed before a commit") \
	F(CUT_AFTER_COMMIT, "killed between a commit and what it hands out") \
	F(DISK_FULL, "a commit found no space") \
	F(HANDLER_FAILED, "a handler failed for good") \
	F(UPDATE_AGAIN, "an update came again") \
	F(DELIVERY_AGAIN, "a delivery came again") \
	F(DELIVERY_REPLAYED, "a signed body came under another id") \
	F(DELIVERY_LOST, "a delivery was lost") \
	F(NO_SLOT_LEFT, "the last slot was given") \
	F(CHAT_AWAY, "Telegram was away") \
	F(CHAT_REFUSED, "Telegram's final no") \
	F(CHAT_MOVED, "a chat got another id") \
	F(TOPIC_DELETED, "a topic was deleted") \
	F(MESSAGE_DELETED, "a message was deleted") \
	F(MESSAGE_ANEW, "a message was sent anew, and its copy deleted") \
	F(TOLD_PRIVATELY, "somebody who did not ask was told in private") \
	F(ASKED_PRIVATELY, "somebody was asked for an approval in private") \
	F(NEVER_WROTE, "Telegram refused who never wrote to the bot") \
	F(MESSAGE_COVERED, "a message in hand was covered by the one sent anew") \
	F(GIT_AWAY, "git did not answer") \
	F(GIT_LAGS, "git does not show a push yet") \
	F(GIT_SLOW, "git fetches for long") \
	F(ARCHIVE_SENT, "somebody sent an archive") \
	F(ARCHIVE_SHIPPED, "an archive was ordered") \
	F(ARCHIVE_CAME_BACK, "an archive was brought back") \
	F(RUN_REFUSED, "the runner refused a run") \
	F(RUN_PUT_OFF, "the runner could not begin a run yet") \
	F(FOLDER_GONE, "a started run had no folder any more") \
	F(RESTORED, "a start of a copy knew nothing for sure") \
	F(LOOKED, "somebody had looked, and said so") \
	F(RUNNER_AWAY, "the runner was disconnected") \
	F(RUN_ELSEWHERE, "a run was a remote runner's") \
	F(REMOTE_AWAY, "a remote runner was disconnected") \
	F(REMOTE_WENT_ON, "a run of a remote runner went on while that was disconnected") \
	F(REMOTE_FOUND, "a remote runner was asked about a run that went on") \
	F(REMOTE_NEVER, "a remote runner was asked about a run that had not begun there") \
	F(REMOTE_REPEATED, "a remote runner said its last word again") \
	F(REMOTE_LIED, "a remote runner spoke of a run of another") \
	F(REMOTE_BELIED, "another spoke of a remote runner's run") \
	F(REMOTE_KILLED, "a remote runner was killed") \
	F(REMOTE_FORGOT, "a remote runner's host was made anew") \
	F(REMOTE_RUN_GONE, "a remote runner had no folder of a run that it had begun") \
	F(REMOTE_ABANDONED, "somebody abandoned a run of a remote runner") \
	F(RUN_ABANDONED, "somebody abandoned a run") \
	F(SUPERVISOR_KILLED, "a supervisor was killed") \
	F(RUN_TIMED_OUT, "a run's deadline passed") \
	F(EXEC_FAILED, "a script could not be started") \
	F(MIGRATED, "a script began to migrate") \
	F(GATE_NEVER_OPENED, "a gate never opened") \
	F(RUN_ADOPTED, "a run was adopted") \
	F(DRAINED, "what a release had replaced was drained") \
	F(IMAGE_CAME_BACK, "a rollback named an image") \
	F(BLOCKED_PUSH, "a push was of what had been rolled back") \
	F(BLOCK_SHOWN, "work began whose commit contains what its question named as rolled back") \
	F(FIXED_FORWARD, "a later push began whose commit contains what was rolled back") \
	F(BARRED, "what nobody rolls back past failed, and was left") \
	F(ROLLED_BACK_TWICE, "a rollback was asked for after a rollback") \
	F(WAVE_HOST, "a host had its release in a wave") \
	F(WAVE_EXPECTED, "an order said what a host runs") \
	F(WAVE_TOO_MANY, "more hosts of a wave failed than may") \
	F(WAVE_HOST_UNKNOWN, "what became of a host of a wave was not known") \
	F(WAVE_LIVE_WITHOUT, "a release went live without hosts that had failed") \
	F(WAVE_BACK, "hosts that a release had touched were brought back") \
	F(WAVE_STOPPED, "a wave was stopped") \
	F(WAVE_LOST, "a wave was lost") \
	F(WAVE_PAUSED, "waves were paused") \
	F(WAVE_RESUMED, "a wave that was cut went on with the hosts that were left") \
	F(WAVE_LEFT, "a release was left on the hosts that had it") \
	F(WAVE_CUT_INSIDE, "the server was killed in a wave") \
	F(WAVE_CUT_BETWEEN, "the server was killed between two waves") \
	F(WAVE_ROW_HELD, "a row said what its host runs") \
	F(AGENT_JOINED, "an agent was enrolled behind the question of a release") \
	F(AGENT_SKIPPED, "an agent was revoked before a release came to it") \
	F(LAGGING_ORDERED, "what is live was ordered for hosts that did not run it") \
	F(PROBE_FLAPPED, "a health check failed now and then") \
	F(PROBE_RESTLESS, "a health gate ended whose answers came and went") \
	F(RESULT_AGAIN, "a result came twice") \
	F(RESULT_LATE, "a result came for what was withdrawn") \
	F(SETTINGS_CHANGED, "settings changed") \
	F(SETTINGS_EDITED, "what ships an environment was edited") \
	F(RUN_CHANGED, "the runner refused what is shipped by another list") \
	F(CLOCK_SET_BACK, "the clock was set back") \
	F(HANDLER_KILLED, "a handler killed the program") \
	F(PUT_ASIDE, "what kills it was put aside") \
	F(FILES_REFUSED, "no file could be written") \
	F(FILE_TORN, "the audit file lost its end") \
	F(SLEPT, "the machine slept for days") \
	F(LOG_REMOVED, "the log of a run long past was removed") \
	F(MANY, "there were eight applications") \
	F(APPLICATION_GONE, "an application's file went while it deployed") \
	F(CLAIM_AWAITED, "a place waited for what another application held") \
	F(GRANT_GONE, "a grant was gone when its turn came") \
	F(PUSH_HELD, "a push waited for the end of a lock or freeze") \
	F(PLACE_HELD, "a place waited for the end of a lock or freeze") \
	F(WINDOW_HELD, "work waited in a window of the settings") \
	F(EXCEPTED, "somebody deployed in a freeze, with a reason") \
	F(TOO_FAST, "somebody with a role typed too fast") \
	F(USED_UP, "somebody had asked for too much in a day") \
	F(LOCAL_DONE, "a request on the machine was granted") \
	F(TOKEN_DONE, "a request with a token was granted") \
	F(LOCAL_DENIED, "a request on the machine was denied") \
	F(PLACE_LEFT, "somebody left the queue") \
	F(PLACE_GIVEN, "somebody gave their place away") \
	F(APPROVED, "somebody approved what others asked for") \
	F(APPROVED_BY_ONE, "work began with its one approval") \
	F(APPROVED_BY_TWO, "work began with its two approvals") \
	F(TAKEN_BACK, "somebody took their approval back") \
	F(REJECTED, "somebody rejected what others asked for") \
	F(APPROVAL_EXPIRED, "nobody approved it in time") \
	F(EMERGENCY_BEGAN, "an emergency began") \
	F(REVIEWED, "somebody reviewed an emergency") \
	F(NAGGED, "a rollback was reminded of") \
	F(PAUSE_NAGGED, "a pause was reminded of") \
	F(PINNED, "a chat's status was pinned") \
	F(SEEN, "somebody saw a rollback") \
	F(ACTION_DONE, "an action began") \
	F(LINE_ACCEPTED, "a line was accepted") \
	F(LINE_REFUSED, "a line was not accepted") \
	F(JOB_DONE, "a job began") \
	F(REQUEST_APPROVED, "a requested action began") \
	F(GATE_OPENED, "a gate opened") \
	F(GATE_DONE, "a job said that it ended well") \
	F(GATE_LEFT, "a gate ended whose job had gone before it knew that it is open") \
	F(GATE_FORGOTTEN, "a gate ended whose job never said how it ended") \
	F(JOB_PUSHED, "a job's push made work") \
	F(JOB_DIED, "a job died before it was through") \
	F(JOB_DIED_OPEN, "a job died while its gate was open") \
	F(JOB_DENIED, "a job asked for what is none of its business") \
	F(AT_GITLAB, "the repository was at GitLab") \
	F(DISPATCHED, "GitHub was asked to begin a run") \
	F(DISPATCH_LOST, "whether GitHub has begun a run was not said") \
	F(DISPATCH_FOUND, "a run was found by the word in its title") \
	F(RUN_STOPPED, "a run at GitHub was stopped") \
	F(RUN_AGAIN, "failed jobs of a run at GitHub ran again") \
	F(RUN_DONE, "a run at GitHub ended well") \
	F(RUN_UNKNOWN, "how a run at GitHub ended was not known") \
	F(RULE_YES, "GitHub let a job go on whose gate had opened") \
	F(RULE_NO, "GitHub let no job go on whose gate had not") \
	F(RULE_GONE, "GitHub was answered what it had closed") \
	F(RULE_REPORTED, "GitHub showed that a gate waits") \
	F(GATE_STOPPED, "the run of an open gate was cancelled at GitHub") \
	F(RULE_LOST, "an answer to GitHub was taken, and that was lost") \
	F(RULE_AWAY, "GitHub took no answer yet") \
	F(RULE_ANEW, "a run asked anew at its gate") \
	F(RULE_STRANGE, "what a stranger had begun was refused at its gate") \
	F(LOAN_GIVEN, "a job had what it was lent") \
	F(LOAN_APPROVED, "a secret was lent that somebody had approved") \
	F(LOAN_GIVEN_BACK, "a job gave back what it was lent") \
	F(LOAN_OVER, "what was lent ended with its job") \
	F(LOAN_REVOKED, "somebody had revoked what was lent") \
	F(LOAN_UNFETCHED, "nobody fetched what was lent") \
	F(LOAN_SENT, "a person was sent what they were lent") \
	F(LOAN_UNUSED, "what nobody had used was revoked") \
	F(LOAN_LOST, "what was kept for a job was lost at a start") \
	F(LOAN_BESIDE, "a deployment ran beside a loan") \
	F(VAULT_REFUSED, "Vault made no token") \
	F(VAULT_PUT_OFF, "Vault was asked once more for a token") \
	F(VAULT_UNSURE, "whether Vault has made a token was not said") \
	F(VAULT_UNFIT, "Vault made a token that could not be kept") \
	F(VALUE_READ, "a value of KV was read") \
	F(REVOKE_AGAIN, "Vault was asked once more to revoke a token") \
	F(CI_PASSED, "work began whose CI had passed") \
	F(CI_REFUSED, "work was refused whose CI had not") \
	F(OPA_YES, "work began that OPA had allowed") \
	F(OPA_NO, "OPA said no") \
	F(OPA_SILENT, "OPA did not answer") \
	F(OPA_PASSED, "a rollback or an emergency began without an answer of OPA's") \
	F(BAKE_WRONG, "Prometheus said that a release is wrong") \
	F(BAKE_UNKNOWN, "Prometheus did not say how a release is") \
	F(CI_AWAY, "GitHub did not say how CI stands") \
	F(CLOUDFLARE_REFUSED, "Cloudflare refused a call") \
	F(CLOUDFLARE_UNKNOWN, "Cloudflare did not answer a call") \
	F(ZONE_STUCK, "a person had a zone tried again") \
	F(WITNESS_REFUSED, "the audit's witness refused an object") \
	F(WITNESS_UNKNOWN, "the audit's witness did not say whether it has an object") \
	F(WITNESS_TAKEN, "the audit's witness called our own object somebody else's") \
	F(WITNESS_LATE, "something was decided long without a witness") \
	F(UNWITNESSED_REFUSED, "something new was refused for want of a witness") \
	F(UNWITNESSED_BEGUN, "a rollback or an emergency began without a witness") \
	F(NOTIFIED_AGAIN, "who else is notified got a message again") \
	F(NOTIFIED_OFF, "who else is notified said no for good") \
	F(NOTIFIED_NOT, "who else is notified did not get a message") \
	F(NOTIFIED_SUMMARY, "who else is notified got a summary") \
	F(AGENT_DONE, "an agent started a unit") \
	F(AGENT_AWAY, "an agent's host was disconnected") \
	F(AGENT_LATE, "an order was refused that no agent could be sent in time") \
	F(AGENT_NEVER, "an agent said that it never had a run") \
	F(AGENT_FOUND, "a run was found at its agent") \
	F(AGENT_SHUT, "a run of an agent never began") \
	F(AGENT_STOPPED, "an agent stopped its unit") \
	F(AGENT_KILLED, "an agent was killed in its run") \
	F(AGENT_FORGOT, "an agent lost its records") \
	F(AGENT_CHANGED, "an agent refused an order for another manifest") \
	F(AGENT_REPEATED, "an agent repeated what it had said") \
	F(AGENT_LIED, "an agent spoke of another's run") \
	F(AGENT_STRANGE, "an agent said what no agent says") \
	F(AGENT_REVOKED, "an agent was revoked") \
	F(AGENT_ABANDONED, "somebody abandoned a run of an agent") \
	F(ORDER_REPLAYED, "an order to an agent came again") \
	F(ORDER_HELD_BACK, "an order to an agent was held back for too long") \
	F(LINK_LOST, "deploybot-link was started anew") \
	F(CODE_ASKED, "a code was asked for") \
	F(CODE_TAKEN, "a code was taken") \
	F(CODE_REFUSED, "a code was wrong, or spent") \
	F(RECOVERED, "a recovery code was taken") \
	F(FACTOR_RESET, "an admin reset a second factor") \
	F(TWO_SERVERS, "there were two servers") \
	F(TAKEN_OVER, "the other server took over") \
	F(RUN_OF_OTHER, "a run went on with a server that led no more") \
	F(OWN_LED_AGAIN, "a run went on whose server led again") \
	F(RUN_LEFT, "a run that no server let go was left") \
	F(OTHERS_ABANDONED, "somebody abandoned a run of the other server") \
	F(OTHER_LOST, "the machine of a server that did not lead was killed") \
	F(HANDED_OVER, "a server handed over to the other") \
	F(LATE_GO, "a server that led no more let a run go") \
	F(LATE_SAID, "a server that led no more sent a message") \
	/* On PostgreSQL alone: */ \
	F(OVERTAKEN, "a server was deposed before it recovered") \
	F(LATE_COMMIT, "a server that led no more tried to decide") \
	F(COMMIT_LOST, "a commit was lost") \
	F(ANSWER_LOST, "the answer of a commit was lost") \
	F(LOST_AND_DEPOSED, "a server was deposed before it knew of its commit")

#define SIM_FAULTS_OF_FILES SIM_OVERTAKEN /* so many are known with SQLite */

enum sim_fault {
#define F(name, words) SIM_##name,
	SIM_FAULTS(F)
#undef F
	    SIM_FAULT_COUNT
};

struct sim_totals {
	uint64_t histories;
	uint64_t commits;
	uint64_t faults[SIM_FAULT_COUNT];
	uint64_t ends[DEPLOY_STATE_COUNT]; /* deployments that came to this end */
};

const char *sim_fault_words(enum sim_fault fault);

/* Makes a folder of its own in memory, and an empty database to begin each history with. */
void sim_begin(void);

/* Plays one history to its rest.  Returns only when everything held. */
void sim_play(uint64_t seed, struct sim_totals *totals);

/* The same with fifty applications, and so many things that happen. */
#define SIM_HAPPENINGS_MOST 5000
void sim_play_long(uint64_t seed, int n, struct sim_totals *totals);

void sim_end(void);

/* In a program whose libraries may get no memory (tests/faults/oom_store.c): has one got none? */
__attribute__((weak)) bool sim_lacks_memory(void);
