/* settings_inside.h - how a snapshot is made, for the room settings/ alone.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"
#include "lib/env_file.h"
#include "settings/sources/settings_load.h"
#include "settings/settings_table.h"

#define SETTINGS_SOURCES_MAX 3

struct grant;

/* Where settings may stand: the process environment, or a file. */
struct settings_source {
	const char *file; /* NULL: environ_list */
	char *const *environ_list;
};

/* What one load works with. */
struct settings_loader {
	struct settings *s;
	const struct settings *main; /* of an application: the main snapshot; else NULL */
	struct settings_source sources[SETTINGS_SOURCES_MAX];
	struct env_file files[SETTINGS_SOURCES_MAX]; /* of the sources that are files */
	size_t count;
	size_t own; /* in so many of them, from the first, OWN and EACH settings are looked for */
	struct settings_report *report;
	const char *asked; /* of this application alone it is reported; NULL: of all */
	/* Of a reload, else NULL. */
	const struct settings *running;
	const struct settings_folder *folder;
	struct settings_change *change;
};

/* Where a text was found, for the report. */
struct settings_found {
	const char *text; /* NULL: nowhere, or empty */
	const char *file; /* NULL: the process environment */
	unsigned line;
};

/* --- settings_report.c --- */

/* Of a file that cannot be opened: err's sentence, and what to do: whose it is to be, or as whom
 * this is to be typed.  A secret (is_secret) is the server's own; the settings are root's, and its
 * group's to read: the runner takes them from nobody else. */
#define SETTINGS_UNREAD 512
const char *settings_unread(
    const char *path, bool is_secret, const struct err *err, char out[SETTINGS_UNREAD]);

/* The line, "NAME: what is said PLACE" (name, place "": without it); NULL: there was no room. */
struct settings_line *settings_say_at(struct settings_report *report,
    enum settings_severity severity, const char *name, const char *place, const char *fmt,
    ...) PRINTF(5, 6);
#define settings_say(report, severity, ...) \
	settings_say_at(report, severity, "", "", __VA_ARGS__)

/* The same of a member's setting. */
#define settings_say_of(l, severity, member, setting, ...) \
	settings_say_at((l)->report, severity, \
	    settings_name_in(member, setting, (char[SETTING_NAME_MAX]){ "" }), "", __VA_ARGS__)

/* The same of what was found: " (deploybot.conf line 7)", or "".  settings_place returns out. */
#define SETTINGS_PLACE 96
const char *settings_place(
    const struct settings_loader *l, struct settings_found found, char out[SETTINGS_PLACE]);
#define settings_say_found(l, severity, name, found, ...) \
	settings_say_at((l)->report, severity, name, \
	    settings_place(l, found, (char[SETTINGS_PLACE]){ "" }), __VA_ARGS__)

/* Also notes what the line (NULL: none) says in the snapshot, for who looks at it while it is in
 * force. */
void settings_warn(
    struct settings_loader *l, struct settings_line *line, const char *where, const char *what);

/* --- settings_gone.c --- */

/* How bad is it that nothing there is what a grant names?  is_whole: its application is there, and
 * the environment is not.  What was there once is only worth a warning, and no start and no other
 * setting fails for what a removed file can cause: only what is new is an error. */
enum settings_severity
settings_gone(const struct settings_loader *l, const struct grant *grant, bool is_whole);

/* Is there an environment that the grant covers (is_whole), or one of its application? */
bool settings_has_granted(const struct settings *s, const struct grant *grant, bool is_whole);

/* --- settings_value.c --- */

/* Finds one value, checks it and keeps it; what is wrong with it is in the report. */
void settings_take_value(struct settings_loader *l, const struct settings_spec *spec,
    const char *name, const char *fallback, struct settings_value *value);

/* The same of one that is said for one environment alone, in so many sources from the first. */
void settings_take_special(struct settings_loader *l, const struct settings_spec *spec,
    const char *name, size_t sources, struct settings_value *value);

