/* settings.h - what the operator decided, as an immutable, counted snapshot.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdatomic.h>

#include "lib/address.h"
#include "lib/log.h"
#include "lib/setting.h"
#include "types/limits.h"

enum setting {
#define SETTING(name, ...) SETTING_##name,
#include "types/settings.def"
	SETTING_COUNT
};

/* Of those that each of several has: ENVIRONMENT_SETTING_HOST. */
enum family {
#define FAMILY(name, ...) FAMILY_##name,
#include "types/settings.def"
	FAMILY_COUNT
};
enum family_setting {
#define FAMILY_SETTING(family, id, ...) family##_SETTING_##id,
#include "types/settings.def"
	FAMILY_SETTING_COUNT
};

#define STORE_FILE "deploybot.db" /* in STATE_DIRECTORY */

#define SETTINGS_ROLES_MAX	 160   /* of one file, with users, people and jobs */
#define SETTINGS_USER		 33    /* useradd(8): 32 and the NUL */
#define SETTINGS_NOBODY		 65534 /* whom the kernel shows for users that it cannot map */
#define SETTINGS_MEMBERS_MAX	 (SETTINGS_ROLES_MAX + 2 * SETTING_NAMES_MAX)
#define SETTINGS_MEMBER_NAME	 32 /* bytes with the NUL: a client's; of all others 21 */
#define SETTINGS_HEALTH_URLS_MAX SETTING_URLS_MAX
_Static_assert(SETTING_PATTERN_LIST_MAX < LIMIT_PATHS, "a git query has room for what may be set");
_Static_assert(SETTING_URLS_MAX == LIMIT_URLS && SETTING_URL_LIST_MAX < LIMIT_URL_LIST &&
	SETTING_PART_MAX < LIMIT_URL,
    "a deployment has room for what may be set");

enum telegram_mode { TELEGRAM_POLLING, TELEGRAM_WEBHOOK };

struct conditions;
struct roles;
struct windows;
struct zone;

struct grant;
struct seal_keys;

struct settings_ids {
	size_t count;
	const int64_t *id;
};

/* How its waves follow each other. */
struct wave_settings {
	const char *failures_max; /* waves.h; NULL: none may fail */
	bool asks_between;	  /* each but the last waits for somebody's word */
	bool is_set; /* its hosts have rows, and a run's order names them */
	bool is_pattern; /* of agents (lib/host_lines.h): in waves, be it one */
	const char *canary; /* the host that is in the first wave; NULL: any */
};

struct environment_settings {
	const char *name;	   /* "staging", "shop/staging" */
	const struct settings *of; /* its application's: what is shared or own is read there */
	const char *refusal;	   /* why nothing is deployed there; "": it is */
	const char *runner;	   /* "local", or one of RUNNERS */
	const char *agents; /* through which it is released, a comma between; NULL: through none */
	const char *branch;	   /* NULL: only /deploy with a ref */
	bool confirm;
	const struct windows *freeze;	       /* NULL: no window freezes it */
	int approvals;			       /* of a deployment; 0: none */
	const struct conditions *approvals_if; /* more where one of them applies; NULL: never */
	int rollback_approvals;		       /* of a rollback that a person asks for */
	const char *site_url;	  /* where people see it; NULL: not set */
	const char *after;	  /* settings_stages(); NULL: not set */
	const char *promote_from; /* settings_promotes(); NULL: not set */
	int64_t promote_after_ms; /* so long it was live there; 0: no matter */
	bool promote_only;	  /* no other deployment but an emergency */
	const char *approvers;	  /* roles, a comma between; NULL: each that grants it */
	int64_t approval_chat;	  /* 0: the application's */
	const char *push_branch;  /* whose pushes ask for a deployment; NULL: none does */
	bool takes_uploads;	  /* archives that people send */
	bool takes_unproven;	  /* also where workflows have to pass, which no archive has */
	bool drops_pushes;	  /* in a freeze or lock; else they wait for its end */
	const char *github_environment; /* its name there */
	bool gate_reviewer; /* its gate there is answered by the token's owner */
	const char *require_ci;	  /* files of workflows, a comma between; NULL: none */
	int rollback_nag_minutes; /* the first reminder of a rollback; 0: none */
	const char *hosts; /* HOST[:PORT], a comma between; NULL: not set */
	int64_t bake_ms; /* a release is watched so long before it is live; 0: it is not */
	const char *bake_queries[LIMIT_BAKE_QUERIES]; /* promql.h; NULL: not set */
	const char *bake_present; /* where it has no value nothing is healthy; NULL: not set */
	const char *waves;	  /* waves.h; NULL: one */
	struct wave_settings in_waves;
	int notify_after_seconds; /* a success that took longer rings */
	int failure_log_lines;	  /* of the application's log in a failure's message; 0: none */
	bool failure_log_in_chat; /* in a group, too, may it be shown */
	size_t health_url_count;
	const char *health_urls[SETTINGS_HEALTH_URLS_MAX];
	const char *health_template; /* with {host} in it; NULL: none */
	const char *fingerprint; /* lib/fingerprint.h: of what ships it; NULL: there is no file */
	const struct settings_times *times;   /* settings_times() */
	const struct settings_member *member; /* settings_text_for() */
};

