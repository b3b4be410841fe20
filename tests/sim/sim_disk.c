/* sim_disk.c - files that refuse, a file that loses its end, and the page that outlives a death.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "tests/sim/sim_inside.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE_SIZE  4096
#define REFUSE_MAX (2 * 3600 * 1000) /* ms */

static char page[PAGE_SIZE]; /* as the one that died left it */

static sim_fn files_are_well;

/* --- files that nobody can write --- */

static const char *
aside(const char *path, char *out, size_t room)
{
	(void)snprintf(out, room, "%s.aside", path);
	return out;
}

/* A folder where the file should be, a file where the folder: root could write anything else. */
static void
refuse(const char *path, bool is_folder)
{
	char name[128];
	int fd;

	(void)rename(path, aside(path, name, sizeof(name))); /* none yet: nothing to keep */
	if (is_folder) {
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		sim_must(fd >= 0 && close(fd) == 0, path);
	} else {
		sim_must(mkdir(path, 0700) == 0, path);
	}
}

static void
give_back(const char *path, bool is_folder)
{
	char name[128];

	sim_must((is_folder ? unlink(path) : rmdir(path)) == 0, path);
	(void)rename(aside(path, name, sizeof(name)), path);
}

void
sim_disk_refuses(struct sim *sim)
{
	if (sim->files_refused)
		return;
	sim_note(sim, SIM_FILES_REFUSED);
	sim_trace(sim, "no file can be written");
	refuse(sim_server_audit_path(), false);
	refuse(sim_server_environments_path(), true);
	sim->files_refused = true;
	sim_later(sim, 0, sim_delay(sim, 1000, REFUSE_MAX), files_are_well, 0, 0);
}

static void
files_are_well(struct sim *sim, UNUSED int64_t a, UNUSED int64_t b)
{
	sim_disk_heals(sim);
}

void
sim_disk_heals(struct sim *sim)
{
	if (!sim->files_refused)
		return;
	sim_trace(sim, "files can be written again");
	give_back(sim_server_audit_path(), false);
	give_back(sim_server_environments_path(), true);
	sim->files_refused = false;
}

void
sim_disk_heals_behind(void)
{
	struct stat st;

	if (stat(sim_server_audit_path(), &st) != 0 || !S_ISDIR(st.st_mode))
		return;
	give_back(sim_server_audit_path(), false);
	give_back(sim_server_environments_path(), true);
}

/* --- an end that never reached the disk --- */

/* Killed while it wrote what was missing: what stood there before was flushed, the rest not. */
void
sim_disk_tears(struct sim *sim)
{
	struct stat before, after;
	off_t left;

	if (sim->files_refused || stat(sim_server_audit_path(), &before) != 0 ||
	    !sim_server_project(sim) || stat(sim_server_audit_path(), &after) != 0 ||
	    after.st_size <= before.st_size)
		return;
	left = before.st_size + sim_draw(sim, (uint32_t)(after.st_size - before.st_size));
	sim_must(truncate(sim_server_audit_path(), left) == 0, "cutting the audit file");
	sim_note(sim, SIM_FILE_TORN);
	sim_trace(
	    sim, "the audit file ends at %lld of %lld", (long long)left, (long long)after.st_size);
}

/* --- a handler that kills the program --- */

static const char *
key_of(const struct event *event, char *out, size_t room)
{
	out[0] = '\0';
	if (event->kind == EVENT_DELIVERY)
		(void)text_copy(out, room, event->u.delivery.id);
	else if (event->kind == EVENT_UPDATE && event->u.update != NULL)
		(void)snprintf(out, room, "%" PRId64, event->u.update->id);
	return out;
}

/* One event of a history, whenever it is decided, until it is put aside. */
static bool
is_cursed(struct sim *sim, const struct event *event)
{
	char key[sizeof(sim->cursed)];

	if (*key_of(event, key, sizeof(key)) == '\0')
		return false;
	if (sim->cursed[0] == '\0' && !sim->is_resting && sim_one_in(sim, 300))
		(void)text_copy(sim->cursed, sizeof(sim->cursed), key);
	return !sim->was_quarantined && strcmp(key, sim->cursed) == 0;
}

static void
copy_page(bool is_death)
{
	int fd = open(sim_server_poison_path(), O_RDWR | O_CLOEXEC);

	sim_must(fd >= 0 &&
		(is_death ? pread(fd, page, sizeof(page), 0) : pwrite(fd, page, sizeof(page), 0)) ==
		    (ssize_t)sizeof(page) &&
		close(fd) == 0,
	    "the page of what is under way");
}

bool
sim_disk_kills(struct sim *sim, const struct event *event)
{
	if (sim->is_dying)
		return true;
	if (!is_cursed(sim, event))
		return false;
	sim_note(sim, SIM_HANDLER_KILLED);
	sim_trace(sim, "    and the program is dead");
	sim->is_dying = true;
	copy_page(true);
	return true;
}

/* After its end: the page holds what stood in it at that moment. */
void
sim_disk_is_dead(struct sim *sim)
{
	sim->is_dying = false;
	copy_page(false);
}
