/* supervisor_record.h - notes in a run's record what it says in its output.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "runner/step_scan.h"

/* A step, an image or a warning of step_scan_feed(); out is the record as it will be sent. */
void
supervisor_record_take(struct protocol_message *out, enum step_scan_kind kind, const char *text);
