/* program_hosts.c - the hosts of a run, and what its script is given of them.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/program_inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/hosts_file.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "runner/main_process.h"
#include "runner/run_folder.h"

/* A comma list of those that the settings name; NULL: none.  *ret_file: they stand in a file. */
static bool
find_hosts(struct runner_settings *settings, const char *environment, char **ret, bool *ret_file,
    struct err *err)
{
	const struct runner_setting own = runner_setting_of("ENVIRONMENT", "HOST", environment);
	const struct runner_setting of_file =
	    runner_setting_of("ENVIRONMENT", "HOSTS_FILE", environment);
	const char *list, *path;

	if (!runner_settings_get(settings, &own, &list, err) ||
	    !runner_settings_get(settings, &of_file, &path, err))
		return false;
	*ret_file = path != NULL;
	if (path != NULL && list != NULL)
		return err_set(err, ERR_CONFIG, "%s and %s are both set: take one of them out",
		    own.name, of_file.name);
	*ret = path != NULL ? hosts_file_read(path, settings->owner, err) :
			      (list != NULL ? mem_text(list) : NULL);
	return path == NULL || *ret != NULL || err_wrap(err, "%s", of_file.name);
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Those that the settings name, each as host_plain() has it, in order. */
struct known {
	bool is_file;
	size_t count;
	char all[HOST_LINES_MAX][HOST_TEXT];
};

static bool
find_known(
    struct runner_settings *settings, const char *environment, struct known *ret, struct err *err)
{
	CLEANUP(freep) char *list = NULL;
	char part[SETTING_PART_MAX + 1];
	const char *rest;

	if (!find_hosts(settings, environment, &list, &ret->is_file, err))
		return false;
	rest = list;
	while (
	    rest != NULL && ret->count < HOST_LINES_MAX && setting_next(&rest, part, sizeof(part)))
		(void)host_plain(part, ret->all[ret->count++]);
	qsort(ret->all, ret->count, sizeof(ret->all[0]), by_text);
	return true;
}

static bool
is_known(const struct known *known, const char *host)
{
	for (size_t i = 0; i < known->count; i++)
		if (host_is_pattern(known->all[i]) && host_matches(known->all[i], host))
			return true;
	return bsearch(host, known->all, known->count, sizeof(known->all[0]), by_text) != NULL;
}

/* A server that is somebody else's does not choose where to ship. */
static bool
check_hosts(const struct protocol_message *order, struct runner_settings *settings, struct err *err)
{
	CLEANUP(freep) struct known *known = mem_new(1, sizeof(*known));
	const char *at = order->body, *end = at + order->body_len;
	bool is_grouped = false, is_plain = false;
	char line[HOST_TEXT];

	if (!find_known(settings, order->environment, known, err))
		return false;
	while (host_lines_next(&at, end, line)) {
		is_grouped |= text_starts(line, PROTOCOL_GROUP);
		is_plain |= !is_grouped;
		if (!text_starts(line, PROTOCOL_GROUP) && !is_known(known, line)) {
			/* Of a file the server may not have seen yet that it is another one. */
			return err_set(err, known->is_file ? ERR_CHANGED : ERR_INVALID,
			    "the settings of %s name no host %s here: nothing is released to it",
			    order->environment, line);
		}
	}
	if (is_grouped && order->program == PROTOCOL_PROGRAM_ROLLBACK && is_plain)
		return err_set(err, ERR_INVALID, "a rollback has all its hosts in groups, or none");
	if (is_grouped && order->program == PROTOCOL_PROGRAM_DRAIN)
		return err_set(err, ERR_INVALID, "a drain has no hosts in groups");
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
