/* row_environment.h - what runs in each environment, and what was seen of its branch.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "deployment/deployment.h"
#include "store/tx.h"

/* The row, or an empty one of that name where there is none yet.  previous: what was live before,
 * or, where a rollback left that, the release before it. */
struct environment *row_environment_get(struct tx *tx, const char *name, struct environment *ret);

/* This head of its branch is acted on.  announced: what git was asked for was announced, "" where
 * nothing was; another than this one is still to come, also where it was seen before that. */
void row_environment_set_seen(
    struct tx *tx, const char *name, const char *commit, const char *announced);

/* Nothing follows from the head that was seen: it is `count` commits ahead of what is live, none of
 * which changes something in PATHS. */
void row_environment_set_skipped(struct tx *tx, const char *name, int64_t count);

/* Git has said that this is the head of its branch; and that it is so many commits ahead of what
 * is live. */
void
row_environment_set_head(struct tx *tx, const char *name, const char *branch, const char *commit);
/* A push of that commit was announced: which block was the newest then is noted, once.  Of
 * several that were not seen yet, or wait for the end of what holds them, the last is kept, with
 * the oldest of their blocks: it may be any of them that git shows.  job_run: of the workflow that
 * has announced it, of which the newest of its forge is noted (JOB_RUN_BITS); 0: none has.  commit
 * "": that alone.  came_at: wall ms, where its forge could not say it then; 0: now. */
void row_environment_set_announced(
    struct tx *tx, const char *name, const char *commit, int64_t job_run, int64_t came_at);

/* A push that was to start, or asked, waits from now on: `block` was the newest when it came; 0:
 * its question showed newer ones, and nobody can know any more. */
void row_environment_hold_announced(
    struct tx *tx, const char *name, const char *commit, int64_t block);
void row_environment_count_head(struct tx *tx, const char *name, const char *base, int64_t count);

/* Polling knows of this head, and nothing follows from it. */
void row_environment_set_polled(struct tx *tx, const char *name, const char *commit);

/* Polls of its repository fail since then (wall ms); 0: git answers. */
void row_environment_set_poll_failing(struct tx *tx, const char *name, int64_t since);

/* Locks and freezes: what there is at this look (ENVIRONMENT_IS_…); a push waits for their end, by
 * whom, and which commit of a job ("": the branch's head); they have ended: its head was not seen.
 */
void row_environment_set_held(struct tx *tx, const char *name, unsigned held);
void row_environment_set_waiting(
    struct tx *tx, const char *name, const char *pushed_by, const char *commit);
void row_environment_free_push(struct tx *tx, const char *name);

/* The name that follows, of those that were held at the last look, or have a push that waits; ""
 * begins.  False: that was the last. */
bool row_environment_next_held(struct tx *tx, char name[LIMIT_ENVIRONMENT]) MUST_USE;

/* An automatic rollback ended: it is unacknowledged until somebody has seen it, or something goes
 * live. */
void row_environment_rolled_back(struct tx *tx, const char *name);

/* Somebody has seen that. */
void row_environment_acknowledge(struct tx *tx, const char *name);

/* The target was touched and nothing brought it to a known state: no rollback is unacknowledged. */
void row_environment_down(struct tx *tx, const char *name);

/* Which trouble others were notified of, and who of "down": decide_notify.h.  "": it is over. */
void row_environment_set_notified(struct tx *tx, const char *name, const char *notified);
const char *row_environment_notified(struct tx *tx, const char *name, char *ret, size_t room);

/* Nobody has seen how that work left it, and so many reminders were due; work 0: somebody has. */
void row_environment_set_unseen(struct tx *tx, const char *name, int64_t work, int n_nags);

/* What runs there is not known from now on, or is known again: whoever may said so. */
void row_environment_set_unknown(struct tx *tx, const char *name, const char *why);
void row_environment_set_known(struct tx *tx, const char *name);

/* The name that follows, of all that have a row, or work that is queued or in progress, also those
 * that the settings have no more; "" begins.  False: that was the last. */
bool row_environment_next(struct tx *tx, char name[LIMIT_ENVIRONMENT]) MUST_USE;
/* Those with work that has not ended, behind `after` in their order, at most max of them; returns
 * how many. */
