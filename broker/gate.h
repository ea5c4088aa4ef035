/*  gate - the reactor's side of access: what the configuration says, the keys in force, the actor
 *  that lets connections in.
 *
 *  Owns     a share of the keys, the access actor
 *  Thread   the reactor's
 *  Refuses  to be made with keys or a secret that others could read or change (EX_NOPERM)
 */
#ifndef BROKER_GATE_H
#define BROKER_GATE_H

#include "broker/access_actor.h"
#include "broker/access_keys.h"
#include "broker/config.h"
#include "broker/report.h"
#include "broker/store.h"

#include <czmq.h>
#include <stdbool.h>

typedef struct {
    access_keys_t *keys; /* NULL: access is not configured, and whoever gets here may do all */
    char secret_key[KEY_TEXT_SIZE];
    bool rules; /* there are address rules */
    access_counts_t counts;
    zactor_t *actor;
} gate_t;

/*  Read keys and secret. False and a filled error. */
bool gate_init(gate_t *self, const config_t *config, store_error_t *error);
void gate_free(gate_t *self);

/*  Let connections in. */
void gate_start(gate_t *self, const config_t *config);

/*  Other address rules, for connections to come. */
void gate_configure(gate_t *self, const config_t *config);

/*  Take new keys from a mail of the actor; answers the old ones. */
access_keys_t *gate_take_keys(gate_t *self, zmsg_t *mail);

/*  May whoever sent it give this command? user_id: as ZeroMQ names the sender; NULL: it does not.
 */
bool gate_permits(const gate_t *self, const char *user_id, const command_t *command);

/*  Fill in what system.status shows of it. */
void gate_report(const gate_t *self, access_use_t *use);

#endif
