/*  runs - what the commands do that are more than a question and its answer. Each answers the exit
 *  status of the program. */
#ifndef CLIENTS_TOCSIN_RUNS_H
#define CLIENTS_TOCSIN_RUNS_H

#include "clients/tocsin/call.h"

int status_run(const call_t *call);
int events_tail_run(const call_t *call);
int send_metric_run(const call_t *call);
int send_request_run(const call_t *call);
int collect_run(const call_t *call);
int demo_run(const call_t *call);
int bench_run(const call_t *call);
int policy_check_run(const call_t *call);
int keygen_run(const call_t *call);
int completion_run(const call_t *call);

#endif
