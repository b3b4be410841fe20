/* start.c - deploybot-runner and deploybot-remote-runner: argv, its place, then orders.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/text.h"
#include "lib/folder.h"
#include "lib/version.h"
#include "runner/binding.h"
#include "runner/main_process.h"
#include "runner/ping.h"
#include "runner/preflight.h"
#include "runner/runner.h"
#include "runner/runner_settings.h"
#include "runner/start.h"

#define EXIT_USAGE  64
#define EXIT_CONFIG 78
#define WARNING	    "deploybot-runner: warning: "

static const char usage[] =
    "usage: deploybot-runner --fd N --state DIR [--env-file FILE] [--scripts DIR]\n"
    "       deploybot-runner --listen PATH [--state DIR] [--env-file FILE] [--scripts DIR] [--drain]\n"
    "       deploybot-remote-runner --listen PATH --orders FILE, and as above\n"
    "       deploybot-runner --ping PATH\n"
    "       deploybot-runner --check-settings [--env-file FILE]\n"
    "       deploybot-runner --settings ENV [--env-file FILE]\n"
    "       deploybot-runner --preflight ENV [--state DIR] [--env-file FILE] [--scripts DIR]\n"
    "       deploybot-runner --hooks FOLDER\n"
    "       deploybot-runner --version | --help\n"
    "\n"
    "Executes what a server orders: deploy, rollback and git queries, each under a supervisor.\n"
    "With --fd the server is at the other end of descriptor N: `deploybot serve` starts it so.\n"
    "With --listen it is a service of its own, best of another user than the server's, whose\n"
    "RUNNER_SOCKET is PATH; its folder's group may connect.  --ping asks one for its health:\n"
    "exit status 0, or 1 and the reason.  --check-settings names each setting that is wrong:\n"
    "exit status 78, or 0.  --settings prints what deploy.sh is given of an environment's, for\n"
    "scripts.  --preflight asks the target of an environment whether all is there\n"
    "(`deploybot doctor ENV`); exit status 0, or deploy.sh's.  --hooks prints a digest of each kind\n"
    "of hooks in FOLDER, for deploy.sh, which runs none that were replaced.\n"
    "\n"
    "  --state DIR      where runs/ and git/ are kept; with --listen: default STATE_DIRECTORY\n"
    "  --env-file FILE  settings beside the environment's, read anew for each order\n"
    "  --scripts DIR    deploy.sh, rollback.sh, commits.sh; default: the folder deploy beside\n"
    "                   this program, or beside one of the three folders above it\n"
    "  --drain          at SIGTERM begin nothing new and wait for the runs there are (in a\n"
    "                   container); else it ends at once, and runs go on without it\n"
    "  --orders FILE    its server comes over deploybot-link, and nothing runs that is not signed\n"
    "                   by a key of FILE, which has RUNNER_NAME and ORDER_KEYS (deploybot-link\n"
    "                   enrol runner)\n";

struct arguments {
	int fd; /* -1: none was given */
	const char *listen;
	const char *orders;
	bool drains;
	bool checks;
	const char *preflight; /* an environment; NULL: none */
	const char *settings;  /* the same */
	bool is_wrong;
	const char *state;
	const char *env_file;
	const char *scripts;
};

/* The folder `deploy` beside the program or above it: build/deploybot-runner finds deploy/. */
static bool
find_scripts(char ret[PATH_MAX])
{
	char folder[PATH_MAX], probe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", folder, sizeof(folder) - 1);

	if (n <= 0)
		return false;
	folder[n] = '\0';
	for (int up = 0; up < 4; up++) {
		char *slash = strrchr(folder, '/');

		if (slash == NULL)
			return false;
		*slash = '\0';
		if (snprintf(ret, PATH_MAX, "%s/deploy", folder) >= PATH_MAX ||
		    snprintf(probe, sizeof(probe), "%s/deploy.sh", ret) >= PATH_MAX)
			return false;
		if (access(probe, R_OK) == 0)
			return true;
	}
	return false;
}

/* A descriptor's number; -1: it is none. */
static int
to_fd(const char *text)
{
	char *end;
	long fd = strtol(text, &end, 10);

	return *text == '\0' || *end != '\0' || fd < 3 || fd > 1023 ? -1 : (int)fd;
}

static bool
to_dirs(const char *state, const char *env_file, const char *scripts, struct program_dirs *ret)
{
	static char state_path[PATH_MAX], env_path[PATH_MAX], scripts_path[PATH_MAX];

	if (realpath(state, state_path) == NULL) {
		(void)fprintf(
		    stderr, "deploybot-runner: --state %s: %s\n", state, strerrordesc_np(errno));
		return false;
	}
	if (env_file != NULL && realpath(env_file, env_path) == NULL) {
		(void)fprintf(stderr, "deploybot-runner: --env-file %s: %s\n", env_file,
		    strerrordesc_np(errno));
		return false;
	}
	if (scripts != NULL ? realpath(scripts, scripts_path) == NULL :
			      !find_scripts(scripts_path)) {
		(void)fprintf(
		    stderr, "deploybot-runner: no folder with deploy.sh; say --scripts\n");
		return false;
	}
	*ret =
	    (struct program_dirs){ state_path, env_file == NULL ? NULL : env_path, scripts_path };
	return true;
}

