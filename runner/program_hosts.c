/* program_hosts.c - the hosts of a run, and what its script is given of them.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/program_inside.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/host_lines.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "runner/main_process.h"
#include "runner/run_folder.h"

/* Those that the settings name, each as host_plain() has it. */
struct known {
	size_t count;
	char all[HOST_LINES_MAX][HOST_TEXT];
};

static bool
find_known(
    struct runner_settings *settings, const char *environment, struct known *ret, struct err *err)
{
	const struct runner_setting hosts = runner_setting_of("ENVIRONMENT", "HOST", environment);
	char part[SETTING_PART_MAX + 1];
	const char *list;

	if (!runner_settings_get(settings, &hosts, &list, err))
		return false;
	while (
	    list != NULL && ret->count < HOST_LINES_MAX && setting_next(&list, part, sizeof(part)))
		(void)host_plain(part, ret->all[ret->count++]);
	return true;
}

static bool
is_known(const struct known *known, const char *host)
{
	for (size_t i = 0; i < known->count; i++)
		if (strcmp(known->all[i], host) == 0)
			return true;
	return false;
}

/* A server that is somebody else's does not choose where to ship. */
static bool
check_hosts(const struct protocol_message *order, struct runner_settings *settings, struct err *err)
{
	CLEANUP(freep) struct known *known = mem_new(1, sizeof(*known));
	const char *at = order->body, *end = at + order->body_len;
	char line[HOST_TEXT];

	if (!find_known(settings, order->environment, known, err))
		return false;
	while (host_lines_next(&at, end, line)) {
		if (text_starts(line, PROTOCOL_GROUP)) {
			if (order->program != PROTOCOL_PROGRAM_ROLLBACK)
				return err_set(
				    err, ERR_INVALID, "hosts in groups are a rollback's");
		} else if (!is_known(known, line)) {
			return err_set(err, ERR_INVALID,
			    "the settings of %s name no host %s here: nothing is released to it",
			    order->environment, line);
		}
	}
	return true;
}

static bool
has_own_script(struct runner_settings *settings, bool *ret, struct err *err)
{
	const char *deploys, *rolls_back;

	if (!runner_settings_text(settings, "DEPLOY_SCRIPT", &deploys, err) ||
	    !runner_settings_text(settings, "ROLLBACK_SCRIPT", &rolls_back, err))
		return false;
	*ret = deploys != NULL || rolls_back != NULL;
	return true;
}

bool
program_add_hosts(struct program_plan *plan, const struct protocol_message *order,
    const struct program_dirs *dirs, struct runner_settings *settings, struct err *err)
{
	char path[4096], number[24], third[24];
	bool is_own;

	if (order->body_len == 0)
		return order->wave[0] == '\0' || err_set(err, ERR_INVALID, "a wave without hosts");
	if (order->program == PROTOCOL_PROGRAM_ACTION)
		return err_set(err, ERR_INVALID, "an action has no hosts");
	if (!has_own_script(settings, &is_own, err) || !check_hosts(order, settings, err))
		return false;
	if (is_own)
		return err_set(err, ERR_CONFIG,
		    "DEPLOY_SCRIPT or ROLLBACK_SCRIPT is set: only deploybot's own scripts release to some of the hosts");
	(void)snprintf(path, sizeof(path), "%.3900s/runs/%" PRIu64 "/" RUN_FOLDER_HOSTS,
	    dirs->state, order->id);
	(void)snprintf(number, sizeof(number), "%u", order->failures_max);
	(void)snprintf(third, sizeof(third), "%d", MAIN_PROCESS_THIRD);
	return program_add_variable(plan, "RUN_HOSTS", path, err) &&
	    program_add_variable(plan, "HOST_ACKS", third, err) &&
	    (order->wave[0] == '\0' || program_add_variable(plan, "WAVE", order->wave, err)) &&
	    program_add_variable(plan, "WAVE_FAILURES_MAX", number, err);
}
