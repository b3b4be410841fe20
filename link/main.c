/* main.c - deploybot-link: argv, settings, certificates, then one of its three uses.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <signal.h>
#include <stdio.h>

#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/text.h"
#include "lib/version.h"
#include "link/link_host.h"
#include "link/link_serve.h"

#define EXIT_USAGE 64

static const char usage[] =
    "usage: deploybot-link serve|runner|agent [--env-file FILE] [--check] [NAME=VALUE ...]\n"
    "       deploybot-link --version | --help\n"
    "\n"
    "Carries packets between deploybot and runners or agents of other machines, over TLS 1.3 with\n"
    "certificates of both sides.  It decides nothing and starts nothing.\n"
    "\n"
    "  serve            beside deploybot: hosts connect to LINK_ADDRESS, deploybot to LINK_SOCKET\n"
    "  runner, agent    on a host: connects to each of LINK_SERVERS, and to the sockets of its\n"
    "                   runner or agent\n"
    "  --env-file FILE  settings as NAME=VALUE; those behind it count more\n"
    "  --check          says what is wrong, or whose certificate this is, and ends\n"
    "\n"
    "LINK_CA_FILE, LINK_CERTIFICATE_FILE, LINK_KEY_FILE; serve: LINK_ADDRESS LINK_SOCKET; a host:\n"
    "LINK_SERVERS RUNNER_SOCKET STATE_DIRECTORY LINK_RECONNECT_S; all: LINK_HEARTBEAT_S\n";

/* Its role is the use: a host that shows another one is refused there. */
static bool
role_fits(enum link_use use, const struct link_identity *who, struct err *err)
{
	static const char *const roles[] = { "server", "runner/", "agent/" };

	return text_starts(who->name, roles[use]) ||
	    err_set(err, ERR_CONFIG,
		"LINK_CERTIFICATE_FILE: %s wants a SAN URI:deploybot:%s, not %s", link_uses[use],
		roles[use], who->name[0] == '\0' ? "none" : who->name);
}

static bool
run(enum link_use use, const char *file, bool checks, char *const words[], struct err *err)
{
	struct link_settings settings;
	struct link_identity who;
	struct ssl_ctx_st *context;
	bool good;

	if (!crypto_start(err) || !link_settings_read(&settings, use, file, words, err))
		return false;
	context = link_tls_context(
	    &(struct link_tls_files){ settings.ca, settings.certificate, settings.key },
	    use == LINK_SERVE, &who, err);
	if (context == NULL)
		return false;
	good = role_fits(use, &who, err);
	if (good && checks)
		(void)printf("%s, key %s\n", who.name, who.digest);
	else if (good)
		good = use == LINK_SERVE ? link_serve(&settings, context, err) :
					   link_host(&settings, context, who.name, err);
	link_tls_context_free(context);
	env_file_done(&settings.file);
	return good;
}

int
main(int argc, char *argv[])
{
	size_t use = argc > 1 ? text_index(argv[1], link_uses, LINK_USE_COUNT) : LINK_USE_COUNT;
	const char *file = NULL;
	bool checks = false;
	struct err err = { 0 };
	int i = 2;

	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return printf("deploybot-link %s\n", version_text) < 0;
	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return fputs(usage, stdout) < 0;
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--check") == 0)
			checks = true;
		else if (strcmp(argv[i], "--env-file") == 0 && i + 1 < argc)
			file = argv[++i];
		else
			use = LINK_USE_COUNT;
	}
	if (use == LINK_USE_COUNT) {
		(void)fputs(usage, stderr);
		return EXIT_USAGE;
	}
	/* SIGTERM ends it at once: it keeps nothing. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (run((enum link_use)use, file, checks, argv + i, &err))
		return 0;
	(void)fprintf(stderr, "deploybot-link: %s\n", err.text);
	return err_exit_status(err.code);
}
