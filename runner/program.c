/* program.c - the fixed table of programs: their scripts, arguments and settings.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/program.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/text.h"
#include "runner/runner_settings.h"

#define OWN_NAME_MAX 128
#define SCRIPT_PATH  "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct program {
	const char *script_setting;  /* NULL: it has none */
	const char *script;	     /* in the folder of scripts */
	const char *const *settings; /* ends with NULL */
	const char *const *environment_settings;
};

static const char *const repository_settings[] = { "GITHUB_REPOSITORY", "REPOSITORY_URL",
	"REPOSITORY_KEY_PATH", "REPOSITORY_KNOWN_HOSTS", "REPOSITORY_TOKEN",
	"FETCH_TIMEOUT_SECONDS", "REPOSITORY_SUBMODULES", "REPOSITORY_LFS",
	"MIRROR_MAINTENANCE_SECONDS", "IMAGE_SOURCE", "DEPLOY_TRANSPORT", "DEPLOY_SCRIPT", NULL };
static const char *const shipping_settings[] = { "GITHUB_REPOSITORY", "REPOSITORY_URL",
	"REPOSITORY_KEY_PATH", "REPOSITORY_KNOWN_HOSTS", "REPOSITORY_TOKEN",
	"FETCH_TIMEOUT_SECONDS", "REPOSITORY_SUBMODULES", "REPOSITORY_LFS", "ENVIRONMENTS",
	"DEPLOY_TRANSPORT", "IMAGE_SOURCE", "IMAGE_WAIT_SECONDS", "BUILD_NO_CACHE", "BUILD_AGAIN",
	"DOCKERFILE", "DOCKER_HOST", "REGISTRY_URL", "REGISTRY_IMAGE", "REGISTRY_USER",
	"REGISTRY_PASSWORD", "AWS_REGION", "KEEP_RELEASES", "DEPLOY_USER", "SSH_KEY_PATH",
	"SSH_KNOWN_HOSTS", "HOSTS_PARALLEL", "COMPOSE_SERVICE", "REMOTE_LOGIN", "DEPLOY_STRATEGY",
	"NGINX_UPSTREAM_FILE", "NGINX_RELOAD_COMMAND", "APP_PORTS", "DRAIN_SECONDS", "SMOKE_URL",
	"USE_KUBERNETES", "KUBECONFIG", "KUBE_NAMESPACE", "KUBE_DEPLOYMENT", "KUBE_CONTAINER",
	"HOOKS_DIRECTORY", NULL };
static const char *const of_environment[] = { "HOST", "COMPOSE_DIR", "KUBECONFIG", "KUBE_NAMESPACE",
	"PORT", NULL };
#define OF_EVERY_RUN 13 /* add_common() and plan_run() */
_Static_assert(
    OF_EVERY_RUN + COUNT(shipping_settings) + COUNT(of_environment) <= PROGRAM_VARIABLES_MAX,
    "every setting may be given at once");
static const char *const nothing[] = { NULL };

static const struct program deploy = { "DEPLOY_SCRIPT", "deploy.sh", shipping_settings,
	of_environment };
static const struct program rollback = { "ROLLBACK_SCRIPT", "rollback.sh", shipping_settings,
	of_environment };
static const struct program target = { NULL, "target.sh", shipping_settings, of_environment };
static const struct program commits = { NULL, "commits.sh", repository_settings, nothing };

static bool
add_argument(struct program_plan *plan, const char *text, struct err *err)
{
	if (plan->args == PROGRAM_ARGS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d arguments", PROGRAM_ARGS_MAX);
	plan->argv[plan->args] = strdup(text);
	if (plan->argv[plan->args] == NULL)
		return err_set(err, ERR_NOMEM, "out of memory");
	plan->args++;
	return true;
}

static bool
add_variable(struct program_plan *plan, const char *name, const char *value, struct err *err)
{
	if (plan->variables == PROGRAM_VARIABLES_MAX)
		return err_set(err, ERR_LIMIT, "more than %d variables", PROGRAM_VARIABLES_MAX);
	if (asprintf(&plan->envp[plan->variables], "%s=%s", name, value) == -1) {
		plan->envp[plan->variables] = NULL;
		return err_set(err, ERR_NOMEM, "out of memory");
	}
	plan->variables++;
	return true;
}

static bool
add_number(struct program_plan *plan, const char *name, uint64_t value, struct err *err)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	return add_variable(plan, name, text, err);
}