/* What actions are done to beside environments (types/action.h). */
struct client_settings {
	const char *id;	      /* "acme" */
	const char *name;     /* for people */
	const char *host;     /* "local", "[user@]host[:port]" */
	uint32_t actions;     /* that there are */
	int approvals;	      /* of each; -1: as the action has it */
	const char *web_unit; /* what actions touch there; NULL: not set */
	const char *compose_dir;
	const char *cache_command;
	const char *limit; /* of its playbooks; its id where none is set */
	const char *cloudflare_zone;
	const char *cloudflare_domain; /* of that zone; NULL: not known */
	int cloudflare_minutes;	       /* that "under attack" lasts where no time is said */
	/* What it is: the environment that it names, else client/acme, which stands in no list of
	 * environments. */
	const char *target;
	struct environment_settings as;
};

/* A file of an application that is not in force, or not as it stands; or what is in force and means
 * nothing. */
struct settings_refused {
	char file[64]; /* "shop.env"; or a setting of the main file */
	char reason[LIMIT_LINE];
};

/* How long what is shipped may take, and when it is healthy; of each environment. */
struct settings_times {
	int health_check_timeout_seconds;
	int health_check_retries;
	int health_check_interval_seconds;
	int health_check_successes;
	int health_check_deadline_seconds; /* resolved */
	int deploy_timeout_seconds;
	int gate_hours; /* that an open gate keeps it */
};

/* What GitHub's API is asked with; NULL: not set.  Of an application with a GITHUB_API_URL of its
 * own nothing that the main file has: App and token are for the address beside them alone. */
struct settings_github {
	const char *url;
	const char *app_id;
	const char *app_key; /* PEM */
	const char *token;
	const char *gitlab_token; /* for GitLab's API */
	const char *watch; /* a list; "none" is no file */
	const char *app_webhook_secret; /* NULL: no /github/app */
	bool app_pushes;
	bool reports; /* what is deployed is a Deployment there */
	int64_t repository_id; /* 0: it is not said */
	int64_t ci_wait_minutes;
};

/* What Vault is asked with; NULL: not set. */
struct settings_vault {
	const char *address; /* NULL: there is no Vault */
	const char *ca_file; /* NULL: this machine's */
	const char *name_space;
	const char *token; /* or the two halves of an AppRole */
	const char *role_id;
	const char *secret_id;
	const char *token_role; /* by which what is lent is made */
	int64_t wait_ms; /* what is to be lent, for its approvals, and then for Vault */
};

/* A rule of OPA's; url NULL: nothing is asked; token NULL: none; ca_file NULL: this machine's. */
struct settings_opa {
	const char *url, *token, *ca_file;
};

/* Prometheus; url NULL: none is asked; user NULL: token is a bearer's, or NULL; ca_file NULL: this
 * machine's. */
struct settings_prometheus {
	const char *url, *user, *token, *ca_file;
};

/* deploybot-link, and what who enrols by it is given. */
struct settings_link {
	const char *address; /* NULL: nobody is enrolled */
	const char *socket;
	const char *ca;	    /* LINK_CA_FILE's content; NULL: none */
	const char *ca_key; /* NULL: certificates are signed by hand */
	const char *order_key;
	const char *runners; /* settings_runners.h; NULL: none */
	char fingerprint[LIMIT_DIGEST];	 /* of the key in LINK_CERTIFICATE_FILE; "": none */
	char order_public[LIMIT_DIGEST]; /* of order_key; "": none */
};

/* Never changed once it is made (settings/sources/settings_load.h): read the fields directly.  Text
 * that is not set is NULL. */
