/* decide_pad_shown.c - how a question stands to which a yes or a code belongs.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/factor/decide_pad_shown.h"

#include <inttypes.h>
#include <stdio.h>

#include "decide/approval/decide_needs.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/text.h"
#include "store/row_approval.h"
#include "store/row_deployment.h"

void
decide_pad_shown(struct tx *tx, int64_t id, char ret[PAD_SHOWN])
{
	struct approval_request request;
	struct deployment work;
	char binding[NEEDS_BINDING];

	row_deployment_get(tx, id, &work);
	row_approval_request(tx, id, &request);
	decide_needs_binding(tx, &work, binding);
	(void)snprintf(ret, PAD_SHOWN, "%s %" PRId64 " %" PRId64 " %s; %s",
	    deploy_flow_word(work.state), work.message, request.asked_at, work.changed,
	    binding); /* cut is fine */
}

const char *
decide_pad_digest(struct tx *tx, int64_t id, char ret[API_SHOWN])
{
	uint8_t digest[CRYPTO_SHA256_SIZE];
	char shown[PAD_SHOWN];
	struct err err;

	decide_pad_shown(tx, id, shown);
	ret[0] = '\0';
	if (crypto_sha256(shown, strlen(shown), digest, &err))
		text_hex(ret, digest, (API_SHOWN - 1) / 2);
	else
		tx_fail(tx, err.code, "%s", err.text);
	return ret;
}
