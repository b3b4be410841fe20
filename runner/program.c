/* program.c - the fixed table of programs: their scripts and arguments.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/program_inside.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/mem.h"
#include "lib/path.h"
#include "lib/text.h"
#include "runner/approved.h"
#include "runner/binding.h"
#include "runner/playbook_folder.h"

#define SCRIPT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct program {
	const char *script_setting; /* NULL: it has none */
	const char *script;	    /* in the folder of scripts */
	const struct program_settings *settings;
};

#define HOST_CALL_SECONDS 180  /* ssh.sh: a call, with what it waits for */
#define LOGS_SECONDS	  "15" /* to read it, behind a look at the target */
static const struct program deploy = { "DEPLOY_SCRIPT", "deploy.sh", &program_shipping };
static const struct program rollback = { "ROLLBACK_SCRIPT", "rollback.sh", &program_shipping };
/* It is given no release: it ends what its deployment has left. */
static const struct program drain = { NULL, "drain.sh", &program_shipping };
static const struct program job = { NULL, "run-job.sh", &program_shipping };
static const struct program act_on = { NULL, "act-on.sh", &program_acting };
static const struct program play = { NULL, "play.sh", &program_playing };
static const struct program target = { NULL, "target.sh", &program_shipping };
static const struct program commits = { NULL, "commits.sh", &program_repository };
#define UNPACK "deploybot-unpack" /* beside this program */

static bool
add_argument(struct program_plan *plan, const char *text, struct err *err)
{
	if (plan->args == PROGRAM_ARGS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d arguments", PROGRAM_ARGS_MAX);
	plan->argv[plan->args++] = mem_text(text);
	return true;
}

static bool
add_number(struct program_plan *plan, const char *name, uint64_t value, struct err *err)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	return program_add_variable(plan, name, text, err);
}

/* What every program has, and no more. */
static bool
add_common(struct program_plan *plan, const struct program_dirs *dirs, struct err *err)
{
	const char *home = getenv("HOME");

	return program_add_variable(plan, "PATH", SCRIPT_PATH, err) &&
	    program_add_variable(plan, "HOME", home == NULL || home[0] != '/' ? "/" : home, err) &&
	    program_add_variable(plan, "LANG", "C.UTF-8", err) &&
	    program_add_variable(plan, "DEPLOYBOT_SETTINGS", "checked", err) && /* when read */
	    program_add_variable(plan, "STATE_DIRECTORY", dirs->state, err);
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
	return path_is_safe(path, &why) || why.code != ERR_DENIED ||
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
	plan->path =
	    own != NULL ? mem_text(own) : mem_textf("%s/%s", dirs->scripts, program->script);
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
	const struct runner_setting token = runner_setting("REPOSITORY_TOKEN");

	return program_add_variable(
	    plan, "REPOSITORY_CREDENTIALS", runner_settings_source(settings, &token), err);
}

static bool
add_login(struct program_plan *plan, struct runner_settings *settings,
    const struct program_dirs *dirs, struct err *err)
{
	const char *login = program_login(settings, dirs->env_file);

	return login == NULL || program_add_variable(plan, PROGRAM_LOGIN, login, err);
}

static bool
find_job(
    struct runner_settings *settings, const char *name, const char **ret_words, struct err *err)
{
	struct runner_setting command;

	if (!environment_name_is_valid(name))
		return err_set(err, ERR_INVALID, "no name of a job");
	command = runner_setting_of("JOB", "COMMAND", name);
	return runner_settings_get(settings, &command, ret_words, err);
}

/* Of an application's job; one that has left the settings is nothing that may run. */
static bool
add_job(
    struct program_plan *plan, const char *name, struct runner_settings *settings, struct err *err)
{
	const char *value;

	if (!find_job(settings, name, &value, err))
		return false;
	return value != NULL ? program_add_variable(plan, "JOB_COMMAND", value, err) :
			       err_set(err, ERR_CONFIG, "there is no job %s in the settings", name);
}