static bool
fit_together(const struct arguments *given)
{
	bool runs =
	    given->fd != -1 || given->listen != NULL || given->drains || given->orders != NULL;

	if (given->preflight != NULL)
		return !runs && !given->checks && given->settings == NULL;
	if (given->checks || given->settings != NULL)
		return !runs && given->state == NULL && given->scripts == NULL &&
		    (!given->checks || given->settings == NULL);
	return (given->fd == -1) != (given->listen == NULL) &&
	    (given->listen != NULL ||
		(given->state != NULL && !given->drains && given->orders == NULL));
}

static struct arguments
to_arguments(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "fd", required_argument, NULL, 'f' },
		{ "listen", required_argument, NULL, 'l' },
		{ "orders", required_argument, NULL, 'o' },
		{ "drain", no_argument, NULL, 'r' },
		{ "check-settings", no_argument, NULL, 'c' },
		{ "preflight", required_argument, NULL, 'p' },
		{ "settings", required_argument, NULL, 't' },
		{ "state", required_argument, NULL, 's' },
		{ "env-file", required_argument, NULL, 'e' },
		{ "scripts", required_argument, NULL, 'd' },
		{ NULL, 0, NULL, 0 },
	};
	struct arguments ret = { .fd = -1 };
	int c;

	/* NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread */
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'f') {
			ret.fd = to_fd(optarg);
			ret.is_wrong |= ret.fd == -1;
		} else if (c == 'l') {
			ret.listen = optarg;
		} else if (c == 'o') {
			ret.orders = optarg;
		} else if (c == 'r') {
			ret.drains = true;
		} else if (c == 'c') {
			ret.checks = true;
		} else if (c == 'p') {
			ret.preflight = optarg;
		} else if (c == 't') {
			ret.settings = optarg;
		} else if (c == 's') {
			ret.state = optarg;
		} else if (c == 'e') {
			ret.env_file = optarg;
		} else if (c == 'd') {
			ret.scripts = optarg;
		} else {
			ret.is_wrong = true;
		}
	}
	ret.is_wrong |= optind != argc || !fit_together(&ret);
	return ret;
}

/* Says each setting that no order could be carried out with; false: there are such. */
static bool
name_faults(struct runner_settings *settings, const char *before, const char *behind)
{
	struct err err;
	size_t from = 0;
	bool good = true;

	while (runner_settings_next_fault(settings, &from, &err)) {
		(void)fprintf(stderr, "%s%s%s\n", before, err.text, behind);
		good = false;
	}
	return good;
}

/* Of the application in that file; others in its folder are none. */
static bool
name_faults_of_application(
    const char *env_file, const char *file, const char *before, const char *behind)
{
	CLEANUP(runner_settings_done) struct runner_settings settings = { 0 };
	char name[ENVIRONMENT_NAME_MAX], where[ENVIRONMENT_NAME_MAX + 128];
	struct err err;
	bool good;

	if (!text_ends(file, ".env") || strlen(file) - 4 >= sizeof(name))
		return true;
	(void)snprintf(name, sizeof(name), "%.*s", (int)strlen(file) - 4, file);
	if (!environment_name_is_valid(name))
		return true;
	(void)snprintf(where, sizeof(where), "%sapplication %s: ", before, name);
	good = runner_settings_read(&settings, env_file, name, &err);
	if (!good)
		(void)fprintf(stderr, "%s%s%s\n", where, err.text, behind);
	else
		good = name_faults(&settings, where, behind);
	return good;
}

static bool
name_faults_of_applications(
    struct runner_settings *main, const char *env_file, const char *before, const char *behind)
{
	char path[SETTING_PART_MAX + 1];
	CLEANUP(folder_closep)
	DIR *folder = runner_settings_folder(main, env_file, path) ? opendir(path) : NULL;
	bool good = true; /* also where there are none */

	for (const struct dirent *file; folder != NULL && (file = readdir(folder)) != NULL;)
		good &= name_faults_of_application(env_file, file->d_name, before, behind);
	return good;
}

static int
check_settings(const char *env_file)
{
	CLEANUP(runner_settings_done) struct runner_settings settings;
	struct err err;
	bool good = runner_settings_read(&settings, env_file, "", &err);

	if (!good) {
		(void)fprintf(stderr, "%s\n", err.text);
	} else {
		good = name_faults(&settings, "", "");
		good &= name_faults_of_applications(&settings, env_file, "", "");
	}
	return good ? 0 : EXIT_CONFIG;
}

static int
print_settings(const char *environment, const char *env_file)
{
	struct environment_id id;
	struct err err;

	if (environment_id_parse(environment, &id) ? program_print_settings(&id, env_file, &err) :
						     err_set(&err, ERR_INVALID, "no such name"))
		return 0;
	(void)fprintf(stderr, "%s: %s\n", environment, err.text);
	return EXIT_CONFIG;
}

