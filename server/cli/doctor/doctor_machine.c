/* doctor_machine.c - what is wrong on this machine: transport, port, chat; asks no network.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/cli_port.h"
#include "cli/doctor/doctor.h"
#include "cli/doctor/doctor_agents.h"
#include "lib/file.h"
#include "store/store.h"
#include "types/roles.h"
#include "types/peers.h"
#include "types/settings.h"
#include "lib/db_url.h"

#define NO_PERSON  1000000000000 /* a supergroup's, without its minus */
#define FOLDERS_UP 4		 /* as the runner looks for it */

bool
doctor_find_script(const char *file, char out[PATH_MAX])
{
	char folder[PATH_MAX];
	ssize_t size = readlink("/proc/self/exe", folder, sizeof(folder) - 1);

	folder[size < 1 ? 0 : size] = '\0';
	for (int up = 0; up < FOLDERS_UP && strrchr(folder, '/') != NULL; up++) {
		*strrchr(folder, '/') = '\0';
		if (snprintf(out, PATH_MAX, "%s/deploy/%s", folder, file) < PATH_MAX &&
		    access(out, F_OK) == 0)
			return true;
	}
	return false;
}

/* --- how a release travels --- */

static void
examine_transport(struct doctor *doctor, const char *name)
{
	static const char *const ours[] = { "ssh", "agent", "kubernetes", "systemd", "local" };
	char file[PATH_MAX], found[PATH_MAX];

	for (size_t i = 0; i < COUNT(ours); i++)
		if (strcmp(name, ours[i]) == 0) {
			if (strcmp(name, "local") == 0)
				TELL(doctor, FILES, NOTE,
				    "DEPLOY_TRANSPORT: nothing restarts what local has started, after a crash or a reboot; systemd does (docs/deploy-scripts.md)");
			return;
		}
	if (snprintf(file, sizeof(file), "transports/%s.sh", name) < (int)sizeof(file) &&
	    doctor_find_script(file, found))
		TELL(doctor, FILES, OK, "DEPLOY_TRANSPORT: %s", found);
	else if (doctor_find_script("deploy.sh", found))
		TELL(doctor, FILES, ERROR,
		    "DEPLOY_TRANSPORT: there is no transport \"%s\": there are ssh, agent, kubernetes, systemd and local, or write deploy/%s (docs/transports.md)",
		    name, file);
	else /* a server's container has no scripts: the runner's has */
		TELL(doctor, FILES, WARNING,
		    "DEPLOY_TRANSPORT: \"%s\" is none of ssh, agent, kubernetes, systemd and local, and deploy/%s cannot be looked for from here",
		    name, file);
}

/* One's own script may know another transport, and so may a remote runner's machine. */
static bool
is_of_here(const struct environment_settings *e)
{
	return strcmp(e->runner, RUNNER_LOCAL) == 0 &&
	    !settings_is_given_for(e, SETTING_DEPLOY_SCRIPT);
}

/* Each environment's once. */
static void
examine_transports(struct doctor *doctor)
{
	const struct settings *s = doctor->settings;

	for (size_t i = 0; i < s->environment_count; i++) {
		const struct environment_settings *e = &s->environments[i];
		const char *name = settings_text_for(e, SETTING_DEPLOY_TRANSPORT);
		bool is_seen = name == NULL || !is_of_here(e);

		for (size_t n = 0; n < i && !is_seen; n++) {
			const char *other =
			    settings_text_for(&s->environments[n], SETTING_DEPLOY_TRANSPORT);

			is_seen = other != NULL && strcmp(name, other) == 0 &&
			    is_of_here(&s->environments[n]);
		}
		if (!is_seen)
			examine_transport(doctor, name);
	}
}

/* --- where HTTP is served --- */