/* A file in memory with the secret; NAME_FILE is how a program of our user reads it. */
static bool
add_secret(struct program_plan *plan, const char *name, const char *value, struct err *err)
{
	int fd = memfd_create("secret", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	char file_name[SETTING_NAME_MAX + 8], path[48];
	size_t len = strlen(value);

	/* As a secret's file has to be: the scripts refuse one that others may read. */
	if (fd == -1 || fchmod(fd, 0600) == -1 || write(fd, value, len) != (ssize_t)len ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == -1)
		return err_errno(err, ERR_IO, errno, "a file in memory for %s", name);
	if ((plan->secrets == NULL && (plan->secrets = redact_new(err)) == NULL) ||
	    !redact_add(plan->secrets, value, err))
		return false;
	(void)snprintf(file_name, sizeof(file_name), "%s_FILE", name);
	(void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)getpid(), fd);
	return add_variable(plan, file_name, path, err);
}

static bool
add_settings(struct program_plan *plan, const struct program *program, const char *environment,
    struct runner_settings *settings, struct err *err)
{
	char name[SETTING_NAME_MAX];
	const char *value;

	for (const char *const *p = program->settings; *p != NULL; p++) {
		if (!runner_settings_text(settings, *p, &value, err))
			return false;
		if (value == NULL)
			continue;
		if (!(runner_settings_is_secret(*p) ? add_secret(plan, *p, value, err) :
						      add_variable(plan, *p, value, err)))
			return false;
	}
	for (const char *const *p = program->environment_settings; *p != NULL; p++) {
		if (!runner_settings_of(settings, *p, environment, &value, err))
			return false;
		if (value != NULL &&
		    !add_variable(plan, runner_settings_name(*p, environment, name), value, err))
			return false;
	}
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

static bool
add_former(struct program_plan *plan, struct runner_settings *settings,
    const struct program_dirs *dirs, struct err *err)
{
	const char *former;

	return find_former(settings, dirs->env_file, &former, err) &&
	    (former == NULL || add_variable(plan, "RENAMED_FROM", former, err));
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
	return add_variable(plan, name, value, err);
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
static bool
add_own_settings(struct program_plan *plan, const char *environment,
    const struct runner_settings *settings, struct err *err)
{
	const char *shared = settings->application[0] == '\0' ? environment : "";

	return add_own_of_file(plan, environment, &settings->own, err) &&
	    add_own_of_environ(plan, shared, err) &&
	    add_own_of_file(plan, shared, &settings->main, err);
}

/* What every program has, and no more. */
static bool
add_common(struct program_plan *plan, const struct program_dirs *dirs, struct err *err)
{
	const char *home = getenv("HOME");

	return add_variable(plan, "PATH", SCRIPT_PATH, err) &&
	    add_variable(plan, "HOME", home == NULL || home[0] != '/' ? "/" : home, err) &&
	    add_variable(plan, "LANG", "C.UTF-8", err) &&
	    add_variable(plan, "DEPLOYBOT_SETTINGS", "checked", err) && /* by add_settings() */
	    add_variable(plan, "STATE_DIRECTORY", dirs->state, err);
}

/*
 * Whoever may write a script may have it executed by us.  One that is not there is left to exec,
 * which says it better; ours, beside the program, is as safe as the program itself.
 */
static bool
check_own(const char *setting, const char *path, struct err *err)
{
	struct err why = { .code = ERR_NONE };

	if (path[0] != '/')
		return err_set(err, ERR_CONFIG, "%s is not an absolute path", setting);
	return file_is_safe(path, &why) || why.code != ERR_DENIED ||
	    err_set(err, ERR_CONFIG, "%s: %s", setting, why.text);
}

static bool
plan_script(struct program_plan *plan, const struct program *program,
    struct runner_settings *settings, const struct program_dirs *dirs, struct err *err)
{
	const char *own = NULL;

	if (program->script_setting != NULL &&
	    !runner_settings_text(settings, program->script_setting, &own, err))
		return false;
	if (own != NULL && !check_own(program->script_setting, own, err))
		return false;
	if (own != NULL)
		plan->path = strdup(own);
	else if (asprintf(&plan->path, "%s/%s", dirs->scripts, program->script) == -1)
		plan->path = NULL;
	if (plan->path == NULL)
		return err_set(err, ERR_NOMEM, "out of memory");
	return add_argument(plan, plan->path, err);
}

static bool
plan_log_limit(struct program_plan *plan, struct runner_settings *settings, struct err *err)
{
	const char *text;
	int64_t limit;

	if (!runner_settings_text(settings, "RUN_LOG_LIMIT", &text, err))
		return false;
	if (!text_to_size(text, INT64_MAX, &limit, err))
		return err_wrap(err, "RUN_LOG_LIMIT");
	plan->log_limit = (uint64_t)limit;
	return true;
}

static bool
plan_fetch_limit(struct program_plan *plan, struct runner_settings *settings, struct err *err)
{
	const char *text;

	return runner_settings_text(settings, "FETCH_TIMEOUT_SECONDS", &text, err) &&
	    text_to_i64(text, 1, PROTOCOL_DEADLINE_MAX_S, &plan->fetch_limit_s, err);
}

/* Mirrors are kept apart by this: what a secret's own variable names is another file each time. */
static bool
add_credentials(struct program_plan *plan, const struct runner_settings *settings, struct err *err)
{
	return add_variable(plan, "REPOSITORY_CREDENTIALS",
	    runner_settings_secret_source(settings, "REPOSITORY_TOKEN"), err);
}

static bool
plan_run(struct program_plan *plan, const struct protocol_message *order,
    struct runner_settings *settings, const struct program_dirs *dirs, struct err *err)
{
	const struct program *program =
	    order->program == PROTOCOL_PROGRAM_DEPLOY ? &deploy : &rollback;
	char id[ENVIRONMENT_ID_MAX];

	return plan_script(plan, program, settings, dirs, err) &&
	    add_argument(
		plan, environment_id_text(order->application, order->environment, id), err) &&
	    add_argument(plan, order->argument, err) && add_common(plan, dirs, err) &&
	    add_variable(plan, "APPLICATION", order->application, err) &&
	    add_variable(plan, "ENVIRONMENT", order->environment, err) &&
	    add_variable(plan, "RUN_ID", order->tag, err) &&
	    add_number(plan, "DEPLOYMENT_ID", order->deployment, err) &&
	    add_variable(plan, "PREVIOUS_RELEASE", order->previous, err) &&
	    add_variable(plan, "REF", order->ref, err) && add_former(plan, settings, dirs, err) &&
	    add_settings(plan, program, order->environment, settings, err) &&
	    add_credentials(plan, settings, err) &&
	    add_own_settings(plan, order->environment, settings, err) &&
	    plan_log_limit(plan, settings, err) && plan_fetch_limit(plan, settings, err);
}

/* Branches or commits, one argument each. */
static bool
add_words(struct program_plan *plan, const char *words, struct err *err)
{
	char list[sizeof(((struct protocol_message *)0)->branches)], *rest = NULL;

	(void)snprintf(list, sizeof(list), "%s", words);
	for (char *name = strtok_r(list, " ", &rest); name != NULL;
	     name = strtok_r(NULL, " ", &rest)) {
		if (!add_argument(plan, name, err))
			return false;
	}
	return true;
}

static bool
plan_question(struct program_plan *plan, const struct protocol_message *order, struct err *err)
{
	switch (order->query) {
	case PROTOCOL_GIT_QUERY_HEADS:
		return add_argument(plan, "heads", err) && add_words(plan, order->branches, err);
	case PROTOCOL_GIT_QUERY_MAINTAIN:
		return add_argument(plan, "maintain", err);
	default:
		return add_argument(plan, "commits", err) && add_argument(plan, order->ref, err) &&
		    add_argument(plan, order->branch, err) &&
		    add_argument(plan, order->base, err) && add_argument(plan, order->after, err) &&
		    add_argument(plan, order->paths, err) && add_words(plan, order->blocked, err);
	}
}

static bool
plan_git_query(struct program_plan *plan, const struct protocol_message *order,
    struct runner_settings *settings, const struct program_dirs *dirs, struct err *err)
{
	return plan_script(plan, &commits, settings, dirs, err) &&
	    plan_question(plan, order, err) && add_common(plan, dirs, err) &&
	    add_variable(plan, "APPLICATION", order->application, err) &&
	    add_settings(plan, &commits, "", settings, err) && add_credentials(plan, settings, err);
}

/* Nothing may be shipped by settings that nobody has decided on. */
static bool
check_fingerprint(
    const struct protocol_message *order, const struct runner_settings *settings, struct err *err)
{
	char list[FINGERPRINT_LIST_MAX], digest[FINGERPRINT_DIGEST];

	if (order->fingerprint[0] == '\0')
		return true;
	(void)runner_settings_fingerprint(settings, order->environment, list);
	return strcmp(fingerprint_digest(list, digest), order->fingerprint) == 0 ||
	    err_set(err, ERR_CHANGED, "the settings changed since it was asked for");
}

void
program_list_settings(const struct protocol_message *order, const struct program_dirs *dirs,
    char ret[FINGERPRINT_LIST_MAX])
{
	struct runner_settings settings;

	ret[0] = '\0';
	if (runner_settings_read(&settings, dirs->env_file, order->application, NULL))
		(void)runner_settings_fingerprint(&settings, order->environment, ret);
	runner_settings_done(&settings);
}

bool
program_plan(struct program_plan *ret, const struct protocol_message *order,
    const struct program_dirs *dirs, struct err *err)
{
	struct runner_settings settings;
	bool good;

	memset(ret, 0, sizeof(*ret));
	good = runner_settings_read(&settings, dirs->env_file, order->application, err) &&
	    check_fingerprint(order, &settings, err) &&
	    (order->kind == PROTOCOL_RUN ? plan_run(ret, order, &settings, dirs, err) :
					   plan_git_query(ret, order, &settings, dirs, err));
	runner_settings_done(&settings);
	return good;
}

/* One's own deploy.sh may ship to a target that target.sh knows nothing of. */
static bool
has_our_scripts(struct runner_settings *settings, struct err *err)
{
	const char *own;

	if (!runner_settings_text(settings, "DEPLOY_SCRIPT", &own, err))
		return false;
	return own == NULL ||
	    err_set(err, ERR_CONFIG,
		"DEPLOY_SCRIPT is set: only deploybot's own scripts can be asked for the target");
}

bool
program_plan_preflight(struct program_plan *ret, const struct environment_id *environment,
    const struct program_dirs *dirs, struct err *err)
{
	struct runner_settings settings;
	char id[ENVIRONMENT_ID_MAX];
	bool good;

	memset(ret, 0, sizeof(*ret));
	good = runner_settings_read(&settings, dirs->env_file, environment->application, err) &&
	    has_our_scripts(&settings, err) && plan_script(ret, &target, &settings, dirs, err) &&
	    add_argument(
		ret, environment_id_text(environment->application, environment->name, id), err) &&
	    add_argument(ret, "preflight", err) && add_common(ret, dirs, err) &&
	    add_former(ret, &settings, dirs, err) &&
	    add_settings(ret, &target, environment->name, &settings, err);
	runner_settings_done(&settings);
	return good;
}

static void
print_setting(const char *name, const char *value)
{
	(void)printf("%s%s%s%c", name, value != NULL ? "=" : "", value != NULL ? value : "", '\0');
}

static void
print_secret(const struct runner_settings *settings, const char *name)
{
	const char *path = runner_settings_secret_source(settings, name);
	char file_name[SETTING_NAME_MAX + 8];

	(void)snprintf(file_name, sizeof(file_name), "%s_FILE", name);
	print_setting(file_name, path[0] == '/' ? path : NULL);
}

static bool
print_settings(struct runner_settings *settings, const char *environment, struct err *err)
{
	char name[SETTING_NAME_MAX];
	const char *value;

	for (const char *const *p = shipping_settings; *p != NULL; p++) {
		if (!runner_settings_text(settings, *p, &value, err))
			return false;
		if (runner_settings_is_secret(*p))
			print_secret(settings, *p);
		else
			print_setting(*p, value);
	}
	for (const char *const *p = of_environment; *p != NULL; p++) {
		if (!runner_settings_of(settings, *p, environment, &value, err))
			return false;
		print_setting(runner_settings_name(*p, environment, name), value);
	}
	return true;
}

bool
program_print_settings(
    const struct environment_id *environment, const char *env_file, struct err *err)
{
	struct runner_settings settings;
	const char *former;
	bool good = runner_settings_read(&settings, env_file, environment->application, err) &&
	    find_former(&settings, env_file, &former, err);

	if (good)
		print_setting("RENAMED_FROM", former);
	good = good && print_settings(&settings, environment->name, err);

	for (size_t i = 0; good && i < settings.own.count; i++) {
		const struct env_entry *entry = &settings.own.entries[i];

		if (setting_is_transports(entry->name, environment->name))
			print_setting(entry->name, entry->value);
	}
	runner_settings_done(&settings);
	return good;
}

void
program_plan_done(struct program_plan *plan)
{
	for (size_t i = 0; i < plan->args; i++)
		free(plan->argv[i]);
	for (size_t i = 0; i < plan->variables; i++)
		free(plan->envp[i]);
	free(plan->path);
	redact_free(plan->secrets);
	memset(plan, 0, sizeof(*plan));
}
