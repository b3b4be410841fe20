/* systemd.c - sd-bus calls to org.freedesktop.systemd1, and its signals.  Side: agent. */
/* SPDX-License-Identifier: ISC */
#include "agent/systemd.h"

#include <errno.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "lib/text.h"

#define SERVICE	   "org.freedesktop.systemd1"
#define UNITS	   "/org/freedesktop/systemd1/unit"
#define MANAGER	   "/org/freedesktop/systemd1", SERVICE ".Manager"
#define PROPERTIES "org.freedesktop.DBus.Properties"

struct systemd {
	sd_bus *bus;
	sd_bus_slot *changes;		    /* of the unit that was started */
	char before[SYSTEMD_INVOCATION];    /* its invocation before the start */
	char start_job[128], stop_job[128]; /* objects; "": none is open */
	struct systemd_end end;
	bool was_reloaded;
};

static bool
fail(struct err *err, int number, const char *what)
{
	return err_errno(err, ERR_IO, -number, "systemd: %s", what);
}

/* --- properties --------------------------------------------------------------------------- */

#define ROW(name, type, member) \
	{ \
		name, type, offsetof(struct systemd_unit, member), \
		    sizeof(((struct systemd_unit *)0)->member) \
	}
static const struct property {
	const char *name, *type;
	size_t offset, size;
} properties[] = {
	ROW("LoadState", "s", load_state),
	ROW("ActiveState", "s", active_state),
	ROW("FragmentPath", "s", fragment_path),
	ROW("DropInPaths", "as", drop_in_paths),
	ROW("Type", "s", type),
	ROW("Restart", "s", restart),
	ROW("KillMode", "s", kill_mode),
	ROW("InvocationID", "ay", invocation),
	ROW("Result", "s", result),
	ROW("NeedDaemonReload", "b", need_daemon_reload),
	ROW("RemainAfterExit", "b", remain_after_exit),
	ROW("ExecMainCode", "i", exec_main_code),
	ROW("ExecMainStatus", "i", exec_main_status),
	ROW("TimeoutStartUSec", "t", timeout_start_us),
};
#undef ROW

static int
read_list(sd_bus_message *m, char *out, size_t room)
{
	const char *text;
	int n = sd_bus_message_enter_container(m, 'a', "s");

	while (n >= 0 && (n = sd_bus_message_read(m, "s", &text)) > 0) {
		size_t size = strlen(text) + 1;

		if (size >= room)
			return -E2BIG;
		memcpy(out, text, size);
		out += size;
		room -= size;
	}
	out[0] = '\0';
	return n < 0 ? n : sd_bus_message_exit_container(m);
}

static int
read_value(sd_bus_message *m, const struct property *row, struct systemd_unit *unit)
{
	char *at = (char *)unit + row->offset;
	const void *bytes;
	const char *text;
	size_t size;
	int n;

	if (strcmp(row->type, "as") == 0)
		return read_list(m, at, row->size);
	if (strcmp(row->type, "ay") == 0) {
		n = sd_bus_message_read_array(m, 'y', &bytes, &size);
		if (n >= 0)
			text_hex(at, bytes, size == 16 ? size : 0);
		return n;
	}
	if (strcmp(row->type, "s") == 0) {
		n = sd_bus_message_read(m, "s", &text);
		return n >= 0 && !text_copy(at, row->size, text) ? -E2BIG : n;
	}
	return sd_bus_message_read(m, row->type, at);
}

static int
read_property(sd_bus_message *m, const char *name, struct systemd_unit *unit)
{
	const char *type;
	int n = sd_bus_message_peek_type(m, NULL, &type);

	for (size_t i = 0; n >= 0 && i < COUNT(properties); i++) {
		if (strcmp(properties[i].name, name) != 0 || strcmp(properties[i].type, type) != 0)
			continue;
		if ((n = sd_bus_message_enter_container(m, 'v', type)) >= 0 &&
		    (n = read_value(m, &properties[i], unit)) >= 0)
			n = sd_bus_message_exit_container(m);
		return n;
	}
	return n < 0 ? n : sd_bus_message_skip(m, "v");
}

static int
read_properties(sd_bus_message *m, struct systemd_unit *unit)
{
	const char *name;
	int n = sd_bus_message_enter_container(m, 'a', "{sv}");

	while (n >= 0 && (n = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
		if ((n = sd_bus_message_read(m, "s", &name)) < 0 ||
		    (n = read_property(m, name, unit)) < 0)
			return n;
		n = sd_bus_message_exit_container(m);
	}
	return n;
}

/* Whoever asks a unit's object has systemd read its files where it has not: LoadUnit, which would
 * name the object, is a second call for each of them, before each start. */
bool
systemd_look(struct systemd *systemd, const char *name, struct systemd_unit *ret, struct err *err)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	CLEANUP(freep) char *path = NULL;
	int n = sd_bus_path_encode(UNITS, name, &path);

	*ret = (struct systemd_unit){ .timeout_start_us = 0 };
	if (n >= 0) /* of all its interfaces */
		n = sd_bus_call_method(
		    systemd->bus, SERVICE, path, PROPERTIES, "GetAll", NULL, &reply, "s", "");
	if (n >= 0)
		n = read_properties(reply, ret);
	return n >= 0 || fail(err, n, name);
}

/* --- what it says by itself --------------------------------------------------------------- */

