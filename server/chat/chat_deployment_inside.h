/* chat_deployment_inside.h - what the texts of a deployment's message share, for these files alone.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "chat/chat_deployment.h"
#include "chat/chat_first.h"
#include "chat/chat_hosts.h"
#include "chat/chat_text.h"

/* In the place of author and branch. */
#define CHAT_NOT_FROM_GIT "as it was sent, not from git"

/* Its commit (what was asked for, before git has answered) and that one's subject. */
void chat_deployment_commit(
    struct chat_text *text, const char *before, const struct deployment *deployment);

/* What was asked for: a branch, or a commit by its first digits. */
void chat_deployment_ref(
    struct chat_text *text, const char *before, const struct deployment *deployment);

/* The commit and subject in a first line: the subject stands first, and is cut. */
void chat_deployment_what(
    struct chat_text *text, const char *before, const struct deployment *deployment);

/* How git came to show what nobody is known to have pushed. */
const char *chat_deployment_found(const struct deployment *deployment);

/* A line: who wrote it, who asked for it, who confirmed it. */
void chat_deployment_requester(struct chat_text *text, const struct deployment *deployment);

/* Why no approval, lock or freeze holds it, and who has reviewed that; nothing where they do. */
void chat_deployment_emergency(
    struct chat_text *text, const char *before, const struct deployment *deployment);

/* Before it runs: which image it will have, or where that comes from. */
void chat_deployment_shown_image(struct chat_text *text, const struct chat_deployment *about);

/* A line: what it brings, and since when that was live where.  Nothing where it is no promotion. */
void chat_deployment_promotion(struct chat_text *text, const struct chat_deployment *about);

/* What its release will not have.  Not of a rollback: its release is as it was. */
void chat_deployment_missing(struct chat_text *text, const struct deployment *deployment);

/* Does it bring what is live to hosts that do not run it, and to no other? */
bool chat_deployment_is_to_hosts(const struct chat_deployment *about);

/* Where it is in waves: how many hosts of its environment run that commit. */
struct host_share
chat_deployment_share(const struct chat_deployment *about, const char *commit);

/* Lines: which wave of it is in hand, on how many hosts it is, and which of them failed. */
void chat_deployment_waves(struct chat_text *text, const struct chat_deployment *about);

/* What its script has warned of: the first `max`, in code, in which nothing is a link, a mention or
 * a word of ours, and how many more the log has.  Of a question what that of the live release has:
 * it is most likely so still. */
#define WARNINGS_SHOWN 3 /* /show has more */
int64_t chat_deployment_count_warnings(const struct chat_deployment *about);
void
chat_deployment_warnings(struct chat_text *text, const struct chat_deployment *about, size_t max);
void chat_deployment_warned_live(struct chat_text *text, const struct chat_deployment *about);

/* Behind a script's name, and its exit status before that: what it says. */
const char *chat_deployment_without_script(const char *line);

/* Why it ended so, between `before` and `behind`; nothing where there is no reason. */
enum why_how {
	WHY_WHOLE,    /* "unhealthy: HTTP 500" */
	/* Nothing of a failed migration, which the story tells in its own words; else without the
	 * script's name and exit status. */
	WHY_IN_STORY,
	WHY_BRIEF     /* cut, and what was measured speaks for itself: "HTTP 500", "exit 70: …" */
};
void chat_deployment_why(struct chat_text *text, const char *before,
    const struct deployment *deployment, const char *behind, enum why_how how);

/* What changed meanwhile and is no reason to ask again. */
void chat_deployment_note(struct chat_text *text, const struct deployment *deployment);

/*
 * What is shown to whoever has to say yes, in this order: each part adds what applies, or nothing.
 * The question and the request for approvals have all of them: nobody who is asked sees less than
 * another.  P(name, of a deployment, a rollback, an action, a gate?, who adds it)
 */