size_t row_environment_list_open(
    struct tx *tx, const char *after, char ret[][LIMIT_ENVIRONMENT], size_t max);

/* Those that a person is to look at first: down, not known, in progress, with something queued, in
 * this order; at most max of them.  Returns how many. */
size_t row_environment_list_first(struct tx *tx, char ret[][LIMIT_ENVIRONMENT], size_t max);

/* Was nothing ever released there, has no gate ended, and is nothing wrong with it? */
bool row_environment_is_empty(struct tx *tx, const char *name);

/* A new release is live: a release row, current and previous move on, its block, alarm and doubt
 * end.  The environment's state file follows after the commit.  release->origin: of the release
 * that is brought back, 0: of none.  id and number are ignored; returns the id. */
int64_t row_environment_release(struct tx *tx, const struct release *release);

/* The number of the release that is live there, for who is no decision; 0: none is, or it cannot be
 * read (NULL). */
int64_t row_environment_live(struct db *db, const char *name);

/* Latest releases, newest first; returns how many (<= max). */
size_t row_release_list(struct tx *tx, const char *environment, struct release *ret, size_t max);

/* By number, or by commit prefix (>= 7 hex) the newest; id 0: none.  wanted: as a person typed. */
struct release row_release_find(struct tx *tx, const char *environment, const char *wanted);

/* What that commit was when it was released there; git where it never was. */
enum commit_source row_release_source(struct tx *tx, const char *environment, const char *commit);

/* The newest there of another commit that the same prefix fits, where `release` was found by one;
 * id 0: none. */
struct release
row_release_find_twin(struct tx *tx, const struct release *release, const char *wanted);

struct release_live {
	char commit[LIMIT_COMMIT];
};

/* The commits that were live there, the last first, each once; returns how many. */
size_t
row_release_list_live(struct tx *tx, const char *environment, struct release_live *ret, size_t max);

/* By id; id 0: none. */
struct release row_release_get(struct tx *tx, int64_t id);

/* Where a rollback from `commit` may go: those of another commit that no rollback left, and whose
 * commit is not blocked (an earlier release of it may have been left by none), and which were not
 * removed; the newest of each commit, newest first; returns how many. */
size_t row_release_list_earlier(
    struct tx *tx, const char *environment, const char *commit, struct release *ret, size_t max);

/* The releases that do not run any more after a rollback from `live` to `to`, the newest of each
 * commit, newest first; returns how many. */
size_t row_release_list_gone(struct tx *tx, const struct release *to, const struct release *live,
    struct release *ret, size_t max);

/* What nobody rolls back past of the releases behind `to`, up to `live`: the newest first, at most
 * BARRIERS_SHOWN.  One that a rollback brought back has the barrier of what it is of. */
size_t row_release_list_barriers(struct tx *tx, const struct release *to,
    const struct release *live, struct barrier ret[BARRIERS_SHOWN]);

/* The migration that was begun last behind the one of the release that `to` is of, or with it, and
 * before that run of a rollback, if it is not 0; n counts them.  n 0: none was. */
struct migration_behind row_release_migration_behind(
    struct tx *tx, const char *environment, int64_t run, const struct release *to);

/* A script of that environment has removed what those need to be brought back: `what` is as
 * deployment_removed() has it.  An image is one of all environments of its application. */
void row_release_removed(struct tx *tx, const char *environment, const char *what);

/* A rollback brought `now` live: what is newer than the release that it is of was left by it. */
void row_release_leave(struct tx *tx, const struct release *now);

/* The release that had this number before they were counted for each environment, if that was not
 * before `since` and it has another one now; id 0: none. */
struct release
row_release_renumbered(struct tx *tx, const char *environment, const char *wanted, int64_t since);

/* The number of the release that a deployment made last; 0: none. */
int64_t row_release_number(struct tx *tx, const struct deployment *deployment);

/* Was what it released rolled back? */
bool row_release_is_left(struct tx *tx, const struct deployment *deployment);

/* When another one went live in its place; 0: it is live, or there is none. */
int64_t row_release_until(struct tx *tx, const struct deployment *deployment);

/* How long step `name` (or the whole deployment: "") took lately in this environment: the median
 * of at most 5 live deployments, in ms; 0: not known. */
int64_t row_step_estimate(struct tx *tx, const char *environment, const char *name);
