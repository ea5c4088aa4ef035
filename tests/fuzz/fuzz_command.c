/*  Whatever bytes come as a command: read it as on control and as on the unanswered socket, write
 * back what was read. */
#include "proto/command.h"
#include "proto/must.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_and_write(const uint8_t *data, size_t size, bool unanswered, arena_t *arena)
{
    limits_t limits = LIMITS_DEFAULT;
    command_t command;
    schema_error_t error;
    status_t status = command_read(&limits, (text_t){(const char *)data, size}, unanswered, arena,
                                   &command, &error);
    must(status == STATUS_OK || error.message[0] != '\0');
    if (status == STATUS_OK && command.spec->schema != NULL) {
        msgpack_sbuffer out;
        msgpack_sbuffer_init(&out);
        schema_write(command.spec->schema, command.arguments, true, &out);
        must(cursor_check(out.data, out.size, 32) == STATUS_OK);
        must(schema_equal(command.spec->schema, command.arguments,
                          schema_copy(command.spec->schema, command.arguments, arena)));
        msgpack_sbuffer_destroy(&out);
    }
    arena_reset(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static arena_t arena;
    if (cursor_check(data, size, LIMITS_DEFAULT.depth) != STATUS_OK)
        return 0;
    read_and_write(data, size, false, &arena);
    read_and_write(data, size, true, &arena);
    return 0;
}
