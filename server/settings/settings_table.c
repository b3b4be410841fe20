/* settings_table.c - the table, and what is printed from it.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/settings_table.h"

#include <string.h>

#include "lib/buf.h"
#include "lib/db_url.h"
#include "lib/err.h"
#include "lib/redact.h"
#include "lib/text.h"

#define SECRECY_OPEN   false
#define SECRECY_SECRET true
#define ROW(name, type, fallback, secrecy, whose, scope, help, family, is_shipping) \
	{ \
		name, SETTING_TYPE_##type, fallback, SECRECY_##secrecy, WHOSE_##whose, \
		    SCOPE_##scope, help, family, is_shipping \
	}

const struct settings_spec settings_table[SETTING_COUNT] = {
#define SETTING(name, type, fallback, secrecy, whose, scope, help) \
	[SETTING_##name] = \
	    ROW(#name, type, fallback, secrecy, whose, scope, help, FAMILY_COUNT, false),
#define SHIPPING(name, type, fallback, secrecy, whose, scope, help) \
	[SETTING_##name] = \
	    ROW(#name, type, fallback, secrecy, whose, scope, help, FAMILY_COUNT, true),
#include "types/settings.def"
};

const struct settings_spec settings_table_families[FAMILY_SETTING_COUNT] = {
#define FAMILY_SETTING(family, id, name, type, fallback, secrecy, whose, scope, help) \
	[family##_SETTING_##id] = \
	    ROW(name, type, fallback, secrecy, whose, scope, help, FAMILY_##family, false),
#include "types/settings.def"
};

const struct settings_family settings_families[FAMILY_COUNT] = {
#define FAMILY(name, stem, members, help) [FAMILY_##name] = { stem, SETTING_##members, help },
#include "types/settings.def"
};

/* Read once, when sockets, handles and files are made. */
static const char *const only_at_start[] = { "LISTEN_ADDRESS", "API_SERVER_PORT",
	"ENABLE_API_SERVER", "CONSOLE", "STATE_DIRECTORY", "AUDIT_LOG_PATH", "APPS_DIRECTORY",
	"RUNNER_SOCKET", "LOCAL_SOCKET", "LOG_FORMAT", "TELEGRAM_BOT_TOKEN", "TELEGRAM_MODE",
	"TELEGRAM_WEBHOOK_URL", "TELEGRAM_API_BASE", "TELEGRAM_PROXY", "CLOUDFLARE_API_BASE",
	"GITHUB_TOKEN_ISSUER", "OPA_URL", "OPA_TOKEN", "OPA_CA_FILE", "PROMETHEUS_URL",
	"PROMETHEUS_USER", "PROMETHEUS_TOKEN", "PROMETHEUS_CA_FILE", "GITLAB_URL", "RUNNERS",
	"DATABASE_URL", "SERVER_NAME", "INSTALLATION_NAME", "SANDBOX" };

bool
settings_table_needs_restart(const char *name)
{
	for (size_t i = 0; i < COUNT(only_at_start); i++)
		if (strcmp(name, only_at_start[i]) == 0)
			return true;
	return false;
}

/* What only environments of certain names have. */
static const struct {
	const char *member;
	enum family_setting setting;
	const char *text;
} defaults[] = {
#define DEFAULT_OF(name, setting, text) { name, ENVIRONMENT_SETTING_##setting, text },
#include "settings/settings_defaults.def"
};

const char *
settings_table_fallback(enum family_setting setting, const char *member)
{
	for (size_t i = 0; i < COUNT(defaults); i++)
		if (defaults[i].setting == setting && strcmp(defaults[i].member, member) == 0)
			return defaults[i].text;
	return settings_table_families[setting].fallback;
}

/* --- members --- */

struct settings_member *
settings_next_member(const struct settings *s, enum family family, size_t *at)
{
	while (*at < s->inside->member_count) {
		struct settings_member *member = s->inside->members[(*at)++];

		if (member->family == family)
			return member;
	}
	return NULL;
}

struct settings_member *
settings_member(const struct settings *s, enum family family, const char *name)
{
	struct settings_member *member;
	size_t at = 0;

	while ((member = settings_next_member(s, family, &at)) != NULL)
		if (strcmp(member->name, name) == 0)
			return member;
	return NULL;
}

/* --- whose --- */

static bool
is_name_of(const struct settings_spec *spec, const char *name, const char *given)
{
	size_t size = strlen(name);

	if (!text_starts(given, name))
		return false;
	return given[size] == '\0' || (spec->is_secret && strcmp(given + size, "_FILE") == 0);
}

bool
settings_table_special(const char *name, size_t size, enum setting *ret)
{
	static const char file[] = "_FILE";
	const size_t behind = strlen(file);

	for (size_t i = 0; i < SETTING_COUNT; i++) {
		const struct settings_spec *spec = &settings_table[i];
		size_t its = strlen(spec->name);

		if (!spec->is_shipping || size < its || memcmp(name, spec->name, its) != 0)
			continue;
		if (size != its &&
		    !(spec->is_secret && size == its + behind &&
			memcmp(name + its, file, behind) == 0))
			continue;
		*ret = (enum setting)i;
		return true;
	}
	return false;
}

