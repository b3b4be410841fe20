/* decide_aid.h - the world around the decisions: Telegram, git, the runner and the health URLs.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 *	WORLD_TEST_OF(what_is_asked_for_goes_live, "STAGING_HEALTH_URL=http://127.0.0.1:1/")
 *	{
 *		world_text(w, WORLD_ADMIN, "/deploy staging");
 *		world_git(w, (struct world_git){ .commit = COMMIT_A });	// answers the GIT_QUERY
 *		world_run_starts(w);
 *		world_run_ends(w, GOOD);
 *		world_probed(w, NULL);
 *		assert_non_null(world_says(w, "Live: staging"));
 *	}
 *
 * Messages and toasts are delivered at once and stand on `screen`; every other effect waits in
 * `open` until a test answers it.  Everything that fails here fails the test.
 */
#pragma once

#include <inttypes.h>

#include "store/row_deployment.h"
#include "store/row_environment.h"
#include "store/row_question.h"
#include "store_aid.h"
#include "unit.h"

#define WORLD_ADMIN	   11		  /* "@ada"; TELEGRAM_CHAT_ID is her private chat */
#define WORLD_OTHER_ADMIN  22		  /* "@bob" */
#define WORLD_STAGING_USER 33		  /* "@cy" */
#define WORLD_STRANGER	   99		  /* "@eve" */
#define WORLD_TEAM	   INT64_C(-1001) /* TELEGRAM_CHAT_ID: the team's chat */
#define WORLD_GROUP	   INT64_C(-1002) /* another group */

#define COMMIT_A "aaaaaaa1aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define COMMIT_B "bbbbbbb2bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define COMMIT_C "ccccccc3cccccccccccccccccccccccccccccccc"
#define COMMIT_D "ddddddd4dddddddddddddddddddddddddddddddd"

#define COMMIT_E "eeeeeee5eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
#define COMMIT_F "fffffff6ffffffffffffffffffffffffffffffff"

#define STAGING_URL "STAGING_HEALTH_URL=http://127.0.0.1:1/health"

/* How a run ends; untouched: it had released nothing. */
#define GOOD ((struct run_ended){ .gate_opened = true, .released = true })
#define FAILED_BEFORE_RELEASE \
	((struct run_ended){ .gate_opened = true, .exit_status = 65, .detail = "no such file" })
#define TOUCHED ((struct run_ended){ .gate_opened = true, .released = true, .exit_status = 1 })

#define FOLDER_GONE \
	((struct run_ended){ \
	    .folder_gone = true, .exit_status = -1, .detail = "its folder is not here" })

#define WORLD_OPEN    512
#define WORLD_SCREEN  512
#define WORLD_WRITTEN 5000 /* what is written has the id of its update, and this */

struct world_message {
	int64_t row;
	int64_t remote_id;
	int64_t chat;
	int64_t sends;
	bool is_gone;	/* deleted: it says nothing any more */
	bool is_silent; /* as it was sent first */
	bool is_alarm;
	bool is_answer;	  /* as it was sent last */
	int64_t reply_to; /* the platform's id */
	char *text;	  /* its head as it was sent last */
	struct buttons buttons;
};

struct world {
	struct store_aid aid;
	size_t n_open;
	struct effect *open[WORLD_OPEN]; /* handed out, not answered */
	int64_t withdrawn;		 /* the effect that was withdrawn last */
	size_t n_screen;
	struct world_message screen[WORLD_SCREEN];
	int64_t screen_remote[WORLD_SCREEN]; /* by row: the platform's id */
	char toast[LIMIT_TOAST * 4];	     /* the last one */
	bool is_alert;			     /* ... which stays until it is read */
	size_t n_toasts;
	int64_t next_update;
	int64_t next_remote;
	char *audit;			 /* the audit file, read by world_audited() */
	char counted[LIMIT_ENVIRONMENT]; /* outcome of the last deployment that was counted */
	char changes[96]; /* of the counter of changes, in order: " live:1 rolled_back:1" */
	char judged[16];		 /* answer of OPA's that was counted last */
	const char *settings;		 /* the runner's list; NULL: it says none */
	bool is_runner_slow;   /* a question for that list alone stays open, else it is answered */
	bool is_telegram_away; /* what is to be sent stays open, until world_telegram_back() */
	bool is_deletion_refused; /* of what was sent anew */
	bool is_health_quick;	  /* /status is held back for it; else it is sent at once */
	int64_t refuses[4];	  /* private chats that nobody has begun */
	size_t n_refused;	  /* messages to them */
};

