/* systemd.c - sd-bus calls to org.freedesktop.systemd1, and its signals.  Side: agent. */
/* SPDX-License-Identifier: ISC */
#include "agent/systemd.h"

#include <errno.h>
#include <stdio.h>
#include <systemd/sd-bus.h>

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/text.h"

#define SERVICE "org.freedesktop.systemd1"
#define MANAGER "/org/freedesktop/systemd1"
#define UNIT	SERVICE ".Unit"
#define OBJECT	"org.freedesktop.DBus.Properties"

struct systemd {
	sd_bus *bus;
	sd_bus_slot *changes;		 /* of the unit that was started */
	char path[256];			 /* of it, as an object */
	char before[SYSTEMD_INVOCATION]; /* its invocation before the start */
	char jobs[2][128];		 /* start, stop: objects; "": none is open */
	struct systemd_end end;
};

static bool
fail(struct err *err, int number, const char *what)
{
	return err_errno(err, ERR_IO, -number, "systemd: %s", what);
}

/* --- what it says by itself --------------------------------------------------------------- */

static void
take_invocation(sd_bus_message *m, char out[SYSTEMD_INVOCATION])
{
	const void *bytes;
	size_t size;

	if (sd_bus_message_read_array(m, 'y', &bytes, &size) >= 0 && size == 16)
		text_hex(out, bytes, size);
}

static int
take_text(sd_bus_message *m, char *out, size_t room)
{
	const char *text;
	int n = sd_bus_message_read(m, "s", &text);

	if (n >= 0)
		(void)text_copy(out, room, text);
	return n;
}

/* One property of the unit that was started; the message stands in its variant. */
static int
take_property(struct systemd *systemd, sd_bus_message *m, const char *name, const char *type)
{
	struct systemd_end *end = &systemd->end;
	char invocation[SYSTEMD_INVOCATION] = "";

	if (strcmp(name, "InvocationID") == 0 && strcmp(type, "ay") == 0) {
		take_invocation(m, invocation);
		if (invocation[0] != '\0' && strcmp(invocation, systemd->before) != 0)
			memcpy(end->invocation, invocation, sizeof(invocation));
		return 0;
	}
	if (strcmp(name, "Result") == 0 && strcmp(type, "s") == 0)
		return take_text(m, end->result, sizeof(end->result));
	if (strcmp(name, "ExecMainCode") == 0 && strcmp(type, "i") == 0)
		return sd_bus_message_read(m, "i", &end->code);
	if (strcmp(name, "ExecMainStatus") == 0 && strcmp(type, "i") == 0)
		return sd_bus_message_read(m, "i", &end->status);
	return sd_bus_message_skip(m, type);
}

