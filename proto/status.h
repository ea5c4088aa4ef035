/*  status - every way in which something can be refused, its name on the wire, and whose fault it
 * is.
 *
 *  The order is the order of precedence: where two reasons hold for one frame or one event, the one
 *  that stands first here is answered and counted.
 */
#ifndef PROTO_STATUS_H
#define PROTO_STATUS_H

typedef enum {
    STATUS_OK = 0,

    /* of a whole frame */
    STATUS_TOO_LARGE,      /* more bytes than limits.frame */
    STATUS_MALFORMED,      /* not one complete MessagePack value, or bytes after it */
    STATUS_TOO_DEEP,       /* containers nested deeper than limits.depth */
    STATUS_BATCH_TOO_LONG, /* more events than limits.batch */

    /* of one event */
    STATUS_NOT_A_MAP,
    STATUS_DUPLICATE_KEY, /* a known key or a label name stands twice */
    STATUS_MISSING_FIELD,
    STATUS_WRONG_TYPE,
    STATUS_BAD_TEXT, /* not UTF-8, or control characters */
    STATUS_TOO_LONG, /* a name, label or text over its limit */
    STATUS_TOO_MANY_LABELS,
    STATUS_BAD_VALUE, /* out of range, not finite, empty, reserved */
    STATUS_UNKNOWN_KIND,
    STATUS_KIND_MISMATCH, /* the name already has another kind */
    STATUS_UNKNOWN_COMMAND,
    STATUS_LIMIT, /* a table is full */

    /* of a command, because of what is there already or of who asks */
    STATUS_NOT_FOUND,
    STATUS_BAD_TRANSITION,
    STATUS_CONFLICT,
    STATUS_GONE, /* trimmed: no longer held */
    STATUS_FORBIDDEN,
    STATUS_UNAVAILABLE, /* the store cannot take it now */
    STATUS_INTERNAL,

    STATUS_COUNT
} status_t;

/*  The reason as counted in system.status: "malformed", "kind_mismatch", …; "ok" for STATUS_OK. */
const char *status_reason(status_t status);

/*  The `code` of a reply's error: what the message alone shows to be wrong is "bad_request", the
 * rest is named as it is. */
const char *status_code(status_t status);

/*  What is wrong, in words for a person. */
const char *status_text(status_t status);

#endif
