/* link_enrol_host.c - a host enrols by a code: key, certificate, settings of link and of who executes.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * The server is known by the fingerprint of its key, which came with the code: no authority is
 * known yet, and no date is looked at.  Nothing is sent before it was compared.
 */
#include "link/link_enrol_host.h"

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clean.h"
#include "lib/crypto_ca.h"
#include "lib/enrol_code.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/text.h"
#include "link/link_enrol.h"

#define FOLDER	   "/etc/deploybot-" /* and its role */
#define USER	   "deploybot-link"
#define PATIENCE_S 20
#define ANSWER	   (LINK_FRAME_HEAD + PROTOCOL_PACKET_MAX)

DEFINE_FREEP(SSL, SSL_free)
DEFINE_FREEP(SSL_CTX, SSL_CTX_free)

static bool
fail(struct err *err, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	ERR_clear_error();
	return err_set(err, ERR_IO, "%s: %s", what,
	    reason != NULL ? reason : "it has closed the connection, or does not answer");
}

/* --- files --- */

static bool
path_of(const char *folder, const char *name, char ret[PATH_MAX], struct err *err)
{
	return snprintf(ret, PATH_MAX, "%s/%s", folder, name) < PATH_MAX ||
	    err_set(err, ERR_LIMIT, "the folder's name is too long");
}

static bool
write_in(const char *folder, const char *name, const char *text, mode_t mode, struct err *err)
{
	char path[PATH_MAX];

	return path_of(folder, name, path, err) && file_write(path, text, strlen(text), mode, err);
}

static bool
is_enrolled(const char *folder, struct err *err)
{
	char path[PATH_MAX];

	return !path_of(folder, "link.crt", path, err) ||
	    (access(path, F_OK) == 0 &&
		!err_set(err, ERR_INVALID,
		    "%.180s is there: this host has enrolled.  Who enrols it anew moves it and link.key away",
		    path));
}

/* Its user is the unit's. */
static bool
give(const char *path, struct err *err)
{
	/* cppcheck-suppress getpwnamCalled ; there is one thread */
	const struct passwd *user = getpwnam(USER); /* NOLINT(concurrency-mt-unsafe): one thread */

	if (user == NULL)
		return err_set(err, ERR_CONFIG,
		    "there is no user " USER ": the package, or systemd-sysusers, makes it");
	return chown(path, user->pw_uid, user->pw_gid) == 0 ||
	    err_errno(err, ERR_IO, errno, "%s", path);
}

static bool
take_key(const char *folder, bool gives, struct crypto_ca_pair *pair, struct err *err)
{
	char path[PATH_MAX];
	char *there;
	bool good;

	if (!path_of(folder, "link.key", path, err) || !file_mkdirs(folder, 0755, err))
		return false;
	there = file_read(path, CRYPTO_CA_PEM - 1, NULL, err);
	if (there != NULL) {
		(void)text_copy(pair->key, sizeof(pair->key), there);
		crypto_wipe(there, strlen(there));
		free(there);
		good = crypto_ca_request_of(pair, err) || err_wrap(err, "%s", path);
	} else {
		good = err->code == ERR_MISSING && crypto_ca_make_request(pair, err) &&
		    file_write(path, pair->key, strlen(pair->key), 0600, err);
	}
	return good && (!gives || give(path, err));
}

/* --- the connection --- */

static int
dial(const char *server, struct err *err)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *all;
	struct link_address to;
	int status, fd = -1;

	if (!link_address_read(server, strlen(server), &to))
		return ERR_FD(err_set(err, ERR_INVALID, "expected HOST:PORT, not %.80s", server));
	status = getaddrinfo(to.host, to.port, &hints, &all);
	if (status != 0)
		return ERR_FD(err_set(err, ERR_IO, "%.80s: %s", server, gai_strerror(status)));
	for (const struct addrinfo *one = all; one != NULL && fd == -1; one = one->ai_next) {
		fd = socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		if (fd != -1 && connect(fd, one->ai_addr, one->ai_addrlen) == 0)
			continue;
		(void)err_errno(err, ERR_IO, errno, "%.80s", server);
		if (fd != -1)
			(void)close(fd);
		fd = -1;
	}
	freeaddrinfo(all);
	return fd;
}

static bool
is_server(SSL *ssl, const char *fingerprint, struct err *err)
{
	struct link_identity who = { 0 };
	const unsigned char *protocol;
	unsigned size;

	if (SSL_connect(ssl) != 1)
		return fail(err, "no TLS 1.3");
	link_tls_identity(SSL_get0_peer_certificate(ssl), &who);
	if (strcmp(who.digest, fingerprint) != 0)
		return err_set(err, ERR_INVALID,
		    "the server there is another one, or the line is not whole: nothing was sent to it; whoever made the line makes it once more");
	SSL_get0_alpn_selected(ssl, &protocol, &size);
	return size != 0 ||
	    err_set(err, ERR_INVALID, "the server there lets nobody enrol: it is an older one");
}

/* One frame there and one back, as a text; its first byte is behind the head. */
static bool
exchange(SSL *ssl, const char *text, char ret[ANSWER + 1], struct err *err)
{
	char frame[LINK_FRAME_HEAD + LINK_ENROL_MAX];
	struct link_frame answer;
	size_t size = strlen(text), n, have = 0;
	enum link_frame_state state = LINK_FRAME_PART;

	link_frame_head(frame, 0, size);
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): a packet has its length before it */
	memcpy(frame + LINK_FRAME_HEAD, text, size);
	if (SSL_write_ex(ssl, frame, LINK_FRAME_HEAD + size, &n) != 1)
		return fail(err, "asking");
	while (state == LINK_FRAME_PART && SSL_read_ex(ssl, ret + have, ANSWER - have, &n) == 1) {
		have += n;
		state = link_frame_read(ret, have, &answer);
	}
	if (state != LINK_FRAME_WHOLE)
		return fail(err, "no answer");
	(void)SSL_shutdown(ssl); /* best effort */
	ret[LINK_FRAME_HEAD + answer.size] = '\0';
	return true;
}

