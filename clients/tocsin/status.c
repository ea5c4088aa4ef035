#include "clients/tocsin/cell.h"
#include "clients/tocsin/output.h"
#include "clients/tocsin/runs.h"
#include "clients/tocsin/session.h"
#include "proto/cursor.h"
#include "proto/must.h"
#include "proto/pack.h"

#include <stdlib.h>

static const char *const lanes[] = {"metrics", "requests", "incidents"};
static const char *const others[] = {"events", "control"};

/* -- what went in, a row a socket -- */

static void copy_value(msgpack_sbuffer *out, const char *key, tocsin_value_t value)
{
    pack_string(out, key);
    if (value.size == 0)
        pack_nil(out);
    else
        pack_raw(out, (text_t){value.bytes, value.size});
}

static void pack_socket(msgpack_sbuffer *out, tocsin_value_t status, const char *name)
{
    static const char *const keys[] = {"frames", "accepted", "samples", "refused", "dropped"};
    tocsin_value_t ingest = tocsin_value_of(tocsin_value_of(status, "ingest"), name);
    pack_map(out, 2 + sizeof keys / sizeof keys[0]);
    pack_string(out, "socket");
    pack_string(out, name);
    copy_value(out, "address", tocsin_value_of(tocsin_value_of(status, "endpoints"), name));
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        copy_value(out, keys[i], tocsin_value_of(ingest, keys[i]));
}

static void show_sockets(tocsin_value_t status)
{
    msgpack_sbuffer items;
    msgpack_sbuffer_init(&items);
    pack_array(&items, sizeof lanes / sizeof lanes[0] + sizeof others / sizeof others[0]);
    for (size_t i = 0; i < sizeof lanes / sizeof lanes[0]; i++)
        pack_socket(&items, status, lanes[i]);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        pack_socket(&items, status, others[i]);
    output_table("socket address frames accepted samples refused dropped",
                 (tocsin_value_t){items.data, items.size}, stdout);
    msgpack_sbuffer_destroy(&items);
}

/* -- the rest, a line each -- */

static void show(tocsin_value_t map, const char *key)
{
    tocsin_value_t value = tocsin_value_of(map, key);
    if (value.size == 0) {
        fputc('-', stdout);
        return;
    }
    cursor_t cursor = cursor_over(value.bytes, value.size);
    cell_write(text_of(key), &cursor, stdout);
}

static void show_broker(tocsin_value_t status)
{
    fputs("tocsind ", stdout);
    show(status, "version");
    fputs(", process ", stdout);
    show(status, "pid");
    fputs(", up ", stdout);
    show(status, "uptime");
    fputs("\n\n", stdout);
}

static void show_knowledge(tocsin_value_t status)
{
    tocsin_value_t series = tocsin_value_of(status, "series");
    tocsin_value_t store = tocsin_value_of(status, "store");
    bool writable = false;
    fputs("\nseries        ", stdout);
    show(series, "count");
    fputs(" of ", stdout);
    show(series, "limit");
    fputs(", ", stdout);
    show(series, "overflow");
    fputs(" beyond it\npublications  ", stdout);
    show(status, "publications");
    fputs("\nstore         ", stdout);
    show(store, "path");
    fputs(", ", stdout);
    show(store, "bytes");
    bool known = tocsin_value_boolean(tocsin_value_of(store, "writable"), &writable);
    fputs(known && !writable ? " bytes, NOT WRITABLE\n" : " bytes\n", stdout);
}

int status_run(const call_t *call)
{
    session_t session;
    tocsin_reply_t *reply = NULL;
    int status = session_open(&session, call);
    if (status == 0)
        status = session_ask(&session, call->command->asks, (tocsin_value_t){NULL, 0}, &reply);
    if (status == 0 && output_of(call) != OUTPUT_TABLE) {
        output_answer(call, NULL, tocsin_reply_result(reply), stdout);
    } else if (status == 0) {
        show_broker(tocsin_reply_result(reply));
        show_sockets(tocsin_reply_result(reply));
        show_knowledge(tocsin_reply_result(reply));
    }
    tocsin_reply_destroy(&reply);
    session_close(&session);
    return status;
}
