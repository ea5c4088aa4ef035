#include "proto/status.h"

#include "proto/must.h"

#include <stddef.h>

static const struct {
    const char *reason;
    const char *code;
    const char *text;
} statuses[STATUS_COUNT] = {
    [STATUS_OK] = {"ok", "ok", "done"},
    [STATUS_TOO_LARGE] = {"too_large", "bad_request", "the frame has more bytes than limits.frame"},
    [STATUS_MALFORMED] = {"malformed", "bad_request",
                          "the frame is not one complete MessagePack value"},
    [STATUS_TOO_DEEP] = {"too_deep", "bad_request", "the frame nests deeper than limits.depth"},
    [STATUS_BATCH_TOO_LONG] = {"batch_too_long", "bad_request",
                               "the batch has more events than limits.batch"},
    [STATUS_NOT_A_MAP] = {"not_a_map", "bad_request", "not a map"},
    [STATUS_DUPLICATE_KEY] = {"duplicate_key", "bad_request", "the same key stands twice"},
    [STATUS_MISSING_FIELD] = {"missing_field", "bad_request", "a required field is missing"},
    [STATUS_WRONG_TYPE] = {"wrong_type", "bad_request", "a field has the wrong type"},
    [STATUS_BAD_TEXT] = {"bad_text", "bad_request",
                         "text is not UTF-8 or holds control characters"},
    [STATUS_TOO_LONG] = {"too_long", "bad_request", "a text is longer than its limit"},
    [STATUS_TOO_MANY_LABELS] = {"too_many_labels", "bad_request", "more labels than limits.labels"},
    [STATUS_BAD_VALUE] = {"bad_value", "bad_request", "a value is out of its range"},
    [STATUS_UNKNOWN_KIND] = {"unknown_kind", "bad_request",
                             "kind is none of counter, gauge, histogram"},
    [STATUS_KIND_MISMATCH] = {"kind_mismatch", "bad_request",
                              "the metric already has another kind"},
    [STATUS_UNKNOWN_COMMAND] = {"unknown_command", "unknown_command", "there is no such command"},
    [STATUS_LIMIT] = {"limit", "limit", "a limit of the broker is reached"},
    [STATUS_NOT_FOUND] = {"not_found", "not_found", "there is no such thing"},
    [STATUS_BAD_TRANSITION] = {"bad_transition", "bad_transition",
                               "this move is not allowed from the present state"},
    [STATUS_CONFLICT] = {"conflict", "conflict", "this is owned by the configuration file"},
    [STATUS_GONE] = {"gone", "gone", "this is no longer held"},
    [STATUS_FORBIDDEN] = {"forbidden", "forbidden", "this is not permitted"},
    [STATUS_UNAVAILABLE] = {"unavailable", "unavailable", "the store cannot take changes now"},
    [STATUS_INTERNAL] = {"internal", "internal", "an error inside the broker"},
};

const char *status_reason(status_t status)
{
    must(status < STATUS_COUNT && statuses[status].reason != NULL);
    return statuses[status].reason;
}

const char *status_code(status_t status)
{
    must(status < STATUS_COUNT && statuses[status].code != NULL);
    return statuses[status].code;
}

const char *status_text(status_t status)
{
    must(status < STATUS_COUNT && statuses[status].text != NULL);
    return statuses[status].text;
}
