/* doctor_prometheus.h - Prometheus, where a bake asks it: each query once, and what it says.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

struct doctor;

/* Does each parse there, and is there data?  Asynchronous. */
void doctor_prometheus(struct doctor *doctor);
