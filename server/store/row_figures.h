/* row_figures.h - deployments and rollbacks that have ended, for the four figures.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "deployment/figures.h"
#include "store/tx.h"

/* Of one environment, those that ended in that span and had changed it, by their ends; returns how
 * many of them there are in ret, at most max. */
size_t row_figures_list(struct tx *tx, const char *environment, struct figure_span span,
    struct ended_work *ret, size_t max);
