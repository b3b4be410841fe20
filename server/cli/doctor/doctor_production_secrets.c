/* doctor_production_secrets.c - are secrets and keys where they should be, and young?  Judges facts.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "cli/doctor/doctor.h"
#include "cli/doctor/doctor_production.h"
#include "settings/settings_table.h"

#define DAY_S	 86400
#define KEY_DAYS 90

/* One that stands in the open is shown by docker inspect, by systemctl show, by a pasted file. */
static bool
judge_secret_source(struct doctor *doctor, const struct production *facts, size_t i)
{
	const char *name = settings_table[i].name;

	if (facts->open[i] == PRODUCTION_IN_ENVIRONMENT)
		SAY(doctor, ERROR,
		    "%s stands in the environment: put it into a file of mode 0600, and set %s_FILE",
		    name, name);
	else if (facts->open[i] == PRODUCTION_IN_FILE && facts->open_of[i] != NULL)
		SAY(doctor, ERROR,
		    "%s stands in %s.env: put it into a file of mode 0600 of its own, and set %s_FILE there",
		    name, facts->open_of[i], name);
	else if (facts->open[i] == PRODUCTION_IN_FILE)
		SAY(doctor, ERROR,
		    "%s stands in %s: put it into a file of mode 0600 of its own, and set %s_FILE",
		    name, facts->env_file == NULL ? "the settings" : facts->env_file, name);
	else
		return true;
	return false;
}

static void
judge_secrets(struct doctor *doctor, const struct production *facts)
{
	bool all_well = true;

	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (settings_table[i].is_secret && !judge_secret_source(doctor, facts, i))
			all_well = false;
	if (all_well)
		SAY(doctor, OK, "secrets stand in files of their own");
}

static void
judge_key_age(struct doctor *doctor, const struct production *facts, const char *name,
    const struct production_file *key)
{
	int64_t days = (facts->now_s - key->changed_s) / DAY_S;

	if (days > KEY_DAYS)
		SAY(doctor, WARNING,
		    "%s: the key is %" PRId64
		    " days old: make a new one every %d days, add it on the hosts, and take the old one away",
		    name, days, KEY_DAYS);
	else
		SAY(doctor, OK, "%s: the key is %" PRId64 " days old", name, days);
}

/* A file that another user keeps to himself is as private as can be; more cannot be said. */
static void
judge_key(struct doctor *doctor, const struct production *facts, const char *name, const char *path,
    const struct production_file *key)
{
	if (key->is_hidden)
		SAY(doctor, NOTE, "%s: %s is not readable by this user: check its age as its owner",
		    name, path);
	else if (!key->is_seen)
		SAY(doctor, ERROR, "%s: there is no %s: ssh-keygen -t ed25519 -N '' -f %s", name,
		    path, path);
	else
		judge_key_age(doctor, facts, name, key);
}

static void
judge_ssh(struct doctor *doctor, const struct production *facts)
{
	const char *hosts = doctor_production_text(facts, SETTING_SSH_KNOWN_HOSTS);
	const char *transport = doctor_production_text(facts, SETTING_DEPLOY_TRANSPORT);

	if (settings_is_given(facts->settings, SETTING_REPOSITORY_KEY_PATH))
		judge_key(doctor, facts, "REPOSITORY_KEY_PATH",
		    doctor_production_text(facts, SETTING_REPOSITORY_KEY_PATH),
		    &facts->repository_key);
	if (strcmp(transport, "ssh") != 0 && strcmp(transport, "systemd") != 0)
		return;
	if (doctor_production_is_for_all(facts, SETTING_SSH_KEY_PATH))
		judge_key(doctor, facts, "SSH_KEY_PATH",
		    doctor_production_text(facts, SETTING_SSH_KEY_PATH), &facts->key);
	if (!doctor_production_is_for_all(facts, SETTING_SSH_KNOWN_HOSTS))
		return;
	if (facts->hosts.is_hidden)
		SAY(doctor, NOTE, "SSH_KNOWN_HOSTS: %s is not readable by this user", hosts);
	else if (!facts->hosts.is_seen || facts->hosts.size == 0)
		SAY(doctor, ERROR,
		    "SSH_KNOWN_HOSTS: %s %s: ssh-keyscan HOST >>%s, and compare it with what the host itself says",
		    hosts, facts->hosts.is_seen ? "is empty" : "is not there", hosts);
	else
		SAY(doctor, OK, "SSH_KNOWN_HOSTS: hosts are known by their keys");
}

void
doctor_production_secrets(struct doctor *doctor, const struct production *facts)
{
	judge_secrets(doctor, facts);
	judge_ssh(doctor, facts);
}