/* What is asked about before it is shown, or ordered: client and name of a playbook.  False: it is
 * none. */
static bool
is_playbook(const struct protocol_message *order, const char **ret_client)
{
	bool is_run = order->kind == PROTOCOL_RUN;

	*ret_client = is_run ? order->client : order->environment;
	return is_run ? order->program == PROTOCOL_PROGRAM_ACTION && order->client[0] != '\0' &&
		(strcmp(order->argument, "run-playbook") == 0 ||
		    strcmp(order->argument, "preview-playbook") == 0) :
			order->query == PROTOCOL_GIT_QUERY_SETTINGS &&
		strcmp(order->application, ENVIRONMENT_CLIENT) == 0;
}

static bool
find_playbook(
    struct runner_settings *settings, const char *name, const char **ret_line, struct err *err)
{
	struct runner_setting line;

	if (!environment_name_is_valid(name))
		return err_set(err, ERR_INVALID, "no name of a playbook");
	line = runner_setting_of("PLAYBOOK", "IS", name);
	return runner_settings_get(settings, &line, ret_line, err) &&
	    (*ret_line != NULL ||
		err_set(err, ERR_CONFIG, "there is no playbook %s in the settings", name));
}

static bool
add_playbook(struct program_plan *plan, const struct protocol_message *order,
    struct runner_settings *settings, struct err *err)
{
	const char *line;

	return find_playbook(settings, order->ref, &line, err) &&
	    program_add_variable(plan, "PLAYBOOK", line, err) &&
	    program_add_variable(plan, "CLIENT_ID", order->client, err);
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
	const char *client;

	switch (order->program) {
	case PROTOCOL_PROGRAM_DEPLOY:
		return &deploy;
	case PROTOCOL_PROGRAM_ACTION:
		return is_playbook(order, &client) ? &play :
		    order->client[0] != '\0'	   ? &act_on :
						     &job;
	case PROTOCOL_PROGRAM_DRAIN:
		return &drain;
	default:
		return &rollback;
	}
}

/* Of an upload that is deployed: what was shown, where nobody else could have changed it. */
static bool
add_tree(
    struct program_plan *plan, const char *tree, const struct program_dirs *dirs, struct err *err)
{
	return approved_check(dirs, err) && program_add_variable(plan, "TREE", tree, err);
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
	    program_add_variable(plan, "APPLICATION", order->application, err) &&
	    program_add_variable(plan, "ENVIRONMENT", order->environment, err) &&
	    program_add_variable(plan, "RUN_ID", order->tag, err) &&
	    add_number(plan, "DEPLOYMENT_ID", order->deployment, err) &&
	    (order->proof.installation[0] == '\0' ||
		program_add_variable(plan, "INSTALLATION_ID", order->proof.installation, err)) &&
	    program_add_variable(plan, "PREVIOUS_RELEASE", order->previous, err) &&
	    program_add_variable(plan, "REF", order->ref, err) &&
	    program_add_variable(plan, "SOURCE", commit_source_word(order->source), err) &&
	    (order->tree[0] == '\0' || add_tree(plan, order->tree, dirs, err)) &&
	    (!order->is_promoted || program_add_variable(plan, "PROMOTED", "true", err)) &&
	    (order->without[0] == '\0' ||
		program_add_variable(plan, "WITHOUT_HOSTS", order->without, err)) &&
	    (order->settings[0] == '\0' ||
		program_add_variable(plan, "RELEASE_TICKET", order->settings, err)) &&
	    program_add_former(plan, settings, dirs, err) &&
	    program_add_hosts(plan, order, dirs, settings, err) &&
	    program_add_settings(plan, program->settings, order->environment, settings, err) &&
	    program_add_client(plan, order->client, settings, err) &&
	    (program != &job || add_job(plan, order->ref, settings, err)) &&
	    (program != &play || add_playbook(plan, order, settings, err)) &&
	    add_credentials(plan, settings, err) && add_login(plan, settings, dirs, err) &&
	    program_add_own_settings(plan, order->environment, settings, err) &&
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
	    strcmp(source, "registry") != 0 ||
	    !program_add_settings(plan, &program_registry, "", settings, NULL))
		return true;
	return program_add_variable(plan, "ENVIRONMENT", order->environment, err) &&
	    program_add_former(plan, settings, dirs, err);
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
	    program_add_variable(plan, "APPLICATION", order->application, err) &&
	    program_add_variable(plan, "ENVIRONMENT", order->environment, err) &&
	    program_add_former(plan, settings, dirs, err) &&
	    program_add_settings(plan, &program_shipping, order->environment, settings, err) &&
	    program_add_own_settings(plan, order->environment, settings, err);
}

