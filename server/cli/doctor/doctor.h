/* doctor.h - what the examinations of `deploybot doctor` share: findings, and waiting for all.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <limits.h>
#include <stdio.h>

#include "lib/base.h"
#include "types/limits.h"

struct cli;
struct client_settings;
struct db;
struct loop;
struct settings;
struct settings_report;

#define DOCTOR_PATIENCE_MS  5000 /* one question to somebody else */
#define DOCTOR_FINDINGS_MAX 192

enum doctor_level { DOCTOR_OK, DOCTOR_NOTE, DOCTOR_WARNING, DOCTOR_ERROR };

/* In the order they are printed, those of a level. */
enum doctor_subject {
	DOCTOR_SETTINGS,
	DOCTOR_FILES,
	DOCTOR_STORE,
	DOCTOR_CLOCK,
	DOCTOR_TELEGRAM,
	DOCTOR_WEBHOOKS,
	DOCTOR_RUNNER,
	DOCTOR_GIT,
	DOCTOR_GITHUB,
	DOCTOR_VAULT,
	DOCTOR_OPA,
	DOCTOR_PROMETHEUS,
	DOCTOR_TARGETS,
	DOCTOR_HEALTH,
	DOCTOR_OUTBOUND,
	DOCTOR_CLIENTS,
	DOCTOR_LINK,
	DOCTOR_ANSIBLE,
	DOCTOR_PRODUCTION,
	DOCTOR_SUBJECT_COUNT
};

struct doctor_finding {
	enum doctor_subject subject;
	enum doctor_level level;
	char text[400];
};

#define DOCTOR_ENDS_MAX 15

struct doctor {
	struct loop *loop;
	struct settings *settings;
	const struct cli *cli;
	struct db *db; /* NULL: it is not there, or cannot be read */
	unsigned open; /* questions without an answer yet */
	size_t count;
	struct doctor_finding findings[DOCTOR_FINDINGS_MAX];
	size_t n_ends;
	struct doctor_end {
		void (*end)(void *ctx);
		void *ctx;
	} ends[DOCTOR_ENDS_MAX];
};

/* Notes a finding: what is the case and, for a warning or an error, what to do. */
void doctor_say(struct doctor *doctor, enum doctor_subject subject, enum doctor_level level,
    const char *fmt, ...) PRINTF(4, 5);
