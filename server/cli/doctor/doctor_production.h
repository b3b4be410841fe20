/* doctor_production.h - `deploybot doctor --production`: what is looked at, and what it means.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * Looking (doctor_production_look.c, doctor_certificate.c) makes facts; judging them
 * (doctor_production.c, doctor_production_secrets.c) is pure, so that each verdict can be seen in a
 * test.
 */
#pragma once

#include <sys/types.h>

#include "settings/sources/settings_load.h"
#include "types/settings.h"

struct doctor;

/* Where a secret stands in the open. */
enum production_open { PRODUCTION_CLOSED, PRODUCTION_IN_ENVIRONMENT, PRODUCTION_IN_FILE };

/* A file of secrets, keys or hosts. */
struct production_file {
	bool is_seen;		/* we may look at it, and it is there */
	bool is_hidden;		/* we may not look at it: it is another user's */
	int64_t changed_s;	/* seconds since 1970 */
	int64_t size;
};

enum production_chain { PRODUCTION_CHAIN_NONE, PRODUCTION_CHAIN_WHOLE, PRODUCTION_CHAIN_BAD };

struct production {
	const struct settings *settings;
	const char *env_file;			/* NULL: none */
	int64_t now_s;
	uid_t server_user;			/* whose database it is; ours without one */
	uid_t runner_user;			/* whose RUNNER_SOCKET is */
	bool is_runner_seen;			/* there is such a socket */
	bool is_container;
	bool is_clock_set;			/* by something that goes on doing so */
	const char *volatile_folder;		/* the file system's name; NULL: it stays */
	uint64_t descriptors;			/* the hard limit */
	struct settings_report refused;		/* what ENVIRONMENT=production would say */
	enum production_open open[SETTING_COUNT];
	const char *open_of[SETTING_COUNT];	/* in whose file; NULL: the main one */
	struct production_file key;		/* SSH_KEY_PATH */
	struct production_file hosts;		/* SSH_KNOWN_HOSTS */
	struct production_file repository_key;	/* REPOSITORY_KEY_PATH */
	enum production_chain chain;		/* of the audit log, in rows and file */
	char chain_text[200];
	int64_t certificate_expires_s;		/* 0: none could be read */
	bool is_certificate_trusted;		/* by this machine */
	char certificate_text[200];		/* why not, or why there is none */
};

/* Everything but the certificate.  env_file may be NULL. */
void doctor_production_look(struct production *facts, const struct settings *settings,
    const char *env_file);

/* Asks TELEGRAM_WEBHOOK_URL's host twice, so that doctor->open grows: once for whatever it shows,
 * once as a stranger would who checks it.  The facts are filled while the loop runs.  NULL: there
 * is nobody to ask. */
void doctor_certificate(struct doctor *doctor, struct production *facts);

/* Says what the facts mean for an installation that is to be relied on: one finding for each
 * check, and what to do. */
void doctor_production_judge(struct doctor *doctor, const struct production *facts);

/* --- between the two files that judge --- */

#define SAY(doctor, level, ...) TELL(doctor, PRODUCTION, level, __VA_ARGS__)

void doctor_production_secrets(struct doctor *doctor, const struct production *facts);
/* "": it is not set. */
const char *doctor_production_text(const struct production *facts, enum setting setting);

/* Does an environment go by what is said of it for all? */
bool doctor_production_is_for_all(const struct production *facts, enum setting setting);

/* What nothing on this machine can show. */
extern const char doctor_production_unseen[];