struct settings {
	const char *telegram_bot_token;
	enum telegram_mode telegram_mode;
	const char *telegram_webhook_url;
	const char *telegram_webhook_secret;
	const char *telegram_api_base; /* without a slash at its end, as all base URLs */
	const char *telegram_proxy;
	const char *cloudflare_api_token;
	const char *cloudflare_api_base;
	struct settings_opa opa;
	struct settings_prometheus prometheus;
	int64_t telegram_chat_id; /* resolved: TELEGRAM_CHAT_ID or the first admin */
	bool pin_status; /* that chat has a pinned summary of the environments that report to it */
	struct settings_ids allowed_chats; /* ALLOWED_CHATS, as it stands there */
	struct settings_ids admins;
	const struct roles *roles; /* of all applications; NULL in one's own snapshot */
	const struct zone *zone;   /* TIMEZONE */
	bool has_zones; /* of the main snapshot: files have two zones, so that a clock says which */

	const char *github_webhook_secret; /* NULL: no /github/webhook */
	const char *github_repository;	   /* "owner/name" or NULL: any signed one */
	struct settings_github github;
	struct settings_vault vault;
	struct settings_link link;
	const char *forge_webhook_secret;  /* NULL: no /forge/webhook */
	const char *repository_path;	   /* "group/sub/name" or NULL: that of the URL */
	const char *repository_url;	   /* resolved; valid settings have one */
	int poll_repository_seconds;	   /* resolved; 0: never */
	const char *paths;		   /* patterns, commas between; NULL: all */

	struct settings_times times; /* where an environment has none of its own */

	int shutdown_timeout_seconds;
	int rate_limit_requests; /* 0: all */
	int rate_limit_window_s;
	int rate_limit_burst;
	int cost_limit_per_user; /* 0: any amount */
	int role_rate_limit;	 /* a minute; 0: any number */
	int runs_max;		 /* 0, here and below: any number */
	int application_runs_max;
	int run_logs_keep;
	int64_t run_logs_total;
	int upload_keep_days;
	int64_t uploads_total; /* bytes */
	bool approve_self;
	bool emergency_without_factor; /* while nobody has one */
	bool approve_unknown_pusher;
	int64_t approval_timeout_ms;
	/* What asks for a code (REQUIRE_OTP): grants without a person.  A "*" stands for none of
	 * what is never asked for. */
	size_t require_otp_count;
	const struct grant *require_otp;
	const struct seal_keys *totp_keys; /* of TOTP_KEY_FILE; NULL: none, or it cannot be read */
	bool enrols_by_page; /* CONSOLE over https shows new second factors */
	const char *auth_token_secret; /* NULL: ENABLE_TOKEN_AUTH is false, and no token is valid */
	int64_t session_timeout_ms;
	int rotate_days;    /* 0: no secret is due to be changed */
	bool is_production; /* ENVIRONMENT: what is unsafe is refused */

	const char *local_socket;  /* NULL: LOCAL_SOCKET's default */
	const char *runner_socket; /* NULL: the runner is our child */
	const char *listen_address;
	struct settings_proxies { /* TRUSTED_PROXY */
		bool is_set;
		bool has_unix;
		struct address_networks networks;
	} proxies;
	int api_server_port;
	bool enable_api_server; /* /hooks and /v1 are served on the TCP listener */
	bool console;		/* people log in to /v1 there, by sessions of their own */
	bool enable_telemetry;
	bool sandbox; /* of the server; read at the start alone */
	const char *state_directory;
	const char *database; /* the store's: a file in it, or DATABASE_URL, never to be shown */
	const char *audit_log_path;
	int audit_keep_days; /* 0: for good */
	const char *audit_s3_bucket; /* NULL: the audit has no witness */
	const char *audit_s3_region;
	const char *audit_s3_endpoint; /* NULL: Amazon's */
	const char *audit_s3_access_key_id; /* NULL: a role's */
	int64_t audit_witness_max_ms; /* 0: any time */
	enum log_level log_level;
	enum log_format log_format;

	char host[65]; /* this machine's name: no setting, but of their moment */

	/* Which application these are of, "": of the one without a name.  That one's snapshot, the
	 * main file's, has all others in it, by their names; only it is handed around. */
	const char *application;
	size_t application_count;
	struct settings **applications;
	/* Of all of them, first those without an application's name. */
	size_t environment_count;
	const struct environment_settings *environments;
	size_t client_count; /* of the main file, by their order there */
	const struct client_settings *clients;
	/* What is wrong in the folder of the applications' files; first "", the folder itself. */
	size_t refused_count;
	const struct settings_refused *refused;
	/* Names in those files that are no settings, and grants on what is not there. */
	size_t warned_count;
	const struct settings_refused *warned;
	uint64_t removed; /* a bit for each of settings_removed[] that is set */

	struct settings_inside *inside;
};

/* --- how it is kept, for settings.c and the room settings/ alone --- */