static int
take_properties(struct systemd *systemd, sd_bus_message *m)
{
	const char *name, *type;
	int n = sd_bus_message_enter_container(m, 'a', "{sv}");

	while (n >= 0 && (n = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
		if ((n = sd_bus_message_read(m, "s", &name)) < 0 ||
		    (n = sd_bus_message_peek_type(m, NULL, &type)) < 0 ||
		    (n = sd_bus_message_enter_container(m, 'v', type)) < 0 ||
		    (n = take_property(systemd, m, name, type)) < 0 ||
		    (n = sd_bus_message_exit_container(m)) < 0)
			return n;
		n = sd_bus_message_exit_container(m);
	}
	return n;
}

static int
on_changed(sd_bus_message *m, void *ctx, UNUSED sd_bus_error *error)
{
	struct systemd *systemd = ctx;
	const char *interface;

	if (!systemd->end.is_over && sd_bus_message_read(m, "s", &interface) >= 0)
		(void)take_properties(systemd, m); /* what cannot be read is not known */
	return 0;
}

static int
on_job_removed(sd_bus_message *m, void *ctx, UNUSED sd_bus_error *error)
{
	struct systemd *systemd = ctx;
	const char *job, *unit, *result;
	uint32_t id;

	if (sd_bus_message_read(m, "uoss", &id, &job, &unit, &result) < 0)
		return 0;
	for (size_t i = 0; i < COUNT(systemd->jobs); i++) {
		if (systemd->jobs[i][0] == '\0' || strcmp(job, systemd->jobs[i]) != 0)
			continue;
		systemd->jobs[i][0] = '\0';
		if (i == 0)
			(void)text_copy(systemd->end.job, sizeof(systemd->end.job), result);
		systemd->end.is_over = systemd->jobs[0][0] == '\0' && systemd->jobs[1][0] == '\0';
	}
	return 0;
}

/* --- connecting --------------------------------------------------------------------------- */

struct systemd *
systemd_open(struct err *err)
{
	struct systemd *systemd = mem_new(1, sizeof(*systemd));
	int n = sd_bus_open_system(&systemd->bus);

	if (n >= 0)
		n = sd_bus_match_signal(systemd->bus, NULL, SERVICE, MANAGER, SERVICE ".Manager",
		    "JobRemoved", on_job_removed, systemd);
	if (n >= 0)
		n = sd_bus_call_method(systemd->bus, SERVICE, MANAGER, SERVICE ".Manager",
		    "Subscribe", NULL, NULL, "");
	if (n >= 0)
		return systemd;
	systemd_free(systemd);
	return ERR_NULL(fail(err, n, "connecting to the system bus"));
}

void
systemd_free(struct systemd *systemd)
{
	if (systemd == NULL)
		return;
	(void)sd_bus_slot_unref(systemd->changes);
	(void)sd_bus_flush_close_unref(systemd->bus);
	free(systemd);
}

int
systemd_fd(const struct systemd *systemd, short *ret_events, int *ret_timeout_ms)
{
	uint64_t due = UINT64_MAX;
	int events = sd_bus_get_events(systemd->bus);

	*ret_events = (short)(events < 0 ? 0 : events);
	*ret_timeout_ms = -1;
	if (sd_bus_get_timeout(systemd->bus, &due) > 0 && due != UINT64_MAX) {
		int64_t left = (int64_t)(due / 1000) - clock_monotonic_ms();

		*ret_timeout_ms = left <= 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
	}
	return sd_bus_get_fd(systemd->bus);
}

bool
systemd_process(struct systemd *systemd, struct err *err)
{
	int n;

	do
		n = sd_bus_process(systemd->bus, NULL);
	while (n > 0);
	return n == 0 || fail(err, n, "the system bus is gone");
}

/* --- looking at a unit -------------------------------------------------------------------- */

/* Text of a property, into room bytes. */
static int
get_text(struct systemd *systemd, const char *path, const char *interface, const char *name,
    char *out, size_t room)
{
	char *text = NULL;
	int n =
	    sd_bus_get_property_string(systemd->bus, SERVICE, path, interface, name, NULL, &text);

	if (n >= 0)
		(void)text_copy(out, room, text); /* one that is cut is none that we know */
	free(text);
	return n;
}

static int
get_paths(struct systemd *systemd, const char *path, struct systemd_unit *ret)
{
	char **list = NULL;
	int n = sd_bus_get_property_string(
	    systemd->bus, SERVICE, path, UNIT, "FragmentPath", NULL, &ret->paths[0]);

	ret->path_count = n >= 0;
	if (n >= 0)
		n = sd_bus_get_property_strv(
		    systemd->bus, SERVICE, path, UNIT, "DropInPaths", NULL, &list);
	for (size_t i = 0; n >= 0 && list != NULL && list[i] != NULL; i++) {
		if (ret->path_count == SYSTEMD_PATHS_MAX)
			n = -E2BIG;
		else
			ret->paths[ret->path_count++] = TAKE(list[i]);
		if (n < 0)
			free(list[i]);
	}
	free(list);
	return n;
}

static int
get_invocation(struct systemd *systemd, const char *path, char out[SYSTEMD_INVOCATION])
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	int n = sd_bus_get_property(
	    systemd->bus, SERVICE, path, UNIT, "InvocationID", NULL, &reply, "ay");

	if (n >= 0)
		take_invocation(reply, out);
	return n;
}

