/* cli_ca.c - `deploybot ca`: the authority that agents and remote runners are certified by, as files.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * Nothing is ever written over: who has lost a key by that has lost every agent.  A file that could
 * not be written ends it, and what was written before stays to be looked at.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/cli.h"
#include "lib/clock.h"
#include "lib/crypto_ca.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/text.h"

#define DAY_MS	    (24 * 3600 * INT64_C(1000))
#define YEAR_MS	    (365 * DAY_MS)
#define YEARS	    10
#define YEARS_MOST  30
#define BY_HAND_MS  YEAR_MS /* what is signed here renews itself never */
#define FILES_MAX   6
#define PRIVATE_KEY 0600
#define READABLE    0644

/* What is to be written; the texts are borrowed. */
struct ca_file {
	const char *name;
	const char *text;
	mode_t mode;
};

static bool
path_in(const char *folder, const char *name, char ret[PATH_MAX], struct err *err)
{
	return snprintf(ret, PATH_MAX, "%s/%s", folder, name) < PATH_MAX ||
	    err_set(err, ERR_LIMIT, "the folder's name is too long");
}

static bool
write_new(const char *folder, const struct ca_file *file, struct err *err)
{
	CLEANUP(file_closep) int fd = -1;
	char path[PATH_MAX];

	if (!path_in(folder, file->name, path, err))
		return false;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, file->mode);
	if (fd < 0)
		return file_creation_failed(errno, path, err);
	return file_write_all(fd, file->text, strlen(file->text), err) &&
	    (fsync(fd) == 0 || err_errno(err, ERR_IO, errno, "%s", path)) &&
	    file_flush_name(path, err);
}

