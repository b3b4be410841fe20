/* settings_table.c - the table, and what is printed from it.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "types/settings_table.h"

#include <stdio.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/text.h"
#include "types/settings_check.h"

#define SECRECY_OPEN   false
#define SECRECY_SECRET true

const struct settings_spec settings_table[SETTING_COUNT] = {
#define SETTING(name, type, fallback, secrecy, whose, help) \
	[SETTING_##name] = { #name, NULL, #type, settings_check_##type, fallback, \
		SECRECY_##secrecy, WHOSE_##whose, help },
#define ENVIRONMENT_SETTING(...)
#include "types/settings.def"
#undef SETTING
#undef ENVIRONMENT_SETTING
};

const struct settings_spec settings_table_environment[ENVIRONMENT_SETTING_COUNT] = {
#define SETTING(...)
#define ENVIRONMENT_SETTING(id, prefix, suffix, type, fallback, secrecy, whose, help) \
	[ENVIRONMENT_SETTING_##id] = { prefix, suffix, #type, settings_check_##type, fallback, \
		SECRECY_##secrecy, WHOSE_##whose, help },
#include "types/settings.def"
#undef SETTING
#undef ENVIRONMENT_SETTING
};

/* Read once, when sockets, handles and files are made. */
static const char *const only_at_start[] = { "LISTEN_ADDRESS", "API_SERVER_PORT", "STATE_DIRECTORY",
	"AUDIT_LOG_PATH", "RUNNER_SOCKET", "LOG_FORMAT", "TELEGRAM_BOT_TOKEN", "TELEGRAM_MODE",
	"TELEGRAM_WEBHOOK_URL", "TELEGRAM_API_BASE", "TELEGRAM_PROXY" };

bool
settings_table_needs_restart(const char *name)
{
	for (size_t i = 0; i < COUNT(only_at_start); i++)
		if (strcmp(name, only_at_start[i]) == 0)
			return true;
	return false;
}

const char *
settings_table_name(
    const struct settings_spec *spec, const char *environment, char out[SETTINGS_TABLE_NAME])
{
	size_t before = strlen(spec->name);

	(void)snprintf(out, SETTINGS_TABLE_NAME, "%s%s%s", spec->name, environment, spec->suffix);
	for (char *c = out + before; *c != '\0'; c++) /* the suffix is in capitals already */
		*c = (char)(*c == '-' ? '_' : *c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
	return out;
}

const char *
settings_table_fallback(enum environment_setting setting, const char *environment)
{
	bool is_staging = strcmp(environment, "staging") == 0;
	bool is_production = strcmp(environment, "production") == 0;

	if (setting == ENVIRONMENT_SETTING_BRANCH)
		return is_staging ? "develop" : is_production ? "main" : NULL;
	if (setting == ENVIRONMENT_SETTING_CONFIRM && is_staging)
		return "false";
	return settings_table_environment[setting].fallback;
}

/* --- for docs, doctor and .env.example --- */

size_t
settings_row_count(void)
{
	return SETTING_COUNT + ENVIRONMENT_SETTING_COUNT;
}

/* The names with <ENV> in them. */
static const char *
pattern_name(size_t i)
{
	static const char *const names[ENVIRONMENT_SETTING_COUNT] = {
#define SETTING(...)
#define ENVIRONMENT_SETTING(id, prefix, suffix, ...) prefix "<ENV>" suffix,
#include "types/settings.def"
#undef SETTING
#undef ENVIRONMENT_SETTING
	};

	return names[i];
}

struct setting_row
settings_row(size_t i)
{
	bool is_fixed = i < SETTING_COUNT;
	const struct settings_spec *spec =
	    is_fixed ? &settings_table[i] : &settings_table_environment[i - SETTING_COUNT];

	assert(i < settings_row_count());
	return (struct setting_row){
		.name = is_fixed ? spec->name : pattern_name(i - SETTING_COUNT),
		.type = spec->type,
		.fallback = spec->fallback,
		.is_secret = spec->is_secret,
		.is_servers = spec->whose != WHOSE_RUNNER,
		.is_runners = spec->whose != WHOSE_SERVER,
		.needs_restart = settings_table_needs_restart(spec->name),
		.help = spec->help,
	};
}

static void
add_environment_example(struct buf *out, enum environment_setting setting)
{
	static const char *const environments[] = { "staging", "production" };
	char name[SETTINGS_TABLE_NAME];
	const char *fallback;

	for (size_t i = 0; i < COUNT(environments); i++) {
		fallback = settings_table_fallback(setting, environments[i]);
		buf_addf(out, "#%s=%s\n",
		    settings_table_name(
			&settings_table_environment[setting], environments[i], name),
		    fallback == NULL ? "" : fallback);
	}
}

void
settings_example(struct buf *out)
{
	buf_adds(out,
	    "# Settings of deploybot.  Copy to .env, keep it at mode 0600; the environment "
	    "wins over it.\n# A line that begins with #NAME= shows the default.\n#\n"
	    "# A change of this file, or of a file that a NAME_FILE names, is noticed within "
	    "seconds,\n# SIGHUP reads them at once: all is valid, or the old settings stay and the "
	    "log says what is wrong.\n# What it says of a setting below that it is read at start "
	    "holds from the next start on.\n");
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		const struct settings_spec *spec = &settings_table[i];
		bool is_required =
		    i == SETTING_TELEGRAM_BOT_TOKEN || i == SETTING_ADMIN_TELEGRAM_IDS;

		buf_addf(out, "\n# %s\n", spec->help);
		if (spec->is_secret)
			buf_addf(out, "# A secret; %s_FILE may name a file that holds it.\n",
			    spec->name);
		if (settings_table_needs_restart(spec->name))
			buf_adds(out, "# Read at start.\n");
		buf_addf(out, "%s%s=%s\n", is_required ? "" : "#", spec->name,
		    spec->fallback == NULL ? "" : spec->fallback);
	}
	buf_adds(out, "\n# For each environment in ENVIRONMENTS, in capitals and with - as _:\n");
	for (size_t i = 0; i < ENVIRONMENT_SETTING_COUNT; i++) {
		buf_addf(out, "\n# %s\n", settings_table_environment[i].help);
		add_environment_example(out, (enum environment_setting)i);
	}
}
