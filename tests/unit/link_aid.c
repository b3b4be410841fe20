/* link_aid.c - makes an authority for agents, and its files.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "link_aid.h"

#include <stdio.h>
#include <unistd.h>

#include "lib/file.h"
#include "unit.h"

static void
write_line(char *line, size_t room, const char *name, const char *text)
{
	assert_true(snprintf(line, room, "%s=%.*s", name,
			(int)(strlen(text) - (text[strlen(text) - 1] == '\n')), text) < (int)room);
}

void
link_aid_make(struct link_aid *aid, int64_t at)
{
	struct crypto_ca_order order = { .key = aid->ca.key,
		.certificate = aid->ca.text,
		.identity = "server",
		.from = at,
		.until = at + 3650 * LINK_AID_DAY_MS };
	char certificate[CRYPTO_CA_PEM];

	assert_true(crypto_ca_make(at, order.until, &aid->ca, NULL));
	assert_true(crypto_ca_make_request(&aid->link, NULL));
	assert_true(crypto_ca_sign(&order, aid->link.text, certificate, NULL));
	assert_true(crypto_ca_make_order_key(aid->order, NULL));
	memcpy(aid->folder, "/tmp/link_aid.XXXXXX", sizeof("/tmp/link_aid.XXXXXX"));
	assert_non_null(mkdtemp(aid->folder));
	(void)snprintf(aid->ca_file, sizeof(aid->ca_file), "%.40s/ca.crt", aid->folder);
	(void)snprintf(aid->cert_file, sizeof(aid->cert_file), "%.40s/link.crt", aid->folder);
	assert_true(file_write(aid->ca_file, aid->ca.text, strlen(aid->ca.text), 0600, NULL));
	assert_true(file_write(aid->cert_file, certificate, strlen(certificate), 0600, NULL));
	write_line(aid->ca_line, sizeof(aid->ca_line), "LINK_CA_FILE", aid->ca_file);
	write_line(aid->cert_line, sizeof(aid->cert_line), "LINK_CERTIFICATE_FILE", aid->cert_file);
	write_line(aid->key_line, sizeof(aid->key_line), "LINK_CA_KEY", aid->ca.key);
	write_line(aid->order_line, sizeof(aid->order_line), "LINK_ORDER_KEY", aid->order);
}

void
link_aid_remove(const struct link_aid *aid)
{
	(void)unlink(aid->ca_file);
	(void)unlink(aid->cert_file);
	assert_int_equal(rmdir(aid->folder), 0);
}