static int
on_changed(sd_bus_message *m, void *ctx, UNUSED sd_bus_error *error)
{
	struct systemd *systemd = ctx;

	if (!systemd->end.is_over && sd_bus_message_skip(m, "s") >= 0)
		(void)read_properties(m, &systemd->end.unit); /* what is not read is not known */
	if (strcmp(systemd->end.unit.invocation, systemd->before) == 0)
		systemd->end.unit.invocation[0] = '\0';
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
	if (strcmp(job, systemd->start_job) == 0) {
		systemd->start_job[0] = '\0';
		(void)text_copy(systemd->end.job, sizeof(systemd->end.job), result);
	} else if (strcmp(job, systemd->stop_job) == 0) {
		systemd->stop_job[0] = '\0';
	} else {
		return 0;
	}
	systemd->end.is_over = systemd->start_job[0] == '\0' && systemd->stop_job[0] == '\0';
	return 0;
}

/* Once as it begins, true, and once as it has ended. */
static int
on_reloading(sd_bus_message *m, void *ctx, UNUSED sd_bus_error *error)
{
	struct systemd *systemd = ctx;
	int goes_on = 0;

	systemd->was_reloaded |= sd_bus_message_read(m, "b", &goes_on) >= 0 && !goes_on;
	return 0;
}

/* --- connecting --------------------------------------------------------------------------- */

struct systemd *
systemd_open(struct err *err)
{
	struct systemd *systemd = mem_new(1, sizeof(*systemd));
	int n = sd_bus_open_system(&systemd->bus);

	if (n >= 0)
		n = sd_bus_match_signal(
		    systemd->bus, NULL, SERVICE, MANAGER, "JobRemoved", on_job_removed, systemd);
	if (n >= 0)
		n = sd_bus_match_signal(
		    systemd->bus, NULL, SERVICE, MANAGER, "Reloading", on_reloading, systemd);
	if (n >= 0)
		n = sd_bus_call_method(systemd->bus, SERVICE, MANAGER, "Subscribe", NULL, NULL, "");
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

bool
systemd_check_polkit(struct systemd *systemd, struct err *err)
{
	CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

	return sd_bus_call_method(systemd->bus, "org.freedesktop.PolicyKit1",
		   "/org/freedesktop/PolicyKit1/Authority", "org.freedesktop.DBus.Peer", "Ping",
		   &error, NULL, "") >= 0 ||
	    err_set(err, ERR_MISSING,
		"polkit does not answer, and systemd starts nothing for this user without it (package polkitd): %s",
		error.message == NULL ? "no reason is known" : error.message);
}

int
systemd_fd(const struct systemd *systemd, int *wait_ms)
{
	uint64_t wait_us;

	if (sd_bus_get_timeout(systemd->bus, &wait_us) > 0 && wait_us == 0)
		*wait_ms = 0;
	return sd_bus_get_fd(systemd->bus);
}

bool
systemd_process(struct systemd *systemd, bool *reloaded, struct err *err)
{
	int n;

	do
		n = sd_bus_process(systemd->bus, NULL);
	while (n > 0);
	*reloaded |= systemd->was_reloaded;
	systemd->was_reloaded = false;
	return n == 0 || fail(err, n, "the system bus is gone");
}

/* --- starting and stopping ---------------------------------------------------------------- */

/* Has systemd make a job, whose object goes to ret.  Returns 0, or an errno value. */
static int
order(struct systemd *systemd, bool is_start, const char *name, char ret[128], struct err *err)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	const char *job = NULL;
	/* Mode fail cannot stop a oneshot: its start goes on for all of its life. */
	int n =
	    sd_bus_call_method(systemd->bus, SERVICE, MANAGER, is_start ? "StartUnit" : "StopUnit",
		&error, &reply, "ss", name, is_start ? "fail" : "replace");

	/* No answer is none: whoever starts us anew stops what runs then, and calls it lost. */
	if (is_start && (n == -ETIMEDOUT || n == -ECONNRESET || n == -ENOTCONN || n == -EPIPE)) {
		log_error(
		    "systemd did not say whether it starts %s: %s", name, strerrordesc_np(-n));
		exit(EXIT_FAILURE);
	}
	if (n >= 0)
		n = sd_bus_message_read(reply, "o", &job);
	if (n >= 0 && text_copy(ret, 128, job))
		return 0;
	(void)err_set(err, ERR_IO, "systemd: %s: %s", name,
	    error.message == NULL ? strerrordesc_np(-n) : error.message);
	return n < 0 ? -n : EPROTO;
}

int
systemd_start(
    struct systemd *systemd, const char *name, const struct systemd_unit *before, struct err *err)
{
	CLEANUP(freep) char *path = NULL;
	int n = sd_bus_path_encode(UNITS, name, &path);

	systemd->end = (struct systemd_end){ .is_over = false };
	systemd->start_job[0] = systemd->stop_job[0] = '\0';
	memcpy(systemd->before, before->invocation, sizeof(systemd->before));
	systemd->changes = sd_bus_slot_unref(systemd->changes);
	if (n >= 0) /* not waited for: the bus has it before the start, which is said behind it */
		n = sd_bus_match_signal_async(systemd->bus, &systemd->changes, SERVICE, path,
		    PROPERTIES, "PropertiesChanged", on_changed, NULL, systemd);
	if (n >= 0)
		return order(systemd, true, name, systemd->start_job, err);
	(void)fail(err, n, name);
	return -n;
}

bool
systemd_stop(struct systemd *systemd, const char *name, struct err *err)
{
	systemd->end.is_over = false;
	return order(systemd, false, name, systemd->stop_job, err) == 0;
}

const struct systemd_end *
systemd_end(const struct systemd *systemd)
{
	return &systemd->end;
}
