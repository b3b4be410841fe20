/* row_deployment.h - deployments, and all other work on a target.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * They are rows of the table `work`.  A partial unique index over the active states is the busy
 * flag: no second copy of that fact exists.  Another one keeps a single push queued for each
 * environment.
 */
#pragma once

#include "deployment/deployment.h"
#include "store/tx.h"

/* Writes the row; sets deployment->id. */
void row_deployment_add(struct tx *tx, struct deployment *deployment);
struct deployment *row_deployment_get(struct tx *tx, int64_t id, struct deployment *ret);

/* Writes what may change but state and why: not id, environment, program, cause and
 * requested_by. */
void row_deployment_save(struct tx *tx, const struct deployment *deployment);

/* The only writer of state and why; for decide_step(), and for why a loan that was given ends
 * early, which is no state of its work. */
void row_deployment_set_state(struct tx *tx, const struct deployment *of,
    enum deploy_state state, enum deploy_why why);

/* By state's class; id 0: none.  queued: the first in the queue.  push_question: a push awaits its
 * confirmation. */
struct deployment *
row_deployment_active(struct tx *tx, const char *environment, struct deployment *ret);
struct deployment *
row_deployment_queued(struct tx *tx, const char *environment, struct deployment *ret);
struct deployment *
row_deployment_push_question(struct tx *tx, const char *environment, struct deployment *ret);
/* The newest push that awaits approvals. */
struct deployment *
row_deployment_push_approval(struct tx *tx, const char *environment, struct deployment *ret);
/* The oldest question behind `after` about deploying the commit of `like` there, or rolling back to
 * it, whoever asked; once somebody has confirmed it, until git has answered; or what awaits
 * approvals for it.  Others behind it ask for the same commit in another way. */
struct deployment *row_deployment_next_question(struct tx *tx, enum program program,
    const struct deployment *like, int64_t after, struct deployment *ret);
/* The same of an emergency, of which there may be others: each has a question of its own. */
struct deployment *row_deployment_emergency_of(
    struct tx *tx, const char *environment, const char *commit, struct deployment *ret);
/* The oldest that a person asked for and has not confirmed yet. */
struct deployment *
row_deployment_chat_question(struct tx *tx, const char *environment, struct deployment *ret);
/* The newest that is requested or awaits a confirmation, whoever asked. */
struct deployment *
row_deployment_asking(struct tx *tx, const char *environment, struct deployment *ret);
/* The same action, with the same argument, that the same person asked for and that awaits
 * approvals; 0: there is none. */
int64_t row_deployment_same_action(struct tx *tx, const struct deployment *work);
/* Those whose question is open, the oldest first, those asked anew in their place too; returns how
 * many. */
size_t row_deployment_list_asked(
    struct tx *tx, const char *environment, struct deployment *ret, size_t max);
/* The oldest behind `after` there that somebody is asked about: its question is open, or it awaits
 * approvals; 0: there is none. */
int64_t row_deployment_next_asked(struct tx *tx, const char *environment, int64_t after);
/* Emergencies that began, and that nobody has reviewed; the oldest first; returns how many. */
size_t row_deployment_list_unreviewed(
    struct tx *tx, const char *environment, struct deployment *ret, size_t max);
/* Until when that question is open, wall ms; 0: it is not known. */
int64_t row_deployment_asked_until(struct tx *tx, int64_t id);
/* The oldest behind `after` that is requested without a question to git, or awaits a confirmation
 * without a deadline (confirmed: without a question to git): nothing will carry it on. */
struct deployment *row_deployment_unattended(struct tx *tx, int64_t after, struct deployment *ret);
/* The newest that deploys and may have changed the target. */
struct deployment *
row_deployment_last_changed(struct tx *tx, const char *environment, struct deployment *ret);
/* Those behind that moment that ended as failed, and may have changed the target, the newest first;
 * returns how many. */
size_t row_deployment_list_down(
    struct tx *tx, const char *environment, int64_t since, int64_t *ret, size_t max);
struct deployment *row_deployment_of_run(struct tx *tx, int64_t run, struct deployment *ret);

/* What was asked for there last, and how the deployment or rollback ended that ended last, of those
 * that ran; each COUNT: none did. */
struct deployment_last {
	enum trigger trigger;
	enum deploy_state end;
};
struct deployment_last row_deployment_last(struct tx *tx, const char *environment);

/* The rollback there that ended last, at `since` or later: of a deployment, but for one to hosts
 * that lag alone, or a person's that is live; id 0: none did. */
struct deployment *row_deployment_last_rollback(
    struct tx *tx, const char *environment, int64_t since, struct deployment *ret);

/* Latest deployments and rollbacks that started or were refused, newest first; returns how many.
 * ... behind so many of them; how many there are, of which no more than `most` are counted. */
size_t
row_deployment_list(struct tx *tx, const char *environment, struct deployment *ret, size_t max);
size_t row_deployment_list_behind(
    struct tx *tx, const char *environment, size_t skipped, struct deployment *ret, size_t max);
size_t row_deployment_count_list(struct tx *tx, const char *environment, size_t most);

/* When bringing that release to all hosts there once more, also by a rollback to it, which may be
 * an automatic one, failed last by itself; 0: it did not since it went live.  What failed before it
 * changed anything there says nothing of it. */
int64_t row_deployment_failed_since(struct tx *tx, const struct release *release);

/* The newest deployment there of that commit, or of another one with these files (tree; "": not
 * known), that went live or failed by itself; id 0: none. */
struct deployment *row_deployment_tried(struct tx *tx, const char *environment, const char *commit,
    const char *tree, struct deployment *ret);

/* The same of actions there, whatever became of them, of that one alone ("": of all). */
size_t row_deployment_list_actions(struct tx *tx, const char *environment, const char *action,
    struct deployment *ret, size_t max);

/* Whoever asked for something lately (of the newest ROW_PEOPLE_OF), by the name that they had last
 * in a chat: nobody can write to an account of the machine.  The latest first; returns how many. */
#define ROW_PEOPLE_OF 200
struct row_person {
	int64_t person;
	char name[LIMIT_PERSON];
};
size_t row_deployment_list_people(struct tx *tx, struct row_person *ret, size_t max);

/* Other questions of pushes of the same commit in the same chat, asked since then and unanswered,
 * the oldest first; returns how many. */
size_t row_deployment_list_push_asked(
    struct tx *tx, const struct deployment *work, int64_t since, int64_t *ret, size_t max);

/* Where that person has deployed last (of the newest ROW_PEOPLE_OF works), the latest first.
 * Returns how many. */
size_t row_deployment_list_last(
    struct tx *tx, int64_t person, char ret[][LIMIT_ENVIRONMENT], size_t max);

/* Deployments not ended that this person has asked for (a cap on open requests). */
int64_t row_deployment_count_open(struct tx *tx, int64_t requested_by);
/* Those of which git has said nothing yet. */
int64_t row_deployment_count_requested(struct tx *tx, int64_t requested_by);

/* What its own run has warned people of, its first: a rollback that followed warns of something
 * else.  Returns ret: nothing where there is no run. */
const struct run_warnings *
row_deployment_warnings(struct tx *tx, int64_t deployment, struct run_warnings *ret);
