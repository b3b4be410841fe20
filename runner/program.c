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
#include "runner/binding.h"
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
	"MIRROR_MAINTENANCE_SECONDS", "IMAGE_SOURCE", "DEPLOY_TRANSPORT", "DEPLOY_SCRIPT",
	"USE_KUBERNETES", NULL };
/* What asks the registry for CI's image. */
static const char *const registry_settings[] = { "ENVIRONMENTS", "REGISTRY_URL", "REGISTRY_IMAGE",
	"REGISTRY_USER", "REGISTRY_PASSWORD", "REGISTRY_REALMS", "AWS_REGION", NULL };
static const char *const shipping_settings[] = { "GITHUB_REPOSITORY", "REPOSITORY_URL",
	"REPOSITORY_KEY_PATH", "REPOSITORY_KNOWN_HOSTS", "REPOSITORY_TOKEN",
	"FETCH_TIMEOUT_SECONDS", "REPOSITORY_SUBMODULES", "REPOSITORY_LFS", "ENVIRONMENTS",
	"DEPLOY_TRANSPORT", "IMAGE_SOURCE", "IMAGE_WAIT_SECONDS", "VERIFY_COMMAND",
	"BUILD_NO_CACHE", "BUILD_PULL", "BUILD_ARGS", "BUILD_SECRETS", "BUILD_TARGET",
	"BUILD_PLATFORM", "REGISTRIES", "BUILD_AGAIN", "DOCKERFILE", "DOCKER_HOST", "REGISTRY_URL",
	"REGISTRY_IMAGE", "REGISTRY_USER", "REGISTRY_PASSWORD", "REGISTRY_REALMS",
	"REGISTRY_PULL_USER", "REGISTRY_PULL_PASSWORD", "AWS_REGION", "KEEP_RELEASES",
	"FAILURE_LOG_LINES", "DEPLOY_USER", "SSH_KEY_PATH", "SSH_KNOWN_HOSTS", "SSH_JUMP",
	"SSH_PROXY_COMMAND", "HOSTS_PARALLEL", "COMPOSE_SERVICE", "COMPOSE_SERVICES",
	"COMPOSE_SOURCE", "COMPOSE_REPO_FILE", "COMPOSE_REPO_TRUSTED", "COMPOSE_ALLOW",
	"REMOTE_LOGIN", "DEPLOY_STRATEGY", "NGINX_UPSTREAM_FILE", "NGINX_RELOAD_COMMAND",
	"APP_PORTS", "DRAIN_SECONDS", "START_SECONDS", "SMOKE_URL", "SYSTEMD_UNITS",
	"SYSTEMD_SCOPE", "SYSTEMD_DIR", "SYSTEMD_STEADY_SECONDS", "USE_KUBERNETES", "KUBECONFIG",
	"KUBE_NAMESPACE", "KUBE_DEPLOYMENT", "KUBE_WORKLOADS", "KUBE_CONTAINER", "MIGRATE_COMMAND",
	"MIGRATE_SERVICE", "MIGRATE_TIMEOUT_SECONDS", "HOOKS_DIRECTORY", "HOOK_SECONDS",
	"DEPLOY_TIMEOUT_SECONDS", NULL };
static const char *const of_environment[] = { "HOST", "COMPOSE_DIR", "PORT", NULL };
static const char *const of_registry[] = { "URL", "USER", "PASSWORD" };
/* What deploy/act-on.sh gets of a client, without its id: CLIENT_WEB_UNIT. */
static const char *const of_client[] = { "HOST", "SSH_KEY", "WEB_UNIT", "COMPOSE_DIR",
	"CACHE_COMMAND", NULL };
static const char *const acting_settings[] = { "DEPLOY_USER", "SSH_KEY_PATH", "SSH_KNOWN_HOSTS",
	"SSH_JUMP", "SSH_PROXY_COMMAND", "NGINX_RELOAD_COMMAND", "DOCKER_HOST", NULL };