static bool
is_at(const struct environment_settings *environment, const char *runner)
{
	return runner == NULL || strcmp(environment->runner, runner) == 0;
}

/* Said for an environment of any application: what the runner is started with holds for all. */
static const struct settings_spec *
find_special(const struct settings *s, const char *runner, const char *name)
{
	struct environment_id id;
	char stem[SETTING_NAME_MAX];
	enum setting setting;

	for (size_t i = 0; s != NULL && i < s->environment_count; i++) {
		if (!is_at(&s->environments[i], runner) ||
		    !environment_id_parse(s->environments[i].name, &id))
			continue;
		(void)setting_name("<ENV>_", id.name, stem);
		if (text_starts(name, stem) &&
		    settings_table_special(
			name + strlen(stem), strlen(name + strlen(stem)), &setting))
			return &settings_table[setting];
	}
	return NULL;
}

static bool
is_member_at(const struct settings *s, const struct settings_member *member, const char *runner)
{
	for (size_t i = 0; i < s->environment_count; i++)
		if (s->environments[i].member == member)
			return is_at(&s->environments[i], runner);
	return true; /* no environment's */
}

static const struct settings_spec *
find(const struct settings *s, const char *runner, const char *name)
{
	const struct settings_inside *in = s == NULL ? NULL : s->inside;
	char its[SETTING_NAME_MAX];

	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (is_name_of(&settings_table[i], settings_table[i].name, name))
			return &settings_table[i];
	for (size_t m = 0; in != NULL && m < in->member_count; m++)
		for (enum family_setting i = 0; i < FAMILY_SETTING_COUNT; i++) {
			const struct settings_spec *spec = &settings_table_families[i];

			if (spec->family == in->members[m]->family &&
			    is_name_of(
				spec, setting_name(spec->name, in->members[m]->name, its), name) &&
			    is_member_at(s, in->members[m], runner))
				return spec;
		}
	return find_special(s, runner, name);
}

const struct settings_spec *
settings_runners_spec(const struct settings *s, const char *runner, const char *name)
{
	const struct settings_spec *spec = find(s, runner, name);

	if (spec == NULL || spec->whose == WHOSE_SERVER)
		return NULL;
	return runner != NULL && spec->scope == SCOPE_SERVER ? NULL : spec;
}

/* A secret, the runner's too where it is not out of our sight. */
static bool
redact_value(const struct settings_spec *spec, const struct settings_value *value,
    struct redact *redact, struct err *err)
{
	const char *text = value->text == NULL ? value->runners : value->text;

	return !spec->is_secret || text == NULL || redact_add(redact, text, err) ||
	    err_wrap(err, "%s", spec->name);
}

static bool
redact_member(const struct settings_member *member, struct redact *redact, struct err *err)
{
	for (size_t i = 0; i < member->special_count; i++)
		if (!redact_value(&settings_table[member->specials[i].setting],
			&member->specials[i].value, redact, err))
			return false;
	for (enum family_setting i = 0; i < FAMILY_SETTING_COUNT; i++)
		if (!redact_value(
			&settings_table_families[i], settings_own(member, i), redact, err))
			return false;
	return true;
}

/* It may stand where the rest of the URL does not. */
static bool
redact_password(const struct settings *s, struct redact *redact, struct err *err)
{
	const char *url = settings_text(s, SETTING_DATABASE_URL);
	char *password = url == NULL ? NULL : db_url_password(url);
	bool ok = password == NULL || redact_add(redact, password, err) ||
	    err_wrap(err, "%s", settings_table[SETTING_DATABASE_URL].name);

	settings_wipe_text(&password);
	return ok;
}

#define SECRETS_OF_EACH 16

bool
settings_redact(const struct settings *s, struct redact *redact, struct err *err)
{
	const struct settings_inside *in = s->inside;

	/* What all applications may have, and what that was before it was rotated a few times. */
	if (in->application_count > 0)
		redact_room(redact, REDACT_VALUES_MAX + s->application_count * SECRETS_OF_EACH);
	for (size_t i = 0; i < in->application_count; i++)
		if (!settings_redact(in->applications[i], redact, err))
			return false;
	for (size_t m = 0; m < in->member_count; m++)
		if (!redact_member(in->members[m], redact, err))
			return false;
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (!redact_value(&settings_table[i], &in->values[i], redact, err))
			return false;
	return redact_password(s, redact, err);
}

void
settings_list_member(
    const struct settings *s, enum family family, const char *name, struct buf *out)
{
	const struct settings_member *member = settings_member(s, family, name);

	for (enum family_setting i = 0; member != NULL && i < FAMILY_SETTING_COUNT; i++)
		if (settings_table_families[i].family == family &&
		    settings_own(member, i)->text != NULL)
			buf_addf(out, "%s=%s\n", settings_table_families[i].name,
			    settings_own(member, i)->text);
}