/* One value: its texts are owned. */
struct settings_value {
	char *text;    /* NULL: not set, or a secret of the runner's */
	char *runners; /* a secret of the runner's, to be redacted; else NULL */
	char *file;    /* of a secret that stood in one: which; else NULL */
	bool is_given;
	bool is_inherited; /* an application's: it is the main file's */
	bool is_own_file;  /* an environment's: its application's own file says it */
};

/* One that is said for one environment alone: STAGING_DEPLOY_USER. */
struct settings_special {
	enum setting setting;
	struct settings_value value;
};

/* An environment, or whatever else has settings of its own. */
/* A user of this machine, found when settings are read. */
struct settings_user {
	char name[SETTINGS_MEMBER_NAME]; /* as the setting has it */
	bool is_listed;			 /* in the machine's own file */
	bool is_asked;			 /* of a directory elsewhere, which has answered */
	bool has_user;
	uint32_t uid;
	char user[SETTINGS_USER];
	char other[SETTINGS_USER]; /* is meant too, so neither is; "": nobody */
};

/* Two environments of one application are one target. */
struct settings_shared {
	char with[ENVIRONMENT_ID_MAX];
	char brief[LIMIT_LINE]; /* the refusal of the later one, without the other */
};

struct settings_member {
	enum family family;
	uint32_t fingerprint_shared; /* so many bytes of its fingerprint are its application's */
	char name[SETTINGS_MEMBER_NAME];
	char id[ENVIRONMENT_ID_MAX]; /* an environment's: with its application; client/acme */
	size_t special_count; /* an environment's */
	struct settings_special *specials;
	struct settings_times times; /* the same */
	char *urls[SETTINGS_HEALTH_URLS_MAX];
	struct conditions *approvals_if; /* the same */
	struct windows *freeze;		 /* an environment's; NULL: none */
	char *fingerprint;		 /* an environment's, a client's; NULL: no file was read */
	char refusal[LIMIT_LINE];  /* an environment's: why it is not deployed; "": it is */
	struct settings_shared *shared; /* where that is why; NULL: it is not */
	struct settings_user user; /* LOCAL_<USER>_IS's */
	int64_t person; /* as whom they act, as rows have it (types/principal.h); 0: as nobody */
	size_t value_count;
	struct settings_value values[]; /* of its family's settings, in their order */
};

/* Environments of two applications that are one target, by their places among all. */
struct settings_overlap {
	size_t first, later;
	char text[LIMIT_LINE]; /* why nothing is deployed to the later one */
	char brief[LIMIT_LINE]; /* that without the first one, and without what they share */
};

struct settings_inside {
	atomic_int count;
	struct settings_value values[SETTING_COUNT];
	char repository_url[SETTING_PART_MAX + 1];
	size_t member_count;
	struct settings_member *members[SETTINGS_MEMBERS_MAX];
	char application[ENVIRONMENT_NAME_MAX];
	char database[SETTING_PART_MAX + sizeof("/" STORE_FILE)];
	struct settings **applications;
	size_t application_count;
	struct environment_settings *environments; /* of all: fields of the snapshot point here */
	struct client_settings *clients;
	size_t *firsts; /* of each application: where its environments begin there */
	size_t refused_count;
	struct settings_refused *refused;
	size_t warned_count;
	struct settings_refused *warned;
	int64_t *admins;
	int64_t *allowed_chats;
	size_t overlap_count;
	struct settings_overlap *overlaps;
	struct roles *roles;
	struct zone *zone;
	size_t require_otp_count;
	struct grant *require_otp;
	struct seal_keys *totp_keys; /* wiped with it */
	char *link_ca;
};

/* What a setting is for that member; NULL: for all. */
const struct settings_value *settings_value_of(
    const struct settings *s, const struct settings_member *member, enum setting setting);

/* --- asking it --- */

/* Counts are atomic: both threads may hold one.  The last put wipes and frees. */
struct settings *settings_ref(struct settings *s);
void settings_unref(struct settings *s); /* takes NULL */
DEFINE_FREEP(struct settings, settings_unref)

/* NULL when there is none of that name, "staging" or "shop/staging"; or "client/acme", of one that
 * is no environment. */
const struct environment_settings *settings_environment(const struct settings *s, const char *name);

/* NULL: there is none with that id. */
const struct client_settings *settings_client(const struct settings *s, const char *id);

/* What JOB_<NAME> or PIPELINE_<NAME> of that environment's application says (name NULL: any of that
 * family); NULL: it has none. */
const char *settings_member_line(
    const struct settings *s, const char *environment, enum family family, const char *name);

