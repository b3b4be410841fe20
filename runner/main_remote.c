/* main_remote.c - deploybot-remote-runner: it takes signed orders alone, and links libcrypto.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "lib/err.h"
#include "runner/start.h"

int
main(int argc, char *argv[])
{
	static struct order_gate gate = {
		.draw = order_challenge_draw, .check = order_check, .is_signed = order_is_signed
	};
	struct err err;

	if (crypto_start(&err))
		return start_runner(argc, argv, &gate);
	(void)fprintf(stderr, "deploybot-remote-runner: %s\n", err.text);
	return err_exit_status(err.code);
}