/* Does one of so many sources set that name, or of a secret NAME_FILE? */
bool settings_is_in(const struct settings_loader *l, const struct settings_spec *spec,
    const char *name, size_t sources);

/* The text of a name in the first source that sets it; NULL: none does. */
const char *settings_find(const struct settings_loader *l, const char *name);

/* Where a source of its own sets it. */
struct settings_found settings_find_own(const struct settings_loader *l, const char *name);

/* Are these settings checked against what ENVIRONMENT=production refuses? */
bool settings_in_production(const struct settings_loader *l);

/* Whose the main file is; ours where there is none. */
uid_t settings_owner(const struct settings_loader *l);

/* Of a BOOL's text: NULL is false. */
bool settings_truth(const char *text);

/* --- settings_meant.c --- */

/* Writes "; did you mean X?", another hint of what its type wants, or nothing: of a text that it
 * refuses.  Of a secret nothing. */
void settings_meant(const struct settings_spec *spec, const char *text, char *out, size_t room);

/* The nearest in letters of these names, or the one that has all words of this one, at most one
 * more, in any order: of STAGING_BRANCH GITHUB_BRANCH_STAGING.  NULL: none, or several. */
const char *settings_meant_name(const char *name, const char *const names[], size_t count);

/* Would it be a setting of an environment that is not there?  Writes its name. */
bool settings_meant_environment(const char *name, char out[SETTING_NAME_MAX]) MUST_USE;

/* Says in the report what its type takes, and what comes to nothing: a branch as refs/heads/…, a
 * group's id without its minus. */
void settings_check_meant(struct settings_loader *l, const struct settings_spec *spec,
    const char *name, struct settings_found found);

/* --- settings_production.c --- */

/* Is this text of ENVIRONMENT "production"? */
bool settings_says_production(const char *text);

/* Why a value, read from this file or from none, is refused in production; NULL: it is fit.  Shows
 * nothing of it. */
const char *settings_unfit(const struct settings_spec *spec, const char *text);
/* What is only warned of then; NULL: nothing. */
const char *settings_doubt(const struct settings_spec *spec, const char *text);

/* Names in the report who else may read the settings file, a file of a secret, or a key.  In a
 * container, where mounts are open to all inside, only of ssh's: it refuses one that is. */
void settings_check_private(
    struct settings_loader *l, const char *name, const char *path, bool is_ssh_key);

/* --- settings_fingerprint.c --- */

/* Makes the environment's list of what ships it, or the client's of what its actions are done
 * with. */
void settings_take_fingerprint(struct settings_loader *l, struct settings_member *member);

/* --- settings_take.c --- */

struct settings *settings_make_empty(const char *application);

/* Takes the values of the table whose scope is OWN, or all others. */
void settings_take_table(struct settings_loader *l, bool own);

/* Takes what applications share, what is one's own, or first the one and then the other; fills the
 * fields of the snapshot and checks what they ask of each other. */
void settings_take_shared(struct settings_loader *l);
void settings_take_own(struct settings_loader *l);
void settings_take_all(struct settings_loader *l);

/* --- settings_change.c --- */

/* Compares what applications share, and has it as it runs where that waits for a restart. */
void settings_keep_running(struct settings_loader *l);

/* What a snapshot has beside what applications share. */
void settings_compare_own(
    struct settings_change *change, const struct settings *running, const struct settings *fresh);

/* Is every value the same? */
bool settings_are_same(const struct settings *a, const struct settings *b);

/* --- settings_applications.c --- */

/* Reads the applications' files into the main snapshot. */
void settings_take_applications(struct settings_loader *l);

/* --- settings_hooks.c --- */

/* Which repositories need more than one webhook.  When all is filled. */
void settings_say_hooks(struct settings_loader *l);

/* --- settings_hook_lines.c --- */

/* Names in the report what is wrong with the hooks of one file, when its environments are known;
 * and which of all share a secret. */