/* Settings as "NAME=value", NULL behind the last: staging users, branches develop and main, the
 * team's chat are there. */
void world_open(struct world *w, ...);
void world_close(struct world *w);

/* A test with a world of its own, `w`, that is closed behind it also where it fails.
 * _OF: with these settings. */
#define WORLD_TEST(name)	 WORLD_TEST_(name, NULL)
#define WORLD_TEST_OF(name, ...) WORLD_TEST_(name, __VA_ARGS__, NULL)
#define WORLD_TEST_(name, ...) \
	static int name##_opens(void **state) \
	{ \
		return world_set_up(state, __VA_ARGS__); \
	} \
	WORLD_TEST_BETWEEN(name, name##_opens, world_tear_down)
/* ... whose body opens it. */
#define WORLD_TEST_BARE(name) WORLD_TEST_BETWEEN(name, world_set_up_none, world_tear_down)
#define WORLD_TEST_BETWEEN(name, set_up, tear_down) \
	TEST_OF(name, struct world *w, set_up, tear_down)
int world_set_up(void **state, ...) __attribute__((sentinel));
int world_set_up_none(void **state);
int world_tear_down(void **state);

/* The store's first event; rows are written by hand before it, and what was handed out is not
 * answered by anybody. */
void world_restart(struct world *w);
void world_rewrite(struct world *w, const char *sql);

/* All that was held up is sent, in its order. */
void world_telegram_back(struct world *w);

/* How much of what was refused stands in the audit by now, or is counted for it. */
int64_t world_refusals(struct world *w) MUST_USE;

/* What waits for git or health is sent as it is: the moment in which they mostly answer is over. */
void world_moment(struct world *w);

/* From the next event on, these settings and no others (but those that are always there). */
void world_settings(struct world *w, ...);

/* From then on there is an application of that name (its settings, a line each, beside its
 * repository and the hosts of staging and production, if these are its ENVIRONMENTS), and none
 * without a name. */
void world_application(struct world *w, const char *name, const char *text);

/* Decides the event and delivers what is said. */
struct answer world_decide(struct world *w, struct event *event);

/* Runs act() as the only decision of a batch, and delivers what is said. */
void world_act(struct world *w, void (*act)(struct tx *tx, void *arg), void *arg);

/* The number of root as a role of the main file, who is let in with it. */
int64_t world_root(struct world *w, const char *role);

/* What people do: in the group WORLD_GROUP, unless a chat is given. */
struct answer world_text(struct world *w, int64_t person, const char *text);
struct answer world_text_in(struct world *w, int64_t person, int64_t chat, const char *text);
/* ... which is answered once, whatever comes of it; a stranger's once at most: they may flood. */
struct answer world_press(struct world *w, int64_t person, int64_t chat, const char *button);

/* Git finds that commit on develop, which was pushed. */
void world_push_is_at(struct world *w, const char *commit);
/* The settings were read again. */
void world_settings_read(struct world *w);
/* The program has started with a database that somebody restored. */
void world_restored(struct world *w);
/* Writes apps/NAME.env below the world's folder. */
void world_application_file(struct world *w, const char *name, const char *text);

/* ... and the latest message with that part is there: it may be of before. */
#define world_answers(w, person, text, part) \
	((void)world_text(w, person, text), assert_non_null(world_says(w, part)))

/* ... and it is the latest, its marks aside. */
#define world_answers_last(w, person, text, part) \
	((void)world_text(w, person, text), \
	    assert_non_null(strstr(world_plain(world_last(w)), part)))

/* What is typed asks git, which finds that commit. */
void world_asks(struct world *w, int64_t person, const char *text, const char *commit);
void world_asks_in(
    struct world *w, int64_t person, int64_t chat, const char *text, const char *commit);

/* An update with a fresh id, to be changed and decided. */
struct event *world_update(struct world *w, enum update_kind kind, int64_t person, int64_t chat);

/* A push of a branch; every one has an id and a body of its own. */
struct event *world_push(struct world *w, const char *branch);

/* The oldest open effect of a kind: peeked at, or taken (the caller owns it).  NULL: none. */
struct effect *world_peek(struct world *w, enum effect_kind kind);
struct effect *world_take(struct world *w, enum effect_kind kind);
/* Of what probes behind an end, which world_looked() answers; the others pass it by. */
struct effect *world_peek_look(struct world *w);
size_t world_count(const struct world *w, enum effect_kind kind);

/* The oldest TIMER of a kind comes due. */
void world_due(struct world *w, enum timer_kind kind);
/* ... of that kind and work; 0: of none. */
void world_due_of(struct world *w, enum timer_kind kind, int64_t work);

/* What git says to the oldest GIT_QUERY; what is left out is what a good branch has. */
struct world_git {
	const char *commit;
	const char *subject;
	const char *ref;
	const char *contains; /* one of the blocked commits that were asked about */
	bool is_off_branch;
	const char *branch_commit; /* NULL: `commit` */
	bool is_force_push;
	int count;
	bool lacks_after;
	bool is_untouched;     /* nothing in PATHS differs */
	const char *untouched; /* a pattern that asks for more approvals */
	const char *missing;   /* what a release will not have */
	const char *image;     /* of it */
	const char *tree;      /* of its files; NULL: git does not say */
	const char *barrier;   /* why nobody rolls back past it */
	const char *past[2];   /* commits of the live one that it goes back past */
	bool no_history;       /* whether that is so is not known */
	const char *error;     /* the ref is none of the repository */
	bool is_unreachable;
};
void world_git(struct world *w, struct world_git git);
void world_git_at(struct world *w, const char *commit);
void world_git_all_at(struct world *w, const char *commit); /* as long as one is open */
/* In private that person sends an archive under that text, and it is fetched where that is ordered:
 * its digest begins with WORLD_UPLOADS, as no commit does here.  The runner has unpacked it. */
#define WORLD_UPLOADS "0123"
void world_archive(struct world *w, int64_t person, const char *text, const char *digest);
void world_unpacked(struct world *w, const char *tree);
/* The oldest question for the runner's list alone is answered. */
void world_settings_listed(struct world *w);
/* All is as the question that was confirmed has shown it. */
void world_git_same(struct world *w);
void world_git_heads(struct world *w, const char *develop, const char *main_branch);
/* The poll comes due, and finds these. */
void world_polled(struct world *w, const char *develop, const char *main_branch);

/* The oldest open run: its script waits at its gate (returns the answer), says a step, ends. */
int world_run_starts(struct world *w);
void world_run_step(struct world *w, int n, const char *name);
void world_run_ships(struct world *w, int n, const char *name, const char *image);
void world_run_incompatible(struct world *w);
void world_run_lost(struct world *w);
/* The runner refuses it where it is bound to another list than `settings`. */
void world_run_refused(struct world *w);
void world_run_ends(struct world *w, struct run_ended ended);
/* It starts, and ends so. */
void world_run_plays(struct world *w, struct run_ended ended);
/* It says its step "release", and ends so. */
void world_run_releases(struct world *w, struct run_ended ended);
/* It ends GOOD, and what it has brought is well, or is not because of `failure`. */
void world_run_is_probed(struct world *w, const char *failure);

/* What Cloudflare is asked, "get" or the level that is to be set, and its answer. */
void world_cloudflare(struct world *w, const char *asked, const struct cloudflare_answer *answer);

/* So many entries of the audit, in decisions that look whether they are to go out. */
void world_writes_entries(struct world *w, int64_t n);

/* What a PUT to the audit's witness came to. */
/* GitHub says which runs there are of the commit that it was asked about; or why not. */
void world_github_runs(struct world *w, const struct pipeline_run *runs, size_t n, const char *why);
/* Its webhook says so of one; returns the answer's status. */
int world_workflow_says(struct world *w, const struct pipeline_run *run);
/* ... and what failed in the run that it was asked about. */
void world_github_failure(struct world *w, const char *details);
/* ... and what it could not deliver; its list goes with the effect. */
void world_github_deliveries(struct world *w, const struct github_deliveries_read *read);

/* What GitHub says to the oldest FORGE_ANSWER, FORGE_START, FORGE_STOP or FORGE_LOOK. */
void world_forge(struct world *w, enum effect_kind kind, const struct forge_said *said);

/* What becomes of the oldest VAULT_LEND or VAULT_REVOKE. */
void world_vault(struct world *w, enum effect_kind kind, const struct vault_said *said);

void world_witnessed(struct world *w, const struct witness_answer *answer);

/* Every target of the oldest probe is well, or none is because of `failure`. */
void world_probed(struct world *w, const char *failure);
/* The same of the oldest that asks behind an end. */
void world_looked(struct world *w, const char *failure);
void world_looked_but(struct world *w, size_t well, const char *failure);
/* The first ones, so many, are well. */
void world_probed_but(struct world *w, size_t well, const char *failure);
/* Healthy, and the last of its URLs says that this commit runs. */
void world_probed_as(struct world *w, const char *commit);

/* The latest message whose text has this in it, its marks aside; NULL: none. */
struct world_message *world_says(struct world *w, const char *part);
struct world_message *world_says_in(struct world *w, int64_t chat, const char *part);
struct world_message *world_last(struct world *w);
/* The same without its marks, to compare with; valid until the next call. */
const char *world_plain(const struct world_message *message);

/* How many messages have made a sound. */
size_t world_rings(const struct world *w);

/* ... that chat's; how many there have this in them. */
size_t world_rings_in(const struct world *w, int64_t chat);
size_t world_says_times(const struct world *w, int64_t chat, const char *part);

/* All labels, " | " between; valid until the next call. */
const char *world_labels(const struct world_message *message);

/* The question behind the button whose label has this in it; "" none. */
const char *world_button(const struct world_message *message, const char *label);

/* What the first button whose label has this in it puts on the clipboard; "" none. */
const char *world_copies(const struct world_message *message, const char *label);

/* Rows. */
struct deployment world_deployment(struct world *w, int64_t id);
struct deployment world_newest(struct world *w, const char *environment);
/* What was shown of the newest. */
struct question world_question(struct world *w, const char *environment);
struct deployment world_active(struct world *w, const char *environment);
struct environment world_environment(struct world *w, const char *name);
/* The blocked commits, newest first, a blank between; valid until the next call. */
const char *world_blocked(struct world *w, const char *environment);
/* How many commits are known to contain a blocked one. */
int64_t world_contained(struct world *w);
enum deploy_state world_state(struct world *w); /* of the newest in staging */

/* How many audit entries have both in their line (second may be NULL). */
size_t world_audited(struct world *w, const char *first, const char *second);

/* An act for world_act(): that environment (`arg`) may be down. */
void world_set_down(struct tx *tx, void *arg);

/* Without a deployment: a release of COMMIT_A there, or of COMMIT_B behind one; NULL: in each
 * environment of the settings. */
void world_released(struct world *w, const char *environment);

/* Short cuts: /deploy staging of that commit, up to the run; and all of it, live. */
void world_deploy_starts(struct world *w, const char *commit);
void world_deploy_goes_live(struct world *w, const char *commit);
/* Both, one after the other.  A, B and C.  The second only starts. */
void world_two_go_live(struct world *w, const char *first, const char *second);
void world_three_go_live(struct world *w);
void world_starts_over(struct world *w, const char *live, const char *commit);
/* What is typed asks for a rollback, where several releases are offered to the newest of them; the
 * question, or it without its marks. */
struct world_message *world_rollback_asks(struct world *w, const char *text);
const char *world_rollback_says(struct world *w, const char *text);
/* ... it is confirmed, and goes live. */
void world_rolls_back(struct world *w, const char *text);
/* Opens a world where A is live in staging, and B has begun. */
void world_b_over_a(struct world *w, const char *url);