static bool
ask(const struct link_enrolment *what, const char *text, char ret[ANSWER + 1], struct err *err)
{
	static const unsigned char protocol[] = LINK_ENROL_ALPN;
	CLEANUP(SSL_CTX_freep) SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	CLEANUP(SSL_freep) SSL *ssl = context == NULL ? NULL : SSL_new(context);
	int fd = dial(what->server, err);
	bool good = false;

	if (fd == -1)
		return false;
	if (ssl == NULL || SSL_set_fd(ssl, fd) != 1 ||
	    SSL_set_min_proto_version(ssl, TLS1_3_VERSION) != 1 ||
	    SSL_set_alpn_protos(ssl, protocol, sizeof(protocol) - 1) != 0)
		good = fail(err, "OpenSSL");
	else
		good = is_server(ssl, what->fingerprint, err) && exchange(ssl, text, ret, err);
	(void)close(fd); /* all that was to come has come */
	return good;
}

/* --- the answer --- */

/* The order keys on a line, and the host's certificate before the authority's. */
struct answer {
	char *orders, *certificate, *ca;
	struct link_identity who;
};

/* What stands behind the first one in the text; NULL: there is none. */
static char *
read_certificate(char *text, struct link_identity *ret)
{
	BIO *bio = BIO_new_mem_buf(text, -1);
	X509 *certificate = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);
	char *behind = certificate == NULL ? NULL : text + strlen(text) - BIO_pending(bio);

	BIO_free_all(bio);
	ERR_clear_error();
	if (certificate != NULL)
		link_tls_identity(certificate, ret);
	X509_free(certificate);
	return behind;
}

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
	size_t size = strlen(role);

	ret->certificate = text;
	ret->orders = strsep(&ret->certificate, "\n");
	ret->ca = ret->certificate == NULL ? NULL : read_certificate(ret->certificate, &ret->who);
	if (strspn(ret->orders, "0123456789abcdef ") != strlen(ret->orders) || ret->ca == NULL)
		return err_set(err, ERR_IO, "the server's answer is none");
	if (strcmp(ret->who.digest, key) != 0 || strncmp(ret->who.name, role, size) != 0 ||
	    ret->who.name[size] != '/')
		return err_set(err, ERR_IO, "the server has sent a certificate of another key");
	return true;
}

static bool
write_all(
    const struct link_enrolment *what, const char *folder, struct answer *answer, struct err *err)
{
	char file[32], orders[512], link[4 * PATH_MAX];

	(void)snprintf(file, sizeof(file), "%s.conf", what->role);
	(void)snprintf(orders, sizeof(orders), "%s_NAME=%s\nORDER_KEYS=%.200s\n",
	    strcmp(what->role, "runner") == 0 ? "RUNNER" : "AGENT",
	    strchr(answer->who.name, '/') + 1, answer->orders);
	(void)snprintf(link, sizeof(link),
	    "LINK_SERVERS=%s\nLINK_CA_FILE=%s/ca.crt\nLINK_CERTIFICATE_FILE=%s/link.crt\n"
	    "LINK_KEY_FILE=%s/link.key\n",
	    what->server, folder, folder, folder);
	if (!write_in(folder, "ca.crt", answer->ca, 0644, err) ||
	    !write_in(folder, file, orders, 0644, err) ||
	    !write_in(folder, "link.conf", link, 0644, err))
		return false;
	answer->ca[0] = '\0'; /* the certificate ends there */
	return write_in(folder, "link.crt", answer->certificate, 0644, err);
}

bool
link_enrol_host(const struct link_enrolment *what, struct err *err)
{
	static char answer_text[ANSWER + 1];
	char installed[32];
	const char *folder = what->folder == NULL ? installed : what->folder, *unit;
	struct crypto_ca_pair pair = { 0 };
	struct enrol_proof proof;
	struct answer answer = { 0 };
	char key[CRYPTO_SHA256_HEX], mac[CRYPTO_SHA256_HEX], text[LINK_ENROL_MAX + 1], *given;
	bool good;

	(void)snprintf(installed, sizeof(installed), FOLDER "%s", what->role);
	good = !is_enrolled(folder, err) && take_key(folder, what->folder == NULL, &pair, err) &&
	    crypto_ca_check_request(pair.text, key, err) &&
	    enrol_code_proof(what->code, &proof, err) &&
	    enrol_code_mac(proof.secret, "ask", pair.text, mac, err);

	crypto_wipe(pair.key, sizeof(pair.key));
	if (!good)
		return false;
	(void)snprintf(text, sizeof(text), "%s %s %s\n%.3000s", what->role, proof.id, mac,
	    pair.text); /* fits */
	if (!ask(what, text, answer_text, err) ||
	    (given = read_proof(answer_text + LINK_FRAME_HEAD, &proof, err)) == NULL ||
	    !read_answer(given, what->role, key, &answer, err) ||
	    !write_all(what, folder, &answer, err))
		return false;
	unit = strcmp(what->role, "runner") == 0 ? "remote-runner" : what->role;
	(void)printf(
	    "%s has enrolled, with the key %s.  Its last step, as root:\n"
	    "  systemctl enable deploybot-%s deploybot-link-%s && systemctl restart deploybot-%s deploybot-link-%s\n",
	    strchr(answer.who.name, '/') + 1, key, unit, what->role, unit, what->role);
	return true;
}