void settings_check_hook_lines(struct settings_loader *l);
void settings_say_hook_lines(struct settings_loader *l);

/* --- settings_special.c --- */

/* Is it <ENV>_NAME, or <ENV>_NAME_FILE of a secret, of that environment? */
bool
settings_is_special_of(const char *environment, const char *name, size_t size, enum setting *ret);

/* What a setting is called where it is said: STAGING_DEPLOY_USER where it is said for that member
 * alone, else DEPLOY_USER.  member NULL: of none.  Returns ret. */
const char *settings_name_of(
    const struct settings_member *member, enum setting setting, char ret[SETTING_NAME_MAX]);

/* What a family's setting is called for that member.  Returns ret. */
const char *settings_name_in(const struct settings_member *member, enum family_setting setting,
    char ret[SETTING_NAME_MAX]);

/* Finds what is said for that environment alone, and decides. */
void settings_take_specials(struct settings_loader *l, struct settings_member *member);

/* --- settings_families.c --- */

/* Those whose members an OWN setting lists, or all others. */
void settings_take_families(struct settings_loader *l, bool own);

/* Those whose members are found by the names of their settings: ROLE_<NAME>_IDS.  Is a name one of
 * them?  NAME= is as good as not there: nobody. */
void settings_take_named_families(struct settings_loader *l);
bool settings_is_named(const char *name);

/* The client whose setting that is, listed or not; false: it is none's. */
bool settings_names_client(const char *name, char id[SETTINGS_MEMBER_NAME]);

/* --- settings_clients.c --- */

/* Names in the report what is wrong with clients, when all environments are known. */
void settings_check_clients(struct settings_loader *l);

/* --- settings_roles.c --- */

/* Makes the zone, and the roles of the main snapshot, when the applications are in it; passes over
 * what is wrong. */
void settings_fill_roles(struct settings *s);

/* Names in the report what is wrong in the roles of one file, when its environments are known. */
void settings_check_roles(struct settings_loader *l);

/* One grant as it stands in a list; what stands before the colon, whose set is 0 for no action. */
#define SETTINGS_ACTION_MAX 32
struct grant settings_read_grant(const char *application, const char *text,
    char action[SETTINGS_ACTION_MAX], bool *ret_has_target);

/* What it names: "shop/staging", "client/acme"; returns out. */
#define SETTINGS_GRANT_TARGET (ENVIRONMENT_ID_MAX + 16)
const char *settings_grant_target(const struct grant *grant, char out[SETTINGS_GRANT_TARGET]);

/* Of its actions those that are the server's and that it does not reach: they are given on all
 * targets, which an application's file cannot name. */
uint32_t settings_unreached(const struct grant *grant);

/* "; did you mean do.restart-web:client/acme?", of a grant's text whose action there is not; "":
 * none is near. */
#define SETTINGS_NEAR_MAX 112
const char *settings_near_action(const char *text, const char *action, char out[SETTINGS_NEAR_MAX]);

/* Is what a grant of do.NAME or secret.NAME names never done there?  Then why says so: "…, so this
 * grants nothing".  OTHER_KIND: it is done to something else, which why names. */
enum settings_idle { SETTINGS_NOT_IDLE, SETTINGS_OTHER_KIND, SETTINGS_NOT_THERE };
enum settings_idle settings_idle_grant(
    const struct settings_loader *l, const struct grant *grant, const char *so,
    char why[LIMIT_LINE]);

/* --- settings_otp.c --- */

/* Makes what asks for a code. */
void settings_fill_otp(struct settings *s);

/* Reads the key of second factors, and names in the report what is wrong with either. */
void settings_take_otp(struct settings_loader *l);

/* --- settings_approvals.c --- */

/* Names in the report what is wrong with the roles that approve, when all roles are known. */
void settings_check_approvals(struct settings_loader *l);

/* --- settings_stages.c --- */

/* Names in the report what is wrong with the environments that <ENV>_AFTER names. */
void settings_say_stages(struct settings_loader *l);