#define CHAT_SHOWN(P) \
	P(to_release,      0, 1, 0, 0, add_to_release)                   /* what it brings back */ \
	P(without,         0, 1, 0, 0, add_without)                      /* hosts it leaves */ \
	P(action,          0, 0, 1, 1, chat_action_about)                /* what it does */ \
	P(image,           1, 1, 0, 0, add_image) \
	P(requester,       1, 1, 1, 1, add_requester) \
	P(missing,         1, 1, 1, 0, add_missing)                      /* of its release */ \
	P(odd,             1, 0, 0, 1, add_odd)                          /* older than live */ \
	P(block,           1, 1, 0, 1, add_block)                        /* its own commit */ \
	P(contained,       1, 0, 0, 1, add_contained)                    /* in its history */ \
	P(past,            1, 0, 0, 0, chat_deployment_past)             /* goes past barriers */ \
	P(barriers,        1, 1, 0, 0, add_barriers)                     /* sets them */ \
	P(past_migration,  0, 1, 0, 0, chat_deployment_past_migration)   /* its database */ \
	P(passed,          1, 0, 0, 0, add_passed)                       /* by an emergency */ \
	P(holds,           1, 0, 1, 1, add_holds)                        /* locks and freezes */ \
	P(warning,         1, 1, 1, 1, add_warning)                      /* of its zone */ \
	P(absent,          1, 1, 1, 0, add_absent)                       /* agents, its runner */ \
	P(draining,        1, 1, 0, 0, chat_deployment_draining)         /* connections, closed */ \
	P(ahead,           1, 1, 1, 1, add_ahead)                        /* in progress there */ \
	P(before,          1, 0, 0, 0, chat_deployment_before)           /* what is wrong there */ \
	P(warned_live,     1, 1, 0, 0, chat_deployment_warned_live)      /* by what is live */ \
	P(ci,              1, 0, 0, 0, add_ci)                           /* as GitHub has it */ \
	P(runs_first,      1, 0, 0, 0, chat_deployment_runs_first)       /* before the release */ \
	P(planned,         1, 0, 0, 0, add_planned)                      /* its waves */ \
	P(ran,             1, 0, 0, 1, chat_deployment_ran)              /* elsewhere */ \
	P(replaces,        1, 0, 0, 1, chat_deployment_replaces)         /* what is live */ \
	P(changes,         1, 0, 0, 1, add_changes)                      /* as git has them */ \
	P(link,            1, 0, 0, 1, add_link) \
	P(rollback_target, 1, 0, 0, 0, chat_deployment_rollback_target)  /* if it fails */ \
	P(unprobed,        1, 1, 0, 0, add_unprobed)                     /* no health check */ \
	P(note,            1, 1, 1, 1, add_note)

void chat_deployment_shown(struct chat_text *text, const struct chat_deployment *about);

/* Stands in front of all that: what runs in the environment is not known. */
void chat_deployment_doubted(struct chat_text *text, const struct chat_deployment *about);

/* Lines of a question: what runs before its release, and what it rolls back past. */
void chat_deployment_runs_first(struct chat_text *text, const struct chat_deployment *about);
void chat_deployment_past(struct chat_text *text, const struct chat_deployment *about);

/* What drains there, and has to make room for it. */
void chat_deployment_draining(struct chat_text *text, const struct chat_deployment *about);

/* What its question warns of, where it is not what it is asked anew for. */
void chat_deployment_warning(struct chat_text *text, const struct chat_deployment *about);

/* Three lines, "1. /logs …", "2. /rollback …", "3. /deploy … with a fix", and the runbook (NULL:
 * none): where to look first.  The newest commit is often what has just failed.  back: what the
 * second asks about, id 0 or NULL: there is nothing, or something forbids it. */
void chat_deployment_next_step(struct chat_text *text, const struct environment *environment,
    const struct release *back, const char *runbook);

/* "staging may be DOWN", "what runs in staging is not known", and `then`; what is on record is no
 * news of what runs: "last live: ", "last known: ", with the commit, or "no release yet". */
void chat_deployment_doubt(
    struct chat_text *text, const struct environment *environment, const char *then);
#define AS_BEFORE ", as before; " /* of what changed nothing */

/* It is not of the branch, or the live commit is not in its history. */
void chat_deployment_odd(
    struct chat_text *text, const struct deployment *deployment, bool says_force_push);

/* What is live, and would not be any more. */
void chat_deployment_replaces(struct chat_text *text, const struct chat_deployment *about);

/* Of an action (chat_deployment_action.c): what its question begins with, while it runs, how it
 * ended. */
void chat_action_asked(struct chat_text *text, const struct deployment *action);
void chat_action_progress(struct chat_text *text, const struct chat_deployment *about);
void chat_action_end(struct chat_text *text, const struct chat_deployment *about);
/* What an action does, what it touches, and where: it may have another name than its target. */
void chat_action_about(struct chat_text *text, const struct chat_deployment *about);

