/* handle_api_inside.h - what of /v1 only looks: handle_api*.c alone.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "deployment/deployment.h"
#include "store/tx.h"
#include "types/api.h"

struct json_out;

/* The work that it names; id 0: it is not there for them, which was said.  Gives ret. */
struct deployment *handle_api_find_work(
    struct tx *tx, const struct api_request *api, int64_t number, struct deployment *ret);

/* Shows what was asked for, or says why not; false: it is no look. */
bool handle_api_look(struct tx *tx, const struct api_request *api, struct json_out *json) MUST_USE;