/* --- settings_local.c --- */

/* Looks up the users that LOCAL_<USER>_IS names; says what is wrong with them, when roles are
 * known; and as whom each acts. */
void settings_find_users(struct settings_loader *l);
void settings_check_users(struct settings_loader *l);
void settings_fill_user(struct settings_member *member);

/* The role that a user acts with; NULL: they are a person. */
const char *settings_local_role(const struct settings_member *member);

/* --- settings_fields.c --- */

/* Makes every typed field anew from the values inside.  False: a time zone of a FREEZE went away
 * since it was checked, as SETTINGS_ZONE_GONE says. */
#define SETTINGS_ZONE_GONE "a time zone of a FREEZE is not on this machine any more"
MUST_USE bool settings_fill(struct settings *s);

/* --- settings_placeholders.c --- */

/* Names in the report what the installation guide writes where a value of theirs belongs. */
void settings_check_placeholders(struct settings_loader *l, bool own);

/* --- settings_rules.c --- */

/* Of the own ones alone, or of all others; unknown names with the own ones. */
void settings_check_rules(struct settings_loader *l, bool own);

/* --- settings_unknown.c --- */

void settings_check_unknown(struct settings_loader *l);

/* --- settings_removed.c --- */

/* Names in the report what was a setting before, and notes it in the snapshot. */
void settings_check_removed(struct settings_loader *l);

/* --- settings_claims.c --- */

/* DEPLOY_TRANSPORT, as deploy/act.sh reads it; DEPLOY_STRATEGY is bluegreen: for that environment,
 * or for all (NULL). */
const char *settings_transport(const struct settings *s, const struct settings_member *member);
bool settings_is_bluegreen(const struct settings *s, const struct settings_member *member);

/* --- settings_previous.c --- */

/* Names in the report what is wrong with the values that secrets had before. */
void settings_check_previous(struct settings_loader *l);

/* --- settings_github.c --- */

/* Names in the report what is wrong with what GitHub's API is asked with. */
void settings_check_github(struct settings_loader *l);
void settings_check_pipelines(struct settings_loader *l);
/* What is not set of what runs of these files (a list) are asked for at their forge; NULL: none. */
const char *settings_forge_missing(const struct settings *s, const char *files);

/* --- settings_vault.c --- */

/* Names in the report what is wrong with where Vault is. */
void settings_check_vault(struct settings_loader *l);
/* The same of OPA, and of Prometheus. */
void settings_check_opa(struct settings_loader *l);
void settings_check_prometheus(struct settings_loader *l);

/* --- settings_waves.c --- */

/* Names in the report which <ENV>_WAVES of one file do not fit its hosts, or how it is released. */
void settings_check_waves(struct settings_loader *l);

/* --- settings_hosts.c --- */

/* Names in the report which <ENV>_HOSTS_FILE of one file is for no such environment. */
void settings_check_hosts(struct settings_loader *l);

/* --- settings_bake.c --- */

/* Names in the report what <ENV>_BAKE… of one file lack of each other, and of Prometheus. */
void settings_check_bake(struct settings_loader *l);

/* --- settings_link.c --- */

/* Reads the certificates of deploybot-link, and names in the report what is wrong with its keys. */
void settings_take_link(struct settings_loader *l);

/* --- settings_commands.c --- */

/* Is it NAME_COMMAND of a secret?  Then names in the report what is wrong with it. */
bool
settings_check_command(struct settings_loader *l, size_t source, const struct env_entry *entry);

/* --- settings_targets.c --- */

/* Of our own scripts alone: others have other needs. */
void settings_check_targets(struct settings_loader *l);

/* --- settings_overlaps.c --- */

/* Of the main snapshot, when its environments are in it. */
void settings_find_overlaps(struct settings *s);

/* Names in the report what two applications share: a target, a branch, a health URL, a name. */
void settings_say_overlaps(struct settings_loader *l);
