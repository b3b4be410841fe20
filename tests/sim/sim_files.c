/* sim_files.c - the database and the files beside it, of each server its own.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "tests/sim/sim_agent.h"
#include "tests/sim/sim_two.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/environment_id.h"
#include "store/audit_segment.h"
#include "tests/unit/database_aid.h"

static char template_path[DATABASE_AID_PATH], path[DATABASE_AID_PATH];

/* The state folder of the only server, and of each of two. */
static struct place {
	char folder[96], audit[112], environments[112], poison[112];
} places[SIM_PLACES];

const char *
sim_files_folder(int whose)
{
	return places[whose].folder;
}

const char *
sim_files_audit_of(int whose)
{
	return places[whose].audit;
}

const char *
sim_server_audit_path(void)
{
	return places[sim_two_leads()].audit;
}

const char *
sim_server_poison_path(void)
{
	return places[sim_two_leads()].poison;
}

const char *
sim_server_path(void)
{
	return path;
}

const char *
sim_server_environments_path(void)
{
	return places[sim_two_leads()].environments;
}

/* --- beginning --- */

static void
copy_file(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	char bytes[65536];
	ssize_t n;

	sim_must(in >= 0 && out >= 0, "copying the template");
	while ((n = read(in, bytes, sizeof(bytes))) > 0)
		sim_must(write(out, bytes, (size_t)n) == n, "copying the template");
	sim_must(n == 0 && close(in) == 0 && close(out) == 0, "copying the template");
}

static void
place(struct place *place, const char *folder, const char *name)
{
	(void)snprintf(place->folder, sizeof(place->folder), "%.80s%s", folder, name);
	sim_must(name[0] == '\0' || mkdir(place->folder, 0700) == 0, place->folder);
	(void)snprintf(place->audit, sizeof(place->audit), "%s/audit.log", place->folder);
	(void)snprintf(
	    place->environments, sizeof(place->environments), "%s/environments", place->folder);
	(void)snprintf(place->poison, sizeof(place->poison), "%s/under-way", place->folder);
}

void
sim_files_place(const char *folder)
{
	place(&places[SIM_ALONE], folder, "");
	place(&places[SIM_SERVER_A], folder, "/a");
	place(&places[SIM_SERVER_B], folder, "/b");
}

/* An empty database: migrating anew would cost more than a history. */
void
sim_server_begin(const char *folder)
{
	struct store_config empty = { .path = template_path };
	struct store *store;
	struct err err;

	database_aid_make(folder, "template", template_path);
	database_aid_make(folder, "db", path);
	store = store_open(&empty, &err);
	sim_must(store != NULL, err.text);
	store_close(store);
	sim_factor_begin(template_path, sim_settings_get(0));
	sim_local_begin(template_path);
	sim_agents_begin(template_path, folder);
}

/* --- a history's --- */

/* All of its files. */
static void
remove_audit(const char *audit_path)
{
	struct audit_segments closed;
	char segment[PATH_MAX];

	(void)unlink(audit_path);
	sim_must(audit_segments_list(audit_path, &closed, NULL), "the audit log's files");
	for (size_t i = 0; i < closed.n; i++) {
		audit_segment_path(audit_path, closed.first[i], segment);
		(void)unlink(segment);
	}
	audit_segments_done(&closed);
}

void
sim_files_new(const struct sim *sim)
{
	char state[160], name[ENVIRONMENT_ID_MAX];

	if (database_aid_is_server())
		database_aid_copy(template_path, path);
	else
		copy_file(template_path, path);
	for (int i = 0; i < SIM_PLACES; i++) {
		remove_audit(places[i].audit);
		(void)unlink(places[i].poison);
		for (int e = 0; e < sim->n_environments; e++) {
			(void)snprintf(state, sizeof(state), "%s/%s.json", places[i].environments,
			    environment_id_file(sim_environments[e], name));
			(void)unlink(state);
		}
	}
}

void
sim_files_free(void)
{
	char side[DATABASE_AID_PATH + 8];

	(void)snprintf(side, sizeof(side), "%s-wal", path);
	(void)unlink(side);
	(void)snprintf(side, sizeof(side), "%s-shm", path);
	(void)unlink(side);
}
