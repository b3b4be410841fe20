/* link_enrol_host.c - a host enrols by a code: key, certificate, settings of link and of who executes.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * The server is known by the fingerprint of its key, which came with the code: no authority is
 * known yet, and no date is looked at.  Nothing is sent before it was compared.
 */
#include "link/link_enrol_host.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/crypto_certificate.h"
#include "lib/enrol_code.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/mem_wiped.h"
#include "lib/text.h"
#include "link/link_dial.h"
#include "link/link_tls.h"

#define FOLDER "/etc/deploybot-" /* and its role */
#define USER   "deploybot-link"

/* --- files --- */

/* All of them have bare names from here on. */
static bool
enter(const char *folder, struct err *err)
{
	if (!file_mkdirs(folder, 0755, err))
		return false;
	if (chdir(folder) != 0)
		return err_errno(err, ERR_IO, errno, "%s", folder);
	return access("link.crt", F_OK) != 0 ||
	    err_set(err, ERR_INVALID,
		"%.180s/link.crt is there: this host has enrolled.  Who enrols it anew moves it and link.key away",
		folder);
}

/* Its user is the unit's. */
static bool
give(struct err *err)
{
	/* cppcheck-suppress getpwnamCalled ; there is one thread */
	const struct passwd *user = getpwnam(USER); /* NOLINT(concurrency-mt-unsafe): one thread */

	if (user == NULL)
		return err_set(err, ERR_CONFIG,
		    "there is no user " USER ": the package, or systemd-sysusers, makes it");
	return chown("link.key", user->pw_uid, user->pw_gid) == 0 ||
	    err_errno(err, ERR_IO, errno, "link.key");
}

static bool
take_key(bool gives, struct crypto_ca_pair *pair, struct err *err)
{
	CLEANUP(mem_wiped_freep) char *there = file_read("link.key", CRYPTO_CA_PEM - 1, NULL, err);
	bool good;

	if (there != NULL) {
		(void)text_copy(pair->key, sizeof(pair->key), there);
		good = crypto_ca_request_of(pair, err) || err_wrap(err, "link.key");
	} else {
		good = err->code == ERR_MISSING && crypto_ca_make_request(pair, err) &&
		    file_write("link.key", pair->key, strlen(pair->key), 0600, err);
	}
	return good && (!gives || give(err));
}

/* --- the connection --- */

struct asking {
	struct link_tls tls;
	const char *text, *fingerprint;
	struct err *err;
	bool is_over;
	char answer[PROTOCOL_PACKET_MAX + 1]; /* "": there is none */
};

static void
on_open(struct link_tls *tls, const struct link_identity *who)
{
	const struct asking *asking = (struct asking *)tls;

	if (strcmp(who->digest, asking->fingerprint) != 0)
		link_tls_end(tls,
		    "the server there is another one, or the line is not whole: nothing was sent to it; whoever made the line makes it once more");
	else if (!tls->enrols)
		link_tls_end(tls, "the server there lets nobody enrol: it is an older one");
	else
		link_tls_send(tls, 0, asking->text, strlen(asking->text));
}

static void
on_frame(struct link_tls *tls, const struct link_frame *frame)
{
	struct asking *asking = (struct asking *)tls;

	memcpy(asking->answer, frame->packet, frame->size);
	asking->answer[frame->size] = '\0';
	link_tls_end(tls, "it has answered");
}

static void
on_end(struct link_tls *tls, const char *why)
{
	struct asking *asking = (struct asking *)tls;

	asking->is_over = true;
	(void)err_set(asking->err, ERR_IO, "%s", why);
}

/* The handshake's deadline is that of all. */
static void
on_second(void *ctx)
{
	link_tls_second(ctx, clock_monotonic_ms(), INT64_MAX);
}

/* Of one address; what is not answered there is asked of the next. */
static bool
ask_there(struct asking *asking, struct link_poll *poll, int fd, struct ssl_ctx_st *context,
    const char *host)
{
	static const struct link_tls_events events = { on_open, on_frame, on_end, NULL };

	asking->tls = (struct link_tls){ .on = &events };
	asking->is_over = false;
	link_tls_start(&asking->tls, poll, fd, context, host);
	while (!asking->is_over)
		link_poll_turn(poll, on_second, &asking->tls);
	return asking->answer[0] != '\0';
}

static bool
ask(struct asking *asking, const char *server, struct err *err)
{
	struct link_address to;
	struct link_dial dial = { .address = &to };
	const struct gaicb *const looked_up[] = { &dial.request };
	struct ssl_ctx_st *context;
	struct link_poll poll;
	bool good = false;

	if (!link_address_read(server, strlen(server), &to))
		return err_set(err, ERR_INVALID, "expected HOST:PORT, not %.80s", server);
	if (!link_poll_init(&poll, err))
		return false;
	context = link_tls_context(NULL, NULL, NULL);
	asking->err = err;
	(void)err_set(err, ERR_IO, "it cannot be looked up");
	do {
		int fd = link_dial_try(&dial, err);

		if (fd != -1)
			good = ask_there(asking, &poll, fd, context, to.host);
		else if (dial.is_asked)
			(void)gai_suspend(looked_up, 1, NULL);
	} while (!good && (dial.is_asked || dial.next != NULL));
	link_tls_context_free(context);
	(void)close(poll.fd);
	return good || err_wrap(err, "%.80s", server);
}

