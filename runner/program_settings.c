/* program_settings.c - which settings a program is given, in its plan or printed.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/program_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/hosts_file.h"
#include "lib/mem.h"

static const char *const repository_settings[] = { "GITHUB_REPOSITORY", "REPOSITORY_URL",
	"REPOSITORY_KEY_PATH", "REPOSITORY_KNOWN_HOSTS", "REPOSITORY_TOKEN",
	"FETCH_TIMEOUT_SECONDS", "REPOSITORY_SUBMODULES", "REPOSITORY_LFS",
	"MIRROR_MAINTENANCE_SECONDS", "APPROVED_DIRECTORY", "IMAGE_SOURCE", "DEPLOY_TRANSPORT",
	"DEPLOY_SCRIPT", "USE_KUBERNETES", NULL };
/* What asks the registry for CI's image. */
static const char *const registry_settings[] = { "ENVIRONMENTS", "REGISTRY_URL", "REGISTRY_IMAGE",
	"REGISTRY_USER", "REGISTRY_PASSWORD", "REGISTRY_REALMS", "AWS_REGION", NULL };
static const char *const shipping_settings[] = { "GITHUB_REPOSITORY", "REPOSITORY_URL",
	"REPOSITORY_KEY_PATH", "REPOSITORY_KNOWN_HOSTS", "REPOSITORY_TOKEN",
	"FETCH_TIMEOUT_SECONDS", "REPOSITORY_SUBMODULES", "REPOSITORY_SUBMODULES_FROM",
	"REPOSITORY_LFS", "ENVIRONMENTS", "DEPLOY_TRANSPORT", "IMAGE_SOURCE", "IMAGE_WAIT_SECONDS",
	"VERIFY_COMMAND", "BUILD_NO_CACHE", "BUILD_PULL", "BUILD_ARGS", "BUILD_SECRETS",
	"BUILD_TARGET", "BUILD_PLATFORM", "REGISTRIES", "BUILD_AGAIN", "BUILD_CONTEXT",
	"DOCKERFILE", "DOCKER_HOST", "REGISTRY_URL", "REGISTRY_IMAGE", "REGISTRY_USER",
	"REGISTRY_PASSWORD", "REGISTRY_REALMS", "REGISTRY_PULL_USER", "REGISTRY_PULL_PASSWORD",
	"AWS_REGION", "KEEP_RELEASES", "FAILURE_LOG_LINES", "DEPLOY_USER", "SSH_KEY_PATH",
	"SSH_KNOWN_HOSTS", "SSH_JUMP", "SSH_PROXY_COMMAND", "HOSTS_PARALLEL", "ROLLBACK_PARALLEL",
	"COMPOSE_SERVICE", "COMPOSE_SERVICES", "COMPOSE_SOURCE", "COMPOSE_REPO_FILE",
	"COMPOSE_REPO_TRUSTED", "COMPOSE_ALLOW", "REMOTE_LOGIN", "DEPLOY_STRATEGY",
	"NGINX_UPSTREAM_FILE", "NGINX_RELOAD_COMMAND", "APP_PORTS", "DRAIN_SECONDS",
	"START_SECONDS", "SMOKE_URL", "SYSTEMD_UNITS", "SYSTEMD_SCOPE", "SYSTEMD_DIR",
	"SYSTEMD_STEADY_SECONDS", "USE_KUBERNETES", "KUBECONFIG", "KUBE_NAMESPACE",
	"KUBE_DEPLOYMENT", "KUBE_WORKLOADS", "KUBE_CONTAINER", "MIGRATE_COMMAND", "MIGRATE_SERVICE",
	"MIGRATE_TIMEOUT_SECONDS", "HOOKS_DIRECTORY", "HOOK_SECONDS", "APPROVED_DIRECTORY",
	"DEPLOY_TIMEOUT_SECONDS", NULL };