#define HOST_CALL_SECONDS 180  /* ssh.sh: a call, with what it waits for */
#define LOGS_SECONDS	  "15" /* to read it, behind a look at the target */
#define OF_EVERY_RUN	  15   /* add_common(), plan_run() and add_bound_hooks() */
#define REGISTRIES_MAX	  8    /* lib/setting.def */
_Static_assert(OF_EVERY_RUN + COUNT(shipping_settings) + COUNT(of_environment) +
	    REGISTRIES_MAX * COUNT(of_registry) <=
	PROGRAM_VARIABLES_MAX,
    "every setting may be given at once");
static const char *const nothing[] = { NULL };

static const struct program deploy = { "DEPLOY_SCRIPT", "deploy.sh", shipping_settings,
	of_environment };
static const struct program rollback = { "ROLLBACK_SCRIPT", "rollback.sh", shipping_settings,
	of_environment };
/* It is given no release: it ends what its deployment has left. */
static const struct program drain = { NULL, "drain.sh", shipping_settings, of_environment };
static const struct program job = { NULL, "run-job.sh", shipping_settings, of_environment };
static const struct program act_on = { NULL, "act-on.sh", acting_settings, nothing };
static const struct program target = { NULL, "target.sh", shipping_settings, of_environment };
static const struct program commits = { NULL, "commits.sh", repository_settings, nothing };
static const struct program registry = { NULL, "target.sh", registry_settings, nothing };

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

/* Those of the registries that a list names. */
static bool
add_registries(
    struct program_plan *plan, const char *list, struct runner_settings *settings, struct err *err)
{
	char member[SETTING_NAME_MAX], name[SETTING_NAME_MAX];
	const char *value;
	bool is_secret;

	while (setting_next(&list, member, sizeof(member)))
		for (size_t i = 0; i < COUNT(of_registry); i++) {
			if (!runner_settings_member(
				settings, "REGISTRY", of_registry[i], member, &value, err))
				return false;
			is_secret =
			    runner_settings_member_name("REGISTRY", of_registry[i], member, name);
			if (value != NULL &&
			    !(is_secret ? add_secret(plan, name, value, err) :
					  add_variable(plan, name, value, err)))
				return false;
		}
	return true;
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
		if (strcmp(*p, "REGISTRIES") == 0 && !add_registries(plan, value, settings, err))
			return false;
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

/* One that was left is waited for as long.  Where one is ended, the hosts have to say so. */
static bool
plan_migrate_limit(struct program_plan *plan, struct runner_settings *settings, struct err *err)
{
	const char *command, *text;
	int64_t seconds;

	if (!runner_settings_text(settings, "MIGRATE_COMMAND", &command, err) ||
	    !runner_settings_text(settings, "MIGRATE_TIMEOUT_SECONDS", &text, err) ||
	    !text_to_i64(text, 1, PROTOCOL_DEADLINE_MAX_S, &seconds, err))
		return false;
	plan->await_limit_s = command == NULL ? 0 : seconds + HOST_CALL_SECONDS;
	plan->migrate_limit_s = command == NULL ? 0 : seconds + 2 * HOST_CALL_SECONDS;
	return true;
}

/* Mirrors are kept apart by this: what a secret's own variable names is another file each time. */
static bool
add_credentials(struct program_plan *plan, const struct runner_settings *settings, struct err *err)
{
	return add_variable(plan, "REPOSITORY_CREDENTIALS",
	    runner_settings_secret_source(settings, "REPOSITORY_TOKEN"), err);
}

static bool
add_client(struct program_plan *plan, const char *client, struct runner_settings *settings,
    struct err *err)
{
	char name[SETTING_NAME_MAX];
	const char *value;

	for (const char *const *p = of_client; client[0] != '\0' && *p != NULL; p++) {
		(void)snprintf(name, sizeof(name), "CLIENT_%s", *p);
		if (!runner_settings_member(settings, "CLIENT", *p, client, &value, err) ||
		    (value != NULL && !add_variable(plan, name, value, err)))
			return false;
	}
	return true;
}

static bool
find_job(
    struct runner_settings *settings, const char *name, const char **ret_words, struct err *err)
{
	if (!environment_name_is_valid(name))
		return err_set(err, ERR_INVALID, "no name of a job");
	return runner_settings_member(settings, "JOB", "COMMAND", name, ret_words, err);
}

/* Of an application's job; one that has left the settings is nothing that may run. */
static bool
add_job(
    struct program_plan *plan, const char *name, struct runner_settings *settings, struct err *err)
{
	const char *value;