/* Which row of first.def its message begins with; of its question where that stands alone. */
enum chat_first chat_first_of(const struct chat_deployment *about);
enum chat_first
chat_first_of_question(const struct deployment *deployment, bool is_to_hosts);

/* The first line of one that has ended, or is rolled back: outcome, environment, subject. */
void chat_deployment_first(struct chat_text *text, const struct chat_deployment *about);

/* What runs there is not known since the end that this is about. */
bool chat_deployment_is_unknown(const struct chat_deployment *about);

/* It was killed before its release, behind the start of what nothing has ended. */
bool chat_deployment_is_left(const struct chat_deployment *about);

/* The name of the step that its run came to; "": none. */
const char *chat_deployment_last_step(const struct chat_deployment *about);

/* What it said last, at most so many lines; nothing where that is the reason that was said. */
#define TAIL_WHOLE   SIZE_MAX
#define TAIL_FAILURE 5
void
chat_deployment_tail(struct chat_text *text, const struct chat_deployment *about, size_t lines);

/* The last lines that the application itself had logged, where there are some to be shown. */
void chat_deployment_application_log(struct chat_text *text, const struct chat_deployment *about);

/* The steps of one that has ended, folded away; those that took no time are left out. */
void chat_deployment_folded(struct chat_text *text, const struct chat_deployment *about);

/* The release that it is rolled back to: a commit's first digits, or what has none. */
void chat_deployment_previous(
    struct chat_text *text, const char *before, const struct deployment *deployment);

/* A line: what its release failed in; nothing where it is not rolled back for that. */
void chat_deployment_failed_step(struct chat_text *text, const struct chat_deployment *about);

/* Its steps so far, of many the last few; how long it took, and the audit's head. */
void chat_deployment_steps(struct chat_text *text, const struct chat_deployment *about);
void chat_deployment_took(struct chat_text *text, const struct chat_deployment *about);

/* FAILED behind the begin of a migration: what runs there, without a mark.  And of what came later,
 * a line of its own: the database is not rolled back; nothing where none was begun. */
void chat_deployment_migration_failed(struct chat_text *text, const struct chat_deployment *about);
void chat_deployment_behind_migration(struct chat_text *text, const struct chat_deployment *about);
/* The same in one line, where no more than the work's own row is at hand. */
void chat_migration_stays(struct chat_text *text, const struct deployment *deployment);

/* Of a person's rollback, a line: on which database its release would serve, or does. */
void chat_deployment_past_migration(struct chat_text *text, const struct chat_deployment *about);

/* A line: when a question ends that nobody has answered. */
void chat_deployment_until(struct chat_text *text, const struct chat_deployment *about);

/* Lines of a question: what its files came to elsewhere, and the release to roll back to. */
void chat_deployment_ran(struct chat_text *text, const struct chat_deployment *about);
void chat_deployment_rollback_target(struct chat_text *text, const struct chat_deployment *about);

/* Lines of a rollback's question: the commits that go with it. */
void chat_deployment_gone_commits(struct chat_text *text, const struct chat_deployment *about);

/* AWAITING_CONFIRMATION. */
void chat_deployment_question(struct chat_text *text, const struct chat_deployment *about);

/* AWAITING_APPROVAL, and how that ends without one. */
void chat_deployment_approval(struct chat_text *text, const struct chat_deployment *about);
void chat_deployment_expired(struct chat_text *text, const struct chat_deployment *about);
void chat_deployment_rejected(struct chat_text *text, const struct chat_deployment *about);

/* One that has ended (chat_deployment_end.c). */
void chat_deployment_end_live(struct chat_text *text, const struct chat_deployment *about);
void chat_deployment_end_failed(struct chat_text *text, const struct chat_deployment *about);
void chat_deployment_end_rolled_back(struct chat_text *text, const struct chat_deployment *about);
void
chat_deployment_end_rollback_failed(struct chat_text *text, const struct chat_deployment *about);
/* A failure left its environment down, until a release was live there. */
void chat_deployment_over(struct chat_text *text, const struct chat_deployment *about);
void chat_deployment_end_refused(struct chat_text *text, const struct chat_deployment *about);
void chat_deployment_end_cancelled(struct chat_text *text, const struct chat_deployment *about);
void chat_deployment_end_expired(struct chat_text *text, const struct chat_deployment *about);
void chat_deployment_end_superseded(struct chat_text *text, const struct chat_deployment *about);

/* A line, where nothing asks for its health. */
void chat_deployment_unprobed(struct chat_text *text, const struct deployment *deployment);