static const char *const of_environment[] = { "HOST", "HOSTS_FILE", "COMPOSE_DIR", "PORT", NULL };
static const char *const of_registry[] = { "URL", "USER", "PASSWORD" };
/* What act-on.sh and play.sh get of a client, without its id: CLIENT_WEB_UNIT. */
static const char *const of_client[] = { "HOST", "SSH_KEY", "WEB_UNIT", "COMPOSE_DIR",
	"CACHE_COMMAND", "LIMIT", NULL };
static const char *const acting_settings[] = { "DEPLOY_USER", "SSH_KEY_PATH", "SSH_KNOWN_HOSTS",
	"SSH_JUMP", "SSH_PROXY_COMMAND", "NGINX_RELOAD_COMMAND", "DOCKER_HOST", NULL };
/* What deploy/play.sh does. */
static const char *const playing_settings[] = { "ANSIBLE_FOLDER", "ANSIBLE_VAULT_PASSWORD",
	"DEPLOY_USER", "SSH_KEY_PATH", "SSH_KNOWN_HOSTS", NULL };
static const char *const nothing[] = { NULL };

#define OWN_NAME_MAX   128
#define OF_EVERY_RUN   28 /* of program.c */
#define REGISTRIES_MAX 8  /* lib/setting.def */
_Static_assert(OF_EVERY_RUN + COUNT(shipping_settings) + COUNT(of_environment) +
	    REGISTRIES_MAX * COUNT(of_registry) <=
	PROGRAM_VARIABLES_MAX,
    "every setting may be given at once");

const struct program_settings program_repository = { repository_settings, nothing };
const struct program_settings program_registry = { registry_settings, nothing };
const struct program_settings program_shipping = { shipping_settings, of_environment };
const struct program_settings program_acting = { acting_settings, nothing };
const struct program_settings program_playing = { playing_settings, nothing };

bool
program_add_variable(
    struct program_plan *plan, const char *name, const char *value, struct err *err)
{
	if (plan->variables == PROGRAM_VARIABLES_MAX)
		return err_set(err, ERR_LIMIT, "more than %d variables", PROGRAM_VARIABLES_MAX);
	plan->envp[plan->variables++] = mem_textf("%s=%s", name, value);
	return true;
}

