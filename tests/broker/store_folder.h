/*  A store in a folder of its own, for the tests of the store. */
#ifndef TESTS_BROKER_STORE_FOLDER_H
#define TESTS_BROKER_STORE_FOLDER_H

#include "broker/store.h"
#include "broker/store_inside.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>

static char folder[64];

static inline store_t *open_again(void)
{
    store_error_t error;
    store_t *store = store_open(folder, &error);
    if (store == NULL)
        fail_msg("%s", error.message);
    return store;
}

static inline int set_up(void **state)
{
    snprintf(folder, sizeof folder, "/tmp/tocsin-store-XXXXXX");
    assert_non_null(mkdtemp(folder));
    *state = open_again();
    return 0;
}

static inline int tear_down(void **state)
{
    char command[128];
    store_close((store_t **)state);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

/*  The process is gone; the files are as they are. */
static inline void crash(store_t **store)
{
    if (*store != NULL)
        ((struct store *)*store)->dead = true;
    store_close(store);
}

/*  The path of a file in the folder, good until the next call. */
static inline const char *file_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static inline incident_t sample_incident(uint64_t id)
{
    static const text_t systems[] = {{"db", 2}, {"web", 3}};
    static const uint64_t alerts[] = {3, 9};
    incident_t incident;
    schema_defaults(&incident_schema, &incident);
    incident.id = id;
    incident.title = TEXT_OF("disk full");
    incident.systems = (texts_t){systems, 2};
    incident.alerts = alerts;
    incident.alert_count = 2;
    incident.created_at = incident.updated_at = 1000.5;
    incident.occurrences = 1;
    return incident;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
