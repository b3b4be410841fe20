/* main.c - deploybot-link: argv, settings, certificates, then one of its three uses.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <signal.h>
#include <stdio.h>

#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/text.h"
#include "lib/version.h"
#include "link/link_call.h"
#include "link/link_enrol_host.h"
#include "link/link_host.h"
#include "link/link_serve.h"

#define EXIT_USAGE 64

#define FILE_OF_SERVER "/etc/deploybot/link.conf"
#define FILE_OF_AGENT  "/etc/deploybot-agent/link.conf"
#define FILE_OF_RUNNER "/etc/deploybot-runner/link.conf"

static const char usage[] =
    "usage: deploybot-link serve|runner|agent [--check] [FILE]\n"
    "       deploybot-link enrol agent|runner HOST:PORT CODE FINGERPRINT [FOLDER]\n"
    "       deploybot-link call AGENT SECONDS ACT [NAME=VALUE ...]\n"
    "       deploybot-link --version | --help\n"
    "\n"
    "Carries packets between deploybot and runners or agents of other machines, over TLS 1.3 with\n"
    "certificates of both sides.  It decides nothing and starts nothing.  serve stands beside\n"
    "deploybot; runner and agent stand on a host and connect to each of LINK_SERVERS.\n"
    "FILE has its settings as NAME=VALUE; without it: " FILE_OF_SERVER
    ", of an agent\n" FILE_OF_AGENT ", of a runner " FILE_OF_RUNNER ".\n"
    "--check says what is wrong there, or whose certificate is shown, and ends.\n"
    "call has an act of a release done on an agent's host: by deploybot's scripts alone, whose orders\n"
    "bring RELEASE_TICKET.\n"
    "enrol makes this host's key and fetches its certificate: the line is one that deploybot agent\n"
    "enrol NAME, or deploybot runner enrol NAME, prints on the server.\n";

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
use_it(const struct link_settings *settings, bool checks, struct err *err)
{
	struct link_identity who;
	struct ssl_ctx_st *context = link_tls_context(settings, &who, err);
	bool good = context != NULL && role_fits(settings->use, &who, err);

	if (good && checks)
		good = printf("%s, key %s\n", who.name, who.digest) > 0;
	else if (good)
		good = settings->use == LINK_SERVE ? link_serve(settings, context, err) :
						     link_host(settings, context, who.name, err);
	link_tls_context_free(context);
	return good;
}

static int
/* cppcheck-suppress constParameter ; words as main() has them */
enrol(char *const argv[])
{
	const struct link_enrolment what = {
		.role = argv[0],
		.server = argv[1],
		.code = argv[2],
		.fingerprint = argv[3],
		.folder = argv[4],
	};
	struct err err;

	if (crypto_start(&err) && link_enrol_host(&what, &err))
		return 0;
	(void)fprintf(stderr, "deploybot-link: %s\n", err.text);
	return err_exit_status(err.code);
}

int
main(int argc, char *argv[])
{
	enum link_use use = LINK_USE_COUNT;
	bool checks = argc > 2 && strcmp(argv[2], "--check") == 0;
	const char *file = argc > 2 + checks ? argv[2 + checks] : "";
	CLEANUP(link_settings_done) struct link_settings settings = { 0 };
	struct err err = { 0 };

	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return printf("deploybot-link %s\n", version_text) < 0;
	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return fputs(usage, stdout) < 0;
	(void)signal(SIGPIPE, SIG_IGN);
	if (argc >= 5 && strcmp(argv[1], "call") == 0)
		return link_call(argv + 2);
	if ((argc == 6 || argc == 7) && strcmp(argv[1], "enrol") == 0 &&
	    (strcmp(argv[2], "agent") == 0 || strcmp(argv[2], "runner") == 0))
		return enrol(argv + 2);
	if (argc > 1 && argc <= 3 + checks)
		use = (enum link_use)text_index(argv[1], link_uses, LINK_USE_COUNT);
	if (use == LINK_USE_COUNT || file[0] == '-') {
		(void)fputs(usage, stderr);
		return EXIT_USAGE;
	}
	if (file[0] == '\0')
		file = use == LINK_AGENT ? FILE_OF_AGENT :
		    use == LINK_RUNNER	 ? FILE_OF_RUNNER :
					   FILE_OF_SERVER;
	if (crypto_start(&err) && link_settings_read(&settings, use, file, &err) &&
	    use_it(&settings, checks, &err))
		return 0;
	(void)fprintf(stderr, "deploybot-link: %s\n", err.text);
	return err_exit_status(err.code);
}