/* It is given nothing but two descriptors, and which archive it is to be. */
static bool
plan_unpack(struct program_plan *plan, const char *sum, struct err *err)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n <= 0)
		return err_errno(err, ERR_IO, errno, "where this program is");
	path[n] = '\0';
	*strrchr(path, '/') = '\0';
	plan->path = mem_textf("%s/%s", path, UNPACK);
	return add_argument(plan, plan->path, err) &&
	    program_add_variable(plan, "UPLOAD_SHA256", sum, err);
}

static bool
plan_git_query(struct program_plan *plan, const struct protocol_message *order,
    struct runner_settings *settings, const struct program_dirs *dirs, struct err *err)
{
	if (order->query == PROTOCOL_GIT_QUERY_LOGS)
		return plan_logs(plan, order, settings, dirs, err);
	if (order->query == PROTOCOL_GIT_QUERY_UNPACK)
		return plan_unpack(plan, order->ref, err);
	return plan_script(plan, &commits, settings, dirs, err) &&
	    plan_question(plan, order, err) && add_common(plan, dirs, err) &&
	    program_add_variable(plan, "APPLICATION", order->application, err) &&
	    program_add_settings(plan, &program_repository, "", settings, err) &&
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
	return words == NULL || fingerprint_add_line(ret, "JOB_<NAME>", order->ref, words, err);
}

/* Whoever is asked would say yes to what cannot begin. */
static bool
check_ansible(struct err *err)
{
	static const char name[] = "/ansible-playbook";
	const char *folder = SCRIPT_PATH;
	char path[sizeof(SCRIPT_PATH) + sizeof(name)];

	for (size_t size; *folder != '\0'; folder += size + (folder[size] == ':')) {
		size = strcspn(folder, ":");
		(void)snprintf(path, sizeof(path), "%.*s%s", (int)size, folder, name);
		if (access(path, X_OK) == 0)
			return true;
	}
	return err_set(err, ERR_CONFIG,
	    "the program ansible-playbook is missing: install it where deploybot's runner is (Debian: apt-get install ansible-core)");
}

/* With what only the runner sees: the files that a playbook is made of. */
static bool
list_playbook(const struct protocol_message *order, struct runner_settings *settings,
    const char *client, char ret[FINGERPRINT_LIST_MAX], struct err *err)
{
	const char *line, *folder;

	(void)runner_settings_fingerprint_client(settings, client, ret);
	return check_ansible(err) && find_playbook(settings, order->ref, &line, err) &&
	    fingerprint_add_line(ret, "PLAYBOOK_<NAME>", order->ref, line, err) &&
	    runner_settings_text(settings, "ANSIBLE_FOLDER", &folder, err) &&
	    (folder != NULL ? playbook_folder_add(folder, ret, err) :
			      err_set(err, ERR_CONFIG, "ANSIBLE_FOLDER is not set"));
}