/* A file in memory with that text, whose path a program of our user reads it by. */
static bool
make_file(const char *name, const char *value, char ret_path[48], struct err *err)
{
	int fd = memfd_create("setting", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t len = strlen(value);

	/* As a secret's file has to be: the scripts refuse one that others may read. */
	if (fd == -1 || fchmod(fd, 0600) == -1 || write(fd, value, len) != (ssize_t)len ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == -1)
		return err_errno(err, ERR_IO, errno, "a file in memory for %s", name);
	(void)snprintf(ret_path, 48, "/proc/%d/fd/%d", (int)getpid(), fd);
	return true;
}

/* NAME_FILE names it. */
static bool
add_secret(struct program_plan *plan, const char *name, const char *value, struct err *err)
{
	char file_name[SETTING_NAME_MAX + 8], path[48];

	if (!make_file(name, value, path, err))
		return false;
	if (plan->secrets == NULL)
		plan->secrets = redact_new();
	if (!redact_add(plan->secrets, value, err))
		return false;
	(void)snprintf(file_name, sizeof(file_name), "%s_FILE", name);
	return program_add_variable(plan, file_name, path, err);
}

/* The hosts as they were checked, whatever stands in the file later. */
static bool
add_hosts_file(struct program_plan *plan, const char *name, const char *file,
    const struct runner_settings *settings, struct err *err)
{
	CLEANUP(freep) char *hosts = hosts_file_read(file, settings->owner, err);
	char path[48];

	if (hosts == NULL)
		return err_wrap(err, "%s", name);
	for (char *c = hosts; *c != '\0'; c++)
		*c = (char)(*c == ',' ? '\n' : *c);
	return make_file(name, hosts, path, err) && program_add_variable(plan, name, path, err);
}

/* Of what is not set nothing. */
static bool
add_setting(struct program_plan *plan, struct runner_setting setting,
    struct runner_settings *settings, struct err *err)
{
	const char *value;

	if (!runner_settings_get(settings, &setting, &value, err))
		return false;
	if (value != NULL && setting.is_hosts_file)
		return add_hosts_file(plan, setting.name, value, settings, err);
	return value == NULL ||
	    (setting.is_secret ? add_secret(plan, setting.name, value, err) :
				 program_add_variable(plan, setting.name, value, err));
}

static void
print_setting(const char *name, const char *value)
{
	(void)printf("%s%s%s%c", name, value != NULL ? "=" : "", value != NULL ? value : "", '\0');
}

/* By hand nobody waits for CI who does not say so. */
static bool
waits_by_default(const struct runner_settings *settings, const char *name)
{
	return strcmp(name, "IMAGE_WAIT_SECONDS") == 0 && !runner_settings_is_said(settings, name);
}

/* Of a secret its file. */
static bool
print(struct runner_settings *settings, struct runner_setting setting, struct err *err)
{
	char file_name[SETTING_NAME_MAX + 8];
	const char *value, *path;

	if (!runner_settings_get(settings, &setting, &value, err))
		return false;
	path = runner_settings_source(settings, &setting);
	(void)snprintf(file_name, sizeof(file_name), "%s_FILE", setting.name);
	if (setting.is_secret)
		print_setting(file_name, path[0] == '/' ? path : NULL);
	else
		print_setting(
		    setting.name, waits_by_default(settings, setting.name) ? NULL : value);
	return true;
}

/* To a program, or printed (plan NULL). */
static bool
hand_over(struct program_plan *plan, struct runner_setting setting,
    struct runner_settings *settings, struct err *err)
{
	return plan != NULL ? add_setting(plan, setting, settings, err) :
			      print(settings, setting, err);
}

/* Those of the registries that REGISTRIES names. */
static bool
hand_over_registries(struct program_plan *plan, struct runner_settings *settings, struct err *err)
{
	char member[SETTING_NAME_MAX];
	const char *list;

	if (!runner_settings_text(settings, "REGISTRIES", &list, err))
		return false;
	while (list != NULL && setting_next(&list, member, sizeof(member)))
		for (size_t i = 0; i < COUNT(of_registry); i++)
			if (!hand_over(plan, runner_setting_of("REGISTRY", of_registry[i], member),
				settings, err))
				return false;
	return true;
}

bool
program_add_settings(struct program_plan *plan, const struct program_settings *of,
    const char *environment, struct runner_settings *settings, struct err *err)
{
	for (const char *const *p = of->names; *p != NULL; p++)
		if ((strcmp(*p, "REGISTRIES") == 0 && !hand_over_registries(plan, settings, err)) ||
		    !hand_over(plan, runner_setting(*p), settings, err))
			return false;
	for (const char *const *p = of->of_environment; *p != NULL; p++)
		if (!hand_over(
			plan, runner_setting_of("ENVIRONMENT", *p, environment), settings, err))
			return false;
	return true;
}

/* The name that the application had, whose folder and marks are its own; NULL: none, or one with
 * that name again. */
static bool
find_former(struct runner_settings *settings, const char *env_file, const char **ret_former,
    struct err *err)
{
	char folder[SETTING_PART_MAX + 1], file[SETTING_APPS_FILE_MAX];

	if (!runner_settings_text(settings, "RENAMED_FROM", ret_former, err))
		return false;
	if (*ret_former != NULL && (*ret_former)[0] != '.' &&
	    runner_settings_folder(settings, env_file, folder) &&
	    access(setting_apps_file(folder, *ret_former, file), F_OK) == 0)
		*ret_former = NULL;
	return true;
}

bool
program_add_former(struct program_plan *plan, struct runner_settings *settings,
    const struct program_dirs *dirs, struct err *err)
{
	const char *former;

	return find_former(settings, dirs->env_file, &former, err) &&
	    (former == NULL || program_add_variable(plan, "RENAMED_FROM", former, err));
}

static bool
has_variable(const struct program_plan *plan, const char *name)
{
	size_t size = strlen(name);

	for (size_t i = 0; i < plan->variables; i++) {
		if (strncmp(plan->envp[i], name, size) == 0 && plan->envp[i][size] == '=')
			return true;
	}
	return false;
}

/* One that only a transport of theirs knows: no type says more than that it is text.  What is there
 * already stands in a source that wins. */
static bool
add_own(struct program_plan *plan, const char *name, const char *value, struct err *err)
{
	if (value[0] == '\0' || has_variable(plan, name))
		return true;
	if (!setting_check(SETTING_TYPE_TEXT, value, false, err)) {
		if (err != NULL)
			err->code = ERR_CONFIG;
		return err_wrap(err, "%s", name);
	}
	return program_add_variable(plan, name, value, err);
}

static bool
add_own_of_file(struct program_plan *plan, const char *environment, const struct env_file *file,
    struct err *err)
{
	for (size_t i = 0; i < file->count; i++) {
		if (setting_is_transports(file->entries[i].name, environment) &&
		    !add_own(plan, file->entries[i].name, file->entries[i].value, err))
			return false;
	}
	return true;
}

static bool
add_own_of_environ(struct program_plan *plan, const char *environment, struct err *err)
{
	for (char **at = environ; *at != NULL; at++) {
		const char *value = strchr(*at, '=');
		char name[OWN_NAME_MAX];

		if (!setting_is_transports(*at, environment) || value == NULL || value[1] == '\0')
			continue;
		if (value - *at >= OWN_NAME_MAX)
			return err_set(err, ERR_CONFIG, "%.40s…: a name of more than %d bytes", *at,
			    OWN_NAME_MAX - 1);
		(void)snprintf(name, sizeof(name), "%.*s", (int)(value - *at), *at);
		if (!add_own(plan, name, value + 1, err))
			return false;
	}
	return true;
}

/* Those of one environment are of one application, and not inherited. */
bool
program_add_own_settings(struct program_plan *plan, const char *environment,
    const struct runner_settings *settings, struct err *err)
{
	const char *shared = settings->application[0] == '\0' ? environment : "";

	return add_own_of_file(plan, environment, &settings->own, err) &&
	    add_own_of_environ(plan, shared, err) &&
	    add_own_of_file(plan, shared, &settings->main, err);
}

bool
program_add_client(struct program_plan *plan, const char *client, struct runner_settings *settings,
    struct err *err)
{
	char name[SETTING_NAME_MAX];
	const char *value;

	for (const char *const *p = of_client; client[0] != '\0' && *p != NULL; p++) {
		const struct runner_setting setting = runner_setting_of("CLIENT", *p, client);

		(void)snprintf(name, sizeof(name), "CLIENT_%s", *p);
		if (!runner_settings_get(settings, &setting, &value, err) ||
		    (value != NULL && !program_add_variable(plan, name, value, err)))
			return false;
	}
	return true;
}

/* What is said for one environment is handed over as what it is for this one, and no other's. */
static void
print_gone(const char *name)
{
	print_setting(name, NULL);
}

bool
program_print_settings(
    const struct environment_id *environment, const char *env_file, struct err *err)
{
	CLEANUP(runner_settings_done) struct runner_settings settings;
	const char *former;
	bool good = runner_settings_read(&settings, env_file, environment->application, err) &&
	    find_former(&settings, env_file, &former, err);

	if (good) {
		print_setting("RENAMED_FROM", former);
		runner_settings_special(&settings, print_gone);
	}
	runner_settings_for(&settings, environment->name);
	good = good &&
	    program_add_settings(NULL, &program_shipping, environment->name, &settings, err);
	if (good)
		print_setting(PROGRAM_LOGIN, program_login(&settings, env_file));

	for (size_t i = 0; good && i < settings.own.count; i++) {
		const struct env_entry *entry = &settings.own.entries[i];

		if (setting_is_transports(entry->name, environment->name))
			print_setting(entry->name, entry->value);
	}
	return good;
}