/* errno of a bind() there, without listening; 0: it is free. */
static int
try_to_bind(const char *address, int port)
{
	struct sockaddr_in ipv4 = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct sockaddr_in6 ipv6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
	bool is_ipv4 = inet_pton(AF_INET, address, &ipv4.sin_addr) == 1;
	CLEANUP(file_closep) int fd = -1;
	int yes = 1;

	if (!is_ipv4 && inet_pton(AF_INET6, address, &ipv6.sin6_addr) != 1)
		return 0; /* not for us to judge */
	fd = socket(is_ipv4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return 0; /* no IPv6 here */
	return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0 ||
		bind(fd, is_ipv4 ? (struct sockaddr *)&ipv4 : (struct sockaddr *)&ipv6,
		    is_ipv4 ? sizeof(ipv4) : sizeof(ipv6)) != 0 ?
	    errno :
	    0;
}

enum served { SERVED_NO, SERVED_YES, SERVED_UNKNOWN };

/* What a deploybot that works there has locked: open_lock() of serve.c says so. */
static void
name_lock(const struct settings *settings, char path[PATH_MAX])
{
	(void)snprintf(path, PATH_MAX, "%.4000s%s", settings->state_directory,
	    settings->runner_socket != NULL ? "/" POISON_FILE : ""); /* fits */
}

/* Does a deploybot work there now?  Then the port is its own. */
static enum served
look_who_serves(const struct settings *settings)
{
	CLEANUP(file_closep) int fd = -1;
	char path[PATH_MAX];

	name_lock(settings, path);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1)
		return errno == EACCES ? SERVED_UNKNOWN : SERVED_NO;
	return flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK ? SERVED_YES : SERVED_NO;
}

bool
doctor_is_stopped(const struct settings *settings)
{
	const char *made =
	    db_is_url(settings->database) ? settings->state_directory : settings->database;

	return access(made, F_OK) == 0 && look_who_serves(settings) == SERVED_NO;
}

/* Is there a deploybot.socket, of a systemd that runs here? */
static bool
has_socket_unit(void)
{
	static const char *const folders[] = { "/etc/systemd/system", "/run/systemd/system",
		"/lib/systemd/system", "/usr/lib/systemd/system" };
	char path[64];

	for (size_t i = 0; i < COUNT(folders); i++) {
		(void)snprintf(path, sizeof(path), "%s/deploybot.socket", folders[i]);
		if (access(path, F_OK) == 0)
			return access("/run/systemd/system", F_OK) == 0;
	}
	return false;
}

/* systemd may hold the port for a deploybot that is to be started. */
static bool
may_be_systemds(const char *address, int port)
{
	char who[DOCTOR_WHO];

	doctor_port_who(address, port, who); /* its process is another user's, or systemd */
	return !doctor_port_is_users(address, port) && has_socket_unit() &&
	    (strstr(who, "(process ") == NULL || strstr(who, "(process 1)") != NULL);
}

/* deploybot runs, and not there: it listens where its socket unit says, or was not started anew. */
static void
say_not_there(struct doctor *doctor)
{
	const struct settings *s = doctor->settings;

	if (has_socket_unit())
		TELL(doctor, SETTINGS, ERROR,
		    "API_SERVER_PORT: deploybot runs, and does not listen on port %d of %s: its socket unit says where: systemctl edit deploybot.socket: [Socket], ListenStream=, ListenStream=%s:%d; then systemctl stop deploybot.socket deploybot-local.socket deploybot, and start of the same three",
		    s->api_server_port, s->listen_address, s->listen_address, s->api_server_port);
	else
		TELL(doctor, SETTINGS, WARNING,
		    "API_SERVER_PORT: deploybot runs, and does not listen on port %d of %s: it is read at the start alone: restart it",
		    s->api_server_port, s->listen_address);
}