const char *
settings_environ_text(char *const environ_list[], const char *name)
{
	size_t size = strlen(name);

	for (char *const *e = environ_list; e != NULL && *e != NULL; e++)
		if (strncmp(*e, name, size) == 0 && (*e)[size] == '=' && (*e)[size + 1] != '\0')
			return *e + size + 1;
	return NULL;
}

void
settings_for_own_names(const char *environments, settings_each_name *call, void *ctx)
{
	char member[SETTINGS_MEMBER_NAME], name[SETTING_NAME_MAX];
	const struct settings_spec *spec;

	for (spec = settings_table; spec < settings_table + SETTING_COUNT; spec++)
		if (spec->scope == SCOPE_OWN)
			call(ctx, spec->name, spec->name, spec->fallback);
	while (setting_next(&environments, member, sizeof(member))) {
		for (enum family_setting i = 0; i < FAMILY_SETTING_COUNT; i++) {
			spec = &settings_table_families[i];
			if (spec->scope == SCOPE_OWN && spec->family == FAMILY_ENVIRONMENT)
				call(ctx, setting_name(spec->name, member, name), spec->name,
				    settings_table_fallback(i, member));
		}
		for (spec = settings_table; spec < settings_table + SETTING_COUNT; spec++)
			if (spec->is_shipping && spec->scope == SCOPE_OWN)
				call(ctx, setting_special(spec->name, member, name), spec->name,
				    NULL);
	}
}

/* --- .env.example --- */

static void
add_help(struct buf *out, const struct settings_spec *spec)
{
	buf_addf(out, "\n# %s\n", spec->help);
	if (spec->is_secret)
		buf_addf(out, "# A secret; %s_FILE may name a file that holds it.\n", spec->name);
	if (spec->is_shipping)
		buf_addf(out, "# Also for one environment: <ENV>_%s.\n", spec->name);
	if (settings_table_needs_restart(spec->name))
		buf_adds(out, "# Read at start.\n");
}

static void
add_line(struct buf *out, const char *mark, const char *name, const char *fallback)
{
	buf_addf(out, "%s%s=%s\n", mark, name, fallback == NULL ? "" : fallback);
}

/* Those there are by default; of a family whose members are found by name, one as an example. */
static const char *
members_shown(enum family family)
{
	enum setting members = settings_families[family].members;

	switch (family) {
	case FAMILY_CLIENT:
		return "acme";
	case FAMILY_HOOK:
		return "build-done";
	case FAMILY_JOB:
		return "migrate";
	case FAMILY_LOCAL:
		return "ada";
	case FAMILY_PERSON:
		return "111";
	case FAMILY_NOTIFY:
		return "status-page";
	case FAMILY_REGISTRY:
		return "base";
	case FAMILY_PIPELINE:
		return "release";
	case FAMILY_PLAYBOOK:
		return "restart";
	case FAMILY_ROLE:
		return "contractor";
	case FAMILY_SECRET:
		return "db-migrate";
	case FAMILY_WORKFLOW:
		return "deploy";
	default:
		return settings_table[members].fallback;
	}
}

/* With a line for each member that there is by default. */
static void
add_family(struct buf *out, enum family family)
{
	char member[SETTINGS_MEMBER_NAME], name[SETTING_NAME_MAX];

	buf_addf(out, "\n# %s\n", settings_families[family].help);
	for (enum family_setting i = 0; i < FAMILY_SETTING_COUNT; i++) {
		const struct settings_spec *spec = &settings_table_families[i];
		const char *list = members_shown(family);

		if (spec->family != family)
			continue;
		add_help(out, spec);
		while (setting_next(&list, member, sizeof(member)))
			add_line(out, "#", setting_name(spec->name, member, name),
			    settings_table_fallback(i, member));
	}
}

void
settings_example(struct buf *out)
{
	buf_adds(out,
	    "# Settings of deploybot.  Copy to .env, keep it at mode 0600; the environment wins over it.\n"
	    "# A line that begins with #NAME= shows the default.\n"
	    "#\n"
	    "# A change of this file, or of a file that a NAME_FILE names, is noticed within seconds,\n"
	    "# SIGHUP reads them at once: all is valid, or the old settings stay and the log says what is wrong.\n"
	    "# What it says of a setting below that it is read at start holds from the next start on.\n");
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		const struct settings_spec *spec = &settings_table[i];
		bool is_required =
		    i == SETTING_TELEGRAM_BOT_TOKEN || i == SETTING_ADMIN_TELEGRAM_IDS;

		add_help(out, spec);
		add_line(out, is_required ? "" : "#", spec->name, spec->fallback);
	}
	for (enum family i = 0; i < FAMILY_COUNT; i++)
		add_family(out, i);
}