/* "migrate, seed" of its application's jobs, or of another family; returns how many there are. */
size_t settings_names(const struct settings *s, const char *environment, enum family family,
    char out[LIMIT_LINE]);

/* Adds a line NAME=VALUE for each setting of that member of a family, of those that are set. */
struct buf;
void settings_list_member(
    const struct settings *s, enum family family, const char *name, struct buf *out);

/* The snapshot of an application; NULL: there is none of that name. */
const struct settings *settings_application(const struct settings *s, const char *name);

/* The snapshot that an environment's shared and own settings are read from; the main one where
 * there is no such environment. */
const struct settings *settings_of(const struct settings *s, const char *environment);

/* Whose TIMEZONE clocks and dates of that target are in: its application's, of "shop/staging" and
 * of "shop/<star>", else the main file's. */
const struct settings *settings_clock(const struct settings *s, const char *target);

/* How many of the environments are of this snapshot's own application; they come first. */
size_t settings_own_count(const struct settings *s);

/* Is the application's file among these?  size: of the name. */
bool settings_refused_has(
    const struct settings_refused refused[], size_t count, const char *application, size_t size);

/* Its file is among those that are not in force, or their folder cannot be read. */
bool settings_is_unread_application(const struct settings *s, const char *name, size_t size);

/* Is there no such environment because the file of its application cannot be read now? */
bool settings_is_unread(const struct settings *s, const char *environment);

/* Why nothing may be deployed to this environment with these settings; NULL: it may. */
const char *settings_refusal(const struct settings *s, const char *environment);

/* The same where it is known which environments have a live release: of two that are one target the
 * one named later gives way, unless it alone is live; then it is the other.  is_live NULL: neither
 * does, for what changes no target. */
typedef bool settings_is_live(void *ctx, const char *environment);
const char *settings_refusal_among(
    const struct settings *s, const char *environment, settings_is_live *is_live, void *ctx);

/* Where the command line reaches the server: LOCAL_SOCKET, or its default where that folder is this
 * process's user's; NULL: nowhere. */
const char *settings_local_socket(const struct settings *s);

/* TRUSTED_PROXY: may that peer ("unix", or an address) say who asks?  is_local: it is on this
 * machine, and may where the setting is not set. */
bool settings_trusts_proxy(const struct settings *s, const char *peer, bool is_local);
#define SETTINGS_LOCAL_FOLDER "/run/deploybot"
#define SETTINGS_LOCAL_SOCKET SETTINGS_LOCAL_FOLDER "/local.sock"

/* As whom that user of this machine acts, as rows have people; 0: they are not known. */
int64_t settings_user(const struct settings *s, uint32_t uid, const char **ret_name);

/* The person whose login that is, in any capitals: "mona" at GitHub (PERSON_<ID>_GITHUB),
 * "gitlab:mona" at GitLab (PERSON_<ID>_GITLAB); 0: nobody's. */
int64_t settings_person_of_login(const struct settings *s, const char *login, size_t size);

/* The same by their name. */
int64_t settings_user_named(const struct settings *s, const char *name);

/* The name of whom rows know by that number below 0, a user or a hook; NULL: there is none such
 * (any more). */
const char *settings_user_name(const struct settings *s, int64_t person);

/* The chats that settings name, each once, one after the other from *at = 0 on. */
bool settings_next_chat(const struct settings *s, size_t *at, int64_t *ret_chat);

/* Is this chat among them?  By which settings: "TELEGRAM_CHAT_ID, shop: TELEGRAM_CHAT_ID", cut. */
bool settings_names_chat(const struct settings *s, int64_t chat, char *names, size_t room);

/* The text a setting has, its default included, NULL when it is not set or is a secret of the
 * runner's (which no snapshot keeps). */
const char *settings_text(const struct settings *s, enum setting setting);

/* Set by the operator (environment, file or NAME_FILE), not by its default. */
bool settings_is_given(const struct settings *s, enum setting setting);

/* The same of what it is for one environment: what is said for it alone (STAGING_DEPLOY_USER), else
 * for all of its application. */
const char *settings_text_for(const struct environment_settings *e, enum setting setting);
bool settings_is_given_for(const struct environment_settings *e, enum setting setting);

/* Those of that environment; of the main snapshot where there is none. */
const struct settings_times *settings_times(const struct settings *s, const char *environment);

/* The file that NAME_FILE named and the secret was read from, the runner's too; NULL: it came from
 * elsewhere. */
const char *settings_secret_file(const struct settings *s, enum setting setting);

/* Wipes, frees, leaves NULL. */
void settings_wipe_text(char **text);