#define TELL(doctor, subject, level, ...) \
	doctor_say((doctor), DOCTOR_##subject, DOCTOR_##level, __VA_ARGS__)

/* What was found in the settings, as findings. */
void doctor_say_settings(
    struct doctor *doctor, const struct settings_report *report, enum doctor_level removed);

size_t doctor_count(const struct doctor *doctor, enum doctor_level level);

/* Lines of at least that level, the worst last, coloured on a terminal (NO_COLOR: never). */
void doctor_print(const struct doctor *doctor, enum doctor_level least, FILE *out);

/* One object on one line: "ok", "file", counts, and the findings with level, subject and text.
 * False: it could not be written. */
bool doctor_print_json(const struct doctor *doctor, FILE *out) MUST_USE;

/* A question was asked; its answer (or its deadline) came.  The last answer ends the loop. */
void doctor_asked(struct doctor *doctor);
void doctor_answered(struct doctor *doctor);

/* Called when all have answered, the last first: ends and frees what a question was asked with. */
void doctor_at_end(struct doctor *doctor, void (*end)(void *ctx), void *ctx);
void doctor_end(struct doctor *doctor);

/* --- examinations --- */

/* Opens the database, for all that ask it too.  At once. */
void doctor_database(struct doctor *doctor);

/* Settings, paths, scripts, keys, disk, database: at once. */
void doctor_local(struct doctor *doctor);

/* Where the server connects to by itself (outbound.def): at once. */
void doctor_outbound(struct doctor *doctor);

/* It was started here before, and does not run now. */
bool doctor_is_stopped(const struct settings *settings);

/* The transport's file, the port: at once, and for check-config too. */
void doctor_machine(struct doctor *doctor);

/* Typed by root: may the server's user, whose the audit log's folder is, read the settings and open
 * the database?  Not of a file that --env-file names.  At once, and for check-config too. */
void doctor_readers(struct doctor *doctor);

/* Whether certbot can renew the webhooks' certificate: at once. */
void doctor_renewal(struct doctor *doctor);

/* Approvals that nobody could give: at once, and for check-config too.  Approvers to whom the bot
 * may not write. */
void doctor_approvals(struct doctor *doctor);
void doctor_approvers(struct doctor *doctor);
/* What /do acts on: all of it, or that one.  At once. */
void doctor_clients(struct doctor *doctor, const struct client_settings *only);
/* Nobody has a second factor: may somebody pass all approvals without one? */
void doctor_emergency(struct doctor *doctor);

/* Asynchronous ones: start them, run the loop, end. */
void doctor_telegram(struct doctor *doctor);
void doctor_http(struct doctor *doctor); /* health URLs, the clock */
void doctor_git(struct doctor *doctor);	 /* the runner, git */

/* The APIs of GitHub and GitLab: the App's key or the token, each repository, and which permission
 * or scope is missing; and whether the keys can be had by which tokens of jobs are checked. */
void doctor_forges(struct doctor *doctor);

/* Vault, where it is asked: how it stands, our own token, the role that lends, and of each secret
 * whether what is lent could read it. */
void doctor_vault(struct doctor *doctor);

/* OPA, where it is asked: does it say no to what every policy says no to? */
void doctor_opa(struct doctor *doctor);

/* Each target, asked by the runner as a deployment does before it begins. */
void doctor_targets(struct doctor *doctor);

/* As whom the runner works: who owns the folder `runs`, or that of the state; *ret_is_ours: that is
 * us.  "": that user has no name.  False: there is no such folder yet. */
bool doctor_runner_user(
    const struct settings *settings, bool *ret_is_ours, char user[LIMIT_PERSON]) MUST_USE;

/* How the runner, whose program is beside ours, asks an environment's target, as that user, whom
 * root becomes; "": as we are.  The texts are borrowed. */
struct doctor_preflight {
	char runner[PATH_MAX], user[LIMIT_PERSON];
	const char *argv[10];
};
void doctor_preflight(struct doctor_preflight *ask, const char *environment, const char *env_file);

/* Who listens there: "by nginx (process 12)", as far as our user may see it. */
#define DOCTOR_WHO 128
void doctor_port_who(const char *address, int port, char out[DOCTOR_WHO]);
/* Does a process that has that file open?  As far, too. */
bool doctor_port_is_of(const char *address, int port, const char *file) MUST_USE;
/* Does anybody?  Does anybody but root? */
bool doctor_port_is_taken(const char *address, int port) MUST_USE;
bool doctor_port_is_users(const char *address, int port) MUST_USE;

/* Is what stands there out of others' reach, a secret also out of their sight?  Typed by root: as
 * its owner would judge, who is the server or the runner and no stranger.  Of a secret *err says
 * what to do too. */
bool doctor_is_in_order(const char *path, bool is_secret, struct err *err) MUST_USE;

/* A folder that is or will be written to: path, or the nearest above it that is there. */
void doctor_nearest_there(const char *path, char out[PATH_MAX]);

/* Where the runner finds a file of deploybot's own scripts: in `deploy`, beside the program or
 * above it.  False: it is not there, and out is of no use. */
bool doctor_find_script(const char *file, char out[PATH_MAX]) MUST_USE;

/* --- pure, for tests --- */

/* Why Telegram's own servers could not reach this URL; NULL: they could. */
const char *doctor_url_trouble(const char *url);

/* Does that file of certbot's get a certificate by listening on port 80 itself, with nothing that
 * makes room there? */
bool doctor_renews_standalone(const char *text);

/* Has that text of known_hosts a key of [USER@]HOST[:PORT]?  True where it cannot be seen. */
bool doctor_knows_host(const char *known, const char *client_host);

/* Seconds since 1970 of an HTTP date (RFC 9110, IMF-fixdate); -1: not one. */
int64_t doctor_http_date(const char *text);