/* Somebody listens there while deploybot runs: is that it? */
static void
say_who_answers(struct doctor *doctor)
{
	const struct settings *s = doctor->settings;
	char answer[CLI_PORT_ANSWER + 1], who[DOCTOR_WHO], lock[PATH_MAX];
	struct err err;

	if (cli_port_instance(s, answer, &err)) {
		TELL(doctor, FILES, OK, "API_SERVER_PORT: deploybot serves on port %d now",
		    s->api_server_port);
		return;
	}
	name_lock(s, lock);
	if (doctor_port_is_of(s->listen_address, s->api_server_port, lock)) {
		TELL(doctor, FILES, OK, "API_SERVER_PORT: %s serves on port %d",
		    db_is_url(s->database) && err.code != ERR_TIMEOUT ?
			"a standby" :
			"deploybot, which does not answer now,",
		    s->api_server_port);
		return;
	}
	doctor_port_who(s->listen_address, s->api_server_port, who);
	TELL(doctor, SETTINGS, ERROR,
	    "API_SERVER_PORT: deploybot runs, but port %d of %s is in use %s: the next start would fail, set another port",
	    s->api_server_port, s->listen_address, who);
}

static void
say_in_use(struct doctor *doctor)
{
	const struct settings *s = doctor->settings;
	enum served served = look_who_serves(s);
	char who[DOCTOR_WHO];

	if (served == SERVED_YES)
		say_who_answers(doctor);
	else if (served == SERVED_UNKNOWN)
		TELL(doctor, FILES, WARNING,
		    "API_SERVER_PORT: port %d is in use; whether by deploybot its own user can say: sudo -u deploybot deploybot check-config",
		    s->api_server_port);
	else if (may_be_systemds(s->listen_address, s->api_server_port))
		TELL(doctor, FILES, WARNING,
		    "API_SERVER_PORT: port %d is in use, and deploybot does not run: by deploybot.socket, or by another program: systemctl status deploybot.socket",
		    s->api_server_port);
	else {
		doctor_port_who(s->listen_address, s->api_server_port, who);
		TELL(doctor, SETTINGS, ERROR,
		    "API_SERVER_PORT: port %d of %s is in use %s: stop that, or set another port (ss -ltnp, as root, names all)",
		    s->api_server_port, s->listen_address, who);
	}
}

static void
examine_port(struct doctor *doctor)
{
	const struct settings *s = doctor->settings;
	int error =
	    s->listen_address[0] == '/' ? 0 : try_to_bind(s->listen_address, s->api_server_port);

	if (error == EADDRINUSE)
		say_in_use(doctor);
	else if (error == 0 && s->listen_address[0] != '/' && look_who_serves(s) == SERVED_YES)
		say_not_there(doctor);
	else if (error == EADDRNOTAVAIL)
		TELL(doctor, SETTINGS, ERROR,
		    "LISTEN_ADDRESS: %s is no address of this machine (ip address)",
		    s->listen_address);
	else if (error == EACCES && has_socket_unit())
		TELL(doctor, FILES, WARNING,
		    "API_SERVER_PORT: port %d counts for nothing beside deploybot.socket: systemctl edit deploybot.socket says where it listens",
		    s->api_server_port);
	else if (error == EACCES)
		TELL(doctor, FILES, WARNING,
		    "API_SERVER_PORT: this user may not serve on port %d: take one from 1024 on, and nginx in front",
		    s->api_server_port);
}

/* A small group's id without its minus looks like a person's. */
static void
examine_chat(struct doctor *doctor)
{
	const struct settings *s = doctor->settings;
	const struct roles *roles = s->roles;

	if (s->telegram_chat_id <= 0 || s->telegram_chat_id >= NO_PERSON)
		return; /* a large one's was said of the settings */
	for (size_t i = 0; i < roles->member_count; i++)
		if (roles->member[i].person == s->telegram_chat_id)
			return;
	TELL(doctor, TELEGRAM, WARNING,
	    "TELEGRAM_CHAT_ID: %lld is the private chat of a person who has no role: a group's id begins with -",
	    (long long)s->telegram_chat_id);
}

void
doctor_machine(struct doctor *doctor)
{
	examine_chat(doctor);
	examine_transports(doctor);
	examine_port(doctor);
	doctor_approvals(doctor);
	doctor_readers(doctor);
	doctor_link(doctor);
	doctor_ansible(doctor);
}
