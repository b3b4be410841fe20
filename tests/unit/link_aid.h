/* link_aid.h - an authority for agents, with the lines of settings that name it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/crypto_ca.h"

#define LINK_AID_DAY_MS	 (24 * 3600 * INT64_C(1000))
#define LINK_AID_ADDRESS "LINK_ADDRESS=link.example.org:9443"

struct link_aid {
	struct crypto_ca_pair ca, link;
	char order[CRYPTO_CA_PEM];
	char folder[48], ca_file[64], cert_file[64];
	/* LINK_CA_FILE=…, and so on */
	char ca_line[80], cert_line[80], key_line[CRYPTO_CA_PEM + 16],
	    order_line[CRYPTO_CA_PEM + 16];
};

/* In a folder of its own, valid from `at` for ten years. */
void link_aid_make(struct link_aid *aid, int64_t at);
void link_aid_remove(const struct link_aid *aid);

/* What is given to settings: the address and the four of them. */
#define LINK_AID_LINES(aid) \
	LINK_AID_ADDRESS, (aid)->ca_line, (aid)->cert_line, (aid)->key_line, (aid)->order_line