	if (!find_job(settings, name, &value, err))
		return false;
	return value != NULL ? add_variable(plan, "JOB_COMMAND", value, err) :
			       err_set(err, ERR_CONFIG, "there is no job %s in the settings", name);
}

/* The allow-list's second half: what the one field may be depends on the other. */
static bool
check_order(const struct protocol_message *order, struct err *err)
{
	bool is_action = order->program == PROTOCOL_PROGRAM_ACTION;

	if (!is_action &&
	    (!protocol_is_release(order->argument) ||
		!environment_name_is_valid(order->environment)))
		return err_set(err, ERR_INVALID, "no release of an environment");
	return !is_action || text_is_word(order->argument, sizeof(order->argument)) ||
	    err_set(err, ERR_INVALID, "no name of an action");
}

static const struct program *
program_of(const struct protocol_message *order)
{
	switch (order->program) {
	case PROTOCOL_PROGRAM_DEPLOY:
		return &deploy;
	case PROTOCOL_PROGRAM_ACTION:
		return order->client[0] != '\0' ? &act_on : &job;
	case PROTOCOL_PROGRAM_DRAIN:
		return &drain;
	default:
		return &rollback;
	}
}

static bool
plan_run(struct program_plan *plan, const struct protocol_message *order,
    struct runner_settings *settings, const struct program_dirs *dirs, struct err *err)
{
	const struct program *program = program_of(order);
	char id[ENVIRONMENT_ID_MAX];

	return check_order(order, err) && plan_script(plan, program, settings, dirs, err) &&
	    add_argument(
		plan, environment_id_text(order->application, order->environment, id), err) &&
	    (program == &drain ||
		add_argument(plan, program == &job ? order->previous : order->argument, err)) &&
	    add_common(plan, dirs, err) &&
	    add_variable(plan, "APPLICATION", order->application, err) &&
	    add_variable(plan, "ENVIRONMENT", order->environment, err) &&
	    add_variable(plan, "RUN_ID", order->tag, err) &&
	    add_number(plan, "DEPLOYMENT_ID", order->deployment, err) &&
	    add_variable(plan, "PREVIOUS_RELEASE", order->previous, err) &&
	    add_variable(plan, "REF", order->ref, err) && add_former(plan, settings, dirs, err) &&
	    add_settings(plan, program, order->environment, settings, err) &&
	    add_client(plan, order->client, settings, err) &&
	    (program != &job || add_job(plan, order->ref, settings, err)) &&
	    add_credentials(plan, settings, err) &&
	    add_own_settings(plan, order->environment, settings, err) &&
	    plan_log_limit(plan, settings, err) && plan_fetch_limit(plan, settings, err) &&
	    (order->program != PROTOCOL_PROGRAM_DEPLOY || plan_migrate_limit(plan, settings, err));
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

/* Without its settings the answer says that the image is not known, and is one all the same. */
static bool
add_registry(struct program_plan *plan, const struct protocol_message *order,
    struct runner_settings *settings, const struct program_dirs *dirs, struct err *err)
{
	const char *source = NULL;

	if (order->query != PROTOCOL_GIT_QUERY_COMMITS ||
	    !runner_settings_text(settings, "IMAGE_SOURCE", &source, NULL) ||
	    strcmp(source, "registry") != 0 || !add_settings(plan, &registry, "", settings, NULL))
		return true;
	return add_variable(plan, "ENVIRONMENT", order->environment, err) &&
	    add_former(plan, settings, dirs, err);
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

/* It takes no lock of the target's, so that it is answered beside a deployment. */
static bool
plan_logs(struct program_plan *plan, const struct protocol_message *order,
    struct runner_settings *settings, const struct program_dirs *dirs, struct err *err)
{
	char id[ENVIRONMENT_ID_MAX];
	int64_t lines;

