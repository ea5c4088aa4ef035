#include "clients/tocsin/demo_stage.h"

#include "clients/tocsin/demo_story.h"
#include "proto/pack.h"

#include <string.h>

#define BY "tocsin demo"

/*  A map from words and values in turn, up to NULL. */
static tocsin_value_t pack_words(msgpack_sbuffer *out, const char *const *words)
{
    size_t count = 0;
    while (words[count] != NULL)
        count++;
    msgpack_sbuffer_init(out);
    pack_map(out, count / 2);
    for (size_t i = 0; i < count; i++)
        pack_string(out, words[i]);
    return (tocsin_value_t){out->data, out->size};
}

/*  Command with such a map; what is not found is as good as done. */
static int command(session_t *session, const char *name, const char *const *words)
{
    msgpack_sbuffer map;
    tocsin_reply_t *reply;
    int status = session_try(session, name, pack_words(&map, words), &reply);
    msgpack_sbuffer_destroy(&map);
    if (status == EXIT_REFUSED && strcmp(tocsin_reply_code(reply), "not_found") == 0)
        status = 0;
    else if (status == EXIT_REFUSED)
        fprintf(stderr, "tocsin: %s: %s\n", name, tocsin_reply_message(reply));
    tocsin_reply_destroy(&reply);
    return status;
}

/* -- away with it -- */

static bool is_over(tocsin_value_t incident)
{
    char status[32];
    tocsin_value_copy(tocsin_value_of(incident, "status"), status, sizeof status);
    return strcmp(status, "resolved") == 0 || strcmp(status, "closed") == 0;
}

/*  What the policy opened is known by its runbook. */
static bool is_ours(tocsin_value_t incident)
{
    char runbook[64];
    tocsin_value_copy(tocsin_value_of(incident, "runbook"), runbook, sizeof runbook);
    return strcmp(runbook, DEMO_RUNBOOK) == 0;
}

static int resolve_incidents(session_t *session)
{
    msgpack_sbuffer map;
    tocsin_reply_t *reply;
    tocsin_value_t open = pack_words(&map, (const char *const[]){"status", "open", NULL});
    int status = session_ask(session, "incident.list", open, &reply);
    msgpack_sbuffer_destroy(&map);
    if (status != 0)
        return status;
    tocsin_value_t items = tocsin_value_of(tocsin_reply_result(reply), "items");
    for (size_t i = 0; i < tocsin_value_count(items) && status == 0; i++) {
        tocsin_value_t incident = tocsin_value_at(items, i);
        char id[32];
        tocsin_value_copy(tocsin_value_of(incident, "incident"), id, sizeof id);
        if (is_ours(incident) && !is_over(incident))
            status = command(session, "incident.resolve",
                             (const char *const[]){"incident", id, "resolution", "the demo ended",
                                                   "by", BY, NULL});
    }
    tocsin_reply_destroy(&reply);
    return status;
}

int demo_stage_clear(session_t *session)
{
    int policy =
        command(session, "policy.delete", (const char *const[]){"name", DEMO_POLICY, NULL});
    if (policy != 0)
        return policy;
    int slo = command(session, "slo.delete", (const char *const[]){"name", DEMO_SLO, NULL});
    int incidents = resolve_incidents(session);
    int runbook =
        command(session, "runbook.delete", (const char *const[]){"name", DEMO_RUNBOOK, NULL});
    return slo != 0 ? slo : incidents != 0 ? incidents : runbook;
}

/* -- there it is -- */

/*  A play of seconds has no monthly budget to burn, so the
 *  burn rates are kept out of it by the number of events that they would need. */
#define NO_BURNING UINT64_C(1000000000)

static void pack_slo(msgpack_sbuffer *out)
{
    pack_map(out, 6);
    pack_string(out, "name");
    pack_string(out, DEMO_SLO);
    pack_string(out, "target_percent");
    pack_number(out, 95);
    pack_string(out, "window");
    pack_number(out, 3);
    pack_string(out, "latency");
    pack_number(out, 0.25);
    pack_string(out, "min_events");
    pack_uint(out, NO_BURNING);
    pack_string(out, "match");
    pack_map(out, 1);
    pack_string(out, "operation");
    pack_string(out, "demo POST /orders");
}

static void pack_policy(msgpack_sbuffer *out)
{
    pack_map(out, 10);
    pack_string(out, "name");
    pack_string(out, DEMO_POLICY);
    pack_string(out, "condition");
    pack_string(out, "demo_error_ratio{service=\"orders\"} > 30%");
    pack_string(out, "severity");
    pack_string(out, "critical");
    pack_string(out, "channels");
    pack_array(out, 0);
    pack_string(out, "window");
    pack_number(out, 1);
    pack_string(out, "for");
    pack_number(out, 1);
    pack_string(out, "open_incident");
    pack_bool(out, true);
    pack_string(out, "auto_resolve");
    pack_bool(out, true);
    pack_string(out, "runbook");
    pack_string(out, DEMO_RUNBOOK);
    pack_string(out, "summary");
    pack_string(out, "orders cannot be placed");
}

static void pack_runbook(msgpack_sbuffer *out)
{
    pack_map(out, 4);
    pack_string(out, "name");
    pack_string(out, DEMO_RUNBOOK);
    pack_string(out, "description");
    pack_string(out, "What to do when the database of the demo fails");
    pack_string(out, "procedures");
    pack_array(out, 2);
    pack_string(out, "look");
    pack_string(out, "act");
    pack_string(out, "steps");
    pack_map(out, 2);
    pack_string(out, "look");
    pack_array(out, 2);
    pack_string(out, "tocsin dependency get demo-postgresql");
    pack_string(out, "how many clients hold a connection, and since when?");
    pack_string(out, "act");
    pack_array(out, 1);
    pack_string(out, "end the oldest idle connections");
}

static int put(session_t *session, const char *name, void (*pack)(msgpack_sbuffer *out))
{
    msgpack_sbuffer map;
    tocsin_reply_t *reply;
    msgpack_sbuffer_init(&map);
    pack(&map);
    int status = session_ask(session, name, (tocsin_value_t){map.data, map.size}, &reply);
    tocsin_reply_destroy(&reply);
    msgpack_sbuffer_destroy(&map);
    return status;
}

int demo_stage_set(session_t *session)
{
    int status = demo_stage_clear(session);
    if (status == 0)
        status = put(session, "runbook.put", pack_runbook);
    if (status == 0)
        status = put(session, "slo.put", pack_slo);
    if (status == 0)
        status = put(session, "policy.put", pack_policy);
    return status;
}
