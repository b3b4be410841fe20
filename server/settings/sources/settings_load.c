/* settings_load.c - a snapshot of the settings from their sources.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/checks/settings_database.h"
#include "settings/checks/settings_loans.h"
#include "settings/checks/settings_notify.h"
#include "settings/checks/settings_runners.h"
#include "settings/checks/settings_workflows.h"
#include "settings/settings_inside.h"

#include <unistd.h>

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/text.h"

/* --- the application without a name beside others --- */

struct given {
	const struct settings_loader *l;
	struct buf names;
};

static void
add_given(void *ctx, const char *name, UNUSED const char *pattern, UNUSED const char *fallback)
{
	struct given *given = ctx;

	if (settings_find(given->l, name) != NULL)
		buf_addf(&given->names, "%s%s", given->names.size > 0 ? ", " : "", name);
}

/* The names of own settings that are given, to be freed. */
static struct buf
list_own(const struct settings_loader *l)
{
	const char *list = settings_find(l, settings_table[SETTING_ENVIRONMENTS].name);
	struct given given = { l, buf_make(ENV_FILE_MAX) };

	settings_for_own_names(
	    list != NULL ? list : settings_table[SETTING_ENVIRONMENTS].fallback, add_given, &given);
	return given.names;
}

static void
refuse_nameless(struct settings_loader *l, const char *names)
{
	static const char sentence[] =
	    "its settings stand in the settings file, where applications have files of their own: deploybot application adopt NAME moves them";

	for (size_t i = 0; i < l->s->inside->member_count; i++) {
		text_set(l->s->inside->members[i]->refusal, sentence); /* fits */
		free(l->s->inside->members[i]->shared);
		l->s->inside->members[i]->shared = NULL;
	}
	settings_say(l->report, SETTINGS_FLAW,
	    "%.150s: of one application, in a file of all: nothing of it is deployed. Put these lines into its apps/NAME.env; what ran from here before: deploybot application adopt NAME moves them",
	    names);
}

/* They are wrong, and whatever else is to say of them does not matter. */
static void
take_unheard(struct settings_loader *l)
{
	CLEANUP(freep) struct settings_report *unheard = mem_new(1, sizeof(*unheard));
	struct settings_report *report = l->report;

	l->report = unheard;
	settings_take_table(l, true);
	settings_take_families(l, true);
	l->report = report;
}

/* Who else is there decides what its own settings in the main file mean: they are wrong, they are
 * as ever, or there are none and there is no such application. */
static void
take_nameless(struct settings_loader *l)
{
	bool has_others = l->s->inside->application_count > 0;
	CLEANUP(buf_done) struct buf names = list_own(l);

	if (!has_others && (names.size > 0 || l->s->inside->refused_count == 0)) {
		settings_take_own(l);
	} else {
		if (names.size > 0) {
			take_unheard(l);
			refuse_nameless(l, buf_text(&names));
		}
		if (!settings_fill(l->s))
			settings_say(l->report, SETTINGS_ERROR, SETTINGS_ZONE_GONE);
		settings_check_unknown(l);
	}
	settings_say_overlaps(l);
	settings_say_stages(l);
}

static void
take_main(struct settings_loader *l)
{
	settings_take_shared(l);
	if (l->running != NULL)
		settings_keep_running(l);
	settings_take_applications(l);
	take_nameless(l);
	settings_check_clients(l);
	settings_check_roles(l);
	settings_check_approvals(l);
	settings_check_pipelines(l);
	settings_check_loans(l);
	settings_check_notify(l);
	settings_check_users(l);
	settings_take_otp(l);
	settings_take_link(l);
	settings_check_runners(l);
	settings_check_database(l);
	settings_check_hook_lines(l);
	settings_say_hooks(l);
	settings_say_hook_lines(l);
	settings_say_workflows(l);
	settings_say_loans(l);
}

/* --- where they stand --- */

/* False: the reason is said. */
static bool
read_files(struct settings_loader *l)
{
	char why[SETTINGS_UNREAD];
	struct err err;

	for (size_t i = 0; i < l->count; i++) {
		const char *file = l->sources[i].file;

		if (file == NULL || env_file_read(&l->files[i], file, &err)) {
			if (file != NULL && settings_in_production(l))
				settings_check_private(l, "the settings file", file, false);
			continue;
		}
		settings_say(l->report, SETTINGS_ERROR, "%s",
		    access(file, R_OK) == 0 ? err.text : settings_unread(file, false, &err, why));
		return false;
	}
	return true;
}

static bool
load_main(struct settings_loader *l, const char *env_file, char *const environ_list[])
{
	struct settings_report *report = l->report;

	l->sources[l->count++].environ_list = environ_list;
	if (env_file != NULL)
		l->sources[l->count++].file = env_file;
	l->own = l->count;
	report->errors = 0;
	report->flaws = 0;
	report->count = 0;
	report->left_out = 0;
	if (read_files(l))
		take_main(l);
	for (size_t i = 0; i < l->count; i++)
		env_file_done(&l->files[i]);
	return report->errors == 0;
}

bool
settings_load(const char *env_file, char *const environ_list[], struct settings **ret,
    struct settings_report *report)
{
	return settings_load_for(NULL, env_file, environ_list, ret, report);
}

bool
settings_load_for(const char *application, const char *env_file, char *const environ_list[],
    struct settings **ret, struct settings_report *report)
{
	CLEANUP(settings_unrefp) struct settings *s = settings_make_empty("");
	struct settings_loader l = { .s = s, .report = report, .asked = application };

	if (!load_main(&l, env_file, environ_list))
		return false;
	*ret = TAKE(s);
	return true;
}

bool
settings_reload(const struct settings *running, const char *env_file, char *const environ_list[],
    const struct settings_folder *folder, struct settings **ret, struct settings_report *report,
    struct settings_change *change)
{
	CLEANUP(settings_unrefp) struct settings *s = settings_make_empty("");
	struct settings_loader l = {
		.s = s, .report = report, .running = running, .folder = folder, .change = change
	};

	if (!load_main(&l, env_file, environ_list))
		return false;
	settings_compare_own(change, running, s);
	*ret = TAKE(s);
	return true;
}