/* Reads the settings once, to say what is wrong with them, and for STATE_DIRECTORY where no --state
 * was given.  False: the reason is said. */
static bool
look_at_settings(const char *env_file, const char **state)
{
	static char found[PATH_MAX];
	CLEANUP(runner_settings_done) struct runner_settings settings;
	const char *value = NULL;
	struct err err;
	bool good = runner_settings_read(&settings, env_file, "", &err);

	if (good) { /* it starts all the same: there may be runs to reconcile */
		(void)name_faults(
		    &settings, WARNING, ": nothing can be deployed until that is fixed");
		(void)name_faults_of_applications(&settings, env_file, WARNING,
		    ": nothing of it can be deployed until that is fixed");
	}
	if (good && *state == NULL) {
		good = runner_settings_text(&settings, "STATE_DIRECTORY", &value, &err);
		(void)snprintf(
		    found, sizeof(found), "%s", good ? value : ""); /* it has a default */
		*state = found;
	}
	if (!good && env_file != NULL && access(env_file, R_OK) != 0)
		(void)fprintf(stderr, "deploybot-runner: %s: %s user %u %s\n", err.text,
		    errno == ENOENT ? "put it there, for" : "let", (unsigned)geteuid(),
		    errno == ENOENT ? "to read" : "read it");
	else if (!good)
		(void)fprintf(stderr, "deploybot-runner: %s\n", err.text);
	return good;
}

/* It ends when its server's socket closes, or at SIGTERM and SIGINT, for which a service listens
 * (runner.c); by nothing else that a terminal sends. */
static void
ignore_signals(bool is_service)
{
	static const int ignored[] = { SIGHUP, SIGPIPE, SIGINT, SIGTERM };

	for (size_t i = 0; i < (is_service ? 2 : COUNT(ignored)); i++)
		(void)signal(ignored[i], SIG_IGN);
}

static int
ping(const char *path)
{
	struct err err;

	if (ping_runner(path, &err))
		return 0;
	(void)fprintf(stderr, "deploybot-runner: %s\n", err.text);
	return 1;
}

/* For deploy/hooks.sh. */
static int
print_hooks(const char *folder)
{
	char hooks[BINDING_HOOKS_MAX];

	binding_hooks(folder, hooks);
	(void)printf("%s\n", hooks);
	return 0;
}

static int
ask_target(struct arguments *arguments)
{
	struct program_dirs dirs;

	(void)umask(077);
	if (!look_at_settings(arguments->env_file, &arguments->state) ||
	    !to_dirs(arguments->state, arguments->env_file, arguments->scripts, &dirs))
		return EXIT_CONFIG;
	return preflight(arguments->preflight, &dirs);
}

static bool
read_orders(const char *file, struct order_gate *ret)
{
	struct err err;

	if (order_keys_read(&ret->keys, "RUNNER_NAME", file, &err))
		return true;
	(void)fprintf(stderr, "deploybot-runner: --orders: %s\n", err.text);
	return false;
}

int
start_runner(int argc, char *argv[], struct order_gate *gate)
{
	struct arguments arguments;
	struct program_dirs dirs;

	main_process_no_core();
	if (argc == 3 && strcmp(argv[1], "--ping") == 0)
		return ping(argv[2]);
	if (argc == 3 && strcmp(argv[1], "--hooks") == 0)
		return print_hooks(argv[2]);
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		(void)printf("deploybot-runner %s\n", version_text);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		(void)fputs(usage, stdout);
		return 0;
	}
	arguments = to_arguments(argc, argv);
	if (arguments.is_wrong || (arguments.orders != NULL) != (gate != NULL)) {
		(void)fputs(usage, stderr);
		return EXIT_USAGE;
	}
	if (arguments.checks)
		return check_settings(arguments.env_file);
	if (arguments.settings != NULL)
		return print_settings(arguments.settings, arguments.env_file);
	if (arguments.preflight != NULL)
		return ask_target(&arguments);
	ignore_signals(arguments.listen != NULL);
	/* What runs leave in runs/ is read by a server of another user, or by ours alone. */
	(void)umask(arguments.listen != NULL ? 027 : 077);
	if (arguments.listen == NULL && fcntl(arguments.fd, F_SETFD, FD_CLOEXEC) == -1) {
		(void)fprintf(stderr, "deploybot-runner: descriptor %d: %s\n", arguments.fd,
		    strerrordesc_np(errno));
		return EXIT_USAGE;
	}
	if (arguments.listen != NULL && !look_at_settings(arguments.env_file, &arguments.state))
		return EXIT_CONFIG;
	if (!to_dirs(arguments.state, arguments.env_file, arguments.scripts, &dirs) ||
	    (gate != NULL && !read_orders(arguments.orders, gate)))
		return EXIT_CONFIG;
	return runner_serve(&(struct runner_start){
	    .server = arguments.fd,
	    .listen = arguments.listen,
	    .drains = arguments.drains,
	    .dirs = &dirs,
	    .gate = gate,
	});
}
