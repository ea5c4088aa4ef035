/*  demo_stage - what the play needs in the broker: an SLO, a policy, a runbook; put by command, and
 *  taken away again whatever happened, so that nothing of a play is left.
 */
#ifndef CLIENTS_TOCSIN_DEMO_STAGE_H
#define CLIENTS_TOCSIN_DEMO_STAGE_H

#include "clients/tocsin/session.h"

/*  Put everything, after what a play that was killed has left is taken away. 0 or an exit status.
 */
int demo_stage_set(session_t *session);

/*  Take everything away; an incident that is still open is resolved. What is not there is no
 *  error. */
int demo_stage_clear(session_t *session);

#endif