/* All or, where one is there, none of them. */
static bool
write_files(const char *folder, const struct ca_file *files, struct err *err)
{
	char path[PATH_MAX];

	for (size_t i = 0; files[i].name != NULL; i++)
		if (!path_in(folder, files[i].name, path, err) ||
		    faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return err_set(
			    err, ERR_INVALID, "%.180s is there already: nothing was written", path);
	for (size_t i = 0; files[i].name != NULL; i++)
		if (!write_new(folder, &files[i], err))
			return false;
	return true;
}

static char *
read_in(const char *folder, const char *name, struct err *err)
{
	char path[PATH_MAX];

	return path_in(folder, name, path, err) ? file_read(path, CRYPTO_CA_FILE, NULL, err) : NULL;
}

/* How long the authority is one; 0: that was refused. */
static int64_t
life_of(const struct cli *cli)
{
	const char *text = cli->value[OPTION_YEARS];
	int64_t years = YEARS;

	if (text != NULL && !text_to_i64(text, 1, YEARS_MOST, &years, NULL)) {
		(void)cli_refuse(cli, OPTION_YEARS, text, "1 to 30");
		return 0;
	}
	return years * YEAR_MS;
}

/* An authority and the server's certificate by it, which has its life: agents look at no date. */
struct ca_made {
	struct crypto_ca_pair ca, link;
	char certificate[CRYPTO_CA_PEM];
};

static bool
make(int64_t life, struct ca_made *ret, struct err *err)
{
	int64_t now = clock_wall_ms();
	const struct crypto_ca_order order = { .key = ret->ca.key,
		.certificate = ret->ca.text,
		.identity = "server",
		.from = now,
		.until = now + life };

	return crypto_ca_make(now, now + life, &ret->ca, err) &&
	    crypto_ca_make_request(&ret->link, err) &&
	    crypto_ca_sign(&order, ret->link.text, ret->certificate, err);
}

static bool
init(const char *folder, int64_t life, struct err *err)
{
	struct ca_made made;
	char order[CRYPTO_CA_PEM];
	bool ok = make(life, &made, err) && crypto_ca_make_order_key(order, err) &&
	    file_mkdirs(folder, 0700, err) &&
	    write_files(folder,
		(const struct ca_file[]){ { "ca.key", made.ca.key, PRIVATE_KEY },
		    { "ca.crt", made.ca.text, READABLE }, { "order.key", order, PRIVATE_KEY },
		    { "link.key", made.link.key, PRIVATE_KEY },
		    { "link.crt", made.certificate, READABLE }, { NULL, NULL, 0 } },
		err);

	crypto_wipe(&made, sizeof(made));
	crypto_wipe(order, sizeof(order));
	return ok;
}

#define SECRETS "/etc/deploybot/secrets/server"
#define LINK	"/etc/deploybot/link"

int
cli_ca_init(const struct cli *cli)
{
	const char *folder = cli->argv[0];
	int64_t life = life_of(cli);
	struct err err;

	if (life == 0)
		return EX_USAGE;
	if (!init(folder, life, &err))
		return cli_fail(&err);
	(void)printf(
	    "Made in %s: ca.key, ca.crt, order.key, link.key, link.crt.  Next, as root:\n"
	    "  install -m 0600 -o deploybot %s/ca.key " SECRETS "/link_ca_key\n"
	    "  install -m 0600 -o deploybot %s/order.key " SECRETS "/link_order_key\n"
	    "  install -d " LINK "\n"
	    "  install -m 0644 %s/ca.crt %s/link.crt " LINK "/\n"
	    "  install -m 0600 -o deploybot-link %s/link.key " LINK "/\n"
	    "in deploybot's settings (/etc/deploybot/deploybot.conf):\n"
	    "  LINK_ADDRESS=HOST:9443                  (where agents reach this machine)\n"
	    "  LINK_CA_FILE=" LINK "/ca.crt\n"
	    "  LINK_CERTIFICATE_FILE=" LINK "/link.crt\n"
	    "  LINK_CA_KEY_FILE=" SECRETS
	    "/link_ca_key        (left out: certificates are signed by hand, deploybot ca sign)\n"
	    "  LINK_ORDER_KEY_FILE=" SECRETS "/link_order_key\n"
	    "in /etc/deploybot/link.conf:\n"
	    "  LINK_CA_FILE=" LINK "/ca.crt\n"
	    "  LINK_CERTIFICATE_FILE=" LINK "/link.crt\n"
	    "  LINK_KEY_FILE=" LINK "/link.key\n"
	    "then: systemctl restart deploybot; systemctl enable --now deploybot-link (others reach its port 9443).\n"
	    "Keep a copy of %s where no server is, and remove it here.\n",
	    folder, folder, folder, folder, folder, folder, folder);
	return EX_OK;
}

static bool
sign(const struct cli *cli, char ret[CRYPTO_CA_PEM], char ret_key[CRYPTO_SHA256_HEX],
    struct err *err)
{
	const char *folder = cli->argv[0];
	CLEANUP(freep) char *key = read_in(folder, "ca.key", err);
	CLEANUP(freep) char *certificate = key == NULL ? NULL : read_in(folder, "ca.crt", err);
	CLEANUP(freep) char *request = NULL;
	struct crypto_ca_order order = { .key = key,
		.certificate = certificate,
		.identity = cli->argv[1],
		.from = clock_wall_ms() };
	bool ok;

	if (certificate != NULL)
		request = file_read(cli->argv[2], CRYPTO_CA_FILE, NULL, err);
	order.until = order.from + BY_HAND_MS;
	ok = request != NULL && crypto_ca_check_request(request, ret_key, err) &&
	    crypto_ca_sign(&order, request, ret, err);
	if (key != NULL)
		crypto_wipe(key, strlen(key));
	return ok;
}

int
cli_ca_sign(const struct cli *cli)
{
	char certificate[CRYPTO_CA_PEM], key[CRYPTO_SHA256_HEX];
	struct err err;

	if (!sign(cli, certificate, key, &err))
		return cli_fail(&err);
	/* Who has made the request compares it, by a way that nobody else writes to. */
	(void)fprintf(
	    stderr, "Signed for a year: %s, whose key has the SHA-256 %s\n", cli->argv[1], key);
	(void)printf("%s", certificate);
	return EX_OK;
}

static bool
rotate(const char *folder, int64_t life, struct err *err)
{
	CLEANUP(freep) char *before = read_in(folder, "ca.crt", err);
	struct ca_made made;
	char both[CRYPTO_CA_PEM + CRYPTO_CA_FILE];
	bool ok;

	if (before == NULL || !make(life, &made, err))
		return false;
	(void)snprintf(both, sizeof(both), "%s%s", made.ca.text, before); /* has room */
	ok = write_files(folder,
	    (const struct ca_file[]){ { "next-ca.key", made.ca.key, PRIVATE_KEY },
		{ "next-ca.crt", made.ca.text, READABLE }, { "both-ca.crt", both, READABLE },
		{ "next-link.key", made.link.key, PRIVATE_KEY },
		{ "next-link.crt", made.certificate, READABLE }, { NULL, NULL, 0 } },
	    err);
	crypto_wipe(&made, sizeof(made));
	return ok;
}

int
cli_ca_rotate(const struct cli *cli)
{
	const char *folder = cli->argv[0];
	int64_t life = life_of(cli);
	struct err err;

	if (life == 0)
		return EX_USAGE;
	if (!rotate(folder, life, &err))
		return cli_fail(&err);
	(void)printf(
	    "Made in %s: next-ca.key, next-ca.crt, both-ca.crt, next-link.key, next-link.crt.\n"
	    "In this order, each step when the one before is done everywhere:\n"
	    "  1. both-ca.crt in the place of LINK_CA_FILE, and of what deploybot-link trusts; restart both.\n"
	    "  2. next-ca.key in the place of LINK_CA_KEY; reload: what renews itself, in 15 days all, has both then.\n"
	    "  3. deploybot agent list: nobody is left whose certificate is older than step 2.\n"
	    "  4. next-link.key and next-link.crt in the place of link's; next-link.crt is LINK_CERTIFICATE_FILE; restart link.\n"
	    "  5. next-ca.crt alone in the place of both-ca.crt; the key before it is worth nothing from now on.\n"
	    "Was link's or the authority's key stolen, nobody waits for step 3: who has not renewed enrols anew.\n",
	    folder);
	return EX_OK;
}