static bool
make_list(const struct protocol_message *order, struct runner_settings *settings,
    const struct program_dirs *dirs, char ret[FINGERPRINT_LIST_MAX], struct err *err)
{
	const char *client;

	if (is_playbook(order, &client))
		return list_playbook(order, settings, client, ret, err);
	if (order->program == PROTOCOL_PROGRAM_ACTION && order->client[0] == '\0')
		return list_job(order, settings, ret, err);
	if (order->client[0] == '\0')
		return binding_list(settings, order->environment, dirs->scripts, ret, err);
	(void)runner_settings_fingerprint_client(settings, order->client, ret);
	return true;
}

static bool
is_bound_to(const struct protocol_message *order, const char *list)
{
	char digest[FINGERPRINT_DIGEST];

	return strcmp(fingerprint_of_order(list, order->source, order->tree, digest),
		   order->fingerprint) == 0;
}

/* Once a host has it, a release in waves is not bound to the file of hosts: those that are new wait
 * for the next one, and none is shipped to that the file does not name (program_add_hosts()). */
static bool
is_bound(const struct protocol_message *order, char list[FINGERPRINT_LIST_MAX])
{
	if (is_bound_to(order, list))
		return true;
	return order->wave[0] != '\0' &&
	    is_bound_to(order, fingerprint_drop_hosts(list, order->environment));
}

/* What runs is what was shown and approved, or it does not run. */
static bool
check_binding(const struct protocol_message *order, struct runner_settings *settings,
    const struct program_dirs *dirs, struct err *err)
{
	char list[FINGERPRINT_LIST_MAX];

	if (order->fingerprint[0] == '\0')
		return true;
	return make_list(order, settings, dirs, list, err) &&
	    (is_bound(order, list) ||
		err_set(err, ERR_CHANGED, "the settings changed since it was shown"));
}

bool
program_list(const struct protocol_message *order, const struct program_dirs *dirs,
    char ret[FINGERPRINT_LIST_MAX], struct err *err)
{
	CLEANUP(runner_settings_done) struct runner_settings settings;

	ret[0] = '\0';
	return read_settings(&settings, order, dirs, err) &&
	    make_list(order, &settings, dirs, ret, err);
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
	    (program_add_variable(plan, "HOOKS_BOUND", hooks, err) &&
		program_add_variable(plan, "DEPLOYBOT_RUNNER", path, err));
}

bool
program_plan(struct program_plan *ret, const struct protocol_message *order,
    const struct program_dirs *dirs, struct err *err)
{
	CLEANUP(runner_settings_done) struct runner_settings settings;
	char hooks[BINDING_HOOKS_MAX];

	memset(ret, 0, sizeof(*ret));
	return read_settings(&settings, order, dirs, err) &&
	    find_bound_hooks(order, &settings, dirs, hooks, err) &&
	    check_binding(order, &settings, dirs, err) && add_bound_hooks(ret, hooks, err) &&
	    (order->kind == PROTOCOL_RUN ? plan_run(ret, order, &settings, dirs, err) :
					   plan_git_query(ret, order, &settings, dirs, err));
}

bool
program_plan_preflight(struct program_plan *ret, const struct environment_id *environment,
    const struct program_dirs *dirs, struct err *err)
{
	CLEANUP(runner_settings_done) struct runner_settings settings;
	char id[ENVIRONMENT_ID_MAX];
	bool good;

	memset(ret, 0, sizeof(*ret));
	good = runner_settings_read(&settings, dirs->env_file, environment->application, err);
	runner_settings_for(&settings, environment->name);
	return good && has_our_scripts(&settings, err) &&
	    plan_script(ret, &target, &settings, dirs, err) &&
	    add_argument(
		ret, environment_id_text(environment->application, environment->name, id), err) &&
	    add_argument(ret, "preflight", err) && add_common(ret, dirs, err) &&
	    program_add_former(ret, &settings, dirs, err) &&
	    program_add_settings(ret, &program_shipping, environment->name, &settings, err) &&
	    add_login(ret, &settings, dirs, err);
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
