#include "broker/operations_inside.h"
#include "broker/store.h"

#include <stdio.h>

/*  A note is its sender's to write when the incident it is for is about its own systems. */
static bool may_note(operations_t *self, const access_key_t *who, const command_t *command)
{
    const incident_change_t *note = command->arguments;
    incident_t incident;
    if (who->role != ROLE_PRODUCER ||
        !store_find_incident(self->given->store, note->incident, NOTES_SHOWN, &self->thing_arena,
                             &incident))
        return true; /* that there is none is for the manager to say */
    bool permitted = access_permits_incident(who, incident.systems, TEXT_NONE);
    arena_reset(&self->thing_arena);
    return permitted;
}

static bool may_do(operations_t *self, const access_key_t *who, const command_t *command)
{
    return access_permits_command(who, command) &&
           (command->which != DO_INCIDENT_NOTE || may_note(self, who, command));
}

static void sign(operations_t *self, command_t *command, text_t name)
{
    const schema_t *schema = command->spec->schema;
    const field_t *by = schema == NULL ? NULL : schema_field(schema, TEXT_OF("by"));
    if (by == NULL)
        return;
    char *arguments = arena_take(&self->arena, schema->size);
    memcpy(arguments, command->arguments, schema->size);
    *(text_t *)(void *)(arguments + by->offset) = name;
    command->arguments = arguments;
}

status_t operations_admit(operations_t *self, const char *user_id, command_t *command,
                          schema_error_t *error)
{
    if (self->given->keys == NULL)
        return STATUS_OK;
    const access_key_t *who = access_keys_find(self->given->keys, user_id);
    if (!may_do(self, who, command)) {
        error->status = STATUS_FORBIDDEN;
        snprintf(error->message, sizeof error->message, "this key may not do that");
        return STATUS_FORBIDDEN;
    }
    sign(self, command, who->name);
    return STATUS_OK;
}