static int
get_unit(struct systemd *systemd, const char *path, struct systemd_unit *ret)
{
	static const char service[] = SERVICE ".Service";
	char state[16] = "", active[16] = "";
	int n = get_text(systemd, path, UNIT, "LoadState", state, sizeof(state));
	int reload = 0, remains = 0;

	ret->is_loaded = strcmp(state, "loaded") == 0;
	if (n < 0 || !ret->is_loaded)
		return n;
	if ((n = get_paths(systemd, path, ret)) < 0 ||
	    (n = get_text(systemd, path, UNIT, "ActiveState", active, sizeof(active))) < 0 ||
	    (n = sd_bus_get_property_trivial(
		 systemd->bus, SERVICE, path, UNIT, "NeedDaemonReload", NULL, 'b', &reload)) < 0 ||
	    (n = sd_bus_get_property_trivial(systemd->bus, SERVICE, path, service,
		 "RemainAfterExit", NULL, 'b', &remains)) < 0 ||
	    (n = sd_bus_get_property_trivial(systemd->bus, SERVICE, path, service,
		 "TimeoutStartUSec", NULL, 't', &ret->start_timeout_us)) < 0 ||
	    (n = get_text(systemd, path, service, "Type", ret->type, sizeof(ret->type))) < 0 ||
	    (n = get_text(systemd, path, service, "Restart", ret->restart, sizeof(ret->restart))) <
		0 ||
	    (n = get_text(
		 systemd, path, service, "KillMode", ret->kill_mode, sizeof(ret->kill_mode))) < 0)
		return n;
	ret->needs_reload = reload != 0;
	ret->remains = remains != 0;
	ret->is_idle = strcmp(active, "inactive") == 0 || strcmp(active, "failed") == 0;
	return get_invocation(systemd, path, ret->invocation);
}

/* The object of a unit, which systemd reads its files for where it has not. */
static int
load(struct systemd *systemd, const char *name, char path[256])
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	const char *object = NULL;
	int n = sd_bus_call_method(systemd->bus, SERVICE, MANAGER, SERVICE ".Manager", "LoadUnit",
	    NULL, &reply, "s", name);

	if (n >= 0)
		n = sd_bus_message_read(reply, "o", &object);
	return n >= 0 && !text_copy(path, 256, object) ? -ENAMETOOLONG : n;
}

bool
systemd_look(struct systemd *systemd, const char *name, struct systemd_unit *ret, struct err *err)
{
	char path[256];
	int n;

	*ret = (struct systemd_unit){ 0 };
	n = load(systemd, name, path);
	if (n >= 0)
		n = get_unit(systemd, path, ret);
	return n >= 0 || fail(err, n, name);
}

void
systemd_unit_done(struct systemd_unit *unit)
{
	for (size_t i = 0; i < unit->path_count; i++)
		free(unit->paths[i]);
	unit->path_count = 0;
}

/* --- starting and stopping ---------------------------------------------------------------- */

/* Calls StartUnit or StopUnit; the job's object goes to ret. */
static int
order(struct systemd *systemd, const char *method, const char *name, const char *mode,
    char ret[128], struct err *err)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	const char *job = NULL;
	int n = sd_bus_call_method(systemd->bus, SERVICE, MANAGER, SERVICE ".Manager", method,
	    &error, &reply, "ss", name, mode);

	if (n >= 0)
		n = sd_bus_message_read(reply, "o", &job);
	if (n >= 0)
		(void)text_copy(ret, 128, job);
	else
		(void)err_set(err, ERR_IO, "systemd: %s of %s: %s", method, name,
		    error.message == NULL ? strerrordesc_np(-n) : error.message);
	sd_bus_error_free(&error);
	return n < 0 ? -n : 0;
}

bool
systemd_start(struct systemd *systemd, const char *name, const struct systemd_unit *look,
    int *ret_errno, struct err *err)
{
	int n = load(systemd, name, systemd->path);

	systemd->end = (struct systemd_end){ 0 };
	memset(systemd->jobs, 0, sizeof(systemd->jobs));
	memcpy(systemd->before, look->invocation, sizeof(systemd->before));
	systemd->changes = sd_bus_slot_unref(systemd->changes);
	if (n >= 0)
		n = sd_bus_match_signal(systemd->bus, &systemd->changes, SERVICE, systemd->path,
		    OBJECT, "PropertiesChanged", on_changed, systemd);
	if (n < 0) {
		*ret_errno = -n;
		return fail(err, n, name);
	}
	*ret_errno = order(systemd, "StartUnit", name, "fail", systemd->jobs[0], err);
	return *ret_errno == 0;
}

bool
systemd_stop(struct systemd *systemd, const char *name, struct err *err)
{
	systemd->end.is_over = false;
	/* Mode fail is refused where the start of a oneshot goes on, which is all of its life. */
	return order(systemd, "StopUnit", name, "replace", systemd->jobs[1], err) == 0;
}

const struct systemd_end *
systemd_end(const struct systemd *systemd)
{
	return &systemd->end;
}
