/* decide_status_urls.h - which health URLs a look asks: of environments, and of each host.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

struct effect;
struct effect_probe;
struct environment_settings;

struct effect *decide_status_new_probe(void) MUST_USE;

/* All URLs of an environment, or none where they do not fit. */
void decide_status_add_urls(
    struct effect_probe *probe, const struct environment_settings *settings);

/* That of each of its hosts, where one is known: all of them together have 10 s. */
void decide_status_add_hosts(
    struct tx *tx, struct effect_probe *probe, const struct environment_settings *settings);

/* NULL: it asks nobody, and was freed. */
struct effect *decide_status_take_probe(struct effect *effect);