	return text_to_i64(order->ref, 1, PROTOCOL_LOG_LINES_MAX, &lines, err) &&
	    has_our_scripts(settings, err) && plan_script(plan, &target, settings, dirs, err) &&
	    add_argument(
		plan, environment_id_text(order->application, order->environment, id), err) &&
	    add_argument(plan, "logs", err) && add_argument(plan, order->ref, err) &&
	    add_argument(plan, LOGS_SECONDS, err) && add_common(plan, dirs, err) &&
	    add_variable(plan, "APPLICATION", order->application, err) &&
	    add_variable(plan, "ENVIRONMENT", order->environment, err) &&
	    add_former(plan, settings, dirs, err) &&
	    add_settings(plan, &target, order->environment, settings, err) &&
	    add_own_settings(plan, order->environment, settings, err);
}

static bool
plan_git_query(struct program_plan *plan, const struct protocol_message *order,
    struct runner_settings *settings, const struct program_dirs *dirs, struct err *err)
{
	if (order->query == PROTOCOL_GIT_QUERY_LOGS)
		return plan_logs(plan, order, settings, dirs, err);
	return plan_script(plan, &commits, settings, dirs, err) &&
	    plan_question(plan, order, err) && add_common(plan, dirs, err) &&
	    add_variable(plan, "APPLICATION", order->application, err) &&
	    add_settings(plan, &commits, "", settings, err) &&
	    add_registry(plan, order, settings, dirs, err) && add_credentials(plan, settings, err);
}

/* A client's stand in the main file; it may have the name of an environment, and is none. */
static bool
read_settings(struct runner_settings *settings, const struct protocol_message *order,
    const struct program_dirs *dirs, struct err *err)
{
	bool is_client = strcmp(order->application, ENVIRONMENT_CLIENT) == 0;

	if (!runner_settings_read(
		settings, dirs->env_file, is_client ? "" : order->application, err))
		return false;
	if (!is_client && order->client[0] == '\0')
		runner_settings_for(settings, order->environment);
	return true;
}

/* Of a job no hook and no script of theirs is run: the server makes the same list. */
static bool
list_job(const struct protocol_message *order, struct runner_settings *settings,
    char ret[FINGERPRINT_LIST_MAX], struct err *err)
{
	const char *words = NULL;

	if (!find_job(settings, order->ref, &words, err))
		return false;
	(void)runner_settings_fingerprint(settings, order->environment, ret);
	return words == NULL || fingerprint_add_job(ret, order->ref, words, err);
}

static bool
make_list(const struct protocol_message *order, struct runner_settings *settings,
    const struct program_dirs *dirs, char ret[FINGERPRINT_LIST_MAX], struct err *err)
{
	if (order->program == PROTOCOL_PROGRAM_ACTION && order->client[0] == '\0')
		return list_job(order, settings, ret, err);
	if (order->client[0] == '\0')
		return binding_list(settings, order->environment, dirs->scripts, ret, err);
	(void)runner_settings_fingerprint_client(settings, order->client, ret);
	return true;
}

/* What runs is what was shown and approved, or it does not run. */
static bool
check_binding(const struct protocol_message *order, struct runner_settings *settings,
    const struct program_dirs *dirs, struct err *err)
{
	char list[FINGERPRINT_LIST_MAX], digest[FINGERPRINT_DIGEST];

	if (order->fingerprint[0] == '\0')
		return true;
	return make_list(order, settings, dirs, list, err) &&
	    (strcmp(fingerprint_digest(list, digest), order->fingerprint) == 0 ||
		err_set(err, ERR_CHANGED, "the settings changed since it was shown"));
}

bool
program_list(const struct protocol_message *order, const struct program_dirs *dirs,
    char ret[FINGERPRINT_LIST_MAX], struct err *err)
{
	struct runner_settings settings;
	bool good;

	ret[0] = '\0';
	good = read_settings(&settings, order, dirs, err) &&
	    make_list(order, &settings, dirs, ret, err);
	runner_settings_done(&settings);
	return good;
}

/* Read before the list that is compared: what is replaced between the two is found by the run. */
static bool
find_bound_hooks(const struct protocol_message *order, struct runner_settings *settings,
    const struct program_dirs *dirs, char ret[BINDING_HOOKS_MAX], struct err *err)
{
	ret[0] = '\0';
	return order->fingerprint[0] == '\0' || order->program == PROTOCOL_PROGRAM_ACTION ||
	    binding_hooks_of(settings, dirs->scripts, ret, err);
}

/* With the program that looks again: this one, whatever stands in its file by then. */
static bool
add_bound_hooks(struct program_plan *plan, const char *hooks, struct err *err)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/%d/exe", (int)getpid());
	return hooks[0] == '\0' ||
	    (add_variable(plan, "HOOKS_BOUND", hooks, err) &&
		add_variable(plan, "DEPLOYBOT_RUNNER", path, err));
}

bool
program_plan(struct program_plan *ret, const struct protocol_message *order,
    const struct program_dirs *dirs, struct err *err)
{
	struct runner_settings settings;
	char hooks[BINDING_HOOKS_MAX];
	bool good;

	memset(ret, 0, sizeof(*ret));
	good = read_settings(&settings, order, dirs, err) &&
	    find_bound_hooks(order, &settings, dirs, hooks, err) &&
	    check_binding(order, &settings, dirs, err) && add_bound_hooks(ret, hooks, err) &&
	    (order->kind == PROTOCOL_RUN ? plan_run(ret, order, &settings, dirs, err) :
					   plan_git_query(ret, order, &settings, dirs, err));
	runner_settings_done(&settings);
	return good;
}

bool
program_plan_preflight(struct program_plan *ret, const struct environment_id *environment,
    const struct program_dirs *dirs, struct err *err)
{
	struct runner_settings settings;
	char id[ENVIRONMENT_ID_MAX];
	bool good;

	memset(ret, 0, sizeof(*ret));
	good = runner_settings_read(&settings, dirs->env_file, environment->application, err);
	runner_settings_for(&settings, environment->name);
	good = good && has_our_scripts(&settings, err) &&
	    plan_script(ret, &target, &settings, dirs, err) &&
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

/* What is said for one environment is handed over as what it is for this one, and no other's. */
static void
print_gone(const char *name)
{
	print_setting(name, NULL);
}

static void
print_secret(const char *name, const char *path)
{
	char file_name[SETTING_NAME_MAX + 8];

	(void)snprintf(file_name, sizeof(file_name), "%s_FILE", name);
	print_setting(file_name, path[0] == '/' ? path : NULL);
}

/* By hand nobody waits for CI who does not say so. */
static bool
waits_by_default(const struct runner_settings *settings, const char *name)
{
	return strcmp(name, "IMAGE_WAIT_SECONDS") == 0 && !runner_settings_is_said(settings, name);
}

static bool
print_registries(struct runner_settings *settings, struct err *err)
{
	char member[SETTING_NAME_MAX], name[SETTING_NAME_MAX];
	const char *list, *value;

	if (!runner_settings_text(settings, "REGISTRIES", &list, err))
		return false;
	while (list != NULL && setting_next(&list, member, sizeof(member)))
		for (size_t i = 0; i < COUNT(of_registry); i++) {
			if (!runner_settings_member(
				settings, "REGISTRY", of_registry[i], member, &value, err))
				return false;
			if (runner_settings_member_name("REGISTRY", of_registry[i], member, name))
				print_secret(name,
				    runner_settings_member_source(
					settings, "REGISTRY", of_registry[i], member));
			else
				print_setting(name, value);
		}
	return true;
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
			print_secret(*p, runner_settings_secret_source(settings, *p));
		else
			print_setting(*p, waits_by_default(settings, *p) ? NULL : value);
	}
	for (const char *const *p = of_environment; *p != NULL; p++) {
		if (!runner_settings_of(settings, *p, environment, &value, err))
			return false;
		print_setting(runner_settings_name(*p, environment, name), value);
	}
	return print_registries(settings, err);
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
	if (good)
		runner_settings_special(&settings, print_gone);
	runner_settings_for(&settings, environment->name);
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
