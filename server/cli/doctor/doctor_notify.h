/* doctor_notify.h - NOTIFY_<NAME>_TO: is each destination there, and on?  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "cli/doctor/doctor.h"

/* Nobody is sent a message.  Asynchronous, as those of doctor.h. */
void doctor_notify(struct doctor *doctor);
