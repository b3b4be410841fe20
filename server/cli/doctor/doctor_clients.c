/* doctor_clients.c - can ssh go where /do acts?  By its files: no network is asked.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <unistd.h>

#include "cli/doctor/doctor.h"
#include "lib/err.h"
#include "lib/file.h"
#include "settings/settings_table.h"
#include "types/action.h"
#include "types/peers.h"
#include "types/settings.h"

#define KNOWN_MAX   (1u << 20)
#define FINDING_MAX 400

/* CLIENT_<ID>_SSH_KEY_PATH, or what all use. */
static const char *
find_key(const struct settings *s, const struct client_settings *client)
{
	const struct settings_member *member = settings_member(s, FAMILY_CLIENT, client->id);
	const char *own =
	    member == NULL ? NULL : settings_own(member, CLIENT_SETTING_SSH_KEY)->text;
	const char *all = settings_text(s, SETTING_SSH_KEY_PATH);

	return own != NULL ? own : all != NULL ? all : "";
}

/* What keeps ssh from there, and what to do; false: nothing that can be seen. */
static bool
find_fault(const struct settings *s, const struct client_settings *client, char why[FINDING_MAX])
{
	const char *hosts = settings_text(s, SETTING_SSH_KNOWN_HOSTS);
	const char *key = find_key(s, client);
	struct err err;
	CLEANUP(freep) char *known = NULL;

	if (access(key, F_OK) != 0) {
		(void)snprintf(why, FINDING_MAX,
		    "no key is at %.120s: make one with: ssh-keygen -t ed25519 -N '' -f %.120s",
		    key, key);
		return true;
	}
	if (!doctor_is_in_order(key, true, &err)) {
		(void)snprintf(why, FINDING_MAX, "%.240s", err.text);
		return true;
	}
	known = hosts == NULL ? NULL : file_read(hosts, KNOWN_MAX, NULL, &err);
	if (known != NULL && doctor_knows_host(known, client->host))
		return false;
	(void)snprintf(why, FINDING_MAX,
	    "SSH_KNOWN_HOSTS: %.120s has no key of %.80s, so ssh refuses it: ssh-keyscan, and compare it with what the host itself says",
	    hosts == NULL ? "it is not set, and" : hosts, client->host);
	return true;
}

/* One line for each client, whose host is there or not. */
static void
examine_host(struct doctor *doctor, const struct client_settings *client)
{
	const struct settings *s = doctor->settings;
	const char *asks = (client->actions & ACTION_BIT(ACTION_DISK_FREE)) != 0 ? "disk-free" :
	    (client->actions & ACTION_BIT(ACTION_SERVICE_STATUS)) != 0 ? "service-status" :
									 NULL;
	char why[FINDING_MAX];
	bool is_faulty;

	if (client->host == NULL || strcmp(client->host, "local") == 0) {
		TELL(doctor, CLIENTS, OK, "client/%s: this machine, no ssh", client->id);
		return;
	}
	if (peer_of_host(client->host) != NULL) {
		TELL(doctor, CLIENTS, NOTE,
		    "client/%s: by the agent %s, no ssh: sudo deploybot doctor says whether it is connected",
		    client->id, peer_of_host(client->host));
		return;
	}
	is_faulty = find_fault(s, client, why);
	if (is_faulty && s->runner_socket != NULL)
		TELL(doctor, CLIENTS, NOTE,
		    "client/%s: %s by ssh: its key and SSH_KNOWN_HOSTS are the runner's to see: root may type deploybot doctor client/%s",
		    client->id, client->host, client->id);
	else if (is_faulty)
		TELL(doctor, CLIENTS, ERROR, "client/%s: %s", client->id, why);
	else
		TELL(doctor, CLIENTS, OK,
		    "client/%s: %s by ssh: its key is private, the host is known%s%s%s%s",
		    client->id, client->host, asks == NULL ? "" : "; whether it answers: /do ",
		    asks == NULL ? "" : asks, asks == NULL ? "" : " ",
		    asks == NULL ? "" : client->id);
}

/* The settings refuse actions at Cloudflare without a token. */
static void
examine(struct doctor *doctor, const struct client_settings *client)
{
	if (client->host == NULL && (client->actions & action_set_by(ACTION_BY_HOST)) == 0)
		TELL(doctor, CLIENTS, OK, "client/%s: at Cloudflare alone; its token is set",
		    client->id);
	else
		examine_host(doctor, client);
}

void
doctor_clients(struct doctor *doctor, const struct client_settings *only)
{
	const struct settings *s = doctor->settings;

	for (size_t i = 0; i < s->client_count; i++)
		if (only == NULL || only == &s->clients[i])
			examine(doctor, &s->clients[i]);
}
