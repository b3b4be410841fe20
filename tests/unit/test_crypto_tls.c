/* Goal: a file that cannot be used is named with the reason, before anybody is connected to.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/crypto_tls.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/err.h"
#include "unit.h"

static char odd[] = "/tmp/crypto-tls-XXXXXX";

static int
begin(void **state)
{
	static const char text[] = "-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n";
	int fd = mkstemp(odd);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	(void)close(fd);
	return 0;
}

static int
finish(void **state)
{
	(void)state;
	return unlink(odd);
}

TEST(a_file_that_cannot_be_used_is_named)
{
	static const char gone[] = "/nonexistent/ca.pem";
	const struct {
		struct crypto_tls_config config;
		const char *file, *says;
	} rows[] = {
		{ { .ca_file = gone }, gone, "No such file" },
		{ { .ca_file = odd }, odd, "it holds no certificate in PEM" },
		{ { .certificate_file = gone, .key_file = odd }, gone, "No such file" },
		{ { .certificate_file = odd, .key_file = odd }, odd, "no certificate in PEM" },
	};
	struct err err;

	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_null(crypto_tls_new(&rows[i].config, 0, "", 0, &err));
		assert_non_null(strstr(err.text, rows[i].file));
		assert_non_null(strstr(err.text, rows[i].says));
	}
}

TEST_GROUP(begin, finish)