/* --- the answer --- */

/* The order keys on a line, and the host's certificate before the authority's. */
struct answer {
	char *orders, *certificate, *ca;
	struct crypto_certificate who;
};

/* What stands behind the MAC.  NULL: it is a no, or nobody's who knows the code. */
static char *
read_proof(char *text, const struct enrol_proof *proof, struct err *err)
{
	char line[LINK_TEXT], mac[CRYPTO_SHA256_HEX];
	const char *kind = strsep(&text, " "), *shown;

	if (strcmp(kind, "yes") != 0)
		return ERR_NULL(err_set(err, ERR_IO, "the server refuses it: %s",
		    text == NULL ? "" : clean_line(line, sizeof(line), text, strlen(text))));
	shown = strsep(&text, " ");
	if (text == NULL || !enrol_code_mac(proof->secret, "yes", text, mac, err) ||
	    !crypto_same_text(shown, mac))
		return ERR_NULL(err_set(err, ERR_IO, "the answer is not by who has made the code"));
	return text;
}

/* Of the text, which it cuts into its parts; the last is copied by the caller. */
static bool
read_answer(char *text, const char *role, const char *key, struct answer *ret, struct err *err)
{
	static const char end[] = "-----END CERTIFICATE-----\n";
	size_t size = strlen(role);

	ret->certificate = text;
	ret->orders = strsep(&ret->certificate, "\n");
	ret->ca = ret->certificate == NULL ? NULL : strstr(ret->certificate, end);
	if (strspn(ret->orders, "0123456789abcdef ") != strlen(ret->orders) || ret->ca == NULL ||
	    !crypto_certificate_read(ret->certificate, "", &ret->who, err))
		return err_set(err, ERR_IO, "the server's answer is none");
	ret->ca += strlen(end);
	if (strcmp(ret->who.key, key) != 0 || strncmp(ret->who.identity, role, size) != 0 ||
	    ret->who.identity[size] != '/')
		return err_set(err, ERR_IO, "the server has sent a certificate of another key");
	return true;
}

static bool
write_text(const char *name, const char *text, struct err *err)
{
	return file_write(name, text, strlen(text), 0644, err);
}

static bool
write_all(
    const struct link_enrolment *what, const char *folder, struct answer *answer, struct err *err)
{
	char file[32], orders[512], link[4096];

	(void)snprintf(file, sizeof(file), "%s.conf", what->role);
	(void)snprintf(orders, sizeof(orders), "%s_NAME=%s\nORDER_KEYS=%.200s\n",
	    strcmp(what->role, "runner") == 0 ? "RUNNER" : "AGENT",
	    strchr(answer->who.identity, '/') + 1, answer->orders);
	if (snprintf(link, sizeof(link),
		"LINK_SERVERS=%s\nLINK_CA_FILE=%s/ca.crt\nLINK_CERTIFICATE_FILE=%s/link.crt\n"
		"LINK_KEY_FILE=%s/link.key\n",
		what->server, folder, folder, folder) >= (int)sizeof(link))
		return err_set(err, ERR_LIMIT, "the folder's name is too long");
	if (!write_text("ca.crt", answer->ca, err) || !write_text(file, orders, err) ||
	    !write_text("link.conf", link, err))
		return false;
	answer->ca[0] = '\0'; /* the certificate ends there */
	return write_text("link.crt", answer->certificate, err);
}

bool
link_enrol_host(const struct link_enrolment *what, struct err *err)
{
	static struct asking asking;
	char installed[32];
	const char *folder = what->folder == NULL ? installed : what->folder, *unit;
	struct crypto_ca_pair pair = { 0 };
	struct enrol_proof proof;
	struct answer answer = { 0 };
	char key[CRYPTO_SHA256_HEX], mac[CRYPTO_SHA256_HEX], text[LINK_ENROL_MAX], *given;
	bool good;

	(void)snprintf(installed, sizeof(installed), FOLDER "%s", what->role);
	good = enter(folder, err) &&
	    (take_key(what->folder == NULL, &pair, err) || err_wrap(err, "%s", folder)) &&
	    crypto_ca_check_request(pair.text, key, err) &&
	    enrol_code_proof(what->code, &proof, err) &&
	    enrol_code_mac(proof.secret, "ask", pair.text, mac, err);

	crypto_wipe(pair.key, sizeof(pair.key));
	if (!good)
		return false;
	(void)snprintf(text, sizeof(text), "%s %s %s\n%.3000s", what->role, proof.id, mac,
	    pair.text); /* fits */
	asking.text = text;
	asking.fingerprint = what->fingerprint;
	if (!ask(&asking, what->server, err) ||
	    (given = read_proof(asking.answer, &proof, err)) == NULL ||
	    !read_answer(given, what->role, key, &answer, err))
		return false;
	if (!write_all(what, folder, &answer, err))
		return err_wrap(err, "%s", folder);
	unit = strcmp(what->role, "runner") == 0 ? "remote-runner" : what->role;
	(void)printf(
	    "%s has enrolled, with the key %s.  Its last step, as root:\n"
	    "  systemctl enable deploybot-%s deploybot-link-%s && systemctl restart deploybot-%s deploybot-link-%s\n",
	    strchr(answer.who.identity, '/') + 1, key, unit, what->role, unit, what->role);
	return true;
}
